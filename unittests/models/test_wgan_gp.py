"""WGAN-GP's networks for CIFAR: their sizes, layers and first weights, and what they refuse."""
import mxnet as mx
import pytest
from float32_checks import check_float32_is_float64
from mxnet.gluon import nn
from network_layers import biases, convolutions, layers
from network_size import output_shapes, parameters

from gluonzoo.nn.fan_uniform import FanUniform
from gluonzoo.nn.map_norm import MapNorm
from gluonzoo.registry import get_model


@pytest.mark.parametrize('settings, generator, critic', [
    (dict(), 1_565_955, 1_033_345),
    (dict(width=128), 5_179_907, 4_114_689),
    # Without its normalisations: a gamma and a beta for 16 * 256 numbers, 128 and 64 channels.
    (dict(norm='none'), 1_565_955 - 2 * (4096 + 128 + 64), 1_033_345),
    # One channel: 2 * 64 * 25 less, and two biases.
    (dict(channels=1), 1_565_955 - 3202, 1_033_345 - 3200),
])
def test_size(settings, generator, critic):
    made = get_model('wgan_gp_generator', **settings)
    judge = get_model('wgan_gp_critic', **settings)
    assert (parameters(made), parameters(judge)) == (generator, critic)
    channels = settings.get('channels', 3)
    assert output_shapes(made, (2, 128)) == [(2, channels, 32, 32)]
    assert output_shapes(judge, (2, channels, 32, 32)) == [(2, 1)]
    assert (made.noise, made.image_size, made.channels) == (128, 32, channels)
    assert (judge.image_size, judge.channels) == (32, channels)


@pytest.mark.parametrize('norm, more', [
    ('layer', 2 * (128 * 8 * 8 + 256 * 4 * 4)), ('group', 2 * (128 + 256)), ('batch', 2 * (128 + 256))])
def test_normalised_critics(norm, more):
    net = get_model('wgan_gp_critic', norm=norm)
    assert parameters(net) == 1_033_345 + more
    kind = 'BatchNorm' if norm == 'batch' else 'MapNorm'
    assert [type(layer).__name__ for layer in net.body] == [
        'Conv2D', 'LeakyReLU', 'Conv2D', kind, 'LeakyReLU', 'Conv2D', kind, 'LeakyReLU', 'Dense']
    assert len(layers(net, MapNorm)) == (0 if norm == 'batch' else 2)


def test_layers():
    net = get_model('wgan_gp_generator', width=2)
    assert [type(layer).__name__ for layer in net.body] == [
        'Dense', 'BatchNorm', 'Activation', 'Unflatten', 'Conv2DTranspose', 'BatchNorm', 'Activation',
        'Conv2DTranspose', 'BatchNorm', 'Activation', 'Conv2DTranspose', 'Activation']
    assert net.body[-1]._act_type == 'tanh' and biases(net) == 3 * [True]
    critic = get_model('wgan_gp_critic', width=2)
    assert convolutions(critic) == [(2, 5, 2), (4, 5, 2), (8, 5, 2)] and biases(critic) == 3 * [True]
    assert all(layer._alpha == .2 for layer in layers(critic, nn.LeakyReLU))
    assert output_shapes(get_model('wgan_gp_critic', size=64, width=2), (1, 3, 64, 64)) == [(1, 1)]
    assert output_shapes(get_model('wgan_gp_generator', size=64, width=2), (1, 128)) == [(1, 3, 64, 64)]


def test_first_weights():
    for name in ('wgan_gp_generator', 'wgan_gp_critic'):
        net = get_model(name, width=2)
        net.initialize(mx.init.One())
        for layer in layers(net, (nn.Dense, nn.Conv2D, nn.Conv2DTranspose)):
            assert type(layer.weight.init) is FanUniform
            assert (layer.weight.init.gain, layer.weight.init.stride) == (
                (2, 1) if isinstance(layer, nn.Dense) else (4, 2))
            assert not layer.bias.data().asnumpy().any() and 0 < abs(layer.weight.data().asnumpy()).max() < 1


@pytest.mark.parametrize('name, settings, shape', [
    ('wgan_gp_generator', dict(width=16), (4, 128)), ('wgan_gp_generator', dict(width=16, channels=1), (4, 128)),
    ('wgan_gp_critic', dict(width=16), (4, 3, 32, 32)),
    ('wgan_gp_critic', dict(width=16, norm='group'), (4, 3, 32, 32)),
    ('wgan_gp_critic', dict(width=6, norm='layer', channels=1), (4, 1, 32, 32))])
def test_float32(name, settings, shape):
    """Channels that fill oneDNN's blocks, and some that do not."""
    mx.random.seed(3)
    net = get_model(name, **settings)
    net.initialize()
    check_float32_is_float64(net, shape, 1e-3)


@pytest.mark.parametrize('name, settings, message', [
    ('wgan_gp_generator', dict(size=28), 'size: must be a power of 2 from 16 to 256: 28'),
    ('wgan_gp_critic', dict(size=28), 'size: must be a power of 2 from 16 to 256: 28'),
    ('wgan_gp_generator', dict(norm='layer'), "norm: must be 'batch' or 'none': 'layer'"),
    ('wgan_gp_critic', dict(norm='x'), "norm: must be one of 'none', 'layer', 'group', 'batch': 'x'")])
def test_errors(name, settings, message):
    with pytest.raises(ValueError, match=message):
        get_model(name, **settings)
