"""Something else computes in place of a task's network, or looks at what the network is given.

A task evaluates and predicts with the stand-in as with the network itself: its own preparation of pictures, decoding
and metrics are around both. So a smaller form of a network is measured as the network is.
"""
from contextlib import contextmanager

import mxnet as mx
from mxnet.gluon import HybridBlock

__all__ = ['inputs_of', 'stand_in']


@contextmanager
def stand_in(task, block, compute):
    """Within, `compute` answers where the task calls a network.

    Parameters
    ----------
    task : Task
        started
    block : HybridBlock
        a network of the task, or what its :meth:`~gluonzoo.tasks.base.Task.exported` gives to export
    compute : function of NDArrays -> list of NDArrays
        the outputs one by one; they may be fewer than the network's where the task uses only the last ones

    Raises ValueError if `block` stands for no network of the task, or for several.
    """
    net = _called(task, block)
    shape = []   # how the network groups its outputs; known from its first call

    def forward(*inputs):
        if not isinstance(inputs[0], mx.nd.NDArray):   # the task asks for the graph
            return type(net).forward(net, *inputs)
        if not shape:
            shape.append(type(net).forward(net, *(mx.sym.var(f'data{i}') for i in range(len(inputs)))))
        return _grouped(shape[0], list(compute(*inputs)))

    with _called_one_by_one(task, net):
        net.forward = forward   # before the method of the class
        try:
            yield
        finally:
            del net.forward


def inputs_of(task, block, use):
    """What a task gives to a network while ``use()`` runs: list of tuples of NumPy arrays, one a call.

    `task` and `block` are as for :func:`stand_in`.
    """
    net, found = _called(task, block), []

    def remember(_, inputs):
        if isinstance(inputs[0], mx.nd.NDArray):   # and not where the task asks for the graph
            found.append(tuple(x.asnumpy() for x in inputs))

    with _called_one_by_one(task, net):
        hook = net.register_forward_pre_hook(remember)
        try:
            use()
        finally:
            hook.detach()
    return found


def _called(task, block):
    """The block that the task itself calls where it uses what `block` computes."""
    networks = [task.networks[name] for name in task.used if name in task.networks]
    if any(block is each for each in [*task.networks.values(), *_held(task)]):
        return block
    inside = [net for net in networks if any(net is each for each in _below(block))] or networks
    if len(inside) != 1:
        raise ValueError(f'{type(task).__name__}: has {len(inside)} networks that predict; one of them is needed here')
    return inside[0]


@contextmanager
def _called_one_by_one(task, net):
    """Within, blocks of the task that contain `net` call it each time: as one graph they would compute without it."""
    around = [each for block in _held(task) for each in _below(block)
              if isinstance(each, HybridBlock) and each._active and any(net is child for child in _below(each)[1:])]
    try:
        for each in around:
            each._active = False
        yield
    finally:
        for each in around:
            each._active = True


def _held(task):
    return [value for value in vars(task).values() if isinstance(value, HybridBlock)]


def _below(block):
    """A block and all within it, the outer ones first."""
    return [block, *(each for child in block._children.values() for each in _below(child))]


def _grouped(structure, outputs):
    """The outputs, as a network groups them; one list, if the network has others beside."""
    if not isinstance(structure, (list, tuple)):
        return outputs[0]
    if _count(structure) != len(outputs):
        return outputs
    return _like(structure, iter(outputs))


def _like(structure, rest):
    return [_like(each, rest) for each in structure] if isinstance(structure, (list, tuple)) else next(rest)


def _count(structure):
    return sum(map(_count, structure)) if isinstance(structure, (list, tuple)) else 1
