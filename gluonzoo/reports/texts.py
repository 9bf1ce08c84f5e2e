"""Texts and numbers of a run as a page shows them."""
import math

__all__ = ['number', 'readable', 'shortened']


def readable(value):
    """A text without control characters, which could exchange the order of letters. Other values are left as they are.
    """
    if not isinstance(value, str) or hasattr(value, '__html__'):   # the latter is markup of the page's own
        return value
    return ''.join(letter if letter.isprintable() or letter == '\n' else repr(letter)[1:-1] for letter in value)


def shortened(text, most):
    """A text of at most `most` letters, and, if it has been cut off, how many it had."""
    text = str(text)
    return text if len(text) <= most else f'{text[:most]} … ({len(text)} letters)'


def number(value):
    """A number as people read it: four digits that count."""
    return f'{value:.4g}' if math.isfinite(value) else 'not a number' if math.isnan(value) else str(value)
