"""Updates: parts of a batch, gradients over rounds, devices and machines, clipping, precision, what does not decay.

What is learned is of the simplest kind: the mean square of a linear network's outputs is to be small.
"""
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd
from mxnet.gluon import nn
from tiny_detector import CLASS_NAMES, TinyDetector, make_batch

from gluonzoo import optimizers
from gluonzoo.data import Batch
from gluonzoo.losses.center import CenterLoss
from gluonzoo.models.dsod import dsod300
from gluonzoo.recipes.dsod import PAPER
from gluonzoo.tasks.detection.single_shot import SingleShotDetection
from gluonzoo.train.engine import Engine

SGD = {'name': 'sgd', 'learning_rate': .1}
TWO = [mx.cpu(0), mx.cpu(1)]


class Squares:
    """Networks that learn to make their outputs small, each by a trainer of its own.

    The loss of each depends on those before it as well, as a generator's loss does on the discriminator.
    """

    def __init__(self, *names, optimizer=SGD, **options):
        self.engine, self.networks = Engine(**options), {}
        for name in names:
            net = self.networks[name] = nn.Dense(3, in_units=2, weight_initializer=mx.init.Constant(.5))
            self.engine.place(net, (1, 2))
            self.engine.trainer(name, optimizer, net)

    def step(self, batch):
        scalars = []
        for parts in self.engine.parts(batch):
            for i, name in enumerate(self.networks):
                with autograd.record():
                    losses = [sum((net(x) ** 2).mean() for net in list(self.networks.values())[:i + 1]) for x, in parts]
                self.engine.backward(name, losses)
            scalars += [{'loss': loss} for loss in losses]
        for name in self.networks:
            self.engine.step(name)
        return self.engine.mean(scalars)

    def weights(self, name='a', ctx=None):
        return np.concatenate([p.data(ctx or self.engine.ctx[0]).asnumpy().ravel()
                               for p in self.networks[name].collect_params().values()])


def batch_of(size=8, seed=0):
    return Batch((mx.nd.array(np.random.default_rng(seed).normal(size=(size, 2))),), np.arange(size))


def expected_weights(steps, optimizer=SGD, clip_norm=None):
    """By plain Gluon, with the whole batch at once: all parts are equal, so their mean is the batch's."""
    net = nn.Dense(3, in_units=2, weight_initializer=mx.init.Constant(.5))
    net.initialize()
    trainer = mx.gluon.Trainer(net.collect_params(), optimizers.create(**optimizer))
    for step in range(steps):
        with autograd.record():
            loss = (net(batch_of(seed=step).arrays[0]) ** 2).mean()
        loss.backward()
        if clip_norm:
            gradients = [p.grad() for p in net.collect_params().values()]
            assert mx.gluon.utils.clip_global_norm(gradients, clip_norm) > clip_norm   # there is something to clip
        trainer.step(1)
    return np.concatenate([p.data().asnumpy().ravel() for p in net.collect_params().values()])


# -- parts -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('accumulate, ctx', [(1, [mx.cpu()]), (2, [mx.cpu()]), (1, TWO), (3, TWO)])
def test_parts(accumulate, ctx):
    engine = Engine(accumulate=accumulate, ctx=ctx)
    x, y = np.arange(12.), np.arange(24.).reshape(12, 2)
    rounds = list(engine.parts(Batch((mx.nd.array(x), mx.nd.array(y)), None)))
    assert [len(parts) for parts in rounds] == [len(ctx)] * accumulate
    assert all(array.context == c for parts in rounds for part, c in zip(parts, ctx) for array in part)
    parts = [part for parts in rounds for part in parts]
    np.testing.assert_array_equal(np.concatenate([part[0].asnumpy() for part in parts]), x)
    np.testing.assert_array_equal(np.concatenate([part[1].asnumpy() for part in parts]), y)
    assert len({part[0].shape for part in parts}) == 1


def test_parts_must_be_equal():
    with pytest.raises(ValueError, match=r'batch: must be a multiple of 6 \(3 rounds on 2 devices\): 8'):
        next(Engine(accumulate=3, ctx=TWO).parts(batch_of(8)))


# -- updates ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('optimizer', [SGD, dict(SGD, momentum=.9, wd=.01), {'name': 'adam', 'learning_rate': .1}])
@pytest.mark.parametrize('clip_norm', [None, .1])
@pytest.mark.parametrize('accumulate, ctx', [(1, [mx.cpu()]), (2, [mx.cpu()]), (1, TWO), (4, TWO)])
def test_update_is_along_the_mean(optimizer, clip_norm, accumulate, ctx):
    task = Squares('a', optimizer=optimizer, clip_norm=clip_norm, accumulate=accumulate, ctx=ctx)
    for step in range(3):
        task.step(batch_of(seed=step))
    for device in ctx:
        np.testing.assert_allclose(task.weights(ctx=device), expected_weights(3, optimizer, clip_norm), rtol=1e-5)


