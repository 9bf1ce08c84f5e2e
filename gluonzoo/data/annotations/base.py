"""What the readers of all formats share: the result, the reading with its checks, and what is left out."""
import contextlib
import math
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from ...pictures.decode import ImageError, image_size

EDGES = ('xmin', 'ymin', 'xmax', 'ymax')


class AnnotationError(ValueError):
    """Annotations that cannot be what was meant: names the file, and the line or the object."""


class Annotated(NamedTuple):
    """One picture and its objects."""
    image: Path
    boxes: np.ndarray       # float32 [n, 4]: xmin ymin xmax ymax, edges in pixels
    labels: np.ndarray      # int32 [n], from 0
    difficult: np.ndarray   # bool [n]


class Annotations(NamedTuple):
    """What a directory holds."""
    class_names: list   # of str
    splits: dict        # 'train' and 'val', or 'all': list of Annotated
    skipped: list       # of str: what was left out, and why
    counts: Counter     # what was done to so many objects by rule


class Object(NamedTuple):
    """An object as it is written down."""
    where: str
    box: tuple   # four numbers, or what should be numbers
    name: str
    difficult: bool = False


class Reading:
    """What has been read so far. Checks what all formats have in common."""

    def __init__(self, directory, skip_broken):
        self.directory = directory
        self.class_names = None   # until they are known: any will do
        self.pictures = {}        # split -> [(path, boxes, names, difficult)]
        self.skipped = []
        self.counts = Counter()
        self._skip_broken = skip_broken
        self._seen = set()

    @contextlib.contextmanager
    def or_skip(self):
        """What is broken in here is left out and listed, if that is wanted."""
        try:
            yield
        except AnnotationError as error:
            if not self._skip_broken:
                raise
            self.skipped.append(str(error))

    def read_class_names(self, path):
        """The class names of a file, one a line."""
        names = [class_name(f'{path}:{number}', line) for number, line in lines(path)]
        if not names or len(set(names)) < len(names):
            raise AnnotationError(f'{path}: must have one or more class names, each once: {", ".join(names)}')
        self.class_names = names

    def read_class_names_if_there(self):
        if (self.directory / 'classes.txt').is_file():
            self.read_class_names(self.directory / 'classes.txt')

    def inside(self, where, *names):
        """The path of a file that an annotation names, below the directory."""
        for name in names:
            if not leads_inside(name):
                raise AnnotationError(f'{where}: {name!r} is no path inside of {self.directory}')
        return self.directory.joinpath(*names)

    def add(self, split, where, path, objects, to_edges, size=None):
        """Takes a picture and its objects.

        Parameters
        ----------
        objects : list of Object
        to_edges : (four numbers, width, height) -> xmin ymin xmax ymax, edges in pixels
        size : (width, height), optional
            What the annotation says of the picture.
        """
        if path in self._seen:
            raise AnnotationError(f'{where}: {path} has been listed before')
        self._seen.add(path)
        width, height = _picture_size(where, path)
        if size not in (None, (width, height)):
            raise AnnotationError(f'{where}: says {size[0]} x {size[1]} pixels, but {path} has {width} x {height}')
        boxes, names, difficult = [], [], []
        for one in objects:
            with self.or_skip():
                name = class_name(one.where, one.name)
                if self.class_names is not None and name not in self.class_names:
                    raise AnnotationError(f'{one.where}: unknown class {name!r}; known: {", ".join(self.class_names)}')
                boxes.append(self._fit(one.where, to_edges(_numbers(one.where, one.box), width, height), width, height))
                names.append(name)
                difficult.append(one.difficult)
        self.pictures.setdefault(split, []).append((path, boxes, names, difficult))

    def _fit(self, where, box, width, height):
        """The box within the picture; an error if it is not, but for a pixel."""
        xmin, ymin, xmax, ymax = box
        said = f'xmin {xmin:g}, ymin {ymin:g}, xmax {xmax:g}, ymax {ymax:g}'
        if min(xmin, ymin, width - xmax, height - ymax) < -1:
            raise AnnotationError(f'{where}: the box {said} is outside of the picture of {width} x {height} pixels')
        fitted = max(xmin, 0), max(ymin, 0), min(xmax, width), min(ymax, height)
        if fitted[0] >= fitted[2] or fitted[1] >= fitted[3]:
            raise AnnotationError(f'{where}: the box {said} is empty')
        # Less than a hundredth of a pixel comes of fractions with six digits.
        self.counts['boxes cut off by a pixel at most'] += any(abs(a - b) > .01 for a, b in zip(fitted, box))
        return fitted

    def result(self):
        pictures = {split: self.pictures.get(split, [])
                    for split in (('all',) if 'all' in self.pictures else ('train', 'val'))}
        for split, found in pictures.items():
            if not found:
                raise AnnotationError('\n  '.join([f'{self.directory}: no annotated pictures in {split}',
                                                   *self.skipped[:10]]))
        names = self.class_names
        if names is None:
            names = sorted({name for found in pictures.values() for picture in found for name in picture[2]})
        number = {name: index for index, name in enumerate(names)}
        splits = {split: [Annotated(path, np.array(boxes, np.float32).reshape(-1, 4),
                                    np.array([number[name] for name in labels], np.int32), np.array(difficult, bool))
                          for path, boxes, labels, difficult in found]
                  for split, found in pictures.items()}
        return Annotations(names, splits, self.skipped, +self.counts)


def leads_inside(name):
    """Whether a path that stands in a file leads to something in the folder that it is put behind."""
    path = PurePosixPath(name)
    return bool(name) and '\0' not in name and not path.is_absolute() and '..' not in path.parts


def class_name(where, text):
    """The name without what surrounds it; an error if nothing that can be shown is left."""
    name = text.strip()
    if not name or not name.isprintable():
        raise AnnotationError(f'{where}: the name of a class must be printable and not empty: {text!r}')
    return name


def _numbers(where, values):
    try:
        numbers = tuple(float(value) for value in values)
    except (TypeError, ValueError, OverflowError):
        numbers = ()
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
        raise AnnotationError(f'{where}: a box must be four numbers: {values}')
    return numbers


def _picture_size(where, path):
    """(width, height) of a picture as it is looked at."""
    if not path.is_file():
        raise AnnotationError(f'{where}: no picture {path}')
    try:
        return image_size(path.read_bytes())
    except (ImageError, OSError) as error:
        raise AnnotationError(f'{where}: cannot read the picture {path}: {error}') from error


def lines(path):
    """(number, text) of each line of a text file that is not blank."""
    try:
        text = path.read_text('utf-8-sig')
    except OSError as error:
        raise AnnotationError(f'{path}: {error.strerror}') from error
    except UnicodeDecodeError as error:
        raise AnnotationError(f'{path}: not UTF-8: {error}') from error
    return [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]


def both(first, second, exist=Path.is_file):
    """Whether both exist; that one alone does is no split."""
    found = exist(first), exist(second)
    if any(found) and not all(found):
        raise AnnotationError(f'{first if found[0] else second} is there, {second if found[0] else first} is not')
    return all(found)
