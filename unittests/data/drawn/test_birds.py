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


@pytest.mark.parametrize('arguments, message', [
    ({'size': 47}, 'size: must be at least 48, in whole pixels: 47'), ({'size': (99, 47)}, 'size: must be at least 48'),
    ({'size': 64.5}, 'size: must be at least 48, in whole pixels: 64.5'), ({'size': (64, 64.5)}, 'size: must be'),
    ({'size': 'wide'}, 'size: must be'), ({'size': None}, 'size: must be'), ({'size': True}, 'size: must be'),
    ({'size': (64, 64, 3)}, 'size: must be one number or two, width and height: '), ({'size': ()}, 'size: must be one'),
    ({'class_names': ('nobody',)}, 'class_names: must be a list of 1 or more names, each of black-crowned, blue'),
    ({'class_names': ()}, 'class_names: must be a list'), ({'class_names': 'red-crowned'}, 'class_names: must be a'),
    ({'class_names': ('red-crowned', 3)}, 'class_names: must be'), ({'class_names': ([],)}, 'class_names: must be'),
    ({'seed': -1}, 'seed: must be a whole number, at least 0: -1'), ({'seed': 'x'}, 'seed: must be'),
    ({'index': 1.5}, 'index: must be a whole number, at least 0: 1.5'), ({'index': -1}, 'index: must be')])
def test_arguments_that_make_no_sense(arguments, message):
    with pytest.raises(ValueError, match=f'^{message}') as raised:
        picture(**{'seed': 0, 'index': 0, **arguments})
    assert '\n' not in str(raised.value)


def test_sizes_of_numpy():
    for size in (np.int64(48), np.array([48, 48]), [48, 48]):
        np.testing.assert_array_equal(picture(0, 3, size).image, picture(0, 3, 48).image)


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


@pytest.fixture
def layers(monkeypatch):
    """A function (seed, index) -> the layers of a picture that are really drawn: the picture, then for each layer its
    shapes, the width in pixels of each, and the class of whose crown each has the colour, or None."""
    drawn, names = [], {}
    paint, render = birds._paint, birds.render

    def noted_paint(rng, name):
        colour = paint(rng, name)
        names[colour] = name
        return colour

    def noted_render(shapes, matrix, light):
        drawn.append((shapes, matrix))
        return render(shapes, matrix, light)

    monkeypatch.setattr(birds, '_paint', noted_paint)
    monkeypatch.setattr(birds, 'render', noted_render)

    def layers(seed, index):
        drawn.clear()
        names.clear()
        whole = picture(seed, index)
        return whole, [[(np.ptp(shape.points @ matrix.T, 0).max(), names.get(shape.colour)) for shape in shapes]
                       for shapes, matrix in drawn]
    return layers


def of_the_bird(drawn):
    return next(place for place, shapes in enumerate(drawn) if len(shapes) >= 11 and shapes[-1][1] is not None)


def test_marks_have_the_colours_of_crowns(layers):
    """Every class's colour comes as often on the birds and things of any other class; so it says nothing."""
    kinds = {'marks': 1.6, 'berries': 2, 'things': 1}   # how many of them a picture has in the mean
    counts = {kind: np.zeros((12, 12), int) for kind in kinds}   # [class, colour], without the crown's own
    for index in range(480):
        whole, drawn = layers(3, index)
        at = of_the_bird(drawn)
        bird = drawn[at]
        assert bird[-1][1] == CLASS_NAMES[whole.label]   # the crown is drawn last, over all
        colours = {'marks': [name for _, name in bird[:-1] if name],
                   'things': [name for shapes in drawn[:at] for name in {name for _, name in shapes if name}],
                   'berries': [shapes[0][1] for shapes in drawn[at + 1:] if len(shapes) == 1 and shapes[0][1]]}
        for kind, found in colours.items():
            for name in found:
                counts[kind][whole.label, CLASS_NAMES.index(name)] += 1
    for kind, mean in kinds.items():
        assert .85 * mean < counts[kind].sum() / 480 < 1.15 * mean, kind
    total = sum(counts.values())
    assert np.ptp(total.sum(0)) < .5 * total.sum(0).mean()
    assert .75 * total.sum() / 12 < total.trace() < 1.3 * total.sum() / 12


def test_marks_and_berries_can_be_seen(layers):
    """They are hardly smaller than crowns, which are 8 to 16 pixels wide."""
    marks, berries = [], []
    for index in range(120):
        _, drawn = layers(4, index)
        at = of_the_bird(drawn)
        marks += [width for width, name in drawn[at][:-1] if name]
        berries += [shapes[0][0] for shapes in drawn[at + 1:] if len(shapes) == 1 and shapes[0][1]]
    assert len(marks) > 100 and min(marks) > 4.5 and np.mean(marks) > 7.5
    assert len(berries) > 150 and 4 < min(berries) < 6 and 9 < max(berries) < 12


def test_plumage_is_neither_bright_nor_dark():
    """No crown has its colours; of grey it is in the middle, and its hue may be any."""
    rng = np.random.default_rng(0)
    hue, saturation, value = np.array([colorsys.rgb_to_hsv(*np.divide(birds._plain(rng), 255))
                                       for _ in range(400)]).T
    assert hue.min() < .05 and hue.max() > .95
    assert saturation.min() < .02 and .38 < saturation.max() <= .4 + 1e-9
    assert .45 - 1e-9 <= value.min() < .47 and .78 < value.max() <= .8 + 1e-9
    for name in CLASS_NAMES:
        for _ in range(40):
            _, s, v = colorsys.rgb_to_hsv(*np.divide(birds._paint(rng, name), 255))
            assert s >= .6 or v < .1 or v >= .95


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
