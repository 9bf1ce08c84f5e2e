"""Adam as published, and as in PyTorch: epsilon is added to the root of the corrected second moment.

Paper: "Adam: A Method for Stochastic Optimization" (Kingma and Ba, 2014, https://arxiv.org/abs/1412.6980), Algorithm 1.
"""
import math
from numbers import Real

import mxnet as mx
import numpy as np

__all__ = ['Adam']


class Adam(mx.optimizer.Adam):
    """Adam, Algorithm 1 of the paper.

    At step t, for a gradient g (in which the weight decay is, as in MXNet's and in PyTorch's Adam)::

        m = beta1 m + (1 - beta1) g
        v = beta2 v + (1 - beta2) g^2
        weight -= learning_rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)

    MXNet's Adam adds epsilon to sqrt(v) instead, before v is corrected. Then epsilon counts 32 times as much at the
    first step: with a gradient of 1e-7, the weight moves by 0.24 learning rates instead of 0.91.

    Parameters
    ----------
    learning_rate : float
    beta1, beta2 : float
        from 0 to below 1, as float32
    epsilon : float
        at least 0. With 0, a weight whose gradients have all been 0 becomes NaN.
    **keywords
        as of MXNet's Adam, which does the work: wd, clip_gradient, multi_precision (a float32 copy of float16 weights),
        lazy_update (of a weight and gradient that are row_sparse, only rows that the gradient has are updated).
        Weights of float16 without multi_precision have epsilons that round to 0.

    The state of a weight is (m, v), as MXNet's.

    Raises ValueError for a number that is out of range, and TypeError for an unknown keyword.
    """

    def __init__(self, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, **keywords):
        for name, value in (('beta1', beta1), ('beta2', beta2)):
            if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= np.float32(value) < 1:
                raise ValueError(f'{name}: must be a number from 0 to below 1 as float32: {value!r}')
        if isinstance(epsilon, bool) or not isinstance(epsilon, Real) or not 0 <= epsilon < math.inf:
            raise ValueError(f'epsilon: must be a number, at least 0: {epsilon!r}')
        super().__init__(learning_rate, beta1, beta2, epsilon, **keywords)

    def update(self, index, weight, grad, state):
        """Makes a step. `weight` and the two arrays of `state` are changed."""
        self._update_count(index)
        step = self._index_update_count[index]
        # lr (m / c1) / (sqrt(v) / c2 + epsilon) = lr (c2 / c1) m / (sqrt(v) + c2 epsilon): so MXNet's kernel serves.
        # The betas are rounded as the kernel has them: 1 - 0.999 differs by 1.3e-5 of itself there.
        beta1, beta2 = float(np.float32(self.beta1)), float(np.float32(self.beta2))
        correction = math.sqrt(1 - beta2 ** step)
        mean, variance = state
        clip = {'clip_gradient': self.clip_gradient} if self.clip_gradient else {}
        mx.nd.adam_update(weight, grad, mean, variance, out=weight,
                          lr=self._get_lr(index) * correction / (1 - beta1 ** step), wd=self._get_wd(index),
                          beta1=beta1, beta2=beta2, epsilon=self.epsilon * correction,
                          rescale_grad=self.rescale_grad, lazy_update=self.lazy_update, **clip)
