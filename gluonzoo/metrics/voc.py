"""Mean average precision as the PASCAL VOC challenges define it, by gluoncv."""
import warnings

import numpy as np

__all__ = ['VOCMeanAP']


class VOCMeanAP:
    """Mean average precision at IoU 0.5.

    Detections are matched from the highest score down. A detection is right if the object of its class with the
    greatest IoU has an IoU of at least 0.5 and is not matched yet. Difficult objects count neither when they are found
    nor when they are missed.

    Parameters
    ----------
    class_names : list of str

    Examples
    --------
    >>> metric = VOCMeanAP(['cat'])
    >>> metric.update(boxes=[[10, 10, 50, 50]], scores=[0.9], labels=[0],
    ...               true_boxes=[[10, 10, 50, 52]], true_labels=[0], difficult=[False])
    >>> metric.get()
    {'mAP': 1.0, 'mAP07': 1.0, 'AP/cat': 1.0}
    """

    def __init__(self, class_names):
        from gluoncv.utils.metrics import VOC07MApMetric, VOCMApMetric  # here: gluoncv takes long to import

        self._class_names = list(class_names)
        self._area = VOCMApMetric(0.5, self._class_names)
        self._eleven_points = VOC07MApMetric(0.5, self._class_names)
        self._images = self._boxes = 0

    def update(self, boxes, scores, labels, true_boxes, true_labels, difficult):
        """Takes in one image.

        Parameters
        ----------
        boxes, true_boxes : array [n, 4] and [m, 4]
            detected and true boxes, corner format, in pixels; xmax and ymax are where the box ends
        scores : array [n]
        labels, true_labels : array [n] and [m]
            class numbers from 0
        difficult : array [m] of bool
        """
        # In VOC's annotations xmax and ymax are a box's last pixels: gluoncv adds 1 before it computes an area.
        last = np.array([0, 0, 1, 1])
        boxes, true_boxes = (np.asarray(b, 'float64').reshape(-1, 4) - last for b in (boxes, true_boxes))
        arrays = boxes, labels, scores, true_boxes, true_labels, difficult
        for metric in (self._area, self._eleven_points):
            metric.update(*(np.asarray(array)[None] for array in arrays))
        self._images += 1
        self._boxes += len(boxes) + len(true_boxes)

    def get(self):
        """'mAP' and 'AP/<class>', the area under the curve as VOC has it since 2010, and 'mAP07', the older mean at
        11 points; all from 0 to 1.

        The average precision of a class without objects is NaN, and no part of the means.

        Raises ValueError if there has been no image.
        """
        if not self._images:
            raise ValueError('mean average precision needs at least one image')
        if self._boxes:
            with warnings.catch_warnings():
                warnings.filterwarnings('ignore', 'Mean of empty slice', RuntimeWarning)   # where that is NaN anyway
                (*areas, mean), eleven_points = self._area.get()[1], self._eleven_points.get()[1][-1]
        else:   # gluoncv cannot do that
            *areas, mean, eleven_points = [np.nan] * (len(self._class_names) + 2)
        result = {'mAP': mean, 'mAP07': eleven_points, **{f'AP/{n}': v for n, v in zip(self._class_names, areas)}}
        return {name: min(float(value), 1.0) for name, value in result.items()}   # a sum of eleven may exceed it

    def curves(self):
        """Recall and precision of the detections from the surest down: dict of class name -> float array [n + 1, 2].

        The row i >= 1 is of the i surest detections of the class, less those first ones that are difficult objects. Row
        0 is where a curve begins: recall 0, and the precision of row 1, or 0 if nothing is found. Classes without
        objects are left out.
        """
        if not self._boxes:   # gluoncv cannot do that
            return {}
        recall, precision = self._area._recall_prec()   # lists by class number; recall is None of a class without any
        return {name: _from_recall_0(found, right) for name, found, right
                in zip(self._class_names, recall, precision) if found is not None}


def _from_recall_0(recall, precision):
    counts = ~np.isnan(precision)   # NaN until a detection counts
    points = np.stack([recall, precision], axis=1)[counts]
    return np.concatenate([[[0, points[0, 1] if len(points) else 0]], points])
