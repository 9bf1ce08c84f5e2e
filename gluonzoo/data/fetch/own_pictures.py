"""Small copies of anyone's pictures: what a training reads many times is decoded and shrunk once."""
import sys
from concurrent.futures import ThreadPoolExecutor

from tqdm import tqdm

from ...pictures.decode import ImageError, read_image
from ...pictures.png import write_png
from ...pictures.resize import resize
from ..pictures import Pictures
from .dataset_folder import DatasetError, make_once

__all__ = ['get_small_copies']

WORKERS = 4
SHOWN = 5    # pictures that cannot be read, in a message


def get_small_copies(source, out, size):
    """Sees to it that a folder holds small copies of the pictures of another one: ``train/*.png`` and ``val/*.png``.

    The shorter side of a copy has `size` pixels; a picture whose shorter side has fewer keeps its size. A copy has the
    path that its picture has below its folder. Which ones are to validate with says
    :meth:`gluonzoo.data.Pictures.in_folder`. Pictures that cannot be read are left out, and are named.

    Parameters
    ----------
    source, out : Path
    size : int

    Returns
    -------
    str : words that say what has been done

    Raises
    ------
    FileNotFoundError, ValueError
        if `source` is not there, has fewer than two pictures, or none of a part that can be read.
    DatasetError
        if `out` holds something else, or is in `source`.
    """
    if source.resolve() in (out.resolve(), *out.resolve().parents):
        raise DatasetError(f'--out: must not be in the folder of the pictures, {source}, or its copies would count as '
                           f'pictures: {out}')
    parts = {split: Pictures(**Pictures.in_folder(source, split)) for split in ('train', 'val')}
    card = {'name': 'own pictures', 'size': size,
            'pictures': {split: pictures.fingerprint() for split, pictures in parts.items()}}
    said = {}

    def fill(folder):
        faults = []
        for split, pictures in parts.items():
            copied = _copied(pictures, folder / 'copies' / split, size, faults)
            if not copied:
                raise ValueError(f'{source}: none of its pictures to {split} can be read: {_named(faults)}')
            said[split] = f'{copied} pictures to {split}'
        if faults:
            print(f'{source}: {len(faults)} pictures cannot be read and are left out: {_named(faults)}',
                  file=sys.stderr)
        return folder / 'copies'

    return ', '.join(said.values()) if make_once(out, card, fill) else 'is there already'


def _copied(pictures, folder, size, faults):
    """Copies pictures. -> how many; adds a line to `faults` for each that cannot be read"""
    def copy(path):
        try:
            image = read_image(path)
        except (ImageError, OSError) as error:
            return str(error)
        # The suffix is added, and not replaced: a.jpg and a.png are two pictures.
        write_png(folder / f'{path.relative_to(pictures.path)}.png', _small(image, size))
        return None

    folder.mkdir(parents=True)
    with ThreadPoolExecutor(WORKERS) as executor:
        try:
            found = list(tqdm(executor.map(copy, pictures.files), folder.name, len(pictures), unit=' pictures'))
        except BaseException:   # Ctrl-C, or a full disk
            executor.shutdown(wait=True, cancel_futures=True)
            raise
    faults += filter(None, found)
    return found.count(None)


def _small(image, size):
    """A picture whose shorter side has at most `size` pixels."""
    height, width = image.shape[:2]
    scale = size / min(height, width)
    return image if scale >= 1 else resize(image, max(size, round(scale * width)), max(size, round(scale * height)))


def _named(faults):
    return '; '.join(faults[:SHOWN]) + f' and {len(faults) - SHOWN} more' * (len(faults) > SHOWN)
