"""Depthwise convolutions of any number of channels. On a CPU, MXNet's own are fast for multiples of 8 alone."""
from mxnet.gluon import nn

from .concat import concat

__all__ = ['DepthwiseConv']

_BLOCK = 8   # channels


class DepthwiseConv(nn.Conv2D):
    """A convolution of each channel by itself, which is trained as fast with 12 channels as with 16.

    On a CPU, oneDNN 2.4 computes a depthwise convolution in blocks of 8 or 16 channels. Of other numbers of channels,
    it computes one channel after the other, and takes several times as long. So this block fills the last block of 8
    with channels of zeros, and leaves them out afterwards. gluonzoo.graph.training_only takes them out of graphs that
    are not trained.

    Inputs and outputs are those of nn.Conv2D; so are the keywords.

    Parameters
    ----------
    channels, kernel_size : int
        `channels` is of inputs and outputs
    """

    def __init__(self, channels, kernel_size, **options):
        super().__init__(channels, kernel_size, groups=channels, in_channels=channels, **options)
        spare = -channels % _BLOCK
        self._spare = spare if spare <= channels and self.bias is None else 0

    def hybrid_forward(self, F, x, weight, bias=None):
        if not self._spare:
            return super().hybrid_forward(F, x, weight, bias)

        def zeros_of(array, axis):
            return F.zeros_like(F.slice_axis(array, axis=axis, begin=0, end=self._spare))

        channels = self._kwargs['num_filter']
        x = concat(F, x, zeros_of(x, 1))
        weight = F.concat(weight, zeros_of(weight, 0), dim=0)
        count = {'num_filter': channels + self._spare, 'num_group': channels + self._spare}
        return F.slice_axis(F.Convolution(x, weight, **{**self._kwargs, **count}), axis=1, begin=0, end=channels)