def test_two_devices_are_as_two_rounds():
    rounds, devices = Squares('a', accumulate=2), Squares('a', ctx=TWO)
    for step in range(3):
        losses = [task.step(batch_of(seed=step))['loss'].asscalar() for task in (rounds, devices)]
        assert losses[0] == losses[1]
    np.testing.assert_array_equal(rounds.weights(), devices.weights())


def test_norm_below_the_limit_is_left():
    free, limited = Squares('a'), Squares('a', clip_norm=1e6)
    for task in (free, limited):
        task.step(batch_of())
    np.testing.assert_array_equal(free.weights(), limited.weights())


def test_losses_are_those_before_the_update():
    task, batch = Squares('a', accumulate=2), batch_of()
    x = batch.arrays[0].asnumpy()
    loss, = task.step(batch).values()
    assert loss.shape == (1,) and loss.asscalar() == pytest.approx(((x.sum(1) / 2) ** 2).mean(), rel=1e-5)
    assert task.step(batch)['loss'].asscalar() < loss.asscalar()


@pytest.mark.parametrize('accumulate, ctx', [(1, [mx.cpu()]), (2, [mx.cpu()]), (2, TWO)])
def test_two_trainers(accumulate, ctx):
    """Both learn as each does alone, whatever gradients the loss of the other leaves."""
    task = Squares('a', 'b', accumulate=accumulate, ctx=ctx)
    for step in range(3):
        task.step(batch_of(seed=step))
    for name in 'ab':
        np.testing.assert_allclose(task.weights(name), expected_weights(3), rtol=1e-5)


def test_a_frozen_network_stays():
    engine, free, frozen = Engine(), nn.Dense(3, in_units=2), nn.Dense(3, in_units=2)
    frozen.collect_params().setattr('grad_req', 'null')
    for net in (free, frozen):
        engine.place(net, (1, 2))
    engine.trainer('both', SGD, free, frozen)
    before = [net.weight.data().asnumpy() for net in (free, frozen)]
    engine.minimize('both', batch_of(), lambda x: {'loss': (frozen(free(x)[:, :2]) ** 2).mean()})
    np.testing.assert_array_equal(frozen.weight.data().asnumpy(), before[1])
    assert (free.weight.data().asnumpy() != before[0]).any()


@pytest.mark.parametrize('accumulate, ctx', [(1, [mx.cpu()]), (2, TWO)])
def test_minimize(accumulate, ctx):
    """It is backward() for each round, then step(), bit for bit; what else it is told of does not count."""
    by_hand, short = (Squares('a', accumulate=accumulate, ctx=ctx) for _ in range(2))

    def losses_of(x):
        assert autograd.is_recording() and autograd.is_training()
        loss = (short.networks['a'](x) ** 2).mean()
        return {'loss': loss, 'other': 3 * loss}

    for step in range(3):
        batch = batch_of(seed=step)
        expected, losses = by_hand.step(batch)['loss'], short.engine.minimize('a', batch, losses_of)
        assert list(losses) == ['loss', 'other'] and losses['loss'].shape == (1,)
        assert losses['loss'].asscalar() == expected.asscalar()
        assert losses['other'].asscalar() == pytest.approx(3 * expected.asscalar(), rel=1e-6)
        for device in ctx:
            np.testing.assert_array_equal(short.weights(ctx=device), by_hand.weights(ctx=device))


@pytest.mark.parametrize('losses, message', [
    (lambda loss: 3, "losses: must be a dict with 'loss': 3"),
    (lambda loss: {'lss': loss}, r"must be a dict with 'loss': \['lss'\]$"),
    (lambda loss: {'loss': mx.nd.tile(loss, 2)}, r'losses: loss: must be an NDArray of one number: \(2,\)'),
    (lambda loss: {'loss': loss, 'other': 3.0}, 'losses: other: must be an NDArray of one number: 3.0')])
def test_losses_that_are_none(losses, message):
    task = Squares('a')
    with pytest.raises(ValueError, match=message):
        task.engine.minimize('a', batch_of(), lambda x: losses((task.networks['a'](x) ** 2).mean()))


def test_a_trainer_that_is_not_there():
    engine = Squares('a').engine
    for do in (lambda: engine.minimize('b', batch_of(), lambda x: {'loss': x.mean()}), lambda: engine.step('b'),
               lambda: engine.step(('a', 'b'))):
        with pytest.raises(ValueError, match="name: there is no trainer 'b'; there are a"):
            do()


@pytest.mark.parametrize('accumulate, ctx', [(1, None), (2, None), (1, TWO), (2, TWO)])
def test_passes_add_up(accumulate, ctx):
    """A loss in three passes is the loss in one."""
    task, once = (Squares('a', accumulate=accumulate, ctx=ctx) for _ in range(2))
    engine, net = task.engine, task.networks['a']
    engine.trainer('a', SGD, net, passes=3)
    for number in range(3):
        for parts in engine.parts(batch_of(seed=number)):
            for share in (.25, .25, .5):
                with autograd.record():
                    losses = [share * (net(x) ** 2).mean() for x, in parts]
                engine.backward('a', losses)
        engine.step('a')
        once.step(batch_of(seed=number))
    np.testing.assert_allclose(task.weights(), once.weights(), rtol=1e-6)
    np.testing.assert_allclose(task.weights(), expected_weights(3), rtol=1e-5)


