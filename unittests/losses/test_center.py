"""The center loss: numbers worked by hand, a slow twin, the update by one step, bad labels, types, and export."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon

from gluonzoo.export import to_onnx, to_symbol
from gluonzoo.losses.center import CenterLoss
from gluonzoo.train.engine import Engine

BFLOAT16 = np.dtype([('bfloat16', np.uint16)])
CASES = [(normalize, duplicates) for normalize in (True, False) for duplicates in ('sum', 'mean', 'damped')]


def made(centers, hybridize=True, dtype='float32', **options):
    """A loss with these centers."""
    centers = np.array(centers, dtype)
    block = CenterLoss(*centers.shape, **options)
    block.initialize()
    block.cast(dtype)
    block.centers.set_data(mx.nd.array(centers, dtype=dtype))
    if hybridize:
        block.hybridize(static_alloc=True)
    return block


def step_of(block, features, labels, *batch_labels, beta=.05, dtype='float32'):
    """(loss, gradient of the features, centers after one step of plain gradient descent), NumPy."""
    trainer = gluon.Trainer(block.collect_params(), 'sgd', {'learning_rate': beta})
    x = mx.nd.array(features, dtype=dtype)
    x.attach_grad()
    with autograd.record():
        loss = block(x, mx.nd.array(labels), *map(mx.nd.array, batch_labels))
    loss.backward()
    trainer.step(1)
    assert loss.shape == (1,)
    return loss.asscalar(), x.grad.asnumpy(), block.centers.data().asnumpy()


def slow(centers, features, labels, batch_labels=None, beta=.05, normalize=True, duplicates='sum', weight=1.0):
    """The same, one picture after the other, in float64."""
    centers, features = np.array(centers, 'float64'), np.array(features, 'float64')
    batch_labels = list(labels if batch_labels is None else batch_labels)
    after, gradients, loss = centers.copy(), [], 0.0
    for feature, label in zip(features, labels):
        center = centers[label]
        if normalize and np.sqrt((center ** 2).sum()) > 0:
            center = center / np.sqrt((center ** 2).sum())
        loss += weight * ((feature - center) ** 2).sum() / len(labels)
        gradients.append(weight * 2 * (feature - center) / len(labels))
        count = batch_labels.count(label)
        share = {'sum': 1, 'mean': 1 / count, 'damped': 1 / (1 + count)}[duplicates]
        after[label] += beta * share * (feature - center)
    return loss, np.array(gradients), after


def case(seed=0, batch=12, classes=6, length=5):
    """Centers of any length, one of them 0; features of length 1; labels with duplicates, and a class without any."""
    rng = np.random.default_rng(seed)
    centers, features = rng.normal(size=(classes, length)), rng.normal(size=(batch, length))
    centers[1] = 0
    return centers, features / np.linalg.norm(features, axis=1, keepdims=True), rng.integers(0, classes - 1, batch)


@pytest.mark.parametrize('hybridize', [False, True])
def test_by_hand(hybridize):
    """Two pictures of the class 1, whose center (3, 4) is compared as (.6, .8), and none of the others."""
    block = made([[1, 1], [3, 4], [0, 0]], hybridize)
    loss, gradient, centers = step_of(block, [[1, 0], [0, 1]], [1, 1], beta=.5)
    assert loss == pytest.approx((.4 ** 2 + .8 ** 2 + .6 ** 2 + .2 ** 2) / 2, rel=1e-6)   # .6
    np.testing.assert_allclose(gradient, [[.4, -.8], [-.6, .2]], atol=1e-6)   # 2 (f - c) / 2
    np.testing.assert_allclose(centers, [[1, 1], [3 - .1, 4 - .3], [0, 0]], atol=1e-6)   # + .5 ((.4, -.8) + (-.6, .2))


@pytest.mark.parametrize('duplicates, moved', [('sum', .5 * 3 * .8), ('mean', .5 * .8), ('damped', .5 * 3 / 4 * .8)])
def test_three_of_one_class(duplicates, moved):
    """Three times the same picture, whose center is 0.2 away from 0 in the other direction."""
    block = made([[-.2], [7]], normalize=False, duplicates=duplicates)
    loss, _, centers = step_of(block, [[.6]] * 3, [0] * 3, beta=.5)
    assert loss == pytest.approx(.64, rel=1e-6)
    np.testing.assert_allclose(centers, [[-.2 + moved], [7]], rtol=1e-6)


@pytest.mark.parametrize('dtype, tolerance', [('float32', 1e-6), ('float64', 1e-14)])
@pytest.mark.parametrize('hybridize', [False, True])
@pytest.mark.parametrize('normalize, duplicates', CASES)
def test_against_slow_twin(normalize, duplicates, hybridize, dtype, tolerance):
    """Five steps, with other pictures each. beta is a power of two, since MXNet's learning rates are float32."""
    options, beta = dict(normalize=normalize, duplicates=duplicates, weight=.75), 1 / 16
    expected = case()[0]
    block = made(expected, hybridize, dtype, **options)
    for seed in range(5):
        _, features, labels = case(seed)
        loss, gradient, expected = slow(expected, features, labels, beta=beta, **options)
        found = step_of(block, features, labels, beta=beta, dtype=dtype)
        assert found[0] == pytest.approx(loss, rel=10 * tolerance)
        np.testing.assert_allclose(found[1], gradient, atol=tolerance)
        np.testing.assert_allclose(found[2], expected, atol=tolerance)


