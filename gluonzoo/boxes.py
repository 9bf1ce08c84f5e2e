"""Arithmetic of axis-aligned boxes, on NumPy arrays, NDArrays and Symbols alike.

A box is the last axis, of length 4, in one of two formats::

    corner   xmin ymin xmax ymax   the edges: xmax and ymax are where the box ends, so its width is xmax - xmin
    center   cx cy w h             center, width and height

Every other axis counts boxes. The unit is the caller's: pixels, or fractions of an image. x and y may have different
units, since a ratio of areas does not depend on them. Precision is float32 or float64. All functions are differentiable
on NDArrays and Symbols.
"""
import math

import numpy as np
from mxnet import ndarray, symbol

__all__ = ['corner_to_center', 'center_to_corner', 'clip', 'area', 'iou', 'giou', 'diou', 'ciou']

_TINY = 1e-12   # an area that no box has; 0 / _TINY is 0


def corner_to_center(boxes):
    """xmin ymin xmax ymax -> cx cy w h, any unit and range. [..., 4] -> [..., 4]

    >>> corner_to_center(np.array([0.2, 0.2, 0.6, 0.4]))
    array([0.4, 0.3, 0.4, 0.2])
    """
    xmin, ymin, xmax, ymax = _columns(boxes)
    return _stack(boxes, (xmin + xmax) / 2, (ymin + ymax) / 2, xmax - xmin, ymax - ymin)


def center_to_corner(boxes):
    """cx cy w h -> xmin ymin xmax ymax, any unit and range. [..., 4] -> [..., 4]

    >>> center_to_corner(np.array([0.4, 0.3, 0.4, 0.2]))
    array([0.2, 0.2, 0.6, 0.4])
    """
    cx, cy, w, h = _columns(boxes)
    return _stack(boxes, cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)


def clip(boxes, width, height):
    """The part of each box that lies in 0..width and 0..height. [..., 4] corner -> [..., 4] corner

    A box that lies outside altogether becomes one without area, on the nearest edge.

    >>> clip(np.array([-5., 10., 30., 90.]), width=20, height=50)
    array([ 0., 10., 20., 50.])
    """
    xmin, ymin, xmax, ymax = _columns(boxes)
    return _stack(boxes, xmin.clip(0, width), ymin.clip(0, height), xmax.clip(0, width), ymax.clip(0, height))


def area(boxes):
    """Areas, in the square of the unit. [..., 4] corner -> [...]; 0 if a box ends before it begins.

    >>> area(np.array([[0., 0., 2., 3.], [2., 2., 1., 3.]]))
    array([6., 0.])
    """
    return _area(boxes).squeeze(axis=-1)


def iou(a, b):
    """Intersection over union. [..., 4] and [..., 4], both corner -> [...], 0 to 1

    The leading axes are broadcast: give [N, 1, 4] and [1, M, 4] for all pairs, [N, M]. Two boxes without area have 0.

    >>> iou(np.array([0., 0., 2., 2.]), np.array([[1., 0., 3., 2.], [5., 5., 6., 6.]]))
    array([0.33333333, 0.        ])
    """
    intersection, union = _intersection_and_union(a, b)
    return _ratio(intersection, union).squeeze(axis=-1)


def giou(a, b):
    """Generalized intersection over union. [..., 4] and [..., 4], both corner -> [...], -1 (exclusive) to 1

    GIoU = IoU - (hull - union) / hull, where the hull is the smallest box around both. So the GIoU of two boxes that do
    not meet still says how far apart they are. The leading axes are broadcast as in :func:`iou`.

    "Generalized Intersection over Union: A Metric and a Loss for Bounding Box Regression" (Rezatofighi et al., 2019)

    >>> giou(np.array([0., 0., 1., 1.]), np.array([[0., 0., 1., 1.], [1., 0., 2., 1.], [3., 0., 4., 1.]]))
    array([ 1. ,  0. , -0.5])
    """
    intersection, union = _intersection_and_union(a, b)
    width, height = _hull(a, b)
    hull = width * height
    return (_ratio(intersection, union) - _ratio(hull - union, hull)).squeeze(axis=-1)


def diou(a, b):
    """Distance intersection over union. [..., 4] and [..., 4], both corner -> [...], -1 (exclusive) to 1

    DIoU = IoU - (d / c)^2, where d is the distance of the centers and c the diagonal of the hull, the smallest box
    around both. So a box inside the other is still drawn to its center, which IoU and GIoU do not do. x and y must have
    one unit here: fractions of an oblong image give another, though not a useless, number than pixels. The leading axes
    are broadcast as in :func:`iou`.

    "Distance-IoU Loss: Faster and Better Learning for Bounding Box Regression" (Zheng et al., 2020,
    https://arxiv.org/abs/1911.08287)

    >>> diou(np.array([0., 0., 3., 3.]), np.array([[0., 0., 3., 3.], [0., 0., 3., 1.], [3., 3., 6., 6.]]))
    array([ 1.        ,  0.27777778, -0.25      ])
    """
    return _diou(a, b, *_intersection_and_union(a, b)).squeeze(axis=-1)


