"""Pooling."""
import ast

import numpy as np

from .base import translates


@translates('_contrib_AdaptiveAvgPooling2D')
def _adaptive_average(nodes):
    """Averages of parts that may overlap: products with a matrix for the rows and one for the columns."""
    size = ast.literal_eval(nodes.attrs.get('output_size', '()'))
    size = (size,) if isinstance(size, int) else size or (1,)
    height, width = size if len(size) == 2 else 2 * tuple(size)
    if (height, width) == (1, 1):
        return nodes.end('GlobalAveragePool', *nodes.inputs)
    rows = nodes.add('MatMul', _averaging(nodes, 2, height), *nodes.inputs)
    nodes.end('MatMul', rows, nodes.add('Transpose', _averaging(nodes, 3, width), perm=[1, 0]))


def _averaging(nodes, axis, count):
    """The name of a matrix [count, length] that takes `count` averages along an axis of the input."""
    length = nodes.shapes[0][axis]
    if length is not None:
        begin, end = (np.arange(count) * length // count, -(-np.arange(1, count + 1) * length // count))
        place = np.arange(length)
        inside = (place >= begin[:, None]) & (place < end[:, None])
        return nodes.constant(inside / (end - begin)[:, None], nodes.dtype)
    length = nodes.length(0, axis)
    parts = nodes.constant(np.arange(count)[:, None])
    one, number = nodes.constant(1), nodes.constant(count)
    begin = nodes.add('Div', nodes.add('Mul', parts, length), number)
    end = nodes.add('Mul', nodes.add('Add', parts, one), length)   # divided, and rounded up
    end = nodes.add('Div', nodes.add('Add', end, nodes.constant(count - 1)), number)
    place = nodes.add('Range', nodes.constant(0), nodes.add('Squeeze', length), one)
    inside = nodes.add('And', nodes.add('GreaterOrEqual', place, begin), nodes.add('Less', place, end))
    inside, size = (nodes.add('Cast', value, to=nodes.onnx_type) for value in (inside, nodes.add('Sub', end, begin)))
    return nodes.add('Div', inside, size)
