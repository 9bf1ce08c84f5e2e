"""The generator of CycleGAN: residual blocks at a quarter of the image's size.

Papers: "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks" (Zhu et al., ICCV 2017,
https://arxiv.org/abs/1703.10593), after "Perceptual Losses for Real-Time Style Transfer and Super-Resolution" (Johnson
et al., ECCV 2016, https://arxiv.org/abs/1603.08155).
Official code: github.com/junyanz/pytorch-CycleGAN-and-pix2pix, models/networks.py, ResnetGenerator.

============== ========== ================================================================
network        parameters of the form
============== ========== ================================================================
resnet_9blocks 11,378,179 64 channels at first, instance normalisation, 3 to 3 channels
resnet_6blocks 7,837,699  the same, with 6 residual blocks
============== ========== ================================================================

Input: images (N, in_channels, H, W), -1..1; H and W are multiples of 4 and at least 8. Output: images (N, out_channels,
H, W), -1..1.

Weights start at N(0, 0.02), biases at 0, and the gamma of batch normalisation at N(1, 0.02). With instance
normalisation every convolution has a bias; else only the last one.

Deviation: running variances of batch normalisation (with norm 'batch') are those of N numbers divided by N, in PyTorch
by N - 1: a difference below 0.03 % for an image of 256 x 256.
"""
from mxnet.gluon import HybridBlock, nn

from ..nn.conv import sequential
from ..nn.gan_layers import GANLayers
from ..registry import MODELS
from ..values import COUNT

__all__ = ['ResNetGenerator', 'resnet_9blocks', 'resnet_6blocks']


class ResidualBlock(HybridBlock):
    """Two convolutions of 3x3, with reflection padding, added to their input. Keeps (N, C, H, W).

    `layers` are :class:`GANLayers`; their dropout, if any, is between the two.
    """

    def __init__(self, layers, channels):
        super().__init__()
        with self.name_scope():
            self.body = sequential(
                nn.ReflectionPad2D(1), layers.conv(channels, channels, 3), *layers.norm(channels), layers.relu(),
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
        layers = GANLayers(norm, dropout)
        with self.name_scope():
            self.stem = sequential(nn.ReflectionPad2D(3), layers.conv(in_channels, width, 7), *layers.norm(width),
                                   layers.relu())
            self.halvings = sequential(*(
                sequential(layers.conv(channels, 2 * channels, 3, 2, 1), *layers.norm(2 * channels), layers.relu())
                for channels in (width, 2 * width)))
            self.blocks = sequential(*(ResidualBlock(layers, 4 * width) for _ in range(blocks)))
            self.doublings = sequential(*(
                sequential(layers.deconv(2 * channels, channels, 3, 2, 1, output_padding=1), *layers.norm(channels),
                           layers.relu())
                for channels in (2 * width, width)))
            self.output = sequential(nn.ReflectionPad2D(3), layers.conv(width, out_channels, 7, bias=True),
                                     nn.Activation('tanh'))

    def hybrid_forward(self, F, x):
        return self.output(self.doublings(self.blocks(self.halvings(self.stem(x)))))


@MODELS.register
def resnet_6blocks(in_channels: COUNT = 3, out_channels: COUNT = 3, width: COUNT = 64, norm='instance', dropout=0.0):
    """:class:`ResNetGenerator` of 6 blocks: the generator of CycleGAN for images of 128x128."""
    return ResNetGenerator(6, in_channels, out_channels, width, norm, dropout)


@MODELS.register
def resnet_9blocks(in_channels: COUNT = 3, out_channels: COUNT = 3, width: COUNT = 64, norm='instance', dropout=0.0):
    """:class:`ResNetGenerator` of 9 blocks: the generator of CycleGAN for images of 256x256."""
    return ResNetGenerator(9, in_channels, out_channels, width, norm, dropout)
