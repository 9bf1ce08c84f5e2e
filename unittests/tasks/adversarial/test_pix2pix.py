"""pix2pix: its losses, the order of its updates, its pool, its measures, and what it says is wrong."""
import json
import warnings

import cv2
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from task_checks import (
    NO_IMAGES,
    check_a_step_does_not_wait,
    check_equal_training,
    check_it_is_no_image,
    parameters,
    start_training,
    values,
)

from gluonzoo.data import Batch
from gluonzoo.models.patchgan import PatchGAN
from gluonzoo.models.unet import UNet
from gluonzoo.registry import TASKS, get_model
from gluonzoo.tasks.adversarial.penalty import GradientPenalty
from gluonzoo.tasks.adversarial.pix2pix import Pix2Pix
from gluonzoo.train.engine import Engine

SIZE = 32


def make_task(dropout=0., **options):
    """Started to train."""
    norm = 'instance' if options.get('objective') == 'wgan-gp' else 'batch'
    return start_training(Pix2Pix, generator=UNet(5, width=4, dropout=dropout),
                          discriminator=PatchGAN(layers=2, width=4, norm=norm), **{'image_size': SIZE, **options})


def make_batch(size, seed=0, records=None):
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(-1, 1, (size, 3, 4, 4)).astype('float32')
    inputs = coarse.repeat(8, 2).repeat(8, 3)
    return Batch((mx.nd.array(inputs), mx.nd.array(-.5 * inputs)), np.arange(size) if records is None else records)


def pixels(values):
    return ((np.asarray(values) + 1) * 127.5).round().clip(0, 255).astype('uint8')


def alone(task, image):
    """What the generator makes of one image [3, S, S] by pix2pix's test. -> [S, S, 3]"""
    mx.random.seed(0)
    with autograd.train_mode():
        return task.networks['generator'](image.expand_dims(0)).asnumpy()[0].transpose(1, 2, 0)


# -- the losses ------------------------------------------------------------------------------------------------------

def test_discriminator_before_generator():
    """D is judged before its update, by half the sum of its losses, and G by D after it."""
    task, batch = make_task(optimizer={'name': 'sgd', 'learning_rate': .01}), make_batch(2)
    a, b = batch.arrays
    real = mx.nd.concat(a, b, dim=1)
    with autograd.train_mode():
        fake = task.networks['generator'](a)
    pair = mx.nd.concat(a, fake, dim=1)
    discriminator = task.networks['discriminator']

    def bce(pair, real):   # of a sigmoid, by its definition
        with autograd.train_mode():
            scores = discriminator(pair).asnumpy().astype('float64')
        return np.mean(np.log1p(np.exp(-scores if real else scores)))

    before, weights = (bce(pair, 0), bce(real, 1), bce(pair, 1)), parameters(task)
    losses = values(task.train_step(batch, 0))
    after = bce(pair, 1)
    assert set(losses) == {'D_fake', 'D_real', 'G_GAN', 'G_L1'}
    assert (losses['D_fake'], losses['D_real']) == pytest.approx(before[:2], rel=1e-4)
    assert losses['G_GAN'] == pytest.approx(after, rel=1e-5) != pytest.approx(before[2], rel=1e-4)
    assert losses['G_L1'] == pytest.approx(100 * np.abs((fake - b).asnumpy()).mean(), rel=1e-5)
    # One step of SGD along half the sum of both losses' gradients, which for the last bias are known.
    name = ('discriminator', 'body.' + str(len(discriminator.body) - 1) + '.bias')
    step = (weights[name] - parameters(task)[name]).item()
    for key, p in discriminator._collect_params_with_prefix().items():
        if p.grad_req != 'null':
            p.set_data(mx.nd.array(weights['discriminator', key]))
    with autograd.train_mode():
        scores = [discriminator(x).asnumpy() for x in (pair, real)]
    sigmoid = [1 / (1 + np.exp(-s)) for s in scores]
    assert step == pytest.approx(.01 * .5 * (sigmoid[0].mean() + (sigmoid[1] - 1).mean()), rel=1e-3)


