"""DSOD: the numbers and the layer order of the two official codes, and the blocks beside slow twins."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd
from network_size import output_shapes, parameters
from numpy.testing import assert_allclose

import gluonzoo
from gluonzoo.models import dsod

NAMES = ['dsod300', 'dsod300_smallest', 'dsod_pikachu']


@pytest.fixture(scope='module')
def nets():
    return {name: gluonzoo.get_model(name) for name in NAMES}


def layers(block):
    """Every layer that has no parts, in the order in which it was added."""
    parts = list(block._children.values())
    return [layer for part in parts for layer in layers(part)] if parts else [block]


def kind(layer):
    if isinstance(layer, mx.gluon.nn.Conv2D):
        k, s = layer._kwargs['kernel'][0], layer._kwargs['stride'][0]
        return f'{k}x{k}' + (f'/{s}' if s > 1 else '') + f'-{layer._channels}' + ('' if layer.bias is None else '+b')
    return {'BatchNorm': 'bn', 'Activation': 'relu', 'MaxPool2D': 'pool'}[type(layer).__name__]


def kinds(block):
    return ' '.join(kind(layer) for layer in layers(block))


# -- facts of the official codes -------------------------------------------------------------------------------------

@pytest.mark.parametrize('name, arguments, count', [
    ('dsod300', {}, 14_715_804),
    ('dsod300', {'classes': 80}, 21_700_524),
    ('dsod300_smallest', {}, 5_833_372),
    ('dsod_pikachu', {}, 6_389_104),
    ('dsod_pikachu', {'stem_filter': 64}, 6_837_776),
    ('dsod_pikachu', {'factor': .5}, 4_633_600),
    ('dsod_pikachu', {'growth_rate': 16, 'classes': 3}, 2_899_488),
])
def test_trained_parameters(name, arguments, count):
    assert parameters(gluonzoo.get_model(name, **arguments)) == count


def test_running_statistics_of_the_published_file(nets):
    """The model that its authors offer has 59.2 MB: 14,715,804 trained numbers and 79,932 of the running averages."""
    for name, count in (('dsod300', 79_932), ('dsod300_smallest', 38_908)):
        held = sum(p.data().size for p in initialized(nets[name]).collect_params().values() if p.grad_req == 'null')
        assert held == count


def initialized(net):
    net.initialize(force_reinit=True)
    return net


@pytest.mark.parametrize('name, size, anchors, grids', [
    ('dsod300', 300, 8744, [38, 19, 10, 5, 3, 2]),
    ('dsod300_smallest', 300, 8744, [38, 19, 10, 5, 3, 2]),
    ('dsod_pikachu', 512, 21840, [64, 32, 16, 8, 4, 2]),
])
def test_anchors(nets, name, size, anchors, grids):
    net = nets[name]
    assert net.input_size == size
    assert net.grids(size, size) == [(n, n) for n in grids]
    assert sum(n * n * len(shapes) for n, shapes in zip(grids, net.anchor_shapes)) == anchors
    assert output_shapes(net, (2, 3, size, size)) == [(2, anchors, net.classes + 1), (2, anchors, 4)]
    assert len(net.anchor_steps) == len(net.anchor_shapes) == 6


def test_anchor_shapes_of_the_paper(nets):
    net = nets['dsod300']
    assert [len(shapes) for shapes in net.anchor_shapes] == [4, 6, 6, 6, 4, 4]
    assert net.anchor_steps == [8, 16, 32, 64, 100, 300]
    # In pixels: min_size, sqrt(min_size * max_size), then aspect ratio 2, 1/2, 3, 1/3 at the area of min_size.
    assert_allclose(300 * np.array(net.anchor_shapes[0]),
                    [(30, 30), (42.4264, 42.4264), (42.4264, 21.2132), (21.2132, 42.4264)], atol=1e-3)
    assert_allclose(300 * np.array(net.anchor_shapes[1]),
                    [(60, 60), (81.6088, 81.6088), (84.8528, 42.4264), (42.4264, 84.8528),
                     (103.9230, 34.6410), (34.6410, 103.9230)], atol=1e-3)
    assert_allclose([300 * shapes[0][0] for shapes in net.anchor_shapes], [30, 60, 111, 162, 213, 264])
    assert_allclose(300 * np.array(net.anchor_shapes[5][1]), np.sqrt(264 * 315))


def test_anchor_shapes_of_pikachu(nets):
    """They are those of MXNet's own prior boxes, which that code calls."""
    net = nets['dsod_pikachu']
    assert net.anchor_steps == [None] * 6
    for size, shapes in zip((.2, .37, .45, .54, .71, .88), net.anchor_shapes):
        boxes = mx.nd.contrib.MultiBoxPrior(mx.nd.zeros((1, 1, 1, 1)), sizes=[size, size], ratios=[1, 2, .5])
        assert_allclose(shapes, (boxes[0, :, 2:] - boxes[0, :, :2]).asnumpy(), rtol=1e-6)


