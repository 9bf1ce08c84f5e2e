"""Rules for values of settings: what a value must be, in words and as a check.

A rule annotates a parameter of what a registry makes: ``def dsod300(classes: COUNT = 20)``. The registry checks values
by it. Where nothing is annotated, the default says the type.

>>> check('classes', 2, COUNT)
>>> check('classes', 2.5, COUNT)
Traceback (most recent call last):
ValueError: classes: must be a whole number from 1 to 1000000: 2.5
"""
import math
import os
from numbers import Integral, Real
from typing import Callable, NamedTuple

from .reading import quoted

__all__ = ['COUNT', 'COUNTS', 'DEPTH', 'DEPTHS', 'EVEN', 'LIST', 'MOST_COUNT', 'MOST_FLOAT', 'MOST_PIXELS', 'NAMED',
           'NAMES', 'NUMBER', 'NUMBERS', 'OBJECT', 'PATH', 'PATHS', 'SIDE', 'TEXT', 'TRUE_OR_FALSE', 'WHOLE', 'Rule',
           'check', 'list_of', 'nullable', 'number', 'power_of_two', 'rule_of', 'same_kind', 'whole']


class Rule(NamedTuple):
    """What a value must be."""
    words: str
    """'a whole number, at least 1'"""
    holds: Callable
    """of a value -> bool"""

    def __repr__(self):
        return self.words


def check(name, value, rule):
    """ValueError that names the value and the rule, unless the value is as the rule says."""
    if not rule.holds(value):
        raise ValueError(f'{name}: must be {rule.words}: {quoted(value)}')


def whole(least=-math.inf, most=math.inf):
    """The rule for whole numbers in a range."""
    return Rule(f'a whole number{_range(least, most)}', lambda value: _is_whole(value) and least <= value <= most)


def number(least=-math.inf, most=math.inf):
    """The rule for finite numbers in a range."""
    return Rule(f'a number{_range(least, most)}', lambda value: _is_number(value) and least <= value <= most)


def list_of(rule, words, least=0):
    """The rule for lists of `least` or more values, each as `rule` says; `words` name them: 'names'."""
    return Rule(f'a list of {words}' if not least else f'a list of {least} or more {words}',
                lambda value: _is_list(value) and len(value) >= least and all(map(rule.holds, value)))


def power_of_two(least, most):
    """The rule for powers of 2 in a range."""
    return Rule(f'a power of 2 from {least} to {most}',
                lambda value: _is_whole(value) and least <= value <= most and value & (value - 1) == 0)


def nullable(rule):
    """The rule that takes None, too."""
    return Rule(f'{rule.words}, or null', lambda value: value is None or rule.holds(value))


def _range(least, most):
    if most < math.inf:
        return f' from {least} to {most}'
    return f', at least {least}' if least > -math.inf else ''


def _is_whole(value):
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_number(value):
    try:
        return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:   # a whole number beyond all floats
        return False


def _is_list(value):
    return isinstance(value, (list, tuple)) or hasattr(value, '__array__') and getattr(value, 'ndim', 0) == 1


def _is_path(value):
    return isinstance(value, (str, os.PathLike)) and '\0' not in os.fspath(value) and len(os.fspath(value)) < 4096


_MOST_LETTERS = 1000   # a message may quote a text
WHOLE = whole()
MOST_FLOAT = 3.4e38   # of 32 bits
MOST_COUNT, MOST_PIXELS = 10 ** 6, 65500
COUNT = whole(1, MOST_COUNT)   # of channels, classes ...: products of some of them still fit MXNet's numbers
DEPTH = whole(1, 1000)      # of layers, each of which takes time to make
SIDE = whole(1, MOST_PIXELS)     # pixels of an image, as a JPEG can have
EVEN = Rule('an even number from 2 to 1000000', lambda value: COUNT.holds(value) and value % 2 == 0)
NUMBER = number()
TRUE_OR_FALSE = Rule('true or false', lambda value: type(value).__name__ in ('bool', 'bool_'))   # the latter is NumPy's
TEXT = Rule(f'a text of up to {_MOST_LETTERS} letters', lambda value: isinstance(value, str)
            and len(value) <= _MOST_LETTERS)
OBJECT = Rule('an object', lambda value: isinstance(value, dict))
NAMED = Rule("an object with a 'name'",
             lambda value: isinstance(value, dict) and isinstance(value.get('name'), str))
LIST = Rule('a list', _is_list)
NUMBERS = list_of(NUMBER, 'numbers')
COUNTS, DEPTHS = (list_of(rule, 'numbers, each ' + rule.words, 1) for rule in (COUNT, DEPTH))
NAMES = list_of(TEXT, 'names', 1)
PATH = Rule('a path', _is_path)
PATHS = Rule('a path, or a list of two', lambda value: _is_path(value) or (
    _is_list(value) and len(value) == 2 and all(map(_is_path, value))))


def rule_of(parameter, counts=True):
    """The rule for a parameter of a signature: its annotation, if that is a rule, or what its default says; or None.

    Parameters
    ----------
    parameter : inspect.Parameter
    counts : bool
        whether a default such as 100 means whole numbers; otherwise it may mean 100.0
    """
    default = parameter.default
    rule = parameter.annotation if isinstance(parameter.annotation, Rule) else same_kind(default, counts)
    return nullable(rule) if rule is not None and default is None else rule


def same_kind(value, counts=True):
    """The rule for values of the kind of a given one; None where it says nothing of the kind."""
    if isinstance(value, bool):
        return TRUE_OR_FALSE
    if _is_whole(value):
        return WHOLE if counts else NUMBER
    if isinstance(value, (list, tuple)):
        return NUMBERS if value and all(map(_is_number, value)) else LIST
    return next((rule for kind, rule in ((Real, NUMBER), (str, TEXT), (dict, OBJECT)) if isinstance(value, kind)), None)
