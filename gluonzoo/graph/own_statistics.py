"""A network that normalises each picture of a batch by its own statistics."""
import mxnet as mx
from mxnet.gluon import SymbolBlock

from .edit import make_symbol, read_graph, symbol_of

__all__ = ['by_own_statistics']


def by_own_statistics(net):
    """A network of the same parameters, without dropout, that normalises each picture by its own statistics.

    Every batch normalisation becomes an instance normalisation with the same gamma, beta and epsilon. The result for
    each picture of a batch is that of ``with autograd.train_mode(): net(picture)`` for this picture alone, without
    dropout. Running statistics are not used.

    Parameters
    ----------
    net : HybridBlock
        of one input, float32, (N, C, H, W); initialized, its shapes known. Batch normalisations must be over axis 1.

    Returns
    -------
    SymbolBlock, which shares the parameters with `net`
    """
    graph = read_graph(symbol_of(net))
    for node in graph['nodes']:
        if node['op'] == 'BatchNorm':   # of data, gamma, beta, and the running statistics
            node.update(op='InstanceNorm', inputs=node['inputs'][:3], attrs={'eps': node['attrs']['eps']})
        elif node['op'] == 'Dropout':
            node.update(op='identity', attrs={})
    return SymbolBlock(make_symbol(graph), [mx.sym.var('data', dtype='float32')], params=net.collect_params())
