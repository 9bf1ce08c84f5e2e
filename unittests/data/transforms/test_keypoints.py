"""gluonzoo/data/transforms/keypoints.py: boxes stay on their objects, and what is drawn is what CenterNet draws."""
import cv2
import numpy as np
import pytest
from coloured_boxes import (
    MEAN,
    PALETTE,
    SIZE,
    STD,
    Scripted,
    apply,
    check_all_depends_on_the_generator,
    check_boxes,
    coloured,
    find,
    picture_of,
    rng_of,
)

from gluonzoo.data import CocoSample, Sample
from gluonzoo.data.transforms import keypoints, make_transform
from gluonzoo.data.transforms.keypoint_targets import KeypointTargets, keypoint_targets, target_shapes


def sample_of(boxes, width=96, height=72, crowd=None):
    """A black picture on which object i is a rectangle of PALETTE[i]."""
    image, boxes, labels = coloured(boxes, width, height)
    crowd = np.zeros(len(boxes), bool) if crowd is None else np.array(crowd)
    return CocoSample(image, boxes, labels, 5, crowd, (boxes[:, 2:] - boxes[:, :2]).prod(1) / 2)


def train(**keywords):
    return make_transform({'name': 'keypoint_train', 'size': SIZE, 'mean': MEAN, 'std': STD, 'classes': 3, **keywords})


def augmented(transform, sample, rng, image=None):
    """The image and the labels of a sample, of which the targets are made."""
    image = np.full(transform.arrays[0], np.nan, np.float32) if image is None else image
    return image, transform.augment(sample, rng, image)


def photo(size):
    return make_transform({'name': 'photo', 'size': size})


# -- pictures and boxes ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize('keywords', [{}, {'scales': [1]}, {'flip': False, 'scales': [0.6]}, {'border': 0}], ids=str)
def test_boxes_are_where_their_objects_are(keywords):
    """Coloured rectangles are found in the result, and compared with the boxes. What is not in a box is not there."""
    transform = train(colour=False, **keywords)
    sample = sample_of([[4, 6, 40, 40], [50, 10, 90, 34], [30, 44, 70, 70]])
    before = sample.image.copy(), sample.boxes.copy()
    compared = 0
    for seed in range(200):
        image, labels = augmented(transform, sample, rng_of(seed))
        compared += check_boxes(image, labels, atol=1.1)
        for number in {0, 1, 2} - set(labels[:, 0]):
            assert find(picture_of(image), PALETTE[number]) is None
    assert compared > 250
    np.testing.assert_array_equal(sample.image, before[0])
    np.testing.assert_array_equal(sample.boxes, before[1])


def test_without_resizing_boxes_are_exact():
    transform = train(colour=False, scales=[1])
    sample = sample_of([[4, 6, 40, 40], [50, 10, 90, 34], [30, 44, 70, 70]])
    compared = 0
    for seed in range(100):
        image, labels = augmented(transform, sample, rng_of(seed))
        for row in labels:
            assert find(picture_of(image), PALETTE[int(row[0])]).tolist() == (row[1:5] * SIZE).tolist()
            compared += 1
    assert compared > 100


def slow_crop(image, xmin, ymin, side):
    cut = np.zeros((side, side, 3), np.uint8)
    for row in range(side):
        for column in range(side):
            if 0 <= ymin + row < image.shape[0] and 0 <= xmin + column < image.shape[1]:
                cut[row, column] = image[ymin + row, xmin + column]
    return cut


@pytest.mark.parametrize('size', [8, 9])
def test_the_crop_is_the_part_of_the_picture_about_the_centre(size):
    """For each centre; odd crops, too, have all of their rows and columns."""
    image = rng_of(0).integers(0, 256, (7, 11, 3), np.uint8)
    sample = CocoSample(image, np.array([[2, 3, 5, 4]], np.float32), np.array([1], np.int32), 0, np.array([False]),
                        np.ones(1))
    transform = train(size=size, scales=[1], border=0, colour=False)
    for x in range(11):
        for y in range(7):
            got, labels = augmented(transform, sample, Scripted(0, x, y, 0.9))
            xmin, ymin = x - size // 2, y - size // 2
            np.testing.assert_allclose(picture_of(got), slow_crop(image, xmin, ymin, size), atol=1e-4)
            box = np.clip([2 - xmin, 3 - ymin, 5 - xmin, 4 - ymin], 0, size)
            if box[0] < box[2] and box[1] < box[3]:
                np.testing.assert_allclose(labels, [[1, *box / size]], rtol=1e-6)
            else:
                assert labels.shape == (0, 5) and labels.dtype == np.float32


