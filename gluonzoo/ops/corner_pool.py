"""Corner pooling: the contract of the four operators, as functions and as blocks.

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
    The first maximum met along the scan gets the gradient: a later element replaces it only if the later element is
    strictly greater. +0 and -0 are equal. This is the rule of the official CornerNet code. ``torch.cummax`` gives the
    gradient to the last maximum.
NaN
    A NaN counts as greater than every number. From the first NaN met, the rest of the line is NaN, and the first NaN
    gets the gradient of the rest.
Precision
    Values are copies of inputs, so exact. On the native routes float16 gradients are summed in float32 and
    rounded once; the composition adds in float16.
Determinism
    Same input, same bits, whatever the number of threads.
"""
from mxnet import ndarray, symbol
from mxnet.gluon import HybridBlock

__all__ = ['top_pool', 'bottom_pool', 'left_pool', 'right_pool',
           'TopPool', 'BottomPool', 'LeftPool', 'RightPool']

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
        for another rank or dtype; a Symbol raises it when shapes and types are inferred. (On the composition, a Symbol
        of another dtype is refused only when it runs, with the message of a stock operator.)

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
