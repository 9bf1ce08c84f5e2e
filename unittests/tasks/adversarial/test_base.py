"""The turns of a generator and a discriminator: when, along which gradients, and with which images.

The networks are the simplest: the generator adds its weight to the input, the discriminator multiplies with its own.
"""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd
from mxnet.gluon import HybridBlock, nn
from task_checks import check_a_step_does_not_wait, check_equal_training, start_training, values

from gluonzoo.data import Batch
from gluonzoo.tasks.adversarial.base import AdversarialTask
from gluonzoo.train.engine import Engine

SGD = {'name': 'sgd', 'learning_rate': .1}
RATES = {'generator': {'name': 'sgd', 'learning_rate': .5}, 'discriminator': {'name': 'sgd', 'learning_rate': .1}}


class Shift(HybridBlock):
    """x + weight, and noise where it trains and is to be random."""

    def __init__(self, noise):
        super().__init__()
        self.noise = noise
        self.weight = self.params.get('weight', shape=(1,), init=mx.init.Constant(2))

    def hybrid_forward(self, F, x, weight):
        y = F.broadcast_add(x, F.reshape(weight, (1, 1)))
        return F.Dropout(y, .5) if self.noise else y


class Critique(AdversarialTask):
    """The arrays of a batch are inputs and real ones, [B, 1] each. Keeps what the discriminator saw."""

    def __init__(self, noise=False, objective='wgan', optimizer=RATES, **options):
        discriminator = nn.Dense(1, use_bias=False, weight_initializer=mx.init.Constant(3))
        super().__init__(objective, optimizer, generator=Shift(noise), discriminator=discriminator, **options)
        self.seen = []

    def input_shapes(self, name):
        return [(1, 1)]

    def generate(self, part):
        return self.networks['generator'](part[0])

    def discriminator_losses(self, part, fake):
        assert autograd.is_recording()
        self.seen.append(('discriminator', fake))
        judge = self.networks['discriminator']
        on_fake, on_real = self.adversarial(judge(fake.detach()), 0), self.adversarial(judge(part[1]), 1)
        return {'D_fake': on_fake, 'D_real': on_real, 'loss': on_fake + on_real}

    def generator_losses(self, part, fake):
        assert autograd.is_recording()
        self.seen.append(('generator', fake))
        loss = self.adversarial(self.frozen['discriminator'](fake), 1)
        return {'G': loss, 'loss': loss}

    def weights(self, ctx=None):
        generator, discriminator = self.networks['generator'], self.networks['discriminator']
        return tuple(net.weight.data(ctx).asnumpy().item() for net in (generator, discriminator))


def make_task(**options):
    return start_training(Critique, **options)


def batch_of(*pairs):
    inputs, real = np.array(pairs, 'float32').T[..., None]
    return Batch((mx.nd.array(inputs), mx.nd.array(real)), None)


BATCH = batch_of((1, 5), (3, 9), (0, 2), (4, 0))   # inputs with a mean of 2, real ones of 4


# -- the turns -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('options', [{}, dict(accumulate=2), dict(ctx=[mx.cpu(0), mx.cpu(1)]),
                                     dict(accumulate=2, ctx=[mx.cpu(0), mx.cpu(1)])], ids=str)
def test_a_step_by_hand(options):
    """Made images have a mean of 4. The discriminator learns first, and judges the generator as it is by then."""
    task = make_task(**options)
    losses = values(task.train_step(BATCH, 0))
    # D: 3 * (2 + 2) for made ones and -3 * 4 for real ones; its gradient is 4 - 4, so it stays. G: -3 * 4, gradient -3.
    assert losses == pytest.approx({'D_fake': 12, 'D_real': -12, 'G': -12})
    assert task.weights() == pytest.approx((3.5, 3))
    losses = values(task.train_step(BATCH, 1))
    # Made images have a mean of 5.5: D's gradient is 5.5 - 4, so it becomes 3 - .15. G: -2.85 * 5.5, gradient -2.85.
    assert losses == pytest.approx({'D_fake': 16.5, 'D_real': -12, 'G': -2.85 * 5.5})
    for ctx in task.ctx:
        assert task.weights(ctx) == pytest.approx((3.5 + .5 * 2.85, 2.85))


