"""Reads flags, such as difficult and iscrowd, as tools write them."""

__all__ = ['flag']

_WORDS = {'true': True, 't': True, 'yes': True, 'y': True, 'on': True,
          'false': False, 'f': False, 'no': False, 'n': False, 'off': False}


def flag(value):
    """Whether a flag is set; None if it cannot be told.

    It may be a bool, the number 0 or 1, such a number as text, or a word (true, yes, on, false, no, off, in lower or
    upper case). A flag without a value, which is None or blank text, is not set.
    """
    if value is None or value == '0':   # as nearly all are
        return False
    if isinstance(value, str):
        value = value.strip().lower()
        if value in _WORDS:
            return _WORDS[value]
        try:
            value = float(value) if value else 0
        except ValueError:
            return None
    return bool(value) if isinstance(value, (bool, int, float)) and value in (0, 1) else None
