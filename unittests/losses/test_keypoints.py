"""Keypoint losses against cases worked by hand and slow twins."""
from math import log

import mxnet as mx
import numpy as np
import pytest

from gluonzoo.losses.keypoints import KeypointTripletLoss, heatmap_loss, offset_loss, tag_losses

F = mx.nd


def array(values):
    return F.array(np.asarray(values), dtype='float64')


def numbers(*losses):
    values = [float(loss.asscalar()) for loss in losses]
    return values[0] if len(values) == 1 else values


# -- heat maps -------------------------------------------------------------------------------------------------------

def slow_heatmap_loss(logits, targets):
    total, positives = 0, 0
    for z, target in zip(logits.flat, targets.flat):
        p = min(max(1 / (1 + np.exp(-z)), 1e-4), 1 - 1e-4)
        if target == 1:
            positives += 1
            total -= log(p) * (1 - p) ** 2
        else:
            total -= log(1 - p) * p ** 2 * (1 - target) ** 4
    return total / positives if positives else total


def test_heatmap_loss_by_hand():
    """p = 1/2 everywhere, a keypoint and a neighbour of 1/2: (1/4 log 2 + 1/16 1/4 log 2 + 2 1/4 log 2) / 1."""
    loss = heatmap_loss(F, F.zeros((1, 1, 2, 2)), F.array([[[[1, .5], [0, 0]]]]))
    assert numbers(loss) == pytest.approx(log(2) * (1 / 4 + 1 / 64 + 2 / 4))
    without = heatmap_loss(F, F.zeros((1, 1, 2, 2)), F.array([[[[0, .5], [0, 0]]]]))
    assert numbers(without) == pytest.approx(log(2) * (3 / 4 + 1 / 64))   # divided by nothing


@pytest.mark.parametrize('positives', [0, 1, 5])
def test_heatmap_loss_against_slow_twin(positives):
    rng = np.random.default_rng(positives)
    logits, targets = rng.normal(0, 6, (2, 3, 4, 5)), rng.uniform(0, .99, (2, 3, 4, 5))
    targets.flat[rng.choice(targets.size, positives, replace=False)] = 1
    assert numbers(heatmap_loss(F, array(logits), array(targets))) == pytest.approx(slow_heatmap_loss(logits, targets))


def test_heatmap_loss_of_great_logits_is_finite_and_has_no_gradient():
    logits = F.array([-60, 60, -60, 60]).reshape((1, 1, 2, 2))
    targets = F.array([0, 1, 1, 0]).reshape((1, 1, 2, 2))
    logits.attach_grad()
    with mx.autograd.record():
        loss = heatmap_loss(F, logits, targets)
    loss.backward()
    assert numbers(loss) == pytest.approx(-log(1e-4) * .9999 ** 2)   # two of four are wrong, two are positive
    assert not logits.grad.asnumpy().any()


def numeric_gradient(function, x, step=1e-6):
    gradient = np.zeros_like(x)
    for i in np.ndindex(*x.shape):
        ends = []
        for sign in (1, -1):
            moved = x.copy()
            moved[i] += sign * step
            ends.append(function(moved))
        gradient[i] = (ends[0] - ends[1]) / (2 * step)
    return gradient


def test_heatmap_loss_gradient():
    rng = np.random.default_rng(3)
    values, targets = rng.normal(0, 2, (1, 2, 2, 3)), rng.uniform(0, .9, (1, 2, 2, 3))
    targets[0, 1, 1, 1] = 1
    logits = array(values)
    logits.attach_grad()
    with mx.autograd.record():
        loss = heatmap_loss(F, logits, array(targets))
    loss.backward()
    wanted = numeric_gradient(lambda z: slow_heatmap_loss(z, targets), values)
    assert np.allclose(logits.grad.asnumpy(), wanted, atol=1e-6)


# -- tags ------------------------------------------------------------------------------------------------------------

def slow_tag_losses(tl, br, mask):
    pull = push = 0
    for a, b, m in zip(tl, br, mask):
        there = np.flatnonzero(m)
        n = len(there)
        mean = (a + b) / 2
        for i in there:
            pull += ((a[i] - mean[i]) ** 2 + (b[i] - mean[i]) ** 2) / (n + 1e-4)
            for j in there:
                push += (max(0, 1 - abs(mean[i] - mean[j])) - 1 / (n + 1e-4)) / (n * (n - 1) + 1e-4)
    return pull, push


def test_tag_losses_by_hand():
    """Means 0, 1/2 and far away. Pull: (2 1^2 + 0 + 2 2^2) / 3. Push: of six ordered pairs two overlap by 1/2."""
    pull, push = numbers(*tag_losses(F, array([[-1, .5, 8, 99]]), array([[1, .5, 12, -7]]), array([[1, 1, 1, 0]])))
    assert pull == pytest.approx(10 / 3, abs=1e-3) and push == pytest.approx(2 * .5 / 6, abs=1e-3)


