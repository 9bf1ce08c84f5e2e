"""The keypoint task: it learns, tests as the paper does, counts right, waits for nothing, and says what is wrong."""
import json
import math

import mxnet as mx
import numpy as np
import pytest
from task_checks import (
    check_a_step_does_not_wait,
    check_alone_and_among_others,
    check_detections,
    check_draw_and_describe,
    check_equal_training,
    check_statistics_are_of_the_step,
    parameters,
    share_found,
    start_training,
    values,
)
from tiny_detector import CLASS_NAMES, COLORS, SIZE, draw_squares
from tiny_keypoints import TinyKeypoints, make_keypoint_batch

import gluonzoo.tasks.detection.keypoint_triplets as module
from gluonzoo.data import Batch
from gluonzoo.losses.keypoints import KeypointTripletLoss
from gluonzoo.registry import TASKS, get_model
from gluonzoo.tasks.detection.keypoint_triplets import KeypointDetection
from gluonzoo.train.engine import Engine

ADAM = {'name': 'adam', 'learning_rate': .01}
LOSSES = {'loss', 'heat_loss', 'pull_loss', 'push_loss', 'offset_loss'}


def make_task(channels=8, stacks=1, **options):
    """Started to train."""
    return start_training(KeypointDetection, net=TinyKeypoints(channels, stacks), class_names=CLASS_NAMES,
                          **{'size': SIZE, 'test_size': SIZE, 'optimizer': ADAM, **options})


def photo_batch(photos, truths, records=None, canvas=80, scales=None):
    """A batch to evaluate. truths: rows of class, xmin, ymin, xmax, ymax, area, crowd."""
    canvases = np.zeros((len(photos), canvas, canvas, 3), 'float32')
    rows = np.full((len(photos), max(1, *map(len, truths)), 7), -1, 'float32')
    for i, (photo, truth) in enumerate(zip(photos, truths)):
        canvases[i, :photo.shape[0], :photo.shape[1]] = photo
        rows[i, :len(truth)] = np.reshape(truth, (-1, 7))
    extents = [(*photo.shape[:2], *((1, 1) if scales is None else scales[i])) for i, photo in enumerate(photos)]
    return Batch(tuple(map(mx.nd.array, (canvases, extents, rows))),
                 np.arange(len(photos)) if records is None else np.array(records))


def squares(seed, count, most=2):
    """Photos with their truth."""
    rng = np.random.default_rng(seed)
    photos, truths = [], []
    for _ in range(count):
        photo, labels = draw_squares(rng, most)
        labels = labels[labels[:, 0] >= 0, :5] * [1, SIZE, SIZE, SIZE, SIZE]
        areas = (labels[:, 3:] - labels[:, 1:3]).prod(1)
        photos.append(photo)
        truths.append(np.column_stack([labels, areas, np.zeros(len(labels))]))
    return photos, truths


@pytest.fixture(scope='module')
def trained():
    """(task, losses) after 200 steps."""
    task = make_task(24)
    batches = [make_keypoint_batch(16, seed) for seed in range(25)]
    losses = [task.train_step(batches[step % 25], step) for step in range(200)]
    return task, [values(step) for step in losses]


def another(trained, **options):
    """A task with the trained network that tests in another way."""
    task = KeypointDetection(trained[0].networks['net'], CLASS_NAMES, **{'size': SIZE, 'test_size': SIZE, **options})
    task.start_prediction()
    return task


# -- learning --------------------------------------------------------------------------------------------------------

