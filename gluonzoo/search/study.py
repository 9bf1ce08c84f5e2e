"""The trials of a search, which Optuna chooses and an SQLite file keeps.

A study is told of everything at once, so that a kill loses nothing. A trial that has not ended is still RUNNING in the
file, and goes on when the search is resumed. What Optuna suggests for a trial depends on the seed, on the number of the
trial and on what the study knows by then, and on nothing else: a resumed search goes on as an unbroken one would.
"""
import math
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import optuna
from optuna.trial import TrialState

from ..reading import quoted
from .database import ERRORS, open_storage, reason_of
from .directory import Directory
from .say import say

__all__ = ['PATIENCE', 'Asked', 'Study', 'StudyError', 'failure_of']

PATIENCE = 600   # seconds until a database that cannot be written ends the search
_PAUSE = 1       # seconds between two tries

_NAME = 'gluonzoo search'
_ABOUT, _DIRECTORY, _FAILURE = 'about', 'directory', 'failure'   # attributes of a study, and of a trial


class StudyError(ValueError):
    """A study cannot be used. The message is one line."""


class Asked(NamedTuple):
    """A trial that shall be trained."""
    number: int
    values: dict
    """path of a setting -> value"""
    reported: int
    """how many epochs the study knows of already"""
    trial: object
    """Optuna's"""