def test_trainers_are_known_by_name():
    task = Squares('a', 'b')
    assert list(task.engine.trainers) == ['a', 'b'] and task.engine.trainers['a'].learning_rate == .1


class TwiceTheSame(mx.kvstore.KVStoreBase):
    """The store of one of two machines, whose other has the same gradients, and other initial weights."""
    type, rank, num_workers = 'dist_sync', 1, 2
    keys = ()

    def broadcast(self, key, value, out, priority=0):
        assert key not in self.keys
        self.keys += (key,)
        for array in out:
            array[:] = .25 if array.ndim > 1 else 0

    def pushpull(self, key, value, out=None, priority=0):
        assert key in self.keys
        total = mx.nd.add_n(*(array.as_in_context(mx.cpu()) for array in value)) * 2
        for array in value:
            array[:] = total.as_in_context(array.context)


@pytest.mark.parametrize('ctx', [[mx.cpu()], TWO])
def test_machines(ctx):
    """All start from the first machine's weights, and follow the mean."""
    task, alone = Squares('a', kvstore=TwiceTheSame(), ctx=ctx), Squares('a')
    assert (task.networks['a'].weight.data().asnumpy() == .25).all()
    alone.networks['a'].weight.set_data(mx.nd.full((3, 2), .25))
    for one in (task, alone):
        one.step(batch_of())
    np.testing.assert_allclose(task.weights(), alone.weights(), rtol=1e-5)


@pytest.mark.filterwarnings('ignore:.*while still having forward hook')
def test_machines_agree_before_the_network_is_used():
    """On a CPU a convolution changes the layout of its weights, and the real store then refuses them."""
    events, net, store = [], nn.Conv2D(2, 3), TwiceTheSame()
    broadcast = store.broadcast
    store.broadcast = lambda key, *args: events.append(key) or broadcast(key, *args)
    net.register_forward_hook(lambda *_: events.append('used'))
    Engine(kvstore=store).place(net, (1, 3, 8, 8))
    assert events == [0, 1, 'used']


# -- trainers that follow one loss -----------------------------------------------------------------------------------

class Centered:
    """A linear network whose outputs are to be small, and near the centers of their classes."""

    def __init__(self, optimizer=SGD, reduction='sum', duplicates='sum', store=None, **options):
        self.engine = Engine(**options, **({'kvstore': store} if store else {}))
        self.net = nn.Dense(3, in_units=2, weight_initializer=mx.init.Constant(.5))
        self.center = CenterLoss(4, 3, duplicates=duplicates, weight=.5)
        self.engine.place(self.net, (1, 2))
        self.engine.place(self.center, (1, 3), (1,))
        self.engine.trainer('net', optimizer, self.net)
        self.engine.trainer('center', {'name': 'sgd', 'learning_rate': .05}, self.center, reduction=reduction)

    def losses_of(self, batch):
        def losses_of(x, labels):
            features = self.net(x)
            center = self.center(features, labels, batch.arrays[1].as_in_context(x.context))
            return {'loss': (features ** 2).mean() + center, 'center': center}
        return losses_of

    def step(self, batch):
        return self.engine.minimize(('net', 'center'), batch, self.losses_of(batch))

    def step_in_passes(self, batch):
        """The network alone goes back once more, for a loss of its own."""
        for part, in self.engine.parts(batch):
            for names, losses_of in ((('net', 'center'), self.losses_of(batch)),
                                     ('net', lambda x, _: {'loss': (self.net(x) ** 2).mean()})):
                with autograd.record():
                    loss = losses_of(*part)['loss']
                self.engine.backward(names, [loss])
        for name in ('net', 'center'):
            self.engine.step(name)

    def weights(self, ctx=None):
        return [p.data(ctx or self.engine.ctx[0]).asnumpy()
                for net in (self.net, self.center) for p in net.collect_params().values()]


def labelled_batch(size=24, seed=0):
    """Labels 0 ... 2; a part of a batch has duplicates, and so have two parts."""
    return Batch((batch_of(size, seed).arrays[0], mx.nd.array(np.random.default_rng(seed).integers(0, 3, size))), None)


