"""Mish, a smooth activation that lets small negative values through.

Paper: "Mish: A Self Regularized Non-Monotonic Activation Function" (Misra, 2019, https://arxiv.org/abs/1908.08681).
Official code: github.com/digantamisra98/Mish.
"""
from mxnet.gluon import HybridBlock

__all__ = ['Mish']


class Mish(HybridBlock):
    """``x * tanh(log(1 + exp(x)))``, for each number by itself.

    The least value is -0.3088, at x = -1.1924. With s, the sigmoid of x, the hyperbolic tangent is
    s (2 - s) / (2 - s (2 - s)), so that no exponential overflows: values and gradients are finite for x up to a quarter
    of the greatest number of their type, and down to minus that.

    Inputs and outputs: any shape.
    """

    def hybrid_forward(self, F, x):
        # On a CPU, maps of convolutions are in blocks of channels. A reshape to the same shape lays them out plainly,
        # once. Otherwise each of the products below would do so, and a whole network would take 1.4 times as long.
        x = F.reshape(x, (-2,))
        # Not by 'softrelu': on a CPU, oneDNN's is wrong by 8e-6 for x below -10, which x then multiplies.
        sigmoid = F.Activation(x, act_type='sigmoid')   # oneDNN's; F.sigmoid takes longer
        v = sigmoid * (2 - sigmoid)
        return x * (v / (2 - v))
