"""What takes elements by their place, or puts them there."""
import ast

import numpy as np
from onnx import helper

from .base import translates


def _in_range(nodes, indices, length, wrap):
    """Whole numbers from 0 to below a length (a name): those outside are clipped, or wrapped."""
    indices = nodes.add('Cast', indices, to=7)
    if wrap:
        return nodes.add('Mod', indices, length)
    zero, last = nodes.constant(0), nodes.add('Sub', length, nodes.constant([1]))
    return nodes.add('Min', nodes.add('Max', indices, zero), last)


@translates('pick')
def _pick(nodes):
    """One element along an axis; the indices have one axis less, or a length of 1 there."""
    data, indices = nodes.inputs
    rank = len(nodes.shapes[0])
    axis = nodes.number('axis', -1) % rank
    axes = nodes.constant([axis])
    if len(nodes.shapes[1]) < rank:
        indices = nodes.add('Unsqueeze', indices, axes)
    places = _in_range(nodes, indices, nodes.length(0, axis), nodes.attrs.get('mode', 'clip') == 'wrap')
    found = nodes.add('GatherElements', data, places, axis=axis)
    if len(nodes.results[0]) == rank:
        return nodes.end('Identity', found)
    nodes.end('Squeeze', found, axes)


@translates('batch_take')
def _batch_take(nodes):
    """One element of each row."""
    data, indices = nodes.inputs
    axes = nodes.constant([1])
    places = _in_range(nodes, nodes.add('Reshape', indices, nodes.constant([-1, 1])), nodes.length(0, 1), False)
    nodes.end('Squeeze', nodes.add('GatherElements', data, places, axis=1), axes)


@translates('Embedding')
def _embedding(nodes):
    """Rows of a weight; indices outside are clipped."""
    indices, weight = nodes.inputs
    nodes.end('Gather', weight, _in_range(nodes, indices, nodes.length(1, 0), False), axis=0)


@translates('one_hot')
def _one_hot(nodes):
    """An index outside, also below 0, is nowhere."""
    dtype = nodes.dtypes[0]
    places = nodes.add('Unsqueeze', nodes.add('Cast', nodes.inputs[0], to=7),
                       nodes.constant([len(nodes.shapes[0])]))
    found = nodes.add('Equal', places, nodes.constant(np.arange(nodes.number('depth', 0))))
    nodes.end('Where', found, nodes.constant(nodes.real('on_value', 1), dtype),
              nodes.constant(nodes.real('off_value', 0), dtype))


@translates('scatter_nd')
def _scatter_nd(nodes):
    """Elsewhere there is 0."""
    data, indices = nodes.inputs
    rank = len(nodes.shapes[1])
    places = nodes.add('Transpose', nodes.add('Cast', indices, to=7), perm=[*range(1, rank), 0])
    nothing = nodes.add('ConstantOfShape', nodes.constant(nodes.numbers('shape')),
                        value=helper.make_tensor('zero', nodes.onnx_type, [1], [0]))
    nodes.end('ScatterND', nothing, places, data)


@translates('slice')
def _slice(nodes):
    """With steps in either direction."""
    begins, ends, steps = (ast.literal_eval(nodes.attrs.get(name, '()')) for name in ('begin', 'end', 'step'))
    steps = [step or 1 for step in (*steps, *[1] * (len(begins) - len(steps)))]
    farthest = 2 ** 31 - 1
    begins = [(0 if step > 0 else farthest) if begin is None else begin for begin, step in zip(begins, steps)]
    ends = [(farthest if step > 0 else -farthest) if end is None else end for end, step in zip(ends, steps)]
    nodes.end('Slice', *nodes.inputs, *map(nodes.constant, (begins, ends, range(len(begins)), steps)))


@translates('slice_like')
def _slice_like(nodes):
    """As long as the second input along some axes, by default along all.

    (MXNet's own names no axes if it takes all. OpenVINO does not take a constant that is cut so.)
    """
    rank = len(nodes.shapes[0])
    axes = [axis % rank for axis in nodes.numbers('axes') or range(rank)]
    ends = [nodes.shapes[1][axis] for axis in axes]
    if None in ends:
        ends = nodes.add('Concat', *(nodes.length(1, axis) for axis in axes), axis=0)
    else:
        ends = nodes.constant(ends)
    nodes.end('Slice', nodes.inputs[0], nodes.constant([0] * len(axes)), ends, nodes.constant(axes))


@translates('reverse')
def _reverse(nodes):
    """Backwards along one axis or several."""
    axes = nodes.numbers('axis')
    end = [-1] * len(axes), [-2 ** 31] * len(axes), axes, [-1] * len(axes)
    nodes.end('Slice', *nodes.inputs, *map(nodes.constant, end))


@translates('SequenceLast')
def _sequence_last(nodes):
    """The last element of each sequence; the sequences are along the first axis or the second."""
    data, *lengths = nodes.inputs
    axis = nodes.number('axis', 0)
    if not nodes.flag('use_sequence_length'):
        return nodes.end('Gather', data, nodes.constant(-1), axis=axis)
    places = nodes.add('Sub', nodes.add('Cast', lengths[0], to=7), nodes.constant(1))
    places = nodes.add('Unsqueeze', places, nodes.constant([1]))
    batches = data if axis == 1 else nodes.add(
        'Transpose', data, perm=[1, 0, *range(2, len(nodes.shapes[0]))])
    nodes.end('GatherND', batches, places, batch_dims=1)


@translates('Crop')
def _crop(nodes):
    """A part of an image, as high and wide as the second input or as h_w; at an offset or in the middle."""
    size = (nodes.numbers('h_w', (0, 0)) if len(nodes.inputs) == 1 else None)
    centered = nodes.flag('center_crop')
    begins, ends = [], []
    for axis, offset in zip((2, 3), nodes.numbers('offset', (0, 0))):
        length = nodes.constant([size[axis - 2]]) if size else nodes.length(1, axis)
        begin = nodes.constant([offset])
        if centered:
            begin = nodes.add('Div', nodes.add('Sub', nodes.length(0, axis), length), nodes.constant([2]))
        begins.append(begin)
        ends.append(nodes.add('Add', begin, length))
    nodes.end('Slice', nodes.inputs[0], nodes.add('Concat', *begins, axis=0), nodes.add('Concat', *ends, axis=0),
              nodes.constant([2, 3]))
