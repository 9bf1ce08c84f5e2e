"""Views that attention maps choose, against slow twins of the two public codes."""
import mxnet as mx
import numpy as np
import pytest
import slow_views

from gluonzoo.tasks.fine_grained.attention_views import (
    AttentionBox,
    AttentionCrop,
    AttentionDrop,
    RefinedView,
    TrainingViews,
)

SIZES = [(14, 14, 448, 448), (7, 7, 96, 96), (12, 10, 96, 64), (8, 12, 64, 128), (1, 1, 32, 32), (3, 1, 64, 96)]


def random_maps(rng, count, height, width):
    """As ReLU leaves them: many zeros, and few high places."""
    maps = np.maximum(rng.normal(size=(count, 1, height, width)), 0) ** 3
    maps[np.arange(count), 0, rng.integers(height, size=count), rng.integers(width, size=count)] += .1   # none is 0
    return maps.astype('float32')


def run(block, *arrays, static=True):
    """What a block computes in NumPy, imperatively and hybridized, which must be the same."""
    arrays = [mx.nd.array(array, dtype=array.dtype) for array in arrays]
    results = []
    for _ in range(2):
        outputs = block(*arrays)
        results.append([y.asnumpy() for y in (outputs if isinstance(outputs, (list, tuple)) else [outputs])])
        block.hybridize(static_alloc=static, static_shape=static)
    for a, b in zip(*results):
        np.testing.assert_array_equal(a, b)
    return results[1] if len(results[1]) > 1 else results[1][0]


def thetas(values):
    return np.array(values, 'float32').reshape(-1, 1, 1, 1)


def block(floor=0):
    """A map of 100 x 100 that is 1 in rows 40 .. 59 and columns 30 .. 49, and `floor` elsewhere."""
    chosen = np.full((1, 1, 100, 100), floor, 'float32')
    chosen[0, 0, 40:60, 30:50] = 1
    return chosen


def test_a_box_by_hand():
    """It begins where the map does, less a tenth, and ends a tenth after it."""
    images = np.zeros((1, 3, 100, 100), 'float32')
    assert run(AttentionBox(.1), block(), thetas(.5), images).tolist() == [[20, 30, 59, 69]]
    # (30/100 - .1) * 99, (49/100 + .1) * 99 + 1
    np.testing.assert_allclose(run(AttentionBox(.1, False, False), block(), thetas(.5), images),
                               [[19.8, 29.7, 59.41, 69.31]], rtol=1e-6)


def test_a_threshold_is_a_part_of_the_maximum():
    """Not of what is between the minimum and the maximum: 0.4 is above 0.3 * 1."""
    images = np.ones((1, 3, 100, 100), 'float32')
    for align_corners in (True, False):
        box, drop = AttentionBox(.1, align_corners=align_corners), AttentionDrop(align_corners)
        assert run(box, block(.4), thetas(.3), images).tolist() == [[0, 0, 100, 100]]
        assert run(drop, images, block(.4), thetas(.3)).all()   # or nothing would be left
        assert run(drop, images, block(.4), thetas(.45)).sum() == 3 * (100 * 100 - 20 * 20)


@pytest.mark.parametrize('padding', [.1, .05])
@pytest.mark.parametrize('h, w, height, width', SIZES)
def test_boxes_of_guyuc(h, w, height, width, padding):
    rng = np.random.default_rng(h + width)
    maps, theta = random_maps(rng, 200, h, w), rng.uniform(.05, .6, 200).astype('float32')
    boxes = run(AttentionBox(padding), maps, thetas(theta), np.zeros((1, 1, height, width), 'float32'))
    assert boxes.dtype == np.float32
    np.testing.assert_array_equal(boxes, [slow_views.guyuc_box(chosen, float(part), padding, height, width)
                                          for (chosen,), part in zip(maps, theta)])


@pytest.mark.parametrize('padding', [.1, .05])
@pytest.mark.parametrize('h, w, height, width', SIZES)
def test_boxes_of_official(h, w, height, width, padding):
    rng = np.random.default_rng(h + width)
    maps, theta = random_maps(rng, 200, h, w), rng.uniform(.05, .6, 200).astype('float32')
    boxes = run(AttentionBox(padding, clamp=False, align_corners=False), maps, thetas(theta),
                np.zeros((1, 1, height, width), 'float32'))
    expected = [slow_views.pixels(slow_views.official_box(chosen, float(part), padding, height, width), height, width)
                for (chosen,), part in zip(maps, theta)]
    np.testing.assert_allclose(boxes, expected, rtol=0, atol=1e-4)


