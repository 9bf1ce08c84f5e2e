"""A trainer that is restored goes on as if nothing had happened, whatever its optimizer."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon

from gluonzoo import optimizers
from gluonzoo.train.parameters import names_of_parameters
from gluonzoo.train.storage import CheckpointError
from gluonzoo.train.trainer_state import check_trainers, collect, plan

OPTIMIZERS = ['sgd', 'nag', 'signum', 'lars', 'adam', 'nadam', 'adamax', 'adadelta', 'adagrad', 'rmsprop', 'ftrl',
              'ftml', 'lamb', 'sgld', 'groupadagrad', 'mxnet_adam']
CPU = (mx.cpu(),)


class Toy:
    """Two dense layers with a trainer, on some devices."""

    def __init__(self, optimizer, ctx=CPU, dtype='float32', units=3, **keywords):
        net = gluon.nn.HybridSequential()
        net.add(gluon.nn.Dense(units, in_units=4, use_bias=optimizer != 'groupadagrad', dtype=dtype))
        np.random.seed(0)
        net.initialize(mx.init.Xavier(), ctx=list(ctx))
        self.ctx = ctx
        self.networks = {'net': net}
        made = optimizers.create(optimizer, learning_rate=0.1, **keywords)
        self.trainers = {'t': gluon.Trainer(net.collect_params(), made, update_on_kvstore=False)}
        self.names = names_of_parameters(self.networks)

    def step(self, i):
        x = np.random.RandomState(i).normal(size=(2 * len(self.ctx), 4)).astype('float32')
        mx.random.seed(i)
        net, trainer = self.networks['net'], self.trainers['t']
        trainer.set_learning_rate(0.1 / (1 + i))
        with autograd.record():
            losses = [(net(part.astype(net[0].weight.dtype)) ** 2).mean()
                      for part in gluon.utils.split_and_load(mx.nd.array(x), list(self.ctx))]
        autograd.backward(losses)
        trainer.step(len(losses))

    def weights(self):
        return {name: [data.asnumpy() for data in parameter.list_data()] for parameter, name in self.names.items()}

    def values(self):
        return {name: arrays[0] for name, arrays in self.weights().items()}


def restore(toy, other):
    """Puts the state and the weights of `other` into `toy`."""
    arrays, description = collect(other.trainers['t'], other.names)
    plan(toy.trainers['t'], toy.names, other.values(), arrays, description, 'state')()
    values = other.values()
    for parameter, name in toy.names.items():
        parameter.set_data(mx.nd.array(values[name], dtype=values[name].dtype))


def assert_equal(one, other):
    for name, arrays in one.weights().items():
        for mine, theirs in zip(arrays, other.weights()[name]):
            assert mine.tobytes() == theirs.tobytes(), name


@pytest.mark.parametrize('name', OPTIMIZERS)
def test_goes_on_exactly(name):
    keywords = {'momentum': 0.9} if name in ('sgd', 'nag', 'signum', 'lars') else {}
    unbroken = Toy(name, **keywords)
    for i in range(3):
        unbroken.step(i)
    fresh = Toy(name, **keywords)
    restore(fresh, unbroken)
    for i in range(3, 6):
        before = unbroken.values()
        unbroken.step(i)
        fresh.step(i)
        assert any((before[key] != value).any() for key, value in unbroken.values().items())
        assert_equal(fresh, unbroken)


def test_every_optimizer_is_tested():
    """Those that MXNet has besides do not learn, are other names, or are refused."""
    assert set(mx.optimizer.Optimizer.opt_registry) - set(OPTIMIZERS) == {'test', 'ccsgd', 'ndabs', 'lbsgd', 'dcasgd'} \
        & set(mx.optimizer.Optimizer.opt_registry)


@pytest.mark.parametrize('ctx', [CPU, (mx.cpu(0), mx.cpu(1))])
def test_a_trainer_that_has_stepped_already(ctx):
    """Also one on other devices than the state comes from."""
    unbroken, other = Toy('adam'), Toy('adam', ctx)
    for i in range(3):
        unbroken.step(i)
    for i in range(7, 12):
        other.step(i)
    restore(other, unbroken)
    arrays, description = collect(unbroken.trainers['t'], unbroken.names)
    again, same = collect(other.trainers['t'], other.names)
    assert description == same and description['update_counts'] == {'net.0.weight': 3, 'net.0.bias': 3}
    assert {name: array.tobytes() for name, array in arrays.items()} == {n: a.tobytes() for n, a in again.items()}
    other.step(3)
    assert collect(other.trainers['t'], other.names)[1]['update_counts'] == {'net.0.weight': 4, 'net.0.bias': 4}


def test_before_the_first_step():
    toy = Toy('adam')
    arrays, description = collect(toy.trainers['t'], toy.names)
    assert arrays == {} and description['states'] == {} and description['numbers'] == {'num_update': 0}


@pytest.mark.parametrize('name', ['sgd', 'nag'])
def test_float16_with_a_float32_copy(name):
    keywords = {'momentum': 0.9, 'multi_precision': True}
    toy = Toy(name, dtype='float16', **keywords)
    weight = toy.networks['net'][0].weight
    weight.grad()[:] = 0.001
    toy.networks['net'][0].bias.grad()[:] = 0.001
    for data in (weight.data(), toy.networks['net'][0].bias.data()):
        data._fresh_grad = True   # FP16 products do not exist on a CPU, so no backward pass
    toy.trainers['t'].step(1)
    arrays, description = collect(toy.trainers['t'], toy.names)
    assert sorted({str(array.dtype) for array in arrays.values()}) == ['float32']
    assert len(arrays) == 4   # of each parameter: the copy, and the momentum
    fresh = Toy(name, dtype='float16', **keywords)
    restore(fresh, toy)
    again, _ = collect(fresh.trainers['t'], fresh.names)
    assert {name: array.tobytes() for name, array in arrays.items()} == {n: a.tobytes() for n, a in again.items()}


def test_loss_scaler_of_mixed_precision():
    toys = [Toy('sgd'), Toy('sgd')]
    for toy in toys:
        toy.trainers['t']._amp_loss_scaler = mx.contrib.amp.loss_scaler.LossScaler()
    scaler, other = (toy.trainers['t']._amp_loss_scaler for toy in toys)
    scaler._loss_scale, scaler._next_loss_scale, scaler._unskipped = 1024., 2048., 17
    restore(toys[1], toys[0])
    assert vars(other) == vars(scaler)
    with pytest.raises(CheckpointError, match='loss scaler: True in the file, False here'):
        restore(Toy('sgd'), toys[0])


@pytest.mark.parametrize('other, message', [
    (dict(optimizer='mxnet_adam'), 'state: optimizer: Adam in the file, SGD here'),
    (dict(optimizer='adam'), 'state: optimizer: gluonzoo.Adam in the file, SGD here'),
    (dict(optimizer='sgd', momentum=0), 'state: a state: False in the file, True here'),
    (dict(optimizer='sgd', momentum=0.9, units=2), r'state: shape of net.0.bias: \(2,\) in the file, \(3,\) here'),
])
def test_of_something_else(other, message):
    toy, other = Toy('sgd', momentum=0.9), Toy(**other)
    toy.step(0)
    other.step(0)
    arrays, description = collect(other.trainers['t'], other.names)
    before, weights = collect(toy.trainers['t'], toy.names), toy.values()
    with pytest.raises(CheckpointError, match=message):
        plan(toy.trainers['t'], toy.names, weights, arrays, description, 'state')
    after = collect(toy.trainers['t'], toy.names)
    assert after[1] == before[1] and all((after[0][name] == array).all() for name, array in before[0].items())


def test_a_number_that_is_not_finite():
    """Nadam's schedule of the momentum, which would make every weight NaN."""
    toy, other = Toy('nadam'), Toy('nadam')
    other.step(0)
    arrays, description = collect(other.trainers['t'], other.names)
    description['numbers']['m_schedule'] = float('nan')
    with pytest.raises(CheckpointError, match='^state: m_schedule is nan .--allow-not-finite takes it.$'):
        plan(toy.trainers['t'], toy.names, toy.values(), arrays, description, 'state')
    plan(toy.trainers['t'], toy.names, toy.values(), arrays, description, 'state', finite=False)()
    assert np.isnan(toy.trainers['t'].optimizer.m_schedule)


