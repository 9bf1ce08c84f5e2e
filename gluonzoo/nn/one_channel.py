"""Convolutions to one channel. On a CPU, MXNet's own is slow, and MXNet's transposed one cannot be trained."""
from mxnet.gluon import nn

__all__ = ['OneChannelConv', 'OneChannelDeconv']


class OneChannelConv(nn.Conv2D):
    """A convolution of stride 1 to one channel.

    On a CPU, oneDNN 2.4 computes such a convolution, and its gradients, more than ten times as slowly as a convolution
    to 16 channels. So this block makes two steps. A 1x1 convolution makes a channel for each tap of the kernel: every
    pixel's product with the tap. A small convolution then moves these products to their places and adds them.

    Inputs: (N, C, H, W). Outputs: (N, 1, H + 2 * padding - kernel + 1, W + 2 * padding - kernel + 1).

    Parameters
    ----------
    kernel_size, padding : int or (int, int)
    in_channels : int
        C
    **options
        use_bias, and the initializers: as of nn.Conv2D
    """

    def __init__(self, kernel_size, padding=0, *, in_channels, **options):
        super().__init__(1, kernel_size, 1, padding, in_channels=in_channels, **options)

    def hybrid_forward(self, F, x, weight, bias=None):
        _, channels, height, width = self.weight.shape
        taps = F.transpose(F.reshape(weight, (channels, height * width)))   # [1, C, h, w] -> [h * w, C]
        taps = F.reshape(taps, (height * width, channels, 1, 1))
        y = F.Convolution(x, taps, kernel=(1, 1), num_filter=height * width, no_bias=True)
        ones = F.reshape(F.ones_like(F.slice_axis(weight, axis=1, begin=0, end=1)), (-1,))   # of weight's type
        places = F.reshape(F.diag(ones), (1, height * width, height, width))   # tap i has its only 1 at place i
        y = F.Convolution(y, places, kernel=(height, width), pad=self._kwargs['pad'], num_filter=1, no_bias=True)
        return y if bias is None else F.broadcast_add(y, F.reshape(bias, (1, 1, 1, 1)))


class OneChannelDeconv(nn.Conv2DTranspose):
    """A transposed convolution to one channel that doubles the size: of kernel 4 or 5 and stride 2.

    On a CPU, MXNet 1.9.1 fails in the backward pass of its own block, if the input channels are a multiple of 16:
    "could not create a primitive descriptor for a reorder primitive". So this block is a convolution to 4 channels,
    which are the 4 output pixels of each input pixel.

    Inputs: (N, C, H, W). Outputs: (N, 1, 2 * H, 2 * W).

    Parameters
    ----------
    kernel_size : int
        4, of padding 1; or 5, of padding 2 and output padding 1
    in_channels : int
        C
    **options
        use_bias, and the initializers: as of nn.Conv2DTranspose
    """

    def __init__(self, kernel_size=4, *, in_channels, **options):
        super().__init__(1, kernel_size, 2, kernel_size - 3, kernel_size - 4, in_channels=in_channels, **options)

    def hybrid_forward(self, F, x, weight, bias=None):
        # Of 4 taps in a line, even pixels use (3, 1) at x[m - 1] and x[m], odd pixels (2, 0) at x[m] and x[m + 1].
        # Of 5, even pixels use (4, 2, 0) at x[m - 1], x[m] and x[m + 1], odd pixels (3, 1) at x[m] and x[m + 1].
        channels, _, kernel, _ = self.weight.shape
        taps = F.flip(F.flip(weight, axis=2), axis=3)
        taps = F.pad(taps, mode='constant', pad_width=(0, 0, 0, 0, 1, 5 - kernel, 1, 5 - kernel))
        taps = F.reshape(taps, (channels, 3, 2, 3, 2))                 # [C, 1, 6, 6] -> [C, 3, 2, 3, 2]
        taps = F.transpose(taps, (2, 4, 0, 1, 3))                      # -> [2, 2, C, 3, 3], odd first
        taps = F.flip(F.flip(taps, axis=0), axis=1)
        taps = F.reshape(taps, (4, channels, 3, 3))
        y = F.Convolution(x, taps, kernel=(3, 3), pad=(1, 1), num_filter=4, no_bias=True)
        y = F.depth_to_space(y, 2)                                     # [N, 4, H, W] -> [N, 1, 2 * H, 2 * W]
        return y if bias is None else F.broadcast_add(y, F.reshape(bias, (1, 1, 1, 1)))
