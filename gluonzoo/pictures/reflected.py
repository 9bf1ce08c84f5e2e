"""Pictures made larger by their own reflection, for networks that halve them."""
import numpy as np

__all__ = ['reflected', 'reflected_size']


def reflected(image, multiple, least=1):
    """The image with reflected rows below and columns on the right, so that its sides are multiples of a number.

    The last row and column are not repeated, as in reflection padding. The image is ``result[:H, :W]``.

    Parameters
    ----------
    image : uint8 [H, W, 3]
    multiple : int, at least 1
    least : int
        pixels that each side must have afterwards, too

    Returns
    -------
    uint8 array [H', W', 3]; the image itself, and no copy, where it has such a size
    """
    more = [after - side for after, side in zip(reflected_size(image.shape[:2], multiple, least), image.shape)]
    if not any(more):
        return image
    return np.pad(image, [(0, more[0]), (0, more[1]), (0, 0)], 'reflect')


def reflected_size(size, multiple, least=1):
    """The height and width that :func:`reflected` gives an image of this height and width: list of int."""
    return [-(-max(side, least) // multiple) * multiple for side in size]
