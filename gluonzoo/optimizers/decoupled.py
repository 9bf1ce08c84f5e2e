"""SGD and Adam whose weight decay is apart from the gradient.

Paper: "Decoupled Weight Decay Regularization" (Loshchilov and Hutter, 2017, https://arxiv.org/abs/1711.05101),
Algorithms 1 and 2. There the schedule's factor eta multiplies both the step and the decay, and the rate alpha the step
alone. A trainer's learning rate is eta x alpha, and alpha is the rate that the optimizer was made with. So eta is the
one divided by the other. It is also the factor ``lr_mult`` of a parameter; a parameter with a rate of 0 stays as it is.

PyTorch's AdamW decays by learning rate x weight_decay: its weight_decay is lambda / alpha.
"""
import math
from numbers import Real

import mxnet as mx

from ..values import check, number
from .adam import Adam

__all__ = ['AdamW', 'SGDW']


class _Decoupled:
    """What both have in common, in front of an optimizer's class: the decay is theirs, the step that class's."""

    def __init__(self, learning_rate, wd, normalized_over, lr_scheduler, **keywords):
        for name, value in (('learning_rate', learning_rate), ('wd', wd)):
            check(name, value, number(0))
        if normalized_over is not None and (isinstance(normalized_over, bool) or not isinstance(normalized_over, Real)
                                            or not 1 <= normalized_over < math.inf):
            raise ValueError(f'normalized_over: must be a number of updates, at least 1: {normalized_over!r}')
        if lr_scheduler is not None:
            raise ValueError('lr_scheduler: must be None; set_learning_rate scales the step and the decay')
        self._alpha = learning_rate
        decay = wd if normalized_over is None else wd / math.sqrt(normalized_over)
        super().__init__(learning_rate=learning_rate, wd=decay, **keywords)

    def _decay(self, index, weight):
        """weight -= eta lambda weight. This comes before the step, in which the weight itself plays no part."""
        eta = self._get_lr(index) / self._alpha if self._alpha else 0.0
        decay, = super()._get_wds([index])
        if eta * decay:
            weight *= 1 - eta * decay

    def _get_wds(self, indices):
        return [0.0] * len(indices)   # of the gradient


class SGDW(_Decoupled, mx.optimizer.SGD):
    """SGD with momentum and decoupled weight decay, Algorithm 1 of the paper::

        m = momentum m + eta alpha g
        weight = weight - m - eta lambda weight

    Parameters
    ----------
    learning_rate : float, at least 0
        alpha
    momentum : float
    wd : float, at least 0
        lambda, what a weight loses in one update while eta is 1
    normalized_over : number, at least 1, optional
        updates of the training. Then `wd` is the paper's normalised decay, and lambda is wd / sqrt(normalized_over):
        with a batch of b from B samples and T epochs, sqrt(b / (B T)) times it.
    **keywords
        as of MXNet's SGD, which makes the step: clip_gradient, multi_precision (a float32 copy of float16 weights)

    Raises ValueError for a number that is out of range, and TypeError for an unknown keyword.
    """

    def __init__(self, learning_rate=0.01, momentum=0.0, wd=0.0, normalized_over=None, lr_scheduler=None, **keywords):
        super().__init__(learning_rate, wd, normalized_over, lr_scheduler, momentum=momentum, **keywords)

    def _update_impl(self, indices, weights, grads, states, multi_precision=False):
        lists = (indices, weights, states) if isinstance(indices, (list, tuple)) else ([indices], [weights], [states])
        for index, weight, state in zip(*lists):
            self._decay(index, state[1] if multi_precision else weight)   # the float32 copy is what counts
        super()._update_impl(indices, weights, grads, states, multi_precision)


class AdamW(_Decoupled, Adam):
    """Adam with decoupled weight decay, Algorithm 2 of the paper::

        weight -= eta (alpha (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon) + lambda weight)

    with m and v as in :class:`~gluonzoo.optimizers.adam.Adam`.

    Parameters
    ----------
    learning_rate, wd, normalized_over
        as of :class:`SGDW`
    beta1, beta2, epsilon, **keywords
        as of Adam

    Raises ValueError for a number that is out of range, and TypeError for an unknown keyword.
    """

    def __init__(self, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, wd=0.0, normalized_over=None,
                 lr_scheduler=None, **keywords):
        super().__init__(learning_rate, wd, normalized_over, lr_scheduler, beta1=beta1, beta2=beta2, epsilon=epsilon,
                         **keywords)

    def update(self, index, weight, grad, state):
        """Makes a step. `weight` and the two arrays of `state` are changed."""
        self._decay(index, weight)
        super().update(index, weight, grad, state)
