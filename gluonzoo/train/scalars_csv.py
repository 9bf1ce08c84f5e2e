"""scalars.csv: every number of a run."""
import csv
from io import StringIO

from ..files import require_replaceable
from ..reading import open_ordinary
from .appended_file import AppendedFile
from .storage import CheckpointError

__all__ = ['ScalarsCSV', 'read_scalars', 'readable_scalars']

_HEADING = ['step', 'name', 'value']
_MOST_STEPS = 1 << 53   # beyond, doubles have gaps


class ScalarsCSV:
    """Every scalar as a row ``step,name,value`` of scalars.csv in the run's directory.

    Values have all their digits. When a run is resumed, the rows of steps and evaluations that will be made again are
    removed, so that nothing is there twice.

    Rows that cannot be written, as on a full disk, are written as soon as they can. A file with lines that cannot be
    read is kept as scalars-damaged.csv; its other lines go on in scalars.csv.
    """

    def on_start(self, loop):
        path = loop.run.directory / 'scalars.csv'
        step, evaluated = loop.step, not loop.batch
        self._lost = ''
        self._file = AppendedFile(path, _bytes_of([_HEADING]), lambda: _bytes_of(self._kept(path, step, evaluated)))
        self._file.add()
        if self._lost:
            raise CheckpointError(f'{path}: {self._lost}')

    def on_step(self, loop, step, scalars):
        self._file.add(_bytes_of((step, name, repr(value)) for name, value in scalars.items()), step)

    def on_epoch(self, loop, epoch, metrics):
        self.on_step(loop, loop.step, metrics)

    def on_end(self, loop):
        self._file.add()

    def missing(self):
        """What is not in the file, in words; '' if nothing is missing."""
        return '; '.join(filter(None, (self._lost, self._file.missing())))

    def _kept(self, path, step, evaluated):
        """The rows of a former file that stay."""
        require_replaceable(path)   # who read a pipe would wait for ever
        rows, damaged = _parse(path) if path.exists() else ([], [])
        if damaged:
            aside = _unused(path, 'damaged')
            path.rename(aside)
            self._lost = (f'lacks what {len(damaged)} damaged line(s) held, the first of them line {damaged[0]}; '
                          f'{aside.name} is the file as it was')
        gaps = step - len({row[0] for row in rows if row[0] <= step})
        if gaps and not damaged:   # killed while they could not be written, or the file is not the run's
            self._lost = f'lacks the numbers of {gaps} of the {step} steps before'
        again = [i for i, row in enumerate(rows) if row[0] > step
                 # An evaluation after which the run was killed before it was saved; data_wait is its first row.
                 or not evaluated and row[:2] == (step, 'data_wait')]
        return rows[:again[0]] if again else rows


def read_scalars(path):
    """The rows of a scalars.csv: list of (step, name, value), int, str and float. A last row cut short is left out.

    Raises CheckpointError if the file has another heading, or a line that is no such row.
    """
    rows, damaged = _parse(path)
    if damaged:
        raise CheckpointError(f'{path}: has no heading step,name,value' if damaged[0] == 1 else
                              f'{path}: line {damaged[0]}: must be a step, a name and a value')
    return rows


def readable_scalars(path):
    """The rows of a scalars.csv without those that are damaged."""
    return _parse(path)[0]


def _parse(path):
    """(rows, the numbers of the damaged lines). A last line without its end is neither; a kill has cut it short."""
    rows, damaged = [], []
    with open_ordinary(path) as file:   # a pipe would be waited for without end
        heading = file.readline()
        if heading.rstrip(b'\r\n') != b','.join(word.encode() for word in _HEADING):
            damaged.append(1)
        for number, line in enumerate(file, 2):
            if not line.endswith(b'\n'):
                break
            try:
                (step, name, value), = csv.reader([line.decode()])
                rows.append((_step(step), name, float(value)))
            except (ValueError, csv.Error):
                damaged.append(number)
    return rows, damaged


def _step(text):
    step = int(text)
    if not 0 <= step < _MOST_STEPS:
        raise ValueError(f'no number of updates: {text[:20]}')
    return step


def _bytes_of(rows):
    text = StringIO(newline='')
    csv.writer(text).writerows(rows)
    return text.getvalue().encode(errors='backslashreplace')


def _unused(path, word):
    """A path beside `path`, at which nothing is: scalars-damaged.csv, scalars-damaged-2.csv ..."""
    names = (f'{path.stem}-{word}{i}{path.suffix}' for i in ('', *(f'-{n}' for n in range(2, 10 ** 6))))
    return next(other for other in map(path.with_name, names) if not other.exists())
