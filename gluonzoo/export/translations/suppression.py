"""Suppression of boxes that overlap, as MXNet does it, by the operator NonMaxSuppression.

Of equal scores the first is the best, as in MXNet, where the runtime's TopK takes the lower index. onnxruntime's does.
"""
import numpy as np

__all__ = ['each_class', 'is_true', 'of_class', 'ranks', 'rows_at', 'sort_rows', 'survivors']


def sort_rows(nodes, rows, keys, count):
    """The `count` rows with the greatest keys, in descending order.

    Parameters
    ----------
    rows : str
        name of [B, N, W]
    keys : str
        name of [B, N]
    count : str
        name of a list of one whole number

    Returns
    -------
    tuple of str : names of the keys [B, count] and the rows [B, count, W]
    """
    keys, order = nodes.add_all(2, 'TopK', keys, count, axis=1)
    return keys, rows_at(nodes, rows, order)


def rows_at(nodes, rows, order):
    """The rows [B, K, W] of `rows` [B, N, W] that are at `order` [B, K]."""
    return nodes.add('GatherND', rows, nodes.add('Unsqueeze', order, nodes.constant([2])), batch_dims=1)


def each_class(nodes, classes):
    """Which boxes are of which class: bools [B, C, K] for the C different numbers in `classes`, a name of [B, K].

    (To move the boxes of each class apart would be plainer. Far from 0 they lose digits, most of all beside a box that
    is large without end.)
    """
    numbers, _, which, _ = nodes.add_all(4, 'Unique', classes, sorted=1)
    which = nodes.add('Reshape', which, nodes.add('Shape', classes))
    count = nodes.add('Squeeze', nodes.add('Shape', numbers))
    return of_class(nodes, which, nodes.add('Range', nodes.constant(0), count, nodes.constant(1)))


def of_class(nodes, classes, numbers):
    """Whether boxes are of a class: bools [B, C, K] of classes [B, K] and a list of C numbers, whole ones all."""
    return nodes.add('Equal', nodes.add('Unsqueeze', classes, nodes.constant([1])),
                     nodes.add('Unsqueeze', numbers, nodes.constant([1])))


def ranks(nodes, true):
    """Numbers [B, K] of bools: K where the first is true, one less for each place behind, 0 where one is false.

    By these numbers, any sort has what is true first, in the order that it was in. (OpenVINO's is not stable.)
    """
    places = nodes.add('Range', _count(nodes, true), nodes.constant(0), nodes.constant(-1))
    return nodes.add('Where', true, nodes.add('Cast', places, to=nodes.onnx_type), nodes.constant(0, nodes.dtype))


def is_true(nodes, numbers):
    """Bools of :func:`ranks`. (Not by Cast, which OpenVINO does not take of what TopK has sorted.)"""
    return nodes.add('Greater', numbers, nodes.constant(0, nodes.dtype))


def _count(nodes, rows):
    """The name of the length of the second axis."""
    return nodes.add('Gather', nodes.add('Shape', rows), nodes.constant(1))


def survivors(nodes, boxes, valid, threshold, among=None):
    """Which boxes are left when each, in their order, suppresses those after it that overlap it.

    Parameters
    ----------
    boxes : str
        name of corners [B, K, 4]. A box with its corners the wrong way round overlaps none.
    valid : str
        name of bools [B, K]: the others neither suppress nor stay
    threshold : float
        boxes whose intersection over union is greater are suppressed
    among : str, optional
        name of bools [B, C, K], of which of C classes each box is: it suppresses only those of its class

    Returns
    -------
    str : name of bools [B, K]
    """
    if not 0 <= threshold < 1:   # no overlap is greater than 1
        return nodes.add('Identity', valid)
    begin, end = (nodes.add('Slice', boxes, *map(nodes.constant, ([first], [last], [2])))
                  for first, last in ((0, 2), (2, 4)))
    # NonMaxSuppression would turn the corners round.
    wrong = nodes.add('Less', nodes.add('ReduceMin', nodes.add('Sub', end, begin), axes=[2]),
                      nodes.constant(0, nodes.dtype))
    boxes = nodes.add('Concat', begin, nodes.add('Where', wrong, begin, end), axis=2)
    # Equal scores may come in any order, so ranks stand for them.
    scores = nodes.add('Unsqueeze', ranks(nodes, valid), nodes.constant([1]))
    if among:
        scores = nodes.add('Where', among, scores, nodes.constant(0, nodes.dtype))
    found = nodes.add('NonMaxSuppression', boxes, scores,
                      nodes.add('Unsqueeze', _count(nodes, valid), nodes.constant([0])),
                      nodes.constant([threshold], 'float32'), nodes.constant([0.5], 'float32'))   # image, class, box
    at = nodes.add('Gather', found, nodes.constant([0, 2]), axis=1)
    ones = nodes.add('Expand', nodes.constant(1, nodes.dtype),
                     nodes.add('Slice', nodes.add('Shape', at), nodes.constant([0]), nodes.constant([1])))
    nothing = nodes.add('Cast', nodes.add('Xor', valid, valid), to=nodes.onnx_type)
    return is_true(nodes, nodes.add('ScatterND', nothing, at, ones))


def just_below(threshold):
    """The greatest float32 below a threshold: greater than that is at least the threshold."""
    return float(np.nextafter(np.float32(threshold), np.float32(-1)))
