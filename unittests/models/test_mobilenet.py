"""MobileNet's trunk beside table 1 of the paper."""
from mxnet.gluon import nn
from network_layers import biases, layers
from network_size import output_shapes, parameters

from gluonzoo.models.mobilenet import MobileNetFeatures


def test_every_layer():
    """Filter shape and stride of each row of the table: kernel, channels of the input of a filter, filters."""
    wanted, channels = [(3, 3, 32, 2)], 32
    for filters, stride in ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *5 * [(512, 1)], (1024, 2),
                            (1024, 1)):
        wanted += [(3, 1, channels, stride), (1, channels, filters, 1)]
        channels = filters
    net = MobileNetFeatures()
    found = [(layer.weight.shape[2], layer.weight.shape[1], layer.weight.shape[0], layer._kwargs['stride'][0])
             for layer in layers(net, nn.Conv2D)]
    assert found == wanted
    assert not any(biases(net)) and len(layers(net, nn.Activation)) == 27
    assert parameters(net) == sum(k * k * inputs * filters + 2 * filters for k, inputs, filters, _ in wanted)


def test_maps():
    assert output_shapes(MobileNetFeatures(), (1, 3, 224, 97)) == [(1, 256, 28, 13), (1, 512, 14, 7), (1, 1024, 7, 4)]
