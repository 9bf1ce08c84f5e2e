"""gluonzoo/search/study.py: what a study keeps, refuses, and waits for."""
import sqlite3
import threading
import time
from contextlib import closing

import optuna
import pytest
from full_disk import full_disk

from gluonzoo.search import database
from gluonzoo.search import study as study_module
from gluonzoo.search.study import StudyError, failure_of


def train(study, count, value=lambda values: values['x']):
    """Trials that end at once."""
    asked = [study.ask() for _ in range(count)]
    for one in asked:
        study.complete(one, value(one.values))
    return [one.values for one in asked]


def test_trials_and_their_values(bench, states):
    bench.lines = 'n=int(1, 4)', 'x=uniform(0, 1) if n in [1, 2]', 'kind=choice(a, b)'
    study = bench.study()
    asked = [study.ask() for _ in range(8)]
    assert [one.number for one in asked] == list(range(8))
    assert all(('x' in one.values) == (one.values['n'] <= 2) for one in asked)
    study.complete(asked[0], .5)
    assert [study.report(asked[1], epoch, .1) for epoch in range(2)] == [False, False]
    study.prune(asked[1])
    study.fail(asked[2], 'no memory')
    again = bench.study()
    assert states(again) == ['COMPLETE', 'PRUNED', 'FAIL', *['RUNNING'] * 5]
    assert failure_of(again.trials()[2]) == 'no memory' and failure_of(again.trials()[0]) is None
    assert again.trials()[1].value == .1   # the last one that it had
    assert [trial.number for trial in again.best()] == [0]


@pytest.mark.parametrize('direction, order', [('max', [1, 3, 2, 0]), ('min', [0, 2, 1, 3])])
def test_the_best_first(bench, direction, order):
    bench.direction = direction
    study = bench.study()
    values = iter([1, 5, 3, 5])
    train(study, 4, lambda _: next(values))
    assert [trial.number for trial in study.best()] == order


def test_unfinished_trials_keep_their_values(bench):
    study = bench.study()
    first, second = study.ask(), study.ask()
    study.report(second, 0, .5)
    study.complete(first, 1)
    again = bench.study().unfinished()
    assert [(one.number, one.values, one.reported) for one in again] == [(1, second.values, 1)]


def test_a_trial_that_was_killed_before_it_had_its_values(bench):
    study = bench.study()
    study._study.ask()
    one, = bench.study().unfinished()
    assert one.values == bench.study().unfinished()[0].values and 0 <= one.values['x'] <= 1


def test_a_resumed_search_suggests_what_an_unbroken_one_would(bench, tmp_path):
    def suggestions(path, breaks):
        bench.file = path
        found = []
        for count in breaks:
            study = bench.study()
            for _ in range(count):
                found += train(study, 1)
        return [values['x'] for values in found]

    whole = suggestions(tmp_path / 'whole.db', [16])   # of which the last six are not random
    assert suggestions(tmp_path / 'parts.db', [3, 5, 1, 7]) == whole and len({*whole}) == 16
    bench.seed = 1
    assert suggestions(tmp_path / 'other.db', [2]) != whole[:2]
    assert max(whole[10:]) > .9   # it has learnt that a greater x is better


# -- studies of something else ---------------------------------------------------------------------------------------

@pytest.mark.parametrize('about, said', [
    ({'recipe': 'dsod'}, 'recipe: fake then, dsod now'),
    ({'recipe': 'fake', 'code': 'ab'}, 'code: nothing then, ab now'),
    ({'recipe': 'fake', 'space': ['a', 'c']}, 'space: nothing then, a, c now')])
def test_a_study_of_something_else(bench, about, said):
    train(bench.study(), 1)
    bench.about = about
    with pytest.raises(StudyError) as error:
        bench.study()
    assert str(error.value) == f'{bench.file}: is a study of something else: {said}'


def test_only_the_lines_that_differ_are_said(bench):
    bench.about = {'space': ['a', 'b', 'c']}
    bench.study()
    bench.about = {'space': ['a', 'c']}
    with pytest.raises(StudyError, match='is a study of something else: space: b then, nothing more now$'):
        bench.study()
    bench.about = {'space': ['a', 'b', 'c']}
    bench.study()   # and the refusal has changed nothing


def test_another_direction(bench):
    bench.study()
    bench.direction, bench.about = 'min', {'recipe': 'fake', 'metric': 'loss (min)'}
    with pytest.raises(StudyError, match=r'is a study of something else: metric: nothing then, loss \(min\) now'):
        bench.study()


def test_studies_of_others_in_the_same_file(bench):
    bench.directory.path.mkdir()
    other = optuna.create_study(storage=database.open_storage(bench.file), study_name='mine')
    other.ask()
    assert bench.study().trials() == [] and len(other.trials) == 1


def test_a_study_that_does_not_say_what_it_is_of(bench):
    bench.directory.path.mkdir()
    optuna.create_study(storage=database.open_storage(bench.file), study_name='gluonzoo search').ask()
    with pytest.raises(StudyError, match='has a study of another program: it does not say what it is of'):
        bench.study()


# -- a database that cannot be used for a while ----------------------------------------------------------------------

@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(database, 'WAIT', .05)
    monkeypatch.setattr(study_module, '_PAUSE', .05)


