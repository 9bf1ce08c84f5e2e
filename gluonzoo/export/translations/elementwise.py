"""Of each element by itself, and of two arrays element by element.

Source of what they mean: github.com/apache/mxnet, src/operator/mshadow_op.h.
"""
import math

from onnx import helper

from .base import translates


def _plain(operator, onnx_operator):
    translates(operator)(lambda nodes: nodes.end(onnx_operator, *nodes.inputs))


for _operator, _onnx_operator in {
        'sign': 'Sign', 'sinh': 'Sinh', 'cosh': 'Cosh', 'arcsinh': 'Asinh', 'arccosh': 'Acosh', 'arctanh': 'Atanh',
        'erf': 'Erf', 'softsign': 'Softsign', 'make_loss': 'Identity', 'broadcast_maximum': 'Max',
        '_maximum': 'Max', '_minimum': 'Min'}.items():
    _plain(_operator, _onnx_operator)


# -- of one ----------------------------------------------------------------------------------------------------------

@translates('rint')
def _rint(nodes):
    """Of two as near, the lower one."""
    x, = nodes.inputs
    low, high = nodes.add('Floor', x), nodes.add('Ceil', x)
    lower = nodes.add('LessOrEqual', nodes.add('Sub', x, low), nodes.add('Sub', high, x))
    nodes.end('Where', lower, low, high)


@translates('round')
def _round(nodes):
    """Of two as near, the one farther from 0."""
    x, = nodes.inputs
    size = nodes.add('Abs', x)
    low = nodes.add('Floor', size)
    lower = nodes.add('Less', nodes.add('Sub', size, low), nodes.scalar(.5))
    nodes.end('Mul', nodes.add('Sign', x), nodes.add('Where', lower, low, nodes.add('Ceil', size)))


@translates('trunc', 'fix')
def _truncate(nodes):
    x, = nodes.inputs
    nodes.end('Mul', nodes.add('Sign', x), nodes.add('Floor', nodes.add('Abs', x)))


@translates('log10')
def _log10(nodes):
    nodes.end('Mul', nodes.add('Log', *nodes.inputs), nodes.scalar(1 / math.log(10)))


@translates('log1p')
def _log1p(nodes):
    """What rounding takes of 1 + x, the quotient gives back; of large numbers, as of those without end, nothing."""
    x, = nodes.inputs
    one = nodes.scalar(1)
    total = nodes.add('Add', x, one)
    log, rounded = nodes.add('Log', total), nodes.add('Sub', total, one)
    near = nodes.add('Less', nodes.add('Abs', x), one)
    nothing = nodes.add('Equal', rounded, nodes.scalar(0))
    share = nodes.add('Div', x, nodes.add('Where', nothing, one, rounded))
    nodes.end('Where', nothing, x, nodes.add('Where', near, nodes.add('Mul', log, share), log))


@translates('expm1')
def _expm1(nodes):
    """Near 0, by the hyperbolic tangent, which does not cancel."""
    x, = nodes.inputs
    one, two = nodes.scalar(1), nodes.scalar(2)
    half = nodes.add('Tanh', nodes.add('Div', x, two))
    near = nodes.add('Div', nodes.add('Mul', two, half), nodes.add('Sub', one, half))
    far = nodes.add('Sub', nodes.add('Exp', x), one)
    nodes.end('Where', nodes.add('Less', nodes.add('Abs', x), one), near, far)


@translates('rsqrt')
def _rsqrt(nodes):
    nodes.end('Reciprocal', nodes.add('Sqrt', *nodes.inputs))


def _cube_root(nodes):
    x, = nodes.inputs
    return nodes.add('Mul', nodes.add('Sign', x), nodes.add('Pow', nodes.add('Abs', x), nodes.scalar(1 / 3)))


@translates('cbrt')
def _cbrt(nodes):
    nodes.end('Identity', _cube_root(nodes))


@translates('rcbrt')
def _rcbrt(nodes):
    nodes.end('Reciprocal', _cube_root(nodes))


@translates('degrees')
def _degrees(nodes):
    nodes.end('Mul', *nodes.inputs, nodes.scalar(180 / math.pi))


@translates('radians')
def _radians(nodes):
    nodes.end('Mul', *nodes.inputs, nodes.scalar(math.pi / 180))


@translates('clip')
def _clip(nodes):
    nodes.end('Clip', *nodes.inputs, *(nodes.scalar(nodes.real(name)) for name in ('a_min', 'a_max')))


@translates('smooth_l1')
def _smooth_l1(nodes):
    x, = nodes.inputs
    square = nodes.real('scalar', 1) ** 2
    size = nodes.add('Abs', x)
    near = nodes.add('Mul', nodes.add('Mul', x, x), nodes.scalar(square / 2))
    far = nodes.add('Sub', size, nodes.scalar(.5 / square))
    nodes.end('Where', nodes.add('Greater', size, nodes.scalar(1 / square)), far, near)


