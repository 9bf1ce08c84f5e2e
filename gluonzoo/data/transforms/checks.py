"""Checks of the arguments that transforms share."""
from math import isfinite
from numbers import Real

import numpy as np

__all__ = ['are_numbers', 'count', 'mean_and_std', 'pixels', 'true_or_false']


def pixels(name, value, least=1):
    """`value` as an int. ValueError unless it is a whole number of at least `least` pixels."""
    return _whole(name, value, 'whole number of pixels', least)


def count(name, value):
    """`value` as an int. ValueError unless it is a whole number, at least 1."""
    return _whole(name, value, 'whole number', 1)


def _whole(name, value, what, least):
    if isinstance(value, bool) or not isinstance(value, Real) or value != value // 1 or value < least:
        raise ValueError(f'{name}: must be a {what}, at least {least}: {value!r}')
    return int(value)


def true_or_false(name, value):
    """`value`. ValueError unless it is True or False."""
    if not isinstance(value, bool):
        raise ValueError(f'{name}: must be true or false: {value!r}')
    return value


def mean_and_std(mean, std, dtype):
    """Both as arrays [3]. ValueError unless they are three finite numbers each, those of `std` above 0."""
    for name, values in (('mean', mean), ('std', std)):
        if not are_numbers(values) or len(values) != 3 or name == 'std' and min(values) <= 0:
            raise ValueError(f'{name}: must be three {"positive " * (name == "std")}numbers: {values}')
    return np.array(mean, dtype), np.array(std, dtype)


def are_numbers(values):
    """Whether it is a list, tuple or array of finite numbers."""
    return isinstance(values, (list, tuple, np.ndarray)) and all(
        isinstance(value, Real) and not isinstance(value, bool) and isfinite(value) for value in values)
