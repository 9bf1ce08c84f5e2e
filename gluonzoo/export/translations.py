"""Translations of MXNet operators to ONNX nodes, where MXNet 1.9.1 has no translation or a wrong one.

All are of opset 13. Importing this module imports onnx.
"""
import ast

import numpy as np
from mxnet.onnx.mx2onnx._op_translations import _op_translations_opset13 as mxnets
from onnx import helper, numpy_helper

from .errors import ExportError

__all__ = ['TRANSLATIONS', 'POOL']

# The attribute of an identity that stands for a corner pool: which one.
POOL = '__corner_pool__'

_ALL = 2 ** 31 - 1   # the end of a slice that has none

TRANSLATIONS = {}   # operator -> function for MXNetGraph.registry_

_POOLS = {'top_pool': (2, True), 'bottom_pool': (2, False), 'left_pool': (3, True), 'right_pool': (3, False)}


class Nodes(list):
    """The ONNX nodes that compute what an MXNet node computes.

    Attributes
    ----------
    name : str
        of the MXNet node, and of what its last ONNX node computes
    inputs : list of str
    attrs : dict of str -> str
    dtype : numpy.dtype
        of the first input, and the outputs
    """

    def __init__(self, node, *, outputs_lookup, initializer, **_):
        super().__init__()
        sources = [outputs_lookup[edge[0]][edge[1]] for edge in node['inputs']]
        self.name, self.attrs = node['name'], node.get('attrs', {})
        self.inputs = [source.name for source in sources]
        self.dtype = sources[0].dtype if sources else None
        self._initializer = initializer

    @property
    def onnx_type(self):
        return helper.np_dtype_to_tensor_dtype(self.dtype)

    def constant(self, value, dtype='int64'):
        """The name of a new constant."""
        name = f'{self.name}_constant{len(self._initializer)}'
        self._initializer.append(numpy_helper.from_array(np.array(value, dtype), name))
        return name

    def add(self, op, *inputs, **attributes):
        """Adds a node with one output, and returns the name of that."""
        name = f'{self.name}_step{len(self)}'
        self.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def end(self, op, *inputs, **attributes):
        """Adds the node that computes what the MXNet node does."""
        self.append(helper.make_node(op, inputs, [self.name], name=self.name, **attributes))


def _translates(*operators):
    def register(function):
        def translate(node, **context):
            nodes = Nodes(node, **context)
            function(nodes)
            return list(nodes)
        TRANSLATIONS.update(dict.fromkeys(operators, translate))
        return function
    return register


# -- corner pools ----------------------------------------------------------------------------------------------------

def _scan(nodes, pool):
    """A running maximum: its state is a line across the scan, [N, C, W] or [N, C, H].

    Not by Max, which forgets NaN in onnxruntime 1.17 and before.
    """
    axis, reverse = _POOLS[pool]
    first = nodes.add('Gather', *nodes.inputs, nodes.constant(-1 if reverse else 0), axis=axis)
    before, line, after, out = (helper.make_tensor_value_info(name, nodes.onnx_type, [None] * 3)
                                for name in ('before', 'line', 'after', 'out'))
    body = helper.make_graph([helper.make_node('LessOrEqual', ['line', 'before'], ['less']),
                              helper.make_node('IsNaN', ['before'], ['is_nan']),
                              helper.make_node('Or', ['less', 'is_nan'], ['keep']),
                              helper.make_node('Where', ['keep', 'before', 'line'], ['after']),
                              helper.make_node('Identity', ['after'], ['out'])], pool, [before, line], [after, out])
    last = f'{nodes.name}_last'
    nodes.append(helper.make_node('Scan', [first, *nodes.inputs], [last, nodes.name], name=nodes.name, body=body,
                                  num_scan_inputs=1, scan_input_axes=[axis], scan_output_axes=[axis],
                                  scan_input_directions=[int(reverse)], scan_output_directions=[int(reverse)]))


for _pool in _POOLS:   # as the library and MXNet built with the operators have them
    _translates(f'_contrib_{_pool}')(lambda nodes, pool=_pool: _scan(nodes, pool))


@_translates('_copy')
def _identity_or_pool(nodes):
    if POOL in nodes.attrs:
        _scan(nodes, nodes.attrs[POOL])
    else:
        nodes.end('Identity', *nodes.inputs)


# -- weights and inputs ----------------------------------------------------------------------------------------------

