"""What the methods of a task must return: checked wherever a task is used, so that a mistake is named by the method."""
import functools
import inspect
import json

import mxnet as mx
import numpy as np

from ..reading import quoted
from ..values import NUMBER
from .curves import Curves

__all__ = ['TaskError', 'Undefined', 'checks_returns']


class TaskError(ValueError):
    """A task does not keep what :class:`~gluonzoo.tasks.Task` promises. The message is one line."""


class Undefined(TaskError, NotImplementedError):
    """A task lacks a method that is needed."""


def checks_returns(cls):
    """Has the methods that a subclass of Task defines check what they return."""
    for name, (words, holds) in _RETURNS.items():
        if inspect.isfunction(cls.__dict__.get(name)):   # no staticmethod, which has no `self`
            setattr(cls, name, _checking(cls.__dict__[name], name, words, holds))


def _checking(method, name, words, holds):
    @functools.wraps(method)
    def checking(self, *args, **kwargs):
        found = method(self, *args, **kwargs)
        if not holds(found, *args, *kwargs.values()):
            raise TaskError(f'{type(self).__name__}.{name}: must return {words}: {_told(found)}')
        return found
    return checking


def _told(value):
    if isinstance(value, (np.ndarray, mx.nd.NDArray)):
        return f'{type(value).__name__} {list(value.shape)} of {np.dtype(value.dtype)}'
    return ' '.join(quoted(value).split())   # arrays in it have lines


def _is_dict_of(holds):
    return lambda found, *_: isinstance(found, dict) and all(
        isinstance(name, str) and holds(value) for name, value in found.items())


def _is_number(value):
    return isinstance(value, (float, np.floating)) or NUMBER.holds(value)   # NaN too, as of a measure without objects


def _is_scalar(value):
    return isinstance(value, mx.nd.NDArray) and value.size == 1


def _is_picture(value, *_):
    return isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.ndim == 3 and value.shape[2] == 3


def _is_line(value):
    return isinstance(value, np.ndarray) and value.ndim == 2 and value.shape[1] == 2 and value.dtype.kind == 'f'


def _are_curves(value, *_):
    return (isinstance(value, Curves) and isinstance(value.x, str) and isinstance(value.y, str)
            and _is_dict_of(_is_line)(value.lines))


def _is_json(value, *_):
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return isinstance(value, dict)


def _are_shapes(found, *_):
    return isinstance(found, (list, tuple)) and all(
        isinstance(shape, (list, tuple)) and all(isinstance(side, (int, np.integer)) and side > 0 for side in shape)
        for shape in found)


def _fits(found, images=(), *_):
    return isinstance(found, (list, tuple, np.ndarray)) and len(found) == len(images)


def _are_pictures(count):
    """`count` of the arguments of the method -> their number."""
    return lambda found, *arguments: isinstance(found, (list, tuple)) and len(found) == count(arguments) \
        and all(map(_is_picture, found))


_PICTURE = 'an RGB picture, a NumPy array uint8 [H, W, 3]'
_RETURNS = {
    'input_shapes': ('a list of shapes, tuples of whole numbers above 0', _are_shapes),
    'train_step': ('a dict of name -> NDArray of one number', _is_dict_of(_is_scalar)),
    'evaluate': ('a dict of name -> number', _is_dict_of(_is_number)),
    'predict': ('a list with one result for each image', _fits),
    'sample': (f'a list of as many pictures as are asked for, each {_PICTURE}', _are_pictures(lambda a: a[0])),
    'walk': (f'a list of as many pictures as are asked for, each {_PICTURE}', _are_pictures(lambda a: a[2])),
    'draw': (_PICTURE, _is_picture),
    'picture': (_PICTURE, _is_picture),
    'describe': ('a dict that JSON can hold', _is_json),
    'views': (f'a dict of name -> {_PICTURE}', _is_dict_of(_is_picture)),
    'evaluation_pictures': (f'a dict of name -> {_PICTURE}', _is_dict_of(_is_picture)),
    'evaluation_curves': ('a dict of title -> Curves, whose lines are NumPy arrays float [n, 2]',
                          _is_dict_of(_are_curves)),
}
