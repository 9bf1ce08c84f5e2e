"""Instance normalisation without parameters, for the networks of image translation.

Paper: "Instance Normalization: The Missing Ingredient for Fast Stylization" (Ulyanov et al., 2016,
https://arxiv.org/abs/1607.08022).
"""
from mxnet.gluon import HybridBlock

__all__ = ['InstanceNorm']


class InstanceNorm(HybridBlock):
    """Normalises every channel of every image by its own mean and variance: (x - mean) / sqrt(variance + 1e-5).

    It has no parameters. Inputs and outputs: (N, C, H, W).

    On a CPU, MXNet's own InstanceNorm takes 5 to 13 times as long. Here BLAS computes the means, as matrix products.
    """

    epsilon = 1e-5

    def hybrid_forward(self, F, x):
        lines = F.reshape(x, (-3, -1))                                    # [N, C, H, W] -> [N * C, H * W]
        ones = F.ones_like(F.slice_axis(lines, axis=0, begin=0, end=1))   # [1, H * W]
        # 1 / (H * W), so that a product is a mean. Mixed precision keeps a softmax, and so what follows, in float32.
        share = F.BlockGrad(F.softmax(ones))
        centred = lines - F.dot(F.dot(lines, share, transpose_b=True), ones)
        variance = F.dot(F.square(centred), share, transpose_b=True)      # [N * C, 1]
        return F.reshape_like(centred * F.dot((variance + self.epsilon) ** -.5, ones), x)
