"""Streams that people read, or do not."""
import select
from contextlib import suppress

__all__ = ['takes']


def takes(stream):
    """Whether a stream takes a line at once, instead of waiting for somebody who reads, as a terminal after Ctrl-S."""
    with suppress(AttributeError, OSError, ValueError):   # no stream of the system: it does not wait
        waiting = select.poll()
        waiting.register(stream.fileno(), select.POLLOUT)
        return bool(waiting.poll(0))
    return True
