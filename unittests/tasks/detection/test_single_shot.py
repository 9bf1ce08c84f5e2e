"""The detection task: it learns, counts right, waits for nothing, and says what is wrong."""
import json

import mxnet as mx
import numpy as np
import pytest
from task_checks import (
    NO_IMAGES,
    check_a_step_does_not_wait,
    check_alone_and_among_others,
    check_detections,
    check_draw_and_describe,
    check_equal_training,
    check_it_is_no_image,
    check_statistics_are_of_the_step,
    parameters,
    share_found,
    start_training,
    values,
)
from tiny_detector import CLASS_NAMES, COLORS, MEAN, SIZE, STD, Batch, TinyDetector, draw_squares, make_batch

import gluonzoo.tasks.detection.single_shot as module
from gluonzoo.boxes import iou
from gluonzoo.registry import TASKS
from gluonzoo.tasks.detection import whole_image
from gluonzoo.tasks.detection.single_shot import FocalL1Loss, SingleShotDetection
from gluonzoo.train.engine import Engine

ADAM = {'name': 'adam', 'learning_rate': .005}


def make_task(loss='paper', **options):
    """Started to train."""
    return start_training(SingleShotDetection, net=TinyDetector(), class_names=CLASS_NAMES, loss=loss,
                          **{'optimizer': ADAM, **options})


@pytest.fixture(scope='module', params=['paper', 'pikachu'])
def trained(request):
    """(task, losses) after a few dozen steps with one of the losses."""
    task = make_task(request.param)
    batches = [make_batch(16, seed) for seed in range(20)]
    losses = [task.train_step(batches[step % 20], step) for step in range(100)]
    return task, [values(step) for step in losses]


# -- learning --------------------------------------------------------------------------------------------------------

def test_it_learns(trained):
    task, losses = trained
    assert set(losses[0]) == {'loss', 'class_loss', 'box_loss'}
    assert all(step['loss'] == pytest.approx(step['class_loss'] + step['box_loss'], rel=1e-5) for step in losses)
    for name in losses[0]:
        assert np.mean([step[name] for step in losses[-10:]]) < .4 * losses[0][name]
    metrics = task.evaluate(make_batch(16, seed) for seed in range(100, 104))
    assert set(metrics) == {'mAP', 'mAP07', 'AP/red', 'AP/blue'}
    assert task.main_metric == ('mAP', 'max') and metrics['mAP'] > .8


def test_predict(trained):
    """Pictures of any size, more than are computed at once; boxes in each picture's own pixels."""
    task, _ = trained
    rng = np.random.default_rng(1000)
    images, expected = [], []
    for _ in range(20):
        image, labels = draw_squares(rng)
        scale = rng.integers(1, 5, 2)
        images.append(image.repeat(scale[0], 0).repeat(scale[1], 1))
        expected.append(labels[labels[:, 0] >= 0, :5] * [1, *scale[::-1] * SIZE, *scale[::-1] * SIZE])
    results = task.predict(images)
    assert len(results) == 20
    for image, found in zip(images, results):
        check_detections(found, image, most=200)
        assert (found.scores > .01).all()
    assert share_found(results, expected) > .8


def test_alone_and_among_others(trained):
    images = [draw_squares(np.random.default_rng(i))[0] for i in range(18)]   # 8, 8 and 2 at once
    check_alone_and_among_others(trained[0], images)


def test_picture(trained):
    task, _ = trained
    for size, shape in ((1, (384, 384, 3)), (5, (772, 1548, 3)), (16, (772, 1548, 3))):
        picture = task.picture(make_batch(size))
        assert picture.shape == shape and picture.dtype == np.uint8
    batch = make_batch(8, 5)
    square = np.array(COLORS[int(batch.arrays[1][0, 0, 0].asscalar())])
    x, y = (batch.arrays[1][0, 0, 1:3] + batch.arrays[1][0, 0, 3:5]).asnumpy() / 2 * 384
    np.testing.assert_allclose(task.picture(batch)[int(y), int(x)], square, atol=2)   # the colours are the photo's


def test_draw_and_describe(trained):
    check_draw_and_describe(trained[0])


