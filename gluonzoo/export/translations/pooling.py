"""Pooling."""
import ast
from math import prod

import numpy as np

from ..errors import ExportError
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


@translates('Pooling')
def _pooling(nodes):
    kind, name = nodes.attrs.get('pool_type', 'max'), {'max': 'MaxPool', 'avg': 'AveragePool', 'lp': 'LpPool'}
    power = {'p': nodes.number('p_value', 2)} if kind == 'lp' else {}
    if nodes.flag('global_pool'):
        if kind == 'sum':
            axes = nodes.constant(range(2, len(nodes.shapes[0])))
            return nodes.end('ReduceSum', *nodes.inputs, axes, keepdims=1)
        return nodes.end(f'Global{name[kind]}', *nodes.inputs, **power)
    convention, layout = nodes.attrs.get('pooling_convention', 'valid'), nodes.attrs.get('layout', 'None')
    if convention == 'same':
        raise ExportError("Pooling: cannot be exported with pooling_convention 'same'; give it a pad")
    if not layout.startswith(('NC', 'None')):
        raise ExportError(f'Pooling: cannot be exported with layout {layout!r}; transpose the data')
    kernel = nodes.numbers('kernel')
    stride, pad = nodes.numbers('stride') or (1,) * len(kernel), nodes.numbers('pad') or (0,) * len(kernel)
    data, = nodes.inputs
    full, pads, options = convention == 'full', 2 * pad, {}
    if kind == 'max' or (kind == 'avg' and None in nodes.shapes[0][2:]):
        options['ceil_mode'] = int(full)
    else:   # sums know no rounding up, and runtimes disagree about averages: zeros behind, and that is known
        pads = (*pad, *_pads_behind(nodes, kernel, stride, pad, full))
    if kind in ('sum', 'avg'):
        options['count_include_pad'] = int(kind == 'sum' or nodes.flag('count_include_pad', True))
    pool = name.get(kind, 'AveragePool')
    options.update(kernel_shape=kernel, strides=stride, pads=pads, **power)
    if kind == 'sum':
        return nodes.end('Mul', nodes.add(pool, data, **options), nodes.scalar(prod(kernel)))
    if kind == 'avg' and options['count_include_pad'] and pads != 2 * pad:
        share = nodes.constant(_shares(nodes, kernel, stride, pad), nodes.dtype)
        return nodes.end('Mul', nodes.add(pool, data, **options), share)
    nodes.end(pool, data, **options)


def _shares(nodes, kernel, stride, pad):
    """By what averages of whole windows are multiplied: MXNet divides by the part that is not behind the padding."""
    share = np.ones(1)
    for axis, (length, window, step, part) in enumerate(zip(nodes.shapes[0][2:], kernel, stride, pad)):
        begins = np.arange(nodes.results[0][2 + axis]) * step
        inside = np.minimum(begins + window, length + 2 * part) - begins
        share = np.multiply.outer(share, window / inside)
    return share[None]


def _pads_behind(nodes, kernel, stride, pad, full):
    """What is behind the data when the number of windows is rounded up."""
    if not full:
        return pad
    lengths = nodes.shapes[0][2:]
    if None in lengths:
        raise ExportError("Pooling: of sums and powers with pooling_convention 'full', can be exported for images of "
                          'one size; export a file for each size')
    return [part + -(length + 2 * part - window) % step
            for length, window, step, part in zip(lengths, kernel, stride, pad)]
