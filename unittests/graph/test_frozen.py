"""A frozen network beside the network itself."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd
from mxnet.gluon import nn

from gluonzoo.graph.frozen import Frozen


@pytest.fixture
def net():
    mx.random.seed(3)
    net = nn.HybridSequential()
    net.add(nn.Conv2D(16, 3, 1, 1, in_channels=2), nn.BatchNorm(in_channels=16), nn.LeakyReLU(.2),
            nn.Conv2D(1, 3, in_channels=16))
    net.initialize(mx.init.Normal(.3))
    return net


def learn(function, x):
    """(output, gradient of the input) of a pass in training mode."""
    x = x.copy()
    x.attach_grad()
    with autograd.record():
        y = function(x)
    y.backward(y.sign())
    return y.asnumpy(), x.grad.asnumpy()


def values(net, what='data'):
    return {name: getattr(parameter, what)().asnumpy() for name, parameter in net._collect_params_with_prefix().items()
            if what == 'data' or parameter.grad_req != 'null'}


@pytest.mark.parametrize('static_alloc', [True, False])
@pytest.mark.parametrize('hybrid', [False, True])
def test_gradients_pass_and_leave_none(net, hybrid, static_alloc):
    if hybrid:
        net.hybridize(static_alloc=True)
    frozen = Frozen(net, static_alloc)
    x, other = mx.nd.random.normal(shape=(2, 2, 6, 7)), mx.nd.random.normal(shape=(2, 2, 6, 7))
    own = learn(net, x)
    before = values(net, 'grad')
    for _ in range(2):
        learn(frozen, other)
        for name, gradient in values(net, 'grad').items():
            np.testing.assert_array_equal(gradient, before[name], name)
        for array, twin in zip(learn(frozen, x), own):
            np.testing.assert_allclose(array, twin, rtol=1e-5, atol=1e-6)


def test_running_statistics_and_updates_are_shared(net):
    frozen = Frozen(net)
    x = mx.nd.random.normal(2, shape=(2, 2, 6, 7))
    before = values(net)
    learn(frozen, x)
    after = values(net)
    assert {name for name in before if (before[name] != after[name]).any()} == {'1.running_mean', '1.running_var'}
    net[0].weight.set_data(net[0].weight.data() * 3)
    np.testing.assert_allclose(frozen(x).asnumpy(), net(x).asnumpy(), rtol=1e-5, atol=1e-6)


def test_two_passes_at_a_time(net):
    frozen = Frozen(net)
    x = mx.nd.random.normal(shape=(2, 2, 6, 7))
    _, expected = learn(frozen, x)
    x.attach_grad()
    with autograd.record():
        first, second = frozen(x), frozen(x)
        both = first + second
    both.backward(first.sign())
    np.testing.assert_allclose(x.grad.asnumpy(), 2 * expected, rtol=1e-4, atol=1e-5)
