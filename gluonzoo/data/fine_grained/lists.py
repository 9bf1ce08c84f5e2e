"""Lists of pictures and of classes, as datasets bring them along. Anyone may have written them."""
import os
from pathlib import PurePosixPath

from ...reading import FileError, quoted, read_lines

__all__ = ['read_table', 'require_inside', 'require_same']


def read_table(path):
    """What a file of lines 'key value' says.

    Returns
    -------
    dict of str -> str
        in the order of the lines. The key ends at the first blank; the value may have blanks.

    Raises FileError if a line has no value, or a key is there twice, or there are no lines.
    """
    table = {}
    for number, line in read_lines(path):
        key, *value = line.split(maxsplit=1)
        if not value:
            raise FileError(f'{path}:{number}: must be a number or name, a blank and a value: {quoted(line)}')
        if key in table:
            raise FileError(f'{path}:{number}: {quoted(key)} is there twice')
        table[key] = value[0]
    if not table:
        raise FileError(f'{path}: has no lines')
    return table


def require_same(one, other):
    """FileError unless two tables have the same keys. `one`, `other`: (path, table)."""
    for (path, table), (other_path, other_table) in ((one, other), (other, one)):
        missing = [key for key in table if key not in other_table]
        if missing:
            raise FileError(f'{path}: has {len(table)} pictures and {other_path.name} {len(other_table)}, which lacks '
                            f'{quoted(missing[0])}')


def require_inside(where, name):
    """The name that `where` gives a picture, in its plain form: 'a/b.jpg' of './a//b.jpg'.

    FileError unless it leads to a place below a folder.
    """
    parts = PurePosixPath(name).parts
    if not parts or name.startswith('/') or '..' in parts or '\\' in name or not name.isprintable():
        raise FileError(f'{os.fspath(where)}: the name of a picture must lead into the folder of pictures: '
                        f'{quoted(name)}')
    return PurePosixPath(*parts).as_posix()
