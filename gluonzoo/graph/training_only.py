"""Takes out of graphs what only training needs: gluonzoo.nn.plain_gradient and gluonzoo.nn.depthwise_conv."""
from collections import Counter

from .edit import edges, make_symbol, pass_by, read_graph

__all__ = ['drop_training_only']


def drop_training_only(symbol):
    """A symbol that computes the same, without plain gradients and without spare channels of depthwise convolutions."""
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
    """Has a depthwise convolution make only the channels that a slice takes of its output, if the others are zeros.

    The others are zeros where its input and its weights are concatenations with zeros. Returns whether that is so.
    """
    convolution = nodes[cut['inputs'][0][0]]
    count = convolution.get('attrs', {}).get('num_filter')
    if not _is(convolution, 'Convolution', num_group=count) or len(convolution['inputs']) != 2:
        return False
    sources = [nodes[edge[0]] for edge in convolution['inputs']]
    if not all(_is(source, 'Concat', dim=dim) and len(source['inputs']) == 2
               and nodes[source['inputs'][1][0]]['op'] == 'zeros_like' for source, dim in zip(sources, '10')):
        return False
    convolution['inputs'] = [list(source['inputs'][0]) for source in sources]
    convolution['attrs'].update(num_filter=cut['attrs']['end'], num_group=cut['attrs']['end'])
    return True


def _is(node, op, **attributes):
    return node['op'] == op and attributes.items() <= node.get('attrs', {}).items()
