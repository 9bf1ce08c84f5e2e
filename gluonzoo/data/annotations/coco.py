"""COCO: a JSON file about a folder of pictures, as of cocodataset.org.

The file is an object with the lists ``images`` (id, file_name, width, height), ``categories`` (id, name) and
``annotations`` (id, image_id, category_id, bbox as x y width height in pixels, area, iscrowd). :func:`read_coco` reads
all such files; :func:`read` reads a directory with one or two of them.
"""
from collections import Counter, defaultdict
from typing import NamedTuple, Optional

from ...pictures.decode import MAX_PIXELS
from ...reading import FileError, quoted, read_json
from .base import AnnotationError, Object, few, file_errors, first_file, leads_inside, spellings
from .flags import flag
from .listing import with_suffix
from .splits import choose

MAX_BYTES = 1 << 32     # of a JSON file; that of COCO's train2017 has 0.45 GB
MIN_PIXELS = 0.01       # a box less wide or high than COCO's last decimal is none

_PREFIX = 'instances_'   # of the files about objects; others are about captions and keypoints
_IN_FOLDER = '_annotations.coco.json'   # the file of a split in a folder with its pictures, as Roboflow writes it
_SPLITS = ('trainval', 'train', 'valid', 'val', 'test')   # what names of splits begin with: train2017


class CocoImage(NamedTuple):
    """What a file says of a picture."""
    file_name: str
    size: Optional[tuple]   # (width, height); None if the file does not say it


class CocoFile(NamedTuple):
    """What is in a file of COCO's form.

    categories : dict of id -> name, in the order of the ids, which is that of the classes
    images : dict of id -> CocoImage, in the order of the file
    annotations : list of what stands in the file for objects, without their outlines. It may be anything: see
        :meth:`image_of`, :meth:`category_of` and :meth:`fault`. But ids that are whole numbers, and iscrowd where it
        can be told, are of type int in all lists, however they are written.
    groups : frozenset of the ids of categories that only gather others: these name them as their supercategory, and
        no annotation is of them. (Roboflow writes one for the whole dataset.)
    """

    categories: dict
    images: dict
    annotations: list
    groups: frozenset = frozenset()

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
    groups = _groups(data, strict)
    return CocoFile(_categories(path, data['categories'], groups, strict), _images(path, data['images'], strict),
                    data['annotations'], groups)


def _parse(path):
    """What is in the file, its three lists at least, with ids and flags as they are wanted."""
    if not path.exists():
        raise FileNotFoundError(f'{path}: no such file')
    try:
        data = read_json(path, MAX_BYTES, _without_outline)
    except FileError as error:
        raise AnnotationError(str(error)) from error
    for part in ('images', 'categories', 'annotations'):
        if not isinstance(data, dict) or not isinstance(data.get(part), list):
            raise AnnotationError(f'{path}: not in the form of COCO: must be an object with a list {part!r}')
        if part != 'annotations' and not data[part]:
            raise AnnotationError(f'{path}: no {part} in it')
        keys = _NUMBERS[part]
        for entry in data[part]:
            if isinstance(entry, dict):
                for key in keys:
                    if type(entry.get(key)) in (str, float):
                        entry[key] = _as_number(entry[key])
                if type(entry.get('iscrowd', 0)) is not int:
                    crowd = flag(entry['iscrowd'])
                    entry['iscrowd'] = entry['iscrowd'] if crowd is None else int(crowd)
    return data


# What is a whole number, or an id that may be one.
_NUMBERS = {'images': ('id', 'width', 'height'), 'categories': ('id',),
            'annotations': ('id', 'image_id', 'category_id')}


def _as_number(value):
    """int for a whole number that is written as '7' or 7.0, any other value as it is."""
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() and len(value) < 20 and (
            value == '0' or value[0] != '0') else value
    return int(value) if abs(value) < 2 ** 53 and value == int(value) else value


