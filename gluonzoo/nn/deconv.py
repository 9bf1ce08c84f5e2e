"""The transposed convolution that MXNet cannot train on a CPU."""
from mxnet.gluon import nn

__all__ = ['OneChannelDeconv']


class OneChannelDeconv(nn.Conv2DTranspose):
    """A transposed convolution of kernel 4, stride 2 and padding 1 to one channel.

    On a CPU, MXNet 1.9.1 fails in the backward pass of its own, if the input channels are a multiple of 16: "could not
    create a primitive descriptor for a reorder primitive". So this is a convolution to the 4 pixels that each becomes.

    Inputs: (N, C, H, W). Outputs: (N, 1, 2 * H, 2 * W).
    """

    def hybrid_forward(self, F, x, weight, bias=None):
        # Of 4 taps in a line, even pixels see (3, 1) at x[m - 1] and x[m], odd ones (2, 0) at x[m] and x[m + 1].
        channels = self.weight.shape[0]
        taps = F.flip(F.flip(weight, axis=2), axis=3)
        taps = F.pad(taps, mode='constant', pad_width=(0, 0, 0, 0, 1, 1, 1, 1))
        taps = F.reshape(taps, (channels, 3, 2, 3, 2))                 # [C, 1, 6, 6] -> [C, 3, 2, 3, 2]
        taps = F.transpose(taps, (2, 4, 0, 1, 3))                      # -> [2, 2, C, 3, 3], odd first
        taps = F.flip(F.flip(taps, axis=0), axis=1)
        taps = F.reshape(taps, (4, channels, 3, 3))
        y = F.Convolution(x, taps, kernel=(3, 3), pad=(1, 1), num_filter=4, no_bias=True)
        y = F.depth_to_space(y, 2)                                     # [N, 4, H, W] -> [N, 1, 2 * H, 2 * W]
        return y if bias is None else F.broadcast_add(y, F.reshape(bias, (1, 1, 1, 1)))
