"""Layers of graphs, counted by hand."""
import mxnet as mx
import pytest

from gluonzoo.graph.layers import layers


def test_layers():
    x = mx.sym.var('x')
    y = mx.sym.Convolution(x, kernel=(3, 3), num_filter=8, num_group=2, pad=(1, 1), name='conv')
    y = mx.sym.BatchNorm(y, name='norm')
    y = mx.sym.Deconvolution(y, kernel=(2, 2), stride=(2, 2), num_filter=3, no_bias=True, name='up')
    z = mx.sym.FullyConnected(y, num_hidden=5, name='dense')
    z = mx.sym.FullyConnected(y, weight=z.get_children()[1], num_hidden=5, no_bias=True, name='again')
    z = mx.sym.dot(z, mx.sym.var('matrix', shape=(5, 7)), name='dot')
    found = {layer.name: layer for layer in layers(z, {'x': (2, 4, 6, 10)})}
    pixels = 6 * 10
    assert found['conv'][1:] == ('Convolution', (2, 8, 6, 10), 'float32', 8 * 2 * 9 + 8, 2 * 8 * pixels * 2 * 9)
    assert found['norm'][1:] == ('BatchNorm', (2, 8, 6, 10), 'float32', 4 * 8, 0)
    assert found['up'][4:] == (8 * 3 * 4, 2 * 8 * pixels * 3 * 4)
    assert found['again'][4:] == (5 * 3 * 4 * pixels, 2 * 5 * 3 * 4 * pixels)
    assert found['dot'][2:] == ((2, 7), 'float32', 35, 2 * 7 * 5)
    assert 'dense' not in found   # nothing reads it


@pytest.mark.parametrize('operator, shapes, turned', [
    ('dot', ((4, 6), (4, 3)), True), ('dot', ((6, 4), (4, 3)), False),
    ('batch_dot', ((2, 4, 6), (2, 4, 3)), 'true'), ('batch_dot', ((2, 6, 4), (2, 4, 3)), False),
    ('linalg_gemm2', ((2, 4, 6), (2, 4, 3)), True), ('linalg_gemm2', ((2, 6, 4), (2, 4, 3)), False),
    ('linalg_gemm', ((2, 6, 4), (2, 4, 3), (2, 6, 3)), False)])
def test_products_of_matrices(operator, shapes, turned):
    """Of 6 x 4 and 4 x 3, two of them but for dot."""
    arrays = [mx.sym.var(name, shape=shape) for name, shape in zip('xyz', shapes)]
    found, = layers(getattr(mx.sym, operator)(*arrays, transpose_a=turned), {'x': shapes[0]})
    assert found.multiply_adds == 6 * 4 * 3 * (1 if operator == 'dot' else 2)


def test_a_weight_counts_once():
    x, w = mx.sym.var('x'), mx.sym.var('w')
    y = mx.sym.FullyConnected(x, w, num_hidden=4, no_bias=True, name='a')
    y = mx.sym.FullyConnected(y, w, num_hidden=4, no_bias=True, name='b')
    assert [layer.parameters for layer in layers(y, {'x': (1, 4)})] == [16, 0]


def test_types():
    x = mx.sym.Cast(mx.sym.var('x'), dtype='int32', name='whole')
    assert [layer.dtype for layer in layers(mx.sym.Cast(x, dtype='float64'), {'x': (2,)})] == ['int32', 'float64']
