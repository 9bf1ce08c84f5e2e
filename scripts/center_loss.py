"""Proves with numbers that one step of plain gradient descent on the center loss is WS-DAN's update of the centers.

    python scripts/center_loss.py

prints the tables of notes/center_loss.md. The input is made here, so the numbers are always the same. What other losses
and public codes do instead is imitated here in a few lines each.
"""
import sys

import gluonzoo  # noqa: F401  first: it makes MXNet importable

# isort: split
import mxnet as mx
import numpy as np
from mxnet import autograd, gluon

from gluonzoo.data import Batch
from gluonzoo.losses.center import CenterLoss
from gluonzoo.train.engine import Engine

BETA = .05
# Pictures of three classes: three of the first, one of the second, none of the third.
FEATURES = np.array([[1, 0], [0, 1], [.96, .28], [0, -1]])
LABELS = np.array([0, 0, 0, 1])
CENTERS = np.array([[.3, .4], [0, 0], [1, 1]])   # the second as at the start of a training


# -- by the formula, one picture after the other ---------------------------------------------------------------------

def normalized(centers):
    return centers / np.maximum(np.linalg.norm(centers, axis=-1, keepdims=True), 1e-12)


def by_formula(centers, features, labels, normalize=True, duplicates='sum'):
    """The centers after the update."""
    after = centers.copy()
    for feature, label in zip(features, labels):
        old = normalized(centers[label]) if normalize else centers[label]
        count = (labels == label).sum()
        share = {'sum': 1, 'mean': 1 / count, 'damped': 1 / (1 + count)}[duplicates]
        after[label] += BETA * share * (feature - old)
    return after


# -- gluonzoo --------------------------------------------------------------------------------------------------------

def by_gluonzoo(centers, features, labels, normalize=True, duplicates='sum', rounds=1, devices=1, reduction='sum'):
    """The centers after one step of the trainer of the centers, on each device: [devices, classes, length]."""
    engine = Engine([mx.cpu(number) for number in range(devices)], accumulate=rounds)
    center = CenterLoss(*centers.shape, normalize=normalize, duplicates=duplicates)
    engine.place(center, features[:1].shape, (1,))
    center.centers.set_data(mx.nd.array(centers))
    engine.trainer('center', {'name': 'sgd', 'learning_rate': BETA}, center, reduction=reduction)
    batch = Batch((mx.nd.array(features), mx.nd.array(labels)), None)

    def losses_of(part, labels_of_part):
        return {'loss': center(part, labels_of_part, batch.arrays[1].as_in_context(part.context))}

    engine.minimize('center', batch, losses_of)
    return np.stack([data.asnumpy() for data in center.centers.list_data()])


def gradient_of_features(centers, features, labels, **options):
    """(loss, gradient)"""
    center = CenterLoss(*centers.shape, **options)
    center.initialize()
    center.centers.set_data(mx.nd.array(centers))
    return _backward(center, features, labels)


# -- others ----------------------------------------------------------------------------------------------------------

def by_l2_loss(centers, features, labels):
    """The centers after a step along the sum of gluon's L2Loss, of centers that are not normalised."""
    return _by_own_loss(centers, features, labels, lambda F, x, c: gluon.loss.L2Loss()(x, c).sum())


def by_slope_through_normalisation(centers, features, labels):
    """The centers after a step along the sum of half of the squared distances, as autograd has it."""
    return _by_own_loss(centers, features, labels, lambda F, x, c: .5 * (
        (x - F.broadcast_div(c, F.norm(c, axis=1, keepdims=True))) ** 2).sum())


def by_last_duplicate(centers, features, labels):
    """``centers[labels] += BETA * (features - normalized)``, which PyTorch and NumPy read so: of one row's several new
    values, the last remains.
    """
    after = centers.copy()
    after[labels] += BETA * (features - normalized(centers[labels]))
    return after


class BetaInTheLoss(gluon.HybridBlock):
    """Half of the squared distances, times BETA, divided by the pictures of a class. Counts them on the host."""

    def __init__(self, classes, length):
        super().__init__()
        self.centers = self.params.get('centers', shape=(classes, length), init='zeros')

    def hybrid_forward(self, F, feature, labels, centers):
        counts = mx.nd.array(np.bincount(labels.asnumpy().astype(int)))   # waits; a symbol has no numbers
        distances = F.sum((feature - F.take(centers, labels)) ** 2, axis=1)
        return BETA * .5 * distances / F.take(counts, labels)


