"""Makes batch normalisations part of the convolutions before them, as they are in inference."""
from collections import Counter

import mxnet as mx

from .edit import edges, make_symbol, read_graph

__all__ = ['fold_norms']


def fold_norms(symbol, values):
    """The symbol without the batch normalisations that follow a convolution, which has their scale and offset instead.

    A normalisation stays where others read the convolution too, or where the convolution's weight is computed, or read
    twice.

    Parameters
    ----------
    symbol : Symbol
    values : dict of name -> NDArray
        of the parameters and running statistics; the new weights and biases take the place of former ones

    Returns
    -------
    symbol : Symbol
    values : dict of name -> NDArray
        another dict
    """
    graph, values = read_graph(symbol), dict(values)
    nodes = graph['nodes']
    readers = Counter(edge[0] for edge in edges(graph))
    for node in nodes:
        if node['op'] == 'BatchNorm' and _follows_convolution(nodes, node, readers, values):
            _fold(nodes, node, values)
    return make_symbol(graph), values


def _follows_convolution(nodes, norm, readers, values):
    before = norm['inputs'][0][0]
    convolution, attributes = nodes[before], norm.get('attrs', {})
    if convolution['op'] != 'Convolution' or readers[before] != 1 or attributes.get('axis', '1') != '1' \
            or attributes.get('output_mean_var', 'False') != 'False':
        return False
    own = [edge[0] for edge in convolution['inputs'][1:] + norm['inputs'][1:]]
    return all(readers[number] == 1 and nodes[number]['name'] in values for number in own)


def _fold(nodes, norm, values):
    """Turns the normalisation into a convolution of new weights; nothing reads the former convolution any more."""
    convolution = nodes[norm['inputs'][0][0]]
    attributes = norm.get('attrs', {})
    weight, *bias = (nodes[edge[0]]['name'] for edge in convolution['inputs'][1:])
    gamma, beta, mean, variance = (nodes[edge[0]]['name'] for edge in norm['inputs'][1:])
    scale = 1 / mx.nd.sqrt(values[variance] + float(attributes.get('eps', 1e-3)))
    if attributes.get('fix_gamma', 'True') == 'False':
        scale = scale * values[gamma]
    offset = values[bias[0]] if bias else 0
    values[beta] = values[beta] + (offset - values[mean]) * scale
    values[weight] = values[weight] * scale.reshape((-1, *[1] * (values[weight].ndim - 1)))
    norm.update(op='Convolution', attrs={**convolution['attrs'], 'no_bias': 'False'},
                inputs=[*convolution['inputs'][:2], norm['inputs'][2]])