def _groups(data, strict):
    """The ids of categories that only gather others.

    If `strict`, only one that gathers all others and is itself in none, as Roboflow writes it: which categories have
    objects differs between the files to train and to validate with, and both must have the same classes.
    """
    categories = [entry for entry in data['categories'] if isinstance(entry, dict)]
    used = {entry.get('category_id') for entry in data['annotations']
            if isinstance(entry, dict) and isinstance(entry.get('category_id'), (int, str))}
    named = defaultdict(set)   # name of a group -> ids of those that it gathers
    for entry in categories:
        if isinstance(entry.get('supercategory'), str) and isinstance(entry.get('id'), (int, str)):
            named[entry['supercategory']].add(entry['id'])
    ids = {entry['id'] for entry in categories if isinstance(entry.get('id'), (int, str))}

    def gathers(entry):
        others = named.get(entry['name'], set()) - {entry['id']}
        if strict:
            return entry.get('supercategory') == 'none' and bool(others) and others == ids - {entry['id']}
        return bool(others)
    return frozenset(entry['id'] for entry in categories
                     if isinstance(entry.get('id'), (int, str)) and entry['id'] not in used
                     and isinstance(entry.get('name'), str) and gathers(entry))


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
            raise AnnotationError(f'{where}: must be an object with an id, a whole number: {quoted(entry)}')
        if number in seen:
            raise AnnotationError(f'{where}: the id {quoted(number)} is there twice')
        seen.add(number)
        yield where, entry, number


def _categories(path, entries, groups, strict):
    """id -> name, in the order of the ids. A group may have the name of a class."""
    names, seen = {}, set()
    for where, entry, number in _entries(path, 'categories', entries, strict):
        name = entry.get('name')
        if not isinstance(name, str) or not name.strip() or not name.isprintable():
            raise AnnotationError(f'{where}: name: must be printable and not empty: {quoted(name)}')
        if number not in groups:
            if name.strip() in seen:
                raise AnnotationError(f'{where}: name: {quoted(name)} is there twice')
            seen.add(name.strip())
        names[number] = name
    return {number: names[number] for number in sorted(names, key=lambda number: (isinstance(number, str), number))}


def _images(path, entries, strict):
    """id -> CocoImage."""
    images = {}
    for where, entry, number in _entries(path, 'images', entries, strict):
        name, size = entry.get('file_name'), (entry.get('width'), entry.get('height'))
        if not isinstance(name, str) or strict and not (name.isprintable() and leads_inside(name)):
            raise AnnotationError(f'{where}: file_name: must be a path within the folder: {quoted(name)}')
        if strict and (not all(_whole(side) and side > 0 for side in size) or size[0] * size[1] > MAX_PIXELS):
            raise AnnotationError(f'{where}: width and height: must be whole numbers, {MAX_PIXELS} pixels at most: '
                                  f'{quoted(size)}')
        images[number] = CocoImage(name, None if None in size else size)
    return images


def _known(number, ids):
    """The id if it is known, else None. `number` may be anything. (A fraction or a bool may equal a whole number.)"""
    return number if (_whole(number) or isinstance(number, str)) and number in ids else None


def _whole(value):
    return type(value) is int   # what JSON gives, and no bool


def _finite(value):
    """Whether it is a number that float32 can hold."""
    return type(value) in (int, float) and abs(value) < 1e38   # NaN is not


# -- a directory -----------------------------------------------------------------------------------------------------

def read(reading):
    """Reads a directory for :func:`gluonzoo.data.annotations.read_annotations`."""
    reading.boxes_are = f'x, y, width, height in {reading.unit}'
    files = {}
    for split, path in _files(reading).items():
        with file_errors(path):
            files[split] = path, read_coco(path, strict=False)
        reading.mark_read(path)
    (first, coco), *others = files.values()
    for path, other in others:
        if other.categories != coco.categories:
            raise AnnotationError(f'{path}: its categories must be those of {first}')
    groups = frozenset.intersection(*(coco.groups for _, coco in files.values()))   # no annotation is of them in any
    classes = [name.strip() for number, name in coco.categories.items() if number not in groups]
    reading.counts['categories left out that only gather others'] += len(groups)
    reading.set_class_names(first, classes)
    for split, (path, coco) in files.items():
        _read_file(reading, split, path, coco)


