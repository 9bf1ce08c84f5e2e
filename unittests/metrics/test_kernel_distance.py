"""KID: by hand, beside loops over all pairs, and that it has no bias."""
import numpy as np
import pytest

from gluonzoo.metrics.kernel_distance import kernel_distance


def draw(seed, count=12, length=5, mean=0.):
    return np.random.default_rng(seed).normal(mean, size=(count, length))


def slow(a, b):
    """Every pair by itself."""
    def kernel(x, y):
        return (sum(x[i] * y[i] for i in range(len(x))) / len(x) + 1) ** 3

    def within(x):
        return np.mean([kernel(x[i], x[j]) for i in range(len(x)) for j in range(len(x)) if i != j])
    return within(a) + within(b) - 2 * np.mean([kernel(x, y) for x in a for y in b])


def test_by_hand():
    """Numbers 0, 1 and 2, 3: (0 + 1)^3 + (6 + 1)^3 - 2 (1 + 1 + 3^3 + 4^3) / 4."""
    assert kernel_distance(np.array([[0], [1]]), np.array([[2], [3]])) == 1 + 343 - 2 * 93 / 4


def test_beside_loops():
    assert kernel_distance(draw(0), draw(1)) == pytest.approx(slow(draw(0), draw(1)), rel=1e-12)


def test_of_subsets_beside_loops():
    """Of all with a set of another size, and of parts; the draws are those of NumPy's generator."""
    a, b = draw(0), draw(1, 20)
    for size, drawn in ((1000, 12), (7, 7)):
        rng, expected = np.random.default_rng(3), []
        for _ in range(4):
            first = a[rng.choice(12, drawn, replace=False)]
            expected.append(slow(first, b[rng.choice(20, drawn, replace=False)]))
        assert kernel_distance(a, b, 3, size, 4) == pytest.approx(np.mean(expected), rel=1e-12)
    assert kernel_distance(a, b, 3, 7, 4) != kernel_distance(a, b, 4, 7, 4)


def test_a_set_with_itself_is_below_zero_by_what_pictures_have_with_themselves():
    a = draw(0)
    kernel = (a @ a.T / 5 + 1) ** 3
    own, others = np.trace(kernel) / 12, (kernel.sum() - np.trace(kernel)) / (12 * 11)
    assert kernel_distance(a, a) == pytest.approx(-2 / 12 * (own - others), rel=1e-12)
    assert kernel_distance(a, a) < 0


def test_it_has_no_bias():
    """Over many small sets of one kind the mean is 0; of another kind, it is that of large sets."""
    same = [kernel_distance(draw(i), draw(9000 + i)) for i in range(3000)]
    assert abs(np.mean(same)) < 3 * np.std(same) / 3000 ** .5
    other = [kernel_distance(draw(i), draw(9000 + i, mean=.5)) for i in range(3000)]
    large = kernel_distance(draw(1, 4000), draw(2, 4000, mean=.5), size=2000, subsets=5)
    assert large > .5 and abs(np.mean(other) - large) < 3 * np.std(other) / 3000 ** .5 + .05 * large


@pytest.mark.parametrize('call, said', [
    (lambda: kernel_distance(draw(0, 1), draw(1)), 'features_a: must be of at least 2 pictures, to compare some'),
    (lambda: kernel_distance(draw(0), draw(1, length=4)), 'features_b: must be as long as features_a, 5: 4'),
    (lambda: kernel_distance(draw(0) + np.inf, draw(1)), 'features_a: must be finite'),
    (lambda: kernel_distance(draw(0), draw(1), size=1), 'size: must be at least 2: 1'),
    (lambda: kernel_distance(draw(0), draw(1), subsets=0), 'subsets: must be at least 1: 0')])
def test_bad_input(call, said):
    with pytest.raises(ValueError, match=said):
        call()
