"""The layers of pix2pix's and CycleGAN's networks: their biases, their normalisation and their first weights.

Source: github.com/junyanz/pytorch-CycleGAN-and-pix2pix, models/networks.py (init_weights, get_norm_layer, and use_bias
in each network). The weights are those of DCGAN (Radford et al., 2016, https://arxiv.org/abs/1511.06434).
"""
from mxnet import initializer, random
from mxnet.gluon import nn

from .instance_norm import InstanceNorm
from .one_channel import OneChannelConv, OneChannelDeconv

__all__ = ['GANLayers', 'NormalAroundOne']


@initializer.register
class NormalAroundOne(initializer.Initializer):
    """Fills an array with samples of N(1, `sigma`)."""

    def __init__(self, sigma=.02):
        super().__init__(sigma=sigma)
        self.sigma = sigma

    def _init_weight(self, _, array):
        random.normal(1, self.sigma, out=array)


class GANLayers:
    """Makes the layers of one network, all with the same kind of normalisation and probability of dropout.

    Weights start at N(0, 0.02), biases at 0, and the gamma of batch normalisation at N(1, 0.02). A convolution has a
    bias if `norm` is 'instance', or if `bias` asks for one.

    Parameters
    ----------
    norm : str
        'batch'; 'instance', which has no parameters; or 'none'
    dropout : float
        probability, from 0 to less than 1

    Raises
    ------
    ValueError
        if `norm` or `dropout` is none of these
    """

    def __init__(self, norm, dropout=0):
        if norm not in ('batch', 'instance', 'none'):
            raise ValueError(f"norm: must be 'batch', 'instance' or 'none': {norm!r}")
        if not 0 <= dropout < 1:
            raise ValueError(f'dropout: must be at least 0 and less than 1: {dropout!r}')
        self._norm, self._dropout = norm, dropout

    def conv(self, in_channels, channels, kernel, stride=1, padding=0, bias=False):
        """A convolution. One to a single channel is a :class:`OneChannelConv` where this is faster.

        Inputs: (N, in_channels, H, W). Outputs: (N, channels, (H + 2 * padding - kernel) // stride + 1, W likewise).
        """
        options = self._options(in_channels, bias)
        if channels == stride == 1 and 1 < kernel ** 2 < in_channels:   # fewer taps than channels: it is worth it
            return OneChannelConv(kernel, padding, **options)
        return nn.Conv2D(channels, kernel, stride, padding, **options)

    def deconv(self, in_channels, channels, kernel, stride, padding, output_padding=0, bias=False):
        """A transposed convolution. One to a single channel is a :class:`OneChannelDeconv` where MXNet's cannot learn.

        Inputs: (N, in_channels, H, W). Outputs: (N, channels, (H - 1) * stride - 2 * padding + kernel + output_padding,
        W likewise).
        """
        options = self._options(in_channels, bias)
        if (channels, kernel, stride, padding, output_padding) == (1, 4, 2, 1, 0):
            return OneChannelDeconv(**options)
        return nn.Conv2DTranspose(channels, kernel, stride, padding, output_padding, **options)

    def norm(self, channels):
        """The normalisation: a list of one layer, or of none."""
        if self._norm == 'batch':
            return [nn.BatchNorm(in_channels=channels, gamma_initializer=NormalAroundOne())]
        return [InstanceNorm()] if self._norm == 'instance' else []

    def dropout(self):
        """A list of one layer, or of none."""
        return [nn.Dropout(self._dropout)] if self._dropout else []

    @staticmethod
    def relu():
        return nn.Activation('relu')

    @staticmethod
    def leaky_relu():
        """Of slope 0.2 below 0."""
        return nn.LeakyReLU(.2)

    def _options(self, in_channels, bias):
        return {'in_channels': in_channels, 'use_bias': bias or self._norm == 'instance',
                'weight_initializer': initializer.Normal(.02)}
