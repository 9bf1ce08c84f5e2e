"""Learning rates: tables worked by hand, and what is refused."""
import math

import mxnet as mx
import pytest

from gluonzoo.train.schedule import LearningRates, create, names

HALF = math.sqrt(0.5) / 2   # of the cosine at 45 degrees


@pytest.mark.parametrize('specification, table', [
    ({'name': 'constant'}, {0: 1, 1: 1, 10 ** 6: 1}),
    ({'name': 'constant', 'warmup': 4}, {0: 0, 1: 0.25, 2: 0.5, 3: 0.75, 4: 1, 5: 1}),
    ({'name': 'constant', 'warmup': 4, 'warmup_from': 0.2}, {0: 0.2, 1: 0.4, 2: 0.6, 3: 0.8, 4: 1}),
    ({'name': 'constant', 'warmup': 4, 'warmup_power': 4}, {0: 0, 1: 1 / 256, 2: 1 / 16, 3: 81 / 256, 4: 1, 5: 1}),
    ({'name': 'constant', 'warmup': 4, 'warmup_power': 0.5, 'warmup_from': 0.2}, {0: 0.2, 1: 0.6, 4: 1}),
    ({'name': 'step', 'milestones': [6], 'warmup': 2, 'warmup_power': 2}, {0: 0, 1: 0.25, 2: 1, 5: 1, 6: 0.1}),
    ({'name': 'step', 'milestones': [1], 'factor': 0.5, 'warmup': 2, 'warmup_power': 2}, {0: 0, 1: 0.125, 2: 0.5}),
    ({'name': 'linear', 'steps': 6, 'warmup': 2, 'warmup_power': 3}, {0: 0, 1: 0.125, 2: 1, 3: 0.75, 6: 0}),
    ({'name': 'cosine', 'steps': 6, 'warmup': 2, 'warmup_power': 3}, {0: 0, 1: 0.125, 2: 1, 4: 0.5, 6: 0}),
    ({'name': 'step', 'milestones': [3, 5]}, {0: 1, 2: 1, 3: 0.1, 4: 0.1, 5: 0.01, 99: 0.01}),
    ({'name': 'step', 'milestones': [3, 5], 'factor': 0.5, 'warmup': 2}, {0: 0, 1: 0.5, 2: 1, 3: 0.5, 4: 0.5, 5: 0.25}),
    ({'name': 'step', 'milestones': [2], 'factor': 0.5, 'warmup': 4}, {0: 0, 1: 0.125, 2: 0.25, 4: 0.5}),
    ({'name': 'linear', 'steps': 4}, {0: 1, 1: 0.75, 2: 0.5, 3: 0.25, 4: 0, 5: 0}),
    ({'name': 'linear', 'steps': 8, 'begin': 4, 'final': 0.2}, {0: 1, 4: 1, 5: 0.8, 6: 0.6, 8: 0.2, 9: 0.2}),
    ({'name': 'linear', 'steps': 8, 'every': 2}, {0: 1, 1: 1, 2: 0.75, 3: 0.75, 4: 0.5, 7: 0.25, 8: 0, 9: 0}),
    ({'name': 'linear', 'steps': 9, 'begin': 3, 'every': 3}, {0: 1, 3: 1, 5: 1, 6: 0.5, 8: 0.5, 9: 0, 10: 0}),
    ({'name': 'linear', 'steps': 6, 'warmup': 2}, {0: 0, 1: 0.5, 2: 1, 3: 0.75, 6: 0}),
    ({'name': 'cosine', 'steps': 4}, {0: 1, 1: 0.5 + HALF, 2: 0.5, 3: 0.5 - HALF, 4: 0, 9: 0}),
    ({'name': 'cosine', 'steps': 6, 'warmup': 2, 'final': 0.5}, {0: 0, 1: 0.5, 2: 1, 4: 0.75, 6: 0.5}),
])
def test_tables(specification, table):
    kept = dict(specification)
    rate = create(specification)
    assert {step: rate(step) for step in table} == pytest.approx(table, abs=1e-12)
    assert [rate(step) for step in reversed(list(table))] == [rate(step) for step in table][::-1]   # no memory
    assert specification == kept


