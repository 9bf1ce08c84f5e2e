"""Grouped convolutions of few channels a group. On a CPU, MXNet's own make the layers around them slow."""
from math import gcd

from mxnet.gluon import nn

from ..graph.blocks_of_channels import BLOCK

__all__ = ['GroupedConv']


class GroupedConv(nn.Conv2D):
    """A convolution in groups that is fast for groups of few channels, too.

    On a CPU, oneDNN 2.4 computes a convolution of 4 or 8 channels a group in blocks of 4 or 8 channels. It has no fast
    batch normalisation for such blocks: with it, a training step takes up to 18 times as long. So this block joins
    neighbouring groups until they fill blocks of 16. Between the channels of groups that were apart, the weights are 0,
    and stay 0. The parameter has the shape that it has without joining.

    Inputs and outputs are those of nn.Conv2D; so are the keywords. Where groups cannot be joined to whole blocks, they
    stay as they are.

    Parameters
    ----------
    channels, kernel_size : int
    groups, in_channels : int
        `in_channels` and `channels` are multiples of `groups`
    """

    def __init__(self, channels, kernel_size, *, groups, in_channels, **options):
        super().__init__(channels, kernel_size, groups=groups, in_channels=in_channels, **options)
        self._join = joined_groups(in_channels, channels, groups)

    def hybrid_forward(self, F, x, weight, bias=None):
        if self._join == 1:
            return super().hybrid_forward(F, x, weight, bias)
        channels, inputs, *kernel = self.weight.shape
        groups = self._kwargs['num_group'] // self._join
        ones = F.ones_like(F.slice_axis(F.reshape(weight, (-1,)), axis=0, begin=0, end=self._join))   # of its type
        own_group = F.reshape(F.diag(ones), (1, self._join, 1, self._join, 1))
        weight = F.reshape(weight, (groups, self._join, channels // groups // self._join, 1, -1))
        weight = F.broadcast_mul(weight, own_group)   # [groups, join, outputs, join, inputs * kernel]
        weight = F.reshape(weight, (channels, self._join * inputs, *kernel))
        arrays = [x, weight] if bias is None else [x, weight, bias]
        return F.Convolution(*arrays, **{**self._kwargs, 'num_group': groups})


def joined_groups(in_channels, channels, groups):
    """How many neighbouring groups together have whole blocks of channels, in and out: a divisor of `groups`.

    1 where no number of them has.
    """
    inputs, outputs = in_channels // groups, channels // groups
    return next((join for join in range(1, min(BLOCK, groups) + 1)
                 if groups % join == 0 and gcd(join * inputs, join * outputs) % BLOCK == 0), 1)
