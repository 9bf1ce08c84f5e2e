"""Corner pooling: the contract of the four operators, and their composition from stock MXNet operators.

Paper: "CornerNet: Detecting Objects as Paired Keypoints" (Law and Deng, 2018), section 3.3;
"CenterNet: Keypoint Triplets for Object Detection" (Duan et al., 2019) cascades them.

Every operator maps (N, C, H, W) to the same shape and dtype (float16, float32 or float64). It scans the lines
of one axis and writes the running maximum::

    operator      scan starts at    y[n, c, i, j]
    top_pool      bottom row        max(x[n, c, i:, j])
    bottom_pool   top row           max(x[n, c, :i+1, j])
    left_pool     right column      max(x[n, c, i, j:])
    right_pool    left column       max(x[n, c, i, :j+1])

Gradient
    The gradient of ``y[i]`` goes to the one input element that is the running maximum at ``i``.
Ties
    The first maximum met along the scan keeps the gradient: a later element replaces it only if it is strictly
    greater. +0 and -0 are equal. This is the rule of the official CornerNet code; ``torch.cummax`` has the other.
NaN
    Counts as greater than every number. From the first NaN met, the rest of the line is NaN, and that first NaN
    receives the gradient of all of it.
Precision
    Values are copies of inputs, so exact. On the native routes float16 gradients are summed in float32 and
    rounded once; the composition adds in float16.
Determinism
    Same input, same bits, whatever the number of threads.
"""
from mxnet import MXNetError, ndarray, symbol
from mxnet.gluon import HybridBlock
from mxnet.name import NameManager

__all__ = ['top_pool', 'bottom_pool', 'left_pool', 'right_pool',
           'TopPool', 'BottomPool', 'LeftPool', 'RightPool']

# A Symbol does not know its shape, so a symbolic composition unrolls for lines up to this length
# (and refuses longer ones when shapes are inferred).
SYMBOLIC_MAX_LENGTH = 4096

_FLOATS = ('float16', 'float32', 'float64')


def _call(name, x):
    if isinstance(x, ndarray.NDArray):
        return getattr(ndarray.contrib, name)(x)
    if isinstance(x, symbol.Symbol):
        return getattr(symbol.contrib, name)(x)
    raise TypeError(f'{name}: x must be an NDArray or a Symbol; got {type(x).__name__}')


def top_pool(x):
    """Running maximum from the bottom row up: ``y[i] = max(x[i:])`` over axis 2.

    Parameters
    ----------
    x : NDArray or Symbol of shape (N, C, H, W), float16, float32 or float64

    Returns
    -------
    NDArray or Symbol of the same shape and dtype.

    Raises
    ------
    TypeError
        if `x` is neither an NDArray nor a Symbol.
    MXNetError
        for another rank or dtype; a Symbol raises it when shapes and types are inferred. (On the composition a Symbol
        of another dtype is refused only when it runs, in the words of a stock operator.)

    Examples
    --------
    >>> x = mx.nd.array([1, 3, 2]).reshape((1, 1, 3, 1))
    >>> top_pool(x).reshape(-1)
    [3. 3. 2.]
    <NDArray 3 @cpu(0)>

    Ties, NaN and gradient: see :mod:`gluonzoo.ops.corner_pool`.
    """
    return _call('top_pool', x)


def bottom_pool(x):
    """Running maximum from the top row down: ``y[i] = max(x[:i+1])`` over axis 2. As :func:`top_pool`."""
    return _call('bottom_pool', x)


def left_pool(x):
    """Running maximum from the right column leftwards: ``y[j] = max(x[j:])`` over axis 3. As :func:`top_pool`."""
    return _call('left_pool', x)


def right_pool(x):
    """Running maximum from the left column rightwards: ``y[j] = max(x[:j+1])`` over axis 3. As :func:`top_pool`."""
    return _call('right_pool', x)


class TopPool(HybridBlock):
    """:func:`top_pool` as a block without parameters. Inputs and outputs: (N, C, H, W)."""

    def hybrid_forward(self, F, x):
        return F.contrib.top_pool(x)


class BottomPool(HybridBlock):
    """:func:`bottom_pool` as a block without parameters. Inputs and outputs: (N, C, H, W)."""

    def hybrid_forward(self, F, x):
        return F.contrib.bottom_pool(x)


class LeftPool(HybridBlock):
    """:func:`left_pool` as a block without parameters. Inputs and outputs: (N, C, H, W)."""

    def hybrid_forward(self, F, x):
        return F.contrib.left_pool(x)


class RightPool(HybridBlock):
    """:func:`right_pool` as a block without parameters. Inputs and outputs: (N, C, H, W)."""

    def hybrid_forward(self, F, x):
        return F.contrib.right_pool(x)


# -- the composition ---------------------------------------------------------------------------------------------

def _shift(F, y, axis, forward, step):
    """y moved by `step` along `axis`, so that element i meets element i + step (forward) or i - step.

    The edge value fills the gap; a maximum does not mind meeting it again. Works for any step, also beyond
    the length of the axis.
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
        function.__doc__ = globals()[name].__doc__
    return on_ndarray, on_symbol


COMPOSITIONS = {
    'top_pool': _make_composition('top_pool', axis=2, forward=True),
    'bottom_pool': _make_composition('bottom_pool', axis=2, forward=False),
    'left_pool': _make_composition('left_pool', axis=3, forward=True),
    'right_pool': _make_composition('right_pool', axis=3, forward=False),
}
