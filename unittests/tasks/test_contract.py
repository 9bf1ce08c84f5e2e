"""gluonzoo/tasks/contract.py: what a task of a user's own returns is checked, and a mistake has the method's name."""
import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn

from gluonzoo.commands import resolve
from gluonzoo.registry import MODELS, TASKS
from gluonzoo.tasks import Task
from gluonzoo.tasks.curves import Curves
from gluonzoo.train import Engine

PICTURE = np.zeros((4, 5, 3), 'uint8')


def task_that(**methods):
    """A task of which these methods return these values, whatever they are given."""
    body = {name: lambda self, *args, value=value: value for name, value in methods.items()}
    return type('Mine', (Task,), body)(net=nn.Dense(1))


@pytest.mark.parametrize('method, arguments, good, bad', [
    ('input_shapes', ['net'], [[(1, 2)], []], [None, (1, 2), [(1, 0)], [(1, 2.5)], [None]]),
    ('train_step', [None, 0], [{'loss': mx.nd.zeros(1)}],
     [None, mx.nd.zeros(1), {'loss': 1.0}, {'loss': mx.nd.zeros(2)}, {1: mx.nd.zeros(1)}]),
    ('evaluate', [[]], [{'F1': 1}, {'F1': np.float32(.5)}, {'F1': float('nan')}],
     [None, .5, {'F1': None}, {'F1': 'x'}]),
    ('predict', [[PICTURE]], [[None], np.zeros((1, 3))], [None, [], [1, 2], 'x', iter([1])]),
    ('draw', [PICTURE, None], [PICTURE], [None, PICTURE[0], PICTURE.astype('float32'), PICTURE[:, :, :2]]),
    ('picture', [None], [PICTURE], [None, mx.nd.array(PICTURE)]),
    ('describe', [None], [{}, {'a': [1]}], [None, [1], {'a': np.zeros(2)}, {'a': PICTURE}]),
    ('views', [PICTURE], [{}, {'heat': PICTURE}], [None, PICTURE, {'heat': None}]),
    ('evaluation_pictures', [], [{}, {'confusion': PICTURE}], [None, PICTURE, {'confusion': None}]),
    ('evaluation_curves', [], [{}, {'of it': Curves('x', 'y', {'a': np.zeros((3, 2))})}],
     [None, {'a': np.zeros((3, 2))}, {'of it': Curves('x', 'y', {'a': np.zeros(3)})},
      {'of it': Curves('x', 'y', {'a': np.zeros((3, 3))})}, {'of it': Curves(1, 'y', {'a': np.zeros((3, 2))})},
      {'of it': Curves('x', 'y', [np.zeros((3, 2))])}, {'of it': Curves('x', 'y', {'a': np.array([['a', 'b']])})}])])
def test_what_methods_return(method, arguments, good, bad):
    for value in good:
        assert getattr(task_that(**{method: value}), method)(*arguments) is value
    for value in bad:
        with pytest.raises(ValueError, match=fr'^Mine\.{method}: must return .*: ') as raised:
            getattr(task_that(**{method: value}), method)(*arguments)
        assert '\n' not in str(raised.value)


@pytest.mark.parametrize('method, arguments', [
    ('input_shapes', ['net']), ('make_trainers', []), ('train_step', [None, 0]), ('evaluate', [[]]), ('predict', [[]]),
    ('draw', [None, None]), ('describe', [None]), ('picture', [None]), ('exported', [])])
def test_methods_that_are_missing(method, arguments):
    with pytest.raises(ValueError, match=fr'^Mine\.{method}: must be defined by the task'):
        getattr(task_that(), method)(*arguments)


def test_trainers_must_be_made():
    with pytest.raises(ValueError, match=r'^Mine\.make_trainers: must make a trainer, by self\.engine\.trainer'):
        task_that(input_shapes=[(1, 2)], make_trainers=None).start_training(Engine())


@pytest.fixture
def registered(monkeypatch):
    """A function that registers a task and a model for the test alone, and makes the task by its settings."""
    def make(task, model=lambda: nn.Dense(1)):
        for registry, name, target in ((TASKS, 'mine', task), (MODELS, 'my_net', model)):
            registry.names()   # loads gluonzoo's own
            monkeypatch.setitem(registry._targets, name, target)
        return resolve.make_task({'task': {'name': 'mine', 'net': {'name': 'my_net'}}})
    return make


class Mine(Task):
    def __init__(self, net):
        super().__init__(net=net)


class WithoutSuper(Task):
    def __init__(self, net):
        self.net = net


def test_tasks_and_networks_that_are_none(registered):
    assert isinstance(registered(Mine), Mine)
    derived = "^task 'mine': must be a class derived from gluonzoo.tasks.Task: <"
    for task, said in ((WithoutSuper, r'^WithoutSuper.__init__: must call super\(\).* with the networks: net=net$'),
                       (lambda net: Mine(net), f'{derived}function '), (object, f"{derived}class 'object'>$")):
        with pytest.raises(ValueError, match=said):
            registered(task)
    with pytest.raises(ValueError, match="^model 'my_net': must be made as a HybridBlock: None$"):
        registered(Mine, lambda: None)
