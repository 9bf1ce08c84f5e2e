"""Normalisation and softmax beside MXNet's."""
import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import HybridBlock

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

from translated import assert_same

from gluonzoo.export import ExportError, to_onnx

rng = np.random.default_rng(0)
X = rng.normal(size=(2, 6, 4, 5))


class BatchNorm(HybridBlock):
    """Of 5 or 6 channels, with numbers that matter."""

    def __init__(self, relu, count, **options):
        super().__init__()
        self._relu, self._options = relu, options
        for name in ('gamma', 'beta', 'running_mean', 'running_var'):
            setattr(self, name, self.params.get(name, shape=(count,), init=mx.init.Uniform(1), differentiable=False))

    def hybrid_forward(self, F, x, gamma, beta, running_mean, running_var):
        operator = F.contrib.BatchNormWithReLU if self._relu else F.BatchNorm
        return operator(x, gamma, beta, running_mean, running_var, eps=.01, **self._options)


@pytest.mark.parametrize('relu, options', [
    (True, {'fix_gamma': False}), (True, {}), (False, {'fix_gamma': False}), (False, {}),
    (False, {'axis': 2, 'fix_gamma': False}), (False, {'axis': -1})], ids=str)
def test_batch_norm(relu, options, tmp_path):
    """Of channels along any axis. A gamma that is fixed counts as 1, whatever it is."""
    count = X.shape[options.get('axis', 1)]
    block = BatchNorm(relu, count, **options)
    mx.random.seed(0)
    block.initialize()
    block.running_var.set_data(mx.nd.arange(1, 1 + count))
    assert to_onnx(block, tmp_path / 'f.onnx', {'x': X}, dynamic=['batch'])['output'] < 1e-6


def test_statistics_of_the_batch_are_refused(tmp_path):
    block = BatchNorm(False, 6, output_mean_var=True)
    block.initialize()
    with pytest.raises(ExportError, match='BatchNorm: cannot be exported with output_mean_var'):
        to_onnx(block, tmp_path / 'f.onnx', {'x': X})


@pytest.mark.parametrize('groups', [1, 2, 3, 6])
def test_group_norm(groups, tmp_path):
    """MXNet has a gamma and a beta for each group, not for each channel."""
    assert_same(lambda F, x: F.GroupNorm(x, F.arange(1, groups + 1), F.arange(groups), num_groups=groups, eps=.01),
                tmp_path / 'f.onnx', (X,), (X[[1, 0, 1], :, ::2],), dynamic=['batch', 'size'], tolerance=1e-5)


@pytest.mark.parametrize('mode', ['instance', 'channel', 'spatial'])
def test_l2_normalization(mode, tmp_path):
    """With an eps that matters."""
    assert_same(lambda F, x: F.L2Normalization(x, mode=mode, eps=.5), tmp_path / 'f.onnx', (X,), tolerance=1e-5)


def test_other_normalisations(tmp_path):
    assert_same(lambda F, x: [F.LayerNorm(x, F.arange(5), F.ones((5,)), eps=.01),
                              F.LayerNorm(x, F.arange(6), F.ones((6,)), axis=1),
                              F.InstanceNorm(x, F.arange(6), F.ones((6,)), eps=.01),
                              F.LRN(10 * x, nsize=3, alpha=.01, beta=.7, knorm=1), F.LRN(10 * x, nsize=5)],
                tmp_path / 'f.onnx', (X,), tolerance=1e-5)


@pytest.mark.parametrize('axis', [0, 1, 2, -1])
@pytest.mark.parametrize('temperature', [None, 2.5])
def test_softmax(axis, temperature, tmp_path):
    options = dict(axis=axis, temperature=temperature)
    assert_same(lambda F, x: [F.softmax(x, **options), F.log_softmax(x, **options), F.softmin(x, **options)],
                tmp_path / 'f.onnx', (X,), tolerance=1e-5)


@pytest.mark.parametrize('shape, axis', [((3, 4), -1), ((3, 4, 5), 1), ((3, 4, 5), 2)], ids=str)
def test_softmax_of_some(shape, axis, tmp_path):
    """Only the first ones count, as many as there are lengths say."""
    lengths = rng.integers(1, shape[axis] + 1, [n for i, n in enumerate(shape) if i != axis % len(shape)])
    assert_same(lambda F, x, lengths: F.softmax(x, F.cast(lengths, 'int32'), use_length=True, axis=axis),
                tmp_path / 'f.onnx', (rng.normal(size=shape), lengths))


@pytest.mark.parametrize('mode', ['instance', 'channel'])
def test_softmax_activation(mode, tmp_path):
    assert_same(lambda F, x: F.SoftmaxActivation(x, mode=mode), tmp_path / 'f.onnx', (X,), tolerance=1e-5)


@pytest.mark.parametrize('options, labels', [
    ({}, (2, 6, 4)), ({'multi_output': True}, (2, 4, 5)), ({'preserve_shape': True}, (2, 6, 4))], ids=str)
def test_softmax_output(options, labels, tmp_path):
    assert_same(lambda F, x: F.SoftmaxOutput(x, F.zeros(labels), **options), tmp_path / 'f.onnx', (X,), tolerance=1e-5)
    if not options:
        assert_same(lambda F, x: F.SoftmaxOutput(x, F.zeros((2,))), tmp_path / 'f.onnx', (X[:, :, 0, 0],))
