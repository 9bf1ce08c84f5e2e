"""Box arithmetic: the examples of the docstrings, hand-worked tables, slow twins, and every kind of array alike."""
import doctest

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
    assert doctest.testmod(boxes).attempted == 6


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
def test_two_points(on):
    assert on(boxes.iou, [[1, 1, 1, 1]], [[1, 1, 1, 1]]) == 0
    assert np.isfinite(on(boxes.giou, [[1, 1, 1, 1]], [[1, 1, 1, 1]]))


def slow_iou_and_giou(a, b):
    width = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    hull = (max(a[2], b[2]) - min(a[0], b[0])) * (max(a[3], b[3]) - min(a[1], b[1]))
    return width * height / union, width * height / union - (hull - union) / hull


@everywhere
def test_all_pairs(on):
    rng = np.random.default_rng(0)
    a, b = random_boxes(rng, 5, 1), random_boxes(rng, 1, 7)
    slow = np.array([[slow_iou_and_giou(x, y) for y in b[0]] for x in a[:, 0]])
    np.testing.assert_allclose(on(boxes.iou, a, b), slow[..., 0], atol=1e-5)
    np.testing.assert_allclose(on(boxes.giou, a, b), slow[..., 1], atol=1e-5)


@pytest.mark.parametrize('function', [boxes.iou, boxes.giou])
def test_gradient(function):
    """Against differences, in float64."""
    rng = np.random.default_rng(0)
    a, b = random_boxes(rng, 6), random_boxes(rng, 6)
    x, y = mx.nd.array(a, dtype='float64'), mx.nd.array(b, dtype='float64')
    x.attach_grad()
    with mx.autograd.record():
        value = function(x, y)
    value.backward()
    for i in range(4):
        step = np.eye(4)[i] * 1e-6
        slope = (function(a + step, b) - function(a - step, b)) / 2e-6
        np.testing.assert_allclose(x.grad.asnumpy()[:, i], slope, atol=1e-6)


def test_giou_pulls_boxes_together_that_do_not_meet():
    x = mx.nd.array([[0, 0, 1, 1]])
    x.attach_grad()
    with mx.autograd.record():
        value = boxes.giou(x, mx.nd.array([[3, 0, 4, 1]]))
    value.backward()
    assert x.grad[0, 2].asscalar() > 0   # its right edge should go right


def test_a_point_has_a_finite_gradient():
    x = mx.nd.array([[2, 2, 2, 2]])
    x.attach_grad()
    with mx.autograd.record():
        value = boxes.iou(x, mx.nd.array([A])) + boxes.giou(x, mx.nd.array([A]))
    value.backward()
    assert np.isfinite(x.grad.asnumpy()).all()


def test_kinds_of_arrays_do_not_mix():
    with pytest.raises(TypeError, match='ndarray and NDArray'):
        boxes.iou(np.zeros((1, 4)), mx.nd.zeros((1, 4)))
    with pytest.raises(TypeError, match='got list'):
        boxes.area([0, 0, 1, 1])
