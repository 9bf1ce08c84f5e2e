"""gluonzoo/search/loop.py: whole searches whose trainings are small programs."""
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from types import SimpleNamespace

import numpy as np
import pytest

from gluonzoo.search import database, loop, process
from gluonzoo.search import study as study_module
from gluonzoo.search.loop import SearchError
from gluonzoo.search.study import StudyError, failure_of
from gluonzoo.train.loss_guard import LossGuard, TrainingError
from gluonzoo.train.signals import Interrupted


def fixed(monkeypatch, *trials):
    """Has the trials of a search these values, in place of those that Optuna suggests."""
    def ask(study):
        asked = suggest(study)
        asked.values.update(trials[asked.number])
        return asked

    suggest = study_module.Study.ask
    monkeypatch.setattr(study_module.Study, 'ask', ask)


@pytest.fixture(autouse=True)
def outlive_signals():
    """A signal that comes too late fails a test, and does not end them all."""
    former = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGTERM, former)


def rest(study):
    """The values of complete trials."""
    return [trial.value for trial in study.trials() if trial.state.name == 'COMPLETE']


def test_the_value_of_a_trial_is_its_best_epoch(bench, states, capsys, monkeypatch):
    fixed(monkeypatch, {'x': .5}, {'x': -1})
    study = bench.search(2)
    assert states(study) == ['COMPLETE'] * 2 and rest(study) == [.4375, -.5]
    assert [trial.intermediate_values for trial in study.trials()] == [{0: .25, 1: .375, 2: .4375},
                                                                       {0: -.5, 1: -.75, 2: -.875}]
    said = capsys.readouterr().err.splitlines()
    assert said[0] == 'trial 0 begins: x=0.5'
    assert said[1] == 'trial 0: acc 0.4375 in epoch 3 of 3; best so far: 0.4375 of trial 0'
    assert said[3] == 'trial 1: acc -0.5 in epoch 1 of 3; best so far: 0.4375 of trial 0'


def test_smaller_is_better(bench, monkeypatch):
    bench.direction = 'min'
    fixed(monkeypatch, {'x': .5}, {'x': -1})
    assert rest(bench.search(2)) == [.25, -.875]


def test_it_goes_on_to_the_total(bench, states):
    bench.search(2)
    assert states(bench.search(3)) == ['COMPLETE'] * 3
    assert states(bench.search(2)) == ['COMPLETE'] * 3
    assert [bench.log(number) for number in range(3)] == [['begun']] * 3


def test_jobs_at_a_time(bench, monkeypatch, states):
    most, watch = [], loop._Loop._watch
    monkeypatch.setattr(loop._Loop, '_watch', lambda self, trial: (most.append(len(self._running)),
                                                                   watch(self, trial)))
    fixed(monkeypatch, *[{'how': 'slow'}] * 5)
    assert states(bench.search(5, jobs=3)) == ['COMPLETE'] * 5
    assert max(most) == 3


# -- trials that are given up, or fail --------------------------------------------------------------------------------

def test_a_worse_trial_is_given_up(bench, monkeypatch, states, capsys):
    bench.pruner = 'medianstop'
    fixed(monkeypatch, {'x': 1}, {'x': .1, 'how': 'hang'}, {'x': 1, 'how': 'well'})
    study = bench.search(3)
    assert states(study) == ['COMPLETE', 'PRUNED', 'COMPLETE']
    assert study.trials()[1].value == pytest.approx(.05)
    assert 'trial 1: given up after epoch 1, acc 0.05\n' in capsys.readouterr().err


def test_a_trial_is_not_given_up_after_its_last_epoch(bench, monkeypatch, states):
    bench.pruner = 'medianstop'
    fixed(monkeypatch, {'x': 1}, {'x': .1, 'how': 'late'})
    assert states(bench.search(2, epochs=1)) == ['COMPLETE', 'COMPLETE']


@pytest.mark.parametrize('how, said', [
    ('crash', '{run}: x is 0.5'), ('killed', 'ended by SIGKILL after: begins False'), ('silent', 'has given no acc'),
    ('nan', 'acc is nan in every epoch')])
def test_a_trial_that_fails_does_not_end_the_study(bench, monkeypatch, states, capsys, how, said):
    fixed(monkeypatch, {'x': 1}, {'x': .5, 'how': how}, {'x': .1})
    study = bench.search(3)
    assert states(study) == ['COMPLETE', 'FAIL', 'COMPLETE']
    said = said.format(run=bench.directory.run(1))
    assert failure_of(study.trials()[1]) == said
    assert f'trial 1 failed: {said} ({bench.directory.log(1)})\n' in capsys.readouterr().err


def test_when_the_first_three_fail_alike_the_search_ends(bench, monkeypatch, states):
    fixed(monkeypatch, *[{'how': 'crash'}] * 9)
    with pytest.raises(SearchError) as error:
        bench.search(9, epochs=1)   # whose words differ by the trial's directory alone
    run, log = bench.directory.run(2), bench.directory.log(2)
    assert str(error.value) == f'the first 3 trials have all failed alike: {run}: x is bad ({log})'
    assert states(bench.study()) == ['FAIL'] * 3


