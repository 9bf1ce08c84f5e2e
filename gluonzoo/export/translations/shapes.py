"""Shapes."""
import ast
from typing import NamedTuple

from ..errors import ExportError
from .base import translates


class _Length(NamedTuple):
    """The length of an axis: the product of some axes of the data, divided by a number; or a number."""
    axes: tuple = ()
    divisor: int = 1
    number: int = None


@translates('Reshape')
def _reshape(nodes):
    """With all of MXNet's codes, from either side.

    A shape that is known is a constant. (Two equal shapes that are computed become one in onnxruntime 1.32, which then
    cannot make a constant of it.)
    """
    lengths = nodes.shapes[0]
    codes = list(ast.literal_eval(nodes.attrs.get('shape', '()')))
    if not codes:
        raise ExportError('reshape: cannot be exported with target_shape, which MXNet has given up; give it a shape')
    if nodes.flag('reverse'):
        # MXNet turns both round, also the two numbers behind a -4.
        lengths_of = [found._replace(axes=tuple(len(lengths) - 1 - axis for axis in found.axes))
                      for found in _lengths(codes[::-1], len(lengths))[::-1]]
    else:
        lengths_of = _lengths(codes, len(lengths))
    known = [_number(found, lengths) for found in lengths_of]
    if known.count(None) + known.count(-1) < 2:
        return nodes.end('Reshape', nodes.inputs[0], nodes.constant([-1 if n is None else n for n in known]))
    if -1 not in known and all(found.axes == (axis,) for axis, found in enumerate(lengths_of) if known[axis] is None):
        return nodes.end('Reshape', nodes.inputs[0], nodes.constant([n or 0 for n in known]))   # 0: as it is
    shape = nodes.add('Shape', nodes.inputs[0])
    parts = [_computed(nodes, shape, found) if number is None else nodes.constant([number])
             for found, number in zip(lengths_of, known)]
    nodes.end('Reshape', nodes.inputs[0], nodes.add('Concat', *parts, axis=0))


def _lengths(codes, dimensions):
    """The lengths that the codes of a shape stand for, of data with some number of dimensions."""
    found, axis, i = [], 0, 0   # axis of the data; place in the codes
    while i < len(codes):
        code = codes[i]
        if code == -2:   # all that is left
            found += [_Length((left,)) for left in range(axis, dimensions)]
            axis = dimensions
        elif code == -3:   # two become one
            found.append(_Length((axis, axis + 1)))
            axis += 2
        elif code == -4:   # one becomes two
            first, second = codes[i + 1:i + 3]
            found += [_Length((axis,), second) if first == -1 else _Length(number=first),
                      _Length((axis,), first) if second == -1 else _Length(number=second)]
            axis += 1
            i += 2
        else:
            found.append(_Length((axis,)) if code == 0 else _Length(number=code))
            axis += 1
        i += 1
    if any(axis >= dimensions for length in found for axis in length.axes):
        raise ExportError(f'reshape: the shape {tuple(codes)} has more axes than the data')
    return found


def _number(length, lengths):
    """The number that a length is, -1 for what is left, or None if it varies."""
    if length.number is not None:
        return length.number
    number = 1
    for axis in length.axes:
        if lengths[axis] is None:
            return None
        number *= lengths[axis]
    return number // length.divisor


def _computed(nodes, shape, length):
    """The name of a length that varies, as a list of one number."""
    parts = [nodes.add('Gather', shape, nodes.constant([axis])) for axis in length.axes]
    number = parts[0]
    for part in parts[1:]:
        number = nodes.add('Mul', number, part)
    return number if length.divisor == 1 else nodes.add('Div', number, nodes.constant([length.divisor]))


@translates('broadcast_to')
def _broadcast_to(nodes):
    """A length of 0 stays what it is."""
    nodes.end('Expand', *nodes.inputs, nodes.constant([n or 1 for n in nodes.numbers('shape')]))


@translates('squeeze')
def _squeeze(nodes):
    """By its axes, also where MXNet finds them: runtimes do not know the number of axes otherwise."""
    lengths = nodes.shapes[0]
    axes = nodes.numbers('axis')
    if axes is None:
        axes = [axis for axis, length in enumerate(lengths) if length == 1]
    kept = len(nodes.results[0]) == len(lengths) - len(axes)
    found = nodes.add('Squeeze', *nodes.inputs, nodes.constant([axis % len(lengths) for axis in axes])) \
        if axes else nodes.inputs[0]
    nodes.end('Identity', found) if kept else nodes.end('Reshape', found, nodes.constant([1]))