def test_a_crop_by_hand():
    """A picture of 4 x 2 pixels and a crop of 4 pixels a side about (1, 1): a black column and row on either side."""
    image = np.arange(8, dtype=np.uint8).reshape(2, 4, 1).repeat(3, 2) + 1
    sample = CocoSample(image, np.array([[0, 0, 1, 2], [1, 0, 4, 1], [3, 0, 4, 2]], np.float32),
                        np.array([7, 8, 9], np.int32), 0, np.zeros(3, bool), np.ones(3))
    transform = train(size=4, mean=[0, 0, 1], std=[1, 2, 1], border=0)
    colours = [0, 1, 2], 1, 1, 1, [0, 0, 0]
    got, labels = augmented(transform, sample, Scripted(4, 1, 1, 0.9, *colours))   # the scale at place 4 is 1; no flip
    np.testing.assert_allclose(got[0], [[0, 0, 0, 0], [0, 1, 2, 3], [0, 5, 6, 7], [0, 0, 0, 0]], atol=1e-6)
    np.testing.assert_allclose(got[1], got[0] / 2, atol=1e-6)
    np.testing.assert_allclose(got[2], got[0] - 1, atol=1e-6)
    assert labels.tolist() == [[7, 0.25, 0.25, 0.5, 0.75], [8, 0.5, 0.25, 1, 0.5]]     # the third is outside
    flipped, labels = augmented(transform, sample, Scripted(4, 1, 1, 0.4, *colours))
    np.testing.assert_allclose(flipped, got[..., ::-1], atol=1e-6)
    assert labels.tolist() == [[7, 0.5, 0.25, 0.75, 0.75], [8, 0, 0.25, 0.5, 0.5]]


def test_resizing_is_linear():
    sample = sample_of([[10, 20, 30, 40]])
    image, labels = augmented(train(scales=[0.5], border=0, colour=False), sample, Scripted(0, 30, 36, 0.9))
    cut = sample.image[20:52, 14:46]
    np.testing.assert_allclose(picture_of(image), cv2.resize(cut, (SIZE, SIZE)), atol=1e-3)
    np.testing.assert_allclose(labels, [[0, 0, 0, 16 / 32, 20 / 32]])


def test_flipping():
    sample = sample_of([[0, 0, 24, 72]])
    straight = train(colour=False, flip=False)
    flips = train(colour=False)
    seen = []
    for seed in range(100):
        crop, (image, labels) = rng_of(seed), augmented(straight, sample, rng_of(seed))
        keypoints.draw_crop(crop, 96, 72, SIZE, keypoints.SCALES, keypoints.BORDER)
        seen.append(crop.random() < 0.5)
        got, flipped = augmented(flips, sample, rng_of(seed))
        if seen[-1]:
            image, labels = image[..., ::-1], labels[:, [0, 3, 2, 1, 4]]
            labels[:, [1, 3]] = 1 - labels[:, [1, 3]]
        np.testing.assert_allclose(got, image, atol=1e-4)
        np.testing.assert_allclose(flipped, labels, atol=1e-6)
    assert 35 < sum(seen) < 65


def test_the_targets_are_those_of_the_labels():
    """Of float32 labels; ten arrays after the image, which are all written."""
    transform = train(size=63, objects=2)
    sample = sample_of([[4, 6, 40, 40], [50, 10, 90, 34], [30, 44, 70, 70]])
    most = 0
    for seed in range(20):
        image, labels = augmented(transform, sample, rng_of(seed))
        assert labels.dtype == np.float32
        wanted = KeypointTargets(*(np.zeros(shape, np.float32) for shape in target_shapes((63, 63), 3, 2)))
        keypoint_targets(labels, (63, 63), wanted)
        got = apply(transform, sample, rng_of(seed))
        np.testing.assert_array_equal(got[0], image)
        assert len(got) == 11
        for array, want in zip(got[1:], wanted):
            np.testing.assert_array_equal(array, want)
        most = max(most, int(wanted.tl_heat.max((1, 2)).sum()))
    assert most == 3


def test_a_class_too_many_is_an_error():
    with pytest.raises(ValueError, match='labels: a class must be below 1: 1'):
        apply(train(classes=1, scales=[1.3]), sample_of([[0, 0, 96, 72], [0, 0, 96, 72]]), rng_of(0))


