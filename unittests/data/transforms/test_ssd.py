"""gluonzoo/data/transforms/ssd.py: boxes stay on their objects, and what is drawn is what SSD draws."""
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
    rng_of,
    sample_of,
)

from gluonzoo.data import Sample
from gluonzoo.data.transforms import make_transform, ssd


def train(**keywords):
    return make_transform({'name': 'ssd_train', 'size': SIZE, 'mean': MEAN, 'std': STD, **keywords})


def resize(size=SIZE):
    return make_transform({'name': 'resize', 'size': size, 'mean': MEAN, 'std': STD})


# -- resize ------------------------------------------------------------------------------------------------------

def test_resize_by_hand():
    image = np.array([[[10, 20, 30], [110, 220, 130]]], np.uint8)
    sample = Sample(image, np.array([[0, 0, 1, 1], [0.5, 0, 2, 1]], np.float32), np.array([4, 2], np.int32), 0,
                    np.array([False, True]))
    transform = make_transform({'name': 'resize', 'size': 1, 'mean': [10, 0, 80], 'std': [1, 2, 5]})
    got, labels = apply(transform, sample, None)
    assert got.dtype == labels.dtype == np.float32 and got.shape == (3, 1, 1)
    assert got.ravel().tolist() == [50, 60, 0]        # (60 - 10) / 1, 120 / 2, (80 - 80) / 5
    assert labels.tolist() == [[4, 0, 0, 0.5, 1, 0], [2, 0.25, 0, 1, 1, 1]]


def test_resize_is_linear_and_writes_where_it_is_told():
    sample = sample_of([[10, 20, 30, 40]])
    out = np.full((3, SIZE, SIZE), np.nan, np.float32)
    got, labels = apply(resize(), sample, None, out)
    assert got is out
    wanted = (cv2.resize(sample.image, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR).astype(float) - MEAN) / STD
    np.testing.assert_allclose(got, wanted.transpose(2, 0, 1), atol=1e-6)
    np.testing.assert_allclose(labels, [[0, 10 / 96, 20 / 72, 30 / 96, 40 / 72, 0]], rtol=1e-6)


# -- augmentation: pictures and boxes ----------------------------------------------------------------------------

@pytest.mark.parametrize('keywords', [{}, {'expand': 1}, {'crop': False}, {'crop': False, 'expand': 1},
                                      {'expand': 1, 'flip': False}], ids=str)
def test_boxes_are_where_their_objects_are(keywords):
    """Coloured rectangles are found in the result, and compared with the boxes. What is not in a box is cut or gone."""
    transform = train(colour=False, **keywords)
    sample = sample_of([[4, 6, 40, 40], [50, 10, 90, 34], [30, 44, 70, 70]])
    before = sample.image.copy()
    compared = 0
    for seed in range(200):
        image, labels = apply(transform, sample, rng_of(seed))
        compared += check_boxes(image, labels, atol=1.6)
        if not keywords.get('crop', True):
            assert labels[:, 0].tolist() == [0, 1, 2]
    assert compared > 250
    np.testing.assert_array_equal(sample.image, before)


def test_a_box_stays_if_its_centre_does():
    transform = train(colour=False, flip=False, expand=1)
    transform_crop = np.array([20, 10, 60, 50])
    boxes = [[0, 20, 39, 30],          # centre at 19.5: gone
             [0, 20, 40, 30],          # at 20, the edge: stays, and is cut
             [40, 30, 80, 50],         # at 60, the other edge
             [41, 30, 80, 50],         # beyond
             [30, 40, 50, 70],         # below
             [25, 15, 35, 25]]         # inside
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssd, 'draw_crop', lambda rng, canvas, boxes: transform_crop)
        _, labels = apply(transform, sample_of(boxes), rng_of(0))
    assert labels[:, 0].tolist() == [1, 2, 5]
    np.testing.assert_allclose(labels[:, 1:5], np.array([[0, 10, 20, 20], [20, 20, 40, 40], [5, 5, 15, 15]]) / 40)


def test_the_canvas_is_the_mean_and_the_rest_the_picture():
    transform = train(colour=False, flip=False, crop=False)
    transform.mean[:] = 100.3       # not a number of 8 bits
    sample = sample_of([[0, 0, 96, 72]])
    expanded = 0
    for seed in range(40):
        out = np.full((3, SIZE, SIZE), np.nan, np.float32)
        image, labels = apply(transform, sample, rng_of(seed), out)
        inside = np.zeros((SIZE, SIZE), bool)
        xmin, ymin, xmax, ymax = np.rint(labels[0, 1:5] * SIZE).astype(int)
        np.testing.assert_allclose(labels[0, 1:5] * SIZE, [xmin, ymin, xmax, ymax], atol=1e-4)
        inside[ymin:ymax, xmin:xmax] = True
        assert (image[:, ~inside] == 0).all()
        assert (image[:, inside] != 0).all()
        expanded += not inside.all()
    assert 10 <= expanded <= 30


