"""GHM-C: a classification loss in which every range of difficulty has the same share.

Paper: "Gradient Harmonized Single-stage Detector" (Li et al., 2018, https://arxiv.org/abs/1811.05181). Official code:
github.com/libuyu/GHM_Detection, whose GHMC is in MMDetection, too.

The difficulty of an example is g, the size of the gradient that its logit gets from cross entropy, from 0 to 1. The
range 0..1 is cut into bins of equal width. An example weighs 1 / (examples in its bin) / (bins that have examples). So
the many easy examples, and the few hopeless ones, count no more than the others.

Deviations:

1. The official loss is that of one sigmoid a class (`sigmoid=True` here). The softmax is an addition, in which g is
   1 - p of the true class; the authors have not studied it. The official bins are 30.
2. With `per_class`, each class has bins of its own. This is an addition.
3. The moving counts are saved in checkpoints. In the official code they start anew with every run.
"""
import mxnet as mx
import numpy as np
from mxnet import autograd

__all__ = ['GHMC']


class GHMC:
    """The loss of some examples, each of one class.

    It keeps moving counts of examples in the bins, on each device its own: a device sees a part of each batch. As in
    the official code they begin at 0, so the first steps' weights are up to 1 / (1 - momentum) times as large. On
    several machines each has counts of its own, and a checkpoint has those of the first.

    Parameters
    ----------
    classes : int
    sigmoid : bool
        False: a softmax over the classes, an example is a picture. True: a sigmoid for each class, an example is a
        picture's answer for one class.
    bins : int
        at least 1
    momentum : float, from 0 to below 1
        of the counts; 0: those of the part of the batch alone, and nothing is kept
    per_class : bool
        whether each class has bins of its own; of the softmax, the true class

    Raises ValueError for numbers out of range.
    """

    def __init__(self, classes, sigmoid=False, bins=10, momentum=0.75, per_class=False):
        if bins < 1:
            raise ValueError(f'bins: must be at least 1: {bins!r}')
        if not 0 <= momentum < 1:
            raise ValueError(f'momentum: must be from 0 to below 1: {momentum!r}')
        self._classes, self._sigmoid, self._bins, self._momentum = classes, sigmoid, bins, momentum
        self._cells = classes * bins if per_class else bins
        self._per_class = per_class
        self._counts = {}   # device -> float32 NDArray [cells]
        self._loaded = None   # NumPy float32 [devices, cells]

    def __call__(self, logits, labels):
        """The loss: float32 NDArray [1]. Does not wait for the device.

        Parameters
        ----------
        logits : float32 NDArray [B, classes]
        labels : NDArray
            B class numbers, of any shape
        """
        labels = labels.reshape(-1)
        if self._sigmoid:
            targets = mx.nd.one_hot(labels, self._classes)
            losses = mx.nd.Activation(logits, 'softrelu') - logits * targets   # [B, classes]
            with autograd.pause():
                difficulty = (mx.nd.sigmoid(logits) - targets).abs()
                groups = mx.nd.broadcast_like(mx.nd.arange(self._classes, ctx=logits.context).expand_dims(0), logits)
        else:
            losses = -mx.nd.pick(mx.nd.log_softmax(logits), labels)   # [B]
            with autograd.pause():
                difficulty, groups = -mx.nd.expm1(-losses), labels
        with autograd.pause():
            weights = self._weights(difficulty.reshape(-1), groups.reshape(-1)).reshape(losses.shape)
        return (losses * weights).sum()

    def _weights(self, difficulty, groups):
        """difficulty: [n] in 0..1; groups: [n] class numbers. -> [n]"""
        ctx = difficulty.context
        inner = mx.nd.array(np.arange(1, self._bins) / self._bins, ctx=ctx) if self._bins > 1 else None
        cells = mx.nd.zeros_like(difficulty) if inner is None else mx.nd.broadcast_greater_equal(
            difficulty.expand_dims(1), inner.expand_dims(0)).sum(axis=1)   # 1 is in the last bin
        there = mx.nd.one_hot(cells, self._bins)   # [n, bins]
        if self._per_class:
            groups = groups.astype('float32', copy=False)
            # Not one_hot of all cells, which would be [n, classes x bins].
            there = mx.nd.dot(mx.nd.one_hot(groups, self._classes), there, transpose_a=True).reshape(-1)
            cells = cells + groups * self._bins
        else:
            there = there.sum(axis=0)   # [cells]
        counts = there
        if self._momentum:
            former = self._counts_on(ctx)
            moving = self._momentum * former + (1 - self._momentum) * there
            counts = self._counts[ctx] = mx.nd.where(there > 0, moving, former)   # an empty bin keeps its count
        share = 1 / mx.nd.maximum(counts, 1e-12) / (there > 0).sum()
        return mx.nd.take(share, cells)

    def _counts_on(self, ctx):
        if ctx not in self._counts:
            if self._loaded is None:
                start = np.zeros(self._cells, np.float32)
            else:   # the devices come in their order; of more than there were, some begin with the same
                start = self._loaded[len(self._counts) % len(self._loaded)]
            self._counts[ctx] = mx.nd.array(start, ctx=ctx)
        return self._counts[ctx]

    def state(self):
        """The moving counts: {'counts': float32 array [devices, cells]}; before the first step {} or what was loaded.
        """
        if self._counts:
            return {'counts': np.stack([counts.asnumpy() for counts in self._counts.values()])}
        return {} if self._loaded is None else {'counts': self._loaded}

    def load_state(self, state):
        """Takes what :meth:`state` has returned. ValueError for what does not fit; nothing is changed then."""
        if not state:
            self._counts, self._loaded = {}, None
            return
        counts = state.get('counts')
        if set(state) != {'counts'} or not self._momentum:
            raise ValueError(f'must be {"counts alone" if self._momentum else "nothing"}: {", ".join(state)}')
        if counts.ndim != 2 or counts.shape[1] != self._cells or not len(counts):
            raise ValueError(f'counts: must be of {self._cells} cells for each device: {list(counts.shape)}')
        if not (np.isfinite(counts).all() and (counts >= 0).all()):
            raise ValueError('counts: must be finite, and at least 0')
        self._counts, self._loaded = {}, counts.astype(np.float32)
