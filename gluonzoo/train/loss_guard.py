"""Reads losses so late that the device never waits, and stops the training when a loss is not finite."""
from collections import deque

import numpy as np

__all__ = ['LossGuard', 'TrainingError']


class TrainingError(RuntimeError):
    """A loss was NaN or infinite. No checkpoint has been saved since."""


class LossGuard:
    """The steps whose losses have not been read yet.

    Parameters
    ----------
    run : Run
        whose last checkpoint an error names
    workers : Workers
    on_step : function of (step, dict of name -> float)
        called with the losses of each step, in order
    """

    def __init__(self, run, workers, on_step):
        self._run, self._workers, self._on_step = run, workers, on_step
        self._pending = deque()

    def add(self, step, batch, losses, signum, **others):
        """Takes the losses (dict of name -> scalar NDArray) of a step, and `others`, which are numbers already."""
        self._pending.append((step, batch.records, losses, self._workers.exchange(losses, signum), others))

    def read(self, keep=0):
        """Reads the losses of all steps but the last `keep`.

        Returns
        -------
        int: the signal that one of the workers had received by then, or 0.

        Raises
        ------
        TrainingError
            in all workers alike, if a loss is not finite.
        """
        signum = 0
        while len(self._pending) > keep:
            step, records, own, read, others = self._pending.popleft()
            losses, received = read()
            signum = signum or received
            for name, value in losses.items():
                if not np.isfinite(value):
                    self._workers.leave_together()
                    here = f' (on rank {self._workers.rank}: {own[name].asscalar()})' if self._workers.count > 1 else ''
                    last = self._run.checkpoints()[-1:]
                    raise TrainingError(f'step {step}: {name} is {value}{here}; records of its batch: '
                                        f'{records.tolist()}; last good checkpoint: {last[0] if last else "none yet"}')
            self._on_step(step, {**losses, **others})
        return signum
