"""A copy of a network that computes the same in fewer steps, for inference."""
import contextlib
import os
import warnings
from collections import Counter

import mxnet as mx

from .blocks_of_channels import fill_blocks
from .edit import edges, flat, make_block, make_symbol, output_name, pass_by, read_graph, symbol_of
from .training_only import drop_training_only

__all__ = ['for_inference']


def for_inference(net, x):
    """A copy of the network that computes outputs faster on a CPU, and computes nothing else.

    Nodes that depend on weights alone are computed once. Batch normalisations, activations and sums become part of the
    convolutions before them; a normalisation and a ReLU elsewhere become one operator. Nodes that only training needs
    are left out. Later changes of `net` do not reach the copy.

    The speed comes from oneDNN, MXNet's engine on a CPU. Without oneDNN (a GPU, a type other than float32, a build
    without it) the copy is still right.

    Parameters
    ----------
    net : HybridBlock
        of one input, initialized, with all shapes known
    x : NDArray
        an input; its device and type are those of the copy, which also takes other sizes

    Returns
    -------
    SymbolBlock, hybridized, without gradients. Several outputs come as a list, which must not hold others.
    """
    values = {name: parameter.data(x.context).copy() for name, parameter in net.collect_params().items()}
    symbol = drop_training_only(symbol_of(net))
    symbol = _fold_constants(symbol, values, x.context)
    if _uses_onednn(x):
        fused, fused_values = _join_norm_and_relu(symbol, _shapes(symbol, values, x)), dict(values)
        fused = fill_blocks(fused, fused_values, _shapes(fused, values, x))
        with contextlib.suppress(mx.MXNetError):
            # Not by the block's own optimize_for: in some sums, such as f(x) + conv_bn(conv_bn(x)), it would take the
            # weights of one convolution for those of another.
            copy = make_block(_join_sum(fused.optimize_for('MKLDNN')), fused_values, x)
            copy.hybridize(**_STATIC)
            if _agree(copy(x), net(x)):
                return copy
        warnings.warn('for_inference: MXNet fuses the convolutions of this network wrongly; they stay as they are',
                      stacklevel=2)
    copy = make_block(symbol, values, x)
    copy.hybridize(**_STATIC)
    return copy


_STATIC = {'static_alloc': True, 'static_shape': True}


def _agree(found, wanted, tolerance=1e-3):
    """Whether outputs are the same but for rounding."""
    return all((a - b).abs().max().asscalar() <= tolerance * b.abs().max().asscalar()
               for a, b in zip(flat(found), flat(wanted)))


def _shapes(symbol, values, x):
    """Name of an output of a node -> shape"""
    known = {name: values[name].shape for name in symbol.list_arguments() if name in values}
    internals = symbol.get_internals()
    return dict(zip(internals.list_outputs(), internals.infer_shape(data=x.shape, **known)[1]))


def _uses_onednn(x):
    return (x.context.device_type == 'cpu' and x.dtype.__name__ == 'float32'
            and mx.runtime.Features().is_enabled('MKLDNN') and os.environ.get('MXNET_MKLDNN_ENABLED') != '0')


def _join_norm_and_relu(symbol, shapes):
    """Replaces pairs of BatchNorm and ReLU by oneDNN's one operator for both.

    Pairs after a convolution are not replaced: they become part of the convolution.
    """
    graph = read_graph(symbol)
    nodes = graph['nodes']
    readers = Counter(edge[0] for edge in edges(graph))
    joined = []   # ReLUs
    for number, node in enumerate(nodes):
        if node['op'] != 'Activation' or node['attrs']['act_type'] != 'relu':
            continue
        source = node['inputs'][0][0]
        norm = nodes[source]
        if (norm['op'] == 'BatchNorm' and readers[source] == 1 and norm['attrs'].get('axis', '1') == '1'
                and len(shapes[output_name(norm)]) == 4   # oneDNN's has no other
                and nodes[norm['inputs'][0][0]]['op'] != 'Convolution'):
            norm['op'] = '_contrib_BatchNormWithReLU'
            joined.append(number)
    pass_by(graph, joined)
    return make_symbol(graph)


def _join_sum(symbol):
    """Has convolutions that end with an activation add another map afterwards, where a node did so.

    MXNet itself joins only sums that come before the activation.
    """
    graph = read_graph(symbol)
    nodes = graph['nodes']
    readers = Counter(edge[0] for edge in edges(graph))
    joined = {}   # sum -> convolution
    for number, node in enumerate(nodes):
        if node['op'] != 'elemwise_add':
            continue
        for edge, other in (node['inputs'], node['inputs'][::-1]):
            convolution = nodes[edge[0]]
            if (convolution['op'] == '_sg_mkldnn_conv' and convolution['attrs'].get('with_act') == 'true'
                    and 'with_sum' not in convolution['attrs'] and readers[edge[0]] == 1 and other[0] < edge[0]):
                convolution['attrs']['with_sum'] = 'true'
                convolution['inputs'].append(list(other))
                inside, = convolution['subgraphs']
                inside['nodes'] += [{'op': 'null', 'name': 'addend', 'inputs': []},
                                    {'op': 'elemwise_add', 'name': node['name'],
                                     'inputs': [*inside['heads'], [len(inside['nodes']), 0, 0]]}]
                inside['arg_nodes'].append(len(inside['nodes']) - 2)
                inside['heads'] = [[len(inside['nodes']) - 1, 0, 0]]
                joined[number] = edge[0]
                break
    for edge in edges(graph):
        edge[0] = joined.get(edge[0], edge[0])
    return make_symbol(graph)


def _fold_constants(symbol, values, ctx):
    """Computes the nodes that depend on parameters alone, and makes them parameters, with their values in `values`."""
    graph = read_graph(symbol)
    nodes, internals = graph['nodes'], symbol.get_internals()
    constant, outputs = [], set(internals.list_outputs())
    for node in nodes:
        sources = [edge[0] for edge in node['inputs']]
        constant.append(node['name'] in values if node['op'] == 'null'
                        else bool(sources) and all(constant[source] for source in sources)
                        and output_name(node) in outputs)   # it has one output
    needed = {edge[0] for node, is_constant in zip(nodes, constant) if not is_constant for edge in node['inputs']}
    for number in sorted(needed):
        node = nodes[number]
        if constant[number] and node['op'] != 'null':
            part = internals[output_name(node)]
            values[node['name']], = part.eval(ctx, **{name: values[name] for name in part.list_inputs()})
            nodes[number] = {'op': 'null', 'name': node['name'], 'inputs': []}
    return make_symbol(graph)
