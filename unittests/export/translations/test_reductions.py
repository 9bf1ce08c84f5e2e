"""Reductions beside MXNet's."""
import numpy as np
import pytest

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

from translated import assert_same

rng = np.random.default_rng(0)
X = rng.normal(size=(2, 3, 4, 5))


@pytest.mark.parametrize('options', [
    {}, {'axis': 1}, {'axis': (1, 3)}, {'axis': -1, 'keepdims': True}, {'axis': (0, 2), 'exclude': True},
    {'axis': 1, 'exclude': True, 'keepdims': True}, {'keepdims': True}], ids=str)
@pytest.mark.parametrize('name', ['sum', 'mean', 'max', 'min', 'prod', 'nansum', 'nanprod'])
def test_reduction(name, options, tmp_path):
    x = np.where(rng.random(X.shape) < .2, np.nan, X) if 'nan' in name else X
    assert_same(lambda F, x: getattr(F, name)(x, **options), tmp_path / 'f.onnx', (x,), (x[[1, 0, 1]],),
                dynamic=['batch'], tolerance=1e-5)


@pytest.mark.parametrize('options', [
    {}, {'axis': 1}, {'axis': 1, 'ord': 1, 'keepdims': True}, {'axis': (2, 3), 'ord': 2}, {'axis': (1, 2), 'ord': 1}],
    ids=str)
def test_norm(options, tmp_path):
    assert_same(lambda F, x: F.norm(x, **options), tmp_path / 'f.onnx', (X,), tolerance=1e-5)


@pytest.mark.parametrize('options', [{'axis': 1}, {'axis': -1, 'keepdims': True}, {}], ids=str)
def test_arguments(options, tmp_path):
    """Of equal numbers, the first."""
    assert_same(lambda F, x: [F.argmax(x, **options), F.argmin(x, **options)], tmp_path / 'f.onnx', (np.round(X),))


def test_argmax_channel(tmp_path):
    assert_same(lambda F, x: F.argmax_channel(x), tmp_path / 'f.onnx', (np.round(X[0, 0]),))


@pytest.mark.parametrize('axes', [(2, 3), (1,), (0, 1, 2, 3)], ids=str)
@pytest.mark.parametrize('keepdims', [False, True])
def test_moments(axes, keepdims, tmp_path):
    assert_same(lambda F, x: F.moments(x, axes=axes, keepdims=keepdims), tmp_path / 'f.onnx', (X,), tolerance=1e-5)


@pytest.mark.parametrize('axis', [None, 0, 1, 3])
def test_cumsum(axis, tmp_path):
    assert_same(lambda F, x: F.cumsum(x, axis=axis), tmp_path / 'f.onnx', (X,), tolerance=1e-5)