def test_input(nets):
    for net in nets.values():
        assert (net.mean, net.std) == ((123, 117, 104), (1, 1, 1))


def test_layer_order_of_the_paper(nets):
    net = nets['dsod300']
    dense = 'bn relu 1x1-192 bn relu 3x3-48 '
    assert kinds(net.first) == (
        '3x3/2-64 bn relu 3x3-64 bn relu 3x3-128 bn relu pool ' + 6 * dense + 'bn relu 1x1-416 pool '
        + 8 * dense + 'bn relu 1x1-800')
    assert kinds(net.deeper) == 'pool ' + 8 * dense + 'bn relu 1x1-1184 ' + 8 * dense + 'bn relu 1x1-256'
    assert kinds(net.skip) == 'pool bn relu 1x1-256'
    assert [kinds(block.pooled) for block in net.downsamples] == [
        f'pool bn relu 1x1-{n}' for n in (256, 128, 128, 128)]
    assert [kinds(block.convolved) for block in net.downsamples] == [
        f'bn relu 1x1-{n} bn relu 3x3/2-{n}' for n in (256, 128, 128, 128)]
    assert [head.weight.shape for head in net.heads] == [
        (25 * shapes, channels, 3, 3)
        for shapes, channels in ((4, 800), (6, 512), (6, 512), (6, 256), (4, 256), (4, 256))]


def test_layer_order_of_pikachu(nets):
    net = nets['dsod_pikachu']
    dense = 'bn relu 1x1-48+b bn relu 3x3-48+b '
    assert kinds(net.first) == ('3x3/2-32+b bn relu 1x1-32+b bn relu 1x1-64+b pool ' + 6 * dense
                                + 'bn relu 1x1-352+b pool ' + 8 * dense).strip()
    assert kinds(net.deeper) == ('bn relu 1x1-736+b pool ' + 8 * dense + 'bn relu 1x1-1120+b ' + 8 * dense
                                 + 'bn relu 1x1-256+b')
    assert kinds(net.skip) == 'pool bn relu 1x1-256+b'
    assert [kinds(head) for head in net.heads] == 6 * ['3x3-24+b']


def test_arguments_of_pikachu():
    net = gluonzoo.get_model('dsod_pikachu', stem_filter=8, num_init_layer=3, growth_rate=20, factor=.5)
    widths = [layer._channels for layer in layers(net.first) if isinstance(layer, mx.gluon.nn.Conv2D)]
    # The transition keeps the stem's 16 channels, and half of the 60 that were added.
    assert widths == [8, 8, 16] + 3 * [20, 20] + [46] + 8 * [20, 20]


# -- initial values and training settings ----------------------------------------------------------------------------

