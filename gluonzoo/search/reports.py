"""The main metric of a run after each epoch, while the run is trained."""
import csv
import os

from ..reading import FileError, open_ordinary

__all__ = ['Reports']

_FIRST = 'data_wait'   # the first number of an evaluation; those of the training have none of this name


class Reports:
    """Reads the values of one metric from a run's scalars.csv, as they come.

    What has been read is not read again, so that looking often costs little. When the file has been replaced, as when a
    run is resumed, it is read from the beginning.

    Parameters
    ----------
    path : Path
        of scalars.csv; it may come later
    metric : str
        its values count within evaluations alone: a loss of the training may have the same name
    """

    def __init__(self, path, metric):
        self._path, self._metric = path, metric
        self._begin_anew(None)

    def _begin_anew(self, file):
        self._file, self._at, self._step, self._values = file, 0, None, []

    def read(self):
        """The values of all epochs so far, the first first: list of float.

        Lines that are no rows are passed over, and a file that cannot be read has no more values: the training says
        itself what is wrong with it.
        """
        try:
            with open_ordinary(self._path) as file:
                status = os.fstat(file.fileno())
                known = status.st_dev, status.st_ino
                if known != self._file or status.st_size < self._at:
                    self._begin_anew(known)
                file.seek(self._at)
                for line in file:
                    if not line.endswith(b'\n'):   # not whole yet
                        break
                    self._at += len(line)
                    self._take(line)
        except (OSError, FileError):
            pass
        return list(self._values)

    def _take(self, line):
        try:
            (step, name, value), = csv.reader([line.decode()])
            step, value = int(step), float(value)
        except (ValueError, csv.Error):   # the heading, or a damaged line
            return
        if name == _FIRST:
            self._step = step
        elif name == self._metric and step == self._step:
            self._values.append(value)
