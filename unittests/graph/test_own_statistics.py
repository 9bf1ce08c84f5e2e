"""A network that normalises each picture by itself, beside the network in training mode and beside NumPy."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd
from mxnet.gluon import nn

from gluonzoo.graph.own_statistics import by_own_statistics


@pytest.fixture
def net():
    mx.random.seed(3)
    net = nn.HybridSequential()
    net.add(nn.Conv2D(4, 3, in_channels=2), nn.BatchNorm(in_channels=4, gamma_initializer=mx.init.Normal(1)),
            nn.Activation('relu'), nn.Dropout(0), nn.Conv2D(3, 3, in_channels=4),
            nn.BatchNorm(in_channels=3, epsilon=.1))
    net.initialize(mx.init.Normal(.3))
    return net


def test_each_picture_as_if_it_were_alone(net):
    x = mx.nd.random.normal(1, 3, (3, 2, 9, 8))
    y = by_own_statistics(net)(x).asnumpy()
    with autograd.train_mode():
        alone = [net(x[i:i + 1]).asnumpy()[0] for i in range(3)]
        together = net(x).asnumpy()
    np.testing.assert_allclose(y, alone, rtol=1e-4, atol=1e-5)
    assert np.abs(y - together).max() > .1


def test_one_normalisation_by_hand():
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta"""
    net = nn.BatchNorm(in_channels=1, epsilon=2)
    net.initialize()
    net.gamma.set_data(mx.nd.array([3]))
    net.beta.set_data(mx.nd.array([10]))
    x = mx.nd.array([[[[1, 3]]], [[[-7, -3]]]])   # means 2 and -5, variances 1 and 4
    y = by_own_statistics(net)(x).asnumpy()
    a, b = 3 / 3 ** .5, 6 / 6 ** .5
    np.testing.assert_allclose(y.ravel(), [10 - a, 10 + a, 10 - b, 10 + b], rtol=1e-6)


def test_neither_mode_nor_running_statistics_nor_dropout_matter(net):
    net[3]._rate = .5
    x = mx.nd.random.normal(shape=(2, 2, 9, 8))
    own = by_own_statistics(net)
    before = own(x).asnumpy()
    for parameter in net.collect_params('.*running_.*').values():
        parameter.set_data(parameter.data() + 5)
    with autograd.train_mode():
        np.testing.assert_array_equal(own(x).asnumpy(), before)
    with autograd.train_mode():
        first, second = net(x).asnumpy(), net(x).asnumpy()
    assert np.abs(first - second).max() > .1   # the network itself has its dropout


def test_parameters_are_shared(net):
    own = by_own_statistics(net)
    names = {name for name in net.collect_params() if 'running' not in name}
    assert set(own.collect_params()) >= names
    assert all(own.collect_params()[name] is net.collect_params()[name] for name in names)
    x = mx.nd.random.normal(shape=(1, 2, 9, 8))
    before = own(x).asnumpy()
    net[5].beta.set_data(net[5].beta.data() + 2)
    np.testing.assert_allclose(own(x).asnumpy(), before + 2, atol=1e-5)
