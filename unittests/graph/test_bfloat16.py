"""The copy of a network in bfloat16: what is rounded, and what is not."""
import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import HybridBlock, nn
from numpy.testing import assert_allclose, assert_array_equal

from gluonzoo.graph import bfloat16
from gluonzoo.graph.bfloat16 import in_bfloat16


def rounded(array):
    """float32 numbers at the nearest bfloat16, the even one of two: the upper 16 of their bits."""
    bits = np.ascontiguousarray(array, 'float32').view(np.uint32).astype(np.uint64)
    bits = (bits + 0x7FFF + (bits >> np.uint64(16) & np.uint64(1))) & np.uint64(0xFFFF0000)
    return bits.astype(np.uint32).view(np.float32)


def test_rounded():
    assert rounded(np.float32([1, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 1.001, -3.14159])).tolist() == [
        1, 1, 1 + 2 ** -6, 1, -3.140625]


def test_dense_layer_by_numpy():
    mx.random.seed(0)
    net = nn.Dense(5, in_units=7)
    net.initialize(mx.init.Normal(1))
    net.bias.set_data(mx.nd.random.normal(shape=5))
    x = mx.nd.random.normal(shape=(3, 7))
    found = in_bfloat16(net, x)(x)
    weight, bias, vectors = (rounded(a.asnumpy()) for a in (net.weight.data(), net.bias.data(), x))
    expected = rounded(vectors @ weight.T + bias)
    assert found.dtype == np.float32
    assert_allclose(found.asnumpy(), expected, rtol=2 ** -7)   # one step, if a sum lies between two numbers
    assert np.mean(found.asnumpy() == expected) > .8
    assert np.abs(found.asnumpy() - net(x).asnumpy()).max() > 0
    assert_array_equal(rounded(found.asnumpy()), found.asnumpy())


class Mixed(HybridBlock):
    """Joins a map that stays float32, and has a pool of gluonzoo's own, which takes no bfloat16."""

    def __init__(self):
        super().__init__()
        self.conv, self.last = nn.Conv2D(4, 3, padding=1, in_channels=3), nn.Conv2D(2, 1, in_channels=8)

    def hybrid_forward(self, F, x):
        x = self.conv(x)
        up = F.UpSampling(F.Pooling(x, kernel=(2, 2), stride=(2, 2), pool_type='max'), scale=2, sample_type='nearest')
        return self.last(F.concat(F.contrib.top_pool(x), up, dim=1)), up


def test_what_has_no_bfloat16_stays_float32():
    mx.random.seed(0)
    net = Mixed()
    net.initialize(mx.init.Xavier())
    x = mx.nd.random.normal(shape=(2, 3, 8, 8))
    low = in_bfloat16(net, x)
    for inputs in (x, mx.nd.random.normal(shape=(1, 3, 16, 16))):   # of any size
        for found, expected in zip(low(inputs), net(inputs)):
            expected = expected.asnumpy()
            assert found.dtype == np.float32
            gap = np.abs(found.asnumpy() - expected).max() / np.abs(expected).max()
            assert 1e-5 < gap < .02


class Joined(HybridBlock):
    """A concatenation of a map in bfloat16 and one in float32, which MXNet does not cast."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2D(4, 3, padding=1, in_channels=3)

    def hybrid_forward(self, F, x):
        return F.concat(self.conv(x), F.exp(x), dim=1)


def test_concatenation_of_both_types(monkeypatch):
    more = []
    converted = bfloat16._converted
    monkeypatch.setattr(bfloat16, '_converted', lambda *args: more.append(args[2:]) or converted(*args))
    net = Joined()
    net.initialize(mx.init.Xavier())
    x = mx.nd.random.normal(shape=(2, 3, 8, 8))
    assert_allclose(in_bfloat16(net, x)(x).asnumpy(), net(x).asnumpy(), atol=.05)
    assert more == [(), (['Concat'],)]


def test_layers_that_are_joined_wrongly(monkeypatch):
    """By oneDNN: the copy does without."""
    net = nn.Conv2D(2, 3, in_channels=3)
    net.initialize(mx.init.Normal(1))
    x = mx.nd.random.normal(shape=(1, 3, 8, 8))
    good = in_bfloat16(net, x)(x).asnumpy()
    monkeypatch.setattr(mx.sym.Symbol, 'optimize_for', lambda symbol, _: symbol * 2)
    assert_array_equal(in_bfloat16(net, x)(x).asnumpy(), good)


def test_copy_does_not_follow_the_network():
    net = nn.Dense(2, in_units=2)
    net.initialize()
    x = mx.nd.ones((1, 2))
    low = in_bfloat16(net, x)
    before = low(x).asnumpy()
    net.weight.set_data(net.weight.data() * 100)
    assert_array_equal(low(x).asnumpy(), before)
    assert all(parameter.grad_req == 'null' for parameter in low.collect_params().values())


@pytest.mark.parametrize('shape', [(1, 3), (4, 3)])
def test_network_is_as_before(shape):
    net = nn.Dense(2, in_units=3)
    net.initialize()
    net.hybridize()
    x = mx.nd.random.normal(shape=shape)
    before = net(x).asnumpy()
    in_bfloat16(net, x)
    assert_array_equal(net(x).asnumpy(), before)
