"""Boxes: suppression, and the anchors and detections of multibox detectors.

Source of what they mean: github.com/apache/mxnet, src/operator/contrib/bounding_box-inl.h and multibox_*.cc.
"""
import ast

import numpy as np

from ..errors import ExportError
from .base import translates
from .suppression import each_class, is_true, just_below, of_class, ranks, rows_at, sort_rows, survivors

_LEAST = float(np.finfo('float32').min)


@translates('_contrib_box_nms')
def _box_nms(nodes):
    """All its forms: of the `topk` best rows, those that no better row of their class suppresses; then rows of -1."""
    data, = nodes.inputs
    topk, score_index, start, id_index = (nodes.number(name, default) for name, default in (
        ('topk', -1), ('score_index', 1), ('coord_start', 2), ('id_index', -1)))
    if topk == 0:
        return nodes.end_all(nodes.add('Identity', data))
    formats = [nodes.attrs.get(name, 'corner') for name in ('in_format', 'out_format')]
    threshold = float(nodes.attrs.get('overlap_thresh', 0.5))
    if threshold < 0:
        raise ExportError(f'box_nms: cannot be exported with overlap_thresh {threshold:g}; it must be at least 0')
    width, total = nodes.shapes[0][-1], nodes.length(0, -2)
    rows = nodes.add('Reshape', data, nodes.add('Concat', nodes.constant([-1]), total, nodes.constant([width]), axis=0))

    def column(rows, index, count=1):
        return nodes.add('Slice', rows, nodes.constant([index]), nodes.constant([index + count]), nodes.constant([2]))

    scores = column(rows, score_index)
    valid = nodes.add('Greater', scores, nodes.constant(float(nodes.attrs.get('valid_thresh', 0)), nodes.dtype))
    if id_index >= 0:
        background = nodes.constant(float(nodes.attrs.get('background_id', -1)), nodes.dtype)
        valid = nodes.add('And', valid, nodes.add('Not', nodes.add('Equal', column(rows, id_index), background)))
    keys = nodes.add('Squeeze', nodes.add('Where', valid, scores, nodes.constant(-np.inf, nodes.dtype)),
                     nodes.constant([2]))
    count = nodes.add('Min', total, nodes.constant([topk])) if topk > 0 else total
    keys, best = sort_rows(nodes, rows, keys, count)
    boxes = column(best, start, 4)
    if formats[0] == 'center':
        boxes = _corners(nodes, boxes)
    among = None
    if id_index >= 0 and not nodes.flag('force_suppress'):
        classes = nodes.add('Squeeze', column(best, id_index), nodes.constant([2]))
        among = each_class(nodes, nodes.add('Cast', classes, to=7))
    kept = survivors(nodes, boxes, nodes.add('Greater', keys, nodes.constant(-np.inf, nodes.dtype)), threshold, among)
    kept, left = sort_rows(nodes, best, ranks(nodes, kept), count)
    kept = nodes.add('Unsqueeze', is_true(nodes, kept), nodes.constant([2]))
    left = nodes.add('Where', kept, left, nodes.constant(-1, nodes.dtype))
    if topk > 0:
        more = nodes.add('Sub', total, count)
        pads = nodes.add('Concat', nodes.constant([0] * 4), more, nodes.constant([0]), axis=0)
        left = nodes.add('Pad', left, pads, nodes.constant(-1, nodes.dtype))
    if formats[0] != formats[1]:
        left = _converted(nodes, left, start, width, formats[1])
    nodes.end_all(nodes.add('Reshape', left, nodes.add('Shape', data)))


def _converted(nodes, rows, start, width, form):
    """Rows with their boxes in the other form, as MXNet has it: but for boxes whose first number is negative."""
    before, boxes, after = (nodes.add('Slice', rows, *map(nodes.constant, ([first], [last], [2])))
                            for first, last in ((0, start), (start, start + 4), (start + 4, width)))
    first = nodes.add('Slice', boxes, *map(nodes.constant, ([0], [1], [2])))
    negative = nodes.add('Less', first, nodes.constant(0, nodes.dtype))
    other = _centers(nodes, boxes) if form == 'center' else _corners(nodes, boxes)
    return nodes.add('Concat', before, nodes.add('Where', negative, boxes, other), after, axis=2)