def test_it_learns(trained):
    task, losses = trained
    assert set(losses[0]) == LOSSES
    for step in losses:
        assert step['loss'] == pytest.approx(sum(step[name] for name in LOSSES - {'loss'}), rel=1e-5)
    for name in ('loss', 'heat_loss', 'offset_loss'):
        assert np.mean([step[name] for step in losses[-10:]]) < .4 * losses[0][name]
    photos, truths = squares(100, 40)
    metrics = task.evaluate(photo_batch(photos[i:i + 8], truths[i:i + 8], np.arange(i, i + 8)) for i in range(0, 40, 8))
    assert list(metrics) == ['AP', 'AP50', 'AP75', 'AP_small', 'AP_medium', 'AP_large', 'AR1', 'AR10', 'AR100',
                             'AR_small', 'AR_medium', 'AR_large']
    assert task.main_metric == ('AP', 'max') and metrics['AP50'] > .75 and metrics['AP'] > .4
    assert math.isnan(metrics['AP_medium']) and metrics['AP_small'] == metrics['AP']   # squares of up to 30 pixels


def test_predict(trained):
    """Pictures of any size, more than are computed at once; boxes in each picture's own pixels."""
    photos, truths = squares(1000, 20)
    rng = np.random.default_rng(0)
    for i, scale in enumerate(rng.integers(1, 5, 20)):
        photos[i] = photos[i].repeat(scale, 0).repeat(scale, 1)
        truths[i][:, 1:5] *= scale
    results = trained[0].predict(photos)
    assert len(results) == 20
    for photo, found in zip(photos, results):
        check_detections(found, photo, most=100)
        assert (found.scores > 0).all() and (found.scores <= 1).all()
    assert share_found(results, truths) > .7


@pytest.mark.parametrize('options', [dict(flip=True), dict(scales=[.8, 1, 1.2]), dict(test_size=None),
                                     dict(test_size=None, flip=True, scales=[1.2, 1])], ids=str)
def test_other_ways_to_test(trained, options):
    """Each finds the objects, and sees more than one look does."""
    photos, truths = squares(1000, 24)
    # At their own size they fill an input of 127 pixels, since the network has not learned what black is.
    below, right = (20, 10) if 'test_size' not in options else (127 - SIZE, 127 - SIZE)
    photos = [np.pad(photo, ((0, below), (0, right), (0, 0)), 'reflect') for photo in photos]
    task = another(trained, **options)
    plain = another(trained, test_size=options.get('test_size', SIZE)).predict(photos)
    results = task.predict(photos)
    assert share_found(results, truths) > .6
    different = [len(a.scores) != len(b.scores) or not np.allclose(a.scores, b.scores) for a, b in zip(results, plain)]
    assert any(different) == (options != dict(test_size=None))


def test_a_mirrored_photo_has_mirrored_boxes(trained):
    """With flip, left and right are the same to the task. (Scores are not: the first centre that fits counts.)"""
    photos, _ = squares(7, 12)
    task = another(trained, flip=True)
    results = zip(*(task.predict(p) for p in (photos, [photo[:, ::-1] for photo in photos])))
    compared = 0
    for here, there in results:
        xmin, ymin, xmax, ymax = there.boxes.T
        mirrored = np.stack([SIZE - xmax, ymin, SIZE - xmin, ymax], 1)
        for box in here.above(.3).boxes:
            compared += 1
            assert np.abs(mirrored - box).max(1).min() < .1
    assert compared > 5


def test_alone_and_among_others(trained):
    check_alone_and_among_others(trained[0], squares(3, 18)[0])   # 8, 8 and 2 at once


def test_merging_is_for_several_scales(trained, monkeypatch):
    """Boxes that overlap are averaged with the scores of their corners, as in the official code."""
    given = []
    soft_nms = module.soft_nms
    monkeypatch.setattr(module, 'soft_nms', lambda *a: given.append(a[3]) or soft_nms(*a))
    photos, _ = squares(3, 1)
    for options, merge in ((dict(flip=True), False), (dict(scales=[1, 1.5]), True)):
        another(trained, **options).predict(photos)
        assert (given.pop() is not None) == merge


def test_centers_come_from_scale_1(trained, monkeypatch):
    """Of the photo and the mirrored one: 70 each, whatever the other scales."""
    task = another(trained, flip=True, scales=[.5, 1, 1.5])
    shapes = []
    check = task._center_check
    monkeypatch.setattr(task, '_center_check', lambda *a: shapes.append([x.shape for x in a]) or check(*a))
    task.predict(squares(3, 2)[0])
    assert shapes == [[(2, 6000, 4), (2, 6000), (2, 6000), (2, 140, 4)]]