# -- the step --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('loss', ['paper', 'pikachu'])
def test_gradient_reaches_every_parameter(loss):
    task = make_task(loss)
    before = parameters(task)
    task.train_step(make_batch(8), 0)
    gradients = {name: p.grad().asnumpy() for name, p in task.networks['net']._collect_params_with_prefix().items()
                 if p.grad_req != 'null'}
    assert len(gradients) == 16
    for name, gradient in gradients.items():
        assert np.isfinite(gradient).all() and gradient.any(), name
        assert (parameters(task)['net', name] != before['net', name]).any(), name


@pytest.mark.parametrize('loss', ['paper', 'pikachu'])
@pytest.mark.parametrize('size, most', [(1, 2), (1, 0), (4, 0)])
def test_small_batches_and_images_without_objects(loss, size, most):
    task = make_task(loss)
    for step in range(2):
        losses = values(task.train_step(make_batch(size, 5, most), step))
        assert all(np.isfinite(value) for value in losses.values()) and losses['class_loss'] > 0
        assert (losses['box_loss'] > 0) == (most > 0)
    assert all(np.isfinite(value).all() for value in parameters(task).values())


def test_labels_may_be_as_many_as_you_like():
    """Rows of -1 change nothing."""
    images, labels = make_batch(4).arrays
    padded = mx.nd.concat(labels, -mx.nd.ones((4, 7, 6)), dim=1)
    losses = [make_task().train_step(Batch((images, rows), None), 0)['loss'].asscalar() for rows in (labels, padded)]
    assert losses[0] == losses[1]


def test_two_devices_are_as_two_rounds():
    """Each part is normalised by itself, in either case: bit for bit, statistics of batch normalisation apart."""
    rounds, devices = make_task(accumulate=2), make_task(ctx=[mx.cpu(0), mx.cpu(1)])
    check_equal_training(rounds, devices, [make_batch(8, seed) for seed in range(3)])


def test_loss_of_a_part_is_divided_by_its_own_positives():
    whole, halves = make_task(), make_task(accumulate=2)
    images, labels = (mx.nd.concat(a, b, dim=0) for a, b in
                      zip(make_batch(4, 3, most=1).arrays, make_batch(4, 4, most=2).arrays))
    losses = [make_task().train_step(Batch((images[s], labels[s]), None), 0) for s in (slice(0, 4), slice(4, 8))]
    mean = np.mean([step['loss'].asscalar() for step in losses])
    batch = Batch((images, labels), None)
    assert halves.train_step(batch, 0)['loss'].asscalar() == pytest.approx(mean, rel=1e-5)
    assert whole.train_step(batch, 0)['loss'].asscalar() != pytest.approx(mean, rel=1e-3)


def test_evaluation_on_two_devices():
    """Also of a batch smaller than the number of devices."""
    one, two = make_task(), make_task(ctx=[mx.cpu(0), mx.cpu(1)])
    batches = [make_batch(5, 0), make_batch(1, 1)]
    assert one.evaluate(batches) == pytest.approx(two.evaluate(batches))
    images = [draw_squares(np.random.default_rng(i))[0] for i in range(3)]
    for a, b in zip(one.predict(images), two.predict(images)):
        np.testing.assert_allclose(a.boxes, b.boxes, atol=1e-3)


@pytest.mark.parametrize('options', [{}, dict(accumulate=2, clip_norm=1.), dict(ctx=[mx.cpu(0), mx.cpu(1)]),
                                     dict(loss='pikachu', optimizer=module.OPTIMIZER)])
def test_a_step_does_not_wait(options):
    check_a_step_does_not_wait(make_task(**options), make_batch(4))


# -- evaluation ------------------------------------------------------------------------------------------------------

def label_rows(*rows):
    return np.array([[*row] for row in rows] + [[-1] * 6], 'float32')[None]


def rigged(monkeypatch, *rows):
    """A task whose decoder finds these rows (class, score, box in fractions) in every image."""
    task = make_task()
    found = np.full((1, 8, 6), -1, 'float32')
    found[0, :len(rows)] = rows
    monkeypatch.setattr(task, '_detect', lambda images: [mx.nd.array(found.repeat(len(images), 0))])
    return task


RED, BLUE = (0, .1, .1, .5, .5), (1, .5, .5, .9, .9)


@pytest.mark.parametrize('labels, expected', [
    ([(*RED, 0)], 1),
    ([(*RED, 0), (*BLUE, 0)], .5),
    ([(*RED, 0), (*BLUE, 1)], 1),   # difficult: not asked for
    ([(*RED, 0), (0, .6, .6, .9, .9, 0)], .5),
    ([(*RED, 1), (*BLUE, 0)], 0),
])
def test_difficult_objects(monkeypatch, labels, expected):
    task = rigged(monkeypatch, (0, .9, *RED[1:]))
    batch = Batch((mx.nd.zeros((1, 3, SIZE, SIZE)), mx.nd.array(label_rows(*labels))), np.array([7]))
    assert task.evaluate([batch])['mAP'] == pytest.approx(expected)


