"""gluonzoo.data.drawn.mascot: what a picture may hold, and that the boxes are about what can be seen."""
import cv2
import numpy as np
import pytest

from gluonzoo.data.drawn import mascot
from gluonzoo.data.drawn.scenery import Layer

SIZE = 128


@pytest.fixture(scope='module')
def pictures():
    return [mascot.picture(0, index, SIZE) for index in range(80)]


def test_the_form_of_a_picture(pictures):
    for image, boxes in pictures:
        assert image.shape == (SIZE, SIZE, 3) and image.dtype == np.uint8 and image.flags.c_contiguous
        assert boxes.shape == (len(boxes), 4) and boxes.dtype == np.float32
        assert image.std() > 5


def test_none_to_three_mascots(pictures):
    counts = np.bincount([len(boxes) for _, boxes in pictures], minlength=4)
    assert len(counts) == 4 and counts.min() >= 2 and counts.argmax() == 1


def test_boxes_are_in_the_picture_and_not_too_small(pictures):
    boxes = np.concatenate([boxes for _, boxes in pictures])
    assert boxes.min() >= 0 and boxes.max() <= SIZE and (boxes == np.round(boxes)).all()
    sides = boxes[:, 2:] - boxes[:, :2]
    assert sides.min() >= 3
    longer = sides.max(1) / SIZE
    assert longer.min() >= .1 and longer.max() <= .7
    assert longer.min() < .16 and longer.max() > .5   # small and large ones do occur


def test_a_picture_is_a_function_of_seed_and_index(pictures):
    np.random.seed(99)
    cv2.setRNGSeed(99)
    for index in (3, 0, 3):
        image, boxes = mascot.picture(0, index, SIZE)
        np.testing.assert_array_equal(image, pictures[index][0])
        np.testing.assert_array_equal(boxes, pictures[index][1])


def test_other_seeds_and_indices_give_other_pictures(pictures):
    images = [image for image, _ in pictures[:10]] + [mascot.picture(1, index, SIZE)[0] for index in range(10)]
    assert len({image.tobytes() for image in images}) == 20


def test_a_larger_picture_shows_the_same(pictures):
    for index in range(12):
        image, boxes = mascot.picture(0, index, 2 * SIZE)
        small, small_boxes = pictures[index]
        np.testing.assert_allclose(boxes / 2, small_boxes, atol=2)
        assert abs(cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_AREA).astype(float) - small).mean() < 16


def test_the_mascot_is_yellow(pictures):
    """Most of what is yellow and bright in the pictures with a large one is in its box."""
    for image, boxes in pictures:
        for xmin, ymin, xmax, ymax in boxes.astype(int):
            inside = image[ymin:ymax, xmin:xmax].reshape(-1, 3).astype(float)
            red, green, blue = inside.T
            assert ((red > 1.25 * blue) & (green > 1.1 * blue)).mean() > .15


@pytest.mark.parametrize('size', [63, 0, -512])
def test_a_size_that_is_too_small(size):
    with pytest.raises(ValueError, match=f'size: must be at least 64: {size}'):
        mascot.picture(0, 0, size)


# -- what can be seen ------------------------------------------------------------------------------------------------

def square(side, value=255):
    """A layer that covers side x side pixels, its middle at its origin."""
    alpha = np.ones((side, side, 1), np.float32)
    return Layer(value * np.ones((side, side, 3), np.float32), alpha, (side // 2, side // 2))


@pytest.fixture
def scene():
    return mascot._Scene(np.zeros((100, 100, 3), np.uint8))


def boxes(scene):
    return scene.boxes().tolist()


def test_the_box_is_about_all_of_it(scene):
    assert boxes(scene) == []
    assert scene.paste(square(20), (30, 40), mascot=True)
    assert boxes(scene) == [[20, 30, 40, 50]]
    assert scene.image[30:50, 20:40].min() == 255 and scene.image.sum() == 255 * 20 * 20 * 3


def test_faint_pixels_do_not_count(scene):
    layer = square(20)
    layer.alpha[:, 0] = .4   # the left column
    scene.paste(layer, (30, 40), mascot=True)
    assert boxes(scene) == [[21, 30, 40, 50]]


def test_the_box_ends_at_the_edge(scene):
    assert scene.paste(square(20), (95, 40), mascot=True)   # of its 20 columns 15 are seen
    assert boxes(scene) == [[85, 30, 100, 50]]


@pytest.mark.parametrize('centre', [(99, 40), (40, 2), (200, 200), (-50, 10)])
def test_one_that_is_mostly_beyond_the_edge_is_refused(scene, centre):
    assert not scene.paste(square(20), centre, mascot=True)
    assert boxes(scene) == [] and scene.image.max() == 0


def test_what_is_hidden_is_not_in_the_box(scene):
    scene.paste(square(20), (30, 40), mascot=True)
    assert scene.paste(square(30, 90), (50, 40))   # hides its right quarter
    assert boxes(scene) == [[20, 30, 35, 50]] and scene.image[40, 36, 0] == 90


def test_what_would_hide_too_much_is_refused(scene):
    scene.paste(square(20), (30, 40), mascot=True)
    before = scene.image.copy()
    assert not scene.paste(square(30, 90), (45, 40))   # would hide half
    assert not scene.paste(square(30, 90), (45, 40), mascot=True)
    assert boxes(scene) == [[20, 30, 40, 50]]
    np.testing.assert_array_equal(scene.image, before)


def test_small_things_together_do_not_hide_too_much(scene):
    scene.paste(square(20), (30, 40), mascot=True)
    pasted = [scene.paste(square(7, 90), (x, y)) for x in (24, 34) for y in (34, 44)]   # 12 % each
    assert pasted == [True, True, False, False]


def test_one_that_would_be_too_small_is_refused(scene):
    assert not scene.paste(square(9), (30, 40), mascot=True)
    assert scene.paste(square(10), (30, 40), mascot=True)


def test_a_shadow_darkens_what_is_around_alone(scene):
    scene.image[:] = 200
    scene.paste(square(20), (30, 40), mascot=True, shadow=.5)
    assert boxes(scene) == [[20, 30, 40, 50]]
    assert 100 <= scene.image[45, 41, 0] < 195 and scene.image[45, 60, 0] == 200
    assert scene.image[30:50, 20:40].min() == 255
