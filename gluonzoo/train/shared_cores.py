"""Says when steps wait for cores that others use."""
import math
import sys
import time

from tqdm import tqdm

from .. import runtime
from ..cores import Neighbours, logical_processors, wait_of_threads

__all__ = ['SharedCores']


class SharedCores:
    """A callback that says, once, that a training would be faster with fewer threads.

    Every step waits for the slowest of its threads. So beside one busy program a training of all cores gets less done
    than a training that leaves this program a core.

    Parameters
    ----------
    every : float
        seconds over which is measured what others use, and how long this process waits
    """

    def __init__(self, every=20):
        self.every = every

    def on_start(self, loop):
        self._begin()

    def on_step(self, loop, step, scalars):
        seconds = time.monotonic() - self._began
        if self._neighbours is None or seconds < self.every:
            return
        others, waited = self._neighbours.busy(), wait_of_threads()
        fewer = max(1, len(logical_processors()) - math.ceil(others - .1))
        # Others alone do not disturb: their priority may be low. Waiting alone neither: this process has threads that
        # load data, too.
        if waited is not None and waited - self._waited > .3 * seconds and others > .45 and fewer < runtime.threads():
            tqdm.write(f'the cores are shared: others use {others:.1f} of {len(logical_processors())}, and steps wait '
                       f'for them. Stopped, and resumed with --threads {fewer}, the training would be faster',
                       sys.stderr)
            self._neighbours = None
        else:
            self._begin()

    def _begin(self):
        self._neighbours, self._waited, self._began = Neighbours(), wait_of_threads() or 0, time.monotonic()
