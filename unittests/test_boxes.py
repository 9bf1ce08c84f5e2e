"""Box arithmetic: the examples of the docstrings, hand-worked tables, slow twins, and every kind of array alike."""
import doctest
import math

import mxnet as mx
import numpy as np
import pytest

from gluonzoo import boxes


def on_numpy(function, *arrays, **keywords):
    return function(*(np.array(a, 'float32') for a in arrays), **keywords)


def on_ndarray(function, *arrays, **keywords):
    return function(*(mx.nd.array(a) for a in arrays), **keywords).asnumpy()


def on_symbol(function, *arrays, **keywords):
    names = [f'x{i}' for i in range(len(arrays))]
    result = function(*map(mx.sym.var, names), **keywords)
    return result.bind(mx.cpu(), {name: mx.nd.array(a) for name, a in zip(names, arrays)}).forward()[0].asnumpy()


everywhere = pytest.mark.parametrize('on', [on_numpy, on_ndarray, on_symbol])


def random_boxes(rng, *shape):
    corners = rng.random((*shape, 2, 2))
    return np.sort(corners, axis=-2).reshape(*shape, 4)   # [..., (low, high), (x, y)]


def test_examples():
    assert doctest.testmod(boxes).failed == 0
    assert doctest.testmod(boxes).attempted == 8


@everywhere
def test_formats(on):
    corner, center = [[10, 20, 30, 80], [-1, -1, 0, 0]], [[20, 50, 20, 60], [-.5, -.5, 1, 1]]
    np.testing.assert_allclose(on(boxes.corner_to_center, corner), center)
    np.testing.assert_allclose(on(boxes.center_to_corner, center), corner)


@everywhere
def test_clip(on):
    given = [[-5, 10, 30, 90], [25, 60, 30, 70], [1, 2, 3, 4]]
    clipped = on(boxes.clip, given, width=20, height=50)
    np.testing.assert_array_equal(clipped, [[0, 10, 20, 50], [20, 50, 20, 50], [1, 2, 3, 4]])


@everywhere
def test_area(on):
    np.testing.assert_array_equal(on(boxes.area, [[0, 0, 2, 3], [1, 1, 1, 5], [3, 3, 1, 1]]), [6, 0, 0])


A = [0, 0, 4, 4]


@everywhere
@pytest.mark.parametrize('b, iou, giou', [
    ([0, 0, 4, 4], 1, 1),
    ([1, 1, 3, 3], 4 / 16, 4 / 16),   # inside
    ([2, 2, 6, 6], 4 / 28, 4 / 28 - 8 / 36),
    ([4, 0, 8, 4], 0, 0),   # an edge in common
    ([8, 0, 12, 4], 0, -1 / 3),
    ([6, 6, 8, 8], 0, -(64 - 20) / 64),
    ([2, 2, 2, 2], 0, 0),   # a point inside
    ([3, 3, 1, 1], 0, 0),   # ends before it begins: no area
])
def test_overlaps(on, b, iou, giou):
    for function, expected in ((boxes.iou, iou), (boxes.giou, giou)):
        np.testing.assert_allclose(on(function, [A], [b]), [expected], atol=1e-6)
        np.testing.assert_allclose(on(function, [b], [A]), [expected], atol=1e-6)


@everywhere
@pytest.mark.parametrize('b, diou, ciou', [
    ([0, 0, 4, 4], 1, 1),
    ([1, 1, 3, 3], 4 / 16, 4 / 16),   # inside, with the same center
    ([0, 0, 2, 2], 4 / 16 - 2 / 32, 4 / 16 - 2 / 32),   # inside, in a corner
    ([2, 2, 6, 6], 4 / 28 - 8 / 72, 4 / 28 - 8 / 72),
    ([4, 0, 8, 4], -16 / 80, -16 / 80),   # an edge in common
    ([8, 0, 12, 4], -64 / 160, -64 / 160),
    ([6, 6, 8, 8], -50 / 128, -50 / 128),
    ([0, 0, 4, 0], -4 / 32, -4 / 32 - 1 / 4 * 1 / 5),   # without height: 45 degrees from A's shape
    ([0, 0, 0, 4], -4 / 32, -4 / 32 - 1 / 4 * 1 / 5),
    ([2, 2, 2, 2], 0, 0),   # a point inside, which has every shape
    ([4, 4, 4, 4], -8 / 32, -8 / 32),
    ([3, 3, 1, 1], 0, 0),   # ends before it begins: no width, no height
])
def test_overlaps_less_distance_and_shape(on, b, diou, ciou):
    for function, expected in ((boxes.diou, diou), (boxes.ciou, ciou)):
        np.testing.assert_allclose(on(function, [A], [b]), [expected], atol=1e-6)
        np.testing.assert_allclose(on(function, [b], [A]), [expected], atol=1e-6)


@everywhere
def test_two_points(on):
    assert on(boxes.iou, [[1, 1, 1, 1]], [[1, 1, 1, 1]]) == 0
    for function in (boxes.giou, boxes.diou, boxes.ciou):
        assert np.isfinite(on(function, [[1, 1, 1, 1]], [[1, 1, 1, 1]]))


