"""CIFAR-10 and CIFAR-100 in their binary form: small pictures, each of one class.

A file is records, one after the other: the label, a byte (of CIFAR-100 two, the coarse and the fine label), and then
32 x 32 bytes of red, of green and of blue. Source: https://www.cs.toronto.edu/~kriz/cifar.html.
"""
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..memory import require as require_memory
from ..reading import FileError, read_bytes, read_names
from ..registry import DATASETS
from ..values import PATH
from .dataset import Dataset
from .labelled import Labelled
from .records import RecordError

__all__ = ['CIFAR', 'PIXELS']

SIDE = 32
PIXELS = 3 * SIDE * SIDE   # bytes of a picture
MAX_BYTES = 1 << 31   # of a file


class Form(NamedTuple):
    """How one of the two is laid out."""
    name: str
    folder: str       # in the archive
    files: dict       # split -> names of the files
    names: dict       # kind of label -> file with the classes' names
    labels: dict      # kind of label -> its byte in a record


CIFAR10 = Form('CIFAR-10', 'cifar-10-batches-bin',
               {'train': [f'data_batch_{number}.bin' for number in range(1, 6)], 'val': ['test_batch.bin']},
               {'fine': 'batches.meta.txt'}, {'fine': 0})
CIFAR100 = Form('CIFAR-100', 'cifar-100-binary', {'train': ['train.bin'], 'val': ['test.bin']},
                {'fine': 'fine_label_names.txt', 'coarse': 'coarse_label_names.txt'}, {'coarse': 0, 'fine': 1})


@DATASETS.register('cifar')
class CIFAR(Dataset):
    """The pictures of CIFAR-10 or CIFAR-100, or others of this form.

    Its samples are :class:`Labelled`. The files are read at once: 180 MB.

    Parameters
    ----------
    path : str or Path
        the folder with the .bin files and the files of names, or the one that has the archive's folder. Which of the
        two it is follows from the names of the files.
    split : {'train', 'val'}
        'val' are the test pictures
    labels : {'fine', 'coarse'}
        of CIFAR-100: 100 classes, or 20 of five each
    transform : dict or transform, optional
        'name' ('cifar_train' or 'middle_crop') and its keywords, see
        :func:`gluonzoo.data.transforms.make_transform`; without it, only :meth:`sample` can be called

    Attributes
    ----------
    path, transform, arrays, skipped
        see :class:`~gluonzoo.data.dataset.Dataset`
    class_names : list of str

    Raises
    ------
    FileNotFoundError
        if the folder or a file is not there.
    RecordError
        if a file's size is no multiple of a record's, or a label is beyond the class names; it names file and record.
    ValueError
        for wrong keywords, and for names that cannot be read.
    """

    def __init__(self, path: PATH, split='train', labels='fine', transform=None):
        super().__init__(Path(path), transform)
        if split not in ('train', 'val'):
            raise ValueError(f"split: must be 'train' or 'val': {split!r}")
        folder, form = _find(self.path)
        if labels not in form.labels:
            raise ValueError(f'labels: {form.name} has {" and ".join(sorted(form.labels))} labels: {labels!r}')
        self.class_names = read_names(folder / form.names[labels])
        files = [folder / name for name in form.files[split]]
        for file in files:
            if not file.exists():
                raise FileNotFoundError(f'{file}: no such file; to {split}, {form.name} has '
                                        + ', '.join(form.files[split]))
        bytes_before = len(form.labels)
        require_memory(f'{folder}: its pictures', sum(file.stat().st_size for file in files))
        parts = [_read(file, bytes_before + PIXELS) for file in files]
        for file, part in zip(files, parts):
            _check_labels(file, part[:, form.labels[labels]], self.class_names)
        records = parts[0] if len(parts) == 1 else np.concatenate(parts)
        self._labels = records[:, form.labels[labels]]
        self._planes = records[:, bytes_before:].reshape(-1, 3, SIDE, SIDE)

    def __len__(self):
        return len(self._labels)

    @classmethod
    def in_folder(cls, folder, split):
        _find(Path(folder))
        return {'path': str(folder), 'split': split}

    def sample(self, record):
        """The picture and the class of one record: :class:`Labelled`. IndexError if there is no such record."""
        if not 0 <= record < len(self):
            raise IndexError(f'record {record} of {len(self)}')
        return Labelled(self._planes[record].transpose(1, 2, 0), int(self._labels[record]), record)

    def identity(self):
        """Yields the class names, the labels and the pictures."""
        yield '\n'.join(self.class_names).encode()
        yield self._labels.tobytes()
        yield np.ascontiguousarray(self._planes)


def _find(path):
    """(the folder with the files, its form) of a folder, or of one that has such a folder."""
    if not path.is_dir():
        raise FileNotFoundError(f'{path}: no such folder')
    for form in (CIFAR10, CIFAR100):
        for folder in (path, path / form.folder):
            if any((folder / name).exists() for names in form.files.values() for name in names):
                return folder, form
    said = ', or '.join(f'{form.files["train"][0]} and the others of {form.name}' for form in (CIFAR10, CIFAR100))
    raise FileNotFoundError(f'{path}: has no pictures in CIFAR\'s binary form: {said}')


def _read(file, size):
    """The records of a file, uint8 [n, size]."""
    try:
        content = read_bytes(file, MAX_BYTES)
    except FileError as error:
        raise RecordError(str(error)) from None
    if not content or len(content) % size:
        raise RecordError(f'{file}: must have records of {size} bytes each; has {len(content)} bytes, which is '
                          + (f'{len(content) % size} more than a multiple' if content else 'none')
                          + '. Fetch the file again')
    return np.frombuffer(content, np.uint8).reshape(-1, size)


def _check_labels(file, labels, class_names):
    beyond = np.flatnonzero(labels >= len(class_names))
    if len(beyond):
        raise RecordError(f'{file}: record {beyond[0]}: label {labels[beyond[0]]} is beyond the {len(class_names)} '
                          f'classes, 0 to {len(class_names) - 1}; so are those of {len(beyond) - 1} more records')
