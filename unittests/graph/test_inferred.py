"""Shapes and types of what is within a graph."""
import mxnet as mx
import pytest

from gluonzoo.graph.edit import read_graph
from gluonzoo.graph.inferred import output_dtypes, output_shapes, unequal_reshapes


def test_shapes(capsys):
    x = mx.sym.var('x')
    first, second = mx.sym.split(x, num_outputs=2, axis=1, name='parts')
    symbol = mx.sym.FullyConnected(first + second, num_hidden=5, name='dense')
    found = output_shapes(symbol, {'x': (2, 6)})
    assert found['parts'] == [(2, 3), (2, 3)] and found['dense_weight'] == [(5, 3)] and found['dense'] == [(2, 5)]
    assert output_shapes(symbol, {}) is None
    with pytest.raises(mx.MXNetError):
        output_shapes(symbol, {'x': (2, 5)})
    assert capsys.readouterr().out == ''


def test_types():
    first, second = mx.sym.split(mx.sym.var('x'), num_outputs=2, axis=1, name='parts')
    found = output_dtypes(mx.sym.Cast(first + second, dtype='int32', name='whole'), ['x'])
    assert found['parts'] == ['float32', 'float32'] and found['whole'] == ['int32']
    assert output_dtypes(mx.sym.relu(mx.sym.var('x')), []) is None


@pytest.mark.parametrize('codes, unequal', [((5, 3), False), ((-1,), False), ((2, -1), True), ((200, 5), True)])
def test_reshapes(codes, unequal):
    symbol = mx.sym.relu(mx.sym.reshape(mx.sym.relu(mx.sym.var('x')), codes, name='other'))
    found = list(unequal_reshapes(read_graph(symbol)['nodes'], output_shapes(symbol, {'x': (3, 5)})))
    assert [node['name'] for node, _, _ in found] == ['other'] * unequal
    assert all(before == (3, 5) for _, before, _ in found)