@everywhere
def test_shapes_as_different_as_can_be(on):
    """A line lying, a line standing: v is 1, alpha 1/2."""
    np.testing.assert_allclose(on(boxes.ciou, [[0, 2, 4, 2]], [[2, 0, 2, 4]]), [-1 / 2], atol=1e-6)


def slow_iou_and_giou(a, b):
    width = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    hull = (max(a[2], b[2]) - min(a[0], b[0])) * (max(a[3], b[3]) - min(a[1], b[1]))
    return width * height / union, width * height / union - (hull - union) / hull


def slow_shape(a, b):
    """v of CIoU."""
    angles = [math.atan2(x[2] - x[0], x[3] - x[1]) for x in (a, b)]
    return 4 / math.pi ** 2 * (angles[0] - angles[1]) ** 2


def slow_diou_and_ciou(a, b):
    iou, v = slow_iou_and_giou(a, b)[0], slow_shape(a, b)
    centers = [((x[0] + x[2]) / 2, (x[1] + x[3]) / 2) for x in (a, b)]
    diagonal = math.dist((min(a[0], b[0]), min(a[1], b[1])), (max(a[2], b[2]), max(a[3], b[3])))
    diou = iou - (math.dist(*centers) / diagonal) ** 2
    return diou, diou - v / (1 - iou + v) * v


@everywhere
def test_all_pairs(on):
    rng = np.random.default_rng(0)
    a, b = random_boxes(rng, 5, 1), random_boxes(rng, 1, 7)
    slow = np.array([[slow_iou_and_giou(x, y) + slow_diou_and_ciou(x, y) for y in b[0]] for x in a[:, 0]])
    for i, function in enumerate((boxes.iou, boxes.giou, boxes.diou, boxes.ciou)):
        np.testing.assert_allclose(on(function, a, b), slow[..., i], atol=1e-5)


def gradient(function, a, b, dtype):
    """Of the sum of function(a, b), by a."""
    x, y = mx.nd.array(a, dtype=dtype), mx.nd.array(b, dtype=dtype)
    x.attach_grad()
    with mx.autograd.record():
        value = function(x, y)
    value.backward()
    return x.grad.asnumpy()


def slopes(function, a, b):
    """Of function(a, b) by each number of a, from differences. [n, 4]"""
    steps = np.eye(4) * 1e-6
    return np.stack([(function(a + step, b) - function(a - step, b)) / 2e-6 for step in steps], axis=1)


@pytest.mark.parametrize('function', [boxes.iou, boxes.giou, boxes.diou])
def test_gradient(function):
    """Against differences, in float64."""
    rng = np.random.default_rng(0)
    a, b = random_boxes(rng, 6), random_boxes(rng, 6)
    np.testing.assert_allclose(gradient(function, a, b, 'float64'), slopes(function, a, b), atol=1e-6)


def test_gradient_of_ciou_takes_alpha_as_a_number():
    rng = np.random.default_rng(0)
    a, b = random_boxes(rng, 6), random_boxes(rng, 6)

    def shape(a, b):
        return np.array([slow_shape(x, y) for x, y in zip(a, b)])

    v = shape(a, b)
    alpha = v / (1 - boxes.iou(a, b) + v)
    expected = slopes(boxes.diou, a, b) - alpha[:, None] * slopes(shape, a, b)
    np.testing.assert_allclose(gradient(boxes.ciou, a, b, 'float64'), expected, atol=1e-6)
    assert np.abs(expected - slopes(boxes.ciou, a, b)).max() > .01   # with alpha's own it would be another


def test_diou_draws_a_box_inside_to_the_center():
    inside, around = np.array([[1., 1., 2., 2.]]), np.array([[0., 0., 4., 4.]])
    for function, moved in ((boxes.iou, False), (boxes.giou, False), (boxes.diou, True), (boxes.ciou, True)):
        x = gradient(function, inside, around, 'float64')[0]
        assert (x[0] + x[2] > .01) == (x[1] + x[3] > .01) == moved


def test_giou_pulls_boxes_together_that_do_not_meet():
    x = mx.nd.array([[0, 0, 1, 1]])
    x.attach_grad()
    with mx.autograd.record():
        value = boxes.giou(x, mx.nd.array([[3, 0, 4, 1]]))
    value.backward()
    assert x.grad[0, 2].asscalar() > 0   # its right edge should go right


@pytest.mark.parametrize('dtype', ['float32', 'float64'])
@pytest.mark.parametrize('function', [boxes.iou, boxes.giou, boxes.diou, boxes.ciou])
def test_boxes_without_area_have_small_gradients(function, dtype):
    degenerate = [[2, 2, 2, 2], [0, 2, 4, 2], [2, 0, 2, 4], [3, 3, 1, 1], [9, 9, 9, 9], [0, 0, 0, 0]]
    for box in degenerate:
        found = gradient(function, [box, A], [A, box], dtype)
        assert np.isfinite(found).all() and np.abs(found).max() < 1, (box, found)
        for other in degenerate:   # of two without area, the IoU is 0 / 0
            assert np.isfinite(gradient(function, [box], [other], dtype)).all(), (box, other)


def test_kinds_of_arrays_do_not_mix():
    with pytest.raises(TypeError, match='ndarray and NDArray'):
        boxes.iou(np.zeros((1, 4)), mx.nd.zeros((1, 4)))
    with pytest.raises(TypeError, match='got list'):
        boxes.area([0, 0, 1, 1])
