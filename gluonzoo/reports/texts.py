"""Texts and numbers of a run as a page shows them."""
import math

from ..reading import without_controls

__all__ = ['number', 'readable', 'shortened']


def readable(value):
    """A text without control characters. Other values are left as they are."""
    if not isinstance(value, str) or hasattr(value, '__html__'):   # the latter is markup of the page's own
        return value
    return without_controls(value)


def shortened(text, most):
    """A text of at most `most` letters, and, if it has been cut off, how many it had."""
    text = str(text)
    return text if len(text) <= most else f'{text[:most]} … ({len(text)} letters)'


def number(value):
    """A number as people read it: four digits that count."""
    return f'{value:.4g}' if math.isfinite(value) else 'not a number' if math.isnan(value) else str(value)
