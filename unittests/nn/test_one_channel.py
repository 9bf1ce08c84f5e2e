"""Convolutions to one channel, transposed and not, beside those of MXNet: its own, and its other way for float64."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluonzoo.nn.one_channel import OneChannelConv, OneChannelDeconv


@pytest.mark.parametrize('bias', [True, False])
@pytest.mark.parametrize('shape, kernel, padding', [
    ((2, 5, 7, 6), 4, 1), ((1, 1, 3, 3), 3, 0), ((2, 32, 8, 9), (4, 3), (2, 1)), ((1, 3, 5, 5), 1, 0)])
def test_values(shape, kernel, padding, bias):
    net = OneChannelConv(kernel, padding, in_channels=shape[1], use_bias=bias, bias_initializer='ones')
    net.initialize(mx.init.Normal(1))
    x = mx.nd.random.normal(shape=shape)
    pair = [value if isinstance(value, tuple) else (value, value) for value in (kernel, padding)]
    expected = mx.nd.Convolution(x, net.weight.data(), kernel=pair[0], pad=pair[1], num_filter=1, no_bias=True)
    np.testing.assert_allclose(net(x).asnumpy(), (expected + bias).asnumpy(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('bias', [True, False])
@pytest.mark.parametrize('kernel, more', [(4, {'pad': (1, 1)}), (5, {'pad': (2, 2), 'adj': (1, 1)})])
@pytest.mark.parametrize('shape', [(2, 5, 3, 4), (1, 1, 1, 1), (2, 32, 8, 8)])
def test_values_of_the_transposed(shape, kernel, more, bias):
    net = OneChannelDeconv(kernel, in_channels=shape[1], use_bias=bias, bias_initializer='ones')
    net.initialize(mx.init.Normal(1))
    x = mx.nd.random.normal(shape=shape)
    expected = mx.nd.Deconvolution(x, net.weight.data(), kernel=(kernel, kernel), stride=(2, 2), num_filter=1, **more)
    np.testing.assert_allclose(net(x).asnumpy(), (expected + bias).asnumpy(), rtol=1e-4, atol=1e-4)


KERNEL = {'kernel': (4, 4), 'pad': (1, 1), 'num_filter': 1, 'no_bias': False}
WIDER = {**KERNEL, 'kernel': (5, 5), 'pad': (2, 2), 'adj': (1, 1)}


@pytest.mark.parametrize('hybrid', [False, True], ids=['imperative', 'hybrid'])
@pytest.mark.parametrize('make, own, shape', [
    (lambda **options: OneChannelConv(4, 1, **options), lambda *arrays: mx.nd.Convolution(*arrays, **KERNEL), (5, 4)),
    # Of 32 channels MXNet's own raises an error, but for float64.
    (OneChannelDeconv, lambda *arrays: mx.nd.Deconvolution(*arrays, stride=(2, 2), **KERNEL), (12, 10)),
    (lambda **options: OneChannelDeconv(5, **options),
     lambda *arrays: mx.nd.Deconvolution(*arrays, stride=(2, 2), **WIDER), (12, 10))])
def test_gradients(make, own, shape, hybrid):
    net = make(in_channels=32)
    net.initialize(mx.init.Normal(1))
    if hybrid:
        net.hybridize(static_alloc=True)
    x, head = mx.nd.random.normal(shape=(2, 32, 6, 5)), mx.nd.random.normal(shape=(2, 1, *shape))
    x.attach_grad()
    with autograd.record():
        y = net(x)
    y.backward(head)
    twins = [a.astype('float64') for a in (x, net.weight.data(), net.bias.data())]
    for array in twins:
        array.attach_grad()
    with autograd.record():
        y = own(*twins)
    y.backward(head.astype('float64'))
    for gradient, twin in zip((x.grad, net.weight.grad(), net.bias.grad()), twins):
        np.testing.assert_allclose(gradient.asnumpy(), twin.grad.asnumpy(), rtol=1e-4, atol=1e-4)
