"""Activations beside MXNet's."""
import numpy as np
import pytest

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

from translated import assert_same

rng = np.random.default_rng(0)
X = 2 * rng.normal(size=(2, 3, 4, 5))


@pytest.mark.parametrize('kind', ['leaky', 'elu', 'selu', 'gelu', 'rrelu'])
@pytest.mark.parametrize('slope', [.25, .1])
def test_leaky(kind, slope, tmp_path):
    def function(F, x):
        y = F.LeakyReLU(x, act_type=kind, slope=slope)
        return y[0] if kind == 'rrelu' else y   # of which there are the slopes, too, for training
    assert_same(function, tmp_path / 'f.onnx', (X,), tolerance=1e-5)


@pytest.mark.parametrize('count', [1, 3])
@pytest.mark.parametrize('axes', [2, 3, 4])
def test_prelu(count, axes, tmp_path):
    """A slope for all channels, or one for each."""
    x = X[(..., *[0] * (4 - axes))]
    assert_same(lambda F, x, slopes: F.LeakyReLU(x, F.reshape(slopes, (-1,)), act_type='prelu'), tmp_path / 'f.onnx',
                (x, rng.normal(size=(count, 1))))


@pytest.mark.parametrize('kind', ['relu', 'sigmoid', 'softrelu', 'softsign', 'tanh'])
def test_activation(kind, tmp_path):
    assert_same(lambda F, x: F.Activation(x, act_type=kind), tmp_path / 'f.onnx', (X,), tolerance=1e-5)
