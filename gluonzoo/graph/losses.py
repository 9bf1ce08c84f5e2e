"""Takes losses out of graphs: outputs of MXNet's Module API, which compute a prediction and, backwards, a gradient."""
from .edit import make_symbol, read_graph

__all__ = ['predictions_for_losses']

# Operator -> what it computes forwards of its first input. The others, such as labels, are for the gradient.
_FORWARD = {'SoftmaxOutput': 'softmax', 'Softmax': 'softmax', 'LogisticRegressionOutput': 'sigmoid',
            **dict.fromkeys(['LinearRegressionOutput', 'MAERegressionOutput', 'SVMOutput', 'MakeLoss', 'make_loss'],
                            '_copy')}


def predictions_for_losses(symbol):
    """A Symbol that computes the same, and needs no labels."""
    graph = read_graph(symbol)
    for node in graph['nodes']:
        if node['op'] in _FORWARD:
            attributes = node.pop('attrs', {})
            node['op'] = _FORWARD[node['op']]
            if node['op'] == 'softmax':   # of channels, or of the last axis
                node['attrs'] = {'axis': '1' if attributes.get('multi_output', 'False') in ('True', '1') else '-1'}
            del node['inputs'][1:]
    return make_symbol(graph)
