"""DCGAN's networks: their sizes, both variants, how they start, and what they refuse."""
import mxnet as mx
import numpy as np
import pytest
from float32_checks import check_float32_is_float64
from mxnet.gluon import nn
from network_layers import biases, layers
from network_size import output_shapes, parameters

from gluonzoo.nn.one_channel import OneChannelDeconv
from gluonzoo.registry import get_model


@pytest.mark.parametrize('settings, generator, discriminator', [
    (dict(), 3_576_704, 2_765_568),
    (dict(norm='none'), 3_574_784, 2_763_776),
    (dict(size=32), 1_068_928, 663_296),
    (dict(size=32, norm='none'), 1_068_032, 662_528),
    (dict(variant='mmagic'), 12_658_435, 11_036_289),
    # One channel has 2 * 64 * 16 numbers less. A block of extra layers: 64 * 64 * 9, and a gamma and a beta.
    (dict(channels=1), 3_576_704 - 2048, 2_765_568 - 2048),
    (dict(extra_layers=2), 3_576_704 + 2 * (36_864 + 128), 2_765_568 + 2 * (36_864 + 128)),
    (dict(extra_layers=2, norm='none'), 3_574_784 + 2 * 36_864, 2_763_776 + 2 * 36_864),
])
def test_size(settings, generator, discriminator):
    make, judge = get_model('dcgan_generator', **settings), get_model('dcgan_discriminator', **settings)
    assert (parameters(make), parameters(judge)) == (generator, discriminator)
    side, channels = settings.get('size', 64), settings.get('channels', 3)
    assert output_shapes(make, (2, 100)) == [(2, channels, side, side)]
    assert output_shapes(judge, (2, channels, side, side)) == [(2, 1)]
    assert (make.noise, make.image_size, make.channels) == (100, side, channels)
    assert (judge.image_size, judge.channels) == (side, channels)


@pytest.mark.parametrize('size', [32, 64, 128])
def test_mmagics_generator_has_1024_channels_at_first(size):
    net = get_model('dcgan_generator', size=size, variant='mmagic')
    widths = [layer.weight.shape[0] for layer in layers(net, nn.Conv2DTranspose)]
    assert widths == [100, 1024, 512, 256, 128, 64][:len(widths)] and len(widths) == {32: 4, 64: 5, 128: 6}[size]


@pytest.mark.parametrize('variant, norm, generator, discriminator', [
    ('paper', 'batch', [False] * 5, [False] * 5), ('paper', 'none', [False] * 5, [False] * 5),
    ('mmagic', 'batch', [False] * 4 + [True], [True] + [False] * 3 + [True]),
    ('mmagic', 'none', [True] * 5, [True] * 5)])
def test_biases(variant, norm, generator, discriminator):
    arguments = {'variant': variant, 'norm': norm, 'width': 2}
    assert biases(get_model('dcgan_generator', **arguments)) == generator
    assert biases(get_model('dcgan_discriminator', **arguments)) == discriminator


def test_layers():
    kinds = [type(layer) for layer in get_model('dcgan_discriminator', size=16, width=2).body]
    assert [kind.__name__ for kind in kinds] == ['Conv2D', 'LeakyReLU', 'Conv2D', 'BatchNorm', 'LeakyReLU',
                                                 'WholeMapConv', 'Flatten']
    kinds = [type(layer) for layer in get_model('dcgan_generator', size=16, width=2, extra_layers=1).body]
    assert [kind.__name__ for kind in kinds] == [
        'WholeMapDeconv', 'BatchNorm', 'Activation', 'Conv2DTranspose', 'BatchNorm', 'Activation',
        'Conv2D', 'BatchNorm', 'Activation', 'Conv2DTranspose', 'Activation']
    grey = get_model('dcgan_generator', size=16, width=2, channels=1)
    assert type(grey.body[-2]) is OneChannelDeconv   # MXNet's own cannot learn
    assert grey.body[2]._act_type == 'relu' and grey.body[-1]._act_type == 'tanh'


@pytest.mark.parametrize('variant, slope, mean, deviation', [('paper', .2, 1, .02), ('mmagic', .01, 0, 1)])
def test_slopes_and_first_weights(variant, slope, mean, deviation):
    mx.random.seed(0)
    for name in ('dcgan_generator', 'dcgan_discriminator'):
        net = get_model(name, variant=variant, width=64, extra_layers=1)
        net.initialize(mx.init.One())   # whatever it is initialized with
        for layer in layers(net, (nn.Conv2D, nn.Conv2DTranspose)):
            weight = layer.weight.data().asnumpy()
            assert abs(weight.mean()) < .003 and .018 < weight.std() < .022
            assert layer.bias is None or not layer.bias.data().asnumpy().any()
        norms = layers(net, nn.BatchNorm)
        gammas = np.concatenate([norm.gamma.data().asnumpy() for norm in norms])
        assert abs(gammas.mean() - mean) < .1 * deviation and .9 * deviation < gammas.std() < 1.1 * deviation
        assert not any(norm.beta.data().asnumpy().any() for norm in norms)
        assert all(layer._alpha == slope for layer in layers(net, nn.LeakyReLU))


@pytest.mark.parametrize('name, settings, shape', [
    ('dcgan_generator', dict(size=32, width=16), (4, 100)),
    ('dcgan_generator', dict(size=32, width=6, channels=1, extra_layers=1, norm='none'), (4, 100)),
    ('dcgan_generator', dict(size=16, width=16, channels=1, variant='mmagic'), (4, 100)),
    ('dcgan_discriminator', dict(size=32, width=16), (4, 3, 32, 32)),
    ('dcgan_discriminator', dict(size=32, width=6, channels=1, extra_layers=1), (4, 1, 32, 32))])
def test_float32(name, settings, shape):
    """Channels that fill oneDNN's blocks, and some that do not."""
    mx.random.seed(3)
    net = get_model(name, **settings)
    net.initialize()
    check_float32_is_float64(net, shape, 1e-3)


@pytest.mark.parametrize('settings, message', [
    (dict(size=48), 'size: must be a power of 2 from 16 to 256: 48'),
    (dict(size=8), 'size: must be a power of 2 from 16 to 256: 8'),
    (dict(norm='instance'), "norm: must be 'batch' or 'none': 'instance'"),
    (dict(variant='Paper'), "variant: must be 'paper' or 'mmagic': 'Paper'"),
    (dict(width=0), 'width: must be a whole number from 1 to 1000000, or null: 0'),
    (dict(channels=0), 'channels: must be a whole number from 1 to 1000000: 0'),
    (dict(extra_layers=-1), 'extra_layers: must be a whole number from 0 to 100: -1')])
@pytest.mark.parametrize('name', ['dcgan_generator', 'dcgan_discriminator'])
def test_errors(name, settings, message):
    with pytest.raises(ValueError, match=message):
        get_model(name, **settings)
