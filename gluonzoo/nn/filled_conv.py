"""Convolutions to any number of channels. On a CPU, MXNet's own make the layers before them slow to train."""
from mxnet.gluon import nn

from ..graph.blocks_of_channels import BLOCK

__all__ = ['FilledConv']


class FilledConv(nn.Conv2D):
    """A convolution to 24 or 75 channels that is trained as fast as one to 32 or 80.

    On a CPU, oneDNN 2.4 computes a convolution to 24 channels in blocks of 8, and so returns the gradient of its input.
    It has no fast batch normalisation for such a gradient of maps in blocks of 16: with it, a training step takes up to
    4 times as long. So this block fills the last block of 16 with channels of zeros, and leaves them out afterwards.

    Inputs and outputs are those of nn.Conv2D; so are the keywords. Where there are fewer channels than zeros to add,
    nothing is filled.

    Parameters
    ----------
    channels, kernel_size, in_channels : int
    """

    def __init__(self, channels, kernel_size, *, in_channels, **options):
        super().__init__(channels, kernel_size, in_channels=in_channels, **options)
        spare = -channels % BLOCK
        self._spare = spare if spare <= channels else 0

    def hybrid_forward(self, F, x, weight, bias=None):
        if not self._spare:
            return super().hybrid_forward(F, x, weight, bias)
        channels = self._kwargs['num_filter']
        arrays = [F.concat(array, F.zeros_like(F.slice_axis(array, axis=0, begin=0, end=self._spare)), dim=0)
                  for array in (weight, bias) if array is not None]
        y = F.Convolution(x, *arrays, **{**self._kwargs, 'num_filter': channels + self._spare})
        return F.slice_axis(y, axis=1, begin=0, end=channels)
