"""A folder that appears when it is whole."""
import contextlib
import os
import tempfile
from pathlib import Path

from ..files import naming

__all__ = ['staging']


@contextlib.contextmanager
def staging(out):
    """A new folder beside `out`, for files that are moved to `out` when all are written. The context removes it.

    An OSError that names a file in it, or none, as of a write to a full disk, names `out` instead.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    prefix = f'{out.name}.part-'
    beside = str(out.absolute().parent / prefix)
    try:
        with naming(out), tempfile.TemporaryDirectory(prefix=prefix, dir=out.parent) as folder:
            yield Path(folder)
    except OSError as error:
        if error.filename and os.path.abspath(os.fsdecode(error.filename)).startswith(beside):
            error.filename = str(out)
        raise
