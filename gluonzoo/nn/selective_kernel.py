"""Selective kernels: two kernels look at the same maps, and every channel chooses between their answers.

Paper: "Selective Kernel Networks" (Li et al., 2019, https://arxiv.org/abs/1903.06586), section 3.1.
Official code: github.com/implus/SKNet, models/sknet50.prototxt.
"""
from mxnet.gluon import HybridBlock

from .conv import conv, conv_bn

__all__ = ['SelectiveKernel']


class SelectiveKernel(HybridBlock):
    """A 3x3 convolution and one with dilation 2, which sees 5x5 pixels, mixed channel by channel.

    ``a * near(x) + (1 - a) * far(x)``, where a, in 0..1, has one number for each image and channel. It is a softmax
    over the two branches, computed from the means of ``near(x) + far(x)`` by two layers without bias. Each branch is
    convolution, batch normalisation and ReLU.

    Inputs: (N, in_channels, H, W). Outputs: (N, channels, ceil(H / stride), ceil(W / stride)).

    Parameters
    ----------
    in_channels, channels : int
        multiples of `groups`
    hidden : int
        units between the two layers that choose: d of the paper
    stride : int
        1 or 2
    groups : int
        of both convolutions
    hidden_norm : bool
        whether batch normalisation and ReLU stand between the two layers, as in the paper. In training on one image,
        they tell the second layer nothing of it.
    momentum : float
        of the running averages of batch normalisation
    kernel_initializer, choice_initializer : Initializer, optional
        of the weights of the two convolutions, and of those of the two layers that choose; see
        :func:`gluonzoo.nn.conv.conv` for the default

    Attributes
    ----------
    near, far, squeeze, choose : HybridBlock
        the branches and the two layers. The first half of the channels of `choose` is for `near`.
    """

    def __init__(self, in_channels, channels, hidden, stride=1, groups=32, hidden_norm=True, momentum=.9,
                 kernel_initializer=None, choice_initializer=None):
        super().__init__()
        self._channels = channels

        def branch(dilation):
            return conv_bn(in_channels, channels, 3, stride, groups, dilation=dilation, momentum=momentum,
                           weight_initializer=kernel_initializer)

        with self.name_scope():
            self.near, self.far = branch(1), branch(2)
            self.squeeze = (conv_bn(channels, hidden, momentum=momentum, weight_initializer=choice_initializer)
                            if hidden_norm else conv(channels, hidden, weight_initializer=choice_initializer))
            self.choose = conv(hidden, 2 * channels, weight_initializer=choice_initializer)

    def hybrid_forward(self, F, x):
        near, far = self.near(x), self.far(x)
        means = F.contrib.AdaptiveAvgPooling2D(near + far, output_size=1)   # [N, channels, 1, 1]
        choice = self.choose(self.squeeze(means))                           # [N, 2 * channels, 1, 1]
        for_near = F.slice_axis(choice, axis=1, begin=0, end=self._channels)
        for_far = F.slice_axis(choice, axis=1, begin=self._channels, end=None)
        share = F.sigmoid(for_near - for_far)   # the softmax of two, [N, channels, 1, 1]
        # On a CPU, with gradients, a share broadcast for each branch would take half as long again, and broadcast_mul
        # twice as long.
        return far + (near - far) * F.broadcast_like(share, near)