def test_it_waits_for_a_locked_database(bench, impatient, capsys, states):
    study = bench.study()
    asked = study.ask()
    with closing(sqlite3.connect(bench.file, isolation_level=None, check_same_thread=False)) as other:
        other.execute('BEGIN EXCLUSIVE')
        release = threading.Timer(.6, lambda: other.execute('ROLLBACK'))
        release.start()
        begin = time.monotonic()
        study.report(asked, 0, .5)
        study.complete(asked, .5)
        assert time.monotonic() - begin > .4
        release.join()
    assert states(bench.study()) == ['COMPLETE']
    assert capsys.readouterr().err == f'{bench.file}: the database is locked by another program; waiting for it\n'


@pytest.mark.parametrize('read', [
    lambda study, asked: study.trials(), lambda study, asked: study.best(), lambda study, asked: study.ask(),
    lambda study, asked: study.unfinished()], ids=['trials', 'best', 'ask', 'unfinished'])
def test_it_waits_when_it_reads_too(bench, impatient, read):
    study = bench.study()
    asked = study.ask()
    with closing(sqlite3.connect(bench.file, isolation_level=None, check_same_thread=False)) as other:
        other.execute('BEGIN EXCLUSIVE')
        release = threading.Timer(.6, lambda: other.execute('ROLLBACK'))
        release.start()
        begin = time.monotonic()
        read(study, asked)
        assert time.monotonic() - begin > .4
        release.join()


def test_a_trial_that_was_made_before_a_failure_is_not_lost(bench, impatient, monkeypatch, states):
    """The database may be locked between the making of a trial and the first of its values."""
    study, asks = bench.study(), []
    real = study._study.ask

    def ask():
        asks.append(real())
        if len(asks) == 1:
            raise database.ERRORS[0]('locked')
        return asks[-1]
    monkeypatch.setattr(study._study, 'ask', ask)
    asked = study.ask()
    assert (asked.number, len(asks)) == (0, 1) and states(study) == ['RUNNING']
    assert study.ask().number == 1


@pytest.mark.parametrize('reason', ['patience', 'stopped'])
def test_it_does_not_wait_for_ever(bench, impatient, monkeypatch, states, reason):
    study = bench.study()
    asked = study.ask()
    if reason == 'patience':
        monkeypatch.setattr(study_module, 'PATIENCE', .2)
    else:
        study.stopped = lambda: True
    with closing(sqlite3.connect(bench.file, isolation_level=None)) as other:
        other.execute('BEGIN EXCLUSIVE')
        with pytest.raises(StudyError, match=f'^{bench.file}: the database is locked by another program$'):
            study.complete(asked, .5)
    assert states(bench.study()) == ['RUNNING']


def test_a_full_disk(bench, impatient, monkeypatch, states):
    study = bench.study()
    asked = study.ask()
    monkeypatch.setattr(study_module, 'PATIENCE', .2)
    with full_disk(100), pytest.raises(StudyError) as error:
        study.complete(asked, .5)
    assert str(error.value).startswith(f'{bench.file}: the database cannot be used: ')
    assert states(bench.study()) == ['RUNNING']
    study.complete(asked, .5)
    assert states(bench.study()) == ['COMPLETE']


def test_a_file_that_is_removed_meanwhile(bench, impatient, monkeypatch):
    """Nothing is written into a file that nobody can find again."""
    study = bench.study()
    asked = study.ask()
    monkeypatch.setattr(study_module, 'PATIENCE', .2)
    bench.file.unlink()
    with pytest.raises(StudyError, match=f'^{bench.file}: the database '):
        study.complete(asked, .5)


# -- where the trials lie --------------------------------------------------------------------------------------------

def test_a_directory_that_is_moved(bench, tmp_path, states):
    study = bench.study()
    study.complete(study.ask(), 1)
    bench.directory.run(0).mkdir()
    moved = type(bench)(tmp_path / 'moved')
    bench.directory.path.rename(moved.directory.path)
    assert states(moved.study()) == ['COMPLETE']
    bench.directory.run(0).mkdir(parents=True)   # others in the place where they lay are none of its own
    assert states(moved.study()) == ['COMPLETE']
    bench.file = moved.file
    with pytest.raises(StudyError, match=f'its trials lie in {moved.directory.path}; --out '):
        bench.study()


# -- which settings matter -------------------------------------------------------------------------------------------

PED_ANOVA = pytest.mark.skipif(not hasattr(optuna.importance, 'PedAnovaImportanceEvaluator'),
                               reason='Optuna 3.6 and later have it')


@PED_ANOVA
def test_importances(bench):
    bench.lines = 'a=uniform(0, 1)', 'b=uniform(0, 1)', 'c=uniform(0, 1) if d==1', 'd=choice(1, 2)'
    study = bench.study()
    train(study, 40, lambda values: values['b'])
    found = study.importances()
    assert next(iter(found)) == 'b' and found['b'] > .5 and {'a', 'b', 'd'} <= {*found}


@PED_ANOVA
def test_importances_that_cannot_be_said(bench, monkeypatch):
    study = bench.study()
    for _ in range(2):
        with pytest.raises(ValueError, match='^needs two complete trials with different values$'):
            study.importances()
        train(study, 2, lambda values: 1)
    monkeypatch.delattr(optuna.importance, 'PedAnovaImportanceEvaluator')
    with pytest.raises(ValueError, match='^this Optuna has no PED-ANOVA; 3.6 or later has$'):
        study.importances()
