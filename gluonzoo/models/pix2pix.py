"""pix2pix and CycleGAN: the generators and discriminators of image-to-image translation.

Papers: "Image-to-Image Translation with Conditional Adversarial Networks" (Isola et al., CVPR 2017,
https://arxiv.org/abs/1611.07004); "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks"
(Zhu et al., ICCV 2017, https://arxiv.org/abs/1703.10593).
Official code: github.com/junyanz/pytorch-CycleGAN-and-pix2pix, models/networks.py.

============== ========== =============================================================
network        parameters of the form
============== ========== =============================================================
unet256        54,413,955 batch normalisation, 3 to 3 channels
unet128        41,828,995 batch normalisation, 3 to 3 channels
resnet_9blocks 11,378,179 instance normalisation, 3 to 3 channels
resnet_6blocks  7,837,699 instance normalisation, 3 to 3 channels
patchgan        2,768,705 batch normalisation, 6 channels: a score judges 70x70 pixels
pixelgan            9,024 batch normalisation, 6 channels: a score judges one pixel
============== ========== =============================================================

A generator maps images (N, in_channels, H, W) to images (N, out_channels, H, W), both in -1..1. H and W are multiples
of 256 for unet256, of 128 for unet128 and of 4 for the others. A discriminator maps images to raw scores, (N, 1, rows,
columns); that of pix2pix sees the generator's input and output one after the other along the channels.

Weights start at N(0, 0.02), biases at 0, and the gamma of batch normalisation at N(1, 0.02). As in the official code,
every convolution has a bias if the normalisation is 'instance', and otherwise only the last one of a generator, the
first and the last one of patchgan, and the first one of pixelgan.

The official pix2pix tests with dropout, and with the statistics of the batch at hand. That is not a setting of the
network: it is what ``with autograd.train_mode():`` does, also to a hybridized or imported network. It leaves the
running statistics as they are, which change in a backward pass alone.

No deviations.
"""
from mxnet import initializer, random
from mxnet.gluon import HybridBlock, nn

from ..nn.concat import are_whole_blocks, concat
from ..nn.conv import sequential
from ..nn.instance_norm import InstanceNorm
from ..nn.one_channel import OneChannelConv, OneChannelDeconv
from ..registry import MODELS

__all__ = ['UNet', 'ResNetGenerator', 'PatchGAN', 'PixelGAN',
           'unet256', 'unet128', 'resnet_9blocks', 'resnet_6blocks', 'patchgan', 'pixelgan']


@initializer.register
class NormalAroundOne(initializer.Initializer):
    """Fills an array with samples of N(1, `sigma`)."""

    def __init__(self, sigma=.02):
        super().__init__(sigma=sigma)
        self.sigma = sigma

    def _init_weight(self, _, array):
        random.normal(1, self.sigma, out=array)


# -- layers ----------------------------------------------------------------------------------------------------------

class Layers:
    """Makes the layers of one network, all with the same kind of normalisation and probability of dropout.

    Its convolutions have a bias if `norm` is 'instance', or if `bias` is True.
    """

    def __init__(self, norm, dropout=0):
        if norm not in ('batch', 'instance', 'none'):
            raise ValueError(f"norm: must be 'batch', 'instance' or 'none': {norm!r}")
        if not 0 <= dropout < 1:
            raise ValueError(f'dropout: must be at least 0 and less than 1: {dropout!r}')
        self._norm, self._dropout = norm, dropout

    def conv(self, in_channels, channels, kernel, stride=1, padding=0, bias=False):
        options = self._options(in_channels, bias)
        if channels == stride == 1 and 1 < kernel ** 2 < in_channels:   # fewer taps than channels: it is worth it
            return OneChannelConv(kernel, padding, **options)
        return nn.Conv2D(channels, kernel, stride, padding, **options)

    def deconv(self, in_channels, channels, kernel, stride, padding, output_padding=0, bias=False):
        options = self._options(in_channels, bias)
        if (channels, kernel, stride, padding, output_padding) == (1, 4, 2, 1, 0):
            return OneChannelDeconv(**options)
        return nn.Conv2DTranspose(channels, kernel, stride, padding, output_padding, **options)

    def _options(self, in_channels, bias):
        return {'in_channels': in_channels, 'use_bias': bias or self._norm == 'instance',
                'weight_initializer': initializer.Normal(.02)}

    def norm(self, channels):
        """A list of one layer, or of none."""
        if self._norm == 'batch':
            return [nn.BatchNorm(in_channels=channels, gamma_initializer=NormalAroundOne())]
        return [InstanceNorm()] if self._norm == 'instance' else []

    def dropout(self):
        """A list of one layer, or of none."""
        return [nn.Dropout(self._dropout)] if self._dropout else []


