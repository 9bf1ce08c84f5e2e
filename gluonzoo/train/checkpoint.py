"""A run: one directory with its settings and its checkpoints, from which training continues exactly.

::

    runs/dsod_pikachu/
        settings.json                        how the task, the data and the training are made: gluonzoo.train.settings
        code/                                a copy of the user's own code, if the run needs some
        checkpoints/step-00001234/           after 1234 updates
            <network>.safetensors            the weights
            ema-<network>.safetensors        the moving average of those that are used, if there is one
            trainer-<trainer>.safetensors    what the optimizer has learnt
            task.safetensors                 what the task keeps besides
            state.json                       where the training is, and the SHA-256 of every file

A checkpoint gets its name when the disk has all of it, so a kill at any moment leaves the former checkpoints. The last
two and the best one are kept. Nothing is pickled. A checkpoint that does not fit is refused, and changes nothing.
"""
import fcntl
import json
import os
import re
import shutil
import warnings
from pathlib import Path

import numpy as np

from ..files import PARTIAL
from . import checkpoint_files, storage
from .distributed import Workers
from .main_metric import name_and_sign
from .settings import REVISION, differences, moved_without_fingerprint, read_settings
from .storage import CheckpointError

__all__ = ['Run', 'CheckpointError']

_KEPT = 2   # the last ones; besides the best
_locks = {}   # (device, inode) -> file descriptor, of this process
_STEP = re.compile(r'step-(\d{8,})')