@translates('_contrib_quadratic')
def _quadratic(nodes):
    x, = nodes.inputs
    a, b, c = (nodes.scalar(nodes.real(name)) for name in 'abc')
    line = nodes.add('Add', nodes.add('Mul', a, x), b)
    nodes.end('Add', nodes.add('Mul', line, x), c)


@translates('LinearRegressionOutput', 'MAERegressionOutput', 'SVMOutput')
def _output_of_a_loss(nodes):
    """The labels are for training only."""
    nodes.end('Identity', nodes.inputs[0])


# -- of two ----------------------------------------------------------------------------------------------------------

def _scalar_of(nodes):
    """The constant of an operator with a number, which takes the type of the result."""
    return nodes.constant(float(nodes.attrs['scalar']), nodes.dtypes[0])


def _pair(nodes, reverse=False):
    """Both operands, of the type of the result."""
    if len(nodes.inputs) == 2:
        return nodes.inputs
    x, = nodes.inputs
    if nodes.dtype != nodes.dtypes[0]:
        x = nodes.add('Cast', x, to=helper.np_dtype_to_tensor_dtype(nodes.dtypes[0]))
    pair = [x, _scalar_of(nodes)]
    return pair[::-1] if reverse else pair


# (MXNet's own writes constants of float16 as whole numbers.)
for _operator, _onnx_operator, _reverse in [
        ('_plus_scalar', 'Add', False), ('_minus_scalar', 'Sub', False), ('_rminus_scalar', 'Sub', True),
        ('_mul_scalar', 'Mul', False), ('_div_scalar', 'Div', False), ('_rdiv_scalar', 'Div', True),
        ('_power_scalar', 'Pow', False), ('_rpower_scalar', 'Pow', True), ('_maximum_scalar', 'Max', False),
        ('_minimum_scalar', 'Min', False)]:
    translates(_operator)(lambda nodes, operator=_onnx_operator, reverse=_reverse:
                          nodes.end(operator, *_pair(nodes, reverse)))


def _comparison(nodes, operator, negated):
    """1 or 0, of the type of the operands."""
    x, y = nodes.inputs if len(nodes.inputs) == 2 else (*nodes.inputs, nodes.scalar(float(nodes.attrs['scalar'])))
    found = nodes.add(operator, x, y)
    nodes.end('Cast', nodes.add('Not', found) if negated else found, to=nodes.onnx_type)


for _name, _onnx_operator in {'equal': 'Equal', 'not_equal': 'Equal', 'greater': 'Greater', 'lesser': 'Less',
                              'greater_equal': 'GreaterOrEqual', 'lesser_equal': 'LessOrEqual'}.items():
    translates(f'_{_name}', f'_{_name}_scalar', f'broadcast_{_name}')(
        lambda nodes, operator=_onnx_operator, negated=_name == 'not_equal': _comparison(nodes, operator, negated))


def _logical(nodes, operator):
    """1 or 0, of the type of the operands, of whether they are not 0."""
    zero = nodes.scalar(0)
    operands = nodes.inputs if len(nodes.inputs) == 2 else (*nodes.inputs, nodes.scalar(float(nodes.attrs['scalar'])))
    truths = [nodes.add('Not', nodes.add('Equal', x, zero)) for x in operands]
    nodes.end('Cast', nodes.add(operator, *truths), to=nodes.onnx_type)


for _operator in ('And', 'Or', 'Xor'):
    _name = _operator.lower()
    translates(f'_logical_{_name}', f'_logical_{_name}_scalar', f'broadcast_logical_{_name}')(
        lambda nodes, operator=_operator: _logical(nodes, operator))


@translates('_hypot', '_hypot_scalar', 'broadcast_hypot')
def _hypot(nodes):
    squares = [nodes.add('Mul', x, x) for x in _pair(nodes)]
    nodes.end('Sqrt', nodes.add('Add', *squares))


@translates('_mod', '_mod_scalar', 'broadcast_mod')
def _mod(nodes):
    _remainder(nodes, *_pair(nodes))


@translates('_rmod_scalar')
def _rmod(nodes):
    _remainder(nodes, *_pair(nodes, True))


def _remainder(nodes, x, y):
    """With the sign of the divisor; 0 of a division by 0."""
    zero, one = nodes.scalar(0), nodes.scalar(1)
    none = nodes.add('Equal', y, zero)
    divisor = nodes.add('Where', none, one, y)
    rest = nodes.add('Mod', x, divisor, fmod=1)
    other = nodes.add('Xor', nodes.add('Less', rest, zero), nodes.add('Less', divisor, zero))
    other = nodes.add('And', other, nodes.add('Not', nodes.add('Equal', rest, zero)))
    rest = nodes.add('Where', other, nodes.add('Add', rest, divisor), rest)
    nodes.end('Where', none, zero, rest)
