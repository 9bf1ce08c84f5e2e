"""Classification: it learns, counts right, sees the middle of a photo, and says what is wrong."""
import json

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon
from mxnet.gluon import HybridBlock, nn
from task_checks import (
    NO_IMAGES,
    check_a_step_does_not_wait,
    check_equal_training,
    check_it_is_no_image,
    check_statistics_are_of_the_step,
    parameters,
    start_training,
    values,
)

from gluonzoo.data import Batch
from gluonzoo.pictures.resize import resize
from gluonzoo.registry import TASKS
from gluonzoo.tasks.classification import OPTIMIZER, Classification
from gluonzoo.tasks.classifier import Classes
from gluonzoo.train.engine import Engine

NAMES = ['black', 'red', 'green', 'blue', 'yellow', 'pink', 'cyan', 'white']   # the bits of a class are its colours
SIZE = 8
MEAN, STD = (120, 110, 100), (60, 50, 40)
ADAM = {'name': 'adam', 'learning_rate': .02}


class TinyClassifier(HybridBlock):
    def __init__(self, classes=8):
        super().__init__()
        self.layers = nn.HybridSequential()
        self.layers.add(nn.Conv2D(8, 3, 2, 1, use_bias=False), nn.BatchNorm(), nn.Activation('relu'),
                        nn.GlobalAvgPool2D(), nn.Dense(classes))

    def hybrid_forward(self, F, x):
        return self.layers(x)


class Says(HybridBlock):
    """Logits are the first row of the red pixels, as they are put in."""

    def __init__(self, classes):
        super().__init__()
        self.classes = classes
        self.weight = self.params.get('weight', shape=(1,), init='ones')

    def hybrid_forward(self, F, x, weight):
        row = F.reshape(F.slice(x, begin=(None, 0, 0, 0), end=(None, 1, 1, self.classes)), (0, -1))
        return F.broadcast_mul(row, F.reshape(weight, (1, 1)))


def make_task(net=None, **options):
    """Started to train."""
    return start_training(Classification, net=net or TinyClassifier(), **{
        'class_names': NAMES, 'size': SIZE, 'mean': MEAN, 'std': STD, 'optimizer': ADAM, **options})


def rule(*logits):
    """(task, images) where these are the logits of the images."""
    classes = len(logits[0])
    images = np.zeros((len(logits), 3, SIZE, SIZE), 'float32')
    images[:, 0, 0, :classes] = logits
    net = Says(classes)
    net.initialize()   # to predict, other networks become zeros
    task = Classification(net, NAMES[:classes], size=SIZE)
    task.start_prediction()
    return task, images


def draw(rng, label):
    """A photo of one colour, and noise."""
    color = np.array([200 if label >> bit & 1 else 40 for bit in range(3)])
    return (color + rng.normal(0, 15, (SIZE, SIZE, 3))).clip(0, 255).astype('uint8')


def make_batch(size, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 8, size)
    photos = np.stack([draw(rng, label) for label in labels])
    pixels = ((photos - np.array(MEAN)) / np.array(STD)).transpose(0, 3, 1, 2)
    return Batch((mx.nd.array(pixels), mx.nd.array(labels[:, None])), 1000 * seed + np.arange(size))


@pytest.fixture(scope='module')
def trained():
    """(task, losses) after 150 steps."""
    task = make_task()
    batches = [make_batch(32, seed) for seed in range(15)]
    losses = [task.train_step(batches[step % 15], step) for step in range(150)]
    return task, [values(step)['loss'] for step in losses]


# -- learning --------------------------------------------------------------------------------------------------------

def test_it_learns(trained):
    task, losses = trained
    assert losses[0] > 1.5 and np.mean(losses[-10:]) < .3
    metrics = task.evaluate(make_batch(32, seed) for seed in range(100, 103))
    assert list(metrics) == ['top1', 'top5', 'mean_class_top1'] and metrics['top1'] > .95 and metrics['top5'] > .99
    assert task.main_metric == ('top1', 'max')