class Run:
    """A run's directory. Make it with :meth:`create` to train, and with :meth:`open` to use what was trained.

    Attributes
    ----------
    directory : Path
    settings : dict
        as they were given, with their revision; what settings.json has
    finite : bool
        whether :meth:`restore` and :meth:`load_networks` refuse numbers that are infinite or NaN (the default)
    """

    def __init__(self, directory, settings):
        self.directory = Path(directory)
        self.settings = settings
        self.finite = True

    @classmethod
    def create(cls, directory, settings, resume=False, workers=None, code=None):
        """Begins a run, or goes on with one.

        Parameters
        ----------
        directory : str or Path
        settings : dict
            JSON-able. A resumed run must have the settings that it was begun with. Only those in
            :data:`gluonzoo.train.settings.MAY_CHANGE` may differ, and the places of the same data; their new values are
            written to settings.json.
        resume : bool
            False refuses a directory that has a run with a checkpoint; True refuses a directory without a run.
        workers : Workers
            of a job on several machines; rank 0 writes
        code : bytes, optional
            the user's own code, which ``settings['code']`` names; the run keeps a copy

        Raises
        ------
        CheckpointError
            if the directory does not fit `resume`, if settings differ (the message names them), if another process
            trains in this directory, or if the directory cannot be written. Nothing has been changed then.
        """
        settings = json.loads(json.dumps({'revision': REVISION, **settings}))   # as they will be read
        run = cls(directory, settings)
        workers = workers or Workers()
        if workers.rank == 0:
            run._begin(resume, code)
        workers.barrier()
        if workers.rank != 0:
            run._check_settings()
        return run

    @classmethod
    def open(cls, directory):
        """The run in a directory. Raises CheckpointError if there is none. Changes nothing."""
        path = Path(directory) / 'settings.json'
        if not path.exists():
            raise CheckpointError(f'{directory}: no run here: it has no settings.json')
        return cls(directory, read_settings(path))

    def _begin(self, resume, code):
        self._check_place(resume)
        with storage.writing(self.directory):
            self._checkpoints.mkdir(parents=True, exist_ok=True)
            _lock(self.directory / 'lock')
        self._check_place(resume)
        if self._is_run():   # what a kill has left; in a directory that was no run, a file is not ours
            for path in [*self.directory.glob('*' + PARTIAL), *self.directory.glob('*/*' + PARTIAL)]:
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
            if not resume:
                shutil.rmtree(self.directory / 'code', ignore_errors=True)
        if code is not None:
            with storage.writing(self.directory):
                (self.directory / 'code').mkdir(exist_ok=True)
            storage.write_file(self.directory / 'code' / self.settings['code']['file'], code)
        storage.write_file(self.directory / 'settings.json', json.dumps(self.settings, indent=2).encode() + b'\n')

    def _check_place(self, resume):
        if resume:
            self._check_settings()
        elif self.checkpoints():   # without one there is nothing to lose, and a mistake is mended
            raise CheckpointError(f'{self.directory}: has a run already; resume it, or take another directory')

    def _is_run(self):
        return (self.directory / 'settings.json').exists()

    def _check_settings(self):
        before = Run.open(self.directory).settings
        codes = [settings.get('code') for settings in (before, self.settings)]
        if all(codes) and codes[0]['sha256'] != codes[1]['sha256']:
            raise CheckpointError(f'{self.directory}: cannot be resumed: {codes[1]["file"]} has changed since the run '
                                  f'was begun; the run keeps a copy, code/{codes[0]["file"]}')
        differ = differences(before, self.settings)
        if differ:
            raise CheckpointError(f'{self.directory}: was begun with other settings: {"; ".join(differ)}')
        moved = moved_without_fingerprint(before, self.settings)
        if moved:
            warnings.warn(f'{self.directory}: {" and ".join(moved)} lie elsewhere than when the run was begun, and the '
                          'run does not say what they are known by: whether they are the same is not checked',
                          RuntimeWarning, stacklevel=4)

    @property
    def _checkpoints(self):
        return self.directory / 'checkpoints'

    def checkpoints(self):
        """The whole checkpoints, oldest first: list of Path."""
        paths = self._checkpoints.iterdir() if self._checkpoints.is_dir() else ()
        return sorted((path for path in paths if _STEP.fullmatch(path.name)), key=_step_of)

    def checkpoint(self, which='last'):
        """The 'last' or the 'best' checkpoint: Path. Without validation there is no best, and it is the last.

        Raises CheckpointError if there is none yet, and ValueError for another word.
        """
        if which not in ('last', 'best'):
            raise ValueError(f"which: must be 'last' or 'best': {which!r}")
        paths = self.checkpoints()
        if not paths:
            raise CheckpointError(f'{self.directory}: has no checkpoint yet')
        best = checkpoint_files.read_state(paths[-1])['best'] if which == 'best' else None
        return self._path(best['step']) if best else paths[-1]

    def _path(self, step):
        return self._checkpoints / checkpoint_files.directory_name(step)

    def save(self, task, ema=None, *, step, epoch, batch, metrics=None):
        """Writes a checkpoint, then removes those that are no longer needed.

        Parameters
        ----------
        task : Task
        ema : EMA or None
        step : int
            the updates made so far
        epoch, batch : int
            the position: the epoch, and how many of its batches have been used. If all have been used, the epoch has
            not been evaluated yet.
        metrics : dict of name -> float, or None
            of these weights; the task's `main_metric` among them decides which checkpoint is best

        Returns
        -------
        Path of the checkpoint.

        Raises
        ------
        CheckpointError
            if it cannot be written, or if a weight is not finite. The former checkpoints are still there.
        """
        former = self.checkpoints()
        best = checkpoint_files.read_state(former[-1])['best'] if former else None
        if metrics and task.main_metric:
            name, sign = name_and_sign(task)
            value = metrics.get(name, -sign * np.inf)
            if sign * value > (sign * best['value'] if best else -np.inf):   # not, if it is NaN
                best = {'step': step, 'value': value}
        path = self._path(step)
        partial = path.with_name(path.name + PARTIAL)
        state = {'step': step, 'epoch': epoch, 'batch': batch, 'metrics': metrics, 'best': best}
        try:
            if path in former:   # the same weights, evaluated since
                before = checkpoint_files.read_state(path)
                checkpoint_files.write_state(path, {**state, 'trainers': before['trainers'], 'files': before['files']})
                return path
            with storage.writing(path):
                partial.mkdir()
                checkpoint_files.write(partial, task, ema, state)
                partial.rename(path)
                storage.sync_directory(self._checkpoints)
        except CheckpointError as error:
            shutil.rmtree(partial, ignore_errors=True)
            kept = f'the last one is {former[-1]}' if former else 'there is no former one'
            raise CheckpointError(f'checkpoint of step {step} not written; {kept}: {error}') from error
        paths = self.checkpoints()
        for old in paths[:-_KEPT]:
            if not best or old != self._path(best['step']):
                self._remove(old)
        return path

    def _remove(self, path):
        rest = path.with_name(path.name + '.old' + PARTIAL)   # first of all no checkpoint any more
        with storage.writing(rest):
            path.rename(rest)
        shutil.rmtree(rest, ignore_errors=True)

    def restore(self, task, ema=None, *, batches_an_epoch):
        """Puts the last checkpoint into the task's networks, trainers and own state, and into `ema`.

        Returns
        -------
        dict with 'step', 'epoch', 'batch' and 'metrics' as :meth:`save` had them; None if there is no checkpoint yet.

        Raises
        ------
        CheckpointError
            if the checkpoint is damaged or made from something else, or if one of its numbers is not finite. Nothing
            has been changed then.
        """
        if not self.checkpoints():
            return None
        path = self.checkpoint('last')
        state = checkpoint_files.read_state(path)
        if (state['step'] != state['epoch'] * batches_an_epoch + state['batch']
                or not 0 <= state['batch'] <= batches_an_epoch):
            raise CheckpointError(f'{path}: is at batch {state["batch"]} of epoch {state["epoch"]}, which is not after '
                                  f'step {state["step"]} with the {batches_an_epoch} batches an epoch of this loader')
        puts = checkpoint_files.plan_all(path, state, task, ema, self.finite)
        for put in puts:
            put()
        return state

    def load_networks(self, task, which='best'):
        """Puts the weights of the 'best' or 'last' checkpoint into the task's networks, for use.

        If the run has a moving average, the averaged weights are used.

        Returns
        -------
        Path of the checkpoint.

        Raises
        ------
        CheckpointError
            if there is none, or it is damaged or made from other networks, or if one of its numbers is not finite.
            Nothing has been changed then.
        """
        path = self.checkpoint(which)
        puts = checkpoint_files.plan_use(path, task, self.finite)
        for put in puts:
            put()
        return path


def _lock(path):
    """Keeps other processes out until this process ends, in whatever way."""
    lock = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
    file = os.fstat(lock).st_dev, os.fstat(lock).st_ino
    if file in _locks:
        os.close(lock)
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise CheckpointError(f'{path.parent}: another process is training here') from None
    except OSError:
        pass   # a file system without locks
    _locks[file] = lock


def _step_of(path):
    return int(_STEP.fullmatch(path.name).group(1))