def test_failures_that_differ_do_not_end_the_search(bench, monkeypatch, states):
    fixed(monkeypatch, *[{'x': x, 'how': 'crash'} for x in (.1, .2, .3, .3, .3)])
    assert states(bench.search(5)) == ['FAIL'] * 5


def test_nor_do_losses_that_are_nan(bench, monkeypatch, states):
    """Which are the fault of a trial's values, though the words may be equal: trials see the same batches."""
    monkeypatch.setattr(loop.Training, 'reason', lambda _: nan_of_a_training())
    fixed(monkeypatch, *[{'how': 'crash'}] * 4)
    assert states(bench.search(4)) == ['FAIL'] * 4


def nan_of_a_training():
    class Workers:
        count = 1

        def exchange(self, losses, signum):
            return lambda: ({'loss': float('nan')}, signum)

        def leave_together(self):
            pass

    guard = LossGuard(SimpleNamespace(checkpoints=lambda: []), Workers(), None)
    guard.add(3, SimpleNamespace(records=np.arange(2)), {}, 0)
    with pytest.raises(TrainingError) as error:
        guard.read()
    return str(error.value)


def test_nor_do_equal_ones_after_a_success(bench, monkeypatch, states):
    fixed(monkeypatch, {'x': 1}, *[{'x': .1, 'how': 'crash'}] * 4)
    bench.search(1)
    assert states(bench.search(5, epochs=1)) == ['COMPLETE', *['FAIL'] * 4]


def test_a_trial_that_cannot_be_started_waits(bench, monkeypatch, states):
    def none(*_, **__):
        raise OSError(28, 'No space left on device', 'trial.log')

    monkeypatch.setattr(loop, 'Training', none)
    with pytest.raises(SearchError, match='^trial 0: cannot be started: trial.log: No space left on device$'):
        bench.search(2)
    monkeypatch.undo()
    assert states(bench.study()) == ['RUNNING'] and states(bench.search(2)) == ['COMPLETE'] * 2


# -- which runs keep their checkpoints ---------------------------------------------------------------------------------

@pytest.mark.parametrize('keep, kept', [(0, []), (1, [1]), (2, [1, 3]), (9, [0, 1, 3])])
def test_the_best_runs_are_kept(bench, monkeypatch, keep, kept):
    fixed(monkeypatch, {'x': .1}, {'x': .9}, {'x': 2, 'how': 'killed'}, {'x': .5})
    bench.search(4, keep_runs=keep)
    runs = [bench.directory.run(number) for number in range(4)]
    assert [number for number in range(4) if (runs[number] / 'checkpoints').exists()] == kept
    assert all((run / 'scalars.csv').exists() and (run / 'settings.json').exists() for run in runs)


# -- a search that is stopped or killed --------------------------------------------------------------------------------