@pytest.mark.parametrize('options', [{}, dict(accumulate=2), dict(ctx=[mx.cpu(0), mx.cpu(1)])], ids=str)
def test_critic_steps(options):
    """The generator has its turn in the last of so many steps, whatever the first one is: 2, 5, 8 ..."""
    task = make_task(critic_steps=3, **options)
    task.networks['generator'].weight.set_data(mx.nd.array([4]))
    for step in (0, 1, 2, 3, 4, 5, 7, 8):
        before, turn = task.weights(), step % 3 == 2
        losses = values(task.train_step(BATCH, step))
        after = task.weights()
        assert set(losses) == {'D_fake', 'D_real'} | ({'G'} if turn else set())
        assert (after[0] != before[0]) == turn
        assert after[1] != before[1]
    assert {name for name, _ in task.seen} == {'generator', 'discriminator'}


def test_a_discriminator_alone_by_hand():
    """Two steps of a critic before the generator moves."""
    task = make_task(critic_steps=2)
    task.networks['generator'].weight.set_data(mx.nd.array([4]))   # made images have a mean of 6
    assert values(task.train_step(BATCH, 0)) == pytest.approx({'D_fake': 18, 'D_real': -12})
    assert task.weights() == pytest.approx((4, 2.8))
    assert values(task.train_step(BATCH, 1)) == pytest.approx({'D_fake': 16.8, 'D_real': -11.2, 'G': -2.6 * 6})
    assert task.weights() == pytest.approx((4 + .5 * 2.6, 2.6))


def test_images_are_made_once_in_one_round():
    """... and serve both turns; in several rounds they are made again, with a dropout of their own."""
    once, twice = make_task(noise=True), make_task(noise=True, accumulate=2)
    for task in (once, twice):
        task.train_step(BATCH, 0)
    (_, first), (_, second) = once.seen
    assert first is second
    names = [name for name, _ in twice.seen]
    assert names == 2 * ['discriminator'] + 2 * ['generator']
    made = [fake.asnumpy() for _, fake in twice.seen]
    assert any((made[i] != made[i + 2]).any() for i in range(2))


def test_images_without_a_turn_of_the_generator_have_no_graph():
    """Its memory is not needed then. Dropout is as in training all the same."""
    task = make_task(noise=True, critic_steps=2)
    task.train_step(batch_of(*[(1, 1)] * 64), 0)
    (_, fake), = task.seen
    assert set(np.unique(fake.asnumpy() == 0)) == {False, True}
    with pytest.raises(mx.MXNetError):
        fake.backward()


def test_the_generators_turn_leaves_the_discriminator_alone():
    task = make_task()
    task.train_step(BATCH, 0)
    gradient = task.networks['discriminator'].weight.grad().asscalar()
    assert gradient == pytest.approx(0)   # of its own turn: what the generator's loss would add is -4


@pytest.mark.parametrize('critic_steps', [1, 2])
def test_two_devices_are_as_two_rounds(critic_steps):
    rounds, devices = (make_task(critic_steps=critic_steps, **options)
                       for options in (dict(accumulate=2), dict(ctx=[mx.cpu(0), mx.cpu(1)])))
    check_equal_training(rounds, devices, 5 * [BATCH])


@pytest.mark.parametrize('options', [{}, dict(accumulate=2), dict(critic_steps=3), dict(critic_steps=4, accumulate=2)],
                         ids=str)
def test_a_step_does_not_wait(options):
    check_a_step_does_not_wait(make_task(noise=True, **options), BATCH)


# -- settings --------------------------------------------------------------------------------------------------------

