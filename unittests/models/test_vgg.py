"""VGG-19's sizes."""
import pytest
from mxnet.gluon import nn
from network_layers import layers
from network_size import multiply_adds, output_shapes, parameters

from gluonzoo.models.vgg import vgg19_bn_features
from gluonzoo.registry import get_model


def test_size():
    net = get_model('vgg19_bn')
    assert parameters(net) == 143_678_248 and multiply_adds(net, (1, 3, 224, 224)) == 19_632_062_464
    assert (net.classes, net.input_size) == (1000, 224)
    assert (net.mean, net.std) == ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))


def test_features():
    trunk = vgg19_bn_features()
    assert output_shapes(trunk, (1, 3, 448, 97)) == [(1, 512, 14, 3)]
    assert len(layers(trunk, nn.Conv2D)) == len(layers(trunk, nn.BatchNorm)) == 16


def test_initial_weights():
    """Fully connected layers start small, as torchvision's: normal, of deviation 0.01."""
    net = get_model('vgg19_bn', classes=50, hidden=60, size=64)
    net.initialize()
    for layer in layers(net, nn.Dense):
        assert layer.weight.data().asnumpy().std() == pytest.approx(.01, rel=.1)


def test_other_sizes():
    net = get_model('vgg19_bn', classes=3, hidden=8, size=95)
    assert net.input_size == 95 and output_shapes(net, (1, 3, 95, 95)) == [(1, 3)]
    with pytest.raises(ValueError, match=r'size: must be a whole number from 32 to 65500: 31$'):
        get_model('vgg19_bn', size=31)