def test_curves_of_the_last_evaluation(monkeypatch):
    """The red object is found with a box that is wrong beside it; the blue one is not found."""
    task = rigged(monkeypatch, (0, .9, *RED[1:]), (0, .8, .6, .6, .9, .9))
    assert task.evaluation_curves() == {}
    labels = mx.nd.array(label_rows((*RED, 0), (*BLUE, 0)))
    task.evaluate([Batch((mx.nd.zeros((1, 3, SIZE, SIZE)), labels), np.array([7]))])
    curves, = task.evaluation_curves().values()
    assert (curves.x, curves.y) == ('recall', 'precision') and list(curves.lines) == task.class_names[:2]
    np.testing.assert_allclose(curves.lines[task.class_names[0]], [[0, 1], [1, 1], [1, .5]])
    np.testing.assert_array_equal(curves.lines[task.class_names[1]], [[0, 0]])


def test_a_record_counts_once(monkeypatch):
    """The loader puts the next record in the place of one that cannot be read."""
    task = rigged(monkeypatch, (0, .9, *RED[1:]))
    images, found, missed = mx.nd.zeros((1, 3, SIZE, SIZE)), label_rows((*RED, 0)), label_rows((0, .6, .6, .9, .9, 0))
    batches = [Batch((images, mx.nd.array(labels)), np.array([record]))
               for labels, record in ((found, 3), (missed, 4), (missed, 4), (missed, 4))]
    np.testing.assert_equal(task.evaluate(batches), task.evaluate(batches[:2]))


def test_boxes_that_are_none(monkeypatch):
    """Not finite, or outside; the others are cut off at the edge."""
    task = rigged(monkeypatch, (0, .9, np.nan, 0, 1, 1), (0, .8, 0, 0, np.inf, 1), (1, .7, 1.1, .2, 1.5, .4),
                  (1, .6, -.5, .5, .25, 2))
    found, = task.predict([np.zeros((100, 200, 3), 'uint8')])
    assert found.boxes.tolist() == [[0, 50, 50, 100]] and found.labels.tolist() == [1]


def test_the_next_batch_is_under_way_while_one_is_read(monkeypatch):
    task, order = make_task(), []
    detect, fetch = task._detect, whole_image.fetch
    monkeypatch.setattr(task, '_detect', lambda images: order.append('begin') or detect(images))
    monkeypatch.setattr(whole_image, 'fetch', lambda rows: order.append('read') or fetch(rows))
    task.evaluate(make_batch(1, seed) for seed in range(3))
    assert order == ['begin', 'begin', 'read', 'begin', 'read', 'read']


def test_nothing_to_evaluate():
    with pytest.raises(ValueError, match='at least one image'):
        make_task().evaluate([])


# -- the losses ------------------------------------------------------------------------------------------------------

def test_focal_l1_by_hand():
    """Means over all anchors: 4 of them, one positive and off by .5 and 2."""
    logits, labels = mx.nd.zeros((1, 4, 2)), mx.nd.array([[0, 1, 0, 0]])
    offsets, targets = mx.nd.zeros((1, 4, 4)), mx.nd.zeros((1, 4, 4))
    offsets[0, 1], offsets[0, 2] = mx.nd.array([.5, 0, -2, 0]), 7   # what is said of the background does not count
    class_loss, box_loss = FocalL1Loss()(logits, offsets, labels, targets)
    assert class_loss.asscalar() == pytest.approx(.25 * .25 * np.log(2), rel=1e-4)
    assert box_loss.asscalar() == pytest.approx(5 * 2.5 / 16)


@pytest.mark.parametrize('loss, positive', [('paper', 1), ('pikachu', 2)])
def test_threshold_of_the_loss(monkeypatch, loss, positive):
    """The object is anchor 0 widened: IoU 1 with it, .4 with the next."""
    task, seen = make_task(loss), []
    anchors = task._anchors[0]
    box = anchors[100]
    overlaps = [iou(box, anchor) for anchor in anchors]
    given = Batch((mx.nd.zeros((1, 3, SIZE, SIZE)), mx.nd.array([[[0, *box, 0]]])), None)
    targets = module.multibox_targets
    monkeypatch.setattr(module, 'multibox_targets', lambda *a: seen.append(targets(*a)) or seen[-1])
    task.train_step(given, 0)
    above = sum(overlap > {'paper': .5, 'pikachu': .3}[loss] for overlap in overlaps)
    assert (seen[0][0].asnumpy() > 0).sum() == above >= positive


