"""The layers that generators and discriminators share: which they are, their biases, and how they start."""
import mxnet as mx
import pytest
from mxnet.gluon import nn

from gluonzoo.nn.gan_layers import GANLayers, NormalAroundOne
from gluonzoo.nn.instance_norm import InstanceNorm
from gluonzoo.nn.one_channel import OneChannelConv, OneChannelDeconv


@pytest.mark.parametrize('arguments, kind', [
    ((32, 2, 4), nn.Conv2D), ((32, 1, 4), OneChannelConv), ((17, 1, 4), OneChannelConv), ((16, 1, 4), nn.Conv2D),
    ((32, 1, 1), nn.Conv2D), ((32, 1, 4, 2), nn.Conv2D)])   # as many taps as channels; no taps; a stride
def test_convolutions_to_one_channel(arguments, kind):
    assert type(GANLayers('none').conv(*arguments)) is kind


@pytest.mark.parametrize('arguments, kind', [
    ((8, 2, 4, 2, 1), nn.Conv2DTranspose), ((8, 1, 4, 2, 1), OneChannelDeconv), ((8, 1, 3, 2, 1), nn.Conv2DTranspose),
    ((8, 1, 4, 2, 1, 1), nn.Conv2DTranspose)])
def test_transposed_convolutions_to_one_channel(arguments, kind):
    assert type(GANLayers('none').deconv(*arguments)) is kind


@pytest.mark.parametrize('norm, always', [('batch', False), ('instance', True), ('none', False)])
@pytest.mark.parametrize('kind', ['conv', 'deconv'])
def test_biases(norm, always, kind):
    make = getattr(GANLayers(norm), kind)
    assert (make(3, 2, 4, 2, 1).bias is not None) == always
    assert make(3, 2, 4, 2, 1, bias=True).bias is not None


def test_sizes():
    layers = GANLayers('none')
    for layer, shape in ((layers.conv(3, 2, 4, 2, 1), (1, 2, 5, 7)), (layers.conv(3, 2, 7), (1, 2, 5, 9)),
                         (layers.deconv(3, 2, 4, 2, 1), (1, 2, 22, 30)),
                         (layers.deconv(3, 2, 3, 2, 1, output_padding=1), (1, 2, 22, 30))):
        layer.initialize()
        assert layer(mx.nd.zeros((1, 3, 11, 15))).shape == shape


def test_normalisation_and_dropout():
    assert [type(layer) for layer in GANLayers('batch').norm(4)] == [nn.BatchNorm]
    assert [type(layer) for layer in GANLayers('instance').norm(4)] == [InstanceNorm]
    assert GANLayers('none').norm(4) == [] and GANLayers('none').dropout() == []
    layer, = GANLayers('none', .25).dropout()
    assert type(layer) is nn.Dropout and layer._rate == .25


def test_rectifiers():
    x = mx.nd.array([[-10, 5]])
    assert GANLayers.relu()(x).asnumpy().tolist() == [[0, 5]]
    assert GANLayers.leaky_relu()(x).asnumpy().tolist() == [[-2, 5]]


def test_first_weights():
    """Whatever a network is initialized with."""
    layers = GANLayers('batch')
    conv, norm = layers.conv(32, 64, 4, bias=True), layers.norm(4000)[0]
    for layer in (conv, norm):
        layer.initialize(mx.init.One())
    weight, gamma = conv.weight.data().asnumpy(), norm.gamma.data().asnumpy()
    assert abs(weight.mean()) < .001 and .019 < weight.std() < .021 and not conv.bias.data().asnumpy().any()
    assert .998 < gamma.mean() < 1.002 and .019 < gamma.std() < .021 and not norm.beta.data().asnumpy().any()
    parameter = mx.gluon.Parameter('gamma', shape=10000, init=NormalAroundOne(.5))
    parameter.initialize()
    found = parameter.data().asnumpy()
    assert .98 < found.mean() < 1.02 and .48 < found.std() < .52


@pytest.mark.parametrize('arguments, message', [
    (('layer',), "norm: must be 'batch', 'instance' or 'none': 'layer'"),
    ((None,), "norm: must be 'batch', 'instance' or 'none': None"),
    (('batch', 1), 'dropout: must be at least 0 and less than 1: 1'),
    (('batch', -.1), 'dropout: must be at least 0 and less than 1: -0.1')])
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        GANLayers(*arguments)
