"""The residual networks for CIFAR-10: published sizes, shortcuts by hand, and how they start."""
import mxnet as mx
import numpy as np
import pytest
from float32_checks import check_float32_is_float64
from mxnet.gluon import nn
from network_layers import biases, layers
from network_size import multiply_adds, output_shapes, parameters

from gluonzoo.models.cifar_resnet import CIFARResNet, ResidualBlock, ZeroChannels
from gluonzoo.nn.selective_kernel import SelectiveKernel
from gluonzoo.registry import get_model

# Depth, parameters with shortcuts A and B, millions of multiply-adds with A.
SIZES = [(20, 269_722, 272_474, 40.55), (32, 464_154, 466_906, 68.86), (44, 658_586, 661_338, 97.17),
         (56, 853_018, 855_770, 125.49), (110, 1_727_962, 1_730_714, 252.89)]
PROJECTIONS = (16 * 32 * 16 ** 2 + 32 * 64 * 8 ** 2) / 1e6   # multiply-adds


@pytest.mark.parametrize('depth, a, b, millions', SIZES)
def test_published_size(depth, a, b, millions):
    for name, keywords, count, more in ((f'cifar_resnet{depth}', {}, a, 0),
                                        (f'cifar_resnet{depth}', {'shortcut': 'B'}, b, PROJECTIONS),
                                        (f'cifar_resnet{depth}d', {}, b, PROJECTIONS)):
        net = get_model(name, **keywords)
        assert parameters(net) == count
        assert multiply_adds(net, (1, 3, 32, 32)) / 1e6 == pytest.approx(millions + more, abs=.005)
        assert output_shapes(net, (2, 3, 32, 32)) == [(2, 10)]
        convolutions = [layer for layer in layers(net, nn.Conv2D) if layer.weight.shape[2:] == (3, 3)]
        assert len(convolutions) == depth - 1   # and the last layer


def test_size_with_selective_kernels():
    """The public code's, and with the normalisation of 30 times 32 hidden units as in the paper."""
    net = get_model('cifar_resnet32_sk')
    assert parameters(net) == 175_706
    # By hand: two 3x3 branches of 16 groups, and two layers of 32 hidden units; and stem, projections and last layer.
    kernels = [(c_in, c, side) for c_in, c, side, count in ((16, 16, 32, 10), (16, 32, 16, 1), (32, 32, 16, 9),
                                                            (32, 64, 8, 1), (64, 64, 8, 9)) for _ in range(count)]
    assert multiply_adds(net, (1, 3, 32, 32)) == sum(
        2 * 9 * c_in // 16 * c * side ** 2 + 3 * 32 * c for c_in, c, side in kernels
    ) + 27 * 16 * 32 ** 2 + 1e6 * PROJECTIONS + 640
    assert parameters(get_model('cifar_resnet32_sk', hidden_norm=True)) == 175_706 + 30 * 2 * 32
    assert not any(biases(net))


@pytest.mark.parametrize('name, least', [('cifar_resnet20', 1), ('cifar_resnet20d', 3), ('cifar_resnet32_sk', 1)])
def test_any_size(name, least):
    net = get_model(name, classes=7)
    for height, width in ((least, least), (32, 32), (33, 45), (224, 224)):
        assert output_shapes(net, (1, 3, height, width)) == [(1, 7)]


def test_a_stem_of_stride_2_takes_larger_pictures():
    """The same layers, at a quarter of the work."""
    plain, halved = get_model('cifar_resnet20'), get_model('cifar_resnet20', stem_stride=2)
    assert parameters(halved) == parameters(plain)
    shape = 1, 3, 64, 64
    assert multiply_adds(halved, shape) == pytest.approx(multiply_adds(plain, shape) / 4, rel=.001)
    with pytest.raises(ValueError, match='stem_stride: must be 1 or 2: 3'):
        get_model('cifar_resnet20', stem_stride=3)


def test_settings():
    net = get_model('cifar_resnet20', classes=7)
    assert (net.classes, net.input_size) == (7, 32)
    assert net.mean == pytest.approx((125.205, 122.91, 113.985)) and net.std == pytest.approx((62.985, 61.965, 66.81))
    with pytest.raises(ValueError, match="shortcut: must be 'A' or 'B': 'D'"):
        get_model('cifar_resnet20', shortcut='D')
    with pytest.raises(ValueError, match="unknown argument 'shortcut'"):
        get_model('cifar_resnet20d', shortcut='A')
    for depth in (0, 2, 21):
        with pytest.raises(ValueError, match=f'depth: must be 2 more than a multiple of 6: {depth}'):
            CIFARResNet(depth)


