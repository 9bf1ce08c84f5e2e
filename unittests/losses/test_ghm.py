"""GHM-C: bins worked by hand, a slow twin, gradients, great logits, and counts that are kept."""
import mxnet as mx
import numpy as np
import pytest

from gluonzoo.losses.ghm import GHMC


def logits_of(probabilities):
    """Two logits a row, whose softmax gives the second class this probability."""
    p = np.array(probabilities, 'float64')
    return np.stack([np.zeros_like(p), np.log(p / (1 - p))], 1)


def loss_of(ghm, logits, labels):
    """(loss, gradient of the logits)"""
    x = mx.nd.array(logits)
    x.attach_grad()
    with mx.autograd.record():
        loss = ghm(x, mx.nd.array(labels))
    loss.backward()
    return loss.asscalar(), x.grad.asnumpy()


class Slow:
    """As the official code has it, in loops and float64; the cells of `per_class` are those of the class alone."""

    def __init__(self, classes, sigmoid, bins, momentum, per_class):
        self.sigmoid, self.bins, self.momentum, self.per_class = sigmoid, bins, momentum, per_class
        self.moving = {}

    def __call__(self, logits, labels):
        """(loss, gradient) for fixed weights."""
        logits, examples = np.array(logits, 'float64'), []   # cell, loss, gradient of the logits
        for row, label in zip(logits, labels):
            if self.sigmoid:
                for k, x in enumerate(row):
                    target, p = float(k == label), 1 / (1 + np.exp(-x))
                    nll = -np.log(p if target else 1 - p)
                    examples.append(((k, abs(p - target)), nll, [p - target if j == k else 0 for j in range(len(row))]))
            else:
                p = np.exp(row - row.max())
                p /= p.sum()
                examples.append(((label, 1 - p[label]), -np.log(p[label]), p - np.eye(len(row))[label]))
        cells = []
        for (group, g), _, _ in examples:
            place = max(i for i in range(self.bins) if g >= i / self.bins)
            cells.append((group, place) if self.per_class else place)
        total, loss, gradients = len(examples), 0, []
        for cell in set(cells):
            moving = self.momentum * self.moving.get(cell, 0) + (1 - self.momentum) * cells.count(cell)
            self.moving[cell] = moving
        for cell, (_, nll, gradient) in zip(cells, examples):
            weight = total / self.moving[cell] / len(set(cells))
            loss += weight * nll / total
            gradients.append(weight * np.array(gradient) / total)
        gradients = np.array(gradients).reshape(len(labels), -1, logits.shape[1]).sum(1)
        return loss, gradients


def test_by_hand():
    """Four easy pictures in the first of two bins, one hard one in the second: each bin has half of the loss."""
    probabilities = [.9, .8, .9, .6, .1]   # of the true class: difficulties .1 .2 .1 .4 .9
    loss, gradient = loss_of(GHMC(2, bins=2, momentum=0), logits_of(probabilities), [1] * 5)
    assert loss == pytest.approx(np.mean([-np.log(p) for p in probabilities[:4]]) / 2 - np.log(.1) / 2, rel=1e-5)
    np.testing.assert_allclose(gradient[:, 1], [-.1 / 8, -.2 / 8, -.1 / 8, -.4 / 8, -.9 / 2], rtol=1e-4)


def test_edges_and_empty_bins():
    """An edge belongs to the bin above it; 1 to the last bin; bins without a picture have no share."""
    logits = np.array([[0, 0], [200, 0], [0, 200]])   # difficulties .5, 1, 0
    loss, _ = loss_of(GHMC(2, bins=4, momentum=0), logits, [1, 1, 1])   # bins 2, 3, 0
    assert loss == pytest.approx((np.log(2) + 200) / 3, rel=1e-5)
    loss, _ = loss_of(GHMC(2, bins=1, momentum=0), logits, [1, 1, 1])   # one bin: plain cross entropy
    assert loss == pytest.approx((np.log(2) + 200) / 3, rel=1e-5)
    loss, _ = loss_of(GHMC(1, sigmoid=True, bins=2, momentum=0), [[0], [-200], [200]], [0, 0, 0])   # .5, 1, 0
    assert loss == pytest.approx((np.log(2) + 200) / 2 / 2, rel=1e-5)   # two in the upper bin


@pytest.mark.parametrize('per_class', [False, True])
@pytest.mark.parametrize('momentum', [0, .75])
@pytest.mark.parametrize('sigmoid, bins', [(False, 10), (True, 30), (True, 3)])
def test_against_slow_twin(sigmoid, bins, momentum, per_class):
    """Three steps."""
    rng = np.random.default_rng(0)
    ours, slow = (make(4, sigmoid=sigmoid, bins=bins, momentum=momentum, per_class=per_class) for make in (GHMC, Slow))
    for _ in range(3):
        logits, labels = rng.normal(0, 2, (40, 4)).astype('float32'), rng.integers(0, 4, 40)
        (loss, gradient), (wanted, wanted_gradient) = loss_of(ours, logits, labels), slow(logits, labels)
        assert loss == pytest.approx(wanted, rel=1e-4)
        np.testing.assert_allclose(gradient, wanted_gradient, atol=1e-6)


