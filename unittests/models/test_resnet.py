"""ResNet's sizes and layers."""
import numpy as np
import pytest
from mxnet.gluon import nn
from network_layers import biases, layers
from network_size import multiply_adds, output_shapes, parameters

from gluonzoo.models.resnet import resnet_features
from gluonzoo.registry import get_model


@pytest.mark.parametrize('name, count, macs', [('resnet34', 21_797_672, 3_663_761_408),
                                               ('resnet50', 25_557_032, 4_089_184_256)])
def test_size(name, count, macs):
    net = get_model(name)
    assert parameters(net) == count and multiply_adds(net, (1, 3, 224, 224)) == macs
    assert (net.classes, net.input_size) == (1000, 224)
    assert (net.mean, net.std) == ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))


@pytest.mark.parametrize('depth, channels, convolutions', [(34, 512, 36), (50, 2048, 53)])
def test_features(depth, channels, convolutions):
    trunk = resnet_features(depth)
    assert output_shapes(trunk, (1, 3, 448, 97)) == [(1, channels, 14, 4)]
    assert len(layers(trunk, nn.Conv2D)) == convolutions and not any(biases(trunk))


def test_biases():
    """Of the 32 convolutions of the blocks alone."""
    assert sum(biases(resnet_features(34, bias=True))) == 32


def test_initial_weights():
    """Normal, of variance 2 / fan out."""
    net = get_model('resnet34')
    net.initialize()
    for layer in layers(net, nn.Conv2D):
        weight, deviation = layer.weight.data().asnumpy(), (2 / np.prod(layer.weight.shape[2:]) / layer._channels) ** .5
        assert weight.std() == pytest.approx(deviation, rel=.05)
        assert (abs(weight) < deviation).mean() == pytest.approx(.6827, abs=.03)
