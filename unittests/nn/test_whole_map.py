"""Convolutions whose kernel is the whole map, beside MXNet's own."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluonzoo.nn.whole_map import WholeMapConv, WholeMapDeconv


@pytest.mark.parametrize('hybrid', [False, True], ids=['imperative', 'hybrid'])
@pytest.mark.parametrize('bias', [True, False], ids=['bias', 'no bias'])
@pytest.mark.parametrize('kind, own, shape, result', [
    (WholeMapConv, mx.nd.Convolution, (2, 5, 4, 4), (2, 3, 1, 1)),
    (WholeMapDeconv, mx.nd.Deconvolution, (2, 5, 1, 1), (2, 3, 4, 4))])
def test_values_and_gradients(kind, own, shape, result, bias, hybrid):
    net = kind(3, 4, in_channels=5, use_bias=bias, bias_initializer='ones')
    net.initialize(mx.init.Normal(1))
    net.cast('float64')
    if hybrid:
        net.hybridize(static_alloc=True)
    arrays = [mx.nd.random.normal(shape=shape, dtype='float64'), net.weight.data().copy()]
    arrays += [net.bias.data().copy()] if bias else []
    x, head = arrays[0].copy(), mx.nd.random.normal(shape=result, dtype='float64')
    for array in (x, *arrays):
        array.attach_grad()
    with autograd.record():
        y, wanted = net(x), own(*arrays, kernel=(4, 4), num_filter=3, no_bias=not bias)
    assert y.shape == result
    np.testing.assert_allclose(y.asnumpy(), wanted.asnumpy(), rtol=1e-12)
    autograd.backward([y, wanted], [head, head])
    found = [x.grad, net.weight.grad(), *([net.bias.grad()] if bias else [])]
    for gradient, array in zip(found, arrays):
        np.testing.assert_allclose(gradient.asnumpy(), array.grad.asnumpy(), rtol=1e-10, atol=1e-12)


def test_noise_needs_no_pixels():
    net = WholeMapDeconv(3, 4, in_channels=5)
    net.initialize()
    x = mx.nd.random.normal(shape=(2, 5))
    np.testing.assert_array_equal(net(x).asnumpy(), net(x.reshape((2, 5, 1, 1))).asnumpy())
