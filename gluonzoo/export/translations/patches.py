"""Images as columns of patches, and back."""
from math import prod

import numpy as np

from .base import translates


def _patches(nodes, channels):
    """The kernels that take every element of a patch by itself, and the attributes of the convolution."""
    kernel = nodes.numbers('kernel')
    one = {name: nodes.numbers(name) or default for name, default in (
        ('stride', (1,) * len(kernel)), ('dilate', (1,) * len(kernel)), ('pad', (0,) * len(kernel)))}
    weight = np.tile(np.eye(prod(kernel)).reshape(-1, 1, *kernel), (channels, *[1] * (len(kernel) + 1)))
    return nodes.constant(weight, nodes.dtype), dict(
        kernel_shape=kernel, strides=one['stride'], dilations=one['dilate'], pads=2 * one['pad'], group=channels)


@translates('im2col')
def _im2col(nodes):
    weight, attributes = _patches(nodes, nodes.shapes[0][1])
    maps = nodes.add('Conv', nodes.inputs[0], weight, **attributes)
    nodes.end('Reshape', maps, nodes.constant([0, nodes.results[0][1], -1]))


@translates('col2im')
def _col2im(nodes):
    """Patches that overlap are added."""
    size = nodes.numbers('output_size')
    weight, attributes = _patches(nodes, nodes.results[0][1])
    least = [dilate * (kernel - 1) + 1 - 2 * pad for kernel, dilate, pad in zip(
        attributes['kernel_shape'], attributes['dilations'], attributes['pads'])]
    steps = [(length - span) // stride for length, span, stride in zip(size, least, attributes['strides'])]
    left = [length - span - step * stride
            for length, span, step, stride in zip(size, least, steps, attributes['strides'])]
    maps = nodes.add('Reshape', nodes.inputs[0], nodes.constant([0, nodes.shapes[0][1], *(step + 1 for step in steps)]))
    nodes.end('ConvTranspose', maps, weight, output_padding=left, **attributes)
