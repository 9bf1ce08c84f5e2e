"""Repetition beside MXNet's."""
import numpy as np
import pytest

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

from translated import assert_same


@pytest.mark.parametrize('axis', [None, 0, 1, -1], ids=str)
def test_repeat(axis, tmp_path):
    x = np.arange(24).reshape(2, 3, 4)
    assert_same(lambda F, x: F.repeat(x, repeats=3, axis=axis), tmp_path / 'f.onnx', (x,))
    assert_same(lambda F, x: F.repeat(x, repeats=2, axis=axis), tmp_path / 'f.onnx', (x,), (np.concatenate([x, x]),),
                dynamic=['batch'])


def test_repeat_twice_alike(tmp_path):
    """Both become one in onnxruntime."""
    assert_same(lambda F, x: F.repeat(x, repeats=2, axis=-1) + F.repeat(2 * x, repeats=2, axis=-1), tmp_path / 'f.onnx',
                (np.arange(6).reshape(2, 3),))
