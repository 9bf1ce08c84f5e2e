"""The names of MMagic's weight files of WGAN-GP, and ours.

Of github.com/open-mmlab/mmagic, mmagic/models/editors/wgan_gp: a checkpoint has names that begin with 'generator.' and
with 'discriminator.'.
"""
import numpy as np
from mxnet.gluon import nn

from ..nn.map_norm import MapNorm
from ..nn.resampled_conv import UpsampleConv
from .name_map import NameMap, Transform

__all__ = ['critic', 'generator']


def _turned(kernel):
    """The weight of a convolution as a transposed convolution has it, and back."""
    return np.ascontiguousarray(kernel.transpose(1, 0, 2, 3)[:, :, ::-1, ::-1])


def generator(net):
    """The map for an :class:`MMagicWGANGPGenerator`."""
    rules = [(r'^body\.0\.product\.0\.', 'noise2feat.linear.'), (r'^body\.0\.rest\.1\.', 'noise2feat.norm.'),
             (r'^body\.0\.', 'noise2feat.')]
    transforms, block = {}, 0
    *convolutions, last = _convolutions(net)
    for place, layer in convolutions:
        if isinstance(layer, UpsampleConv):
            block += 1   # the doubling has a number of its own
            transforms[f'body.{place}.weight'] = Transform(_turned, _turned)
        rules += _convolution(place, f'conv_blocks.{block}', 'bn')
        block += 1
    return NameMap([*rules, *_convolution(last[0], 'to_rgb', None)], transforms=transforms)


def critic(net):
    """The map for an :class:`MMagicWGANGPCritic`."""
    first, *convolutions, last = _convolutions(net)
    rules = _convolution(first[0], 'from_rgb', None)
    for number, (place, _) in enumerate(convolutions):
        # After every two convolutions there is a pool, with a number of its own.
        rules += _convolution(place, f'conv_blocks.{number + number // 2}', _norm(net, place))
    rules += _convolution(last[0], 'decision.conv', _norm(net, last[0]))
    return NameMap([*rules, (rf'^body\.{len(net.body) - 1}\.', 'decision.linear.')])


def _convolutions(net):
    """(place, layer) of each in `body`."""
    return [(place, layer) for place, layer in enumerate(net.body)
            if isinstance(layer, (nn.Conv2D, nn.Conv2DTranspose))]


def _convolution(place, module, norm):
    """The rules for a convolution, and for the normalisation behind it."""
    rules = [(rf'^body\.{place}\.', f'{module}.conv.')]
    return rules + [(rf'^body\.{place + 1}\.', f'{module}.{norm}.')] if norm else rules


def _norm(net, place):
    """The name there of the normalisation behind a convolution; None if there is none."""
    norm = net.body[place + 1]
    if isinstance(norm, MapNorm):
        return 'LN2d' if len(norm.gamma.shape) == 3 else 'GN'
    return 'bn' if hasattr(norm, 'running_mean') else None
