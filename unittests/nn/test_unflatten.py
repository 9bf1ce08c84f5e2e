"""From numbers to a map, and back with any memory layout that a gradient may have."""
import mxnet as mx
import numpy as np
from mxnet import autograd
from mxnet.gluon import nn

from gluonzoo.nn.unflatten import Unflatten


def test_the_order_of_numbers():
    x = np.arange(2 * 3 * 4, dtype='float32').reshape(2, 12)
    np.testing.assert_array_equal(Unflatten(3, 2)(mx.nd.array(x)).asnumpy(), x.reshape(2, 3, 2, 2))


def test_the_gradient_of_a_transposed_convolution():
    """It has channels in blocks of 8 or 16. In a graph with static memory, a reshape keeps them, and then the
    normalisation of the numbers before fails."""
    net = nn.HybridSequential()
    net.add(nn.Dense(32 * 16, in_units=6), nn.BatchNorm(in_channels=512), nn.Activation('relu'), Unflatten(32, 4),
            nn.Conv2DTranspose(16, 5, 2, 2, 1, in_channels=32))
    net.initialize(mx.init.Xavier())
    x, found = mx.nd.random.normal(shape=(8, 6)), []
    for hybridized in (False, True):
        net.hybridize(hybridized, static_alloc=hybridized)
        with autograd.record():
            loss = (net(x) ** 2).sum()
        loss.backward()
        found.append([p.grad().asnumpy() for p in net.collect_params().values() if p.grad_req != 'null'])
    for eager, static in zip(*found):
        np.testing.assert_allclose(static, eager, rtol=1e-4, atol=1e-4)
