"""Lines for the user while a search is under way."""
import sys
from contextlib import suppress

__all__ = ['say']


def say(line):
    """Prints a line on stderr. It is lost if the terminal has been closed, and the search goes on or ends as it would.
    """
    with suppress(OSError, ValueError):
        print(line, file=sys.stderr, flush=True)
