"""The noise of generators: its distribution, its seeds, its truncation, and the ways between two."""
import mxnet as mx
import numpy as np
import pytest
from scipy import stats

from gluonzoo.tasks.adversarial.noise import draw, draw_for, path_between


@pytest.mark.parametrize('kind, distribution', [('normal', stats.norm), ('uniform', stats.uniform(-1, 2))])
def test_distributions(kind, distribution):
    noise = draw(kind, 500, 20, 3)
    assert noise.shape == (500, 20) and noise.dtype == np.float32
    mx.random.seed(3)
    of_a_step = draw_for(kind, (500, 20), mx.cpu()).asnumpy()
    for values in (noise, of_a_step):
        assert stats.kstest(values.ravel(), distribution.cdf).pvalue > .01


@pytest.mark.parametrize('options', [{'kind': 'normal'}, {'kind': 'uniform'}, {'kind': 'normal', 'truncation': .7}],
                         ids=str)
def test_the_first_do_not_depend_on_the_count(options):
    few, many = (draw(count=count, length=7, seed=5, **options) for count in (3, 90))
    np.testing.assert_array_equal(few, many[:3])
    assert (few != draw(count=3, length=7, seed=6, **options)).all()


def test_truncation():
    """The distribution between the bounds is that of normal noise there."""
    noise = draw('normal', 2000, 10, 1, truncation=.8)
    assert np.abs(noise).max() <= .8 and np.abs(noise).max() > .79
    assert stats.kstest(noise.ravel(), stats.truncnorm(-.8, .8).cdf).pvalue > .01
    assert stats.kstest(draw('normal', 2000, 10, 1, truncation=100).ravel(), stats.norm.cdf).pvalue > .01


@pytest.mark.parametrize('kind, truncation, said', [
    ('uniform', 1, 'truncation: is for normal noise; this generator was trained with uniform noise'),
    ('normal', 0, 'truncation: must be a number from 0.01 to 100, or null: 0'),
    ('normal', float('nan'), 'truncation: must be a number'), ('normal', '1', 'truncation: must be a number')])
def test_errors(kind, truncation, said):
    with pytest.raises(ValueError, match=said):
        draw(kind, 2, 2, 0, truncation)


def test_an_arc_and_a_line():
    """Half-way between two that are at right angles: of their length, on the arc."""
    start, end = np.array([3., 0, 0], 'float32'), np.array([0, 3., 0], 'float32')
    arc, line = (path_between(kind, start, end, 5) for kind in ('normal', 'uniform'))
    np.testing.assert_allclose(np.linalg.norm(arc, axis=1), 3, rtol=1e-6)
    np.testing.assert_allclose(arc[2], [4.5 ** .5, 4.5 ** .5, 0], rtol=1e-6)
    np.testing.assert_allclose(arc[1], 3 * np.array([np.cos(np.pi / 8), np.sin(np.pi / 8), 0]), rtol=1e-6)
    np.testing.assert_allclose(line, [[3, 0, 0], [2.25, .75, 0], [1.5, 1.5, 0], [.75, 2.25, 0], [0, 3, 0]])
    assert arc.dtype == line.dtype == np.float32


@pytest.mark.parametrize('factor', [1, -1, 2])
def test_a_way_without_an_arc(factor):
    """To itself, and to its opposite, straight."""
    start = np.array([1., 2], 'float32')
    way = path_between('normal', start, factor * start, 3)
    np.testing.assert_allclose(way, [start, (1 + factor) / 2 * start, factor * start], atol=1e-6)
