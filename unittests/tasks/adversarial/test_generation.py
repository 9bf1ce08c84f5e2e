"""Pictures from noise: losses, turns, measures, samples, and what is said of what does not fit."""
from types import SimpleNamespace

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd
from mxnet.gluon import HybridBlock, nn
from task_checks import check_a_step_does_not_wait, parameters, start_training, values

from gluonzoo.data import Batch
from gluonzoo.metrics.ms_ssim import ms_ssim
from gluonzoo.metrics.sliced_wasserstein import sliced_wasserstein
from gluonzoo.models.mlp_gan import mlp_critic, mlp_generator
from gluonzoo.registry import TASKS
from gluonzoo.tasks.adversarial.generation import Generation
from gluonzoo.tasks.adversarial.penalty import GradientPenalty
from gluonzoo.train.engine import Engine

SIZE = 16
SGD = {'name': 'sgd', 'learning_rate': .05}


class Painter(HybridBlock):
    """Noise [B, 6] -> pictures [B, channels, 16, 16]."""

    def __init__(self, channels=3, norm=False):
        super().__init__()
        self.noise, self.channels, self.image_size = 6, channels, SIZE
        self.dense = nn.Dense(channels * 16, in_units=6)
        self.norm = nn.BatchNorm(in_channels=channels * 16) if norm else nn.HybridLambda('identity')

    def hybrid_forward(self, F, x):
        maps = F.reshape(self.norm(self.dense(x)), (-1, self.channels, 4, 4))
        return F.tanh(F.UpSampling(maps, scale=4, sample_type='nearest'))


def critic(channels=3):
    net = nn.HybridSequential()
    net.add(nn.Conv2D(4, 4, 4, in_channels=channels), nn.LeakyReLU(.2), nn.Flatten(), nn.Dense(1, in_units=64))
    return net


class Pictures(SimpleNamespace):
    """A dataset, as far as it is looked at before a training."""

    count = 2

    def __len__(self):
        return self.count


def make_task(channels=3, norm=False, **options):
    return start_training(Generation, generator=Painter(channels, norm), discriminator=critic(channels), **options)


def make_batch(size, channels=3, seed=0, records=None):
    coarse = np.random.default_rng(seed).uniform(-1, 1, (size, channels, 4, 4)).astype('float32')
    return Batch((mx.nd.array(coarse.repeat(4, 2).repeat(4, 3)),), np.arange(size) if records is None else records)


# -- training --------------------------------------------------------------------------------------------------------

def test_a_step():
    """D is judged before its update, and G, with pictures of new noise, by D after it."""
    task, batch = make_task(optimizer=SGD), make_batch(8)
    generator, discriminator = task.networks.values()

    def bce(pictures, real):
        scores = discriminator(pictures).asnumpy().astype('float64')
        return np.mean(np.log1p(np.exp(-scores if real else scores)))

    mx.random.seed(7)
    made = [generator(mx.nd.random.normal(shape=(8, 6))) for _ in range(2)]
    mx.nd.waitall()
    expected = {'D_fake': bce(made[0], 0), 'D_real': bce(batch.arrays[0], 1)}
    mx.random.seed(7)
    losses = values(task.train_step(batch, 0))
    assert losses == pytest.approx({**expected, 'G': bce(made[1], 1)}, rel=1e-5)


def test_the_penalty_is_a_loss_of_the_critic():
    """Between the real pictures and the made ones; along its gradient the critic learns, too."""
    options = {'weight': 3., 'target': .5}
    task, batch = make_task(objective='wgan-gp', penalty=options, optimizer=SGD, critic_steps=2), make_batch(8)
    generator, discriminator = task.networks.values()
    parameters_before = {name: parameter.data().copy() for name, parameter in discriminator.collect_params().items()}
    mx.random.seed(7)
    made = generator(mx.nd.random.normal(shape=(8, 6)))
    with autograd.record():
        penalty = GradientPenalty(discriminator, **options)(batch.arrays[0], made)
        loss = discriminator(made).mean() - discriminator(batch.arrays[0]).mean() + penalty
    loss.backward()
    expected = {name: (before - .05 * discriminator.collect_params()[name].grad()).asnumpy()
                for name, before in parameters_before.items()}
    mx.random.seed(7)
    losses = values(task.train_step(batch, 0))
    assert set(losses) == {'D_fake', 'D_real', 'D_penalty'}
    assert losses['D_penalty'] == pytest.approx(penalty.asscalar(), rel=1e-5) and losses['D_penalty'] > .1
    for name, parameter in discriminator.collect_params().items():
        np.testing.assert_allclose(parameter.data().asnumpy(), expected[name], rtol=1e-4, atol=1e-6)