def test_the_two_forms_of_adam():
    """Their states have the same form, and go on otherwise."""
    ours, mxnets = Toy('adam'), Toy('mxnet_adam')
    for toy in (ours, mxnets):
        toy.step(0)
    with pytest.raises(CheckpointError, match="MXNet's form of Adam in the file, whose name is mxnet_adam; adam here"):
        restore(ours, mxnets)
    with pytest.raises(CheckpointError, match='optimizer: gluonzoo.Adam in the file, Adam here'):
        restore(mxnets, ours)


@pytest.mark.parametrize('change, message', [
    (lambda arrays, d: d['states'].update({'net.9.weight': None}), "a state of 'net.9.weight'"),
    (lambda arrays, d: d['states'].update({'net.0.weight': 'nothing'}), "state of a trainer: KeyError: 'nothing'"),
    (lambda arrays, d: d['states'].update({'net.0.weight': [1, 2]}), 'not the state of a trainer'),
    (lambda arrays, d: d['states'].pop('net.0.weight'), 'arrays that belong to nothing'),
    (lambda arrays, d: d.pop('numbers'), "not the state of a trainer: KeyError: 'numbers'"),
    (lambda arrays, d: d['numbers'].update(wd=3), 'numbers'),
    (lambda arrays, d: d['update_counts'].update({'net.0.weight': 'x'}), 'not the state of a trainer'),
    (lambda arrays, d: d.update(states=None), 'not the state of a trainer: TypeError'),
    (lambda arrays, d: arrays.update({'net.0.bias': arrays['net.0.bias'].astype('float64')}), 'dtype of net.0.bias'),
])
def test_damaged(change, message):
    toy = Toy('sgd', momentum=0.9)
    toy.step(0)
    arrays, description = collect(toy.trainers['t'], toy.names)
    change(arrays, description)
    with pytest.raises(CheckpointError, match=message):
        plan(toy.trainers['t'], toy.names, toy.values(), arrays, description, 'state')


def test_trainers_that_cannot_be_saved_whole():
    check_trainers(Toy('sgd'))
    for name in ('lbsgd', 'dcasgd'):
        with pytest.raises(ValueError, match=f"trainer 't': {name.upper()} cannot be resumed exactly"):
            check_trainers(Toy(name))
    toy = Toy('sgd')
    toy.trainers['t'] = gluon.Trainer(toy.networks['net'].collect_params(), 'sgd')
    with pytest.raises(ValueError, match="trainer 't': must be made with update_on_kvstore=False"):
        check_trainers(toy)
    toy.networks, toy.trainers = {'other': Toy('sgd').networks['net']}, Toy('sgd').trainers
    with pytest.raises(ValueError, match="trainer 't' updates 'dense.*bias', which none of the networks"):
        check_trainers(toy)
