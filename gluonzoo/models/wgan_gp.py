"""WGAN-GP's networks for CIFAR: convolutions of 5x5 and stride 2, in the generator transposed ones.

Paper: "Improved Training of Wasserstein GANs" (Gulrajani et al., NeurIPS 2017, https://arxiv.org/abs/1704.00028).
Official code: github.com/igul222/improved_wgan_training, gan_cifar.py, in TensorFlow.

================= ========= ========= ==========================
network           width 64  width 128 trained numbers, 32 pixels
================= ========= ========= ==========================
wgan_gp_generator 1,565,955 5,179,907 batch normalisation
wgan_gp_critic    1,033,345 4,114,689 no normalisation
================= ========= ========= ==========================

The code uses a width of 128 and says that it overfits; 64 is the default here.

Generator: noise (N, noise) -> pictures (N, channels, size, size), -1..1. Critic: such pictures -> raw scores (N, 1).

Weights start uniform, with the variance that :class:`gluonzoo.nn.fan_uniform.FanUniform` has, and biases at 0. Every
convolution has a bias. A critic with batch normalisation has no gradient penalty, since a score then depends on the
other pictures of the batch; the code uses such a one for DCGAN and for WGAN with clipping.

Deviations:

1. TensorFlow pads by 1 in front and 2 behind, these networks the other way round, which takes no operator of its own.
   They are each other's mirror images: with all kernels turned by 180 degrees, these make the same of a turned picture.
2. Batch normalisation has running statistics, which prediction uses. The code has none, and takes those of the batch.
3. Sizes other than 32 have more or fewer layers, in the same form. The code's networks of 64 pixels, DCGANGenerator and
   DCGANDiscriminator in gan_64x64.py, start with weights of standard deviation 0.02 instead, and share a gamma of the
   first normalisation among the pixels of a channel.
4. 'layer' and 'group' are kinds of normalisation that the paper suggests for critics; see
   :mod:`gluonzoo.nn.map_norm`. They stand where the code's batch normalisation does.
"""
from mxnet.gluon import HybridBlock, nn

from ..nn.conv import sequential
from ..nn.fan_uniform import FanUniform
from ..nn.map_norm import norm_of
from ..nn.one_channel import OneChannelDeconv
from ..nn.unflatten import Unflatten
from ..registry import MODELS
from ..values import COUNT, check, power_of_two

__all__ = ['WGANGPCritic', 'WGANGPGenerator', 'wgan_gp_critic', 'wgan_gp_generator']

SIDE = 4   # of the map that noise becomes, and that a score is made of
SIZE = power_of_two(16, 256)
KERNEL, STRIDE, PADDING = 5, 2, 2
SLOPE = .2


def dense(in_units, units):
    return nn.Dense(units, in_units=in_units, weight_initializer=FanUniform(2))


def conv(in_channels, channels):
    """Halves the size."""
    return nn.Conv2D(channels, KERNEL, STRIDE, PADDING, in_channels=in_channels,
                     weight_initializer=FanUniform(4, STRIDE))


def deconv(in_channels, channels):
    """Doubles the size."""
    options = {'in_channels': in_channels, 'weight_initializer': FanUniform(4, STRIDE)}
    if channels == 1:   # where MXNet's own cannot learn
        return OneChannelDeconv(KERNEL, **options)
    return nn.Conv2DTranspose(channels, KERNEL, STRIDE, PADDING, 1, **options)


class WGANGPGenerator(HybridBlock):
    """Makes a map of 4x4 from noise, and doubles its size until it is a picture.

    Inputs: (N, noise). Outputs: (N, channels, size, size), -1..1.

    Parameters
    ----------
    size : int
        a power of 2
    channels : int
        of the pictures
    width : int
        channels of the last map before the picture, which has half its size; each smaller map has twice as many
    noise : int
    norm : str
        'batch' or 'none'. The first normalisation has a gamma for each pixel of a channel, the others one a channel.

    Attributes
    ----------
    noise, image_size, channels : int
    """

    def __init__(self, size=32, channels=3, width=64, noise=128, norm='batch'):
        super().__init__()
        if norm not in ('batch', 'none'):
            raise ValueError(f"norm: must be 'batch' or 'none': {norm!r}")
        check('size', size, SIZE)
        self.noise, self.image_size, self.channels = noise, size, channels
        wide = width * size // (2 * SIDE)
        units = wide * SIDE * SIDE
        with self.name_scope():
            self.body = sequential(dense(noise, units), *norm_of(norm, units), nn.Activation('relu'),
                                   Unflatten(wide, SIDE))
            while wide > width:
                self.body.add(deconv(wide, wide // 2), *norm_of(norm, wide // 2), nn.Activation('relu'))
                wide //= 2
            self.body.add(deconv(width, channels), nn.Activation('tanh'))

    def hybrid_forward(self, F, x):
        return self.body(x)


class WGANGPCritic(HybridBlock):
    """Halves a picture's size until it is a map of 4x4, and makes a score of that.

    Inputs: (N, channels, size, size). Outputs: (N, 1), raw.

    Parameters
    ----------
    size : int
        a power of 2
    channels : int
        of the pictures
    width : int
        channels of the first map, which has half the picture's size; each smaller map has twice as many
    norm : str
        'none', 'layer', 'group' or 'batch', of all maps but the first

    Attributes
    ----------
    image_size, channels : int
    """

    def __init__(self, size=32, channels=3, width=64, norm='none'):
        super().__init__()
        check('size', size, SIZE)
        self.image_size, self.channels = size, channels
        side = size // 2
        with self.name_scope():
            self.body = sequential(conv(channels, width), nn.LeakyReLU(SLOPE))
            while side > SIDE:
                side //= 2
                self.body.add(conv(width, 2 * width), *norm_of(norm, 2 * width, side), nn.LeakyReLU(SLOPE))
                width *= 2
            self.body.add(dense(width * SIDE * SIDE, 1))

    def hybrid_forward(self, F, x):
        return self.body(x)


@MODELS.register
def wgan_gp_generator(size: SIZE = 32, channels: COUNT = 3, width: COUNT = 64, noise: COUNT = 128, norm='batch'):
    """:class:`WGANGPGenerator`, the generator of WGAN-GP for CIFAR; `norm` is 'batch' or 'none'."""
    return WGANGPGenerator(size, channels, width, noise, norm)


@MODELS.register
def wgan_gp_critic(size: SIZE = 32, channels: COUNT = 3, width: COUNT = 64, norm='none'):
    """:class:`WGANGPCritic`, the critic of WGAN-GP for CIFAR; `norm` is 'none', 'layer', 'group' or 'batch'."""
    return WGANGPCritic(size, channels, width, norm)
