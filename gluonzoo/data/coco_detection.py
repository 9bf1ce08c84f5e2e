"""Pictures with boxes in the form of COCO: a JSON file about a folder of pictures.

The format is that of cocodataset.org: ``images`` (id, file_name, width, height), ``categories`` (id, name) and
``annotations`` (image_id, category_id, bbox as x y width height in pixels, area, iscrowd). pycocotools indexes what has
been checked here: it takes a file for right, and fails anywhere if it is not.

What the official CornerNet and CenterNet (github.com/Duankaiwen/CenterNet, db/coco.py) do with it, this does too:
classes have the order of the category ids, and pictures without objects are trained on and evaluated. Departures:

1. Crowds, which are regions with many objects, are not trained on; there, each is trained on as if it were one object.
2. What a box has outside of its picture is cut off. (COCO's are within, but for rounding.)
"""
import contextlib
import io
import json
import warnings
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from ..pictures.decode import MAX_PIXELS, ImageError, read_image
from ..registry import DATASETS
from .annotations import AnnotationError
from .dataset import Dataset
from .records import RecordError

__all__ = ['CocoDetection', 'CocoSample']

MAX_BYTES = 1 << 32     # of a JSON file; that of COCO's train2017 has 0.45 GB
MIN_PIXELS = 0.01       # a box less wide or high than COCO's last decimal is none


class CocoSample(NamedTuple):
    """One picture and what is in it.

    image : NumPy uint8 [H, W, 3], RGB
    boxes : NumPy float32 [n, 4], xmin ymin xmax ymax in pixels of the image; edges, so a box of all is 0 0 W H
    labels : NumPy int32 [n], class numbers from 0
    record : int, the number in the dataset
    crowd : NumPy bool [n], regions with many objects of a class
    areas : NumPy float32 [n], of the objects' outlines in pixels, as annotated
    """

    image: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    record: int
    crowd: np.ndarray
    areas: np.ndarray

    @property
    def difficult(self):
        """Objects that an evaluation does not ask for: the crowds. So it can stand for a :class:`Sample`."""
        return self.crowd


