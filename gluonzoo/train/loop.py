"""The training loop: fetch, train, show, evaluate, save. What is trained, only the task knows."""
from contextlib import nullcontext

from . import distributed
from .callbacks import Callbacks
from .data_wait import Timed
from .loss_guard import LossGuard
from .main_metric import name_and_sign, numbers_of
from .parameters import average_statistics, used_networks
from .randomness import seed_all
from .schedule import LearningRates
from .signals import Interrupted, Signals
from .trainer_state import check_trainers

__all__ = ['fit', 'Loop']

LATE = 2   # so many steps may be under way: losses are read so late, and the device never waits for the loop


def fit(task, loader, run, *, epochs, schedule, validation=None, callbacks=(), ema=None, checkpoint_every=None,
        kvstore=None, seed=0):
    """Trains a task from where its run is to the end of the last epoch, and saves after each epoch. Resuming is exact:
    on the same device, with the same threads and seed, the losses are those of an unbroken run.

    Parameters
    ----------
    task : Task
        on which ``start_training(engine)`` has been called
    loader : Loader
        of several machines each has its part
    run : Run
        if it has a checkpoint, training goes on from there
    epochs : int
        in all, counting those that have been made
    schedule : dict or function
        factors of the trainers' own learning rates, one for all or by name: see :mod:`gluonzoo.train.schedule`
    validation : Loader or None
        what the task is evaluated on after each epoch
    callbacks : sequence of objects
        see :mod:`gluonzoo.train.callbacks`
    ema : EMA or None
        of the networks that the task uses to evaluate; then the averaged weights are what is evaluated
    checkpoint_every : int or None
        steps between checkpoints within an epoch
    kvstore : str or None
        'dist_sync' on several machines, see :mod:`gluonzoo.train.distributed`
    seed : int
        what is random in a step depends on (seed, rank, step) alone

    Returns the metrics of the last epoch (on rank 0), dict of name -> float; with 'data_wait', the part (0 to 1) of the
    epoch in which the loop waited for data. The device, being up to two steps behind, waited less.

    Raises TrainingError when a loss is NaN or infinite; CheckpointError when a checkpoint cannot be written or does not
    fit; ValueError when a trainer's state could not be saved; and after SIGINT, SIGTERM or SIGHUP, when all
    is saved, Interrupted, a SystemExit with the code 130, 143 or 129, which scripts just let pass.
    """
    loop = Loop(task, loader, run, epochs, schedule, validation, callbacks, ema, checkpoint_every, kvstore, seed)
    with Signals() as loop.signals, loop.rates:
        return loop.train()


class Loop:
    """A training under way. Callbacks may read what :func:`fit` was given, `epoch` (from 0), `step` (updates made)."""

    def __init__(self, task, loader, run, epochs, schedule, validation, callbacks, ema, every, kvstore, seed):
        check_trainers(task)
        self.task, self.loader, self.run, self.epochs, self.validation = task, loader, run, epochs, validation
        self.ema, self.used, self.checkpoint_every, self.seed = ema, used_networks(task), every, seed
        self.main_metric = name_and_sign(task)[0] if validation else None
        self.workers = distributed.join(kvstore)
        self.rates = LearningRates(task.trainers, schedule)
        self.callbacks = Callbacks(callbacks if self.workers.rank == 0 else (), self)
        self.guard = LossGuard(run, self.workers, self.callbacks.on_step)
        self.step = self.epoch = self.batch = 0   # `batch`: so many of the epoch's have been used
        self.metrics, self.signum = None, 0   # `signum`: of the signal that any of the workers has received

    def train(self):
        self._restore()
        with self.callbacks:
            while self.epoch < self.epochs:
                self._finish_epoch(data_wait=self._train_epoch())
        self.workers.leave_together()
        return self.metrics or {}

    def _restore(self):
        state = self.run.restore(self.task, self.ema, batches_an_epoch=len(self.loader))
        if state:
            self.step, self.epoch, self.batch, self.metrics = (state[k] for k in ('step', 'epoch', 'batch', 'metrics'))
        self.workers.check_equal(steps_made=self.step, batches_an_epoch=len(self.loader))

    def _train_epoch(self):
        with Timed(self.loader.epoch(self.epoch, start=self.batch)) as batches:
            for batch in batches:
                self._train_step(batch)
        return batches.waited

    def _train_step(self, batch):
        seed_all(self.seed, self.workers.rank, self.step)
        rates = self.rates.set(self.step)
        losses = self.task.train_step(batch, self.step)
        self.step, self.batch = self.step + 1, self.batch + 1
        if self.ema:
            self.ema.follow(self.task, self.used, self.step)
        self.guard.add(self.step, batch, losses, self.signals.received, **rates)
        at_once = self.signals.received and self.workers.count == 1   # several learn of it with the losses
        self.signum = self.guard.read(keep=0 if at_once else LATE)
        due = self.checkpoint_every and self.step % self.checkpoint_every == 0 and self.batch < len(self.loader)
        if self.signum or due:
            self._settle()
            self._save()

    def _finish_epoch(self, data_wait):
        self._settle()
        if not self.signum:
            metrics = self._evaluate(data_wait) if self.workers.rank == 0 else {}
            self.signum = self.workers.exchange({}, self.signals.received)()[1]
            if metrics is not None:
                self.metrics, self.epoch, self.batch = metrics, self.epoch + 1, 0
        self._save()

    def _evaluate(self, data_wait):
        """The metrics; None if a signal came first."""
        seed_all(self.seed, self.workers.rank, self.step)
        metrics = {'data_wait': data_wait}
        with self.ema.applied(self.used) if self.ema else nullcontext():
            if self.validation:
                try:
                    found = self.task.evaluate(self.signals.watch(self.validation.epoch(0)))
                except Interrupted:
                    return None
                metrics.update(numbers_of(found))
                if self.main_metric not in metrics:
                    raise ValueError(f'main_metric: {self.main_metric!r} is not in what evaluate gives: {metrics}')
            self.callbacks.on_epoch(self.epoch, metrics)
        return metrics

    def _settle(self):
        """Reads all losses, since nothing is saved before that, and averages the running statistics."""
        self.signum = self.guard.read() or self.signum
        average_statistics(self.task.networks, self.workers, self.ema.statistics(self.used) if self.ema else ())

    def _save(self):
        metrics = self.metrics if self.batch == 0 else None   # within an epoch the weights have not been evaluated
        if self.workers.rank == 0:
            self.run.save(self.task, self.ema, step=self.step, epoch=self.epoch, batch=self.batch, metrics=metrics)
        if self.signum:
            self.workers.barrier()
            self.workers.leave_together()
            raise Interrupted(self.signum)
