"""WGAN's fully connected networks: their sizes, layers and first weights, and what they refuse."""
import mxnet as mx
import pytest
from mxnet.gluon import nn
from network_layers import layers
from network_size import output_shapes, parameters

from gluonzoo.registry import get_model


@pytest.mark.parametrize('settings, generator, critic', [
    (dict(), 6_880_768, 6_817_793),
    # By hand: 512 units, 3 * 16 * 16 numbers a picture.
    (dict(size=16), 101 * 512 + 2 * 513 * 512 + 513 * 768, 769 * 512 + 2 * 513 * 512 + 513),
    (dict(size=8, channels=1, width=10), 101 * 10 + 2 * 11 * 10 + 11 * 64, 65 * 10 + 2 * 11 * 10 + 11),
])
def test_size(settings, generator, critic):
    made, judge = get_model('mlp_generator', **settings), get_model('mlp_critic', **settings)
    assert (parameters(made), parameters(judge)) == (generator, critic)
    side, channels = settings.get('size', 64), settings.get('channels', 3)
    assert output_shapes(made, (2, 100)) == [(2, channels, side, side)]
    assert output_shapes(judge, (2, channels, side, side)) == [(2, 1)]
    assert (made.noise, made.image_size, made.channels) == (100, side, channels)
    assert (judge.image_size, judge.channels) == (side, channels)


def test_layers():
    names = [type(layer).__name__ for layer in get_model('mlp_generator', size=8, width=4).body]
    assert names == [*3 * ['Dense', 'Activation'], 'Dense', 'Activation', 'Unflatten']
    names = [type(layer).__name__ for layer in get_model('mlp_generator', size=8, width=4, tanh=False).body]
    assert names == [*3 * ['Dense', 'Activation'], 'Dense', 'Unflatten']
    names = [type(layer).__name__ for layer in get_model('mlp_critic', size=8, width=4).body]
    assert names == ['Flatten', *3 * ['Dense', 'Activation'], 'Dense']


def test_pictures_may_be_as_bright_as_in_the_official_code():
    for tanh, greatest in ((True, 1), (False, 1e9)):
        net = get_model('mlp_generator', size=8, width=4, tanh=tanh)
        net.initialize()
        net.body[6].bias.set_data(mx.nd.full((192,), 3))
        found = net(mx.nd.zeros((1, 100))).max().asscalar()
        assert .99 < found <= greatest and (found > 1) == (not tanh)


def test_first_weights():
    net = get_model('mlp_critic')
    net.initialize(mx.init.One())
    for layer, inputs in zip(layers(net, nn.Dense), (3 * 64 * 64, 512, 512, 512)):
        weight, bias = layer.weight.data().asnumpy(), layer.bias.data().asnumpy()
        limit = inputs ** -.5
        assert .98 * limit < abs(weight).max() < 1.0001 * limit and abs(weight.mean()) < .1 * limit
        assert 0 < abs(bias).max() < 1.0001 * limit


@pytest.mark.parametrize('settings, message', [
    (dict(size=0), 'size: must be a whole number from 1 to 1024: 0'),
    (dict(width='x'), "width: must be a whole number from 1 to 1000000: 'x'")])
@pytest.mark.parametrize('name', ['mlp_generator', 'mlp_critic'])
def test_errors(name, settings, message):
    with pytest.raises(ValueError, match=message):
        get_model(name, **settings)
