"""How long the loop waits for its data."""
import time

__all__ = ['Timed']


class Timed:
    """Iterates over an iterator and measures the time of waiting for its items. The context closes the iterator.

    Attributes
    ----------
    waited : float
        the part (0 to 1) of the time in the context that the iterator took to give its items
    """

    def __init__(self, iterator):
        self._iterator = iterator
        self._waited = 0.0

    def __enter__(self):
        self._began = time.perf_counter()
        return self

    def __iter__(self):
        while True:
            asked = time.perf_counter()
            try:
                item = next(self._iterator)
            except StopIteration:
                return
            finally:
                self._waited += time.perf_counter() - asked
            yield item

    def __exit__(self, *error):
        self.waited = self._waited / (time.perf_counter() - self._began)
        self._iterator.close()