def test_initial_values_of_the_paper():
    net = gluonzoo.get_model('dsod300_smallest')
    net.initialize()   # the values are the network's own: no initializer has to be named
    for layer in layers(net):
        if isinstance(layer, mx.gluon.nn.Conv2D):   # Caffe's xavier: uniform, variance 1 / fan in
            weight = layer.weight.data().asnumpy()
            bound = np.sqrt(3 / np.prod(weight.shape[1:]))
            assert .95 * bound < np.abs(weight).max() <= bound
            assert abs(weight.std() * np.sqrt(3) / bound - 1) < .1
        elif isinstance(layer, mx.gluon.nn.BatchNorm):
            assert (layer.gamma.data() == 1).asnumpy().all() and (layer.beta.data() == 0).asnumpy().all()
    for head in net.heads:
        assert (head.scale.data() == 20).asnumpy().all()
        assert abs(head.weight.data().asnumpy().std() / .01 - 1) < .02


def test_batch_normalisation(nets):
    net = nets['dsod300']
    norms = [layer for layer in layers(net) if isinstance(layer, mx.gluon.nn.BatchNorm)]
    heads = [head.norm for head in net.heads]
    assert {norm._kwargs['momentum'] for norm in norms} == {.99}
    assert {norm._kwargs['eps'] for norm in norms if norm not in heads} == {1e-5}
    assert {norm._kwargs['eps'] for norm in heads} == {1e-3}


# -- sizes -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('height, width', [(129, 129), (300, 171), (257, 513)])
@pytest.mark.parametrize('name', NAMES)
def test_other_sizes(nets, name, height, width):
    net = nets[name]
    anchors = sum(rows * columns * len(shapes)
                  for (rows, columns), shapes in zip(net.grids(height, width), net.anchor_shapes))
    assert output_shapes(net, (1, 3, height, width))[1] == (1, anchors, 4)


def test_too_small(nets):
    net = nets['dsod300_smallest']
    with pytest.raises(ValueError, match='height, width: must be at least 129, for a last pool of 2 x 2: 128 x 300'):
        net.grids(128, 300)
    with pytest.raises(mx.MXNetError, match='exceeds input'):
        output_shapes(net, (1, 3, 128, 300))


