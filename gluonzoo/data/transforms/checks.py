"""Checks of the arguments that transforms share."""
from math import isfinite
from numbers import Real

import numpy as np

from ...reading import quoted
from ...values import MOST_COUNT, MOST_PIXELS

__all__ = ['are_numbers', 'count', 'mean_and_std', 'pixels', 'true_or_false']


def pixels(name, value, least=1):
    """`value` as an int. ValueError unless it is a whole number of pixels, from `least` to 65500."""
    return _whole(name, value, 'whole number of pixels', least, MOST_PIXELS)


def count(name, value):
    """`value` as an int. ValueError unless it is a whole number from 1 to 1000000."""
    return _whole(name, value, 'whole number', 1, MOST_COUNT)


def _whole(name, value, what, least, most):
    if isinstance(value, bool) or not isinstance(value, Real) or not value >= least or value % 1:
        raise ValueError(f'{name}: must be a {what}, at least {least}: {quoted(value)}')
    if value > most:
        raise ValueError(f'{name}: must be at most {most}: {quoted(value)}')
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
            raise ValueError(f'{name}: must be three {"positive " * (name == "std")}numbers: {quoted(values)}')
    return np.array(mean, dtype), np.array(std, dtype)


def are_numbers(values):
    """Whether it is a list, tuple or array of finite numbers."""
    return isinstance(values, (list, tuple, np.ndarray)) and all(
        isinstance(value, Real) and not isinstance(value, bool) and isfinite(value) for value in values)
