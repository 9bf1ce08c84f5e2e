"""Optimizers by name: gluonzoo's own where MXNet's depart from what is published, and MXNet's.

``{'name': 'adam'}`` in settings is :class:`Adam`, Adam as published. ``{'name': 'mxnet_adam'}`` is MXNet's form of it.
'sgdw' and 'adamw' are :class:`SGDW` and :class:`AdamW`. Every other name is MXNet's. MXNet's own registry stays as it
is: outside gluonzoo, 'adam' is MXNet's.
"""
import difflib
import inspect

import mxnet as mx

from ..reading import QUOTED, quoted
from ..values import MOST_FLOAT, NUMBER, Rule, check, nullable, number, rule_of
from .adam import Adam
from .decoupled import SGDW, AdamW

__all__ = ['SGDW', 'Adam', 'AdamW', 'create', 'keywords_of', 'optimizer_class']

_FLOAT = number(-MOST_FLOAT, MOST_FLOAT)   # MXNet's operators take no others
# Of keywords whose default does not say what they take.
_RULES = {
    'learning_rate': number(0, MOST_FLOAT),
    **dict.fromkeys(('clip_gradient', 'clip_weights', 'lower_bound', 'upper_bound'), nullable(_FLOAT)),
    'normalized_over': nullable(number(1, MOST_FLOAT)),
    'lr_scheduler': Rule('null, or a scheduler of MXNet', lambda value: value is None or isinstance(
        value, mx.lr_scheduler.LRScheduler))}
_OURS = {'adam': Adam, 'mxnet_adam': mx.optimizer.Adam, 'adamw': AdamW, 'sgdw': SGDW}


def optimizer_class(name):
    """The class that `name` stands for, in upper or lower case.

    A class that the user has registered with MXNet (``mx.optimizer.register``) comes first, then gluonzoo's, then
    MXNet's.

    Raises ValueError for an unknown name, naming the near ones.
    """
    registered = mx.optimizer.Optimizer.opt_registry
    key = name.lower() if isinstance(name, str) else ''
    found = registered.get(key)
    if key in _OURS and (found is None or found.__module__.startswith('mxnet.')):
        return _OURS[key]
    if found is None:
        known = sorted({*registered, *_OURS})
        near = difflib.get_close_matches(key[:QUOTED], known)
        raise ValueError(f'unknown optimizer {quoted(name)}; '
                         + (f'did you mean {" or ".join(near)}?' if near else f'known: {", ".join(known)}'))
    return found


def keywords_of(name):
    """What the optimizer `name` takes: keyword -> inspect.Parameter, those of its base classes too."""
    found = {}
    for base in optimizer_class(name).__mro__:
        for keyword, parameter in inspect.signature(base.__init__).parameters.items():
            if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY) and keyword != 'self':
                found.setdefault(keyword, parameter)
    return found


def create(name, **keywords):
    """The optimizer `name`, made with the keywords of its class.

    Raises ValueError for an unknown name or keyword, naming the near ones, and for a value that is not what the keyword
    takes.
    """
    known = keywords_of(name)
    for keyword, value in keywords.items():
        if keyword not in known:
            if not optimizer_class(name).__module__.startswith(('mxnet.', 'gluonzoo.')):
                continue   # one of the user's own may take it out of its **keywords
            near = difflib.get_close_matches(keyword[:QUOTED], known) or sorted(known)
            raise ValueError(f'{name} takes no {quoted(keyword)}; there are {", ".join(near)}')
        rule = _RULES.get(keyword) or rule_of(known[keyword], counts=False)
        rule = _FLOAT if rule is NUMBER else rule
        if rule is not None:
            check(keyword, value, rule)
    try:
        return optimizer_class(name)(**keywords)
    except (TypeError, ValueError, AttributeError, AssertionError) as error:   # as MXNet finds them
        raise ValueError(f'{name} with {quoted(keywords)}: {error}') from error