def random_boxes(rng, count, height, width):
    """x0, y0, x1, y1 in whole pixels, of one pixel at least."""
    begin = rng.integers(0, [width, height], (count, 2))
    return np.concatenate([begin, rng.integers(begin + 1, [width + 1, height + 1])], axis=1)


@pytest.mark.parametrize('height, width', [(32, 32), (64, 128), (448, 448)])
def test_crops_of_guyuc(height, width):
    rng = np.random.default_rng(height)
    count = 4 if height == 448 else 30
    images = rng.random((count, 3, height, width)).astype('float32')
    boxes = random_boxes(rng, count, height, width)
    crops = run(AttentionCrop(), images, boxes.astype('float32'))
    expected = [slow_views.guyuc_crop(image, box) for image, box in zip(images, boxes)]
    np.testing.assert_allclose(crops, expected, rtol=0, atol=3e-5 if height == 448 else 1e-5)


@pytest.mark.parametrize('height, width', [(32, 32), (64, 128), (448, 448)])
def test_crops_of_official(height, width):
    rng = np.random.default_rng(height)
    count = 4 if height == 448 else 30
    images = rng.random((count, 3, height, width)).astype('float32')
    fractions = np.sort(rng.uniform(-.1, 1.1, (2, count, 2)), axis=0).transpose(1, 0, 2).reshape(count, 4)
    boxes = np.array([slow_views.pixels(box, height, width) for box in fractions], 'float32')
    crops = run(AttentionCrop(), images, boxes)
    expected = np.stack([slow_views.crop_and_resize(image, box) for image, box in zip(images, fractions)])
    assert (expected == 0).any() and (expected > 0).any()
    np.testing.assert_allclose(crops, expected, rtol=0, atol=1e-4 if height == 448 else 3e-5)


@pytest.mark.parametrize('align_corners, slow_mask', [(True, slow_views.guyuc_mask), (False, slow_views.official_mask)])
@pytest.mark.parametrize('h, w, height, width', SIZES)
def test_drops(h, w, height, width, align_corners, slow_mask):
    rng = np.random.default_rng(h + width)
    count = 8 if height == 448 else 100
    images = rng.uniform(.5, 1, (count, 3, height, width)).astype('float32')
    maps, theta = random_maps(rng, count, h, w), rng.uniform(.2, .5, count).astype('float32')
    drops = run(AttentionDrop(align_corners), images, maps, thetas(theta))
    masks = [slow_mask(chosen, float(part), height, width) for (chosen,), part in zip(maps, theta)]
    expected = [image if mask.all() else image * ~mask for image, mask in zip(images, masks)]
    np.testing.assert_array_equal(drops, expected)


@pytest.mark.parametrize('variant', ['guyuc', 'official'])
def test_refined_view(variant):
    """The mean of the maps, 0.1 of its maximum, and 0.05 around."""
    rng = np.random.default_rng(0)
    images, attention = rng.random((6, 3, 64, 96)).astype('float32'), random_maps(rng, 30, 8, 10).reshape(6, 5, 8, 10)
    crops, boxes = run(RefinedView(variant), images, attention ** 3)
    for image, maps, crop, box in zip(images, attention ** 3, crops, boxes):
        mean = maps.mean(axis=0)
        if variant == 'guyuc':
            expected = slow_views.guyuc_box(mean, .1, .05, 64, 96)
            np.testing.assert_array_equal(box, expected)
            np.testing.assert_allclose(crop, slow_views.guyuc_crop(image, expected), rtol=0, atol=1e-5)
        else:
            fractions = slow_views.official_box(mean, .1, .05, 64, 96)
            np.testing.assert_allclose(box, slow_views.pixels(fractions, 64, 96), rtol=0, atol=1e-4)
            np.testing.assert_allclose(crop, slow_views.crop_and_resize(image, fractions), rtol=0, atol=1e-4)


# -- what a training step draws --------------------------------------------------------------------------------------

WIDTH, DRAWS = 256, 4000


