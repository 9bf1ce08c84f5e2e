"""The part of a photo that a classifier looks at."""
from .resize import resize

__all__ = ['middle_crop']

LONGEST = 16   # sides that differ by more are cut first


def middle_crop(image, size, crop=1.0):
    """The middle, a square, of a photo that is resized until its shorter side has size / crop pixels.

    Parameters
    ----------
    image : uint8 array [H, W, 3]
    size : int
        pixels
    crop : float, above 0 and at most 1

    Returns
    -------
    uint8 array [size, size, 3]
    """
    longest = LONGEST * min(image.shape[:2])
    top, left = (max(0, side - longest) // 2 for side in image.shape[:2])
    image = image[top:top + longest, left:left + longest]   # of a strip, what lies far from the middle takes memory
    height, width = image.shape[:2]
    scale = size / crop / min(height, width)
    height, width = (max(size, round(scale * side)) for side in (height, width))
    top, left = (height - size) // 2, (width - size) // 2
    return resize(image, width, height)[top:top + size, left:left + size]
