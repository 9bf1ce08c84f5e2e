"""CycleGAN: its losses, its two pools, its measures without pairs, photos of any size, and what it says is wrong.

That a step is the official one: unittests/parity/test_cyclegan_parity.py.
"""
import json

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import HybridBlock
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
from gluonzoo.data.unpaired_images import UnpairedImages
from gluonzoo.metrics.sliced_wasserstein import sliced_wasserstein
from gluonzoo.models.patchgan import PatchGAN
from gluonzoo.models.resnet_generator import ResNetGenerator
from gluonzoo.pictures.png import write_png
from gluonzoo.registry import TASKS, get_model
from gluonzoo.tasks.adversarial.cyclegan import CycleGAN
from gluonzoo.train.engine import Engine

SIZE = 32
GENERATORS = 'generator_ab', 'generator_ba'
DISCRIMINATORS = 'discriminator_a', 'discriminator_b'
LOSSES = {'G_A', 'G_B', 'cycle_A', 'cycle_B', 'identity_A', 'identity_B', 'D_A', 'D_B'}


class Shift(HybridBlock):
    """x + shift: a generator whose results are known."""

    def __init__(self, shift):
        super().__init__()
        self.shift = self.params.get('shift', shape=(1,), init=mx.init.Constant(shift))

    def hybrid_forward(self, F, x, shift):
        return F.broadcast_add(x, F.reshape(shift, (1, 1, 1, 1)))


def networks():
    return {**{name: ResNetGenerator(1, width=4) for name in GENERATORS},
            **{name: PatchGAN(3, 2, 4, 'instance') for name in DISCRIMINATORS}}


def make_task(**options):
    """Started to train."""
    return start_training(CycleGAN, **{**networks(), 'image_size': SIZE, **options})


def shifting(ab=.25, ba=-.5, **options):
    return make_task(generator_ab=Shift(ab), generator_ba=Shift(ba), **options)


def make_batch(size, seed=0, records=None):
    """B is darker than A."""
    rng = np.random.default_rng(seed)
    a, b = (rng.uniform(low, low + .5, (size, 3, 8, 8)).astype('float32').repeat(4, 2).repeat(4, 3) for low in (0, -.5))
    return Batch((mx.nd.array(a), mx.nd.array(b)), np.arange(size) if records is None else np.array(records))


def pixels(values):
    return ((np.moveaxis(np.asarray(values), -3, -1) + 1) * 127.5).round().clip(0, 255).astype('uint8')


def photo(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype='uint8')


# -- the losses ------------------------------------------------------------------------------------------------------

def test_the_losses_of_a_step():
    """Of generators that add numbers: there and back is a shift of -0.25, whichever comes first."""
    losses = values(shifting(lambda_a=8., lambda_b=4., lambda_identity=.5).train_step(make_batch(2), 0))
    assert losses.keys() == LOSSES
    assert (losses['cycle_A'], losses['cycle_B']) == pytest.approx((8 * .25, 4 * .25), rel=1e-5)
    # Of A by the generator that makes pictures of A, which adds -0.5; of B by that of B, which adds 0.25.
    assert (losses['identity_A'], losses['identity_B']) == pytest.approx((.5 * 8 * .5, .5 * 4 * .25), rel=1e-5)


def test_generators_before_discriminators():
    """G is judged by D before its update, and D by what G made before its own, which the pools keep."""
    task, batch = make_task(optimizer={'name': 'sgd', 'learning_rate': .1}), make_batch(2)
    a, b = batch.arrays
    made = {'a': task.networks['generator_ba'](b), 'b': task.networks['generator_ab'](a)}
    wanted = {}
    for domain, real in (('a', a), ('b', b)):
        on_made, on_real = (task.networks[f'discriminator_{domain}'](x).asnumpy() for x in (made[domain], real))
        wanted[f'G_{domain.upper()}'] = ((on_made - 1) ** 2).mean()
        wanted[f'D_{domain.upper()}'] = ((on_real - 1) ** 2).mean() / 2 + (on_made ** 2).mean() / 2
    losses = values(task.train_step(batch, 0))
    assert {name: losses[name] for name in wanted} == pytest.approx(wanted, rel=1e-4)
    for domain in 'ab':
        np.testing.assert_allclose(task.state()[f'pool_{domain}.images'], made[domain].asnumpy(), atol=1e-5)
    assert abs(task.networks['generator_ab'](a) - made['b']).mean().asscalar() > 1e-4   # it has been updated


