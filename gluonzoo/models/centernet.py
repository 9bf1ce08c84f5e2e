"""CenterNet: objects as triplets of keypoints, the two corners of a box and its centre.

Paper: "CenterNet: Keypoint Triplets for Object Detection" (Duan et al., 2019, https://arxiv.org/abs/1904.08189).
Official code: github.com/Duankaiwen/CenterNet, models/CenterNet-104.py and models/py_utils.

====================== =========== ==============================================
network                parameters  features
====================== =========== ==============================================
centernet_hourglass52  104,844,152 one hourglass (models/hourglass.py)
centernet_hourglass104 210,062,960 two
ghost_centernet_0_5        843,980 GhostNet (models/ghostnet.py) and a light neck
ghost_centernet          3,265,148
ghost_centernet_1_3      5,880,276
====================== =========== ==============================================

with 80 classes. Inputs: (N, 3, H, W), RGB, normalised with `mean` and `std`; 511 x 511 in the paper. Outputs: the raw
heads, see :class:`CenterNet`.

Deviations:

1. The official hourglass networks take BGR images; these take RGB. The converter turns round the input channels of the
   first convolution.
2. The Ghost CenterNets are not in the paper. Their heads are the paper's, with fewer channels.
3. Running variances of batch normalisation are those of N numbers divided by N, in PyTorch by N - 1; see
   models/hourglass.py.
"""
from mxnet import initializer
from mxnet.gluon import HybridBlock, nn

from ..nn.conv import conv, conv_bn, sequential
from ..registry import MODELS
from ..values import COUNT, COUNTS, DEPTHS, EVEN
from .ghostnet import GhostBottleneck, GhostNetFeatures
from .hourglass import HourglassFeatures

__all__ = ['HEADS', 'CenterNet', 'GhostNeck',
           'centernet_hourglass52', 'centernet_hourglass104',
           'ghost_centernet_0_5', 'ghost_centernet', 'ghost_centernet_1_3']

# What a CenterNet returns for each of its stacks, in this order: the top-left corner, bottom-right corner and centre.
HEADS = ('tl_heat', 'br_heat', 'ct_heat', 'tl_tag', 'br_tag', 'tl_offset', 'br_offset', 'ct_offset')

# sigmoid(-2.19) = 0.1: hardly any place is a keypoint, so a higher start would let the loss explode.
_HEAT_BIAS = -2.19


class _CornerBranch(HybridBlock):
    """Half of a cascade corner pooling: pools from the inside of a box to its edge, then along the edge to the corner.

    For the topmost edge, `look` is 'top_pool', which carries features upwards, and `pool` is 'left_pool'.
    Inputs: (N, in_channels, H, W). Outputs: (N, channels, H, W).
    """

    def __init__(self, in_channels, channels, look, pool):
        super().__init__()
        self._look, self._pool = look, pool
        with self.name_scope():
            self.edge = conv_bn(in_channels, channels, 3)
            self.inside = conv_bn(in_channels, channels, 3)
            self.mix = conv(channels, channels, 3)

    def hybrid_forward(self, F, x):
        inside = getattr(F.contrib, self._look)(self.inside(x))
        return getattr(F.contrib, self._pool)(self.mix(self.edge(x) + inside))


class _CenterBranch(HybridBlock):
    """Half of a centre pooling: two opposite scans give every place the maximum of its whole column, or of its row.

    Inputs: (N, in_channels, H, W). Outputs: (N, channels, H, W).
    """

    def __init__(self, in_channels, channels, first, second):
        super().__init__()
        self._first, self._second = first, second
        with self.name_scope():
            self.conv = conv_bn(in_channels, channels, 3)

    def hybrid_forward(self, F, x):
        return getattr(F.contrib, self._second)(getattr(F.contrib, self._first)(self.conv(x)))


