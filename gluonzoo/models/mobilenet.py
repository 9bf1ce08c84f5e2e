"""MobileNet's trunk: depthwise and pointwise convolutions in turn.

Paper: "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications" (Howard et al., 2017,
https://arxiv.org/abs/1704.04861), table 1.
Public code in Gluon: github.com/dmlc/gluon-cv, gluoncv/model_zoo/mobilenet.py.

Deviation: running variances of batch normalisation are those of N numbers divided by N.
"""
from mxnet import initializer
from mxnet.gluon import HybridBlock

from ..nn.conv import conv_bn, sequential

__all__ = ['MobileNetFeatures']

# Channels and stride of each pair, in the stages that end at strides 8, 16 and 32.
_STAGES = [[(64, 1), (128, 2), (128, 1), (256, 2), (256, 1)],
           [(512, 2), (512, 1), (512, 1), (512, 1), (512, 1), (512, 1)],
           [(1024, 2), (1024, 1)]]


def _conv(in_channels, channels, kernel=1, stride=1, groups=1):
    return conv_bn(in_channels, channels, kernel, stride, groups, weight_initializer=initializer.MSRAPrelu('in', 0))


class MobileNetFeatures(HybridBlock):
    """The trunk of MobileNet, of width 1.

    Inputs: (N, 3, H, W). Outputs: a list of three maps, (N, channels[i], ceil(H / s), ceil(W / s)) for the strides s of
    8, 16 and 32.

    Attributes
    ----------
    channels : list of int
        of the three maps
    """

    channels = [256, 512, 1024]

    def __init__(self):
        super().__init__()
        in_channels = 32
        with self.name_scope():
            self.stem = _conv(3, in_channels, 3, 2)
            self.stages = sequential()
            for rows in _STAGES:
                blocks = []
                for channels, stride in rows:
                    blocks.append(sequential(_conv(in_channels, in_channels, 3, stride, in_channels),
                                             _conv(in_channels, channels)))
                    in_channels = channels
                self.stages.add(sequential(*blocks))

    def hybrid_forward(self, F, x):
        x, maps = self.stem(x), []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps
