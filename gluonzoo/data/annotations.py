"""Reads detection annotations in other people's formats: PASCAL VOC, COCO, CSV, and text files beside the pictures.

========  ========================================================================================================
format    what is read from the directory
========  ========================================================================================================
voc       ``Annotations/*.xml`` about ``JPEGImages/*`` (or both in the directory itself). Boxes are pixels counted
          from 1, the last one included. The picture is the one that the XML file names, or else the one with the name
          of the XML file. Splits: ``ImageSets/Main/train.txt`` and ``val.txt``.
coco      ``annotations/instances_*.json``, else ``annotations/*.json``, else ``*.json``; pictures in the folder
          named as the split, in ``images`` or in the directory. Boxes are x, y, width, height in pixels. Objects
          marked as crowds are left out and counted. Splits: a file whose name, after ``instances_``, begins with
          ``train`` and one with ``val``.
csv       a file with a header and the columns image, xmin, ymin, xmax, ymax, class (others are not read); image is
          a path from the directory, boxes are edges in pixels. A row with an image alone says that it has no object.
          Splits: ``train.csv`` and ``val.csv``.
folder    pictures, each with a text file of its name in YOLO's form, a line an object: number of the class (from 0),
          then x and y of the centre, width and height as fractions of the picture; an empty file says that there is no
          object. ``classes.txt`` has a class name a line. Splits: folders ``train`` and ``val``, below ``classes.txt``.
========  ========================================================================================================

Without the two splits there is one, ``all``. For coco, classes have the order of the category ids. For the others they
have that of ``classes.txt`` in the directory, which must then name all of them; without it, that of the alphabet (which
is VOC's own).

Boxes relate to the picture as it is looked at, turned as its EXIF orientation says. What sticks out by a pixel at most
is cut off and counted, since tools round. Everything else that is wrong is an error, or is left out and listed.
"""
import contextlib
import csv
import io
import json
import math
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, parse

from ..pictures.decode import SUFFIXES, ImageError, image_size

__all__ = ['FORMATS', 'read_annotations', 'Annotations', 'Annotated', 'AnnotationError']

_EDGES = ('xmin', 'ymin', 'xmax', 'ymax')


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


def read_annotations(form, directory, skip_broken=False):
    """Reads what a directory holds.

    Parameters
    ----------
    form : 'voc', 'coco', 'csv' or 'folder'
        The format; see :mod:`gluonzoo.data.annotations`.
    directory : str or Path
    skip_broken : bool
        Leave out what is broken, and list it in `skipped`: an object alone if the fault is the object's, else the
        picture.

    Returns
    -------
    Annotations

    Raises
    ------
    AnnotationError
        unless `skip_broken`, at the first that is broken: a picture that is missing, no picture, of another size than
        stated or listed twice; a path that leads out of the directory; an XML or text file that cannot be read; an
        object of an unknown class, without one of its fields, or with a box that is outside of the picture or empty.
        Always, if the directory as a whole is not of this format.
    """
    if form not in FORMATS:
        raise ValueError(f'form: must be one of {", ".join(FORMATS)}: {form!r}')
    directory = Path(directory)
    if not directory.is_dir():
        raise AnnotationError(f'{directory}: no such folder')
    reading = _Reading(directory, skip_broken)
    FORMATS[form](reading)
    return reading.result()


class _Object(NamedTuple):
    """An object as it is written down."""
    where: str
    box: tuple   # four numbers, or what should be numbers
    name: str
    difficult: bool = False


