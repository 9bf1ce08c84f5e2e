"""CenterNet's targets for an image: heat maps, and the cells and offsets of each object's keypoints.

As the official code of "CenterNet: Keypoint Triplets for Object Detection" (Duan et al., 2019) makes them.
"""
from math import ceil, sqrt
from typing import NamedTuple

import numpy as np

__all__ = ['STRIDE', 'KeypointTargets', 'target_shapes', 'keypoint_targets', 'gaussian_radius', 'draw_gaussian']

STRIDE = 4   # pixels of an image a cell of its heat maps, each way


class KeypointTargets(NamedTuple):
    """Targets of an image with up to M objects. tl, br, ct: top-left corner, bottom-right corner, centre.

    Those of a batch have the batch axis in front.
    """

    tl_heat: np.ndarray     # float32 [classes, H, W]: 1 at keypoints, less around them, 0 elsewhere
    br_heat: np.ndarray
    ct_heat: np.ndarray
    tl_cell: np.ndarray     # float32 [M]: row * W + column
    br_cell: np.ndarray
    ct_cell: np.ndarray
    tl_offset: np.ndarray   # float32 [M, 2]: x and y within the cell, 0 to 1
    br_offset: np.ndarray
    ct_offset: np.ndarray
    mask: np.ndarray        # float32 [M]: 1 for objects; the rest fills up


def target_shapes(image_size, classes, objects):
    """The shape of each target, as a KeypointTargets.

    Parameters
    ----------
    image_size : (int, int)
        height and width of the image in pixels
    classes : int
    objects : int
        M, the most that have tags and offsets
    """
    heat = classes, *(ceil(side / STRIDE) for side in image_size)
    return KeypointTargets(*3 * (heat,), *3 * ((objects,),), *3 * ((objects, 2),), (objects,))


def keypoint_targets(labels, image_size, out, overlap=.7):
    """Writes the targets of an image for the heads of :class:`gluonzoo.models.centernet.CenterNet`.

    A box is clipped to 0 .. size - 1 of the image. A box without area is no object then. Objects after the first M have
    no tags and offsets, but they are on the heat maps.

    Parameters
    ----------
    labels : array [n, 5 or more]
        class, xmin, ymin, xmax, ymax (fractions of the image) of the objects; rows of class -1 are no objects
    image_size : (int, int)
        height and width of the image in pixels
    out : KeypointTargets
        float32 arrays, all of which are written. Their shapes give the number of classes, the cells of the heat maps,
        and M.
    overlap : float
        see :func:`gaussian_radius`

    Returns
    -------
    KeypointTargets, `out`

    Raises ValueError if a class is not below the number of classes.
    """
    labels = np.asarray(labels, 'float64')
    classes, height, width = out.tl_heat.shape
    greatest = labels[:, 0].max(initial=-1)
    if greatest >= classes:
        raise ValueError(f'labels: a class must be below {classes}: {greatest:g}')
    size = np.array(image_size[::-1])                         # x, y
    cells_per_pixel = np.array([width, height]) / size
    rows = labels[labels[:, 0] >= 0]
    low, high = (np.clip(rows[:, i:i + 2] * size, 0, size - 1) for i in (1, 3))   # [n, (x, y)], pixels
    kept = (high > low).all(1)
    numbers, low, high = rows[kept, 0].astype(int), low[kept], high[kept]
    extents = np.ceil((high - low) * cells_per_pixel)
    points = np.stack([low, high, (low + high) / 2]) * cells_per_pixel   # [3, n, (x, y)], cells
    corners = points.astype(int)

    for array in out:
        array[:] = 0
    for number, (w, h), centers in zip(numbers, extents, corners.swapaxes(0, 1)):
        radius = int(gaussian_radius(h, w, overlap))
        for heat, center, sharpness in zip(out[:3], centers, (6, 6, 5)):
            draw_gaussian(heat[number], center, radius, sharpness)
    count = min(len(numbers), len(out.mask))
    for cells, offsets, corner, point in zip(out[3:6], out[6:9], corners[:, :count], points[:, :count]):
        cells[:count] = corner[:, 1] * width + corner[:, 0]
        offsets[:count] = point - corner
    out.mask[:count] = 1
    return out


def gaussian_radius(height, width, overlap):
    """How far a corner may be from its place, if the box is to have an IoU of `overlap` with the true box.

    This is the idea. A corner can be wrong in three ways, and each way gives a quadratic equation. The official code
    solves the equations without dividing by the leading coefficient (there is only ``/ 2``). Everything published was
    trained with these radii, so this function computes them, too. At an overlap of 0.7, the radius of a square box is
    3.3 times the right one.

    Parameters
    ----------
    height, width : float
        of the box, in any unit
    overlap : float
        0 to 1

    Returns
    -------
    float, at least 0, in the unit of the box
    """
    total, area = height + width, height * width
    quadratics = (   # leading coefficient, linear one, constant
        (1, total, area * (1 - overlap) / (1 + overlap)),
        (4, 2 * total, area * (1 - overlap)),
        (4 * overlap, -2 * overlap * total, area * (overlap - 1)))
    return min((b + sqrt(b * b - 4 * a * c)) / 2 for a, b, c in quadratics)


def draw_gaussian(heat, center, radius, sharpness):
    """Raises a heat map to a Gaussian bump that is 1 at a cell.

    Parameters
    ----------
    heat : array [H, W]
        changed in place, where it is lower
    center : (int, int)
        column and row, on the map
    radius : int
        The bump is a square of 2 radius + 1 cells; what is outside of the map is cut off.
    sharpness : float
        The standard deviation is (2 radius + 1) / sharpness cells.
    """
    column, row = center
    sigma = (2 * radius + 1) / sharpness
    line = np.exp(-np.arange(-radius, radius + 1) ** 2 / (2 * sigma * sigma))
    top, left = max(row - radius, 0), max(column - radius, 0)
    spot = heat[top:row + radius + 1, left:column + radius + 1]
    first_row, first_column = top - (row - radius), left - (column - radius)
    bump = np.outer(line[first_row:first_row + spot.shape[0]], line[first_column:first_column + spot.shape[1]])
    np.maximum(spot, bump, out=spot, casting='same_kind')