@pytest.mark.parametrize('options', [{}, dict(accumulate=2, pool_size=1), dict(objective='vanilla', clip_norm=1.),
                                     dict(lambda_identity=0.)], ids=str)
def test_every_parameter_of_all_four_learns(options):
    task = make_task(**options)
    before = parameters(task)
    losses = values(task.train_step(make_batch(4), 0))
    assert losses.keys() == (LOSSES if options.get('lambda_identity') != 0 else LOSSES - {'identity_A', 'identity_B'})
    assert all(np.isfinite(value) for value in losses.values())
    after = parameters(task)
    assert {network for network, _ in after} == {*GENERATORS, *DISCRIMINATORS}
    for name, value in after.items():
        assert np.isfinite(value).all() and (value != before[name]).any(), name


def test_the_penalty_of_both_discriminators():
    """Of 'wgan-gp', for the pictures that the discriminators see."""
    task = make_task(objective='wgan-gp', penalty={'weight': 5.}, pool_size=0)
    a, b = make_batch(2).arrays
    wanted = []
    for domain, real, made in (('a', a, task.networks['generator_ba'](b)), ('b', b, task.networks['generator_ab'](a))):
        place = mx.nd.array([.25, .75]).reshape((2, 1, 1, 1))
        between = real * place + made.detach() * (1 - place)
        between.attach_grad()
        with mx.autograd.record():
            scores = task.networks[f'discriminator_{domain}'](between)
            total = scores.sum()
        total.backward()
        norms = np.sqrt((between.grad.asnumpy() ** 2).sum((1, 2, 3)))
        wanted.append(5 * ((norms - 1) ** 2).mean())
        found = task.penalties[f'discriminator_{domain}']
        with mx.autograd.record():
            assert found(real, made, place).asscalar() == pytest.approx(wanted[-1], rel=1e-3)
    losses = values(task.train_step(make_batch(2), 0))
    assert losses.keys() == LOSSES | {'penalty_A', 'penalty_B'} and all(np.isfinite(v) for v in losses.values())


def test_one_trainer_for_both_of_a_kind():
    task = make_task(optimizer={'generator': {'name': 'adam', 'learning_rate': .5, 'beta1': .5},
                                'discriminator': {'name': 'sgd', 'learning_rate': .25}})
    assert {name: (type(trainer.optimizer).__name__, trainer.learning_rate)
            for name, trainer in task.trainers.items()} == {'generator': ('Adam', .5), 'discriminator': ('SGD', .25)}
    for name, trainer in task.trainers.items():
        count = sum(len(task.networks[net].collect_params().keys()) for net in task.networks if net.startswith(name))
        assert len(trainer._params) == count
    for trainer in make_task().trainers.values():   # the official code's
        assert (trainer.learning_rate, trainer.optimizer.beta1, trainer.optimizer.beta2) == (2e-4, .5, .999)


def test_it_learns():
    """To make the dark pictures bright and the bright ones dark, and to bring both back."""
    task = make_task(optimizer={'name': 'adam', 'learning_rate': 4e-3, 'beta1': .5}, lambda_identity=0.)
    untrained = task.evaluate([make_batch(4, 99)])
    batches = [make_batch(4, seed) for seed in range(20)]
    for step in range(120):
        task.train_step(batches[step % 20], step)
    found = task.evaluate([make_batch(4, 99)])
    assert found['cycle A'] < .7 * untrained['cycle A'] and found['cycle B'] < .7 * untrained['cycle B']
    a, b = make_batch(4, 99).arrays
    made_a, made_b = task.networks['generator_ba'](b), task.networks['generator_ab'](a)
    assert made_a.mean().asscalar() > .1 and made_b.mean().asscalar() < -.1   # real ones: 0.25, -0.25


def test_two_devices_are_as_two_rounds():
    """But for the order in which the gradients of the passes are added; also in what the pools draw."""
    sgd = {'name': 'sgd', 'learning_rate': .01}
    rounds, devices = (make_task(pool_size=3, optimizer=sgd, **options)
                       for options in (dict(accumulate=2), dict(ctx=[mx.cpu(0), mx.cpu(1)])))
    for seed in range(3):
        losses = []
        for task in (rounds, devices):
            np.random.seed(seed)
            losses.append(values(task.train_step(make_batch(4, seed), seed)))
        assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    for name, value in parameters(rounds).items():
        for ctx in devices.ctx:
            np.testing.assert_allclose(parameters(devices, ctx)[name], value, atol=1e-4)
    for domain in 'ab':
        one, other = (task.state()[f'pool_{domain}.images'] for task in (rounds, devices))
        np.testing.assert_allclose(one, other, atol=1e-4)


