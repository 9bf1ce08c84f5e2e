"""Operators on each element by itself, and on two arrays element by element, beside MXNet's."""
import numpy as np
import pytest

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

from translated import assert_same

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(2, 2, 3, 4, 5))
ROW = rng.normal(size=(2, 1, 4, 1))


@pytest.mark.parametrize('name', [
    'abs', 'arctan', 'arcsinh', 'BlockGrad', 'cbrt', 'ceil', 'cos', 'cosh', 'degrees', 'erf', 'exp', 'expm1', 'fix',
    'floor', 'hard_sigmoid', 'identity', 'logical_not', 'make_loss', 'negative', 'ones_like', 'radians', 'relu', 'rint',
    'round', 'sigmoid', 'sign', 'sin', 'sinh', 'softsign', 'square', 'tanh', 'trunc', 'zeros_like'])
def test_of_any_number(name, tmp_path):
    assert_same(lambda F, x: getattr(F, name)(2 * x), tmp_path / 'f.onnx', (X,), tolerance=1e-5)


@pytest.mark.parametrize('name', ['log', 'log10', 'log1p', 'log2', 'rcbrt', 'reciprocal', 'rsqrt', 'sqrt'])
def test_above_zero(name, tmp_path):
    assert_same(lambda F, x: getattr(F, name)(F.abs(x) + .3), tmp_path / 'f.onnx', (X,), tolerance=1e-5)


@pytest.mark.parametrize('name', ['arcsin', 'arccos', 'arctanh'])
def test_within_one(name, tmp_path):
    assert_same(lambda F, x: getattr(F, name)(.9 * F.tanh(x)), tmp_path / 'f.onnx', (X,), tolerance=1e-5)


def test_arccosh(tmp_path):
    assert_same(lambda F, x: F.arccosh(1.1 + F.abs(x)), tmp_path / 'f.onnx', (X,), tolerance=1e-5)


def test_rounding(tmp_path):
    """Halves, what is just below them, and numbers that have no halves."""
    x = [.49999997, -.49999997, .5, -.5, 1.5, 2.5, -1.5, -2.5, 8388609, -8388609, 16777217, 0, 1e30]
    assert_same(lambda F, x: [F.round(x), F.rint(x), F.trunc(x), F.fix(x)], tmp_path / 'f.onnx', (np.array([x]),),
                tolerance=0)


def test_near_zero(tmp_path):
    """Where 1 + x has lost most digits of x."""
    x = np.array([[1e-8, -1e-7, 3e-6, -1e-4, .01, .5, -.5, 1, -1, 20, 0]])
    assert_same(lambda F, x: [1e3 * F.log1p(x * .9), 1e3 * F.expm1(x)], tmp_path / 'f.onnx', (x,), tolerance=2e-6)


def test_far_from_zero(tmp_path):
    x = np.array([[1e20, 3e38, np.inf, 1.5]])
    assert_same(lambda F, x: F.log1p(x), tmp_path / 'f.onnx', (x,))


@pytest.mark.parametrize('sigma', [1, 2, .5])
def test_smooth_l1(sigma, tmp_path):
    assert_same(lambda F, x: F.smooth_l1(x, scalar=sigma), tmp_path / 'f.onnx', (3 * X,))


@pytest.mark.parametrize('function', [
    lambda x: x + 2, lambda x: x - 2, lambda x: 3 - x, lambda x: x * 3, lambda x: x / 3, lambda x: 3 / (x.abs() + 1),
    lambda x: x % 1.5, lambda x: x % -1.5, lambda x: 3 % (x + 7), lambda x: x % 0, lambda x: x ** 2, lambda x: 2 ** x,
    lambda x: x.floor() == 0, lambda x: x.floor() != 0, lambda x: x > .1, lambda x: x.floor() >= 0, lambda x: x < .1,
    lambda x: x.floor() <= 0])
def test_with_a_number(function, tmp_path):
    assert_same(lambda F, x: function(x), tmp_path / 'f.onnx', (X,), tolerance=1e-5)


def test_with_a_number_by_name(tmp_path):
    assert_same(lambda F, x: [F.maximum(x, .3), F.minimum(x, .3), F.clip(x, -.5, .7),
                              F.contrib.quadratic(x, a=1, b=2, c=3)], tmp_path / 'f.onnx', (X,))


@pytest.mark.parametrize('name', [
    'add', 'equal', 'greater', 'greater_equal', 'hypot', 'lesser', 'lesser_equal', 'logical_and', 'logical_or',
    'logical_xor', 'maximum', 'minimum', 'mod', 'mul', 'not_equal', 'sub'])
def test_broadcast(name, tmp_path):
    """Of whole numbers, so that many are equal."""
    assert_same(lambda F, x, y: getattr(F, f'broadcast_{name}')(x, y), tmp_path / 'f.onnx',
                (np.round(X), np.round(ROW)), (np.round(X[[0, 1, 0]]), np.round(ROW[[1, 0, 1]])), dynamic=['batch'])


def test_broadcast_quotient_and_power(tmp_path):
    assert_same(lambda F, x, y: [F.broadcast_div(x, F.abs(y) + 1), F.broadcast_power(F.abs(x) + .1, y),
                                 F.broadcast_mod(x, y)], tmp_path / 'f.onnx', (X, ROW), tolerance=1e-5)


@pytest.mark.parametrize('function', [
    lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y, lambda x, y: x / (y * y + 1), lambda x, y: x % y,
    lambda x, y: x.abs() ** y, lambda x, y: x.round() == y.round(), lambda x, y: x.round() != y.round(),
    lambda x, y: x > y, lambda x, y: x < y, lambda x, y: x.round() >= y.round(), lambda x, y: x.round() <= y.round()])
def test_of_two(function, tmp_path):
    assert_same(lambda F, x, y: function(x, y), tmp_path / 'f.onnx', (X, Y), tolerance=1e-5)


@pytest.mark.parametrize('dtype', ['float16', 'float64', 'int32'])
def test_clip_of_other_types(dtype, tmp_path):
    assert_same(lambda F, x: F.cast(F.clip(F.cast(4 * x, dtype), -2.5, 1.25), 'float32'), tmp_path / 'f.onnx', (X,),
                tolerance=.01 if dtype == 'float16' else 1e-6)


@pytest.mark.parametrize('dtype', ['float16', 'float64', 'int8', 'int32', 'int64', 'uint8'])
def test_types(dtype, tmp_path):
    """Casts round towards 0; numbers beside an array take its type."""
    assert_same(lambda F, x: [F.cast(F.cast(F.abs(x) * 5, dtype), 'float32')], tmp_path / 'f.onnx', (X,))
    if dtype not in ('int8', 'uint8'):   # which few runtimes reckon with
        assert_same(lambda F, x: F.cast((F.cast(x, dtype) + 2) * 3 - F.cast(x, dtype) * F.cast(x, dtype), 'float32'),
                    tmp_path / 'f.onnx', (np.arange(-6, 6).reshape(2, 6),))