def by_beta_in_the_loss(centers, features, labels):
    """(the centers after ``trainer.step(B)`` with the rate 1, the gradient of the features by which a network goes)"""
    block = BetaInTheLoss(*centers.shape)
    block.initialize()
    block.centers.set_data(mx.nd.array(centers))
    trainer = gluon.Trainer(block.collect_params(), 'sgd', {'learning_rate': 1.0})
    _, gradient = _backward(block, features, labels)
    trainer.step(len(features))
    return block.centers.data().asnumpy(), gradient / len(features)   # the network's own step(B) divides it, too


def _by_own_loss(centers, features, labels, loss_of):
    own = mx.nd.array(centers)
    own.attach_grad()
    with autograd.record():
        loss = loss_of(mx.nd, mx.nd.array(features), mx.nd.take(own, mx.nd.array(labels)))
    loss.backward()
    return (own - BETA * own.grad).asnumpy()


def _backward(block, features, labels):
    x = mx.nd.array(features)
    x.attach_grad()
    with autograd.record():
        loss = block(x, mx.nd.array(labels))
    loss.backward()
    return loss.asnumpy(), x.grad.asnumpy()


# -- the long run ----------------------------------------------------------------------------------------------------

def features_around(mean, classes, length, rng):
    """A feature of length 1 for each class, whose mean over many is e_0 times `mean`: [classes, length]."""
    rest = rng.normal(size=(classes, length - 1))
    rest *= np.sqrt(1 - mean ** 2) / np.linalg.norm(rest, axis=1, keepdims=True)
    return np.concatenate([np.full((classes, 1), mean), rest], axis=1)