@pytest.mark.parametrize('options', [{}, dict(accumulate=2, clip_norm=1., pool_size=3),
                                     dict(ctx=[mx.cpu(0), mx.cpu(1)])], ids=str)
def test_a_step_does_not_wait(options):
    check_a_step_does_not_wait(make_task(**options), make_batch(4))


# -- the pools -------------------------------------------------------------------------------------------------------

def test_state_of_the_pools():
    """A task that takes over networks and state goes on bit for bit; each pool has pictures of its own domain."""
    sgd = {'name': 'sgd', 'learning_rate': .01}   # has no state
    first, second = (make_task(pool_size=4, optimizer=sgd) for _ in range(2))
    assert first.state() == {}
    for seed in range(3):
        np.random.seed(seed)
        first.train_step(make_batch(2, seed), seed)
    state = first.state()
    assert {name: array.shape for name, array in state.items()} == {
        f'pool_{domain}.images': (4, 3, SIZE, SIZE) for domain in 'ab'}
    for name, net in second.networks.items():
        for key, p in net._collect_params_with_prefix().items():
            p.set_data(first.networks[name]._collect_params_with_prefix()[key].data())
    second.load_state(state)
    check_equal_training(first, second, [make_batch(2, seed) for seed in range(3, 6)])
    for name, array in first.state().items():
        np.testing.assert_array_equal(second.state()[name], array)
    with pytest.raises(ValueError, match=r'pool_b: must be float32 and at most \[4, 3, 32, 32\]: float32 \[5, 3, 32'):
        second.load_state({'pool_b.images': np.zeros((5, 3, SIZE, SIZE), 'float32')})


# -- evaluation and prediction ---------------------------------------------------------------------------------------

@pytest.mark.parametrize('devices', [1, 2])
def test_evaluate(devices):
    """Errors of generators that add numbers are known; made pictures are compared with real ones; a record counts
    once."""
    task = shifting(ctx=[mx.cpu(i) for i in range(devices)])
    batches = [make_batch(3, 0), make_batch(2, 1, [3, 3])]   # the second record 3 stands in for one that is broken
    found = task.evaluate(iter(batches))
    assert task.main_metric == ('SWD', 'min') and list(found) == [
        'SWD', 'SWD A', 'SWD B', 'cycle A', 'cycle B', 'identity A', 'identity B']
    assert [found[name] for name in list(found)[3:]] == pytest.approx([.25, .25, .5, .25], rel=1e-4)
    a, b = (np.concatenate([batch.arrays[i].asnumpy()[:count] for batch, count in zip(batches, (3, 1))])
            for i in range(2))
    assert found['SWD A'] == pytest.approx(sliced_wasserstein(pixels(a), pixels(b - .5))['SWD'], rel=1e-3)
    assert found['SWD B'] == pytest.approx(sliced_wasserstein(pixels(b), pixels(a + .25))['SWD'], rel=1e-3)
    assert found['SWD'] == pytest.approx((found['SWD A'] + found['SWD B']) / 2)
    with pytest.raises(ValueError, match='at least one record'):
        task.evaluate([])


def test_a_picture_that_comes_again_is_compared_once():
    """Where a domain has fewer pictures than the other, its pictures come again, and so does what is made of them."""
    task, few = shifting(), make_batch(2)
    a, b = make_batch(2, 1).arrays
    again = Batch((few.arrays[0].tile((2, 1, 1, 1)), mx.nd.concat(few.arrays[1], b, dim=0)), np.arange(4))
    found, wanted = task.evaluate([again]), task.evaluate([few])
    assert [found[name] for name in ('SWD', 'SWD A', 'SWD B')] == [wanted[name] for name in ('SWD', 'SWD A', 'SWD B')]
    assert found['identity B'] == pytest.approx(.25) and found['cycle A'] == pytest.approx(.25)
    same = Batch(tuple(array[:1].tile((3, 1, 1, 1)) for array in (a, b)), np.arange(3))   # no error: two at least
    assert np.isfinite(task.evaluate([same])['SWD'])


