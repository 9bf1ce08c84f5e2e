"""What the surgeries on graphs have in common, on graphs small enough to be written down."""
import mxnet as mx
import numpy as np
from mxnet.gluon import HybridBlock, nn

from gluonzoo.graph.edit import (
    edges,
    flat,
    is_true,
    make_block,
    make_symbol,
    output_name,
    pass_by,
    read_graph,
    symbol_of,
)


def chain():
    """abs(relu(negative(data))), and a second reader of relu."""
    data = mx.sym.var('data')
    relu = mx.sym.relu(mx.sym.negative(data, name='n'), name='r')
    return mx.sym.Group([mx.sym.abs(relu, name='a'), mx.sym.square(relu, name='s')])


def compute(symbol, *values):
    return [y.asnumpy().tolist() for y in symbol.eval(mx.cpu(), data=mx.nd.array(values))]


def test_there_and_back():
    symbol = chain()
    graph = read_graph(symbol)
    assert [node['name'] for node in graph['nodes']] == ['data', 'n', 'r', 'a', 's']
    assert compute(make_symbol(graph), -2, 3) == compute(symbol, -2, 3) == [[2, 0], [4, 0]]
    graph['nodes'][2]['op'] = 'negative'   # another dict than that of the next
    assert read_graph(symbol)['nodes'][2]['op'] == 'relu'


def test_edges():
    graph = read_graph(chain())
    assert [edge[:2] for edge in edges(graph)] == [[0, 0], [1, 0], [2, 0], [2, 0], [3, 0], [4, 0]]
    edges(graph)[-1][0] = 1   # the second output is now that of n
    assert compute(make_symbol(graph), -2, 3) == [[2, 0], [2, -3]]


def test_pass_by():
    """All readers, and chains of such nodes; what nothing reads is gone."""
    graph = read_graph(chain())
    pass_by(graph, [2])
    symbol = make_symbol(graph)
    assert compute(symbol, -2, 3) == [[2, 3], [4, 9]]
    assert [node['name'] for node in read_graph(symbol)['nodes']] == ['data', 'n', 'a', 's']
    for numbers in ([1, 2], [2, 1]):
        graph = read_graph(chain())
        pass_by(graph, numbers)
        assert [node['name'] for node in read_graph(make_symbol(graph))['nodes']] == ['data', 'a', 's']
    graph = read_graph(chain())
    pass_by(graph, [3])   # which is an output
    assert compute(make_symbol(graph), -2, 3) == [[2, 0], [4, 0]]
    assert 'a' not in [node['name'] for node in read_graph(make_symbol(graph))['nodes']]


def test_output_names():
    symbol = chain()
    assert [output_name(node) for node in read_graph(symbol)['nodes']] == symbol.get_internals().list_outputs()


def test_flat():
    assert flat(1) == [1] and flat([1, (2, [3]), []]) == [1, 2, 3]


class Twice(HybridBlock):
    """Calls a layer twice, and returns a list in a list."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Dense(2, in_units=2, activation='relu')

    def hybrid_forward(self, F, x):
        y = self.layer(x)
        return [[self.layer(y)], y]


def test_symbol_of_a_network_and_a_block_of_the_symbol():
    net = Twice()
    net.initialize(mx.init.Normal(1))
    x = mx.nd.array([[1, 2], [-3, .5]])
    symbol = symbol_of(net)
    names = [node['name'] for node in read_graph(symbol)['nodes']]
    assert len(set(names)) == len(names) == 1 + 2 + 2 * 2   # the input, the parameters, and twice two operators
    values = {name: parameter.data() for name, parameter in net.collect_params().items()}
    block = make_block(symbol, values, x)
    for found, wanted in zip(block(x), flat(net(x))):
        np.testing.assert_array_equal(found.asnumpy(), wanted.asnumpy())
    assert {parameter.grad_req for parameter in block.collect_params().values()} == {'null'}
    before = block(x)[0].asnumpy()
    net.layer.weight.set_data(net.layer.weight.data() * 2)   # whose values the block has copied
    np.testing.assert_array_equal(block(x)[0].asnumpy(), before)


def test_a_symbol_of_one_output_is_no_group():
    net = nn.Dense(2, in_units=3)
    assert symbol_of(net).list_outputs() == [f'{net.name}_fwd_output']


def test_attributes_that_are_true():
    for text, true in (('True', True), ('true', True), ('1', True), ('False', False), ('0', False)):
        assert is_true({'attrs': {'no_bias': text}}, 'no_bias') == true
    assert not is_true({}, 'no_bias')
