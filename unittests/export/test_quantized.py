"""MXNet's own form of 8 bits, as a graph."""
import os

import mxnet as mx
import numpy as np
import pytest
from numpy.testing import assert_allclose

from gluonzoo.export import ExportError
from gluonzoo.export import quantized as module
from gluonzoo.export.quantized import quantized

SHAPE = (1, 4, 8, 8)


@pytest.fixture
def graph():
    """A convolution, its normalisation and a dense layer; and their parameters."""
    x = mx.sym.Convolution(mx.sym.var('x'), kernel=(3, 3), num_filter=8, no_bias=True, name='conv')
    x = mx.sym.relu(mx.sym.BatchNorm(x, fix_gamma=False, name='norm'), name='relu')
    symbol = mx.sym.FullyConnected(x, num_hidden=3, name='dense')
    shapes, _, states = symbol.infer_shape(x=SHAPE)
    rng = np.random.default_rng(0)
    values = {name: mx.nd.array(rng.normal(0, .2, shape)) for name, shape in zip(symbol.list_arguments(), shapes)}
    values.update({name: mx.nd.ones(shape) for name, shape in zip(symbol.list_auxiliary_states(), states)})
    del values['x']
    return symbol, values


def noise(count, batch=1):
    return [{'x': np.random.default_rng(i).uniform(-1, 1, (batch, *SHAPE[1:])).astype('float32')}
            for i in range(count)]


def computed(symbol, values, arrays):
    values = {**values, **{name: mx.nd.array(array) for name, array in arrays.items()}}
    return symbol.bind(mx.cpu(), {name: values[name] for name in symbol.list_arguments()}, aux_states={
        name: values[name] for name in symbol.list_auxiliary_states()}).forward()[0].asnumpy()


def test_it_stands_for_the_graph(graph):
    symbol, values = graph
    before = {name: value.asnumpy() for name, value in values.items()}
    low, low_values = quantized(symbol, values, noise(6) + noise(2, batch=3))   # batches of two sizes
    assert {'conv', 'dense'} & {node.name for node in low.get_internals()} == set() and 'quantized' in low.tojson()
    assert set(low_values) == set(low.list_inputs()) - {'x'} and low.list_outputs() != []
    for arrays in noise(1) + noise(1, batch=2):
        expected = computed(symbol, values, arrays)
        assert 0 < np.abs(computed(low, low_values, arrays) - expected).max() < .05 * np.abs(expected).max()
    for name, value in values.items():
        assert_allclose(value.asnumpy(), before[name])
    assert 'MXNET_SUBGRAPH_VERBOSE' not in os.environ


def test_layers_that_mxnet_joins_wrongly(graph, monkeypatch):
    monkeypatch.setattr(module, 'difference', lambda *_: .5)
    with pytest.raises(ExportError, match='MXNet joins the layers of this network wrongly'):
        quantized(*graph, noise(1))


def test_what_mxnet_says(graph):
    symbol, values = graph
    with pytest.raises(ExportError, match='MXNet cannot quantise it: '):
        quantized(symbol, {**values, 'conv_weight': mx.nd.ones((8, 5, 3, 3))}, noise(1))
