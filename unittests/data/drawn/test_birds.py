"""gluonzoo.data.drawn.birds: nothing but the crown tells the class, and the crown can be seen."""
import colorsys

import cv2
import numpy as np
import pytest

from gluonzoo.data.drawn import birds
from gluonzoo.data.drawn.birds import CLASS_NAMES, picture

SIZE = 128


@pytest.fixture(scope='module')
def pictures():
    return [picture(0, index) for index in range(480)]


def test_the_form_of_a_picture(pictures):
    for drawn in pictures:
        assert drawn.image.shape == (SIZE, SIZE, 3) and drawn.image.dtype == np.uint8
        assert drawn.image.flags.c_contiguous and drawn.image.std() > 3 and type(drawn.label) is int
    assert len({drawn.image.tobytes() for drawn in pictures}) == len(pictures)


def test_sizes():
    assert picture(0, 3, 48).image.shape == (48, 48, 3)
    assert picture(0, 3, (60, 100)).image.shape == (100, 60, 3) and picture(0, 3, (100, 60)).image.shape == (60, 100, 3)
    for size in (47, (100, 47)):
        with pytest.raises(ValueError, match='size: must be at least 48: '):
            picture(0, 0, size)


def test_classes_come_in_turn(pictures):
    assert len(CLASS_NAMES) == 12 and list(CLASS_NAMES) == sorted(CLASS_NAMES)
    assert [drawn.label for drawn in pictures[:25]] == [*range(12), *range(12), 0]
    assert [picture(1, index, class_names=('red-crowned', 'blue-crowned')).label for index in range(3)] == [0, 1, 0]


def test_a_picture_is_a_function_of_seed_and_index(pictures):
    np.random.seed(99)
    cv2.setRNGSeed(99)
    for index in (3, 0, 3):
        again = picture(0, index)
        np.testing.assert_array_equal(again.image, pictures[index].image)
        assert again[1:] == pictures[index][1:]
    assert (picture(1, 3).image != pictures[3].image).any()


def test_a_larger_picture_shows_the_same():
    differences = []
    for index in range(30):
        image, small = picture(0, index, 2 * SIZE).image, picture(0, index).image
        shrunk = cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        differences.append(np.abs(cv2.blur(shrunk, (5, 5)).astype(float) - cv2.blur(small, (5, 5))).mean())
    assert np.median(differences) < 8 and np.mean(differences) < 12


# -- what the classes differ in --------------------------------------------------------------------------------------

def window(box, margin=0):
    """The slices of a picture that are within a box and `margin` pixels around it."""
    xmin, ymin, xmax, ymax = box
    return (slice(max(0, int(np.floor(ymin)) - margin), int(np.ceil(ymax)) + margin),
            slice(max(0, int(np.floor(xmin)) - margin), int(np.ceil(xmax)) + margin))


def test_nothing_but_the_crown_differs():
    """The same picture of another class is the same but for the crown: exactly, beyond the reach of the lens's blur."""
    for index in range(60):
        one, other = (picture(0, index, class_names=CLASS_NAMES[way:] + CLASS_NAMES[:way]) for way in (0, 5))
        assert one.crown == other.crown and one.box == other.box
        differs = (one.image != other.image).any(-1)
        assert differs[window(one.crown)].mean() > .3
        differs[window(one.crown, margin=4)] = False
        assert not differs.any()


def nearest_mean(features, labels):
    """How often the nearest of the means of the classes, of half of the pictures, is right for the other half."""
    half = len(features) // 2
    features = (features - features.mean(0)) / features.std(0)
    means = np.stack([features[:half][labels[:half] == label].mean(0) for label in range(12)])
    return (((features[half:, None] - means) ** 2).sum(-1).argmin(1) == labels[half:]).mean()


def test_the_crown_tells_the_class_and_the_whole_does_not(pictures):
    labels = np.array([drawn.label for drawn in pictures])
    crowns, whole = [], []
    for drawn in pictures:
        part = drawn.image[window(drawn.crown)]
        height, width = part.shape[:2]
        inner = part[height // 4:-(height // 4) or None, width // 4:-(width // 4) or None]
        crowns.append(inner.mean((0, 1)))
        image = drawn.image.copy()
        whole.append(np.r_[image.mean((0, 1)), image.std((0, 1))])
    assert nearest_mean(np.stack(crowns), labels) > .8   # by chance .083; the light is not known
    assert nearest_mean(np.stack(whole), labels) < .17


def test_the_colours_of_crowns_are_apart():
    """Whatever is drawn of two classes differs in hue, or in how bright or pale it is."""
    def apart(one, other):
        (h, s, v), (g, t, u) = (colorsys.rgb_to_hsv(*np.divide(paint, 255)) for paint in (one, other))
        hue = min(abs(h - g), 1 - abs(h - g)) if min(s, t) > .3 and min(v, u) > .2 else 0
        return hue > .04 or abs(s - t) > .3 or abs(v - u) > .3

    rng = np.random.default_rng(0)
    drawn = {name: [birds._paint(rng, name) for _ in range(20)] for name in CLASS_NAMES}
    for number, name in enumerate(CLASS_NAMES):
        for other in CLASS_NAMES[:number]:
            assert all(apart(a, b) for a in drawn[name] for b in drawn[other]), (name, other)


def test_marks_have_the_colours_of_crowns(monkeypatch):
    """Every class's colour comes as often on the birds and things of any other class."""
    used = []
    paint = birds._paint
    monkeypatch.setattr(birds, '_paint', lambda rng, name: used.append(name) or paint(rng, name))
    counts = np.zeros((12, 12), int)   # [class, colour], without the crown's own
    for index in range(240):
        used.clear()
        label = picture(3, index).label
        used.remove(CLASS_NAMES[label])   # raises ValueError if the crown's is not there
        for name in used:
            counts[label, CLASS_NAMES.index(name)] += 1
    assert counts.sum() / 240 > 6
    assert np.ptp(counts.sum(0)) < .5 * counts.sum(0).mean()
    assert .7 * counts.sum() / 12 < counts.trace() < 1.4 * counts.sum() / 12


# -- what can be seen ------------------------------------------------------------------------------------------------

def test_sizes_of_birds_and_crowns(pictures):
    boxes, crowns = (np.array([drawn[field] for drawn in pictures]) for field in (2, 3))
    longer = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    assert .41 * SIZE < longer.min() < .44 * SIZE and .57 * SIZE < longer.max() < .61 * SIZE
    widths, heights = crowns[:, 2] - crowns[:, 0], crowns[:, 3] - crowns[:, 1]
    assert 7 < widths.min() and widths.max() < 16.5 and 4.5 < heights.min() and heights.max() < 15
    assert (widths * heights).mean() < .01 * SIZE ** 2


def test_the_whole_bird_is_in_the_picture():
    for index in range(200):
        drawn = picture(2, index, (100, 70))
        xmin, ymin, xmax, ymax = drawn.box
        assert 0 <= xmin < drawn.crown[0] and drawn.crown[2] < xmax <= 100
        assert 0 <= ymin <= drawn.crown[1] and drawn.crown[3] < ymax <= 70


def test_birds_look_both_ways(pictures):
    left = [drawn.crown[0] + drawn.crown[2] < drawn.box[0] + drawn.box[2] for drawn in pictures]
    assert .4 < np.mean(left) < .6
