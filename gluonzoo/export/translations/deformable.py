"""Deformable convolutions, by gathering the four neighbours of each point.

Source of what they mean: github.com/apache/mxnet, src/operator/contrib/nn/deformable_im2col.h and
modulated_deformable_im2col.h.
"""
import ast
from math import prod

import numpy as np

from ..errors import ExportError
from .base import translates


@translates('_contrib_DeformableConvolution')
def _deformable_convolution(nodes):
    """Points outside count as 0; beyond the last pixel's middle, a point has the value of that."""
    image, offsets, weight, *bias = nodes.inputs
    at = _Points(nodes, offsets)
    inside, clipped = None, []
    for axis, length in enumerate(at.size):
        point = at.points[axis]
        found = nodes.add('And', nodes.add('GreaterOrEqual', point, nodes.constant(0, nodes.dtype)),
                          nodes.add('Less', point, nodes.constant(length, nodes.dtype)))
        inside = nodes.add('And', inside, found) if inside else found
        clipped.append(_clip(nodes, point, 0, length - 1))
    at.convolve(at.values(image, clipped), nodes.add('Cast', inside, to=nodes.onnx_type), weight, bias)


@translates('_contrib_ModulatedDeformableConvolution')
def _modulated_deformable_convolution(nodes):
    """Outside there are zeros."""
    image, offsets, mask, weight, *bias = nodes.inputs
    at = _Points(nodes, offsets)
    clipped = [_clip(nodes, point, -1, length) for point, length in zip(at.points, at.size)]
    mask = nodes.add('Reshape', mask, nodes.constant([-1, at.kernel * at.places]))
    at.convolve(at.values(image, clipped), mask, weight, bias)


def _clip(nodes, points, least, most):
    return nodes.add('Clip', points, nodes.constant(least, nodes.dtype), nodes.constant(most, nodes.dtype))


class _Points:
    """Where a deformable convolution looks: B images of G groups of channels with offsets of their own.

    Attributes
    ----------
    points : list of str
        names of [B G, kernel * places], rows and columns in the image
    size : tuple
        height and width of the image
    """

    def __init__(self, nodes, offsets):
        self._nodes = nodes
        _, self._channels, *self.size = nodes.shapes[0]
        out = nodes.shapes[1][2:]
        if None in (*self.size, *out):
            raise ExportError('deformable convolution: can be exported for images of one size; export a file for each '
                              'size')
        kernel, stride, dilate, pad = (ast.literal_eval(nodes.attrs.get(name, default)) for name, default in (
            ('kernel', None), ('stride', '(1, 1)'), ('dilate', '(1, 1)'), ('pad', '(0, 0)')))
        self.kernel, self.places, self._out = prod(kernel), prod(out), out
        self._groups = nodes.number('num_deformable_group', 1)
        parts = nodes.add('Reshape', offsets, nodes.constant([-1, self.kernel, 2, self.places]))
        self.points = []
        for axis in (0, 1):
            step = np.arange(kernel[axis]) * (dilate or (1, 1))[axis]
            place = np.arange(out[axis]) * (stride or (1, 1))[axis] - (pad or (0, 0))[axis]
            shape = [1, 1, 1, 1]
            shape[axis] = shape[axis + 2] = -1
            at = np.zeros((*kernel, *out)) + step.reshape([-1 if i == axis else 1 for i in range(4)]) \
                + place.reshape([-1 if i == axis + 2 else 1 for i in range(4)])
            offset = nodes.add('Gather', parts, nodes.constant(axis), axis=2)   # [B G, kernel, places]
            moved = nodes.add('Add', offset, nodes.constant(at.reshape(1, self.kernel, self.places), nodes.dtype))
            self.points.append(nodes.add('Reshape', moved, nodes.constant([-1, self.kernel * self.places])))

    def values(self, image, points):
        """What is between the pixels at `points`, from -1 to the height or width: [B G, kernel * places, C / G]."""
        nodes, (height, width) = self._nodes, self.size
        one = nodes.constant(1, nodes.dtype)
        # A row and a column of zeros before the image, two behind.
        padded = nodes.add('Pad', image, nodes.constant([0, 0, 1, 1, 0, 0, 2, 2]))
        pixels = nodes.add('Reshape', padded, nodes.constant([-1, self._channels // self._groups,
                                                              (height + 3) * (width + 3)]))
        pixels = nodes.add('Transpose', pixels, perm=[0, 2, 1])
        first = [nodes.add('Floor', point) for point in points]
        share = [nodes.add('Sub', point, low) for point, low in zip(points, first)]   # of the second neighbour
        rows, columns = ([nodes.add('Add', low, one), nodes.add('Add', low, nodes.constant(2, nodes.dtype))]
                         for low in first)   # in the padded image
        shares = [[nodes.add('Sub', one, part), part] for part in share]
        total = None
        for row, of_row in zip(rows, shares[0]):
            for column, of_column in zip(columns, shares[1]):
                place = nodes.add('Add', nodes.add('Mul', row, nodes.constant(width + 3, nodes.dtype)), column)
                index = nodes.add('Unsqueeze', nodes.add('Cast', place, to=7), nodes.constant([2]))
                weight = nodes.add('Unsqueeze', nodes.add('Mul', of_row, of_column), nodes.constant([2]))
                part = nodes.add('Mul', nodes.add('GatherND', pixels, index, batch_dims=1), weight)
                total = nodes.add('Add', total, part) if total else part
        return total

    def convolve(self, values, mask, weight, bias):
        """The output from values [B G, kernel * places, C / G] and what each point counts [B G, kernel * places]."""
        nodes = self._nodes
        filters, groups = nodes.number('num_filter', 0), nodes.number('num_group', 1)
        values = nodes.add('Mul', values, nodes.add('Unsqueeze', mask, nodes.constant([2])))
        parts = nodes.add('Reshape', values, nodes.constant([-1, self._groups, self.kernel, self.places,
                                                             self._channels // self._groups]))
        parts = nodes.add('Transpose', parts, perm=[0, 1, 4, 2, 3])   # channels, kernel, places
        length = self._channels // groups * self.kernel
        columns = nodes.add('Reshape', parts, nodes.constant([-1, groups, length, self.places]))
        weights = nodes.add('Reshape', weight, nodes.constant([groups, filters // groups, length]))
        shape = nodes.constant([-1, filters, *self._out])
        if not bias or nodes.flag('no_bias'):
            return nodes.end('Reshape', nodes.add('MatMul', weights, columns), shape)
        found = nodes.add('Reshape', nodes.add('MatMul', weights, columns), shape)
        nodes.end('Add', found, nodes.add('Reshape', bias[0], nodes.constant([-1, 1, 1])))
