"""Whole pictures in a square, whatever their aspect ratio, and where their boxes are in it.

Source: ``letterbox_image`` and ``correct_yolo_boxes`` of darknet (github.com/pjreddie/darknet, src/image.c and
src/yolo_layer.c). The sides of the picture in the square are those of darknet. Deviations:

1. Boxes move by the whole pixels by which the picture moves, both ways; there, predictions can be half a pixel off.
2. Resizing keeps the picture's edges in place; there, the centres of its first and last pixels, so that objects lie up
   to half a pixel beside their boxes.
3. A picture has at least one pixel each way, however narrow; there, nothing of a strip may be seen.
"""
from typing import NamedTuple

import numpy as np

from .resize import resize

__all__ = ['GREY', 'Placement', 'letterbox', 'letterboxed']

GREY = 127.5   # of 0..255, where there is no picture


class Placement(NamedTuple):
    """Where a picture lies in a square, and on which scale."""
    left: int
    """pixels of the square"""
    top: int
    width: int
    """of the picture in the square, in its pixels"""
    height: int
    scales: tuple
    """(of x, of y): pixels of the square per pixel of the picture"""

    @classmethod
    def of(cls, left, top, width, height, image_size):
        """The placement of a picture whose own width and height are `image_size`."""
        return cls(left, top, width, height, (width / image_size[0], height / image_size[1]))

    @property
    def window(self):
        """The slices of rows and of columns that the picture has in an array of the square."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)

    def into(self, boxes):
        """Boxes of the picture, in its pixels, as boxes in the square, in the square's pixels.

        float array [..., 4], xmin ymin xmax ymax -> new array of this shape and type. Nothing is cut off.
        """
        return boxes * self._scales(boxes) + self._corner(boxes)

    def back(self, boxes):
        """Boxes in the square, in its pixels, as boxes of the picture, in its pixels: the inverse of :meth:`into`."""
        return (boxes - self._corner(boxes)) / self._scales(boxes)

    def _scales(self, boxes):
        return np.array(2 * self.scales, boxes.dtype)

    def _corner(self, boxes):
        return np.array(2 * (self.left, self.top), boxes.dtype)


def letterbox(width, height, size):
    """Where a picture lies that is as large as it can be in a square, at its aspect ratio, in the middle.

    The longer side is `size`; the other one is rounded down, but is at least a pixel.

    Parameters
    ----------
    width, height : int
        of the picture in pixels
    size : int
        of the square

    Returns
    -------
    Placement

    Examples
    --------
    >>> letterbox(640, 480, 416)
    Placement(left=0, top=52, width=416, height=312, scales=(0.65, 0.65))
    """
    longer = max(width, height)
    inner = max(1, width * size // longer), max(1, height * size // longer)
    left, top = ((size - side) // 2 for side in inner)
    return Placement.of(left, top, *inner, (width, height))


def letterboxed(image, size):
    """A picture as :func:`letterbox` places it, with grey around.

    Parameters
    ----------
    image : uint8 array [H, W, 3]
    size : int
        pixels

    Returns
    -------
    float32 array [size, size, 3]
        0..255; the grey is 127.5
    """
    place = letterbox(*image.shape[1::-1], size)
    square = np.full((size, size, 3), GREY, np.float32)
    square[place.window] = resize(image, place.width, place.height, 'linear')
    return square