def test_picture(trained):
    task, _ = trained
    for count, shape in ((1, (384, 384, 3)), (5, (772, 1548, 3)), (10, (772, 1548, 3))):
        picture = task.picture(photo_batch(*squares(5, count)))
        assert picture.shape == shape and picture.dtype == np.uint8
    photos, truths = squares(5, 8, most=1)
    first = next(i for i, truth in enumerate(truths) if len(truth))
    picture = task.picture(photo_batch([photos[first][:, :48]], [truths[first]]))
    label, *box = truths[first][0, :5]
    x, y = (np.array(box)[:2] + np.array(box)[2:]) / 2 * 6
    np.testing.assert_allclose(picture[int(y), int(x)], COLORS[int(label)], atol=2)   # enlarged, 6 to 1
    assert not picture[:, 48 * 6 + 8:].any()


def test_draw_and_describe(trained):
    check_draw_and_describe(trained[0])


def test_heatmaps(trained):
    """Corners and centre are where the square has them, each in its colour."""
    photos, truths = squares(11, 12, most=1)
    right = total = 0
    for photo, truth in zip(photos, truths):
        if not len(truth):
            continue
        photo = photo.repeat(2, 0).repeat(3, 1)
        (name, picture), = trained[0].views(photo).items()
        assert name == 'heatmaps'
        assert picture.shape == photo.shape and picture.dtype == np.uint8
        heat = picture - .4 * photo
        xmin, ymin, xmax, ymax = truth[0, 1:5] * [3, 2, 3, 2]
        for color, (x, y) in zip(module.COLORS, ((xmin, ymin), (xmax, ymax), ((xmin + xmax) / 2, (ymin + ymax) / 2))):
            only = heat @ np.linalg.inv(np.array(module.COLORS, float))[:, module.COLORS.index(color)]
            row, column = np.unravel_index(only.argmax(), only.shape)
            total += 1
            right += abs(column - x) < 12 and abs(row - y) < 12
    assert total > 12 and right / total > .7


# -- the step --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('stacks', [1, 2])
def test_losses_and_gradients(stacks):
    """Those of the outputs and targets, and every parameter learns."""
    task, batch = make_task(stacks=stacks), make_keypoint_batch(4)
    before = parameters(task)
    with mx.autograd.train_mode():
        outputs = task.networks['net'](batch.arrays[0])
    wanted = [x.asscalar() for x in KeypointTripletLoss()(list(outputs), list(batch.arrays[1:]))]
    losses = values(task.train_step(batch, 0))
    assert [losses[name] for name in module.LOSSES] == pytest.approx(wanted, rel=1e-4)
    for name, value in parameters(task).items():
        assert np.isfinite(value).all() and (value != before[name]).any(), name


@pytest.mark.parametrize('size, most', [(1, 2), (1, 0), (4, 0)])
def test_small_batches_and_images_without_objects(size, most):
    task = make_task()
    for step in range(2):
        losses = values(task.train_step(make_keypoint_batch(size, 5, most), step))
        assert all(np.isfinite(value) for value in losses.values()) and losses['heat_loss'] > 0
        assert (losses['offset_loss'] > 0) == (most > 0)
    assert all(np.isfinite(value).all() for value in parameters(task).values())


def test_two_devices_are_as_two_rounds():
    """Each part is normalised by itself, in either case: bit for bit, statistics of batch normalisation apart."""
    rounds, devices = make_task(accumulate=2), make_task(ctx=[mx.cpu(0), mx.cpu(1)])
    check_equal_training(rounds, devices, [make_keypoint_batch(8, seed) for seed in range(3)])


