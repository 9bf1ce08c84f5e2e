"""gluonzoo/data/transforms/darknet.py: boxes stay on their objects, and what is drawn is what darknet draws."""
import tracemalloc

import cv2
import numpy as np
import pytest
from coloured_boxes import (
    MEAN,
    SIZE,
    STD,
    Scripted,
    apply,
    assert_same_distribution,
    check_all_depends_on_the_generator,
    check_boxes,
    picture_of,
    rng_of,
    sample_of,
)

from gluonzoo.data import Sample
from gluonzoo.data.transforms import darknet, make_transform
from gluonzoo.pictures.letterbox import letterboxed

PLAIN = {'hue': 0, 'saturation': 1, 'exposure': 1}   # colours stay


def train(**keywords):
    return make_transform({'name': 'darknet_train', 'size': SIZE, 'mean': MEAN, 'std': STD, **keywords})


def letterbox(size=SIZE):
    return make_transform({'name': 'letterbox', 'size': size, 'mean': MEAN, 'std': STD})


class InOrder(Scripted):
    """Leaves boxes in their order."""

    def permutation(self, count):
        return np.arange(count)


# -- letterbox -------------------------------------------------------------------------------------------------------

def test_a_letterbox_by_hand():
    image = np.array([[[10, 20, 30]] * 4, [[110, 220, 130]] * 4], np.uint8)
    sample = Sample(image, np.array([[0, 0, 4, 2], [1, 0.5, 3, 2]], np.float32), np.array([4, 2], np.int32), 0,
                    np.array([False, True]))
    transform = make_transform({'name': 'letterbox', 'size': 4, 'mean': [10, 0, 80], 'std': [1, 2, 5]})
    got, labels, window = apply(transform, sample, None)
    assert window.tolist() == [0, 0.25, 1, 0.75]
    assert got.dtype == labels.dtype == np.float32 and got.shape == (3, 4, 4)
    assert got[:, :, 1].T.tolist() == [[117.5, 63.75, 9.5], [0, 10, -10], [100, 110, 10], [117.5, 63.75, 9.5]]
    assert labels.tolist() == [[4, 0, 0.25, 1, 0.75, 0], [2, 0.25, 0.375, 0.75, 0.75, 1]]


@pytest.mark.parametrize('width, height', [(96, 72), (50, 90), (64, 64), (1, 1), (200, 3)])
def test_a_letterbox_is_what_a_prediction_sees(width, height):
    sample = sample_of([[0, 0, width, height]], width, height)
    sample.image[:] = rng_of(0).integers(0, 256, sample.image.shape)
    out = np.full((3, SIZE, SIZE), np.nan, np.float32)
    got, labels, window = apply(letterbox(), sample, None, out)
    assert got is out
    np.testing.assert_allclose(got, ((letterboxed(sample.image, SIZE) - MEAN) / STD).transpose(2, 0, 1), atol=1e-6)
    picture = (np.abs(picture_of(got) - 127.5) > 1e-3).any(2)
    xmin, ymin, xmax, ymax = np.rint(labels[0, 1:5] * SIZE).astype(int)
    for edges in (labels[0, 1:5], window):
        np.testing.assert_allclose(edges * SIZE, [xmin, ymin, xmax, ymax], atol=1e-4)
    assert picture[ymin:ymax, xmin:xmax].all() and picture.sum() == (ymax - ymin) * (xmax - xmin)


@pytest.mark.parametrize('width, height', [(96, 72), (77, 90), (64, 30)])
def test_boxes_of_a_letterbox_are_where_their_objects_are(width, height):
    sample = sample_of([[4, 6, 30, 28], [34, 3, 60, 20], [5, 12, 20, 29]][:2], width, height)
    assert check_boxes(*apply(letterbox(), sample, None)[:2], atol=0.6) == 2


# -- augmentation: pictures and boxes --------------------------------------------------------------------------------

@pytest.mark.parametrize('keywords', [{}, {'jitter': 0}, {'flip': False}, {'jitter': 0.9}], ids=str)
def test_boxes_are_where_their_objects_are(keywords):
    """Coloured rectangles are found in the result, and compared with the boxes."""
    transform = train(**PLAIN, **keywords)
    sample = sample_of([[4, 6, 40, 40], [50, 10, 90, 34], [30, 44, 70, 70]])
    before = sample.image.copy()
    compared = 0
    for seed in range(200):
        image, labels = apply(transform, sample, rng_of(seed))
        compared += check_boxes(image, labels, atol=0.8)
        assert sorted(labels[:, 0]) == [0, 1, 2]   # nothing leaves the square
    assert compared > 400
    np.testing.assert_array_equal(sample.image, before)


