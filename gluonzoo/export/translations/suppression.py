"""Suppression of boxes that overlap, as MXNet does it, by the operator NonMaxSuppression.

Sorting is stable: MXNet's is, and TopK takes the lower index of equal numbers.
"""
import numpy as np

__all__ = ['rows_at', 'shifted_apart', 'sort_rows', 'survivors']


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


def shifted_apart(nodes, boxes, classes):
    """Boxes [B, K, 4] of different classes, moved so far apart that they do not overlap.

    `classes` [B, K, 1] are whole numbers. (NonMaxSuppression has an axis of classes, too, but takes all scores of
    each.)
    """
    extent = nodes.add('Sub', nodes.add('ReduceMax', boxes, keepdims=0), nodes.add('ReduceMin', boxes, keepdims=0))
    step = nodes.add('Ceil', nodes.add('Add', extent, nodes.constant(1, nodes.dtype)))
    return nodes.add('Add', boxes, nodes.add('Mul', classes, step))


def survivors(nodes, boxes, valid, threshold):
    """Which boxes are left when each, in their order, suppresses those after it that overlap it.

    Parameters
    ----------
    boxes : str
        name of corners [B, K, 4]. A box with its corners the wrong way round overlaps none.
    valid : str
        name of bools [B, K]: the others neither suppress nor stay
    threshold : float
        boxes whose intersection over union is greater are suppressed

    Returns
    -------
    str : name of [B, K]: 0 for the others, and for those that are left K for the first of all boxes, 1 for the last
    """
    count = nodes.add('Gather', nodes.add('Shape', valid), nodes.constant(1))
    places = nodes.add('Range', count, nodes.constant(0), nodes.constant(-1))
    ranks = nodes.add('Mul', nodes.add('Cast', places, to=nodes.onnx_type),
                      nodes.add('Cast', valid, to=nodes.onnx_type))
    if not 0 <= threshold < 1:   # no overlap is greater than 1
        return ranks
    begin, end = (nodes.add('Slice', boxes, *map(nodes.constant, ([first], [last], [2])))
                  for first, last in ((0, 2), (2, 4)))
    # NonMaxSuppression would turn the corners round.
    wrong = nodes.add('Cast', nodes.add('Less', nodes.add('ReduceMin', nodes.add('Sub', end, begin), axes=[2]),
                                        nodes.constant(0, nodes.dtype)), to=9)
    boxes = nodes.add('Concat', begin, nodes.add('Where', wrong, begin, end), axis=2)
    # Equal scores may come in any order, so ranks stand for them.
    found = nodes.add('NonMaxSuppression', boxes, nodes.add('Unsqueeze', ranks, nodes.constant([1])),
                      nodes.add('Unsqueeze', count, nodes.constant([0])),
                      nodes.constant([threshold], 'float32'), nodes.constant([0.5], 'float32'))   # image, class, box
    at = nodes.add('Gather', found, nodes.constant([0, 2]), axis=1)
    return nodes.add('ScatterND', nodes.add('Sub', ranks, ranks), at, nodes.add('GatherND', ranks, at))


def just_below(threshold):
    """The greatest float32 below a threshold: greater than that is at least the threshold."""
    return float(np.nextafter(np.float32(threshold), np.float32(-1)))
