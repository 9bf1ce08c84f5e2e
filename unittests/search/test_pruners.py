"""gluonzoo/search/pruners.py: NNI's rule by hand."""
import math

import optuna
import pytest

from gluonzoo.commands.search import PRUNERS
from gluonzoo.search.pruners import MedianStop, make_pruner


def make(direction, *complete):
    """A study with complete trials that reported these values."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction=direction, pruner=MedianStop())
    for values in complete:
        trial = study.ask()
        for step, value in enumerate(values):
            trial.report(value, step)
        study.tell(trial, values[-1])
    return study


def given_up_at(study, values):
    """The number of values after which a trial is given up; None."""
    trial = study.ask()
    for step, value in enumerate(values):
        trial.report(value, step)
        if trial.should_prune():
            return step + 1


# Running averages: .2 .3 .4; .4 .5 .6; .6 .7 .8. Their medians: .4 .5 .6
THREE = [.2, .4, .6], [.4, .6, .8], [.6, .8, 1.0]


@pytest.mark.parametrize('values, after', [
    ([.4, .5, .6], None),       # as good as the median is good enough
    ([.39], 1), ([.41, .49, .9], 2), ([.41, .5, .59], 3),
    ([.6, .1, .1], None),       # its best so far counts, not its last
    ([.5, .5, .59], 3),         # Optuna's rule, by the values at the third step (.6 .8 1), would wait for .8
    ([.5, .5, .6, 0], None)])   # nobody has a fourth value
def test_three_complete_trials(values, after):
    assert given_up_at(make('maximize', *THREE), values) == after


def test_smaller_is_better():
    study = make('minimize', *([-value for value in values] for values in THREE))
    assert given_up_at(study, [-.41, -.49]) == 2 and given_up_at(study, [-.4, -.5, -.6]) is None


@pytest.mark.parametrize('direction, sign', [('maximize', 1), ('minimize', -1)])
def test_of_two_the_worse_is_the_median(direction, sign):
    study = make(direction, [sign * .2], [sign * .8])
    assert given_up_at(study, [sign * .2]) is None and given_up_at(study, [sign * .1]) == 1


def test_the_first_complete_trial_counts_and_no_other():
    assert given_up_at(make('maximize'), [0]) is None
    study = make('maximize', [.5])
    under_way = study.ask()
    under_way.report(.9, 0)
    failed, pruned = study.ask(), study.ask()
    for trial, state in (failed, optuna.trial.TrialState.FAIL), (pruned, optuna.trial.TrialState.PRUNED):
        trial.report(.9, 0)
        study.tell(trial, state=state)
    assert given_up_at(study, [.5]) is None and given_up_at(study, [.4]) == 1


def test_nan_is_the_worst():
    study = make('maximize', [.5, .5])
    assert given_up_at(study, [math.nan]) == 1
    study = make('minimize', [.5, .5])
    assert given_up_at(study, [math.nan]) == 1 and given_up_at(study, [.5, math.nan]) is None


def test_before_a_value():
    assert not make('maximize', [.5]).ask().should_prune()


def test_by_name():
    assert [type(make_pruner(name)).__name__ for name in PRUNERS] == ['MedianPruner', 'MedianStop', 'NopPruner']
