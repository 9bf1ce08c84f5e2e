"""What the readers of all formats share: the result, the reading with its checks, and what is left out."""
import contextlib
import math
import os
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from ...pictures.decode import MAX_BYTES, ImageError, image_size
from ...reading import FileError, quoted, read_bytes, read_lines, read_names
from .listing import files_below

EDGES = ('xmin', 'ymin', 'xmax', 'ymax')

_SEVERAL = 20   # names or lines of a list that a message has


class AnnotationError(ValueError):
    """Annotations that cannot be what was meant: names the file, and the line or the object."""


class Annotated(NamedTuple):
    """One picture and its objects."""
    image: Path
    boxes: np.ndarray       # float32 [n, 4]: xmin ymin xmax ymax, edges in pixels
    labels: np.ndarray      # int32 [n], from 0
    difficult: np.ndarray   # bool [n]


class Annotations(NamedTuple):
    """What one or more directories hold."""
    class_names: list   # of str
    splits: dict        # 'train' and 'val', or 'all': list of Annotated
    skipped: list       # of str: what was left out as broken, and why
    counts: Counter     # what was done by rule, and to how many objects, pictures or files


class Object(NamedTuple):
    """An object as it is written down."""
    where: str
    box: tuple   # four numbers, or what should be numbers
    name: str
    difficult: bool = False


class Reading:
    """What has been read so far. Checks what all formats have in common.

    Parameters
    ----------
    directories : list of Path
    skip_broken : bool
    splits : tuple of one or two str, or None
        the names of the splits that the user has chosen
    fractions : bool
        whether the numbers of a box are fractions of the picture's width and height, in a format of pixels
    """

    def __init__(self, directories, skip_broken=False, splits=None, fractions=False):
        self.directories = directories
        self.directory = directories[0]   # the one that is being read
        self.wanted_splits = splits
        self.class_names = None   # until they are known: any will do
        self.boxes_are = ''       # in words, of the format
        self.pictures = {}        # split -> [(path, boxes, names, difficult)]
        self.skipped = []
        self.counts = Counter()
        self._skip_broken = skip_broken
        self.fractions = fractions
        self._pictures_seen = set()
        self._files_read = set()

    @property
    def unit(self):
        """What the numbers of a box are, in a format of pixels."""
        return "fractions of the picture's width and height" if self.fractions else 'pixels'

    # -- files ---------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def or_skip(self):
        """What is broken in here is left out and listed, if that is wanted."""
        try:
            yield
        except AnnotationError as error:
            if not self._skip_broken:
                raise
            self.skipped.append(str(error))

    def files(self, folder=None):
        """The files below a folder, or below the directory."""
        folder = self.directory if folder is None else folder
        with file_errors(folder):
            return files_below(folder)

    def mark_read(self, *paths):
        """Says that files need not be counted as left out."""
        self._files_read.update(paths)

    def count_files_not_read(self):
        """Counts the files of the directory that nothing has been read from, by folder and suffix."""
        for path in self.files():
            if path not in self._files_read and path not in self._pictures_seen:
                folder, *within = path.relative_to(self.directory).parts
                self.counts[f'files not read, {folder + "/" if within else ""}*{path.suffix}'] += 1

    def inside(self, where, *names):
        """The path of a file that an annotation names, below the directory."""
        for name in names:
            if not leads_inside(name):
                raise AnnotationError(f'{where}: {quoted(name)} is no path inside of {self.directory}')
        return self.directory.joinpath(*names)

    # -- classes -------------------------------------------------------------------------------------------------------

    def set_class_names(self, path, names):
        """The names of all classes, in their order, as a file has them."""
        for number, name in enumerate(names, 1):
            class_name(f'{path}: class {number}', name)
        if len(set(names)) < len(names):
            raise AnnotationError(f'{path}: must name each class once: {few(names)}')
        if self.class_names is None and self.pictures:
            raise AnnotationError(f'{path}: names the classes, and nothing does so in {self.directories[0]}')
        if self.class_names not in (None, names):
            raise AnnotationError(f'{path}: its classes must be those read before, in their order: {few(names)}; '
                                  f'before: {few(self.class_names)}')
        self.class_names = names

    def read_class_names(self, path):
        """The class names of a file, one a line."""
        with file_errors(path):
            names = read_names(path)
        self.mark_read(path)
        self.set_class_names(path, names)

    def read_class_names_if_there(self):
        if (self.directory / 'classes.txt').exists():
            self.read_class_names(self.directory / 'classes.txt')

    # -- pictures ------------------------------------------------------------------------------------------------------

    def add(self, split, where, path, objects, to_edges, size=None):
        """Takes a picture and its objects.

        Parameters
        ----------
        objects : list of Object
        to_edges : (four numbers, width, height) -> xmin ymin xmax ymax, edges in pixels
        size : (width, height), optional
            What the annotation says of the picture.
        """
        if path in self._pictures_seen:
            raise AnnotationError(f'{where}: {path} has been listed before')
        self._pictures_seen.add(path)
        width, height = _picture_size(where, path)
        if size not in (None, (width, height)):
            raise AnnotationError(f'{where}: says {size[0]} x {size[1]} pixels, but {path} has {width} x {height}')
        boxes, names, difficult = [], [], []
        for one in objects:
            with self.or_skip():
                name = class_name(one.where, one.name)
                if self.class_names is not None and name not in self.class_names:
                    raise AnnotationError(f'{one.where}: unknown class {quoted(name)}; known: {few(self.class_names)}')
                numbers = _numbers(one.where, one.box)
                if self.fractions:
                    numbers = [number * side for number, side in zip(numbers, (width, height, width, height))]
                boxes.append(self._fit(one.where, to_edges(numbers, width, height), width, height))
                names.append(name)
                difficult.append(one.difficult)
        self.pictures.setdefault(split, []).append((path, boxes, names, difficult))

    def _fit(self, where, box, width, height):
        """The box within the picture; an error if it is not, but for a pixel."""
        xmin, ymin, xmax, ymax = box
        if not min(xmin, ymin, width - xmax, height - ymax) >= -1:   # NaN, of numbers without end, neither
            raise AnnotationError(f'{where}: the box {_said(box)} is outside of the picture of {width} x {height} '
                                  f'pixels; boxes must be {self.boxes_are}')
        fitted = max(xmin, 0), max(ymin, 0), min(xmax, width), min(ymax, height)
        if fitted[0] >= fitted[2] or fitted[1] >= fitted[3]:
            raise AnnotationError(f'{where}: the box {_said(box)} is empty; boxes must be {self.boxes_are}')
        # Less than a hundredth of a pixel comes of fractions with six digits.
        if fitted != tuple(box) and any(abs(a - b) > .01 for a, b in zip(fitted, box)):
            self.counts['boxes cut off by a pixel at most'] += 1
        return fitted

    # -- the result ----------------------------------------------------------------------------------------------------

    def result(self):
        if 'all' in self.pictures and len(self.pictures) > 1:
            raise AnnotationError(f'some of these have splits, and others have not: {few(map(str, self.directories))}')
        pictures = {split: self.pictures.get(split, [])
                    for split in (('all',) if 'all' in self.pictures else ('train', 'val'))}
        for split, found in pictures.items():
            if not found:
                raise AnnotationError('\n  '.join([
                    f'{few(map(str, self.directories))}: no annotated pictures' + ('' if split == 'all' or not
                    self.pictures else f' in {split}'), *self.skipped[:10]]))
        self._check_unit(pictures)
        names = self.class_names
        if names is None:
            names = sorted({name for found in pictures.values() for picture in found for name in picture[2]})
        number = {name: index for index, name in enumerate(names)}
        splits = {split: [Annotated(path, np.array(boxes, np.float32).reshape(-1, 4),
                                    np.array([number[name] for name in labels], np.int32), np.array(difficult, bool))
                          for path, boxes, labels, difficult in found]
                  for split, found in pictures.items()}
        return Annotations(names, splits, self.skipped, +self.counts)

    def _check_unit(self, pictures):
        """AnnotationError if the boxes must be of another unit: all are in the first pixel, or less than a pixel."""
        boxes = np.array([box for found in pictures.values() for picture in found for box in picture[1]]).reshape(-1, 4)
        if len(boxes) and (boxes.max() <= 1 or ((boxes[:, 2:] - boxes[:, :2]) < 1).any(1).all()):
            raise AnnotationError(
                f'{few(map(str, self.directories))}: all {len(boxes)} boxes are smaller than a pixel; boxes must be '
                f'{self.boxes_are}' + (' (or say that they are fractions: --unit fractions)'
                                       if self.boxes_are.endswith('pixels') else ''))


