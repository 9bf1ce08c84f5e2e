"""Pictures within a page, as data: URIs.

What a page has are never the bytes of a file, but its pixels, encoded anew: a file may be none of the kind that its
name says, and may hold what nobody wants to pass on, such as the place of a photo.
"""
import base64
import re
from typing import NamedTuple

from ..pictures.decode import ImageError, read_image
from ..pictures.jpeg import encode_jpeg
from ..pictures.resize import resize

__all__ = ['Picture', 'embedded', 'read_pictures', 'read_samples']

MOST = 48   # samples of a page; of 100 kB each
SIDE = 1280   # pixels; larger pictures are made smaller
QUALITY = 85
_SAMPLE = re.compile(r'epoch-(\d{3,9})\.jpg')


class Picture(NamedTuple):
    """A picture that a page has."""
    name: str
    uri: str
    width: int
    height: int
    epoch: int = 0


def embedded(name, picture, epoch=0):
    """An RGB picture, uint8 [H, W, 3], as :class:`Picture`: at most SIDE pixels a side."""
    height, width = picture.shape[:2]
    scale = SIDE / max(height, width)
    if scale < 1:
        width, height = (max(1, round(side * scale)) for side in (width, height))
        picture = resize(picture, width, height)
    content = base64.b64encode(encode_jpeg(picture, QUALITY)).decode()
    return Picture(name, f'data:image/jpeg;base64,{content}', width, height, epoch)


def read_samples(directory, wanted=()):
    """The pictures after each epoch in a run's directory samples.

    Parameters
    ----------
    directory : Path
    wanted : sequence of int
        epochs that are not left out where there are more than MOST

    Returns
    -------
    list of Picture, the first epoch first; and what is missing, in words: list of str
    """
    found = {int(match[1]): path for path in (directory.iterdir() if directory.is_dir() else ())
             for match in [_SAMPLE.fullmatch(path.name)] if match}
    epochs = sorted(found)
    notes = []
    if len(epochs) > MOST:
        spread = {epochs[round(i * (len(epochs) - 1) / (MOST - 1))] for i in range(MOST)}
        chosen = sorted(spread | set(wanted) & set(epochs))
        notes.append(f'{len(chosen)} of {len(epochs)} epochs')
        epochs = chosen
    pictures, failed = read_pictures([(f'epoch {epoch}', found[epoch], epoch) for epoch in epochs])
    return pictures, notes + failed


def read_pictures(files):
    """Files as pictures of a page: list of (name, path, epoch) -> list of Picture, and why others are not there."""
    pictures, failed = [], []
    for name, path, epoch in files:
        try:
            pictures.append(embedded(name, read_image(path), epoch))
        except (ImageError, OSError) as error:
            reason = str(error) if isinstance(error, ImageError) else f'{path}: {error.strerror}'
            failed.append(f'{name} cannot be shown: {reason}')
    return pictures, failed