def test_a_crop_of_the_canvas_alone(monkeypatch):
    monkeypatch.setattr(ssd, 'draw_crop', lambda rng, canvas, boxes: np.array([-40, -30, -5, 0]))
    out = np.full((3, SIZE, SIZE), np.nan, np.float32)
    image, labels = apply(train(), sample_of([[0, 0, 30, 30]]), rng_of(0), out)
    assert image is out and (out == 0).all() and labels.shape == (0, 6) and labels.dtype == np.float32


def test_flipping():
    transform = train(colour=False, crop=False, expand=1)
    sample = sample_of([[0, 0, 24, 72]])
    seen = {tuple(apply(transform, sample, rng_of(seed))[1][0, 1:5]) for seed in range(20)}
    assert seen == {(0, 0, 0.25, 1), (0.75, 0, 1, 1)}
    assert {tuple(apply(train(colour=False, crop=False, expand=1, flip=False), sample, rng_of(seed))[1][0, 1:5])
            for seed in range(20)} == {(0, 0, 0.25, 1)}


def test_with_everything_off_a_picture_of_the_size_is_only_normalised():
    sample = sample_of([[10, 10, 50, 50]], SIZE, SIZE)
    off = train(colour=False, crop=False, expand=1, flip=False)
    for seed in range(10):
        for got, wanted in zip(apply(off, sample, rng_of(seed)), apply(resize(), sample, None)):
            np.testing.assert_array_equal(got, wanted)


def test_what_is_difficult_stays_so():
    sample = sample_of([[4, 6, 40, 40], [50, 10, 90, 34]], difficult=[True, False])
    seen = set()
    for seed in range(60):
        seen |= {(row[0], row[5]) for row in apply(train(), sample, rng_of(seed))[1].tolist()}
    assert seen == {(0, 1), (1, 0)}


def test_a_picture_without_objects_is_not_cropped():
    sample = sample_of([])
    sample.image[:] = 255
    for seed in range(60):
        image, labels = apply(train(colour=False, expand=1), sample, rng_of(seed))
        assert labels.shape == (0, 6)
    canvas = np.array([0, 0, 96, 72])
    assert all((ssd.draw_crop(rng_of(seed), canvas, sample.boxes) == canvas).all() for seed in range(60))


