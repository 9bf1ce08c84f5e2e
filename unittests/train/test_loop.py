"""The loop: what it does with a task, when, and how it stops."""
import os
import random
import signal
import sys
import threading

import mxnet as mx
import numpy as np
import pytest
import toys

from gluonzoo.train import EMA, CheckpointError, Interrupted, Run, TrainingError, fit
from gluonzoo.train.data_wait import Timed
from gluonzoo.train.randomness import seed_all
from gluonzoo.train.signals import Signals

CONSTANT = {'name': 'constant'}


class Recorder:
    """A callback that keeps what it is told, and does something at a step."""

    def __init__(self, at=None, do=None):
        self.steps, self.epochs, self.lags, self.at, self.do, self.ended = {}, [], [], at, do, 0

    def on_start(self, loop):
        self.began = loop.step

    def on_step(self, loop, step, scalars):
        self.lags.append(loop.step - step)
        self.steps[step] = scalars
        if step == self.at:
            self.do()

    def on_epoch(self, loop, epoch, metrics):
        self.epochs.append((epoch, loop.step, metrics))

    def on_end(self, loop):
        self.ended += 1

    def losses(self):
        return {step: scalars['loss'] for step, scalars in self.steps.items()}


@pytest.fixture
def run(tmp_path):
    return Run.create(tmp_path / 'run', {})


def train(run, task=None, epochs=2, recorder=None, **keywords):
    """Six steps an epoch. Returns the recorder."""
    recorder = recorder or Recorder()
    keywords = {'schedule': CONSTANT, 'validation': toys.loader(8, shuffle=False), **keywords}
    recorder.result = fit(task or toys.Classify(), keywords.pop('loader', None) or toys.loader(), run, epochs=epochs,
                          callbacks=[recorder], **keywords)
    return recorder


def kill(signum):
    return lambda: os.kill(os.getpid(), signum)


def steps_of(run):
    return [int(path.name[-8:]) for path in run.checkpoints()]


# -- the ordinary course ---------------------------------------------------------------------------------------------

def test_what_callbacks_see(run):
    recorder = train(run, schedule={'name': 'step', 'milestones': [6]})
    assert recorder.began == 0 and recorder.ended == 1
    assert list(recorder.steps) == list(range(1, 13))   # each once, in order
    assert {scalars['lr_net'] for step, scalars in recorder.steps.items() if step <= 6} == {0.1}
    assert [scalars['lr_net'] for step, scalars in recorder.steps.items() if step > 6] == pytest.approx([0.01] * 6)
    assert [(epoch, step, sorted(metrics)) for epoch, step, metrics in recorder.epochs] == [
        (0, 6, ['accuracy', 'data_wait']), (1, 12, ['accuracy', 'data_wait'])]
    assert recorder.result is recorder.epochs[-1][2] and 0 < recorder.result['data_wait'] < 1
    assert steps_of(run) == [6, 12]


def test_losses_are_read_two_steps_late(run):
    """... and all of them before a checkpoint: here at step 4 and at the ends of the epochs."""
    assert train(run, checkpoint_every=4, epochs=1).lags == [2, 2, 1, 0, 1, 0]


def test_rates_are_given_back(run):
    task = toys.Classify()
    train(run, task, schedule=lambda step: 0.25)
    assert task.trainers['net'].learning_rate == 0.1


def test_it_learns(run):
    recorder = train(run, toys.Classify(dropout=0), epochs=12)
    assert recorder.result['accuracy'] == 1


def test_without_validation(run):
    recorder = train(run, validation=None)
    assert list(recorder.result) == ['data_wait'] and run.checkpoint('best') == run.checkpoint('last')


def test_main_metric_that_evaluate_does_not_give(run):
    task = toys.Classify()
    task.main_metric = 'precision', 'max'
    with pytest.raises(ValueError, match="main_metric: 'precision' is not in what evaluate gives: .*accuracy"):
        train(run, task)


