"""The networks of DCGAN, WGAN and WGAN-GP beside PyTorch: with the same weights the same outputs and gradients."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd
from mxnet.gluon import nn
from network_layers import layers

from gluonzoo.convert import NAME_MAPS
from gluonzoo.nn.map_norm import MapNorm
from gluonzoo.nn.resampled_conv import UpsampleConv
from gluonzoo.registry import get_model

torch = pytest.importorskip('torch')
from torch_twins import dcgan, mlp_gan, mmagic_wgan_gp, wgan_gp  # noqa: E402
from twins import (  # noqa: E402
    check_same_state,
    compare_gradients,
    compare_outputs,
    copy_weights,
    give_weights,
    shake,
)


def tolerance_of(net):
    """In float64. MXNet computes leaky ReLUs below 0 in float32, and keeps a layer normalisation's epsilon in it."""
    return 5e-7 if layers(net, (nn.LeakyReLU, MapNorm)) else 1e-12


def input_of(net, batch=3):
    shape = (net.noise,) if hasattr(net, 'noise') else (net.channels, net.image_size, net.image_size)
    return np.random.default_rng(5).normal(size=(batch, *shape))


# -- those that have names -------------------------------------------------------------------------------------------

NARROW = {'size': 32, 'width': 6}
NAMED = {   # model, twin, settings of both, settings of ours alone
    **{f'WGAN generator {key}': ('dcgan_generator', dcgan.WGANGenerator, {**NARROW, 'noise': 7, **more}, {})
       for key, more in {'': {}, 'grey': {'channels': 1, 'width': 16}, 'with extra layers': {'extra_layers': 2},
                         'without norm': {'norm': 'none', 'extra_layers': 1}}.items()},
    **{f'WGAN critic {key}': ('dcgan_discriminator', dcgan.WGANCritic, {**NARROW, **more}, {})
       for key, more in {'': {}, 'grey': {'channels': 1}, 'with extra layers': {'extra_layers': 2},
                         'without norm': {'norm': 'none', 'extra_layers': 1}}.items()},
    **{f'MMagic generator {norm}': ('dcgan_generator', dcgan.MMagicGenerator,
                                    {**NARROW, 'noise': 7, 'norm': norm, 'channels': channels}, {'variant': 'mmagic'})
       for norm, channels in (('batch', 3), ('none', 1))},
    **{f'MMagic discriminator {norm}': ('dcgan_discriminator', dcgan.MMagicDiscriminator, {**NARROW, 'norm': norm},
                                        {'variant': 'mmagic'}) for norm in ('batch', 'none')},
    'MLP generator': ('mlp_generator', mlp_gan.Generator, {'size': 8, 'width': 12, 'noise': 5}, {}),
    'MLP generator without tanh': ('mlp_generator', mlp_gan.Generator, {'size': 8, 'width': 12, 'tanh': False}, {}),
    'MLP critic': ('mlp_critic', mlp_gan.Critic, {'size': 8, 'width': 12}, {}),
    **{f'MMagic WGAN-GP generator {norm}': ('mmagic_wgan_gp_generator', mmagic_wgan_gp.Generator,
                                            {'size': 32, 'width': 16, 'noise': 6, 'norm': norm}, {})
       for norm in ('batch', 'none')},
    **{f'MMagic WGAN-GP critic {norm}': ('mmagic_wgan_gp_critic', mmagic_wgan_gp.Critic,
                                         {'size': 32, 'width': 16, 'norm': norm}, {})
       for norm in ('none', 'layer', 'group', 'batch')},
}


def named_pair(which):
    """(our network, its name map, the twin), with the same weights, in float64; name in the twin -> our parameter."""
    model, make_twin, settings, more = NAMED[which]
    torch.manual_seed(0)
    twin, net = make_twin(**settings).double(), get_model(model, **settings, **more)
    shake(twin)
    net.initialize()
    net.cast('float64')
    names = NAME_MAPS[model](net)
    return net, names, twin, copy_weights(twin, net, names)


def unlike(found, wanted):
    return abs(found - wanted).max() / abs(wanted).max()


@pytest.mark.parametrize('hybrid', [False, True], ids=['imperative', 'hybrid'])
@pytest.mark.parametrize('which', NAMED)
def test_named_networks(which, hybrid):
    net, names, twin, weights = named_pair(which)
    if hybrid:
        net.hybridize(static_alloc=True, static_shape=True)
    x = input_of(net)
    compare_outputs(twin, net, x, tolerance=tolerance_of(net))
    check_same_state(twin, net, names)
    gradients = {name: Turned(parameter) if isinstance(layer_of(net, parameter), UpsampleConv) else parameter
                 for name, parameter in weights.items()}
    compare_gradients(twin, net, gradients, x, tolerance=100 * tolerance_of(net))


@pytest.mark.parametrize('which', NAMED)
def test_weights_go_to_the_official_code(which, tmp_path):
    model, make_twin, settings, more = NAMED[which]
    net, twin = get_model(model, **settings, **more), make_twin(**settings)
    net.initialize()
    give_weights(net, twin, NAME_MAPS[model](net), tmp_path)
    compare_outputs(twin, net, input_of(net).astype('float32'))


def layer_of(net, parameter):
    found = []
    net.apply(lambda block: found.append(block) if parameter in block._reg_params.values() else None)
    return found[0]


class Turned:
    """A parameter of an UpsampleConv, whose gradient is as that of the convolution."""

    def __init__(self, parameter):
        self._parameter = parameter

    def grad(self):
        gradient = self._parameter.grad()
        return gradient.transpose((1, 0, 2, 3)).flip(axis=2).flip(axis=3) if gradient.ndim == 4 else gradient