def test_running_statistics_of_the_discriminator():
    """Those of the first normalisation after a step: of the real pairs, then of the generated ones, then of these once
    more, as the generator's turn has them. Variances are divided by N."""
    task, batch = make_task(optimizer={'name': 'sgd', 'learning_rate': 0.}), make_batch(4)
    a, b = batch.arrays
    layers = list(task.networks['discriminator'].body)
    place = next(i for i, layer in enumerate(layers) if isinstance(layer, mx.gluon.nn.BatchNorm))
    with autograd.train_mode():
        fake = task.networks['generator'](a)
    mean, variance = 0, 1
    for other in (b, fake, fake):
        x = mx.nd.concat(a, other, dim=1)
        for layer in layers[:place]:
            x = layer(x)
        mean = .9 * mean + .1 * x.asnumpy().mean((0, 2, 3))
        variance = .9 * variance + .1 * x.asnumpy().var((0, 2, 3))
    task.train_step(batch, 0)
    np.testing.assert_allclose(layers[place].running_mean.data().asnumpy(), mean, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(layers[place].running_var.data().asnumpy(), variance, rtol=1e-6)


@pytest.mark.parametrize('options', [{}, dict(dropout=.5, accumulate=2, pool_size=2), dict(objective='lsgan'),
                                     dict(objective='wgan', clip_norm=1.), dict(objective='wgan-gp')])
def test_every_parameter_of_both_learns(options):
    task = make_task(**options)
    before = parameters(task)
    losses = values(task.train_step(make_batch(4), 0))
    assert all(np.isfinite(value) for value in losses.values())
    after = parameters(task)
    assert {network for network, _ in after} == {'generator', 'discriminator'}
    if options.get('objective', '').startswith('wgan'):   # a bias of all scores cancels out in their difference
        last = len(task.networks['discriminator'].body) - 1
        assert after.pop(('discriminator', f'body.{last}.bias')) == 0
    for name, value in after.items():
        if options.get('objective') == 'wgan-gp' and name == ('discriminator', 'body.2.bias'):
            continue   # instance normalisation takes it away
        assert np.isfinite(value).all() and (value != before[name]).any(), name


def test_the_penalty_is_a_loss_of_the_discriminator():
    """Of both pictures of a pair, between the real and the made one, halved as the others are."""
    task = make_task(objective='wgan-gp', penalty={'weight': 3., 'target': 2.},
                     optimizer={'name': 'sgd', 'learning_rate': .01})
    batch, discriminator = make_batch(2), task.networks['discriminator']
    a, b = batch.arrays
    with autograd.train_mode():
        made, real = mx.nd.concat(a, task.networks['generator'](a), dim=1), mx.nd.concat(a, b, dim=1)
    mx.random.seed(5)
    with autograd.record():
        penalty = GradientPenalty(discriminator, weight=3., target=2.)(real, made)
        loss = (discriminator(made).mean() - discriminator(real).mean() + penalty) / 2
    loss.backward()
    learned = [p for p in discriminator.collect_params().values() if p.grad_req != 'null']
    expected = [(p.data() - .01 * p.grad()).asnumpy() for p in learned]
    mx.random.seed(5)
    losses = values(task.train_step(batch, 0))
    assert set(losses) == {'D_fake', 'D_real', 'D_penalty', 'G_GAN', 'G_L1'}
    assert losses['D_penalty'] == pytest.approx(penalty.asscalar(), rel=1e-5) and losses['D_penalty'] > .1
    for parameter, weights in zip(learned, expected):
        np.testing.assert_allclose(parameter.data().asnumpy(), weights, rtol=1e-4, atol=1e-6)


def test_batch_normalisation_has_no_penalty():
    with pytest.raises(ValueError, match='critic: there is no gradient penalty of it: patchgan.*BatchNorm'):
        start_training(Pix2Pix, generator=UNet(5, width=4), discriminator=PatchGAN(layers=2, width=4), image_size=SIZE,
                       objective='wgan-gp')


def test_it_learns():
    task = make_task(optimizer={'name': 'adam', 'learning_rate': 2e-3, 'beta1': .5})
    untrained = task.evaluate([make_batch(4, 99)])
    batches = [make_batch(4, seed) for seed in range(20)]
    for step in range(80):
        losses = task.train_step(batches[step % 20], step)
    assert losses['G_L1'].asscalar() < 30
    metrics = task.evaluate([make_batch(4, 99)])
    assert metrics['SSIM'] > untrained['SSIM'] + .1 and metrics['L1'] < .6 * untrained['L1']


def test_two_devices_are_as_two_rounds():
    """Bit for bit, also what the pool draws; statistics of batch normalisation apart."""
    rounds, devices = (make_task(pool_size=3, **options)
                       for options in (dict(accumulate=2), dict(ctx=[mx.cpu(0), mx.cpu(1)])))
    check_equal_training(rounds, devices, [make_batch(4, seed) for seed in range(4)])
    np.testing.assert_array_equal(rounds.state()['pool.images'], devices.state()['pool.images'])


@pytest.mark.parametrize('options', [{}, dict(accumulate=2, clip_norm=1., pool_size=3),
                                     dict(ctx=[mx.cpu(0), mx.cpu(1)])])
def test_a_step_does_not_wait(options):
    check_a_step_does_not_wait(make_task(dropout=.5, **options), make_batch(4))


# -- the pool --------------------------------------------------------------------------------------------------------

def test_state_of_the_pool():
    """A task that takes over networks and state goes on bit for bit."""
    def go_on(task):
        losses = []
        for seed in range(3, 7):
            np.random.seed(seed)
            mx.random.seed(seed)
            losses.append(values(task.train_step(make_batch(2, seed), seed)))
        return losses, task.state()['pool.images']

    sgd = {'name': 'sgd', 'learning_rate': .01}   # has no state
    first, second, empty = (make_task(pool_size=4, optimizer=sgd) for _ in range(3))
    assert first.state() == {}
    for seed in range(3):
        np.random.seed(seed)
        first.train_step(make_batch(2, seed), seed)
    state = first.state()
    assert state['pool.images'].shape == (4, 6, SIZE, SIZE)
    for task in (second, empty):
        for name, net in task.networks.items():
            for key, p in net._collect_params_with_prefix().items():
                p.set_data(first.networks[name]._collect_params_with_prefix()[key].data())
    second.load_state(state)
    (losses, pool), (losses2, pool2) = go_on(first), go_on(second)
    assert losses == losses2
    np.testing.assert_array_equal(pool, pool2)
    assert go_on(empty)[0] != losses   # the pool does matter
    second.load_state({})
    assert second.state() == {}
    second.load_state({'pool': state['pool.images']})   # as runs of the first revision have it
    np.testing.assert_array_equal(second.state()['pool.images'], state['pool.images'])


@pytest.mark.parametrize('state, words', [
    ({'pol.images': np.zeros(1)}, "Pix2Pix keeps 'pool'; got 'pol.images'"),
    ({'pool.images': np.zeros((3, 6, SIZE, SIZE), 'float32')},
     r'pool: must be float32 and at most \[2, 6, 32, 32\]: float32 \[3, 6, 32, 32\]'),
    ({'pool.images': np.zeros((1, 6, 8, SIZE), 'float32')}, r'at most .*: float32 \[1, 6, 8, 32\]'),
    ({'pool': np.zeros((1, 6, SIZE, SIZE))}, 'pool: must be float32 .*: float64'),
])
def test_state_that_does_not_fit(state, words):
    with pytest.raises(ValueError, match=words):
        make_task(pool_size=2).load_state(state)


# -- evaluation and prediction ---------------------------------------------------------------------------------------

def test_evaluate():
    """Each image alone, by its own statistics and with dropout; a record counts once."""
    task = make_task(dropout=.5)
    batches = [make_batch(3, 0), make_batch(2, 1, np.array([3, 3]))]
    expected = []
    for batch, count in zip(batches, (3, 1)):   # the second record 3 stands in for one that cannot be read
        for a, b in zip(*(array[:count] for array in batch.arrays)):
            output, target = alone(task, a), b.asnumpy().transpose(1, 2, 0)
            expected.append((np.abs(output - target).mean(),
                             peak_signal_noise_ratio(pixels(target), pixels(output), data_range=255),
                             structural_similarity(pixels(target), pixels(output), data_range=255, channel_axis=2)))
    found = task.evaluate(batches)
    assert task.main_metric == ('SSIM', 'max') and list(found) == ['L1', 'PSNR', 'SSIM']
    np.testing.assert_allclose(list(found.values()), np.mean(expected, axis=0), rtol=1e-4)
    assert found == task.evaluate(batches)
    squared = [10 * np.log10(255 ** 2 / np.mean((pixels(alone(task, a)) - pixels(b.asnumpy().transpose(1, 2, 0))
                                                 .astype(float)) ** 2)) for a, b in zip(*batches[0].arrays)]
    assert task.evaluate(batches[:1])['PSNR'] == pytest.approx(np.mean(squared), rel=1e-4)
    with pytest.raises(ValueError, match='at least one image'):
        task.evaluate([])


def test_modes_of_testing():
    """'running' has no dropout and follows the statistics collected, which neither mode changes."""
    batch, running = make_task(dropout=.5), make_task(dropout=.5, test_mode='running')
    image = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype='uint8')
    inputs = mx.nd.array(image.transpose(2, 0, 1) / 127.5 - 1)
    output = running.networks['generator'](inputs.expand_dims(0)).asnumpy()[0].transpose(1, 2, 0)
    np.testing.assert_allclose(running.predict([image])[0], pixels(output), atol=1)
    np.testing.assert_allclose(batch.predict([image])[0], pixels(alone(batch, inputs)), atol=1)
    assert np.abs(batch.predict([image])[0].astype(int) - running.predict([image])[0]).max() > 1
    for task in (batch, running):
        for name, p in task.networks['generator']._collect_params_with_prefix().items():
            if 'running' in name:
                assert set(p.data().asnumpy().tolist()) == {float(name.endswith('var'))}


