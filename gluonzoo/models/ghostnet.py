"""GhostNet: half of the feature maps of a layer are made from the other half by a cheap depthwise convolution.

Paper: "GhostNet: More Features from Cheap Operations" (Han et al., 2020, https://arxiv.org/abs/1911.11907).
Official code: github.com/huawei-noah/Efficient-AI-Backbones, ghostnet_pytorch.

=============== ========== ================== ====================
network         parameters multiply-adds, 224 channels at 4 strides
=============== ========== ================== ====================
ghostnet_0_5     2,587,292             42.3 M  12,  20,  56,  80
ghostnet_1_0     5,182,508            141.2 M  24,  40, 112, 160
ghostnet_1_3     7,358,820            227.0 M  32,  52, 144, 208
=============== ========== ================== ====================

Inputs: (N, 3, H, W), RGB, normalised with `mean` and `std`. Outputs: (N, classes), raw. :class:`GhostNetFeatures` is
the trunk alone, with its maps at strides 4, 8, 16 and 32.

Deviation: running variances of batch normalisation are those of N numbers divided by N, in PyTorch by N - 1: 1.0003
times as large for the smallest maps, 7 x 7, of 64 images of 224 x 224.
"""
from mxnet.gluon import HybridBlock, nn

from ..nn.concat import are_whole_blocks, concat
from ..nn.conv import conv, conv_bn, dense, sequential
from ..nn.plain_gradient import plain_gradient
from ..registry import MODELS
from ..values import COUNT

__all__ = ['GhostModule', 'GhostBottleneck', 'GhostNetFeatures', 'GhostNet',
           'ghostnet_0_5', 'ghostnet_1_0', 'ghostnet_1_3']

# Kernel, expanded channels, channels, squeeze and excitation, stride; all channels are at width 1.
_STEM = [(3, 16, 16, False, 1)]   # at stride 2, after the first convolution
_STAGES = [
    [(3, 48, 24, False, 2), (3, 72, 24, False, 1)],
    [(5, 72, 40, True, 2), (5, 120, 40, True, 1)],
    [(3, 240, 80, False, 2), (3, 200, 80, False, 1), (3, 184, 80, False, 1), (3, 184, 80, False, 1),
     (3, 480, 112, True, 1), (3, 672, 112, True, 1)],
    [(5, 672, 160, True, 2), (5, 960, 160, False, 1), (5, 960, 160, True, 1), (5, 960, 160, False, 1),
     (5, 960, 160, True, 1)],
]
_LAST_EXPANDED = 960
_HEAD_CHANNELS = 1280


