"""Softmax focal loss: by hand, against a slow twin, and at the ends of its range."""
from math import log

import mxnet as mx
import numpy as np
import pytest

from gluonzoo.losses import SoftmaxFocalLoss, softmax_focal_loss


def slow(logits, labels, alpha=0.25, gamma=2.0):
    p = np.exp(logits - logits.max(-1, keepdims=True))
    p /= p.sum(-1, keepdims=True)
    p = np.take_along_axis(p, labels[..., None].astype(int), -1)[..., 0]
    return -alpha * (1 - p) ** gamma * np.log(p)


def test_by_hand():
    # p = 1/2 and p = 3/4
    logits, labels = mx.nd.array([[[0, 0], [log(3), 0]]]), mx.nd.array([[1, 0]])
    per_anchor = softmax_focal_loss(mx.nd, logits, labels).asnumpy()
    np.testing.assert_allclose(per_anchor, [[.25 * .25 * log(2), .25 / 16 * log(4 / 3)]], rtol=1e-4)
    np.testing.assert_allclose(SoftmaxFocalLoss()(logits, labels).asnumpy(), per_anchor.mean(1), rtol=1e-6)


@pytest.mark.parametrize('alpha, gamma', [(.25, 2), (1, 0), (.5, .5), (1, 5)])
@pytest.mark.parametrize('hybridize', [False, True])
def test_against_slow_twin(alpha, gamma, hybridize):
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(0, 3, (2, 30, 5)), rng.integers(0, 5, (2, 30))
    loss = SoftmaxFocalLoss(alpha, gamma)
    if hybridize:
        loss.hybridize()
    result = loss(mx.nd.array(logits), mx.nd.array(labels)).asnumpy()
    np.testing.assert_allclose(result, slow(logits, labels, alpha, gamma).mean(1), rtol=1e-4)


def test_without_focus_it_is_cross_entropy():
    logits, labels = mx.nd.random.normal(shape=(2, 30, 5)), mx.nd.array(np.arange(60).reshape(2, 30) % 5)
    cross_entropy = mx.gluon.loss.SoftmaxCrossEntropyLoss()(logits, labels).asnumpy()
    np.testing.assert_allclose(SoftmaxFocalLoss(1, 0)(logits, labels).asnumpy(), cross_entropy, rtol=1e-5)


def test_gradient():
    """Against differences of the slow twin."""
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(0, 2, (1, 4, 3)), rng.integers(0, 3, (1, 4))
    x = mx.nd.array(logits, dtype='float64')
    x.attach_grad()
    with mx.autograd.record():
        softmax_focal_loss(mx.nd, x, mx.nd.array(labels, dtype='float64')).backward()
    for i in np.ndindex(logits.shape):
        step = np.zeros(logits.shape)
        step[i] = 1e-5
        slope = (slow(logits + step, labels) - slow(logits - step, labels)).sum() / 2e-5
        assert x.grad[i].asscalar() == pytest.approx(slope, abs=1e-6)


@pytest.mark.parametrize('gamma', [0, .5, 2])
def test_sure_and_surely_wrong(gamma):
    x = mx.nd.array([[[100, 0], [0, 100]]])
    x.attach_grad()
    with mx.autograd.record():
        loss = softmax_focal_loss(mx.nd, x, mx.nd.array([[0, 0]]), 1, gamma)
    loss.backward()
    np.testing.assert_allclose(loss.asnumpy(), [[0, 100]], atol=1e-5)
    np.testing.assert_allclose(x.grad.asnumpy(), [[[0, 0], [-1, 1]]], atol=1e-5)


def test_weight():
    logits, labels = mx.nd.random.normal(shape=(2, 3, 4)), mx.nd.zeros((2, 3))
    once, thrice = (SoftmaxFocalLoss(weight=w)(logits, labels).asnumpy() for w in (None, 3))
    np.testing.assert_allclose(thrice, 3 * once, rtol=1e-6)


def test_gamma_below_0():
    with pytest.raises(ValueError, match='gamma must be at least 0: -1'):
        SoftmaxFocalLoss(gamma=-1)
