"""The corner pools, composed of stock MXNet operators. Their contract is in :mod:`gluonzoo.ops.corner_pool`.

A line of length L takes log2(L) rounds. Each round takes the maximum of the line and of a shifted copy of the line. The
shifts are 1, 2, 4 ...
"""
from mxnet import MXNetError, ndarray, symbol
from mxnet.name import NameManager

__all__ = ['COMPOSITIONS', 'SYMBOLIC_MAX_LENGTH']

# A Symbol does not know its shape, so a symbolic composition unrolls for lines up to this length
# (and refuses longer ones when shapes are inferred).
SYMBOLIC_MAX_LENGTH = 4096

_FLOATS = ('float16', 'float32', 'float64')


def _shift(F, y, axis, forward, step):
    """y moved by `step` along `axis`, so that element i meets element i + step (forward) or i - step.

    The edge value fills the gap: a maximum does not change when it meets this value again. Works for any step, also
    beyond the length of the axis.
    """
    pad_width = [0] * 8
    pad_width[2 * axis + (1 if forward else 0)] = step
    padded = F.pad(y, mode='edge', pad_width=tuple(pad_width))   # [.., L, ..] -> [.., L + step, ..]
    if forward:
        return F.slice_axis(padded, axis=axis, begin=step, end=None)
    return F.slice_axis(padded, axis=axis, begin=0, end=-step)


def _keep_first_maximum(F, first, later):
    """Elementwise maximum whose gradient follows the tie and NaN rules: `first` was met earlier in the scan."""
    keep = (first >= later) + (first != first)   # the second term is 1 where `first` is NaN
    return F.where(keep, first, later)


def _composed(F, x, axis, forward, length):
    # After k rounds y[i] is the maximum of the 2**k elements up to i, so log2(length) rounds do.
    y, step = x, 1
    while step < length:
        y = _keep_first_maximum(F, _shift(F, y, axis, forward, step), y)
        step *= 2
    return y


def _check(name, shape, dtype):
    if len(shape) != 4:
        raise MXNetError(f'{name}: data must be 4-D (N, C, H, W); got {len(shape)}-D {tuple(shape)}')
    if dtype not in _FLOATS:
        raise MXNetError(f'{name}: data must be float16, float32 or float64; got {dtype}')


def _make_composition(name, axis, forward):
    """The pair (function on NDArray, function on Symbol) that stands in for the native operator `name`."""

    def on_ndarray(data, out=None, name=None):
        _check(op_name, data.shape, data.dtype.__name__)
        if data.size == 0:
            return ndarray.identity(data, out=out)
        y = _composed(ndarray, data, axis, forward, data.shape[axis])
        return ndarray.identity(y, out=out) if out is not None or y is data else y   # never the caller's own array

    def on_symbol(data, name=None):
        # A Symbol is checked when shapes are inferred: by two subtractions of zeros, whose shape the data must fit. (To
        # add them would turn -0 into +0.) MXNet's error gives the name of the one that fails.
        if not hasattr(NameManager._current, 'value'):   # MXNet makes it for the main thread alone
            NameManager._current.value = NameManager()
        names = NameManager._current.value
        of_rank_4 = symbol._internal._zeros_without_dtype(shape=(-1, -1, -1, -1))
        x = symbol.elemwise_sub(data, of_rank_4,
                                name=names.get(None, f'{op_name}: data must be 4-D (N, C, H, W) '))
        longest = [1, 1, 1, 1]
        longest[axis] = SYMBOLIC_MAX_LENGTH
        of_length = symbol.slice_like(
            symbol._internal._zeros_without_dtype(shape=tuple(longest)), x, axes=(axis,),
            name=names.get(None, f'{op_name}: lines must be at most {SYMBOLIC_MAX_LENGTH} long '))
        y = _composed(symbol, symbol.broadcast_sub(x, of_length), axis, forward, SYMBOLIC_MAX_LENGTH)
        return symbol.identity(y, name=names.get(name, op_name))

    op_name = name
    for function in (on_ndarray, on_symbol):
        function.__name__ = function.__qualname__ = name
        function.__doc__ = f'Running maximum, composed of stock operators: see :func:`gluonzoo.ops.{name}`.'
    return on_ndarray, on_symbol


COMPOSITIONS = {
    'top_pool': _make_composition('top_pool', axis=2, forward=True),
    'bottom_pool': _make_composition('bottom_pool', axis=2, forward=False),
    'left_pool': _make_composition('left_pool', axis=3, forward=True),
    'right_pool': _make_composition('right_pool', axis=3, forward=False),
}
