"""Layers of graphs, counted by hand."""
import mxnet as mx

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


def test_a_weight_counts_once():
    x, w = mx.sym.var('x'), mx.sym.var('w')
    y = mx.sym.FullyConnected(x, w, num_hidden=4, no_bias=True, name='a')
    y = mx.sym.FullyConnected(y, w, num_hidden=4, no_bias=True, name='b')
    assert [layer.parameters for layer in layers(y, {'x': (1, 4)})] == [16, 0]


def test_types():
    x = mx.sym.Cast(mx.sym.var('x'), dtype='int32', name='whole')
    assert [layer.dtype for layer in layers(mx.sym.Cast(x, dtype='float64'), {'x': (2,)})] == ['int32', 'float64']
