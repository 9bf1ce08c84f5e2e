"""Weights and inputs of a graph."""
from onnx import helper, numpy_helper

from .base import TRANSLATIONS


def _variable(node, *, is_input, weights, initializer, in_shape=None, in_type=None, **_):
    """As MXNet's own, which takes minutes and gigabytes for large weights, since it makes lists of Python numbers."""
    name = node['name']
    if is_input:
        return [helper.make_tensor_value_info(name, in_type, in_shape)], (helper.tensor_dtype_to_np_dtype(in_type),)
    array = weights[name]
    initializer.append(numpy_helper.from_array(array, name))
    return [helper.make_tensor_value_info(name, initializer[-1].data_type, array.shape)], (array.dtype,)


TRANSLATIONS['null'] = _variable
