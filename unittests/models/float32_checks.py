"""Compares what oneDNN computes, which is float32 alone, with MXNet's own operators, which compute float64."""
import mxnet as mx
import numpy as np


def values_and_gradients(block, x, dtype):
    """What a block gives for x, and the gradients of x and of its parameters, for one random gradient of the outputs:
    list of NumPy arrays.
    """
    data = mx.nd.array(x, dtype=dtype)
    data.attach_grad()
    with mx.autograd.record():
        y = block(data)
    y.backward(mx.nd.array(np.random.default_rng(1).normal(size=y.shape), dtype=dtype))
    return [y.asnumpy(), data.grad.asnumpy(),
            *(p.grad().asnumpy() for p in block.collect_params().values() if p.grad_req != 'null')]


def check_float32_is_float64(net, shape, tolerance=1e-4):
    """Values and gradients of a hybridized network, for inputs of a shape. The tolerance is relative to the greatest
    value, which counts as 1 at least.
    """
    x, found = np.random.default_rng(0).normal(size=shape), []
    for dtype in ('float64', 'float32'):
        net.cast(dtype)
        net.hybridize(static_alloc=True)
        found.append(values_and_gradients(net, x, dtype))
    for a, b in zip(*found):
        assert abs(a - b).max() < tolerance * max(1, abs(a).max())
