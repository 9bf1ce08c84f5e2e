"""ResNet, the classifiers for ImageNet.

Paper: "Deep Residual Learning for Image Recognition" (He et al., 2015, https://arxiv.org/abs/1512.03385).
In PyTorch: github.com/pytorch/vision, torchvision/models/resnet.py, whose weights can be converted. In Gluon:
github.com/dmlc/gluon-cv, gluoncv/model_zoo/resnetv1b.py, whose layers these networks are made of.

======== ========== ============= =================================
network  parameters multiply-adds blocks, at strides 4, 8, 16 and 32
======== ========== ============= =================================
resnet34 21,797,672       3,664 M 3, 4, 6, 3 of two convolutions
resnet50 25,557,032       4,089 M 3, 4, 6, 3 of three convolutions
======== ========== ============= =================================

Multiply-adds are at 224 x 224.

Inputs: (N, 3, H, W), RGB, normalised with `mean` and `std`. Outputs: (N, classes), raw.

Deviations:

1. In a block of resnet50 that halves the size, the 3x3 convolution has the stride. In the paper the first 1x1 has it.
2. Running variances of batch normalisation are those of N numbers divided by N, in PyTorch by N - 1.
"""
from mxnet.gluon import nn

from ..registry import MODELS
from ..values import COUNT
from .gluoncv_layers import trunk_of
from .pooled_classifier import PooledClassifier

__all__ = ['CHANNELS', 'resnet_features', 'resnet34', 'resnet50']

CHANNELS = {34: 512, 50: 2048}   # of the last maps, by the number of layers


def resnet_features(depth, bias=False):
    """The trunk of a ResNet of 34 or 50 layers, in eight parts: the stem's four layers, and four stages.

    With `bias`, the 3x3 convolutions of the stages have biases. A batch normalisation follows each and takes them out.

    Inputs: (N, 3, H, W). Outputs: (N, CHANNELS[depth], ceil(H / 32), ceil(W / 32)).
    """
    from gluoncv.model_zoo import resnetv1b  # here: gluoncv takes long to import

    net = {34: resnetv1b.resnet34_v1b, 50: resnetv1b.resnet50_v1b}[depth](pretrained=False)
    if bias:
        net.apply(_add_bias)
    return trunk_of([net.conv1, net.bn1, net.relu, net.maxpool, net.layer1, net.layer2, net.layer3, net.layer4], 224)


def _add_bias(block):
    if isinstance(block, nn.Conv2D) and block._kwargs['kernel'] == (3, 3):
        block.bias = block.params.get('bias', shape=(block._channels,), init='zeros')
        block._kwargs['no_bias'] = False


def _resnet(depth, classes):
    return PooledClassifier(resnet_features(depth), CHANNELS[depth], classes)


@MODELS.register
def resnet34(classes: COUNT = 1000):
    """ResNet of 34 layers: 21,797,672 parameters; top-1 73.3 % on ImageNet with torchvision's weights."""
    return _resnet(34, classes)


@MODELS.register
def resnet50(classes: COUNT = 1000):
    """ResNet of 50 layers: 25,557,032 parameters; top-1 76.1 % on ImageNet with torchvision's first weights."""
    return _resnet(50, classes)