def _relu():
    return nn.Activation('relu')


def _leaky_relu():
    return nn.LeakyReLU(.2)


# -- generators ------------------------------------------------------------------------------------------------------

class UNet(HybridBlock):
    """An encoder that halves the image `levels` times, and a decoder that sees the encoder's map of each size again.

    Inputs: (N, in_channels, H, W), H and W multiples of 2 ** levels. Outputs: (N, out_channels, H, W), -1..1.

    Parameters
    ----------
    levels : int
        at least 5; at 8, an image of 256x256 becomes one of 1x1 with 512 channels
    in_channels, out_channels : int
    width : int
        channels of the first level; they double at each further level, up to 8 times as many
    norm : str
        'batch', 'instance' or 'none'; the first and the last level of the encoder, and the output, have none
    dropout : float
        probability, in the decoder's levels of full width above the innermost: 3 of 8 levels, 2 of 7
    """

    def __init__(self, levels, in_channels=3, out_channels=3, width=64, norm='batch', dropout=.5):
        super().__init__()
        if levels < 5:
            raise ValueError(f'levels: must be at least 5: {levels!r}')
        layers = Layers(norm, dropout)
        channels = [width * min(2 ** level, 8) for level in range(levels)]
        innermost = levels - 1
        self._whole_blocks = are_whole_blocks(*channels)
        with self.name_scope():
            self.encoder = sequential(sequential(layers.conv(in_channels, width, 4, 2, 1)))
            for level in range(1, levels):
                self.encoder.add(sequential(
                    _leaky_relu(), layers.conv(channels[level - 1], channels[level], 4, 2, 1),
                    *(layers.norm(channels[level]) if level < innermost else [])))
            self.decoder = sequential()
            for level in range(innermost, 0, -1):
                seen = channels[level] * (1 if level == innermost else 2)
                self.decoder.add(sequential(
                    _relu(), layers.deconv(seen, channels[level - 1], 4, 2, 1), *layers.norm(channels[level - 1]),
                    *(layers.dropout() if 4 <= level < innermost else [])))
            self.decoder.add(sequential(
                _relu(), layers.deconv(2 * width, out_channels, 4, 2, 1, bias=True), nn.Activation('tanh')))

    def hybrid_forward(self, F, x):
        maps = []
        for level in self.encoder:
            x = level(x)
            maps.append(x)
        x = maps.pop()
        for i, level in enumerate(self.decoder):
            if i:
                x = concat(F, maps.pop(), x, whole_blocks=self._whole_blocks)   # [N, C, H, W] twice -> [N, 2 * C, H, W]
            x = level(x)
        return x


class ResidualBlock(HybridBlock):
    """Adds two convolutions of 3x3, which see the image mirrored at its edges, to their input. Keeps (N, C, H, W)."""

    def __init__(self, layers, channels):
        super().__init__()
        with self.name_scope():
            self.body = sequential(
                nn.ReflectionPad2D(1), layers.conv(channels, channels, 3), *layers.norm(channels), _relu(),
                *layers.dropout(),
                nn.ReflectionPad2D(1), layers.conv(channels, channels, 3), *layers.norm(channels))

    def hybrid_forward(self, F, x):
        return x + self.body(x)


class ResNetGenerator(HybridBlock):
    """Two halvings, residual blocks at a quarter of the size, and two doublings.

    Inputs: (N, in_channels, H, W), H and W multiples of 4 and at least 8. Outputs: (N, out_channels, H, W), -1..1.

    Parameters
    ----------
    blocks : int
        how many residual blocks
    in_channels, out_channels : int
    width : int
        channels at full size; the residual blocks have 4 times as many
    norm : str
        'batch', 'instance' or 'none'
    dropout : float
        probability, between the two convolutions of each residual block
    """

    def __init__(self, blocks, in_channels=3, out_channels=3, width=64, norm='instance', dropout=0.0):
        super().__init__()
        if blocks < 1:
            raise ValueError(f'blocks: must be at least 1: {blocks!r}')
        layers = Layers(norm, dropout)
        with self.name_scope():
            self.stem = sequential(nn.ReflectionPad2D(3), layers.conv(in_channels, width, 7), *layers.norm(width),
                                   _relu())
            self.halvings = sequential(*(
                sequential(layers.conv(channels, 2 * channels, 3, 2, 1), *layers.norm(2 * channels), _relu())
                for channels in (width, 2 * width)))
            self.blocks = sequential(*(ResidualBlock(layers, 4 * width) for _ in range(blocks)))
            self.doublings = sequential(*(
                sequential(layers.deconv(2 * channels, channels, 3, 2, 1, output_padding=1), *layers.norm(channels),
                           _relu())
                for channels in (2 * width, width)))
            self.output = sequential(nn.ReflectionPad2D(3), layers.conv(width, out_channels, 7, bias=True),
                                     nn.Activation('tanh'))

    def hybrid_forward(self, F, x):
        return self.output(self.doublings(self.blocks(self.halvings(self.stem(x)))))


