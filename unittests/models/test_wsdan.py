"""WS-DAN's sizes, outputs, variants and arguments."""
import mxnet as mx
import numpy as np
import pytest
from network_size import multiply_adds, output_shapes, parameters

from gluonzoo.graph.fuse import for_inference
from gluonzoo.nn.bilinear_attention_pooling import sketch_groups, sketch_signs
from gluonzoo.registry import get_model

SMALL = {'classes': 5, 'maps': 4}


@pytest.mark.parametrize('name, keywords, count, length, cells', [
    ('wsdan_inception_v3', {}, 13_905_696, 24_576, 26),
    ('wsdan_inception_v3', {'variant': 'official'}, 13_905_696 + 200, 24_576, 26),
    ('wsdan_inception_v3', {'end': 'mixed_7c', 'classes': 120}, 29_715_488 - 65_600, 65_536, 12),   # see deviation 2
    ('wsdan_resnet50', {}, 36_680_832, 65_536, 14),
    ('wsdan_resnet50', {'pooling': 'compact'}, 36_680_832 - 200 * (65_536 - 8192), 8192, 14),
    ('wsdan_resnet34', {}, 24_585_472, 16_384, 14),
    ('wsdan_vgg19_bn', {}, 23_328_640, 16_384, 14)])
def test_size(name, keywords, count, length, cells):
    net = get_model(name, **keywords)
    assert parameters(net) == count
    assert (net.feature_length, net.input_size, net.maps) == (length, 448, 32)
    assert output_shapes(net, (2, 3, 448, 448)) == [(2, net.classes), (2, length), (2, 32, cells, cells)]


@pytest.mark.parametrize('name, macs', [('wsdan_inception_v3', 10_918_218_080), ('wsdan_resnet50', 16_374_497_280),
                                        ('wsdan_resnet34', 14_659_485_696), ('wsdan_vgg19_bn', 78_040_203_264)])
def test_multiply_adds(name, macs):
    assert multiply_adds(get_model(name), (1, 3, 448, 448)) == macs


def test_cifar_resnet20():
    net = get_model('wsdan_cifar_resnet20')
    assert parameters(net) == 680_784 and net.input_size == 96
    assert output_shapes(net, (1, 3, 96, 96)) == [(1, 200), (1, 2048), (1, 32, 12, 12)]
    assert get_model('wsdan_cifar_resnet20', pooling='compact').feature_length == 512


@pytest.mark.parametrize('keywords', [{}, {'pooling': 'compact', 'sketch': 64}])
def test_outputs(keywords):
    """The same three, whatever the mode; the feature has length 1, and 100 times of it is classified."""
    net = get_model('wsdan_cifar_resnet20', **SMALL, **keywords)
    net.initialize()
    x = mx.nd.random.normal(shape=(2, 3, 32, 40))
    logits, feature, attention = (y.asnumpy() for y in net(x))
    assert [y.shape for y in (logits, feature, attention)] == [(2, 5), (2, net.feature_length), (2, 4, 4, 5)]
    np.testing.assert_allclose((feature ** 2).sum(1), 1, rtol=1e-5)
    np.testing.assert_allclose(logits, 100 * feature @ net.output.weight.data().asnumpy().T, rtol=1e-4, atol=1e-5)
    assert attention.min() == 0 < attention.max()
    with mx.autograd.record():
        assert [y.shape for y in net(x)] == [(2, 5), (2, net.feature_length), (2, 4, 4, 5)]


def test_official_has_a_bias():
    nets = [get_model('wsdan_inception_v3', **SMALL, variant=variant) for variant in ('guyuc', 'official')]
    assert [net.output.bias is not None for net in nets] == [False, True]
    assert [net.variant for net in nets] == ['guyuc', 'official']


def test_dogs_attend_with_the_first_channels():
    net = get_model('wsdan_inception_v3', **SMALL, end='mixed_7c')
    net.initialize()
    x = mx.nd.random.normal(shape=(1, 3, 107, 139))
    np.testing.assert_array_equal(net(x)[2].asnumpy(), net.features(x)[:, :4].asnumpy())


def test_attention_of_nothing():
    """Attention that is 0 everywhere: the vector is 0, every logit is the bias, and all gradients are finite."""
    net = get_model('wsdan_cifar_resnet20', **SMALL)
    net.initialize()
    net.hybridize(static_alloc=True)
    x = mx.nd.random.normal(shape=(2, 3, 24, 24))
    net.attention[1].beta.set_data(mx.nd.full((4,), -1e6))
    with mx.autograd.record():
        logits, feature, attention = net(x)
        loss = (logits * mx.nd.random.normal(shape=logits.shape)).sum() + (feature - 1).square().sum()
    loss.backward()
    assert not attention.asnumpy().any() and not feature.asnumpy().any() and not logits.asnumpy().any()
    assert all(np.isfinite(p.grad().asnumpy()).all() for p in net.collect_params().values() if p.grad_req != 'null')


