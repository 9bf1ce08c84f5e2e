"""The features that a classifier decides by: what its last fully connected layer takes."""
from .edit import flat, make_symbol, own_names, read_graph

__all__ = ['before_last_dense']


def before_last_dense(outputs):
    """The Symbol of what the last fully connected layer takes.

    Parameters
    ----------
    outputs : Symbol, or a list or tuple of those
        of a network; only the first counts

    Returns
    -------
    Symbol, or None if the first output is not that of a fully connected layer. (Others may lie deeper, such as those of
    squeeze and excitation.)
    """
    graph = read_graph(own_names(flat([outputs])[0]))
    node = graph['nodes'][graph['heads'][0][0]]
    if node['op'] != 'FullyConnected':
        return None
    graph['heads'] = [list(node['inputs'][0])]
    return make_symbol(graph)
