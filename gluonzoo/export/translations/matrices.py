"""Products of matrices, and matrices themselves."""
from math import prod

import numpy as np

from ..errors import ExportError
from .base import translates


@translates('diag')
def _diag(nodes):
    """Of a vector: the square matrix. Of a matrix: a diagonal, as a vector."""
    data, = nodes.inputs
    k, shape = nodes.number('k', 0), nodes.shapes[0]
    if None in shape or len(shape) > 2:
        raise ExportError('diag: can be exported only of vectors and matrices of known size')
    if len(shape) == 2:
        length = nodes.results[0][0]
        rows = np.arange(length) + max(-k, 0)
        places = np.stack([rows, rows + k], 1)
        return nodes.end('GatherND', data, nodes.constant(places))
    chosen = nodes.constant(np.eye(shape[0] + abs(k), k=k), bool)
    row = nodes.add('Pad', data, nodes.constant([max(k, 0), max(-k, 0)]))   # by columns
    nodes.end('Where', chosen, row, nodes.scalar(0))


@translates('dot')
def _dot(nodes):
    """The last axis of the first with the first axis of the second.

    (MXNet's own says with every one of them that more dimensions would be something else.)
    """
    sides, shapes = [], []
    for letter, side, shape in zip('ab', nodes.inputs, nodes.shapes):
        if nodes.flag(f'transpose_{letter}') and len(shape) > 1:
            # The axis of the product goes to the other end.
            order = [*range(1, len(shape)), 0] if letter == 'a' else [len(shape) - 1, *range(len(shape) - 1)]
            side, shape = nodes.add('Transpose', side, perm=order), tuple(shape[axis] for axis in order)
        sides.append(side)
        shapes.append(shape)
    first, second = shapes
    if len(second) <= 2:
        product = nodes.add('MatMul', *sides)
        if len(first) == len(second) == 1:   # MXNet knows no array without axes
            product = nodes.add('Reshape', product, nodes.constant([1]))
        return nodes.end('Identity', product)
    if None in second:
        raise ExportError('dot: can be exported with a second side of more than two axes only if its size is known')
    matrix = nodes.add('Reshape', sides[1], nodes.constant([second[0], prod(second[1:])]))
    shape = [0 if length is None else length for length in nodes.results[0]]
    nodes.end('Reshape', nodes.add('MatMul', sides[0], matrix), nodes.constant(shape))


@translates('_linalg_gemm')
def _gemm(nodes):
    a, b, c = nodes.inputs
    product = nodes.add('Mul', _product(nodes, a, b), nodes.scalar(nodes.real('alpha', 1)))
    nodes.end('Add', product, nodes.add('Mul', c, nodes.scalar(nodes.real('beta', 1))))


@translates('_linalg_gemm2')
def _gemm2(nodes):
    nodes.end('Mul', _product(nodes, *nodes.inputs), nodes.scalar(nodes.real('alpha', 1)))


def _product(nodes, a, b):
    """Of the last two axes, each side transposed if it must be."""
    if nodes.number('axis', -2) != -2:
        raise ExportError('linalg.gemm: cannot be exported with another axis than -2')
    return nodes.add('MatMul', *(_transposed(nodes, side, number) if nodes.flag(f'transpose_{letter}') else side
                                 for number, (letter, side) in enumerate(zip('ab', (a, b)))))


def _transposed(nodes, side, number):
    *batch, rows, columns = range(len(nodes.shapes[number]))
    return nodes.add('Transpose', side, perm=[*batch, columns, rows])


@translates('_linalg_syrk')
def _syrk(nodes):
    """A matrix with itself, transposed."""
    data, = nodes.inputs
    sides = [data, _transposed(nodes, data, 0)]
    product = nodes.add('MatMul', *(sides[::-1] if nodes.flag('transpose') else sides))
    nodes.end('Mul', product, nodes.scalar(nodes.real('alpha', 1)))


@translates('FullyConnected')
def _fully_connected(nodes):
    """(MXNet's own flattens only where it is said aloud, though that is the default.)"""
    data, weight, *bias = nodes.inputs
    if nodes.flag('flatten', True):
        data = nodes.add('Flatten', data, axis=1) if len(nodes.shapes[0]) != 2 else data
    elif len(nodes.shapes[0]) > 2:
        product = nodes.add('MatMul', data, nodes.add('Transpose', weight, perm=[1, 0]))
        return nodes.end('Identity', product) if _no(bias, nodes) else nodes.end('Add', product, *bias)
    nodes.end('Gemm', data, weight, *([] if _no(bias, nodes) else bias), transB=1)


def _no(bias, nodes):
    return not bias or nodes.flag('no_bias')