@pytest.mark.parametrize('counts', [[0], [1], [5], [0, 1, 4], [2, 3]])
def test_tag_losses_against_slow_twin(counts):
    rng = np.random.default_rng(1)
    tl, br = rng.normal(size=(2, len(counts), 5))
    mask = np.stack([rng.permutation(5) < count for count in counts]).astype('float64')
    assert numbers(*tag_losses(F, array(tl), array(br), array(mask))) == pytest.approx(slow_tag_losses(tl, br, mask))


def test_tag_losses_gradient():
    rng = np.random.default_rng(5)
    tl, br = rng.normal(size=(2, 2, 4))
    mask = np.array([[1., 1, 1, 0], [1, 0, 1, 0]])
    tags = array(tl)
    tags.attach_grad()
    with mx.autograd.record():
        pull, push = tag_losses(F, tags, array(br), array(mask))
        loss = pull + 3 * push
    loss.backward()

    def slow(x):
        pull, push = slow_tag_losses(x, br, mask)
        return pull + 3 * push

    assert np.allclose(tags.grad.asnumpy(), numeric_gradient(slow, tl), atol=1e-6)


# -- offsets ---------------------------------------------------------------------------------------------------------

def test_offset_loss_by_hand():
    """Two objects; errors of 1/2 and 3 make 1/8 and 5/2, the others are right; the third object is none."""
    offsets, targets = array([[[.5, .25], [3, 0], [9, 9]]]), array([[[0, .25], [0, 0], [0, 0]]])
    assert numbers(offset_loss(F, offsets, targets, array([[1, 1, 0]]))) == pytest.approx((1 / 8 + 5 / 2) / 2.0001)
    assert numbers(offset_loss(F, offsets, targets, array([[0, 0, 0]]))) == 0


# -- all of it -------------------------------------------------------------------------------------------------------

def outputs_and_targets(batch, stacks):
    rng = np.random.default_rng(0)
    shapes = [(batch, c, 4, 6) for c in (2, 2, 2, 1, 1, 2, 2, 2)]
    outputs = [rng.normal(size=shape) for _ in range(stacks) for shape in shapes]
    heats = rng.uniform(0, .9, (3, batch, 2, 4, 6))
    heats[:, 0, 1, 2, 3] = 1
    cells = rng.integers(0, 24, (3, batch, 5))
    mask = (np.arange(5) < rng.integers(1, 5, (batch, 1))).astype(float)
    return outputs, [*heats, *cells, *rng.uniform(size=(3, batch, 5, 2)), mask]


@pytest.mark.parametrize('hybridize', [False, True])
@pytest.mark.parametrize('batch, stacks', [(1, 1), (3, 1), (2, 2)])
def test_triplet_loss_is_the_weighted_mean_over_stacks(batch, stacks, hybridize):
    outputs, targets = outputs_and_targets(batch, stacks)
    loss = KeypointTripletLoss(pull=.2, push=.3, offset=.5)
    if hybridize:
        loss.hybridize(static_alloc=True)
    wanted = np.zeros(4)
    for s in range(stacks):
        heads = outputs[8 * s:8 * s + 8]
        at = [np.stack([image.reshape((image.shape[0], -1)).T[cell] for image, cell in zip(head, cells.astype(int))])
              for head, cells in zip(heads[3:], [*targets[3:5], *targets[3:6]])]   # 5 x [B, M, C]
        pull, push = slow_tag_losses(at[0][..., 0], at[1][..., 0], targets[9])
        distances = [abs(a - b) for a, b in zip(at[2:], targets[6:9])]
        offset = sum((np.where(d < 1, d * d / 2, d - .5) * targets[9][..., None]).sum() for d in distances)
        wanted += [sum(slow_heatmap_loss(*pair) for pair in zip(heads[:3], targets[:3])), .2 * pull, .3 * push,
                   .5 * offset / (targets[9].sum() + 1e-4)]
    found = numbers(*loss([array(x) for x in outputs], [array(x) for x in targets]))
    assert found == pytest.approx(wanted / stacks)


def test_triplet_loss_of_an_image_without_objects():
    outputs, targets = outputs_and_targets(1, 1)
    targets = [*[np.minimum(heat, .9) for heat in targets[:3]], *targets[3:9], 0 * targets[9]]
    heat, pull, push, offset = numbers(*KeypointTripletLoss()([array(x) for x in outputs], [array(x) for x in targets]))
    assert heat > 0 and (pull, push, offset) == (0, 0, 0)