def centered_by_hand(steps, clip_norm=None, duplicates='sum', lr=.1, beta=.05):
    """The weights after so many steps with the whole batch: NumPy, one picture after the other."""
    weight, bias, centers = np.full((3, 2), .5), np.zeros(3), np.zeros((4, 3))
    for seed in range(steps):
        x, labels = (array.asnumpy().astype('float64') for array in labelled_batch(seed=seed).arrays)
        labels, after, gradients = labels.astype(int), centers.copy(), [np.zeros((3, 2)), np.zeros(3)]
        for one, label in zip(x, labels):
            feature = weight @ one + bias
            center = centers[label] / max(np.linalg.norm(centers[label]), 1e-12)
            slope = 2 * feature / 3 / len(x) + .5 * 2 * (feature - center) / len(x)
            gradients = [gradients[0] + np.outer(slope, one), gradients[1] + slope]
            count = list(labels).count(label)
            after[label] += beta * {'sum': 1, 'mean': 1 / count, 'damped': 1 / (1 + count)}[duplicates] * (
                feature - center)
        norm = np.sqrt(sum((gradient ** 2).sum() for gradient in gradients))
        if clip_norm:
            assert norm > clip_norm   # there is something to clip
            gradients = [gradient * clip_norm / norm for gradient in gradients]
        weight, bias, centers = weight - lr * gradients[0], bias - lr * gradients[1], after
    return [weight, bias, centers]


@pytest.mark.parametrize('duplicates', ['sum', 'mean', 'damped'])
@pytest.mark.parametrize('clip_norm', [None, .01])
@pytest.mark.parametrize('accumulate, ctx', [(1, [mx.cpu()]), (2, [mx.cpu()]), (1, TWO), (4, TWO), (12, TWO)])
def test_network_and_centers(accumulate, ctx, clip_norm, duplicates):
    """The network follows the mean, clipped; the centers have the whole batch's update, however it is cut."""
    task = Centered(accumulate=accumulate, ctx=ctx, clip_norm=clip_norm, duplicates=duplicates)
    for seed in range(3):
        task.step(labelled_batch(seed=seed))
    for device in ctx:
        for found, expected in zip(task.weights(device), centered_by_hand(3, clip_norm, duplicates)):
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_network_and_centers_on_two_devices_are_as_in_two_rounds():
    rounds, devices = Centered(accumulate=2), Centered(ctx=TWO)
    for seed in range(3):
        losses = [task.step(labelled_batch(seed=seed))['center'].asscalar() for task in (rounds, devices)]
        assert losses[0] == losses[1]
    for one, two in zip(rounds.weights(), devices.weights()):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize('ctx', [[mx.cpu()], TWO])
def test_network_and_centers_of_machines(ctx):
    """The network follows the mean of two machines with the same gradients, the centers move twice as far."""
    task, alone = Centered(store=TwiceTheSame(), ctx=ctx), Centered()
    for one in (task, alone):
        one.net.weight.set_data(mx.nd.full((3, 2), .25))
        one.center.centers.set_data(mx.nd.full((4, 3), .25))
        one.step(labelled_batch())
    (*net, centers), (*expected, moved) = task.weights(), alone.weights()
    for found, wanted in zip(net, expected):
        np.testing.assert_allclose(found, wanted, rtol=1e-5)
    np.testing.assert_allclose(centers - .25, 2 * (moved - .25), atol=1e-6)


@pytest.mark.parametrize('accumulate, ctx', [(1, [mx.cpu()]), (3, TWO)])
def test_one_backward_pass_serves_both(accumulate, ctx, monkeypatch):
    """It is backward() and step() by hand, bit for bit; the order of names does not count."""
    passes, backward = [], autograd.backward
    monkeypatch.setattr(autograd, 'backward', lambda heads: passes.append(len(heads)) or backward(heads))
    short, by_hand = (Centered(accumulate=accumulate, ctx=ctx) for _ in range(2))
    for seed in range(3):
        batch = labelled_batch(seed=seed)
        short.step(batch)
        assert passes == [len(ctx)] * accumulate
        for parts in by_hand.engine.parts(batch):
            with autograd.record():
                losses = [by_hand.losses_of(batch)(*part)['loss'] for part in parts]
            by_hand.engine.backward(['center', 'net'], losses)
        for name in ('center', 'net'):
            by_hand.engine.step(name)
        passes.clear()
    for device in ctx:
        for one, two in zip(short.weights(device), by_hand.weights(device)):
            np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize('optimizer', [SGD, dict(SGD, momentum=.9, wd=.01)])
@pytest.mark.parametrize('accumulate, ctx', [(1, [mx.cpu()]), (2, [mx.cpu()]), (4, TWO)])
def test_a_sum_is_as_many_times_the_mean(accumulate, ctx, optimizer):
    """That of a loss which is a mean over a part. The rate makes up for it. (Decay knows neither mean nor sum.)"""
    task, parts = Squares('a', accumulate=accumulate, ctx=ctx), accumulate * len(ctx)
    decay = optimizer.get('wd', 0) * parts
    slower = {**optimizer, 'learning_rate': optimizer['learning_rate'] / parts, 'wd': decay}
    task.engine.trainer('a', slower, task.networks['a'], reduction='sum')
    for step in range(3):
        task.step(batch_of(seed=step))
    np.testing.assert_allclose(task.weights(), expected_weights(3, optimizer), rtol=1e-5)


