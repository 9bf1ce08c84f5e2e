"""Mish, a smooth activation that lets small negative values through.

Paper: "Mish: A Self Regularized Non-Monotonic Activation Function" (Misra, 2019, https://arxiv.org/abs/1908.08681).
Official code: github.com/digantamisra98/Mish.
"""
from mxnet.gluon import HybridBlock

__all__ = ['Mish']


class Mish(HybridBlock):
    """``x * tanh(log(1 + exp(x)))``, for each number by itself.

    The value and the gradient are finite for every finite x: no exponential is taken of a large number. The least value
    is -0.309, at x = -1.192.

    Inputs and outputs: any shape.
    """

    def hybrid_forward(self, F, x):
        return x * F.Activation(F.Activation(x, act_type='softrelu'), act_type='tanh')   # oneDNN's, unlike F.tanh
