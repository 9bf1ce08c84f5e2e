"""The pictures in folders: which there are, and how large they are."""
import os
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from ..pictures.decode import MAX_BYTES, SUFFIXES, ImageError, image_size
from ..reading import open_ordinary
from .annotations.listing import files_below
from .dataset import CARD, counted

__all__ = ['pictures_below', 'size_said', 'sizes_of', 'tell_others']

HEAD = 1 << 16   # bytes in which the header of most files is


def pictures_below(folder):
    """The files in a folder, and in folders within it, that are pictures by their names, sorted.

    A RuntimeWarning counts the other files, but for the card of a dataset. What begins with a dot is left out in any
    case.

    Raises
    ------
    FileNotFoundError
        if the folder is not there.
    ValueError
        if there are no pictures in it.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f'{folder}: no such folder')
    files = [path for path in files_below(folder) if path != folder / CARD]
    found = [path for path in files if path.suffix.lower() in SUFFIXES]
    if not found:
        raise ValueError(f'{folder}: no pictures in it ({", ".join(SUFFIXES)})')
    if len(found) < len(files):
        others = Counter(path.suffix or path.name for path in files if path.suffix.lower() not in SUFFIXES)
        warnings.warn(f'{folder}: {len(files) - len(found)} files are left out, being none of {", ".join(SUFFIXES)}: '
                      f'{counted(others)}', RuntimeWarning, stacklevel=2)
    return found


def tell_others(folder, chosen, what):
    """A RuntimeWarning if there are pictures in a folder besides those in the chosen folders.

    `what` is read from these: 'pairs'.
    """
    others = [path for path in (files_below(folder) if folder.is_dir() else ())
              if path.suffix.lower() in SUFFIXES and not any(one in path.parents for one in chosen)]
    if others:
        warnings.warn(f'{folder}: {what} are read from {" and ".join(map(str, chosen))}; {len(others)} pictures beside '
                      f'these are left out, such as {others[0]}', RuntimeWarning, stacklevel=3)


def sizes_of(files):
    """(width, height) of each file, from its header; None without a readable header (reading the file will fail)."""
    with ThreadPoolExecutor(8) as executor:   # it is the disk that takes time
        return list(executor.map(_size_in_header, files))


def size_said(path):
    """How many bytes a file has, as bytes to know it again by."""
    try:
        return b'%d' % path.stat().st_size
    except OSError:   # a link to nothing, which is skipped when it is to be read
        return b'gone'


def _size_in_header(path):
    try:
        file = open_ordinary(path)
    except FileNotFoundError:   # a link to nothing
        return None
    with file:
        head = file.read(HEAD)
        try:
            return image_size(head)
        except ImageError:
            try:
                return image_size(head + file.read(min(MAX_BYTES, os.fstat(file.fileno()).st_size)))
            except ImageError:
                return None
