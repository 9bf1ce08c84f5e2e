"""What a search has found: a table of the best trials, and every trial in trials.csv."""
import csv
import json
from io import StringIO

from optuna.trial import TrialState

from ..files import replacing
from .study import failure_of

__all__ = ['best_epoch', 'counts', 'short_names', 'table', 'values_of', 'write_csv']

_SHOWN = 10   # trials in a table
_STATES = {TrialState.COMPLETE: 'complete', TrialState.PRUNED: 'given up', TrialState.FAIL: 'failed',
           TrialState.RUNNING: 'under way', TrialState.WAITING: 'under way'}


def values_of(space, trial):
    """The values of a trial (FrozenTrial), in the order of the space: dict of path -> value."""
    return space.suggest(_Known(trial.params))


class _Known:
    """In place of an Optuna trial, one whose values are known."""

    def __init__(self, values):
        self._values = values

    def _value(self, name, *ends, **how):
        return self._values[name]

    suggest_float = suggest_int = suggest_categorical = _value


def best_epoch(trial, sign):
    """The epoch, from 1, that gave the value of a complete trial; the first of equal ones."""
    values = trial.intermediate_values
    return 1 + max(values, key=lambda epoch: (sign * values[epoch] if values[epoch] == values[epoch] else -float('inf'),
                                              -epoch))


def counts(trials):
    """'12 trials: 7 complete, 4 given up, 1 failed'"""
    states = [_STATES[trial.state] for trial in trials]
    parts = [f'{states.count(state)} {state}' for state in dict.fromkeys(_STATES.values()) if state in states]
    return f'{len(trials)} trial(s)' + (f': {", ".join(parts)}' if parts else '')


def table(study, space, metric):
    """The best trials with their values, one a line: list of str."""
    rows = [['trial', metric, 'epoch', *short_names(space.paths)]]
    for trial in study.best()[:_SHOWN]:
        values = values_of(space, trial)
        rows.append([str(trial.number), f'{trial.value:.4g}', str(best_epoch(trial, study.sign)),
                     *(_short(values[path]) if path in values else '-' for path in space.paths)])
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ['  '.join(map(str.ljust, row, widths)).rstrip() for row in rows]


def short_names(paths):
    """The ends of paths, as long as they must be to be told apart: list of str."""
    names = []
    for path in paths:
        parts = path.split('.')
        ends = ['.'.join(parts[start:]) for start in range(len(parts) - 1, 0, -1)]
        names.append(next((end for end in ends if sum(f'.{other}'.endswith(f'.{end}') for other in paths) == 1), path))
    return names


def _short(value):
    return f'{value:.4g}' if isinstance(value, float) else json.dumps(value)


def write_csv(path, study, space):
    """Writes a row for each trial: number, state, value, epochs, seconds, why it failed, and the settings, which are
    empty where a condition does not hold."""
    text = StringIO(newline='')
    rows = csv.writer(text, lineterminator='\n')
    rows.writerow(['trial', 'state', 'value', 'epochs', 'seconds', 'failure', *space.paths])
    for trial in study.trials():
        values = values_of(space, trial) if trial.state.is_finished() else {}
        seconds = f'{trial.duration.total_seconds():.1f}' if trial.duration else ''
        rows.writerow([trial.number, _STATES[trial.state], '' if trial.value is None else repr(trial.value),
                       len(trial.intermediate_values), seconds, failure_of(trial) or '',
                       *(json.dumps(values[path]) if path in values else '' for path in space.paths)])
    with replacing(path) as (partial,):
        partial.write_text(text.getvalue())
