"""GhostNet: the published sizes, the maps of its trunk, and what the classifier does with them."""
import mxnet as mx
import numpy as np
import pytest
from float32_checks import check_float32_is_float64
from network_size import multiply_adds, output_shapes, parameters

from gluonzoo.models.ghostnet import GhostBottleneck, GhostModule, GhostNet, GhostNetFeatures, SqueezeExcite
from gluonzoo.registry import get_model

SIZES = [('ghostnet_0_5', 2_587_292, 42.3), ('ghostnet_1_0', 5_182_508, 141.2), ('ghostnet_1_3', 7_358_820, 227.0)]


@pytest.mark.parametrize('name, count, millions', SIZES)
def test_published_size(name, count, millions):
    net = get_model(name)
    assert parameters(net) == count
    assert multiply_adds(net, (1, 3, 224, 224)) / 1e6 == pytest.approx(millions, abs=.05)
    assert output_shapes(net, (2, 3, 224, 224)) == [(2, 1000)]


@pytest.mark.parametrize('width, channels', [
    (.5, [12, 20, 56, 80]), (1, [24, 40, 112, 160]), (1.3, [32, 52, 144, 208])])
@pytest.mark.parametrize('height, width_in_pixels', [(224, 224), (511, 383)])
def test_maps(width, channels, height, width_in_pixels):
    net = GhostNetFeatures(width)
    assert net.channels == channels
    assert output_shapes(net, (1, 3, height, width_in_pixels)) == [
        (1, c, -(-height // stride), -(-width_in_pixels // stride)) for c, stride in zip(channels, (4, 8, 16, 32))]


def test_settings():
    net = get_model('ghostnet_0_5', classes=7, dropout=.5)
    assert net.classes == 7 and output_shapes(net, (1, 3, 64, 64)) == [(1, 7)]
    assert (net.input_size, net.mean, net.std) == (224, (123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
    with pytest.raises(ValueError, match="unknown argument 'class'.*classes"):
        get_model('ghostnet_0_5', **{'class': 7})


def test_initial_weights():
    """Uniform in +-1 / sqrt(fan in), as PyTorch makes them; batch normalisation starts as the identity."""
    net = get_model('ghostnet_1_0')
    net.initialize()
    parameters = net._collect_params_with_prefix()
    for name, fan_in in (('features.stem.0.weight', 27), ('features.stages.1.0.depthwise.0.weight', 25),
                         ('head.1.weight', 960), ('head.1.bias', 960), ('output.bias', 1280)):
        largest = abs(parameters[name].data().asnumpy()).max() * fan_in ** .5
        assert .98 < largest <= 1, name
    assert all((p.data() == name.endswith('gamma')).asnumpy().all()
               for name, p in parameters.items() if name.endswith(('gamma', 'beta')))


def test_ghost_module_keeps_primary_maps_first():
    net = GhostModule(4, 6)
    net.initialize()
    x = mx.nd.random.normal(shape=(2, 4, 5, 3))
    primary = net.primary(x)
    assert np.array_equal(net(x).asnumpy(), np.concatenate([primary.asnumpy(), net.cheap(primary).asnumpy()], 1))
    assert net(x).shape == (2, 6, 5, 3)


def test_gate():
    """sigmoid made of lines: 0 up to -3, 1 from 3 on."""
    net = SqueezeExcite(4)
    net.initialize()
    net.expand.weight.set_data(mx.nd.zeros((4, 4, 1, 1)))
    net.expand.bias.set_data(mx.nd.array([-4, 0, 1.5, 3.5]))
    assert net(mx.nd.ones((1, 4, 2, 2))).asnumpy()[0, :, 1, 1].tolist() == pytest.approx([0, .5, .75, 1])


def test_bottleneck_without_change_of_shape_has_no_shortcut_weights():
    assert not len(GhostBottleneck(8, 16, 8).shortcut)
    assert len(GhostBottleneck(8, 16, 8, stride=2).shortcut) == len(GhostBottleneck(8, 16, 12).shortcut) == 2


def test_dropout_is_before_the_last_layer_and_only_in_training():
    net = GhostNet(.5, 3, dropout=.9)
    net.initialize()
    x = mx.nd.random.normal(shape=(2, 3, 32, 32))
    assert np.array_equal(net(x).asnumpy(), net(x).asnumpy())
    with mx.autograd.record():
        assert not np.array_equal(net(x).asnumpy(), net(x).asnumpy())
    hidden = net.head(net.expand(net.features(x)[-1]))
    with mx.autograd.train_mode():
        dropped = net.head[-1](hidden).asnumpy()
    assert hidden.shape == (2, 1280) and (dropped == 0).mean() > .8


@pytest.mark.parametrize('block', [lambda: GhostModule(4, 12), lambda: GhostModule(16, 48), lambda: SqueezeExcite(24),
                                   lambda: GhostBottleneck(16, 48, 24, squeeze_excite=True, stride=2)])
def test_gradient_in_float32_is_that_in_float64(block):
    """oneDNN computes only float32, and not every number of channels fills its blocks."""
    net = block()
    net.initialize()
    channels = next(iter(net.collect_params().values())).shape[1]
    check_float32_is_float64(net, (2, channels, 9, 7))
