"""What all tasks share: parts of a batch, gradients over rounds, devices and machines, clipping, precision.

The tasks here are of the simplest kind: the mean square of a linear network's outputs.
"""
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd
from mxnet.gluon import nn
from tiny_detector import CLASS_NAMES, Batch, TinyDetector, make_batch

from gluonzoo.tasks import Task
from gluonzoo.tasks.detection.single_shot import SingleShotDetection

SGD = {'name': 'sgd', 'learning_rate': .1}
TWO = [mx.cpu(0), mx.cpu(1)]


class Squares(Task):
    """Trains networks, each by a trainer of its own, to make their outputs small.

    The loss of each depends on those before it as well, as a generator's loss does on the discriminator.
    """

    def __init__(self, *names, optimizer=SGD, units=3, **options):
        super().__init__(**options)
        for name in names:
            net = nn.Dense(units, in_units=2, weight_initializer=mx.init.Constant(.5))
            self.outputs = self.add_network(name, net, (1, 2))
            self.add_trainer(name, optimizer, name)

    def train_step(self, batch):
        scalars = []
        for parts in self.parts(batch):
            for i, name in enumerate(self.networks):
                with autograd.record():
                    losses = [sum((net(x) ** 2).mean() for net in list(self.networks.values())[:i + 1]) for x, in parts]
                self.backward(name, losses)
            scalars += [{'loss': loss} for loss in losses]
        for name in self.networks:
            self.update(name)
        return self.mean(scalars)

    def weights(self, name='a', ctx=None):
        return np.concatenate([p.data(ctx or self.ctx[0]).asnumpy().ravel()
                               for p in self.networks[name].collect_params().values()])


def batch_of(size=8, seed=0):
    return Batch((mx.nd.array(np.random.default_rng(seed).normal(size=(size, 2))),), np.arange(size))


def expected_weights(steps, optimizer=SGD, clip_norm=None):
    """By plain Gluon, with the whole batch at once: all parts are equal, so their mean is the batch's."""
    net = nn.Dense(3, in_units=2, weight_initializer=mx.init.Constant(.5))
    net.initialize()
    settings = dict(optimizer)
    trainer = mx.gluon.Trainer(net.collect_params(), settings.pop('name'), settings)
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
    task = Squares('a', accumulate=accumulate, ctx=ctx)
    x, y = np.arange(12.), np.arange(24.).reshape(12, 2)
    rounds = task.parts(Batch((mx.nd.array(x), mx.nd.array(y)), None))
    assert [len(parts) for parts in rounds] == [len(ctx)] * accumulate
    assert all(array.context == c for parts in rounds for part, c in zip(parts, ctx) for array in part)
    parts = [part for parts in rounds for part in parts]
    np.testing.assert_array_equal(np.concatenate([part[0].asnumpy() for part in parts]), x)
    np.testing.assert_array_equal(np.concatenate([part[1].asnumpy() for part in parts]), y)
    assert len({part[0].shape for part in parts}) == 1


def test_parts_must_be_equal():
    with pytest.raises(ValueError, match=r'multiple of 6 \(3 rounds on 2 devices\): 8'):
        Squares('a', accumulate=3, ctx=TWO).train_step(batch_of(8))


# -- updates ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('optimizer', [SGD, dict(SGD, momentum=.9, wd=.01), {'name': 'adam', 'learning_rate': .1}])
@pytest.mark.parametrize('clip_norm', [None, .1])
@pytest.mark.parametrize('accumulate, ctx', [(1, [mx.cpu()]), (2, [mx.cpu()]), (1, TWO), (4, TWO)])
def test_update_is_along_the_mean(optimizer, clip_norm, accumulate, ctx):
    task = Squares('a', optimizer=optimizer, clip_norm=clip_norm, accumulate=accumulate, ctx=ctx)
    for step in range(3):
        task.train_step(batch_of(seed=step))
    for device in ctx:
        np.testing.assert_allclose(task.weights(ctx=device), expected_weights(3, optimizer, clip_norm), rtol=1e-5)


def test_two_devices_are_as_two_rounds():
    rounds, devices = Squares('a', accumulate=2), Squares('a', ctx=TWO)
    for step in range(3):
        losses = [task.train_step(batch_of(seed=step))['loss'].asscalar() for task in (rounds, devices)]
        assert losses[0] == losses[1]
    np.testing.assert_array_equal(rounds.weights(), devices.weights())


