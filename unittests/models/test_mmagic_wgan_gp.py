"""WGAN-GP's networks of MMagic: their sizes, where their layers are, how they start, and what they refuse."""
import mxnet as mx
import pytest
from float32_checks import check_float32_is_float64
from mxnet.gluon import nn
from network_layers import layers
from network_size import output_shapes, parameters

from gluonzoo.nn.map_norm import MapNorm
from gluonzoo.registry import get_model


@pytest.mark.parametrize('settings, generator, critic', [
    (dict(), 10_485_667, 11_272_545),
    (dict(size=64), 10_457_923, 11_244_737),
    # Of the last convolution and of the first: 2 of 3 channels.
    (dict(channels=1), 10_485_667 - 2 * 33, 11_272_545 - 2 * 32),
])
def test_size(settings, generator, critic):
    made, judge = (get_model(f'mmagic_wgan_gp_{name}', **settings) for name in ('generator', 'critic'))
    assert (parameters(made), parameters(judge)) == (generator, critic)
    side, channels = settings.get('size', 128), settings.get('channels', 3)
    assert output_shapes(made, (2, 128)) == [(2, channels, side, side)]
    assert output_shapes(judge, (2, channels, side, side)) == [(2, 1)]
    assert (made.noise, made.image_size, made.channels) == (128, side, channels)
    assert (judge.image_size, judge.channels) == (side, channels)


@pytest.mark.parametrize('size, count', [(128, 17_296_929), (64, 14_123_585)])
def test_critics_with_a_gamma_for_each_number(size, count):
    assert parameters(get_model('mmagic_wgan_gp_critic', size=size, norm='layer')) == count


def test_layers():
    critic = get_model('mmagic_wgan_gp_critic', size=16, width=8)
    block = ['Conv2D', 'MapNorm', 'LeakyReLU']
    assert [type(layer).__name__ for layer in critic.body] == [
        'Conv2D', 'LeakyReLU', *2 * [*block, *block, 'AvgPool2D'], 'WholeMapConv', 'MapNorm', 'LeakyReLU', 'Dense']
    assert all(layer._alpha == .2 for layer in layers(critic, nn.LeakyReLU))
    assert [layer.weight.shape[:2] for layer in layers(critic, nn.Conv2D)] == [
        (4, 3), (4, 4), (8, 4), (8, 8), (8, 8), (8, 8)]
    assert [norm.gamma.shape for norm in layers(get_model('mmagic_wgan_gp_critic', size=16, width=8, norm='layer'),
                                                MapNorm)] == [
        (4, 16, 16), (8, 16, 16), (8, 8, 8), (8, 8, 8), (8, 1, 1)]
    generator = get_model('mmagic_wgan_gp_generator', size=16, width=8)
    first, *others = generator.body
    assert [type(layer).__name__ for layer in first.rest] == ['Activation', 'BatchNorm']   # in this order
    block = [['Conv2D', 'BatchNorm', 'Activation'], ['UpsampleConv', 'BatchNorm', 'Activation']]
    assert [type(layer).__name__ for layer in others] == [
        *block[0], *2 * [*block[1], *block[0]], 'Conv2D', 'Activation']
    assert all(layer.bias for net in (critic, generator) for layer in layers(net, (nn.Conv2D, nn.Conv2DTranspose)))


def test_first_weights():
    mx.random.seed(0)
    for name, gain in (('generator', 2), ('critic', 2 / 1.04)):
        net = get_model(f'mmagic_wgan_gp_{name}', size=32, width=32)
        net.initialize(mx.init.One())   # whatever it is initialized with
        for layer in layers(net, (nn.Conv2D, nn.Conv2DTranspose)):
            weight = layer.weight.data().asnumpy()
            channels = weight.shape[1 if isinstance(layer, nn.Conv2DTranspose) else 0]
            variance = gain / (channels * weight.shape[2] ** 2)
            assert weight.size < 200 or .8 * variance < weight.var() < 1.2 * variance
            assert not layer.bias.data().asnumpy().any()
        weight = layers(net, nn.Dense)[0].weight.data().asnumpy()
        assert .5 < weight.std() < 1.5
        if name == 'generator':
            assert not net.body[0].bias.data().asnumpy().any()


@pytest.mark.parametrize('name, settings, shape', [
    ('mmagic_wgan_gp_generator', dict(size=32, width=32), (4, 128)),
    ('mmagic_wgan_gp_generator', dict(size=16, width=6, channels=1), (4, 128)),
    ('mmagic_wgan_gp_critic', dict(size=32, width=32), (4, 3, 32, 32)),
    ('mmagic_wgan_gp_critic', dict(size=16, width=6, channels=1, norm='layer'), (4, 1, 16, 16))])
def test_float32(name, settings, shape):
    """Channels that fill oneDNN's blocks, and some that do not."""
    mx.random.seed(3)
    net = get_model(name, **settings)
    net.initialize()
    check_float32_is_float64(net, shape, 1e-3)


@pytest.mark.parametrize('settings, message', [
    (dict(size=100), 'size: must be a power of 2 from 8 to 256: 100'),
    (dict(norm='instance'), "norm: must be .*: 'instance'")])
@pytest.mark.parametrize('name', ['generator', 'critic'])
def test_errors(name, settings, message):
    with pytest.raises(ValueError, match=message):
        get_model(f'mmagic_wgan_gp_{name}', **settings)
