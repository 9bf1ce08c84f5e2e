"""Darknet-53 beside the authors' cfg files, layer by layer."""
import mxnet as mx
import numpy as np
import pytest
from darknet_cfg import darknet53_cfg
from mxnet.gluon import nn
from network_layers import biases, convolutions, layers
from network_size import multiply_adds, output_shapes, parameters

from gluonzoo.models.darknet53 import ConvUnit, Darknet53Features, Residual
from gluonzoo.nn.mish import Mish
from gluonzoo.registry import get_model


def test_published_size():
    net = get_model('darknet53')
    assert parameters(net) == 41_609_928
    assert multiply_adds(net, (1, 3, 256, 256)) == 9_285_115_904
    assert output_shapes(net, (2, 3, 256, 256)) == [(2, 1000)]
    # darknet53.conv.74 has 162,482,580 bytes: a header of 20, and the trunk's numbers with the running statistics.
    trunk = sum(int(np.prod(p.shape)) for p in net.features.collect_params().values())
    assert 4 * trunk + 20 == 162_482_580


def test_every_layer():
    net = get_model('darknet53')
    assert len(darknet53_cfg()) == 52 and convolutions(net) == darknet53_cfg()
    assert not any(biases(net)) and net.output.bias.shape == (1000,)
    for unit in layers(net, ConvUnit):
        assert unit.conv._kwargs['pad'] == (unit.conv._kwargs['kernel'][0] // 2,) * 2
        assert (unit.norm._kwargs['eps'], unit.norm._kwargs['momentum']) == (1e-5, .9)
        assert unit.activation._alpha == .1
    assert [len(stage) - 1 for stage in net.features.stages] == [1, 2, 8, 8, 4]


@pytest.mark.parametrize('height, width', [(256, 320), (65, 33), (1, 31)])
def test_maps(height, width):
    """Of strides 8, 16 and 32, as many of them as there are, rounded up."""
    assert output_shapes(Darknet53Features(), (1, 3, height, width)) == [
        (1, channels, -(-height // stride), -(-width // stride))
        for channels, stride in ((256, 8), (512, 16), (1024, 32))]


def test_residual():
    block = Residual(32, 16)
    block.initialize()
    x = mx.nd.random.normal(shape=(2, 32, 5, 4))
    np.testing.assert_allclose(block(x).asnumpy(), (x + block.expand(block.reduce(x))).asnumpy(), atol=1e-6)
    assert convolutions(block) == [(16, 1, 1), (32, 3, 1)]


def test_unit_is_leaky():
    unit = ConvUnit(3, 4)
    unit.initialize()
    x = mx.nd.random.normal(shape=(2, 3, 5, 4))
    before = unit.norm(unit.conv(x)).asnumpy()
    assert (before < 0).any()
    np.testing.assert_allclose(unit(x).asnumpy(), np.where(before < 0, .1 * before, before), atol=1e-6)


def test_mish_everywhere():
    net = get_model('darknet53', activation='mish')
    assert len(layers(net, Mish)) == 52 and not layers(net, nn.LeakyReLU)
    assert parameters(net) == 41_609_928


def test_initial_weights():
    """darknet's: normal, variance 2 / fan in; biases of 0, gammas of 1."""
    mx.random.seed(1)
    net = get_model('darknet53')
    net.initialize()
    for weight in [layer.weight for layer in layers(net, nn.Conv2D)] + [net.output.weight]:
        values = weight.data().asnumpy()
        deviation = (2 / np.prod(values.shape[1:])) ** .5
        assert values.std() == pytest.approx(deviation, rel=.06)
        if values.size > 20_000:   # it is not uniform
            assert (abs(values) < deviation).mean() == pytest.approx(.6827, abs=.02)
    assert not net.output.bias.data().asnumpy().any()
    assert all((norm.gamma.data() == 1).asnumpy().all() and (norm.beta.data() == 0).asnumpy().all()
               for norm in layers(net, nn.BatchNorm))


def test_settings():
    net = get_model('darknet53', classes=7, mean=[123, 117, 104], std=[58, 57, 57], width=.5, depths=[0, 1, 0, 2, 1])
    assert (net.classes, net.input_size, net.mean, net.std) == (7, 256, (123, 117, 104), (58, 57, 57))
    assert (get_model('darknet53').mean, get_model('darknet53').std) == ((0, 0, 0), (255, 255, 255))
    assert convolutions(net) == [(16, 3, 1), (32, 3, 2), (64, 3, 2), (32, 1, 1), (64, 3, 1), (128, 3, 2), (256, 3, 2),
                                 *2 * [(128, 1, 1), (256, 3, 1)], (512, 3, 2), (256, 1, 1), (512, 3, 1)]
    # Whole blocks of 16 channels, and at least one.
    assert {channels for channels, _, _ in convolutions(get_model('darknet53', width=.02))} == {16}


@pytest.mark.parametrize('arguments, words', [
    ({'activation': 'relu'}, "activation: must be 'leaky' or 'mish': 'relu'"),
    ({'width': 0}, 'width: must be a number from 0.015625 to 16: 0'),
    ({'depths': [1, 2, 8, 8]}, r'depths: must be a list of five whole numbers from 0 to 1000: \[1, 2, 8, 8\]'),
    ({'depths': [1, 2, 8, 8, -1]}, 'depths: must be'),
    ({'mean': [0, 0]}, r'mean: must be a list of three numbers, of red, green and blue: \[0, 0\]'),
    ({'std': [1, 1, 0]}, r'std: must be a list of three numbers above 0, of red, green and blue: \[1, 1, 0\]'),
    ({'std': [1, 1, float('nan')]}, 'std: must be'),
])
def test_wrong_arguments(arguments, words):
    with pytest.raises(ValueError, match=words):
        get_model('darknet53', **arguments)