class Study:
    """A study in a file, new or resumed.

    Parameters
    ----------
    path : Path
        of the SQLite file
    about : dict of str -> str or list of str
        what the study is of, in words. A study that was made for something else is refused
    directory : Path
        where the trials lie
    space : Space
    direction : {'max', 'min'}
        whether a greater or a smaller value is better
    pruner : optuna.pruners.BasePruner
    seed : int

    Attributes
    ----------
    stopped : function without arguments
        whether the search shall end: then it is not waited for a database any longer

    Raises StudyError or ValueError for a file that cannot be used, and a study that was made for something else.
    """

    def __init__(self, path, about, directory, space, direction, pruner, seed):
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.filterwarnings('ignore', category=optuna.exceptions.ExperimentalWarning)
        self.path, self.sign = path, {'max': 1, 'min': -1}[direction]
        self._space, self._seed, self.stopped = space, seed, lambda: False
        self._own = set()   # numbers of the trials that are, or were, of this search
        storage = open_storage(path)
        try:
            self._study = optuna.create_study(
                storage=storage, study_name=_NAME, direction={'max': 'maximize', 'min': 'minimize'}[direction],
                pruner=pruner, load_if_exists=True)
            self._begin(about, str(directory.resolve()))
        except ERRORS as error:
            raise StudyError(f'{path}: {reason_of(error)}') from error

    def _begin(self, about, directory):
        known = self._study.user_attrs
        if _ABOUT in known:
            differences = _differences(known[_ABOUT], about)
            if differences:
                raise StudyError(f'{self.path}: is a study of something else: {"; ".join(differences)}')
        elif self._study.get_trials(deepcopy=False):
            raise StudyError(f'{self.path}: has a study of another program: it does not say what it is of')
        else:
            self._study.set_user_attr(_ABOUT, about)
        former = known.get(_DIRECTORY, directory)
        if former != directory and Directory(Path(former)).is_used():
            raise StudyError(f'{self.path}: a search is at work on this study, in {former}')
        if former != directory and Directory(Path(former)).has_trials():   # else it has been moved
            raise StudyError(f'{self.path}: its trials lie in {former}; --out {former} goes on with it')
        if known.get(_DIRECTORY) != directory:
            self._study.set_user_attr(_DIRECTORY, directory)

    def trials(self):
        """All trials, Optuna's FrozenTrial, by their numbers."""
        return self._patiently(self._study.get_trials, False)   # no deep copy

    def unfinished(self):
        """The trials that a former search has not seen to their end: list of Asked."""
        running = [trial for trial in self.trials() if trial.state == TrialState.RUNNING]
        self._own.update(trial.number for trial in running)
        return [self._patiently(self._asked, trial.number, trial._trial_id) for trial in running]

    def ask(self):
        """A new trial: Asked."""
        number = len(self.trials())
        self._study.sampler = self._sampler(number)
        trial = self._patiently(self._new_trial)
        self._own.add(trial.number)
        return Asked(trial.number, self._patiently(self._space.suggest, trial), 0, trial)

    def _new_trial(self):
        """A trial that nobody has: one that was made before the database became locked, or a new one."""
        lost = next((trial for trial in self._study.get_trials(deepcopy=False)
                     if trial.state == TrialState.RUNNING and trial.number not in self._own), None)
        return optuna.trial.Trial(self._study, lost._trial_id) if lost else self._study.ask()

    def _asked(self, number, trial_id):
        self._study.sampler = self._sampler(number)
        trial = optuna.trial.Trial(self._study, trial_id)
        known = self._study.get_trials(deepcopy=False)[number]
        return Asked(number, self._space.suggest(trial), len(known.intermediate_values), trial)

    def _sampler(self, number):
        seed, = np.random.SeedSequence([self._seed, number]).generate_state(1)
        # A trial under way counts as a bad one, so that several at a time do not take the same values.
        return optuna.samplers.TPESampler(seed=int(seed), constant_liar=True)

    def report(self, asked, epoch, value):
        """Tells the value after an epoch (from 0). Returns whether the trial shall be given up."""
        self._patiently(asked.trial.report, value, epoch)
        return self._patiently(asked.trial.should_prune)

    def complete(self, asked, value):
        self._tell(asked, value=value)

    def prune(self, asked):
        self._tell(asked, state=TrialState.PRUNED)

    def fail(self, asked, reason):
        """Tells that a trial has failed, with the reason in one line."""
        self._patiently(asked.trial.set_user_attr, _FAILURE, reason)
        self._tell(asked, state=TrialState.FAIL)

    def _tell(self, asked, value=None, state=None):
        self._patiently(lambda: self._study.tell(asked.trial, value, state=state, skip_if_finished=True))

    def best(self):
        """The complete trials, the best first; of equal ones the earlier."""
        complete = [trial for trial in self.trials() if trial.state == TrialState.COMPLETE]
        return sorted(complete, key=lambda trial: (-self.sign * trial.value, trial.number))

    def importances(self):
        """Which part of the differences between complete trials each setting explains, dict of path -> 0 to 1, the
        greatest first. A setting that not every trial has may be left out. ValueError in one line if it cannot be said.
        """
        evaluator = getattr(optuna.importance, 'PedAnovaImportanceEvaluator', None)
        if evaluator is None:
            raise ValueError('this Optuna has no PED-ANOVA; 3.6 or later has')
        if len({trial.value for trial in self.best()}) < 2:
            raise ValueError('needs two complete trials with different values')
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')   # that it is inaccurate with few trials
            found = self._patiently(lambda: optuna.importance.get_param_importances(self._study, evaluator=evaluator()))
        if not found or not all(map(math.isfinite, found.values())):
            raise ValueError('cannot be said of these trials')
        return found

    def _patiently(self, action, *arguments):
        """Does something with the database; while that cannot be used, tries again. The trainings go on meanwhile."""
        end, told = time.monotonic() + PATIENCE, False
        while True:
            try:
                return action(*arguments)
            except ERRORS as error:
                if time.monotonic() > end or self.stopped():
                    raise StudyError(f'{self.path}: {reason_of(error)}') from error
                if not told:
                    say(f'{self.path}: {reason_of(error)}; waiting for it')
                told = True
                time.sleep(_PAUSE)


def failure_of(trial):
    """Why a trial (FrozenTrial) has failed, in one line; None if it is not known."""
    return trial.user_attrs.get(_FAILURE)


def _differences(then, now):
    """What differs between two descriptions of studies: list of str."""
    if not isinstance(then, dict):
        return [f'what it is of cannot be read: {quoted(then)}']
    found = []
    for key in dict.fromkeys([*then, *now]):
        before, today = then.get(key), now.get(key)
        if before == today:
            continue
        if isinstance(before, list) and isinstance(today, list):   # lines: those that are not in both
            before, today = ([line for line in one if line not in other]
                             for one, other in ((before, today), (today, before)))
        found.append(f'{key}: {_listed(before)} then, {_listed(today)} now')
    return found


def _listed(value):
    if isinstance(value, list):
        return ', '.join(map(str, value)) or 'nothing more'
    return 'nothing' if value is None else str(value)
