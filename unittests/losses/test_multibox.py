"""Hard negative mining and the MultiBox loss: by hand, against slow twins, and without objects."""
from math import log

import mxnet as mx
import numpy as np
import pytest

from gluonzoo.losses import MultiBoxLoss, mine_hard_negatives


def log_softmax(x):
    x = x - x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def slow_mining(logits, labels, ratio):
    counted = (labels > 0).astype(float)
    background = log_softmax(logits)[..., 0]
    for image in range(len(labels)):
        negatives = [a for a in range(labels.shape[1]) if labels[image, a] == 0]
        negatives.sort(key=lambda a: background[image, a])
        for a in negatives[:ratio * max(1, int(counted[image].sum()))]:
            counted[image, a] = 1
    return counted


def slow_losses(logits, offsets, labels, targets, ratio=3):
    counted, positive = slow_mining(logits, labels, ratio), labels > 0
    entropy = -np.take_along_axis(log_softmax(logits), labels[..., None].astype(int), -1)[..., 0]
    distance = np.abs(offsets - targets)
    smooth = np.where(distance < 1, distance ** 2 / 2, distance - .5).sum(-1)
    count = max(1, positive.sum())
    return (entropy * counted).sum() / count, (smooth * positive).sum() / count


def cases(rng, batch=3, anchors=40, columns=4, part=.1):
    labels = rng.integers(1, columns, (batch, anchors)) * (rng.random((batch, anchors)) < part)
    return (rng.normal(0, 3, (batch, anchors, columns)), rng.normal(0, 2, (batch, anchors, 4)), labels,
            rng.normal(0, 2, (batch, anchors, 4)))


def arrays(*values):
    return [mx.nd.array(value) for value in values]


def test_mining_by_hand():
    # Background logits against a single foreground class: the lower, the harder. Anchor 2 is positive.
    logits = mx.nd.array([[[3, 0], [-1, 0], [-9, 0], [2, 0], [-2, 0], [1, 0]]])
    labels = mx.nd.array([[0, 0, 1, 0, 0, 0]])
    assert mine_hard_negatives(mx.nd, logits, labels, 3).asnumpy().tolist() == [[0, 1, 1, 0, 1, 1]]
    assert mine_hard_negatives(mx.nd, logits, labels, 1).asnumpy().tolist() == [[0, 0, 1, 0, 1, 0]]
    assert mine_hard_negatives(mx.nd, logits, 0 * labels, 3).asnumpy().tolist() == [[0, 1, 1, 0, 1, 0]]   # no object
    assert mine_hard_negatives(mx.nd, logits, 0 * labels + 1, 3).asnumpy().tolist() == [[1] * 6]   # no background


@pytest.mark.parametrize('part', [0, .02, .1, .5, 1])
def test_mining_against_slow_twin(part):
    logits, _, labels, _ = cases(np.random.default_rng(0), part=part)
    mined = mine_hard_negatives(mx.nd, *arrays(logits, labels), 3).asnumpy()
    np.testing.assert_array_equal(mined, slow_mining(logits, labels, 3))


def test_mining_counts_exactly_among_equals():
    labels = mx.nd.array([[1] * 2 + [0] * 18])
    assert mine_hard_negatives(mx.nd, mx.nd.zeros((1, 20, 3)), labels, 3).sum().asscalar() == 8


def test_loss_by_hand():
    # One positive anchor off by .5 in x and by 3 in w; the anchor beside it is background and sure of p = 1/2.
    logits, labels = [[[0, 0], [0, 0]]], [[1, 0]]
    offsets, targets = [[[.5, 0, 3, 0], [7, 7, 7, 7]]], [[[0, 0, 0, 0], [0, 0, 0, 0]]]
    class_loss, box_loss = MultiBoxLoss()(*arrays(logits, offsets, labels, targets))
    assert class_loss.shape == box_loss.shape == (1,)
    assert class_loss.asscalar() == pytest.approx(2 * log(2), rel=1e-5)
    assert box_loss.asscalar() == pytest.approx(.125 + 2.5)


@pytest.mark.parametrize('batch, part', [(1, .1), (3, .1), (3, .5), (2, 0), (1, 0)])
@pytest.mark.parametrize('hybridize', [False, True])
def test_loss_against_slow_twin(batch, part, hybridize):
    case = cases(np.random.default_rng(batch), batch, part=part)
    loss = MultiBoxLoss()
    if hybridize:
        loss.hybridize(static_alloc=True)
    found = [value.asscalar() for value in loss(*arrays(*case))]
    np.testing.assert_allclose(found, slow_losses(*case), rtol=1e-4)


def test_number_of_negatives():
    case = cases(np.random.default_rng(0))
    found = [value.asscalar() for value in MultiBoxLoss(negatives=1)(*arrays(*case))]
    np.testing.assert_allclose(found, slow_losses(*case, ratio=1), rtol=1e-4)


def test_gradients_go_to_what_is_counted():
    logits, offsets, labels, targets = arrays(*cases(np.random.default_rng(0)))
    logits.attach_grad()
    offsets.attach_grad()
    with mx.autograd.record():
        class_loss, box_loss = MultiBoxLoss()(logits, offsets, labels, targets)
        (class_loss + box_loss).backward()
    counted = mine_hard_negatives(mx.nd, logits, labels, 3).asnumpy()
    count = (labels.asnumpy() > 0).sum()
    p = np.exp(log_softmax(logits.asnumpy()))
    expected = (p - np.eye(4)[labels.asnumpy().astype(int)]) * counted[..., None] / count
    np.testing.assert_allclose(logits.grad.asnumpy(), expected, atol=1e-6)
    expected = np.clip((offsets - targets).asnumpy(), -1, 1) * (labels.asnumpy() > 0)[..., None] / count
    np.testing.assert_allclose(offsets.grad.asnumpy(), expected, atol=1e-6)


def test_images_without_objects_teach_the_background():
    logits, offsets, labels, targets = arrays(*cases(np.random.default_rng(0), part=0))
    logits.attach_grad()
    offsets.attach_grad()
    with mx.autograd.record():
        class_loss, box_loss = MultiBoxLoss()(logits, offsets, labels, targets)
        (class_loss + box_loss).backward()
    assert 0 < class_loss.asscalar() < np.inf and box_loss.asscalar() == 0
    assert (logits.grad.asnumpy() != 0).any(-1).sum(1).tolist() == [3, 3, 3]
    assert not offsets.grad.asnumpy().any()


def test_nan_gives_nan():
    """For the training loop to find: sorting does not fall over it."""
    logits, offsets, labels, targets = arrays(*cases(np.random.default_rng(0)))
    class_loss, box_loss = MultiBoxLoss()(logits * np.nan, offsets * np.nan, labels, targets)
    assert np.isnan(class_loss.asscalar()) and np.isnan(box_loss.asscalar())
