"""Pictures of another size."""
import cv2

__all__ = ['resize']

INTERPOLATIONS = {'area': cv2.INTER_AREA, 'cubic': cv2.INTER_CUBIC, 'linear': cv2.INTER_LINEAR}


def resize(image, width, height, interpolation=None):
    """An image at another size, whatever its aspect ratio.

    Parameters
    ----------
    image : uint8 or float32 array [H, W, 3]
    width, height : int
        pixels, at least 1
    interpolation : {None, 'area', 'cubic', 'linear'}
        None: by area where neither side grows, else cubic. Name one where an official code asks for it.

    Returns
    -------
    array [height, width, 3] of the image's type; the image itself, and no copy, where it has that size

    Raises
    ------
    ValueError
        if `interpolation` is none of these
    """
    if interpolation is None:
        interpolation = 'area' if image.shape[0] >= height and image.shape[1] >= width else 'cubic'
    elif interpolation not in INTERPOLATIONS:
        raise ValueError(f'interpolation: must be None or one of {", ".join(map(repr, INTERPOLATIONS))}: '
                         f'{interpolation!r}')
    if image.shape[:2] == (height, width):
        return image
    return cv2.resize(image, (width, height), interpolation=INTERPOLATIONS[interpolation])