def test_a_new_trainer_has_a_reduction_of_its_own():
    task = Squares('a', accumulate=2)
    for reduction in ({'reduction': 'sum'}, {}):
        task.engine.trainer('a', SGD, task.networks['a'], **reduction)
    for step in range(3):
        task.step(batch_of(seed=step))
    np.testing.assert_allclose(task.weights(), expected_weights(3), rtol=1e-5)


@pytest.mark.parametrize('name, message', [
    (('net', 'centre'), "name: there is no trainer 'centre'; there are net, center"),
    ((), r'name: must be that of a trainer, or of several, each once: \(\)'),
    (('net', 'center', 'net'), 'name: must be that of a trainer, or of several, each once: .*net'),
    (None, 'name: must be that of a trainer, .*: None'), (('net', ['center']), 'name: must be that of a trainer')])
def test_trainers_that_are_none(name, message):
    """No gradient is added to any: the next update is as if it were the first."""
    task, other = Centered(accumulate=2), Centered(accumulate=2)
    with pytest.raises(ValueError, match=f'^{message}'):
        task.engine.minimize(name, labelled_batch(), task.losses_of(labelled_batch()))
    for each in (task, other):
        each.step(labelled_batch())
    for one, two in zip(task.weights(), other.weights()):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize('reduction', ['total', None, True])
def test_a_reduction_that_is_none(reduction):
    with pytest.raises(ValueError, match=f"^reduction: must be 'mean' or 'sum': {reduction!r}"):
        Centered(reduction=reduction)


# -- networks --------------------------------------------------------------------------------------------------------

def test_networks_are_ready_when_placed():
    """Shapes known, hybridized, on all devices."""
    net = nn.HybridSequential()
    net.add(nn.Conv2D(4, 3), nn.BatchNorm(), nn.Dense(2))
    assert Engine(ctx=TWO).place(net, (1, 3, 8, 8)).shape == (1, 2)
    assert [p.list_ctx() for p in net.collect_params().values()] == [TWO] * 8
    np.testing.assert_array_equal(*(data.asnumpy() for data in net[0].weight.list_data()))
    assert net[0].weight.shape == (4, 3, 3, 3) and net._active


def test_weights_that_are_there_stay():
    net = nn.Dense(2, in_units=2)
    net.initialize(mx.init.Constant(7))
    Engine(ctx=TWO).place(net, (1, 2))
    assert all((data.asnumpy() == 7).all() for data in net.weight.list_data())


# -- what does not decay ---------------------------------------------------------------------------------------------

class Named(mx.gluon.HybridBlock):
    """With the parameters body.0.weight, body.1.gamma, body.1.beta, body.2.weight, body.2.bias, head.weight ..."""

    def __init__(self):
        super().__init__()
        self.body, self.head = nn.HybridSequential(), nn.Dense(2)
        self.body.add(nn.Dense(4, use_bias=False), nn.BatchNorm(), nn.Dense(4))

    def hybrid_forward(self, F, x):
        return self.head(self.body(x))


def spared(net):
    return {name for name, parameter in net._collect_params_with_prefix().items() if parameter.wd_mult == 0}


@pytest.mark.parametrize('no_decay, expected', [
    ([], set()),
    (['bias'], {'body.2.bias', 'head.bias'}),
    (['bias', 'gamma'], {'body.2.bias', 'head.bias', 'body.1.gamma'}),
    (['1.gamma', '1.beta'], {'body.1.gamma', 'body.1.beta'}),
    (['head.*'], {'head.weight', 'head.bias'}),
    (['body.*.weight'], {'body.0.weight', 'body.2.weight'}),
    (['body.[12].b*'], {'body.1.beta', 'body.2.bias'}),
    (['head.bias'], {'head.bias'}),
])
def test_what_no_decay_spares(no_decay, expected):
    engine, net = Engine(), Named()
    engine.place(net, (1, 2))
    engine.trainer('net', {**SGD, 'wd': .5, 'no_decay': no_decay}, net)
    assert spared(net) == expected


@pytest.mark.parametrize('no_decay', [['bias', 'gama'], ['ias'], ['bod.*'], ['.bias'], ['heads.*.gamma'], ['Bias']])
def test_a_pattern_that_matches_nothing(no_decay):
    engine, net = Engine(), Named()
    engine.place(net, (1, 2))
    with pytest.raises(ValueError, match=re.escape(f'optimizer: no_decay: {no_decay[-1]!r} matches no parameter')):
        engine.trainer('net', {**SGD, 'no_decay': no_decay}, net)


@pytest.mark.parametrize('name, decayed', [('sgd', .5 * .9), ('adam', None)])
def test_weights_that_are_spared_stay(name, decayed):
    """With a gradient of 0 the rest is multiplied with 1 - lr * wd. (Adam's decay is part of the gradient.)"""
    engine, net = Engine(), nn.Dense(2, in_units=2)
    net.initialize(mx.init.Constant(.5))
    net.bias.set_data(mx.nd.full((2,), .5))
    engine.place(net, (1, 2))
    engine.trainer('net', {'name': name, 'learning_rate': .2, 'wd': .5, 'no_decay': ['bias']}, net)
    engine.minimize('net', batch_of(), lambda x: {'loss': 0 * net(x).mean()})
    assert net.bias.data().asnumpy().tolist() == [.5, .5]
    weight = net.weight.data().asnumpy()
    assert (weight < .5).all()
    if decayed:
        np.testing.assert_allclose(weight, decayed, rtol=1e-6)


