"""Optimizers by name: gluonzoo's own where MXNet's depart from what is published, and MXNet's.

``{'name': 'adam'}`` in settings is :class:`Adam`, Adam as published. ``{'name': 'mxnet_adam'}`` is MXNet's form of it.
Every other name is MXNet's. MXNet's own registry stays as it is: outside gluonzoo, 'adam' is MXNet's.
"""
import difflib

import mxnet as mx

from .adam import Adam

__all__ = ['Adam', 'create', 'optimizer_class']

_OURS = {'adam': Adam, 'mxnet_adam': mx.optimizer.Adam}


def optimizer_class(name):
    """The class that `name` stands for, in upper or lower case.

    A class that the user has registered with MXNet (``mx.optimizer.register``) comes first, then gluonzoo's, then
    MXNet's.

    Raises ValueError for an unknown name, naming the near ones.
    """
    registered = mx.optimizer.Optimizer.opt_registry
    key = str(name).lower()
    found = registered.get(key)
    if key in _OURS and (found is None or found.__module__.startswith('mxnet.')):
        return _OURS[key]
    if found is None:
        known = sorted({*registered, *_OURS})
        near = difflib.get_close_matches(key, known)
        raise ValueError(f'unknown optimizer {name!r}; '
                         + (f'did you mean {" or ".join(near)}?' if near else f'known: {", ".join(known)}'))
    return found


def create(name, **keywords):
    """The optimizer `name`, made with the keywords of its class."""
    return optimizer_class(name)(**keywords)
