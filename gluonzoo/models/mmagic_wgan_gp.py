"""WGAN-GP's networks as MMagic has them: two convolutions at every size, up to 128 pixels.

Papers: "Improved Training of Wasserstein GANs" (Gulrajani et al., NeurIPS 2017, https://arxiv.org/abs/1704.00028);
"Progressive Growing of GANs for Improved Quality, Stability, and Variation" (Karras et al., ICLR 2018,
https://arxiv.org/abs/1710.10196), whose training configuration (a) they are.
Code: github.com/open-mmlab/mmagic, mmagic/models/editors/wgan_gp.

======================== ========== ========== ==================================================
network                  64 pixels  128 pixels trained numbers, for RGB
======================== ========== ========== ==================================================
mmagic_wgan_gp_generator 10,457,923 10,485,667 batch normalisation
mmagic_wgan_gp_critic    11,244,737 11,272,545 'group': a gamma a channel, as in the configurations
mmagic_wgan_gp_critic    14,123,585 17,296,929 'layer': a gamma for each number of a map
======================== ========== ========== ==================================================

Generator: noise (N, noise) -> pictures (N, channels, size, size), -1..1. Critic: such pictures -> raw scores (N, 1).

Maps of 4 and 8 pixels have 512 channels, larger ones half as many at each doubling: 32 at 128 pixels. All convolutions
have a bias. Their weights start at N(0, variance 2 / fan out) in front of a ReLU, He's way for the backward pass, those
of fully connected layers at N(0, 1), biases at 0. The first layer of the generator has its ReLU in front of its batch
normalisation.

Deviations:

1. The generator's first convolution after a doubling runs as :class:`gluonzoo.nn.resampled_conv.UpsampleConv` has it:
   the same numbers in less time, the weight in another layout.
2. MMagic's critic takes 3 channels, whatever `in_channel` is; this one takes what `channels` says.
3. Running variances of batch normalisation are those of N numbers divided by N, in PyTorch by N - 1.
"""
from math import sqrt

from mxnet import initializer
from mxnet.gluon import HybridBlock, nn

from ..nn.conv import sequential
from ..nn.map_norm import norm_of
from ..nn.resampled_conv import UpsampleConv
from ..nn.unflatten import Unflatten
from ..nn.whole_map import WholeMapConv
from ..registry import MODELS
from ..values import COUNT, check, power_of_two

__all__ = ['MMagicWGANGPCritic', 'MMagicWGANGPGenerator', 'mmagic_wgan_gp_critic', 'mmagic_wgan_gp_generator']

SIDE = 4   # of the map that noise becomes, and that a score is made of
SIZE = power_of_two(8, 256)
SLOPE = .2


def he(channels, kernel, slope=0.0):
    """How the weights of a convolution start in front of a leaky ReLU, or of a ReLU."""
    return initializer.Normal(sqrt(2 / (1 + slope ** 2) / (channels * kernel ** 2)))


