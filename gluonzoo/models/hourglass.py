"""The stacked hourglass of CornerNet and CenterNet: residual blocks down to 1/128 of the input and back to 1/4.

Papers: "Stacked Hourglass Networks for Human Pose Estimation" (Newell et al., 2016, https://arxiv.org/abs/1603.06937);
the variant is of "CornerNet: Detecting Objects as Paired Keypoints" (Law and Deng, 2018,
https://arxiv.org/abs/1808.01244), which subsamples by stride instead of pooling.
Official code: github.com/Duankaiwen/CenterNet, models/py_utils/kp.py.

Deviation: running variances of batch normalisation are those of N numbers divided by N, in PyTorch by N - 1: 1.01 times
as large for the smallest maps, 4 x 4, of 6 images of 511 x 511.
"""
from mxnet.gluon import HybridBlock

from ..nn.conv import conv_bn, sequential

__all__ = ['Residual', 'Hourglass', 'HourglassFeatures']


class Residual(HybridBlock):
    """Two 3x3 convolutions, the first with the stride, and a shortcut: itself, or 1x1 where the shape changes.

    Inputs: (N, in_channels, H, W). Outputs: (N, channels, ceil(H / stride), ceil(W / stride)).
    """

    def __init__(self, in_channels, channels, stride=1):
        super().__init__()
        with self.name_scope():
            self.body = sequential(conv_bn(in_channels, channels, 3, stride),
                                   conv_bn(channels, channels, 3, relu=False))
            self.shortcut = (sequential() if stride == 1 and in_channels == channels
                             else conv_bn(in_channels, channels, stride=stride, relu=False))

    def hybrid_forward(self, F, x):
        return F.relu(self.body(x) + self.shortcut(x))


def _residuals(in_channels, channels, count, stride=1):
    """`count` residual blocks; the first changes channels and size."""
    return sequential(Residual(in_channels, channels, stride),
                      *[Residual(channels, channels) for _ in range(count - 1)])


class Hourglass(HybridBlock):
    """Halves the map, applies a smaller hourglass, doubles the result, and adds a branch that keeps the size.

    Inputs and outputs: (N, channels[0], H, W); 2 ** (len(channels) - 1) divides H and W.

    Parameters
    ----------
    channels : sequence of int
        of every level from the outermost, at least two
    depths : sequence of int
        how many residual blocks there are on every level, one way
    """

    def __init__(self, channels, depths):
        super().__init__()
        outer, inner = channels[:2]
        depth, inner_depth = depths[:2]
        with self.name_scope():
            self.stay = _residuals(outer, outer, depth)
            self.down = _residuals(outer, inner, depth, stride=2)
            self.inside = (Hourglass(channels[1:], depths[1:]) if len(channels) > 2
                           else _residuals(inner, inner, inner_depth))
            self.up = sequential(*[Residual(inner, inner) for _ in range(depth - 1)], Residual(inner, outer))

    def hybrid_forward(self, F, x):
        low = self.up(self.inside(self.down(x)))   # [N, C, H, W] -> [N, C, H / 2, W / 2]
        return self.stay(x) + F.UpSampling(low, scale=2, sample_type='nearest')


class _Handover(HybridBlock):
    """The input of the next hourglass, from the input and the output of this one."""

    def __init__(self, inner, channels):
        super().__init__()
        with self.name_scope():
            self.before = conv_bn(inner, inner, relu=False)
            self.after = conv_bn(channels, inner, relu=False)
            self.mix = Residual(inner, inner)

    def hybrid_forward(self, F, x, y):
        return self.mix(F.relu(self.before(x) + self.after(y)))


class HourglassFeatures(HybridBlock):
    """A stem to stride 4, and hourglasses one after the other.

    Inputs: (N, 3, H, W); 2 ** (len(levels) - 1) divides H / 4 and W / 4, each rounded up. With six levels, 511 and 512
    are right and 500 is not. Outputs: a list of one map for every hourglass, (N, channels, ceil(H / 4), ceil(W / 4)).

    Parameters
    ----------
    stacks : int
        how many hourglasses
    levels : sequence of int
        the channels of every level of an hourglass, from stride 4 inwards
    depths : sequence of int
        the residual blocks of every level
    stem_channels : int
        after the first convolution
    channels : int
        of the maps

    Attributes
    ----------
    mean, std : tuple of float
        the official normalisation of RGB values 0..255: ``(rgb - mean) / std``
    """

    # The official numbers are of 0..1 and in BGR order.
    mean = tuple(255 * value for value in (.47026115, .44719302, .40789654))
    std = tuple(255 * value for value in (.27809835, .27408164, .28863828))

    def __init__(self, stacks, levels=(256, 256, 384, 384, 384, 512), depths=(2, 2, 2, 2, 2, 4), stem_channels=128,
                 channels=256):
        super().__init__()
        if len(levels) < 2 or len(levels) != len(depths):
            raise ValueError('levels and depths: one number each for two or more levels: '
                             f'levels={tuple(levels)}, depths={tuple(depths)}')
        self.channels = channels
        self.stacks = stacks
        outer = levels[0]
        with self.name_scope():
            self.stem = sequential(conv_bn(3, stem_channels, 7, stride=2), Residual(stem_channels, outer, stride=2))
            self.hourglasses = sequential(*[Hourglass(levels, depths) for _ in range(stacks)])
            self.projections = sequential(*[conv_bn(outer, channels, 3) for _ in range(stacks)])
            self.handovers = sequential(*[_Handover(outer, channels) for _ in range(stacks - 1)])

    def hybrid_forward(self, F, x):
        maps = []
        x = self.stem(x)
        for i in range(self.stacks):
            if maps:
                x = self.handovers[i - 1](x, maps[-1])
            maps.append(self.projections[i](self.hourglasses[i](x)))
        return maps
