"""What takes elements by their place, beside MXNet's."""
import numpy as np
import pytest

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

from translated import assert_same

rng = np.random.default_rng(0)
X = rng.normal(size=(2, 3, 4, 5))
PLACES = np.array([[0, 2], [1, -1], [3, 7], [-9, 2.7]])   # some are outside, and one is no whole number


@pytest.mark.parametrize('axis', [0, 1, -1])
@pytest.mark.parametrize('mode', ['clip', 'wrap'])
def test_take(axis, mode, tmp_path):
    assert_same(lambda F, x, places: F.take(x, places, axis=axis, mode=mode), tmp_path / 'f.onnx', (X, PLACES))


@pytest.mark.parametrize('keepdims', [False, True])
@pytest.mark.parametrize('mode', ['clip', 'wrap'])
@pytest.mark.parametrize('axis', [1, -1, 0])
def test_pick(axis, mode, keepdims, tmp_path):
    x = rng.normal(size=(4, 3, 5))
    places = rng.integers(-9, 9, np.delete(x.shape, axis))
    assert_same(lambda F, x, places: F.pick(x, places, axis=axis, mode=mode, keepdims=keepdims), tmp_path / 'f.onnx',
                (x, places))
    assert_same(lambda F, x, places: F.pick(x, F.expand_dims(places, axis), axis=axis, mode=mode, keepdims=keepdims),
                tmp_path / 'f.onnx', (x, places))


def test_batch_take(tmp_path):
    assert_same(lambda F, x, places: F.batch_take(x, F.cast(places, 'int32')), tmp_path / 'f.onnx',
                (X[0, 0], [0, 4, 1, 2]))


def test_gather_and_scatter(tmp_path):
    places = np.array([[0, 2, 1], [2, 1, 0]])
    assert_same(lambda F, x, places: F.gather_nd(x, places), tmp_path / 'f.onnx', (X[0], places))
    assert_same(lambda F, x, places: F.scatter_nd(x, places, shape=(4, 5, 4, 5)), tmp_path / 'f.onnx', (X[0], places))


def test_one_hot(tmp_path):
    """An index outside, also below 0, is nowhere."""
    assert_same(lambda F, places: [F.one_hot(places, depth=4), F.one_hot(places, depth=3, on_value=2, off_value=-1)],
                tmp_path / 'f.onnx', (PLACES,), (PLACES[[0, 1, 2, 3, 3]],), dynamic=['batch'])


def test_embedding(tmp_path):
    assert_same(lambda F, places: F.Embedding(places, F.reshape(F.arange(20), (5, 4)), input_dim=5, output_dim=4),
                tmp_path / 'f.onnx', (PLACES,), (PLACES[[0, 1, 2, 3, 3]],), dynamic=['batch'])


@pytest.mark.parametrize('begin, end, step', [
    ((None, 1, -3), (None, None, -1), ()), ((None, 2, None), (None, None, None), (1, -1, 2)),
    ((None, None, 3), (None, None, 0), (None, None, -2)), ((0, 2, -1), (2, 0, -4), (1, -1, -1))], ids=str)
def test_slice(begin, end, step, tmp_path):
    assert_same(lambda F, x: F.slice(x, begin=begin, end=end, step=step), tmp_path / 'f.onnx', (X,))


def test_parts(tmp_path):
    assert_same(lambda F, x, like: [F.slice_axis(x, axis=1, begin=1, end=None),
                                    F.slice_axis(x, axis=-1, begin=-3, end=-1), F.slice_like(x, like),
                                    F.slice_like(x, like, axes=(-1, 2)),
                                    F.flip(x, axis=3), F.reverse(x, axis=(1, 2))], tmp_path / 'f.onnx',
                (X, X[:, :2, :2, :3]), (X[[0, 1, 0]], X[[0, 1, 0], :2, :2, :3]), dynamic=['batch'])


def test_where(tmp_path):
    assert_same(lambda F, x, y: F.where(x > 0, x, y), tmp_path / 'f.onnx', (X, -X[::-1]))
    assert_same(lambda F, x, rows: F.where(rows, x, -x), tmp_path / 'f.onnx', (X[0], [0, 1, 2]))


@pytest.mark.parametrize('name', ['SequenceLast', 'SequenceMask', 'SequenceReverse'])
def test_sequences(name, tmp_path):
    """With lengths, and without."""
    assert_same(lambda F, x, lengths: getattr(F, name)(x, lengths, use_sequence_length=True), tmp_path / 'f.onnx',
                (X[0].transpose(1, 0, 2), [2, 4, 3]))
    assert_same(lambda F, x: getattr(F, name)(x), tmp_path / 'f.onnx', (X[0],))


def test_sequences_along_the_second_axis(tmp_path):
    assert_same(lambda F, x, lengths: [F.SequenceLast(x, lengths, use_sequence_length=True, axis=1),
                                       F.SequenceMask(x, lengths, use_sequence_length=True, axis=1, value=-2)],
                tmp_path / 'f.onnx', (X[0], [2, 4, 3]))


def test_crop(tmp_path):
    assert_same(lambda F, x: F.Crop(x, offset=(1, 2), h_w=(2, 2)), tmp_path / 'f.onnx', (X,))
    like = X[:, :1, :2, :3]
    for options in ({}, {'offset': (1, 1)}, {'center_crop': True}):
        assert_same(lambda F, x, like, options=options: F.Crop(x, like, num_args=2, **options), tmp_path / 'f.onnx',
                    (X, like))