class _Pooling(HybridBlock):
    """A residual block around the sum of two branches with `pool_channels`. Keeps the shape (N, channels, H, W)."""

    def __init__(self, channels, pool_channels, branches):
        super().__init__()
        with self.name_scope():
            self.branches = sequential(*branches)
            self.merge = conv_bn(pool_channels, channels, 3, relu=False)
            self.shortcut = conv_bn(channels, channels, relu=False)
            self.out = conv_bn(channels, channels, 3)

    def hybrid_forward(self, F, x):
        first, second = (branch(x) for branch in self.branches)
        return self.out(F.relu(self.merge(first + second) + self.shortcut(x)))


class _Keypoint(HybridBlock):
    """Heat, tag (unless `tag` is false) and offset of one kind of keypoint.

    Inputs: (N, channels, H, W). Outputs: a list of (N, classes, H, W), (N, 1, H, W), (N, 2, H, W).
    """

    def __init__(self, channels, pooling, hidden, classes, tag):
        super().__init__()
        heat_bias = initializer.Constant(_HEAT_BIAS)
        with self.name_scope():
            self.pooling = pooling
            self.heat = self._head(channels, hidden, classes, heat_bias)
            self.tag = self._head(channels, hidden, 1) if tag else None
            self.offset = self._head(channels, hidden, 2)

    @staticmethod
    def _head(channels, hidden, out, bias_initializer=None):
        return sequential(conv(channels, hidden, 3, bias=True), nn.Activation('relu'),
                          conv(hidden, out, bias=True, bias_initializer=bias_initializer))

    def hybrid_forward(self, F, x):
        x = self.pooling(x)
        return [head(x) for head in (self.heat, self.tag, self.offset) if head is not None]


class _Heads(HybridBlock):
    """All heads of one map of features. Inputs: (N, channels, H, W). Outputs: a list as :data:`HEADS`."""

    def __init__(self, channels, pool_channels, hidden, classes):
        super().__init__()

        def corner(vertical, horizontal):
            return _Pooling(channels, pool_channels, [
                _CornerBranch(channels, pool_channels, look=horizontal, pool=vertical),
                _CornerBranch(channels, pool_channels, look=vertical, pool=horizontal)])

        with self.name_scope():
            self.tl = _Keypoint(channels, corner('top_pool', 'left_pool'), hidden, classes, tag=True)
            self.br = _Keypoint(channels, corner('bottom_pool', 'right_pool'), hidden, classes, tag=True)
            center = _Pooling(channels, pool_channels, [
                _CenterBranch(channels, pool_channels, 'top_pool', 'bottom_pool'),
                _CenterBranch(channels, pool_channels, 'left_pool', 'right_pool')])
            self.ct = _Keypoint(channels, center, hidden, classes, tag=False)

    def hybrid_forward(self, F, x):
        # Thirteen convolutions read x. Of an array with eight readers or more MXNet 1.9.1 computes a wrong gradient, in
        # float64 with static_alloc. So some read a copy, and a copy of the copy (it merges two copies of the same).
        tl_heat, tl_tag, tl_offset = self.tl(x)
        x = F.identity(x)
        br_heat, br_tag, br_offset = self.br(x)
        x = F.identity(x)
        ct_heat, ct_offset = self.ct(x)
        return [tl_heat, br_heat, ct_heat, tl_tag, br_tag, tl_offset, br_offset, ct_offset]


class CenterNet(HybridBlock):
    """CenterNet on any features at stride 4.

    Inputs: (N, 3, H, W), of sizes that the features take. Outputs: a list of 8 arrays for every map of features, or
    stack, in the order of :data:`HEADS`. With h = ceil(H / 4) and w = ceil(W / 4) they are

    - heats (N, classes, h, w): logits that the cell holds a top-left corner, bottom-right corner, centre of a class
    - tags (N, 1, h, w): numbers that are near each other for the corners of the same box
    - offsets (N, 2, h, w): x and y of the keypoint in its cell, 0..1, where a cell is 4 pixels wide

    All stacks are trained. A detector needs the last 8 arrays only. The other arrays are not computed in a hybridized
    block that uses the last 8 arrays alone.

    Parameters
    ----------
    features : HybridBlock
        (N, 3, H, W) -> a list of `features.stacks` maps (N, features.channels, h, w)
    classes : int
    pool_channels : int
        of the maps that are pooled
    hidden : int
        channels within a head

    Attributes
    ----------
    classes, stacks, stride, input_size : int
    mean, std : tuple of float
        normalise RGB values 0..255: ``(rgb - mean) / std``
    """

    stride = 4
    input_size = 511

    def __init__(self, features, classes, pool_channels, hidden):
        super().__init__()
        self.classes, self.stacks = classes, features.stacks
        self.mean, self.std = features.mean, features.std
        with self.name_scope():
            self.features = features
            self.heads = sequential(*[_Heads(features.channels, pool_channels, hidden, classes)
                                      for _ in range(features.stacks)])

    def hybrid_forward(self, F, x):
        return [out for heads, features in zip(self.heads, self.features(x)) for out in heads(features)]


