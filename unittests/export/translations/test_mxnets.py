"""Translations that are MXNet's own, beside MXNet."""
import numpy as np
import pytest

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

from translated import assert_same

rng = np.random.default_rng(0)
X = rng.normal(size=(2, 3, 4, 5))
VOLUME = rng.normal(size=(2, 3, 4, 5, 6))


@pytest.mark.parametrize('x, channels, options', [
    (X, 3, {'kernel': (3, 3)}), (X, 1, {'kernel': (3, 2), 'num_group': 3, 'pad': (1, 1), 'stride': (2, 1)}),
    (X, 3, {'kernel': (2, 2), 'dilate': (2, 3), 'pad': (2, 0)}), (X[..., 0], 3, {'kernel': (3,), 'pad': (1,)}),
    (VOLUME, 3, {'kernel': (2, 3, 3), 'pad': (1, 0, 1)})], ids=['plain', 'groups', 'dilated', 'line', 'volume'])
def test_convolution(x, channels, options, tmp_path):
    weight = rng.normal(size=(6, channels, *options['kernel']))
    assert_same(lambda F, x, weight: F.Convolution(x, weight, F.arange(6), num_filter=6, **options),
                tmp_path / 'f.onnx', (x, weight), tolerance=1e-5)


@pytest.mark.parametrize('x, filters, options', [
    (X, 4, {'kernel': (3, 3)}), (X, 4, {'kernel': (4, 4), 'stride': (2, 2), 'pad': (1, 1)}),
    (X, 4, {'kernel': (3, 3), 'stride': (2, 2), 'pad': (1, 1), 'adj': (1, 1)}),
    (X, 2, {'kernel': (3, 3), 'num_group': 3, 'dilate': (2, 2)}), (X[..., 0], 4, {'kernel': (3,), 'stride': (2,)}),
    (VOLUME, 4, {'kernel': (2, 3, 3), 'stride': (2, 1, 1)})],
    ids=['plain', 'stride', 'adj', 'groups', 'line', 'volume'])
def test_deconvolution(x, filters, options, tmp_path):
    weight = rng.normal(size=(3, filters, *options['kernel']))
    count = filters * options.get('num_group', 1)
    assert_same(lambda F, x, weight: F.Deconvolution(x, weight, num_filter=count, no_bias=True, **options),
                tmp_path / 'f.onnx', (x, weight), tolerance=1e-5)


@pytest.mark.parametrize('function', [
    lambda F, x: F.expand_dims(x, axis=-1), lambda F, x: F.squeeze(F.expand_dims(x, 2)),
    lambda F, x: F.squeeze(F.expand_dims(x, 2), axis=-3), lambda F, x: F.transpose(x),
    lambda F, x: F.transpose(x, axes=(0, 2, 3, 1)), lambda F, x: F.swapaxes(x, dim1=1, dim2=3),
    lambda F, x: F.tile(x, reps=(1, 2, 1, 3)), lambda F, x: F.tile(x, reps=(2,)), lambda F, x: F.Flatten(x),
    lambda F, x: F.tile(x, reps=(2, 1, 1, 1, 1)), lambda F, x: F.split(x, num_outputs=2, axis=2),
    lambda F, x: F.split(x, num_outputs=3, axis=1, squeeze_axis=True), lambda F, x: F.split_v2(x, (1, 3), axis=2),
    lambda F, x: F.stack(x, 2 * x), lambda F, x: F.stack(x, 2 * x, axis=-1), lambda F, x: F.concat(x, 2 * x, dim=-1),
    lambda F, x: F.depth_to_space(F.concat(x, 2 * x, 3 * x, 4 * x), 2), lambda F, x: F.add_n(x, x, x * x),
    lambda F, x: F.space_to_depth(F.concat(x, x, dim=3), 2), lambda F, x: F.contrib.div_sqrt_dim(x)])
def test_shapes(function, tmp_path):
    assert_same(function, tmp_path / 'f.onnx', (X,), (X[[0, 1, 0]],), dynamic=['batch'])


@pytest.mark.parametrize('mode', ['constant', 'edge', 'reflect'])
def test_pad(mode, tmp_path):
    assert_same(lambda F, x: F.pad(x, mode=mode, pad_width=(0, 0, 0, 0, 1, 2, 3, 1), constant_value=.5),
                tmp_path / 'f.onnx', (X,))


def test_broadcasts(tmp_path):
    row = rng.normal(size=(2, 1, 4, 1))
    assert_same(lambda F, row, x: [
        F.broadcast_to(row, shape=(0, 3, 0, 2)), F.broadcast_axis(row, axis=(1, 3), size=(2, 3)),
        F.broadcast_like(row, x), F.broadcast_like(row, x, lhs_axes=(1,), rhs_axes=(2,)),
        F.broadcast_like(row, x, lhs_axes=(-1, 1), rhs_axes=(-2, -1)), F.reshape_like(x, F.reshape(x, (0, -3, 0))),
        F.reshape_like(x, F.reshape(x, (0, -3, 0)), lhs_begin=1, lhs_end=3, rhs_begin=1, rhs_end=2)],
        tmp_path / 'f.onnx', (row, X))
