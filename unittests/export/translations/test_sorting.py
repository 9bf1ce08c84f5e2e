"""Sorting and the best along an axis, beside MXNet's."""
import numpy as np
import pytest
from mxnet.gluon.nn import HybridLambda

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

from numpy.testing import assert_array_equal
from translated import assert_same

from gluonzoo.export import to_onnx
from gluonzoo.export.onnx import Session

rng = np.random.default_rng(0)
X = rng.normal(size=(2, 3, 4, 5))
TIES = rng.integers(0, 3, (2, 3, 20))   # many are equal


@pytest.mark.parametrize('is_ascend', [True, False])
@pytest.mark.parametrize('axis', [1, -1, None])
def test_sort(axis, is_ascend, tmp_path):
    options = dict(axis=axis, is_ascend=is_ascend)
    assert_same(lambda F, x: [F.sort(x, **options), F.argsort(x, **options)], tmp_path / 'f.onnx', (X,))
    assert_same(lambda F, x: F.sort(x, **options), tmp_path / 'f.onnx', (TIES,))


@pytest.mark.parametrize('is_ascend', [True, False])
@pytest.mark.parametrize('axis, k', [(1, 2), (-1, 3), (-1, 0), (2, 4), (None, 7)])
@pytest.mark.parametrize('ret_typ', ['indices', 'value', 'both', 'mask'])
def test_topk(ret_typ, axis, k, is_ascend, tmp_path):
    options = {} if axis is None else {'dynamic': ['batch']}
    assert_same(lambda F, x: F.topk(x, axis=axis, k=k, ret_typ=ret_typ, is_ascend=is_ascend), tmp_path / 'f.onnx', (X,),
                **options)


def test_places_of_equal_numbers(tmp_path):
    """They are no matter of comparison with MXNet, whose sort is not stable: the first comes first."""
    path = tmp_path / 'f.onnx'
    to_onnx(HybridLambda(lambda F, x: F.argsort(x, is_ascend=False)), path, {'x': X.shape})
    x = TIES.reshape(2, 3, 4, 5).astype('float32')
    assert_array_equal(Session(path)({'x': x})[0], np.argsort(-x, axis=-1, kind='stable'))


@pytest.mark.parametrize('dtype', ['int32', 'int64', 'float64'])
def test_types_of_places(dtype, tmp_path):
    assert_same(lambda F, x: [F.cast(F.topk(x, k=2, dtype=dtype), 'float32') / 2,
                              F.cast(F.argsort(x, dtype=dtype), 'float32')], tmp_path / 'f.onnx', (X,))
