"""Callbacks: they watch a training, and show or record it.

A callback is an object with any of these methods::

    on_start(loop)                  before the first step; in a resumed run, `loop.step` updates were made before
    on_step(loop, step, scalars)    the losses and learning rates of update number `step` (from 1), dict of name ->
                                    float. The call comes two steps late, so `loop.step` is ahead
    on_epoch(loop, epoch, metrics)  after the evaluation of an epoch (from 0), dict of name -> float. The networks have
                                    the weights that were evaluated: with an EMA, the averaged ones
    on_end(loop)                    at the end, also after a signal or an error

`loop` has the arguments of :func:`gluonzoo.train.fit`: task, loader, run, epochs, validation. On several machines only
the worker of rank 0 has callbacks.

A callback that raises an Exception does not stop the training. Its first Exception is a RuntimeWarning. The callback is
called again all the same, since a disk that is full now may not be full at the next step. At the end a second warning
says what is missing: what the callback's own method ``missing()`` returns ('' for nothing), or how often it failed.
"""
import sys
import time
import warnings
from contextlib import closing, suppress
from io import BytesIO

import numpy as np
from matplotlib.figure import Figure
from tqdm import tqdm

from ..pictures.jpeg import encode_jpeg
from .scalars_csv import ScalarsCSV, read_scalars, readable_scalars
from .shown_metrics import in_a_line
from .storage import write_file
from .streams import takes
from .tensorboard import TensorBoard

__all__ = ['Progress', 'ScalarsCSV', 'TensorBoard', 'Plot', 'Samples', 'Callbacks', 'in_words', 'read_scalars']

SHOWN = 12   # numbers in a line

_EVENTS = ('on_start', 'on_step', 'on_epoch', 'on_end')


class Callbacks:
    """Several callbacks as one. As a context, it starts and ends them.

    Raises ValueError for an object that has none of the methods.
    """

    def __init__(self, callbacks, loop):
        self._loop = loop
        self._callbacks = list(callbacks)
        self._failed = [0] * len(self._callbacks)   # how often
        self._warned = set()
        for callback in self._callbacks:
            if not any(hasattr(callback, event) for event in _EVENTS):
                raise ValueError(f'callbacks: {callback!r} has none of the methods {", ".join(_EVENTS)}')

    def __enter__(self):
        self._call('on_start')

    def on_step(self, step, scalars):
        self._call('on_step', step, scalars)

    def on_epoch(self, epoch, metrics):
        self._call('on_epoch', epoch, metrics)

    def __exit__(self, *error):
        self._call('on_end')
        for callback, times in zip(self._callbacks, self._failed):
            if times:
                missing = f'failed {times} time(s)'
                with suppress(Exception):   # a callback without such a method, or one that fails in that as well
                    missing = callback.missing() or 'nothing is missing after all'
                _warn(f'{type(callback).__name__}: {missing}')

    def _call(self, event, *arguments):
        for number, callback in enumerate(self._callbacks):
            if hasattr(callback, event):
                try:
                    getattr(callback, event)(self._loop, *arguments)
                except Exception as error:
                    self._failed[number] += 1
                    if number not in self._warned and _warn(f'{type(callback).__name__}: {event} failed, and the '
                                                            f'training goes on: {type(error).__name__}: {error}'):
                        self._warned.add(number)


def _warn(message):
    """Whether the warning could be given."""
    shown = takes(sys.stderr)
    if shown:
        try:
            warnings.warn(message, RuntimeWarning, stacklevel=5)
        except Exception:   # warnings are errors here, and this one stops no training
            return False
    return shown


