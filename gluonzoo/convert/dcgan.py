"""The names of WGAN's and MMagic's weight files of DCGAN's networks and of fully connected ones, and ours.

Of github.com/martinarjovsky/WassersteinGAN, models/{dcgan,mlp}.py: ``netG_epoch_N.pth`` is a generator and
``netD_epoch_N.pth`` a critic; layers are named after their channels. Of github.com/open-mmlab/mmagic,
mmagic/models/editors/dcgan: a checkpoint has names that begin with 'generator.' and with 'discriminator.'.
"""
from mxnet.gluon import nn

from .name_map import NameMap

__all__ = ['dcgan', 'mlp_gan']


def dcgan(net):
    """The map for a :class:`DCGANGenerator` or a :class:`DCGANDiscriminator`: MMagic's names if its last layer has a
    bias, else WGAN's.
    """
    places = [i for i, layer in enumerate(net.body) if isinstance(layer, (nn.Conv2D, nn.Conv2DTranspose))]
    names = _mmagic if net.body[places[-1]].bias is not None else _wgan
    layers = {}
    for place, (convolution, norm) in zip(places, names([net.body[place] for place in places])):
        layers[place], layers[place + 1] = convolution, norm   # of the normalisation, if there is one
    return _map(layers)


def mlp_gan(net):
    """The map for an :class:`MLPGenerator` or an :class:`MLPCritic`."""
    places = [i for i, layer in enumerate(net.body) if isinstance(layer, nn.Dense)]
    return _map({place: f'main.{2 * number}' for number, place in enumerate(places)})


def _mmagic(layers):
    """For each convolution, its official name and that of the normalisation behind it."""
    for number, layer in enumerate(layers):
        if layer is layers[-1]:
            module = 'output_layer'
        elif isinstance(layer, nn.Conv2DTranspose):
            module = f'upsampling.{number - 1}' if number else 'noise2feat'
        else:
            module = f'downsamples.{number}'
        yield f'{module}.conv', f'{module}.bn'


def _wgan(layers):
    extra = 0
    for layer in layers:
        transposed = isinstance(layer, nn.Conv2DTranspose)
        seen, made = layer.weight.shape[:2] if transposed else layer.weight.shape[1::-1]
        channels, kind = f'{seen}-{made}', 'convt' if transposed else 'conv'
        if layer.weight.shape[2] == 3:
            stage, channels, extra = f'extra-layers-{extra}', made, extra + 1
        elif layer is layers[0]:
            stage = 'initial'
        else:
            stage = 'final' if layer is layers[-1] else 'pyramid'
        yield f'main.{stage}:{channels}:{kind}', f'main.{stage}:{made}:batchnorm'


def _map(layers):
    """The map of whole layers: a dict of our place in `body` -> the official name."""
    return NameMap([(rf'^body\.{place}\.', f'{official}.') for place, official in layers.items()])
