"""Which opset an ONNX file is of: the version of what its nodes mean."""
import functools

from ..reading import last_line
from .errors import ExportError

__all__ = ['OPSET', 'ir_version', 'newest_opset', 'raised', 'require_opset']

# Of all translations: the last that MXNet 1.9.1 has any for.
OPSET = 13


def require_opset(opset):
    """ExportError unless files of this opset can be written, and run by the onnxruntime that is installed."""
    if isinstance(opset, bool) or not isinstance(opset, int) or not OPSET <= opset <= newest_opset():
        raise ExportError(f'opset: must be a whole number from {OPSET} to {newest_opset()}, the newest that the '
                          f'installed onnx and onnxruntime have in common: {opset!r}')


@functools.cache
def newest_opset():
    """The newest opset that the installed onnx and onnxruntime both have."""
    from onnx import defs

    return next(opset for opset in range(defs.onnx_opset_version(), OPSET - 1, -1)
                if opset == OPSET or _is_run(opset))


def _is_run(opset):
    """Whether onnxruntime takes a file of an opset. (It does not say which it takes.)"""
    import onnxruntime
    from onnx import TensorProto, helper

    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ('x', 'y')]
    graph = helper.make_graph([helper.make_node('Identity', ['x'], ['y'])], 'graph', values[:1], values[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', opset)], ir_version=ir_version(opset))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=['CPUExecutionProvider'])
    except Exception:   # onnxruntime's have no other class in common
        return False
    return True


def ir_version(opset):
    """The oldest version of the file format that has an opset: more runtimes take it."""
    from onnx import helper

    return helper.find_min_ir_version_for([helper.make_opsetid('', opset)])


def raised(model, opset):
    """An ONNX model of opset 13, or one of a newer opset that means the same, by onnx's own converter.

    ExportError if it cannot convert the model.
    """
    from onnx import version_converter

    if opset == OPSET:
        return model
    try:
        newer = version_converter.convert_version(model, opset)
    except version_converter.ConvertError as error:
        raise ExportError(f'opset: onnx cannot convert what is of {OPSET} to {opset}: {last_line(error)}') from error
    newer.ir_version = ir_version(opset)
    return newer
