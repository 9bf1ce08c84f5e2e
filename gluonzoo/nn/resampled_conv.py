"""Convolutions of 3x3 that halve or double the size of a map by averaging or repeating pixels, in less time.

Such layers stand in the residual networks of WGAN-GP. Paper: "Improved Training of Wasserstein GANs" (Gulrajani et al.,
NeurIPS 2017, https://arxiv.org/abs/1704.00028). Official code: github.com/igul222/improved_wgan_training, ConvMeanPool
and UpsampleConv in gan_64x64.py.

There the convolution makes every pixel of the larger map. Here it has a stride of 2, and so a quarter of the
multiplications; what remains at the larger size are means of 2x2 pixels. The results are the same but for rounding,
since both are linear. On a CPU these layers take a quarter to a half of the time.
"""
from mxnet.gluon import nn

__all__ = ['ConvMeanPool', 'UpsampleConv']


class ConvMeanPool(nn.Conv2D):
    """A convolution of 3x3 and padding 1, then the means of 2x2 pixels: what PyTorch calls AvgPool2d(2).

    Inputs: (N, in_channels, H, W), H and W even. Outputs: (N, channels, H / 2, W / 2).

    Parameters
    ----------
    channels, in_channels : int
    **options
        use_bias, and the initializers: as of nn.Conv2D
    """

    def __init__(self, channels, *, in_channels, **options):
        super().__init__(channels, 3, 2, 0, in_channels=in_channels, **options)

    def hybrid_forward(self, F, x, weight, bias=None):
        # The mean at (i, j) is of the pixels there, on the right and below, for i and j from -1: [N, C, H + 1, W + 1].
        means = F.Pooling(x, kernel=(2, 2), stride=(1, 1), pad=(1, 1), pool_type='avg', count_include_pad=True)
        return super().hybrid_forward(F, means, weight, bias)


class UpsampleConv(nn.Conv2DTranspose):
    """Every pixel four times, as a square of 2x2, then a convolution of 3x3 and padding 1.

    Inputs: (N, in_channels, H, W). Outputs: (N, channels, 2 * H, 2 * W).

    The weight is that of the transposed convolution, (in_channels, channels, 3, 3): the convolution's, with its first
    two axes exchanged and its last two reversed. (On a CPU, MXNet 1.9.1 crashes in the backward pass of a transposed
    convolution whose weight is computed from another.)

    Parameters
    ----------
    channels, in_channels : int
    **options
        use_bias, and the initializers: as of nn.Conv2DTranspose
    """

    def __init__(self, channels, *, in_channels, **options):
        super().__init__(channels, 3, 2, 0, in_channels=in_channels, **options)

    def hybrid_forward(self, F, x, weight, bias=None):
        # A pixel is the sum of 2x2 pixels of the transposed convolution: four times their mean.
        y = super().hybrid_forward(F, 4 * x, weight, bias)              # [N, C, H, W] -> [N, C', 2 * H + 1, 2 * W + 1]
        return F.Pooling(y, kernel=(2, 2), stride=(1, 1), pool_type='avg')