class Progress:
    """On a terminal, a progress bar for each epoch. Elsewhere, a line now and then, and one after each epoch.

    Nothing is shown while nobody reads, as in a terminal after Ctrl-S: the training does not wait for a reader.

    Parameters
    ----------
    every : float
        seconds between the lines, where there is no terminal
    """

    def __init__(self, every=30):
        self.every = every
        self._bar = None

    def on_start(self, loop):
        self._said = time.monotonic()
        if loop.step:
            self._say(f'resumed after step {loop.step}')

    def on_step(self, loop, step, scalars):
        losses = {name: f'{value:.4g}' for name, value in scalars.items() if not name.startswith('lr_')}
        loader = loop.loader
        done = step - loop.epoch * len(loader)
        if not takes(sys.stderr):
            return
        if sys.stderr.isatty():
            if self._bar is None:
                self._bar = tqdm(total=len(loader), initial=done - 1, leave=False,
                                 desc=f'epoch {loop.epoch + 1}/{loop.epochs}')
            self._bar.set_postfix(losses, refresh=False)
            self._bar.n = done
            if time.monotonic() - self._said >= self._bar.mininterval:   # tqdm's own clock may be set back
                self._bar.refresh()
                self._said = time.monotonic()
        elif time.monotonic() - self._said >= self.every:
            self._say(f'epoch {loop.epoch + 1}/{loop.epochs}, batch {done}/{len(loader)}: {in_words(losses)}')

    def on_epoch(self, loop, epoch, metrics):
        self._close()
        self._say(f'epoch {epoch + 1}/{loop.epochs}, step {loop.step}: {in_a_line(metrics, loop.task.main_metric[0])}')

    def on_end(self, loop):
        self._close()
        if loop.signum:
            self._say(f'stopped by a signal after step {loop.step}; saved in {loop.run.directory}, ready to be resumed')

    def _say(self, line):
        self._said = time.monotonic()
        if takes(sys.stderr):
            print(line, file=sys.stderr, flush=True)

    def _close(self):
        bar, self._bar = self._bar, None
        if bar is not None:
            bar.disable = not takes(sys.stderr)   # then closing it shows nothing
            bar.close()


def in_words(scalars):
    """The first dozen numbers as 'name value, name value', and how many more there are. Dict of name -> str -> str"""
    more = len(scalars) - SHOWN
    return ', '.join([*(f'{name} {value}' for name, value in list(scalars.items())[:SHOWN]),
                      *([f'and {more} more in scalars.csv'] if more > 0 else [])])


class Plot:
    """The losses and the main metric over the steps, drawn to progress.png in the run's directory after each epoch.

    The numbers are those of scalars.csv, so :class:`ScalarsCSV` must come earlier in the list of callbacks.
    """

    def __init__(self):
        self._missing = ''

    def missing(self):
        """What is not in the plot, in words; '' if nothing is missing."""
        return self._missing

    def on_epoch(self, loop, epoch, metrics):
        self._missing = f'lacks epoch {epoch + 1}'
        series = {}
        for step, name, value in readable_scalars(loop.run.directory / 'scalars.csv'):
            series.setdefault(name, []).append((step, value))
        metric, _ = loop.task.main_metric
        losses = {name: points for name, points in series.items()
                  if name not in metrics and not name.startswith('lr_')}
        figure = Figure(figsize=(8, 6), layout='constrained')
        upper, lower = figure.subplots(2, sharex=True)
        for name, points in losses.items():
            steps, values = np.transpose(points)
            line, = upper.plot(steps, values, alpha=0.3, linewidth=0.8)
            width = max(1, len(values) // 50)
            upper.plot(steps[width - 1:], np.convolve(values, np.full(width, 1 / width), 'valid'), label=name,
                       color=line.get_color())
        upper.set_ylabel('loss, and its running mean')
        upper.legend()
        if metric in series:
            lower.plot(*np.transpose(series[metric]), marker='o')
        lower.set_ylabel(metric)
        lower.set_xlabel('step')
        content = BytesIO()
        figure.savefig(content, format='png')   # by the Agg canvas; without pyplot, which keeps every figure
        write_file(loop.run.directory / 'progress.png', content.getvalue())
        self._missing = ''


class Samples:
    """What the task makes of the first validation batch, after each epoch: samples/epoch-003.jpg, counted from 1.

    Pictures of the whole evaluation, where the task has some, are in the run's directory: confusion.jpg. They are those
    of the last epoch.
    """

    def __init__(self):
        self._missing = []

    def missing(self):
        """Which epochs have no picture, in words; '' if all have one."""
        return f'lack epoch {", ".join(map(str, self._missing))}' if self._missing else ''

    def on_epoch(self, loop, epoch, metrics):
        self._missing.append(epoch + 1)
        with closing(loop.validation.epoch(0)) as batches:
            picture = loop.task.picture(next(batches))
        directory = loop.run.directory / 'samples'
        directory.mkdir(exist_ok=True)
        write_file(directory / f'epoch-{epoch + 1:03d}.jpg', encode_jpeg(picture))
        for name, picture in loop.task.evaluation_pictures().items():
            write_file(loop.run.directory / f'{name}.jpg', encode_jpeg(picture))
        self._missing.pop()