def _variable(node, *, is_input, weights, initializer, in_shape=None, in_type=None, **_):
    """As MXNet's own, which takes minutes and gigabytes for large weights, since it makes lists of Python numbers."""
    name = node['name']
    if is_input:
        return [helper.make_tensor_value_info(name, in_type, in_shape)], (helper.tensor_dtype_to_np_dtype(in_type),)
    array = weights[name]
    initializer.append(numpy_helper.from_array(array, name))
    return [helper.make_tensor_value_info(name, initializer[-1].data_type, array.shape)], (array.dtype,)


TRANSLATIONS['null'] = _variable


# -- what MXNet has no translation for -------------------------------------------------------------------------------

@_translates('_contrib_BatchNormWithReLU')
def _batch_norm_with_relu(nodes):
    x, gamma, *others = nodes.inputs
    if nodes.attrs.get('fix_gamma', 'True') == 'True':   # it counts as 1, whatever it is
        gamma = nodes.add('Exp', nodes.add('Sub', gamma, gamma))
    y = nodes.add('BatchNormalization', x, gamma, *others, epsilon=float(nodes.attrs.get('eps', 1e-3)))
    nodes.end('Relu', y)


@_translates('_lesser_equal_scalar')
def _lesser_equal_scalar(nodes):
    bound = nodes.constant(float(nodes.attrs['scalar']), nodes.dtype)
    nodes.end('Cast', nodes.add('LessOrEqual', *nodes.inputs, bound), to=nodes.onnx_type)


@_translates('_greater_equal_scalar')
def _greater_equal_scalar(nodes):
    bound = nodes.constant(float(nodes.attrs['scalar']), nodes.dtype)
    nodes.end('Cast', nodes.add('GreaterOrEqual', *nodes.inputs, bound), to=nodes.onnx_type)


@_translates('_rminus_scalar')
def _rminus_scalar(nodes):
    """(MXNet's own prints.)"""
    nodes.end('Sub', nodes.constant(float(nodes.attrs['scalar']), nodes.dtype), *nodes.inputs)


@_translates('broadcast_maximum')
def _broadcast_maximum(nodes):
    nodes.end('Max', *nodes.inputs)


@_translates('pick')
def _pick(nodes):
    """The indices must be in range: MXNet would clip them, or wrap them."""
    data, indices = nodes.inputs
    axis = int(nodes.attrs.get('axis', -1))
    if nodes.attrs.get('keepdims', 'False') == 'True':
        raise ExportError('pick: cannot be exported with keepdims=True')
    axes = nodes.constant([axis])
    indices = nodes.add('Unsqueeze', nodes.add('Cast', indices, to=7), axes)
    nodes.end('Squeeze', nodes.add('GatherElements', data, indices, axis=axis), axes)


@_translates('diag')
def _diag(nodes):
    """Of a vector: the square matrix."""
    if int(nodes.attrs.get('k', 0)):
        raise ExportError('diag: can be exported only with k=0')
    column, row = (nodes.add('Unsqueeze', *nodes.inputs, nodes.constant([axis])) for axis in (1, 0))
    nodes.end('Mul', column, nodes.add('EyeLike', nodes.add('Mul', column, row)))


@_translates('sign')
def _sign(nodes):
    nodes.end('Sign', *nodes.inputs)


@_translates('dot')
def _dot(nodes):
    """Of matrices; the first may have more dimensions, if it is not transposed.

    (MXNet's own says with every one of them that more dimensions would be something else.)
    """
    sides = [nodes.add('Transpose', side) if nodes.attrs.get(f'transpose_{letter}', 'False') == 'True' else side
             for letter, side in zip('ab', nodes.inputs)]
    nodes.end('MatMul', *sides)


@_translates('Reshape')
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


# -- what MXNet translates wrongly -----------------------------------------------------------------------------------

def _box_nms(node, **context):
    """MXNet's own would have classes suppress each other, and take the `topk` best afterwards, with a warning."""
    attrs = node.get('attrs', {})
    if int(attrs.get('id_index', -1)) >= 0 and attrs.get('force_suppress', 'False') != 'True':
        raise ExportError('box_nms: cannot be exported with id_index, unless force_suppress=True')
    if int(attrs.get('topk', -1)) > 0:
        raise ExportError('box_nms: cannot be exported with topk')
    return mxnets.convert_contrib_box_nms(node, **context)


TRANSLATIONS['_contrib_box_nms'] = _box_nms