def test_no_decay_of_several_networks():
    """Of those of the trainer alone."""
    engine, one, two, other = Engine(), Named(), nn.Dense(2), Named()
    for net in (one, two, other):
        engine.place(net, (1, 2))
    engine.trainer('both', {**SGD, 'no_decay': ['bias']}, one, two)
    assert spared(one) == {'body.2.bias', 'head.bias'} and spared(two) == {'bias'} and not spared(other)


def test_a_trainer_spares_nothing_that_a_former_one_has_spared():
    """Each has its own 'no_decay'; what a network says of itself stays."""
    engine, net = Engine(), Named()
    engine.place(net, (1, 2))
    net.head.weight.wd_mult = .25
    engine.trainer('net', {**SGD, 'no_decay': ['bias', 'head.weight']}, net)
    engine.trainer('net', {**SGD, 'no_decay': ['gamma']}, net)
    assert spared(net) == {'body.1.gamma'} and net.head.weight.wd_mult == .25 and net.head.bias.wd_mult == 1
    engine.trainer('net', SGD, net)
    assert not spared(net)


# -- memory ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('make, shape, there, said', [
    (lambda: nn.Dense(1000, in_units=1000), (1, 1000), 2 * 4_003_999,
     'net: its parameters: .* 8008000 bytes .* 8007998'),
    (lambda: nn.Dense(1000), (1, 1000), 2 * 4_003_999, 'net: its parameters: .* 8008000 bytes'),
    (lambda: nn.Conv2D(1, 1), (1, 3, 1000, 1000), 11_999_999, 'net: its inputs: .* 12000000 bytes'),
    (lambda: nn.Conv2D(8, 1), (1, 3, 1000, 1000), 31_999_999, 'net: an array in it: .* 32000000 bytes')])
def test_a_network_beyond_the_memory_is_refused_before_it_takes_any(make, shape, there, said, monkeypatch):
    monkeypatch.setattr('gluonzoo.memory.limit', lambda: there)
    net = make()
    with pytest.raises(ValueError, match=said):
        Engine().place(net, shape, name='net')
    assert not any(parameter._data for parameter in net.collect_params().values())
    monkeypatch.setattr('gluonzoo.memory.limit', lambda: there + 2)
    Engine().place(net, shape)


@pytest.mark.parametrize('optimizer, copies', [
    ({'name': 'sgd'}, 2), ({'name': 'sgd', 'momentum': .9}, 3), ({'name': 'adam'}, 4), ({'name': 'ftml'}, 5)])
def test_the_states_of_an_optimizer_count(optimizer, copies, monkeypatch):
    """Weights, gradients, and so many states."""
    engine, net = Engine(), nn.Dense(1000, in_units=999, use_bias=False)
    engine.place(net, (1, 999))
    monkeypatch.setattr('gluonzoo.memory.limit', lambda: copies * 3_996_000 - 1)
    with pytest.raises(ValueError, match=f'^optimizer: .* of net: must fit .* {copies * 3_996_000} bytes'):
        engine.trainer('net', optimizer, net)
    monkeypatch.setattr('gluonzoo.memory.limit', lambda: copies * 3_996_000)
    engine.trainer('net', optimizer, net)


def test_settings_of_the_optimizer_stay_as_they_are():
    engine, net, settings = Engine(), Named(), {**SGD, 'no_decay': ['bias']}
    kept = {**settings}
    engine.place(net, (1, 2))
    engine.trainer('net', settings, net)
    assert settings == kept


def test_dsod_spares_the_normalisation_of_its_heads_alone():
    """By its recipe, as the official code does; the network itself says nothing of it."""
    engine, net = Engine(), dsod300(classes=20)
    assert not spared(net)
    net.initialize()
    engine.trainer('net', PAPER['optimizer'], net)
    assert spared(net) == {f'heads.{i}.norm.{name}' for i in range(6) for name in ('gamma', 'beta')}


# -- errors ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('options, message', [
    (dict(accumulate=0), 'accumulate: must be a whole number of rounds, at least 1: 0'),
    (dict(accumulate=1.5), 'accumulate: must be'),
    (dict(accumulate=True), 'accumulate: must be'),
    (dict(clip_norm=0), 'clip_norm: must be above 0, or None: 0'),
    (dict(clip_norm=float('nan')), 'clip_norm: must be'),
    (dict(ctx=[]), r'ctx: must be one or more devices, each once: \[\]'),
    (dict(ctx=[mx.cpu(0), mx.cpu(0)]), 'each once'),
    (dict(amp='int8'), "amp: must be None, 'float16' or 'bfloat16': 'int8'"),
    (dict(amp='bfloat16'), "amp: must be the same for all engines of a process; the first had None: 'bfloat16'"),
    (dict(kvstore='dist_sync'), "kvstore: must be 'device', 'local' or, for several machines, a store itself"),
    (dict(kvstore='devise'), 'kvstore: must be'),
    (dict(kvstore=None, ctx=TWO), 'kvstore: 2 devices need one'),
])
def test_errors(options, message):
    Engine()   # one without mixed precision comes first
    with pytest.raises(ValueError, match=message):
        Engine(**options)


