"""The Frechet distance: by hand, beside the published matrix root, and identities."""
import doctest

import numpy as np
import pytest
from scipy.linalg import sqrtm

from gluonzoo.metrics import frechet
from gluonzoo.metrics.frechet import frechet_distance


def draw(seed, count=200, length=8):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, length)) @ rng.normal(size=(length, length)) + rng.normal(size=length)


def published(a, b):
    """With SciPy's root of the product of the covariances."""
    root = sqrtm(np.cov(a.T) @ np.cov(b.T))
    return ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(np.cov(a.T) + np.cov(b.T) - 2 * root.real)


def test_one_number_by_hand():
    """Means 1 and 4, deviations 2 and 1: 3^2 + (2 - 1)^2."""
    a, b = np.array([[-1], [1], [3]]), np.array([[3], [4], [5]])
    assert frechet_distance(a, b) == pytest.approx(10, rel=1e-12)


def test_numbers_that_do_not_depend_on_each_other_add_up():
    signs = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) * np.sqrt(3 / 4)   # covariance 1
    a, b = signs * [1, 2, 3] + [0, 0, 5], signs * [4, 2, 1]
    assert frechet_distance(a, b) == pytest.approx(25 + 9 + 0 + 4, rel=1e-12)


@pytest.mark.parametrize('count_b', [200, 70])
def test_beside_the_published_root(count_b):
    a, b = draw(0), draw(1, count_b)
    assert frechet_distance(a, b) == pytest.approx(published(a, b), rel=1e-9)


def test_identities():
    a, b = draw(0), draw(1)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-12 * np.trace(np.cov(a.T)))
    assert frechet_distance(a, a[::-1]) == pytest.approx(0, abs=1e-12 * np.trace(np.cov(a.T)))
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-12)
    assert frechet_distance(3 * a, 3 * b) == pytest.approx(9 * frechet_distance(a, b), rel=1e-12)
    assert frechet_distance(a, a + 2) == pytest.approx(8 * 4, rel=1e-12)
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(8, 8)))[0]
    assert frechet_distance(a @ turn, b @ turn) == pytest.approx(frechet_distance(a, b), rel=1e-10)


def test_features_that_are_always_the_same_number():
    """As of units that never fire: the covariance has no full rank. The published root needs an offset there."""
    a, b = draw(0), draw(1)
    a[:, 3], b[:, 3], a[:, 5] = 0, 0, a[:, 4]
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-12 * np.trace(np.cov(a.T)))
    rest = [0, 1, 2, 4, 5, 6, 7]
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(a[:, rest], b[:, rest]), rel=1e-10)
    assert frechet_distance(np.ones((9, 2)), np.zeros((9, 2))) == 2


def test_it_takes_float32():
    a, b = draw(0).astype('float32'), draw(1).astype('float32')
    assert frechet_distance(a, b) == frechet_distance(a.astype('float64'), b.astype('float64'))


@pytest.mark.parametrize('a, b, said', [
    (draw(0, 9), draw(1, 8), 'features_b: must be of at least 9 pictures, more than a feature has numbers: 8'),
    (draw(0, 0), draw(1), 'features_a: must be of at least 9 pictures, more than a feature has numbers: 0'),
    (draw(0)[0], draw(1), r'features_a: must be \[N, D\]: \[8\]'),
    (draw(0)[:, :0], draw(1), r'features_a: must be \[N, D\]: \[200, 0\]'),
    (draw(0), draw(1, length=7), 'features_b: must be as long as features_a, 8: 7'),
    (draw(0), draw(1) * np.nan, 'features_b: must be finite; there are infinite numbers or NaN')])
def test_bad_input(a, b, said):
    with pytest.raises(ValueError, match=said):
        frechet_distance(a, b)


def test_the_examples_of_the_docstring():
    assert doctest.testmod(frechet) == (0, 3)
