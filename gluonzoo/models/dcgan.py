"""DCGAN: a generator of transposed convolutions and a discriminator of strided ones; also the networks of WGAN.

Papers: "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks" (Radford et al.,
ICLR 2016, https://arxiv.org/abs/1511.06434); "Wasserstein GAN" (Arjovsky et al., 2017,
https://arxiv.org/abs/1701.07875).
Codes: github.com/martinarjovsky/WassersteinGAN, models/dcgan.py, by the authors of WGAN, which is the variant 'paper';
github.com/open-mmlab/mmagic, mmagic/models/editors/dcgan, which is the variant 'mmagic'.

=================== ========== ========== ==========================================
network             'paper'    'mmagic'   trained numbers, for RGB
=================== ========== ========== ==========================================
dcgan_generator     3,576,704  12,658,435 of 64 x 64 pixels
dcgan_discriminator 2,765,568  11,036,289 of 64 x 64 pixels
dcgan_generator     1,068,928  12,140,035 of 32 x 32 pixels
dcgan_discriminator 663,296    2,637,441  of 32 x 32 pixels
=================== ========== ========== ==========================================

Generator: noise (N, noise) -> pictures (N, channels, size, size), -1..1. Discriminator: such pictures -> raw scores
(N, 1). Without a sigmoid it is the critic of WGAN.

Convolutions start at N(0, 0.02) and biases at 0. The variants differ in four things:

======================== ====================== ==================================================================
what                     'paper'                'mmagic'
======================== ====================== ==================================================================
width                    64 channels next to    the generator has 1024 channels at 4 x 4, the discriminator 128
                         the picture            next to the picture; both as in the paper's Figure 1 at 64 pixels
first gamma of batch     N(1, 0.02)             N(0, 1): half of all channels start turned over
normalisation
slope of the leaky ReLU  0.2                    0.01, PyTorch's default
biases                   none                   where no batch normalisation follows
======================== ====================== ==================================================================

The paper asks for N(0, 0.02) of all weights and for a slope of 0.2, so the gamma and the slope of 'mmagic' are slips
that are kept for comparison.

Deviations:

1. Running variances of batch normalisation are those of N numbers divided by N, in PyTorch by N - 1.
2. WGAN's critic returns the mean score of the batch, this one the score of each picture.
3. MMagic's discriminator of 128 pixels has 100 scores a picture, by a slip of its configuration; this one has one.
"""
from mxnet import initializer
from mxnet.gluon import HybridBlock, nn

from ..nn.conv import sequential
from ..nn.gan_layers import GANLayers
from ..nn.whole_map import WholeMapConv, WholeMapDeconv
from ..registry import MODELS
from ..values import COUNT, check, power_of_two, whole

__all__ = ['DCGANDiscriminator', 'DCGANGenerator', 'dcgan_discriminator', 'dcgan_generator']

SIDE = 4   # of the map that noise becomes, and that a score is made of
SIZE = power_of_two(16, 256)
EXTRA = whole(0, 100)


class PaperLayers(GANLayers):
    """The layers of one network, with batch normalisation or with none, as WGAN's authors have them."""

    bare_bias = False   # whether a convolution that no normalisation follows has a bias

    def __init__(self, norm):
        if norm not in ('batch', 'none'):
            raise ValueError(f"norm: must be 'batch' or 'none': {norm!r}")
        super().__init__(norm)

    def from_noise(self, noise, channels):
        """The first layer of a generator. Inputs: (N, noise). Outputs: (N, channels, SIDE, SIDE)."""
        return WholeMapDeconv(channels, SIDE, **self._options(noise, False))

    def to_score(self, in_channels):
        """The last layers of a discriminator. Inputs: (N, in_channels, SIDE, SIDE). Outputs: (N, 1)."""
        return [WholeMapConv(1, SIDE, **self._options(in_channels, self.bare_bias)), nn.Flatten()]


class MMagicLayers(PaperLayers):
    """The layers as MMagic has them."""

    bare_bias = True

    def norm(self, channels):
        if self._norm == 'none':
            return []
        return [nn.BatchNorm(in_channels=channels, gamma_initializer=initializer.Normal(1))]

    @staticmethod
    def leaky_relu():
        return nn.LeakyReLU(.01)

    def _options(self, in_channels, bias):
        return super()._options(in_channels, bias or self._norm == 'none')


