"""Encodes boxes as targets for the anchors of a single-shot detector, and decodes the outputs to boxes.

Offsets are (cx cy w h): the center's distance in units of the anchor's size over 0.1, the logarithm of the sizes' ratio
over 0.2. "SSD: Single Shot MultiBox Detector" (Liu et al., 2016); Caffe calls 0.1 and 0.2 variances.
"""
import mxnet as mx
from mxnet.gluon import HybridBlock

from ...ops.gather import gather_rows
from .suppression import best_of_each_class

__all__ = ['match_anchors', 'multibox_targets', 'MultiBoxDecoder']

VARIANCES = (0.1, 0.1, 0.2, 0.2)


def match_anchors(overlaps, threshold):
    """Which object each anchor stands for.

    First, every object gets an anchor: again and again, the pair with the greatest overlap is chosen among the objects
    and anchors without a partner. An object that overlaps no anchor gets none. Then each remaining anchor stands for
    the object with the greatest IoU, if this IoU is above `threshold`. Of equal overlaps any may be chosen.

    Parameters
    ----------
    overlaps : NDArray [B, M, A]
        IoU of M objects and A anchors; 0 for an object that is not there
    threshold : float

    Returns
    -------
    objects : NDArray [B, A], 0 to M - 1
    positive : NDArray [B, A]
        1 if the anchor stands for that object, 0 if it stands for none.
    """
    nd = mx.nd
    batch, objects, anchors = overlaps.shape
    # An object meets at most M - 1 anchors that are taken, so the best M are enough to choose from.
    best = min(objects, anchors)
    values, candidates = (x.reshape((batch, -1)) for x in nd.topk(overlaps, k=best, ret_typ='both'))   # [B, M * best]
    owners = (nd.arange(objects * best, ctx=overlaps.context) / best).floor().expand_dims(0)   # [1, M * best]
    rows = nd.arange(objects, ctx=overlaps.context).expand_dims(0)   # [1, M]
    partners = nd.full((batch, objects), -1, ctx=overlaps.context)
    for _ in range(objects):
        top = values.argmax(axis=1)   # [B]
        anchor = nd.pick(candidates, top, keepdims=True)   # [B, 1]
        owner = (top / best).floor().expand_dims(1)
        taken = nd.broadcast_equal(rows, owner) * (nd.pick(values, top, keepdims=True) > 1e-6)
        partners = nd.where(taken, nd.broadcast_like(anchor, taken), partners)
        values = values * nd.broadcast_not_equal(owners, owner) * nd.broadcast_not_equal(candidates, anchor)
    # A pair outweighs every other overlap. (The anchor -1 is none.)
    overlaps = overlaps + 2 * nd.one_hot(partners, depth=anchors)
    chosen = overlaps.argmax(axis=1)   # [B, A]
    return chosen, nd.pick(overlaps, chosen, axis=1) > threshold


def multibox_targets(anchors, labels, threshold):
    """The targets of each anchor.

    The result does not depend on the network, and no gradient may pass: call this function outside
    ``autograd.record()``. (MXNet's MultiBoxTarget matches in the same way, with eleven arrays [B, M, A] and, for
    several objects, in two to four times the time. On a CPU, but not on a GPU, it ignores an image without objects.)

    Parameters
    ----------
    anchors : NDArray [1, A, 4]
        corner format, fractions of the input
    labels : NDArray [B, M, 5 or more]
        class, xmin, ymin, xmax, ymax (fractions of the input) of up to M objects; rows of -1 fill up
    threshold : float
        IoU above which an anchor stands for an object; see :func:`match_anchors`

    Returns
    -------
    class_labels : NDArray [B, A]
        0 for the background, else class + 1
    box_targets : NDArray [B, A, 4]
        offsets; 0 for the background
    """
    nd = mx.nd
    batch, objects, _ = labels.shape
    classes = labels.slice_axis(axis=2, begin=0, end=1)   # [B, M, 1]
    boxes = labels.slice_axis(axis=2, begin=1, end=5)   # [B, M, 4]
    chosen, positive = match_anchors(nd.contrib.box_iou(boxes, anchors[0]), threshold)   # [B, A] each
    first = nd.arange(batch, ctx=labels.context).expand_dims(1) * objects   # where an image's objects begin
    class_labels = (nd.take(classes.reshape(-1), nd.broadcast_add(chosen, first)) + 1) * positive
    variances = nd.concat(*(nd.full(1, v, ctx=labels.context) for v in VARIANCES), dim=0)   # nd.array would wait
    box_targets, _ = nd.contrib.box_encode(positive, chosen, nd.broadcast_axis(anchors, axis=0, size=batch), boxes,
                                           nd.zeros_like(variances), variances)
    return class_labels, box_targets


class MultiBoxDecoder(HybridBlock):
    """Decodes the outputs of a single-shot detector to boxes, with non-maximum suppression in each class.

    Parameters
    ----------
    anchors : array [1, A, 4]
        corner format, fractions of the input
    classes : int
        foreground classes
    score : float
        a box counts for every class with more than this probability
    overlap : float
        a box is removed if its IoU with a better box of its class is above this
    candidates : int
        how many boxes of each class are used, the best ones
    keep : int
        how many boxes of an image are kept at most, of all classes together

    Inputs:
        - **class_logits**: [B, A, classes + 1]; column 0 is the background
        - **box_offsets**: [B, A, 4]

    Outputs: [B, min(keep, classes * min(candidates, A)), 6]: class, score, xmin, ymin, xmax, ymax (fractions of the
    input, which a box may leave), best first; rows of -1 fill up.
    """

    def __init__(self, anchors, classes, score=0.01, overlap=0.45, candidates=400, keep=200):
        super().__init__()
        self._classes = classes
        self._score = score
        self._overlap = overlap
        self._candidates = min(candidates, anchors.shape[1])
        self._keep = min(keep, classes * self._candidates)
        with self.name_scope():
            self.anchors = self.params.get_constant('anchors', anchors)

    def hybrid_forward(self, F, class_logits, box_offsets, anchors):
        boxes = F.contrib.box_decode(box_offsets, anchors, *VARIANCES, format='corner')   # [B, A, 4]
        scores = F.slice_axis(F.softmax(class_logits, axis=-1), axis=2, begin=1, end=None)
        scores = F.transpose(scores, (0, 2, 1))   # [B, classes, A]
        scores, indices = F.topk(scores, axis=2, k=self._candidates, ret_typ='both')   # [B, classes, candidates] each
        boxes = gather_rows(F, boxes, F.reshape(indices, (0, -1)))   # [B, classes * candidates, 4]
        boxes = F.reshape(boxes, (0, self._classes, self._candidates, 4))
        return best_of_each_class(F, scores, boxes, self._classes, self._candidates, self._overlap, self._score,
                                  self._keep)