def test_two_devices_have_the_loss_of_one():
    """Of the same two images twice: in each part as in the whole, but tags are summed over images, as officially."""
    batch = Batch(tuple(mx.nd.concat(x, x, dim=0) for x in make_keypoint_batch(2, 3).arrays), None)
    one, two = (values(make_task(ctx=ctx).train_step(batch, 0)) for ctx in ([mx.cpu()], [mx.cpu(0), mx.cpu(1)]))
    for name, factor in (('heat_loss', 1), ('offset_loss', 1), ('pull_loss', 2), ('push_loss', 2)):
        assert one[name] == pytest.approx(factor * two[name], rel=1e-3)


@pytest.mark.parametrize('head', range(8))
def test_a_broken_network_has_no_finite_loss(head):
    """So that the training's guard stops it, whichever head it is."""
    task = make_task()
    weight = task.networks['net'].heads[head].weight
    weight.set_data(np.nan * weight.data())
    assert not np.isfinite(values(task.train_step(make_keypoint_batch(2), 0))['loss'])


def test_who_reads_the_running_statistics_gets_those_of_the_step():
    check_statistics_are_of_the_step(make_task(24), [make_keypoint_batch(16, seed) for seed in range(3)])


@pytest.mark.parametrize('options', [{}, dict(accumulate=2, clip_norm=1.), dict(ctx=[mx.cpu(0), mx.cpu(1)])], ids=str)
def test_a_step_does_not_wait(options):
    batch = make_keypoint_batch(4)
    assert len(batch.arrays) == 11   # the loader makes the targets
    check_a_step_does_not_wait(make_task(**options), batch)


# -- evaluation ------------------------------------------------------------------------------------------------------

RED, BLUE = (0, 10, 10, 40, 40), (1, 45, 45, 60, 60)


def rigged(monkeypatch, *rows):
    """A task that finds these rows (class, box in pixels of what it is shown), with score .9, in every photo."""
    task = make_task()
    rows = np.array(rows, 'float32').reshape(-1, 5)

    def detect(photos, ctx):
        boxes, labels = (mx.nd.array(np.repeat(x[None], len(photos), 0)) for x in (rows[:, 1:], rows[:, 0]))
        return boxes, .9 * mx.nd.ones_like(labels), labels, mx.nd.ones((*labels.shape, 2))

    monkeypatch.setattr(task, '_detect', detect)
    return task


PHOTO = np.zeros((70, 80, 3), 'uint8')


@pytest.mark.parametrize('truth, expected', [
    ([(*RED, 900, 0)], 1),
    ([(*RED, 900, 0), (*BLUE, 225, 0)], .5),
    ([(*RED, 900, 0), (*BLUE, 225, 1)], 1),   # a crowd: not asked for
])
def test_truth(monkeypatch, truth, expected):
    task = rigged(monkeypatch, RED)
    assert task.evaluate([photo_batch([PHOTO], [truth])])['AP'] == pytest.approx(expected)


def test_curves_of_the_last_evaluation(monkeypatch):
    """One of two objects of the class is found: precision is 1 to a recall of 1/2, then 0."""
    task = rigged(monkeypatch, RED)
    assert task.evaluation_curves() == {}
    task.evaluate([photo_batch([PHOTO], [[(*RED, 900, 0), (RED[0], 50, 50, 60, 60, 100, 0)]])])
    curves, = task.evaluation_curves().values()
    points, = curves.lines.values()
    assert (curves.x, curves.y) == ('recall', 'precision') and list(curves.lines) == [task.class_names[RED[0]]]
    np.testing.assert_allclose(points[:, 1], [1] * 51 + [0] * 50)


def test_areas_are_of_the_annotation(monkeypatch):
    metrics = rigged(monkeypatch, RED).evaluate([photo_batch([PHOTO], [[(*RED, 2000, 0)]])])
    assert metrics['AP_medium'] == pytest.approx(1) and math.isnan(metrics['AP_small'])