@pytest.mark.parametrize('found', [None, 3, {'accuracy': 'x'}, {'accuracy': None}])
def test_evaluate_that_gives_no_numbers(run, found):
    task = toys.Classify()
    task.evaluate = lambda batches: found
    with pytest.raises(ValueError, match=f'^evaluate: must give a dict of numbers: {found}$'):
        train(run, task)


@pytest.mark.parametrize('main_metric', [None, 'accuracy', ('accuracy',), ('accuracy', 'more'), ('a', 'max', 1)])
def test_main_metric_that_is_none(run, main_metric):
    """Before anything is trained; without validation it is not asked for."""
    task = toys.Classify()
    task.main_metric = main_metric
    with pytest.raises(ValueError, match="main_metric: must be a name with 'max' or 'min': "):
        train(run, task)
    assert steps_of(run) == []
    if main_metric is None:
        assert list(train(run, task, validation=None, epochs=1).result) == ['data_wait']


@pytest.mark.parametrize('direction, best', [('max', 2), ('min', 3)])
def test_best_of_the_main_metric(run, direction, best):
    task, values = toys.Classify(), iter([.5, .7, .3])
    task.main_metric, task.evaluate = ('score', direction), lambda batches: {'score': next(values)}
    train(run, task, epochs=3)
    assert run.checkpoint('best').name == f'step-{6 * best:08d}'


def test_the_task_is_told_the_step(run):
    """The updates made so far, also of a run that is resumed."""
    task, steps = toys.Classify(), []
    train_step = task.train_step
    task.train_step = lambda batch, step: steps.append(step) or train_step(batch, step)
    for epochs in (1, 2):
        train(run, task, epochs=epochs)
    assert steps == list(range(12))


def test_schedules_by_name_of_the_trainer(run):
    recorder = train(run, toys.Forge(), epochs=1, schedule={
        'generator': {'name': 'constant'}, 'discriminator': {'name': 'step', 'milestones': [3]}})
    rates = [(round(scalars['lr_generator'], 6), round(scalars['lr_discriminator'], 6))
             for scalars in recorder.steps.values()]
    assert rates == [(.01, .02)] * 3 + [(.01, .002)] * 3


def test_networks_that_are_not_used_have_no_average(run):
    """They are evaluated with their own weights, and have no file of averages."""
    task, ema, seen = toys.Forge(), EMA(0.5), []
    evaluate = task.evaluate
    task.evaluate = lambda batches: seen.append(
        {name: net[0].weight.data().asnumpy() for name, net in task.networks.items()}) or evaluate(batches)
    train(run, task, epochs=1, ema=ema)
    assert list(ema.shadows) == ['generator']
    assert np.array_equal(seen[0]['generator'], ema.shadows['generator']['0.weight'].asnumpy())
    assert np.array_equal(seen[0]['discriminator'], task.networks['discriminator'][0].weight.data().asnumpy())
    assert sorted(path.name for path in run.checkpoint().iterdir()) == [
        'discriminator.safetensors', 'ema-generator.safetensors', 'generator.safetensors', 'state.json',
        'task.safetensors', 'trainer-discriminator.safetensors', 'trainer-generator.safetensors']


def test_the_average_is_what_is_evaluated_and_used(run):
    task, ema, seen = toys.Classify(), EMA(0.5), []
    evaluate = task.evaluate

    def look(batches):
        seen.append(task.networks['net'][0].weight.data().asnumpy())
        return evaluate(batches)

    task.evaluate = look
    train(run, task, ema=ema, epochs=1)
    shadow, own = ema.shadows['net']['0.weight'].asnumpy(), task.networks['net'][0].weight.data().asnumpy()
    assert np.array_equal(seen[0], shadow) and not np.array_equal(own, shadow)
    other = toys.Classify(seed=9)
    run.load_networks(other)
    assert np.array_equal(other.networks['net'][0].weight.data().asnumpy(), shadow)


def test_an_average_of_updates_not_of_steps(run):
    """Of a generator that learns in every second step."""
    task, ema, seen = toys.Forge(), EMA(0.5), []
    task.used_updates = lambda step: step // 2
    update = ema.update
    ema.update = lambda networks, count: seen.append(count) or update(networks, count)
    train(run, task, ema=ema, epochs=1)
    assert seen == [0, 1, 2, 3]   # of six steps; the first is what a checkpoint before the update 1 has


