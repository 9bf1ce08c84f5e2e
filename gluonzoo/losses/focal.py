"""Focal loss of a softmax: a cross entropy in which well classified examples count little.

"Focal Loss for Dense Object Detection" (Lin et al., 2017) defines it for a sigmoid per class.
"""
from mxnet.gluon.loss import Loss

__all__ = ['softmax_focal_loss', 'SoftmaxFocalLoss']


def softmax_focal_loss(F, logits, labels, alpha=0.25, gamma=2.0):
    """-alpha (1 - p)^gamma log p, where p is the softmax probability of the true class. [..., C], [...] -> [...]

    Parameters
    ----------
    F : module
        mxnet.nd or mxnet.sym
    logits : NDArray or Symbol [..., C]
    labels : NDArray or Symbol [...]
        class numbers, 0 to C - 1; background has one as well
    alpha : float
        weight of every class, the background included
    gamma : float, 0 or more
        0 is cross entropy; the greater gamma, the less a well classified example counts
    """
    log_p = F.pick(F.log_softmax(logits, axis=-1), labels, axis=-1)
    miss = F.clip(-F.expm1(log_p), 1e-12, 1)   # 1 - p; a power of 0 may have no gradient
    return -alpha * miss ** gamma * log_p


class SoftmaxFocalLoss(Loss):
    """:func:`softmax_focal_loss`, its mean over all axes but the batch's.

    Inputs: logits [B, ..., C], labels [B, ...]. Outputs: [B].
    """

    def __init__(self, alpha=0.25, gamma=2.0, weight=None, batch_axis=0):
        if gamma < 0:
            raise ValueError(f'gamma must be at least 0: {gamma}')
        super().__init__(weight, batch_axis)
        self._alpha = alpha
        self._gamma = gamma

    def hybrid_forward(self, F, logits, labels):
        loss = softmax_focal_loss(F, logits, labels, self._alpha, self._gamma)
        if self._weight is not None:
            loss = loss * self._weight
        return F.mean(loss, axis=self._batch_axis, exclude=True)
