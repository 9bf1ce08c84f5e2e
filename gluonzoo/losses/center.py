"""A loss that keeps the features of each class together: their distances to a center, which follows them.

Paper: "See Better Before Looking Closer: Weakly Supervised Data Augmentation Network for Fine-Grained Visual
Classification" (Hu et al., 2019, https://arxiv.org/abs/1901.09891), section 3.1. Official code:
github.com/tau-yihouxiang/WS_DAN (train_sample.py). The centers are those of "A Discriminative Feature Learning Approach
for Deep Face Recognition" (Wen et al., ECCV 2016, https://doi.org/10.1007/978-3-319-46478-7_31).

Centers do not follow the gradient of the loss. Theirs is an update, and the gradient that this loss gives them is that
update, with the opposite sign: stochastic gradient descent makes it. notes/center_loss.md has the derivation.

Deviations:

1. A center of length 0 stays 0, as in the official code. Other centers are divided by their lengths as in PyTorch's
   ``normalize``, by 1e-12 at least. The official code divides by 1e-6 at least, which no center of a training is below.
2. The paper writes a sum over the batch. As in the official code, the loss is its mean, and the update is the sum.
3. Wen et al. have half of the sum over the batch. B pictures, ``duplicates='damped'``, ``normalize=False`` and ``weight
   = B / 2`` of theirs give the same.
4. A label that is no class is left out of both gradients, and makes the loss infinite. MXNet would take the nearest.
"""
import mxnet as mx
import numpy as np
from mxnet.gluon import HybridBlock

from ..values import COUNT, TRUE_OR_FALSE, check, number

__all__ = ['CenterLoss']

DUPLICATES = ('sum', 'mean', 'damped')


class CenterLoss(HybridBlock):
    """The mean over the batch of the squared distances of features to the centers of their classes.

    The loss moves features towards centers, by its gradient. The centers are to follow the features, by the update

        center += beta * sum over the pictures of its class of share * (feature - normalized center)

    The gradient of the parameter `centers` is minus that sum, whatever `weight` is. So this is one step of plain
    stochastic gradient descent, with learning rate beta, and with neither momentum nor weight decay. All terms have the
    centers before the update. A class without a picture in the batch keeps its center.

    Do not multiply the loss: that would multiply the update, too. Give `weight` instead. An
    :class:`~gluonzoo.train.engine.Engine` cuts a batch into parts: make the trainer of the centers with
    ``reduction='sum'``, and the update is that of the whole batch.

    Parameters
    ----------
    classes : int, from 1 to 1,000,000
        there may be more than the labels have
    length : int, from 1 to 1,000,000
        of a feature
    normalize : bool
        whether a feature is compared with its center divided by the center's length. The center itself is kept as it
        is. A center of length 0 counts as 0.
    duplicates : {'sum', 'mean', 'damped'}
        the share of each of the n pictures of one class in a batch: 1, WS-DAN's (a center moves n times as far); 1 / n,
        the mean; 1 / (1 + n), that of Wen et al.
    weight : float, 0 or above
        what the loss is multiplied by, but not the update of the centers

    Attributes
    ----------
    centers : Parameter [classes, length]
        float32, or float64 after ``cast('float64')``; zeros at first

    Raises ValueError for arguments out of range, and for inputs of other shapes.

    Inputs:
        - **feature**: [B, length], of any floating type; computed with in the type of the centers
        - **labels**: [B] or [B, 1], class numbers. Other numbers than 0 ... classes - 1 make the loss infinite: to
          check them here would mean to wait for the device.
        - **batch_labels**: optional, [N] or [N, 1], the labels of the whole batch, of which the inputs are a part; by
          default, `labels`. For 'mean' and 'damped', which count them.

    Outputs: loss [1].
    """

    def __init__(self, classes, length, normalize=True, duplicates='sum', weight=1.0):
        super().__init__()
        check('classes', classes, COUNT)
        check('length', length, COUNT)
        check('normalize', normalize, TRUE_OR_FALSE)
        if duplicates not in DUPLICATES:
            raise ValueError(f"duplicates: must be 'sum', 'mean' or 'damped': {duplicates!r}")
        check('weight', weight, number(0))
        self._classes, self._length, self._normalize = int(classes), int(length), normalize
        self._duplicates, self._weight = duplicates, weight
        self._dtype = 'float32'
        with self.name_scope():
            self.centers = self.params.get('centers', shape=(self._classes, self._length), init='zeros')

    def cast(self, dtype):
        """As of any block, but centers in half precision are float32: a small beta would be lost in rounding."""
        self._dtype = 'float64' if np.dtype(dtype) == np.float64 else 'float32'
        super().cast(self._dtype)

    def infer_shape(self, *inputs):
        super().infer_shape(*self._used(*inputs))

    def forward(self, feature, labels, batch_labels=None):
        if isinstance(feature, mx.nd.NDArray):
            if feature.ndim != 2 or feature.shape[1] != self._length or not len(feature):
                raise ValueError(f'feature: must be [B, {self._length}]: {list(feature.shape)}')
            _check_labels('labels', labels, len(feature))
            if batch_labels is not None:
                _check_labels('batch_labels', batch_labels, len(batch_labels))
        return super().forward(*self._used(feature, labels, batch_labels))

    def _used(self, feature, labels, batch_labels=None):
        """The inputs of the graph, as many in each call."""
        if self._duplicates == 'sum':
            return feature, labels
        return feature, labels, labels if batch_labels is None else batch_labels

    def hybrid_forward(self, F, feature, labels, batch_labels=None, centers=None):
        feature = F.cast(feature, self._dtype)
        labels = _flat(F, labels, self._dtype)
        known = (labels > -1) * (labels < self._classes) * F.broadcast_equal(labels, F.floor(labels))   # [B], 1 or 0
        old = F.take(centers, labels)   # [B, length]; of labels beyond the classes, the nearest
        differences = feature - F.BlockGrad(_normalized(F, old) if self._normalize else old)
        loss = F.mean(F.sum(F.square(differences), axis=1) * known) * self._weight
        moves = F.broadcast_mul(differences, F.expand_dims(known * self._shares(F, labels, batch_labels), axis=1))
        # 0, whose gradient by the centers is minus the moves. That of `take` adds up where a center is taken twice.
        follow = F.sum((F.BlockGrad(old) - old) * F.BlockGrad(moves))
        return loss + follow - F.BlockGrad(F.mean(F.log(known)))   # - log 0 is infinite

    def _shares(self, F, labels, batch_labels):
        """Of each picture in its center's move: [B]."""
        if self._duplicates == 'sum':
            return F.ones_like(labels)
        batch_labels = _flat(F, batch_labels, self._dtype)
        alike = F.broadcast_equal(F.expand_dims(labels, axis=1), F.expand_dims(batch_labels, axis=0))   # [B, N]
        count = F.maximum(F.sum(alike, axis=1), 1)   # none are like NaN
        return F.reciprocal(count + 1 if self._duplicates == 'damped' else count)


def _flat(F, labels, dtype):
    """[B] or [B, 1] -> [B]"""
    return F.cast(F.reshape(labels, (-1,)), dtype)


def _normalized(F, x):
    """Rows divided by their lengths; those of length 0 stay."""
    return F.broadcast_div(x, F.maximum(F.norm(x, axis=1, keepdims=True), 1e-12))


def _check_labels(name, labels, count):
    if labels.shape not in ((count,), (count, 1)):
        raise ValueError(f'{name}: must be [{count}] or [{count}, 1], a class number a picture: {list(labels.shape)}')
