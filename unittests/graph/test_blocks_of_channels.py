"""Channels in whole blocks: the same outputs, and convolutions of multiples of 16 wherever that can be."""
import json

import mxnet as mx
import numpy as np
import pytest
from mxnet import gluon
from numpy.testing import assert_allclose

from gluonzoo.graph.blocks_of_channels import fill_blocks
from gluonzoo.graph.edit import make_block
from gluonzoo.graph.training_only import drop_training_only
from gluonzoo.nn.conv import conv, conv_bn, sequential


class Net(gluon.HybridBlock):
    """Blocks by name, and a function (F, blocks by name, x) -> outputs."""

    def __init__(self, forward, **blocks):
        super().__init__()
        self._forward = forward
        with self.name_scope():
            for name, block in blocks.items():
                setattr(self, name, block)

    def hybrid_forward(self, F, x):
        return self._forward(F, self, x)


def depthwise(channels, kernel=3):
    return conv_bn(channels, channels, kernel, groups=channels)


def plain(F, net, x):
    return net.out(net.deep(net.first(x)))


def ghost(F, net, x):
    """Two halves side by side, added to a shortcut of as many channels, which are laid out otherwise."""
    half = net.first(x)
    return net.out(F.concat(half, net.deep(half), dim=1) + net.shortcut(x))


def gated(F, net, x):
    y = net.first(x)
    gate = F.hard_sigmoid(net.gate(F.contrib.AdaptiveAvgPooling2D(y, output_size=1)))
    return net.out(F.contrib.top_pool(y * F.broadcast_like(gate, y)))


def two_heads(F, net, x):
    y = net.first(x)
    return net.deep(y), net.out(y)


def flattened(F, net, x):
    """What reads channels by their place: the convolution before it keeps them."""
    return F.reshape(net.deep(net.first(x)), shape=(0, -1))


def halves(join, whole=False):
    """Joins the two outputs of one operator; or the first and a whole map."""
    def forward(F, net, x):
        a, b = F.split(net.first(x), num_outputs=2, axis=1)
        return net.out(join(F, a, net.deep(x) if whole else b))
    return forward


NETS = {
    'plain': (plain, dict(first=conv_bn(3, 12), deep=depthwise(12), out=conv(12, 5)), [16, 16, 5]),
    'ghost': (ghost, dict(first=conv_bn(3, 6), deep=depthwise(6), shortcut=conv_bn(3, 12), out=conv(12, 5)),
              [16, 16, 32, 5]),
    'gated': (gated, dict(first=conv_bn(3, 20), gate=conv(20, 20, bias=True), out=conv(20, 5)), [32, 32, 5]),
    'heads': (two_heads, dict(first=conv_bn(3, 12), deep=depthwise(12), out=conv(12, 5)), [12, 12, 5]),
    'flattened': (flattened, dict(first=conv_bn(3, 12), deep=conv_bn(12, 12)), [16, 12]),
    'whole already': (plain, dict(first=conv_bn(3, 16), deep=conv_bn(16, 32), out=conv(32, 5)), [16, 32, 5]),
    'input added': (lambda F, net, x: net.out(x + net.first(x)), dict(first=conv_bn(3, 3), out=conv(3, 5)), [3, 5]),
    'some channels': (lambda F, net, x: net.out(F.slice_axis(net.first(x), axis=1, begin=2, end=6)),
                      dict(first=conv_bn(3, 12), out=conv(4, 5)), [12, 5]),
    'halves added': (halves(lambda F, a, b: a + b), dict(first=conv_bn(3, 12), out=conv(6, 5)), [12, 5]),
    'half and whole': (halves(lambda F, a, b: F.concat(a, b, dim=1), whole=True),
                       dict(first=conv_bn(3, 12), deep=conv_bn(3, 10), out=conv(16, 5)), [12, 10, 5]),
    'other axes': (lambda F, net, x: net.out(F.broadcast_like(
        F.contrib.AdaptiveAvgPooling2D(net.first(x), output_size=1), net.deep(x), lhs_axes=(2, 3), rhs_axes=(2, 3))),
                   dict(first=conv_bn(3, 24), deep=conv_bn(3, 12), out=conv(24, 5)), [24, 12, 5]),
    'one gate': (lambda F, net, x: net.out(net.first(x) * F.broadcast_like(net.gate(x), net.first(x))),
                 dict(first=conv_bn(3, 12), gate=conv(3, 1), out=conv(12, 5)), None),
    'two enlarged': (lambda F, net, x: net.out(F.UpSampling(net.first(x), net.deep(x), scale=2, sample_type='nearest',
                                                            num_args=2)),
                     dict(first=conv_bn(3, 12), deep=conv_bn(3, 20), out=conv(32, 5)), [12, 20, 5]),
    'groups': (plain, dict(first=conv_bn(3, 12), deep=conv_bn(12, 24, groups=3), out=conv(24, 5)), [12, 24, 5]),
}


def listed(outputs):
    return [y.asnumpy() for y in (outputs if isinstance(outputs, (list, tuple)) else [outputs])]


def run(net, x):
    """(the network's outputs, those of the symbol with whole blocks, numbers of channels of its convolutions)"""
    net.initialize()
    rng = np.random.default_rng(0)
    for parameter in net.collect_params().values():
        parameter.set_data(mx.nd.array(rng.uniform(.5, 1.5, parameter.shape)))
    wanted = net(x)
    symbol = net(mx.sym.var('data'))
    symbol = drop_training_only(mx.sym.Group(list(symbol)) if isinstance(symbol, tuple) else symbol)
    values = {name: parameter.data() for name, parameter in net.collect_params().items()}
    internals = symbol.get_internals()
    symbol = fill_blocks(symbol, values, dict(zip(internals.list_outputs(), internals.infer_shape(data=x.shape)[1])))
    found = make_block(symbol, values, x)(x)
    channels = [int(node['attrs']['num_filter']) for node in json.loads(symbol.tojson())['nodes']
                if node['op'] == 'Convolution']
    return listed(wanted), listed(found), channels


@pytest.mark.parametrize('name', NETS)
def test_same_outputs(name):
    forward, blocks, channels = NETS[name]
    wanted, found, got = run(Net(forward, **blocks), mx.nd.random.uniform(shape=(2, 3, 7, 6)))
    for y, want in zip(found, wanted):
        assert y.shape == want.shape
        assert_allclose(y, want, rtol=1e-5)
    assert channels is None or sorted(got) == sorted(channels)


def test_shared_parameters_stay():
    first = conv_bn(12, 12)
    net = Net(lambda F, net, x: net.out(net.first(net.first(x))), first=first, out=conv(12, 5))
    wanted, found, got = run(net, mx.nd.random.uniform(shape=(2, 12, 7, 6)))
    assert_allclose(found[0], wanted[0], rtol=1e-5)
    assert got == [12, 12, 5]


def test_dense_layers():
    net = Net(lambda F, net, x: net.out(net.pool(net.first(x))), first=conv_bn(3, 12),
              pool=gluon.nn.GlobalAvgPool2D(), out=sequential(gluon.nn.Flatten(), gluon.nn.Dense(4, in_units=12)))
    wanted, found, got = run(net, mx.nd.random.uniform(shape=(2, 3, 7, 6)))
    assert_allclose(found[0], wanted[0], rtol=1e-5)
    assert got == [12]
