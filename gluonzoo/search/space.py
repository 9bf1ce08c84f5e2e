"""Which settings are searched, each by its path with the values that it may have, and under which condition.

::

    task.optimizer.learning_rate = loguniform(1e-4, 1)
    task.loss = choice(cross_entropy, ghm_c)
    task.ghm.bins = int(5, 30) if task.loss == ghm_c
    task.mixup = choice(0, 0.2, 1.0) if task.loss == cross_entropy

A condition is about another setting that is searched. The range counts only in trials in which that one has one of the
values; in others the setting is the recipe's. Texts are parsed, and nothing in them is executed.
"""
import json
import re
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple, Optional

from ..reading import quoted, read_lines
from .distributions import make, same

__all__ = ['Condition', 'Parameter', 'Space', 'read_file', 'set_words']

_HEAD = re.compile(r'(?P<path>[^=\s(]+)\s*=\s*(?P<kind>\w+)\s*\(')
_CONDITION = re.compile(r'if\s+(?P<path>[^=\s]+?)\s*(?P<sign>==|\bin\b)\s*')
_WORD = re.compile(r'[^\s,()\[\]{}"]+')
_BLANKS = re.compile(r'\s*')
_FORM = "must be like 'fit.batch_size=choice(8, 16)'"


class Condition(NamedTuple):
    """Holds if the setting `path` has one of `values`."""
    path: str
    values: list

    def holds(self, values):
        """Whether it holds for values, dict of path -> value. A setting without a value is as none of them."""
        return self.path in values and any(same(values[self.path], value) for value in self.values)

    @property
    def text(self):
        if len(self.values) == 1:
            return f'{self.path}=={json.dumps(self.values[0])}'
        return f'{self.path} in {json.dumps(self.values)}'


class Parameter(NamedTuple):
    """A setting that is searched."""
    path: str
    distribution: object
    condition: Optional[Condition]
    where: str
    """in a file or among the arguments, for messages"""

    @property
    def text(self):
        """The line that says it, in one form."""
        return f'{self.path}={self.distribution.text}' + (f' if {self.condition.text}' if self.condition else '')


class Space:
    """All that is searched. Parameters are in an order in which a condition comes after what it is about.

    Parameters
    ----------
    lines : sequence of (str, str)
        where a line is from, for messages, and its text

    Raises ValueError in one line for a line that is wrong, a setting that is there twice, and a condition that can
    never hold, is about a setting that is not searched, or goes in a circle.
    """

    def __init__(self, lines):
        found = {}
        for where, text in lines:
            parameter = _parse(where, text)
            if parameter.path in found:
                raise ValueError(f'{where}: {parameter.path}: is there twice')
            found[parameter.path] = parameter
        if not found:
            raise ValueError("--space: says nothing to search; such as --space 'fit.batch_size=choice(8, 16)'")
        for parameter in found.values():
            _check_condition(parameter, found)
        self.parameters = _ordered(found)

    @property
    def paths(self):
        return [parameter.path for parameter in self.parameters]

    @property
    def texts(self):
        """The lines in one form and order: equal for equal spaces."""
        return sorted(parameter.text for parameter in self.parameters)

    def suggest(self, trial):
        """The values of an Optuna trial, which takes those that it does not have yet: dict of path -> value."""
        values = {}
        for parameter in self.parameters:
            if parameter.condition is None or parameter.condition.holds(values):
                values[parameter.path] = parameter.distribution.suggest(trial, parameter.path)
        return values

    def check(self, settings_with):
        """ValueError for a path that names no setting, and for a value that the setting's rule refuses.

        Both ends of each range are tried, and all choices.

        Parameters
        ----------
        settings_with : function of a list of str
            such as ``['fit.batch_size=8']``, which raises ValueError for what is wrong, as
            :func:`gluonzoo.commands.overrides.override` does
        """
        for parameter in self.parameters:
            for values in self._examples(parameter):
                try:
                    settings_with(set_words(values))
                except ValueError as error:
                    said = str(error)
                    said = said[len('--set: '):] if said.startswith('--set: ') else said
                    raise ValueError(f'{parameter.where}: {said}') from error

    def corners(self):
        """Two whole trials, with the first and the last of all ends: dicts of path -> value."""
        return [self._whole({}, end) for end in (0, -1)]

    def wholes(self):
        """Whole trials, one with each end of each range: dicts of path -> value. The other settings have their first
        ends.
        """
        found = []
        for parameter in self.parameters:
            for example in self._examples(parameter):
                whole = self._whole(example, 0)
                if whole not in found:
                    found.append(whole)
        return found

    def _whole(self, fixed, end):
        values = {}
        for parameter in self.parameters:
            if parameter.condition is None or parameter.condition.holds(values):
                values[parameter.path] = fixed.get(parameter.path, parameter.distribution.ends[end])
        return values

    def _examples(self, parameter):
        for needed in self._needed(parameter.condition):
            for value in parameter.distribution.ends:
                yield {**needed, parameter.path: value}

    def _needed(self, condition):
        """What makes a condition hold: dicts of path -> value, one for each of its values."""
        if condition is None:
            return [{}]
        other = next(one for one in self.parameters if one.path == condition.path)
        before = self._needed(other.condition)[0]
        return [{**before, other.path: value} for value in condition.values]