def test_photos_that_were_shrunk(monkeypatch):
    """The truth is in pixels of the photo itself, here two and four times as large as on the canvas."""
    task = rigged(monkeypatch, RED)
    truth = [(0, 20, 40, 80, 160, 7200, 0)]
    assert task.evaluate([photo_batch([PHOTO], [truth], scales=[(.5, .25)])])['AP'] == pytest.approx(1)
    assert task.evaluate([photo_batch([PHOTO], [truth])])['AP'] == 0


def test_a_photo_is_cut_out_of_its_canvas(monkeypatch):
    task, shown = make_task(), []
    make_view = module.make_view
    monkeypatch.setattr(module, 'make_view', lambda photo, *a: shown.append(photo) or make_view(photo, *a))
    rng = np.random.default_rng(0)
    photos = [rng.integers(0, 256, shape, dtype='uint8') for shape in ((80, 30, 3), (9, 80, 3))]
    task.evaluate([photo_batch(photos, [[], []])])
    for a, b in zip(shown, photos):
        np.testing.assert_array_equal(a, b)


def test_a_record_counts_once(monkeypatch):
    """The loader puts the next record in the place of one that cannot be read."""
    task = rigged(monkeypatch, RED)
    right, wrong = [(*RED, 900, 0)], [(*BLUE, 225, 0)]
    batches = [photo_batch([PHOTO], [truth], [record]) for record, truth in ((3, right), (4, wrong), (4, wrong))]
    np.testing.assert_equal(task.evaluate(batches), task.evaluate(batches[:2]))


def test_evaluation_on_two_devices():
    """Also of fewer photos than devices."""
    photos, truths = squares(0, 9)
    batches = [photo_batch(photos[:8], truths[:8]), photo_batch(photos[8:], truths[8:], [8])]
    for test_size in (SIZE, None):
        one, two = (make_task(test_size=test_size, ctx=ctx) for ctx in (None, [mx.cpu(0), mx.cpu(1)]))
        assert one.evaluate(batches) == pytest.approx(two.evaluate(batches), nan_ok=True)
        for a, b in zip(one.predict(photos[:3]), two.predict(photos[:3])):
            np.testing.assert_allclose(a.boxes, b.boxes, atol=1e-3)


def test_the_next_photos_are_under_way_while_some_are_read(monkeypatch):
    task, order = make_task(), []
    detect, detections = task._detect, module._detections
    monkeypatch.setattr(task, '_detect', lambda *a: order.append('begin') or detect(*a))
    monkeypatch.setattr(module, '_detections', lambda *a, **k: order.append('read') or detections(*a, **k))
    monkeypatch.setattr(module, 'PREDICT', 1)
    task.predict(squares(0, 3)[0])
    assert order == ['begin', 'begin', 'read', 'begin', 'read', 'read']


@pytest.mark.parametrize('options', [dict(test_size=32, scales=[1, 2]), dict(test_size=None, scales=[.3, 1])], ids=str)
def test_many_classes_and_small_inputs(options):
    """Maps of 8 or of 32 rows."""
    net = TinyKeypoints(4, maps=(30, 30, 30, 1, 1, 2, 2, 2))
    net.classes = 30
    task = KeypointDetection(net, list(map(str, range(30))), size=SIZE, **options)
    task.start_prediction()
    assert len(task.predict(squares(0, 2)[0])) == 2


def test_nothing_to_evaluate():
    with pytest.raises(ValueError, match='at least one image'):
        make_task().evaluate([])


# -- settings and errors ---------------------------------------------------------------------------------------------

def test_from_settings():
    """What a settings file holds: JSON, but for the network, which is made from its own part of it."""
    settings = json.loads(json.dumps(dict(name='keypoint_detection', class_names=CLASS_NAMES, size=64, test_size=96,
                                          flip=True, scales=[.6, 1], optimizer=ADAM)))
    task = TASKS.create(**settings, net=TinyKeypoints())
    assert isinstance(task, KeypointDetection) and task.trainers == {}
    task.start_training(Engine(accumulate=2, clip_norm=10))
    assert list(task.networks) == list(task.trainers) == ['net']
    assert task.class_names == CLASS_NAMES and task.trainers['net'].learning_rate == .01
    with pytest.raises(ValueError, match="unknown argument 'scale'; did you mean scales"):
        TASKS.create(**settings, net=TinyKeypoints(), scale=2)


