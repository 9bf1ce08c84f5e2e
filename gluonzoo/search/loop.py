"""The search itself: ask for trials, start their trainings, watch them, tell the study what came of them."""
import math
import re
import sys
import time
from collections import deque

from optuna.trial import TrialState

from ..train.signals import Interrupted, Signals
from .process import Training
from .reports import Reports
from .say import say
from .space import set_words

__all__ = ['SearchError', 'search']

PAUSE = 0.1   # seconds between two looks at the trainings
TOGETHER = 1   # seconds in which a signal reaches all processes, as when the machine is shut down
SAME_FAILURES = 3   # so many trials that all fail alike, before one has gone well, are not the fault of their values
_DIVERGED = re.compile(r'step \d+: .+ is (nan|-?inf)\b')   # what gluonzoo.train.loss_guard says: that is their fault


class SearchError(ValueError):
    """All trials fail alike, or the trainings cannot be started. The message is one line."""


def search(study, directory, command, metric, *, total, jobs=1, epochs=None, keep_runs=3, on_trial=lambda: None):
    """Trains trials until a study has `total` of them.

    Trials that a former search has not seen to their end go on first, from their last checkpoint.

    Parameters
    ----------
    study : Study
    directory : Directory
    command : function (run, texts, resume) -> list of str
        the words with which Python trains in the directory `run` (Path) with the settings `texts`, list of
        'PATH=VALUE'; with `resume` the run goes on
    metric : str
        the value of a trial is the best one of this number over its epochs
    total, jobs : int
        trials in all; trainings at a time
    epochs : int, optional
        of a trial that does not search them. A trial is not given up after its last epoch
    keep_runs : int
        so many of the best trials keep their checkpoints
    on_trial : function
        called after each trial that has ended

    Raises
    ------
    SearchError
        if the first three trials fail with the same words
    StudyError
        if the database cannot be used for ten minutes
    Interrupted
        after SIGINT, SIGTERM or SIGHUP. In all cases the trainings have saved and ended, and can be resumed.
    """
    with Signals() as signals:
        loop = _Loop(study, directory, command, metric, epochs, keep_runs, on_trial, signals)
        study.stopped = lambda: signals.received
        try:
            loop.run(total, jobs)
        except BaseException:
            loop.stop()
            raise


class _Trial:
    """A trial whose training is under way."""

    def __init__(self, asked, training, reports):
        self.asked, self.training, self.reports = asked, training, reports
        self.reported, self.values, self.pruned = asked.reported, [], False