@pytest.mark.parametrize('width, height', [(1, 1), (1, 200), (300, 1), (2, 3), (700, 500)])
def test_any_picture(width, height):
    sample = sample_of([[0, 0, width, height], [0, 0, max(1, width // 2), max(1, height // 3)]], width, height)
    for seed in range(40):
        image, labels = apply(train(), sample, rng_of(seed))
        assert np.isfinite(image).all() and np.isfinite(labels).all()
        assert (labels[:, 3:5] > labels[:, 1:3]).all()


def test_all_depends_on_the_generator_alone():
    check_all_depends_on_the_generator(train, sample_of([[4, 6, 40, 40], [50, 10, 90, 34]]))


def test_every_interpolation_is_drawn(monkeypatch):
    drawn = []

    def note(image, shape, interpolation):
        drawn.append(interpolation)
        return cv2.resize(image, shape[::-1])

    monkeypatch.setattr(ssd, '_resized', note)
    for seed in range(400):
        apply(train(crop=False, expand=1), sample_of([]), rng_of(seed))
    counts = [drawn.count(kind) for kind in (cv2.INTER_LINEAR, cv2.INTER_AREA, cv2.INTER_NEAREST, cv2.INTER_CUBIC,
                                             cv2.INTER_LANCZOS4)]
    assert sum(counts) == 400 and min(counts) > 50


# -- what is drawn -----------------------------------------------------------------------------------------------

def test_the_canvas():
    ratios, places = [], []
    for seed in range(3000):
        xmin, ymin, xmax, ymax = canvas = ssd.draw_canvas(rng_of(seed), 100, 50, 4)
        assert canvas.dtype.kind == 'i' and xmin <= 0 and ymin <= 0 and xmax >= 100 and ymax >= 50
        assert abs((xmax - xmin) / 2 - (ymax - ymin)) <= 1      # as wide and high
        if xmax - xmin > 100:
            ratios.append((xmax - xmin) / 100)
            places.append(-xmin / (xmax - xmin - 100))
    assert abs(len(ratios) / 3000 - 0.5) < 0.04
    for values, low, high in ((ratios, 1, 4), (places, 0, 1)):      # uniform: mean and variance
        assert min(values) >= low and max(values) <= high
        assert abs(np.mean(values) - (low + high) / 2) < 0.04 * (high - low)
        assert abs(np.var(values) / ((high - low) ** 2 / 12) - 1) < 0.1
    assert all((ssd.draw_canvas(rng_of(seed), 100, 50, 1) == [0, 0, 100, 50]).all() for seed in range(50))


def iou(a, b):
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    overlap = max(width, 0) * max(height, 0)
    return overlap / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - overlap)


def slow_rectangle(rng):
    scale = rng.uniform(0.3, 1)
    aspect = min(max(rng.uniform(0.5, 2), scale ** 2), scale ** -2)
    width, height = min(scale * aspect ** 0.5, 1), min(scale / aspect ** 0.5, 1)
    x, y = rng.uniform(0, 1 - width), rng.uniform(0, 1 - height)
    return x, y, x + width, y + height


def slow_crop(rng, boxes):
    """The crop in fractions, one trial at a time, as the official code goes about it."""
    found = [(0, 0, 1, 1)]
    for least in (0.1, 0.3, 0.5, 0.7, 0.9, None):
        for _ in range(50):
            crop = slow_rectangle(rng)
            if any(least is None or iou(crop, box) >= least for box in boxes):
                found.append(crop)
                break
    return found[rng.integers(len(found))]


def test_rectangles_are_distributed_as_those_of_the_slow_twin():
    rng = rng_of(1)
    ours = ssd.draw_rectangles(rng_of(2), (6, 5000)).reshape(-1, 4)
    assert ours.min() >= 0 and ours.max() <= 1
    size = ours[:, 2:] - ours[:, :2]
    scale, aspect = np.sqrt(size.prod(1)), size[:, 0] / size[:, 1]
    assert 0.2999 < scale.min() < 0.301 and 0.999 < scale.max() <= 1
    assert 0.499 < aspect.min() < 0.51 and 1.97 < aspect.max() < 2.001
    assert_same_distribution(ours, np.array([slow_rectangle(rng) for _ in range(30000)]))


@pytest.mark.parametrize('boxes', [[[0.1, 0.2, 0.5, 0.6]], [[0, 0, 0.06, 0.06], [0.3, 0.1, 1, 1]]], ids=['one', 'two'])
def test_crops_are_distributed_as_those_of_the_slow_twin(boxes):
    canvas = np.array([-2000, 1000, 6000, 11000])        # so large that whole pixels do not matter
    size, begin = np.array([8000, 10000] * 2), np.array([-2000, 1000] * 2)
    count = 1500
    ours = np.array([ssd.draw_crop(rng_of([1, i]), canvas, np.array(boxes) * size + begin) for i in range(count)])
    assert ours.dtype.kind == 'i' and (ours[:, :2] >= canvas[:2]).all() and (ours[:, 2:] <= canvas[2:]).all()
    theirs = np.array([slow_crop(rng_of([2, i]), boxes) for i in range(count)])
    assert_same_distribution((ours - begin) / size, theirs,
                             whole=lambda c: (c[:, 2] - c[:, 0]) * (c[:, 3] - c[:, 1]) > 0.999,
                             overlap=lambda c: np.array([max(iou(crop, box) for box in boxes) for crop in c]))


def test_each_of_six_samplers_tries_fifty_times_and_takes_the_first(monkeypatch):
    tried = np.tile([0, 0, 0.4, 0.4], (6, 50, 1))      # these do not meet the object
    tried[:, 49] = [0.5, 0.5, 1, 1]                    # this is where it is
    shapes = []
    monkeypatch.setattr(ssd, 'draw_rectangles', lambda rng, shape: shapes.append(shape) or tried)
    crops = {tuple(ssd.draw_crop(rng_of(seed), np.array([0, 0, 10, 10]), np.array([[5., 5, 10, 10]])))
             for seed in range(50)}
    # the whole; the last, for five least IoUs; the first, for the sampler that asks for none
    assert crops == {(0, 0, 10, 10), (5, 5, 10, 10), (0, 0, 4, 4)}
    assert set(shapes) == {(6, 50)}


def test_colours_by_hand():
    image = np.array([[[10, 100, 250]]], np.uint8)

    def recoloured(*script):
        return ssd.draw_colours(Scripted(*script))(image).ravel().tolist()

    # contrast first or last; then of brightness, contrast, saturation and hue each: drawn if below 1/2, value
    off = (0.9, 1)
    none = (0.9, 0.9, 5, *off, *off, *off)
    assert recoloured(*none) == [10, 100, 250]
    assert recoloured(0.9, 0.1, 20.4, *off, *off, *off) == [30, 120, 255]
    assert recoloured(0.9, 0.1, -20.4, *off, *off, *off) == [0, 80, 230]
    assert recoloured(0.9, 0.9, 5, 0.1, 1.5, *off, *off) == [15, 150, 255]
    # brightness comes before contrast either way
    assert recoloured(0.1, 0.1, 20, 0.1, 0.5, *off, *off) == recoloured(0.9, 0.1, 20, 0.1, 0.5, *off, *off) == [
        15, 60, 128]
    # half the saturation: half the distance from the greatest
    assert recoloured(0.9, 0.9, 5, *off, 0.1, 0.5, *off) == pytest.approx([130, 175, 250], abs=2)
    # 10 of 180 on the circle of hues: 20 of 360 degrees, from 217.5 to 237.5, and blue without green is at 240
    assert recoloured(0.9, 0.9, 5, *off, *off, 0.1, 10) == pytest.approx([10, 10 + 2.5 / 60 * 240, 250], abs=4)


def slow_colours(image, contrast_first, brightness, contrast, saturation, hue):
    """One step after the other on 8 bits, with a conversion for each of saturation and hue."""
    def scaled(array, factor, offset=0):
        return np.rint(array.astype(float) * factor + offset).clip(0, 255).astype(np.uint8)

    def in_hsv(array, channel, factor, offset=0):
        hsv = cv2.cvtColor(array, cv2.COLOR_RGB2HSV)
        hsv[..., channel] = scaled(hsv[..., channel], factor, offset)
        if channel == 0:
            hsv[..., 0] %= 180
        return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)

    image = scaled(image, 1, brightness)
    if contrast_first:
        image = scaled(image, contrast)
    image = in_hsv(in_hsv(image, 1, saturation), 0, 1, hue)
    return image if contrast_first else scaled(image, contrast)


@pytest.mark.parametrize('contrast_first', [True, False])
def test_colours_are_those_of_the_slow_twin(contrast_first):
    rng = rng_of(4)
    image = rng.integers(0, 256, (40, 40, 3), np.uint8)
    for _ in range(10):
        values = rng.uniform(-32, 32), rng.uniform(0.5, 1.5), rng.uniform(0.5, 1.5), rng.uniform(-18, 18)
        script = [0.1 if contrast_first else 0.9] + [number for value in values for number in (0.1, value)]
        got = ssd.draw_colours(Scripted(*script))(image)
        difference = np.abs(got.astype(int) - slow_colours(image, contrast_first, *values))
        assert np.percentile(difference, 99) <= 12 and difference.mean() < 2


def test_colours_are_drawn_with_probability_one_half():
    image = np.full((1, 1, 3), 128, np.uint8)      # grey: only brightness and contrast show
    changed = np.mean([(ssd.draw_colours(rng_of(seed))(image) != 128).any() for seed in range(1000)])
    assert abs(changed - 0.75) < 0.06
    red = np.array([[[200, 50, 50]]], np.uint8)
    hues = np.array([cv2.cvtColor(ssd.draw_colours(rng_of(seed))(red), cv2.COLOR_RGB2HSV)[0, 0, 0]
                     for seed in range(1000)])
    assert abs((hues != 0).mean() - 0.25) < 0.08     # upwards only: red is the least hue
    assert set(hues) - {0, 179} <= set(range(21))


def test_colours_change_before_or_after_resizing(monkeypatch):
    """Whichever is fewer pixels: the counts of pixels that are recoloured."""
    seen = []
    monkeypatch.setattr(ssd, 'draw_colours', lambda rng: lambda image: seen.append(image.shape) or image)
    for width in (10, 400):
        apply(train(crop=False, expand=1), sample_of([], width, 100), rng_of(0))
    assert seen == [(100, 10, 3), (SIZE, SIZE, 3)]


# -- specifications ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize('keywords, words', [
    ({'size': 0}, 'size: '), ({'size': 2.5}, 'size: '), ({'mean': [1, 2]}, 'mean: must be three numbers'),
    ({'mean': 5}, 'mean: '), ({'mean': [1, 2, np.nan]}, 'mean: '), ({'std': [1, 0, 1]}, 'std: must be three positive'),
    ({'std': [1, 1, np.inf]}, 'std: '), ({'expand': 0.5}, 'expand: '), ({'expand': np.nan}, 'expand: '),
    ({'color': False}, "unknown argument 'color'; did you mean colour"),
])
def test_arguments_are_checked(keywords, words):
    with pytest.raises(ValueError, match=words):
        train(**keywords)
