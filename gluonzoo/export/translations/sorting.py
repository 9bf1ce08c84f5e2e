"""Sorting, and the greatest or smallest of an axis.

Of equal numbers the first comes first, as in a stable sort. MXNet does not sort in a stable way: of equal numbers, it
has others first, and which depends on the length.

Source of what they mean: github.com/apache/mxnet, src/operator/tensor/ordering_op-inl.h.
"""
from onnx import helper

from .base import translates


def _best(nodes, ascending, count=None):
    """The values and the places (whole numbers) of the best along the axis, and that axis; `count` 0: of all."""
    data, = nodes.inputs
    if nodes.attrs.get('axis', '-1') == 'None':   # of the data as one row
        data, axis = nodes.add('Reshape', data, nodes.constant([-1])), 0
        length = nodes.add('Reshape', nodes.add('Size', data), nodes.constant([1]))
    else:
        axis = nodes.number('axis', -1) % len(nodes.shapes[0])
        length = nodes.length(0, axis)
    count = nodes.constant([count]) if count else length
    values, places = nodes.add_all(2, 'TopK', data, count, axis=axis, largest=int(not ascending), sorted=1)
    return values, places, data, axis


def _as_result(nodes, places, number):
    return nodes.add('Cast', places, to=helper.np_dtype_to_tensor_dtype(nodes.dtypes[number]))


@translates('sort')
def _sort(nodes):
    nodes.end('Identity', _best(nodes, nodes.flag('is_ascend', True))[0])


@translates('argsort')
def _argsort(nodes):
    nodes.end('Identity', _as_result(nodes, _best(nodes, nodes.flag('is_ascend', True))[1], 0))


@translates('topk')
def _topk(nodes):
    """Their places, their values, both, or 1 where they are and 0 elsewhere."""
    values, places, data, axis = _best(nodes, nodes.flag('is_ascend'), max(nodes.number('k', 1), 0))
    wanted = nodes.attrs.get('ret_typ', 'indices')
    if wanted == 'both':
        return nodes.end_all(values, _as_result(nodes, places, 1))
    if wanted == 'value':
        return nodes.end('Identity', values)
    if wanted == 'indices':
        return nodes.end('Identity', _as_result(nodes, places, 0))
    zeros = nodes.add('ConstantOfShape', nodes.add('Shape', data),
                      value=helper.make_tensor('zero', nodes.onnx_type, [1], [0]))
    ones = nodes.add('ConstantOfShape', nodes.add('Shape', places),
                     value=helper.make_tensor('one', nodes.onnx_type, [1], [1]))
    mask = nodes.add('ScatterElements', zeros, places, ones, axis=axis)
    nodes.end('Reshape', mask, nodes.add('Shape', *nodes.inputs))
