"""A transposed convolution to one channel, beside those of MXNet: its own, and its other way for float64."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluonzoo.nn.deconv import OneChannelDeconv


@pytest.mark.parametrize('bias', [True, False])
@pytest.mark.parametrize('shape', [(2, 5, 3, 4), (1, 1, 1, 1), (2, 32, 8, 8)])
def test_values(shape, bias):
    net = OneChannelDeconv(1, 4, 2, 1, in_channels=shape[1], use_bias=bias, bias_initializer='ones')
    net.initialize(mx.init.Normal(1))
    x = mx.nd.random.normal(shape=shape)
    expected = mx.nd.Deconvolution(x, net.weight.data(), kernel=(4, 4), stride=(2, 2), pad=(1, 1), num_filter=1)
    np.testing.assert_allclose(net(x).asnumpy(), (expected + bias).asnumpy(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('hybrid', [False, True], ids=['imperative', 'hybrid'])
def test_gradients(hybrid):
    """Of 32 channels: MXNet's own raises an error."""
    net = OneChannelDeconv(1, 4, 2, 1, in_channels=32)
    net.initialize(mx.init.Normal(1))
    if hybrid:
        net.hybridize(static_alloc=True)
    x, head = mx.nd.random.normal(shape=(2, 32, 6, 5)), mx.nd.random.normal(shape=(2, 1, 12, 10))
    x.attach_grad()
    with autograd.record():
        y = net(x)
    y.backward(head)
    own = [a.astype('float64') for a in (x, net.weight.data(), net.bias.data())]
    for array in own:
        array.attach_grad()
    with autograd.record():
        y = mx.nd.Deconvolution(*own, kernel=(4, 4), stride=(2, 2), pad=(1, 1), num_filter=1, no_bias=False)
    y.backward(head.astype('float64'))
    for gradient, twin in zip((x.grad, net.weight.grad(), net.bias.grad()), own):
        np.testing.assert_allclose(gradient.asnumpy(), twin.grad.asnumpy(), rtol=1e-4, atol=1e-4)
