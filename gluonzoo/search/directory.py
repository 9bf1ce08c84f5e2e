"""The directory of a search: where its trials lie, whose checkpoints stay, and that one search at a time works there.

::

    searches/dsod_pikachu/
        study.db                     the study, unless --study says another place
        trial-0000/                  a run: see gluonzoo.train.checkpoint
        trial-0000.log               what the training has said
        trials.csv, best.py, history.png, importance.png
"""
import fcntl
import os
import shutil
from contextlib import contextmanager, suppress

__all__ = ['Directory']

_LOCK = 'lock'   # of a search, and of a run


class Directory:
    """The places of a search.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path):
        self.path = path

    def run(self, number):
        """The directory of the run of a trial."""
        return self.path / f'trial-{number:04d}'

    def log(self, number):
        return self.path / f'trial-{number:04d}.log'

    def has_trials(self):
        return any(self.path.glob('trial-*'))

    def has_run(self, number):
        """Whether the training of a trial has begun its run, and can be resumed."""
        return (self.run(number) / 'settings.json').exists()

    @contextmanager
    def used(self):
        """Within, no other search works here. The directory is made; after an error it is removed again, if empty.

        Raises ValueError if another search is at work here.
        """
        made = [folder for folder in (self.path, *self.path.parents) if not folder.exists()]
        self.path.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.path / _LOCK, os.O_CREAT | os.O_RDWR, 0o666)
        try:
            if not _lock(lock):
                raise ValueError(f'{self.path}: another search is at work here')
            yield
        except BaseException:
            if made:
                with suppress(OSError):
                    if os.listdir(self.path) == [_LOCK]:
                        (self.path / _LOCK).unlink()
                    for folder in made:
                        folder.rmdir()
            raise
        finally:
            os.close(lock)

    def is_used(self):
        """Whether a search is at work here."""
        return _is_locked(self.path / _LOCK)

    def is_trained(self, number):
        """Whether a process trains in the run of a trial: one that a killed search has left may still save."""
        return _is_locked(self.run(number) / _LOCK)

    def remove_checkpoints(self, number):
        """Removes the checkpoints of a trial; its settings and numbers stay. Returns what could not be removed, or ''.
        """
        path = self.run(number) / 'checkpoints'
        try:
            if path.is_dir():
                shutil.rmtree(path)
        except OSError as error:
            return f'{error.filename or path}: {error.strerror}'
        return ''


def _is_locked(path):
    """Whether another process, or another part of this one, has locked a file."""
    try:
        lock = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _lock(lock)
    finally:
        os.close(lock)


def _lock(descriptor):
    """Whether nobody else has this file. It is locked then, until it is closed."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass   # a file system without locks
    return True
