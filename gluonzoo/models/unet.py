"""U-Net as pix2pix has it: a generator that turns an image into another one of its size, with a skip at every scale.

Paper: "Image-to-Image Translation with Conditional Adversarial Networks" (Isola et al., CVPR 2017,
https://arxiv.org/abs/1611.07004).
Official code: github.com/junyanz/pytorch-CycleGAN-and-pix2pix, models/networks.py, UnetGenerator.

======== ========== ==================================================================
network  parameters of the form
======== ========== ==================================================================
unet256  54,413,955 8 halvings, 64 channels at first, batch normalisation, 3 to 3 channels
unet128  41,828,995 7 halvings, the same else
======== ========== ==================================================================

Input: images (N, in_channels, H, W), -1..1; H and W are multiples of 256 for unet256, of 128 for unet128. Output:
images (N, out_channels, H, W), -1..1.

Weights start at N(0, 0.02), biases at 0, and the gamma of batch normalisation at N(1, 0.02). The last convolution has a
bias; the others have one if the normalisation is 'instance'.

The official pix2pix tests with dropout, and with the statistics of the batch. This is not a setting of the network:
``with autograd.train_mode():`` does so, also with a hybridized or imported network. The running statistics stay as they
are, since only a backward pass changes them.

Deviation: running variances of batch normalisation are those of N numbers divided by N, in PyTorch by N - 1. With one
image of 256 x 256, PyTorch's are 4/3 as large for the 2 x 2 maps of unet256, and 1.001 times as large for 32 x 32.
"""
from mxnet.gluon import HybridBlock, nn

from ..nn.concat import are_whole_blocks, concat
from ..nn.conv import sequential
from ..nn.gan_layers import GANLayers
from ..registry import MODELS
from ..values import COUNT

__all__ = ['UNet', 'unet256', 'unet128']


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
        layers = GANLayers(norm, dropout)
        channels = [width * min(2 ** level, 8) for level in range(levels)]
        innermost = levels - 1
        self._whole_blocks = are_whole_blocks(*channels)
        with self.name_scope():
            self.encoder = sequential(sequential(layers.conv(in_channels, width, 4, 2, 1)))
            for level in range(1, levels):
                self.encoder.add(sequential(
                    layers.leaky_relu(), layers.conv(channels[level - 1], channels[level], 4, 2, 1),
                    *(layers.norm(channels[level]) if level < innermost else [])))
            self.decoder = sequential()
            for level in range(innermost, 0, -1):
                seen = channels[level] * (1 if level == innermost else 2)
                self.decoder.add(sequential(
                    layers.relu(), layers.deconv(seen, channels[level - 1], 4, 2, 1), *layers.norm(channels[level - 1]),
                    *(layers.dropout() if 4 <= level < innermost else [])))
            self.decoder.add(sequential(
                layers.relu(), layers.deconv(2 * width, out_channels, 4, 2, 1, bias=True), nn.Activation('tanh')))

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


@MODELS.register
def unet256(in_channels: COUNT = 3, out_channels: COUNT = 3, width: COUNT = 64, norm='batch', dropout=.5):
    """:class:`UNet` of 8 levels, for images of 256x256: the generator of pix2pix."""
    return UNet(8, in_channels, out_channels, width, norm, dropout)


@MODELS.register
def unet128(in_channels: COUNT = 3, out_channels: COUNT = 3, width: COUNT = 64, norm='batch', dropout=.5):
    """:class:`UNet` of 7 levels, for images of 128x128."""
    return UNet(7, in_channels, out_channels, width, norm, dropout)
