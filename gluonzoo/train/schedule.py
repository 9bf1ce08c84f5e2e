"""Learning rates over the steps of a training, as pure functions of the step.

A schedule is a function of the number of updates made so far, 0 before the first. It returns a factor, with which the
learning rate of a trainer is multiplied. So one schedule serves trainers with different rates. Trainers may also have
schedules of their own: :class:`LearningRates`.

All step numbers in a specification count from the start of the training, with or without a warm-up.

>>> rate = create({'name': 'step', 'milestones': [60000, 80000], 'factor': 0.1, 'warmup': 1000})
>>> [rate(step) for step in (0, 500, 1000, 60000)]
[0.0, 0.5, 1.0, 0.1]
"""
import math

from ..reading import quoted
from ..registry import Registry
from ..values import LIST, OBJECT, WHOLE, check
from .settings import setting_of

__all__ = ['create', 'names', 'constant', 'step', 'linear', 'cosine', 'LearningRates']

SCHEDULES = Registry('schedule')


def create(specification):
    """The schedule that a JSON-able dict describes: its 'name', and the keywords of the function of that name below.

    Raises ValueError for an unknown name or keyword, naming the near ones, and for values that make no schedule.
    """
    if not isinstance(specification, dict) or 'name' not in specification:
        raise ValueError(f"a schedule needs a 'name', one of {', '.join(names())}: {quoted(specification)}")
    return SCHEDULES.create(**specification)


def names():
    """The names of the schedules, sorted."""
    return SCHEDULES.names()


@SCHEDULES.register
def constant(*, warmup=0, warmup_from=0.0, warmup_power=1.0):
    """1 throughout.

    Parameters
    ----------
    warmup : int
        in the first `warmup` steps the rate rises, from `warmup_from` at step 0 to its value at step `warmup`
    warmup_from : float
        the factor at step 0, from 0 to 1
    warmup_power : float
        the rate rises as (step / warmup) to this power: 1 is linear; 4 is darknet's burn-in, slow at first. Above 0, at
        most 100
    """
    return _warm_up(lambda step: 1.0, warmup, warmup_from, warmup_power)


@SCHEDULES.register
def step(*, milestones: LIST, factor=0.1, warmup=0, warmup_from=0.0, warmup_power=1.0):
    """Multiplied by `factor` at each of the `milestones` (steps, rising). Warm-up as in :func:`constant`."""
    milestones = list(milestones)
    if not all(isinstance(m, int) and m > 0 for m in milestones) or milestones != sorted(set(milestones)):
        raise ValueError(f'milestones: must be steps above 0, each later than the one before: {milestones}')
    if not 0 < factor < math.inf:
        raise ValueError(f'factor: must be above 0: {factor}')
    return _warm_up(lambda step: factor ** sum(m <= step for m in milestones), warmup, warmup_from, warmup_power)


@SCHEDULES.register
def linear(*, steps: WHOLE, begin=0, final=0.0, every=1, warmup=0, warmup_from=0.0, warmup_power=1.0):
    """1 until the step `begin`, then in a straight line to `final` at the step `steps`, and `final` from there on.

    The line begins at the end of the warm-up if that is later. Warm-up as in :func:`constant`.

    Parameters
    ----------
    every : int
        the line becomes stairs: the rate keeps its value for so many steps, 1 or more, those of an epoch for example
    """
    part = _decay(steps, begin, final, warmup)
    if not isinstance(every, int) or every < 1:
        raise ValueError(f'every: must be a number of steps, at least 1: {every}')
    return _warm_up(lambda step: 1 + (final - 1) * part(step - step % every), warmup, warmup_from, warmup_power)


@SCHEDULES.register
def cosine(*, steps: WHOLE, begin=0, final=0.0, warmup=0, warmup_from=0.0, warmup_power=1.0):
    """As :func:`linear`, along half a cosine wave."""
    part = _decay(steps, begin, final, warmup)
    return _warm_up(lambda step: final + (1 - final) * (1 + math.cos(math.pi * part(step))) / 2, warmup, warmup_from,
                    warmup_power)


def _decay(steps, begin, final, warmup):
    """The part of the decay, from 0 to 1, that lies behind a step."""
    begin = max(begin, warmup)
    if not isinstance(steps, int) or not 0 <= begin < steps:
        raise ValueError(f'steps: must be a whole number above `begin` and `warmup` ({begin}): {steps}')
    if not 0 <= final <= 1:
        raise ValueError(f'final: must be from 0 to 1: {final}')
    return lambda step: min(max(step - begin, 0) / (steps - begin), 1)


def _warm_up(schedule, warmup, warmup_from, warmup_power):
    if not isinstance(warmup, int) or warmup < 0:
        raise ValueError(f'warmup: must be a number of steps, 0 or more: {warmup}')
    if not 0 <= warmup_from <= 1:
        raise ValueError(f'warmup_from: must be from 0 to 1: {warmup_from}')
    if not 0 < warmup_power <= 100:
        raise ValueError(f'warmup_power: must be above 0, at most 100: {warmup_power}')

    def rate(step):
        if step >= warmup:
            return schedule(step)
        risen = step if warmup_power == 1 else warmup * (step / warmup) ** warmup_power   # without rounding, if linear
        return warmup_from + (schedule(warmup) - warmup_from) * risen / warmup
    return rate


class LearningRates:
    """The learning rates of several trainers. At the end of its context, the trainers have their own rates again.

    Parameters
    ----------
    trainers : dict of name -> gluon.Trainer
    schedule : dict or function
        a specification for :func:`create`, or a function from the updates made to a factor. One for all trainers, or a
        dict with one for each trainer's name.

    Raises ValueError if a trainer has no schedule, or a schedule no trainer.
    """

    def __init__(self, trainers, schedule):
        if not callable(schedule):
            check('schedule', schedule, OBJECT)
        if not callable(schedule) and 'name' not in schedule and schedule.keys() - trainers.keys():
            unknown = ', '.join(map(repr, sorted(schedule.keys() - trainers.keys())))
            raise ValueError(f'schedule: no trainer {unknown}; there are: {", ".join(trainers)}')
        self._trainers = []   # name, trainer, its own rate, its schedule
        for name, trainer in trainers.items():
            try:
                one = setting_of(schedule, name)
            except ValueError as error:
                raise ValueError(f'schedule: {error}') from None
            self._trainers.append((name, trainer, trainer.learning_rate, one if callable(one) else create(one)))

    def set(self, step):
        """Sets the rates of the step after `step` updates. Returns dict of 'lr_' + name of the trainer -> float."""
        rates = {}
        for name, trainer, own, schedule in self._trainers:
            rates[f'lr_{name}'] = own * schedule(step)
            trainer.set_learning_rate(rates[f'lr_{name}'])
        return rates

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for _, trainer, own, _ in self._trainers:
            trainer.set_learning_rate(own)
