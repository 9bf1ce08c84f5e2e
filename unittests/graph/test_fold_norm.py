"""Normalisations that become part of convolutions: the same outputs, and those that must stay."""
import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import HybridBlock, nn
from numpy.testing import assert_allclose

from gluonzoo.graph.edit import make_block, read_graph, symbol_of
from gluonzoo.graph.fold_norm import fold_norms


def filled(net):
    """Initialized, with statistics that are neither 0 nor 1."""
    mx.random.seed(0)
    net.initialize(mx.init.Normal(.5))
    for name, parameter in net.collect_params().items():
        if name.endswith(('gamma', 'running_var')):
            parameter.set_data(mx.nd.random.uniform(.5, 2, shape=parameter.shape))
        elif not name.endswith('weight'):
            parameter.set_data(mx.nd.random.normal(shape=parameter.shape))
    return net


def folded(net, x):
    """(the operators of the folded graph, its outputs)"""
    values = {name: parameter.data() for name, parameter in net.collect_params().items()}
    before = {name: value.asnumpy().copy() for name, value in values.items()}
    symbol, found = fold_norms(symbol_of(net), values)
    assert all(np.array_equal(values[name].asnumpy(), before[name]) for name in before)   # the caller's stay
    return [node['op'] for node in read_graph(symbol)['nodes'] if node['op'] != 'null'], make_block(symbol, found, x)(x)


@pytest.mark.parametrize('bias', [False, True])
@pytest.mark.parametrize('scale', [False, True])
@pytest.mark.parametrize('groups', [1, 4])
def test_becomes_one_convolution(bias, scale, groups):
    net = nn.HybridSequential()
    net.add(nn.Conv2D(8, 3, groups=groups, in_channels=4, use_bias=bias),
            nn.BatchNorm(in_channels=8, scale=scale, epsilon=.1), nn.Activation('relu'),
            nn.Conv2D(2, 1, in_channels=8), nn.BatchNorm(in_channels=2))
    filled(net)
    x = mx.nd.random.normal(shape=(2, 4, 7, 6))
    operators, outputs = folded(net, x)
    assert operators == ['Convolution', 'Activation', 'Convolution']
    assert_allclose(outputs.asnumpy(), net(x).asnumpy(), rtol=1e-4, atol=1e-5)


class Shared(HybridBlock):
    """A convolution that others read, one whose weight is used twice, and a normalisation of the input."""

    def __init__(self):
        super().__init__()
        self.first, self.read, self.twice = (nn.BatchNorm(in_channels=4), *(nn.Conv2D(4, 1, in_channels=4)
                                                                            for _ in range(2)))
        self.norms = nn.HybridSequential()
        self.norms.add(*(nn.BatchNorm(in_channels=4) for _ in range(3)))

    def hybrid_forward(self, F, x):
        x = self.first(x)
        read = self.read(x)
        a, b, c = self.norms
        return a(read) + read + b(self.twice(x)) * c(self.twice(x + 1))


def test_what_others_read_stays():
    net = filled(Shared())
    x = mx.nd.random.normal(shape=(1, 4, 3, 3))
    operators, outputs = folded(net, x)
    assert operators.count('BatchNorm') == 4
    assert_allclose(outputs.asnumpy(), net(x).asnumpy(), rtol=1e-4, atol=1e-5)


def test_other_axis_stays():
    net = nn.HybridSequential()
    net.add(nn.Conv2D(4, 1, in_channels=4), nn.BatchNorm(axis=3, in_channels=4))
    filled(net)
    x = mx.nd.random.normal(shape=(1, 4, 4, 4))
    operators, outputs = folded(net, x)
    assert operators == ['Convolution', 'BatchNorm']
    assert_allclose(outputs.asnumpy(), net(x).asnumpy(), rtol=1e-4, atol=1e-5)