def test_the_default_optimizer_is_the_papers():
    task = start_training(KeypointDetection, net=TinyKeypoints(), class_names=CLASS_NAMES, size=SIZE)
    trainer = task.trainers['net']
    assert trainer.learning_rate == 2.5e-4 and isinstance(trainer._optimizer, mx.optimizer.Adam)


@pytest.mark.parametrize('options, words', [
    (dict(class_names=['red']), r"class_names: must name the 2 classes of the network: \['red'\]"),
    (dict(size=0), 'size: must be a number of pixels: 0'),
    (dict(test_size=1.5), 'test_size: must be a number of pixels: 1.5'),
    (dict(test_size=20), 'test_size: must give more than 70 cells in all classes, one for 4 x 4 pixels: 20'),
    (dict(max_size=0), 'max_size: must be a number of pixels: 0'),
    (dict(scales=1.0), 'scales: must be numbers .*: 1.0'), (dict(scales=['1', 1]), 'scales: must be numbers'),
    (dict(scales=[1, None]), 'scales: must be numbers'),
    (dict(scales=[]), r'scales: must be numbers above 0, each once, and one of them 1: \[\]'),
    (dict(scales=[.5]), 'one of them 1'), (dict(scales=[1, 0]), 'above 0'), (dict(scales=[1, 1]), 'each once'),
    (dict(flip='no'), "flip: must be true or false: 'no'"),
], ids=str)
def test_wrong_settings(options, words):
    with pytest.raises(ValueError, match=words):
        KeypointDetection(TinyKeypoints(), **{'class_names': CLASS_NAMES, 'size': SIZE, **options})


def test_networks_that_do_not_fit():
    for maps in ((2, 2, 2, 1, 1, 2, 2), (2, 2, 2, 1, 2, 2, 2, 2), (2, 2, 2, 1, 1, 2, 2, 2, 2)):
        with pytest.raises(ValueError, match='net: must return .* for each stack; it returns'):
            KeypointDetection(TinyKeypoints(maps=maps), CLASS_NAMES, size=SIZE).start_prediction()
    for sizes, words in ((dict(size=127, test_size=70), 'images of test_size 70: '),
                         (dict(size=70, test_size=127), r'\[1, 3, 70, 70\]: ')):
        net = get_model('ghost_centernet_0_5', channels=8, classes=2)
        with pytest.raises(ValueError, match=f'net: does not take {words}'):
            KeypointDetection(net, CLASS_NAMES, **sizes).start_prediction()


def test_batches_that_do_not_fit():
    task = make_task()
    with pytest.raises(ValueError, match=r'images: must be \[B, 3, 64, 64\], by size: \[2, 3, 60, 64\]'):
        task.train_step(Batch((mx.nd.zeros((2, 3, 60, 64)), mx.nd.zeros((2, 1, 6))), None), 0)
    images, *targets = make_keypoint_batch(2).arrays
    for wrong in ([mx.nd.zeros((2, 1, 6))], targets[:9], [mx.nd.zeros((2, 3, 16, 16)), *targets[1:]]):
        with pytest.raises(ValueError, match=r'targets: must be ten, the first three \[B, 2, 16, 16\], as the heat'):
            task.train_step(Batch((images, *wrong), None), 0)
    with pytest.raises(ValueError, match=r'batch: to evaluate, the arrays must be \[B, T, T, 3\]'):
        task.evaluate([Batch((mx.nd.zeros((2, 3, 64, 64)), mx.nd.zeros((2, 4)), mx.nd.zeros((2, 1, 7))), np.arange(2))])
    for image in (np.zeros((9, 9), 'uint8'), np.zeros((9, 9, 3)), None):
        with pytest.raises(ValueError, match='images must be uint8 arrays'):
            task.predict([image])
