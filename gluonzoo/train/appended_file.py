"""Files that grow piece by piece while a training runs, and that outlive a full disk."""
from contextlib import suppress
from pathlib import Path

from .storage import write_file

__all__ = ['AppendedFile']


class AppendedFile:
    """A file to which whole pieces are added. A piece that cannot be written waits, and goes with the next one.

    The file is opened for each piece alone. So it is found again when its disk was away, and a file that somebody has
    removed begins anew with the heading.

    Parameters
    ----------
    path : str or Path
        its folder is made
    heading : bytes
        what the file begins with
    kept : function without arguments, optional
        called once, before the first piece is written; returns the bytes after the heading with which the file is
        replaced. Without it, the file is new. If the function raises, the pieces wait until it returns.

    Attributes
    ----------
    waits_since : int or None
        the step of the first piece that is not in the file
    """

    def __init__(self, path, heading=b'', kept=lambda: b''):
        self._path, self._heading, self._kept = Path(path), heading, kept
        self._begin, self._size = None, None   # the bytes of its beginning; the bytes that are written, and are whole
        self._waiting, self.waits_since = [], None

    def add(self, piece=b'', step=None):
        """Writes what waits, and then the bytes `piece`, which belong to a step.

        Raises an OSError or CheckpointError if they cannot be written. They wait then, and no part of them is in the
        file.
        """
        if piece:
            self._waiting.append(piece)
            self.waits_since = step if self.waits_since is None else self.waits_since
        if self._size is None:
            self._replace()
        self._append()
        self._waiting.clear()
        self.waits_since = None

    def missing(self):
        """What is not in the file, in words; '' if nothing is missing."""
        return f'lacks the numbers from step {self.waits_since} on' if self.waits_since else ''

    def _replace(self):
        if self._begin is None:
            self._begin = self._heading + self._kept()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_file(self._path, self._begin)
        self._size = len(self._begin)

    def _append(self):
        if not self._waiting:
            return
        with open(self._path, 'ab', buffering=0) as file:
            if file.tell() > self._size:   # a part of a piece that could not be cut off at once
                file.truncate(self._size)
            self._size = min(file.tell(), self._size)
            rest = memoryview(b''.join([*([] if self._size else [self._heading]), *self._waiting]))
            size = self._size + len(rest)
            try:
                while rest:
                    rest = rest[file.write(rest):]
            except OSError:
                with suppress(OSError):
                    file.truncate(self._size)
                raise
        self._size = size
