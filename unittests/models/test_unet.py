"""U-Net: its published size, where its layers are, how it starts, and how it is tested."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon
from mxnet.gluon import nn
from network_layers import biases, layers
from network_size import output_shapes, parameters

from gluonzoo.models.unet import UNet
from gluonzoo.nn.instance_norm import InstanceNorm
from gluonzoo.registry import get_model


def small():
    """(an initialized network, an input)"""
    net = get_model('unet128', width=4)
    net.initialize()
    return net, mx.nd.random.normal(shape=(1, 3, 128, 128))


# -- facts -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('name, settings, count, shape, outputs', [
    ('unet256', {}, 54_413_955, (2, 3, 256, 512), (2, 3, 256, 512)),
    ('unet128', {}, 41_828_995, (2, 3, 128, 128), (2, 3, 128, 128)),
    ('unet256', dict(in_channels=1, out_channels=2), 54_409_858, (1, 1, 256, 256), (1, 2, 256, 256)),
])
def test_size(name, settings, count, shape, outputs):
    net = get_model(name, **settings)
    assert parameters(net) == count
    assert output_shapes(net, shape) == [outputs]


@pytest.mark.parametrize('levels, dropouts', [(5, 0), (6, 1), (7, 2), (8, 3)])
def test_layers_of_unet(levels, dropouts):
    net = UNet(levels, width=2)
    assert [level[-1 if 0 < i < levels - 1 else i > 0].__class__ for i, level in enumerate(net.encoder)] == [
        nn.Conv2D, *(levels - 2) * [nn.BatchNorm], nn.Conv2D]
    assert [type(level[0]) for level in net.encoder] == [nn.Conv2D, *(levels - 1) * [nn.LeakyReLU]]
    assert [[type(layer) for layer in level] for level in net.decoder] == [
        [nn.Activation, nn.Conv2DTranspose, nn.BatchNorm],
        *dropouts * [[nn.Activation, nn.Conv2DTranspose, nn.BatchNorm, nn.Dropout]],
        *3 * [[nn.Activation, nn.Conv2DTranspose, nn.BatchNorm]],
        [nn.Activation, nn.Conv2DTranspose, nn.Activation]]
    assert [level[1].weight.shape[:2] for level in net.decoder][-4:] == [(32, 8), (16, 4), (8, 2), (4, 3)]
    assert all(layer._rate == .5 for layer in layers(net, nn.Dropout))


def test_unet_joins_the_map_of_the_encoder_first():
    net = UNet(5, width=2, norm='none')
    net.initialize(mx.init.Normal(.2))
    last = net.decoder[-1][1]
    last.weight.data()[2:] = 0   # what came from below
    x = mx.nd.random.normal(shape=(1, 3, 32, 32))
    outermost = mx.nd.relu(net.encoder[0](x))
    expected = mx.nd.tanh(mx.nd.Deconvolution(outermost, last.weight.data()[:2].copy(), kernel=(4, 4), stride=(2, 2),
                                              pad=(1, 1), num_filter=3))
    np.testing.assert_allclose(net(x).asnumpy(), expected.asnumpy(), atol=1e-6)


@pytest.mark.parametrize('norm', ['batch', 'instance', 'none'])
def test_biases(norm):
    net = UNet(5, width=2, norm=norm)
    with_bias = [False] * 9 + [True]   # whatever the normalisation is
    assert biases(net) == ([True] * len(with_bias) if norm == 'instance' else with_bias)
    assert bool(layers(net, nn.BatchNorm)) == (norm == 'batch')
    assert bool(layers(net, InstanceNorm)) == (norm == 'instance')


def test_initial_weights():
    net = get_model('unet128', width=16)
    net.initialize(mx.init.One())   # what a network asks for itself goes first
    for name, parameter in net._collect_params_with_prefix().items():
        values, leaf = parameter.data().asnumpy(), name.rpartition('.')[2]
        if leaf == 'weight':
            assert abs(values.mean()) < .004 and .018 < values.std() < .022, name
        elif leaf == 'gamma':
            assert .98 < values.mean() < 1.02 and .01 < values.std() < .03, name
        else:
            assert (values == (leaf == 'running_var')).all(), name


def test_output_is_an_image():
    net = get_model('unet128', width=4)
    net.initialize(mx.init.Normal(1))
    for parameter in net.collect_params('.*weight').values():
        parameter.data()[:] *= 50
    y = net(mx.nd.random.normal(shape=(1, 3, 128, 128))).asnumpy()
    assert y.min() >= -1 and y.max() <= 1 and np.abs(y).max() > .99


# -- testing as in training ------------------------------------------------------------------------------------------

@pytest.mark.filterwarnings('ignore:Cannot decide type')
@pytest.mark.parametrize('how', ['imperative', 'hybrid', 'static', 'imported'])
def test_train_mode_gives_batch_statistics_and_dropout_and_changes_nothing(how, tmp_path):
    net, x = small()
    if how != 'imperative':
        net.hybridize(static_alloc=how == 'static', static_shape=how == 'static')
    before = net(x).asnumpy()
    statistics = {name: p.data().asnumpy() for name, p in net.collect_params('.*running.*').items()}
    use = net
    if how == 'imported':
        net.export(str(tmp_path / 'net'))
        use = gluon.SymbolBlock.imports(str(tmp_path / 'net-symbol.json'), ['data'], str(tmp_path / 'net-0000.params'))
    with autograd.train_mode():
        first, second = use(x).asnumpy(), use(x).asnumpy()
    assert np.abs(first - second).max() > 1e-3   # dropout
    assert first.std() > 3 * before.std()   # the statistics of the batch
    np.testing.assert_allclose(use(x).asnumpy(), before, atol=1e-6)
    for name, p in net.collect_params('.*running.*').items():
        np.testing.assert_array_equal(p.data().asnumpy(), statistics[name])


def test_running_statistics_change_in_the_backward_pass():
    net, x = small()
    statistics = net.collect_params('.*running_mean').values()
    with autograd.record():
        y = net(x)
    y.wait_to_read()
    assert not any(p.data().asnumpy().any() for p in statistics)
    y.backward()
    assert all(p.data().asnumpy().any() for p in statistics)


# -- any number of channels ------------------------------------------------------------------------------------------

@pytest.mark.parametrize('hybrid', [False, True], ids=['imperative', 'hybrid'])
@pytest.mark.parametrize('width, channels', [(3, 1), (8, 2), (16, 1), (12, 3)])
def test_unets_of_any_width_can_be_trained(width, channels, hybrid):
    """MXNet fails in the backward pass, if nothing is done about it, of every one of them."""
    net = UNet(5, out_channels=channels, width=width)
    net.initialize()
    if hybrid:
        net.hybridize(static_alloc=True, static_shape=True)
    with autograd.record():
        loss = (net(mx.nd.random.normal(shape=(1, 3, 32, 32))) - 1).abs().mean()
    loss.backward()
    assert all(p.grad().abs().sum().asscalar() > 0 for p in net.collect_params().values() if p.grad_req != 'null')


# -- errors ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('settings, message', [
    (dict(norm='layer'), "norm: must be 'batch', 'instance' or 'none': 'layer'"),
    (dict(dropout=1), 'dropout: must be at least 0 and less than 1: 1'),
    (dict(levels=4), "unknown argument 'levels'")])
def test_errors(settings, message):
    with pytest.raises(ValueError, match=message):
        get_model('unet256', **settings)


def test_too_few_levels():
    with pytest.raises(ValueError, match='levels: must be at least 5: 4'):
        UNet(4)
