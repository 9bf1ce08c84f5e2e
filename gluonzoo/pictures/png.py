"""Pictures as PNG files, which hold them without loss."""
from pathlib import Path

import cv2

from ..files import folder_for, replacing
from .check import check_images

__all__ = ['write_png']


def write_png(path, picture):
    """Writes a picture as a PNG file, and makes the folder of the file.

    After an error or a kill the file is not there, or still the former one.

    Parameters
    ----------
    path : str or Path
    picture : uint8 array [H, W, 3], RGB

    Raises
    ------
    ValueError
        for an array that is no picture
    OSError
        if the file cannot be written
    """
    check_images([picture])
    content = cv2.imencode('.png', picture[..., ::-1])[1].tobytes()   # cv2.imwrite does not say why it cannot
    path = Path(path)
    with folder_for(path), replacing(path) as (partial,):
        partial.write_bytes(content)