@pytest.mark.parametrize('optimizer, message', [
    ({'name': 'sgd', 'lr': 1}, "^optimizer: sgd takes no 'lr'; there are "),
    ({'name': 'sdg'}, 'optimizer: .*sdg'),
    ({'learning_rate': 1}, "optimizer: must have a 'name': {'learning_rate': 1}"),
    ({'name': 'adam', 'lr_scheduler': 'x'}, "optimizer: lr_scheduler: must be null, or a scheduler of MXNet: 'x'"),
    ({'name': 'sgd', 'momentum': 'x'}, "optimizer: momentum: must be a number from -3.4e.38 to 3.4e.38: 'x'"),
    ({'name': 'sgd', 'wd': None}, 'optimizer: wd: must be a number from .*: None'),
    ({'name': 'sgd', 'wd': 1e300}, 'wd: must be a number from .*: 1e.300'),
    ({'name': 'sgd', 'self': 1}, "optimizer: sgd takes no 'self'"), ({'name': [1]}, r'unknown optimizer \[1\]'),
    (3, 'optimizer: must be .*: 3'), ({'name': 'adam', 'param_idx2name': 3}, 'optimizer: .*should be a dict'),
    ({'name': 'sgd', 'learning_rate': -1}, 'optimizer: learning_rate: must be a number from 0 to 3.4e.38: -1'),
    ({'name': 'sgd', 'learning_rate': float('nan')}, 'learning_rate: must be a number from 0 to 3.4e.38: nan'),
    ({'name': 'sgd', 'learning_rate': '1'}, "learning_rate: must be a number from 0 to 3.4e.38: '1'"),
    ({'name': 'sgd', 'no_decay': 'bias'}, r"optimizer: no_decay: must be a list of names, such as \['bias'\]: 'bias'"),
    ({'name': 'sgd', 'no_decay': [1]}, r'no_decay: must be a list of names, .*: \[1\]'),
    ({'name': 'sgd', 'no_decay': None}, 'no_decay: must be a list of names, .*: None'),
])
def test_errors_of_the_optimizer(optimizer, message):
    with pytest.raises(ValueError, match=message):
        Squares('a', optimizer=optimizer)


# -- mixed precision changes a process for good, so each test has one of its own ---------------------------------------

def python(code, **environment):
    """What the code prints, run beside this file."""
    process = subprocess.run([sys.executable, '-c', 'import gluonzoo\n' + textwrap.dedent(code)], text=True,
                             cwd=Path(__file__).parent, capture_output=True, timeout=240,
                             env={**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path), **environment})
    assert process.returncode == 0, process.stderr
    return process.stdout


def test_bfloat16():
    """Convolutions compute in it, gradients add up over rounds, a detector learns; an engine without it is refused."""
    out = python('''
        import mxnet as mx, numpy as np
        from tiny_detector import CLASS_NAMES, TinyDetector, make_batch
        from gluonzoo.tasks.detection.single_shot import SingleShotDetection
        from gluonzoo.train.engine import Engine
        mx.random.seed(0)
        net = TinyDetector(8)
        task = SingleShotDetection(net, CLASS_NAMES, optimizer={'name': 'adam', 'learning_rate': .01})
        task.start_training(Engine(amp='bfloat16', accumulate=2))
        batches = [make_batch(16, seed) for seed in range(10)]
        print(net.shallow[0](batches[0].arrays[0]).dtype)
        losses = [task.train_step(batches[i % 10], i)['loss'].asscalar() for i in range(60)]
        print(np.isfinite(losses).all(), np.mean(losses[-10:]) < np.mean(losses[:10]) / 3)
        print({str(np.dtype(p.dtype)) for p in net.collect_params().values()})
        print(len(task.predict([np.zeros((9, 9, 3), 'uint8')])))
        try:
            Engine()
        except ValueError as error:
            print(error)
        mx.nd.waitall()
        ''', OMP_NUM_THREADS='1')   # tiny layers only lose by more
    dtype, *rest = out.splitlines()
    assert 'bfloat16' in dtype
    assert rest == ['True True', "{'float32'}", '1',
                    "amp: must be the same for all engines of a process; the first had 'bfloat16': None"]


