"""Pictures with one class each, from a file of records as im2rec makes it."""
import numpy as np

from ..pictures.decode import ImageError, decode_image
from ..registry import DATASETS
from ..values import NAMES, PATH
from ..values import check as check_value
from .dataset import Dataset, one_file
from .labelled import Labelled, require_every_class
from .record_folder import class_names_beside, part_of
from .records import RecordError, RecordFile, unpack

__all__ = ['LabelledRecords']

MAX_CLASSES = 100000   # where no names say how many there are


@DATASETS.register('labelled_records')
class LabelledRecords(Dataset):
    """The pictures of a file of records, whose label is one number.

    Its samples are :class:`Labelled`.

    Parameters
    ----------
    path : str or Path
        ``name.rec``; see :mod:`gluonzoo.data.records` for the format
    class_names : list of str, optional
        Default: those of classes.txt beside the file, one a line. Without this file they are the numbers, '0', '1' ...
        up to the greatest label. A class without pictures is then an error; where names are given, a RuntimeWarning
        tells of it.
    transform : dict or transform, optional
        see :class:`~gluonzoo.data.labelled_pictures.LabelledPictures`

    Attributes
    ----------
    path, transform, arrays, skipped
        see :class:`~gluonzoo.data.dataset.Dataset`
    class_names : list of str

    Raises
    ------
    FileNotFoundError
        if there is no such file.
    RecordError
        if it is not a file of records or is cut off; or if a label is not one whole number, or beyond the class names:
        then it names the record.
    ValueError
        if there are fewer than two classes, or one has no pictures; and for wrong keywords.
    """

    def __init__(self, path: PATH, class_names=None, transform=None):
        super().__init__(one_file(path), transform)
        if class_names is not None:
            check_value('class_names', class_names, NAMES)
        self._records = RecordFile(self.path)
        labels = [self._label(record) for record in range(len(self._records))]
        self._labels = np.array(labels, np.int64)
        self.class_names = list(class_names) if class_names is not None else self._names()
        beyond = np.flatnonzero(self._labels >= len(self.class_names))
        if len(beyond):
            raise RecordError(f'{self.path}: record {beyond[0]}: class {self._labels[beyond[0]]} is beyond the '
                              f'{len(self.class_names)} classes, 0 to {len(self.class_names) - 1}')
        if len(self.class_names) < 2:
            raise ValueError(f'{self.path}: must have two classes or more; has {", ".join(self.class_names)}')
        require_every_class(self.path, self.class_names, self._labels, given=class_names is not None)

    def __len__(self):
        return len(self._records)

    @classmethod
    def in_folder(cls, folder, split):
        return part_of(folder, split)

    def sample(self, record):
        """The picture and the class of one record: :class:`Labelled`.

        Raises IndexError if there is no such record, and RecordError if it is damaged.
        """
        data = self._records.read(record)
        try:
            _, encoded = unpack(data)
            return Labelled(decode_image(encoded), int(self._labels[record]), record)
        except (RecordError, ImageError) as error:
            raise RecordError(f'{self.path}: record {record}: {error}') from error

    def identity(self):
        """Yields the class names, then of each record its place in the file and its label."""
        yield '\n'.join(self.class_names).encode()
        for record, label in enumerate(self._labels):
            yield self._records.place(record)
            yield b'%d' % label

    def _label(self, record):
        """The class of a record; 0 of one that is damaged, which is not read later either."""
        try:
            label = self._records.read_label(record)
        except RecordError:
            return 0
        if len(label) != 1:
            raise RecordError(f'{self.path}: record {record}: must have one number as its label; has {len(label)}, as '
                              'records of detection have')
        if not (label[0] >= 0 and label[0] % 1 == 0 and label[0] < MAX_CLASSES):
            raise RecordError(f'{self.path}: record {record}: must have a class number from 0 as its label: '
                              f'{label[0]:g}')
        return int(label[0])

    def _names(self):
        return class_names_beside(self.path) or [str(number) for number in range(self._labels.max() + 1)]
