"""The values that a searched setting may have, written as ``loguniform(1e-4, 1)``.

================================  ==================================================================================
``uniform(low, high)``            a number from low to high
``loguniform(low, high)``         the same; its logarithm is uniform. For what matters by its order of magnitude
``quniform(low, high, step)``     low, low + step ... up to high
``int(low, high[, step])``        a whole number from low to high, both among them
``choice(a, b, ...)``             one of these. Values are JSON; a word that is not JSON is a text, as with ``--set``
================================  ==================================================================================
"""
import difflib
import json
import math
from decimal import Decimal

from ..reading import quoted

__all__ = ['KINDS', 'Choice', 'Int', 'Steps', 'Uniform', 'make', 'same']

_MOST = 2 ** 53   # the database keeps numbers as floats of 64 bits


class Uniform:
    """A number from `low` to `high`, or with `log` one whose logarithm is uniform.

    Attributes
    ----------
    ends : list
        values that a setting must take so that it can take all: the two ends; of choices every one
    text : str
        the distribution as it is written
    """

    countable = False   # whether it can be said that it has a certain value

    def __init__(self, low, high, log=False):
        low, high = float(low), float(high)
        if log and low <= 0:
            raise ValueError(f'a logarithm needs a low end above 0: {low:g}')
        _require_range(low, high)
        self.log, self.ends = log, [low, high]
        self.text = f'{"loguniform" if log else "uniform"}({low!r}, {high!r})'

    def suggest(self, trial, name):
        """The value that an Optuna trial has under this name, or takes now."""
        return trial.suggest_float(name, *self.ends, log=self.log)


class Steps:
    """`low`, `low` + `step` ... up to `high`."""

    countable = True

    def __init__(self, low, high, step):
        _require_range(low, high, step)
        if (high - low) / step > _MOST:
            raise ValueError(f'has too many values: the step is {step:g}')
        self._low, self._step = Decimal(str(low)), Decimal(str(step))   # 0.1 is a tenth here
        count = int((Decimal(str(high)) - self._low) // self._step)
        if not count:
            raise ValueError(f'has one value alone, {low:g}: the step {step:g} is longer than the range')
        self.ends = [float(low), self._value(count)]
        self.text = f'quniform({self.ends[0]!r}, {self.ends[1]!r}, {float(step)!r})'

    def suggest(self, trial, name):
        value = trial.suggest_float(name, *self.ends, step=float(self._step))
        return self._value(self._count(value))

    def has(self, value):
        return _is_number(value) and self.ends[0] <= value <= self.ends[1] and value == self._value(self._count(value))

    def _count(self, value):
        return round((value - float(self._low)) / float(self._step))

    def _value(self, count):
        return float(self._low + count * self._step)


class Int:
    """A whole number from `low` to `high`, in steps."""

    countable = True

    def __init__(self, low, high, step=1):
        for value in low, high, step:
            if not isinstance(value, int) or abs(value) > _MOST:
                raise ValueError(f'must have whole numbers, at most 2**53: {quoted(value)}')
        _require_range(low, high, step)
        high = low + (high - low) // step * step
        if low == high:
            raise ValueError(f'has one value alone, {low}: the step {step} is longer than the range')
        self._step, self.ends = step, [low, high]
        self.text = f'int({low}, {high}, {step})'

    def suggest(self, trial, name):
        return trial.suggest_int(name, *self.ends, step=self._step)

    def has(self, value):
        return _is_number(value) and self.ends[0] <= value <= self.ends[1] and (value - self.ends[0]) % self._step == 0


class Choice:
    """One of some values, which JSON can hold."""

    countable = True

    def __init__(self, values):
        if len(values) < 2:
            raise ValueError('needs two values or more')
        for number, value in enumerate(values):
            if any(same(value, other) for other in values[:number]):
                raise ValueError(f'has {quoted(value)} twice')
        self.ends = values
        self._texts = [_text_of(value) for value in values]
        self.text = f'choice({", ".join(self._texts)})'

    def suggest(self, trial, name):
        # As texts: to Optuna, 1, 1.0 and true would be the same.
        return json.loads(trial.suggest_categorical(name, self._texts))

    def has(self, value):
        return any(same(value, one) for one in self.ends)


def same(a, b):
    """Whether two values of JSON are the same. 1 and 1.0 are, 1 and true are not."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    return a == b


def _text_of(value):
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError:
        raise ValueError(f'must have finite numbers: {quoted(value)}') from None


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _require_range(low, high, step=None):
    if low > high:
        raise ValueError(f'is empty: its low end {low:g} is above its high end {high:g}')
    if low == high:
        raise ValueError(f'has one value alone, {low:g}: --set says it')
    if not math.isfinite(float(high) - float(low)):
        raise ValueError(f'is longer than numbers can say: {low:g} to {high:g}')
    if step is not None and step <= 0:
        raise ValueError(f'needs a step above 0: {step:g}')


def _numbers(values):
    """Numbers as JSON has them, and as Python has them besides, such as .5; finite ones."""
    found = []
    for value in values:
        number = value
        if isinstance(value, str):
            try:
                number = float(value)
            except ValueError:
                pass
        try:
            finite = _is_number(number) and math.isfinite(number)
        except OverflowError:   # a whole number beyond all floats
            finite = False
        if not finite:
            raise ValueError(f'must have finite numbers: {quoted(value)}')
        found.append(number)
    return found


# kind -> (of a list of values -> distribution, how many values it takes, and their names)
KINDS = {
    'uniform': (lambda values: Uniform(*_numbers(values)), (2,), 'low, high'),
    'loguniform': (lambda values: Uniform(*_numbers(values), log=True), (2,), 'low, high'),
    'quniform': (lambda values: Steps(*_numbers(values)), (3,), 'low, high, step'),
    'int': (lambda values: Int(*_numbers(values)), (2, 3), 'low, high[, step]'),
    'choice': (Choice, None, 'a, b, ...'),
}


def make(kind, values):
    """The distribution of a kind with these values. ValueError, which begins with the kind, for what is wrong."""
    if kind not in KINDS:
        near = difflib.get_close_matches(kind, KINDS) or KINDS
        raise ValueError(f'unknown distribution {quoted(kind)}; there are {", ".join(near)}')
    maker, counts, names = KINDS[kind]
    if counts and len(values) not in counts:
        raise ValueError(f'{kind}({names}): has {len(values)} value(s)')
    try:
        return maker(values)
    except ValueError as error:
        raise ValueError(f'{kind}: {error}') from None
