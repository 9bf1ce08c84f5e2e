"""What CenterNet should say of an image: heat maps, and where each object's keypoints lie.

As the official code of "CenterNet: Keypoint Triplets for Object Detection" (Duan et al., 2019) makes them.
"""
from math import sqrt
from typing import NamedTuple

import numpy as np

__all__ = ['KeypointTargets', 'keypoint_targets', 'gaussian_radius', 'draw_gaussian']


class KeypointTargets(NamedTuple):
    """Targets of B images with up to M objects. tl, br, ct: top-left corner, bottom-right corner, centre."""

    tl_heat: np.ndarray     # float32 [B, classes, H, W]: 1 at keypoints, less around them, 0 elsewhere
    br_heat: np.ndarray
    ct_heat: np.ndarray
    tl_cell: np.ndarray     # float32 [B, M]: row * W + column
    br_cell: np.ndarray
    ct_cell: np.ndarray
    tl_offset: np.ndarray   # float32 [B, M, 2]: x and y within the cell, 0 to 1
    br_offset: np.ndarray
    ct_offset: np.ndarray
    mask: np.ndarray        # float32 [B, M]: 1 for objects; the rest fills up


def keypoint_targets(labels, classes, input_size, heat_size, overlap=.7, objects=128):
    """Targets for the heads of :class:`gluonzoo.models.centernet.CenterNet`.

    A box is clipped to 0 .. size - 1 of the input; what is left without area is no object. Objects after the first
    `objects` have no tags and offsets, but they are on the heat maps.

    Parameters
    ----------
    labels : array [B, M, 5 or more]
        class, xmin, ymin, xmax, ymax (fractions of the input) of up to M objects; rows of class -1 are no objects
    classes : int
    input_size, heat_size : (int, int)
        height and width of the input in pixels and of the heat maps in cells
    overlap : float
        see :func:`gaussian_radius`
    objects : int

    Returns
    -------
    KeypointTargets

    Raises ValueError if a class is not one of 0 .. classes - 1.
    """
    labels = np.asarray(labels, 'float64')
    greatest = labels[:, :, 0].max(initial=-1)
    if greatest >= classes:
        raise ValueError(f'labels: a class must be below {classes}: {greatest:g}')
    height, width = heat_size
    heats = np.zeros((3, len(labels), classes, height, width), 'float32')
    cells = np.zeros((3, len(labels), objects), 'float32')
    offsets = np.zeros((3, len(labels), objects, 2), 'float32')
    mask = np.zeros((len(labels), objects), 'float32')
    size, cells_per_pixel = np.array(input_size[::-1]), np.array(heat_size[::-1]) / input_size[::-1]   # x, y
    for image, rows in enumerate(labels):
        rows = rows[rows[:, 0] >= 0]
        low, high = (np.clip(rows[:, i:i + 2] * size, 0, size - 1) for i in (1, 3))   # [M, (x, y)], pixels
        kept = (high > low).all(1)
        numbers, low, high = rows[kept, 0].astype(int), low[kept], high[kept]
        extents = np.ceil((high - low) * cells_per_pixel)
        points = np.stack([low, high, (low + high) / 2]) * cells_per_pixel   # [3, M, (x, y)], cells
        corners = points.astype(int)
        for number, (w, h), (tl, br, ct) in zip(numbers, extents, corners.swapaxes(0, 1)):
            radius = int(gaussian_radius(h, w, overlap))
            draw_gaussian(heats[0, image, number], tl, radius, 6)
            draw_gaussian(heats[1, image, number], br, radius, 6)
            draw_gaussian(heats[2, image, number], ct, radius, 5)
        count = min(len(numbers), objects)
        cells[:, image, :count] = (corners[..., 1] * width + corners[..., 0])[:, :count]
        offsets[:, image, :count] = (points - corners)[:, :count]
        mask[image, :count] = 1
    return KeypointTargets(*heats, *cells, *offsets, mask)


def gaussian_radius(height, width, overlap):
    """How far a corner may be off its place, such that the box still has an IoU of `overlap` with the true one.

    That is the idea: there are three ways to be off, and each is a quadratic equation. The official code solves them
    without dividing by the leading coefficient (there is only ``/ 2``), and everything published was trained with that;
    so this does, too. A square box gets 3.3 times the radius that way, at an overlap of 0.7.

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
