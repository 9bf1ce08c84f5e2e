"""A network as a fixed function, for gradients that go through it and not to it."""
import mxnet as mx

__all__ = ['Frozen']


class Frozen:
    """Computes what a network computes. Gradients pass to the input; no gradients of the parameters are computed.

    A call uses the network's parameters of that time. They must not change before the backward pass. The gradient
    arrays of the parameters stay as they are. In training mode, running statistics are updated as by the network.

    Parameters
    ----------
    net : HybridBlock
        of one input; initialised, its shapes known
    static_alloc : bool
        whether the memory of a pass is kept for the next one, see HybridBlock.hybridize
    """

    def __init__(self, net, static_alloc=True):
        data = mx.sym.var('data')
        symbol = net(data)
        parameters = {parameter.name: parameter for parameter in net.collect_params().values()}
        self._parameters = [parameters.get(name) for name in symbol.list_inputs()]   # None: the input
        self._compute = mx.nd.CachedOp(symbol, [('static_alloc', static_alloc)])

    def __call__(self, x):
        return self._compute(*(x if parameter is None else parameter.data(x.ctx).detach()
                               for parameter in self._parameters))
