"""Pictures of two domains, A and B, without partners: what an unpaired translation learns from.

Source: the data loading of the official CycleGAN (github.com/junyanz/pytorch-CycleGAN-and-pix2pix,
data/unaligned_dataset.py): an epoch has as many records as the larger domain has pictures; record i shows picture
i mod \\|A\\| of A and any picture of B.
"""
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..pictures.decode import ImageError, read_image
from ..registry import DATASETS
from ..values import PATHS
from .dataset import Dataset
from .labelled_pictures import VALIDATION
from .picture_files import pictures_below, size_said, sizes_of, tell_others
from .records import RecordError

__all__ = ['Unpaired', 'UnpairedImages', 'find_domains']

SHOWN = 5   # pictures in a message


class Unpaired(NamedTuple):
    """A picture of each domain, of any two sizes.

    a, b : NumPy uint8 [H, W, 3], RGB
    record : int, the number in the dataset
    """

    a: np.ndarray
    b: np.ndarray
    record: int


@DATASETS.register('unpaired_images')
class UnpairedImages(Dataset):
    """The pictures of two domains.

    Its samples are :class:`Unpaired`. There are as many records as the larger domain has pictures.

    Parameters
    ----------
    path : str or Path, or two of them
        Two folders, of A and of B; or one, that has the folders A and B. Pictures may be in folders within. They are of
        the kinds that :func:`~gluonzoo.data.read_image` reads. Other files are left out, and a RuntimeWarning counts
        them. What begins with a dot is left out in any case.
    serial : bool
        Which picture of B a record shows. False, to train: any, drawn anew each time by the random numbers that
        :meth:`item` gets; so a training that goes on draws the same again. True, to test: picture record mod \\|B\\|.
    transform : dict or transform, optional
        'name' ('unpaired_train' or 'unpaired_test') and its keywords, see
        :func:`gluonzoo.data.transforms.make_transform`; without it, only :meth:`sample` can be called

    Attributes
    ----------
    path, transform, arrays
        see :class:`~gluonzoo.data.dataset.Dataset`
    skipped : dict
        as there, but by the number of the picture that cannot be read, since many records show it: 0 .. \\|A\\| - 1 for
        those of A, and from there on those of B
    serial : bool
    files_a, files_b : list of Path
        the pictures of each domain, sorted

    Raises
    ------
    FileNotFoundError
        if a folder is not there.
    ValueError
        if both folders are the same, or one is in the other; if a domain has no pictures, or a single one to train on;
        if pictures are smaller than the square that `transform` cuts out of them. (All of this is found here, before
        anything is trained.) Also for wrong keywords.
    """

    def __init__(self, path: PATHS, serial=False, transform=None):
        super().__init__(path, transform)
        self.serial = serial
        a, b = self._folders = _folders(path)
        _require_apart(a, b)
        self.files_a, self.files_b = (pictures_below(folder) for folder in (a, b))
        for folder, files in ((a, self.files_a), (b, self.files_b)):
            if len(files) < 2 and not serial:
                raise ValueError(f'{folder}: a domain must have two or more pictures to train on; has 1')
            _require_size(folder, files, getattr(self.transform, 'least_side', 1))

    def __len__(self):
        return max(len(self.files_a), len(self.files_b))

    @classmethod
    def in_folder(cls, folder, split):
        return {'path': find_domains(folder, split)}

    def sample(self, record):
        """Picture record mod \\|A\\| of A, and picture record mod \\|B\\| of B, whether or not the dataset is serial.

        Returns
        -------
        Unpaired

        Raises
        ------
        IndexError
            if `record` is not in 0 .. len - 1.
        RecordError
            naming the file that cannot be read. Its `record` is the number of the picture, as in `skipped`.
        """
        return self._sample(record, 0)

    def item(self, record, rng, out=None):
        """The arrays of one record, as :meth:`~gluonzoo.data.dataset.Dataset.item` tells. Unless the dataset is serial,
        the first number that is drawn from `rng` says which picture of B it shows."""
        if self.transform is None:
            return super().item(record, rng, out)
        # The record is added, so that another one that takes its place, with the same random numbers, has another
        # partner: the picture that could not be read may be that of B.
        shift = 0 if self.serial else rng.integers(len(self.files_b))
        return self.transform(self._sample(record, shift), rng, (None,) * len(self.arrays) if out is None else out)

    def _sample(self, record, shift):
        if not 0 <= record < len(self):
            raise IndexError(f'record {record} of {len(self)}')
        of_a, of_b = record % len(self.files_a), int((record + shift) % len(self.files_b))
        return Unpaired(_read(self.files_a[of_a], record, of_a),
                        _read(self.files_b[of_b], record, len(self.files_a) + of_b), record)

    def identity(self):
        """Yields the number of pictures of A, and of each file its name below its folder and its size in bytes."""
        yield b'%d' % len(self.files_a)
        for files, folder in zip((self.files_a, self.files_b), self._folders):
            for path in files:
                yield os.fsencode(path.relative_to(folder))
                yield size_said(path)


