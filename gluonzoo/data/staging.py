"""A folder that appears when it is whole."""
import contextlib
import tempfile
from pathlib import Path

__all__ = ['staging']


@contextlib.contextmanager
def staging(out):
    """A new folder beside `out`, for what shall be moved there when it is whole; it goes when the block ends."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f'{out.name}.part-', dir=out.parent) as folder:
        yield Path(folder)
