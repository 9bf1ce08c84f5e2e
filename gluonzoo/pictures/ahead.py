"""Items made ahead by a thread, while the ones before are in use."""
import threading
from collections import deque

__all__ = ['Ahead']


class Ahead:
    """Iterates over an iterable that a thread reads ahead. The thread ends at :meth:`close`, at the next item.

    An error of the iterable is raised here, after the items before it.

    Parameters
    ----------
    items : iterable
    most : int
        items that wait at a time, at least 1
    newest : bool
        if as many wait, the oldest is dropped in favour of the next: of a camera, what counts is what it sees now.
        Otherwise the thread waits.

    Attributes
    ----------
    dropped : int
        how many items have been dropped
    """

    def __init__(self, items, most, newest=False):
        self._waiting, self._most, self._newest = deque(), most, newest
        self._changed = threading.Condition()
        self._ended = self._closed = False
        self._error = None
        self.dropped = 0
        self._thread = threading.Thread(target=self._read, args=(items,), name='gluonzoo-ahead', daemon=True)
        self._thread.start()

    def __iter__(self):
        return self

    def __next__(self):
        with self._changed:
            while not self._waiting and not self._ended:
                self._changed.wait()
            if self._waiting:
                self._changed.notify_all()
                return self._waiting.popleft()
            if self._error is not None:
                error, self._error = self._error, None
                raise error
        raise StopIteration

    def close(self, seconds=None):
        """Ends the thread, and waits for it, for at most `seconds`. What waits is thrown away."""
        with self._changed:
            self._closed = self._ended = True
            self._waiting.clear()
            self._changed.notify_all()
        self._thread.join(seconds)

    def _read(self, items):
        try:
            for item in items:
                if not self._put(item):
                    return
                del item   # or it would stay in memory while the next one is made
        except BaseException as error:
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _put(self, item):
        with self._changed:
            while len(self._waiting) >= self._most and not self._newest and not self._closed:
                self._changed.wait()
            if self._closed:
                return False
            if len(self._waiting) >= self._most:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(item)
            self._changed.notify_all()
            return True
