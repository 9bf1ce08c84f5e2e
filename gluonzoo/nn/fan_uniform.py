"""The first weights of WGAN-GP's networks.

Paper: "Improved Training of Wasserstein GANs" (Gulrajani et al., NeurIPS 2017, https://arxiv.org/abs/1704.00028).
Official code: github.com/igul222/improved_wgan_training, tflib/ops/{conv2d,deconv2d,linear}.py.
"""
from math import prod, sqrt

from mxnet import initializer, random

__all__ = ['FanUniform']


@initializer.register
class FanUniform(initializer.Initializer):
    """Fills a weight with uniform samples of variance `gain` / (fan in + fan out).

    With a stride s, an input of a convolution reaches 1 / s^2 as many outputs, and an output of a transposed one is
    reached from 1 / s^2 as many inputs. So a convolution's fan out is divided by s^2, and a transposed one's fan in:
    the fan of the weight's first axis, in both.

    Parameters
    ----------
    gain : float
        2, which is Glorot's, for layers that no ReLU follows; 4, which is He's, for others
    stride : int
    """

    def __init__(self, gain, stride=1):
        super().__init__(gain=gain, stride=stride)
        self.gain, self.stride = gain, stride

    def _init_weight(self, _, array):
        first, second, *kernel = array.shape
        fans = (second + first / self.stride ** 2) * prod(kernel)
        limit = sqrt(3 * self.gain / fans)
        random.uniform(-limit, limit, out=array)