def test_predict():
    """Of its own size, whatever that is; alone as among others; on several devices too."""
    task, two = make_task(dropout=.5), make_task(dropout=.5, ctx=[mx.cpu(0), mx.cpu(1)])
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (*shape, 3), dtype='uint8') for shape in ((32, 32), (1, 7), (50, 20), (64, 96))]
    results = task.predict(images)
    for image, result, other in zip(images, results, two.predict(images)):
        assert result.shape == image.shape and result.dtype == np.uint8
        np.testing.assert_array_equal(task.predict([image])[0], result)
        np.testing.assert_array_equal(other, result)
    small = cv2.resize(images[3], (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    output = pixels(alone(task, mx.nd.array(small.transpose(2, 0, 1) / 127.5 - 1)))
    np.testing.assert_allclose(results[3], cv2.resize(output, (96, 64), interpolation=cv2.INTER_CUBIC), atol=2)
    assert task.predict([]) == []
    drawn = task.draw(images[2], results[2])
    np.testing.assert_array_equal(drawn, np.concatenate([images[2], results[2]], axis=1))
    assert task.describe(results[2]) == {}


def test_a_pair_where_one_picture_is_meant_gets_a_hint():
    task = make_task()
    images = [np.zeros((*shape, 3), 'uint8') for shape in ((32, 32), (20, 40))]
    with pytest.warns(RuntimeWarning, match='a picture of 40 x 20 pixels may be a pair, two side by side; it is'):
        assert [result.shape for result in task.predict(images)] == [(32, 32, 3), (20, 40, 3)]
    with warnings.catch_warnings():
        warnings.simplefilter('error', RuntimeWarning)
        task.predict(images[:1])


@pytest.mark.parametrize('image, what', NO_IMAGES)
def test_what_is_no_image(image, what):
    check_it_is_no_image(make_task(), image, what)


def test_picture():
    """Input, output and target side by side."""
    task, batch = make_task(), make_batch(6)
    picture = task.picture(batch)
    assert picture.shape == (4 * (SIZE + 4) - 4, 3 * (SIZE + 4) - 4, 3) and picture.dtype == np.uint8
    a, b = (array[1].asnumpy().transpose(1, 2, 0) for array in batch.arrays)
    row = picture[SIZE + 4:2 * SIZE + 4]
    for column, image in enumerate((a, alone(task, batch.arrays[0][1]), b)):
        x = column * (SIZE + 4)
        np.testing.assert_allclose(row[:, x:x + SIZE], pixels(image), atol=1)
    assert task.picture(make_batch(1)).shape == (SIZE, 3 * (SIZE + 4) - 4, 3)


# -- settings and errors ---------------------------------------------------------------------------------------------

def test_from_settings():
    """What a settings file holds: JSON, but for the networks, which are made from their own parts of it."""
    settings = json.loads(json.dumps(dict(
        name='pix2pix', image_size=16, objective='lsgan', lambda_l1=10, pool_size=5,
        optimizer={'name': 'adam', 'learning_rate': .001}, test_mode='running')))
    networks = {'generator': get_model('resnet_6blocks', width=4), 'discriminator': get_model('pixelgan', width=4)}
    task = TASKS.create(**settings, **networks)
    assert isinstance(task, Pix2Pix) and task.trainers == {}
    task.start_training(Engine(accumulate=2, clip_norm=10))
    assert list(task.networks) == list(task.trainers) == ['generator', 'discriminator']
    assert task.trainers['generator'].learning_rate == .001
    with pytest.raises(ValueError, match="unknown argument 'poolsize'; did you mean pool_size"):
        TASKS.create(**settings, **networks, poolsize=2)


def test_optimizers_by_name():
    task = make_task(optimizer={'generator': {'name': 'adam', 'learning_rate': .5, 'no_decay': ['gamma', 'beta']},
                                'discriminator': {'name': 'sgd', 'learning_rate': .25}})
    assert [(type(trainer.optimizer).__name__, trainer.learning_rate) for trainer in task.trainers.values()] == [
        ('Adam', .5), ('SGD', .25)]
    with pytest.raises(ValueError, match="optimizer: must be one for all, .* or have one for 'discriminator'"):
        make_task(optimizer={'generator': {'name': 'sgd'}})


def test_it_predicts_without_a_discriminator():
    """... and without trainers; it cannot be trained so."""
    trained, task = make_task(), Pix2Pix(UNet(5, width=4, dropout=0.), image_size=SIZE)
    task.start_prediction()
    assert list(task.networks) == ['generator'] and task.trainers == {}
    for p, q in zip(*(t.networks['generator'].collect_params().values() for t in (task, trained))):
        p.set_data(q.data())
    image = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype='uint8')
    np.testing.assert_array_equal(task.predict([image])[0], trained.predict([image])[0])
    assert task.evaluate([make_batch(2)]) == trained.evaluate([make_batch(2)])
    assert task.picture(make_batch(1)).shape == (SIZE, 3 * (SIZE + 4) - 4, 3) and task.exported().outputs
    with pytest.raises(ValueError, match='discriminator: must be a network to train'):
        Pix2Pix(UNet(5, width=4)).start_training(Engine())


def test_default_optimizer():
    for trainer in make_task().trainers.values():
        assert type(trainer.optimizer).__name__ == 'Adam' and trainer.learning_rate == 2e-4
        assert (trainer.optimizer.beta1, trainer.optimizer.beta2) == (.5, .999)


@pytest.mark.parametrize('options, words', [
    (dict(objective='wgangp'), "objective: must be one of 'vanilla', 'lsgan', 'wgan', 'wgan-gp': 'wgangp'"),
    (dict(objective='wgan-gp', penalty={'wieght': 1}), "penalty: unknown argument 'wieght'; known: weight, sided"),
    (dict(objective='wgan', penalty={'weight': 1}), "penalty: is of the objective 'wgan-gp' alone, not of 'wgan'"),
    (dict(test_mode='eval'), "test_mode: must be one of 'batch', 'running': 'eval'"),
    (dict(pool_size=-1), 'pool_size: must be a whole number, at least 0: -1'),
    (dict(pool_size=True), 'pool_size: must be a whole number, at least 0: True'),
    (dict(image_size=7), 'image_size: must be a whole number, at least 8: 7'),
    (dict(lambda_l1=float('nan')), 'lambda_l1: must be a number, 0 or more: nan'),
    (dict(image_size=48), r'generator: does not take \[1, 3, 48, 48\]: '),
])
@pytest.mark.filterwarnings('ignore:Cannot decide shape')
def test_errors_of_settings(options, words):
    with pytest.raises(ValueError, match=words):
        make_task(**options)


def test_networks_that_do_not_fit():
    with pytest.raises(ValueError, match=r'generator: must return \(1, 3, 32, 32\) .*; it returns \(1, 1, 32, 32\)'):
        Pix2Pix(UNet(5, out_channels=1, width=4), PatchGAN(layers=1, width=4), SIZE).start_training(Engine())
    with pytest.raises(ValueError, match=r'discriminator: does not take \[1, 6, 32, 32\]'):
        Pix2Pix(UNet(5, width=4), PatchGAN(in_channels=3, layers=1, width=4), SIZE).start_training(Engine())


def test_images_of_another_size():
    task = make_task()
    batch = Batch((mx.nd.zeros((2, 3, SIZE, SIZE)), mx.nd.zeros((2, 3, SIZE, 64))), np.arange(2))
    for use in (lambda batch: task.train_step(batch, 0), task.picture, lambda batch: task.evaluate([batch])):
        with pytest.raises(ValueError, match=r'targets: must be \[B, 3, 32, 32\], by image_size: \[2, 3, 32, 64\]'):
            use(batch)