@pytest.mark.parametrize('name', ['cifar_resnet110', 'cifar_resnet110d', 'cifar_resnet32_sk'])
def test_initial_weights(name):
    """Convolutions are normal with the variance 2 / fan out; normalisations are the identity."""
    mx.random.seed(1)
    net = get_model(name)
    net.initialize()
    choosing = [id(layer) for kernel in layers(net, SelectiveKernel) for layer in (kernel.squeeze, kernel.choose)]
    weights = [layer.weight.data().asnumpy() for layer in layers(net, nn.Conv2D) if id(layer) not in choosing]
    scaled = [weight.ravel() * (weight.shape[0] * weight[0, 0].size / 2) ** .5 for weight in weights]
    assert len(scaled) >= 2 * 30 + 3
    values = np.concatenate(scaled)
    assert values.std() == pytest.approx(1, abs=.02) and abs(values.mean()) < .02
    assert (abs(values) < 1).mean() == pytest.approx(.6827, abs=.01)   # not uniform
    assert .11 < abs(net.output.weight.data().asnumpy()).max() <= .125   # uniform in +-1 / sqrt(64)
    for layer in layers(net, nn.BatchNorm):
        assert (layer.gamma.data() == 1).asnumpy().all() and (layer.beta.data() == 0).asnumpy().all()
        assert (layer._kwargs['eps'], layer._kwargs['momentum']) == (1e-5, .9)


@pytest.mark.parametrize('name', ['cifar_resnet20', 'cifar_resnet20d', 'cifar_resnet32_sk'])
def test_zero_gamma_makes_blocks_their_shortcuts(name):
    net = get_model(name, zero_gamma=True)
    net.initialize()
    blocks = layers(net, ResidualBlock)
    x = mx.nd.random.normal(shape=(2, 3, 8, 8))
    with mx.autograd.record():
        x = net.stem(x)
        for block in blocks:
            wanted = mx.nd.relu(block.shortcut(x))
            x = block(x)
            assert np.array_equal(x.asnumpy(), wanted.asnumpy())
    zeros = [layer for layer in layers(net, nn.BatchNorm) if not layer.gamma.data().asnumpy().any()]
    assert zeros == [block.bn2 for block in blocks]
    assert not any(layer.beta.data().asnumpy().any() for layer in layers(net, nn.BatchNorm))


def start(block, *shape):
    block.initialize()
    return mx.nd.array(np.arange(np.prod(shape)).reshape(shape))


def test_shortcut_a():
    """Every second pixel, between as many zeros as there were channels; and its gradient."""
    shortcut = ResidualBlock(4, 8, 2, 'A').shortcut
    x = start(shortcut, 2, 4, 3, 4)
    x.attach_grad()
    with mx.autograd.record():
        y = shortcut(x)
    wanted = np.zeros((2, 8, 2, 2))
    wanted[:, 2:6] = x.asnumpy()[:, :, ::2, ::2]
    assert np.array_equal(y.asnumpy(), wanted)
    y.backward(y + 1)
    gradient = np.zeros(x.shape)
    gradient[:, :, ::2, ::2] = x.asnumpy()[:, :, ::2, ::2] + 1
    assert np.array_equal(x.grad.asnumpy(), gradient)


def test_shortcut_b():
    shortcut = ResidualBlock(1, 2, 2, 'B').shortcut
    x = start(shortcut, 1, 1, 3, 3)
    shortcut[0].weight.set_data(mx.nd.array([2, -1]).reshape((2, 1, 1, 1)))
    assert shortcut(x).asnumpy().tolist() == [[pytest.approx(np.array([[0, 4], [12, 16]]), rel=1e-4),
                                               pytest.approx(np.array([[0, -2], [-6, -8]]), rel=1e-4)]]


def test_shortcut_d():
    """The mean of 2 x 2 pixels; at an odd edge, of those that there are."""
    shortcut = ResidualBlock(1, 2, 2, 'D').shortcut
    x = start(shortcut, 1, 1, 3, 3)
    shortcut[1].weight.set_data(mx.nd.array([1, -1]).reshape((2, 1, 1, 1)))
    assert shortcut(x).asnumpy().tolist() == [[pytest.approx(np.array([[2, 3.5], [6.5, 8]]), rel=1e-4),
                                               pytest.approx(-np.array([[2, 3.5], [6.5, 8]]), rel=1e-4)]]


def test_block():
    """relu(shortcut + bn2(conv2(relu(bn1(conv1)))))"""
    block = ResidualBlock(2, 2)
    block.initialize()
    x = mx.nd.random.normal(shape=(1, 2, 4, 5))
    inside = block.conv2(mx.nd.relu(block.conv1(x) / np.sqrt(1 + 1e-5))) / np.sqrt(1 + 1e-5)
    np.testing.assert_allclose(block(x).asnumpy(), np.maximum((x + inside).asnumpy(), 0), atol=1e-5)
    assert not len(block.shortcut)


@pytest.mark.parametrize('channels', [2, 8, 16, 32])
@pytest.mark.parametrize('shortcut', 'ABD')
def test_gradient_in_float32_is_that_in_float64(shortcut, channels):
    """oneDNN computes only float32, and the zeros do not fill its blocks."""
    net = ResidualBlock(channels, 2 * channels, 2, shortcut)
    net.initialize()
    check_float32_is_float64(net, (2, channels, 9, 7))


def test_zeros_keep_the_channels_in_their_order():
    x = mx.nd.random.normal(shape=(1, 6, 2, 2))
    y = ZeroChannels(6)(x)
    assert np.array_equal(y[:, 3:9].asnumpy(), x.asnumpy())
    assert not y[:, :3].asnumpy().any() and not y[:, 9:].asnumpy().any() and y.shape == (1, 12, 2, 2)