# -- those of TensorFlow, by the order of their layers ---------------------------------------------------------------

def turned(array):
    """By 180 degrees, the last two axes."""
    return array[..., ::-1, ::-1]


def as_is(array):
    return array


def with_pixels(axis):
    """Turns maps of 4x4 that are one axis of an array, with their channels."""
    def turn(array):
        before, after = array.shape[:axis], array.shape[axis + 1:]
        maps = array.reshape(*before, -1, 4, 4, *after)
        return np.flip(maps, (axis + 1, axis + 2)).reshape(array.shape)
    return turn


def exchanged(array):
    """A convolution's weight, as UpsampleConv has it, and back."""
    return turned(array).transpose(1, 0, 2, 3)


def same(net, layer, name):
    return exchanged if isinstance(layer, UpsampleConv) and name == 'weight' else as_is


def mirrored(net, layer, name):
    """Of the networks of gan_cifar.py: all is turned by 180 degrees."""
    if hasattr(net, 'noise') and layer in (net.body[0], net.body[1]):   # their numbers become maps of 4x4
        return with_pixels(0)
    if isinstance(layer, nn.Dense) and name == 'weight':
        return with_pixels(1)
    return turned if len(layer._reg_params[name].shape) > 2 else as_is


ORDERED = {   # model, twin, how the arrays differ, settings
    **{f'{model} {settings}': (model, make_twin, mirrored, {'width': 4, **settings})
       for model, make_twin, several in (
           ('wgan_gp_generator', wgan_gp.Generator, [
               {'noise': 6}, {'norm': 'none', 'width': 3}, {'size': 64}, {'channels': 1, 'width': 16}]),
           ('wgan_gp_critic', wgan_gp.Critic, [
               {}, {'norm': 'layer'}, {'norm': 'group', 'width': 3}, {'norm': 'batch'}, {'size': 64, 'channels': 1}]))
       for settings in several},
    **{f'{model} {settings}': (model, getattr(wgan_gp, model), same, {'width': 4, **settings})
       for model, several in {
           'residual64_generator': [{'width': 2}, {'width': 2, 'norm': 'none', 'noise': 5}],
           'residual64_critic': [{'width': 2}, {'width': 3, 'norm': 'none'}, {'width': 2, 'norm': 'layer'},
                                 {'width': 2, 'norm': 'batch', 'channels': 1}],
           'residual32_generator': [{'noise': 5}, {'norm': 'none'}, {'channels': 1, 'width': 16}],
           'residual32_critic': [{}, {'norm': 'layer'}, {'norm': 'group'}, {'norm': 'batch', 'channels': 1}],
       }.items() for settings in several},
}


@pytest.mark.parametrize('hybrid', [False, True], ids=['imperative', 'hybrid'])
@pytest.mark.parametrize('which', ORDERED)
def test_networks_of_tensorflow(which, hybrid):
    """Weights, values, and the gradients of weights and input, in training mode; values in prediction mode, too."""
    model, make_twin, how, settings = ORDERED[which]
    torch.manual_seed(0)
    twin, net = make_twin(**settings).double(), get_model(model, **settings)
    shake(twin)
    net.initialize()
    net.cast('float64')
    theirs = {name: values for name, values in twin.state_dict(keep_vars=True).items()
              if not name.endswith('num_batches_tracked')}
    pairs = []
    net.apply(lambda layer: pairs.extend((parameter, how(net, layer, name))
                                         for name, parameter in layer._reg_params.items()))
    ours = list(net._collect_params_with_prefix().values())
    changes = {id(parameter): change for parameter, change in pairs}
    assert len(ours) == len(theirs) == len(changes)
    for parameter, values in zip(ours, theirs.values()):
        values = changes[id(parameter)](values.detach().numpy())
        assert parameter.shape == values.shape
        parameter.set_data(mx.nd.array(np.ascontiguousarray(values), dtype='float64'))
    if hybrid:
        net.hybridize(static_alloc=True, static_shape=True)

    mirror = turned if how is mirrored else as_is
    mirror_x, mirror_y = (as_is, mirror) if hasattr(net, 'noise') else (mirror, as_is)
    values = input_of(net)
    twin.eval()
    with torch.no_grad():
        wanted = twin(torch.from_numpy(values)).numpy()
    x = mx.nd.array(np.ascontiguousarray(mirror_x(values)), dtype='float64')
    assert unlike(mirror_y(net(x).asnumpy()), wanted) < tolerance_of(net)
    assert wanted.std(0).max() > 1e-3 * abs(wanted).max()   # it depends on the input

    twin.train()
    their_x = torch.tensor(values, requires_grad=True)
    their_y = twin(their_x)
    head = np.random.default_rng(6).normal(size=tuple(their_y.shape))
    their_y.backward(torch.from_numpy(head))
    x.attach_grad()
    with autograd.record():
        y = net(x)
    y.backward(mx.nd.array(np.ascontiguousarray(mirror_y(head)), dtype='float64'))
    assert unlike(mirror_y(y.asnumpy()), their_y.detach().numpy()) < 10 * tolerance_of(net)
    assert unlike(mirror_x(x.grad.asnumpy()), their_x.grad.numpy()) < 100 * tolerance_of(net)
    largest = max(values.grad.abs().max().item() for values in theirs.values() if values.grad is not None)
    for parameter, (name, values) in zip(ours, theirs.items()):
        if values.grad is not None:
            found = changes[id(parameter)](parameter.grad().asnumpy())
            # That of a bias in front of a batch normalisation is rounding alone.
            error = abs(found - values.grad.numpy()).max()
            assert error < tolerance_of(net) * (100 * values.grad.abs().max().item() + largest), name
