"""Tools for surgery on networks: a graph as a dict and back, the edges of a graph, and a block of the result.

A graph is a Symbol as JSON has it. ``graph['nodes']`` is a list of dicts: 'op' ('null' for parameters and inputs),
'name', 'inputs' and, where there are any, 'attrs'; a node comes after those that it reads. ``graph['heads']`` are the
outputs. Inputs and heads are edges: lists [number of a node, number of an output of that node, version]. Nodes that
nothing reads any more are left out when the graph becomes a Symbol again.
"""
import json

import mxnet as mx
from mxnet.gluon import SymbolBlock

__all__ = ['edges', 'flat', 'is_true', 'make_block', 'make_symbol', 'output_name', 'own_names', 'pass_by', 'read_graph',
           'symbol_of']


def symbol_of(net):
    """The Symbol of a HybridBlock of one input, which is called data. Several outputs become a Group.

    Every operator gets a name of its own.
    """
    outputs = net(mx.sym.var('data'))
    return own_names(mx.sym.Group(flat(outputs)) if isinstance(outputs, (list, tuple)) else outputs)


def own_names(symbol, taken=()):
    """The Symbol with a name of its own for every operator, none of those that are `taken`.

    (In a network that calls a block twice, two operators have the same name at first.)
    """
    graph = read_graph(symbol)
    seen = {*taken, *(node['name'] for node in graph['nodes'] if node['op'] == 'null')}
    for number, node in enumerate(graph['nodes']):
        if node['op'] != 'null':
            while node['name'] in seen:
                node['name'] += f'_{number}'
            seen.add(node['name'])
    return make_symbol(graph)


def flat(outputs):
    """What a block returns, as a list: those in lists one by one."""
    return [y for output in outputs for y in flat(output)] if isinstance(outputs, (list, tuple)) else [outputs]


def is_true(node, attribute):
    """Whether an attribute of a node is true, as MXNet reads it: 'True', 'true' or '1'. An absent one is not."""
    return node.get('attrs', {}).get(attribute, 'False').lower() in ('true', '1')


def read_graph(symbol):
    """The graph of a Symbol, a dict of its own."""
    return json.loads(symbol.tojson())


def make_symbol(graph):
    """The Symbol of a graph."""
    return mx.sym.load_json(json.dumps(graph, ensure_ascii=False))   # MXNet does not read \u


def edges(graph):
    """All edges, those of nodes and then the heads: the lists themselves, to be changed in place."""
    return [edge for node in graph['nodes'] for edge in node['inputs']] + graph['heads']


def pass_by(graph, numbers):
    """Takes nodes out of the graph: their readers read the first input of the node instead."""
    sources = {number: graph['nodes'][number]['inputs'][0] for number in numbers}
    for edge in edges(graph):
        while edge[0] in sources:
            edge[:] = sources[edge[0]]


def output_name(node):
    """The name that Symbols give to the only output of a node, as in ``symbol.get_internals().list_outputs()``."""
    return node['name'] if node['op'] == 'null' else f'{node["name"]}_output'


def make_block(symbol, values, x, inputs=('data',)):
    """A SymbolBlock with parameters of its own, on the device of `x`, and without gradients.

    Parameters
    ----------
    symbol : Symbol
    values : dict of name -> NDArray
        of the parameters
    x : NDArray
        an input: its device and type are those of the block
    inputs : sequence of str
        the names of the inputs
    """
    block = SymbolBlock(symbol, [mx.sym.var(name, dtype=x.dtype) for name in inputs])
    for name, parameter in block.collect_params().items():
        parameter.shape, parameter.dtype, parameter.grad_req = values[name].shape, values[name].dtype, 'null'
        parameter.initialize(mx.init.Zero(), ctx=x.context)
        parameter.set_data(values[name])
    return block
