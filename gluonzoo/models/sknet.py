"""SKNet: a ResNeXt whose 3x3 convolutions choose the size of their kernel, for every channel and image.

Paper: "Selective Kernel Networks" (Li et al., 2019, https://arxiv.org/abs/1903.06586).
Official code: github.com/implus/SKNet, models/sknet50.prototxt and sknet101.prototxt (Caffe).

======== ========== ============= ============= ==================== =============
network  parameters multiply-adds blocks        hidden units         top-1 error, %
======== ========== ============= ============= ==================== =============
sknet50  27,479,784       4,463 M 3, 4,  6, 3   32, 32, 32, 64       20.79
sknet101 48,686,760       8,449 M 3, 4, 23, 3   32, 16, 32, 64       20.19
======== ========== ============= ============= ==================== =============

Multiply-adds and errors are at 224 x 224, errors as the authors report them. Their files of weights are Caffe's;
nothing here reads them.

The paper has max(C / 16, 32) hidden units for a selective kernel of C channels. The prototxt of SKNet-101 has C / 16 in
its second stage; so has `sknet101`.

Inputs: (N, 3, H, W), RGB, normalised with `mean` and `std`. Outputs: (N, classes), raw.

Deviations:

1. The last pooling takes the mean of all there is. The official one takes 7 x 7, which is the same at 224 x 224.
2. Pictures are normalised as for :class:`gluonzoo.models.ghostnet.GhostNet`. The prototxt does not say how.
3. Running variances of batch normalisation are those of N numbers divided by N, in cuDNN by N - 1.
"""
from mxnet import initializer
from mxnet.gluon import HybridBlock, nn

from ..nn.conv import conv_bn, sequential
from ..nn.selective_kernel import SelectiveKernel
from ..registry import MODELS
from ..values import COUNT

__all__ = ['SKUnit', 'SKNet', 'sknet50', 'sknet101']

_MOMENTUM = .95
_CHANNELS = (128, 256, 512, 1024)   # of the selective kernels in the four stages


def _conv_bn(in_channels, channels, kernel=1, stride=1, relu=True):
    return conv_bn(in_channels, channels, kernel, stride, relu=relu, momentum=_MOMENTUM, weight_initializer=_he())


def _he():
    """Caffe's "msra": normal, with the variance 2 / fan in."""
    return initializer.MSRAPrelu('in', 0)


class SKUnit(HybridBlock):
    """1x1 to `channels`, a selective kernel, 1x1 to twice the channels, and a shortcut; a ReLU after their sum.

    Inputs: (N, in_channels, H, W). Outputs: (N, 2 * channels, ceil(H / stride), ceil(W / stride)).

    Parameters
    ----------
    in_channels, channels, hidden, stride : int
        see :class:`gluonzoo.nn.selective_kernel.SelectiveKernel`; `channels` is a multiple of 32
    """

    def __init__(self, in_channels, channels, hidden, stride=1):
        super().__init__()
        with self.name_scope():
            self.shortcut = (sequential() if stride == 1 and in_channels == 2 * channels
                             else _conv_bn(in_channels, 2 * channels, stride=stride, relu=False))
            self.reduce = _conv_bn(in_channels, channels)
            self.select = SelectiveKernel(channels, channels, hidden, stride, momentum=_MOMENTUM,
                                          kernel_initializer=_he(), choice_initializer=initializer.Normal(.01))
            self.increase = _conv_bn(channels, 2 * channels, relu=False)

    def hybrid_forward(self, F, x):
        x = self.shortcut(x) + self.increase(self.select(self.reduce(x)))
        return F.Activation(x, act_type='relu')   # on a CPU, F.relu is not oneDNN's and takes several times as long


class SKNet(HybridBlock):
    """SKNet, the classifier.

    Inputs: (N, 3, H, W), at least 5 x 5. Outputs: (N, classes), raw.

    Parameters
    ----------
    depths, hidden : four numbers each
        of units in each stage, and of hidden units in their selective kernels
    classes : int

    Attributes
    ----------
    stages : HybridSequential
        four, at strides 4, 8, 16 and 32, of :class:`SKUnit`
    """

    input_size = 224
    mean, std = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)

    def __init__(self, depths, hidden, classes=1000):
        super().__init__()
        self.classes = classes
        in_channels = 64
        with self.name_scope():
            self.stem = sequential(_conv_bn(3, in_channels, 7, stride=2), nn.MaxPool2D(3, 2, ceil_mode=True))
            self.stages = sequential()
            for stage, (depth, channels, units) in enumerate(zip(depths, _CHANNELS, hidden)):
                self.stages.add(sequential(*(
                    SKUnit(2 * channels if place else in_channels, channels, units, 2 if stage and not place else 1)
                    for place in range(depth))))
                in_channels = 2 * channels
            self.output = nn.Dense(classes, in_units=in_channels, weight_initializer=initializer.Normal(.01))

    def hybrid_forward(self, F, x):
        # On a CPU, GlobalAvgPool2D would return a gradient in a memory layout that slows down the whole last stage.
        return self.output(F.contrib.AdaptiveAvgPooling2D(self.stages(self.stem(x)), output_size=1))


@MODELS.register
def sknet50(classes: COUNT = 1000):
    """:class:`SKNet` of 50 layers: 27,479,784 parameters; top-1 79.21 % on ImageNet, as its authors report."""
    return SKNet((3, 4, 6, 3), (32, 32, 32, 64), classes)


@MODELS.register
def sknet101(classes: COUNT = 1000):
    """:class:`SKNet` of 101 layers: 48,686,760 parameters; top-1 79.81 % on ImageNet, as its authors report."""
    return SKNet((3, 4, 23, 3), (32, 16, 32, 64), classes)
