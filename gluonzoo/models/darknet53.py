"""Darknet-53: a residual network without pools, the backbone of YOLOv3, and a classifier.

Paper: "YOLOv3: An Incremental Improvement" (Redmon and Farhadi, 2018, https://arxiv.org/abs/1804.02767), section 2.4.
Official code: github.com/pjreddie/darknet, cfg/darknet53.cfg and cfg/yolov3.cfg.

========= ========== ====================== =====================================
network   parameters multiply-adds, 256x256 residual blocks, at strides 2 to 32
========= ========== ====================== =====================================
darknet53 41,609,928                9,285 M 1, 2, 8, 8, 4
========= ========== ====================== =====================================

Inputs: (N, 3, H, W), (RGB of 0..255 - `mean`) / `std`. Outputs: (N, classes), raw. :class:`Darknet53Features` is the
trunk alone, with its maps at strides 8, 16 and 32.

Deviations:

1. Running averages of batch normalisation have momentum 0.9, as in GluonCV. darknet's 0.99 counts its passes, of which
   it makes 4 to 16 for each update of the weights.
2. Running variances are those of N numbers divided by N, in darknet by N - 1.
3. Normalisation adds 1e-5 to the variance, as darknet does on a GPU. On a CPU, darknet adds 1e-6 to its root.
4. With ``activation='mish'`` all 52 convolutions have Mish where darknet has a leaky ReLU, as in the backbone of YOLOv4
   (https://arxiv.org/abs/2004.10934).
"""
from mxnet import initializer
from mxnet.gluon import HybridBlock, nn

from ..graph.blocks_of_channels import BLOCK
from ..nn.conv import conv, sequential
from ..nn.mish import Mish
from ..registry import MODELS
from ..values import COUNT, MOST_FLOAT, Rule, check, list_of, number, whole

__all__ = ['ACTIVATION', 'DEPTHS', 'MEAN', 'STD', 'WIDTH', 'ConvUnit', 'Residual', 'Darknet53Features', 'Darknet53',
           'darknet53', 'he', 'scaled']

_ACTIVATIONS = {'leaky': lambda: nn.LeakyReLU(.1), 'mish': Mish}
_CHANNELS = (64, 128, 256, 512, 1024)   # of the five stages

ACTIVATION = Rule("'leaky' or 'mish'", lambda value: isinstance(value, str) and value in _ACTIVATIONS)
WIDTH = number(1 / 64, 16)
DEPTHS = Rule('a list of five whole numbers from 0 to 1000',
              lambda value: list_of(whole(0, 1000), '').holds(value) and len(value) == 5)
MEAN = Rule('a list of three numbers, of red, green and blue',
            lambda value: list_of(number(-MOST_FLOAT, MOST_FLOAT), '').holds(value) and len(value) == 3)
STD = Rule('a list of three numbers above 0, of red, green and blue',
           lambda value: MEAN.holds(value) and min(value) > 0)


def he():
    """darknet's initial weights: normal, with the variance 2 / fan in."""
    return initializer.MSRAPrelu('in', 0)


def scaled(channels, width):
    """`channels` times `width`, rounded to whole blocks of 16, which oneDNN computes fastest; at least one."""
    return max(1, round(channels * width / BLOCK)) * BLOCK


class ConvUnit(HybridBlock):
    """A convolution without bias, batch normalisation, and an activation.

    Inputs: (N, in_channels, H, W). Outputs: (N, channels, ceil(H / stride), ceil(W / stride)).

    Parameters
    ----------
    activation : str
        'leaky', a ReLU with the slope 0.1 below 0; or 'mish'
    """

    def __init__(self, in_channels, channels, kernel=1, stride=1, activation='leaky'):
        super().__init__()
        with self.name_scope():
            self.conv = conv(in_channels, channels, kernel, stride, weight_initializer=he())
            self.norm = nn.BatchNorm(in_channels=channels)
            self.activation = _ACTIVATIONS[activation]()

    def hybrid_forward(self, F, x):
        return self.activation(self.norm(self.conv(x)))


