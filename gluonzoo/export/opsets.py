"""Which opset an ONNX file is of: the version of what its nodes mean."""
import functools

from .errors import ExportError

__all__ = ['OPSET', 'ir_version', 'newest_opset', 'require_opset', 'raise_opset']

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


def raise_opset(graph, opset):
    """Has the nodes of a graph, which are of opset 13, mean the same in a newer one. In place.

    What is left out here takes more types in newer opsets, or has more attributes, whose defaults are what it did
    before. (onnx.version_converter knows no nodes within nodes, and leaves RoiAlign as it is, which then is half a
    pixel away.)
    """
    from onnx import AttributeProto

    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == AttributeProto.GRAPH:
                raise_opset(attribute.g, opset)
        change = next((change for since, operators, change in _CHANGES if since <= opset and node.op_type in operators),
                      None)
        if change:
            change(graph, node)


def _keep_pixels(graph, node):
    """Boxes were whole pixels without a word before; now they are half a pixel away without a word."""
    from onnx import helper

    if all(attribute.name != 'coordinate_transformation_mode' for attribute in node.attribute):
        node.attribute.append(helper.make_attribute('coordinate_transformation_mode', 'output_half_pixel'))


def _axes_as_input(graph, node):
    import numpy as np
    from onnx import numpy_helper

    for attribute in [attribute for attribute in node.attribute if attribute.name == 'axes']:
        name = f'{node.output[0]}_axes'
        graph.initializer.append(numpy_helper.from_array(np.array(attribute.ints, 'int64'), name))
        node.input.append(name)
        node.attribute.remove(attribute)


def _count_outputs(graph, node):
    from onnx import helper

    if len(node.input) < 2:
        node.attribute.append(helper.make_attribute('num_outputs', len(node.output)))


# Since which opset, which operators, and what to do.
_CHANGES = [
    (16, {'RoiAlign'}, _keep_pixels),
    (18, {'ReduceMax', 'ReduceMin', 'ReduceMean', 'ReduceProd', 'ReduceL1', 'ReduceL2', 'ReduceLogSum',
          'ReduceLogSumExp', 'ReduceSumSquare'}, _axes_as_input),
    (18, {'Split'}, _count_outputs),
]
