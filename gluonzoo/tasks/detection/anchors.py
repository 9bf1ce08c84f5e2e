"""Anchors: the boxes that a single-shot detector corrects, made from the attributes of the network."""
import numpy as np

from ...boxes import center_to_corner
from ...memory import require as require_memory

__all__ = ['make_anchors']


def make_anchors(net, height, width):
    """All anchors of `net` for inputs of `height` x `width` pixels, in the order of its outputs.

    Parameters
    ----------
    net : HybridBlock
        with ``grids``, ``anchor_shapes`` and ``anchor_steps``. On scale s, the center of the cell in row i and column j
        is at ((j + .5) step, (i + .5) step) pixels, where ``step = net.anchor_steps[s]``; if that is None, at
        ((j + .5) / columns, (i + .5) / rows) of the input.
    height, width : int

    Raises ValueError if they are more than the memory.

    Returns
    -------
    float32 array [1, A, 4]
        corner format, fractions of the input, which a box may leave; ordered by scale, row, column, shape.
    """
    grids = net.grids(height, width)
    count = sum(rows * columns * len(shapes) for (rows, columns), shapes in zip(grids, net.anchor_shapes))
    require_memory(f'anchors of {height} x {width} pixels', 2 * 8 * 4 * count)   # float64, and as corners
    boxes = []
    for (rows, columns), step, shapes in zip(grids, net.anchor_steps, net.anchor_shapes):
        cy = (np.arange(rows) + 0.5) * (1 / rows if step is None else step / height)
        cx = (np.arange(columns) + 0.5) * (1 / columns if step is None else step / width)
        centers = np.stack(np.meshgrid(cx, cy), axis=-1)[:, :, None]   # [rows, columns, 1, (x, y)]
        centers, sizes = np.broadcast_arrays(centers, np.array(shapes))   # [rows, columns, shapes, 2] each
        boxes.append(np.concatenate([centers, sizes], axis=-1).reshape(-1, 4))
    return center_to_corner(np.concatenate(boxes))[None].astype('float32')