def test_norm_below_the_limit_is_left():
    free, limited = Squares('a'), Squares('a', clip_norm=1e6)
    for task in (free, limited):
        task.train_step(batch_of())
    np.testing.assert_array_equal(free.weights(), limited.weights())


def test_losses_are_those_before_the_update():
    task, batch = Squares('a', accumulate=2), batch_of()
    x = batch.arrays[0].asnumpy()
    loss, = task.train_step(batch).values()
    assert loss.shape == (1,) and loss.asscalar() == pytest.approx(((x.sum(1) / 2) ** 2).mean(), rel=1e-5)
    assert task.train_step(batch)['loss'].asscalar() < loss.asscalar()


@pytest.mark.parametrize('accumulate, ctx', [(1, [mx.cpu()]), (2, [mx.cpu()]), (2, TWO)])
def test_two_trainers(accumulate, ctx):
    """Both learn as each does alone, whatever gradients the loss of the other leaves."""
    task = Squares('a', 'b', accumulate=accumulate, ctx=ctx)
    for step in range(3):
        task.train_step(batch_of(seed=step))
    for name in 'ab':
        np.testing.assert_allclose(task.weights(name), expected_weights(3), rtol=1e-5)


def test_a_frozen_network_stays():
    task = Squares('a')
    frozen = nn.Dense(3, in_units=2)
    frozen.collect_params().setattr('grad_req', 'null')
    task.add_network('frozen', frozen, (1, 2))
    task.add_trainer('both', SGD, 'a', 'frozen')
    task.networks.pop('frozen')
    before = frozen.weight.data().asnumpy()
    task.train_step(batch_of())
    np.testing.assert_array_equal(frozen.weight.data().asnumpy(), before)


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
        one.train_step(batch_of())
    np.testing.assert_allclose(task.weights(), alone.weights(), rtol=1e-5)


@pytest.mark.filterwarnings('ignore:.*while still having forward hook')
def test_machines_agree_before_the_network_is_used():
    """On a CPU a convolution changes the layout of its weights, and the real store then refuses them."""
    events, net, store = [], nn.Conv2D(2, 3), TwiceTheSame()
    broadcast = store.broadcast
    store.broadcast = lambda key, *args: events.append(key) or broadcast(key, *args)
    net.register_forward_hook(lambda *_: events.append('used'))
    Task(kvstore=store).add_network('net', net, (1, 3, 8, 8))
    assert events == [0, 1, 'used']


# -- networks --------------------------------------------------------------------------------------------------------

def test_networks_are_ready_when_added():
    """Shapes known, hybridized, on all devices."""
    task = Task(ctx=TWO)
    net = nn.HybridSequential()
    net.add(nn.Conv2D(4, 3), nn.BatchNorm(), nn.Dense(2))
    assert task.add_network('net', net, (1, 3, 8, 8)).shape == (1, 2)
    assert task.networks == {'net': net}
    assert [p.list_ctx() for p in net.collect_params().values()] == [TWO] * 8
    np.testing.assert_array_equal(*(data.asnumpy() for data in net[0].weight.list_data()))
    assert net[0].weight.shape == (4, 3, 3, 3) and net._active


def test_weights_that_are_there_stay():
    net = nn.Dense(2, in_units=2)
    net.initialize(mx.init.Constant(7))
    Task(ctx=TWO).add_network('net', net, (1, 2))
    assert all((data.asnumpy() == 7).all() for data in net.weight.list_data())


