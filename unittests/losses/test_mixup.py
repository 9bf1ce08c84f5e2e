"""Mixup: the weight's distribution, and that pictures and targets are mixed alike."""
import mxnet as mx
import numpy as np
import pytest

from gluonzoo.losses.mixup import draw_weight, mixed


def test_weights():
    """Beta(1, 1) is uniform; a small alpha mixes little, a great one evenly. 0 draws nothing."""
    np.random.seed(0)
    drawn = {alpha: np.array([draw_weight(alpha) for _ in range(2000)]) for alpha in (.1, 1, 50)}
    assert abs(drawn[1].mean() - .5) < .02 and abs(drawn[1].std() - 12 ** -.5) < .02
    assert (abs(drawn[.1] - .5) > .4).mean() > .7 and abs(drawn[50] - .5).max() < .2
    np.random.seed(0)
    state = np.random.get_state()[1].tolist()
    assert draw_weight(0) == draw_weight(0.0) == 1 and np.random.get_state()[1].tolist() == state


def test_pictures_and_targets_have_the_same_partners():
    np.random.seed(3)
    order = np.random.permutation(6)
    assert (order != np.arange(6)).any()
    np.random.seed(3)
    images = np.random.default_rng(0).normal(size=(6, 3, 4, 5)).astype('float32')
    targets = np.eye(6, dtype='float32')
    found_images, found_targets = mixed(mx.nd.array(images), mx.nd.array(targets), .7)
    np.testing.assert_allclose(found_images.asnumpy(), .7 * images + .3 * images[order], atol=1e-6)
    np.testing.assert_allclose(found_targets.asnumpy(), .7 * targets + .3 * targets[order], atol=1e-6)


def test_the_whole_weight_changes_nothing():
    images, targets = mx.nd.random.normal(shape=(4, 3, 2, 2)), mx.nd.one_hot(mx.nd.arange(4), 5)
    for before, after in zip((images, targets), mixed(images, targets, 1.0)):
        assert np.array_equal(before.asnumpy(), after.asnumpy())


def test_it_is_the_weighted_sum_of_two_cross_entropies():
    """As the paper's code computes it."""
    rng = np.random.default_rng(1)
    logits, labels, weight = rng.normal(size=(5, 4)), rng.integers(0, 4, 5), .3
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    np.random.seed(8)
    order = np.random.permutation(5)
    wanted = -(weight * log_p[np.arange(5), labels] + (1 - weight) * log_p[np.arange(5), labels[order]]).mean()
    np.random.seed(8)
    _, targets = mixed(mx.nd.zeros((5, 1)), mx.nd.one_hot(mx.nd.array(labels), 4), weight)
    loss = mx.gluon.loss.SoftmaxCELoss(sparse_label=False)(mx.nd.array(logits), targets).mean().asscalar()
    assert loss == pytest.approx(wanted, rel=1e-5)
