"""gluonzoo/reports/charts.py: where numbers are drawn."""
import re

import numpy as np
import pytest

from gluonzoo.reports import charts
from gluonzoo.reports.charts import COLORS, Line, chart, thinned

INF, NAN = float('inf'), float('nan')
LEFT, RIGHT, TOP, BOTTOM = charts.LEFT, charts.WIDTH - charts.RIGHT, charts.TOP, charts.HEIGHT - charts.BOTTOM


def line(y, x=None, name='loss'):
    return Line(name, np.arange(len(y)) if x is None else np.array(x, float), np.array(y, float))


def places(path):
    return [(letter, float(x), float(y)) for letter, x, y in re.findall(r'([ML])(\S+) ([^ML]+)', path)]


def test_places():
    """Within given limits: 0 is at the left and at the foot, 1 at the right and at the top."""
    drawn, = chart('a', [line([0, 1, .5], [0, 1, .5])], limits=((0, 1), (0, 1))).lines
    middle = (LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2
    assert places(drawn.path) == [('M', LEFT, BOTTOM), ('L', RIGHT, TOP), ('L', *middle)]
    assert drawn.dots[1] == (RIGHT, TOP, 'loss: 1 (step 1)')


def test_ticks():
    found = chart('a', [line([0, 1], [0, 10])], limits=((0, 10), (0, 1)))
    assert found.x_ticks[0] == (LEFT, '0') and found.x_ticks[-1] == (RIGHT, '10')
    assert [text for _, text in found.y_ticks] == ['0', '0.2', '0.4', '0.6', '0.8', '1']
    assert found.y_ticks[1] == (pytest.approx(BOTTOM - .2 * (BOTTOM - TOP), abs=.05), '0.2')


def test_a_number_that_is_not_finite_is_a_gap():
    drawn, = chart('a', [line([1, 2, NAN, 4, INF, -INF, 3, 3])]).lines
    assert [letter for letter, *_ in places(drawn.path)] == ['M', 'L', 'M', 'M', 'L']
    assert len(drawn.dots) == 5


@pytest.mark.parametrize('lines', [[], [line([])], [line([NAN, NAN])]])
def test_nothing_to_draw(lines):
    assert chart('a', lines) is None


@pytest.mark.parametrize('y', [[0], [3, 3, 3], [1e300, -1e308, 1e308], [5e-324, 0], [5e-324, 1e308],
                               [-7]])
@pytest.mark.filterwarnings('error')
def test_odd_numbers_are_within_the_drawing(y):
    found = chart('a', [line(y)], may_be_logarithmic=True)
    for _, x, y in places(found.lines[0].path):
        assert LEFT <= x <= RIGHT and TOP <= y <= BOTTOM
    assert found.y_ticks and all(TOP <= y <= BOTTOM for y, _ in found.y_ticks)


def test_a_very_great_spread_has_few_ticks():
    found = chart('a', [line([1e-10, 1e10])], may_be_logarithmic=True)
    assert 3 <= len(found.y_ticks) <= 7


def test_more_lines_than_colours_share_some():
    found = chart('a', [line([1, 2], name=str(i)) for i in range(COLORS + 2)])
    assert [one.color for one in found.lines] == [*range(COLORS), 0, 1]


def test_steps_are_whole_numbers():
    assert all(text.isdigit() for _, text in chart('a', [line([1, 2, 3])]).x_ticks)


def test_a_great_spread_is_logarithmic():
    found = chart('a', [line([1, 10, 1000])], may_be_logarithmic=True)
    assert found.logarithmic and [text for _, text in found.y_ticks] == ['1', '10', '100', '1000']
    assert [y for *_, y in places(found.lines[0].path)] == pytest.approx(
        [BOTTOM, BOTTOM - (BOTTOM - TOP) / 3, TOP], abs=.06)
    assert not chart('a', [line([1, 10, 1000])]).logarithmic
    assert not chart('a', [line([1, 10, 99])], may_be_logarithmic=True).logarithmic
    assert not chart('a', [line([0, 10, 1000])], may_be_logarithmic=True).logarithmic


def test_a_mark():
    assert chart('a', [line([1, 2, 3])], mark=1).mark == (LEFT + RIGHT) / 2
    assert chart('a', [line([1, 2, 3])]).mark is None


def test_few_points_stay_as_they_are():
    found = thinned('loss', [(1, 5.0), (2, NAN), (3, 4.0)])
    np.testing.assert_array_equal(found.x, [1, 3])
    np.testing.assert_array_equal(found.y, [5, 4])
    assert found.low is None and found.high is None


def test_many_points_become_means_with_a_band():
    """Of 0, 1, 2 ... each mean is the middle of the numbers that it stands for."""
    count = 3 * charts.POINTS + 1
    found = thinned('loss', [(step, float(step)) for step in range(count)])
    assert len(found.x) == charts.POINTS
    np.testing.assert_allclose(found.x, found.y)
    np.testing.assert_allclose(found.y, (found.low + found.high) / 2)
    assert found.low[0] == 0 and found.high[-1] == count - 1
    np.testing.assert_array_equal(found.low[1:], found.high[:-1] + 1)   # every number is in one band
    drawn, = chart('a', [found]).lines
    assert drawn.band.startswith('M') and drawn.band.endswith('Z') and drawn.dots == []
