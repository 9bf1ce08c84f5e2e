"""Makes the numbers of channels inside a graph multiples of 16, with channels that nothing reads.

oneDNN, MXNet's engine on a CPU, computes in blocks of 16 channels. Convolutions whose channels do not fill their
blocks, above all depthwise convolutions, are several times slower: 36 channels take longer than 48.
"""
import mxnet as mx
import numpy as np

from .edit import make_symbol, output_name, read_graph

__all__ = ['BLOCK', 'fill_blocks']

BLOCK = 16   # channels; 8 without AVX-512

# Operators that treat every channel alike, and by itself.
_CHANNEL_WISE = {'Activation', 'relu', 'hard_sigmoid', 'LeakyReLU', 'Pooling', '_contrib_AdaptiveAvgPooling2D',
                 'UpSampling', '_copy', 'Dropout', 'top_pool', 'bottom_pool', 'left_pool', 'right_pool',
                 '_contrib_top_pool', '_contrib_bottom_pool', '_contrib_left_pool', '_contrib_right_pool'}
_WEIGHTED = {'Convolution', 'BatchNorm', '_contrib_BatchNormWithReLU'}
# Operators of two inputs whose channels correspond.
_PAIRS = {'elemwise_add', 'elemwise_mul', 'elemwise_sub', 'broadcast_like'}
_SPARE = -1   # in a layout: a channel that the network does not have, and that nothing reads


class _Conflict(Exception):
    """A node cannot take the layout of its input: the output of `node` must have `layout`."""

    def __init__(self, node, layout):
        super().__init__(node)
        self.node, self.layout = node, layout


def fill_blocks(symbol, values, shapes):
    """A symbol that computes the same with channels in whole blocks, where this is possible.

    A layout says of each channel which of the network's channels it is, or that it is spare. The weights of a
    convolution decide the layout of its output, so a convolution can take any layout. The nodes after the convolution
    keep this layout, up to the next convolution, which reads the channels by their layout. Where a node needs two equal
    layouts and gets different ones, or cannot have a layout, the convolution before it is told which layout to take. If
    this is not possible, the whole symbol stays as it is.

    Parameters
    ----------
    symbol : Symbol
    values : dict of name -> NDArray
        the parameters; arrays that change are replaced in this dict
    shapes : dict of name of an output of a node -> tuple

    Returns
    -------
    Symbol
    """
    graph = read_graph(symbol)
    if _shares_parameters(graph):
        return symbol
    told = {}   # convolution -> layout
    while True:
        try:
            layouts = _layouts(graph, values, shapes, told)
            break
        except _Conflict as conflict:
            convolution = _convolution_before(graph, conflict.node)
            if convolution is None or convolution in told:
                return symbol
            told[convolution] = conflict.layout
    if not any(layout is not None for layout in layouts):
        return symbol
    _relay(graph, values, layouts)
    return make_symbol(graph)


def _shares_parameters(graph):
    read = [edge[0] for node in graph['nodes'] for edge in node['inputs'][1:]]
    return any(read.count(number) > 1 for number in set(read) if graph['nodes'][number]['op'] == 'null')


