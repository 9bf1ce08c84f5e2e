"""The course of a search, and which settings matter, as pictures."""
from io import BytesIO

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from optuna.trial import TrialState

from ..train.storage import write_file

__all__ = ['draw_history', 'draw_importances']


def draw_history(path, study, metric):
    """Draws the value of each trial, and the best one so far.

    A trial that was given up has the last value that it reached. A failed one is a cross at the foot.
    """
    figure = Figure(figsize=(8, 4.5), layout='constrained')
    axes = figure.subplots()
    complete = study.best()
    if complete:
        numbers, values = np.transpose(sorted((trial.number, trial.value) for trial in complete))
        best = (np.maximum if study.sign > 0 else np.minimum).accumulate(values)
        axes.step(numbers, best, where='post', color='C1', label='best so far')
        axes.plot(numbers, values, 'o', color='C0', label='complete')
    given_up = [(trial.number, trial.value) for trial in study.trials()
                if trial.state == TrialState.PRUNED and trial.value is not None]
    if given_up:
        axes.plot(*np.transpose(given_up), 'o', color='C0', fillstyle='none', label='given up: the last value')
    failed = [trial.number for trial in study.trials() if trial.state == TrialState.FAIL]
    if failed:
        axes.plot(failed, np.full(len(failed), .02), 'x', color='C3', label='failed', clip_on=False,
                  transform=axes.get_xaxis_transform())
    axes.set_xlabel('trial')
    axes.set_ylabel(f'{metric}, best epoch')
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if axes.get_legend_handles_labels()[0]:
        axes.legend()
    _save(figure, path)


def draw_importances(path, importances, metric):
    """Draws which part of the differences each setting explains; dict of path -> 0 to 1, the greatest first."""
    names, parts = list(importances), list(importances.values())
    figure = Figure(figsize=(8, 1.2 + .4 * len(names)), layout='constrained')
    axes = figure.subplots()
    bars = axes.barh(names[::-1], parts[::-1])
    axes.bar_label(bars, fmt='%.2f', padding=3)
    axes.set_xlim(0, 1.1 * max(*parts, 1e-9))
    axes.set_xlabel(f'importance for {metric} (PED-ANOVA)')
    _save(figure, path)


def _save(figure, path):
    content = BytesIO()
    figure.savefig(content, format='png')   # by the Agg canvas; without pyplot, which keeps every figure
    write_file(path, content.getvalue())