def test_clipping_bounds_every_parameter():
    """Gammas, too, but no running statistics."""
    judge = critic()
    judge.add(nn.BatchNorm(in_channels=1))
    task = start_training(Generation, generator=Painter(), discriminator=judge, objective='wgan', clip=.01,
                          optimizer={'name': 'sgd', 'learning_rate': 0.})
    task.train_step(make_batch(4), 0)
    largest = {name: np.abs(parameter.data().asnumpy()).max() for name, parameter in judge.collect_params().items()}
    assert sum('running' in name for name in largest) == 2
    assert all(largest[name] <= .0100001 for name in largest if 'running' not in name)
    assert next(largest[name] for name in largest if 'running_var' in name) > .5


@pytest.mark.parametrize('options', [{}, dict(noise='uniform'), dict(objective='lsgan', accumulate=2),
                                     dict(objective='wgan', clip=.1), dict(generator_steps=2, generator_images=3)],
                         ids=str)
def test_every_parameter_of_both_learns(options):
    task = make_task(optimizer=SGD, **options)
    before = parameters(task)
    losses = values(task.train_step(make_batch(4), 0))
    assert set(losses) == {'D_fake', 'D_real', 'G'} and all(map(np.isfinite, losses.values()))
    after = parameters(task)
    if options.get('objective') == 'wgan':   # a bias of all scores cancels out
        for each in (before, after):
            each.pop(('discriminator', '3.bias'))
    assert all((value != before[name]).any() for name, value in after.items())


def test_a_pass_gives_its_memory_back():
    """Each of the five kinds of passes in a step would keep its own."""
    assert [dict(net._flags)['static_alloc'] for net in make_task().networks.values()] == [False, False]


def test_how_many_pictures_each_turn_is_about(monkeypatch):
    task, counts = make_task(generator_images=3, generator_steps=2, critic_steps=2), []
    make = task._make
    monkeypatch.setattr(task, '_make', lambda noise: counts.append(len(noise)) or make(noise))
    task.train_step(make_batch(4), 0)
    task.train_step(make_batch(4), 1)
    assert counts == [4, 4, 12, 12]


@pytest.mark.parametrize('noise', ['normal', 'uniform'])
def test_the_noise_of_a_training(monkeypatch, noise):
    task, seen = make_task(noise=noise), []
    make = task._make
    monkeypatch.setattr(task, '_make', lambda noise: seen.append(noise.asnumpy()) or make(noise))
    task.train_step(make_batch(64), 0)
    assert [(np.abs(each) > 1).any() for each in seen] == 2 * [noise == 'normal']
    assert (seen[0] != seen[1]).all()


def test_running_statistics_are_of_the_generators_turn():
    """... and what is made in the critic's turn is normalised by its own batch."""
    task, batch = make_task(norm=True, critic_steps=2), make_batch(4)
    statistics = task.networks['generator'].norm.running_mean
    before = statistics.data().asnumpy()
    task.train_step(batch, 0)
    assert (statistics.data().asnumpy() == before).all()
    task.train_step(batch, 1)
    assert (statistics.data().asnumpy() != before).any()


@pytest.mark.parametrize('options', [{}, dict(accumulate=2, critic_steps=2), dict(ctx=[mx.cpu(0), mx.cpu(1)]),
                                     dict(objective='wgan-gp'), dict(objective='wgan', clip=.1)], ids=str)
def test_a_step_does_not_wait(options):
    check_a_step_does_not_wait(make_task(**options), make_batch(4))