@pytest.mark.parametrize('name, arguments, message', [
    ('dsod300', {'classes': 0}, 'classes: must be a whole number from 1 to 1000000: 0'),
    ('dsod_pikachu', {'factor': 0}, 'factor: must be above 0 and at most 1: 0'),
    ('dsod_pikachu', {'factor': 1.5}, 'factor: must be above 0 and at most 1: 1.5'),
])
def test_refused_arguments(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        gluonzoo.get_model(name, **arguments)


# -- blocks ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('in_channels, growth_rate', [(16, 16), (20, 12)])
def test_dense_block_keeps_its_input_and_appends(in_channels, growth_rate):
    block = dsod.DenseBlock(dsod._PAPER, in_channels, 2, 24, growth_rate)
    block.initialize()
    x = mx.nd.random.normal(shape=(2, in_channels, 5, 4))
    y = block(x)
    once = mx.nd.concat(x, block.layers[0](x), dim=1)
    assert y.shape == (2, in_channels + 2 * growth_rate, 5, 4)
    assert_allclose(y[:, :in_channels + growth_rate].asnumpy(), once.asnumpy(), atol=1e-6)
    assert_allclose(y[:, in_channels + growth_rate:].asnumpy(), block.layers[1](once).asnumpy(), atol=1e-6)


def test_downsample_pools_first_and_rounds_up():
    block = dsod.Downsample(dsod._PAPER, 8, 16)
    block.initialize()
    x = mx.nd.random.normal(shape=(2, 8, 5, 7))
    y = block(x)
    assert y.shape == (2, 32, 3, 4)
    assert_allclose(y[:, :16].asnumpy(), block.pooled(x).asnumpy(), atol=1e-6)
    corner = block.pooled[0](x)[:, :, 2, 3].asnumpy()   # a window of which one cell lies inside
    assert (corner == x[:, :, 4, 6].asnumpy()).all()


def test_head_counts_rows_then_columns_then_shapes_then_values():
    rows, columns, shapes, values = 3, 4, 2, 5
    head = dsod.Head(1, shapes, values)
    head.initialize()
    head.conv.weight.set_data(mx.nd.zeros_like(head.conv.weight.data()))
    head.conv.weight.data()[:, 0, 1, 1] = 100   # reads the cell itself, which holds its number
    head.conv.bias.set_data(mx.nd.arange(shapes * values))
    y = head(mx.nd.arange(rows * columns).reshape((1, 1, rows, columns)))
    wanted = [[100 * (row * columns + column) + shape * values + value for value in range(values)]
              for row in range(rows) for column in range(columns) for shape in range(shapes)]
    assert y[0].asnumpy().tolist() == wanted


@pytest.mark.parametrize('shapes, values', [(4, 25), (2, 8)])   # 100 channels, which are filled up to 112, and 16
def test_normalized_head_and_its_gradient(shapes, values):
    """Beside the official order of steps, each by itself, in double precision."""
    head = dsod.NormalizedHead(6, shapes, values)
    head.initialize()
    head.scale.set_data(mx.nd.random.uniform(10, 30, shape=(6,)))
    x = mx.nd.random.normal(shape=(2, 6, 4, 3))
    dy = mx.nd.random.normal(shape=(2, 12 * shapes, values))
    twins = [array.astype('float64') for array in (x, head.scale.data(), head.weight.data())]
    for array in (x, *twins):
        array.attach_grad()
    with autograd.record():
        y = head(x)
        features, scale, weight = twins
        length = (features ** 2).sum(axis=1, keepdims=True).sqrt()
        scaled = features / length * scale.reshape((1, -1, 1, 1))
        z = mx.nd.Convolution(scaled, weight, kernel=(3, 3), pad=(1, 1), num_filter=shapes * values, no_bias=True)
        mean = z.mean(axis=(0, 2, 3), keepdims=True)
        variance = ((z - mean) ** 2).mean(axis=(0, 2, 3), keepdims=True)
        wanted = ((z - mean) / (variance + 1e-3).sqrt()).transpose((0, 2, 3, 1)).reshape((2, -1, values))
    autograd.backward([y, wanted], [dy, dy.astype('float64')])
    assert_allclose(y.asnumpy(), wanted.asnumpy(), atol=1e-5)
    for got, twin in zip((x.grad, head.scale.grad(), head.weight.grad()), twins):
        assert_allclose(got.asnumpy(), twin.grad.asnumpy(), rtol=0, atol=1e-5 * np.abs(twin.grad.asnumpy()).max())


@pytest.mark.parametrize('name, arguments', [
    ('dsod_pikachu', {'stem_filter': 10, 'num_init_layer': 2, 'growth_rate': 12, 'factor': .5}),   # no whole blocks
    ('dsod300_smallest', {'classes': 3}),
])
def test_gradients_in_double_precision(name, arguments):
    """oneDNN computes single precision alone, so its layouts and kernels are beside MXNet's plain ones here."""
    x = mx.nd.random.uniform(-100, 100, shape=(2, 3, 129, 140))
    heads, gradients = None, []
    for dtype in ('float32', 'float64'):
        mx.random.seed(3)
        net = gluonzoo.get_model(name, **arguments)
        net.initialize()
        net.cast(dtype)
        net.hybridize(static_alloc=True, static_shape=True)
        with autograd.record():
            y = net(x.astype(dtype))
        heads = heads or [mx.nd.random.normal(shape=a.shape) for a in y]
        autograd.backward(y, [head.astype(dtype) for head in heads])
        gradients.append({key: p.grad().asnumpy() for key, p in net._collect_params_with_prefix().items()
                          if p.grad_req != 'null'})
    # Where rounding moves a value across a ReLU, or to another cell of a pool, its gradient moves: a few per cent on
    # maps this small. (A part in the wrong place is all wrong.) A bias that a normalisation follows has the gradient
    # 0, and holds what rounding leaves of it: hence the other share.
    largest = max(np.linalg.norm(gradient) for gradient in gradients[1].values())
    for key, wanted in gradients[1].items():
        assert np.linalg.norm(gradients[0][key] - wanted) < .2 * np.linalg.norm(wanted) + 1e-5 * largest, key
