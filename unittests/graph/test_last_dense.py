"""What the last fully connected layer of a network takes."""
import mxnet as mx
import numpy as np
from mxnet.gluon import nn

from gluonzoo.graph.edit import symbol_of
from gluonzoo.graph.last_dense import before_last_dense


def layers(*blocks):
    net = nn.HybridSequential()
    net.add(*blocks)
    net.initialize(mx.init.Uniform(1))
    return net


def test_of_several_the_last():
    net = layers(nn.Dense(3, activation='tanh', in_units=4), nn.Dense(5, activation='relu', in_units=3),
                 nn.Dense(2, in_units=5))
    symbol, x = before_last_dense(symbol_of(net)), mx.nd.random.normal(shape=(6, 4))
    parameters = net.collect_params()
    found = mx.nd.CachedOp(symbol)(*(x if name == 'data' else parameters[name].data() for name in symbol.list_inputs()))
    assert np.array_equal(found.asnumpy(), net[1](net[0](x)).asnumpy())
    assert len(symbol.list_inputs()) == 5   # not those of the last


def test_only_the_first_output_counts():
    data = mx.sym.var('data')
    first = mx.sym.FullyConnected(mx.sym.relu(data, name='first'), num_hidden=2, name='dense')
    second = mx.sym.FullyConnected(mx.sym.tanh(data, name='second'), num_hidden=2, name='other')
    assert before_last_dense([first, [second]]).list_outputs() == ['first_output']
    assert before_last_dense((second, first)).list_outputs() == ['second_output']


def test_the_input_of_the_network_itself():
    assert before_last_dense(symbol_of(layers(nn.Dense(2, in_units=4)))).list_outputs() == ['data']


def test_none_at_the_end():
    assert before_last_dense(symbol_of(layers(nn.Conv2D(2, 1, in_channels=3)))) is None
    assert before_last_dense(symbol_of(layers(nn.Dense(3, in_units=4), nn.LeakyReLU(.1)))) is None
