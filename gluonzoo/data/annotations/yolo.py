"""YOLO: a text file beside each picture, with a line about each object."""
from pathlib import Path

import numpy as np

from ...pictures.decode import SUFFIXES
from .base import AnnotationError, Object, both, lines


def read(reading):
    """Reads a directory for :func:`gluonzoo.data.annotations.read_annotations`."""
    reading.read_class_names(reading.directory / 'classes.txt')
    folders = {split: reading.directory / split for split in ('train', 'val')}
    if not both(*folders.values(), Path.is_dir):
        folders = {'all': reading.directory}
    for split, folder in folders.items():
        files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != 'classes.txt')
        pictures = [path for path in files if path.suffix.lower() in SUFFIXES]
        stems = {path.stem for path in pictures}
        for path in files:
            if path.suffix == '.txt' and path.stem not in stems:
                with reading.or_skip():
                    raise AnnotationError(f'{path}: no picture of this name')
        for picture in pictures:
            with reading.or_skip():
                text = picture.with_suffix('.txt')
                reading.add(split, text, picture, _objects(reading, text), _edges)


def _objects(reading, path):
    numbers = {str(number): name for number, name in enumerate(reading.class_names)}
    objects = []
    for number, line in lines(path):
        where = f'{path}:{number}'
        with reading.or_skip():
            label, *box = line.split()
            if len(box) != 4:
                raise AnnotationError(f'{where}: must be a class and four numbers: {line}')
            if label not in numbers:
                raise AnnotationError(f'{where}: unknown class {label[:40]}; known: 0 to {len(numbers) - 1}')
            objects.append(Object(where, tuple(box), numbers[label]))
    return objects


def _edges(box, width, height):
    x, y, w, h = np.multiply(box, (width, height, width, height))
    return x - w / 2, y - h / 2, x + w / 2, y + h / 2