@DATASETS.register('coco_detection')
class CocoDetection(Dataset):
    """The pictures and boxes of an annotation file of COCO.

    Its samples are :class:`CocoSample`.

    Parameters
    ----------
    path : str or Path
        such as ``data/coco/annotations/instances_train2017.json``
    images : str or Path, optional
        the folder of the pictures. None: for ``ROOT/annotations/instances_NAME.json`` it is ``ROOT/NAME``, else
        ``ROOT/images/NAME``.
    transform : dict or transform, optional
        'name' ('keypoint_train', 'photo' ...) and its keywords, see :func:`gluonzoo.data.transforms.make_transform`;
        without it, only :meth:`sample` can be called. Samples have crowds if it has a true attribute ``crowd``, and
        without a transform.

    Attributes
    ----------
    path, transform, arrays, skipped
        see :class:`~gluonzoo.data.dataset.Dataset`
    class_names : list of str
        in the order of the category ids
    category_ids : list of int
        of each class
    image_ids : list of int
        of each record
    files : list of Path
        of each record
    dropped : dict
        reason -> how many annotations are left out for it:

        - 'crowd': only with a transform that does not take crowds, such as 'keypoint_train'
        - 'incomplete': it has no image_id, category_id or bbox
        - 'unknown image', 'unknown category': there is none with this id
        - 'not a box': the bbox is not four finite numbers, or area or iscrowd is not what it should be. (If these two
          are missing, they are the box's area and 0.)
        - 'degenerate': the box has no width or no height
        - 'outside': the box is beside the picture, or reaches farther out of it than the picture is large. (What sticks
          out less is cut off.)

        If there are others than crowds, a RuntimeWarning says so once.

    Raises
    ------
    FileNotFoundError
        if there is no such file or folder.
    AnnotationError
        if the file is not JSON, or not in the form of COCO; if a category or an image in it has no id, name or size, or
        the id of another, or is named by a path that leads out of the folder; or if there are annotations of single
        objects and none that can be used. A few that cannot be used are left out, see `dropped`.
    ValueError
        if the transform is unknown or has unknown keywords, or if `images` is needed.
    """

    def __init__(self, path, images=None, transform=None):
        super().__init__(Path(path), transform)
        data = _read(self.path)
        folder = _folder(self.path, images)
        categories = _categories(self.path, data['categories'])
        self.category_ids = sorted(categories)
        self.class_names = [categories[number] for number in self.category_ids]
        self._sizes = _sizes(self.path, data['images'])
        self.image_ids = list(self._sizes)
        self.files = [folder / image['file_name'] for image in data['images']]
        take_crowds = transform is None or getattr(self.transform, 'crowd', False)
        data['annotations'], self.dropped = self._usable(data['annotations'], take_crowds)
        self._objects = self._index(data)

    def __len__(self):
        return len(self.files)

    def sample(self, record):
        """The picture and the boxes of one record.

        Returns
        -------
        CocoSample

        Raises
        ------
        IndexError
            if `record` is not in 0 .. len - 1.
        RecordError
            naming the file and the image's id: the file is missing, cannot be decoded, or has not the size that the
            annotations say.
        """
        if not 0 <= record < len(self):
            raise IndexError(f'record {record} of {len(self)}')
        number, file = self.image_ids[record], self.files[record]
        try:
            image = read_image(file)
        except (ImageError, OSError) as error:
            raise RecordError(f'{self.path}: image {number}: {error}') from error
        found, said = image.shape[1::-1], self._sizes[number]
        if found != said:
            raise RecordError(f'{self.path}: image {number}: {file} has {found[0]} x {found[1]} pixels, and must have '
                              f'{said[0]} x {said[1]}')
        boxes, labels, areas, crowd = (array.copy() for array in self._objects[record])
        return CocoSample(image, boxes, labels, record, crowd, areas)

    def _usable(self, annotations, take_crowds):
        """Those that can be used, and how many cannot, by reason."""
        found, dropped = [], Counter()
        known = set(self.category_ids)
        for annotation in annotations:
            reason = _fault(annotation, self._sizes, known, take_crowds)
            if reason is None:
                annotation['id'] = len(found)   # whatever it was: pycocotools wants one, and each once
                found.append(annotation)
            else:
                dropped[reason] += 1
        faults = sum(dropped.values()) - dropped['crowd']
        said = ', '.join(f'{reason} {count}' for reason, count in sorted(dropped.items()) if count)
        if faults and not found:
            raise AnnotationError(f'{self.path}: none of its {len(annotations)} annotations can be used: {said}')
        if faults:
            warnings.warn(f'{self.path}: {sum(dropped.values())} of its {len(annotations)} annotations are left out: '
                          f'{said}', RuntimeWarning, stacklevel=2)
        return found, dict(+dropped)

    def _index(self, data):
        """(boxes, labels, areas, crowd) of each record."""
        from pycocotools.coco import COCO

        coco = COCO()
        coco.dataset = data
        with contextlib.redirect_stdout(io.StringIO()):   # it says what it does
            coco.createIndex()
        labels = {number: label for label, number in enumerate(self.category_ids)}
        objects = []
        for number in self.image_ids:
            found = coco.loadAnns(coco.getAnnIds(imgIds=number))
            boxes = np.array([one['bbox'] for one in found], float).reshape(-1, 4)
            boxes[:, 2:] += boxes[:, :2]
            boxes = boxes.clip(0, self._sizes[number] * 2)   # width height width height
            areas = [one.get('area', one['bbox'][2] * one['bbox'][3]) for one in found]
            objects.append((boxes.astype(np.float32), np.array([labels[one['category_id']] for one in found], np.int32),
                            np.array(areas, np.float32), np.array([one.get('iscrowd', 0) for one in found], bool)))
        return objects