@pytest.mark.parametrize('signum', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_trainings_and_the_search_goes_on_later(bench, monkeypatch, states, signum, capsys):
    fixed(monkeypatch, {'x': .5}, {'x': 1, 'how': 'hang'}, {'x': 1, 'how': 'hang'}, {'x': .2})
    threading.Timer(1.5, os.kill, (os.getpid(), signum)).start()
    with pytest.raises(Interrupted) as ended:
        bench.search(4, jobs=2)
    assert ended.value.code == 128 + signum
    assert states(bench.study()) == ['COMPLETE', 'RUNNING', 'RUNNING']
    assert 'waits for 2 training(s) to save and end' in capsys.readouterr().err
    assert states(bench.search(4, jobs=2)) == ['COMPLETE'] * 4
    assert bench.log(1) == ['begun', 'resumed'] == bench.log(2)
    assert 'trial 1 goes on after 1 epoch(s): ' in capsys.readouterr().err


def test_a_search_that_is_killed(bench, states, capsys):
    """kill -9: the training saves and ends by itself, and goes on with the search."""
    program = f'''
import sys
sys.path.insert(0, {os.path.dirname(__file__)!r})
import pathlib, conftest
from gluonzoo.search import study
suggest = study.Study.ask
study.Study.ask = lambda self: (lambda asked: asked.values.update(how='late') or asked)(suggest(self))
conftest.Bench(pathlib.Path({str(bench.directory.path)!r})).search(2, epochs=2)
'''
    search = subprocess.Popen([sys.executable, '-c', program], stderr=subprocess.PIPE, text=True)
    scalars = bench.directory.run(0) / 'scalars.csv'
    end = time.monotonic() + 30
    while not (scalars.exists() and 'acc' in scalars.read_text()) and time.monotonic() < end:
        time.sleep(.01)
    search.kill()
    search.wait()
    assert bench.directory.is_trained(0)   # still saves
    study = bench.search(2, epochs=2)
    assert states(study) == ['COMPLETE'] * 2 and bench.log(0) == ['begun', 'resumed'] and bench.log(1) == ['begun']
    assert 'trial 0: waits until its former process has saved and ended\n' in capsys.readouterr().err
    assert {**study.trials()[0].intermediate_values}.keys() == {0, 1}


def test_a_training_that_has_ended_but_was_not_told(bench, states, monkeypatch):
    """The search was killed between the two: the run is resumed, and has nothing left to do."""
    monkeypatch.setattr(study_module.Study, 'complete', lambda *_: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises((Interrupted, IndexError)):
        bench.search(1)
    monkeypatch.undo()
    study = bench.search(1)
    assert states(study) == ['COMPLETE'] and bench.log(0) == ['begun', 'resumed']
    assert len(study.trials()[0].intermediate_values) == 3


def test_a_training_that_is_stopped_with_the_search(bench, states, monkeypatch):
    """As when the machine is shut down: the training may get the signal before the search does."""
    def stop_both(self, trial):
        if trial.reported == 1 and not trial.training.told:
            os.kill(trial.training.pid, signal.SIGTERM)
            threading.Timer(.4, os.kill, (os.getpid(), signal.SIGTERM)).start()
            while not trial.training.ended():
                time.sleep(.01)
        watch(self, trial)

    watch = loop._Loop._watch
    monkeypatch.setattr(loop._Loop, '_watch', stop_both)
    fixed(monkeypatch, {'how': 'hang'})
    with pytest.raises(Interrupted):
        bench.search(1)
    assert states(bench.study()) == ['RUNNING']


def test_a_training_that_somebody_else_stops_has_failed(bench, states, monkeypatch):
    def stop(self, trial):
        if trial.reported == 1 and not trial.training.ended():
            os.kill(trial.training.pid, signal.SIGTERM)
        watch(self, trial)

    watch = loop._Loop._watch
    monkeypatch.setattr(loop._Loop, '_watch', stop)
    fixed(monkeypatch, {'how': 'hang'}, {'how': 'well'})
    study = bench.search(2)
    assert states(study) == ['FAIL', 'COMPLETE']
    assert failure_of(study.trials()[0]) == 'ended by SIGTERM after: begins False'


def test_a_training_that_does_not_heed_a_signal_is_killed(bench, states, monkeypatch):
    monkeypatch.setattr(process, 'GRACE', .3)
    bench.pruner = 'medianstop'
    fixed(monkeypatch, {'x': 1}, {'x': .1, 'how': 'stubborn'}, {'x': .9})
    assert states(bench.search(3)) == ['COMPLETE', 'PRUNED', 'COMPLETE']


# -- a database that is taken away -------------------------------------------------------------------------------------

@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(database, 'WAIT', .05)
    monkeypatch.setattr(study_module, '_PAUSE', .05)


@pytest.mark.parametrize('seconds', [1, None])
def test_a_database_that_is_locked_meanwhile_loses_no_trial(bench, impatient, monkeypatch, states, seconds):
    """For a second it is waited for; when it is locked for longer, the search ends, and nothing is lost."""
    if seconds is None:
        monkeypatch.setattr(study_module, 'PATIENCE', .5)
    fixed(monkeypatch, {'x': .1, 'how': 'slow'}, {'x': .2}, {'x': .3})
    lock = threading.Thread(target=hold, args=(bench, seconds or 4))
    lock.start()
    if seconds is None:
        with pytest.raises(StudyError, match='study.db: the database is locked by another program'):
            bench.search(3)
        lock.join()
        assert states(bench.study()) == ['RUNNING']
    study = bench.search(3)
    lock.join()
    assert states(study) == ['COMPLETE'] * 3
    assert bench.log(0) == ['begun', 'resumed'][:1 + (seconds is None)]


def hold(bench, seconds):
    """Locks the database as soon as a trial is under way."""
    scalars = bench.directory.run(0) / 'scalars.csv'
    while not scalars.exists():
        time.sleep(.01)
    with closing(sqlite3.connect(bench.file, isolation_level=None, timeout=20)) as other:
        other.execute('BEGIN EXCLUSIVE')
        time.sleep(seconds)
        other.execute('ROLLBACK')


def test_a_terminal_that_is_closed(bench, monkeypatch, states):
    class Closed:
        def write(self, text):
            raise OSError(5, 'Input/output error')

        flush = write

    monkeypatch.setattr(sys, 'stderr', Closed())
    assert states(bench.search(1)) == ['COMPLETE']


def test_the_words_of_a_training(bench, monkeypatch):
    """Run, settings and whether it goes on are what the command is made of."""
    asked = []

    def command(run, texts, resume, epochs):
        asked.append((run.name, texts, resume))
        return type(bench).command(bench, run, texts, resume, epochs)

    bench.command = command
    bench.lines = 'x=choice(0.5, 1)', 'name=choice("a b", null)'
    bench.search(1)
    (run, texts, resume), = asked
    values = dict(text.split('=') for text in texts)
    assert run == 'trial-0000' and json.loads(values['x']) in (.5, 1) and values['name'] in ('"a b"', 'null')
    assert not resume