class _Reading:
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
        names = [_class_name(f'{path}:{number}', line) for number, line in _lines(path)]
        if not names or len(set(names)) < len(names):
            raise AnnotationError(f'{path}: must have one or more class names, each once: {", ".join(names)}')
        self.class_names = names

    def read_class_names_if_there(self):
        if (self.directory / 'classes.txt').is_file():
            self.read_class_names(self.directory / 'classes.txt')

    def inside(self, where, *names):
        """The path of a file that an annotation names, below the directory."""
        for name in names:
            if not name or '\0' in name or PurePosixPath(name).is_absolute() or '..' in PurePosixPath(name).parts:
                raise AnnotationError(f'{where}: {name!r} is no path inside of {self.directory}')
        return self.directory.joinpath(*names)

    def add(self, split, where, path, objects, to_edges, size=None):
        """Takes a picture and its objects.

        Parameters
        ----------
        objects : list of _Object
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
                name = _class_name(one.where, one.name)
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


def _class_name(where, text):
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


def _lines(path):
    """(number, text) of each line of a text file that is not blank."""
    try:
        lines = path.read_text('utf-8-sig').splitlines()
        return [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()]
    except OSError as error:
        raise AnnotationError(f'{path}: {error.strerror}') from error
    except UnicodeDecodeError as error:
        raise AnnotationError(f'{path}: not UTF-8: {error}') from error


def _both(first, second, exist=Path.is_file):
    """Whether both exist; that one alone does is no split."""
    found = exist(first), exist(second)
    if any(found) and not all(found):
        raise AnnotationError(f'{first if found[0] else second} is there, {second if found[0] else first} is not')
    return all(found)


# -- PASCAL VOC ------------------------------------------------------------------------------------------------------

def _read_voc(reading):
    reading.read_class_names_if_there()
    documents = reading.directory / 'Annotations'
    documents = documents if documents.is_dir() else reading.directory
    lists = [reading.directory / 'ImageSets' / 'Main' / f'{split}.txt' for split in ('train', 'val')]
    if not _both(*lists):
        for document in sorted(documents.glob('*.xml')):
            with reading.or_skip():
                _add_voc(reading, 'all', document)
        return
    listed = set()
    for path in lists:
        for number, line in _lines(path):
            with reading.or_skip():
                document = reading.inside(f'{path}:{number}', f'{line}.xml')
                document = documents / document.relative_to(reading.directory)
                listed.add(document)
                _add_voc(reading, path.stem, document)
    reading.counts['pictures in neither train.txt nor val.txt'] = len(set(documents.glob('*.xml')) - listed)


def _add_voc(reading, split, document):
    try:
        root = parse(document, forbid_dtd=True).getroot()
    except FileNotFoundError as error:
        raise AnnotationError(f'{document}: no such file') from error
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:   # the last two: of its encoding
        raise AnnotationError(f'{document}: {error}') from error

    folder = 'JPEGImages' if (reading.directory / 'JPEGImages').is_dir() else '.'
    name = (root.findtext('filename') or '').strip()
    path = reading.inside(document, folder, name or document.stem)
    if not path.is_file():   # a file that was renamed, together with its annotation
        path = next(filter(Path.is_file, (path.with_name(document.stem + suffix) for suffix in SUFFIXES)), path)
    objects = []
    for number, element in enumerate(root.iterfind('object'), 1):
        where = f'{document}: object {number}'
        with reading.or_skip():
            difficult = (element.findtext('difficult') or '0').strip()
            if difficult not in ('0', '1'):
                raise AnnotationError(f'{where}: difficult must be 0 or 1: {difficult!r}')
            box = tuple(element.findtext(f'bndbox/{edge}') for edge in _EDGES)
            objects.append(_Object(where, box, element.findtext('name') or '', difficult == '1'))
    reading.add(split, document, path, objects, lambda box, width, height: np.subtract(box, (1, 1, 0, 0)),
                _voc_size(document, root))


def _voc_size(document, root):
    size = tuple(root.findtext(f'size/{side}') for side in ('width', 'height'))
    if None in size or '0' in size:   # tools that do not know it write 0
        return None
    try:
        return int(size[0]), int(size[1])
    except ValueError:
        raise AnnotationError(f'{document}: its size must be whole numbers: {size}') from None


# -- COCO ------------------------------------------------------------------------------------------------------------

def _read_coco(reading):
    found = next(filter(None, (sorted(reading.directory.glob(pattern)) for pattern in (
        'annotations/instances_*.json', 'annotations/*.json', '*.json'))), [])
    names = {path: path.stem[len('instances_'):] if path.stem.startswith('instances_') else path.stem for path in found}
    train, val = ([path for path in found if names[path].startswith(split)] for split in ('train', 'val'))
    if len(train) == len(val) == 1:
        splits = {'train': train[0], 'val': val[0]}
        reading.counts['files that are of neither train nor val'] = len(found) - 2
    elif len(found) == 1:
        splits = {'all': found[0]}
    else:
        raise AnnotationError(f'{reading.directory}: must have one JSON file, or one train... and one val...: '
                              + (', '.join(str(path.relative_to(reading.directory)) for path in found) or 'none'))
    categories = None
    for split, path in splits.items():
        coco = _index_coco(path)
        if categories not in (None, coco.cats):
            raise AnnotationError(f'{path}: its categories must be those of {splits["train"]}')
        categories = coco.cats
        reading.class_names = [_class_name(path, categories[key]['name']) for key in sorted(categories)]
        if len(set(reading.class_names)) < len(categories):
            raise AnnotationError(f'{path}: two categories have the same name: {", ".join(reading.class_names)}')
        folders = [folder for folder in (names[path], f'images/{names[path]}', 'images') if
                   (reading.directory / folder).is_dir()] + ['.']
        for image in coco.dataset['images']:
            with reading.or_skip():
                _add_coco(reading, split, path, coco, image, folders)
        for annotation in coco.dataset['annotations']:
            with reading.or_skip():
                if annotation['image_id'] not in coco.imgs:
                    raise AnnotationError(f'{path}: annotation {annotation["id"]}: no image {annotation["image_id"]}')


def _index_coco(path):
    """The file as pycocotools holds it, with what that leaves unchecked checked."""
    from pycocotools.coco import COCO

    try:
        data = json.loads(path.read_text('utf-8'))
        coco = COCO()
        coco.dataset = data
        with contextlib.redirect_stdout(io.StringIO()):   # it says what it does
            coco.createIndex()
        ids = {part: [entry['id'] for entry in data[part]] for part in ('images', 'categories', 'annotations')}
        for entry in data['images']:
            entry['file_name'].strip()
        for entry in data['categories']:
            entry['name'].strip()
        sorted(ids['categories'])
    except (ValueError, RecursionError) as error:
        raise AnnotationError(f'{path}: {error}') from error
    except (AttributeError, KeyError, TypeError) as error:
        raise AnnotationError(f'{path}: not in the form of COCO: {type(error).__name__}: {error}') from error
    for part, values in ids.items():
        if len(set(values)) < len(values):
            raise AnnotationError(f'{path}: {part}: the id {Counter(values).most_common(1)[0][0]} is there twice')
    return coco


def _add_coco(reading, split, document, coco, image, folders):
    where = f'{document}: image {image["id"]}'
    paths = [reading.inside(where, folder, image['file_name']) for folder in folders]
    objects = []
    for annotation in coco.imgToAnns[image['id']]:
        one = f'{document}: annotation {annotation["id"]}'
        if annotation.get('iscrowd'):
            reading.counts['crowds left out'] += 1
        elif annotation['category_id'] not in coco.cats:
            with reading.or_skip():
                raise AnnotationError(f'{one}: unknown category {annotation["category_id"]}')
        else:
            objects.append(_Object(one, annotation.get('bbox'), coco.cats[annotation['category_id']]['name']))
    size = (image['width'], image['height']) if 'width' in image and 'height' in image else None
    reading.add(split, where, next(filter(Path.is_file, paths), paths[0]), objects,
                lambda box, width, height: (box[0], box[1], box[0] + box[2], box[1] + box[3]), size)


# -- CSV -------------------------------------------------------------------------------------------------------------

def _read_csv(reading):
    reading.read_class_names_if_there()
    files = {split: reading.directory / f'{split}.csv' for split in ('train', 'val')}
    if not _both(*files.values()):
        found = sorted(reading.directory.glob('*.csv'))
        if len(found) != 1:
            raise AnnotationError(f'{reading.directory}: must have one CSV file, or train.csv and val.csv: '
                                  + (', '.join(path.name for path in found) or 'none'))
        files = {'all': found[0]}
    for split, path in files.items():
        for image, rows in _rows_by_image(reading, path).items():
            where = rows[0][0]
            objects = [_Object(one, tuple(row[edge] for edge in _EDGES), row['class']) for one, row in rows
                       if any(row[column].strip() for column in (*_EDGES, 'class'))]
            with reading.or_skip():
                reading.add(split, where, reading.inside(where, image), objects, lambda box, width, height: box)


def _rows_by_image(reading, path):
    """image -> [(file and line, row as a dict)], in the order of the file."""
    pictures = {}
    try:
        with open(path, encoding='utf-8-sig', newline='') as file:
            rows = csv.DictReader(file, strict=True)
            rows.fieldnames = [column.strip() for column in rows.fieldnames or ()]
            missing = [column for column in ('image', *_EDGES, 'class') if column not in rows.fieldnames]
            if missing:
                raise AnnotationError(f'{path}:1: the header has no column {", ".join(missing)}: '
                                      + ','.join(rows.fieldnames))
            for row in rows:
                where = f'{path}:{rows.line_num}'
                with reading.or_skip():
                    if None in row or None in row.values():   # DictReader's marks of more or fewer fields
                        raise AnnotationError(f'{where}: must have {len(rows.fieldnames)} fields, as the header')
                    pictures.setdefault(row['image'].strip(), []).append((where, row))
    except (csv.Error, UnicodeDecodeError) as error:
        raise AnnotationError(f'{path}: {error}') from error
    return pictures


# -- text files beside the pictures ----------------------------------------------------------------------------------

def _read_folder(reading):
    reading.read_class_names(reading.directory / 'classes.txt')
    folders = {split: reading.directory / split for split in ('train', 'val')}
    if not _both(*folders.values(), Path.is_dir):
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
                reading.add(split, text, picture, _yolo_objects(reading, text), _yolo_edges)


def _yolo_objects(reading, path):
    numbers = {str(number): name for number, name in enumerate(reading.class_names)}
    objects = []
    for number, line in _lines(path):
        where = f'{path}:{number}'
        with reading.or_skip():
            label, *box = line.split()
            if len(box) != 4:
                raise AnnotationError(f'{where}: must be a class and four numbers: {line}')
            if label not in numbers:
                raise AnnotationError(f'{where}: unknown class {label[:40]}; known: 0 to {len(numbers) - 1}')
            objects.append(_Object(where, tuple(box), numbers[label]))
    return objects


def _yolo_edges(box, width, height):
    x, y, w, h = np.multiply(box, (width, height, width, height))
    return x - w / 2, y - h / 2, x + w / 2, y + h / 2


FORMATS = {'voc': _read_voc, 'coco': _read_coco, 'csv': _read_csv, 'folder': _read_folder}
