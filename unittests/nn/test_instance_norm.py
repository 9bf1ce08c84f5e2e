"""Instance normalisation: beside NumPy, beside MXNet's own, and at the edges."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluonzoo.nn.instance_norm import InstanceNorm


def numpy_twin(x, head):
    """Output, and the gradient of the input for the gradient `head` of the output, in float64."""
    x, head = x.astype('float64'), head.astype('float64')

    def mean(values):
        return values.mean((2, 3), keepdims=True)

    scale = 1 / np.sqrt(mean((x - mean(x)) ** 2) + 1e-5)
    y = (x - mean(x)) * scale
    return y, scale * (head - mean(head) - y * mean(head * y))


@pytest.mark.parametrize('hybrid', [False, True], ids=['imperative', 'hybrid'])
@pytest.mark.parametrize('shape', [(2, 3, 5, 7), (1, 1, 2, 2), (3, 4, 1, 6), (1, 8, 64, 64)])
def test_values_and_gradient(shape, hybrid):
    net = InstanceNorm()
    if hybrid:
        net.hybridize(static_alloc=True)
    x = mx.nd.random.normal(3, 2, shape)
    x.attach_grad()
    head = mx.nd.random.normal(shape=shape)
    with autograd.record():
        y = net(x)
    y.backward(head)
    expected, gradient = numpy_twin(x.asnumpy(), head.asnumpy())
    np.testing.assert_allclose(y.asnumpy(), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(x.grad.asnumpy(), gradient, rtol=1e-4, atol=1e-5)


def test_as_the_operator_of_mxnet():
    x = mx.nd.random.normal(-1, .5, (2, 3, 9, 4))
    y = mx.nd.InstanceNorm(x, mx.nd.ones(3), mx.nd.zeros(3), eps=1e-5)
    np.testing.assert_allclose(InstanceNorm()(x).asnumpy(), y.asnumpy(), rtol=1e-5, atol=1e-5)


def test_constant_channels_and_single_pixels_are_zero():
    assert not InstanceNorm()(mx.nd.full((1, 2, 4, 4), 7)).asnumpy().any()
    assert not InstanceNorm()(mx.nd.random.normal(shape=(2, 3, 1, 1))).asnumpy().any()


def test_has_no_parameters_and_no_modes():
    net = InstanceNorm()
    assert not net.collect_params().keys()
    x = mx.nd.random.normal(shape=(2, 3, 4, 4))
    y = net(x).asnumpy()
    with autograd.train_mode():
        np.testing.assert_array_equal(net(x).asnumpy(), y)
