"""Arrays that no input makes, beside MXNet's."""
import numpy as np
import pytest

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

from translated import assert_same


@pytest.mark.parametrize('function', [
    lambda F: F.arange(5), lambda F: F.arange(1, 11, 2), lambda F: F.arange(0, 3, 1, repeat=2), lambda F: F.zeros((5,)),
    lambda F: F.ones((5,)), lambda F: F.full((4, 5), 3), lambda F: F.linspace(0, 1, 5),
    lambda F: F.linspace(2, -1, 5, endpoint=False), lambda F: F.eye(4, 5), lambda F: F.eye(5, 4, k=-1)])
def test_creation(function, tmp_path):
    assert_same(lambda F, x: [F.identity(x), function(F)], tmp_path / 'f.onnx', (np.ones((2, 3)),))


def test_arange_like(tmp_path):
    assert_same(lambda F, x: [F.contrib.arange_like(x, axis=1), F.contrib.arange_like(x, axis=3, start=2, step=3),
                              F.cast(F.shape_array(x), 'float32'), F.cast(F.size_array(x), 'float32')],
                tmp_path / 'f.onnx', (np.ones((2, 3, 4, 5)),), (np.ones((3, 3, 8, 7)),), dynamic=['batch', 'size'])