@pytest.mark.parametrize('width, height', [(640, 480), (300, 512), (70, 70)])
def test_the_picture_is_where_its_box_is_to_the_pixel(width, height):
    """A box of the whole picture has whole pixels, with grey on all others."""
    sample = sample_of([[0, 0, width, height]], width, height)
    sample.image[:] = 255
    for seed in range(60):
        image, labels = apply(train(**PLAIN), sample, rng_of(seed), np.full((3, SIZE, SIZE), np.nan, np.float32))
        xmin, ymin, xmax, ymax = np.rint(labels[0, 1:5] * SIZE).astype(int)
        np.testing.assert_allclose(labels[0, 1:5] * SIZE, [xmin, ymin, xmax, ymax], atol=1e-4)
        wanted = np.full((SIZE, SIZE, 3), 127.5)
        wanted[ymin:ymax, xmin:xmax] = 255
        np.testing.assert_allclose(picture_of(image), wanted, atol=1e-3)


def test_what_is_drawn_by_hand():
    """96 x 72 pixels, half as wide and a quarter higher: 48 to 90, so 34.13 x 64 pixels in the square of 64."""
    sample = sample_of([[48, 36, 96, 72]])
    # width, height; left of 29.87 pixels, top of none; hue; saturation, times; exposure, divided; flip or not
    draws = [-0.5, 0.25, 10.9, 0, 0, 1, 0.1, 1.25, 0.9]
    image, labels = apply(train(jitter=0.5), sample, InOrder(*draws, 0.9))
    np.testing.assert_allclose(labels, [[0, 27 / 64, 0.5, 44 / 64, 1, 0]], rtol=1e-6)   # 17 of 34 columns from 10 on
    picture = picture_of(image)
    np.testing.assert_allclose(picture[40, [5, 15, 35, 55]], [[102] * 3, [0] * 3, [204, 0, 0], [102] * 3], atol=1e-3)
    flipped, labels = apply(train(jitter=0.5), sample, InOrder(*draws, 0.1))
    np.testing.assert_array_equal(flipped, image[:, :, ::-1])
    np.testing.assert_allclose(labels, [[0, 20 / 64, 0.5, 37 / 64, 1, 0]], rtol=1e-6)


def test_no_colour_is_beyond_white():
    """Neither of the picture nor of the grey, which is as bright as a picture of this grey would be."""
    sample = sample_of([])
    sample.image[:] = 128
    for exposure, wanted in ((1.9, 242), (2, 255), (9, 255)):
        square = picture_of(apply(train(jitter=0, exposure=9), sample, InOrder(0, 0, 0, 3, 0, 1, 0.1, exposure, 0.1,
                                                                               0.9))[0])
        np.testing.assert_allclose(square, wanted, atol=1.3)
        assert square.max() < 255.001


def test_with_everything_off_a_letterbox_remains_at_a_random_place():
    sample = sample_of([[10, 10, 50, 50]])
    off = train(jitter=0, flip=False, **PLAIN)
    wanted, rows, _ = apply(letterbox(), sample, None)
    tops = set()
    for seed in range(100):
        image, labels = apply(off, sample, rng_of(seed))
        moved = round((labels[0, 2] - rows[0, 2]) * SIZE)
        tops.add(8 + moved)
        np.testing.assert_array_equal(image, np.roll(wanted, moved, 1))
        np.testing.assert_allclose(labels[0], rows[0] + np.array([0, 0, moved, 0, moved, 0]) / SIZE, atol=1e-6)
    assert tops == set(range(16))


def test_small_boxes_are_left_out_and_others_cut():
    """Less than 0.001 of the square, cut first."""
    transform = make_transform({'name': 'darknet_train', 'size': 2000, 'mean': MEAN, 'std': STD, 'jitter': 0,
                                'flip': False, **PLAIN})
    boxes = [[0, 0, 1.9, 90], [0, 0, 2.1, 90], [0, 0, 90, 1.9], [0, 0, 90, 2.1], [-9, 5, 1, 90], [-9, 5, 3, 90]]
    sample = Sample(np.zeros((2000, 2000, 3), np.uint8), np.array(boxes, np.float32), np.arange(6, dtype=np.int32), 0,
                    np.zeros(6, bool))
    _, labels = apply(transform, sample, rng_of(0))
    labels = labels[labels[:, 0].argsort()]
    np.testing.assert_allclose(labels[:, :5], [[1, 0, 0, .00105, .045], [3, 0, 0, .045, .00105],
                                               [5, 0, .0025, .0015, .045]], rtol=1e-4)


