"""Reductions along axes."""
from .base import translates


def _axes(nodes):
    """The axes that are reduced, by MXNet's attributes axis and exclude."""
    count = len(nodes.shapes[0])
    axes = nodes.numbers('axis')
    axes = {axis % count for axis in axes} if axes else set(range(count))
    if nodes.flag('exclude') and nodes.numbers('axis'):
        axes = set(range(count)) - axes
    return sorted(axes)


def _reduced(nodes, operator, data, axes, keepdims):
    if operator == 'ReduceSum':   # the only one whose axes are an input in opset 13
        return nodes.add(operator, data, nodes.constant(axes), keepdims=keepdims)
    return nodes.add(operator, data, axes=axes, keepdims=keepdims)


def _reduce(nodes, operator, data, then='Identity'):
    axes, keepdims = _axes(nodes), nodes.flag('keepdims')
    found = nodes.add(then, _reduced(nodes, operator, data, axes, int(keepdims)))
    if len(axes) == len(nodes.shapes[0]) and not keepdims:   # MXNet knows no array without axes
        return nodes.end('Reshape', found, nodes.constant([1]))
    nodes.end('Identity', found)


for _operator, _onnx_operator in {'sum': 'ReduceSum', 'sum_axis': 'ReduceSum', 'mean': 'ReduceMean', 'max': 'ReduceMax',
                                  'min': 'ReduceMin', 'prod': 'ReduceProd'}.items():
    translates(_operator)(lambda nodes, operator=_onnx_operator: _reduce(nodes, operator, *nodes.inputs))


@translates('norm')
def _norm(nodes):
    """By sums: OpenVINO reads the axes of ReduceL1 and ReduceL2 otherwise."""
    x, = nodes.inputs
    if nodes.number('ord', 2) == 1:
        return _reduce(nodes, 'ReduceSum', nodes.add('Abs', x))
    _reduce(nodes, 'ReduceSum', nodes.add('Mul', x, x), 'Sqrt')


def _without_nan(nodes, value):
    x, = nodes.inputs
    return nodes.add('Where', nodes.add('IsNaN', x), nodes.scalar(value), x)


@translates('nansum')
def _nansum(nodes):
    _reduce(nodes, 'ReduceSum', _without_nan(nodes, 0))


@translates('nanprod')
def _nanprod(nodes):
    _reduce(nodes, 'ReduceProd', _without_nan(nodes, 1))


@translates('moments')
def _moments(nodes):
    """Mean and variance."""
    x, = nodes.inputs
    axes = nodes.numbers('axes') or tuple(range(len(nodes.shapes[0])))
    mean = nodes.add('ReduceMean', x, axes=axes, keepdims=1)
    apart = nodes.add('Sub', x, mean)
    found = [nodes.add('ReduceMean', x, axes=axes, keepdims=int(nodes.flag('keepdims'))),
             nodes.add('ReduceMean', nodes.add('Mul', apart, apart), axes=axes, keepdims=int(nodes.flag('keepdims')))]
    if len(axes) == len(nodes.shapes[0]) and not nodes.flag('keepdims'):
        found = [nodes.add('Reshape', one, nodes.constant([1])) for one in found]
    nodes.end_all(*found)


@translates('argmax_channel')
def _argmax_channel(nodes):
    nodes.end('Cast', nodes.add('ArgMax', *nodes.inputs, axis=1, keepdims=0), to=nodes.onnx_type)


@translates('_np_cumsum')
def _cumsum(nodes):
    x, = nodes.inputs
    axis = nodes.numbers('axis')
    if axis is None:
        x, axis = nodes.add('Reshape', x, nodes.constant([-1])), (0,)
    nodes.end('CumSum', x, nodes.constant(axis[0]))
