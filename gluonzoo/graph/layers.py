"""What is in a graph: its layers, the shapes of their outputs, their parameters and multiply-adds."""
from math import prod
from typing import NamedTuple

import mxnet as mx

from .edit import is_true, read_graph
from .inferred import output_dtypes, output_shapes

__all__ = ['Layer', 'layers']


class Layer(NamedTuple):
    """One operator of a graph."""
    name: str
    operator: str
    shape: tuple
    """of its first output"""
    dtype: str
    """of its first output"""
    parameters: int
    """numbers that no layer before it reads, running statistics among them"""
    multiply_adds: int
    """of convolutions and products of matrices; other operators count 0"""


def layers(symbol, shapes):
    """The layers of a graph, in the order in which they are computed.

    Parameters
    ----------
    symbol : Symbol
        Each operator has a name of its own.
    shapes : dict of name -> tuple
        of the inputs

    Returns
    -------
    list of Layer

    Raises
    ------
    MXNetError
        if the inputs do not fit the graph
    """
    dtypes = _dtypes(symbol, shapes)
    outputs = {name: (found[0], dtypes[name]) for name, found in output_shapes(symbol, shapes).items()}
    nodes = read_graph(symbol)['nodes']
    seen, found = set(), []
    for node in nodes:
        if node['op'] == 'null':
            continue
        sources = [nodes[edge[0]] for edge in node['inputs']]
        new = [source['name'] for source in sources
               if source['op'] == 'null' and source['name'] not in shapes and source['name'] not in seen]
        seen.update(new)
        shape, dtype = outputs[node['name']]
        found.append(Layer(node['name'], node['op'], shape, dtype, sum(prod(outputs[name][0]) for name in new),
                           _multiply_adds(node, [outputs[source['name']][0] for source in sources], shape)))
    return found


def _dtypes(symbol, inputs):
    """The type of the first output of every node, by its name."""
    try:
        found = output_dtypes(symbol, inputs)
    except mx.MXNetError:   # of operators that do not say it
        found = None
    if found is None:
        return dict.fromkeys((output.name for output in symbol.get_internals()), 'unknown')
    return {name: dtypes[0].name for name, dtypes in found.items()}


def _multiply_adds(node, inputs, output):
    kind = node['op'].replace('_contrib_', '').replace('quantized_', '')
    if 'Deconvolution' in kind:
        return prod(inputs[0]) * prod(inputs[1][1:])
    if kind.lower() in ('convolution', 'conv', '_sg_mkldnn_conv'):
        return prod(output) * prod(inputs[1][1:])
    if 'DeformableConvolution' in kind:
        weight = inputs[3 if kind.startswith('Modulated') else 2]
        return prod(output) * prod(weight[1:])
    if kind.lower() in ('fullyconnected', 'fully_connected', '_sg_mkldnn_fully_connected'):
        return prod(output) * inputs[1][1]
    if kind in ('dot', 'batch_dot', '_linalg_gemm', '_linalg_gemm2', 'linalg_gemm', 'linalg_gemm2'):
        axis = (0 if kind == 'dot' else -2) if is_true(node, 'transpose_a') else -1
        return prod(output) * inputs[0][axis]
    return 0