@pytest.mark.parametrize('width, height', [(1, 1), (1, 200), (300, 1), (2, 3), (700, 500)])
def test_any_picture(width, height):
    sample = sample_of([[0, 0, width, height], [0, 0, max(1, width // 2), max(1, height // 3)]], width, height)
    for seed in range(40):
        image, labels = augmented(train(), sample, rng_of(seed))
        assert np.isfinite(image).all() and np.isfinite(labels).all()
        assert (labels[:, 3:5] > labels[:, 1:3]).all() and 0 in labels[:, 0]


def test_a_picture_without_objects():
    image, labels = augmented(train(), sample_of([]), rng_of(0))
    assert labels.shape == (0, 5) and labels.dtype == np.float32


def test_samples_of_records_do():
    sample = sample_of([[4, 6, 40, 40]])
    record = Sample(sample.image, sample.boxes, sample.labels, 0, np.array([True]))
    for got, wanted in zip(augmented(train(), record, rng_of(1)), augmented(train(), sample, rng_of(1))):
        np.testing.assert_array_equal(got, wanted)


def test_all_depends_on_the_generator_alone():
    check_all_depends_on_the_generator(train, sample_of([[4, 6, 40, 40], [50, 10, 90, 34]]))


# -- where the crop is -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize('border, extent, wanted', [
    (128, 640, 128), (128, 257, 128), (128, 256, 64), (128, 200, 64), (128, 128, 32), (128, 100, 32), (128, 64, 16),
    (128, 3, 1), (128, 2, 0), (128, 1, 0), (100, 90, 25), (5, 4, 1), (0, 1, 0)])
def test_the_border_is_halved_until_there_is_room(border, extent, wanted):
    assert keypoints.narrowed(border, extent) == wanted


def test_crops_are_distributed_as_those_of_the_official_code():
    sides, xs, ys = [], [], []
    for seed in range(4000):
        xmin, ymin, side = crop = keypoints.draw_crop(rng_of(seed), 640, 200, 511, keypoints.SCALES, 128)
        assert all(type(number) is int for number in crop)
        sides.append(side)
        xs.append(xmin + side // 2)
        ys.append(ymin + side // 2)
    sides, counts = np.unique(sides, return_counts=True)
    assert sides.tolist() == [306, 357, 408, 459, 511, 562, 613, 664]
    assert counts.min() > 400 and counts.max() < 600
    for values, low, high in ((xs, 128, 511), (ys, 64, 135)):      # whole numbers, uniform: ends, mean and variance
        assert min(values) == low and max(values) == high
        assert abs(np.mean(values) - (low + high) / 2) < 0.03 * (high - low)
        assert abs(np.var(values) / (((high - low + 1) ** 2 - 1) / 12) - 1) < 0.06


# -- colours ---------------------------------------------------------------------------------------------------------

def recoloured(pixel, mean, *script):
    matrix, offset = keypoints.draw_colours(Scripted(*script), np.array(mean))
    return matrix @ pixel + offset


def test_colours_by_hand():
    pixel, mean, dark = np.array([100., 50, 200]), [40, 40, 40], [0, 0, 0]
    # order; then brightness, contrast (1) and saturation (2) in that order; then light
    np.testing.assert_allclose(recoloured(pixel, mean, [0, 1, 2], 1, 1, 1, dark), pixel)
    np.testing.assert_allclose(recoloured(pixel, mean, [0, 1, 2], 0.6, 1, 1, dark), [60, 30, 120])
    np.testing.assert_allclose(recoloured(pixel, mean, [0, 1, 2], 1, 1.4, 1, dark), [124, 54, 264])   # not cut at 255
    grey = 0.299 * 100 + 0.587 * 50 + 0.114 * 200
    np.testing.assert_allclose(recoloured(pixel, mean, [0, 1, 2], 1, 1, 0.6, dark), 0.6 * pixel + 0.4 * grey)
    # contrast is about the mean before brightness
    np.testing.assert_allclose(recoloured(pixel, mean, [0, 1, 2], 0.6, 0.5 + 0.1, 1, dark), 0.36 * pixel + 0.4 * 40)
    np.testing.assert_allclose(recoloured(pixel, mean, [1, 0, 2], 0.6, 0.6, 1, dark), 0.36 * pixel + 0.6 * 0.4 * 40)
    # one deviation along the first component darkens all by much the same
    np.testing.assert_allclose(recoloured(pixel, mean, [0, 1, 2], 1, 1, 1, [1, 0, 0]) - pixel,
                               -255 * 0.2141788 * np.array([0.5609, 0.5833, 0.5875]), rtol=1e-3)


def slow_colours(image, order, factors, light):
    """In steps, on [H, W, 3] of 0 .. 1, as the official code does it."""
    grey = image @ [0.299, 0.587, 0.114]
    grey_mean = grey.mean()
    for step, factor in zip(order, factors):
        other = [0, grey_mean, grey[..., None]][step]
        image = factor * image + (1 - factor) * other
    return image + keypoints.EIGENVECTORS @ (keypoints.EIGENVALUES * light)


def test_colours_are_those_of_the_slow_twin(monkeypatch):
    """Also where the crop is black, and with the mean of the whole crop."""
    rng = rng_of(4)
    image = rng.integers(0, 256, (40, 40, 3), np.uint8)
    sample = CocoSample(image, np.zeros((0, 4), np.float32), np.zeros(0, np.int32), 0, np.zeros(0, bool), np.zeros(0))
    for _ in range(20):
        order, factors, light = rng.permutation(3), rng.uniform(0.6, 1.4, 3), rng.normal(0, 0.1, 3)
        got, _ = augmented(train(scales=[1], border=0), sample, Scripted(0, 5, 30, 0.9, order, *factors, light))
        cut = slow_crop(image, 5 - SIZE // 2, 30 - SIZE // 2, SIZE)
        wanted = slow_colours(cut / 255, order, factors, light) * 255
        np.testing.assert_allclose(picture_of(got), wanted, atol=2e-3)


def test_colours_are_distributed_as_those_of_the_slow_twin():
    """Of a picture of one pixel: means and spreads of its colours, and those of the light on black."""
    pixel, rng, count = np.array([100., 50, 200]), rng_of(1), 6000
    ours, lights = [], []
    for seed in range(count):
        matrix, offset = keypoints.draw_colours(rng_of([2, seed]), pixel)
        ours.append(matrix @ pixel + offset)
        matrix, offset = keypoints.draw_colours(rng_of([2, seed]), np.zeros(3))
        lights.append(offset)
    theirs = [slow_colours(pixel[None, None] / 255, rng.permutation(3), rng.uniform(0.6, 1.4, 3),
                           rng.normal(0, 0.1, 3))[0, 0] * 255 for _ in range(count)]
    ours, theirs = np.array(ours), np.array(theirs)
    error = np.sqrt((ours.var(0) + theirs.var(0)) / count)
    assert (abs(ours.mean(0) - theirs.mean(0)) < 4 * error).all()
    np.testing.assert_allclose(np.cov(ours.T), np.cov(theirs.T), rtol=0.1)
    components = keypoints.EIGENVECTORS * keypoints.EIGENVALUES * 25.5
    np.testing.assert_allclose(np.cov(np.transpose(lights)), components @ components.T, rtol=0.1)


def test_the_components_are_those_of_a_covariance():
    """Orthonormal, but for their three digits."""
    np.testing.assert_allclose(keypoints.EIGENVECTORS.T @ keypoints.EIGENVECTORS, np.eye(3), atol=1e-4)


def test_without_colours_the_picture_is_only_normalised():
    sample = sample_of([[10, 10, 50, 50]], SIZE, SIZE)
    transform = train(scales=[1], border=0, colour=False, flip=False)
    got, labels = augmented(transform, sample, Scripted(0, SIZE // 2, SIZE // 2))
    np.testing.assert_allclose(got, ((sample.image - np.array(MEAN)) / STD).transpose(2, 0, 1), atol=1e-5)
    np.testing.assert_allclose(labels[:, 1:5] * SIZE, sample.boxes)


# -- photo -----------------------------------------------------------------------------------------------------------

def test_a_photo_lies_as_it_is_in_the_top_left():
    sample = sample_of([[4, 6, 40, 40], [50, 10, 90, 34]], crowd=[False, True])
    transform = photo(100)
    assert transform.arrays == ((100, 100, 3), (4,), None)
    out = np.full((100, 100, 3), np.nan, np.float32)
    canvas, extent, truth = apply(transform, sample, None, out)
    assert canvas is out and {array.dtype for array in (canvas, extent, truth)} == {np.dtype(np.float32)}
    np.testing.assert_array_equal(canvas[:72, :96], sample.image)
    assert (canvas[72:] == 0).all() and (canvas[:, 96:] == 0).all()
    assert extent.tolist() == [72, 96, 1, 1]
    assert truth.tolist() == [[0, 4, 6, 40, 40, 612, 0], [1, 50, 10, 90, 34, 480, 1]]
    np.testing.assert_array_equal(apply(transform, sample, None)[0], canvas)


@pytest.mark.parametrize('width, height, size, shown, scale', [
    (96, 72, 48, (36, 48), 0.5), (72, 96, 48, (48, 36), 0.5), (96, 72, 96, (72, 96), 1),
    (100, 29, 95, (28, 95), 0.95), (1000, 1, 10, (1, 10), 0.01), (1, 1, 300, (1, 1), 1)])
def test_a_photo_is_shrunk_only_if_it_must(width, height, size, shown, scale):
    sample = sample_of([[0, 0, width, height]], width, height)
    canvas, extent, truth = apply(photo(size), sample, None)
    np.testing.assert_allclose(extent, [*shown, shown[1] / width, shown[0] / height], rtol=1e-6)   # rounded each
    assert max(extent[2:]) == pytest.approx(scale) or min(extent[2:]) == pytest.approx(scale)
    np.testing.assert_allclose(canvas[:shown[0], :shown[1]], np.broadcast_to(PALETTE[0], (*shown, 3)))
    assert canvas.sum() == 255 * shown[0] * shown[1]
    assert truth[0, 1:5].tolist() == [0, 0, width, height]      # of the photo, not of the canvas


def test_shrinking_is_by_area():
    image = rng_of(0).integers(0, 256, (9, 12, 3), np.uint8)
    canvas, _, truth = apply(photo(4), sample_of([])._replace(image=image), None)
    np.testing.assert_allclose(canvas[:3], image.reshape(3, 3, 4, 3, 3).mean((1, 3)), atol=0.51)
    assert truth.shape == (0, 7) and truth.dtype == np.float32


# -- specifications --------------------------------------------------------------------------------------------------

def test_defaults_are_those_of_centernet():
    transform = make_transform({'name': 'keypoint_train', 'size': 511, 'mean': MEAN, 'std': STD, 'classes': 80})
    np.testing.assert_allclose(transform.scales, np.arange(0.6, 1.4, 0.1))
    assert (transform.border, transform.colour, transform.flip) == (128, True, True)
    assert transform.arrays == ((3, 511, 511), *target_shapes((511, 511), 80, 128))
    assert (transform.crowd, photo(4).crowd) == (False, True)


@pytest.mark.parametrize('keywords, words', [
    ({'size': 0}, 'size: must be a whole number of pixels, at least 1: 0'), ({'size': 2.5}, 'size: '),
    ({'size': '8'}, 'size: '), ({'size': np.nan}, 'size: '), ({'size': True}, 'size: '),
    ({'mean': [1, 2]}, 'mean: must be three numbers'), ({'mean': 5}, 'mean: '), ({'mean': [1, 2, np.nan]}, 'mean: '),
    ({'std': [1, 0, 1]}, 'std: must be three positive'), ({'std': [1, 1, np.inf]}, 'std: '),
    ({'scales': []}, 'scales: must be numbers'), ({'scales': 1}, 'scales: '), ({'scales': [1, 0.01]}, 'scales: '),
    ({'scales': [np.nan]}, 'scales: '), ({'scales': [-1]}, 'scales: '), ({'border': -1}, 'border: .* at least 0: -1'),
    ({'scales': ['1']}, 'scales: '), ({'scales': [True]}, 'scales: '),
    ({'scales': [1e9]}, 'scales: must be numbers up to'),
    ({'mean': ['a', 1, 1]}, 'mean: '), ({'flip': 'no'}, "flip: must be true or false: 'no'"),
    ({'colour': None}, 'colour: '),
    ({'classes': 0}, 'classes: must be a whole number, at least 1: 0'), ({'classes': True}, 'classes: '),
    ({'objects': 0}, 'objects: must be a whole number, at least 1: 0'), ({'objects': 1.5}, 'objects: '),
    ({'border': 0.5}, 'border: '), ({'color': False}, "unknown argument 'color'; did you mean colour"),
])
def test_arguments_are_checked(keywords, words):
    with pytest.raises(ValueError, match=words):
        train(**keywords)
    if 'size' in keywords:
        with pytest.raises(ValueError, match='size: must be a whole number of pixels'):
            photo(keywords['size'])
