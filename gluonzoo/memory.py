"""The memory that this process may use, and an error before more is asked for.

Where memory is only promised, as on Linux, asking for too much ends in a kill without a word.
"""
import os
from math import prod
from pathlib import Path

from .cores import control_groups

__all__ = ['bytes_of', 'limit', 'require']


def limit(root='/'):
    """Bytes: the machine's memory, or the least limit of the control groups above this process. None if unknown.

    Parameters
    ----------
    root : str or Path
        where /proc and /sys are
    """
    root = Path(root)
    limits = [] if root != Path('/') else _of_machine()
    for group in control_groups(root, 'memory'):
        for name in ('memory.max', 'memory.limit_in_bytes'):
            if (group / name).exists():
                said = (group / name).read_text().strip()
                limits += [int(said)] if said.isdecimal() else []   # 'max': none
    return min(limits, default=None)


def _of_machine():
    try:
        return [os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')]
    except (OSError, ValueError):
        return []


def require(what, count, there=None):
    """ValueError if `count` bytes are more than the memory that there is.

    Parameters
    ----------
    what : str
        that needs them, for the message
    count : int
    there : int, optional
        bytes; default: :func:`limit`
    """
    there = limit() if there is None else there
    if there is not None and count > there:
        raise ValueError(f'{what}: must fit in the memory: needs {count} bytes at least; there are {there}')


def bytes_of(shapes):
    """Bytes of float32 arrays of these shapes; a dimension that is not known yet, 0 or less, counts as 1."""
    return 4 * sum(prod(max(1, int(side)) for side in shape) for shape in shapes)