def _layouts(graph, values, shapes, told):
    """The layout of each node's channels, None where it is the network's own. Raises _Conflict."""
    layouts = []
    heads = {edge[0] for edge in graph['heads']}
    for number, node in enumerate(graph['nodes']):
        op, sources = node['op'], [edge[0] for edge in node['inputs']]
        before = [layouts[source] for source in sources]
        layout = None
        if op in _WEIGHTED and any(graph['nodes'][source]['name'] not in values for source in sources[1:]):
            op = None   # its weights are computed
        if op == 'Convolution' and len(shapes[output_name(node)]) == 4:
            groups, channels = (int(node['attrs'].get(key, 1)) for key in ('num_group', 'num_filter'))
            if groups == 1:
                layout = told[number] if number in told else _whole_blocks(channels)
            elif groups == channels == _channels(graph, shapes, sources[0]):
                layout = before[0]
            elif before[0] is not None:
                raise _Conflict(sources[0], None)
        elif op and _keeps_channels(node):
            layout = before[0]
        elif op in _PAIRS and len({_channels(graph, shapes, source) for source in sources}) == 1 \
                and not node.get('attrs', {}).get('lhs_axes'):
            layout = before[0]
            if not _same(*before):
                # The one that a convolution can still change.
                for source, other in ((0, 1), (1, 0)):
                    convolution = _convolution_before(graph, sources[source])
                    if convolution is not None and convolution not in told:
                        raise _Conflict(sources[source], before[other])
                raise _Conflict(sources[0], None)
        elif op == 'Concat' and node['attrs'].get('dim', '1') == '1' \
                and None not in (_channels(graph, shapes, source) for source in sources):
            if any(part is not None for part in before):
                parts, offset = [], 0
                for source, part in zip(sources, before):
                    channels = _channels(graph, shapes, source)
                    part = np.arange(channels) if part is None else part
                    parts.append(np.where(part == _SPARE, _SPARE, part + offset))
                    offset += channels
                layout = np.concatenate(parts)
        else:
            for source, part in zip(sources, before):
                if part is not None:
                    raise _Conflict(source, None)
        if number in heads and layout is not None:
            raise _Conflict(number, None)
        layouts.append(layout)
    return layouts


def _relay(graph, values, layouts):
    """Lays out parameters and attributes."""
    for node, layout in zip(graph['nodes'], layouts):
        sources = [edge[0] for edge in node['inputs']]
        names = [graph['nodes'][source]['name'] for source in sources]
        if node['op'] == 'Convolution':
            depthwise = int(node['attrs'].get('num_group', 1)) > 1
            if layout is not None:
                for name in names[1:]:
                    values[name] = _take(values[name], layout, 0)
                node['attrs']['num_filter'] = str(len(layout))
                if depthwise:
                    node['attrs']['num_group'] = str(len(layout))
            if layouts[sources[0]] is not None and not depthwise:
                values[names[1]] = _take(values[names[1]], layouts[sources[0]], 1)
        elif node['op'] in ('BatchNorm', '_contrib_BatchNormWithReLU') and layout is not None:
            for name, spare in zip(names[1:], (0, 0, 0, 1)):   # gamma, beta, mean, variance
                values[name] = _take(values[name], layout, 0, spare)


def _take(array, layout, axis, spare=0):
    """The slices of an array in the order of a layout. Spare channels get slices of the value `spare`."""
    taken = np.take(array.asnumpy(), layout, axis=axis)
    shape = [1] * taken.ndim
    shape[axis] = -1
    return mx.nd.array(np.where((layout == _SPARE).reshape(shape), spare, taken), ctx=array.context, dtype=array.dtype)


def _whole_blocks(channels):
    if channels % BLOCK == 0:
        return None
    return np.r_[np.arange(channels), np.full(-channels % BLOCK, _SPARE)]


def _same(a, b):
    return a is b or (a is not None and b is not None and np.array_equal(a, b))


def _channels(graph, shapes, number):
    """Of a node's output; None if it has several outputs, or one without channels."""
    shape = shapes.get(output_name(graph['nodes'][number]), ())
    return int(shape[1]) if len(shape) > 1 else None


def _keeps_channels(node):
    """Whether each output channel depends on the same channel of the first input alone."""
    if node['op'] in ('BatchNorm', '_contrib_BatchNormWithReLU'):
        return node['attrs'].get('axis', '1') == '1'
    return node['op'] in _CHANNEL_WISE and len(node['inputs']) == 1   # no weights, and not two maps side by side


def _convolution_before(graph, number):
    """The convolution that decides the layout of a node, through channel-wise operators alone; or None."""
    node = graph['nodes'][number]
    while _keeps_channels(node):
        number = node['inputs'][0][0]
        node = graph['nodes'][number]
    if node['op'] == 'Convolution':
        if node['attrs'].get('num_group', '1') == '1':
            return number
        return _convolution_before(graph, node['inputs'][0][0])
    return None
