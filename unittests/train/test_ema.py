"""The moving average of the weights: arithmetic by hand, and the exchange of weights."""
import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn

from gluonzoo.train import EMA
from gluonzoo.train.distributed import Workers
from gluonzoo.train.parameters import average_statistics


def numbers(values, ctx=None):
    """A network of so many layers, the i-th with the one weight values[i]."""
    net = nn.HybridSequential()
    for value in values:
        dense = nn.Dense(1, use_bias=False, in_units=1, weight_initializer=mx.init.Constant(value))
        net.add(dense)
    net.initialize(ctx=ctx or mx.cpu())
    return net


def weights(net):
    return [layer.weight.data().asscalar() for layer in net]


def put(net, value):
    for layer in net:
        layer.weight.set_data(mx.nd.full((1, 1), value))


def test_average():
    net, ema = numbers([1]), EMA(0.75, warmup=False)
    ema.update({'net': net}, 1)   # begins as a copy
    put(net, 5)
    ema.update({'net': net}, 2)   # 0.75 x 1 + 0.25 x 5
    assert ema.shadows['net']['0.weight'].asscalar() == 2
    put(net, -2)
    ema.update({'net': net}, 3)   # 0.75 x 2 - 0.25 x 2
    assert ema.shadows['net']['0.weight'].asscalar() == 1
    assert weights(net) == [-2]


def test_warmup():
    assert [EMA(0.9).decay_at(step) for step in (1, 2, 80, 81, 1000)] == [2 / 11, 3 / 12, 81 / 90, 0.9, 0.9]
    assert EMA(0.9, warmup=False).decay_at(1) == 0.9
    net, ema = numbers([0]), EMA(0.9)
    ema.update({'net': net}, 1)
    put(net, 4)
    ema.update({'net': net}, 2)
    assert ema.shadows['net']['0.weight'].asscalar() == pytest.approx(3)   # a quarter of 0 and three of 4


@pytest.mark.parametrize('decay', [-0.1, 1, 1.5, float('nan')])
def test_decay_out_of_range(decay):
    with pytest.raises(ValueError, match='decay: must be from 0 to 1'):
        EMA(decay)


def test_many_parameters():
    """In two networks."""
    nets = {'a': numbers(range(7)), 'b': numbers(range(7, 14))}
    ema = EMA(0.5, warmup=False)
    ema.update(nets, 1)
    for net in nets.values():
        put(net, 0)
    ema.update(nets, 2)
    for name, first in (('a', 0), ('b', 7)):
        assert [ema.shadows[name][f'{i}.weight'].asscalar() for i in range(7)] == [(first + i) / 2 for i in range(7)]


def test_applied_and_put_back():
    net, ema = numbers([1, 10]), EMA(0.5, warmup=False)
    with ema.applied({'net': net}):
        assert weights(net) == [1, 10]   # there is no average yet
    ema.update({'net': net}, 1)
    put(net, 4)
    with pytest.raises(RuntimeError, match='in between'), ema.applied({'net': net}):
        assert weights(net) == [1, 10]
        raise RuntimeError('in between')
    assert weights(net) == [4, 4]


def test_hybridized_network_sees_the_exchange():
    net, ema = numbers([2]), EMA(0.5)
    net.hybridize(static_alloc=True)
    x = mx.nd.array([[3]])
    assert net(x).asscalar() == 6
    ema.update({'net': net}, 1)
    put(net, 1)
    with ema.applied({'net': net}):
        assert net(x).asscalar() == 6
    assert net(x).asscalar() == 3


def test_float16_is_averaged_in_float32():
    net, ema = numbers([1]), EMA(0.999, warmup=False)
    net.cast('float16')
    ema.update({'net': net}, 1)
    put(net, 2)
    for step in range(2, 102):
        ema.update({'net': net}, step)
    assert ema.shadows['net']['0.weight'].asscalar() == pytest.approx(2 - 0.999 ** 100, rel=1e-5)
    with ema.applied({'net': net}):
        assert net[0].weight.data().dtype == np.float16 and weights(net)[0] == pytest.approx(1.0952, rel=1e-3)


def test_statistics_of_two_devices():
    """The network's are averaged over the devices, and so is what the moving average takes."""
    devices = [mx.cpu(0), mx.cpu(1)]
    net = nn.BatchNorm(in_channels=1)
    net.initialize(ctx=devices)
    for value, ctx in zip((1, 3), devices):
        net.running_mean.data(ctx)[:] = value
    ema = EMA(0.5, warmup=False)
    ema.update({'net': net}, 1)
    assert ema.shadows['net']['running_mean'].asscalar() == 2
    assert [net.running_mean.data(ctx).asscalar() for ctx in devices] == [1, 3]
    average_statistics({'net': net}, Workers(), ema.statistics({'net': net}))
    assert [net.running_mean.data(ctx).asscalar() for ctx in devices] == [2, 2]
    assert [net.gamma.data(ctx).asscalar() for ctx in devices] == [1, 1]


def test_start_and_interval():
    """Copies before the update 3; then every second update is averaged."""
    net, ema = numbers([0]), EMA(0.5, warmup=False, start=3, interval=2)
    found = []
    for step, value in enumerate((1, 8, 16, 32, 64, 128), 1):
        put(net, value)
        ema.update({'net': net}, step)
        found.append(ema.shadows['net']['0.weight'].asscalar())
    assert found == [1, 8, 8, 20, 20, 74]


@pytest.mark.parametrize('keywords, said', [(dict(start=-1), 'start: must be a whole number, at least 0: -1'),
                                            (dict(interval=0), 'interval: must be a whole number, at least 1: 0'),
                                            (dict(interval=1.5), 'interval: must be a whole number')], ids=str)
def test_bad_start_and_interval(keywords, said):
    with pytest.raises(ValueError, match=said):
        EMA(0.5, **keywords)


def test_follow():
    """Only steps that change the networks count. What the networks were before the first of them is not averaged."""
    class EverySecond:
        @staticmethod
        def used_updates(step):
            return step // 2

    net, ema = numbers([0]), EMA(0.5, warmup=False)
    found = []
    for step, value in enumerate((1, 3, 7, 5), 1):
        put(net, value)
        ema.follow(EverySecond, {'net': net}, step)
        found.append(ema.shadows['net']['0.weight'].asscalar())
    assert found == [1, 3, 3, 4]   # at first, a checkpoint has something to store