def _halves(nodes, boxes):
    return (nodes.add('Slice', boxes, *map(nodes.constant, ([first], [first + 2], [2]))) for first in (0, 2))


def _corners(nodes, boxes):
    """Corners of boxes [B, K, 4] that are given by center and size."""
    center, size = _halves(nodes, boxes)
    half = nodes.add('Div', size, nodes.constant(2, nodes.dtype))
    return nodes.add('Concat', nodes.add('Sub', center, half), nodes.add('Add', center, half), axis=2)


def _centers(nodes, boxes):
    """Center and size of boxes [B, K, 4] that are given by corners."""
    begin, end = _halves(nodes, boxes)
    center = nodes.add('Div', nodes.add('Add', begin, end), nodes.constant(2, nodes.dtype))
    return nodes.add('Concat', center, nodes.add('Sub', end, begin), axis=2)


def _numbers(text):
    """An attribute of one or several numbers, as float32."""
    return np.array(ast.literal_eval(text), 'float32').reshape(-1)


@translates('_contrib_MultiBoxPrior')
def _multibox_prior(nodes):
    """Anchors of a map of one size: a constant."""
    height, width = nodes.shapes[0][2:]
    if height is None or width is None:
        raise ExportError('MultiBoxPrior: its anchors are made for images of one size; export a file for each size')
    sizes, ratios, steps, offsets = (_numbers(nodes.attrs.get(name, default)) for name, default in (
        ('sizes', '(1,)'), ('ratios', '(1,)'), ('steps', '(-1, -1)'), ('offsets', '(0.5, 0.5)')))
    if steps[0] <= 0 or steps[1] <= 0:
        steps = 1 / np.array([height, width], 'float32')
    roots = np.sqrt(ratios)
    # Each size with the first ratio, then the first size with each other ratio.
    size = np.concatenate([sizes, np.repeat(sizes[:1], len(ratios) - 1)])
    root = np.concatenate([np.repeat(roots[:1], len(sizes)), roots[1:]])
    half = np.stack([size * np.float32(height) / np.float32(width) * root / 2, size / root / 2], -1)   # [A, (x, y)]
    ys, xs = ((np.arange(length, dtype='float32') + offset) * step
              for length, offset, step in zip((height, width), offsets, steps))
    center = np.stack(np.meshgrid(xs, ys), -1)[:, :, None]   # [H, W, 1, (x, y)]
    anchors = np.concatenate([center - half, center + half], -1).reshape(1, -1, 4)
    if nodes.flag('clip'):
        anchors = anchors.clip(0, 1)
    nodes.end('Identity', nodes.constant(anchors, nodes.dtype))


