"""Mish beside PyTorch's, in float64 and in float32, with numbers beyond all exponentials."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluonzoo.export import to_onnx
from gluonzoo.nn.mish import Mish

# x, x * tanh(log(1 + exp(x))) and its derivative, worked out with 40 digits.
KNOWN = [(0, 0, .6), (1, .8650983882673103, 1.0490362200997922), (-1, -.30340146137410892, .05921675587739495),
         (2, 1.9439589595339940, 1.0693179342794897), (-1.1924312145, -.30884341301725040, 4.1364e-12)]


def value_and_gradient(x, dtype, hybridize, head=None):
    block = Mish()
    if hybridize:
        block.hybridize(static_alloc=True)
    x = mx.nd.array(x, dtype=dtype)
    x.attach_grad()
    with autograd.record():
        y = block(x)
    y.backward(None if head is None else mx.nd.array(head, dtype=dtype))
    assert y.dtype == x.grad.dtype == np.dtype(dtype)
    return y.asnumpy(), x.grad.asnumpy()


@pytest.mark.parametrize('hybridize', [False, True])
@pytest.mark.parametrize('dtype, tolerance', [('float64', 1e-9), ('float32', 1e-6)])
def test_known_values(dtype, tolerance, hybridize):
    x, wanted, slope = np.array(KNOWN).T
    for found, expected in zip(value_and_gradient(x, dtype, hybridize), (wanted, slope)):
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize('hybridize', [False, True])
@pytest.mark.parametrize('dtype, tolerance', [('float64', 1e-12), ('float32', 1e-6)])
def test_beside_pytorch(dtype, tolerance, hybridize):
    """For maps, (N, C, H, W), of common and of great numbers, and another gradient for each."""
    torch = pytest.importorskip('torch')
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(2, 16, 5, 7)) * 10 ** rng.uniform(-3, 3, (2, 16, 5, 7))).astype(dtype)
    head = rng.normal(size=x.shape).astype(dtype)
    twin = torch.tensor(x.astype('float64'), requires_grad=True)
    y = torch.nn.functional.mish(twin)
    y.backward(torch.from_numpy(head.astype('float64')))
    found, gradient = value_and_gradient(x, dtype, hybridize, head)
    np.testing.assert_allclose(found, y.detach().numpy(), rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(gradient, twin.grad.numpy(), rtol=tolerance, atol=5 * tolerance)


def test_onnx(tmp_path):
    onnxruntime = pytest.importorskip('onnxruntime')
    x = np.r_[np.linspace(-30, 30, 301), 1e4, -1e4].astype('float32').reshape(1, -1)
    to_onnx(Mish(), tmp_path / 'mish.onnx', {'x': x.shape}, ['y'])
    session = onnxruntime.InferenceSession(str(tmp_path / 'mish.onnx'), providers=['CPUExecutionProvider'])
    y, = session.run(None, {'x': x})
    wanted = x * np.tanh(np.logaddexp(0, x.astype('float64')))
    np.testing.assert_allclose(y, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('dtype', ['float64', 'float32', 'float16'])
def test_great_numbers(dtype):
    quarter = np.finfo(dtype).max / 4
    x = np.array([quarter, -quarter, 1e4, -1e4, 720, -750, 89, -104, 30, -30], dtype)
    y, gradient = value_and_gradient(x, dtype, False)
    np.testing.assert_allclose(y, np.maximum(x, 0), rtol=1e-6, atol=1e-10)
    np.testing.assert_allclose(gradient, x > 0, rtol=1e-6, atol=1e-10)