def test_the_order_of_the_objects_is_random_and_rows_stay_whole():
    sample = sample_of([[4, 6, 40, 40], [50, 10, 90, 34], [30, 44, 70, 70]], difficult=[False, True, False])
    orders = []
    for seed in range(600):
        _, labels = apply(train(jitter=0, flip=False), sample, rng_of(seed))
        orders.append(tuple(labels[:, 0].astype(int)))
        for label, xmin, _, xmax, _, difficult in labels:
            np.testing.assert_allclose([xmin, xmax, difficult], [[4 / 96, 40 / 96, 0], [50 / 96, 90 / 96, 1],
                                                                 [30 / 96, 70 / 96, 0]][int(label)], atol=0.01)
    counts = [orders.count(order) for order in set(orders)]
    assert len(counts) == 6 and min(counts) > 60   # 100 each, within four standard deviations


def test_all_depends_on_the_generator_alone():
    check_all_depends_on_the_generator(train, sample_of([[4, 6, 40, 40], [50, 10, 90, 34]]))


# -- what is drawn ---------------------------------------------------------------------------------------------------

def slow_placement(rng, width, height, size, jitter):
    """load_data_detection, a line at a time: xmin ymin xmax ymax of the picture as fractions of the square."""
    dw, dh = jitter * width, jitter * height
    new_ar = (width + rng.uniform(-dw, dw)) / (height + rng.uniform(-dh, dh))
    if new_ar < 1:
        nh = size
        nw = nh * new_ar
    else:
        nw = size
        nh = nw / new_ar
    dx, dy = rng.uniform(0, size - nw), rng.uniform(0, size - nh)
    return [dx / size, dy / size, (dx + nw) / size, (dy + nh) / size]


@pytest.mark.parametrize('width, height, jitter', [(500, 375, .3), (90, 160, .3), (333, 333, .3), (640, 480, .8)])
def test_placements_are_distributed_as_those_of_the_slow_twin(width, height, jitter):
    size, count = 60000, 4000   # so large that whole pixels do not matter
    ours = [darknet.draw_placement(rng_of([1, i]), width, height, size, jitter) for i in range(count)]
    ours = np.array([[p.left, p.top, p.left + p.width, p.top + p.height] for p in ours])
    assert ours.min() >= 0 and ours.max() <= size
    rng = rng_of(2)
    assert_same_distribution(ours / size, np.array([slow_placement(rng, width, height, size, jitter)
                                                    for _ in range(count)]))


def test_whole_pixels_are_rounded_as_in_the_slow_twin():
    for seed in range(300):
        place = darknet.draw_placement(rng_of(seed), 500, 375, SIZE, 0.3)
        xmin, ymin, xmax, ymax = np.array(slow_placement(rng_of(seed), 500, 375, SIZE, 0.3)) * SIZE
        assert place[:4] == (int(xmin), int(ymin), int(xmax - xmin + 1e-9), int(ymax - ymin + 1e-9))


def test_factors():
    """One to the most or its inverse, with equal probability, both as evenly as the official code has them."""
    factors = np.array([darknet.draw_factor(rng_of(seed), 1.5) for seed in range(4000)])
    greater = factors[factors >= 1]
    assert abs(len(greater) / 4000 - 0.5) < 0.04
    for values in (greater, 1 / factors[factors < 1]):
        assert 1 <= values.min() < 1.01 and 1.49 < values.max() <= 1.5
        assert abs(values.mean() - 1.25) < 0.015 and abs(values.var() / (0.5 ** 2 / 12) - 1) < 0.1


def slow_colours(image, hue, saturation, exposure):
    """distort_image in float64: HSV is neither rounded nor cut."""
    rgb = image.astype(float) / 255
    most, least = rgb.max(2), rgb.min(2)
    delta = most - least
    safe = np.where(delta, delta, 1)
    r, g, b = np.moveaxis(rgb, 2, 0)
    h = np.select([r == most, g == most], [(g - b) / safe, 2 + (b - r) / safe], 4 + (r - g) / safe) % 6
    s = delta / np.where(most, most, 1) * saturation
    v, h = most * exposure, (h + 6 * hue) % 6
    index, f = np.floor(h), h % 1
    p, q, t = v * (1 - s), v * (1 - s * f), v * (1 - s * (1 - f))
    cases = [(v, t, p), (q, v, p), (p, v, t), (p, q, v), (t, p, v), (v, p, q)]
    return np.stack([np.choose(index.astype(int), [case[i] for case in cases]) for i in range(3)], 2).clip(0, 1) * 255