@translates('_contrib_MultiBoxDetection')
def _multibox_detection(nodes):
    """Row for row as MXNet's, which leaves suppressed rows where they are, with the class -1."""
    probabilities, offsets, anchors = nodes.inputs
    threshold, nms_threshold = (float(nodes.attrs.get(name, default)) for name, default in (
        ('threshold', 0.01), ('nms_threshold', 0.5)))
    topk = nodes.number('nms_topk', -1)
    if nodes.number('background_id', 0) != 0:
        raise ExportError('MultiBoxDetection: cannot be exported with background_id other than 0, which MXNet ignores')
    minus = nodes.constant(-1, nodes.dtype)
    # Objects: the class with the greatest probability, less the background.
    objects = nodes.add('Slice', probabilities, *map(nodes.constant, ([1], [2 ** 31 - 1], [1])))
    score = nodes.add('ReduceMax', objects, axes=[1], keepdims=0)   # [B, A]
    label = nodes.add('Cast', nodes.add('ArgMax', objects, axis=1, keepdims=0), to=nodes.onnx_type)
    valid = nodes.add('And', nodes.add('GreaterOrEqual', score, nodes.constant(threshold, nodes.dtype)),
                      nodes.add('Greater', score, minus))
    boxes = _decoded(nodes, offsets, anchors)
    rows = nodes.add('Concat', *(nodes.add('Unsqueeze', part, nodes.constant([2])) for part in (label, score)), boxes,
                     axis=2)
    total = nodes.length(0, 2)
    # The valid ones first.
    valid, rows = sort_rows(nodes, rows, ranks(nodes, valid), total)
    valid = is_true(nodes, valid)
    valid_rows = nodes.add('Unsqueeze', valid, nodes.constant([2]))
    rows = nodes.add('Where', valid_rows, rows, minus)
    if not 0 < nms_threshold <= 1:
        return nodes.end('Identity', rows)
    score = nodes.add('Squeeze', nodes.add('Slice', rows, *map(nodes.constant, ([1], [2], [2]))), nodes.constant([2]))
    keys = nodes.add('Where', valid, score, nodes.constant(-np.inf, nodes.dtype))
    _, order = nodes.add_all(2, 'TopK', keys, total, axis=1)
    best = rows_at(nodes, rows, order)
    if topk > 0:   # others stay where they are, as the class -1
        place = nodes.add('Range', nodes.constant(0), nodes.add('Squeeze', total), nodes.constant(1))
        among = nodes.add('Less', place, nodes.constant(topk))
        valid = nodes.add('And', valid, among)
        best = nodes.add('Where', nodes.add('Unsqueeze', among, nodes.constant([0, 2])), best, rows)
    boxes = nodes.add('Slice', best, *map(nodes.constant, ([2], [6], [2])))
    label = nodes.add('Slice', best, *map(nodes.constant, ([0], [1], [2])))
    among = None
    if not nodes.flag('force_suppress'):
        classes = nodes.add('Cast', nodes.add('Squeeze', label, nodes.constant([2])), to=7)
        count = nodes.add('Sub', nodes.add('Squeeze', nodes.length(0, 1)), nodes.constant(1))   # less the background
        among = of_class(nodes, classes, nodes.add('Range', nodes.constant(0), count, nodes.constant(1)))
    kept = survivors(nodes, boxes, valid, just_below(nms_threshold), among)
    label = nodes.add('Where', nodes.add('Unsqueeze', kept, nodes.constant([2])), label, minus)
    nodes.end('Concat', label, nodes.add('Slice', best, *map(nodes.constant, ([1], [6], [2]))), axis=2)


def _decoded(nodes, offsets, anchors):
    """Corners [B, A, 4] of offsets [B, 4 A] from anchors [1, A, 4]."""
    variances = _numbers(nodes.attrs.get('variances', '(0.1, 0.1, 0.2, 0.2)'))
    offsets = nodes.add('Reshape', offsets, nodes.constant([0, -1, 4]))
    begin, end = _halves(nodes, nodes.add('Reshape', anchors, nodes.constant([1, -1, 4])))
    size = nodes.add('Sub', end, begin)
    center = nodes.add('Div', nodes.add('Add', begin, end), nodes.constant(2, nodes.dtype))
    move, growth = _halves(nodes, nodes.add('Mul', offsets, nodes.constant(variances, nodes.dtype)))
    center = nodes.add('Add', nodes.add('Mul', move, size), center)
    half = nodes.add('Div', nodes.add('Mul', nodes.add('Exp', growth), size), nodes.constant(2, nodes.dtype))
    corners = nodes.add('Concat', nodes.add('Sub', center, half), nodes.add('Add', center, half), axis=2)
    if nodes.attrs.get('clip', 'True') in ('True', '1'):
        corners = nodes.add('Clip', corners, nodes.constant(0, nodes.dtype), nodes.constant(1, nodes.dtype))
    return corners
