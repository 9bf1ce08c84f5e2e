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

A callback that raises an Exception does not stop the training. There is a RuntimeWarning, and the callback is not
called again.
"""
import csv
import math
import sys
import time
import warnings
from contextlib import closing
from io import BytesIO, StringIO

import numpy as np
from matplotlib.figure import Figure
from tqdm import tqdm

from ..pictures.jpeg import encode_jpeg
from .storage import CheckpointError, write_file

__all__ = ['Progress', 'ScalarsCSV', 'TensorBoard', 'Plot', 'Samples', 'Callbacks', 'read_scalars']

_EVENTS = ('on_start', 'on_step', 'on_epoch', 'on_end')


class Callbacks:
    """Several callbacks as one. As a context, it starts and ends them.

    Raises ValueError for an object that has none of the methods.
    """

    def __init__(self, callbacks, loop):
        self._loop = loop
        self._callbacks = list(callbacks)
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

    def _call(self, event, *arguments):
        for callback in list(self._callbacks):
            if hasattr(callback, event):
                try:
                    getattr(callback, event)(self._loop, *arguments)
                except Exception as error:
                    self._callbacks.remove(callback)
                    warnings.warn(f'{type(callback).__name__} is left out from here on, since {event} failed: '
                                  f'{type(error).__name__}: {error}', RuntimeWarning, stacklevel=2)


class Progress:
    """On a terminal, a progress bar for each epoch. Elsewhere, a line now and then, and one after each epoch.

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
        if sys.stderr.isatty():
            if self._bar is None:
                self._bar = tqdm(total=len(loader), initial=done - 1, leave=False,
                                 desc=f'epoch {loop.epoch + 1}/{loop.epochs}')
            self._bar.set_postfix(losses, refresh=False)
            self._bar.update()
        elif time.monotonic() - self._said >= self.every:
            self._say(f'epoch {loop.epoch + 1}/{loop.epochs}, batch {done}/{len(loader)}: {_words(losses)}')

    def on_epoch(self, loop, epoch, metrics):
        self._close()
        self._say(f'epoch {epoch + 1}/{loop.epochs}, step {loop.step}: '
                  + _words({name: f'{value:.4g}' for name, value in metrics.items()}))

    def on_end(self, loop):
        self._close()
        if loop.signum:
            self._say(f'stopped by a signal after step {loop.step}; saved in {loop.run.directory}, ready to be resumed')

    def _say(self, line):
        print(line, file=sys.stderr, flush=True)
        self._said = time.monotonic()

    def _close(self):
        if self._bar is not None:
            self._bar.close()
        self._bar = None


def _words(scalars):
    return ', '.join(f'{name} {value}' for name, value in scalars.items())


class ScalarsCSV:
    """Every scalar as a row ``step,name,value`` of scalars.csv in the run's directory.

    Values have all their digits. When a run is resumed, the rows of steps that will be made again are removed, so that
    no step is there twice.
    """

    def on_start(self, loop):
        path = loop.run.directory / 'scalars.csv'
        rows = [row for row in read_scalars(path) if row[0] <= loop.step] if path.exists() else []
        text = StringIO(newline='')
        csv.writer(text).writerows([('step', 'name', 'value'), *rows])
        write_file(path, text.getvalue().encode())
        self._file = path.open('a', newline='', buffering=1)   # a row is in the file before a checkpoint counts on it
        self._writer = csv.writer(self._file)

    def on_step(self, loop, step, scalars):
        self._writer.writerows((step, name, repr(value)) for name, value in scalars.items())

    def on_epoch(self, loop, epoch, metrics):
        self.on_step(loop, loop.step, metrics)

    def on_end(self, loop):
        self._file.close()


def read_scalars(path):
    """The rows of a scalars.csv: list of (step, name, value), int, str and float. A last row cut short is left out."""
    rows = []
    with open(path, newline='') as file:
        for line in file:
            if line.endswith('\n'):
                rows.extend(csv.reader([line]))
    if not rows or rows[0] != ['step', 'name', 'value']:
        raise CheckpointError(f'{path}: has no heading step,name,value')
    return [(int(step), name, float(value)) for step, name, value in rows[1:]]


class TensorBoard:
    """Every scalar for TensorBoard, in the directory tensorboard of the run. Needs the package tensorboardX.

    When a run is resumed, the events after its checkpoint are declared void, so that TensorBoard shows no step twice.
    """

    def __init__(self):
        from tensorboardX import SummaryWriter  # here, since it takes long

        self._make = SummaryWriter

    def on_start(self, loop):
        # The suffix makes a file of its own of a start within the same second.
        self._writer = self._make(str(loop.run.directory / 'tensorboard'), purge_step=loop.step + 1, flush_secs=10,
                                  filename_suffix=f'.{loop.step}')

    def on_step(self, loop, step, scalars):
        for name, value in scalars.items():
            if math.isfinite(value):   # of NaN, such as the AP of large objects where there are none, it would print
                self._writer.add_scalar(name, value, step)

    def on_epoch(self, loop, epoch, metrics):
        self.on_step(loop, loop.step, metrics)

    def on_end(self, loop):
        self._writer.close()


class Plot:
    """The losses and the main metric over the steps, drawn to progress.png in the run's directory after each epoch.

    The numbers are those of scalars.csv, so :class:`ScalarsCSV` must come earlier in the list of callbacks.
    """

    def on_epoch(self, loop, epoch, metrics):
        series = {}
        for step, name, value in read_scalars(loop.run.directory / 'scalars.csv'):
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


class Samples:
    """What the task makes of the first validation batch, after each epoch: samples/epoch-003.jpg, counted from 1."""

    def on_epoch(self, loop, epoch, metrics):
        with closing(loop.validation.epoch(0)) as batches:
            picture = loop.task.picture(next(batches))
        directory = loop.run.directory / 'samples'
        directory.mkdir(exist_ok=True)
        write_file(directory / f'epoch-{epoch + 1:03d}.jpg', encode_jpeg(picture))