def long_run(mean, normalize, classes=50, length=256, steps=400):
    """One picture of each class a step. Means over classes and the last half of the steps: [length of a center, cosine
    with the class's mean, loss, the greatest difference from BETA times the class's last picture].
    """
    rng = np.random.default_rng(0)
    center = CenterLoss(classes, length, normalize=normalize)
    center.initialize()
    center.hybridize(static_alloc=True)
    trainer = gluon.Trainer(center.collect_params(), 'sgd', {'learning_rate': BETA})
    seen = []
    for _ in range(steps):
        pictures = features_around(mean, classes, length, rng)
        with autograd.record():
            loss = center(mx.nd.array(pictures), mx.nd.arange(classes))
        loss.backward()
        trainer.step(1)
        centers = center.centers.data().asnumpy()
        seen.append((np.linalg.norm(centers, axis=1).mean(), normalized(centers)[:, 0].mean(), loss.asscalar(),
                     abs(centers - BETA * pictures).max()))
    return np.mean(seen[steps // 2:], axis=0)


def epochs(mean, classes=200, pictures=30, length=256, batch=12, count=3):
    """The same by the formula, with batches in which a class may have several pictures. Means over the last epoch:
    (length of a center, cosine with its class's mean, loss, cosine with its class's last picture).
    """
    rng, centers, last, seen = np.random.default_rng(0), np.zeros((classes, length)), np.zeros((classes, length)), []
    for epoch in range(count):
        for labels in rng.permutation(np.repeat(np.arange(classes), pictures)).reshape(-1, batch):
            features, old = features_around(mean, batch, length, rng), normalized(centers[labels])
            if epoch == count - 1:
                seen.append((np.linalg.norm(centers[labels], axis=1).mean(), old[:, 0].mean(),
                             ((features - old) ** 2).sum(1).mean(), (old * last[labels]).sum(1).mean()))
            np.add.at(centers, labels, BETA * (features - old))
            last[labels] = features
    return np.mean(seen, axis=0)


# -- tables ----------------------------------------------------------------------------------------------------------

SMALL = CENTERS, FEATURES, LABELS


def duplicates():
    """The three pictures of class 0 in each way of counting, by the formula and by a step."""
    yield '', 'center 0 moves by', 'center 1', 'center 2', 'formula - step'
    for normalize in (True, False):
        for way in ('sum', 'mean', 'damped'):
            expected = by_formula(*SMALL, normalize, way)
            yield (f'{way}, {"" if normalize else "not "}normalized', *map(_pair, expected - CENTERS),
                   _difference(expected, by_gluonzoo(*SMALL, normalize, way)))


def parts():
    """24 pictures of 4 of 5 classes, as one part and as several."""
    rng = np.random.default_rng(0)
    big = rng.normal(size=(5, 8)), normalized(rng.normal(size=(24, 8))), rng.integers(0, 4, 24)
    yield '', 'sum', 'mean', 'damped', "reduction='mean'"
    for rounds, devices in ((1, 1), (2, 1), (1, 2), (4, 2)):
        cut = {'rounds': rounds, 'devices': devices}
        yield (f'{rounds} rounds on {devices} devices',
               *(_difference(by_formula(*big, duplicates=way), by_gluonzoo(*big, duplicates=way, **cut))
                 for way in ('sum', 'mean', 'damped')),
               _share(by_gluonzoo(*big, **cut, reduction='mean')[0] - big[0], by_formula(*big) - big[0]))


def others():
    """What others make of the centers, below what is right."""
    yield '', 'center 0 moves by', 'center 1', 'share'
    right = by_formula(*SMALL, normalize=False) - CENTERS
    found = by_l2_loss(*SMALL) - CENTERS
    yield 'sum, not normalized', *map(_pair, right[:2])
    yield "gluon's L2Loss", *map(_pair, found[:2]), _share(found, right)
    right, found = (by(*SMALL) - CENTERS for by in (by_formula, by_slope_through_normalisation))
    yield 'sum, normalized', *map(_pair, right[:2])
    yield 'slope through length', *map(_pair, found[:2])
    yield 'last duplicate', *map(_pair, (by_last_duplicate(*SMALL) - CENTERS)[:2])
    right, found = by_formula(*SMALL, False, 'mean') - CENTERS, by_beta_in_the_loss(*SMALL)[0] - CENTERS
    yield 'mean, not normalized', *map(_pair, right[:2])
    yield 'beta in the loss', *map(_pair, found[:2]), _share(found, right)


def features():
    """Gradients of features."""
    right = gradient_of_features(*SMALL, normalize=False)[1]
    found = by_beta_in_the_loss(*SMALL)[1]
    yield '', 'picture 0', 'picture 3', 'share of 0', 'share of 3'
    yield 'not normalized', _pair(right[0]), _pair(right[3])
    yield 'beta in the loss', _pair(found[0]), _pair(found[3]), _share(found[0], right[0]), _share(found[3], right[3])


def in_the_long_run():
    """Pictures whose class's mean has the length m."""
    yield '', 'length of center', 'cosine', 'loss', 'from beta f'
    for mean in (.5, .9):
        for normalize in (True, False):
            yield (f'm {mean}, {"" if normalize else "not "}normalized',
                   *('%.2f %.2f %.2f %.5f' % tuple(long_run(mean, normalize))).split())


def in_batches_of_12():
    """Of 200 classes with 30 pictures each."""
    yield '', 'length of center', 'cosine', 'loss', 'cosine with last'
    for mean in (.5, .9):
        yield f'm {mean}, normalized', *('%.2f %.2f %.2f %.2f' % tuple(epochs(mean))).split()


def _pair(numbers):
    return ' '.join(f'{number:7.4f}' for number in np.where(abs(numbers) < 5e-5, 0, numbers))


def _difference(expected, found):
    return f'{abs(found - expected).max():.6f}'


def _share(found, expected):
    """`found` as a multiple of `expected`, in the sense of least squares."""
    return f'{(found * expected).sum() / (expected ** 2).sum():.4f}'


def main():
    for table in (duplicates, parts, others, features, in_the_long_run, in_batches_of_12):
        print(f'{table.__name__.replace("_", " ")}')
        for first, *rest in table():
            print(f'  {first:22}', *(f'{cell:>16}' for cell in rest))
        print()
    return 0


if __name__ == '__main__':
    sys.exit(main())
