"""Types for argparse."""
import argparse


def at_least(least, kind=int):
    """A number of at least `least`."""
    def number(text):
        value = kind(text)
        if not value >= least:
            raise argparse.ArgumentTypeError(f'must be at least {least}: {text}')
        return value
    return number
