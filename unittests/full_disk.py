"""A disk that is full, for the tests of everything that writes."""
import resource
from contextlib import contextmanager

__all__ = ['full_disk']


@contextmanager
def full_disk(size):
    """Within, no file of this process can grow beyond `size` bytes: the system writes so much, and then fails.

    (Only around what is tested: pytest writes to files too. Python ignores the signal that the system sends besides.)
    """
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, former[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