class GhostNeck(HybridBlock):
    """GhostNet's four maps brought together at stride 4, from the coarsest to the finest.

    Inputs: (N, 3, H, W); 8 divides H / 4 and W / 4, each rounded up. Outputs: a list of one map,
    (N, channels, ceil(H / 4), ceil(W / 4)).

    Parameters
    ----------
    width : float
        of GhostNet, the attribute `backbone`
    channels : int
        even
    """

    stacks = 1
    mean, std = GhostNetFeatures.mean, GhostNetFeatures.std

    def __init__(self, width, channels):
        super().__init__()
        self.channels = channels
        with self.name_scope():
            self.backbone = GhostNetFeatures(width)
            self.laterals = sequential(*[conv(c, channels, bias=True) for c in self.backbone.channels])
            self.refine = sequential(*[GhostBottleneck(channels, channels, channels)
                                       for _ in self.backbone.channels[:-1]])

    def hybrid_forward(self, F, x):
        *finer, x = [lateral(y) for lateral, y in zip(self.laterals, self.backbone(x))]
        for lateral, refine in zip(reversed(finer), self.refine):
            x = refine(lateral + F.UpSampling(x, scale=2, sample_type='nearest'))
        return [x]


def _hourglass(stacks, classes, levels, depths, stem_channels, channels, pool_channels):
    features = HourglassFeatures(stacks, levels, depths, stem_channels, channels)
    return CenterNet(features, classes, pool_channels, hidden=levels[0])


@MODELS.register
def centernet_hourglass52(classes: COUNT = 80, levels: COUNTS = (256, 256, 384, 384, 384, 512),
                          depths: DEPTHS = (2, 2, 2, 2, 2, 4), stem_channels: COUNT = 128, channels: COUNT = 256,
                          pool_channels: COUNT = 128):
    """:class:`CenterNet` on one hourglass; the keywords are those of :class:`HourglassFeatures`."""
    return _hourglass(1, classes, levels, depths, stem_channels, channels, pool_channels)


@MODELS.register
def centernet_hourglass104(classes: COUNT = 80, levels: COUNTS = (256, 256, 384, 384, 384, 512),
                           depths: DEPTHS = (2, 2, 2, 2, 2, 4), stem_channels: COUNT = 128, channels: COUNT = 256,
                           pool_channels: COUNT = 128):
    """:class:`CenterNet` on two hourglasses; the keywords are those of :class:`HourglassFeatures`."""
    return _hourglass(2, classes, levels, depths, stem_channels, channels, pool_channels)


@MODELS.register
def ghost_centernet_0_5(classes: COUNT = 80, channels: EVEN = 32):
    """:class:`CenterNet` on GhostNet of width 0.5. `channels` is even."""
    return CenterNet(GhostNeck(.5, channels), classes, channels // 2, channels)


@MODELS.register
def ghost_centernet(classes: COUNT = 80, channels: EVEN = 64):
    """:class:`CenterNet` on GhostNet of width 1. `channels` is even."""
    return CenterNet(GhostNeck(1.0, channels), classes, channels // 2, channels)


@MODELS.register
def ghost_centernet_1_3(classes: COUNT = 80, channels: EVEN = 96):
    """:class:`CenterNet` on GhostNet of width 1.3. `channels` is even."""
    return CenterNet(GhostNeck(1.3, channels), classes, channels // 2, channels)
