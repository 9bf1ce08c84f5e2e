"""The networks of pix2pix and CycleGAN: published sizes, where layers are, how they start, and what a score sees."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon
from mxnet.gluon import nn
from network_size import output_shapes, parameters

from gluonzoo.models.pix2pix import PatchGAN, PixelGAN, ResNetGenerator, UNet
from gluonzoo.nn.instance_norm import InstanceNorm
from gluonzoo.registry import get_model

SMALL = {
    'unet128': (dict(width=4), (1, 3, 128, 128)),
    'resnet_6blocks': (dict(width=4), (1, 3, 16, 16)),
    'patchgan': (dict(width=4), (1, 6, 32, 32)),
    'pixelgan': (dict(width=4), (1, 6, 8, 8)),
}


def small(name, **settings):
    """(an initialized network, an input)"""
    own, shape = SMALL[name]
    net = get_model(name, **{**own, **settings})
    net.initialize()
    return net, mx.nd.random.normal(shape=shape)


def layers(net, kind):
    found = []
    net.apply(lambda block: found.append(block) if isinstance(block, kind) else None)
    return found


# -- facts -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('name, settings, count, shape, outputs', [
    ('unet256', {}, 54_413_955, (2, 3, 256, 512), (2, 3, 256, 512)),
    ('unet128', {}, 41_828_995, (2, 3, 128, 128), (2, 3, 128, 128)),
    ('unet256', dict(in_channels=1, out_channels=2), 54_409_858, (1, 1, 256, 256), (1, 2, 256, 256)),
    ('resnet_9blocks', {}, 11_378_179, (2, 3, 256, 252), (2, 3, 256, 252)),
    ('resnet_9blocks', dict(norm='batch'), 11_383_427, (1, 3, 8, 8), (1, 3, 8, 8)),
    ('resnet_6blocks', {}, 7_837_699, (1, 3, 128, 128), (1, 3, 128, 128)),
    ('patchgan', {}, 2_768_705, (2, 6, 256, 256), (2, 1, 30, 30)),
    ('patchgan', dict(in_channels=3, norm='instance'), 2_764_737, (1, 3, 256, 128), (1, 1, 30, 14)),
    ('pixelgan', {}, 9_024, (1, 6, 64, 32), (1, 1, 64, 32)),
])
def test_size(name, settings, count, shape, outputs):
    net = get_model(name, **settings)
    assert parameters(net) == count
    assert output_shapes(net, shape) == [outputs]


@pytest.mark.parametrize('layers_, pixels', [(1, 16), (2, 34), (3, 70), (4, 142)])
def test_pixels_that_a_score_of_patchgan_sees(layers_, pixels):
    net = PatchGAN(1, layers_, width=1, norm='none')
    net.initialize(mx.init.One())
    for parameter in net.collect_params('.*weight').values():
        parameter.set_data(mx.nd.ones(parameter.shape) * .1)   # positive, so nothing cancels
    size = 2 ** layers_ * 2 * (pixels // 2 ** layers_)
    x = mx.nd.ones((1, 1, size, size))
    x.attach_grad()
    with autograd.record():
        scores = net(x)
        middle = scores[0, 0, scores.shape[2] // 2, scores.shape[3] // 2]
    middle.backward()
    rows, columns = np.nonzero(x.grad.asnumpy()[0, 0])
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (pixels, pixels)


def test_a_score_of_pixelgan_sees_one_pixel():
    net, x = small('pixelgan', norm='none')
    x.attach_grad()
    with autograd.record():
        score = net(x)[0, 0, 3, 5]
    score.backward()
    assert np.argwhere(x.grad.asnumpy().any(1)).tolist() == [[0, 3, 5]]


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
@pytest.mark.parametrize('make, with_bias', [   # whatever the normalisation is
    (lambda norm: UNet(5, width=2, norm=norm), [False] * 9 + [True]),
    (lambda norm: ResNetGenerator(1, width=2, norm=norm), [False] * 7 + [True]),
    (lambda norm: PatchGAN(width=2, norm=norm), [True] + [False] * 3 + [True]),
    (lambda norm: PixelGAN(width=2, norm=norm), [True, False, False])])
def test_biases(make, with_bias, norm):
    net = make(norm)
    found = [layer.bias is not None for layer in layers(net, (nn.Conv2D, nn.Conv2DTranspose))]
    assert found == ([True] * len(with_bias) if norm == 'instance' else with_bias)
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


def test_output_of_a_generator_is_an_image():
    for name in ('unet128', 'resnet_6blocks'):
        net, x = small(name)
        net.initialize(mx.init.Normal(1), force_reinit=True)
        for parameter in net.collect_params('.*weight').values():
            parameter.data()[:] *= 50
        y = net(x).asnumpy()
        assert y.min() >= -1 and y.max() <= 1 and np.abs(y).max() > .99


# -- testing as in training ------------------------------------------------------------------------------------------

@pytest.mark.filterwarnings('ignore:Cannot decide type')
@pytest.mark.parametrize('how', ['imperative', 'hybrid', 'static', 'imported'])
def test_train_mode_gives_batch_statistics_and_dropout_and_changes_nothing(how, tmp_path):
    net, x = small('unet128')
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
    net, x = small('unet128')
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

@pytest.mark.parametrize('name, settings, message', [
    ('unet256', dict(norm='layer'), "norm: must be 'batch', 'instance' or 'none': 'layer'"),
    ('patchgan', dict(norm=None), "norm: must be 'batch', 'instance' or 'none': None"),
    ('unet256', dict(dropout=1), 'dropout: must be at least 0 and less than 1: 1'),
    ('resnet_6blocks', dict(dropout=-.1), 'dropout: must be at least 0 and less than 1: -0.1'),
    ('patchgan', dict(layers=0), 'layers: must be at least 1: 0'),
    ('pixelgan', dict(layers=3), "unknown argument 'layers'"),
])
def test_errors(name, settings, message):
    with pytest.raises(ValueError, match=message):
        get_model(name, **settings)


def test_errors_of_sizes():
    with pytest.raises(ValueError, match='levels: must be at least 5: 4'):
        UNet(4)
    with pytest.raises(ValueError, match='blocks: must be at least 1: 0'):
        ResNetGenerator(0)