def test_of_many_records_the_first_are_compared(monkeypatch):
    monkeypatch.setattr('gluonzoo.tasks.adversarial.cyclegan.COMPARED', 3)
    task, batches = shifting(), [make_batch(2, seed, [2 * seed, 2 * seed + 1]) for seed in range(3)]
    a, b = (np.concatenate([batch.arrays[i].asnumpy() for batch in batches[:2]])[:3] for i in range(2))
    found = task.evaluate(batches)
    assert found['SWD A'] == pytest.approx(sliced_wasserstein(pixels(a), pixels(b - .5))['SWD'], rel=1e-3)
    assert found['SWD B'] == pytest.approx(sliced_wasserstein(pixels(b), pixels(a + .25))['SWD'], rel=1e-3)


def test_use_is_by_the_statistics_that_training_has_collected():
    """... of batch normalisation, and leaves them as they are."""
    task = make_task(**{name: ResNetGenerator(1, width=4, norm='batch') for name in GENERATORS})
    for step in range(3):
        task.train_step(make_batch(2, step), step)
    kept = {name: parameter.data().asnumpy() for net in task.networks.values()
            for name, parameter in net.collect_params().items()}
    both = task.evaluate([make_batch(4)])
    rest = [task.evaluate([Batch(tuple(array[i:i + 2] for array in make_batch(4).arrays), np.arange(2))])
            for i in (0, 2)]
    for name in ('cycle A', 'identity B'):
        assert both[name] == pytest.approx((rest[0][name] + rest[1][name]) / 2, rel=1e-4)
    image = photo(32, 32)
    with mx.autograd.predict_mode():
        made = task.networks['generator_ab'](mx.nd.array(image.transpose(2, 0, 1)[None] / 127.5 - 1)).asnumpy()[0]
    np.testing.assert_allclose(task.predict([image])[0], pixels(made), atol=1)
    task.picture(make_batch(2))
    for net in task.networks.values():
        for name, parameter in net.collect_params().items():
            np.testing.assert_array_equal(parameter.data().asnumpy(), kept[name])


def test_features_measure_more():
    class Features:
        def distances(self, real, made):
            return {'FID (mean colour)': float(real.mean() - made.mean())}

    task = shifting(0, 0)
    task.features = Features()
    found = task.evaluate([make_batch(4)])
    assert found['FID (mean colour) A'] == pytest.approx(-found['FID (mean colour) B']) != 0


@pytest.mark.parametrize('direction, shift', [('AtoB', .25), ('BtoA', -.5)])
def test_predict(direction, shift):
    """Of its own size, in one direction; alone as among others; on several devices too."""
    task, two = (shifting(direction=direction, **options) for options in ({}, dict(ctx=[mx.cpu(0), mx.cpu(1)])))
    images = [photo(*size) for size in ((32, 32), (1, 7), (50, 21), (64, 96))]
    results = task.predict(images)
    for image, result, other in zip(images, results, two.predict(images)):
        assert result.shape == image.shape and result.dtype == np.uint8
        wanted = (image + 127.5 * shift).round().clip(0, 255)
        np.testing.assert_allclose(result, wanted, atol=1)
        np.testing.assert_array_equal(task.predict([image])[0], result)
        np.testing.assert_array_equal(other, result)
    assert task.predict([]) == []
    np.testing.assert_array_equal(task.draw(images[2], results[2]), np.concatenate([images[2], results[2]], axis=1))
    assert task.describe(results[2]) == {'direction': direction}
    views = task.views(images[0])
    assert list(views) == ['back', 'identity']
    other = -.25 - shift
    np.testing.assert_allclose(views['back'], (results[0] + 127.5 * other).round().clip(0, 255), atol=1)
    np.testing.assert_allclose(views['identity'], (images[0] + 127.5 * other).round().clip(0, 255), atol=1)


def test_a_photo_is_padded_by_reflection_and_cropped():
    task = make_task()
    image = photo(30, 41)
    padded = np.pad(image, [(0, 2), (0, 3), (0, 0)], 'reflect')
    output = task.networks['generator_ab'](mx.nd.array(padded.transpose(2, 0, 1)[None] / 127.5 - 1)).asnumpy()[0]
    np.testing.assert_allclose(task.predict([image])[0], pixels(output)[:30, :41], atol=1)
    whole, other = make_task(multiple=16), photo(48, 32)   # as for a network of 4 halvings
    assert whole.predict([image])[0].shape == image.shape
    np.testing.assert_array_equal(whole.predict([other])[0], task.predict([other])[0])