def find_domains(root, split):
    """The `path` of :class:`UnpairedImages` for a part of a dataset: two folders.

    They are called ``trainA`` and ``trainB``, as the official archives have them, or ``A/train`` and ``B/train``, or
    ``train/A`` and ``train/B``. To validate, 'val', 'valid', 'validation' and 'test' are tried in this order. A
    RuntimeWarning tells of pictures in a folder ``train`` that are in neither of its two.

    Parameters
    ----------
    root : str or Path
    split : 'train' or 'val'

    Raises FileNotFoundError if there are none of them.
    """
    root, names = Path(root), VALIDATION if split == 'val' else (split,)
    for name in names:
        for folders in ([root / f'{name}A', root / f'{name}B'], [root / 'A' / name, root / 'B' / name],
                        [root / name / 'A', root / name / 'B']):
            if all(folder.is_dir() for folder in folders):
                tell_others(root / name, folders, 'two domains')
                return [str(folder) for folder in folders]
    raise FileNotFoundError(f'{root}: has no two domains to {split}: neither {names[0]}A and {names[0]}B, nor A/'
                            f'{names[0]} and B/{names[0]}, nor {names[0]}/A and {names[0]}/B'
                            + f' (nor any of these with {", ".join(names[1:])})' * (len(names) > 1))


def _folders(path):
    """(folder of A, folder of B)"""
    if isinstance(path, (str, os.PathLike)):
        return Path(path, 'A'), Path(path, 'B')
    if len(path) != 2:
        raise ValueError(f'path: must be two folders, of A and of B, or one that has them: {path!r}')
    return Path(path[0]), Path(path[1])


def _require_apart(a, b):
    """ValueError if the pictures of one domain would be those of the other, too."""
    whole_a, whole_b = a.resolve(), b.resolve()
    if whole_a == whole_b:
        raise ValueError(f'path: the domains A and B must be two folders: {a} twice')
    for inner, outer in ((whole_a, whole_b), (whole_b, whole_a)):
        if outer in inner.parents:
            raise ValueError(f'path: the domains A and B must not lie in each other: {a} and {b}')


def _require_size(folder, files, side):
    """ValueError if a picture is smaller than a square of `side` pixels."""
    if side == 1:
        return
    small = [f'{path.relative_to(folder)} {size[0]}x{size[1]}' for path, size in zip(files, sizes_of(files))
             if size and min(size) < side]
    if small:
        more = f' and {len(small) - SHOWN} more' * (len(small) > SHOWN)
        raise ValueError(f'{folder}: pictures must have {side} x {side} pixels or more, as crop_size asks for where '
                         f'nothing is resized: {", ".join(small[:SHOWN])}{more}')


def _read(path, record, number):
    try:
        return read_image(path)
    except (ImageError, OSError) as error:
        raise RecordError(f'record {record}: {error}', number) from error
