"""The numbers of a run in their order: losses, learning rates and the evaluations after each epoch."""
from typing import NamedTuple

from ..train.scalars_csv import read_scalars, readable_scalars
from ..train.storage import CheckpointError

__all__ = ['Evaluation', 'History', 'read_history']

_FIRST = 'data_wait'   # the first number of an evaluation; those of the training have none of this name
_RATE = 'lr_'          # how the names of learning rates begin


class Evaluation(NamedTuple):
    """The numbers after an epoch."""
    epoch: int
    """from 1"""
    step: int
    """updates made before it"""
    metrics: dict
    """name -> float"""


class History(NamedTuple):
    """What a scalars.csv says."""
    losses: dict
    """name -> list of (step, value)"""
    rates: dict
    """the same, of the learning rates, by the name of the trainer"""
    evaluations: list
    """of Evaluation, the first epoch first"""
    notes: list
    """of str: what is missing or damaged, in words"""

    @property
    def steps(self):
        """How many updates the numbers tell of."""
        series = [*self.losses.values(), *self.rates.values()]
        return max([points[-1][0] for points in series] + [one.step for one in self.evaluations], default=0)


def read_history(path):
    """The :class:`History` in a scalars.csv, as :class:`gluonzoo.train.callbacks.ScalarsCSV` writes it.

    A file that is not there has no numbers, and one that is damaged only its readable ones; a note says so.
    """
    try:
        rows, notes = read_scalars(path), []
    except FileNotFoundError:
        rows, notes = [], [f'{path.name} is not there: there are no numbers']
    except CheckpointError as error:
        rows, notes = readable_scalars(path), [f'{path.name} is damaged; its readable lines are shown: {error}']
    losses, rates, evaluations = {}, {}, []
    evaluated = None   # the step of an evaluation whose rows come
    for step, name, value in rows:
        if name == _FIRST:
            evaluated = step
            evaluations.append(Evaluation(len(evaluations) + 1, step, {}))
        if step == evaluated:
            evaluations[-1].metrics[name] = value
        elif name.startswith(_RATE):
            rates.setdefault(name[len(_RATE):], []).append((step, value))
        else:
            losses.setdefault(name, []).append((step, value))
    return History(losses, rates, evaluations, notes)
