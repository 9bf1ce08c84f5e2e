"""The part of a photo that a fine-grained classifier is tested with."""
from ..values import Rule, check, number
from .resize import resize

__all__ = ['check_crop', 'squeezed', 'squeezed_middle']

LEAST_CROP = 0.5   # the photo gets at most four times the pixels of what is cut out
_CROP = Rule(f'from {LEAST_CROP} to 1', number(LEAST_CROP, 1).holds)


def check_crop(crop):
    """ValueError unless `crop` is a number from 0.5 to 1."""
    check('crop', crop, _CROP)


def squeezed(image, size, crop=0.875):
    """A photo with both sides of ``int(size / crop)`` pixels, whatever its aspect ratio.

    Parameters
    ----------
    image : uint8 array [H, W, 3]
    size : int
        pixels
    crop : float, from 0.5 to 1

    Returns
    -------
    uint8 array [int(size / crop), int(size / crop), 3]

    Raises ValueError for another `crop`.
    """
    check_crop(crop)
    side = int(size / crop)
    return resize(image, side, side)


def squeezed_middle(image, size, crop=0.875):
    """The middle, a square, of a photo whose sides are both resized to ``int(size / crop)`` pixels.

    The whole width and height of the photo count, and its aspect ratio is lost, as in WS-DAN's training and tests.

    Parameters
    ----------
    image : uint8 array [H, W, 3]
    size : int
        pixels
    crop : float, from 0.5 to 1

    Returns
    -------
    uint8 array [size, size, 3]

    Raises ValueError for another `crop`.
    """
    photo = squeezed(image, size, crop)
    corner = round((len(photo) - size) / 2)
    return photo[corner:corner + size, corner:corner + size]
