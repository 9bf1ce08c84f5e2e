"""The loss of single-shot detectors: softmax with hard negative mining for the classes, smooth L1 for the boxes.

"SSD: Single Shot MultiBox Detector" (Liu et al., 2016), section 2.2.
"""
from mxnet.gluon.loss import Loss

__all__ = ['mine_hard_negatives', 'MultiBoxLoss']


def mine_hard_negatives(F, logits, labels, ratio=3):
    """Which anchors the class loss counts: all positives, and `ratio` times as many negatives, the hardest.

    The hardest negatives of an image are those with the lowest softmax probability of the background. An image without
    positives keeps as many negatives as an image with one positive, so that such images are trained on, too.

    Parameters
    ----------
    F : module
        mxnet.nd or mxnet.sym
    logits : NDArray or Symbol [B, A, C]
        column 0 is the background
    labels : NDArray or Symbol [B, A]
        class numbers; 0 is the background
    ratio : int

    Returns
    -------
    NDArray or Symbol [B, A]
        1 for an anchor that counts, 0 for the others; no gradient passes.
    """
    negative = labels == 0
    background = F.slice_axis(F.log_softmax(logits, axis=-1), axis=-1, begin=0, end=1).reshape((0, -1))   # [B, A]
    hardness = F.where(negative, -background, -F.ones_like(background))   # of negatives it is at least 0
    rank = F.argsort(F.argsort(hardness, axis=1, is_ascend=False), axis=1)   # 0 is the hardest
    allowed = ratio * F.maximum(F.sum(1 - negative, axis=1, keepdims=True), 1)   # [B, 1]
    return 1 - negative + negative * F.broadcast_lesser(rank, allowed)


class MultiBoxLoss(Loss):
    """Cross entropy over the anchors of :func:`mine_hard_negatives`, and smooth L1 over the positive anchors.

    Both are summed over the batch and divided by its number of positives, or by 1 if it has none (Caffe calls this
    normalisation VALID).

    Parameters
    ----------
    negatives : int
        hard negatives for every positive

    Inputs:
        - **class_logits**: [B, A, classes + 1]; column 0 is the background
        - **box_offsets**: [B, A, 4]
        - **class_labels**: [B, A]; 0 is the background, class c is c + 1
        - **box_targets**: [B, A, 4], counted where the label is not 0

    Outputs: class loss [1], box loss [1].
    """

    def __init__(self, negatives=3):
        super().__init__(weight=None, batch_axis=0)
        self._negatives = negatives

    def hybrid_forward(self, F, class_logits, box_offsets, class_labels, box_targets):
        positive = class_labels > 0   # [B, A]
        count = F.maximum(F.sum(positive), 1)
        counted = mine_hard_negatives(F, class_logits, class_labels, self._negatives)
        cross_entropy = -F.pick(F.log_softmax(class_logits, axis=-1), class_labels, axis=-1)   # [B, A]
        distance = F.sum(F.smooth_l1(box_offsets - box_targets, scalar=1), axis=-1)   # [B, A]
        return F.sum(cross_entropy * counted) / count, F.sum(distance * positive) / count