@pytest.mark.parametrize('sigmoid', [False, True])
def test_great_logits(sigmoid):
    """exp would overflow; the loss is as great as the logit, and gradients are finite. Zeros have a gradient, too."""
    logits = np.array([[1e4, -1e4, 0], [-1e4, 1e4, 0], [0, 0, 0]], 'float32')
    loss, gradient = loss_of(GHMC(3, sigmoid=sigmoid, momentum=0), logits, [0, 0, 2])
    assert np.isfinite(loss) and loss > 1e3 and np.isfinite(gradient).all()
    assert gradient[1, 0] < 0 < gradient[1, 1] and gradient[2, 2] < 0 < gradient[2, 0]


def test_counts_are_kept():
    """A loss that goes on from saved counts is the one that has never stopped, bit for bit."""
    rng = np.random.default_rng(1)
    steps = [(rng.normal(0, 2, (16, 3)), rng.integers(0, 3, 16)) for _ in range(4)]
    whole, first, rest = (GHMC(3, bins=5, per_class=True) for _ in range(3))
    wanted = [loss_of(whole, *step)[0] for step in steps]
    assert first.state() == {} and [loss_of(first, *step)[0] for step in steps[:2]] == wanted[:2]
    state = first.state()
    assert state['counts'].shape == (1, 15) and state['counts'].dtype == np.float32
    rest.load_state(state)
    assert np.array_equal(rest.state()['counts'], state['counts'])
    assert [loss_of(rest, *step)[0] for step in steps[2:]] == wanted[2:]
    rest.load_state({})   # as a checkpoint without a step has it
    assert loss_of(rest, *steps[0])[0] == wanted[0]


def test_each_device_counts_its_own():
    ghm, one = GHMC(2, bins=4), GHMC(2, bins=4)
    rng = np.random.default_rng(2)
    for _ in range(2):
        for ctx in (mx.cpu(0), mx.cpu(1)):
            logits, labels = mx.nd.array(rng.normal(size=(8, 2)), ctx=ctx), mx.nd.array(rng.integers(0, 2, 8), ctx=ctx)
            loss = ghm(logits, labels)
            assert loss.context == ctx
            if ctx == mx.cpu(1):
                assert loss.asscalar() == one(logits, labels).asscalar()
    assert ghm.state()['counts'].shape == (2, 4)
    assert np.array_equal(ghm.state()['counts'][1], one.state()['counts'][0])
    more = GHMC(2, bins=4)
    more.load_state(one.state())   # of one device, to several
    for ctx in (mx.cpu(0), mx.cpu(1)):
        more(mx.nd.zeros((1, 2), ctx=ctx), mx.nd.zeros((1, 1), ctx=ctx))
    assert np.array_equal(*more.state()['counts'])


@pytest.mark.parametrize('state, message', [
    ({'counts': np.zeros((1, 9))}, r'counts: must be of 10 cells for each device: \[1, 9\]'),
    ({'counts': np.zeros(10)}, 'counts: must be of 10'), ({'counts': np.zeros((0, 10))}, 'counts: must be of 10'),
    ({'counts': np.full((1, 10), np.nan)}, 'counts: must be finite'),
    ({'counts': np.full((1, 10), -1)}, 'counts: must be finite, and at least 0'),
    ({'sums': np.zeros((1, 10))}, 'must be counts alone: sums'),
])
def test_a_state_that_does_not_fit(state, message):
    ghm = GHMC(2)
    ghm(mx.nd.zeros((3, 2)), mx.nd.zeros((3, 1)))
    before = ghm.state()['counts']
    with pytest.raises(ValueError, match=message):
        ghm.load_state(state)
    assert np.array_equal(ghm.state()['counts'], before)


def test_without_momentum_nothing_is_kept():
    ghm = GHMC(2, momentum=0)
    ghm(mx.nd.zeros((3, 2)), mx.nd.zeros((3, 1)))
    assert ghm.state() == {}
    with pytest.raises(ValueError, match='must be nothing: counts'):
        ghm.load_state({'counts': np.zeros((1, 10))})


@pytest.mark.parametrize('options, message', [
    (dict(bins=0), 'bins: must be at least 1: 0'), (dict(momentum=1), 'momentum: must be from 0 to below 1: 1'),
    (dict(momentum=-.1), 'momentum: must be')])
def test_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        GHMC(2, **options)