# -- the file --------------------------------------------------------------------------------------------------------

def _read(path):
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


def _folder(path, images):
    """Where the pictures are."""
    if images is not None:
        folders = [Path(images)]
    elif path.stem.startswith('instances_'):
        name = path.stem[len('instances_'):]
        root = path.absolute().parent.parent
        folders = [root / name, root / 'images' / name]
    else:
        raise ValueError(f'images: must be given: {path.name} is not named instances_NAME.json, which would tell it')
    for folder in folders:
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f'{folders[0]}: no such folder' + ''.join(f', nor {folder}' for folder in folders[1:]))


def _entries(path, part, entries):
    """(where, entry, id) of each entry of a list; an error unless each has an id of its own."""
    seen = set()
    for place, entry in enumerate(entries):
        where = f'{path}: {part}[{place}]'
        number = entry.get('id') if isinstance(entry, dict) else None
        if not _whole(number):
            raise AnnotationError(f'{where}: must be an object with an id, a whole number: {_short(entry)}')
        if number in seen:
            raise AnnotationError(f'{where}: the id {number} is there twice')
        seen.add(number)
        yield where, entry, number


def _categories(path, entries):
    """id -> name."""
    names = {}
    for where, entry, number in _entries(path, 'categories', entries):
        name = entry.get('name')
        if not isinstance(name, str) or not name.strip() or not name.isprintable():
            raise AnnotationError(f'{where}: name: must be printable and not empty: {_short(name)}')
        if name in names.values():
            raise AnnotationError(f'{where}: name: {name!r} is there twice')
        names[number] = name
    return names


def _sizes(path, entries):
    """id -> (width, height)."""
    sizes = {}
    for where, entry, number in _entries(path, 'images', entries):
        name, size = entry.get('file_name'), (entry.get('width'), entry.get('height'))
        if not isinstance(name, str) or not name or not name.isprintable() or PurePosixPath(name).is_absolute() or (
                '..' in PurePosixPath(name).parts):
            raise AnnotationError(f'{where}: file_name: must be a path within the folder: {_short(name)}')
        if not all(_whole(side) and side > 0 for side in size) or size[0] * size[1] > MAX_PIXELS:
            raise AnnotationError(f'{where}: width and height: must be whole numbers, {MAX_PIXELS} pixels at most: '
                                  f'{_short(size)}')
        sizes[number] = size
    return sizes


def _fault(annotation, sizes, categories, take_crowds):
    """Why an annotation cannot be used, None if it can: see the attribute `dropped`."""
    try:
        image, category, box = annotation['image_id'], annotation['category_id'], annotation['bbox']
    except (KeyError, TypeError):
        return 'incomplete'
    if not _whole(image) or image not in sizes:
        return 'unknown image'
    if not _whole(category) or category not in categories:
        return 'unknown category'
    crowd, area = annotation.get('iscrowd', 0), annotation.get('area', 0)
    if crowd not in (0, 1) or not _finite(area) or area < 0:
        return 'not a box'
    if crowd and not take_crowds:
        return 'crowd'
    if not isinstance(box, list) or len(box) != 4 or not all(map(_finite, box)):
        return 'not a box'
    x, y, width, height = box
    if width < MIN_PIXELS or height < MIN_PIXELS:
        return 'degenerate'
    right, bottom = sizes[image]
    if min(x + width, right) - max(x, 0) < MIN_PIXELS or min(y + height, bottom) - max(y, 0) < MIN_PIXELS or (
            x < -right or y < -bottom or x + width > 2 * right or y + height > 2 * bottom):
        return 'outside'
    return None


def _whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


def _finite(value):
    """Whether it is a number that float32 can hold."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e38   # NaN is not


def _short(value):
    said = repr(value)
    return said if len(said) <= 80 else f'{said[:77]}...'
