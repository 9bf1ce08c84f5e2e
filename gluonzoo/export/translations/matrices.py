"""Products of matrices, and matrices themselves."""
from ..errors import ExportError
from .base import translates


@translates('diag')
def _diag(nodes):
    """Of a vector: the square matrix."""
    if int(nodes.attrs.get('k', 0)):
        raise ExportError('diag: can be exported only with k=0')
    column, row = (nodes.add('Unsqueeze', *nodes.inputs, nodes.constant([axis])) for axis in (1, 0))
    nodes.end('Mul', column, nodes.add('EyeLike', nodes.add('Mul', column, row)))


@translates('dot')
def _dot(nodes):
    """Of matrices; the first may have more dimensions, if it is not transposed.

    (MXNet's own says with every one of them that more dimensions would be something else.)
    """
    sides = [nodes.add('Transpose', side) if nodes.attrs.get(f'transpose_{letter}', 'False') == 'True' else side
             for letter, side in zip('ab', nodes.inputs)]
    nodes.end('MatMul', *sides)
