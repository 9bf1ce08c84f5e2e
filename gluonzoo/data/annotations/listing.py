"""Lists the files of a folder and of the folders in it."""
import os
from pathlib import Path

__all__ = ['files_below', 'with_suffix']


def files_below(folder):
    """The files of a folder and of all folders in it, in the order of their paths.

    Links to folders are followed; a folder that is met again is not listed again. What begins with a dot is left out,
    as other programs do not show it, and so is ``__MACOSX``, where archives keep what belongs to a system alone.

    Raises OSError if a folder cannot be listed.
    """
    found, seen = [], set()
    for here, folders, files in os.walk(folder, onerror=_raise, followlinks=True):
        real = os.path.realpath(here)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith('.') and name != '__MACOSX')
        found += (Path(here, name) for name in files if not name.startswith('.'))
    return sorted(found)


def with_suffix(files, *suffixes):
    """Those whose name ends with one of the suffixes, in lower or upper case."""
    return [path for path in files if path.suffix.lower() in suffixes]


def _raise(error):
    raise error
