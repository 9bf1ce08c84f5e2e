"""Pictures with boxes, from a file of records."""
import threading
import warnings
from collections import Counter
from typing import NamedTuple

import numpy as np

from ..pictures.decode import ImageError, decode_image, image_size
from ..registry import DATASETS
from ..values import PATH
from .dataset import Dataset, counted, one_file
from .record_folder import class_names_beside, part_of
from .records import RecordError, RecordFile, unpack

__all__ = ['DetectionRecords', 'Sample']

MAX_CLASSES = 10000     # where no classes.txt says how many there are
MIN_PIXELS = 0.5        # a box less wide or high than this shows nothing
NO_OBJECT = -1          # the class of a row that is no object, whatever else is in it

# Why an object is left out.
_EXCHANGED, _OUTSIDE, _SMALL = 'xmin > xmax or ymin > ymax', 'outside the picture', 'less than half a pixel'


class Sample(NamedTuple):
    """One picture and what is in it.

    image : NumPy uint8 [H, W, 3], RGB
    boxes : NumPy float32 [n, 4], xmin ymin xmax ymax in pixels of the image; edges, so a box of all is 0 0 W H
    labels : NumPy int32 [n], class numbers from 0
    record : int, the number in the dataset
    difficult : NumPy bool [n], objects that an evaluation does not count
    """

    image: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    record: int
    difficult: np.ndarray


@DATASETS.register('detection_records')
class DetectionRecords(Dataset):
    """The pictures and boxes of a file of records.

    Its samples are :class:`Sample`.

    Parameters
    ----------
    path : str or Path
        ``name.rec``; see :mod:`gluonzoo.data.records` for the format. Beside it are ``name.idx`` (made anew where it is
        missing) and ``classes.txt``, the class names, one a line (where it is missing they are 'class 0', 'class 1' ...
        up to the greatest number in the file).
    transform : dict or transform, optional
        'name' ('resize', 'ssd_train' ...) and its keywords, see :func:`gluonzoo.data.transforms.make_transform`;
        without it, only :meth:`sample` can be called

    Attributes
    ----------
    path, transform, arrays, skipped
        see :class:`~gluonzoo.data.dataset.Dataset`
    class_names : list of str
    dropped : dict
        reason -> how many objects are left out, filled while records are read, each record counting once:

        - 'xmin > xmax or ymin > ymax'
        - 'outside the picture': less than half a pixel of its width or height is inside
        - 'less than half a pixel': in width or height

        A RuntimeWarning tells of the first one.

    Raises
    ------
    FileNotFoundError
        if there is no such file.
    RecordError
        if it is not a file of records, is cut off, or the files beside it do not fit; or if there are objects, and
        each is left out or is no larger than a pixel.
    ValueError
        if the transform is unknown or has unknown keywords.
    """

    def __init__(self, path: PATH, transform=None):
        super().__init__(one_file(path), transform)
        self._counted, self._lock = set(), threading.Lock()   # records whose objects are in `dropped`
        self._records = RecordFile(self.path)
        self.class_names = self._class_names()
        self._require_usable()

    def __len__(self):
        return len(self._records)

    @classmethod
    def in_folder(cls, folder, split):
        return part_of(folder, split)

    def sample(self, record):
        """The picture and the boxes of one record.

        The part of a box outside the image is cut off. Boxes of which nothing remains are left out, and counted in
        `dropped`. Rows of the class -1 are no objects: MXNet fills labels up with them, and many files have one to say
        that there is nothing in the picture.

        Returns
        -------
        Sample

        Raises
        ------
        IndexError
            if `record` is not in 0 .. len - 1.
        RecordError
            naming file and record: the record is damaged, its image cannot be decoded, the label is not that of a
            detection record, a class has no name in `class_names`, or a coordinate is not a number or is farther from
            the image than the image is large.
        """
        data = self._records.read(record)
        try:
            label, encoded = unpack(data)
            objects = _objects(label, len(self.class_names))
            image = decode_image(encoded)
        except (RecordError, ImageError) as error:
            raise RecordError(f'{self.path}: record {record}: {error}') from error
        boxes, seen = _in_pixels(objects, image.shape[1], image.shape[0])
        if not seen.all():
            self._count(record, _reasons(objects, seen))
            objects, boxes = objects[seen], boxes[seen]
        difficult = objects[:, 5] != 0 if objects.shape[1] > 5 else np.zeros(len(objects), bool)
        return Sample(image, boxes, objects[:, 0].astype(np.int32), record, difficult)

    def identity(self):
        """Yields the class names, then of each record its place in the file and its label."""
        yield '\n'.join(self.class_names).encode()
        for record in range(len(self)):
            yield self._records.place(record)
            try:
                yield self._records.read_label(record).tobytes()
            except RecordError:   # told when it is to be used
                yield b''

    def _class_names(self):
        return class_names_beside(self.path) or [f'class {number}' for number in range(self._greatest_class() + 1)]

    def _require_usable(self):
        """RecordError if there are objects, and nothing can be learned of any; a RuntimeWarning if there are none.

        It ends at the first object that will do.
        """
        unusable, empty = Counter(), 0
        for record in range(len(self)):
            try:
                objects = _objects(self._records.read_label(record), len(self.class_names))
                if not len(objects):
                    empty += 1
                    continue
                size = image_size(unpack(self._records.read(record))[1])
            except (RecordError, ImageError):   # told when it is to be used
                continue
            boxes, seen = _in_pixels(objects, *size)
            if (boxes[seen, 2:] - boxes[seen, :2] > 1).any():
                return
            unusable += _reasons(objects, seen) + Counter({'a pixel or less': int(seen.sum())})
        if unusable:
            raise RecordError(f'{self.path}: none of its {sum(unusable.values())} objects can be used: '
                              f'{counted(unusable)}. In records, xmin ymin xmax ymax are fractions of the picture, 0 '
                              'to 1; what makes records divides pixels by its size')
        if empty == len(self):
            warnings.warn(f'{self.path}: there is no object in it', RuntimeWarning, stacklevel=2)

    def _count(self, record, reasons):
        """Takes into `dropped` what is left out of a record."""
        with self._lock:
            first = not self._counted
            if record not in self._counted:
                self._counted.add(record)
                self.dropped.update(Counter(self.dropped) + reasons)
        if first:
            warnings.warn(f'{self.path}: record {record}: objects left out: {counted(reasons)} (those of all records '
                          "are counted in the dataset's `dropped`)", RuntimeWarning, stacklevel=3)

    def _greatest_class(self):
        greatest = 0
        for record in range(len(self)):
            try:
                objects = _objects(self._records.read_label(record), MAX_CLASSES)
            except RecordError:   # told when it is to be used
                continue
            greatest = max([greatest, *objects[:, 0].astype(int)])
        return greatest