def test_a_photo_that_is_larger_than_the_memory(monkeypatch):
    task = make_task()
    monkeypatch.setattr('gluonzoo.memory.limit', lambda: 10 ** 6)
    # The largest array within: 4 channels before the first convolution, or at full size, 230 x 230 with its padding.
    with pytest.raises(ValueError, match='a picture of 224 x 224 pixels: must fit in the memory: .*; there are '):
        task.predict([photo(224, 224)])
    assert task.predict([photo(32, 32)])[0].shape == (32, 32, 3)
    # It is not even enlarged.
    monkeypatch.setattr('gluonzoo.tasks.adversarial.cyclegan.reflected', None)
    with pytest.raises(ValueError, match='a picture of 7 x 9 pixels, enlarged to 1024 x 1024: must fit in the memory'):
        make_task(multiple=1024).predict([photo(9, 7)])


@pytest.mark.parametrize('image, what', NO_IMAGES)
def test_what_is_no_image(image, what):
    check_it_is_no_image(make_task(), image, what)


def test_picture():
    """A row: a picture of A, there and back; a picture of B, there and back."""
    task, batch = shifting(), make_batch(6)
    picture = task.picture(batch)
    assert picture.shape == (4 * (SIZE + 4) - 4, 6 * (SIZE + 4) - 4, 3) and picture.dtype == np.uint8
    a, b = (array[1].asnumpy() for array in batch.arrays)
    row = picture[SIZE + 4:2 * SIZE + 4]
    for column, image in enumerate((a, a + .25, a - .25, b, b - .5, b - .25)):
        x = column * (SIZE + 4)
        np.testing.assert_allclose(row[:, x:x + SIZE], pixels(image), atol=1)
    assert task.picture(make_batch(1)).shape == (SIZE, 6 * (SIZE + 4) - 4, 3)


def test_exported():
    """The generator of the direction, by which the other is not changed."""
    for direction, shift in (('AtoB', .25), ('BtoA', -.5)):
        what = shifting(direction=direction).exported(size=[40, 48])
        assert (what.inputs, what.outputs) == ({'image': (1, 3, 40, 48)}, ['translation'])
        assert what.block(mx.nd.zeros((1, 3, 40, 48))).mean().asscalar() == pytest.approx(shift)
        assert f'a picture of {direction[0]}:' in what.metadata['inputs']['image']
        assert f'a picture of {direction[-1]}:' in what.metadata['outputs']['translation']
        json.dumps(what.metadata)
    assert make_task().exported().inputs == {'image': (1, 3, SIZE, SIZE)}
    with pytest.raises(ValueError, match='size: both sides must be multiples of 4: 42 48'):
        make_task().exported(size=[42, 48])
    with pytest.raises(ValueError, match='decode: image translation has nothing to decode'):
        make_task().exported(decode=True)


# -- settings and errors ---------------------------------------------------------------------------------------------

def test_from_settings():
    """What a settings file holds: JSON, but for the networks, which are made from their own parts of it."""
    settings = json.loads(json.dumps(dict(
        name='cyclegan', image_size=64, objective='vanilla', lambda_a=1, lambda_b=2, lambda_identity=0, pool_size=5,
        optimizer={'name': 'adam', 'learning_rate': .001}, direction='BtoA', multiple=8)))
    made = {**{name: get_model('resnet_6blocks', width=4) for name in GENERATORS},
            **{name: get_model('patchgan', in_channels=3, width=4, norm='instance') for name in DISCRIMINATORS}}
    task = TASKS.create(**settings, **made)
    assert isinstance(task, CycleGAN) and task.trainers == {}
    task.start_training(Engine(accumulate=2, clip_norm=10))
    assert list(task.networks) == [*GENERATORS, *DISCRIMINATORS] and list(task.trainers) == [
        'generator', 'discriminator']
    with pytest.raises(ValueError, match="unknown argument 'lambda'; did you mean lambda_"):
        TASKS.create(**settings, **made, **{'lambda': 2})


