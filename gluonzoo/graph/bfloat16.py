"""A copy of a network that computes convolutions and dense layers in bfloat16, for inference on a CPU."""
import contextlib

import mxnet as mx
import numpy as np
from mxnet.contrib import amp
from mxnet.contrib.amp.lists import symbol_bf16
from mxnet.gluon import SymbolBlock

from .edit import flat, make_block, make_symbol, read_graph, symbol_of
from .fold_norm import fold_norms
from .training_only import drop_training_only

__all__ = ['in_bfloat16']

_KNOWN = {*symbol_bf16.BF16_FUNCS, *symbol_bf16.BF16_FP32_FUNCS, *symbol_bf16.FP32_FUNCS,
          *symbol_bf16.WIDEST_TYPE_CASTS, *(operator for operator, *_ in symbol_bf16.CONDITIONAL_FP32_FUNCS)}

_ROUNDING = .05   # of the greatest number: what another order of rounding may change


def in_bfloat16(net, x):
    """A copy of a network with its convolutions and dense layers in bfloat16, of 8 significant bits.

    Weights of these layers are rounded, and so is what they take and give. Batch normalisations after convolutions are
    part of them, by their running statistics. Sums and the like that follow may be in bfloat16 too; all else is
    computed in float32, as MXNet's lists of operators say (mxnet.contrib.amp). Later changes of `net` do not reach the
    copy.

    Parameters
    ----------
    net : HybridBlock
        of one input, initialized, in float32, with all shapes known
    x : NDArray
        an input on a CPU; the copy also takes other sizes

    Returns
    -------
    SymbolBlock, hybridized, without gradients. Outputs are float32; several come as a list, which holds no others.
    """
    values = {name: parameter.data(x.context) for name, parameter in net.collect_params().items()}
    symbol, values = fold_norms(drop_training_only(symbol_of(net)), values)
    copy = make_block(_guarded(symbol), values, x)
    copy.hybridize()
    copy(x)   # amp takes the graph of a network that has computed
    try:
        low = _converted(copy, x)
    except mx.MXNetError:   # a concatenation of maps of both types, which MXNet does not cast
        low = _converted(copy, x, ['Concat'])
    return _joined(low, x)


def _converted(net, x, more_float32=()):
    low = amp.convert_hybrid_block(net, 'bfloat16', fp32_ops=[*symbol_bf16.FP32_FUNCS, *more_float32], ctx=x.context)
    for parameter in low.collect_params().values():
        parameter.grad_req = 'null'
    low.hybridize(static_alloc=True)
    low(x)
    mx.nd.waitall()
    return low


def _joined(low, x):
    """The network with activations and sums as parts of convolutions, which saves ways to oneDNN's layouts and back; or
    the network itself, where oneDNN joins wrongly.
    """
    inputs, symbol = low._cached_graph
    with contextlib.suppress(mx.MXNetError):
        joined = SymbolBlock(symbol.optimize_for('MKLDNN'), inputs, params=low.collect_params())
        joined.hybridize(static_alloc=True)
        pairs = [[y.asnumpy() for y in flat([block(x)])] for block in (low, joined)]
        if all(np.abs(a - b).max() <= _ROUNDING * np.abs(a).max() for a, b in zip(*pairs)):
            return joined
    return low


def _guarded(symbol):
    """The symbol with a cast to float32 before each operator that MXNet's lists do not have, such as our own.

    MXNet would give it bfloat16, which it may take for something else.
    """
    graph = read_graph(symbol)
    nodes, numbers = [], {}   # of the new graph; old number -> new one
    for number, node in enumerate(graph['nodes']):
        inputs = [[numbers[source], output, version] for source, output, version in node['inputs']]
        if node['op'] != 'null' and node['op'] not in _KNOWN:
            for place, edge in enumerate(inputs):
                nodes.append({'op': 'Cast', 'name': f'{node["name"]}_float32_{place}', 'attrs': {'dtype': 'float32'},
                              'inputs': [edge]})
                inputs[place] = [len(nodes) - 1, 0, 0]
        numbers[number] = len(nodes)
        nodes.append({**node, 'inputs': inputs})
    heads = [[numbers[source], output, version] for source, output, version in graph['heads']]
    return make_symbol({'nodes': nodes, 'heads': heads, 'attrs': graph['attrs'],
                        'arg_nodes': [i for i, node in enumerate(nodes) if node['op'] == 'null']})
