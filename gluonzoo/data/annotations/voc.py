"""PASCAL VOC: an XML file about each picture."""
from pathlib import Path

import numpy as np
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, parse

from ...pictures.decode import SUFFIXES
from .base import EDGES, AnnotationError, Object, both, lines


def read(reading):
    """Reads a directory for :func:`gluonzoo.data.annotations.read_annotations`."""
    reading.read_class_names_if_there()
    documents = reading.directory / 'Annotations'
    documents = documents if documents.is_dir() else reading.directory
    lists = [reading.directory / 'ImageSets' / 'Main' / f'{split}.txt' for split in ('train', 'val')]
    if not both(*lists):
        for document in sorted(documents.glob('*.xml')):
            with reading.or_skip():
                _add(reading, 'all', document)
        return
    listed = set()
    for path in lists:
        for number, line in lines(path):
            with reading.or_skip():
                document = reading.inside(f'{path}:{number}', f'{line}.xml')
                document = documents / document.relative_to(reading.directory)
                listed.add(document)
                _add(reading, path.stem, document)
    reading.counts['pictures in neither train.txt nor val.txt'] = len(set(documents.glob('*.xml')) - listed)


def _add(reading, split, document):
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
            box = tuple(element.findtext(f'bndbox/{edge}') for edge in EDGES)
            objects.append(Object(where, box, element.findtext('name') or '', difficult == '1'))
    reading.add(split, document, path, objects, lambda box, width, height: np.subtract(box, (1, 1, 0, 0)),
                _size(document, root))


def _size(document, root):
    size = tuple(root.findtext(f'size/{side}') for side in ('width', 'height'))
    if None in size or '0' in size:   # tools that do not know it write 0
        return None
    try:
        return int(size[0]), int(size[1])
    except ValueError:
        raise AnnotationError(f'{document}: its size must be whole numbers: {size}') from None