class _Loop:
    def __init__(self, study, directory, command, metric, epochs, keep_runs, on_trial, signals):
        self._study, self._directory, self._command, self._metric = study, directory, command, metric
        self._epochs, self._keep_runs, self._on_trial, self._signals = epochs, keep_runs, on_trial, signals
        self._running, self._failures, self._told = [], [], set()

    def run(self, total, jobs):
        left = deque(self._study.unfinished())
        while not self._signals.received:
            while len(self._running) < jobs and not self._signals.received:
                asked = self._next(left, total)
                if asked is None:
                    break
                self._start(asked)
            if not self._running and not left:
                return
            time.sleep(PAUSE)
            for trial in list(self._running):
                self._watch(trial)
        self.stop()
        raise Interrupted(self._signals.received)

    def stop(self):
        """Ends the trainings, which save before. They go on another time, also those that have just come to their end.
        """
        for trial in self._running:
            trial.training.stop()
        if self._running:
            say(f'waits for {len(self._running)} training(s) to save and end')
        while self._running:
            self._running = [trial for trial in self._running if not trial.training.ended()]
            time.sleep(PAUSE)

    def _next(self, left, total):
        """The next trial to start: Asked, or None if there is none, or none yet."""
        for _ in range(len(left)):
            asked = left.popleft()
            if not self._directory.is_trained(asked.number):
                return asked
            if asked.number not in self._told:
                self._told.add(asked.number)
                say(f'trial {asked.number}: waits until its former process has saved and ended')
            left.append(asked)
        return None if left or len(self._study.trials()) >= total else self._study.ask()

    def _start(self, asked):
        run, resume = self._directory.run(asked.number), self._directory.has_run(asked.number)
        words = self._command(run, set_words(asked.values), resume)
        begins = f'goes on after {asked.reported} epoch(s)' if resume else 'begins'
        say(f'trial {asked.number} {begins}: {", ".join(set_words(asked.values))}')
        try:
            training = Training(words, self._directory.log(asked.number))
        except OSError as error:   # too many processes, a full disk: not the fault of the trial, which waits
            raise SearchError(f'trial {asked.number}: cannot be started: {error.filename or sys.executable}: '
                              f'{error.strerror}') from error
        self._running.append(_Trial(asked, training, Reports(run / 'scalars.csv', self._metric)))

    def _watch(self, trial):
        ended = trial.training.ended()   # before the numbers are read, or the last ones could be missed
        self._report(trial)
        if ended:
            self._running.remove(trial)
            self._finish(trial)

    def _report(self, trial):
        trial.values = trial.reports.read()
        last = trial.asked.values.get('fit.epochs', self._epochs)
        for epoch in range(trial.reported, len(trial.values)):
            give_up = self._study.report(trial.asked, epoch, trial.values[epoch])
            trial.reported = epoch + 1
            if give_up and trial.reported != last and not trial.training.told:
                trial.pruned = True
                trial.training.stop()

    def _finish(self, trial):
        """Tells the study what came of a training that has ended."""
        asked, training = trial.asked, trial.training
        good = [value for value in trial.values if math.isfinite(value)]
        if training.well and good:
            value = max(good, key=lambda value: self._study.sign * value)
            self._study.complete(asked, value)
            best = self._study.best()[0]
            say(f'trial {asked.number}: {self._metric} {value:.4g} in epoch {trial.values.index(value) + 1} of '
                f'{len(trial.values)}; best so far: {best.value:.4g} of trial {best.number}')
        elif training.well:
            self._failed(asked, f'has given no {self._metric}' if not trial.values else
                         f'{self._metric} is {trial.values[-1]} in every epoch')
        elif trial.pruned:
            self._study.prune(asked)
            say(f'trial {asked.number}: given up after epoch {len(trial.values)}, {self._metric} '
                f'{trial.values[-1]:.4g}' if trial.values else f'trial {asked.number}: given up')
        elif training.signum and self._is_interrupted():
            return   # with the search itself, as when the machine is shut down: the trial goes on another time
        else:
            self._failed(asked, training.reason())
        self._keep_best()
        self._on_trial()
        self._check_failures()

    def _is_interrupted(self):
        end = time.monotonic() + TOGETHER
        while not self._signals.received and time.monotonic() < end:
            time.sleep(PAUSE)
        return bool(self._signals.received)

    def _failed(self, asked, reason):
        self._study.fail(asked, reason)
        said = f'{reason} ({self._directory.log(asked.number)})'
        say(f'trial {asked.number} failed: {said}')
        self._failures.append((reason.replace(str(self._directory.run(asked.number)), 'RUN'), said))

    def _check_failures(self):
        alike = len(self._failures) >= SAME_FAILURES and len({reason for reason, _ in self._failures}) == 1
        if not alike or _DIVERGED.match(self._failures[0][0]):
            return
        if not any(trial.state in (TrialState.COMPLETE, TrialState.PRUNED) for trial in self._study.trials()):
            raise SearchError(f'the first {len(self._failures)} trials have all failed alike: {self._failures[-1][1]}')

    def _keep_best(self):
        """Removes checkpoints of trials that have ended and are not among the best."""
        best = {trial.number for trial in self._study.best()[:self._keep_runs]}
        for trial in self._study.trials():
            if trial.state.is_finished() and trial.number not in best:
                said = self._directory.remove_checkpoints(trial.number)
                if said and said not in self._told:
                    self._told.add(said)
                    say(f'trial {trial.number}: its checkpoints stay: {said}')
