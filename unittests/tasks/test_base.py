"""What all tasks share: how they start, what they keep, and what they say is wrong."""
from types import SimpleNamespace

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn

from gluonzoo.registry import TASKS
from gluonzoo.tasks import Task
from gluonzoo.tasks.base import FirstTime, late
from gluonzoo.train.engine import Engine

SGD = {'name': 'sgd', 'learning_rate': .1}
TWO = [mx.cpu(0), mx.cpu(1)]


class Kept:
    """Keeps an array of three numbers."""

    def __init__(self, *numbers):
        self.numbers = np.array(numbers, 'float32')

    def state(self):
        return {'numbers': self.numbers} if self.numbers.any() else {}

    def load_state(self, state):
        numbers = state.get('numbers', np.zeros(3, 'float32'))
        if numbers.shape != (3,):
            raise ValueError(f'numbers: must be three: {numbers.shape}')
        self.numbers = numbers


class Pair(Task):
    """A maker and a judge, of which the maker is used."""

    network_names = ('maker', 'judge')
    used = ('maker',)

    def __init__(self, maker, judge=None, optimizer=SGD, units=2):
        super().__init__(maker=maker, judge=judge)
        self.optimizer, self.units, self.checked = optimizer, units, []
        self.first, self.second = self.keep('first', Kept(1, 2, 3)), self.keep('second', Kept(0, 0, 0))

    def input_shapes(self, name):
        return [(1, 4)] if name == 'maker' else [(1, 2)]

    def check_outputs(self, outputs):
        self.checked.append({name: output.shape for name, output in outputs.items()})
        if outputs['maker'].shape != (1, self.units):
            raise ValueError(f'maker: must return {self.units} numbers; it returns {outputs["maker"].shape}')

    def make_trainers(self):
        for name, net in self.networks.items():
            self.engine.trainer(name, self.optimizer_of(self.optimizer, name), net)


def make_pair(judge=True, **options):
    return Pair(nn.Dense(2), nn.Dense(1) if judge else None, **options)


def is_there(net):
    return all(parameter._data is not None for parameter in net.collect_params().values())


# -- starting --------------------------------------------------------------------------------------------------------

def test_before_it_is_started():
    """It has its networks, and nothing is computed with them."""
    task = make_pair()
    assert list(task.networks) == ['maker', 'judge'] and task.trainers == {} and task.checked == []
    assert not is_there(task.networks['maker'])
    for use in (lambda: task.engine, lambda: task.ctx):
        with pytest.raises(RuntimeError, match=r'Pair: call start_training\(engine\) or start_prediction\(\) first'):
            use()


def test_start_training():
    """All networks are on the engine's devices, hybridized, with trainers by their names."""
    task, engine = make_pair(), Engine(ctx=TWO)
    task.start_training(engine)
    assert task.engine is engine and task.ctx == TWO
    assert list(task.trainers) == ['maker', 'judge'] and task.trainers['judge'].learning_rate == .1
    for net in task.networks.values():
        assert [p.list_ctx() for p in net.collect_params().values()] == [TWO] * 2 and net._active
        np.testing.assert_array_equal(*(data.asnumpy() for data in net.weight.list_data()))
    assert task.checked == [{'maker': (1, 2), 'judge': (1, 1)}]


def test_start_prediction():
    """Only what is used is put on the devices; there are no trainers."""
    task = make_pair()
    task.start_prediction(TWO)
    assert task.ctx == TWO and task.trainers == {} and task.engine.trainers == {}
    assert is_there(task.networks['maker']) and not is_there(task.networks['judge'])
    assert task.networks['maker'].weight.list_ctx() == TWO and task.networks['maker']._active
    assert task.checked == [{'maker': (1, 2)}]
    task = make_pair(judge=False)
    task.start_prediction()
    assert list(task.networks) == ['maker'] and task.ctx == [mx.cpu()]


def test_networks_that_training_needs():
    task = make_pair(judge=False)
    with pytest.raises(ValueError, match='^judge: must be a network to train; is None$'):
        task.start_training(Engine())
    assert not is_there(task.networks['maker'])


@pytest.mark.parametrize('networks', [{}, {'maker': None}, {'maker': None, 'judge': None, 'critic': None}])
def test_networks_are_those_that_the_task_names(networks):
    class Bare(Task):
        network_names = ('maker', 'judge')

    with pytest.raises(ValueError, match='networks: must be maker, judge, as network_names says: '
                                         f'{", ".join(networks) or "none"}$'):
        Bare(**networks)


def test_a_network_that_does_not_fit():
    with pytest.raises(ValueError, match='^maker: must return 3 numbers; it returns'):
        make_pair(units=3).start_training(Engine())
    for start in (lambda task: task.start_training(Engine()), lambda task: task.start_prediction()):
        task = Pair(nn.Dense(2, in_units=9), nn.Dense(1))
        with pytest.raises(ValueError, match=r'^maker: does not take \[1, 4\]: .') as caught:
            start(task)
        assert '\n' not in str(caught.value) and task.trainers == {}


def test_a_network_of_several_inputs():
    class Sum(mx.gluon.HybridBlock):
        def hybrid_forward(self, F, x, y):
            return x + y

    task = Task(net=Sum())
    task.input_shapes = lambda name: [(1, 2), (1, 3)]
    with pytest.raises(ValueError, match=r'^net: does not take \[1, 2\], \[1, 3\]: '):
        task.start_prediction()
    task.input_shapes = lambda name: [(1, 2), (1, 2)]
    task.check_outputs = lambda outputs: outputs['net'].wait_to_read()
    task.start_prediction()


