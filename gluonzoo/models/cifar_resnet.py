"""The residual networks for pictures of 32 x 32, and what later papers have made of them.

Paper: "Deep Residual Learning for Image Recognition" (He et al., 2015, https://arxiv.org/abs/1512.03385), section 4.2.
The averaging shortcut and the zero gammas: "Bag of Tricks for Image Classification with Convolutional Neural Networks"
(He et al., 2018, https://arxiv.org/abs/1812.01187). The selective kernels: see :mod:`gluonzoo.nn.selective_kernel`.
Public code of all of these for CIFAR-10: github.com/SmallHedgehog/Awesome-work.

================= ==================== =================== ==================== ===================
network           parameters, A        multiply-adds, A    parameters, B and D  multiply-adds, B
================= ==================== =================== ==================== ===================
cifar_resnet20      269,722             40.6 M               272,474             40.8 M
cifar_resnet32      464,154             68.9 M               466,906             69.1 M
cifar_resnet44      658,586             97.2 M               661,338             97.4 M
cifar_resnet56      853,018            125.5 M               855,770            125.7 M
cifar_resnet110   1,727,962            252.9 M             1,730,714            253.1 M
cifar_resnet32_sk                                            175,706              9.4 M
================= ==================== =================== ==================== ===================

A, B and D are the shortcuts where the shape changes:

A
    Every second pixel, and channels of zeros, as many before as after: no parameters. The paper's, for CIFAR-10.
B
    A 1x1 convolution of stride 2 and batch normalisation.
D
    The mean of 2 x 2 pixels, a 1x1 convolution and batch normalisation: ResNet-D. So have the networks whose name ends
    with d; their parameters and multiply-adds are those of B.

Inputs: (N, 3, H, W), RGB, normalised with `mean` and `std`. Outputs: (N, classes), raw.

Deviations:

1. Where shortcut A puts its zeros, the paper does not say. Half of them come before and half after the others, as in
   github.com/akamaster/pytorch_resnet_cifar10, whose weights can be converted.
2. `cifar_resnet32_sk` has no batch normalisation and no ReLU between the two layers that choose a kernel. So its public
   code has it, and so are the 175,706 parameters. With ``hidden_norm=True`` they are there as in the paper; that makes
   177,626 parameters.
3. The last pooling takes the mean of all there is, of any size. The public codes take 8 x 8, which is all there is of
   pictures of 32 x 32. With an odd number of pixels, the last means of shortcut D are of those that there are.
4. Running variances of batch normalisation are those of N numbers divided by N, in PyTorch by N - 1.
"""
from mxnet import initializer
from mxnet.gluon import HybridBlock, nn

from ..nn.concat import concat
from ..nn.conv import conv, conv_bn, dense, sequential
from ..nn.selective_kernel import SelectiveKernel
from ..registry import MODELS
from ..values import COUNT, Rule, check

__all__ = ['CHANNELS', 'ZeroChannels', 'ResidualBlock', 'CIFARResNet',
           'cifar_resnet20', 'cifar_resnet32', 'cifar_resnet44', 'cifar_resnet56', 'cifar_resnet110',
           'cifar_resnet20d', 'cifar_resnet32d', 'cifar_resnet44d', 'cifar_resnet56d', 'cifar_resnet110d',
           'cifar_resnet32_sk']

STRIDE = Rule('1 or 2', lambda value: value in (1, 2))
A_OR_B = Rule("'A' or 'B'", lambda value: value in ('A', 'B'))
CHANNELS = (16, 32, 64)   # of the three stages


def _he():
    """Normal, with the variance 2 / fan out."""
    return initializer.MSRAPrelu('out', 0)


def _conv3x3(in_channels, channels, stride):
    return conv(in_channels, channels, 3, stride, weight_initializer=_he())


