"""YOLOv3 beside yolov3.cfg, layer by layer; its sizes and arguments."""
import mxnet as mx
import numpy as np
import pytest
from darknet_cfg import yolov3_cfg
from mxnet.gluon import nn
from network_layers import biases, convolutions, layers
from network_size import multiply_adds, output_shapes, parameters

import gluonzoo
from gluonzoo.export import to_onnx
from gluonzoo.graph.fuse import for_inference
from gluonzoo.models.yolo3 import ANCHORS, Scale
from gluonzoo.nn.mish import Mish

NAMES = ['yolo3_darknet53', 'yolo3_mobilenet1_0']


@pytest.mark.parametrize('name, classes, count, macs', [
    ('yolo3_darknet53', 80, 61_949_149, 32_932_037_632), ('yolo3_darknet53', 20, 61_626_049, 32_713_987_072),
    ('yolo3_mobilenet1_0', 80, 24_571_197, 10_374_274_560), ('yolo3_mobilenet1_0', 20, 24_248_097, 10_156_224_000)])
def test_size(name, classes, count, macs):
    net = gluonzoo.get_model(name, classes=classes)
    assert parameters(net) == count
    assert multiply_adds(net, (1, 3, 416, 416)) == macs


@pytest.mark.parametrize('classes, size', [(80, 248_007_048), (20, 246_714_648)])
def test_size_of_darknets_file(classes, size):
    """yolov3.weights has a header of 20 bytes, then all numbers, with the running statistics."""
    net = gluonzoo.get_model('yolo3_darknet53', classes=classes)
    assert 4 * sum(int(np.prod(p.shape)) for p in net.collect_params().values()) + 20 == size


def test_every_convolution():
    """In the order of yolov3.cfg, and so of darknet's files: filters, size and stride."""
    net = gluonzoo.get_model('yolo3_darknet53')
    assert len(yolov3_cfg()) == 75 and convolutions(net) == yolov3_cfg()
    assert [place for place, has_one in enumerate(biases(net)) if has_one] == [58, 66, 74]   # the heads
    assert len(layers(net, nn.BatchNorm)) == len(layers(net, nn.LeakyReLU)) == 72
    # The parameters have the order of the convolutions: darknet's files can be read one after the other.
    parts = [layer.weight for layer in layers(net, nn.Conv2D)]
    named = net._collect_params_with_prefix()
    assert [p for name, p in named.items() if name.endswith('weight')] == parts
    assert list(named)[:3] == ['backbone.stem.conv.weight', 'backbone.stem.norm.gamma', 'backbone.stem.norm.beta']
    assert list(named)[-2:] == ['scales.2.output.weight', 'scales.2.output.bias']


def test_mish_in_the_backbone_alone():
    net = gluonzoo.get_model('yolo3_darknet53', activation='mish')
    assert len(layers(net.backbone, Mish)) == len(layers(net, Mish)) == 52
    assert not layers(net.backbone, nn.LeakyReLU) and len(layers(net.scales, nn.LeakyReLU)) == 20
    assert parameters(net) == 61_949_149


