"""Of each element by itself."""
from .base import translates


@translates('_lesser_equal_scalar')
def _lesser_equal_scalar(nodes):
    bound = nodes.constant(float(nodes.attrs['scalar']), nodes.dtype)
    nodes.end('Cast', nodes.add('LessOrEqual', *nodes.inputs, bound), to=nodes.onnx_type)


@translates('_greater_equal_scalar')
def _greater_equal_scalar(nodes):
    bound = nodes.constant(float(nodes.attrs['scalar']), nodes.dtype)
    nodes.end('Cast', nodes.add('GreaterOrEqual', *nodes.inputs, bound), to=nodes.onnx_type)


@translates('_rminus_scalar')
def _rminus_scalar(nodes):
    """(MXNet's own prints.)"""
    nodes.end('Sub', nodes.constant(float(nodes.attrs['scalar']), nodes.dtype), *nodes.inputs)


@translates('broadcast_maximum')
def _broadcast_maximum(nodes):
    nodes.end('Max', *nodes.inputs)


@translates('sign')
def _sign(nodes):
    nodes.end('Sign', *nodes.inputs)
