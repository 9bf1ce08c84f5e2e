"""A search whose trainings are small programs that last a moment."""
import functools
import shutil
from pathlib import Path

import pytest

from gluonzoo.search import loop
from gluonzoo.search.database import open_storage
from gluonzoo.search.directory import Directory
from gluonzoo.search.pruners import make_pruner
from gluonzoo.search.space import Space
from gluonzoo.search.study import Study

FAKE = Path(__file__).with_name('fake_training.py')
LINES = ('x=uniform(0, 1)',)


class Bench:
    """A directory of a search, and what is done there."""

    def __init__(self, path, empty=None):
        self.directory, self._empty = Directory(path), empty
        self.file = path / 'study.db'
        self.lines, self.about, self.direction, self.pruner, self.seed = LINES, {'recipe': 'fake'}, 'max', 'none', 0

    @property
    def space(self):
        return Space([('--space', text) for text in self.lines])

    def study(self):
        self.directory.path.mkdir(exist_ok=True)
        if self._empty and not self.file.exists():
            shutil.copy(self._empty, self.file)
        return Study(self.file, self.about, self.directory.path, self.space, self.direction, make_pruner(self.pruner),
                     self.seed)

    def command(self, run, texts, resume, epochs=3):
        return ['-S', str(FAKE), '--run', str(run), '--epochs', str(epochs), *(['--resume'] if resume else []),
                *(word for text in texts for word in ('--set', text))]

    def search(self, total, epochs=3, **how):
        """Searches, and returns the study."""
        study = self.study()
        loop.search(study, self.directory, functools.partial(self.command, epochs=epochs), 'acc', total=total,
               **{'epochs': epochs, **how})
        return study

    def log(self, number):
        """What the fake training of a trial has noted: 'begun', 'resumed'."""
        return (self.directory.run(number) / 'log').read_text().split()


@pytest.fixture(scope='session')
def empty(tmp_path_factory):
    """A database that has Optuna's tables already, which take longest."""
    path = tmp_path_factory.mktemp('empty') / 'study.db'
    open_storage(path)
    return path


@pytest.fixture
def bench(tmp_path, empty):
    return Bench(tmp_path / 'search', empty)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(loop, 'PAUSE', .03)


@pytest.fixture
def states():
    def of(study):
        return [trial.state.name for trial in study.trials()]
    return of
