"""Reads files that anyone may have written: ordinary files of a bounded size, as text, lines, names or JSON.

A byte-order mark and the ends of lines (LF, CRLF, CR) mean nothing. Text is UTF-8, or UTF-16 if its byte-order mark
says so, as some programs of Windows write it.

What is wrong with a file is a :class:`FileError`, whose message begins with the path. That a file is not there, or must
not be read, is an OSError as usual.
"""
import codecs
import json
import os
import re
import reprlib
import stat

__all__ = ['FileError', 'open_ordinary', 'read_bytes', 'read_text', 'read_lines', 'read_names', 'read_json',
           'last_line', 'parse_json', 'quoted', 'without_controls']

MAX_BYTES = 1 << 26     # of a text, unless the caller says otherwise
_CHUNK = 1 << 16
QUOTED = 100            # characters of what is quoted in a message

_KINDS = ((stat.S_ISDIR, 'folder'), (stat.S_ISFIFO, 'pipe'), (stat.S_ISSOCK, 'socket'),
          (stat.S_ISCHR, 'device'), (stat.S_ISBLK, 'device'))


class FileError(ValueError):
    """A file cannot be what was meant. The message is one line and begins with the path."""


def open_ordinary(path):
    """Opens an ordinary file to read its bytes. Nothing else is waited for or read from.

    Raises FileError if there is something else: a folder, a pipe, a socket, a device.
    """
    _require_ordinary(path, os.stat(path))   # before it is opened: to open some devices has effects
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)   # a pipe that came since waits for nobody
    try:
        _require_ordinary(path, os.fstat(descriptor))
        return os.fdopen(descriptor, 'rb')
    except BaseException:
        os.close(descriptor)
        raise


def _require_ordinary(path, status):
    if not stat.S_ISREG(status.st_mode):
        kind = next((name for is_kind, name in _KINDS if is_kind(status.st_mode)), 'thing of another kind')
        raise FileError(f'{os.fspath(path)}: is a {kind}; must be an ordinary file')


def read_bytes(path, max_bytes=MAX_BYTES):
    """The content of an ordinary file. FileError if it is none, or has more than `max_bytes`."""
    with open_ordinary(path) as file:
        # No more than it says that it has: so much memory is asked for, and 4 GB may be more than there is.
        data = file.read(min(os.fstat(file.fileno()).st_size, max_bytes) + 1)
        while len(data) <= max_bytes and (more := file.read(_CHUNK)):   # files of /proc have more than they say
            data += more
    if len(data) > max_bytes:
        raise FileError(f'{os.fspath(path)}: has more than {max_bytes} bytes')
    return data


def read_text(path, max_bytes=MAX_BYTES):
    """The text of a file, without a byte-order mark. Ends of lines are left as they are, for csv to read."""
    data = read_bytes(path, max_bytes)
    utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode('utf-16' if utf16 else 'utf-8-sig')
    except UnicodeDecodeError as error:
        raise FileError(f'{os.fspath(path)}: not a text in UTF-8: {error.reason} at byte {error.start}') from error


def read_lines(path, max_bytes=MAX_BYTES):
    """(number from 1, text) of each line that is not blank, without the blanks around it."""
    return [(number, line) for number, line in enumerate(_lines(path, max_bytes), 1) if line]


def read_names(path, max_bytes=MAX_BYTES):
    """The names of a file that has one a line, where the number of the line is the number of what is named.

    Returns
    -------
    list of str
        one or more, without the blanks around them

    Raises
    ------
    FileError
        if there are none; if one is there twice, or cannot be printed; if a line before the last name is blank, since
        the numbers of those after it would then be in doubt.
    """
    names = _lines(path, max_bytes)
    while names and not names[-1]:
        names.pop()
    if not names:
        raise FileError(f'{os.fspath(path)}: must have one or more names, one a line; it is empty')
    seen = {}
    for number, name in enumerate(names, 1):
        where = f'{os.fspath(path)}:{number}'
        if not name:
            raise FileError(f'{where}: is blank; must have a name, since the number of a line is that of its name')
        if not name.isprintable():
            raise FileError(f'{where}: a name must be printable: {quoted(name)}')
        if name in seen:
            raise FileError(f'{where}: the name {quoted(name)} is there twice, first in line {seen[name]}')
        seen[name] = number
    return names


def _lines(path, max_bytes):
    text = read_text(path, max_bytes).replace('\r\n', '\n').replace('\r', '\n')
    return [line.strip() for line in text.split('\n')]   # not splitlines, for which control characters end lines


def read_json(path, max_bytes=MAX_BYTES, object_hook=None):
    """What a file of JSON holds. FileError if it is not JSON, or nested too deeply."""
    return parse_json(read_text(path, max_bytes), path, object_hook)


def parse_json(text, where, object_hook=None):
    """What a text of JSON says. FileError, which begins with `where`, if it is not JSON, or nested too deeply."""
    try:
        return json.loads(text, object_hook=object_hook)
    except RecursionError:
        raise FileError(f'{where}: not JSON that can be used: nested too deeply') from None
    except ValueError as error:
        raise FileError(f'{where}: not JSON, or cut short: {error}') from error


class _Short(reprlib.Repr):
    """repr() that never walks through all of a large or deep value."""

    def __init__(self):
        super().__init__()
        self.maxlist = self.maxtuple = self.maxdict = self.maxset = self.maxother = self.maxlong = QUOTED
        self.maxlevel = 4

    def repr_str(self, value, level):
        return repr(value[:QUOTED + 1])   # what is longer is cut off at the end


def last_line(error):
    """The last line of what an error says, or its class; less the time and the place in its own files, as of MXNet."""
    line = (str(error).strip().splitlines() or [type(error).__name__])[-1]
    return re.sub(r'\[\d\d:\d\d:\d\d\] \S+:\d+: ', '', line)


def without_controls(text):
    """A text whose control characters, but for line breaks, are written as Python writes them. As they are, they could
    exchange the order of letters, or command a terminal."""
    return ''.join(letter if letter.isprintable() or letter == '\n' else repr(letter)[1:-1] for letter in text)


def quoted(value):
    """A value as it is quoted in a message: as repr() gives it, cut off after 100 characters."""
    said = _Short().repr(value)
    return said if len(said) <= QUOTED else said[:QUOTED - 3] + '...'
