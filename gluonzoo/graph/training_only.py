"""Takes out of graphs what only training needs: gluonzoo.nn.plain_gradient, and spare channels of convolutions."""
from collections import Counter

from .edit import edges, make_symbol, pass_by, read_graph

__all__ = ['drop_training_only']


def drop_training_only(symbol):
    """A symbol that computes the same, without plain gradients and without the spare channels of convolutions, which
    gluonzoo.nn.depthwise_conv and gluonzoo.nn.filled_conv add.
    """
    graph = read_graph(symbol)
    nodes = graph['nodes']
    # A plain gradient is a transposition that moves no axis.
    pass_by(graph, [number for number, node in enumerate(nodes)
                    if _is(node, 'transpose', axes='(0, 1, 2, 3)')])
    readers = Counter(edge[0] for edge in edges(graph))
    pass_by(graph, [number for number, node in enumerate(nodes)
                    if _is(node, 'slice_axis', axis='1', begin='0') and readers[node['inputs'][0][0]] == 1
                    and _give_up_spare_channels(nodes, node)])
    return make_symbol(graph)


def _give_up_spare_channels(nodes, cut):
    """Has a convolution make only the channels that a slice takes of its output, if the others are zeros.

    The others are zeros where its weights and its bias are concatenations with zeros; of a depthwise convolution, its
    input must be one, too. Returns whether that is so.
    """
    convolution = nodes[cut['inputs'][0][0]]
    attributes = convolution.get('attrs', {})
    groups, end = attributes.get('num_group'), cut['attrs']['end']
    if convolution['op'] != 'Convolution' or groups not in ('1', attributes['num_filter']):
        return False
    depthwise = groups != '1'
    filled = convolution['inputs'] if depthwise else convolution['inputs'][1:]
    sources = [nodes[edge[0]] for edge in filled]
    axes = ['0'] * len(sources)   # of weights and bias
    if depthwise:
        axes[0] = '1'   # of channels
    if not all(_is(source, 'Concat', dim=axis) and len(source['inputs']) == 2
               and nodes[source['inputs'][1][0]]['op'] == 'zeros_like' for source, axis in zip(sources, axes)):
        return False
    convolution['inputs'][-len(filled):] = [list(source['inputs'][0]) for source in sources]
    attributes.update(num_filter=end, num_group=end if depthwise else '1')
    return True


def _is(node, op, **attributes):
    return node['op'] == op and attributes.items() <= node.get('attrs', {}).items()