def test_the_length_of_a_small_center_counts():
    """Centers are about 0.05 long in a training, and may be much shorter."""
    block = made([[3e-5, 4e-5]])
    loss, _, centers = step_of(block, [[.6, .8], [1, 0]], [0, 0], beta=1e-4)
    assert loss == pytest.approx((0 + .4 ** 2 + .8 ** 2) / 2, rel=1e-5)
    np.testing.assert_allclose(centers, [[3e-5 + 4e-5, 4e-5 - 8e-5]], rtol=1e-4)


@pytest.mark.parametrize('label', [-.999, .5, 2.9])
def test_a_label_between_two_classes_is_none(label):
    block = made([[1, 0], [0, 1], [1, 1], [1, 2]])
    loss, gradient, centers = step_of(block, [[.6, .8]], [label])
    assert loss == np.inf and not np.any(gradient)
    np.testing.assert_array_equal(centers, [[1, 0], [0, 1], [1, 1], [1, 2]])


def test_centers_start_at_zero():
    """So the first features are 1 away from theirs, and the centers go beta of their sum."""
    block = CenterLoss(3, 4)
    block.initialize()
    features = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]
    loss, gradient, centers = step_of(block, features, [2, 2, 0])
    assert loss == 1
    np.testing.assert_allclose(gradient, 2 / 3 * np.array(features), rtol=1e-6)
    np.testing.assert_allclose(centers, [[0, 0, .05, 0], [0] * 4, [.05, .05, 0, 0]], rtol=1e-6)


@pytest.mark.parametrize('normalize', [True, False])
def test_weight_leaves_the_update(normalize):
    _, features, labels = case()
    light, heavy = (step_of(made(case()[0], normalize=normalize, weight=weight), features, labels) for weight in (1, 4))
    assert heavy[0] == pytest.approx(4 * light[0], rel=1e-6)
    np.testing.assert_allclose(heavy[1], 4 * light[1], rtol=1e-6)
    np.testing.assert_array_equal(heavy[2], light[2])


def test_weight_zero():
    """Then features do not feel the centers, which follow them all the same."""
    loss, gradient, centers = step_of(made(case()[0], weight=0), *case()[1:])
    assert loss == 0 and not gradient.any()
    np.testing.assert_allclose(centers, slow(*case())[2], atol=1e-6)


def test_wen_et_al():
    """Their formulas, for half of the sum over the batch: the gradient is x - c, the update minus alpha times
    sum (c - x) / (1 + n).
    """
    centers, features, labels = case()
    block = made(centers, normalize=False, duplicates='damped', weight=len(labels) / 2)
    loss, gradient, after = step_of(block, features, labels, beta=.5)
    assert loss == pytest.approx(((features - centers[labels]) ** 2).sum() / 2, rel=1e-5)
    np.testing.assert_allclose(gradient, features - centers[labels], atol=1e-5)
    for j in range(len(centers)):
        mine = features[labels == j]
        np.testing.assert_allclose(after[j], centers[j] - .5 * (centers[j] - mine).sum(0) / (1 + len(mine)), atol=1e-5)


@pytest.mark.parametrize('normalize, duplicates', CASES)
def test_parts_with_the_labels_of_the_whole_batch(normalize, duplicates):
    """The gradients of the centers, of two parts, add up to that of the whole batch."""
    centers, features, labels = case()
    block = made(centers, normalize=normalize, duplicates=duplicates)
    whole = slow(*case(), normalize=normalize, duplicates=duplicates)[2]
    moved = np.zeros_like(centers)
    for part in (slice(0, 6), slice(6, 12)):
        block.centers.set_data(mx.nd.array(centers))
        _, gradient, after = step_of(block, features[part], labels[part], labels)
        assert len(gradient) == 6
        moved += after - centers
    np.testing.assert_allclose(centers + moved, whole, atol=1e-6)


