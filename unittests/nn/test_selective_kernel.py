"""A selective kernel by hand, and what its two branches see."""
import mxnet as mx
import numpy as np
import pytest
from float32_checks import check_float32_is_float64
from mxnet import initializer
from mxnet.gluon import nn

from gluonzoo.nn.selective_kernel import SelectiveKernel


def made(*args, **keywords):
    net = SelectiveKernel(*args, **keywords)
    net.initialize()
    return net


def test_by_hand():
    """Two channels of 2 x 2 pixels; kernels that multiply, and layers that prefer the first channel's near branch."""
    net = made(2, 2, 1, groups=2, hidden_norm=False)
    for branch, factors in ((net.near, (1, 2)), (net.far, (3, -1))):
        weight = np.zeros((2, 1, 3, 3))
        weight[:, 0, 1, 1] = factors
        branch[0].weight.set_data(mx.nd.array(weight))
        branch[1].running_var.set_data(mx.nd.ones(2) - 1e-5)
    net.squeeze.weight.set_data(mx.nd.array([[[[.5]], [[1]]]]))
    net.choose.weight.set_data(mx.nd.array([1, .2, 0, .1]).reshape((4, 1, 1, 1)))
    x = np.array([[[[1, 2], [3, 4]], [[0, 1], [0, 3]]]], 'float32')
    # Branches: near x, 2x; far 3x, and 0 after the ReLU. Means of their sums: 4 * 2.5 and 2 * 1. Hidden: 7.
    share = [1 / (1 + np.exp(-(7 * 1 - 7 * 0))), 1 / (1 + np.exp(-(7 * .2 - 7 * .1)))]
    wanted = np.stack([share[0] * x[:, 0] + (1 - share[0]) * 3 * x[:, 0], share[1] * 2 * x[:, 1]], 1)
    np.testing.assert_allclose(net(mx.nd.array(x)).asnumpy(), wanted, rtol=1e-5)


def test_every_image_and_channel_chooses_by_itself():
    net = made(4, 4, 3, groups=2)
    x = mx.nd.random.normal(shape=(3, 4, 5, 6))
    together = net(x).asnumpy()
    for number in range(3):
        np.testing.assert_allclose(net(x[number:number + 1]).asnumpy(), together[number:number + 1], atol=1e-6)
    near, far = net.near(x).asnumpy(), net.far(x).asnumpy()
    shares = np.where(abs(near - far) > .1, (together - far) / np.where(near == far, 1, near - far), np.nan)
    assert (np.nanmax(shares, (2, 3)) - np.nanmin(shares, (2, 3))).max() < 1e-4   # one number a map
    assert len(np.unique(np.nanmean(shares, (2, 3)).round(4))) == 12
    assert 0 < np.nanmin(shares) and np.nanmax(shares) < 1


@pytest.mark.parametrize('stride', [1, 2])
def test_what_branches_see(stride):
    """One lit pixel in the middle reaches 3 x 3 places, and with dilation every second of 5 x 5."""
    net = made(1, 1, 1, stride, groups=1)
    x = np.zeros((1, 1, 9, 9))
    x[0, 0, 4, 4] = 1
    for branch, places in ((net.near, (3, 4, 5)), (net.far, (2, 4, 6))):
        branch[0].weight.set_data(mx.nd.ones((1, 1, 3, 3)))
        wanted = np.zeros((9, 9))
        wanted[np.ix_(places, places)] = 1
        assert np.array_equal(branch(mx.nd.array(x)).asnumpy()[0, 0] > .5, wanted[::stride, ::stride])
    for height, width in ((1, 1), (4, 7)):
        assert net(mx.nd.ones((2, 1, height, width))).shape == (2, 1, -(-height // stride), -(-width // stride))


def test_layers():
    net = made(6, 12, 5, groups=3, momentum=.7, kernel_initializer=initializer.Constant(3),
               choice_initializer=initializer.Constant(2))
    assert net.near[0].weight.shape == net.far[0].weight.shape == (12, 2, 3, 3)
    assert net.squeeze[0].weight.shape == (5, 12, 1, 1) and net.choose.weight.shape == (24, 5, 1, 1)
    assert all((layer.weight.data() == value).asnumpy().all() and layer.bias is None
               for layer, value in ((net.near[0], 3), (net.far[0], 3), (net.squeeze[0], 2), (net.choose, 2)))
    norms = [net.near[1], net.far[1], net.squeeze[1]]
    assert all(norm._kwargs['momentum'] == .7 for norm in norms)
    assert [type(layer) for layer in net.squeeze] == [nn.Conv2D, nn.BatchNorm, nn.Activation]
    assert isinstance(made(6, 12, 5, groups=3, hidden_norm=False).squeeze, nn.Conv2D)


def test_training_on_one_image():
    """The hidden normalisation has one number of each unit then: gradients are finite."""
    net = made(2, 2, 3, groups=1)
    x = mx.nd.random.normal(shape=(1, 2, 4, 4))
    with mx.autograd.record():
        y = net(x)
    y.backward()
    assert np.isfinite(y.asnumpy()).all()
    assert all(np.isfinite(p.grad().asnumpy()).all() for p in net.collect_params().values() if p.grad_req != 'null')
    assert net.near[0].weight.grad().asnumpy().any()


@pytest.mark.parametrize('channels', [4, 12, 16, 24, 32])
def test_gradient_in_float32_is_that_in_float64(channels):
    """oneDNN computes only float32, and not every number of channels fills its blocks."""
    check_float32_is_float64(made(channels, channels, 5, groups=4), (3, channels, 9, 7), 2e-4)
