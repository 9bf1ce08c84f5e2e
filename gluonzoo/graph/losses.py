"""Takes losses out of graphs: outputs of MXNet's Module API, which compute a prediction and, backwards, a gradient."""
from .edit import is_true, make_symbol, read_graph

__all__ = ['predictions_for_losses', 'require_known_axis']

# Operator -> what it computes forwards of its first input. The others, such as labels, are for the gradient.
_FORWARD = {'SoftmaxOutput': 'softmax', 'Softmax': 'softmax', 'LogisticRegressionOutput': 'sigmoid',
            **dict.fromkeys(['LinearRegressionOutput', 'MAERegressionOutput', 'SVMOutput', 'MakeLoss', 'make_loss'],
                            '_copy')}


def predictions_for_losses(symbol):
    """A Symbol that computes the same, and needs no labels."""
    graph = read_graph(symbol)
    for node in graph['nodes']:
        if node['op'] in _FORWARD:
            axis = '1' if is_true(node, 'multi_output') else '-1'   # of channels, or the last one
            node['op'] = _FORWARD[node['op']]
            node['attrs'] = {'axis': axis} if node['op'] == 'softmax' else {}
            del node['inputs'][1:]
    return make_symbol(graph)


def require_known_axis(symbol, predictions, shapes):
    """ValueError, which names the layer, for a SoftmaxOutput that does not say of which axis it is. Of more than two
    dimensions MXNet takes the last one or all but the first, as the processor is.

    Parameters
    ----------
    symbol : Symbol
        with losses
    predictions : Symbol
        what :func:`predictions_for_losses` has made of it
    shapes : dict of name -> tuple
        of the inputs of `predictions`
    """
    names = [node['name'] for node in read_graph(symbol)['nodes'] if _FORWARD.get(node['op']) == 'softmax' and not any(
        is_true(node, key) for key in ('multi_output', 'preserve_shape'))]
    if not names:
        return
    inside = predictions.get_internals()
    found = dict(zip(inside.list_outputs(), inside.infer_shape(**shapes)[1]))
    for name in names:
        shape = found.get(f'{name}_output', ())
        if len(shape) > 2:
            raise ValueError(f'layer {name!r}: a SoftmaxOutput of the shape {tuple(shape)} must have multi_output or '
                             'preserve_shape, which say of which axis it is')