def test_networks_and_trainers():
    task = make_task()
    assert list(task.networks) == list(task.trainers) == ['generator', 'discriminator']
    assert [trainer.learning_rate for trainer in task.trainers.values()] == [.5, .1]
    assert task.used == ('generator',)
    both = make_task(optimizer=SGD)
    assert [trainer.learning_rate for trainer in both.trainers.values()] == [.1, .1]


def test_generator_steps():
    """Two turns of the generator with one batch, each with a gradient of -3, after which its weight is 2 + .5 * 6."""
    task = make_task(generator_steps=2, accumulate=2)
    losses = values(task.train_step(BATCH, 0))
    assert losses == pytest.approx({'D_fake': 12, 'D_real': -12, 'G': -(12 + 16.5) / 2})
    assert task.weights() == pytest.approx((5, 3))
    assert [name for name, _ in task.seen] == 2 * ['discriminator'] + 4 * ['generator']


class GeneratorFirst(Critique):
    turns = ('generator', 'discriminator')


@pytest.mark.parametrize('options', [{}, dict(accumulate=2), dict(ctx=[mx.cpu(0), mx.cpu(1)])], ids=str)
def test_the_generator_first(options):
    """The discriminator sees the images that the generator has made before it learned."""
    task = start_training(GeneratorFirst, **options)
    task.networks['generator'].weight.set_data(mx.nd.array([4]))   # made images have a mean of 6
    assert values(task.train_step(BATCH, 0)) == pytest.approx({'D_fake': 18, 'D_real': -12, 'G': -18})
    assert task.weights() == pytest.approx((5.5, 3 - .1 * 2))


def test_what_is_made_anew_for_the_generators_turn():
    class Fresh(Critique):
        same_images = False

    task = start_training(Fresh, noise=True)
    task.train_step(BATCH, 0)
    (_, judged), (_, own) = task.seen
    assert judged is not own
    with pytest.raises(mx.MXNetError):
        judged.backward()


@pytest.mark.parametrize('ctx', [[mx.cpu()], [mx.cpu(0), mx.cpu(1)]], ids=str)
def test_clipping(ctx):
    """Before the discriminator's turn: its weight of 3 judges as 2. Its step may go beyond that."""
    task = make_task(clip=2, critic_steps=2, ctx=ctx)
    assert values(task.train_step(BATCH, 0)) == pytest.approx({'D_fake': 8, 'D_real': -8})
    task.networks['generator'].weight.set_data(mx.nd.array([-8]))   # a mean of -6: D's gradient is -10
    assert values(task.train_step(BATCH, 1)) == pytest.approx({'D_fake': -12, 'D_real': -8, 'G': 3 * 6})
    assert [task.weights(each)[1] for each in ctx] == pytest.approx(len(ctx) * [3])
    assert values(task.train_step(BATCH, 2))['D_real'] == pytest.approx(-8)


def test_used_updates():
    """A moving average follows the generator."""
    assert [make_task(critic_steps=3, generator_steps=2).used_updates(step) for step in range(7)] \
        == [0, 0, 0, 2, 2, 2, 4]


def test_errors():
    with pytest.raises(ValueError, match="objective: must be one of 'vanilla', 'lsgan', 'wgan', 'wgan-gp': 'hinge'"):
        Critique(objective='hinge')
    for keyword in ('critic_steps', 'generator_steps'):
        for value in (0, -1, 1.5, True, None):
            with pytest.raises(ValueError, match=f'{keyword}: must be a whole number from 1 to .*: {value}'):
                Critique(**{keyword: value})
    for value in (0, -.1):
        with pytest.raises(ValueError, match='clip: must be above 0, or null: '):
            Critique(clip=value)
    with pytest.raises(ValueError, match="penalty: is of the objective 'wgan-gp' alone, not of 'wgan'"):
        Critique(penalty={'weight': 10})
    with pytest.raises(ValueError, match="optimizer: must be one for all, .* or have one for 'discriminator'"):
        Critique(optimizer={'generator': SGD}).start_training(Engine())
    with pytest.raises(ValueError, match='batch: must be a multiple of 3'):
        make_task(accumulate=3).train_step(BATCH, 0)