# -- discriminators --------------------------------------------------------------------------------------------------

class PatchGAN(HybridBlock):
    """Judges overlapping patches of the image, each by itself.

    Inputs: (N, in_channels, H, W), H and W multiples of s = 2 ** layers. Outputs: (N, 1, H / s - 2, W / s - 2), raw;
    30x30 scores for 256x256 pixels and 3 layers. With 1, 2, 3 or 4 layers a score judges 16, 34, 70 or 142 pixels
    square.

    Parameters
    ----------
    in_channels : int
        for pix2pix, the channels of the input and of the output of the generator together
    layers : int
        how many convolutions halve the image; two more follow
    width : int
        channels of the first layer; they double at each further layer, up to 8 times as many
    norm : str
        'batch', 'instance' or 'none'; the first and the last layer have none
    """

    def __init__(self, in_channels=6, layers=3, width=64, norm='batch'):
        super().__init__()
        if layers < 1:
            raise ValueError(f'layers: must be at least 1: {layers!r}')
        make = Layers(norm)
        channels = [width * min(2 ** layer, 8) for layer in range(layers + 1)]
        with self.name_scope():
            self.body = sequential(make.conv(in_channels, width, 4, 2, 1, bias=True), _leaky_relu())
            for layer in range(1, layers + 1):
                self.body.add(
                    make.conv(channels[layer - 1], channels[layer], 4, 2 if layer < layers else 1, 1),
                    *make.norm(channels[layer]), _leaky_relu())
            self.body.add(make.conv(channels[-1], 1, 4, 1, 1, bias=True))

    def hybrid_forward(self, F, x):
        return self.body(x)


class PixelGAN(HybridBlock):
    """Judges every pixel by itself.

    Inputs: (N, in_channels, H, W). Outputs: (N, 1, H, W), raw.

    Parameters
    ----------
    in_channels : int
        for pix2pix, the channels of the input and of the output of the generator together
    width : int
        channels of the first layer; the second has twice as many
    norm : str
        'batch', 'instance' or 'none', of the second layer
    """

    def __init__(self, in_channels=6, width=64, norm='batch'):
        super().__init__()
        layers = Layers(norm)
        with self.name_scope():
            self.body = sequential(
                layers.conv(in_channels, width, 1, bias=True), _leaky_relu(),
                layers.conv(width, 2 * width, 1), *layers.norm(2 * width), _leaky_relu(),
                layers.conv(2 * width, 1, 1))

    def hybrid_forward(self, F, x):
        return self.body(x)


# -- by name ---------------------------------------------------------------------------------------------------------

@MODELS.register
def unet256(in_channels=3, out_channels=3, width=64, norm='batch', dropout=.5):
    """:class:`UNet` of 8 levels, for images of 256x256: the generator of pix2pix."""
    return UNet(8, in_channels, out_channels, width, norm, dropout)


@MODELS.register
def unet128(in_channels=3, out_channels=3, width=64, norm='batch', dropout=.5):
    """:class:`UNet` of 7 levels, for images of 128x128."""
    return UNet(7, in_channels, out_channels, width, norm, dropout)


@MODELS.register
def resnet_6blocks(in_channels=3, out_channels=3, width=64, norm='instance', dropout=0.0):
    """:class:`ResNetGenerator` of 6 blocks: the generator of CycleGAN for images of 128x128."""
    return ResNetGenerator(6, in_channels, out_channels, width, norm, dropout)


@MODELS.register
def resnet_9blocks(in_channels=3, out_channels=3, width=64, norm='instance', dropout=0.0):
    """:class:`ResNetGenerator` of 9 blocks: the generator of CycleGAN for images of 256x256."""
    return ResNetGenerator(9, in_channels, out_channels, width, norm, dropout)


@MODELS.register
def patchgan(in_channels=6, layers=3, width=64, norm='batch'):
    """:class:`PatchGAN`: the discriminator of pix2pix and, with 3 channels and instance normalisation, of CycleGAN."""
    return PatchGAN(in_channels, layers, width, norm)


@MODELS.register
def pixelgan(in_channels=6, width=64, norm='batch'):
    """:class:`PixelGAN`: the discriminator of pix2pix that sees no structure, only colour."""
    return PixelGAN(in_channels, width, norm)
