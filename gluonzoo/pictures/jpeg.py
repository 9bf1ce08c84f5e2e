"""Pictures as JPEG: the bytes, and files of them."""
from pathlib import Path

import cv2

from ..files import folder_for, replacing
from .check import check_images

__all__ = ['MAX_SIDE', 'encode_jpeg', 'write_jpeg']

MAX_SIDE = 65500   # pixels; libjpeg refuses more


def encode_jpeg(picture, quality=95):
    """A picture as the content of a JPEG file.

    Parameters
    ----------
    picture : uint8 array [H, W, 3], RGB
    quality : int
        1 to 100

    Returns
    -------
    bytes : the same for the same picture and quality, as long as OpenCV is the same

    Raises
    ------
    ValueError
        for an array that is no picture; if a side of the picture has more than ``MAX_SIDE`` pixels
    """
    _check_size('picture', picture)
    return cv2.imencode('.jpg', picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def write_jpeg(path, picture, quality=95):
    """Writes a picture as a JPEG file, and makes the folder of the file.

    After an error or a kill the file is not there, or still the former one.

    Parameters
    ----------
    path : str or Path
    picture, quality
        see :func:`encode_jpeg`

    Raises
    ------
    ValueError
        as :func:`encode_jpeg`
    OSError
        if the file cannot be written
    """
    path = Path(path)
    _check_size(path, picture)
    content = encode_jpeg(picture, quality)
    with folder_for(path), replacing(path) as (partial,):
        partial.write_bytes(content)


def _check_size(name, picture):
    check_images([picture])
    height, width = picture.shape[:2]
    if max(height, width) > MAX_SIDE:
        raise ValueError(f'{name}: a JPEG has at most {MAX_SIDE} pixels a side: {width} x {height}')
