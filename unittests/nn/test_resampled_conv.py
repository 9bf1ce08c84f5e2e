"""Convolutions that halve or double the size, beside the plain way: a convolution at the larger size."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluonzoo.nn.resampled_conv import ConvMeanPool, UpsampleConv


def plain_down(x, weight, bias):
    y = mx.nd.Convolution(x, weight, bias, kernel=(3, 3), pad=(1, 1), num_filter=3)
    return (y[:, :, ::2, ::2] + y[:, :, 1::2, ::2] + y[:, :, ::2, 1::2] + y[:, :, 1::2, 1::2]) / 4


def plain_up(x, weight, bias):
    larger = x.repeat(2, axis=2).repeat(2, axis=3)
    kernel = weight.transpose((1, 0, 2, 3)).flip(axis=2).flip(axis=3)
    return mx.nd.Convolution(larger, kernel, bias, kernel=(3, 3), pad=(1, 1), num_filter=3)


@pytest.mark.parametrize('hybrid', [False, True], ids=['imperative', 'hybrid'])
@pytest.mark.parametrize('dtype, tolerance', [('float64', 1e-12), ('float32', 1e-5)])
@pytest.mark.parametrize('kind, plain, shape', [
    (ConvMeanPool, plain_down, (3, 4)), (UpsampleConv, plain_up, (12, 16)),
], ids=['down', 'up'])
@pytest.mark.parametrize('channels', [5, 16])
def test_values_and_gradients(kind, plain, shape, channels, dtype, tolerance, hybrid):
    rng = np.random.default_rng(0)
    net = kind(3, in_channels=channels, bias_initializer='ones')
    net.initialize(mx.init.Normal(1))
    net.cast(dtype)
    if hybrid:
        net.hybridize(static_alloc=True)
    x, head = (mx.nd.array(rng.normal(size=size), dtype=dtype) for size in ((2, channels, 6, 8), (2, 3, *shape)))
    twins = [array.astype('float64') for array in (x, net.weight.data(), net.bias.data())]
    for array in (x, *twins):
        array.attach_grad()
    with autograd.record():
        y, wanted = net(x), plain(*twins)
    autograd.backward([y, wanted], [head, head.astype('float64')])
    for found, twin in zip((y, x.grad, net.weight.grad(), net.bias.grad()),
                           (wanted, *(twin.grad for twin in twins))):
        assert found.shape == twin.shape
        np.testing.assert_allclose(found.asnumpy(), twin.asnumpy(), rtol=0, atol=tolerance * abs(twin).max().asscalar())


def test_means_by_hand():
    """A kernel whose middle alone is 1 leaves the means, or the pixels, as they are."""
    x = mx.nd.array([[[[1, 2, 5, 7], [3, 6, 0, 0]]]])
    down, up = ConvMeanPool(1, in_channels=1), UpsampleConv(1, in_channels=1)
    for net in (down, up):
        net.initialize()
        net.weight.set_data(mx.nd.array([[[[0, 0, 0], [0, 1, 0], [0, 0, 0]]]]))
    assert down(x).asnumpy().tolist() == [[[[3, 3]]]]
    assert up(x[:, :, :, :2]).asnumpy().tolist() == [[[[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 6, 6], [3, 3, 6, 6]]]]