@pytest.mark.parametrize('hue', [0, 0.1, -0.1, 0.03, 0.5])
@pytest.mark.parametrize('saturation, exposure', [(1, 1), (1.5, 1), (1 / 1.5, 1), (1, 1.5), (1, 1 / 1.5), (1.5, 1.5)])
def test_colours_are_those_of_the_slow_twin(hue, saturation, exposure):
    image = rng_of(4).integers(0, 256, (50, 50, 3), np.uint8)
    image[0, :4] = [[0, 0, 0], [255, 255, 255], [9, 9, 9], [255, 0, 0]]
    difference = np.abs(darknet.recoloured(image, hue, saturation, exposure) - slow_colours(
        image, round(180 * hue) / 180, saturation, exposure))
    # The rounding of hues and saturations to 8 bits, times what is done to them.
    assert difference.max() <= (8 * saturation * exposure if hue else 0.51)
    assert difference.mean() <= 1.5 * saturation * exposure


def test_colours_of_the_whole_square_change_and_are_drawn_from_the_ranges():
    """The grey, too, which has no hue: it shows the exposure. A pure colour shows the saturation and the hue."""
    sample = sample_of([], 64, 32)
    sample.image[:] = (150, 90, 90)
    exposures, saturations, hues = [], [], []
    for seed in range(1500):
        square = picture_of(apply(train(jitter=0, exposure=1.4, saturation=1.3), sample, rng_of(seed))[0])
        grey = square[0, 0] if np.ptp(square[0, 0]) < 0.01 else square[-1, 0]
        exposures.append(grey[0] / 127.5)
        colour = square[np.ptp(square, axis=2) > 5][0]
        saturations.append((colour.max() - colour.min()) / colour.max() / 0.4)
        hues.append(cv2.cvtColor(np.float32(colour / 255)[None, None], cv2.COLOR_RGB2HSV)[0, 0, 0] / 360)
    hues = (np.array(hues) + 0.5) % 1 - 0.5
    for values, most in ((np.array(exposures), 1.4), (np.array(saturations), 1.3)):
        assert 0.98 / most < values.min() < 1.03 / most and 0.97 * most < values.max() < 1.03 * most
        assert abs((values > 1).mean() - 0.5) < 0.06
    assert -0.105 < hues.min() < -0.09 and 0.09 < hues.max() < 0.105 and abs(hues.mean()) < 0.006
    assert abs(hues.var() / (0.2 ** 2 / 12) - 1) < 0.1
    assert abs(np.corrcoef([exposures, saturations, hues]) - np.eye(3)).max() < 0.1   # each is drawn for itself


def test_one_in_two_is_flipped():
    sample = sample_of([[0, 0, 30, 64]], 64, 64)
    seen = [apply(train(jitter=0), sample, rng_of(seed))[1][0, 1] for seed in range(600)]
    assert set(seen) == {0, np.float32(34 / 64)} and abs(np.mean(np.array(seen) > 0) - 0.5) < 0.08
    assert {apply(train(jitter=0, flip=False), sample, rng_of(seed))[1][0, 1] for seed in range(20)} == {0}


def constrain(value):
    return min(max(value, 0), 1)


def slow_labels(rng, sample, size, jitter, hue, saturation, exposure):
    """correct_boxes and fill_truth_detection, an object at a time, with the picture at whole pixels."""
    height, width = sample.image.shape[:2]
    xmin, ymin, xmax, ymax = (edge * size for edge in slow_placement(rng, width, height, size, jitter))
    nw, nh = (max(1, int(side + 1e-9)) for side in (xmax - xmin, ymax - ymin))
    dx, dy = min(int(xmin), size - nw), min(int(ymin), size - nh)
    rng.uniform(-hue, hue)
    for most in (saturation, exposure):
        rng.uniform(1, most)
        rng.random()
    flip = rng.random() < 0.5
    truth = []
    for i in rng.permutation(len(sample.boxes)):
        left, top, right, bottom = sample.boxes[i].astype(float) / [width, height, width, height]
        left, right = (x * nw / size + dx / size for x in (left, right))
        top, bottom = (y * nh / size + dy / size for y in (top, bottom))
        if flip:
            left, right = 1 - right, 1 - left
        left, right, top, bottom = map(constrain, (left, right, top, bottom))
        if not (right - left < .001 or bottom - top < .001):
            truth.append([sample.labels[i], left, top, right, bottom, sample.difficult[i]])
    return np.array(truth).reshape(-1, 6)


