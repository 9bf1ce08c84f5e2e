"""VGG-19 with batch normalisation, the classifier for ImageNet.

Paper: "Very Deep Convolutional Networks for Large-Scale Image Recognition" (Simonyan and Zisserman, 2014,
https://arxiv.org/abs/1409.1556), configuration E; batch normalisation came later.
In PyTorch: github.com/pytorch/vision, torchvision/models/vgg.py, whose weights can be converted. In Gluon:
github.com/dmlc/gluon-cv, gluoncv/model_zoo/vgg.py, whose layers this network is made of.

======== =========== =============
network  parameters  multiply-adds
======== =========== =============
vgg19_bn 143,678,248      19,632 M
======== =========== =============

Multiply-adds are at 224 x 224.

Inputs: (N, 3, size, size), RGB, normalised with `mean` and `std`. Outputs: (N, classes), raw.

Deviations:

1. The network takes pictures of one size, as the paper's. torchvision's pools the last maps to 7 x 7 first, which
   changes nothing where the size is 224.
2. Running variances of batch normalisation are those of N numbers divided by N, in PyTorch by N - 1.
"""
from mxnet import initializer
from mxnet.gluon import HybridBlock, nn

from ..nn.conv import sequential
from ..registry import MODELS
from ..values import COUNT, MOST_PIXELS, check, whole
from .gluoncv_layers import trunk_of
from .pooled_classifier import IMAGENET_MEAN, IMAGENET_STD

__all__ = ['CHANNELS', 'VGG19BN', 'vgg19_bn_features', 'vgg19_bn']

CHANNELS = 512   # of the last maps
SIZE = whole(32, MOST_PIXELS)


def vgg19_bn_features():
    """The trunk, with the last pool. Inputs: (N, 3, H, W). Outputs: (N, CHANNELS, H // 32, W // 32)."""
    from gluoncv.model_zoo.vgg import vgg19_bn as of_gluoncv  # here: gluoncv takes long to import

    *layers, _, _, _, _ = of_gluoncv(pretrained=False).features   # less two dense layers, each with its dropout
    return trunk_of(layers, 224)


class VGG19BN(HybridBlock):
    """VGG-19 with batch normalisation.

    Inputs and outputs: see :mod:`gluonzoo.models.vgg`.

    Parameters
    ----------
    classes : int
    hidden : int
        units of the two fully connected layers before the last
    size : int
        pixels of a side of the pictures, from 32; published weights are for 224
    """

    mean, std = IMAGENET_MEAN, IMAGENET_STD

    def __init__(self, classes=1000, hidden=4096, size=224):
        super().__init__()
        check('size', size, SIZE)
        self.classes, self.input_size = classes, size
        with self.name_scope():
            self.features = vgg19_bn_features()
            self.head = sequential(_dense(CHANNELS * (size // 32) ** 2, hidden, 'relu'), nn.Dropout(.5),
                                   _dense(hidden, hidden, 'relu'), nn.Dropout(.5))
            self.output = _dense(hidden, classes)

    def hybrid_forward(self, F, x):
        return self.output(self.head(self.features(x)))


def _dense(in_units, units, activation=None):
    return nn.Dense(units, activation=activation, in_units=in_units, weight_initializer=initializer.Normal(.01))


@MODELS.register
def vgg19_bn(classes: COUNT = 1000, hidden: COUNT = 4096, size: SIZE = 224):
    """:class:`VGG19BN` of 143,678,248 parameters; top-1 74.2 % on ImageNet with torchvision's weights."""
    return VGG19BN(classes, hidden, size)
