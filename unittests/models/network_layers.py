"""What a network is made of."""
from mxnet.gluon import nn


def layers(net, kind):
    """The blocks of a kind, or of several, in the order in which the network has them."""
    found = []
    net.apply(lambda block: found.append(block) if isinstance(block, kind) else None)
    return found


def biases(net):
    """Of each convolution, whether it has a bias."""
    return [layer.bias is not None for layer in layers(net, (nn.Conv2D, nn.Conv2DTranspose))]


def convolutions(net):
    """Output channels, kernel and stride of each convolution, whose kernels are square."""
    return [(layer._channels, layer._kwargs['kernel'][0], layer._kwargs['stride'][0])
            for layer in layers(net, nn.Conv2D)]
