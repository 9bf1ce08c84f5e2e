"""Pictures without labels or partners: what a network that makes such pictures learns from."""
import hashlib
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..pictures.decode import ImageError, read_image
from ..registry import DATASETS
from ..values import PATH
from .dataset import Dataset
from .labelled_pictures import VALIDATION
from .picture_files import pictures_below, size_said, tell_others
from .records import RecordError

__all__ = ['Picture', 'Pictures']

PARTS = 'all', 'train', 'val'
SHARE = 10   # one picture of so many is to validate with, where a folder has no such part of its own


class Picture(NamedTuple):
    """One picture.

    image : NumPy uint8 [H, W, 3], RGB
    record : int, the number in the dataset
    """

    image: np.ndarray
    record: int


@DATASETS.register('pictures')
class Pictures(Dataset):
    """The pictures of a folder and of all folders in it.

    Its samples are :class:`Picture`.

    Parameters
    ----------
    path : str or Path
        Pictures of any sizes, of the kinds that :func:`~gluonzoo.data.read_image` reads. Other files are left out, and
        a RuntimeWarning counts them. What begins with a dot is left out in any case.
    part : {'all', 'train', 'val'}
        'val' is a tenth of them, at least one: those the SHA-1 of whose paths below the folder are the least. So it
        looks drawn by lot, is the same on every machine, and hardly changes when pictures are added. 'train' are the
        others.
    transform : dict or transform, optional
        'name' ('picture_train' or 'picture_middle') and its keywords, see
        :func:`gluonzoo.data.transforms.make_transform`; without it, only :meth:`sample` can be called

    Attributes
    ----------
    path, transform, arrays, skipped
        see :class:`~gluonzoo.data.dataset.Dataset`
    files : list of Path
        the pictures, sorted

    Raises
    ------
    FileNotFoundError
        if the folder is not there.
    ValueError
        if there are no pictures in it, or, to be split, a single one. Also for wrong keywords.
    """

    def __init__(self, path: PATH, part='all', transform=None):
        super().__init__(Path(path), transform)
        if part not in PARTS:
            raise ValueError(f'part: must be one of {", ".join(map(repr, PARTS))}: {part!r}')
        self.files = pictures_below(self.path)
        if part != 'all':
            if len(self.files) < 2:
                raise ValueError(f'{self.path}: must have two or more pictures, one of them to validate with; has 1')
            kept = self._to_validate()
            self.files = [path for path in self.files if (path in kept) == (part == 'val')]

    def __len__(self):
        return len(self.files)

    @classmethod
    def in_folder(cls, folder, split):
        """The folder ``train`` in it, or ``val`` (or ``valid``, ``validation``, ``test``). Where there are not both,
        ``train``, or else the folder itself, is split, as `part` tells."""
        folder = Path(folder)
        if not folder.is_dir():
            raise FileNotFoundError(f'{folder}: no such folder')
        train = folder / 'train'
        if not train.is_dir():
            return {'path': str(folder), 'part': split}
        val = next((folder / name for name in VALIDATION if (folder / name).is_dir()), None)
        if val is None:
            tell_others(folder, [train], 'pictures')
            return {'path': str(train), 'part': split}
        return {'path': str(train if split == 'train' else val), 'part': 'all'}

    def sample(self, record):
        """The picture of one record.

        Returns
        -------
        Picture

        Raises IndexError if there is no such record, and RecordError if the file cannot be read.
        """
        if not 0 <= record < len(self):
            raise IndexError(f'record {record} of {len(self)}')
        try:
            return Picture(read_image(self.files[record]), record)
        except (ImageError, OSError) as error:
            raise RecordError(f'record {record}: {error}') from error

    def identity(self):
        """Yields the name of each file below the folder, and its size in bytes."""
        for path in self.files:
            yield os.fsencode(path.relative_to(self.path))
            yield size_said(path)

    def _to_validate(self):
        ordered = sorted(self.files, key=lambda path: hashlib.sha1(os.fsencode(path.relative_to(self.path))).digest())
        return set(ordered[:max(1, len(ordered) // SHARE)])
