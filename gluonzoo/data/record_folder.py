"""A folder with files of records, train.rec and val.rec, and the names of their classes, classes.txt."""
from pathlib import Path

from ..reading import FileError, read_names
from .records import RecordError

__all__ = ['class_names_beside', 'part_of']

MAX_BYTES = 1 << 24   # of classes.txt


def part_of(folder, split):
    """Where a part is, as a dataset's ``in_folder`` tells it: {'path': 'FOLDER/SPLIT.rec'}.

    Raises FileNotFoundError if it is not there.
    """
    path = Path(folder, f'{split}.rec')
    if not path.exists():
        raise FileNotFoundError(f'{path}: no such file')
    return {'path': str(path)}


def class_names_beside(path):
    """The names in classes.txt beside a file of records: list of str; None if there is no such file.

    Raises RecordError if it cannot be read.
    """
    names = Path(path).with_name('classes.txt')
    if not names.exists():
        return None
    try:
        return read_names(names, MAX_BYTES)
    except FileError as error:
        raise RecordError(str(error)) from error