def test_it_learns():
    """To make pictures that are dark on the left and bright on the right."""
    ramp = np.linspace(-.9, .9, SIZE, dtype='float32') * np.ones((3, SIZE, 1), 'float32')
    batch = Batch((mx.nd.array(np.stack(16 * [ramp])),), np.arange(16))
    task = make_task(optimizer={'name': 'adam', 'learning_rate': .01, 'beta1': .5})
    untrained = task.evaluate([batch])
    for step in range(150):
        task.train_step(batch, step)
    trained = task.evaluate([batch])
    assert trained['SWD'] < .6 * untrained['SWD']
    made = np.stack(task.sample(4)).astype(float)
    assert (made[:, :, -4:].mean((1, 2, 3)) - made[:, :, :4].mean((1, 2, 3)) > 100).all()


# -- use -------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('channels', [1, 3])
def test_evaluate(channels):
    """As many pictures of the seed 0 against all real ones, each once."""
    task = make_task(channels)
    batches = [make_batch(4, channels, 1), make_batch(4, channels, 2, np.arange(3, 7))]   # the record 3 comes twice
    found = task.evaluate(batches)
    real = np.concatenate([batches[0].arrays[0].asnumpy(), batches[1].arrays[0].asnumpy()[1:]])
    real = ((real.transpose(0, 2, 3, 1) + 1) * 127.5).round().astype('uint8').repeat(3 // channels, 3)
    made = np.stack(task.sample(7))
    assert found == {**sliced_wasserstein(real, made), 'MS-SSIM': ms_ssim(made), 'MS-SSIM real': ms_ssim(real)}
    assert Generation.main_metric[0] in found
    assert task.evaluate(batches) == found


def test_evaluate_with_features():
    task = make_task()
    task.features = SimpleNamespace(distances=lambda real, made: {'FID (toy features)': float(len(real) - len(made))})
    assert task.evaluate([make_batch(4)])['FID (toy features)'] == 0


def test_evaluate_without_pictures():
    with pytest.raises(ValueError, match='batches: there must be at least one picture'):
        make_task().evaluate([])


@pytest.mark.parametrize('channels', [1, 3])
@pytest.mark.parametrize('ctx', [[mx.cpu()], [mx.cpu(0), mx.cpu(1)]], ids=str)
def test_samples(channels, ctx):
    """By the generator alone, in the mode of prediction, some at a time on each device."""
    task = make_task(channels, norm=True, ctx=ctx)
    if len(ctx) == 1:   # running statistics of several devices are averaged by the loop
        task.train_step(make_batch(4, channels), 0)
    made = task.sample(70, seed=3)
    noise = np.random.default_rng(3).standard_normal((70, 6)).astype('float32')
    expected = task.networks['generator'](mx.nd.array(noise)).asnumpy().transpose(0, 2, 3, 1)
    expected = ((expected + 1) * 127.5).round().clip(0, 255).astype('uint8').repeat(3 // channels, 3)
    assert np.abs(np.stack(made).astype(int) - expected).max() <= 1
    assert len(made) == 70 and made[0].shape == (SIZE, SIZE, 3)
    np.testing.assert_array_equal(made[:3], task.sample(3, seed=3))
    assert (made[0] != task.sample(1, seed=4)[0]).any()
    assert (made[0] != task.sample(1, seed=3, truncation=.5)[0]).any()


def test_a_walk():
    task = make_task()
    way = task.walk(3, 8, 5)
    assert len(way) == 5
    np.testing.assert_array_equal(way[0], task.sample(1, 3)[0])
    np.testing.assert_array_equal(way[-1], task.sample(1, 8)[0])
    assert len(np.unique(way, axis=0)) == 5


def test_a_picture_of_64():
    sheet = make_task().picture(make_batch(2))
    assert sheet.shape == (8 * (SIZE + 2) - 2, 8 * (SIZE + 2) - 2, 3)


def test_exported():
    """The generator, by which a user makes what sample makes."""
    task = make_task()
    what = task.exported(batch=3)
    assert what.inputs == {'noise': (3, 6)} and what.outputs == ['picture']
    assert what.metadata['inputs']['noise'] == 'float32 [B, 6], normal noise, N(0, 1)'
    assert what.metadata['outputs']['picture'] == 'float32 [B, 3, 16, 16], -1..1: (value + 1) * 127.5; RGB'
    with autograd.predict_mode():
        assert what.block(mx.nd.zeros((3, 6))).shape == (3, 3, SIZE, SIZE)
    with pytest.raises(ValueError, match='decode: a generator has nothing to decode'):
        task.exported(decode=True)
    with pytest.raises(ValueError, match='size: the generator takes noise, and makes pictures of 16 pixels alone'):
        task.exported(size=(32, 32))


# -- what does not fit -----------------------------------------------------------------------------------------------

def test_errors_of_settings():
    for options, said in [
            ({'noise': 'poisson'}, "noise: must be one of 'normal', 'uniform': 'poisson'"),
            ({'generator': critic()}, 'generator: must have the attributes noise, channels and image_size, whole '
             'numbers; noise is None'),
            ({'generator': Painter(2)}, 'generator: must make pictures of 1 channel or 3: 2'),
            ({'objective': 'hinge'}, 'objective: must be one of ')]:
        with pytest.raises(ValueError, match=said):
            Generation(**{'generator': Painter(), 'discriminator': critic(), **options})
    for options, said in [({'critic_steps': 0}, 'critic_steps: must be a whole number from 1 to 1000000, or an object'),
                          ({'generator_images': 0}, 'generator_images: must be a whole number from 1 to 1000'),
                          ({'clip': '1'}, 'clip: must be a number, or null'),
                          ({'penalty': 10}, 'penalty: must be an object, or null')]:
        with pytest.raises(ValueError, match=said):
            TASKS.create('generation', generator=Painter(), discriminator=critic(), **options)


def test_more_samples_than_the_memory_holds():
    with pytest.raises(ValueError, match='^count: 1000000000000 pictures'):
        make_task().sample(10 ** 12)


def test_networks_that_do_not_fit():
    wrong = Painter()
    wrong.image_size = 32
    with pytest.raises(ValueError, match=r'generator: must return \(1, 3, 32, 32\) for \(1, 6\); it returns'):
        start_training(Generation, generator=wrong, discriminator=nn.Dense(1))
    with pytest.raises(ValueError, match='discriminator: does not take'):
        Generation(Painter(3), critic(1)).start_training(Engine())


def test_data_that_do_not_fit():
    task = make_task()
    for shape in ((1, SIZE, SIZE), (3, 32, 32)):
        dataset = Pictures(transform=SimpleNamespace(arrays=(shape,)))
        with pytest.raises(ValueError, match=r'val_data.transform: must make pictures \[3, 16, 16\], as the generator'):
            task.check_data('val_data', dataset)
        with pytest.raises(ValueError, match=r'pictures: must be \[B, 3, 16, 16\], as the generator makes them'):
            task.train_step(Batch((mx.nd.zeros((2, *shape)),), np.arange(2)), 0)
    task.check_data('val_data', Pictures(transform=SimpleNamespace(arrays=((3, SIZE, SIZE),))))
    task.check_data('val_data', Pictures())   # a user's own, without a transform


def test_what_cannot_be_measured_is_said_before_the_training():
    task = make_task()
    task.check_data('train_data', Pictures(count=1))
    with pytest.raises(ValueError, match='^val_data: must have 2 pictures or more, .* real ones; has 1$'):
        task.check_data('val_data', Pictures(count=1))
    for size, said in ((24, 'pictures: both sides must be multiples of 16 pixels, to be halved 4 times: 24 x 24'),
                       (8, 'real: the shorter side must be at least 16 pixels: 8')):
        task = start_training(Generation, generator=mlp_generator(size, 3, 4, 2), discriminator=mlp_critic(size, 3, 2))
        with pytest.raises(ValueError, match=f'^generator: pictures of {size} pixels cannot be measured: {said}$'):
            task.check_data('val_data', Pictures())
