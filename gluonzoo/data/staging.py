"""A folder that appears when it is whole."""
import contextlib
import tempfile
from pathlib import Path

__all__ = ['staging']


@contextlib.contextmanager
def staging(out):
    """A new folder beside `out`, for files that are moved to `out` when all are written. The context removes it."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f'{out.name}.part-', dir=out.parent) as folder:
        yield Path(folder)