def ramps():
    """Pictures with x + 1 in them, and two maps each that grow to the right and to the left.

    Their means are as 4 to 1, so their probabilities are 2/3 and 1/3. Pixel x of a map is x / 255 of the maximum, or
    1 - that, which shows the threshold.
    """
    x = np.arange(WIDTH, dtype='float32')
    maps = np.stack([x, x[::-1] / 4]).reshape(2, 1, WIDTH)
    return mx.nd.array(np.broadcast_to(x + 1, (DRAWS, 1, 2, WIDTH))), mx.nd.array(np.stack([maps] * DRAWS))


def drawn_for_crops(crops, variant):
    """Which map each crop is of, True: the right one; and its threshold, to 1/100."""
    row = crops[:, 0, -1].astype('float64')   # the first may lie above the picture
    if variant == 'guyuc':   # x0 = first - .1 * 256, x1 = last + .1 * 256, in whole pixels
        begin, end = row[:, 0] - 1, row[:, -1]
        right = end == WIDTH
        return right, np.where(right, (begin + .1 * WIDTH) / 255, 1 - (end - .1 * WIDTH) / 255)
    # A crop begins or ends with zeros. The step from pixel to pixel tells how wide the box is.
    right = row[:, -1] == 0
    width = np.diff(row, axis=1)[:, 128] * 255
    return right, 1 - (width - .2 * WIDTH) / 255


def drawn_for_drops(drops):
    """As of crops."""
    dropped = drops[:, 0, 0] == 0
    right = dropped[:, -1]
    assert (right != dropped[:, 0]).all()
    return right, 1 - dropped.sum(axis=1) / WIDTH


@pytest.mark.parametrize('hybridized', [False, True])
@pytest.mark.parametrize('variant', ['guyuc', 'official'])
def test_draws(variant, hybridized):
    views, (images, attention) = TrainingViews(variant), ramps()
    if hybridized:
        views.hybridize(static_alloc=True)
    crops, drops = (y.asnumpy() for y in views(images, attention))
    crop_right, crop_theta = drawn_for_crops(crops, variant)
    drop_right, drop_theta = drawn_for_drops(drops)
    for right in (crop_right, drop_right):   # more than 4 standard deviations are rare
        assert abs(right.mean() - 2 / 3) < 4 * np.sqrt(2 / 9 / DRAWS)
    assert abs((crop_right & drop_right).mean() - 4 / 9) < 4 * np.sqrt(20 / 81 / DRAWS)   # independent
    for theta, (least, most) in ((crop_theta, (.4, .6)), (drop_theta, (.2, .5))):
        assert theta.min() > least - .01 and theta.max() < most + .01
        np.testing.assert_allclose(np.quantile(theta, [.02, .25, .5, .75, .98]),
                                   least + (most - least) * np.array([.02, .25, .5, .75, .98]), atol=.015)
    for a, b in ((crop_theta, drop_theta), (crop_theta[1:], crop_theta[:-1]), (crop_theta, crop_right)):
        assert abs(np.corrcoef(a, b)[0, 1]) < 4 / np.sqrt(DRAWS)


def test_probabilities(monkeypatch):
    """In proportion to the root of a map's mean; where all maps are 0, all the same."""
    attention, given = random_maps(np.random.default_rng(0), 15, 6, 8).reshape(3, 5, 6, 8), []
    attention[1] = 0
    attention[2, 3] = np.nan

    def draw(probabilities, shape):
        given.append(probabilities.asnumpy())
        return mx.nd.zeros((3, shape))
    monkeypatch.setattr(mx.nd, 'sample_multinomial', draw)
    TrainingViews()(mx.nd.zeros((3, 3, 12, 16)), mx.nd.array(attention))
    roots = np.sqrt(np.nan_to_num(attention).mean(axis=(2, 3), dtype='float64'))
    roots[1] = 1
    np.testing.assert_allclose(given[0], roots / roots.sum(axis=1, keepdims=True), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('hybridized', [False, True])
def test_draws_follow_the_seed(hybridized):
    views, (images, attention) = TrainingViews(), (array[:50] for array in ramps())
    if hybridized:
        views.hybridize(static_alloc=True)

    def drawn(seed):
        mx.random.seed(seed)
        return [y.asnumpy() for _ in range(2) for y in views(images, attention)]

    first, again, other = drawn(1), drawn(1), drawn(2)
    for a, b, c in zip(first, again, other):
        np.testing.assert_array_equal(a, b)
        assert (a != c).any()
    assert (first[0] != first[2]).any() and (first[1] != first[3]).any()   # a step draws anew