def test_predict(trained):
    """Photos of any size, more than are computed at once; the surest class first."""
    task, _ = trained
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 8, 40)
    photos = [draw(rng, label).repeat(1 + label % 3, 0).repeat(2, 1) for label in labels]
    results = task.predict(photos)
    assert len(results) == 40 and np.mean([found.labels[0] == label for found, label in zip(results, labels)]) > .9
    for photo, found in zip(photos, results):
        assert isinstance(found, Classes) and [a.dtype for a in found] == ['int32', 'float32']
        assert len(found.labels) == len(set(found.labels)) == len(found.scores) == 5
        assert (np.diff(found.scores) <= 0).all() and 0 < found.scores.sum() <= 1.00001
        alone, = task.predict([photo])
        assert alone.labels[0] == found.labels[0]
        np.testing.assert_allclose(alone.scores, found.scores, atol=1e-5)
    assert task.predict([]) == []


def test_every_parameter_learns():
    task = make_task(smoothing=.1)
    before = parameters(task)
    assert np.isfinite(values(task.train_step(make_batch(16), 0))['loss'])
    for name, value in parameters(task).items():
        assert np.isfinite(value).all() and (value != before[name]).any(), name


@pytest.mark.parametrize('smoothing', [0, .1, .5])
def test_loss_against_numpy(smoothing):
    """Cross-entropy with a target that has 1 - smoothing for its class, and smoothing / classes for each."""
    logits = np.random.default_rng(0).normal(0, 2, (5, 4)).astype('float32')
    labels = np.array([3, 0, 1, 1, 2])
    images = np.zeros((5, 3, SIZE, SIZE), 'float32')
    images[:, 0, 0, :4] = logits
    target = np.full((5, 4), smoothing / 4)
    target[np.arange(5), labels] += 1 - smoothing
    logits = logits.astype('float64')
    expected = -(target * (logits - np.log(np.exp(logits).sum(1, keepdims=True)))).sum(1).mean()
    for shape in ((5, 1), (5,)):
        task = make_task(Says(4), class_names=NAMES[:4], smoothing=smoothing)
        batch = Batch((mx.nd.array(images), mx.nd.array(labels).reshape(shape)), np.arange(5))
        assert values(task.train_step(batch, 0)) == pytest.approx({'loss': expected}, rel=1e-5)


def test_mixup_against_numpy():
    """One weight for the batch; partners within a part of it."""
    logits = np.random.default_rng(0).normal(0, 2, (6, 4)).astype('float32')
    labels = np.array([3, 0, 1, 1, 2, 0])
    images = np.zeros((6, 3, SIZE, SIZE), 'float32')
    images[:, 0, 0, :4] = logits
    batch = Batch((mx.nd.array(images), mx.nd.array(labels.reshape(-1, 1))),
                  np.arange(6))
    for accumulate in (1, 2):
        task = make_task(Says(4), class_names=NAMES[:4], mixup=.4, smoothing=.2, accumulate=accumulate)
        np.random.seed(5)
        found = values(task.train_step(batch, 0))['loss']
        np.random.seed(5)
        weight, wanted = np.random.beta(.4, .4), []
        for part in np.array_split(np.arange(6), accumulate):
            order = part[np.random.permutation(len(part))]
            x = weight * logits[part].astype('float64') + (1 - weight) * logits[order]
            y = np.eye(4) * .8 + .05
            y = weight * y[labels[part]] + (1 - weight) * y[labels[order]]
            wanted.append(-(y * (x - np.log(np.exp(x).sum(1, keepdims=True)))).sum(1).mean())
        assert found == pytest.approx(np.mean(wanted), rel=1e-5)


def test_mixup_of_0_is_none():
    """Bit for bit, and it draws nothing."""
    batch, task, plain = make_batch(8), make_task(mixup=0.0), make_task()
    loss = gluon.loss.SoftmaxCELoss()
    np.random.seed(1)
    state = np.random.get_state()
    found = values(task.train_step(batch, 0))['loss']
    assert all(np.array_equal(now, then) for now, then in zip(np.random.get_state(), state))
    net = plain.networks['net']
    with autograd.record():
        wanted = loss(net(batch.arrays[0]), batch.arrays[1]).mean()
    wanted.backward()
    plain.trainers['net'].update(1)
    assert found == pytest.approx(wanted.asscalar(), rel=1e-6)
    for name, value in parameters(plain).items():
        np.testing.assert_allclose(parameters(task)[name], value, atol=1e-6)


