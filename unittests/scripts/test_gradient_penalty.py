"""scripts/gradient_penalty.py: notes/gradient_penalty.md has its tables, and its formula is right."""
import contextlib
import io
import re
from pathlib import Path

import gradient_penalty
import numpy as np
import pytest

NOTE = Path(__file__).resolve().parents[2] / 'notes' / 'gradient_penalty.md'


@pytest.fixture(scope='module')
def printed():
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert gradient_penalty.main() == 0
    return out.getvalue().strip()


@pytest.fixture(scope='module')
def tables(printed):
    """title -> rows: lists of the first cell and the others, split at spaces"""
    found = {}
    for table in printed.split('\n\n'):
        title, *lines = table.split('\n')
        found[title] = [[line[:24].strip(), *re.split(r'\s{2,}', line[24:].strip())] for line in lines]
    return found


def test_the_page_has_these_tables(printed):
    blocks = re.findall(r'^```(\w*)\n(.*?)\n```$', NOTE.read_text(), re.M | re.S)
    assert [block for kind, block in blocks if not kind] == ['python scripts/gradient_penalty.py',
                                                             *printed.split('\n\n')]


@pytest.mark.parametrize('kind', ['tanh', 'relu'])
def test_the_formula_is_the_slope_of_the_penalty(kind):
    """By differences of the penalty itself, a number at a time; none of the steps crosses a jump."""
    w, a, x = (array[:5, :3] if array.shape[0] > 1 else array[:, :5] for array in gradient_penalty.example(kind))
    value, of_w, of_a = gradient_penalty.by_formula(kind, w, a, x)
    assert value > 0
    for array, gradient in ((w, of_w), (a, of_a)):
        for place in np.ndindex(array.shape):
            ends = []
            for step in (1e-6, -1e-6):
                moved = array.copy()
                moved[place] += step
                ends.append(gradient_penalty.by_formula(kind, *(moved if other is array else other for other in (w, a)),
                                                        x)[0])
            assert gradient[place] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-5, abs=1e-7)


def test_tangents_are_exact(tables):
    _, *rows = tables['critics']
    assert [row[:3] for row in rows] == [[kind, '< 1e-06', '< 1e-12'] for kind in ('tanh', 'relu')]


def test_what_mxnet_offers_is_not(tables):
    assert {row[0]: row[1] for row in tables['operators'] if row[0]} == {
        **dict.fromkeys(('tanh', 'exp', 'relu'), 'right'), **dict.fromkeys(('FullyConnected', 'clip'), 'wrong by 100%'),
        **dict.fromkeys(('Convolution', 'LeakyReLU', 'product', 'sum', 'Reshape'), 'refused')}
    _, smooth, rectified = tables['critics']
    assert float(smooth[3]) > .5 and float(rectified[3]) > .5   # create_graph
    assert [float(cell) < bound for cell, bound in zip(smooth[4:], (.1, .001, .00001))] == [True] * 3
    assert all(float(cell) > .1 for cell in rectified[4:])


def test_by_hand(tables):
    _, *rows = tables['by hand']
    assert [row[0] for row in rows] == ['(3, 4)', '(0.3, 0.4)', '(0.3, 0.4), one-sided', '(0, 0)']
    numbers = [[float(word) for cell in row[1:] for word in cell.split()] for row in rows]
    assert numbers == [[160, 48, 64], [2.5, -6, -8], [0, 0, 0], [10, 0, 0]]


def test_what_is_wrong_shows():
    """A gradient that is off by a thousandth is not below the bounds of the table."""
    case = 'tanh', *gradient_penalty.example('tanh')
    value, of_w, of_a = gradient_penalty.by_formula(*case)
    assert gradient_penalty._error(gradient_penalty.error_of((value, of_w * 1.001, of_a * 1.001),
                                                             (value, of_w, of_a))) == '0.001'
