"""The features that a classifier decides by: what its last fully connected layer takes."""
from .edit import flat, make_symbol, own_names, read_graph

__all__ = ['before_last_dense']


def before_last_dense(outputs):
    """The Symbol of the input of the last fully connected layer.

    Parameters
    ----------
    outputs : Symbol, or a list or tuple of those
        of a network; only the first counts

    Returns
    -------
    Symbol, or None if the first output has no fully connected layer before it
    """
    graph = read_graph(own_names(flat([outputs])[0]))
    dense = [node for node in graph['nodes'] if node['op'] == 'FullyConnected']
    if not dense:
        return None
    graph['heads'] = [list(dense[-1]['inputs'][0])]
    return make_symbol(graph)
