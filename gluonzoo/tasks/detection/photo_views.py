"""A photo as a fully convolutional network sees it: enlarged or shrunk, in the middle of black, mirrored or not.

Deviations from the tests of CenterNet's official code:

1. The last row and column of a photo whose size is that of the input are seen. There they are black.
2. Both sides of an enlarged or shrunk photo are whole pixels, and places are divided by the ratio of these sides to the
   photo's. There they are divided by the scale: a photo of 333 pixels at 0.6 has 199, and its places end at 331.7.
"""
import cv2
import numpy as np

from ...pictures.resize import resize

__all__ = ['make_view', 'mirror', 'spread']

STRIDE = 4   # pixels of an input to a cell of the network's maps


def make_view(photo, scale, size=None, largest=None):
    """A photo, times `scale`, in the middle of a black input.

    Parameters
    ----------
    photo : uint8 array [H, W, 3]
    scale : float
    size : int, optional
        None: both sides of the input are 1 less than a multiple of 128, as in the tests of CenterNet's official code.
        Otherwise the longer side of the photo is first resized to `size` pixels, and the input is a square: of `size`
        pixels at scale 1, and at other scales of as many pixels as the photo then has, rounded up to 1 less than a
        multiple of 128.
    largest : int, optional
        without `size`, photos whose longer side has more pixels are first shrunk to `largest`

    Returns
    -------
    pixels : uint8 array [h, w, 3]
        the input
    view : tuple of float
        x, y, dx, dy, W, H: the cell in column i and row j of the network's maps begins at the pixel
        (x + i dx, y + j dy) of the photo, which has W x H
    """
    height, width = photo.shape[:2]
    longer = max(height, width)
    if size is None:
        first = 1 if largest is None else min(1, largest / longer)
        shape = [max(1, int(side * first * scale)) for side in (height, width)]
        padded = [side | 127 for side in shape]
    else:
        first = size / longer
        most = max(1, round(scale * size))   # the same for all photos, which rounding their sides might not be
        shape = [most if side == longer else max(1, round(side * first * scale)) for side in (height, width)]
        padded = [size if scale == 1 else most | 127] * 2
    smooth = first < 1   # against aliasing of large photos, which the official code never shrinks so far
    pixels = np.zeros((*padded, 3), 'uint8')
    top, left = (outer // 2 - inner // 2 for outer, inner in zip(padded, shape))
    interpolation = 'area' if smooth and first * scale < 1 else 'linear'
    pixels[top:top + shape[0], left:left + shape[1]] = resize(photo, *shape[::-1], interpolation)
    per_row, per_column = height / shape[0], width / shape[1]   # pixels of the photo to one of the input
    rows, columns = (-(-side // STRIDE) for side in padded)
    return pixels, (-left * per_column, -top * per_row, padded[1] / columns * per_column, padded[0] / rows * per_row,
                    float(width), float(height))


def mirror(pixels, view):
    """Mirrors the result of :func:`make_view`: left and right are exchanged."""
    x, y, dx, dy, width, height = view
    columns = -(-pixels.shape[1] // STRIDE)
    return pixels[:, ::-1], (x + columns * dx, y, -dx, dy, width, height)


def spread(maps, view):
    """Maps of a view's cells as large as the photo, interpolated. float32 [h, w] or [h, w, C] -> [H, W] or [H, W, C]"""
    x, y, dx, dy, width, height = view
    # Values are those of the cells' and pixels' middles: pixel u lies at the cell ((u + .5) - x) / dx - .5.
    matrix = np.array([[1 / dx, 0, (.5 - x) / dx - .5], [0, 1 / dy, (.5 - y) / dy - .5]])
    return cv2.warpAffine(maps, matrix, (round(width), round(height)), borderMode=cv2.BORDER_REPLICATE,
                          flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
