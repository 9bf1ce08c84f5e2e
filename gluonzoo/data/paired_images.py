"""Pairs of aligned pictures: the input and the target of an image-to-image translation."""
import os
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..pictures.decode import ImageError, read_image
from ..registry import DATASETS
from ..values import PATHS
from .dataset import Dataset
from .picture_files import pictures_below, sizes_of, tell_others
from .records import RecordError

__all__ = ['Pair', 'PairedImages', 'find_pairs']

SHOWN = 10   # faults in a message


class Pair(NamedTuple):
    """Two pictures of the same size.

    input, target : NumPy uint8 [H, W, 3], RGB
    record : int, the number in the dataset
    """

    input: np.ndarray
    target: np.ndarray
    record: int


@DATASETS.register('paired_images')
class PairedImages(Dataset):
    """The pairs of a folder, or of two.

    Its samples are :class:`Pair`.

    Parameters
    ----------
    path : str or Path, or two of them
        One folder: each picture shows A and B side by side, A on the left. Two folders, of A and of B: partners have
        the same path in their folders, but for its ending. Pictures may be in folders within these, as the official
        code has it. Pictures are of the kinds that :func:`~gluonzoo.data.read_image` reads. Other files are left out,
        and a RuntimeWarning counts them. What begins with a dot is left out in any case.
    direction : str
        'AtoB': A is the input and B the target; 'BtoA'
    transform : dict or transform, optional
        'name' ('pair_train' or 'pair_resize') and its keywords, see :func:`gluonzoo.data.transforms.make_transform`;
        without it, only :meth:`sample` can be called

    Attributes
    ----------
    path, transform, arrays, skipped
        see :class:`~gluonzoo.data.dataset.Dataset`
    direction : str
    files : list
        of each record: the path of its file, or the paths of both

    Raises
    ------
    FileNotFoundError
        if a folder is not there.
    ValueError
        if there are no pictures, or if a picture has no partner, has a partner of another size, or cannot be halved; or
        if what is given as one folder looks like two, of A and of B. (All of this is found here, before anything is
        trained.) Also for wrong keywords.
    """

    def __init__(self, path: PATHS, direction='AtoB', transform=None):
        super().__init__(path, transform)
        if direction not in ('AtoB', 'BtoA'):
            raise ValueError(f"direction: must be 'AtoB' or 'BtoA': {direction!r}")
        if not isinstance(path, (str, Path)) and len(path) != 2:
            raise ValueError(f'path: must be one folder or two: {path!r}')
        self.direction = direction
        self._folders = [Path(path)] if isinstance(path, (str, Path)) else [Path(one) for one in path]
        self.files = (_single_files if len(self._folders) == 1 else _partners)(*self._folders)

    def __len__(self):
        return len(self.files)

    @classmethod
    def in_folder(cls, folder, split):
        return {'path': find_pairs(folder, split)}

    def sample(self, record):
        """One pair.

        Returns
        -------
        Pair

        Raises
        ------
        IndexError
            if `record` is not in 0 .. len - 1.
        RecordError
            naming the file: it cannot be read, or it has changed since the dataset was made.
        """
        if not 0 <= record < len(self):
            raise IndexError(f'record {record} of {len(self)}')
        files = self.files[record]
        try:
            if isinstance(files, Path):
                image = read_image(files)
                width = image.shape[1] // 2
                a, b = image[:, :width], image[:, width:]
            else:
                a, b = map(read_image, files)
        except (ImageError, OSError) as error:
            raise RecordError(f'record {record}: {error}') from error
        if a.shape != b.shape:
            raise RecordError(f'record {record}: {_said(files)}: {_size(a)} and {_size(b)} pixels')
        return Pair(a, b, record) if self.direction == 'AtoB' else Pair(b, a, record)

    def identity(self):
        """Yields the name of each file below its folder, and its size in bytes."""
        for files in self.files:
            for path, folder in zip(files if isinstance(files, tuple) else (files,), self._folders):
                yield os.fsencode(path.relative_to(folder))
                yield b'%d' % path.stat().st_size


def find_pairs(root, split):
    """The `path` of :class:`PairedImages` for a part of a dataset.

    That is the two folders ``root/A/split`` and ``root/B/split``, or else ``root/split/A`` and ``root/split/B``, or
    else the folder ``root/split``. A RuntimeWarning tells of pictures in ``root/split`` that are not in the two.

    Parameters
    ----------
    root : str or Path
    split : str
        'train', 'val', 'test'

    Raises FileNotFoundError if there is none of them.
    """
    root = Path(root)
    for folders in ([root / 'A' / split, root / 'B' / split], [root / split / 'A', root / split / 'B']):
        if all(folder.is_dir() for folder in folders):
            tell_others(root / split, folders, 'pairs')
            return [str(folder) for folder in folders]
    if (root / split).is_dir():
        return str(root / split)
    raise FileNotFoundError(f'{root}: has no pairs to {split}: neither a folder {split}, nor A/{split} and B/{split}, '
                            f'nor {split}/A and {split}/B')


# -- what is there ---------------------------------------------------------------------------------------------------

def _name(path, folder):
    """The path of a file in a folder, without its ending: what partners have in common."""
    return os.path.splitext(os.path.relpath(path, folder))[0]


def _single_files(folder):
    files = pictures_below(folder)
    _require_one_folder(folder, files)
    _refuse(folder, [f'{path.relative_to(folder)}: {size[0]} pixels wide, which cannot be halved'
                     for path, size in zip(files, sizes_of(files)) if size and size[0] % 2])
    return files


def _require_one_folder(folder, files):
    """ValueError if these are the pictures of A and those of B: each would be taken for a pair, and cut in halves."""
    within = defaultdict(set)   # folder in the folder -> what is in it
    for path in files:
        first, sep, rest = _name(path, folder).partition(os.sep)
        within[first if sep else ''].add(rest)
    sides = sorted(within)
    alike = len(sides) == 2 and within[sides[0]] == within[sides[1]]
    if '' not in within and (alike or set(sides) <= {'A', 'B'}):
        raise ValueError(f'{folder}: looks like the pictures of A and of B in two folders, {" and ".join(sides)}. Name '
                         'the folders A and B, or give both. (If each picture shows both, side by side, rename some)')


def _partners(a, b):
    sides = [{}, {}]
    faults = []
    for folder, by_name in zip((a, b), sides):
        for path in pictures_below(folder):
            name = _name(path, folder)
            if name in by_name:
                faults.append(f'{path}: {by_name[name].name} has the same name')
            by_name[name] = path
    for by_name, others, other in zip(sides, sides[::-1], (b, a)):
        faults += [f'{path}: no partner in {other}' for name, path in by_name.items() if name not in others]
    files = [(path, sides[1][name]) for name, path in sides[0].items() if name in sides[1]]
    sizes = zip(*(sizes_of(side) for side in zip(*files))) if files else ()
    faults += [f'{_said(pair)}: {of_a[0]}x{of_a[1]} and {of_b[0]}x{of_b[1]} pixels'
               for pair, (of_a, of_b) in zip(files, sizes) if of_a and of_b and of_a != of_b]
    _refuse(f'{a} and {b}', faults)
    return files


def _refuse(where, faults):
    if faults:
        shown = faults[:SHOWN] + ([f'and {len(faults) - SHOWN} more'] if len(faults) > SHOWN else [])
        raise ValueError('\n  '.join([f'{where}: not pairs:', *shown]))


def _said(files):
    return f'{files[0]} and {files[1]}' if isinstance(files, tuple) else str(files)


def _size(image):
    return f'{image.shape[1]}x{image.shape[0]}'
