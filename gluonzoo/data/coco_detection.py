"""Pictures with boxes in the form of COCO: a JSON file about a folder of pictures, see `annotations/coco.py`.

As in the official CornerNet and CenterNet (github.com/Duankaiwen/CenterNet, db/coco.py), classes have the order of the
category ids, and pictures without objects are trained on and evaluated. Deviations:

1. Crowds, which are regions with many objects, are not trained on. The official code trains on a crowd as if it were
   one object.
2. The part of a box outside the picture is cut off. (COCO's boxes are inside, but for rounding.) There is a warning if
   it is more than a pixel.
"""
import warnings
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..pictures.decode import ImageError, read_image
from ..reading import open_ordinary
from ..registry import DATASETS
from ..values import PATH
from .annotations import AnnotationError
from .annotations.coco import read_coco
from .coco_files import find_annotations, folder_of
from .dataset import Dataset, counted, one_file
from .records import RecordError

__all__ = ['CocoDetection', 'CocoSample']

_CHUNK = 1 << 20   # bytes of the file read at a time
_OF_BOXES = {'not a box', 'degenerate', 'outside'}   # faults that boxes in a wrong unit or order have
_UNIT = 'A bbox must be x, y, width and height in pixels'


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
        """Objects that an evaluation does not count: the crowds. So a CocoSample can be used as a :class:`Sample`."""
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
        the folder of the pictures. None: for ``ROOT/annotations/instances_NAME.json`` it is ``ROOT/NAME``, or what else
        :func:`gluonzoo.data.coco_files.folder_of` finds.
    transform : dict or transform, optional
        'name' ('keypoint_train', 'photo' ...) and its keywords, see :func:`gluonzoo.data.transforms.make_transform`.
        Without a transform, only :meth:`sample` can be called. Samples have crowds without a transform, and with one
        whose attribute ``crowd`` is true.

    Attributes
    ----------
    path, transform, arrays, skipped
        see :class:`~gluonzoo.data.dataset.Dataset`
    class_names : list of str
        in the order of the category ids, without categories that only gather others, as Roboflow writes one
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
        - 'outside': the box is beside the picture, or reaches farther out of the picture than the picture is large. (A
          smaller part outside is cut off.)

        If there are others than crowds, a RuntimeWarning says so once.

    Raises
    ------
    FileNotFoundError
        if there is no such file or folder, or if no folder is found and `images` is needed.
    AnnotationError
        if the file is not JSON, or not in the form of COCO; if a category or an image in it has no id, name or size, or
        the id of another, or is named by a path that leads out of the folder; or if there are annotations of single
        objects and none that can be used, or none of an object larger than a pixel. A few that cannot be used are left
        out, see `dropped`.
    ValueError
        if the transform is unknown or has unknown keywords.
    """

    def __init__(self, path: PATH, images: PATH = None, transform=None):
        super().__init__(one_file(path), transform)
        coco = read_coco(self.path)
        folder = self._folder(images, [image.file_name for image in coco.images.values()])
        classes = {number: name.strip() for number, name in coco.categories.items() if number not in coco.groups}
        self.category_ids, self.class_names = list(classes), list(classes.values())
        self._sizes = {number: image.size for number, image in coco.images.items()}
        self.image_ids = list(coco.images)
        self.files = [folder / image.file_name for image in coco.images.values()]
        take_crowds = transform is None or getattr(self.transform, 'crowd', False)
        usable, self.dropped = self._usable(coco, take_crowds)
        self._objects = self._index(coco.by_image(usable))

    def __len__(self):
        return len(self.files)

    @classmethod
    def in_folder(cls, folder, split):
        return {'path': str(find_annotations(Path(folder))[split])}

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

    def _folder(self, images, names):
        """Where the pictures are."""
        if images is None:
            return folder_of(self.path, names)
        if not Path(images).is_dir():
            raise FileNotFoundError(f'{images}: no such folder')
        return Path(images)

    def identity(self):
        """Yields the content of the annotation file."""
        with open_ordinary(self.path) as file:
            while chunk := file.read(_CHUNK):
                yield chunk

    def _usable(self, coco, take_crowds):
        """The annotations that can be used, and how many cannot, by reason."""
        found, dropped = [], Counter()
        for annotation in coco.annotations:
            reason = coco.fault(annotation, take_crowds)
            if reason is None:
                found.append(annotation)
            else:
                dropped[reason] += 1
        total = len(coco.annotations)
        faults = sum(dropped.values()) - dropped['crowd']
        if faults and not found:
            hint = f'. {_UNIT}' if _OF_BOXES & dropped.keys() else ''
            raise AnnotationError(f'{self.path}: none of its {total} annotations can be used: {counted(dropped)}{hint}')
        if found and not any(max(one['bbox'][2:]) > 1 for one in found):
            raise AnnotationError(f'{self.path}: none of its {len(found)} objects is larger than a pixel. {_UNIT}')
        if not total:
            warnings.warn(f'{self.path}: there is no object in it', RuntimeWarning, stacklevel=2)
        if faults:
            warnings.warn(f'{self.path}: {sum(dropped.values())} of its {total} annotations are left out: '
                          f'{counted(dropped)}', RuntimeWarning, stacklevel=2)
        return found, dict(+dropped)

    def _index(self, by_image):
        """(boxes, labels, areas, crowd) of each record."""
        numbers = {number: label for label, number in enumerate(self.category_ids)}
        found = [one for annotations in by_image.values() for one in annotations]
        counts = [len(annotations) for annotations in by_image.values()]
        boxes = np.array([one['bbox'] for one in found], float).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        sizes = np.repeat(np.array([self._sizes[number] * 2 for number in by_image], float), counts, 0)   # -> [n, 4]
        self._tell_cut(((boxes < -1) | (boxes > sizes + 1)).any(1))
        boxes = boxes.clip(0, sizes).astype(np.float32)
        labels = np.array([numbers[one['category_id']] for one in found], np.int32)
        areas = np.array([one.get('area', one['bbox'][2] * one['bbox'][3]) for one in found], np.float32)
        crowd = np.array([one.get('iscrowd', 0) for one in found], bool)
        ends = np.cumsum([0, *counts]).tolist()
        return [(boxes[begin:end], labels[begin:end], areas[begin:end], crowd[begin:end])
                for begin, end in zip(ends, ends[1:])]

    def _tell_cut(self, cut):
        """A RuntimeWarning about boxes that reach out of their pictures: truth values [n]."""
        count = int(cut.sum())
        if count:
            hint = f'. {_UNIT}' if 2 * count > len(cut) else ''
            warnings.warn(f'{self.path}: {count} of its {len(cut)} boxes reach out of their pictures by more than a '
                          f'pixel and are cut off there{hint}', RuntimeWarning, stacklevel=2)
