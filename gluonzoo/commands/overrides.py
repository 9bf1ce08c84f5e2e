"""Settings by their paths: ``--set task.loss=pikachu --set fit.epochs=3``."""
import copy
import difflib
import inspect
import json

from ..optimizers import keywords_of
from ..registry import DATASETS, MODELS, TASKS, TRANSFORMS
from ..train.schedule import SCHEDULES
from ..train.settings import RULES
from ..values import check

__all__ = ['override', 'parse']


def parse(text):
    """'a.b=value' -> (['a', 'b'], value). A value is JSON; what is not JSON is a str."""
    path, sign, value = text.partition('=')
    if not sign or not path or not all(path.split('.')):
        raise ValueError(f'--set: must be PATH=VALUE, such as fit.epochs=3: {text!r}')
    try:
        return path.split('.'), json.loads(value, parse_constant=_refuse)   # NaN and Infinity, which JSON does not have
    except (ValueError, RecursionError):   # the last: brackets without end
        return path.split('.'), value


def _refuse(constant):
    raise ValueError(constant)


_NONE = inspect.Parameter.empty   # in place of a default: there is none


def override(settings, texts):
    """A copy of settings in which some are replaced.

    Known are the paths that are there, and what a named thing takes besides: ``task.flip`` is a keyword of the task.

    Parameters
    ----------
    settings : dict
    texts : sequence of str
        'PATH=VALUE'

    Raises ValueError that names the near paths for an unknown one, and for a value of another type.
    """
    settings = copy.deepcopy(settings)
    for text in texts:
        path, value = parse(text)
        place = settings
        for depth, key in enumerate(path):
            said = '.'.join(path[:depth + 1])
            if not isinstance(place, dict):
                raise ValueError(f'--set: {said}: unknown; {".".join(path[:depth])} is {place!r}')
            keywords = _keywords(path[:depth], place)
            known = {**keywords, **place}
            if key not in known:
                near = difflib.get_close_matches(key, known) or sorted(known)
                raise ValueError(f'--set: {said}: unknown; there are '
                                 + ', '.join('.'.join([*path[:depth], name]) for name in near))
            if depth < len(path) - 1:
                place = place.setdefault(key, None if known[key] is _NONE else copy.deepcopy(known[key]))
        rule = _rule(path, place)
        if rule is None or not rule.holds(value):   # a rule may allow several types
            _check_type('.'.join(path), known[key], value, nullable=keywords.get(key, _NONE) is None)
        if rule is not None:
            check(f'--set: {".".join(path)}', value, rule)
        place[path[-1]] = value
    return settings


def _keywords(path, specification):
    """What the named thing that is described at a path takes: name -> default, or _NONE."""
    if not isinstance(specification.get('name'), str):
        return {}
    registry = _registry(path)
    if registry is None:
        return {}
    if registry == 'optimizer':
        return {'no_decay': None, **_defaults(_known_keywords(specification['name']))}
    extra = {'weights': None, 'partial': False} if registry is MODELS else {}
    return {**extra, **_defaults(registry.signature(specification['name']).parameters)}


def _rule(path, specification):
    """The rule for what is at a path, of the dict that has or may have it; None where there is none."""
    *before, key = path
    if before in (['engine'], ['fit']):
        return RULES[before[0]].get(key)
    registry, name = _registry(before), specification.get('name')
    if registry in (None, 'optimizer') or not isinstance(name, str) or key not in registry.signature(name).parameters:
        return None
    return registry.rule(name, key)


def _defaults(parameters):
    return {name: parameter.default for name, parameter in parameters.items()}


def _registry(path):
    if path == ['task']:
        return TASKS
    if path in (['train_data'], ['val_data']):
        return DATASETS
    if path[-1:] == ['transform']:
        return TRANSFORMS
    if path[:2] == ['fit', 'schedule']:
        return SCHEDULES
    if path[:2] == ['task', 'optimizer']:
        return 'optimizer'
    return MODELS if path[:1] == ['task'] and len(path) == 2 else None


def _known_keywords(optimizer):
    try:
        return keywords_of(optimizer)
    except ValueError:   # the engine says it, when it makes the optimizer
        return {}


# Settings of no named thing that may be null, and what they are else.
_NULLABLE = {'fit.ema': float, 'engine.clip_norm': float, 'engine.kvstore': str, 'engine.amp': str}
_WORDS = {bool: 'true or false', int: 'a whole number', float: 'a number', str: 'a text', list: 'a list',
          dict: 'an object'}


def _check_type(path, before, value, nullable):
    """ValueError unless a value is of the type of the former one. (None, and no default, say nothing of the type.)"""
    kind = _NULLABLE.get(path, list if isinstance(before, tuple) else type(before))
    if value is None and (nullable or path in _NULLABLE):
        return
    fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    if kind is float:
        fits = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is int and path.split('.')[0] not in ('fit', 'engine'):   # 100 may mean 100.0, unless a rule says no
        fits = isinstance(value, (int, float)) and not isinstance(value, bool)
    if path.split('.')[-1] == 'path' and kind in (str, list):
        fits = isinstance(value, (str, list))   # of pairs: a folder, or two
    if kind in _WORDS and not fits:
        example = '' if before is None else f', as {before!r} is'
        raise ValueError(f'--set: {path}: must be {_WORDS[kind]}{example}: {value!r}')
