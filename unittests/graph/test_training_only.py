"""What only training needs is left out, and nothing else that looks like it."""
import json

import mxnet as mx
import numpy as np
import pytest

from gluonzoo.graph.edit import make_block
from gluonzoo.graph.training_only import drop_training_only
from gluonzoo.nn.filled_conv import FilledConv
from gluonzoo.nn.plain_gradient import plain_gradient

SIX = {'kernel': (1, 1), 'num_filter': 6, 'num_group': 6, 'no_bias': True}


def zeros(x, axis):
    return mx.sym.zeros_like(mx.sym.slice_axis(x, axis=axis, begin=0, end=2))


def depthwise(x, weight, count=SIX, begin=0, padded=None):
    padded = mx.sym.concat(x, zeros(x, 1), dim=1) if padded is None else padded
    weight = mx.sym.concat(weight, zeros(weight, 0), dim=0)
    y = mx.sym.Convolution(padded, weight, **count)
    return mx.sym.slice_axis(y, axis=1, begin=begin, end=begin + 4)


def also_read(x, weight):
    y = depthwise(x, weight).get_children()[0]
    return mx.sym.Group([mx.sym.slice_axis(y, axis=1, begin=0, end=4), mx.sym.relu(y)])


KEPT = {
    'other channels': lambda x, weight: depthwise(x, weight, begin=1),
    'ones': lambda x, weight: depthwise(x, weight, padded=mx.sym.concat(x, zeros(x, 1) + 1, dim=1)),
    'two groups': lambda x, weight: depthwise(x, mx.sym.tile(weight, (1, 3, 1, 1)), {**SIX, 'num_group': 2}),
    'read elsewhere': also_read,
    'turned': lambda x, weight: mx.sym.transpose(mx.sym.broadcast_mul(x, weight.reshape((1, 4, 1, 1))), (0, 1, 3, 2)),
    'reversed': lambda x, weight: mx.sym.transpose(mx.sym.broadcast_mul(x, weight.reshape((1, 4, 1, 1)))),
}


def outputs(symbol, values, x):
    found = make_block(symbol, values, x)(x)
    return [y.asnumpy() for y in (found if isinstance(found, list) else [found])]


def operators(symbol):
    return [node['op'] for node in json.loads(symbol.tojson())['nodes'] if node['op'] != 'null']


@pytest.fixture
def values():
    return {'w': mx.nd.random.normal(shape=(4, 1, 1, 1))}


@pytest.fixture
def x():
    return mx.nd.random.normal(shape=(2, 4, 3, 5))


@pytest.mark.parametrize('plain', [False, True])
def test_dropped(plain, values, x):
    data, weight = mx.sym.var('data'), mx.sym.var('w', shape=(4, 1, 1, 1))
    padded = mx.sym.concat(data, zeros(data, 1), dim=1)
    symbol = mx.sym.relu(depthwise(data, weight, padded=plain_gradient(mx.sym, padded) if plain else None))
    found = drop_training_only(symbol)
    assert operators(found) == ['Convolution', 'relu']
    np.testing.assert_allclose(outputs(found, values, x)[0], outputs(symbol, values, x)[0], rtol=1e-6)


@pytest.mark.parametrize('bias', [False, True])
def test_spare_channels_of_a_convolution_to_few(bias, x):
    block = FilledConv(7, 1, in_channels=4, use_bias=bias, bias_initializer=mx.init.Normal(1))   # 9 would be spare
    assert operators(drop_training_only(block(mx.sym.var('data')))) == ['Convolution']
    block = FilledConv(24, 3, in_channels=4, use_bias=bias, bias_initializer=mx.init.Normal(1))
    block.initialize(mx.init.Normal(1))
    symbol = mx.sym.relu(block(mx.sym.var('data')))
    found = drop_training_only(symbol)
    assert 'Concat' in operators(symbol) and operators(found) == ['Convolution', 'relu']
    values = {name: parameter.data() for name, parameter in block.collect_params().items()}
    np.testing.assert_allclose(outputs(found, values, x)[0], outputs(symbol, values, x)[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('name', KEPT)
def test_kept(name, values, x):
    symbol = KEPT[name](mx.sym.var('data'), mx.sym.var('w', shape=(4, 1, 1, 1)))
    found = drop_training_only(symbol)
    assert operators(found) == operators(symbol)
    for a, b in zip(outputs(found, values, x), outputs(symbol, values, x)):
        np.testing.assert_array_equal(a, b)
