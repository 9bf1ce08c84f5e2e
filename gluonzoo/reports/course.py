"""The course of a training as charts: losses, metrics and learning rates over the steps."""
import numpy as np

from .charts import COLORS, LONGEST_NAME, Line, chart, thinned
from .texts import shortened

__all__ = ['curves_of', 'losses', 'metrics', 'rates']

MOST = 24   # charts of a kind; a task may have any number of names

_WAIT = 'data_wait'   # a part of the time, and no metric of the task


def losses(history):
    """A chart for each loss: they have scales of their own. Also what was left out, in words."""
    return _first({name: chart(name, [thinned(name, points)], may_be_logarithmic=True)
                   for name, points in history.losses.items()})


def rates(history):
    """One chart of the learning rates, in a list; an empty list where there are none."""
    lines = [thinned(name, points) for name, points in history.rates.items()]
    found = chart('learning rate', lines[:COLORS])
    return [found] if found else []


def metrics(history, main=None, best=None):
    """Charts of what the evaluations have found, the main metric first.

    Metrics of one kind, such as the AP of each class, share a chart: 'AP/cat' and 'AP/dog'. Of more than can be told
    apart, the chart has their mean, and a band from the least to the greatest.

    Parameters
    ----------
    history : History
    main : str, optional
        the name of the main metric
    best : int, optional
        the step of the best checkpoint, which is marked

    Returns
    -------
    list of Chart, and what was left out, in words: str
    """
    kinds = {}
    for evaluation in history.evaluations:
        for name in evaluation.metrics:
            kind, slash, _ = name.partition('/')
            kinds.setdefault(kind if slash else name, {})[name] = None   # in the order of their coming
    order = sorted(kinds, key=lambda kind: (main not in kinds[kind], kind == _WAIT))
    charts = {}
    for kind in order:
        names = list(kinds[kind])
        title = kind if len(names) > 1 else names[0]
        charts[title] = chart(title, _lines(names, history.evaluations), mark=best)
    return _first(charts)


def _lines(names, evaluations):
    steps = np.array([one.step for one in evaluations], float)
    values = np.array([[one.metrics.get(name, np.nan) for one in evaluations] for name in names], float)
    values[~np.isfinite(values)] = np.nan   # [names, epochs]
    if len(names) <= COLORS:
        return [Line(name, steps, row) for name, row in zip(names, values)]
    there = ~np.isnan(values).all(axis=0)
    values = values[:, there]
    return [Line(f'mean of {len(names)}', steps[there], np.nanmean(values, axis=0), np.nanmin(values, axis=0),
                 np.nanmax(values, axis=0))]


def curves_of(evaluated):
    """Charts of what an evaluation has: a chart for each :class:`gluonzoo.tasks.curves.Curves`.

    Of more lines than can be told apart, those with the greatest and the least area are drawn.

    Parameters
    ----------
    evaluated : dict of title -> Curves
    """
    charts = []
    for title, curves in evaluated.items():
        names = sorted(curves.lines, key=lambda name: -_area(curves.lines[name]))
        if len(names) > COLORS:
            names = names[:COLORS // 2] + names[-COLORS // 2:]
            title = f'{title}: {COLORS // 2} of the best and of the worst of {len(curves.lines)}'
        lines = [Line(name, *_few(curves.lines[name]).T) for name in names if len(curves.lines[name])]
        values = [value for line in lines for value in (*line.x, *line.y) if np.isfinite(value)]
        parts = all(0 <= value <= 1 for value in values)
        said = title if curves.y in title else f'{title} ({curves.y})'
        charts.append(chart(said, lines, curves.x, limits=((0, 1), (0, 1.02)) if parts else None))
    return [one for one in charts if one]


def _area(points):
    points = points[np.isfinite(points).all(axis=1)]
    return float(np.trapz(points[:, 1], points[:, 0]))


def _few(points):
    """At most 500 points, evenly chosen, the first and the last among them."""
    return points[np.unique(np.linspace(0, len(points) - 1, 500).round().astype(int))] if len(points) > 500 else points


def _first(charts):
    """(those that there are, at most MOST; in words, what there is besides). Dict of name -> Chart or None."""
    there = [one for one in charts.values() if one]
    lacking = [shortened(name, LONGEST_NAME) for name, one in charts.items() if not one]
    parts = [f'no finite number: {", ".join(lacking[:MOST])}{", ..." * (len(lacking) > MOST)}'] * bool(lacking)
    parts += [f'{len(there) - MOST} more are in scalars.csv alone'] * (len(there) > MOST)
    return there[:MOST], '; '.join(parts)