def test_an_optimizer_that_does_not_fit():
    for optimizer, message in (({'learning_rate': 1}, "optimizer: must be one for all, with a name, or .* 'maker'"),
                               ({'maker': SGD}, "optimizer: must be one for all, .* or have one for 'judge'"),
                               ({'maker': SGD, 'judge': {'name': 'sdg'}}, 'optimizer: .*sdg')):
        task = make_pair(optimizer=optimizer)
        with pytest.raises(ValueError, match=message):
            task.start_training(Engine())
        assert task.trainers == {}


def test_optimizers_by_name():
    task = make_pair(optimizer={'judge': {'name': 'adam', 'learning_rate': .5}, 'maker': SGD})
    task.start_training(Engine())
    assert [type(trainer.optimizer).__name__ for trainer in task.trainers.values()] == ['SGD', 'Adam']
    assert [trainer.learning_rate for trainer in task.trainers.values()] == [.1, .5]


# -- what is kept ----------------------------------------------------------------------------------------------------

def test_state():
    task = make_pair()
    assert list(task.state()) == ['first.numbers'] and task.state()['first.numbers'].tolist() == [1, 2, 3]
    task.second.numbers = np.array([4, 5, 6], 'float32')
    other = make_pair()
    other.load_state(task.state())
    assert other.first.numbers.tolist() == [1, 2, 3] and other.second.numbers.tolist() == [4, 5, 6]
    other.load_state({'second.numbers': np.ones(3, 'float32')})   # what is not there is as at the start
    assert not other.first.numbers.any() and list(other.state()) == ['second.numbers']
    other.load_state({})
    assert other.state() == {}


@pytest.mark.parametrize('state, message', [
    ({'third.numbers': np.zeros(3)}, "Pair keeps 'first', 'second'; got 'third.numbers'"),
    ({'numbers': np.zeros(3)}, "Pair keeps 'first', 'second'; got 'numbers'"),
    ({'first.numbers': np.ones(3), 'second.numbers': np.ones(4)}, r'second: numbers: must be three: \(4,\)'),
    ({'first.numbers': np.ones(2)}, r'first: numbers: must be three: \(2,\)'),
])
def test_state_that_does_not_fit(state, message):
    """Nothing is changed then, also of what was loaded first."""
    task = make_pair()
    task.second.numbers = np.array([4, 5, 6], 'float32')
    with pytest.raises(ValueError, match=f'^{message}'):
        task.load_state(state)
    assert task.first.numbers.tolist() == [1, 2, 3] and task.second.numbers.tolist() == [4, 5, 6]


def test_a_task_that_keeps_nothing():
    task = Task(net=nn.Dense(2))
    assert task.state() == {}
    task.load_state({})
    with pytest.raises(ValueError, match="Task keeps nothing; got 'pool'"):
        task.load_state({'pool': np.zeros(3)})


def test_keep_returns_what_it_is_given():
    task, thing = Task(net=nn.Dense(2)), Kept(1, 1, 1)
    assert task.keep('thing', thing) is thing and list(task.state()) == ['thing.numbers']


# -- the interface, and what tasks share -------------------------------------------------------------------------------

@pytest.mark.parametrize('thing', [3, [1, 2]])
def test_what_cannot_be_kept(thing):
    with pytest.raises(ValueError, match=r'bins: must have state\(\) and load_state\(state\) to be kept: '):
        make_pair().keep('bins', thing)


@pytest.mark.parametrize('name', ['first', 'a.b'])
def test_names_that_cannot_be_kept(name):
    """The first is kept already; a dot parts the thing's name from those of its arrays."""
    task = make_pair()
    with pytest.raises(ValueError, match=f'{name}: must be a name without a dot, of one kept thing'):
        task.keep(name, Kept(1))


def test_a_precision_that_a_task_does_not_have():
    """It is refused before MXNet computes in it."""
    engine = SimpleNamespace(amp='bfloat16')
    for task in map(TASKS.target, ('pix2pix', 'keypoint_detection', 'yolo_detection')):
        assert not task.bfloat16 and TASKS.target('single_shot_detection').bfloat16
    task = make_pair()
    task.bfloat16 = False
    with pytest.raises(ValueError, match='amp: .* cannot be trained in bfloat16'):
        task.start_training(engine)


def test_what_a_subclass_must_define():
    task = Task(net=nn.Dense(2))
    for call in (lambda: task.input_shapes('net'), task.make_trainers, lambda: task.train_step(None, 0),
                 lambda: task.evaluate([]), lambda: task.predict([]), lambda: task.draw(None, None),
                 lambda: task.describe(None), lambda: task.picture(None), task.exported):
        with pytest.raises(NotImplementedError):
            call()
    assert task.views(np.zeros((9, 9, 3), 'uint8')) == {} and task.main_metric is None


def test_late():
    order = []
    for item in late((order.append(f'make {i}') or i for i in range(4)), 2):
        order.append(f'read {item}')
    assert order == ['make 0', 'make 1', 'make 2', 'read 0', 'make 3', 'read 1', 'read 2', 'read 3']
    assert list(late([])) == [] and list(late([1])) == [1]


def test_first_time():
    is_new = FirstTime()
    assert [is_new(record) for record in (3, 4, 3, 3, 5, 4)] == [True, True, False, False, True, False]
