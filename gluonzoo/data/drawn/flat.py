"""Flat drawings: polygons and lines of one colour each, with soft edges, in few colours. x goes right and y down.

Shapes are given in units of the picture's side, so that a small picture shows the same as a large one.
"""
import cv2
import numpy as np

__all__ = ['FINER', 'canvas', 'fill', 'line', 'shrunk']

FINER = 4         # so many times larger is drawn than is shown: where a colour ends, pixels have a share of it
_FRACTION = 4     # cv2 takes points as whole numbers, in units of 2 ** -4 pixel


def canvas(size, value):
    """An array to draw on, for a picture of `size` pixels: [F * size, F * size] or, for a colour, [.., .., 3]."""
    return np.full((FINER * size, FINER * size, *np.shape(value)), value, np.uint8)


def fill(picture, points, value):
    """Fills the polygon with the corners `points` [n, 2]; it may reach beyond the picture."""
    cv2.fillPoly(picture, [_fixed(picture, points)], _plain(value), shift=_FRACTION)


def line(picture, points, width, value):
    """Draws a line with round ends and corners through `points` [n, 2]."""
    cv2.polylines(picture, [_fixed(picture, points)], False, _plain(value), max(1, round(width * len(picture))),
                  shift=_FRACTION)


def shrunk(picture):
    """What has been drawn at the size at which it is shown, uint8."""
    size = len(picture) // FINER
    return cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)


def _fixed(picture, points):
    return np.rint(np.asarray(points, float) * len(picture) * 2 ** _FRACTION).astype(np.int32)


def _plain(value):
    return np.asarray(value).tolist()
