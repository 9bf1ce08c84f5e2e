"""Concatenation of any number of channels, between convolutions, with its gradients."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd
from mxnet.gluon import HybridBlock, nn

from gluonzoo.nn.concat import concat


def test_values():
    parts = [mx.nd.random.normal(shape=(2, channels, 3, 4)) for channels in (1, 5, 2)]
    np.testing.assert_array_equal(concat(mx.nd, *parts).asnumpy(), np.concatenate([p.asnumpy() for p in parts], 1))


class Joined(HybridBlock):
    def __init__(self, channels):
        super().__init__()
        with self.name_scope():
            self.first = nn.Conv2D(channels, 4, 2, 1, in_channels=3)
            self.second = nn.Conv2D(channels, 3, 1, 1, in_channels=channels)
            self.up = nn.Conv2DTranspose(2, 4, 2, 1, in_channels=2 * channels)

    def hybrid_forward(self, F, x):
        first = self.first(x)
        return self.up(F.relu(concat(F, first, self.second(F.relu(first)))))


@pytest.mark.parametrize('hybrid', [False, True], ids=['imperative', 'hybrid'])
@pytest.mark.parametrize('channels', [3, 12, 16, 24, 40])
def test_gradients_between_convolutions(channels, hybrid):
    """MXNet's concatenation fails here on many processors, if it is hybridized and the channels are 24."""
    net = Joined(channels)
    net.initialize(mx.init.Normal(.3))
    x = mx.nd.random.normal(shape=(1, 3, 16, 16))
    head = mx.nd.random.normal(shape=(1, 2, 16, 16))

    def gradients(dtype):
        net.cast(dtype)
        inputs = x.astype(dtype)
        inputs.attach_grad()
        with autograd.record():
            y = net(inputs)
        y.backward(head.astype(dtype))
        return [gradient.asnumpy() for gradient in
                (inputs.grad, *(parameter.grad() for parameter in net.collect_params().values()))]

    expected = gradients('float64')   # takes other ways through MXNet
    if hybrid:
        net.hybridize(static_alloc=True, static_shape=True)
    for gradient, twin in zip(gradients('float32'), expected):
        np.testing.assert_allclose(gradient, twin, rtol=1e-3, atol=1e-4 * abs(twin).max())
