"""What a checkpoint does on the validation data, for a page."""
from contextlib import closing
from typing import NamedTuple

import numpy as np

from ..data.dataset import left_out
from ..tasks import Task
from ..train.main_metric import numbers_of

__all__ = ['Evaluated', 'evaluate']

EXAMPLES = 3   # batches of which the pictures are shown


class Evaluated(NamedTuple):
    """An evaluation and its pictures."""
    checkpoint: str
    """its name"""
    items: int
    """that were evaluated"""
    metrics: dict
    """name -> float"""
    pictures: dict
    """of :meth:`gluonzoo.tasks.Task.evaluation_pictures`"""
    curves: dict
    """of :meth:`gluonzoo.tasks.Task.evaluation_curves`"""
    examples: list
    """of RGB pictures: what the task makes of some batches"""
    notes: list
    """of str: which data were left out"""


def evaluate(task, loader, checkpoint, shown=lambda batches, count: batches):
    """The :class:`Evaluated` of a task that is ready.

    Parameters
    ----------
    task : Task
    loader : Loader
        of the validation data
    checkpoint : str
    shown : callable
        of the batches and their number, gives the batches: a progress bar
    """
    with closing(loader.epoch(0)) as batches:
        metrics = numbers_of(task.evaluate(shown(batches, len(loader))))
    skipped = len(getattr(loader.dataset, 'skipped', ()))
    return Evaluated(checkpoint, len(loader.dataset) - skipped, metrics, task.evaluation_pictures(),
                     task.evaluation_curves(), _examples(task, loader), list(left_out(loader.dataset)))


def _examples(task, loader):
    """Pictures of the first batch, and of others that are evenly spread; each picture once. None, if the task has no
    `picture`.
    """
    found = []
    if type(task).picture is Task.picture:
        return found
    for start in sorted({len(loader) * i // EXAMPLES for i in range(EXAMPLES)}):
        with closing(loader.epoch(0, start=start)) as batches:
            picture = task.picture(next(batches))
        if not any(np.array_equal(picture, other) for other in found):   # a generator's are always the same
            found.append(picture)
    return found
