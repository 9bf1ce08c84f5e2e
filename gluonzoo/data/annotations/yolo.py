"""YOLO: a text file about each picture, with a line about each object."""
import math

from ...reading import quoted
from .base import AnnotationError, Object, lines
from .yolo_layout import Layout


def read(reading):
    """Reads a directory for :func:`gluonzoo.data.annotations.read_annotations`."""
    reading.boxes_are = 'x and y of the centre, width and height, as fractions of the picture from 0 to 1'
    layout = Layout(reading)
    for path in layout.texts_without_picture():
        reading.mark_read(path)
        with reading.or_skip():
            raise AnnotationError(f'{path}: no picture of this name')
    for split, pictures in layout.splits.items():
        for picture in pictures:
            with reading.or_skip():
                text, may_be_missing = layout.text_of(picture)
                reading.mark_read(text, picture)
                if may_be_missing and not text.exists():
                    reading.counts['pictures without a text file, taken to be without objects'] += 1
                    objects = []
                else:
                    objects = _objects(reading, text, layout.keypoints)
                reading.add(split, text, picture, objects, _edges)


def _objects(reading, path, keypoints):
    objects = []
    for number, line in lines(path):
        where = f'{path}:{number}'
        with reading.or_skip():
            label, *numbers = line.split()
            if len(numbers) == 4 or keypoints and len(numbers) == 4 + keypoints:
                box = tuple(numbers[:4])
            elif not keypoints and len(numbers) >= 6 and len(numbers) % 2 == 0:
                box = _around(where, numbers)
                reading.counts['polygons taken as boxes'] += 1
            else:
                raise AnnotationError(f'{where}: must be a class and four numbers, or a class and the corners of a '
                                      f'polygon: {quoted(line)}')
            objects.append(Object(where, box, _class(reading, where, label)))
    return objects


def _class(reading, where, label):
    names = reading.class_names
    try:
        number = float(label)   # tools that write tables of numbers write 1.0
    except ValueError:
        number = -1.0
    if not number.is_integer() or not 0 <= number < len(names):
        said = label[:40] if label.isprintable() else quoted(label)
        raise AnnotationError(f'{where}: unknown class {said}; known: 0 to {len(names) - 1}')
    return names[int(number)]


def _around(where, numbers):
    """The box around a polygon: x1 y1 x2 y2 ... -> x y of the centre, width, height."""
    try:
        numbers = [float(number) for number in numbers]
    except ValueError:
        numbers = [math.nan]
    if not all(map(math.isfinite, numbers)):
        raise AnnotationError(f'{where}: a polygon must be numbers')
    x, y = numbers[::2], numbers[1::2]
    return (min(x) + max(x)) / 2, (min(y) + max(y)) / 2, max(x) - min(x), max(y) - min(y)


def _edges(box, width, height):
    x, y, w, h = box[0] * width, box[1] * height, box[2] * width, box[3] * height
    return x - w / 2, y - h / 2, x + w / 2, y + h / 2
