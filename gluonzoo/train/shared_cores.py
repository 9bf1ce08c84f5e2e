"""Says when a training would be faster with another number of threads, because of what others do with the cores."""
import math
import sys
import time

from tqdm import tqdm

from .. import runtime
from ..cores import Neighbours, logical_processors, physical_cores, wait_of_threads
from .streams import takes

__all__ = ['SharedCores']


class SharedCores:
    """A callback that says, once, that a training would be faster with fewer threads, or with more.

    Every step waits for the slowest of its threads. So beside one busy program a training of all cores gets less done
    than a training that leaves this program a core. And a training that was begun beside others has cores that are idle
    when they have gone.

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
        line = self._advice(seconds)
        if line and takes(sys.stderr):
            tqdm.write(line, sys.stderr)
            self._neighbours = None
        else:
            self._begin()

    def _begin(self):
        self._neighbours, self._waited, self._began = Neighbours(), wait_of_threads(), time.monotonic()

    def _advice(self, seconds):
        processors, others, waited = len(logical_processors()), self._neighbours.busy(), wait_of_threads()
        fewer = max(1, processors - math.ceil(others - .1))
        # Others alone do not disturb: their priority may be low. Waiting alone neither: this process has threads that
        # load data, too.
        waits = None not in (waited, self._waited) and waited - self._waited > .3 * seconds
        if waits and others > .45 and fewer < runtime.threads():
            return (f'the cores are shared: others use {others:.1f} of {processors}, and steps wait for them. Stopped, '
                    f'and resumed with --threads {fewer}, the training would be faster')
        if runtime.cores_left_to_others() and others < .2:
            return (f'others have left the cores: stopped, and resumed with --threads {physical_cores()}, the training '
                    'would be faster')
        return None