def _objects(label, classes):
    """The objects of a label [n, B >= 5]: class, xmin, ymin, xmax, ymax as fractions of the image, and more.

    Rows of the class -1 are left out.
    """
    if len(label) < 2:
        raise RecordError(f'not a detection record: its label has {len(label)} number, not a header and objects')
    header, width = label[:2]
    if not (2 <= header <= len(label) and header == int(header)):   # NaN neither
        raise RecordError(f'label: the header has {header:g} numbers; must have 2 or more, and there are {len(label)}')
    if not (5 <= width < 1 << 24 and width == int(width)):
        raise RecordError(f'label: each object has {width:g} numbers; must be a whole number, at least 5')
    header, width = int(header), int(width)
    if (len(label) - header) % width:
        raise RecordError(f'label: {len(label) - header} numbers are not objects of {width}')
    objects = label[header:].reshape(-1, width)   # -> [n, B]
    if not _are_classes(objects[:, 0], classes).all():
        objects = objects[objects[:, 0] != NO_OBJECT]
        numbers = objects[:, 0]
        wrong = ~_are_classes(numbers, classes)
        if wrong.any():
            raise RecordError(f'label: class {numbers[wrong][0]:g}; must be a number from 0 to {classes - 1}, or -1 '
                              'for no object')
    boxes = objects[:, 1:5]
    wrong = ~((boxes >= -1) & (boxes <= 2)).all(1)
    if wrong.any():
        raise RecordError(f'label: box {boxes[wrong][0].tolist()}; coordinates must be fractions of the image, and no '
                          'farther from it than it is large')
    return objects


def _are_classes(numbers, classes):
    return (numbers >= 0) & (numbers < classes) & (numbers == np.floor(numbers))


def _in_pixels(objects, width, height):
    """(boxes [n, 4] within a picture of this size, which of them are large enough to be seen [n]) of objects."""
    boxes = objects[:, 1:5].clip(0, 1) * np.array([width, height] * 2, np.float32)
    return boxes, ((boxes[:, 2:] - boxes[:, :2]) >= MIN_PIXELS).all(1)


def _reasons(objects, seen):
    """Why objects are left out that are not `seen`: Counter of reasons."""
    objects = objects[~seen]
    exchanged = (objects[:, 3:5] < objects[:, 1:3]).any(1)
    cut = (objects[:, 1:5] != objects[:, 1:5].clip(0, 1)).any(1) & ~exchanged
    return +Counter({_EXCHANGED: int(exchanged.sum()), _OUTSIDE: int(cut.sum()),
                     _SMALL: int((~exchanged & ~cut).sum())})
