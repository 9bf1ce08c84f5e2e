"""Average precision and recall as COCO defines them, by pycocotools."""
import io
from contextlib import redirect_stdout

import numpy as np

__all__ = ['COCOMeanAP']

NAMES = ('AP', 'AP50', 'AP75', 'AP_small', 'AP_medium', 'AP_large',
         'AR1', 'AR10', 'AR100', 'AR_small', 'AR_medium', 'AR_large')   # in the order of pycocotools


class COCOMeanAP:
    """COCO's twelve numbers for boxes.

    Detections are matched from the highest score down. A detection is right if its IoU with an object of its class,
    which is not matched yet, is at least a given IoU; it is matched with the object of the greatest IoU. A detection in
    a crowd counts neither as right nor as wrong. At most 100 detections of an image and class are counted.

    Examples
    --------
    >>> metric = COCOMeanAP()
    >>> metric.update(7, boxes=[[10, 10, 50, 50]], scores=[0.9], labels=[0],
    ...               true_boxes=[[10, 10, 50, 50]], true_labels=[0], areas=[1600], crowd=[False])
    >>> round(metric.get()['AP_medium'], 6)
    1.0
    """

    def __init__(self):
        self._images, self._detections, self._objects = set(), [], []
        self._evaluation = None   # pycocotools' own, of the last get()

    def update(self, image, boxes, scores, labels, true_boxes, true_labels, areas, crowd):
        """Takes in one image.

        Parameters
        ----------
        image : int
            its number; each image comes once
        boxes, true_boxes : array [n, 4] and [m, 4]
            detected and true boxes, corner format, in pixels; xmax and ymax are where the box ends
        scores : array [n]
        labels, true_labels : array [n] and [m]
            class numbers from 0
        areas : array [m]
            of the objects, square pixels. They decide what is small (to 32 x 32), medium (to 96 x 96) and large. In
            COCO's annotations they are less than the areas of the boxes. Of a detection, the area of its box counts.
        crowd : array [m] of bool
            which boxes hold many objects that are not annotated one by one

        Raises ValueError if the image came before.
        """
        image = int(image)
        if image in self._images:
            raise ValueError(f'image: number {image} came before')
        self._images.add(image)
        for number, box, score in zip(_ints(labels), _extents(boxes), np.asarray(scores, 'float64').tolist()):
            self._detections.append({'image_id': image, 'category_id': number, 'bbox': box, 'area': box[2] * box[3],
                                     'score': score})
        for number, box, area, many in zip(_ints(true_labels), _extents(true_boxes),
                                           np.asarray(areas, 'float64').tolist(), _ints(crowd)):
            self._objects.append({'image_id': image, 'category_id': number, 'bbox': box, 'area': area, 'iscrowd': many})

    def get(self):
        """Dict of name -> float, 0 to 1, or NaN where there are no such objects.

        'AP': mean over the classes and the IoUs .5, .55 ... .95 of the average precision, at 101 points of recall
        'AP50', 'AP75': at IoU .5 and .75 alone
        'AP_small', 'AP_medium', 'AP_large': as 'AP', of objects of such an area
        'AR1', 'AR10', 'AR100': mean over the classes and IoUs of the recall, of 1, 10 and 100 detections an image
        'AR_small', 'AR_medium', 'AR_large': as 'AR100', of objects of such an area

        Classes that have no objects are no part of the means.

        Raises ValueError if there has been no image.
        """
        if not self._images:
            raise ValueError('average precision needs at least one image')
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval

        classes = sorted({each['category_id'] for each in self._objects + self._detections})
        with redirect_stdout(io.StringIO()):   # it prints
            found, truth = COCO(), COCO()
            for coco, rows in ((found, self._detections), (truth, self._objects)):
                coco.dataset = {'images': [{'id': image} for image in sorted(self._images)],
                                'categories': [{'id': number} for number in classes],
                                'annotations': [{'iscrowd': 0, **row, 'id': i} for i, row in enumerate(rows, 1)]}
                coco.createIndex()
            evaluation = COCOeval(truth, found, 'bbox')
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        self._evaluation = evaluation
        return {name: float(value) if value >= 0 else float('nan') for name, value in zip(NAMES, evaluation.stats)}

    def curves(self):
        """Recall and precision at IoU .5, as the last :meth:`get` has found them: dict of class number -> float array
        [101, 2], at the recalls 0, .01 ... 1. The precision at a recall is the best at this recall or a greater one.

        Classes without objects are left out. Before the first :meth:`get` there are none.
        """
        if self._evaluation is None:
            return {}
        recall, classes = self._evaluation.params.recThrs, self._evaluation.params.catIds
        precision = self._evaluation.eval['precision'][0, :, :, 0, -1]   # [101, classes]: IoU .5, any area, 100 found
        return {number: np.stack([recall, column], axis=1) for number, column in zip(classes, precision.T)
                if (column >= 0).all()}   # -1: no objects


def _ints(values):
    return np.asarray(values).astype('int64').tolist()


def _extents(boxes):
    """Corners to xmin, ymin, width, height, as COCO has it. [n, 4] -> list"""
    boxes = np.asarray(boxes, 'float64').reshape(-1, 4)
    return np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1).tolist()