VARIANTS = {'paper': PaperLayers, 'mmagic': MMagicLayers}


class DCGANGenerator(HybridBlock):
    """Makes a map of 4x4 from noise, and doubles its size until it is a picture.

    Inputs: (N, noise). Outputs: (N, channels, size, size), -1..1.

    Parameters
    ----------
    layers : PaperLayers
    size : int
        a power of 2
    channels : int
        of the pictures
    noise : int
    width : int
        channels of the last map before the picture, which has half its size; each smaller map has twice as many
    extra_layers : int
        convolutions of 3x3 after that map

    Attributes
    ----------
    noise, image_size, channels : int
    """

    def __init__(self, layers, size, channels, noise, width, extra_layers=0):
        super().__init__()
        self.noise, self.image_size, self.channels = noise, size, channels
        wide = width * size // (2 * SIDE)
        with self.name_scope():
            self.body = sequential(layers.from_noise(noise, wide), *layers.norm(wide), layers.relu())
            while wide > width:
                self.body.add(layers.deconv(wide, wide // 2, 4, 2, 1), *layers.norm(wide // 2), layers.relu())
                wide //= 2
            for _ in range(extra_layers):
                self.body.add(layers.conv(width, width, 3, 1, 1), *layers.norm(width), layers.relu())
            self.body.add(layers.deconv(width, channels, 4, 2, 1, bias=layers.bare_bias), nn.Activation('tanh'))

    def hybrid_forward(self, F, x):
        return self.body(x)


class DCGANDiscriminator(HybridBlock):
    """Halves a picture's size until it is a map of 4x4, and makes a score of that.

    Inputs: (N, channels, size, size). Outputs: (N, 1), raw.

    Parameters
    ----------
    layers : PaperLayers
    size : int
        a power of 2
    channels : int
        of the pictures
    width : int
        channels of the first map, which has half the picture's size; each smaller map has twice as many
    extra_layers : int
        convolutions of 3x3 after that map

    Attributes
    ----------
    image_size, channels : int
    """

    def __init__(self, layers, size, channels, width, extra_layers=0):
        super().__init__()
        self.image_size, self.channels = size, channels
        widest = width * size // (2 * SIDE)
        with self.name_scope():
            self.body = sequential(layers.conv(channels, width, 4, 2, 1, bias=layers.bare_bias), layers.leaky_relu())
            for _ in range(extra_layers):
                self.body.add(layers.conv(width, width, 3, 1, 1), *layers.norm(width), layers.leaky_relu())
            while width < widest:
                self.body.add(layers.conv(width, 2 * width, 4, 2, 1), *layers.norm(2 * width), layers.leaky_relu())
                width *= 2
            self.body.add(*layers.to_score(widest))

    def hybrid_forward(self, F, x):
        return self.body(x)


@MODELS.register
def dcgan_generator(size: SIZE = 64, channels: COUNT = 3, noise: COUNT = 100, width: COUNT = None,
                    norm='batch', extra_layers: EXTRA = 0, variant='paper'):
    """:class:`DCGANGenerator`, the generator of DCGAN and WGAN.

    `norm` is 'batch' or 'none', `variant` 'paper' or 'mmagic'. `width` is that of the variant if it is None.
    """
    layers = layers_of(variant, norm)
    check('size', size, SIZE)
    return DCGANGenerator(layers, size, channels, noise,
                          width or (64 if variant == 'paper' else 2 * SIDE * 1024 // size), extra_layers)


@MODELS.register
def dcgan_discriminator(size: SIZE = 64, channels: COUNT = 3, width: COUNT = None, norm='batch',
                        extra_layers: EXTRA = 0, variant='paper'):
    """:class:`DCGANDiscriminator`, the discriminator of DCGAN and the critic of WGAN.

    `norm` is 'batch' or 'none', `variant` 'paper' or 'mmagic'. `width` is that of the variant if it is None.
    """
    layers = layers_of(variant, norm)
    check('size', size, SIZE)
    return DCGANDiscriminator(layers, size, channels, width or (64 if variant == 'paper' else 128), extra_layers)


def layers_of(variant, norm):
    """The maker of layers for a variant. ValueError for one that is not known."""
    if variant not in VARIANTS:
        raise ValueError(f"variant: must be {' or '.join(map(repr, VARIANTS))}: {variant!r}")
    return VARIANTS[variant](norm)
