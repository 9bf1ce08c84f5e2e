"""The gradient penalty of WGAN-GP, exact, though MXNet cannot differentiate a gradient.

Paper: "Improved Training of Wasserstein GANs" (Gulrajani et al., 2017, https://arxiv.org/abs/1704.00028).
Official code: github.com/igul222/improved_wgan_training.
One-sided: "On the regularization of Wasserstein GANs" (Petzka et al., 2018, https://arxiv.org/abs/1709.08894).

notes/gradient_penalty.md tells why the gradient is exact.

Deviation: where a gradient is 0, its length has the slope 0. In the official code, that slope is NaN.
"""
from math import log2

import mxnet as mx
from mxnet import autograd

from ...nn.tangent import GradientAndTangent
from ...reading import quoted
from ...values import MOST_FLOAT, Rule, check, number

__all__ = ['GradientPenalty', 'check_penalty']

RULES = {'weight': number(0, MOST_FLOAT), 'sided': Rule("'two' or 'one'", ('two', 'one').__contains__),
         'target': number(0, MOST_FLOAT)}


def check_penalty(options):
    """ValueError unless a dict holds keywords of :class:`GradientPenalty` alone, and values that these may have."""
    for name, value in options.items():
        if name not in RULES:
            raise ValueError(f'penalty: unknown argument {quoted(name)}; known: {", ".join(RULES)}')
        check(f'penalty: {name}', value, RULES[name])


class GradientPenalty:
    """How far the slope of a critic is from 1, between real and made pictures.

    With u the gradient of the scores of a picture by this picture, the penalty is ``weight * mean((|u| -
    target) ** 2)``. The picture lies at a random place between a real and a made one. |u| is the Euclidean length over
    all numbers of the picture. A critic with several scores a picture has the gradient of their sum.

    The gradient of the penalty by the critic's parameters is exact. There is none by the pictures.

    Parameters
    ----------
    critic : HybridBlock
        of one input, initialised, its shapes known; of operators with a tangent rule (:mod:`gluonzoo.nn.tangent`)
    weight : float, 0 or more
    sided : {'two', 'one'}
        'one': gradients shorter than `target` cost nothing
    target : float, 0 or more
        the length that a gradient should have

    Raises
    ------
    ValueError
        if an argument is not as said; if a layer of the critic has no tangent rule: names the layer
    """

    def __init__(self, critic, weight=10.0, sided='two', target=1.0):
        check_penalty({'weight': weight, 'sided': sided, 'target': target})
        self._weight, self._one_sided, self._target = weight, sided == 'one', target
        try:
            self._passes = GradientAndTangent(critic)
        except ValueError as error:
            raise ValueError(f'critic: there is no gradient penalty of it: {error}') from None

    def __call__(self, real, fake, alpha=None):
        """The penalty, [1]. Call while gradients are recorded.

        Parameters
        ----------
        real, fake : NDArray, (B, C, H, W)
        alpha : NDArray, (B, 1, 1, 1), optional
            the share of the real picture in each picture between; default: uniform in 0..1, one for each picture,
            from MXNet's random numbers
        """
        if real.shape != fake.shape:
            raise ValueError(f'fake: must have the shape of real, {list(real.shape)}: {list(fake.shape)}')
        with autograd.pause():
            real, fake = real.detach(), fake.detach()
            if alpha is None:
                alpha = mx.nd.random.uniform(shape=(len(real), *[1] * (real.ndim - 1)), ctx=real.ctx, dtype=real.dtype)
            x = fake + alpha * (real - fake)
            # A gradient has many numbers, each of them small. In float16 they keep their digits at this scale. A power
            # of 2 changes no digit.
            scale = 2.0 ** round(log2(x[0].size) / 2)
            u, constants = self._passes.gradient(x, scale)
            lengths = mx.nd.sqrt(mx.nd.sum(mx.nd.square(u), axis=0, exclude=True, keepdims=True)) / scale
            excess = lengths - self._target
            if self._one_sided:
                excess = mx.nd.relu(excess)
            value = self._weight * mx.nd.square(excess).mean()
            # The derivative of the penalty by u. Where u is 0, it is 0.
            v = u * (2 * self._weight / len(x) / scale * excess / (lengths + (lengths == 0)))
            largest = v.abs().max()   # likewise for float16: the tangent is linear in v
            largest = largest + (largest == 0)
            v = v / largest
        tangent = self._passes.tangent(x, v, constants)
        loss = (largest * tangent.astype(value.dtype, copy=False)).sum()
        return value + (loss - loss.detach())   # of the tangent the gradient alone counts
