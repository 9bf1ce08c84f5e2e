"""Several machines, by MXNet's own parameter server in its synchronous mode (``dist_sync``).

Each worker process trains on its own share of every batch. Gradients are *summed* over the workers, so the engine
divides by ``parts * num_workers``. :mod:`gluonzoo.train.launch` starts the processes.

All workers must see the run's directory: rank 0 writes it, and all workers resume from it. The network carries only
gradients, running statistics and a few numbers a step. (What a task keeps besides networks and trainers, such as a pool
of images, is saved from rank 0, and all workers resume with it.)
"""
import atexit
import ctypes
import os

import mxnet as mx
from mxnet.base import _LIB, check_call

from .signals import SIGNALS

__all__ = ['join', 'Workers']

_joined = None


def join(kvstore=None):
    """The :class:`Workers` that a kvstore's name means.

    Parameters
    ----------
    kvstore : str or None
        'dist_sync' or 'dist_sync_device' joins the job that :mod:`gluonzoo.train.launch` has started. A process joins
        once; further calls return the same object. None, 'local' or 'device': this process alone.

    Raises
    ------
    ValueError
        for another name, or outside of such a job. ('dist_async' has no common step that could be saved and resumed.)
    """
    global _joined
    if kvstore in (None, 'local', 'device'):
        return Workers(kvstore)
    if kvstore not in ('dist_sync', 'dist_sync_device'):
        raise ValueError(f"kvstore: must be None, 'local', 'device', 'dist_sync' or 'dist_sync_device': {kvstore!r}")
    if 'DMLC_ROLE' not in os.environ:
        raise ValueError(f'kvstore: {kvstore!r} needs a job of several processes: python -m gluonzoo.train.launch')
    if _joined is None:
        _joined = _DistributedWorkers(kvstore)
    if _joined.kvstore != kvstore:
        raise ValueError(f'kvstore: this process has joined as {_joined.kvstore!r} already: {kvstore!r}')
    return _joined


class Workers:
    """The processes that train together: here one.

    Attributes
    ----------
    rank, count : int
        the number of this worker, and how many there are. Rank 0 writes, evaluates and shows.
    """
    rank = 0
    count = 1

    def __init__(self, kvstore=None):
        self.kvstore = kvstore

    def store(self, name):
        """The `kvstore` argument of one engine, or of one ``gluon.Trainer``. On several machines it is a KVStore.

        Each engine or Trainer needs a store with a name of its own, since all of them number their parameters from 0.
        (Give a Trainer only the parameters that are trained, no running statistics: in its first step it copies all its
        parameters from rank 0.)
        """
        return self.kvstore

    def exchange(self, losses, signum=0):
        """Begins to share the losses of a step and the signal received, without waiting.

        Parameters
        ----------
        losses : dict of name -> scalar NDArray
        signum : int
            SIGINT, SIGTERM, SIGHUP, or 0 for none

        Returns
        -------
        function without arguments that waits and returns (dict of name -> float: the mean over the workers, signum).
        The result is the same in all workers, whichever worker received the signal.
        """
        return lambda: ({name: float(loss.asscalar()) for name, loss in losses.items()}, signum)

    def average(self, arrays):
        """Replaces float32 NDArrays, in place, by their mean over the workers. All must call it, with like arrays."""

    def check_equal(self, **values):
        """Raises ValueError in all workers if one of the ints (0 or greater) is not the same in all."""

    def barrier(self):
        """Waits until all workers have come here."""

    def leave_together(self):
        """Announces that all workers end now. Without this call a worker ends alone, and the launcher ends the rest."""


class _DistributedWorkers(Workers):
    """The workers of a ``dist_sync`` job. The process has one native store, since MXNet hangs with two."""

    def __init__(self, kvstore):
        super().__init__(kvstore)
        self._store = mx.kv.create(kvstore)
        self.rank = self._store.rank
        self.count = self._store.num_workers
        self._together = False
        self._own = self.store('workers')
        self._buffers = {}   # key -> NDArray
        atexit.register(self._leave)

    def store(self, name):
        return _NamedStore(self._store, name)

    def exchange(self, losses, signum=0):
        flags = mx.nd.array([signum == number for number in SIGNALS])
        vector = mx.nd.concat(flags, *(loss.reshape(1).as_in_context(mx.cpu()).astype('float32')
                                       for loss in losses.values()), dim=0)
        self._sum(f'losses/{len(vector)}', vector)

        def read():
            values = vector.asnumpy()
            received = [number for number, flag in zip(SIGNALS, values) if flag > 0]
            means = values[len(SIGNALS):] / self.count
            return dict(zip(losses, means.tolist())), received[0] if received else 0
        return read

    def average(self, arrays):
        if not arrays:
            return
        vector = mx.nd.concat(*(array.reshape(-1).as_in_context(mx.cpu()) for array in arrays), dim=0)
        self._sum(f'average/{len(vector)}', vector)
        vector /= self.count
        begin = 0
        for array in arrays:
            array[:] = vector[begin:begin + array.size].reshape(array.shape).as_in_context(array.context)
            begin += array.size

    def check_equal(self, **values):
        for name, value in values.items():
            pairs = mx.nd.zeros((self.count, 2))
            pairs[self.rank] = divmod(value, 1 << 20)   # both exact in float32
            self._sum(f'check/{name}', pairs)
            found = [int(high) * (1 << 20) + int(low) for high, low in pairs.asnumpy()]
            if len(set(found)) > 1:
                raise ValueError(f'{name}: must be the same on all workers, which must see the same run: {found}')

    def barrier(self):
        mx.nd.waitall()   # the store's own barrier does not wait for what is still under way
        self._store._barrier()

    def leave_together(self):
        self._together = True

    def _sum(self, key, vector):
        """Replaces `vector` by its sum over the workers, without waiting."""
        if key not in self._buffers:
            self._buffers[key] = mx.nd.zeros(vector.shape)
            self._own.broadcast(key, self._buffers[key], self._buffers[key])
        # Always the same array for a key: what is pushed from two arrays may overtake each other on the way.
        buffer = self._buffers[key]
        vector.copyto(buffer)
        self._own.pushpull(key, buffer)
        buffer.copyto(vector)

    def _leave(self):
        # At its end the native store waits for all workers, which would be for ever if this one fails on its own.
        check_call(_LIB.MXKVStoreSetBarrierBeforeExit(self._store.handle, ctypes.c_int(self._together)))


class _NamedStore(mx.kvstore.KVStoreBase):
    """A view of the native store, in which the keys of one trainer do not meet those of another.

    Every Trainer numbers its parameters from 0. Without names, the server would mix up the Trainers.
    """

    def __init__(self, store, name):
        self._store = store
        self._name = name

    type = property(lambda self: self._store.type)
    rank = property(lambda self: self._store.rank)
    num_workers = property(lambda self: self._store.num_workers)

    def is_capable(self, capability):
        return False   # no optimizer on the server: the task's trainers have it

    def broadcast(self, key, value, out, priority=0):
        self._store.broadcast(f'{self._name}/{key}', value, out, priority)
        # The store returns before the value is here, and a push of the same key may then overtake it: the weights would
        # be the first gradients.
        for array in out if isinstance(out, (list, tuple)) else [out]:
            array.wait_to_read()

    def pushpull(self, key, value, out=None, priority=0):
        self._store.pushpull(f'{self._name}/{key}', value, out, priority)