@pytest.mark.filterwarnings('ignore:Cannot decide type')
def test_mish_hybridized_fused_and_exported(tmp_path):
    """What test_every_model.py and test_onnx.py demand of the network as it is by default."""
    net = gluonzoo.get_model('yolo3_darknet53', classes=2, activation='mish', width=.1, depths=(1, 1, 1, 1, 1))
    mx.random.seed(1)
    net.initialize()
    x = mx.nd.random.uniform(shape=(2, 3, 96, 64))
    wanted = [y.asnumpy() for y in net(x)]

    def check(found):
        for y, want in zip(found, wanted):
            np.testing.assert_allclose(y, want, rtol=0, atol=1e-5 * abs(want).max())

    check([y.asnumpy() for y in for_inference(net, x)(x)])
    net.hybridize(static_alloc=True, static_shape=True)
    check([y.asnumpy() for y in net(x)])
    net.export(str(tmp_path / 'net'))
    copy = mx.gluon.SymbolBlock.imports(str(tmp_path / 'net-symbol.json'), ['data'], str(tmp_path / 'net-0000.params'))
    check([y.asnumpy() for y in copy(x)])
    onnxruntime = pytest.importorskip('onnxruntime')
    to_onnx(net, tmp_path / 'net.onnx', {'image': (1, 3, 64, 64)}, dynamic=['batch', 'size'])
    session = onnxruntime.InferenceSession(str(tmp_path / 'net.onnx'), providers=['CPUExecutionProvider'])
    check(session.run(None, {'image': x.asnumpy()}))


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.parametrize('height, width', [(32, 32), (416, 416), (608, 320), (96, 1024)])
def test_shapes(name, height, width):
    net = gluonzoo.get_model(name, classes=4)
    grids = [(height // stride, width // stride) for stride in (32, 16, 8)]
    assert net.grids(height, width) == grids
    assert output_shapes(net, (2, 3, height, width)) == [(2, 27, *grid) for grid in grids]


@pytest.mark.parametrize('height, width', [(400, 416), (416, 400), (0, 32), (32, -32), (416.5, 416)])
def test_sizes_that_32_does_not_divide(height, width):
    with pytest.raises(ValueError, match=f'height, width: must be multiples of 32: {height} x {width}'):
        gluonzoo.get_model('yolo3_mobilenet1_0').grids(height, width)


def test_sizes_that_the_network_rounds_up():
    net = gluonzoo.get_model('yolo3_darknet53', width=.1, depths=[0] * 5)
    assert output_shapes(net, (1, 3, 89, 57)) == output_shapes(net, (1, 3, 96, 64))
    with pytest.raises(mx.MXNetError):
        output_shapes(net, (1, 3, 88, 64))


@pytest.mark.parametrize('hybridize', [False, True])
def test_the_network_refuses_others(hybridize):
    net = gluonzoo.get_model('yolo3_darknet53', width=.1, depths=[0] * 5)
    net.initialize()
    if hybridize:
        net.hybridize()
    with pytest.raises(mx.MXNetError):
        mx.nd.waitall()
        net(mx.nd.zeros((1, 3, 64, 80)))
        mx.nd.waitall()
    assert len(net(mx.nd.zeros((1, 3, 64, 96)))) == 3   # it still works


def test_scale():
    """What comes from the coarser scale is doubled to the right and down, and stands before the map."""
    scale = Scale(16, 16, 6, coarser=32)
    scale.initialize()
    x, coarser = mx.nd.random.normal(shape=(2, 16, 4, 6)), mx.nd.random.normal(shape=(2, 32, 2, 3))
    doubled = np.kron(scale.transition(coarser).asnumpy(), np.ones((2, 2)))
    route = scale.body(mx.nd.concat(mx.nd.array(doubled), x, dim=1))
    for found, wanted in zip(scale(x, coarser), (scale.output(scale.tip(route)), route)):
        np.testing.assert_allclose(found.asnumpy(), wanted.asnumpy(), atol=1e-5)


def test_every_scale_depends_on_what_it_should():
    """The coarsest head on the coarsest map alone, the others on their own and on the coarser ones."""
    net = gluonzoo.get_model('yolo3_darknet53', width=.1, depths=[0] * 5)
    net.initialize()
    x = mx.nd.random.uniform(shape=(1, 3, 64, 64))
    maps = net.backbone(x)

    def heads(changed):
        found, routes = [], []
        for place, (scale, features) in enumerate(zip(net.scales, reversed(maps))):
            head, route = scale(features + (place == changed), *routes)
            found.append(head.asnumpy())
            routes = [route]
        return found

    wanted = [y.asnumpy() for y in net(x)]
    for changed in range(3):
        assert [np.allclose(a, b, atol=1e-6) for a, b in zip(heads(changed), wanted)] == [
            place < changed for place in range(3)]


@pytest.mark.parametrize('name', NAMES)
def test_initial_weights(name):
    """darknet's: normal, variance 2 / fan in; biases of 0."""
    mx.random.seed(1)
    net = gluonzoo.get_model(name)
    net.initialize()
    for layer in layers(net, nn.Conv2D):
        weight = layer.weight.data().asnumpy()
        assert weight.std() == pytest.approx((2 / np.prod(weight.shape[1:])) ** .5, rel=.12)   # some have 288 numbers
        assert layer.bias is None or not layer.bias.data().asnumpy().any()


def test_settings():
    anchors = [[[w, w + .5] for w in row] for row in ([70, 80, 90], [40, 50, 60], [1, 2, 3])]
    net = gluonzoo.get_model('yolo3_darknet53', classes=3, anchors=anchors, mean=[1, 2, 3], std=[4, 5, 6], width=.25,
                             depths=[0] * 5)
    assert net.anchors[2] == ((1, 1.5), (2, 2.5), (3, 3.5)) and hash(net.anchors)   # tuples throughout
    assert (net.classes, net.mean, net.std, net.strides, net.input_size) == (3, (1, 2, 3), (4, 5, 6), (32, 16, 8), 416)
    assert [layer.weight.shape[:2] for layer in layers(net.scales, nn.Conv2D)][-1] == (24, 64)   # a quarter of 256
    net = gluonzoo.get_model('yolo3_mobilenet1_0')
    assert net.anchors == ANCHORS and net.anchors[0] == ((116, 90), (156, 198), (373, 326))
    assert (net.classes, net.mean, net.std) == (80, (0, 0, 0), (255, 255, 255))
    with pytest.raises(ValueError, match="unknown argument 'activation'"):
        gluonzoo.get_model('yolo3_mobilenet1_0', activation='mish')


def changed(place, value):
    anchors = [[list(anchor) for anchor in scale] for scale in ANCHORS]
    scale, anchor = place
    anchors[scale][anchor] = value
    return anchors


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.parametrize('anchors', [
    ANCHORS[:2], (*ANCHORS, ANCHORS[0]), [ANCHORS[0], ANCHORS[1], ANCHORS[2][:2]], [], None, 3, 'anchors',
    [10, 13, 16, 30, 33, 23], changed((1, 2), [0, 5]), changed((1, 2), [5, -5]), changed((0, 0), [5, float('inf')]),
    changed((2, 1), [float('nan'), 5]), changed((2, 1), [5, 5, 5]), changed((2, 1), 5), changed((2, 1), ['5', 5]),
    changed((0, 1), [True, 5]), changed((0, 1), [10 ** 400, 5])])
def test_wrong_anchors(name, anchors):
    with pytest.raises(ValueError, match=r'anchors: must be three lists, for strides 32, 16 and 8, of three anchors '
                                         r'\[width, height\], each a number from 0.001 to 65500: ') as raised:
        gluonzoo.get_model(name, anchors=anchors)
    assert '\n' not in str(raised.value) and len(str(raised.value)) < 300


@pytest.mark.parametrize('arguments, words', [
    ({'classes': 0}, 'classes: must be a whole number from 1 to 1000000: 0'),
    ({'activation': 'swish'}, "activation: must be 'leaky' or 'mish': 'swish'"),
    ({'std': (1, 0, 1)}, 'std: must be a list of three numbers above 0'),
    ({'width': float('nan')}, 'width: must be a number from')])
def test_wrong_arguments(arguments, words):
    with pytest.raises(ValueError, match=words):
        gluonzoo.get_model('yolo3_darknet53', **arguments)