def ciou(a, b):
    """Complete intersection over union. [..., 4] and [..., 4], both corner -> [...], -1.5 (exclusive) to 1

    CIoU = DIoU - alpha v, where v = (2 / pi (arctan(wb / hb) - arctan(wa / ha)))^2 compares the shapes, from 0 (alike)
    to 1, and alpha = v / (1 - IoU + v). No gradient passes to alpha, as in the official code. A box without width and
    height is taken to have the other's shape. Units and leading axes are as in :func:`diou`.

    The gradient of v is that of its formula. The official code leaves out the factor 1 / (w^2 + h^2), which is great
    for small boxes. Where a detector predicts log w and log h, the gradient of alpha v is at most 1 / pi with it.

    "Distance-IoU Loss: Faster and Better Learning for Bounding Box Regression" (Zheng et al., 2020,
    https://arxiv.org/abs/1911.08287); official code: github.com/Zzh-tju/DIoU-SSD-pytorch

    >>> ciou(np.array([0., 0., 2., 2.]), np.array([[0., 0., 2., 2.], [0., 0., 1., 1.], [0., 0., 2., 0.]]))
    array([ 1.    ,  0.1875, -0.175 ])
    """
    F = _functions(a, b)
    add, multiply, subtract = ((np.add, np.multiply, np.subtract) if F is np else
                               (F.broadcast_add, F.broadcast_mul, F.broadcast_sub))
    intersection, union = _intersection_and_union(a, b)
    (aw, ah), (bw, bh) = _sizes(a), _sizes(b)
    # The difference of the two angles at once: arctan(w / h) alone has no value, or no gradient, where h or both are 0.
    turned = _ratio(subtract(multiply(bw, ah), multiply(aw, bh)), add(multiply(ah, bh), multiply(aw, bw)))
    v = (2 / math.pi * F.arctan(turned)) ** 2
    alpha = _ratio(v, 1 - _ratio(intersection, union) + v)
    if F is not np:
        alpha = F.BlockGrad(alpha)
    return (_diou(a, b, intersection, union) - alpha * v).squeeze(axis=-1)


def _functions(*arrays):
    kinds = {np if isinstance(x, np.ndarray) else ndarray if isinstance(x, ndarray.NDArray) else
             symbol if isinstance(x, symbol.Symbol) else type(x) for x in arrays}
    if len(kinds) > 1 or not kinds <= {np, ndarray, symbol}:
        raise TypeError('boxes must be NumPy arrays, or NDArrays, or Symbols; got '
                        + ' and '.join(type(x).__name__ for x in arrays))
    return kinds.pop()


def _extremes(F):
    """(smaller, larger) of two arrays, elementwise, broadcast."""
    return (np.minimum, np.maximum) if F is np else (F.broadcast_minimum, F.broadcast_maximum)


def _columns(boxes):
    """[..., 4] -> 4 x [..., 1]"""
    F = _functions(boxes)
    return np.split(boxes, 4, axis=-1) if F is np else F.split(boxes, num_outputs=4, axis=-1)


def _stack(like, *columns):
    """4 x [..., 1] -> [..., 4]"""
    F = _functions(like)
    return np.concatenate(columns, axis=-1) if F is np else F.concat(*columns, dim=-1)


def _length(begin, end):
    return (end - begin).clip(0, np.inf)


def _area(boxes):
    width, height = _sizes(boxes)
    return width * height   # [..., 1]


def _intersection_and_union(a, b):
    F = _functions(a, b)
    low, high = _extremes(F)
    add = np.add if F is np else F.broadcast_add
    (axmin, aymin, axmax, aymax), (bxmin, bymin, bxmax, bymax) = _columns(a), _columns(b)
    intersection = (_length(high(axmin, bxmin), low(axmax, bxmax)) *
                    _length(high(aymin, bymin), low(aymax, bymax)))
    return intersection, add(_area(a), _area(b)) - intersection   # [..., 1] each


def _sizes(boxes):
    """[..., 4] -> width and height, [..., 1] each"""
    xmin, ymin, xmax, ymax = _columns(boxes)
    return _length(xmin, xmax), _length(ymin, ymax)


def _hull(a, b):
    """Width and height of the smallest box around both. [..., 1] each"""
    low, high = _extremes(_functions(a, b))
    (axmin, aymin, axmax, aymax), (bxmin, bymin, bxmax, bymax) = _columns(a), _columns(b)
    return high(axmax, bxmax) - low(axmin, bxmin), high(aymax, bymax) - low(aymin, bymin)


def _diou(a, b, intersection, union):
    F = _functions(a, b)
    subtract = np.subtract if F is np else F.broadcast_sub
    (ax, ay, _, _), (bx, by, _, _) = _columns(corner_to_center(a)), _columns(corner_to_center(b))
    width, height = _hull(a, b)
    apart = subtract(ax, bx) ** 2 + subtract(ay, by) ** 2
    return _ratio(intersection, union) - _ratio(apart, width ** 2 + height ** 2)


def _ratio(part, whole):
    return part / whole.clip(_TINY, np.inf)