class Residual(HybridBlock):
    """A 1x1 convolution to fewer channels and a 3x3 one back, added to the input; nothing follows the sum.

    Inputs and outputs: (N, channels, H, W).
    """

    def __init__(self, channels, hidden, activation='leaky'):
        super().__init__()
        with self.name_scope():
            self.reduce = ConvUnit(channels, hidden, 1, activation=activation)
            self.expand = ConvUnit(hidden, channels, 3, activation=activation)

    def hybrid_forward(self, F, x):
        return x + self.expand(self.reduce(x))


class Darknet53Features(HybridBlock):
    """The trunk of Darknet-53.

    Inputs: (N, 3, H, W). Outputs: a list of three maps, (N, channels[i], ceil(H / s), ceil(W / s)) for the strides s of
    8, 16 and 32.

    Parameters
    ----------
    width : float
        factor of all numbers of channels, which are rounded to multiples of 16
    depths : five int
        residual blocks at strides 2, 4, 8, 16 and 32
    activation : str
        see :class:`ConvUnit`

    Attributes
    ----------
    channels : list of int
        of the three maps
    """

    def __init__(self, width=1.0, depths=(1, 2, 8, 8, 4), activation='leaky'):
        super().__init__()
        for name, value, rule in (('width', width, WIDTH), ('depths', depths, DEPTHS),
                                  ('activation', activation, ACTIVATION)):
            check(name, value, rule)
        in_channels = scaled(32, width)
        self.channels = [scaled(channels, width) for channels in _CHANNELS[2:]]
        self.activation = activation
        with self.name_scope():
            self.stem = ConvUnit(3, in_channels, 3, activation=activation)
            self.stages = sequential()
            for channels, depth in zip(_CHANNELS, depths):
                channels = scaled(channels, width)
                self.stages.add(sequential(ConvUnit(in_channels, channels, 3, 2, activation),
                                           *(Residual(channels, in_channels, activation) for _ in range(depth))))
                in_channels = channels

    def hybrid_forward(self, F, x):
        x, maps = self.stem(x), []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps[2:]


class Darknet53(HybridBlock):
    """Darknet-53, the classifier.

    Inputs: (N, 3, H, W), of any size. Outputs: (N, classes), raw.

    Parameters
    ----------
    classes : int
    activation, width, depths
        see :class:`Darknet53Features`, which is the attribute `features`
    mean, std : three floats each
        how the weights want pictures: (RGB of 0..255 - mean) / std. By default as darknet: RGB of 0..1.
    """

    input_size = 256

    def __init__(self, classes=1000, activation='leaky', width=1.0, depths=(1, 2, 8, 8, 4), mean=(0, 0, 0),
                 std=(255, 255, 255)):
        super().__init__()
        check('mean', mean, MEAN)
        check('std', std, STD)
        self.classes, self.mean, self.std, self.activation = classes, tuple(mean), tuple(std), activation
        with self.name_scope():
            self.features = Darknet53Features(width, depths, activation)
            self.output = nn.Dense(classes, in_units=self.features.channels[-1], weight_initializer=he())

    def hybrid_forward(self, F, x):
        # On a CPU, GlobalAvgPool2D would return a gradient in a memory layout that slows down the whole last stage.
        return self.output(F.contrib.AdaptiveAvgPooling2D(self.features(x)[-1], output_size=1))


@MODELS.register
def darknet53(classes: COUNT = 1000, activation: ACTIVATION = 'leaky', width: WIDTH = 1.0,
              depths: DEPTHS = (1, 2, 8, 8, 4), mean: MEAN = (0, 0, 0), std: STD = (255, 255, 255)):
    """:class:`Darknet53` of 41,609,928 parameters; top-1 77.2 % on ImageNet, as its authors report."""
    return Darknet53(classes, activation, width, depths, mean, std)
