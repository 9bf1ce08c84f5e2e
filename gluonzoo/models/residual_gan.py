"""WGAN-GP's residual networks: GoodGenerator and GoodDiscriminator of 64 pixels, and the pair for CIFAR.

Paper: "Improved Training of Wasserstein GANs" (Gulrajani et al., NeurIPS 2017, https://arxiv.org/abs/1704.00028).
Official code: github.com/igul222/improved_wgan_training, gan_64x64.py and gan_cifar_resnet.py, in TensorFlow.

==================== ========= =======================================================================
network              trained   of the form
==================== ========= =======================================================================
residual64_generator 8,540,483 width 64: 512 channels at 4 x 4 to 64 at 64 x 64, batch normalisation
residual64_critic    7,491,841 width 64, 'group': one gamma a channel
residual32_generator 1,204,483 width 128 at every size, batch normalisation
residual32_critic    1,053,825 width 128, no normalisation
==================== ========= =======================================================================

Generators: noise (N, noise) -> pictures (N, channels, size, size), -1..1. Critics: such pictures -> raw scores (N, 1).

A block is normalisation, ReLU, convolution of 3x3, twice, added to its input. A block that doubles the size repeats
pixels in front of its first convolution; one that halves it takes means behind its second. Then the shortcut has a
convolution of 1x1, as where the number of channels changes. Weights start uniform, those of 3x3 as He's and those of
shortcuts, of fully connected layers, of residual64_critic's first convolution and of residual32_generator's last one as
Glorot's (:class:`gluonzoo.nn.fan_uniform.FanUniform`); biases start at 0.

Deviations:

1. Convolutions next to a change of size run as :mod:`gluonzoo.nn.resampled_conv` has them, and shortcuts convolve the
   smaller map: the same numbers in less time. `UpsampleConv` keeps its weight in another layout.
2. Batch normalisation has running statistics, which prediction uses. The code takes those of the batch.
3. The pair for CIFAR has no classes: the code's batch normalisation has a gamma for each class, and its critic a second
   output that guesses the class, unless CONDITIONAL and ACGAN are set to False there.
"""
from mxnet.gluon import HybridBlock, nn

from ..nn.conv import sequential
from ..nn.fan_uniform import FanUniform
from ..nn.map_norm import norm_of
from ..nn.one_channel import OneChannelConv
from ..nn.resampled_conv import ConvMeanPool, UpsampleConv
from ..nn.unflatten import Unflatten
from ..registry import MODELS
from ..values import COUNT

__all__ = ['ResidualCritic', 'ResidualGenerator', 'residual32_critic', 'residual32_generator', 'residual64_critic',
           'residual64_generator']

SIDE = 4   # of the map that noise becomes
GLOROT, HE = 2, 4


def dense(in_units, units):
    return nn.Dense(units, in_units=in_units, weight_initializer=FanUniform(GLOROT))