def test_with_mixup_two_devices_are_as_two_rounds():
    rounds, devices = make_task(accumulate=2, mixup=.5), make_task(ctx=[mx.cpu(0), mx.cpu(1)], mixup=.5)
    check_equal_training(rounds, devices, [make_batch(8, seed) for seed in range(3)])


@pytest.mark.parametrize('loss', ['ghm_c', 'ghm_c_sigmoid'])
def test_ghm_learns_and_is_kept(loss):
    """A task with the saved weights, optimizer and counts goes on as if there was no break."""
    ghm = {'bins': 5, 'momentum': .9}
    task = make_task(loss=loss, ghm=ghm)
    batches = [make_batch(32, seed) for seed in range(15)]
    losses = [values(task.train_step(batches[step % 15], step))['loss'] for step in range(150)]
    assert np.mean(losses[-10:]) < .5 * np.mean(losses[:10])
    assert task.evaluate(make_batch(32, seed) for seed in range(100, 103))['top1'] > .9
    state = task.state()
    assert list(state) == ['ghm.counts'] and state['ghm.counts'].shape == (1, 5)
    other = make_task(loss=loss, ghm=ghm)
    for name, parameter in other.networks['net']._collect_params_with_prefix().items():
        parameter.set_data(task.networks['net']._collect_params_with_prefix()[name].data())
    fresh = values(other.train_step(batches[0], 0))['loss']
    for name, parameter in other.networks['net']._collect_params_with_prefix().items():
        parameter.set_data(task.networks['net']._collect_params_with_prefix()[name].data())
    other.load_state(state)
    wanted = values(task.train_step(batches[0], 150))['loss']
    assert values(other.train_step(batches[0], 0))['loss'] == wanted != fresh


def test_scores_of_sigmoids():
    """Each class is a question of its own, so scores do not add up to 1; great logits do not overflow."""
    task, images = rule([0, np.log(3), -np.log(3)], [500, -500, 0])
    task = Classification(task.networks['net'], NAMES[:3], size=SIZE, loss='ghm_c_sigmoid')
    task.start_prediction()
    task._prepare = lambda photos: images
    first, second = task.predict(2 * [np.zeros((9, 9, 3), 'uint8')])
    assert first.labels.tolist() == [1, 0, 2] and first.scores == pytest.approx([.75, .5, .25])
    assert second.labels.tolist() == [0, 2, 1] and second.scores == pytest.approx([1, .5, 0])
    assert 'a sigmoid makes probabilities' in task.exported().metadata['outputs']['logits']


def test_two_devices_are_as_two_rounds():
    rounds, devices = make_task(accumulate=2), make_task(ctx=[mx.cpu(0), mx.cpu(1)])
    check_equal_training(rounds, devices, [make_batch(8, seed) for seed in range(3)])


@pytest.mark.parametrize('options', [{}, dict(accumulate=2, clip_norm=1., smoothing=.1),
                                     dict(ctx=[mx.cpu(0), mx.cpu(1)]), dict(mixup=1.), dict(loss='ghm_c'),
                                     dict(loss='ghm_c_sigmoid', ghm={'per_class': True})], ids=str)
def test_a_step_does_not_wait(options):
    check_a_step_does_not_wait(make_task(**options), make_batch(4))


def test_who_reads_the_running_statistics_gets_those_of_the_step():
    check_statistics_are_of_the_step(make_task(), [make_batch(16, seed) for seed in range(3)])


