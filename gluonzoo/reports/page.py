"""The page: facts of a run, put into templates/report.html.

The page fetches nothing, and no browser lets it: a content security policy allows pictures that are within, and the one
style and the one script whose SHA-256 it names. All that comes from a run is escaped.
"""
import base64
import hashlib
import json
import math
from pathlib import Path
from typing import NamedTuple, Optional

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ..train.settings import flat
from . import course
from .charts import LONGEST_NAME
from .embedded import embedded
from .evaluated import Evaluated
from .history import History
from .texts import number, readable, shortened

__all__ = ['Facts', 'page']

_TEMPLATES = Path(__file__).with_name('templates')
_LONGEST = 400   # letters of a setting or a note that a page shows
_ROWS = 500   # of the settings of a part
_COLUMNS = 12   # metrics in the table of all epochs
_PARTS = ('task', 'train_data', 'val_data', 'fit', 'engine', 'code', 'fingerprints')


class Facts(NamedTuple):
    """What a page tells of a run."""
    name: str
    """of the run's directory"""
    settings: dict
    history: History
    main: Optional[tuple] = None
    """name of the main metric, and 'max' or 'min'; None if it is not known"""
    last: Optional[dict] = None
    """the state of the last checkpoint: 'step', 'epoch', 'best' ...; None if there is none"""
    samples: tuple = ()
    """of :class:`gluonzoo.reports.embedded.Picture`, by epoch"""
    pictures: tuple = ()
    """the same, that the run has of its last evaluation"""
    evaluated: Optional[Evaluated] = None
    commands: tuple = ()
    """of (what for, command)"""
    trained_with: Optional[dict] = None
    """of :func:`gluonzoo.train.environment.read_environment`"""
    made_with: Optional[dict] = None
    """the same, of the machine that makes the page"""
    notes: tuple = ()
    """of str: what is missing, and why"""


def page(facts):
    """The page of some :class:`Facts`: bytes of HTML."""
    style, script = ((_TEMPLATES / name).read_text() for name in ('report.css', 'report.js'))
    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined,
                              finalize=readable, trim_blocks=True, lstrip_blocks=True)
    environment.filters['number'] = number
    main, best = facts.main and facts.main[0], _best_step(facts)
    metrics, metrics_left = course.metrics(facts.history, main, best)
    losses, losses_left = course.losses(facts.history)
    evaluated = facts.evaluated
    text = environment.get_template('report.html').render(
        facts=facts, style=Markup(style), script=Markup(script), style_hash=_hash(style), script_hash=_hash(script),
        summary=_summary(facts), main=main, best=best, epochs=_epochs(facts.history, main),
        metrics=metrics, metrics_left=metrics_left, losses=losses, losses_left=losses_left,
        rates=course.rates(facts.history), settings=_tables(facts.settings), environments=_environments(facts),
        evaluated=evaluated, metrics_found=_sorted(evaluated.metrics, main) if evaluated else [],
        curves=course.curves_of(evaluated.curves) if evaluated else [],
        pictures=[embedded(name, picture) for name, picture in evaluated.pictures.items()] if evaluated
        else facts.pictures,
        examples=[embedded(f'example {place}', picture) for place, picture in enumerate(evaluated.examples, 1)]
        if evaluated else [])
    return text.encode('utf-8', 'backslashreplace')   # JSON may have halves of letters


def _hash(text):
    """What a content security policy knows a style or a script by."""
    return f'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'


def _best_step(facts):
    """The step of the best checkpoint; None if there is no evaluation of it."""
    best = (facts.last or {}).get('best')
    return best['step'] if best and _at(facts.history, best['step']) else None


def _summary(facts):
    """The first lines: list of (what, which)."""
    settings, history, last = facts.settings, facts.history, facts.last
    task = settings.get('task') or {}
    networks = [f'{key}: {value["name"]}' for key, value in task.items()
                if isinstance(value, dict) and 'name' in value and key != 'optimizer']
    rows = [('task', _cut(task.get('name', 'unknown'))), ('networks', _cut(', '.join(networks) or 'unknown'))]
    if last:
        wanted = (settings.get('fit') or {}).get('epochs', 'an unknown number')
        part = f', and {last["batch"]} batches' if last['batch'] else ''
        rows.append(('trained', f'{last["epoch"]} of {wanted} epochs{part}, {last["step"]} updates'))
    else:
        rows.append(('trained', f'no checkpoint yet; {history.steps} updates have numbers'))
    for words, evaluation in (('best', _at(history, _best_step(facts))), ('last', (history.evaluations or [None])[-1])):
        if evaluation and facts.main and facts.main[0] in evaluation.metrics:
            rows.append((f'{words} {facts.main[0]}', f'{number(evaluation.metrics[facts.main[0]])} after epoch '
                         f'{evaluation.epoch}'))
    return rows


def _at(history, step):
    return next((one for one in history.evaluations if one.step == step), None)


def _epochs(history, main):
    """The table of the evaluations: (names of columns, rows of (Evaluation, numbers), how many names are left out)."""
    names = list(dict.fromkeys(name for one in history.evaluations for name in one.metrics))
    shown = sorted(names, key=lambda name: name != main)[:_COLUMNS]
    rows = [(one, [one.metrics.get(name, math.nan) for name in shown]) for one in history.evaluations]
    return [shortened(name, LONGEST_NAME) for name in shown], rows, len(names) - len(shown)


def _environments(facts):
    """[(whose, rows)], one where the run says the same as the machine that makes the page."""
    trained, made = facts.trained_with, facts.made_with
    found = [('trained last', trained)] * bool(trained) + [('made this page', made)] * bool(made and made != trained)
    return [(whose, [(_cut(name), _cut(value)) for name, value in each.items()]) for whose, each in found]


def _sorted(metrics, main):
    """(name, number) of metrics, the main metric first."""
    return [(_cut(name), number(value)) for name, value in sorted(metrics.items(), key=lambda one: one[0] != main)]


def _tables(settings):
    """[(part, [(path, value), ...]), ...], the known parts first."""
    tables = []
    for part in sorted(settings, key=lambda part: _PARTS.index(part) if part in _PARTS else len(_PARTS)):
        value = settings[part]
        rows = list(flat(value).items()) if isinstance(value, dict) and value else [('', value)]
        shown = [(_cut(path), _cut(entry if isinstance(entry, str) else json.dumps(entry, ensure_ascii=False)))
                 for path, entry in rows[:_ROWS]]
        tables.append((_cut(part), shown + [('', f'and {len(rows) - _ROWS} more')] * (len(rows) > _ROWS)))
    return tables


def _cut(text):
    return shortened(text, _LONGEST)