def test_it_predicts_without_discriminators():
    """... and without trainers, and in one direction with one generator alone; it cannot be trained so."""
    trained = shifting()
    task = CycleGAN(Shift(.25), Shift(-.5), image_size=SIZE)
    task.start_prediction()
    assert list(task.networks) == list(GENERATORS) and task.trainers == {}
    alone = CycleGAN(None, Shift(-.5), image_size=SIZE, direction='BtoA')
    alone.start_prediction()
    for each in (task, alone):
        for name, net in each.networks.items():
            net.shift.set_data(trained.networks[name].shift.data())
    assert task.evaluate([make_batch(2)]) == trained.evaluate([make_batch(2)])
    image = photo(32, 32)
    np.testing.assert_array_equal(task.predict([image])[0], trained.predict([image])[0])
    np.testing.assert_allclose(alone.predict([image])[0], (image - 63.75).round().clip(0, 255), atol=1)
    assert alone.views(image) == {}
    for use in (lambda: alone.evaluate([make_batch(2)]), lambda: alone.picture(make_batch(2))):
        with pytest.raises(ValueError, match='generator_ab: must be a network, to go there and back; is None'):
            use()
    with pytest.raises(ValueError, match='generator_ab: must be a network for the direction AtoB; is None'):
        CycleGAN(None, Shift(-.5), image_size=SIZE)
    with pytest.raises(ValueError, match='discriminator_a, discriminator_b: must be a network to train'):
        CycleGAN(Shift(0), Shift(0), image_size=SIZE).start_training(Engine())


@pytest.mark.parametrize('options, words', [
    (dict(objective='wgangp'), "objective: must be one of 'vanilla', 'lsgan', 'wgan', 'wgan-gp': 'wgangp'"),
    (dict(direction='ab'), "direction: must be one of 'AtoB', 'BtoA': 'ab'"),
    (dict(pool_size=-1), 'pool_size: must be a whole number, at least 0: -1'),
    (dict(image_size=15), 'image_size: must be a whole number, at least 16: 15'),
    (dict(image_size=True), 'image_size: must be a whole number, at least 16: True'),
    (dict(image_size=140), 'image_size: must be a multiple of 8, to be halved for the SWD: 140'),
    (dict(image_size=18), r'generator_ab: must return \(1, 3, 18, 18\) for .*; it returns \(1, 3, 20, 20\)'),
    (dict(lambda_a=-1.), 'lambda_a: must be a number, 0 or more: -1.0'),
    (dict(lambda_identity=float('nan')), 'lambda_identity: must be a number, 0 or more: nan'),
])
def test_errors_of_settings(options, words):
    with pytest.raises(ValueError, match=words):
        make_task(**options)


def test_networks_that_do_not_fit():
    with pytest.raises(ValueError, match=r'generator_ba: must return \(1, 3, 32, 32\) .*; it returns \(1, 1, 32, 32\)'):
        make_task(generator_ba=ResNetGenerator(1, out_channels=1, width=4))
    with pytest.raises(ValueError, match=r'discriminator_b: does not take \[1, 3, 32, 32\]'):
        make_task(discriminator_b=PatchGAN(6, 2, 4))


def test_images_of_another_size():
    task = make_task()
    batch = Batch((mx.nd.zeros((2, 3, SIZE, SIZE)), mx.nd.zeros((2, 3, SIZE, 64))), np.arange(2))
    for use in (lambda batch: task.train_step(batch, 0), task.picture, lambda batch: task.evaluate([batch])):
        with pytest.raises(ValueError, match=r'b: must be \[B, 3, 32, 32\], by image_size: \[2, 3, 32, 64\]'):
            use(batch)


def test_one_picture_to_compare_with():
    with pytest.raises(ValueError, match='val_data: must have 2 pictures or more in a domain, .*; has 1'):
        make_task().check_data('val_data', [0])
    make_task().check_data('val_data', [0, 1])


@pytest.mark.parametrize('alone', ['A', 'B'])
def test_a_domain_of_one_picture_to_compare_with(tmp_path, alone):
    """... which would come again with each picture of the other."""
    for domain in 'AB':
        (tmp_path / domain).mkdir()
        for i in range(1 if domain == alone else 3):
            write_png(tmp_path / domain / f'{i}.png', photo(32, 32, i))
    dataset = UnpairedImages(tmp_path, serial=True)
    with pytest.raises(ValueError, match='val_data: must have 2 pictures or more in a domain, .*; has 1'):
        make_task().check_data('val_data', dataset)