@pytest.mark.parametrize('duplicates', ['sum', 'mean'])
@pytest.mark.parametrize('placed', [1, 2])
def test_calls_with_and_without_the_labels_of_the_batch(placed, duplicates):
    """Of one hybridized block, whatever it was placed with."""
    centers, features, labels = case()
    block = CenterLoss(*centers.shape, duplicates=duplicates)
    Engine().place(block, (1, 5), *[(1,)] * placed)
    for more in ([], [labels], [], [labels.reshape(-1, 1)]):
        block.centers.set_data(mx.nd.array(centers))
        after = step_of(block, features[:6], labels[:6], *more)[2]
        expected = slow(centers, features[:6], labels[:6], *([labels] if more else []), duplicates=duplicates)[2]
        np.testing.assert_allclose(after, expected, atol=1e-6)


@pytest.mark.parametrize('shape', [(12,), (12, 1)])
@pytest.mark.parametrize('dtype', ['float32', 'float64', 'float16', 'int32', 'int64', 'uint8'])
def test_labels_of_any_type_and_shape(shape, dtype):
    centers, features, labels = case()
    block = made(centers)
    loss = block(mx.nd.array(features), mx.nd.array(labels.reshape(shape), dtype=dtype))
    assert loss.asscalar() == pytest.approx(slow(*case())[0], rel=1e-6)


def test_batch_of_one():
    for options in (dict(), dict(duplicates='mean')):
        loss, gradient, centers = step_of(made([[0, 2], [1, 0]], **options), [[1, 0]], [0])
        assert loss == 2 and gradient.tolist() == [[2, -2]]
        np.testing.assert_allclose(centers, [[.05, 1.95], [1, 0]], rtol=1e-6)


def test_centers_without_pictures_stay_to_the_bit():
    """There may be more centers than classes, and classes that a batch has not."""
    centers = np.random.default_rng(0).normal(size=(50, 5)).astype('float32')
    block = made(centers)
    for seed in range(3):
        after = step_of(block, *case(seed)[1:])[2]
    np.testing.assert_array_equal(after[5:], centers[5:])
    assert (after[:5] != centers[:5]).any(axis=1).all()


def test_centers_come_to_the_mean_of_their_class():
    """Of pictures that stay as they are."""
    features = np.random.default_rng(0).normal(size=(20, 3))
    block = made(np.zeros((1, 3)), normalize=False, duplicates='mean')
    for _ in range(400):
        after = step_of(block, features, [0] * 20)[2]
    np.testing.assert_allclose(after[0], features.mean(0), atol=1e-6)


# -- bad input -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('hybridize', [False, True])
@pytest.mark.parametrize('duplicates', ['sum', 'mean'])
@pytest.mark.parametrize('label', [-1, 6, 1e9, float('nan'), float('inf')])
def test_a_label_that_is_no_class(label, duplicates, hybridize):
    """The loss is infinite; the picture moves neither its feature nor a center, the others do as without it."""
    centers, features, labels = case()
    labels = labels.astype('float32')
    labels[3] = label
    others = np.arange(12) != 3
    loss, gradient, after = step_of(made(centers, hybridize, duplicates=duplicates), features, labels)
    assert loss == np.inf
    _, expected, moved = slow(centers, features[others], labels[others].astype(int), duplicates=duplicates)
    np.testing.assert_allclose(gradient[others], expected * 11 / 12, atol=1e-6)
    np.testing.assert_array_equal(gradient[3], 0)
    np.testing.assert_allclose(after, moved, atol=1e-6)


@pytest.mark.parametrize('hybridize', [False, True])
@pytest.mark.parametrize('feature, labels, more, message', [
    ((4, 6), (4,), (), r'feature: must be \[B, 5\]: \[4, 6\]'), ((4, 5, 1), (4,), (), r'feature: must be \[B, 5\]'),
    ((5,), (1,), (), r'feature: must be \[B, 5\]: \[5\]'),
    ((4, 5), (3,), (), r'labels: must be \[4\] or \[4, 1\], a class number a picture: \[3\]'),
    ((4, 5), (4, 6), (), 'labels: must be'), ((4, 5), (1, 4), (), 'labels: must be'),
    ((4, 5), (4, 1, 1), (), 'labels: must be'), ((4, 5), (1,), (), 'labels: must be'),
    ((4, 5), (4,), ((8, 2),), r'batch_labels: must be \[8\] or \[8, 1\], a class number a picture: \[8, 2\]')])
