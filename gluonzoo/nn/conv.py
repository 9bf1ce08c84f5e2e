"""Convolutions with the padding and the initial weights that networks written for PyTorch expect."""
from math import sqrt

from mxnet import initializer
from mxnet.gluon import nn

from .depthwise_conv import DepthwiseConv
from .grouped_conv import GroupedConv

__all__ = ['conv', 'conv_bn', 'dense', 'sequential', 'uniform']


def conv(in_channels, channels, kernel=1, stride=1, groups=1, bias=False, bias_initializer=None, dilation=1,
         weight_initializer=None):
    """A 2-D convolution of odd `kernel`, padded such that stride 1 keeps the size and stride 2 halves it, rounded up.

    Weights and bias start uniform in +-1 / sqrt(fan in), as in PyTorch, unless an initializer is given.

    Inputs: (N, in_channels, H, W). Outputs: (N, channels, ceil(H / stride), ceil(W / stride)).
    """
    fan_in = in_channels // groups * kernel * kernel
    options = dict(strides=stride, padding=kernel // 2 * dilation, dilation=dilation, use_bias=bias,
                   weight_initializer=weight_initializer or uniform(fan_in),
                   bias_initializer=bias_initializer or uniform(fan_in))
    if groups == in_channels == channels > 1 and dilation == 1:   # a dilated one has no fast gradient in oneDNN
        return DepthwiseConv(channels, kernel, **options)
    make = nn.Conv2D if groups == 1 else GroupedConv
    return make(channels, kernel, groups=groups, in_channels=in_channels, **options)


def dense(in_units, units, bias=True):
    """A fully connected layer that starts as :func:`conv` does. Inputs: (N, in_units). Outputs: (N, units)."""
    return nn.Dense(units, use_bias=bias, in_units=in_units, weight_initializer=uniform(in_units),
                    bias_initializer=uniform(in_units))


def conv_bn(in_channels, channels, kernel=1, stride=1, groups=1, relu=True, momentum=.9, **options):
    """:func:`conv` without bias, batch normalisation and, if `relu`, a ReLU, as one block.

    `momentum` is of the running averages of the normalisation; `options` are of :func:`conv`.
    """
    layers = [conv(in_channels, channels, kernel, stride, groups, **options),
              nn.BatchNorm(momentum=momentum, in_channels=channels)]
    return sequential(*layers, nn.Activation('relu')) if relu else sequential(*layers)


def sequential(*blocks):
    """A HybridSequential of `blocks`; of none, it is the identity."""
    net = nn.HybridSequential()
    net.add(*blocks)
    return net


def uniform(fan_in):
    """Uniform in +-1 / sqrt(fan in), as PyTorch's layers start."""
    return initializer.Uniform(1 / sqrt(fan_in))
