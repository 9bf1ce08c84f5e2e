"""Convolutions whose kernel is the whole map: from a map to a vector, and from a vector to a map.

They are matrix products. MXNet computes them as convolutions, which on a CPU takes several times as long.
"""
from mxnet.gluon import nn

__all__ = ['WholeMapConv', 'WholeMapDeconv']


class WholeMapConv(nn.Conv2D):
    """A convolution without padding, of maps that are as large as its kernel.

    Inputs: (N, in_channels, side, side). Outputs: (N, channels, 1, 1).

    Parameters
    ----------
    channels, side, in_channels : int
    **options
        use_bias, and the initializers: as of nn.Conv2D
    """

    def __init__(self, channels, side, *, in_channels, **options):
        super().__init__(channels, side, in_channels=in_channels, **options)

    def hybrid_forward(self, F, x, weight, bias=None):
        weight = F.reshape(weight, (self.weight.shape[0], -1))
        y = F.dot(F.reshape(x, (0, -1)), weight, transpose_b=True)      # [N, C * s * s] . [C * s * s, C']
        y = F.reshape(y, (0, 0, 1, 1))
        return y if bias is None else F.broadcast_add(y, F.reshape(bias, (1, -1, 1, 1)))


class WholeMapDeconv(nn.Conv2DTranspose):
    """A transposed convolution without padding, of maps of one pixel. The outputs are as large as its kernel.

    Inputs: (N, in_channels), or (N, in_channels, 1, 1). Outputs: (N, channels, side, side).

    Parameters
    ----------
    channels, side, in_channels : int
    **options
        use_bias, and the initializers: as of nn.Conv2DTranspose
    """

    def __init__(self, channels, side, *, in_channels, **options):
        super().__init__(channels, side, in_channels=in_channels, **options)

    def hybrid_forward(self, F, x, weight, bias=None):
        in_channels, channels, side, _ = self.weight.shape
        x = F.reshape(x, (0, -1))
        y = F.dot(x, F.reshape(weight, (in_channels, -1)))              # [N, C] . [C, C' * s * s]
        y = F.reshape(y, (0, channels, side, side))
        return y if bias is None else F.broadcast_add(y, F.reshape(bias, (1, -1, 1, 1)))
