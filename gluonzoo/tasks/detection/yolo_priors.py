"""What YOLO's outputs stand for: the cell and the anchor of each row, made from the attributes of the network.

The rows are those of the network's heads, joined: by scale (the coarsest first), row, column, anchor.
"""
import numpy as np

from ...memory import require as require_memory

__all__ = ['make_priors']


def make_priors(net, height, width):
    """Cells and anchors of `net` for inputs of `height` x `width` pixels. The two arrays belong together.

    Parameters
    ----------
    net : HybridBlock
        with ``grids`` and ``anchors``: for each scale three (width, height) in pixels, in the order of the outputs
    height, width : int

    Raises ValueError for a size that the network does not take, and if the arrays are more than the memory.

    Returns
    -------
    priors : float32 array [1, N, 6]
        of each row: column and row of its cell (whole numbers), columns and rows of its grid, width and height of its
        anchor (fractions of the input)
    anchor_table : float32 array [9, 6]
        of each anchor, those of the finest scale first (darknet's order, from small to large): its width and height
        (fractions of the input), columns and rows of its scale's grid, the number of the scale's first row among the N,
        and its place among the scale's anchors
    """
    grids = net.grids(height, width)
    counts = [rows * columns * len(anchors) for (rows, columns), anchors in zip(grids, net.anchors)]
    require_memory(f'cells of {height} x {width} pixels', 2 * 8 * 6 * sum(counts))   # float64, and joined
    priors, table = [], []
    for (rows, columns), anchors, first in zip(grids, net.anchors, np.cumsum([0, *counts])):
        sizes = np.array(anchors) / (width, height)   # [anchors, 2]
        row, column, place = (x.reshape(-1, 1) for x in np.indices((rows, columns, len(anchors))))
        grid = np.broadcast_to([columns, rows], (len(place), 2))
        priors.append(np.concatenate([column, row, grid, sizes[place[:, 0]]], axis=1))
        table.append([(*size, columns, rows, first, i) for i, size in enumerate(sizes)])
    return np.concatenate(priors)[None].astype('float32'), np.concatenate(table[::-1]).astype('float32')