# -- evaluation ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('logits, label, top1, top5', [
    ([9, 1, 2, 3, 4, 5, 6], 0, 1, 1),
    ([5, 9, 2, 3, 1, 0, 0], 0, 0, 1),   # second
    ([5, 9, 8, 7, 6, 0, 0], 0, 0, 1),   # fifth
    ([5, 9, 8, 7, 6, 6, 0], 0, 0, 0),   # sixth
    ([0, 9, 8, 7, 6, 6, 1], 0, 0, 0),   # last
    ([2, 2, 0, 0, 0, 0, 0], 0, 1, 1), ([2, 2, 0, 0, 0, 0, 0], 1, 0, 1),   # of equals the first is the likeliest
    ([1, 1, 1, 1, 1, 1, 1], 4, 0, 1), ([1, 1, 1, 1, 1, 1, 1], 5, 0, 0),
    (7 * [np.nan], 0, 0, 0), ([np.nan, 1, 1, 1, 1, 1, 1], 0, 0, 0), ([9, 1, 1, np.nan, 1, 1, 1], 0, 0, 0),
])
def test_one_image_by_hand(logits, label, top1, top5):
    task, images = rule(logits)
    batch = Batch((mx.nd.array(images), mx.nd.array([[label]])), np.array([7]))
    assert task.evaluate([batch]) == {'top1': top1, 'top5': top5, 'mean_class_top1': top1}


def test_means_by_hand():
    """Over images, whatever the batches; a record counts once."""
    task, images = rule([3, 2, 1], [3, 2, 1], [1, 2, 3], [3, 2, 1])
    batches = [Batch((mx.nd.array(images[:3]), mx.nd.array([[0], [1], [2]])), np.array([0, 1, 2])),
               Batch((mx.nd.array(images[3:]), mx.nd.array([[2]])), np.array([3])),
               Batch((mx.nd.array(images[3:]), mx.nd.array([[2]])), np.array([3]))]
    wanted = {'top1': .5, 'top5': 1, 'mean_class_top1': 1 / 2}   # of class 0 all, of 1 none, of 2 one of two
    assert task.evaluate(batches) == wanted == task.evaluate(batches[:2])
    with pytest.raises(ValueError, match='batches: there must be at least one image'):
        task.evaluate([])


def test_evaluation_on_two_devices():
    """Also of a batch smaller than the number of devices."""
    one, two = make_task(), make_task(ctx=[mx.cpu(0), mx.cpu(1)])
    batches = [make_batch(5, 0), make_batch(1, 1)]
    assert one.evaluate(batches) == two.evaluate(batches)
    photos = [draw(np.random.default_rng(i), i) for i in range(3)]
    for a, b in zip(one.predict(photos), two.predict(photos)):
        assert a.labels.tolist() == b.labels.tolist()
        np.testing.assert_allclose(a.scores, b.scores, atol=1e-5)


# -- prediction ------------------------------------------------------------------------------------------------------

def test_probabilities_by_hand():
    """Of few classes all; equal ones in their order; large logits do not overflow."""
    task, images = rule([0, np.log(3), 0])
    shown = []
    task._prepare = lambda photos: shown.append(len(photos)) or images
    found, = task.predict([np.zeros((9, 9, 3), 'uint8')])
    assert found.labels.tolist() == [1, 0, 2] and found.scores == pytest.approx([.6, .2, .2]) and shown == [1]
    task, images = rule([500, -500, 500])
    task._prepare = lambda photos: images
    found, = task.predict([np.zeros((9, 9, 3), 'uint8')])
    assert found.labels.tolist() == [0, 2, 1] and found.scores == pytest.approx([.5, .5, 0])


