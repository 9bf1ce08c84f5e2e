"""Items that a thread makes ahead."""
import threading
import time

import pytest

from gluonzoo.pictures.ahead import Ahead
from gluonzoo.train.data_wait import Timed


def settled(ahead):
    """Waits until the thread has ended or waits, since nothing is taken."""
    ahead._thread.join(.2)


def test_all_items_in_order_and_an_end():
    ahead = Ahead(range(50), 3)
    assert list(ahead) == list(range(50)) and next(ahead, None) is None
    ahead.close()


def test_no_more_wait_than_may():
    made = []
    ahead = Ahead((made.append(i) or i for i in range(50)), 3)
    settled(ahead)
    assert made == [0, 1, 2, 3]   # the last one is in the thread's hand
    assert next(ahead) == 0
    settled(ahead)
    assert len(made) == 5
    ahead.close()
    assert len(made) == 5 and not ahead._thread.is_alive() and list(ahead) == []


def test_the_newest_are_kept():
    ahead = Ahead(range(50), 3, newest=True)
    settled(ahead)
    assert list(ahead) == [47, 48, 49] and ahead.dropped == 47


def test_an_error_comes_after_what_was_before_it():
    def items():
        yield 1
        raise ValueError('of the second')

    ahead = Ahead(items(), 3)
    assert next(ahead) == 1
    with pytest.raises(ValueError, match='of the second'):
        next(ahead)
    assert next(ahead, None) is None


def test_what_takes_the_items_does_not_wait_for_them():
    """To make an item and to use it take 20 ms each; one beside the other, the user waits for the first one only."""
    def items():
        for i in range(20):
            time.sleep(.02)
            yield i

    with Timed(iter(items())) as alone:
        for _ in alone:
            time.sleep(.02)
    with Timed(Ahead(items(), 4)) as ahead:
        for _ in ahead:
            time.sleep(.022)
    assert alone.waited > .4 and ahead.waited < .25


def test_closing_leaves_no_thread():
    before = threading.active_count()
    for _ in range(5):
        ahead = Ahead(iter(int, 1), 2)   # zeros for ever
        next(ahead)
        ahead.close()
    assert threading.active_count() == before