def set_words(values):
    """Values, dict of path -> value, as ``--set`` takes them: list of 'PATH=VALUE'."""
    return [f'{path}={json.dumps(value)}' for path, value in values.items()]


def read_file(path):
    """The lines of a file, for :class:`Space`. A line that begins with # is a comment."""
    return [(f'{path}:{number}', line) for number, line in read_lines(path) if not line.startswith('#')]


def _parse(where, text):
    """The parameter that a line says."""
    head = _HEAD.match(text.strip())
    if not head or not all(head['path'].split('.')):
        raise ValueError(f'{where}: {_FORM}: {quoted(text)}')
    text, path = text.strip(), head['path']
    try:
        values, at = _values(text, head.end(), ')')
        distribution = make(head['kind'], values)
        return Parameter(path, distribution, _condition(text, at), where)
    except ValueError as error:
        raise ValueError(f'{where}: {path}: {error}') from None


def _condition(text, at):
    at = _BLANKS.match(text, at).end()
    if at == len(text) or text[at] == '#':
        return None
    match = _CONDITION.match(text, at)
    if not match:
        raise ValueError(f"after the range may stand 'if PATH==VALUE' or 'if PATH in [VALUES]' alone: "
                         f'{quoted(text[at:])}')
    at = match.end()
    if match['sign'] == '==':
        value, at = _value(text, at)
        values = [value]
    else:
        if text[at:at + 1] != '[':
            raise ValueError(f"after 'in' must stand [VALUES]: {quoted(text[at:])}")
        values, at = _values(text, at + 1, ']')
    at = _BLANKS.match(text, at).end()
    if at < len(text) and text[at] != '#':
        raise ValueError(f'after the condition stands more: {quoted(text[at:])}')
    if not values:
        raise ValueError(f'the condition on {match["path"]} has no values')
    return Condition(match['path'], values)


def _values(text, at, end):
    """(the values from `at` up to the letter `end`, the place after it)"""
    values = []
    at = _BLANKS.match(text, at).end()
    while text[at:at + 1] != end:
        value, at = _value(text, at)
        values.append(value)
        at = _BLANKS.match(text, at).end()
        if text[at:at + 1] == ',':
            at = _BLANKS.match(text, at + 1).end()
        elif text[at:at + 1] != end:
            raise ValueError(f"needs , or {end} here: {quoted(text[at:])}")
    return values, at + 1


def _refuse(constant):
    raise ValueError(constant)


_DECODER = json.JSONDecoder(parse_constant=_refuse)   # NaN and Infinity, which JSON does not have


def _value(text, at):
    """(the value at a place, the place after it). A word that is not JSON is a text."""
    try:
        value, end = _DECODER.raw_decode(text, at)
        if end == len(text) or text[end] in ',)] \t':
            return value, end
    except (ValueError, RecursionError):   # the last: brackets without end
        pass
    word = _WORD.match(text, at)
    if not word:
        raise ValueError(f'a value is missing: {quoted(text[at:])}')
    return word[0], word.end()


def _check_condition(parameter, found):
    condition = parameter.condition
    if condition is None:
        return
    said = f'{parameter.where}: {parameter.path}: the condition on {condition.path}'
    if condition.path not in found:
        raise ValueError(f'{said} needs that setting to be searched, too; there are {", ".join(sorted(found))}')
    other = found[condition.path].distribution
    if not other.countable:
        raise ValueError(f'{said} needs a choice, an int or a quniform, not {other.text}')
    for value in condition.values:
        if not other.has(value):
            raise ValueError(f'{said} never holds: {json.dumps(value)} is not in {other.text}')


def _ordered(found):
    """Conditions after what they are about, and parts of a setting after the whole; else as they were given."""
    before = {path: [other for other in found if path.startswith(f'{other}.')] for path in found}
    for path, parameter in found.items():
        if parameter.condition:
            before[path].append(parameter.condition.path)
    try:
        return [found[path] for path in TopologicalSorter(before).static_order()]
    except CycleError as error:
        first, *others = error.args[1][::-1]
        raise ValueError(f'{found[first].where}: conditions go in a circle: '
                         f'{" depends on ".join([first, *others])}') from None