@pytest.mark.parametrize('height, width, crop, resized, corner', [
    (8, 8, 1, (8, 8), (0, 0)),   # as it is
    (16, 32, 1, (8, 16), (0, 4)),   # the shorter side has 8 pixels
    (32, 16, 1, (16, 8), (4, 0)),
    (32, 32, .5, (16, 16), (4, 4)),   # ... or 8 / .5
    (16, 40, .5, (16, 40), (4, 16)),
    (3, 6, .5, (16, 32), (4, 12)),   # enlarged
    (30, 31, .875, (9, 9), (0, 0)),   # 9.14 and 9.45
    (1, 16, 1, (8, 128), (0, 60)),
])
def test_the_middle_is_looked_at(height, width, crop, resized, corner):
    task = make_task(crop=crop)
    photo = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype='uint8')
    top, left = corner
    middle = resize(photo, *resized[::-1])[top:top + SIZE, left:left + SIZE]
    assert middle.shape == (SIZE, SIZE, 3)
    expected = ((middle - np.array(MEAN)) / np.array(STD)).transpose(2, 0, 1)
    np.testing.assert_allclose(task._prepare([photo])[0], expected, atol=1e-5)
    seen = []
    task._logits = lambda images: seen.append(images.asnumpy()) or [mx.nd.zeros((1, 8))]
    task.predict([photo])
    np.testing.assert_allclose(seen[0][0], expected, atol=1e-5)


def test_a_photo_is_sixteen_at_once_on_each_device():
    task, sizes = make_task(ctx=[mx.cpu(0), mx.cpu(1)]), []
    prepare = task._prepare
    task._prepare = lambda photos: sizes.append(len(photos)) or prepare(photos)
    assert len(task.predict(70 * [np.zeros((9, 9, 3), 'uint8')])) == 70 and sizes == [32, 32, 6]


@pytest.mark.parametrize('image, what', NO_IMAGES)
def test_what_is_no_image(image, what):
    check_it_is_no_image(make_task(), image, what)


# -- to look at ------------------------------------------------------------------------------------------------------

FOUND = Classes(np.array([3, 1, 7, 0, 2], 'int32'), np.array([.7, .12345, .1, .05, .01], 'float32'))


def test_describe():
    task = make_task()
    assert json.loads(json.dumps(task.describe(FOUND))) == {'classes': [
        {'class': 'blue', 'score': .7}, {'class': 'red', 'score': .1235}, {'class': 'white', 'score': .1},
        {'class': 'black', 'score': .05}, {'class': 'green', 'score': .01}]}


def test_draw(monkeypatch):
    task, image = make_task(), np.full((160, 200, 3), 90, 'uint8')
    drawn = task.draw(image, FOUND)
    assert drawn.shape == image.shape and drawn.dtype == np.uint8 and (image == 90).all()
    assert (drawn[:20] != 90).any() and (drawn[120:] == 90).all()
    said = []
    monkeypatch.setattr('gluonzoo.tasks.classifier.draw_lines', lambda image, lines: said.append(lines) or image)
    task.draw(image, FOUND)
    task.draw(image, Classes(*(part[:2] for part in FOUND)))
    assert said == [['blue 70%', 'red 12%', 'white 10%', 'black 5%', 'green 1%'], ['blue 70%', 'red 12%']]


@pytest.mark.parametrize('shape, drawn', [((32, 32), (160, 160)), ((32, 50), (160, 250)), ((90, 200), (180, 400)),
                                          ((160, 160), (160, 160)), ((1, 3), (160, 480)), ((1, 2000), (2, 4000)),
                                          ((1, 9000), (1, 9000))])
