"""COCO: a JSON file about a folder of pictures, as of cocodataset.org.

The file is an object with the lists ``images`` (id, file_name, width, height), ``categories`` (id, name) and
``annotations`` (id, image_id, category_id, bbox as x y width height in pixels, area, iscrowd). :func:`read_coco` reads
all such files; :func:`read` reads a directory with one or two of them.
"""
import json
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple, Optional

from ...pictures.decode import MAX_PIXELS
from .base import AnnotationError, Object, leads_inside

MAX_BYTES = 1 << 32     # of a JSON file; that of COCO's train2017 has 0.45 GB
MIN_PIXELS = 0.01       # a box less wide or high than COCO's last decimal is none

_PREFIX = 'instances_'   # of the files about objects; others are about captions and keypoints


class CocoImage(NamedTuple):
    """What a file says of a picture."""
    file_name: str
    size: Optional[tuple]   # (width, height); None if the file does not say it


class CocoFile(NamedTuple):
    """What is in a file of COCO's form.

    categories : dict of id -> name, in the order of the ids, which is that of the classes
    images : dict of id -> CocoImage, in the order of the file
    annotations : list of what stands in the file for objects, without their outlines. It may be anything: see
        :meth:`image_of`, :meth:`category_of` and :meth:`fault`.
    """

    categories: dict
    images: dict
    annotations: list

    def image_of(self, annotation):
        """The id of the image that an annotation names; None if there is none."""
        return _known(annotation.get('image_id'), self.images)

    def category_of(self, annotation):
        """The id of the category that an annotation names; None if there is none."""
        return _known(annotation.get('category_id'), self.categories)

    def fault(self, annotation, crowds=True):
        """Why an annotation cannot be used, None if it can.

        Parameters
        ----------
        annotation : one of :attr:`annotations` of a file that was read with `strict`
        crowds : bool
            whether regions with many objects can be used

        Returns
        -------
        'crowd', 'incomplete', 'unknown image', 'unknown category', 'not a box', 'degenerate', 'outside' or None
            see :attr:`gluonzoo.data.CocoDetection.dropped`
        """
        if not isinstance(annotation, dict) or not annotation.keys() >= {'image_id', 'category_id', 'bbox'}:
            return 'incomplete'
        image, box = self.image_of(annotation), annotation['bbox']
        if image is None:
            return 'unknown image'
        if self.category_of(annotation) is None:
            return 'unknown category'
        crowd, area = annotation.get('iscrowd', 0), annotation.get('area', 0)
        if crowd not in (0, 1) or not _finite(area) or area < 0:
            return 'not a box'
        if crowd and not crowds:
            return 'crowd'
        if not isinstance(box, list) or len(box) != 4 or not all(map(_finite, box)):
            return 'not a box'
        x, y, width, height = box
        if width < MIN_PIXELS or height < MIN_PIXELS:
            return 'degenerate'
        right, bottom = self.images[image].size
        if min(x + width, right) - max(x, 0) < MIN_PIXELS or min(y + height, bottom) - max(y, 0) < MIN_PIXELS or (
                x < -right or y < -bottom or x + width > 2 * right or y + height > 2 * bottom):
            return 'outside'
        return None

    def by_image(self, annotations):
        """dict of image id -> the annotations that name this image, in their order; others are left out."""
        found = defaultdict(list)
        for annotation in annotations:
            found[self.image_of(annotation)].append(annotation)
        return {number: found[number] for number in self.images}


def read_coco(path, strict=True):
    """Reads a file of COCO's form.

    Parameters
    ----------
    path : Path
    strict : bool
        Demand what training and evaluation need: ids that are whole numbers, a width and a height of each image, and
        file names inside the folder of the images. Otherwise ids may also be text, and the caller checks file names and
        sizes with the pictures, so that a wrong one costs one picture alone.

    Returns
    -------
    CocoFile

    Raises
    ------
    FileNotFoundError
        if there is no such file.
    AnnotationError
        if the file is not JSON, is too large, or is not in the form of COCO; if a category or an image in it has no id
        or name, or the id of another; if two categories have one name.
    """
    data = _parse(path)
    return CocoFile(_categories(path, data['categories'], strict), _images(path, data['images'], strict),
                    data['annotations'])


def _parse(path):
    """What is in the file, its three lists at least."""
    if not path.is_file():
        raise FileNotFoundError(f'{path}: no such file')
    if path.stat().st_size > MAX_BYTES:
        raise AnnotationError(f'{path}: {path.stat().st_size} bytes; must be at most {MAX_BYTES}')
    try:
        with open(path, encoding='utf-8') as file:
            data = json.load(file, object_hook=_without_outline)
    except (ValueError, RecursionError) as error:
        raise AnnotationError(f'{path}: not JSON: {error}') from error
    for part in ('images', 'categories', 'annotations'):
        if not isinstance(data, dict) or not isinstance(data.get(part), list):
            raise AnnotationError(f'{path}: not in the form of COCO: must be an object with a list {part!r}')
        if part != 'annotations' and not data[part]:
            raise AnnotationError(f'{path}: no {part} in it')
    return data


def _without_outline(entry):
    entry.pop('segmentation', None)   # nine tenths of what COCO takes in memory
    return entry


