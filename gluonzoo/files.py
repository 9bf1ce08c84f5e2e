"""Files that are whole or absent, and errors that say which file they are about."""
import os
from contextlib import contextmanager
from pathlib import Path

__all__ = ['PARTIAL', 'naming', 'replacing', 'require_replaceable']

# The suffix of a file that is not finished yet.
PARTIAL = '.partial'


@contextmanager
def replacing(*paths):
    """Temporary paths to write to. At the end they are renamed to `paths`; after an error they are removed.

    After an error or a kill there is no file, or still the former one.

    Parameters
    ----------
    *paths : str or Path

    Raises
    ------
    ValueError
        if a path is there and is no ordinary file: a rename would remove a device such as /dev/null.
    """
    for path in paths:
        require_replaceable(path)
    partial = [Path(path).with_name(Path(path).name + PARTIAL) for path in paths]
    try:
        yield partial
        for source, path in zip(partial, paths):
            source.replace(path)
    finally:
        for source in partial:
            source.unlink(missing_ok=True)


def require_replaceable(path):
    """ValueError if there is something at a path, and it is no ordinary file."""
    path = Path(path)
    if path.exists() and not path.is_file():
        raise ValueError(f'{path}: is a {"folder" if path.is_dir() else "device"}; must be a file, or not there')


@contextmanager
def naming(path):
    """Within, an OSError gets the name `path` if it names no file, as of a write to a full disk, or the partial one."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename in (None, f'{os.fspath(path)}{PARTIAL}'):
            error.filename = os.fspath(path)
        raise
