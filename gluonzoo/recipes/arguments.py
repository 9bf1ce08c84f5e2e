"""Types for argparse."""
import argparse
import re

__all__ = ['at_least', 'device_names']


def at_least(least, kind=int):
    """A number of at least `least`."""
    def number(text):
        value = kind(text)
        if not value >= least:
            raise argparse.ArgumentTypeError(f'must be at least {least}: {text}')
        return value
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