def width_at(side, width):
    """The channels of a map of `side` pixels, of which the smallest have `width`."""
    return max(1, min(width, width * 8 // side))


class NoiseToMap(HybridBlock):
    """A map of 4x4 from noise: a product, a bias, a ReLU, and then the normalisation.

    Inputs: (N, noise). Outputs: (N, channels, 4, 4).
    """

    def __init__(self, noise, channels, norm):
        super().__init__()
        with self.name_scope():
            self.bias = self.params.get('bias', shape=(1, channels, 1, 1), init='zeros')
            self.product = sequential(
                nn.Dense(channels * SIDE ** 2, use_bias=False, in_units=noise,
                         weight_initializer=initializer.Normal(1)), Unflatten(channels, SIDE))
            self.rest = sequential(nn.Activation('relu'), *norm_of(norm, channels))

    def hybrid_forward(self, F, x, bias):
        return self.rest(F.broadcast_add(self.product(x), bias))


class MMagicWGANGPGenerator(HybridBlock):
    """Makes a map of 4x4 from noise, and doubles its size until it is a picture.

    Inputs: (N, noise). Outputs: (N, channels, size, size), -1..1.

    Parameters
    ----------
    size : int
        a power of 2
    channels : int
        of the pictures
    width : int
        channels of the smallest maps
    noise : int
    norm : str
        'batch' or 'none'

    Attributes
    ----------
    noise, image_size, channels : int
    """

    def __init__(self, size=128, channels=3, width=512, noise=128, norm='batch'):
        super().__init__()
        if norm not in ('batch', 'none'):
            raise ValueError(f"norm: must be 'batch' or 'none': {norm!r}")
        check('size', size, SIZE)
        self.noise, self.image_size, self.channels = noise, size, channels

        def layers(make, wide, narrow, **options):
            return [make(narrow, in_channels=wide, weight_initializer=he(narrow, 3), **options),
                    *norm_of(norm, narrow), nn.Activation('relu')]

        conv = {'make': nn.Conv2D, 'kernel_size': 3, 'padding': 1}
        side = SIDE
        with self.name_scope():
            self.body = sequential(NoiseToMap(noise, width, norm), *layers(wide=width, narrow=width, **conv))
            while side < size:
                wide, narrow = (width_at(pixels, width) for pixels in (side, 2 * side))
                self.body.add(*layers(UpsampleConv, wide, narrow), *layers(wide=narrow, narrow=narrow, **conv))
                side *= 2
            self.body.add(nn.Conv2D(channels, 1, in_channels=width_at(size, width),
                                    weight_initializer=he(channels, 1)), nn.Activation('tanh'))

    def hybrid_forward(self, F, x):
        return self.body(x)


class MMagicWGANGPCritic(HybridBlock):
    """Halves a picture's size until it is a map of 4x4, and makes a score of that.

    Inputs: (N, channels, size, size). Outputs: (N, 1), raw.

    Parameters
    ----------
    size : int
        a power of 2
    channels : int
        of the pictures
    width : int
        channels of the smallest maps
    norm : str
        'none', 'layer', 'group' or 'batch', of every convolution but the first

    Attributes
    ----------
    image_size, channels : int
    """

    def __init__(self, size=128, channels=3, width=512, norm='group'):
        super().__init__()
        check('size', size, SIZE)
        self.image_size, self.channels = size, channels

        def conv(in_channels, channels, kernel):
            return nn.Conv2D(channels, kernel, padding=kernel // 2, in_channels=in_channels,
                             weight_initializer=he(channels, kernel, SLOPE))

        side, first = size, width_at(size, width)
        with self.name_scope():
            self.body = sequential(conv(channels, first, 1), nn.LeakyReLU(SLOPE))
            while side > SIDE:
                narrow, wide = (width_at(pixels, width) for pixels in (side, side // 2))
                for made in (narrow, wide):
                    self.body.add(conv(narrow, made, 3), *norm_of(norm, made, side), nn.LeakyReLU(SLOPE))
                self.body.add(nn.AvgPool2D(2))
                side //= 2
            self.body.add(WholeMapConv(width, SIDE, in_channels=width, weight_initializer=he(width, SIDE, SLOPE)),
                          *norm_of(norm, width, 1), nn.LeakyReLU(SLOPE),
                          nn.Dense(1, in_units=width, weight_initializer=initializer.Normal(1)))

    def hybrid_forward(self, F, x):
        return self.body(x)


@MODELS.register
def mmagic_wgan_gp_generator(size: SIZE = 128, channels: COUNT = 3, width: COUNT = 512, noise: COUNT = 128,
                             norm='batch'):
    """:class:`MMagicWGANGPGenerator`, the generator of WGAN-GP in MMagic; `norm` is 'batch' or 'none'."""
    return MMagicWGANGPGenerator(size, channels, width, noise, norm)


@MODELS.register
def mmagic_wgan_gp_critic(size: SIZE = 128, channels: COUNT = 3, width: COUNT = 512, norm='group'):
    """:class:`MMagicWGANGPCritic`, the critic of WGAN-GP in MMagic; `norm` is 'none', 'layer', 'group' or 'batch'."""
    return MMagicWGANGPCritic(size, channels, width, norm)