def _entries(path, part, entries, strict):
    """(where, entry, id) of each entry of a list; an error unless each has an id of its own."""
    seen = set()
    for place, entry in enumerate(entries):
        where = f'{path}: {part}[{place}]'
        number = entry.get('id') if isinstance(entry, dict) else None
        if not _whole(number) and (strict or not isinstance(number, str)):
            raise AnnotationError(f'{where}: must be an object with an id, a whole number: {_short(entry)}')
        if number in seen:
            raise AnnotationError(f'{where}: the id {number} is there twice')
        seen.add(number)
        yield where, entry, number


def _categories(path, entries, strict):
    """id -> name, in the order of the ids."""
    names, seen = {}, set()
    for where, entry, number in _entries(path, 'categories', entries, strict):
        name = entry.get('name')
        if not isinstance(name, str) or not name.strip() or not name.isprintable():
            raise AnnotationError(f'{where}: name: must be printable and not empty: {_short(name)}')
        if name.strip() in seen:
            raise AnnotationError(f'{where}: name: {name!r} is there twice')
        seen.add(name.strip())
        names[number] = name
    return {number: names[number] for number in sorted(names, key=lambda number: (isinstance(number, str), number))}


def _images(path, entries, strict):
    """id -> CocoImage."""
    images = {}
    for where, entry, number in _entries(path, 'images', entries, strict):
        name, size = entry.get('file_name'), (entry.get('width'), entry.get('height'))
        if not isinstance(name, str) or strict and not (name.isprintable() and leads_inside(name)):
            raise AnnotationError(f'{where}: file_name: must be a path within the folder: {_short(name)}')
        if strict and (not all(_whole(side) and side > 0 for side in size) or size[0] * size[1] > MAX_PIXELS):
            raise AnnotationError(f'{where}: width and height: must be whole numbers, {MAX_PIXELS} pixels at most: '
                                  f'{_short(size)}')
        images[number] = CocoImage(name, None if None in size else size)
    return images


def _known(number, ids):
    """The id if it is known, else None. `number` may be anything. (A fraction or a bool may equal a whole number.)"""
    return number if (_whole(number) or isinstance(number, str)) and number in ids else None


def _whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


def _finite(value):
    """Whether it is a number that float32 can hold."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e38   # NaN is not


def _short(value):
    said = repr(value)
    return said if len(said) <= 80 else f'{said[:77]}...'


# -- a directory -----------------------------------------------------------------------------------------------------

def read(reading):
    """Reads a directory for :func:`gluonzoo.data.annotations.read_annotations`."""
    files, categories = _files(reading), None
    for split, path in files.items():
        coco = read_coco(path, strict=False)
        if categories not in (None, coco.categories):
            raise AnnotationError(f'{path}: its categories must be those of {files["train"]}')
        categories = coco.categories
        reading.class_names = [name.strip() for name in categories.values()]
        folders = [folder for folder in (_name(path), f'images/{_name(path)}', 'images') if
                   (reading.directory / folder).is_dir()] + ['.']
        annotations = [entry for _, entry, _ in _entries(path, 'annotations', coco.annotations, strict=False)]
        by_image = coco.by_image(annotations)
        for number, image in coco.images.items():
            where = f'{path}: image {number}'
            with reading.or_skip():
                paths = [reading.inside(where, folder, image.file_name) for folder in folders]
                reading.add(split, where, next(filter(Path.is_file, paths), paths[0]),
                            _objects(reading, path, coco, by_image[number]), _edges, image.size)
        for annotation in annotations:
            with reading.or_skip():
                if coco.image_of(annotation) is None:
                    where = f'{path}: annotation {annotation["id"]}'
                    raise AnnotationError(f'{where}: no image {annotation.get("image_id")}')


def _files(reading):
    """split -> file."""
    found = next(filter(None, (sorted(reading.directory.glob(pattern)) for pattern in (
        f'annotations/{_PREFIX}*.json', 'annotations/*.json', '*.json'))), [])
    train, val = ([path for path in found if _name(path).startswith(split)] for split in ('train', 'val'))
    if len(train) == len(val) == 1:
        reading.counts['files that are of neither train nor val'] = len(found) - 2
        return {'train': train[0], 'val': val[0]}
    if len(found) == 1:
        return {'all': found[0]}
    raise AnnotationError(f'{reading.directory}: must have one JSON file, or one train... and one val...: '
                          + (', '.join(str(path.relative_to(reading.directory)) for path in found) or 'none'))


def _name(path):
    """What the folder of the pictures may be called."""
    return path.stem[len(_PREFIX):] if path.stem.startswith(_PREFIX) else path.stem


def _objects(reading, path, coco, annotations):
    """A list of Object, without crowds."""
    objects = []
    for annotation in annotations:
        where, category = f'{path}: annotation {annotation["id"]}', coco.category_of(annotation)
        with reading.or_skip():
            if annotation.get('iscrowd'):
                reading.counts['crowds left out'] += 1
            elif category is None:
                raise AnnotationError(f'{where}: unknown category {annotation.get("category_id")}')
            else:
                objects.append(Object(where, annotation.get('bbox'), coco.categories[category]))
    return objects


def _edges(box, width, height):
    """x y width height -> xmin ymin xmax ymax"""
    return box[0], box[1], box[0] + box[2], box[1] + box[3]
