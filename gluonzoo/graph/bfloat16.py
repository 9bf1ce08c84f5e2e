"""A copy of a network that computes convolutions and dense layers in bfloat16, for inference on a CPU."""
import mxnet as mx
from mxnet.contrib import amp
from mxnet.contrib.amp.lists import symbol_bf16

from .edit import make_block, make_symbol, read_graph, symbol_of
from .training_only import drop_training_only

__all__ = ['in_bfloat16']

_KNOWN = {*symbol_bf16.BF16_FUNCS, *symbol_bf16.BF16_FP32_FUNCS, *symbol_bf16.FP32_FUNCS,
          *symbol_bf16.WIDEST_TYPE_CASTS, *(operator for operator, *_ in symbol_bf16.CONDITIONAL_FP32_FUNCS)}


def in_bfloat16(net, x):
    """A copy of a network with its convolutions and dense layers in bfloat16, of 8 significant bits.

    Weights of these layers are rounded, and so is what they take and give. Normalisations, sums and the like that
    follow them may be in bfloat16 too; all else is computed in float32, as MXNet's lists of operators say
    (mxnet.contrib.amp). Later changes of `net` do not reach the copy.

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
    copy = make_block(_guarded(drop_training_only(symbol_of(net))), values, x)
    copy.hybridize()
    copy(x)   # amp takes the graph of a network that has computed
    try:
        return _converted(copy, x)
    except mx.MXNetError:   # a concatenation of maps of both types, which MXNet does not cast
        return _converted(copy, x, ['Concat'])


def _converted(net, x, more_float32=()):
    low = amp.convert_hybrid_block(net, 'bfloat16', fp32_ops=[*symbol_bf16.FP32_FUNCS, *more_float32], ctx=x.context)
    for parameter in low.collect_params().values():
        parameter.grad_req = 'null'
    low.hybridize(static_alloc=True)
    low(x)
    mx.nd.waitall()
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