def conv(in_channels, channels, kernel, gain=HE, bias=True):
    """Keeps the size."""
    options = {'in_channels': in_channels, 'use_bias': bias, 'weight_initializer': FanUniform(gain)}
    if channels == 1 and 1 < kernel ** 2 < in_channels:   # fewer taps than channels: it is worth it
        return OneChannelConv(kernel, kernel // 2, **options)
    return nn.Conv2D(channels, kernel, padding=kernel // 2, **options)


class Upsample(HybridBlock):
    """Every pixel four times. Inputs: (N, C, H, W). Outputs: (N, C, 2 * H, 2 * W)."""

    def hybrid_forward(self, F, x):
        return F.UpSampling(x, scale=2, sample_type='nearest')


class ResidualBlock(HybridBlock):
    """Normalisation, ReLU and convolution, twice, and a shortcut around them.

    Inputs: (N, in_channels, H, W). Outputs: (N, channels, H', W'), H' and W' as `resample` says.

    Parameters
    ----------
    in_channels, channels : int
    resample : str or None
        'up' doubles the size, 'down' halves it
    norm : str
        see :func:`gluonzoo.nn.map_norm.norm_of`
    side : int
        H and W
    first_bias : bool
        whether the first convolution has a bias
    """

    def __init__(self, in_channels, channels, resample, norm, side, first_bias):
        super().__init__()
        options = {'weight_initializer': FanUniform(HE)}
        middle = in_channels if resample == 'down' else channels
        middle_side = 2 * side if resample == 'up' else side
        with self.name_scope():
            first = (UpsampleConv(middle, in_channels=in_channels, use_bias=first_bias, **options) if resample == 'up'
                     else conv(in_channels, middle, 3, bias=first_bias))
            second = (ConvMeanPool(channels, in_channels=middle, **options) if resample == 'down'
                      else conv(middle, channels, 3))
            self.body = sequential(*norm_of(norm, in_channels, side), nn.Activation('relu'), first,
                                   *norm_of(norm, middle, middle_side), nn.Activation('relu'), second)
            self.shortcut = shortcut(in_channels, channels, resample)

    def hybrid_forward(self, F, x):
        return self.shortcut(x) + self.body(x)


class FirstBlock(HybridBlock):
    """The first block of the critic for CIFAR: no normalisation, no ReLU in front, and it halves the size.

    Inputs: (N, in_channels, H, W). Outputs: (N, channels, H / 2, W / 2).
    """

    def __init__(self, in_channels, channels):
        super().__init__()
        with self.name_scope():
            self.body = sequential(
                conv(in_channels, channels, 3), nn.Activation('relu'),
                ConvMeanPool(channels, in_channels=channels, weight_initializer=FanUniform(HE)))
            self.shortcut = shortcut(in_channels, channels, 'down')

    def hybrid_forward(self, F, x):
        return self.shortcut(x) + self.body(x)


def shortcut(in_channels, channels, resample):
    """Convolves the smaller map, since a convolution of 1x1 and the resampling may change places."""
    if resample is None and in_channels == channels:
        return sequential()
    layers = [conv(in_channels, channels, 1, GLOROT)]
    if resample == 'down':
        layers.insert(0, nn.AvgPool2D(2))
    elif resample == 'up':
        layers.append(Upsample())
    return sequential(*layers)


class ResidualGenerator(HybridBlock):
    """Makes a map of 4x4 from noise, and doubles its size by residual blocks.

    Inputs: (N, noise). Outputs: (N, channels, size, size), -1..1, size = 4 * 2 ** the number of blocks.

    Parameters
    ----------
    widths : list of int
        channels of the map of 4x4, and of what each block makes
    channels : int
        of the pictures
    noise : int
    norm : str
        'batch' or 'none'
    first_bias : bool
        whether the first convolution of each block has a bias
    gain : float
        of the variance that the weights of the last convolution start with

    Attributes
    ----------
    noise, image_size, channels : int
    """

    def __init__(self, widths, channels, noise, norm, first_bias, gain):
        super().__init__()
        if norm not in ('batch', 'none'):
            raise ValueError(f"norm: must be 'batch' or 'none': {norm!r}")
        self.noise, self.image_size, self.channels = noise, SIDE * 2 ** (len(widths) - 1), channels
        with self.name_scope():
            self.body = sequential(dense(noise, widths[0] * SIDE * SIDE), Unflatten(widths[0], SIDE))
            for block, (wide, narrow) in enumerate(zip(widths, widths[1:])):
                self.body.add(ResidualBlock(wide, narrow, 'up', norm, SIDE * 2 ** block, first_bias))
            self.body.add(*norm_of(norm, widths[-1]), nn.Activation('relu'), conv(widths[-1], channels, 3, gain),
                          nn.Activation('tanh'))

    def hybrid_forward(self, F, x):
        return self.body(x)


class ResidualCritic(HybridBlock):
    """Residual blocks, and a score of what they make.

    Inputs: (N, channels, size, size). Outputs: (N, 1), raw.

    Parameters
    ----------
    layers : list of HybridBlock
        in the order of the forward pass
    size : int
    channels : int
        of the pictures

    Attributes
    ----------
    image_size, channels : int
    """

    def __init__(self, layers, size, channels):
        super().__init__()
        self.image_size, self.channels = size, channels
        with self.name_scope():
            self.body = sequential(*layers)

    def hybrid_forward(self, F, x):
        return self.body(x)


@MODELS.register
def residual64_generator(channels: COUNT = 3, width: COUNT = 64, noise: COUNT = 128, norm='batch'):
    """:class:`ResidualGenerator` of 64 pixels, GoodGenerator in the official code; `norm` is 'batch' or 'none'."""
    return ResidualGenerator([8 * width, 8 * width, 4 * width, 2 * width, width], channels, noise, norm,
                             first_bias=False, gain=HE)


@MODELS.register
def residual64_critic(channels: COUNT = 3, width: COUNT = 64, norm='group'):
    """:class:`ResidualCritic` of 64 pixels, GoodDiscriminator in the official code.

    `norm` is 'none', 'layer', 'group' or 'batch'. What the official code calls layer normalisation is 'group' here.
    """
    widths = [width, 2 * width, 4 * width, 8 * width, 8 * width]
    blocks = [ResidualBlock(narrow, wide, 'down', norm, 64 // 2 ** block, first_bias=False)
              for block, (narrow, wide) in enumerate(zip(widths, widths[1:]))]
    return ResidualCritic([conv(channels, width, 3, GLOROT), *blocks, dense(8 * width * SIDE * SIDE, 1)], 64, channels)


@MODELS.register
def residual32_generator(channels: COUNT = 3, width: COUNT = 128, noise: COUNT = 128, norm='batch'):
    """:class:`ResidualGenerator` of 32 pixels, that for CIFAR without classes; `norm` is 'batch' or 'none'."""
    return ResidualGenerator(4 * [width], channels, noise, norm, first_bias=True, gain=GLOROT)


@MODELS.register
def residual32_critic(channels: COUNT = 3, width: COUNT = 128, norm='none'):
    """:class:`ResidualCritic` of 32 pixels, that for CIFAR without classes; `norm` is 'none', 'layer', 'group' or
    'batch', of all blocks but the first.
    """
    blocks = [ResidualBlock(width, width, resample, norm, side, first_bias=True)
              for resample, side in (('down', 16), (None, 8), (None, 8))]
    return ResidualCritic([FirstBlock(channels, width), *blocks, nn.Activation('relu'), nn.GlobalAvgPool2D(),
                           dense(width, 1)], 32, channels)