def test_a_small_picture_is_enlarged(shape, drawn):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype='uint8')
    picture = make_task().draw(image, FOUND)
    assert picture.shape == (*drawn, 3)
    if drawn[0] > 2:
        assert np.array_equal(picture[-1, ::drawn[0] // shape[0]], image[-1])   # below the words


def test_picture(monkeypatch):
    """Up to 8 images; where the class is another, the true one is in brackets."""
    said = []
    task, images = rule([3, 2, 1], [1, 3, 2])
    assert task.picture(Batch((mx.nd.array(images), mx.nd.array([[0], [0]])), None)).dtype == np.uint8
    monkeypatch.setattr('gluonzoo.pictures.labelled.draw_lines', lambda image, lines: said.append(lines) or image)
    task.picture(Batch((mx.nd.array(images), mx.nd.array([[0], [0]])), None))
    assert said == [['black'], ['red', '(black)']]
    said.clear()
    trained = make_task(ctx=[mx.cpu(0), mx.cpu(1)])
    batch = make_batch(12)
    picture = trained.picture(batch)
    assert len(said) == 8 and picture.dtype == np.uint8 and picture.shape[2] == 3
    label = int(batch.arrays[1][0].asscalar())
    color = [200 if label >> bit & 1 else 40 for bit in range(3)]
    np.testing.assert_allclose(picture[40:190, 40:150].mean((0, 1)), color, atol=12)   # the colours are the photo's
    assert trained.picture(make_batch(1)).shape == (192, 192, 3)


def test_pictures_of_an_evaluation(monkeypatch):
    """The confusions, and the wrong images, the surest first; one record once."""
    said = []
    monkeypatch.setattr('gluonzoo.tasks.classifier.draw_confusion',
                        lambda counts, names: said.append((counts.tolist(), names)) or np.zeros((9, 9, 3), 'uint8'))
    monkeypatch.setattr('gluonzoo.pictures.labelled.draw_lines', lambda image, lines: said.append(lines) or image)
    task, images = rule([3, 2, 1], [9, 2, 1], [1, 2, 3], [0, 9, 0], [2, 2, 2], [np.nan, 0, 0])
    assert task.evaluation_pictures() == {}
    labels = [[0], [1], [0], [2], [2], [1]]
    for records in ([0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 4]):   # the last one again, as in place of an unreadable one
        said.clear()
        task.evaluate([Batch((mx.nd.array(images), mx.nd.array(labels)), np.array(records))])
        shown = task.evaluation_pictures()
        assert list(shown) == ['confusion', 'mistakes'] and shown['mistakes'].shape == (192, 4 * 196 - 4, 3)
        assert said == [([[1, 0, 1], [1, 0, 0], [1, 1, 0]], NAMES[:3]), ['red 100%', '(green)'],
                        ['black 100%', '(red)'], ['green 67%', '(black)'], ['black 33%', '(green)']]


def test_no_more_mistakes_are_kept_than_are_shown():
    task, images = rule(*([0, 1 + i / 10, 0] for i in range(40)))
    task.evaluate([Batch((mx.nd.array(images), mx.nd.zeros((40, 1))), np.arange(40))])
    assert task.evaluation_pictures()['mistakes'].shape == (4 * 196 - 4, 6 * 196 - 4, 3)
    assert [-place for _, place, *_ in task._evaluated[1]] == list(range(39, 15, -1))
    task, images = rule([1, 0])
    task.evaluate([Batch((mx.nd.array(images), mx.nd.zeros((1, 1))), np.arange(1))])
    assert task.evaluation_pictures()['mistakes'].shape == (192, 192, 3)   # none


def test_exported():
    task = make_task()
    exported = task.exported()
    assert exported.block is task.networks['net'] and exported.inputs == {'image': (1, 3, SIZE, SIZE)}
    assert exported.outputs == ['logits'] and exported.decoder is None
    metadata = json.loads(json.dumps(exported.metadata))
    assert metadata['class_names'] == NAMES and metadata['input_size'] == [SIZE, SIZE] and metadata['notes'] == []
    assert (metadata['task'], metadata['mean'], metadata['std']) == ('classification', list(MEAN), list(STD))
    other = task.exported(batch=4, size=(16, 24))
    assert other.inputs == {'image': (4, 3, 16, 24)} and other.metadata['input_size'] == [16, 24]
    with pytest.raises(ValueError, match='decode: classification has nothing to decode'):
        task.exported(decode=True)


# -- settings --------------------------------------------------------------------------------------------------------

def test_from_settings():
    settings = json.loads(json.dumps(dict(name='classification', class_names=NAMES, size=SIZE, crop=.9, mean=MEAN,
                                          std=STD, smoothing=.1, mixup=.2, loss='cross_entropy', ghm={'bins': 10},
                                          optimizer=ADAM)))
    task = TASKS.create(**settings, net=TinyClassifier())
    assert isinstance(task, Classification) and task.trainers == {}
    task.start_training(Engine(accumulate=2))
    assert list(task.networks) == list(task.trainers) == ['net'] and task.trainers['net'].learning_rate == .02
    assert np.isfinite(values(task.train_step(make_batch(4), 0))['loss'])
    with pytest.raises(ValueError, match="unknown argument 'smooth'; did you mean smoothing"):
        TASKS.create(**settings, net=TinyClassifier(), smooth=1)


def test_default_optimizer():
    task = make_task(optimizer=OPTIMIZER)
    optimizer = task.trainers['net'].optimizer
    assert type(optimizer).__name__ == 'SGD' and (optimizer.lr, optimizer.momentum, optimizer.wd) == (.1, .9, 1e-4)


def test_images_of_another_size():
    with pytest.raises(ValueError, match=r'images: must be \[B, 3, 8, 8\], by size: \[2, 3, 9, 8\]'):
        make_task().train_step(Batch((mx.nd.zeros((2, 3, 9, 8)), mx.nd.zeros((2, 1))), None), 0)


def test_it_predicts_without_trainers():
    task = Classification(TinyClassifier(), NAMES, size=SIZE)
    task.start_prediction()
    assert task.trainers == {} and len(task.predict([np.zeros((9, 9, 3), 'uint8')])[0].labels) == 5


@pytest.mark.parametrize('options, message', [
    (dict(size=0), 'size: must be a number of pixels: 0'), (dict(size=8.), 'size: must be a number of pixels: 8.0'),
    (dict(size=True), 'size: must be'),
    (dict(crop=0), 'crop: must be above 0 and at most 1: 0'), (dict(crop=1.1), 'crop: must be'),
    (dict(crop=float('nan')), 'crop: must be'),
    (dict(smoothing=1), 'smoothing: must be from 0 to below 1: 1'), (dict(smoothing=-.1), 'smoothing: must be'),
    (dict(mixup=-.1), 'mixup: must be 0, or from 1e-06 to 1e[+]06: -0.1'), (dict(mixup=1e-320), 'mixup: must be 0, or'),
    (dict(mixup=True), 'mixup: must be a number'), (dict(mixup=float('inf')), 'mixup: must be'),
    (dict(mean=[1, 2]), r'mean: must be three numbers, of red, green and blue: \[1, 2\]'),
    (dict(std=[1, 'a', 2]), 'std: must be three numbers'), (dict(std=[1, 0, 1]), 'std: must be three numbers above 0'),
    (dict(class_names=[]), 'class_names: must be a list of 1 or more names'), (dict(crop='x'), 'crop: must be'),
    (dict(ghm={'bins': 30}), "ghm: is of the losses 'ghm_c' and 'ghm_c_sigmoid', not of 'cross_entropy'"),
    (dict(ghm=None), 'ghm: must be an object'), (dict(ghm={'bins': -5}), 'ghm.bins: must be a whole number'),
    (dict(loss='ghm'), "loss: must be one of 'cross_entropy', 'ghm_c', 'ghm_c_sigmoid': 'ghm'"),
    (dict(loss='ghm_c', mixup=.2), 'loss: ghm_c takes neither smoothing nor mixup: 0.0, 0.2'),
    (dict(loss='ghm_c_sigmoid', smoothing=.1), 'loss: ghm_c_sigmoid takes neither'),
    (dict(loss='ghm_c', ghm={'bin': 3}), "ghm: unknown 'bin'; there are bins, momentum, per_class"),
    (dict(loss='ghm_c', ghm={'bins': 0}), 'ghm.bins: must be a whole number from 1 to 1000000: 0'),
    (dict(loss='ghm_c', ghm={'momentum': 1}), 'ghm.momentum: must be a number from 0 to below 1: 1'),
    (dict(loss='ghm_c', ghm={'per_class': 1}), 'ghm.per_class: must be true or false: 1'),
    (dict(class_names=NAMES[:7]), 'class_names: must name the 8 outputs of the network; there are 7'),
    (dict(optimizer={'name': 'sgd', 'no_decay': ['gama']}), "no_decay: 'gama' matches no parameter"),
])
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        make_task(**options)