@pytest.mark.parametrize('specification, message', [
    ({}, "needs a 'name', one of constant, cosine, linear, step"),
    ({'name': 'cosin', 'steps': 3}, "unknown schedule 'cosin'; did you mean cosine"),
    ({'name': 'cosine', 'step': 3}, "unknown argument 'step'; did you mean steps"),
    ({'name': 'cosine'}, "missing a required argument: 'steps'"),
    ({'name': 'step', 'milestones': [5, 3]}, r'milestones: .* \[5, 3\]'),
    ({'name': 'step', 'milestones': [3, 3]}, r'milestones: .* \[3, 3\]'),
    ({'name': 'step', 'milestones': [0.5]}, r'milestones: .* \[0.5\]'),
    ({'name': 'step', 'milestones': [3], 'factor': 0}, 'factor: .* 0'),
    ({'name': 'linear', 'steps': 4, 'begin': 4}, 'steps: .* above `begin` and `warmup` .4.: 4'),
    ({'name': 'linear', 'steps': 4, 'every': 0}, 'every: must be a number of steps, at least 1: 0'),
    ({'name': 'cosine', 'steps': 4, 'warmup': 5}, 'steps: .* 4'),
    ({'name': 'cosine', 'steps': 4, 'final': 2}, 'final: .* 2'),
    ({'name': 'constant', 'warmup': -1}, 'warmup: .* -1'),
    ({'name': 'constant', 'warmup': 2, 'warmup_from': -1}, 'warmup_from: .* -1'),
    ({'name': 'constant', 'warmup': 2, 'warmup_power': 0}, 'warmup_power: must be above 0, at most 100: 0'),
    ({'name': 'step', 'milestones': [3], 'warmup_power': -1}, 'warmup_power: .* -1'),
    ({'name': 'linear', 'steps': 4, 'warmup_power': 101}, 'warmup_power: .* 101'),
    ({'name': 'cosine', 'steps': 4, 'warmup_power': math.nan}, 'warmup_power: .* nan'),
    ({'name': 'constant', 'warmup_power': '4'}, 'warmup_power: must be a number'),
])
def test_refused(specification, message):
    with pytest.raises(ValueError, match=message):
        create(specification)


def test_a_linear_warm_up_is_exact():
    """To the last bit, whether or not its power is named: a resumed training has the rates that it had before."""
    for more in ({}, {'warmup_power': 1}, {'warmup_power': 1.0}):
        rate = create({'name': 'step', 'milestones': [1], 'factor': 0.1, 'warmup': 23, **more})
        assert [rate(step) for step in range(23)] == [0.1 * step / 23 for step in range(23)]


def test_names():
    assert names() == ['constant', 'cosine', 'linear', 'step']


def make_trainers(**rates):
    def trainer(rate):
        net = mx.gluon.nn.Dense(1, in_units=1)
        net.initialize()
        return mx.gluon.Trainer(net.collect_params(), 'sgd', {'learning_rate': rate})

    return {name: trainer(rate) for name, rate in rates.items()}


def test_rates_of_two_trainers():
    trainers = make_trainers(fast=0.4, slow=0.1)
    with LearningRates(trainers, {'name': 'linear', 'steps': 4}) as rates:
        assert rates.set(1) == pytest.approx({'lr_fast': 0.3, 'lr_slow': 0.075})
        assert [trainer.learning_rate for trainer in trainers.values()] == pytest.approx([0.3, 0.075])
        assert rates.set(0) == {'lr_fast': 0.4, 'lr_slow': 0.1}   # not a factor of what was there before
        rates.set(3)
    assert [trainer.learning_rate for trainer in trainers.values()] == [0.4, 0.1]
    assert LearningRates(trainers, lambda step: 2.0).set(7) == {'lr_fast': 0.8, 'lr_slow': 0.2}


def test_a_schedule_for_each_trainer():
    """By its name: a specification or a function. All have their own rates back at the end."""
    trainers = make_trainers(fast=0.4, slow=0.1)
    schedules = {'slow': lambda step: 3.0, 'fast': {'name': 'linear', 'steps': 4}}
    with LearningRates(trainers, schedules) as rates:
        assert rates.set(2) == pytest.approx({'lr_fast': 0.2, 'lr_slow': 0.3})
        assert [trainer.learning_rate for trainer in trainers.values()] == pytest.approx([0.2, 0.3])
        assert rates.set(3) == pytest.approx({'lr_fast': 0.1, 'lr_slow': 0.3})
    assert [trainer.learning_rate for trainer in trainers.values()] == [0.4, 0.1]


@pytest.mark.parametrize('schedule, message', [
    ({'fast': {'name': 'constant'}}, "schedule: must be one for all, with a name, or have one for 'slow': {'fast'"),
    ({'fast': {'name': 'constant'}, 'slow': {'name': 'constant'}, 'last': {'name': 'constant'}},
     "schedule: no trainer 'last'; there are: fast, slow"),
    ({'fast': {'name': 'constant'}, 'slwo': {'name': 'constant'}}, "schedule: no trainer 'slwo'"),
    ({}, "have one for 'fast'"),
    ({'steps': 3}, "schedule: no trainer 'steps'"),
    ({'fast': {'name': 'constant'}, 'slow': {'name': 'cosin'}}, "unknown schedule 'cosin'; did you mean cosine"),
])
def test_schedules_that_trainers_do_not_have(schedule, message):
    trainers = make_trainers(fast=0.4, slow=0.1)
    with pytest.raises(ValueError, match=message):
        LearningRates(trainers, schedule)
    assert [trainer.learning_rate for trainer in trainers.values()] == [0.4, 0.1]
