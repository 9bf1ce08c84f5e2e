"""darknet's file about a dataset, such as obj.data: lines ``key = value``.

Source: ``read_data_cfg`` of darknet (github.com/pjreddie/darknet, src/option_list.c). The keys that say where the data
are: train and valid (lists of pictures), names (a file with a class name a line) and classes (how many there are).
"""
from ...reading import FileError, quoted, read_lines
from .base import AnnotationError, file_errors

__all__ = ['KEYS', 'read_options']

KEYS = 'train', 'valid', 'names', 'classes'
MAX_BYTES = 1 << 20
_COMMENTS = '#', ';'


def read_options(path):
    """What the file says about where the data are.

    Returns
    -------
    dict of str -> str
        of :data:`KEYS` those that are there; none if this is no such file, but another one of the name ``*.data``

    Raises
    ------
    AnnotationError
        if the file cannot be read, or if it is such a file and a line is no key with a value, or has a key of
        :data:`KEYS` that is there twice.
    """
    try:
        with file_errors(path):
            found = read_lines(path, MAX_BYTES)
    except AnnotationError as error:
        if isinstance(error.__cause__, FileError):   # no text, or a long one: tables of numbers have this name, too
            return {}
        raise
    options, faults = {}, []
    for number, line in found:
        if line.startswith(_COMMENTS):
            continue
        key, equals, value = (part.strip() for part in line.partition('='))
        if not (key and equals and value):
            faults.append(f'{path}:{number}: must be a key and a value, key = value: {quoted(line)}')
        elif key in options:
            faults.append(f'{path}:{number}: {key} is there twice: {quoted(line)}')
        elif key in KEYS:
            options[key] = value
    if not {'train', 'names'} & options.keys():
        return {}
    if faults:
        raise AnnotationError(faults[0])
    return options
