"""Shapes."""
import ast

from ..errors import ExportError
from .base import translates

_ALL = 2 ** 31 - 1   # the end of a slice that has none


@translates('Reshape')
def _reshape(nodes):
    """With the codes -2, -3 and -4 too, of which MXNet's own has some."""
    codes = list(ast.literal_eval(nodes.attrs['shape']))
    if nodes.attrs.get('reverse', 'False') == 'True':
        raise ExportError('reshape: cannot be exported with reverse=True')
    data, = nodes.inputs
    if min(codes) >= -1:   # they mean the same
        return nodes.end('Reshape', data, nodes.constant(codes))
    shape = nodes.add('Shape', data)

    def lengths(begin, end):
        return nodes.add('Slice', shape, nodes.constant([begin]), nodes.constant([end]))

    dims, axis, i = [], 0, 0   # of the result; of the data; of the codes
    while i < len(codes):
        code = codes[i]
        if code == -2:   # all that is left
            dims.append(lengths(axis, _ALL))
        elif code == -3:   # two become one
            dims.append(nodes.add('Mul', lengths(axis, axis + 1), lengths(axis + 1, axis + 2)))
            axis += 1
        elif code == -4:   # one becomes two
            parts = codes[i + 1:i + 3]
            known = nodes.constant([max(parts)])
            rest = nodes.add('Div', lengths(axis, axis + 1), known)
            dims += [rest if part == -1 else nodes.constant([part]) for part in parts]
            i += 2
        else:
            dims.append(lengths(axis, axis + 1) if code == 0 else nodes.constant([code]))
        axis += 1
        i += 1
    nodes.end('Reshape', data, nodes.add('Concat', *dims, axis=0))
