"""How many turns a critic has for one of the generator."""
import bisect

from ...values import Rule, check, whole

__all__ = ['STEPS', 'CriticSteps']

_STEPS = whole(1, 10 ** 6)
STEPS = Rule(f'{_STEPS.words}, or an object', lambda value: _STEPS.holds(value) or isinstance(value, dict))
_KEYS = {'usual': _STEPS, 'more': _STEPS, 'first': whole(0, 10 ** 9), 'every': _STEPS}


class CriticSteps:
    """Says after which steps of a training the generator has a turn. In every step, the critic has one.

    Parameters
    ----------
    steps : int, or dict
        turns of the critic for an update of the generator. As a dict, ``{'usual': 5, 'more': 100, 'first': 25, 'every':
        500}``: 5, but 100 for each of the first 25 updates and for every 500th one (the updates 0, 500, 1000 ...), as
        the official code of WGAN has it. 'every' may be left out.

    Raises ValueError for values that are not as said.
    """

    def __init__(self, steps):
        if not isinstance(steps, dict):
            check('critic_steps', steps, _STEPS)
            steps = {'usual': steps, 'more': steps, 'first': 0}
        for key in ('usual', 'more', 'first'):
            if key not in steps:
                raise ValueError(f"critic_steps: must be a whole number, or have 'usual', 'more' and 'first': {steps}")
        for key, value in steps.items():
            if key not in _KEYS:
                raise ValueError(f'critic_steps: must have {", ".join(map(repr, _KEYS))} alone: {steps}')
            check(f'critic_steps.{key}', value, _KEYS[key])
        self._usual, self._more, self._first = steps['usual'], steps['more'], steps['first']
        self._every = steps.get('every')

    def updates(self, steps):
        """How many updates the generator has had after so many steps."""
        return bisect.bisect_right(_Ends(self), steps, 1, steps + 1) - 1   # an update takes a step or more

    def steps(self, updates):
        """After how many steps the generator has had so many updates."""
        often = min(updates, self._first)
        if self._every and updates > self._first:
            often += (updates - 1) // self._every - (self._first - 1) // self._every
        return self._usual * updates + (self._more - self._usual) * often


class _Ends:
    """A sequence for bisect: the number of steps that end with each update."""

    def __init__(self, critic):
        self._critic = critic

    def __getitem__(self, update):
        return self._critic.steps(update)
