"""The generator with residual blocks: its published sizes, where its layers are, and what it must be given."""
import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn
from network_layers import biases, layers
from network_size import output_shapes, parameters

from gluonzoo.models.resnet_generator import ResNetGenerator
from gluonzoo.nn.instance_norm import InstanceNorm
from gluonzoo.registry import get_model


@pytest.mark.parametrize('name, settings, count, shape, outputs', [
    ('resnet_9blocks', {}, 11_378_179, (2, 3, 256, 252), (2, 3, 256, 252)),
    ('resnet_9blocks', dict(norm='batch'), 11_383_427, (1, 3, 8, 8), (1, 3, 8, 8)),
    ('resnet_6blocks', {}, 7_837_699, (1, 3, 128, 128), (1, 3, 128, 128)),
])
def test_size(name, settings, count, shape, outputs):
    net = get_model(name, **settings)
    assert parameters(net) == count
    assert output_shapes(net, shape) == [outputs]


def test_residual_blocks():
    net = ResNetGenerator(2, width=2, dropout=.3)
    assert [type(layer) for layer in net.blocks[0].body] == [
        nn.ReflectionPad2D, nn.Conv2D, InstanceNorm, nn.Activation, nn.Dropout,
        nn.ReflectionPad2D, nn.Conv2D, InstanceNorm]
    assert len(net.blocks) == 2 and not layers(ResNetGenerator(2, width=2), nn.Dropout)
    block = net.blocks[0]
    net.initialize()
    x = mx.nd.random.normal(shape=(1, 8, 6, 6))
    np.testing.assert_allclose(block(x).asnumpy(), (x + block.body(x)).asnumpy())


@pytest.mark.parametrize('norm', ['batch', 'instance', 'none'])
def test_biases(norm):
    net = ResNetGenerator(1, width=2, norm=norm)
    with_bias = [False] * 7 + [True]   # whatever the normalisation is
    assert biases(net) == ([True] * len(with_bias) if norm == 'instance' else with_bias)
    assert bool(layers(net, nn.BatchNorm)) == (norm == 'batch')
    assert bool(layers(net, InstanceNorm)) == (norm == 'instance')


def test_output_is_an_image():
    net = get_model('resnet_6blocks', width=4)
    net.initialize(mx.init.Normal(1))
    for parameter in net.collect_params('.*weight').values():
        parameter.data()[:] *= 50
    y = net(mx.nd.random.normal(shape=(1, 3, 16, 16))).asnumpy()
    assert y.min() >= -1 and y.max() <= 1 and np.abs(y).max() > .99


def test_errors():
    with pytest.raises(ValueError, match='dropout: must be at least 0 and less than 1: -0.1'):
        get_model('resnet_6blocks', dropout=-.1)
    with pytest.raises(ValueError, match='blocks: must be at least 1: 0'):
        ResNetGenerator(0)