@pytest.mark.parametrize('step, saved', [(3, (5, 6)), (6, (6,))])
def test_two_networks_with_a_trainer_each(tmp_path, step, saved):
    """Exact, pool and all, when stopped within an epoch, and before its evaluation, which is random here."""
    def forge(run, **keywords):
        return train(run, toys.Forge(), ema=EMA(0.9), **keywords)

    whole = forge(Run.create(tmp_path / 'whole', {}))
    run = Run.create(tmp_path / 'broken', {})
    with pytest.raises(Interrupted):
        forge(run, recorder=Recorder(step, kill(signal.SIGTERM)))
    assert steps_of(run)[-1] in saved   # two steps late, or three where the signal came between two looks
    rest = forge(run)
    assert rest.steps and rest.steps == {step: whole.steps[step] for step in rest.steps}
    assert [metrics['likeness'] for *_, metrics in rest.epochs] == [metrics['likeness'] for *_, metrics in whole.epochs]
    assert set(whole.steps[1]) == {'loss_g', 'loss_d', 'lr_generator', 'lr_discriminator'}


def test_checkpoints_within_an_epoch(run):
    """Every third step, and once at the end of an epoch, with the metrics."""
    saved, save = [], run.save
    run.save = lambda *arguments, step, epoch, batch, metrics: saved.append((step, epoch, batch, metrics is not None)) \
        or save(*arguments, step=step, epoch=epoch, batch=batch, metrics=metrics)
    train(run, checkpoint_every=3)
    assert saved == [(3, 0, 3, False), (6, 1, 0, True), (9, 1, 3, False), (12, 2, 0, True)]


# -- resuming --------------------------------------------------------------------------------------------------------

def test_more_epochs(tmp_path):
    whole = train(Run.create(tmp_path / 'whole', {}), epochs=3).losses()
    run = Run.create(tmp_path / 'parts', {})
    parts = {}
    for epochs in (1, 3):
        parts.update(train(run, epochs=epochs).losses())
    assert parts == whole


def test_nothing_left_to_do(run):
    first = train(run)
    again = train(run)
    assert again.steps == {} and again.began == 12 and again.result == first.result


def test_another_number_of_batches(run):
    train(run, epochs=1)
    with pytest.raises(CheckpointError, match='batch 0 of epoch 1, which is not after step 6 with the 7 batches'):
        train(run, loader=toys.loader(28))


def test_trainer_that_could_not_be_resumed(run):
    task = toys.Classify({'name': 'dcasgd', 'learning_rate': 0.1})
    with pytest.raises(ValueError, match='DCASGD cannot be resumed exactly'):
        train(run, task)
    assert steps_of(run) == []


def test_randomness_is_a_function_of_the_key():
    def draw(*key):
        seed_all(*key)
        return random.random(), np.random.rand(), mx.nd.random.uniform(shape=1).asscalar()

    draws = {key: draw(*key) for key in ((0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0), (0, 0, 10 ** 9))}
    assert len({value for values in draws.values() for value in values}) == 15
    assert draw(0, 0, 1) == draws[0, 0, 1]


# -- signals ---------------------------------------------------------------------------------------------------------

@pytest.fixture
def hangup():
    """Sets what SIGHUP does before a training. (Where the tests run under nohup, it is ignored.)"""
    former = signal.getsignal(signal.SIGHUP)
    yield lambda handler: signal.signal(signal.SIGHUP, handler)
    signal.signal(signal.SIGHUP, former)