def losses_and_weights(amp):
    mx.random.seed(0)
    task = SingleShotDetection(TinyDetector(8), CLASS_NAMES)
    task.start_training(Engine(accumulate=2, clip_norm=1, amp=amp))
    for seed in range(3):
        yield task.train_step(make_batch(4, seed), seed)['loss'].asscalar()
    for parameter in task.networks['net'].collect_params().values():
        yield from parameter.data().asnumpy().ravel()[:3]
    if amp:
        scaler, weight = task.trainers['net']._amp_loss_scaler, task.networks['net'].heads[0].weight.data()
        before = weight.asnumpy()
        scaler._loss_scale = scaler._next_loss_scale = 2. ** 200   # overflows: the step must be left out
        task.train_step(make_batch(4), 3)
        assert (weight.asnumpy() == before).all() and scaler._next_loss_scale == 2. ** 199


def test_float16_scales_the_loss():
    """With no operator in float16 (a CPU has few), scaling by a power of two changes nothing, clipping included."""
    out = python('''
        from mxnet.contrib import amp
        from test_engine import losses_and_weights
        init = amp.init
        amp.init = lambda dtype: init(dtype, target_precision_ops=['relu'], conditional_fp32_ops=[], fp32_ops=[])
        print(*map(float, losses_and_weights('float16')))
        ''')
    assert [float(value) for value in out.split()] == list(losses_and_weights(None))


def centered_losses_and_weights(amp):
    """Three steps; with float16, then such as overflow: of neither, again, of both, and of the network alone."""
    task = Centered(accumulate=2, clip_norm=1, amp=amp)
    for seed in range(3):
        yield task.step(labelled_batch(seed=seed))['loss'].asscalar()
    yield from (number for array in task.weights() for number in array.ravel())
    if amp:
        net, center = (task.engine.trainers[name]._amp_loss_scaler for name in ('net', 'center'))
        for scales, size, moves, after in ((8, 9), 1, (True, True), (8, 9)), ((200, 9), 1, (True, True), (200, 9)), (
                (200, 200), 1, (False, False), (199, 199)), ((8, 9), 1e37, (False, True), (7, 9)):
            for scaler, scale in zip((net, center), scales):
                scaler._loss_scale = scaler._next_loss_scale = 2. ** scale
            batch = labelled_batch()
            batch.arrays[0][:] *= size   # the gradient of the weights has it, that of the centers has not
            task.net.weight.set_data(mx.nd.zeros((3, 2)))
            task.net.bias.set_data(mx.nd.ones((3,)))
            before, _, centers = task.weights()
            task.step(batch)
            weight, _, moved = task.weights()
            assert ((weight != before).any(), (moved != centers).any()) == moves, scales
            assert (net._next_loss_scale, center._next_loss_scale) == tuple(2. ** scale for scale in after), scales


def test_float16_scales_the_loss_of_two_trainers_alike():
    """As above; the smaller scale is that of both."""
    out = python('''
        from mxnet.contrib import amp
        from test_engine import centered_losses_and_weights
        init = amp.init
        amp.init = lambda dtype: init(dtype, target_precision_ops=['relu'], conditional_fp32_ops=[], fp32_ops=[])
        print(*map(float, centered_losses_and_weights('float16')))
        ''')
    assert [float(value) for value in out.split()] == list(map(float, centered_losses_and_weights(None)))


def weights_after_passes(amp):
    """Of a step in two passes, where the scales of the trainers differ: the gradients of both have one scale."""
    task = Centered(amp=amp)
    task.engine.trainer('net', SGD, task.net, passes=2)
    if amp:
        for name, scale in (('net', 2. ** 9), ('center', 2. ** 4)):
            scaler = task.engine.trainers[name]._amp_loss_scaler
            scaler._loss_scale = scaler._next_loss_scale = scale
    for seed in range(3):
        task.step_in_passes(labelled_batch(seed=seed))
    return [number for array in task.weights() for number in array.ravel()]


def test_float16_has_one_scale_in_a_step():
    out = python('''
        from mxnet.contrib import amp
        from test_engine import weights_after_passes
        init = amp.init
        amp.init = lambda dtype: init(dtype, target_precision_ops=['relu'], conditional_fp32_ops=[], fp32_ops=[])
        print(*map(float, weights_after_passes('float16')))
        ''')
    assert [float(value) for value in out.split()] == list(map(float, weights_after_passes(None)))


def test_network_and_centers_with_bfloat16():
    """Features are rounded to its 8 digits; the centers are float32 and follow them as closely."""
    out = python('''
        import mxnet as mx
        from test_engine import TWO, Centered, labelled_batch
        task = Centered(accumulate=2, ctx=TWO, amp='bfloat16')
        for seed in range(3):
            task.step(labelled_batch(seed=seed))
        print(task.net(mx.nd.ones((1, 2))).dtype, *(array.dtype for array in task.weights()), sep=';')
        print(*(number for array in task.weights() for number in array.ravel()))
        ''')
    types, numbers = out.splitlines()
    assert 'bfloat16' in types.split(';')[0] and types.split(';')[1:] == ['float32'] * 3
    expected = np.concatenate([array.ravel() for array in centered_by_hand(3)])
    np.testing.assert_allclose([float(number) for number in numbers.split()], expected, atol=.02)
