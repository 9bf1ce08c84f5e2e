"""gluonzoo.data.drawn.objects: classes differ in form and not in colour, and the object of a picture can be seen."""
import cv2
import numpy as np
import pytest

from gluonzoo.data.drawn import objects
from gluonzoo.data.drawn.objects import CLASS_NAMES, picture
from gluonzoo.data.drawn.scenery import blend, render

SIZE = 32


@pytest.fixture(scope='module')
def pictures():
    return [picture(0, index) for index in range(400)]


def test_the_form_of_a_picture(pictures):
    for image, label in pictures:
        assert image.shape == (SIZE, SIZE, 3) and image.dtype == np.uint8 and image.flags.c_contiguous
        assert image.std() > 3 and type(label) is int
    assert len({image.tobytes() for image, _ in pictures}) == len(pictures)


def test_sizes():
    assert picture(0, 3, 16)[0].shape == (16, 16, 3) and picture(0, 3, (40, 100))[0].shape == (100, 40, 3)
    assert picture(0, 3, (100, 40))[0].shape == (40, 100, 3)
    for size in (15, (100, 15)):
        with pytest.raises(ValueError, match='size: must be at least 16: '):
            picture(0, 0, size)


def test_classes_come_in_turn(pictures):
    assert CLASS_NAMES == ('bear', 'bird', 'boat', 'car', 'cat', 'cup', 'fish', 'house', 'lorry', 'teapot')
    assert [label for _, label in pictures[:21]] == [*range(10), *range(10), 0]


def test_some_of_the_classes(monkeypatch):
    drawn = []
    for name, draw in objects._SHAPES.items():
        monkeypatch.setitem(objects._SHAPES, name, lambda rng, name=name, draw=draw: drawn.append(name) or draw(rng))
    labels = [picture(1, index, class_names=('cup', 'bear'))[1] for index in range(4)]
    assert labels == [0, 1, 0, 1] and drawn == ['cup', 'bear', 'cup', 'bear']


def test_a_picture_is_a_function_of_seed_and_index(pictures):
    np.random.seed(99)
    cv2.setRNGSeed(99)
    for index in (3, 0, 3):
        np.testing.assert_array_equal(picture(0, index)[0], pictures[index][0])
    assert (picture(1, 3)[0] != pictures[3][0]).any()


def test_a_larger_picture_shows_the_same():
    differences = []
    for index in range(30):
        image, small = picture(0, index, 4 * SIZE)[0], picture(0, index, 2 * SIZE)[0]
        shrunk = cv2.resize(image, (2 * SIZE, 2 * SIZE), interpolation=cv2.INTER_AREA)
        differences.append(np.abs(cv2.blur(shrunk, (5, 5)).astype(float) - cv2.blur(small, (5, 5))).mean())
    assert np.median(differences) < 8 and np.mean(differences) < 12


# -- what the classes differ in --------------------------------------------------------------------------------------

def forms(count):
    """What objects cover [10 * count, 32, 32], upright and alone, and their colours [10 * count, 3]."""
    rng = np.random.Generator(np.random.PCG64(5))
    covered, colours = [], []
    for name in CLASS_NAMES:
        for _ in range(count):
            layer = render(objects._SHAPES[name](rng), 10 * np.eye(2))
            canvas = np.zeros((SIZE, SIZE, 3), np.float32)
            blend(canvas, layer._replace(colour=np.repeat(layer.alpha, 3, 2)), (SIZE / 2, SIZE / 2))
            covered.append(canvas[..., 0])
            colours.append(layer.colour.sum((0, 1)) / layer.alpha.sum())
    return np.stack(covered), np.stack(colours)


def nearest(features, count):
    """How often the nearest other one is of the same class."""
    features = features.reshape(len(features), -1)
    distances = ((features[:, None] - features) ** 2).sum(-1)
    np.fill_diagonal(distances, np.inf)
    labels = np.arange(len(features)) // count
    return (labels[distances.argmin(1)] == labels).mean()


def test_classes_differ_in_form_and_not_in_colour():
    covered, colours = forms(20)
    assert nearest(covered, 20) > .9
    assert nearest(colours, 20) < .25   # by chance .1


def test_no_colours_tell_the_class(pictures):
    """The nearest of the mean colours of a class, of half of the pictures, says little of the class of the others."""
    features = np.stack([np.r_[image.mean((0, 1)), image.std((0, 1))] for image, _ in pictures])
    labels = np.array([label for _, label in pictures])
    half = len(pictures) // 2
    means = np.stack([features[:half][labels[:half] == label].mean(0) for label in range(10)])
    found = ((features[half:, None] - means) ** 2).sum(-1).argmin(1)
    assert (found == labels[half:]).mean() < .22


# -- what can be seen ------------------------------------------------------------------------------------------------

@pytest.fixture(scope='module')
def compositions():
    """Of pictures of 64 x 64: what the object covers of the picture, what of it is hidden, and its whole area."""
    found = []
    with pytest.MonkeyPatch.context() as patch:
        calls = []
        patch.setattr(objects, 'blend', lambda image, layer, centre: calls.append((layer, centre)))
        patterned = objects._patterned
        patch.setattr(objects, '_patterned', lambda rng, layer: calls.append(None) or patterned(rng, layer))
        for index in range(200):
            calls.clear()
            picture(2, index, 64)
            (layer, centre), *front = calls[calls.index(None) + 1:]
            masks = []
            for each, there in [(layer, centre), *front]:
                mask = np.zeros((64, 64, 3))
                blend(mask, each._replace(colour=np.repeat(each.alpha, 3, 2)), there)
                masks.append(mask[..., 0] > .5)
            hidden = masks[0] & masks[1] if front else np.zeros_like(masks[0])
            found.append((masks[0], hidden, (layer.alpha > .5).sum(), calls.index(None)))
    return found


def test_an_object_can_be_seen(compositions):
    inside = [mask.sum() / area for mask, _, area, _ in compositions]
    hidden = [hidden.sum() / area for _, hidden, area, _ in compositions]
    assert min(inside) > .95 and max(hidden) < .26
    assert .05 < np.mean(np.array(hidden) > .02) < .25   # some are behind a thing


def test_sizes_of_objects(compositions):
    longer = []
    for mask, _, area, _ in compositions:
        if mask.sum() == area:
            rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
            longer.append(max(np.ptp(rows), np.ptp(columns)) + 1)
    assert 44 <= min(longer) < 52 and 60 < max(longer) <= 64


def test_other_things_lie_around(compositions):
    """None or one."""
    assert np.bincount([before for *_, before in compositions]).min() > 60
    assert max(before for *_, before in compositions) == 1