@pytest.mark.parametrize('signum, code', [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize('step', [1, 3, 4, 6])
def test_signal(tmp_path, hangup, signum, code, step):
    """It is received while the losses of `step` are shown, at most two steps later; then all is saved, at once."""
    hangup(signal.SIG_DFL)
    whole = train(Run.create(tmp_path / 'whole', {})).losses()
    run, recorder = Run.create(tmp_path / 'broken', {}), Recorder(step, kill(signum))
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with pytest.raises(Interrupted) as caught:
        train(run, recorder=recorder)
    assert caught.value.code == code and caught.value.signum == signum and isinstance(caught.value, SystemExit)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers
    saved, = steps_of(run)
    assert step <= saved <= min(step + 3, 6) and recorder.ended == 1
    assert list(recorder.steps) == list(range(1, saved + 1))
    rest = train(run)
    assert rest.began == saved and {**recorder.losses(), **rest.losses()} == whole
    assert [epoch for epoch, _, _ in rest.epochs] == [0, 1]


def test_nohup(run, hangup):
    """A terminal that is closed does not stop a training that was started to outlive it."""
    hangup(signal.SIG_IGN)
    assert len(train(run, recorder=Recorder(3, kill(signal.SIGHUP))).steps) == 12


def test_signal_during_the_evaluation(tmp_path):
    """It is broken off, and made again when the run is resumed."""
    whole = train(Run.create(tmp_path / 'whole', {}))
    run, task, seen = Run.create(tmp_path / 'broken', {}), toys.Classify(), []
    evaluate = task.evaluate

    def slow(batches):
        for batch in batches:
            seen.append(batch)
            kill(signal.SIGTERM)()
        return evaluate([])

    task.evaluate = slow
    recorder = Recorder()
    with pytest.raises(Interrupted):
        train(run, task, recorder=recorder)
    assert len(seen) == 1 and recorder.epochs == [] and steps_of(run) == [6]
    rest = train(run)
    assert rest.began == 6 and rest.result['accuracy'] == whole.result['accuracy']
    assert [(epoch, step) for epoch, step, _ in rest.epochs] == [(0, 6), (1, 12)]
    assert {**recorder.losses(), **rest.losses()} == whole.losses()


def test_second_sigint_ends_the_process():
    child = os.fork()
    if not child:
        with Signals():
            kill(signal.SIGINT)()
            kill(signal.SIGINT)()
            os._exit(1)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGINT


def test_in_another_thread(run):
    """Where Python handles no signals."""
    recorder = Recorder()
    thread = threading.Thread(target=train, args=(run,), kwargs={'recorder': recorder})
    thread.start()
    thread.join()
    assert len(recorder.steps) == 12


# -- losses that are not finite --------------------------------------------------------------------------------------

def test_nan_stops(run):
    """Record 7 is of the first epoch's step 5 or another, as the shuffling has it."""
    loader, task, made = toys.loader(poisoned=7), toys.Classify(), []
    order = [batch.records.tolist() for batch in toys.loader().epoch(0)]
    step = next(i for i, records in enumerate(order, 1) if 7 in records)
    train_step = task.train_step
    task.train_step = lambda batch, step: made.append(batch) or train_step(batch, step)
    with pytest.raises(TrainingError) as caught:
        train(run, task, loader=loader, checkpoint_every=1)
    assert str(caught.value) == (f'step {step}: loss is nan; records of its batch: {order[step - 1]}; last good '
                                 f'checkpoint: {run.directory}/checkpoints/step-{step - 1:08d}')
    assert len(made) == step and steps_of(run)[-1] == step - 1


@pytest.mark.parametrize('value', [np.inf, -np.inf, np.nan])
def test_infinite_stops(run, value):
    """... two steps late, where no checkpoint is due."""
    task, made = toys.Classify(), []
    train_step = task.train_step

    def third(batch, step):
        made.append(batch)
        losses = train_step(batch, step)
        return {**losses, 'other': mx.nd.array([value if len(made) == 3 else 0])}

    task.train_step = third
    recorder = Recorder()
    with pytest.raises(TrainingError, match=f'step 3: other is {value}; .*last good checkpoint: none yet'):
        train(run, task, recorder=recorder)
    assert len(made) == 5 and list(recorder.steps) == [1, 2] and recorder.ended == 1 and steps_of(run) == []


# -- waiting for data ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('of_data, of_work, waited', [(3, 1, 0.75), (0, 1, 0), (1, 0, 1)])
def test_data_wait(monkeypatch, of_data, of_work, waited):
    now = [100.0]   # the clock's
    monkeypatch.setattr('time.perf_counter', lambda: now[0])

    def items():
        for item in range(4):
            now[0] += of_data
            yield item

    with Timed(items()) as timed:
        for _ in timed:
            now[0] += of_work
    assert timed.waited == waited


def test_data_iterator_is_closed():
    closed = []

    def items():
        try:
            yield 1
        finally:
            closed.append(True)

    with pytest.raises(KeyError), Timed(items()) as timed:
        for _ in timed:
            raise KeyError
    assert closed


# -- devices ---------------------------------------------------------------------------------------------------------

TWO = [mx.cpu(0), mx.cpu(1)]


def test_two_devices_give_the_same(tmp_path):
    results = []
    for name, ctx in (('one', None), ('two', TWO)):
        task = toys.Classify(ctx=ctx, dropout=0, batch_norm=False)
        losses = train(Run.create(tmp_path / name, {}), task, ema=EMA(0.9)).losses()
        weights = [parameter.list_data() for parameter in task.networks['net'].collect_params().values()]
        assert all(np.array_equal(copies[0].asnumpy(), copies[-1].asnumpy()) for copies in weights)
        results.append((list(losses.values()), [copies[0].asnumpy() for copies in weights]))
    (losses, weights), (losses_of_two, weights_of_two) = results
    assert losses_of_two == pytest.approx(losses, abs=1e-6)
    for one, two in zip(weights, weights_of_two):
        assert np.allclose(one, two, atol=1e-6)


def test_statistics_of_two_devices(tmp_path):
    """Equal on both, and in the checkpoint, after each; and training can be resumed on one device."""
    task = toys.Classify(ctx=TWO)
    seen = []

    class Look:
        def on_epoch(self, loop, epoch, metrics):
            seen.append([data.asnumpy() for data in task.networks['net'][1].running_mean.list_data()])

    run = Run.create(tmp_path / 'run', {})
    fit(task, toys.loader(), run, epochs=2, schedule=CONSTANT, callbacks=[Look()])
    for one, two in seen:
        assert np.array_equal(one, two) and (one != 0).all()
    other = toys.Classify()
    fit(other, toys.loader(), run, epochs=3, schedule=CONSTANT)
    assert other.trainers['net'].optimizer.num_update == 18


# -- callbacks -------------------------------------------------------------------------------------------------------

def test_a_failing_callback(run):
    """Is called again, warns once, and says at the end how often it failed."""
    class Failing:
        seen = 0

        def on_step(self, loop, step, scalars):
            self.seen += 1
            if step in (2, 5):
                raise OSError('No space left on device')

        def on_end(self, loop):
            raise RuntimeError('at the end')

    class Mended(Failing):
        def missing(self):
            return ''

    failing, mended, recorder = Failing(), Mended(), Recorder()
    with pytest.warns(RuntimeWarning) as caught:
        fit(toys.Classify(), toys.loader(), run, epochs=2, schedule=CONSTANT, callbacks=[failing, mended, recorder])
    assert [str(w.message) for w in caught if w.category is RuntimeWarning] == [
        'Failing: on_step failed, and the training goes on: OSError: No space left on device',
        'Mended: on_step failed, and the training goes on: OSError: No space left on device',
        'Failing: failed 3 time(s)', 'Mended: nothing is missing after all']
    assert failing.seen == 12 and len(recorder.steps) == 12 and steps_of(run) == [6, 12]


def test_a_callback_without_methods(run):
    with pytest.raises(ValueError, match='has none of the methods on_start, on_step, on_epoch, on_end'):
        fit(toys.Classify(), toys.loader(), run, epochs=1, schedule=CONSTANT, callbacks=[object()])


def test_the_loop_is_short():
    with open(sys.modules['gluonzoo.train.loop'].__file__) as file:
        assert len(file.readlines()) < 150
