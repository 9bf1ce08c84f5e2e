"""SKNet beside the authors' prototxt files, layer by layer: their numbers stand here."""
import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn
from network_layers import biases, layers
from network_size import multiply_adds, output_shapes, parameters

from gluonzoo.models.sknet import SKNet, SKUnit
from gluonzoo.nn.selective_kernel import SelectiveKernel
from gluonzoo.registry import get_model

# By stage, from conv2_x to conv5_x of the prototxt: 1x1_reduce of the first unit and of the others, 3x3g32 and
# 3x3g32d2, B_fc1, B_fc2, 1x1_increase, and 1x1_proj: weights of each convolution.
WEIGHTS = {
    'sknet50': [(8_192, 32_768, 4_608, 4_096, 8_192, 32_768, 16_384),
                (65_536, 131_072, 18_432, 8_192, 16_384, 131_072, 131_072),
                (262_144, 524_288, 73_728, 16_384, 32_768, 524_288, 524_288),
                (1_048_576, 2_097_152, 294_912, 65_536, 131_072, 2_097_152, 2_097_152)],
    'sknet101': [(8_192, 32_768, 4_608, 4_096, 8_192, 32_768, 16_384),
                 (65_536, 131_072, 18_432, 4_096, 8_192, 131_072, 131_072),
                 (262_144, 524_288, 73_728, 16_384, 32_768, 524_288, 524_288),
                 (1_048_576, 2_097_152, 294_912, 65_536, 131_072, 2_097_152, 2_097_152)],
}
HIDDEN = {'sknet50': (32, 32, 32, 64), 'sknet101': (32, 16, 32, 64)}   # num_output of B_fc1
DEPTHS = {'sknet50': (3, 4, 6, 3), 'sknet101': (3, 4, 23, 3)}


@pytest.mark.parametrize('name, count, macs', [('sknet50', 27_479_784, 4_462_710_784),
                                               ('sknet101', 48_686_760, 8_448_675_840)])
def test_published_size(name, count, macs):
    net = get_model(name)
    assert parameters(net) == count
    assert multiply_adds(net, (1, 3, 224, 224)) == macs
    assert output_shapes(net, (2, 3, 224, 224)) == [(2, 1000)]


@pytest.mark.parametrize('name', ['sknet50', 'sknet101'])
def test_every_convolution(name):
    net = get_model(name)
    wanted = [9_408]   # conv1/7x7_s2
    for depth, (first, other, kernel, fc1, fc2, increase, projection) in zip(DEPTHS[name], WEIGHTS[name]):
        for place in range(depth):
            wanted += [projection, first] if place == 0 else [other]
            wanted += [kernel, kernel, fc1, fc2, increase]
    assert [int(np.prod(layer.weight.shape)) for layer in layers(net, nn.Conv2D)] == wanted
    assert not any(biases(net))
    assert net.output.weight.shape == (1000, 2048) and net.output.bias.shape == (1000,)


@pytest.mark.parametrize('name', ['sknet50', 'sknet101'])
def test_layers(name):
    """Attributes in the prototxt: kernel, stride, pad, group, dilation; momentum of every normalisation."""
    net = get_model(name)

    def attributes(layer):
        return [layer._kwargs[key] for key in ('kernel', 'stride', 'pad', 'num_group', 'dilate')]

    def square(kernel, stride, pad, group, dilation):
        return [(kernel,) * 2, (stride,) * 2, (pad,) * 2, group, (dilation,) * 2]

    assert attributes(net.stem[0][0]) == square(7, 2, 3, 1, 1)
    assert [type(layer) for layer in net.stem[0]] == [nn.Conv2D, nn.BatchNorm, nn.Activation]
    assert output_shapes(net.stem, (1, 3, 224, 224)) == [(1, 64, 56, 56)]   # Caffe rounds up
    for stage, (units, hidden) in enumerate(zip(net.stages, HIDDEN[name])):
        for place, unit in enumerate(units):
            stride = 2 if stage and not place else 1
            assert attributes(unit.select.near[0]) == square(3, stride, 1, 32, 1)
            assert attributes(unit.select.far[0]) == square(3, stride, 2, 32, 2)
            assert unit.select.squeeze[0].weight.shape[0] == hidden
            assert attributes(unit.reduce[0]) == attributes(unit.increase[0]) == square(1, 1, 0, 1, 1)
            assert len(unit.reduce) == 3 and len(unit.increase) == 2   # the latter without ReLU
            if place == 0:
                assert attributes(unit.shortcut[0]) == square(1, stride, 0, 1, 1) and len(unit.shortcut) == 2
            else:
                assert not len(unit.shortcut)
    norms = layers(net, nn.BatchNorm)
    assert len(norms) == {'sknet50': 85, 'sknet101': 170}[name]   # CuDNNBatchNorm
    assert all((norm._kwargs['momentum'], norm._kwargs['eps']) == (.95, 1e-5) for norm in norms)


def test_initial_weights():
    """Caffe's msra: normal, variance 2 / fan in. Gaussian of 0.01 for what chooses, and for the last layer."""
    mx.random.seed(1)
    net = get_model('sknet50')
    net.initialize()
    choosing = [layer for kernel in layers(net, SelectiveKernel) for layer in (kernel.squeeze[0], kernel.choose)]
    for layer in layers(net, nn.Conv2D):
        weight = layer.weight.data().asnumpy()
        deviation = .01 if any(layer is other for other in choosing) else (2 / np.prod(weight.shape[1:])) ** .5
        assert weight.std() == pytest.approx(deviation, rel=.05)
        assert (abs(weight) < deviation).mean() == pytest.approx(.6827, abs=.03)   # not uniform
    assert net.output.weight.data().asnumpy().std() == pytest.approx(.01, rel=.01)
    assert not net.output.bias.data().asnumpy().any()
    assert len(choosing) == 32


def test_settings():
    net = get_model('sknet50', classes=7)
    assert (net.classes, net.input_size) == (7, 224)
    assert (net.mean, net.std) == ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
    for height, width in ((5, 5), (32, 32), (123, 97), (320, 320)):
        assert output_shapes(net, (1, 3, height, width)) == [(1, 7)]
    with pytest.raises(ValueError, match="unknown argument 'depths'"):
        get_model('sknet50', depths=(1, 1, 1, 1))


@pytest.mark.parametrize('side, sides', [(224, [56, 56, 28, 14, 7]), (123, [31, 31, 16, 8, 4]),
                                         (97, [24, 24, 12, 6, 3]), (5, [1, 1, 1, 1, 1])])
def test_sides_of_maps(side, sides):
    """As Caffe rounds them: a convolution (side + 2 pad - kernel) / stride down, the pool up, plus 1 each."""
    net, shape, found = SKNet((1, 1, 1, 1), (32, 32, 32, 64)), (1, 3, side, side), []
    for part in (net.stem, *net.stages):
        shape, = output_shapes(part, shape)
        assert shape[2] == shape[3]
        found.append(shape[2])
    assert found == sides


def test_unit():
    """relu(shortcut + increase(select(reduce)))"""
    unit = SKUnit(64, 32, 16, 2)
    unit.initialize()
    x = mx.nd.random.normal(shape=(2, 64, 5, 4))
    wanted = mx.nd.relu(unit.shortcut(x) + unit.increase(unit.select(unit.reduce(x))))
    np.testing.assert_allclose(unit(x).asnumpy(), wanted.asnumpy(), atol=1e-6)
    assert wanted.shape == (2, 64, 3, 2)
    assert not len(SKUnit(64, 32, 16).shortcut)