def _selective(hidden_norm):
    """What makes a selective kernel in place of a 3x3 convolution."""
    def make(in_channels, channels, stride):
        return SelectiveKernel(in_channels, channels, max(channels // 16, 32), stride, groups=16,
                               hidden_norm=hidden_norm, kernel_initializer=_he())
    return make


class ZeroChannels(HybridBlock):
    """Twice the channels: a quarter of them zeros, the input's, and a quarter of them zeros.

    Inputs: (N, in_channels, H, W), `in_channels` even. Outputs: (N, 2 * in_channels, H, W).
    """

    def __init__(self, in_channels):
        super().__init__()
        self._quarter = in_channels // 2

    def hybrid_forward(self, F, x):
        zeros = F.zeros_like(F.slice_axis(x, axis=1, begin=0, end=self._quarter))
        return concat(F, zeros, x, zeros)


def _shortcut(kind, in_channels, channels):
    """What halves the rows and columns, and makes `channels` of `in_channels`."""
    if kind == 'A':   # a mean of one pixel each: every second one
        return sequential(nn.AvgPool2D(1, 2), ZeroChannels(in_channels))
    if kind == 'B':
        return conv_bn(in_channels, channels, stride=2, relu=False, weight_initializer=_he())
    return sequential(nn.AvgPool2D(2, 2, ceil_mode=True, count_include_pad=False),
                      *conv_bn(in_channels, channels, relu=False, weight_initializer=_he()))


class ResidualBlock(HybridBlock):
    """Two 3x3 convolutions with batch normalisation, and a shortcut; a ReLU after their sum.

    Inputs: (N, in_channels, H, W). Outputs: (N, channels, ceil(H / stride), ceil(W / stride)).

    Parameters
    ----------
    in_channels, channels : int
        `channels` is twice `in_channels` where `stride` is 2, and the same where it is 1
    stride : int
        1 or 2
    shortcut : str
        'A', 'B' or 'D', of stride 2
    zero_gamma : bool
        whether the last gamma starts at 0: then the block starts as its shortcut and a ReLU
    conv3x3 : function of (in_channels, channels, stride) -> block
        makes the convolutions
    """

    def __init__(self, in_channels, channels, stride=1, shortcut='A', zero_gamma=False, conv3x3=_conv3x3):
        super().__init__()
        with self.name_scope():
            self.conv1 = conv3x3(in_channels, channels, stride)
            self.bn1 = nn.BatchNorm(in_channels=channels)
            self.relu = nn.Activation('relu')
            self.conv2 = conv3x3(channels, channels, 1)
            self.bn2 = nn.BatchNorm(gamma_initializer='zeros' if zero_gamma else 'ones', in_channels=channels)
            self.shortcut = sequential() if stride == 1 else _shortcut(shortcut, in_channels, channels)

    def hybrid_forward(self, F, x):
        # The shortcut first: in the other order optimize_for(backend='MKLDNN') would mix up convolutions.
        x = self.shortcut(x) + self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return F.Activation(x, act_type='relu')


class CIFARResNet(HybridBlock):
    """A residual network of three stages, of 16, 32 and 64 channels.

    Inputs: (N, 3, H, W), of any size; with shortcut D at least 3 x 3. Outputs: (N, classes), raw.

    Parameters
    ----------
    depth : int
        layers with weights, shortcuts not counted: 2 more than a multiple of 6
    classes : int
    shortcut, zero_gamma, conv3x3
        see :class:`ResidualBlock`
    stem_stride : int
        of the first convolution; 2 is an addition, for pictures of 64 pixels and more

    Attributes
    ----------
    stages : HybridSequential
        three, at strides 1, 2 and 4 times `stem_stride`, of :class:`ResidualBlock`
    mean, std : tuple of float
        of CIFAR-10's RGB values 0..255, as the public code rounds them: ``(rgb - mean) / std``
    """

    input_size = 32
    mean = (.491 * 255, .482 * 255, .447 * 255)
    std = (.247 * 255, .243 * 255, .262 * 255)

    def __init__(self, depth, classes=10, shortcut='A', zero_gamma=False, conv3x3=_conv3x3, stem_stride=1):
        super().__init__()
        check('stem_stride', stem_stride, STRIDE)
        if depth < 8 or depth % 6 != 2:
            raise ValueError(f'depth: must be 2 more than a multiple of 6: {depth}')
        self.classes = classes
        in_channels = CHANNELS[0]
        with self.name_scope():
            self.stem = conv_bn(3, in_channels, 3, stem_stride, weight_initializer=_he())
            self.stages = sequential()
            for channels in CHANNELS:
                blocks = [ResidualBlock(in_channels, channels, channels // in_channels, shortcut, zero_gamma, conv3x3)]
                blocks += [ResidualBlock(channels, channels, 1, shortcut, zero_gamma, conv3x3)
                           for _ in range(1, depth // 6)]
                self.stages.add(sequential(*blocks))
                in_channels = channels
            self.output = dense(in_channels, classes)

    def hybrid_forward(self, F, x):
        # On a CPU, GlobalAvgPool2D would return a gradient in a memory layout that slows down the whole last stage.
        return self.output(F.contrib.AdaptiveAvgPooling2D(self.stages(self.stem(x)), output_size=1))


def _plain(depth):
    """The registered constructor of a depth, with shortcuts A or B."""
    @MODELS.register(f'cifar_resnet{depth}')
    def constructor(classes: COUNT = 10, shortcut: A_OR_B = 'A', zero_gamma=False, stem_stride: STRIDE = 1):
        check('shortcut', shortcut, A_OR_B)
        return CIFARResNet(depth, classes, shortcut, zero_gamma, stem_stride=stem_stride)
    return constructor


def _averaging(depth):
    """The registered constructor of a depth, with shortcuts D."""
    @MODELS.register(f'cifar_resnet{depth}d')
    def constructor(classes: COUNT = 10, zero_gamma=False):
        return CIFARResNet(depth, classes, 'D', zero_gamma)
    return constructor


cifar_resnet20, cifar_resnet32, cifar_resnet44, cifar_resnet56, cifar_resnet110 = map(_plain, (20, 32, 44, 56, 110))
cifar_resnet20d, cifar_resnet32d, cifar_resnet44d, cifar_resnet56d, cifar_resnet110d = map(_averaging,
                                                                                         (20, 32, 44, 56, 110))


@MODELS.register
def cifar_resnet32_sk(classes: COUNT = 10, zero_gamma=False, hidden_norm=False):
    """:class:`CIFARResNet` of depth 32 with shortcuts B, and selective kernels for its 3x3 convolutions.

    `hidden_norm`: see :class:`gluonzoo.nn.selective_kernel.SelectiveKernel`.
    """
    return CIFARResNet(32, classes, 'B', zero_gamma, _selective(hidden_norm))