def _divisible(channels):
    """The nearest multiple of 4, at least 4; or the next greater one, where the nearest is less than 0.9 of `channels`.
    """
    nearest = max(4, int(channels + 2) // 4 * 4)
    return nearest if nearest >= .9 * channels else nearest + 4


class GhostModule(HybridBlock):
    """A pointwise convolution to half of the channels, and the other half from those by a 3x3 depthwise one.

    Inputs: (N, in_channels, H, W). Outputs: (N, channels, H, W). `channels` is even.
    """

    def __init__(self, in_channels, channels, relu=True):
        super().__init__()
        self._whole_blocks = are_whole_blocks(channels // 2)
        with self.name_scope():
            self.primary = conv_bn(in_channels, channels // 2, relu=relu)
            self.cheap = conv_bn(channels // 2, channels // 2, 3, groups=channels // 2, relu=relu)

    def hybrid_forward(self, F, x):
        primary = self.primary(x)
        return concat(F, primary, self.cheap(primary), whole_blocks=self._whole_blocks)


class SqueezeExcite(HybridBlock):
    """Scales every channel by a gate in 0..1, computed from the means of all channels. Keeps the shape (N, C, H, W)."""

    def __init__(self, channels):
        super().__init__()
        reduced = _divisible(channels / 4)
        with self.name_scope():
            self.reduce = conv(channels, reduced, bias=True)
            self.expand = conv(reduced, channels, bias=True)

    def hybrid_forward(self, F, x):
        means = F.contrib.AdaptiveAvgPooling2D(x, output_size=1)   # [N, C, H, W] -> [N, C, 1, 1]
        gate = F.hard_sigmoid(self.expand(F.relu(self.reduce(means))), alpha=1 / 6, beta=.5)
        # On a CPU the gradients of global average pooling and of broadcast_mul would take several times as long.
        return x * F.broadcast_like(gate, x)


class GhostBottleneck(HybridBlock):
    """Two ghost modules, the second without ReLU, and a shortcut; stride and gate are between them.

    Inputs: (N, in_channels, H, W). Outputs: (N, channels, ceil(H / stride), ceil(W / stride)).

    Parameters
    ----------
    in_channels, expanded, channels : int
        of the input, between the two modules (even) and of the output (even)
    kernel : int
        of the depthwise convolutions that subsample
    """

    def __init__(self, in_channels, expanded, channels, kernel=3, squeeze_excite=False, stride=1):
        super().__init__()
        with self.name_scope():
            self.expand = GhostModule(in_channels, expanded)
            self.depthwise = (conv_bn(expanded, expanded, kernel, stride, expanded, relu=False) if stride > 1
                              else sequential())
            self.gate = SqueezeExcite(expanded) if squeeze_excite else sequential()
            self.project = GhostModule(expanded, channels, relu=False)
            self.shortcut = sequential() if stride == 1 and in_channels == channels else sequential(
                conv_bn(in_channels, in_channels, kernel, stride, in_channels, relu=False),
                conv_bn(in_channels, channels, relu=False))

    def hybrid_forward(self, F, x):
        # The shortcut first: in the other order optimize_for(backend='MKLDNN') would mix up its two convolutions.
        shortcut = x
        if len(self.shortcut):
            depthwise, pointwise = self.shortcut
            shortcut = pointwise(plain_gradient(F, depthwise(x)))
        x = self.expand(x)
        if len(self.depthwise):
            x = plain_gradient(F, self.depthwise(x))
        return shortcut + self.project(self.gate(x))


class GhostNetFeatures(HybridBlock):
    """The trunk of GhostNet.

    Inputs: (N, 3, H, W). Outputs: a list of four maps, (N, channels[i], ceil(H / s), ceil(W / s)) for the strides s of
    4, 8, 16 and 32. The maps are sums of shortcuts, without a ReLU.

    Parameters
    ----------
    width : float
        factor of all numbers of channels, which are rounded to multiples of 4

    Attributes
    ----------
    channels : list of int
        of the four maps
    mean, std : tuple of float
        the official normalisation of RGB values 0..255: ``(rgb - mean) / std``
    """

    mean = (123.675, 116.28, 103.53)
    std = (58.395, 57.12, 57.375)

    def __init__(self, width=1.0):
        super().__init__()
        channels = first = _divisible(16 * width)

        def bottlenecks(rows):
            nonlocal channels
            blocks = []
            for kernel, expanded, out, squeeze_excite, stride in rows:
                expanded, out = _divisible(expanded * width), _divisible(out * width)
                blocks.append(GhostBottleneck(channels, expanded, out, kernel, squeeze_excite, stride))
                channels = out
            return blocks

        with self.name_scope():
            self.stem = conv_bn(3, first, 3, stride=2)
            self.first = sequential(*bottlenecks(_STEM))
            self.stages = sequential()
            self.channels = []
            for rows in _STAGES:
                self.stages.add(sequential(*bottlenecks(rows)))
                self.channels.append(channels)

    def hybrid_forward(self, F, x):
        maps = []
        x = self.first(plain_gradient(F, self.stem(x)))
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps


class GhostNet(HybridBlock):
    """GhostNet, the classifier.

    Inputs: (N, 3, H, W). Outputs: (N, classes), raw.

    Parameters
    ----------
    width : float
        see :class:`GhostNetFeatures`, which is the attribute `features`
    classes : int
    dropout : float
        the probability to drop one of the 1280 inputs of the last layer, when training
    """

    input_size = 224
    mean, std = GhostNetFeatures.mean, GhostNetFeatures.std

    def __init__(self, width=1.0, classes=1000, dropout=.2):
        super().__init__()
        self.classes = classes
        last = _divisible(_LAST_EXPANDED * width)
        with self.name_scope():
            self.features = GhostNetFeatures(width)
            self.expand = conv_bn(self.features.channels[-1], last)
            self.head = sequential(nn.GlobalAvgPool2D(), conv(last, _HEAD_CHANNELS, bias=True), nn.Activation('relu'),
                                   nn.Flatten(), nn.Dropout(dropout))
            self.output = dense(_HEAD_CHANNELS, classes)

    def hybrid_forward(self, F, x):
        return self.output(self.head(self.expand(self.features(x)[-1])))


@MODELS.register
def ghostnet_0_5(classes: COUNT = 1000, dropout=.2):
    """:class:`GhostNet` of width 0.5: 2,587,292 parameters."""
    return GhostNet(.5, classes, dropout)


@MODELS.register
def ghostnet_1_0(classes: COUNT = 1000, dropout=.2):
    """:class:`GhostNet` of width 1: 5,182,508 parameters; top-1 73.98 % on ImageNet, as its authors report."""
    return GhostNet(1.0, classes, dropout)


@MODELS.register
def ghostnet_1_3(classes: COUNT = 1000, dropout=.2):
    """:class:`GhostNet` of width 1.3: 7,358,820 parameters."""
    return GhostNet(1.3, classes, dropout)
