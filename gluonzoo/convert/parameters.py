"""Puts the arrays of a file into the parameters of a network."""
import mxnet as mx
import numpy as np

__all__ = ['float_parameters', 'faults', 'put']


def float_parameters(net):
    """Dict of name ('features.0.weight') -> Parameter of a network.

    Raises ValueError if the network is not initialized, waits for an input to know its shapes, or does not compute in
    float16, float32 or float64.
    """
    parameters = net._collect_params_with_prefix()
    for name, parameter in parameters.items():
        if parameter._data is None:
            raise ValueError('net: must be initialized, with the shapes of all parameters known')
        if np.dtype(parameter.dtype).kind != 'f':
            raise ValueError(f'net: must be of float16, float32 or float64: {name!r} is {np.dtype(parameter.dtype)}')
    return parameters


def faults(array, shape, dtype, finite=True):
    """Yields the reasons, in words, why an array of a file does not fit a parameter of this shape and float dtype.

    With `finite`, numbers that are not finite are a reason.
    """
    if array.shape != shape:
        yield f'shape {array.shape} in the file, {shape} here'
    elif array.dtype.kind != 'f':
        yield f'dtype {array.dtype} in the file, {np.dtype(dtype)} here'
    elif finite:
        with np.errstate(over='ignore'):   # what is too large for the dtype is not finite in it
            if not np.isfinite(array.astype(dtype)).all():
                yield 'has values that are not finite (--allow-not-finite takes them)'


def put(parameters, arrays):
    """Gives `parameters` the values of a dict of name -> array, in their own dtype, on all their devices."""
    for name, array in arrays.items():
        parameters[name].set_data(mx.nd.array(array, dtype=parameters[name].dtype))