def _read_file(reading, split, path, coco):
    here, name = str(path.parent.relative_to(reading.directory)), _name(reading, path)
    folders = [folder for folder in (name, f'images/{name}', 'images', here)
               if (reading.directory / folder).is_dir()] + ['.']
    annotations = [(f'{path}: annotation {quoted(entry["id"]) if "id" in entry else f"[{place}]"}', entry)
                   for place, entry in _with_ids(path, coco.annotations)]
    by_image = defaultdict(list)
    for where, annotation in annotations:
        by_image[coco.image_of(annotation)].append((where, annotation))
    for number, image in coco.images.items():
        where = f'{path}: image {quoted(number)}'
        with reading.or_skip():
            if image.size and not all(map(_whole, image.size)):
                raise AnnotationError(f'{where}: width and height: must be whole numbers: {quoted(image.size)}')
            paths = [reading.inside(where, folder, file) for file in spellings(image.file_name) for folder in folders]
            reading.add(split, where, first_file(paths), _objects(reading, coco, by_image[number]), _edges, image.size)
    for where, annotation in by_image[None]:
        with reading.or_skip():
            raise AnnotationError(f'{where}: no image {quoted(annotation.get("image_id"))}')


def _with_ids(path, entries):
    """(place, annotation) of each; an error unless each is an object, with an id of its own or none."""
    having = [entry for entry in entries if not (isinstance(entry, dict) and 'id' not in entry)]
    for _ in _entries(path, 'annotations', having, strict=False):
        pass
    return enumerate(entries)


def _files(reading):
    """split -> file."""
    files = with_suffix(reading.files(), '.json')
    annotations = [path for path in files if path.parent == reading.directory / 'annotations']
    number = Counter(path.parent for path in files)
    found = next(filter(None, (
        [path for path in annotations if path.name.startswith(_PREFIX)], annotations,
        [path for path in files if path.parent == reading.directory],
        [path for path in files if path.name == _IN_FOLDER],
        [path for path in files if path.parent.parent == reading.directory and number[path.parent] == 1])), [])
    if len(found) == 1 and not reading.wanted_splits:
        return {'all': found[0]}
    names = {}
    for path in found:
        name = _name(reading, path)
        begin = next((split for split in _SPLITS if name.lower().startswith(split)), name)
        names.setdefault(begin, []).append(path)
    there = {name: paths[0] for name, paths in names.items() if len(paths) == 1}
    if reading.wanted_splits:
        exactly = {_name(reading, path): path for path in found}
        return choose({**there, **exactly}, reading.wanted_splits, reading.directory)
    chosen = choose(there, None, reading.directory) if len(there) > 1 else None
    if chosen is None:
        raise AnnotationError(f'{reading.directory}: must have one JSON file, or one train... and one val...: '
                              + (few(str(path.relative_to(reading.directory)) for path in found or files) or 'none'))
    return chosen


def _name(reading, path):
    """The name of the split, which that of the folder of the pictures may be."""
    if path.parent not in (reading.directory, reading.directory / 'annotations'):
        return path.parent.name
    return path.stem[len(_PREFIX):] if path.stem.startswith(_PREFIX) else path.stem


def _objects(reading, coco, annotations):
    """A list of Object, without crowds."""
    objects = []
    for where, annotation in annotations:
        category, crowd = coco.category_of(annotation), flag(annotation.get('iscrowd'))
        with reading.or_skip():
            if crowd is None:
                raise AnnotationError(f'{where}: iscrowd must be 0 or 1 (or false, true, no, yes): '
                                      f'{quoted(annotation["iscrowd"])}')
            if crowd:
                reading.counts['crowds left out'] += 1
            elif category is None:
                raise AnnotationError(f'{where}: unknown category {quoted(annotation.get("category_id"))}')
            else:
                objects.append(Object(where, annotation.get('bbox'), coco.categories[category].strip()))
    return objects


def _edges(box, width, height):
    """x y width height -> xmin ymin xmax ymax"""
    return box[0], box[1], box[0] + box[2], box[1] + box[3]