# -- errors ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('options, message', [
    (dict(accumulate=0), 'accumulate must be a whole number of rounds, at least 1: 0'),
    (dict(accumulate=1.5), 'accumulate'),
    (dict(accumulate=True), 'accumulate'),
    (dict(clip_norm=0), 'clip_norm must be positive, or None: 0'),
    (dict(clip_norm=float('nan')), 'clip_norm'),
    (dict(ctx=[]), 'ctx must be one or more devices'),
    (dict(ctx=[mx.cpu(0), mx.cpu(0)]), 'each once'),
    (dict(amp='int8'), "amp must be None, 'float16' or 'bfloat16': 'int8'"),
    (dict(amp='bfloat16'), 'amp is the same for all tasks of a process, and the first had None'),
    (dict(kvstore='dist_sync'), "kvstore must be 'device', 'local' or, for several machines, a store itself"),
    (dict(kvstore='devise'), 'kvstore must be'),
    (dict(kvstore=None, ctx=TWO), 'kvstore: 2 devices need one'),
    (dict(optimizer={'name': 'sgd', 'lr': 1}), "unexpected keyword argument 'lr'"),
    (dict(optimizer={'name': 'sdg'}), 'sdg'),
    (dict(optimizer={'learning_rate': 1}), "optimizer must have a 'name'"),
])
def test_errors(options, message):
    Squares('a')   # a task without mixed precision comes first
    with pytest.raises(ValueError, match=message):
        Squares('a', **options)


def test_state():
    task = Squares('a')
    assert task.state() == {}
    task.load_state({})
    with pytest.raises(ValueError, match="Squares has no state of its own; got 'pool'"):
        task.load_state({'pool': np.zeros(3)})


# -- mixed precision changes a process for good, so each test has one of its own ---------------------------------------

def python(code, **environment):
    """What the code prints, run beside this file."""
    process = subprocess.run([sys.executable, '-c', 'import gluonzoo\n' + textwrap.dedent(code)], text=True,
                             cwd=Path(__file__).parent, capture_output=True, timeout=240,
                             env={**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path), **environment})
    assert process.returncode == 0, process.stderr
    return process.stdout


def test_bfloat16():
    """Convolutions compute in it, gradients add up over rounds, a detector learns; a task without it is refused."""
    out = python('''
        import mxnet as mx, numpy as np
        from tiny_detector import CLASS_NAMES, TinyDetector, make_batch
        from gluonzoo.tasks import Task
        from gluonzoo.tasks.detection.single_shot import SingleShotDetection
        mx.random.seed(0)
        net = TinyDetector(8)
        task = SingleShotDetection(net, CLASS_NAMES, optimizer={'name': 'adam', 'learning_rate': .01},
                                   amp='bfloat16', accumulate=2)
        batches = [make_batch(16, seed) for seed in range(10)]
        print(net.shallow[0](batches[0].arrays[0]).dtype)
        losses = [task.train_step(batches[i % 10])['loss'].asscalar() for i in range(60)]
        print(np.isfinite(losses).all(), np.mean(losses[-10:]) < np.mean(losses[:10]) / 3)
        print({str(np.dtype(p.dtype)) for p in net.collect_params().values()})
        print(len(task.predict([np.zeros((9, 9, 3), 'uint8')])))
        try:
            Task()
        except ValueError as error:
            print(error)
        mx.nd.waitall()
        ''', OMP_NUM_THREADS='1')   # tiny layers only lose by more
    dtype, *rest = out.splitlines()
    assert 'bfloat16' in dtype
    assert rest == ['True True', "{'float32'}", '1',
                    "amp is the same for all tasks of a process, and the first had 'bfloat16': None"]


def losses_and_weights(amp):
    mx.random.seed(0)
    task = SingleShotDetection(TinyDetector(8), CLASS_NAMES, accumulate=2, clip_norm=1, amp=amp)
    for seed in range(3):
        yield task.train_step(make_batch(4, seed))['loss'].asscalar()
    for parameter in task.networks['net'].collect_params().values():
        yield from parameter.data().asnumpy().ravel()[:3]
    if amp:
        scaler, weight = task.trainers['net']._amp_loss_scaler, task.networks['net'].heads[0].weight.data()
        before = weight.asnumpy()
        scaler._loss_scale = scaler._next_loss_scale = 2. ** 200   # overflows: the step must be left out
        task.train_step(make_batch(4))
        assert (weight.asnumpy() == before).all() and scaler._next_loss_scale == 2. ** 199


def test_float16_scales_the_loss():
    """With no operator in float16 (a CPU has few), scaling by a power of two changes nothing, clipping included."""
    out = python('''
        from mxnet.contrib import amp
        from test_base import losses_and_weights
        init = amp.init
        amp.init = lambda dtype: init(dtype, target_precision_ops=['relu'], conditional_fp32_ops=[], fp32_ops=[])
        print(*map(float, losses_and_weights('float16')))
        ''')
    assert [float(value) for value in out.split()] == list(losses_and_weights(None))
