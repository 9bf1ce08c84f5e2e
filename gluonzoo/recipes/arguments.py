"""Types for argparse."""
import argparse
import math
import re

__all__ = ['at_least', 'between', 'checksum', 'device_names', 'fraction', 'part_below_1', 'positive']


def _number(kind, good, rule):
    def number(text):
        value = kind(text)
        if abs(value) == math.inf:   # whole numbers may be too large for math.isinf
            raise argparse.ArgumentTypeError(f'must be finite: {text}')
        if not good(value):   # NaN is not
            raise argparse.ArgumentTypeError(f'must be {rule}: {text}')
        return value
    return number


def at_least(least, kind=int):
    """A number of at least `least`."""
    return _number(kind, lambda value: value >= least, f'at least {least}')


def between(least, most):
    """A whole number from `least` to `most`."""
    return _number(int, lambda value: least <= value <= most, f'{least} to {most}')


fraction = _number(float, lambda value: 0 < value < 1, 'between 0 and 1')
positive = _number(float, lambda value: value > 0, 'above 0')
part_below_1 = _number(float, lambda value: 0 <= value < 1, 'from 0 to below 1')


def checksum(digits):
    """A checksum of so many hexadecimal digits, in small letters."""
    def number(text):
        if not re.fullmatch(f'[0-9a-fA-F]{{{digits}}}', text):
            raise argparse.ArgumentTypeError(f'must be {digits} hexadecimal digits: {text}')
        return text.lower()
    return number


def device_names(text):
    """'cpu', 'gpu', 'gpu:0,gpu:1' -> list of str as MXNet writes devices: 'cpu(0)', 'gpu(1)'."""
    found = []
    for name in text.split(','):
        match = re.fullmatch(r'(cpu|gpu)(?::(\d+))?', name)
        if not match:
            raise argparse.ArgumentTypeError(f'must be like cpu, gpu:0 or gpu:0,gpu:1: {text!r}')
        found.append(f'{match[1]}({int(match[2] or 0)})')
    return found