# -- settings and errors ---------------------------------------------------------------------------------------------

def test_from_settings():
    """What a settings file holds: JSON, but for the network, which is made from its own part of it."""
    settings = json.loads(json.dumps(dict(name='single_shot_detection', class_names=CLASS_NAMES, loss='pikachu',
                                          optimizer=ADAM)))
    task = TASKS.create(**settings, net=TinyDetector())
    assert isinstance(task, SingleShotDetection) and task.trainers == {}
    task.start_training(Engine(accumulate=2, clip_norm=10))
    assert list(task.networks) == list(task.trainers) == ['net']
    assert task.class_names == CLASS_NAMES and task.trainers['net'].learning_rate == .005
    with pytest.raises(ValueError, match="unknown argument 'los'; did you mean loss"):
        TASKS.create(**settings, net=TinyDetector(), los='paper')


def test_it_predicts_without_trainers():
    task, trained = SingleShotDetection(TinyDetector(), CLASS_NAMES), make_task()
    task.start_prediction([mx.cpu(0), mx.cpu(1)])
    for p, q in zip(*(t.networks['net'].collect_params().values() for t in (task, trained))):
        p.set_data(q.data())
    images = [draw_squares(np.random.default_rng(i))[0] for i in range(3)]
    for a, b in zip(task.predict(images), trained.predict(images)):
        np.testing.assert_allclose(a.boxes, b.boxes, atol=1e-3)
    assert task.trainers == {} and task.exported().block is task.networks['net']
    assert task.views(images[0]) == {}


def test_default_optimizer():
    trainer = start_training(SingleShotDetection, net=TinyDetector(), class_names=CLASS_NAMES).trainers['net']
    assert type(trainer.optimizer).__name__ == 'SGD' and trainer.learning_rate == .1
    assert trainer.optimizer.momentum == .9 and trainer.optimizer.wd == 5e-4


def test_errors_of_settings():
    with pytest.raises(ValueError, match="loss: must be one of 'paper', 'pikachu': 'papre'"):
        SingleShotDetection(TinyDetector(), CLASS_NAMES, 'papre')
    with pytest.raises(ValueError, match=r"class_names: must name the 2 classes of the network: \['one'\]"):
        SingleShotDetection(TinyDetector(), ['one'])
    net = TinyDetector()
    net.anchor_shapes = [[(.3, .3)], [(.5, .5)]]   # not what its heads have
    with pytest.raises(ValueError, match=r'net: must return \[\(1, 80, 3\), \(1, 80, 4\)\] by its anchors; it returns'):
        SingleShotDetection(net, CLASS_NAMES).start_prediction()


def test_images_of_another_size():
    task = make_task()
    batch = Batch((mx.nd.zeros((2, 3, 32, 64)), mx.nd.array(make_batch(2).arrays[1])), None)
    for use in (lambda batch: task.train_step(batch, 0), task.picture, lambda batch: task.evaluate([batch])):
        with pytest.raises(ValueError, match=r'images: must be \[B, 3, 64, 64\], .*: \[2, 3, 32, 64\]'):
            use(batch)


@pytest.mark.parametrize('image, what', [*NO_IMAGES, (np.zeros((9, 9, 4), 'uint8'), r'\(9, 9, 4\)')])
def test_what_is_no_image(image, what):
    check_it_is_no_image(make_task(), image, what)


def test_mean_and_std_are_the_networks():
    """predict() gives the network what a loader would."""
    task, seen = make_task(), []
    detect = task._detect
    task._detect = lambda images: seen.append(images.asnumpy()) or detect(images)
    image = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype='uint8')
    task.predict([image])
    np.testing.assert_allclose(seen[0][0], ((image - np.array(MEAN)) / np.array(STD)).transpose(2, 0, 1), atol=1e-5)


def test_who_reads_the_running_statistics_gets_those_of_the_step():
    check_statistics_are_of_the_step(make_task(), [make_batch(16, seed) for seed in range(5)])
