"""gluonzoo/recipes/schedules.py: steps follow from the length of the training, and make a schedule however short."""
import pytest

from gluonzoo.recipes.schedules import make_schedule, number_of_steps
from gluonzoo.train import schedule


def test_number_of_steps():
    assert number_of_steps(3, 10, 4) == 6   # two batches an epoch; two records are left out


@pytest.mark.parametrize('arguments, expected', [
    (dict(name='constant'), {'name': 'constant'}),
    (dict(name='step', drops=(.2, .4)), {'name': 'step', 'milestones': [200, 400]}),
    (dict(name='step', drops=(.5,), warmup=0), {'name': 'step', 'milestones': [500], 'warmup': 0}),
    (dict(name='step', drops=(.8, .9), warmup=100, warmup_power=4),
     {'name': 'step', 'milestones': [800, 900], 'warmup': 100, 'warmup_power': 4}),
    (dict(name='cosine', warmup=50), {'name': 'cosine', 'steps': 1000, 'warmup': 50}),
    (dict(name='cosine', warmup=500), {'name': 'cosine', 'steps': 1000, 'warmup': 100})])   # at most a tenth
def test_specifications(arguments, expected):
    assert make_schedule(steps=1000, **arguments) == expected


@pytest.mark.parametrize('steps', [1, 2, 3, 10])
@pytest.mark.parametrize('arguments', [dict(name='step', drops=(.2, .4, .6, .8)), dict(name='cosine', warmup=50),
                                       dict(name='step', drops=(.8, .9), warmup=1000, warmup_power=4)])
def test_short_trainings(steps, arguments):
    rate = schedule.create(make_schedule(steps=steps, **arguments))
    assert all(0 <= rate(step) <= 1 for step in range(steps))
