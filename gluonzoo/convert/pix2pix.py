"""The names of the official pix2pix and CycleGAN weights, and ours.

Of github.com/junyanz/pytorch-CycleGAN-and-pix2pix, models/networks.py: ``latest_net_G.pth`` is a generator and
``latest_net_D.pth`` a discriminator. There a layer that is left out, such as the normalisation with norm 'none', still
has a number. Dropout in a residual block has a number only where it is used.
"""
import re

from mxnet.gluon import nn

from .name_map import NameMap

__all__ = ['unet', 'resnet_generator', 'patchgan', 'pixelgan']


def unet(net):
    """The map for a :class:`UNet`. In the official code, each level is the middle of the next outer level."""
    layers = {}
    innermost = len(net.encoder) - 1
    for level in range(innermost + 1):
        prefix = 'model.model.' + ('1.model.' + '3.model.' * (level - 1) if level else '')
        down, up = f'encoder.{level}', f'decoder.{innermost - level}'
        if level == 0:   # begins without a ReLU
            places = {f'{down}.0': 0, f'{up}.1': 3}
        elif level < innermost:
            places = {f'{down}.1': 1, f'{down}.2': 2, f'{up}.1': 5, f'{up}.2': 6}
        else:
            places = {f'{down}.1': 1, f'{up}.1': 3, f'{up}.2': 4}
        layers.update({ours: f'{prefix}{number}' for ours, number in places.items()})
    return _name_map(net, layers)


def resnet_generator(net):
    """The map for a :class:`ResNetGenerator`, which is one sequence in the official code."""
    blocks = len(net.blocks)
    places = {'stem.1': 1, 'halvings.0.0': 4, 'halvings.1.0': 7, 'doublings.0.0': 10 + blocks,
              'doublings.1.0': 13 + blocks, 'output.1': 17 + blocks}
    layers = {}
    for ours, number in places.items():
        layers.update(_convolution(ours, f'model.{number}'))
    for i, block in enumerate(net.blocks):
        dropout = any(isinstance(layer, nn.Dropout) for layer in block.body)
        for place, number in zip(_convolutions(block.body), (1, 6 if dropout else 5)):
            layers.update(_convolution(f'blocks.{i}.body.{place}', f'model.{10 + i}.conv_block.{number}'))
    return _name_map(net, layers)


def patchgan(net):
    """The map for a :class:`PatchGAN`."""
    places = _convolutions(net.body)
    layers = {}
    for place, number in zip(places, [0, *range(2, 3 * len(places) - 3, 3)]):
        layers.update(_convolution(f'body.{place}', f'model.{number}'))
    return _name_map(net, layers)


def pixelgan(net):
    """The map for a :class:`PixelGAN`."""
    layers = {}
    for place, number in zip(_convolutions(net.body), (0, 2, 5)):
        layers.update(_convolution(f'body.{place}', f'net.{number}'))
    return _name_map(net, layers)


def _name_map(net, layers):
    """The map of whole layers: a dict of our path -> the official one."""
    rules = [(rf'^{re.escape(ours)}\.', f'{official}.') for ours, official in layers.items()]
    # Instance normalisation kept running statistics, and did not use them, before PyTorch 0.4.
    keeps = any(name.endswith('.running_mean') for name in net._collect_params_with_prefix())
    return NameMap(rules, unused=[] if keeps else [r'.*\.running_(mean|var)'])


def _convolution(ours, official):
    """The paths of a convolution, and of the normalisation that may follow it."""
    return {ours: official, _next(ours): _next(official)}


def _next(path):
    front, _, place = path.rpartition('.')
    return f'{front}.{int(place) + 1}'


def _convolutions(layers):
    return [i for i, layer in enumerate(layers) if isinstance(layer, (nn.Conv2D, nn.Conv2DTranspose))]
