"""Smaller forms of ONNX files that hold float32 networks, by onnxruntime's own tools."""
import logging
import tempfile
from contextlib import contextmanager
from pathlib import Path

from ..reading import last_line
from .errors import ExportError

__all__ = ['to_float16', 'to_int8']

# What is computed in 8 bits: the operators with weights, and those between them that choose or add numbers, since a way
# to float32 and back costs more than they do. The rest, such as softmax, stays in float32.
IN_INT8 = ('Conv', 'ConvTranspose', 'Gemm', 'MatMul', 'Relu', 'LeakyRelu', 'Clip', 'MaxPool', 'AveragePool',
           'GlobalAveragePool', 'Add', 'Concat', 'Reshape', 'Flatten', 'Transpose', 'Pad')


def to_float16(source, path):
    """Writes the network of an ONNX file with weights and arithmetic of float16.

    Inputs and outputs stay float32, and so do operators that onnxruntime knows to need it, such as Resize. A processor
    without arithmetic of float16 computes in float32 from such weights: the file is half as large, and not faster.

    Parameters
    ----------
    source : Path
        as :func:`~gluonzoo.export.to_onnx` writes it
    path : Path

    Raises ExportError if onnxruntime cannot.
    """
    import onnx
    from onnxruntime.quantization.onnx_model import ONNXModel
    from onnxruntime.transformers.float16 import convert_float_to_float16

    with _plainly('float16'):
        model = ONNXModel(convert_float_to_float16(onnx.load(str(source)), keep_io_types=True))
        model.topological_sort()   # the casts stand behind their readers
        onnx.save(model.model, str(path))


def to_int8(source, path, inputs):
    """Writes the network of an ONNX file with weights and arithmetic of 8 bits.

    Quantisation is static: the ranges of what is computed are those that it has from `inputs`. Weights have a scale for
    each output channel. They use 7 of their 8 bits, because the sums of processors without VNNI overflow otherwise, and
    the accuracy would depend on the processor. In the file are pairs of QuantizeLinear and DequantizeLinear, which
    other runtimes understand too.

    Parameters
    ----------
    source : Path
        as :func:`~gluonzoo.export.to_onnx` writes it
    path : Path
    inputs : iterable of dict of name -> float32 array
        what the network gets in use; some dozens are enough

    Raises ExportError if onnxruntime cannot.
    """
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with _plainly('int8'), tempfile.TemporaryDirectory(dir=Path(path).parent) as folder:
        joined = Path(folder, 'joined.onnx')   # normalisations are part of convolutions
        quant_pre_process(str(source), str(joined), skip_symbolic_shape=True)
        _drop_zero_biases(joined)
        quantize_static(str(joined), str(path), _reader(inputs), quant_format=QuantFormat.QDQ, per_channel=True,
                        reduce_range=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
                        op_types_to_quantize=list(IN_INT8))


def _drop_zero_biases(path):
    """Takes the 0 out of matrix products that is there in place of a bias: the tool wants one number a channel."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load(str(path))
    zeros = {value.name for value in model.graph.initializer if not value.dims and not numpy_helper.to_array(value)}
    for node in model.graph.node:
        if node.op_type == 'Gemm' and node.input[2:] and node.input[2] in zeros:
            del node.input[2]
    onnx.save(model, str(path))


def _reader(inputs):
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):
        rest = iter(inputs)

        def get_next(self):
            return next(self.rest, None)

    return Reader()


@contextmanager
def _plainly(form):
    """Within, what onnxruntime says in its log is not shown, and its errors become an ExportError."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    except (OSError, ExportError):
        raise
    except Exception as error:   # onnxruntime's have no other class in common
        raise ExportError(f'onnxruntime makes no {form} of it: {last_line(error)}') from error
    finally:
        logging.disable(before)
