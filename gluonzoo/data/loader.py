"""Batches of a dataset, prepared ahead by threads."""
import collections
import ctypes
import itertools
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import cv2
import mxnet as mx
import numpy as np

from ..memory import bytes_of
from ..memory import require as require_memory
from .records import RecordError

__all__ = ['Batch', 'Loader']

AHEAD = 2   # batches prepared while one is in use


class Batch(NamedTuple):
    """What a step gets.

    arrays : tuple of NDArrays in main memory, float32, batch axis first
    records : NumPy int64 array, the record number of each element
    """

    arrays: tuple
    records: np.ndarray


class Loader:
    """Batches of a dataset. They do not depend on the number of workers.

    Element i of epoch e is the record at place i of the epoch's order. It is transformed with
    ``np.random.Generator(np.random.PCG64([seed, e, i]))``. The order is a permutation drawn from
    ``np.random.Generator(np.random.PCG64([seed, e]))``, or the dataset's own. So an epoch can be entered at any batch.

    A record that raises RecordError is skipped. The next readable record of the order takes its place, and so comes
    twice; a batch tells the records that it has. The dataset's dict `skipped` has the skipped records and the reasons.
    There is a RuntimeWarning for the first one. More than one in a hundred (and more than one) are an error. Where a
    RecordError says what cannot be read, as a picture that many records show, that is counted instead of the record.

    Parameters
    ----------
    dataset
        has a length, ``arrays`` and ``item(i, rng, out)``, as :class:`~gluonzoo.data.dataset.Dataset`. ``item`` depends
        on its arguments alone, and several threads may call it at a time. It writes to the arrays of the tuple `out`,
        which are parts of the batch, so that no copy is made. For rows, ``arrays`` and `out` have None: ``item``
        returns a new array [n, k], float32, of any n. Rows of -1 fill the batch up to the greatest n, and to at least
        one row.
    batch_size : int
        elements in a batch, of this part
    shuffle : bool
        a new order in each epoch; else the dataset's own
    seed : int, 0 or greater
    workers : int, 1 or greater
        threads. OpenCV's own threads are switched off, in the whole process, since these take their place.
    last : 'discard' or 'keep'
        what happens to the last elements, which do not fill a batch (of all parts). If they are kept, the last batch
        may be smaller, and parts of higher rank may have one batch less.
    part : (int, int)
        (rank, count): which one of so many processes this is, from 0. They share the elements of each step.

    Examples
    --------
    >>> loader = Loader(dataset, 32, shuffle=True, seed=0, workers=2)
    >>> for batch in loader.epoch(0):
    ...     images, labels = batch.arrays
    """

    def __init__(self, dataset, batch_size, *, shuffle, seed, workers, last='discard', part=(0, 1)):
        for name, value, least in (('batch_size', batch_size, 1), ('seed', seed, 0), ('workers', workers, 1)):
            if value != int(value) or value < least:
                raise ValueError(f'{name}: must be a whole number, at least {least}: {value}')
        if last not in ('discard', 'keep'):
            raise ValueError(f"last: must be 'discard' or 'keep': {last!r}")
        rank, parts = part
        if not 0 <= rank < parts:
            raise ValueError(f'part: must be (rank, parts) with 0 <= rank < parts: {part}')
        if dataset.arrays is None:
            raise ValueError('dataset: must have a transform: without one it gives samples only')
        require_memory('batch_size: a batch', batch_size * bytes_of(shape for shape in dataset.arrays if shape))
        self.dataset, self.batch_size, self.shuffle, self.seed = dataset, batch_size, shuffle, seed
        self.workers, self.last, self.part = workers, last, part
        if not len(self):
            raise ValueError(f'batch_size: {batch_size} elements in each of {parts} part(s) are more than the '
                             f'{len(dataset)} of the dataset')

    def __len__(self):
        """Batches in an epoch."""
        rank, parts = self.part
        whole, rest = divmod(len(self.dataset), self.batch_size * parts)
        return whole + (self.last == 'keep' and rest > rank * self.batch_size)

    def epoch(self, e, start=0):
        """The batches of epoch `e` from batch `start` on, one after the other.

        An exception in a worker is raised here, at the batch that it belongs to. The threads end when the iterator is
        closed, or no longer referenced.

        Returns
        -------
        iterator of Batch

        Raises
        ------
        ValueError
            for an epoch that is negative, or a batch that is not in 0 .. len.
        RecordError
            when too many records cannot be read.
        """
        if e != int(e) or e < 0:
            raise ValueError(f'e: must be the number of an epoch, 0 or greater: {e}')
        if not 0 <= start <= len(self):
            raise ValueError(f'start: must be in 0 .. {len(self)}: {start}')
        return self._batches(e, start)

    def _batches(self, e, start):
        cv2.setNumThreads(0)
        order = np.arange(len(self.dataset))
        if self.shuffle:
            order = np.random.Generator(np.random.PCG64([self.seed, e])).permutation(len(order))
        # Small batches are too few to keep many workers busy.
        ahead = max(AHEAD, -(-2 * self.workers // self.batch_size))
        executor = ThreadPoolExecutor(self.workers, 'gluonzoo-loader')
        try:
            begun = (self._begin(executor, order, e, step) for step in range(start, len(self)))
            waiting = collections.deque(itertools.islice(begun, ahead))
            while waiting:
                batch = self._finish(*waiting.popleft())
                waiting.extend(itertools.islice(begun, 1))
                yield batch
        finally:
            executor.shutdown(wait=True, cancel_futures=True)

    def _begin(self, executor, order, e, step):
        """Gives the elements of a batch to the workers: (the arrays that they write to, their results to come)."""
        rank, parts = self.part
        first = (step * parts + rank) * self.batch_size
        places = range(first, min(first + self.batch_size, len(order)))
        arrays = [None if shape is None else mx.nd.empty((len(places), *shape), mx.cpu())
                  for shape in self.dataset.arrays]
        views = [None if array is None else _memory_of(array) for array in arrays]
        return arrays, [executor.submit(self._element, order, e, place,
                                        tuple(None if view is None else view[row, ...] for view in views))
                        for row, place in enumerate(places)]

    def _element(self, order, e, place, out):
        """(record, its arrays, [(what cannot be read, why), ...]) of one place of the order."""
        skipped = []
        while True:
            record = int(order[(place + len(skipped)) % len(order)])
            rng = np.random.Generator(np.random.PCG64([self.seed, e, place]))
            try:
                made = self.dataset.item(record, rng, out)
            except RecordError as error:
                skipped.append((record if error.record is None else error.record, error))
                if len(dict(skipped)) > self._may_be_skipped() or len(skipped) == len(order):
                    return record, None, skipped
            else:
                _check(made, out)
                return record, made, skipped

    def _finish(self, arrays, elements):
        """Waits for the elements of a batch, and puts them together."""
        elements = [element.result() for element in elements]
        # Here, and not in the workers, so that the count after each batch does not depend on who came first.
        for _, made, skipped in elements:
            self._count(skipped, nothing=made is None)
        records, made, _ = zip(*elements)
        return Batch(tuple(_stack(rows) if array is None else array for array, rows in zip(arrays, zip(*made))),
                     np.array(records, np.int64))

    def _may_be_skipped(self):
        return max(1, len(self.dataset) // 100)

    def _count(self, skipped, nothing):
        """`nothing`: no other record could take the place of those that were skipped."""
        known = self.dataset.skipped if skipped else {}
        for number, (record, error) in enumerate(skipped, 1):
            if not known:
                warnings.warn(f'skipped: {error} (any others are listed in the dataset\'s `skipped`)', RuntimeWarning,
                              stacklevel=4)   # the line that asks for a batch
            known[record] = str(error)
            if len(known) > self._may_be_skipped() or len(known) == len(self.dataset) or (
                    nothing and number == len(skipped)):
                raise RecordError(f'{len(known)} of {len(self.dataset)} records cannot be read, more than one in a '
                                  'hundred: ' + '; '.join(itertools.islice(known.values(), 5))) from error


def _check(made, out):
    """ValueError if an array of `out` was not used: the batch would hold whatever was in memory."""
    if len(made) != len(out) or any(place is not None and array is not place for array, place in zip(made, out)):
        raise ValueError(f'dataset: item() must return the arrays of `out`, and rows for each None, {len(out)} in all')


def _stack(rows):
    """The rows of all elements as one NDArray, filled up with rows of -1."""
    stacked = np.full((len(rows), max(1, *map(len, rows)), rows[0].shape[1]), -1, np.float32)
    for filled, array in zip(stacked, rows):
        filled[:len(array)] = array
    return mx.nd.array(stacked, mx.cpu())


def _memory_of(array):
    """The memory of a float32 NDArray as a NumPy array, which keeps it alive.

    No operator may be using the NDArray. (The other way round, ``mx.nd.from_numpy`` without a copy, frees the memory
    with the last Python object, whether or not the engine has yet to read it.)
    """
    pointer = ctypes.c_void_p()
    mx.base.check_call(mx.base._LIB.MXNDArrayGetData(array.handle, ctypes.byref(pointer)))
    memory = (ctypes.c_float * array.size).from_address(pointer.value)
    memory.owner = array
    return np.frombuffer(memory, np.float32).reshape(array.shape)
