"""Bilinear attention pooling beside sums in Python, NumPy and an FFT; zeros, and gradients."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import nd

from gluonzoo.nn.bilinear_attention_pooling import (
    BilinearAttentionPooling,
    CompactAttentionPooling,
    sketch_groups,
    sketch_signs,
)

rng = np.random.default_rng(0)


def slow(features, attention):
    """[C, h, w], [M, h, w] -> [M * C], of one picture, as the paper has it: part by part."""
    vector = []
    for part in attention:
        for channel in features:
            x = (part * channel).mean()
            vector.append(np.sign(x) * np.sqrt(abs(x) + 1e-12))
    return np.array(vector) / np.linalg.norm(vector)


def run(block, features, attention, hybridize=True):
    """Outputs, and the gradients of a random sum of them."""
    block.initialize(force_reinit=True)
    if hybridize:
        block.hybridize(static_alloc=True)
    inputs = [nd.array(array, dtype=array.dtype) for array in (features, attention)]
    for x in inputs:
        x.attach_grad()
    with mx.autograd.record():
        y = block(*inputs)
        loss = (y * nd.array(np.random.default_rng(1).normal(size=y.shape), dtype=y.dtype)).sum()
    loss.backward()
    return y.asnumpy(), *(x.grad.asnumpy() for x in inputs)


def test_by_hand():
    """Two pixels, two channels, two maps."""
    features = np.array([[[[1., 3.]], [[-2., 2.]]]])
    attention = np.array([[[[1., 0.]], [[2., 2.]]]])
    # Means of products: map 0: 1 / 2, -2 / 2; map 1: (2 + 6) / 2, (-4 + 4) / 2.
    wanted = np.array([.5 ** .5, -1, 2, 0]) / 5.5 ** .5
    np.testing.assert_allclose(run(BilinearAttentionPooling(), features, attention)[0], [wanted], atol=1e-6)


@pytest.mark.parametrize('hybridize', [False, True])
@pytest.mark.parametrize('batch, channels, maps', [(3, 20, 5), (1, 16, 1), (2, 1, 32)])
def test_beside_the_loop(batch, channels, maps, hybridize):
    features, attention = rng.normal(size=(batch, channels, 4, 3)), rng.uniform(size=(batch, maps, 4, 3))
    y, *_ = run(BilinearAttentionPooling(), features.astype('f4'), attention.astype('f4'), hybridize)
    np.testing.assert_allclose(y, [slow(f, a) for f, a in zip(features, attention)], atol=1e-5)
    np.testing.assert_allclose((y ** 2).sum(1), 1, rtol=1e-5)


def test_small_sums_are_not_drowned():
    """Sums of 1e-6 look as sums of 1, since the vector has length 1 in the end."""
    features, attention = rng.normal(size=(2, 6, 4, 3)), rng.uniform(size=(2, 5, 4, 3))
    small, *_ = run(BilinearAttentionPooling(), (1e-3 * features).astype('f4'), (1e-3 * attention).astype('f4'))
    np.testing.assert_allclose(small, [slow(1e-3 * f, 1e-3 * a) for f, a in zip(features, attention)], atol=1e-4)
    np.testing.assert_allclose(small, [slow(f, a) for f, a in zip(features, attention)], atol=1e-3)


@pytest.mark.parametrize('block', [BilinearAttentionPooling, lambda: CompactAttentionPooling(6, 4, 8)])
def test_gradients_are_differences(block):
    features, attention = rng.normal(size=(2, 6, 3, 2)), rng.uniform(.1, 1, (2, 4, 3, 2))
    head = np.random.default_rng(1)

    def net():
        made = block()
        made.initialize()
        made.cast('float64')
        return made

    def loss(*inputs):
        y = net()(*(nd.array(x, dtype='float64') for x in inputs)).asnumpy()
        return (y * np.random.default_rng(1).normal(size=y.shape)).sum()

    _, *gradients = run(net(), features, attention)
    assert gradients[0].dtype == np.float64
    for place, gradient in enumerate(gradients):
        inputs = [features, attention]
        step = head.normal(size=gradient.shape)
        moved = [[x + sign * 1e-6 * step if i == place else x for i, x in enumerate(inputs)] for sign in (1, -1)]
        wanted = (loss(*moved[0]) - loss(*moved[1])) / 2e-6
        assert (gradient * step).sum() == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize('block', [BilinearAttentionPooling, lambda: CompactAttentionPooling(6, 4, 8)])
@pytest.mark.parametrize('zero', ['attention', 'features', 'one map', 'one picture'])
def test_zeros_have_finite_gradients(block, zero):
    """A ReLU may leave nothing of attention. The vector is 0 then, and no gradient is NaN or huge."""
    features, attention = rng.normal(size=(2, 6, 3, 2)).astype('f4'), rng.uniform(size=(2, 4, 3, 2)).astype('f4')
    {'attention': attention, 'features': features, 'one map': attention[:, 1], 'one picture': attention[0]}[zero][:] = 0
    y, *gradients = run(block(), features, attention)
    assert np.isfinite(y).all()
    for gradient in gradients:
        assert np.isfinite(gradient).all() and abs(gradient).max() < 1e3
    if zero in ('attention', 'features'):
        assert not y.any() and not any(gradient.any() for gradient in gradients)
    if zero == 'one picture':
        assert not y[0].any() and y[1].any() and gradients[0][1].any()


def test_groups():
    groups = sketch_groups(10, 4)
    assert groups.shape == (10, 4) and groups.dtype == np.float32
    assert (groups.sum(1) == 1).all() and set(groups.ravel()) == {0, 1}
    assert sorted(groups.sum(0)) == [2, 2, 3, 3]
    assert groups.argmax(1).tolist() == [0, 2, 0, 1, 3, 1, 2, 3, 0, 1]   # for ever, since saved weights rely on it


def test_signs():
    signs = sketch_signs(32, 2048)
    assert signs.shape == (32, 2048) and signs.dtype == np.float32 and set(signs.ravel()) == {-1, 1}
    assert abs(signs.mean()) < .02
    alike = signs @ signs.T / 2048   # those of one map say nothing of those of another
    assert abs(alike - np.eye(32)).max() < .1
    assert sketch_signs(2, 4).tolist() == [[-1.0, 1.0, 1.0, -1.0], [1.0, 1.0, 1.0, 1.0]]   # for ever


def test_compact_adds_up_channels():
    """Each group has the sum of its channels, with the map's signs, before the root."""
    features, attention = rng.normal(size=(3, 10, 4, 3)), rng.uniform(size=(3, 2, 4, 3))
    y, *_ = run(CompactAttentionPooling(10, 2, 8), features.astype('f4'), attention.astype('f4'))
    wanted = []
    for f, a in zip(features, attention):
        vector = np.zeros((2, 4))
        for m in range(2):
            for c in range(10):
                group, = np.flatnonzero(sketch_groups(10, 4)[c])
                vector[m, group] += sketch_signs(2, 10)[m, c] * (a[m] * f[c]).mean()
        vector = (np.sign(vector) * np.sqrt(abs(vector))).ravel()
        wanted.append(vector / np.linalg.norm(vector))
    np.testing.assert_allclose(y, wanted, atol=1e-5)


@pytest.mark.parametrize('alike', [False, True])
def test_sketches_keep_inner_products(alike):
    """To 1 / sqrt(length) of the product of lengths about, also where all maps have the same features."""
    whole = rng.normal(size=(40, 1 if alike else 16, 512)) * np.ones((40, 16, 1))
    compact = (whole * sketch_signs(16, 512)) @ sketch_groups(512, 32)
    x, y = whole.reshape(40, -1), compact.reshape(40, -1)
    lengths = np.linalg.norm(x, axis=1)
    wrong = ((y @ y.T - x @ x.T) / np.outer(lengths, lengths))[np.triu_indices(40, 1)]
    assert np.sqrt((wrong ** 2).mean()) == pytest.approx(1 / 512 ** .5, rel=.25)


@pytest.mark.parametrize('length', [0, 3, 10, 24])
def test_lengths_that_no_sketch_has(length):
    rule = r'^sketch: must be a multiple of maps \(4\), up to 4 maps \* 5 channels = 20: '
    with pytest.raises(ValueError, match=rule + f'{length}$'):
        CompactAttentionPooling(5, 4, length)
