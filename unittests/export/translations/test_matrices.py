"""Products of matrices beside MXNet's."""
import numpy as np
import pytest

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

from translated import assert_same

rng = np.random.default_rng(0)


@pytest.mark.parametrize('first, second, options', [
    ((3, 4), (4, 5), {}), ((4, 3), (5, 4), {'transpose_a': True, 'transpose_b': True}), ((3, 4), (4,), {}),
    ((4,), (4,), {}), ((4,), (4, 5), {}), ((2, 3, 4), (4, 5), {}), ((2, 3, 4), (5, 4), {'transpose_b': True}),
    ((2, 3, 4), (4, 3, 5), {}), ((4, 2), (4, 3, 5), {'transpose_a': True}),
    ((4, 2, 3), (4, 5), {'transpose_a': True}), ((2, 4), (3, 5, 4), {'transpose_b': True}),
    ((4, 2, 3), (5, 6, 4), {'transpose_a': True, 'transpose_b': True})], ids=str)
def test_dot(first, second, options, tmp_path):
    assert_same(lambda F, x, y: F.dot(x, y, **options), tmp_path / 'f.onnx',
                (rng.normal(size=first), rng.normal(size=second)), tolerance=1e-5)


@pytest.mark.parametrize('options', [{}, {'transpose_a': True}, {'transpose_b': True},
                                     {'transpose_a': True, 'transpose_b': True}], ids=str)
def test_batches(options, tmp_path):
    x = rng.normal(size=(2, 4, 3) if 'transpose_a' in options else (2, 3, 4))
    y = rng.normal(size=(2, 5, 4) if 'transpose_b' in options else (2, 4, 5))
    z = rng.normal(size=(2, 3, 5))
    assert_same(lambda F, x, y, z: [F.batch_dot(x, y, **options), F.linalg_gemm2(x, y, alpha=2, **options),
                                    F.linalg_gemm(x, y, z, alpha=2, beta=.5, **options)],
                tmp_path / 'f.onnx', (x, y, z), (x[[0, 1, 0]], y[[0, 1, 0]], z[[0, 1, 0]]), dynamic=['batch'],
                tolerance=1e-5)


@pytest.mark.parametrize('transpose', [False, True])
def test_with_itself(transpose, tmp_path):
    assert_same(lambda F, x: F.linalg_syrk(x, alpha=2, transpose=transpose), tmp_path / 'f.onnx',
                (rng.normal(size=(2, 3, 4)),), tolerance=1e-5)


@pytest.mark.parametrize('k', [0, 1, -2])
@pytest.mark.parametrize('shape', [(4,), (4, 5), (5, 4)], ids=str)
def test_diag(shape, k, tmp_path):
    assert_same(lambda F, x: F.diag(x, k=k), tmp_path / 'f.onnx', (rng.normal(size=shape),))


@pytest.mark.parametrize('shape, options', [
    ((2, 60), {}), ((2, 3, 4, 5), {}), ((2, 3, 60), {'flatten': False})], ids=str)
@pytest.mark.parametrize('no_bias', [False, True])
def test_fully_connected(shape, options, no_bias, tmp_path):
    """Also of a weight that is computed."""
    def function(F, x, weight):
        weight = F.reshape(weight * 2, (4, 60))
        bias = [] if no_bias else [F.arange(4)]
        return F.FullyConnected(x, weight, *bias, num_hidden=4, no_bias=no_bias, **options)
    assert_same(function, tmp_path / 'f.onnx', (rng.normal(size=shape), rng.normal(size=(4, 3, 4, 5))), tolerance=1e-5)
