"""gluonzoo/search/distributions.py"""
import optuna
import pytest

from gluonzoo.search.distributions import make, same


def suggested(distribution, count=60):
    """What Optuna draws of a distribution."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    return [distribution.suggest(study.ask(), 'x') for _ in range(count)]


@pytest.fixture(autouse=True)
def quiet():
    optuna.logging.set_verbosity(optuna.logging.ERROR)


@pytest.mark.parametrize('kind, values, ends, text', [
    ('uniform', [0, 1], [0.0, 1.0], 'uniform(0.0, 1.0)'), ('loguniform', ['1e-4', .1], [1e-4, .1],
                                                           'loguniform(0.0001, 0.1)'),
    ('quniform', [0, 1, .3], [0.0, .9], 'quniform(0.0, 0.9, 0.3)'), ('quniform', ['.1', .7, .2], [.1, .7],
                                                                     'quniform(0.1, 0.7, 0.2)'),
    ('int', [1, 8], [1, 8], 'int(1, 8, 1)'), ('int', [16, 64, 32], [16, 48], 'int(16, 48, 32)'),
    ('choice', [8, 'adam', None, [1]], [8, 'adam', None, [1]], 'choice(8, "adam", null, [1])')])
def test_ends_and_text(kind, values, ends, text):
    found = make(kind, values)
    assert (found.ends, found.text) == (ends, text)
    assert [type(end) for end in found.ends] == [type(end) for end in ends]


def test_what_is_drawn():
    assert {*suggested(make('int', [16, 64, 32]))} == {16, 48}
    tenths = {0, .1, .2, .3, .4, .5, .6, .7, .8, .9, 1}   # .3, not 0.30000000000000004
    assert {*suggested(make('quniform', [0, 1, .1]))} == tenths
    found = suggested(make('choice', [1, True, 1.5, 'a', {'name': 'b'}]))
    assert {repr(value) for value in found} == {'1', 'True', '1.5', "'a'", "{'name': 'b'}"}
    assert all(0 <= value <= 2 for value in suggested(make('uniform', [0, 2])))
    low = [value < 1e-2 for value in suggested(make('loguniform', [1e-4, 1]), 400)]
    assert .4 < sum(low) / 400 < .6   # half of the orders of magnitude


@pytest.mark.parametrize('kind, values, said', [
    ('uniform', [2, 1], 'uniform: is empty: its low end 2 is above its high end 1'),
    ('uniform', [1, 1], 'uniform: has one value alone, 1: --set says it'),
    ('uniform', [1], 'uniform(low, high): has 1 value(s)'), ('int', [1, 2, 3, 4], 'int(low, high[, step]): has 4 '),
    ('uniform', ['a', 1], "uniform: must have finite numbers: 'a'"), ('uniform', [True, 2], 'must have finite numbers'),
    ('uniform', ['nan', 1], 'must have finite numbers'), ('uniform', [0, 'inf'], 'must have finite numbers'),
    ('uniform', [0, 10 ** 400], 'must have finite numbers'), ('uniform', [-1e308, 1e308], 'is longer than numbers can'),
    ('loguniform', [0, 1], 'loguniform: a logarithm needs a low end above 0: 0'),
    ('loguniform', [-1, 1], 'a low end above 0: -1'), ('loguniform', [2, 1], 'is empty'),
    ('quniform', [0, 1, 0], 'needs a step above 0: 0'), ('quniform', [0, 1, 2], 'has one value alone, 0: the step 2'),
    ('quniform', [0, 1, 1e-300], 'has too many values'), ('quniform', [1, 0, 1], 'is empty'),
    ('int', [0, 3, -1], 'needs a step above 0: -1'), ('int', [0, 3, 4], 'int: has one value alone, 0: the step 4'),
    ('int', [0, 1.5], 'int: must have whole numbers, at most 2**53: 1.5'), ('int', [0, 2 ** 60], 'at most 2**53'),
    ('int', [3, 1], 'int: is empty'), ('choice', [1], 'choice: needs two values or more'), ('choice', [], 'needs two'),
    ('choice', [1, 2, 1.0], 'choice: has 1.0 twice'), ('choice', [1, float('inf')], 'must have finite numbers: inf'),
    ('choise', [1, 2], "unknown distribution 'choise'; there are choice"),
    ('normal', [1, 2], "unknown distribution 'normal'; there are ")])
def test_what_is_refused(kind, values, said):
    with pytest.raises(ValueError) as error:
        make(kind, values)
    assert said in str(error.value) and '\n' not in str(error.value)


def test_what_a_distribution_has():
    assert make('int', [16, 64, 32]).has(48) and not make('int', [16, 64, 32]).has(64)
    assert make('quniform', [0, 1, .1]).has(.3) and not make('quniform', [0, 1, .1]).has(.25)
    assert make('choice', [1, 'a']).has(1.0) and not make('choice', [1, 'a']).has(True)
    assert not make('int', [0, 5]).has('2') and not make('quniform', [0, 1, .1]).has(True)


@pytest.mark.parametrize('a, b, equal', [(1, 1.0, True), (1, True, False), (0, False, False), (True, True, True),
                                         ('a', 'a', True), ([1], [1], True), (None, 0, False)])
def test_same(a, b, equal):
    assert same(a, b) == equal
