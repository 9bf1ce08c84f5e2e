"""Pictures as files of several kinds: PNG, JPEG, and animated GIF."""
import io
from pathlib import Path

from PIL import Image

from ..files import folder_for, replacing
from .check import check_images
from .jpeg import write_jpeg
from .png import write_png

__all__ = ['STILL', 'write_animation', 'write_picture']

STILL = ('.png', '.jpg', '.jpeg')   # suffixes of what write_picture writes


def write_picture(path, picture):
    """Writes a picture as a PNG or a JPEG file, as its suffix says, and makes the folder of the file.

    After an error or a kill the file is not there, or still the former one.

    Parameters
    ----------
    path : str or Path
        ends with .png, .jpg or .jpeg
    picture : uint8 array [H, W, 3], RGB

    Raises
    ------
    ValueError
        for another suffix or an array that is no picture
    OSError
        if the file cannot be written
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in STILL:
        raise ValueError(f'{path}: must end with {", ".join(STILL)}')
    (write_png if suffix == '.png' else write_jpeg)(path, picture)


def write_animation(path, pictures, milliseconds=80):
    """Writes pictures of one size as a GIF that repeats for ever, as :func:`write_picture` writes one.

    Parameters
    ----------
    path : str or Path
    pictures : list of uint8 arrays [H, W, 3], RGB
        at least one
    milliseconds : int
        for each picture
    """
    check_images(pictures)
    first, *rest = map(Image.fromarray, pictures)
    content = io.BytesIO()   # Pillow names no file in its errors
    first.save(content, 'GIF', save_all=True, append_images=rest, duration=milliseconds, loop=0)
    path = Path(path)
    with folder_for(path), replacing(path) as (partial,):
        partial.write_bytes(content.getvalue())