@contextlib.contextmanager
def file_errors(path):
    """Turns what is wrong with a file or a folder into an AnnotationError."""
    try:
        yield
    except FileError as error:
        raise AnnotationError(str(error)) from error
    except OSError as error:
        raise AnnotationError(f'{error.filename or path}: {error.strerror or error}') from error


def leads_inside(name):
    """Whether a path that stands in a file leads to something in the folder that it is put behind."""
    path = PurePosixPath(name)
    try:
        parts = [os.fsencode(part) for part in path.parts]
    except UnicodeEncodeError:   # half of a pair of UTF-16, as JSON can hold it
        return False
    length = sum(len(part) + 1 for part in parts)   # with what separates them
    short = max(map(len, parts), default=0) <= 255 and length < 2048   # what a file system allows
    return bool(name) and min(name) >= ' ' and not path.is_absolute() and b'..' not in parts and short


def class_name(where, text):
    """The name without what surrounds it; an error if nothing that can be shown is left."""
    name = text.strip()
    if not name or not name.isprintable():
        raise AnnotationError(f'{where}: the name of a class must be printable and not empty: {quoted(text)}')
    return name


def few(names):
    """Names in one line, the first ones if there are many."""
    names = list(names)
    return ', '.join(name if len(name) <= 100 else name[:97] + '...' for name in names[:_SEVERAL]) + (
        f' and {len(names) - _SEVERAL} more' if len(names) > _SEVERAL else '')


def spellings(name):
    """A path as it stands in a file, and as it would be if a program of Windows had written it."""
    return [name, name.replace('\\', '/')] if '\\' in name else [name]


def first_file(paths):
    """The first path that is a file; the first of all if none is."""
    return next(filter(Path.is_file, paths), paths[0])


def _said(box):
    return ', '.join(f'{edge} {number:g}' for edge, number in zip(EDGES, box))


def _numbers(where, values):
    try:
        numbers = tuple(map(float, values)) if isinstance(values, (list, tuple)) else ()
    except (TypeError, ValueError, OverflowError):
        numbers = ()
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)) or bool in map(type, values):
        raise AnnotationError(f'{where}: a box must be four numbers: {quoted(values)}')
    return numbers


def _picture_size(where, path):
    """(width, height) of a picture as it is looked at."""
    if not path.exists():
        raise AnnotationError(f'{where}: no picture {path}')
    try:
        return image_size(read_bytes(path, MAX_BYTES))
    except (FileError, ImageError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise AnnotationError(f'{where}: cannot read the picture {path}: {reason}') from error


def lines(path):
    """(number, text) of each line of a text file that is not blank."""
    with file_errors(path):
        return read_lines(path)