@pytest.mark.parametrize('keywords', [{}, {'pooling': 'compact', 'sketch': 16}])
def test_one_map_of_one_picture(keywords):
    net = get_model('wsdan_cifar_resnet20', classes=2, maps=1, **keywords)
    net.initialize()
    net.hybridize(static_alloc=True)
    with mx.autograd.record():
        logits, feature, attention = net(mx.nd.random.normal(shape=(1, 3, 24, 24)))
        loss = (logits * mx.nd.array([[1, -2]])).sum()
    loss.backward()
    assert (feature.shape, attention.shape) == ((1, net.feature_length), (1, 1, 3, 3))
    gradients = [p.grad().asnumpy() for p in net.collect_params().values() if p.grad_req != 'null']
    assert all(np.isfinite(gradient).all() and gradient.any() for gradient in gradients)


@pytest.mark.filterwarnings('ignore:Cannot decide type')
@pytest.mark.parametrize('name, keywords, shape', [
    ('wsdan_cifar_resnet20', {'pooling': 'compact', 'sketch': 64}, (1, 3, 24, 31)),
    ('wsdan_inception_v3', {'end': 'mixed_7c'}, (1, 3, 107, 75)),
    ('wsdan_inception_v3', {'variant': 'official'}, (1, 3, 75, 107))])
def test_what_leaves_mxnet(name, keywords, shape, tmp_path):
    """Symbol, ONNX and the copy for inference of what test_every_model.py does not make."""
    onnxruntime = pytest.importorskip('onnxruntime')
    from gluonzoo.export import to_onnx
    net = get_model(name, **SMALL, **keywords)
    mx.random.seed(3)
    net.initialize()
    x = mx.nd.random.normal(shape=shape)
    wanted = [y.asnumpy() for y in net(x)]
    net.hybridize(static_alloc=True, static_shape=True)
    net(x)
    net.export(str(tmp_path / 'net'))
    copy = mx.gluon.SymbolBlock.imports(str(tmp_path / 'net-symbol.json'), ['data'], str(tmp_path / 'net-0000.params'))
    assert max(to_onnx(net, tmp_path / 'net.onnx', {'image': shape}, dynamic=['batch', 'size']).values()) < 1e-4
    session = onnxruntime.InferenceSession(str(tmp_path / 'net.onnx'), providers=['CPUExecutionProvider'])
    for found in (copy(x), for_inference(net, x)(x), session.run(None, {'image': x.asnumpy()})):
        for y, want in zip(found, wanted):
            y = y if isinstance(y, np.ndarray) else y.asnumpy()
            np.testing.assert_allclose(y, want, rtol=0, atol=1e-4 * max(1, abs(want).max()))


def test_sketch_is_fixed():
    """No seed changes it, it is no part of what is trained, and it is in the saved weights."""
    net = get_model('wsdan_cifar_resnet20', **SMALL, pooling='compact', sketch=64)
    mx.random.seed(5)
    net.initialize(mx.init.Zero(), force_reinit=True)
    parameters = net._collect_params_with_prefix()
    for name, wanted in (('signs', sketch_signs(4, 64)[None]), ('groups', sketch_groups(64, 16))):
        np.testing.assert_array_equal(parameters[f'pooling.{name}'].data().asnumpy(), wanted)
        assert parameters[f'pooling.{name}'].grad_req == 'null'


@pytest.mark.parametrize('name, keywords, message', [
    ('wsdan_resnet50', {'variant': 'official'}, "'guyuc' ('official' is of wsdan_inception_v3 alone): 'official'"),
    ('wsdan_inception_v3', {'variant': 'paper'}, "variant: must be 'guyuc' or 'official': 'paper'"),
    ('wsdan_inception_v3', {'end': 'mixed_6a'}, "end: must be 'mixed_6e' or 'mixed_7c': 'mixed_6a'"),
    ('wsdan_inception_v3', {'end': 'mixed_7c', 'maps': 2049}, 'maps: must be at most 2048, the channels'),
    ('wsdan_resnet34', {'pooling': 'fft'}, "pooling: must be 'exact' or 'compact': 'fft'"),
    ('wsdan_resnet34', {'maps': 0}, 'maps: must be a whole number from 1 to 1000000: 0'),
    ('wsdan_resnet34', {'pooling': 'compact', 'maps': 7}, 'sketch: must be a multiple of maps (7), up to 7 maps * 512 '
                                                          'channels = 3584: 8192'),
    ('wsdan_cifar_resnet20', {'std': (1, 1, 0)}, 'std: must be a list of three numbers above 0')])
def test_arguments(name, keywords, message):
    with pytest.raises(ValueError) as error:
        get_model(name, **keywords)
    assert message in str(error.value) and '\n' not in str(error.value)