def test_labels_are_those_of_the_slow_twin_whatever_the_picture():
    left_out = 0
    for seed in range(400):
        rng = rng_of([7, seed])
        width, height = np.exp(rng.uniform(0, np.log(2000), 2)).astype(int)
        size, count = int(rng.integers(1, 700)), int(rng.integers(0, 6))
        corners = rng.uniform(-0.2, 1.2, (count, 2, 2)) * [width, height]   # some reach out of the picture
        corners[:1] = [[0, 0], [width, height]]
        boxes = np.concatenate([corners.min(1), corners.max(1)], 1).astype(np.float32)
        sample = Sample(np.zeros((height, width, 3), np.uint8), boxes, np.arange(count, dtype=np.int32), 0,
                        rng.random(count) < 0.5)
        keywords = {'jitter': rng.uniform(0, 0.99), 'hue': rng.uniform(0, 0.5), 'saturation': rng.uniform(1, 3),
                    'exposure': rng.uniform(1, 3)}
        transform = make_transform({'name': 'darknet_train', 'size': size, 'mean': MEAN, 'std': STD, **keywords})
        image, labels = apply(transform, sample, rng_of(seed), np.full((3, size, size), np.nan, np.float32))
        wanted = slow_labels(rng_of(seed), sample, size, **keywords)
        assert np.isfinite(image).all() and labels.shape == wanted.shape
        np.testing.assert_allclose(labels, wanted, atol=2e-6)
        left_out += count - len(labels)
    assert left_out > 10


# -- odd pictures ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('width, height', [(1, 1), (1, 200), (300, 1), (2, 3), (700, 500), (1, 65500), (65500, 1)])
@pytest.mark.parametrize('make', [train, letterbox])
def test_any_picture(make, width, height):
    """Right to the pixel, without great memory: the picture's part of the square is white, and as its box says."""
    sample = sample_of([[0, 0, width, height], [0, 0, max(1, width // 2), max(1, height // 3)]], width, height)
    sample.image[:] = 255
    keywords = {} if make is letterbox else PLAIN
    transform = make(**keywords)
    tracemalloc.start()
    try:
        for seed in range(20):
            image, labels = apply(transform, sample, rng_of(seed))[:2]
            assert np.isfinite(image).all() and np.isfinite(labels).all()
            assert (labels[:, 1:5] >= 0).all() and (labels[:, 1:5] <= 1).all()
            assert (labels[:, 3:5] > labels[:, 1:3]).all()
            xmin, ymin, xmax, ymax = np.rint(labels[labels[:, 0] == 0][0, 1:5] * SIZE).astype(int)
            white = picture_of(image) > 254
            assert white[ymin:ymax, xmin:xmax].all() and white.sum() == 3 * (ymax - ymin) * (xmax - xmin) > 0
        assert tracemalloc.get_traced_memory()[1] < 4e6
    finally:
        tracemalloc.stop()


def test_no_objects_and_many():
    empty = sample_of([])
    many = Sample(empty.image, np.tile(np.array([[10, 10, 20, 20]], np.float32), (50000, 1)),
                  np.arange(50000, dtype=np.int32), 0, np.zeros(50000, bool))
    for make in (train, letterbox):
        labels = apply(make(), empty, rng_of(0))[1]
        assert labels.shape == (0, 6) and labels.dtype == np.float32
        labels = apply(make(), many, rng_of(0))[1]
        assert sorted(labels[:, 0]) == list(range(50000))


# -- specifications --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('keywords, words', [
    ({'size': 0}, 'size: '), ({'size': 65501}, 'size: must be at most 65500'), ({'mean': [1, 2]}, 'mean: '),
    ({'std': [1, 0, 1]}, 'std: must be three positive'), ({'jitter': 1}, 'jitter: must be a number from 0 to 0.99: 1'),
    ({'jitter': -0.1}, 'jitter: '), ({'jitter': np.nan}, 'jitter: '), ({'jitter': '0.3'}, 'jitter: '),
    ({'hue': 0.6}, 'hue: must be a number from 0 to 0.5: 0.6'), ({'hue': None}, 'hue: '),
    ({'saturation': 0.5}, 'saturation: must be a number from 1 to 100: 0.5'), ({'exposure': 0}, 'exposure: '),
    ({'exposure': np.inf}, 'exposure: '), ({'flip': 1}, 'flip: must be true or false'),
    ({'jiter': 0.2}, "unknown argument 'jiter'; did you mean jitter"),
])
def test_arguments_are_checked(keywords, words):
    with pytest.raises(ValueError, match=words):
        train(**keywords)
