"""Average precision of boxes as VOC and as COCO define it, of the same detections."""
from .coco import COCOMeanAP
from .voc import VOCMeanAP

__all__ = ['BoxMeanAP']


class BoxMeanAP:
    """VOC's mean average precision at IoU 0.5, and COCO's over the IoUs from 0.5 to 0.95.

    Difficult objects count neither when they are found nor when they are missed. COCO's part treats such objects as
    crowds.

    Parameters
    ----------
    class_names : list of str

    Examples
    --------
    >>> metric = BoxMeanAP(['cat'])
    >>> metric.update(boxes=[[10, 10, 50, 50]], scores=[0.9], labels=[0],
    ...               true_boxes=[[10, 10, 50, 51]], true_labels=[0], difficult=[False])
    >>> {name: round(value, 6) for name, value in metric.get().items()}
    {'mAP': 1.0, 'mAP07': 1.0, 'AP/cat': 1.0, 'COCO/AP': 1.0, 'COCO/AP50': 1.0, 'COCO/AP75': 1.0}
    """

    def __init__(self, class_names):
        self._voc, self._coco, self._images = VOCMeanAP(class_names), COCOMeanAP(), 0

    def update(self, boxes, scores, labels, true_boxes, true_labels, difficult):
        """Takes in one image, as :meth:`VOCMeanAP.update` does."""
        self._voc.update(boxes, scores, labels, true_boxes, true_labels, difficult)
        # COCO's numbers by size are left out, so areas do not matter: the images of an evaluation have been resized.
        self._coco.update(self._images, boxes, scores, labels, true_boxes, true_labels, [0] * len(true_labels),
                          difficult)
        self._images += 1

    def get(self):
        """What :meth:`VOCMeanAP.get` has, and COCO's 'COCO/AP', 'COCO/AP50' and 'COCO/AP75', from 0 to 1 or NaN.

        Raises ValueError if there has been no image.
        """
        voc, coco = self._voc.get(), self._coco.get()
        return {**voc, **{f'COCO/{name}': coco[name] for name in ('AP', 'AP50', 'AP75')}}

    def curves(self):
        """As :meth:`VOCMeanAP.curves`, at IoU 0.5."""
        return self._voc.curves()
