"""The discriminators of pix2pix and CycleGAN: many scores an image, each of a part of it.

Papers: "Image-to-Image Translation with Conditional Adversarial Networks" (Isola et al., CVPR 2017,
https://arxiv.org/abs/1611.07004); "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks"
(Zhu et al., ICCV 2017, https://arxiv.org/abs/1703.10593).
Official code: github.com/junyanz/pytorch-CycleGAN-and-pix2pix, models/networks.py, NLayerDiscriminator and
PixelDiscriminator.

======== ========== =========================================================================
network  parameters of the form
======== ========== =========================================================================
patchgan 2,768,705  3 halvings, batch normalisation, 6 channels: a score judges 70x70 pixels
pixelgan 9,024      batch normalisation, 6 channels: a score judges one pixel
======== ========== =========================================================================

Input: images (N, in_channels, H, W). For pix2pix, an input is the generator's input and the generator's output,
concatenated along the channels. Output: raw scores, (N, 1, rows, columns).

Weights start at N(0, 0.02), biases at 0, and the gamma of batch normalisation at N(1, 0.02). With instance
normalisation every convolution has a bias. Otherwise only the first and the last convolution of patchgan, and the first
one of pixelgan, have a bias.

Deviation: running variances of batch normalisation are those of N numbers divided by N, in PyTorch by N - 1: 1.001
times as large for the smallest maps, 31 x 31, of one image of 256 x 256. Trainings do not use them.
"""
from mxnet.gluon import HybridBlock

from ..nn.conv import sequential
from ..nn.gan_layers import GANLayers
from ..registry import MODELS
from ..values import COUNT, DEPTH

__all__ = ['PatchGAN', 'PixelGAN', 'patchgan', 'pixelgan']


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
        make = GANLayers(norm)
        channels = [width * min(2 ** layer, 8) for layer in range(layers + 1)]
        with self.name_scope():
            self.body = sequential(make.conv(in_channels, width, 4, 2, 1, bias=True), make.leaky_relu())
            for layer in range(1, layers + 1):
                self.body.add(
                    make.conv(channels[layer - 1], channels[layer], 4, 2 if layer < layers else 1, 1),
                    *make.norm(channels[layer]), make.leaky_relu())
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
        make = GANLayers(norm)
        with self.name_scope():
            self.body = sequential(
                make.conv(in_channels, width, 1, bias=True), make.leaky_relu(),
                make.conv(width, 2 * width, 1), *make.norm(2 * width), make.leaky_relu(),
                make.conv(2 * width, 1, 1))

    def hybrid_forward(self, F, x):
        return self.body(x)


@MODELS.register
def patchgan(in_channels: COUNT = 6, layers: DEPTH = 3, width: COUNT = 64, norm='batch'):
    """:class:`PatchGAN`: the discriminator of pix2pix and, with 3 channels and instance normalisation, of CycleGAN."""
    return PatchGAN(in_channels, layers, width, norm)


@MODELS.register
def pixelgan(in_channels: COUNT = 6, width: COUNT = 64, norm='batch'):
    """:class:`PixelGAN`: the discriminator of pix2pix that sees no structure, only colour."""
    return PixelGAN(in_channels, width, norm)
