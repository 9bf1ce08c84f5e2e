"""From the raw heads of a YOLO network to rows, boxes and objects."""
from mxnet.gluon import HybridBlock

from ...boxes import center_to_corner
from ...losses.yolo import predicted_boxes
from ...ops.gather import gather_rows
from .suppression import best_of_each_class

__all__ = ['YOLORows', 'YOLODecoder']

# Candidates of all classes together, each filled up to the same number. The time of suppression grows with their number
# and with that of a class.
_ROWS = 8000


class YOLORows(HybridBlock):
    """Joins the heads to rows, one row a cell and anchor, and has the boxes that they predict.

    Parameters
    ----------
    classes : int

    Inputs:
        - **priors**: [1, N, 6], see :func:`gluonzoo.tasks.detection.yolo_priors.make_priors`
        - **heads**: a scale's [B, 3 * (5 + classes), H, W] each, the coarsest first

    Outputs:
        - **rows**: [B, N, 5 + classes], raw: tx ty tw th objectness classes
        - **boxes**: [B, N, 4], corner format, fractions of the input. No gradient passes.
    """

    def __init__(self, classes):
        super().__init__()
        self._numbers = 5 + classes

    def hybrid_forward(self, F, priors, *heads):
        # [B, 3 * (5 + classes), H, W] -> [B, H, W, 3 * (5 + classes)] -> [B, H * W * 3, 5 + classes]
        rows = F.concat(*(F.reshape(F.transpose(head, axes=(0, 2, 3, 1)), (0, -1, self._numbers)) for head in heads),
                        dim=1)
        return rows, center_to_corner(predicted_boxes(F, F.BlockGrad(rows), priors))


class YOLODecoder(HybridBlock):
    """Decodes the heads of a YOLO network to objects, with non-maximum suppression in each class.

    The score of a box for a class is the probability that there is an object, times that of the class.

    Parameters
    ----------
    priors : array [1, N, 6]
    classes : int
    score : float
        a box counts for every class with a score above this; by default, darknet's
    overlap : float
        a box is removed if its IoU with a better box of its class is above this
    candidates : int
        how many pairs of a box and a class are looked at, the best ones; by default, GluonCV's. Of these, a class has
        its best 100 at least, and its best 8000 / classes.
    keep : int
        how many boxes of an image are kept at most, of all classes together; no more than `candidates`

    Attributes
    ----------
    of_class : int
        how many of the pairs are of one class at most

    Inputs: the heads, [B, 3 * (5 + classes), H, W] each, the coarsest first.

    Outputs: [B, keep, 6]: class, score, xmin, ymin, xmax, ymax (fractions of the input, which a box may leave), best
    first; rows of -1 fill up.
    """

    def __init__(self, priors, classes, score=0.005, overlap=0.45, candidates=400, keep=100):
        super().__init__()
        self._classes, self._score, self._overlap = classes, score, overlap
        self._boxes = min(candidates, priors.shape[1])   # the best pairs are pairs of the best boxes
        self._pairs = min(candidates, classes * self._boxes)
        self.of_class = min(self._boxes, max(_ROWS // classes, keep))
        self._keep = min(keep, self._pairs)
        with self.name_scope():
            self.priors = self.params.get_constant('priors', priors)
            self.rows = YOLORows(classes)

    def hybrid_forward(self, F, *heads, priors):
        rows, boxes = self.rows(priors, *heads)
        objectness = F.sigmoid(F.slice_axis(rows, axis=2, begin=4, end=5))   # [B, N, 1]
        classes = F.slice_axis(rows, axis=2, begin=5, end=None)   # [B, N, classes]
        best = F.reshape(objectness, (0, -1)) * F.sigmoid(F.max(classes, axis=2))   # [B, N]
        chosen = F.topk(best, axis=1, k=self._boxes)   # [B, K]
        boxes = gather_rows(F, boxes, chosen)   # [B, K, 4]
        scores = F.broadcast_mul(gather_rows(F, objectness, chosen), F.sigmoid(gather_rows(F, classes, chosen)))
        scores = F.transpose(scores, axes=(0, 2, 1))   # [B, classes, K]
        least = F.slice_axis(F.topk(F.reshape(scores, (0, -1)), axis=1, k=self._pairs, ret_typ='value'),
                             axis=1, begin=-1, end=None)   # [B, 1]
        scores = scores * F.broadcast_greater_equal(scores, F.expand_dims(least, axis=2))
        scores, indices = F.topk(scores, axis=2, k=self.of_class, ret_typ='both')   # [B, classes, of_class] each
        boxes = gather_rows(F, boxes, F.reshape(indices, (0, -1)))   # [B, classes * of_class, 4]
        boxes = F.reshape(boxes, (0, self._classes, self.of_class, 4))
        return best_of_each_class(F, scores, boxes, self._classes, self.of_class, self._overlap, self._score,
                                  self._keep)