def test_wrong_shapes(feature, labels, more, message, hybridize):
    with pytest.raises(ValueError, match=f'^{message}'):
        made(case()[0], hybridize)(*map(mx.nd.ones, (feature, labels, *more)))


@pytest.mark.parametrize('options, message', [
    (dict(classes=0), 'classes: must be a whole number from 1 to 1000000: 0'),
    (dict(length=-1), 'length: must be a whole number from 1 to 1000000: -1'),
    (dict(classes=2.5), 'classes: must be a whole number'), (dict(length=True), 'length: must be a whole number'),
    (dict(length=10 ** 9), 'length: must be a whole number'),
    (dict(normalize='no'), "normalize: must be true or false: 'no'"),
    (dict(duplicates='last'), "duplicates: must be 'sum', 'mean' or 'damped': 'last'"),
    (dict(duplicates=['sum']), "duplicates: must be 'sum', 'mean' or 'damped'"),
    (dict(weight=-1), 'weight: must be a number, at least 0: -1'),
    (dict(weight=float('nan')), 'weight: must be'), (dict(weight='1'), 'weight: must be')])
def test_wrong_arguments(options, message):
    with pytest.raises(ValueError, match=f'^{message}'):
        CenterLoss(**{'classes': 3, 'length': 4, **options})


# -- types -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('dtype', ['float16', BFLOAT16], ids=['float16', 'bfloat16'])
def test_features_of_half_precision(dtype):
    """They are taken as they are; sums are in float32, as the centers; the gradient is of the features' type."""
    centers, features, labels = case()
    block = made(centers)
    x = mx.nd.array(features).astype(dtype)
    exact = x.astype('float32').asnumpy()   # after rounding
    x.attach_grad()
    with autograd.record():
        loss = block(x, mx.nd.array(labels))
    loss.backward()
    expected, gradient, _ = slow(centers, exact, labels)
    assert loss.dtype == np.float32 and loss.asscalar() == pytest.approx(expected, rel=1e-6)
    assert x.grad.dtype == x.dtype
    np.testing.assert_allclose(x.grad.astype('float32').asnumpy(), gradient, rtol=2 ** -7, atol=1e-6)


def test_long_features_in_float16():
    """A sum of 100,000 squares that float16 could not hold."""
    block = made(np.zeros((2, 100_000)))
    loss = block(mx.nd.ones((3, 100_000), dtype='float16'), mx.nd.array([0, 1, 1]))
    assert loss.asscalar() == 100_000


def test_centers_stay_float32_in_half_precision():
    block = made(case()[0])
    before = block.centers.data().asnumpy()
    block.cast('float16')
    assert block.centers.data().dtype == np.float32
    np.testing.assert_array_equal(block.centers.data().asnumpy(), before)


# -- export: the value, which has no use for the shares ----------------------------------------------------------------

@pytest.mark.filterwarnings('ignore:.*Cannot decide type')
@pytest.mark.parametrize('normalize, duplicates', CASES)
def test_symbol(normalize, duplicates, tmp_path):
    """Its gradients are those of the block, in an MXNet without gluonzoo."""
    centers, features, labels = case()
    block = made(centers, normalize=normalize, duplicates=duplicates)
    paths = to_symbol(block, tmp_path / 'center', {'feature': (12, 5), 'labels': np.zeros(12, 'float32')}, ['loss'])
    loaded = gluon.SymbolBlock.imports(str(paths[0]), ['feature', 'labels'], str(paths[1]))
    loaded.centers = next(iter(loaded.collect_params().values()))
    for found, expected in zip(step_of(loaded, features, labels),
                               slow(*case(), normalize=normalize, duplicates=duplicates)):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('normalize, duplicates', CASES)
def test_onnx(normalize, duplicates, tmp_path, capfd):
    """Of any number of pictures; nothing is printed."""
    pytest.importorskip('onnx')
    onnxruntime = pytest.importorskip('onnxruntime')
    block = made(case()[0], normalize=normalize, duplicates=duplicates)
    to_onnx(block, tmp_path / 'center.onnx', {'feature': (2, 5), 'labels': np.array([1, 4], 'float32')}, ['loss'],
            dynamic=['batch'])
    assert capfd.readouterr().out == ''
    session = onnxruntime.InferenceSession(str(tmp_path / 'center.onnx'), providers=['CPUExecutionProvider'])
    centers, features, labels = case()
    loss, = session.run(None, {'feature': features.astype('float32'), 'labels': labels.astype('float32')})
    assert loss.shape == (1,) and loss[0] == pytest.approx(slow(*case(), normalize=normalize)[0], rel=1e-5)
