"""Files that are whole or absent, and errors that say which file they are about."""
import os
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ['PARTIAL', 'folder_for', 'naming', 'replacing', 'require_replaceable']

# The suffix of a file that is not finished yet.
PARTIAL = '.partial'
_LONGEST_NAME = 255   # bytes, on all usual file systems


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
    OSError
        as of what is done within; it names the path in place of the temporary one. If it names none, and there is one
        path alone, this is the one.
    """
    for path in paths:
        require_replaceable(path)
    partial = [_partial(Path(path), number) for number, path in enumerate(paths)]
    try:
        yield partial
        for source, path in zip(partial, paths):
            source.replace(path)
    except OSError as error:
        if error.errno is not None:
            names = {str(source): os.fspath(path) for source, path in zip(partial, paths)}
            only = os.fspath(paths[0]) if len(paths) == 1 else None
            error.filename = only if error.filename is None else names.get(str(error.filename), error.filename)
        raise
    finally:
        for source in partial:
            with suppress(OSError):   # the error that is under way says more
                source.unlink(missing_ok=True)


def _partial(path, number):
    """The temporary path. `number` keeps those of long names apart, whose ends are cut off."""
    name = os.fsencode(path.name)
    if len(name) + len(PARTIAL) > _LONGEST_NAME:
        end = f'.{number}'.encode()
        name = name[:_LONGEST_NAME - len(PARTIAL) - len(end)] + end
    return path.with_name(os.fsdecode(name) + PARTIAL)


@contextmanager
def folder_for(path):
    """Makes the folder that a file `path` lies in. After an error within, what was made is removed again, if empty."""
    made = []
    try:
        for folder in [*reversed(Path(path).parents)]:
            if not folder.is_dir():
                folder.mkdir(exist_ok=True)
                made.append(folder)
        yield
    except BaseException:
        with suppress(OSError):
            for folder in reversed(made):
                folder.rmdir()
        raise


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
