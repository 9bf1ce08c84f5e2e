"""The names of the official pix2pix and CycleGAN weights, and ours.

Of github.com/junyanz/pytorch-CycleGAN-and-pix2pix, models/networks.py: ``latest_net_G.pth`` is a generator and
``latest_net_D.pth`` a discriminator. There a layer that there is not, as with norm 'none', has a number all the same;
dropout in a residual block has one only where it is used.
"""
from mxnet.gluon import nn

from .name_map import NameMap

__all__ = ['unet', 'resnet_generator', 'patchgan', 'pixelgan']


def unet(net):
    """The map for a :class:`UNet`. In the official code, each of its levels is the middle of the one around it."""
    rules = []
    innermost = len(net.encoder) - 1
    for level in range(innermost + 1):
        prefix = 'model.model.' + ('1.model.' + '3.model.' * (level - 1) if level else '')
        down, up = f'encoder.{level}', f'decoder.{innermost - level}'
        if level == 0:   # begins without a ReLU
            places = {'0': f'{down}.0', '3': f'{up}.1'}
        elif level < innermost:
            places = {'1': f'{down}.1', '2': f'{down}.2', '5': f'{up}.1', '6': f'{up}.2'}
        else:
            places = {'1': f'{down}.1', '3': f'{up}.1', '4': f'{up}.2'}
        rules += [_layer(prefix + theirs, ours) for theirs, ours in places.items()]
    return NameMap(rules, _unused(net))


def resnet_generator(net):
    """The map for a :class:`ResNetGenerator`, which is one sequence in the official code."""
    blocks = len(net.blocks)
    places = {1: 'stem.1', 4: 'halvings.0.0', 7: 'halvings.1.0', 10 + blocks: 'doublings.0.0',
              13 + blocks: 'doublings.1.0', 17 + blocks: 'output.1'}
    rules = [rule for number, ours in places.items() for rule in _convolution('model.', number, ours)]
    for i, block in enumerate(net.blocks):
        dropout = any(isinstance(layer, nn.Dropout) for layer in block.body)
        for number, ours in zip((1, 6 if dropout else 5), _convolutions(block.body)):
            rules += _convolution(f'model.{10 + i}.conv_block.', number, f'blocks.{i}.body.{ours}')
    return NameMap(rules, _unused(net))


def patchgan(net):
    """The map for a :class:`PatchGAN`."""
    ours = _convolutions(net.body)
    theirs = [0, *range(2, 3 * len(ours) - 3, 3)]
    return NameMap([rule for number, place in zip(theirs, ours)
                    for rule in _convolution('model.', number, f'body.{place}')], _unused(net))


def pixelgan(net):
    """The map for a :class:`PixelGAN`."""
    return NameMap([rule for number, place in zip((0, 2, 5), _convolutions(net.body))
                    for rule in _convolution('net.', number, f'body.{place}')], _unused(net))


def _layer(theirs, ours):
    theirs = theirs.replace('.', r'\.')
    return rf'^{theirs}\.(\w+)$', rf'{ours}.\1'


def _convolution(prefix, number, ours):
    """The rules for a convolution and for the normalisation that may follow it."""
    path, _, place = ours.rpartition('.')
    return [_layer(f'{prefix}{number}', ours), _layer(f'{prefix}{number + 1}', f'{path}.{int(place) + 1}')]


def _convolutions(layers):
    return [i for i, layer in enumerate(layers) if isinstance(layer, (nn.Conv2D, nn.Conv2DTranspose))]


def _unused(net):
    """Instance normalisation kept running statistics, and did not use them, before PyTorch 0.4."""
    keeps = any(name.endswith('.running_mean') for name in net._collect_params_with_prefix())
    return [] if keeps else [r'.*\.running_(mean|var)']
