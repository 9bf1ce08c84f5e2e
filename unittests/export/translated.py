"""Functions of F as ONNX files: their outputs beside those of MXNet."""
import mxnet as mx
import numpy as np
import onnxruntime
from mxnet import autograd
from mxnet.gluon.nn import HybridLambda
from numpy.testing import assert_allclose

from gluonzoo.export import to_onnx


def assert_same(function, path, *examples, dynamic=(), tolerance=1e-6, opset=13):
    """Exports with the first example (a tuple of arrays), and compares the outputs of each, element by element."""
    block = HybridLambda(function)
    examples = [[np.asarray(array, 'float32') for array in arrays] for arrays in examples]
    to_onnx(block, path, {f'input{i}': array for i, array in enumerate(examples[0])}, dynamic=dynamic,
            opset=opset)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])
    for arrays in examples:
        with autograd.predict_mode():
            wanted = block(*map(mx.nd.array, arrays))
        found = session.run(None, {f'input{i}': array for i, array in enumerate(arrays)})
        wanted = wanted if isinstance(wanted, (list, tuple)) else [wanted]
        assert len(wanted) == len(found)
        for expected, got in zip(wanted, found):
            assert_allclose(got, expected.asnumpy(), tolerance, tolerance)
