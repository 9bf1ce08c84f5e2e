"""The task of YOLO: it learns with every loss, at every size, and finds what it has learned."""
import json
from types import SimpleNamespace

import cv2
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
from tiny_detector import CLASS_NAMES, MEAN, SIZE, STD, Batch, draw_squares, make_batch
from tiny_yolo import TinyYOLO

import gluonzoo.tasks.detection.yolo as module
from gluonzoo import memory
from gluonzoo.data.transforms import make_transform
from gluonzoo.registry import TASKS
from gluonzoo.tasks.detection.yolo import YOLODetection, mixed

ADAM = {'name': 'adam', 'learning_rate': .005}
LOSSES = {'loss', 'objectness_loss', 'box_loss', 'class_loss'}


def make_task(**options):
    """Started to train."""
    return start_training(YOLODetection, net=TinyYOLO(), class_names=CLASS_NAMES,
                          **{'size': SIZE, 'optimizer': ADAM, **options})


@pytest.fixture(scope='module', params=[
    {'box_loss': 'giou', 'box_weight': 10.0},
    {'box_loss': 'mse', 'letterbox': False, 'smoothing': .01}],
    ids=['giou', 'mse'])
def trained(request):
    """(task, losses) after some steps."""
    task = make_task(**{'ignore': .5, **request.param})
    batches = [make_batch(16, seed) for seed in range(20)]
    losses = []
    for step in range(200):
        np.random.seed(step)
        task.trainers['net'].set_learning_rate(.005 if step < 150 else .001)
        losses.append(task.train_step(batches[step % 20], step))
    return task, [values(step) for step in losses]


# -- learning --------------------------------------------------------------------------------------------------------

def test_it_learns(trained):
    task, losses = trained
    assert set(losses[0]) == LOSSES
    for step in losses:
        assert step['loss'] == pytest.approx(sum(step[name] for name in LOSSES - {'loss'}), rel=1e-5)
    for name in ('loss', 'objectness_loss'):
        assert np.mean([step[name] for step in losses[-10:]]) < .4 * losses[0][name]
    metrics = task.evaluate(make_batch(16, seed) for seed in range(100, 104))
    assert set(metrics) == {'mAP', 'mAP07', 'AP/red', 'AP/blue', 'COCO/AP', 'COCO/AP50', 'COCO/AP75'}
    assert task.main_metric == ('mAP', 'max') and metrics['mAP'] > .8
    assert metrics['COCO/AP50'] == pytest.approx(metrics['mAP'], abs=.05) and metrics['COCO/AP'] < metrics['COCO/AP50']


def test_predict(trained):
    """Pictures of any size, more than are computed at once; boxes in each picture's own pixels."""
    task, _ = trained
    rng = np.random.default_rng(1000)
    images, expected = [], []
    for _ in range(20):
        image, labels = draw_squares(rng)
        scale = int(rng.integers(1, 5))
        images.append(image.repeat(scale, 0).repeat(scale, 1))
        expected.append(labels[labels[:, 0] >= 0, :5] * [1, *[scale * SIZE] * 4])
    results = task.predict(images)
    assert len(results) == 20
    for image, found in zip(images, results):
        check_detections(found, image, most=100)
        assert (found.scores > .005).all()
    assert share_found(results, expected) > .6


def test_evaluation_cuts_boxes_as_prediction_does(monkeypatch):
    """A picture of 64 x 32 in the middle, its object at the upper edge, and a box that begins in the grey."""
    task = make_task()
    monkeypatch.setattr(task, 'rows_of', lambda outputs: mx.nd.array([[[0, .9, .25, .125, .5, .5]]]))
    found, = task.predict([np.zeros((32, 64, 3), 'uint8')])
    assert found.boxes.tolist() == [[16, 0, 32, 16]]
    labels = mx.nd.array([[[0, .25, .25, .5, .5, 0]]])
    batch = Batch((mx.nd.zeros((1, 3, 64, 64)), labels, mx.nd.array([[0, .25, 1, .75]])), np.array([0]))
    assert task.evaluate([batch])['COCO/AP75'] == pytest.approx(1)
    whole = Batch(batch.arrays[:2], np.array([0]))
    assert task.evaluate([whole])['COCO/AP75'] == 0


@pytest.mark.parametrize('letterbox, shape, expected', [
    (True, (100, 200), [50, 50, 100, 100]),   # grey above and below, 16 of 64 pixels each
    (True, (200, 100), [0, 100, 50, 150]),    # and on the sides, where the box begins
    (False, (100, 200), [50, 50, 100, 75]),
])
def test_boxes_are_in_the_pixels_of_the_picture(monkeypatch, letterbox, shape, expected):
    task = make_task(letterbox=letterbox)
    monkeypatch.setattr(task, 'rows_of', lambda outputs: mx.nd.array([[[1, .9, .25, .5, .5, .75]]]))
    found, = task.predict([np.zeros((*shape, 3), 'uint8')])
    np.testing.assert_allclose(found.boxes, [expected], atol=1e-4)
    assert found.labels.tolist() == [1]


def test_a_letterboxed_picture_keeps_its_shape():
    image = np.full((32, 64, 3), 200, 'uint8')
    fitted = make_task().fitted(image)
    assert (fitted[16:48] == 200).all() and (fitted[:16] == 127.5).all() and (fitted[48:] == 127.5).all()
    assert (make_task(letterbox=False).fitted(image) == 200).all()


def test_alone_and_among_others(trained):
    images = [draw_squares(np.random.default_rng(i))[0] for i in range(18)]   # 8, 8 and 2 at once
    check_alone_and_among_others(trained[0], images)


def test_picture(trained):
    for size, shape in ((1, (384, 384, 3)), (5, (772, 1548, 3))):
        picture = trained[0].picture(make_batch(size))
        assert picture.shape == shape and picture.dtype == np.uint8


def test_draw_and_describe(trained):
    check_draw_and_describe(trained[0])


# -- the step --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('loss', ['mse', 'iou', 'giou', 'diou', 'ciou'])
def test_gradient_reaches_every_parameter(loss):
    task = make_task(box_loss=loss)
    before = parameters(task)
    task.train_step(make_batch(8), 0)
    gradients = {name: p.grad().asnumpy() for name, p in task.networks['net']._collect_params_with_prefix().items()
                 if p.grad_req != 'null'}
    assert len(gradients) == 21
    for name, gradient in gradients.items():
        assert np.isfinite(gradient).all() and gradient.any(), name
        assert (parameters(task)['net', name] != before['net', name]).any(), name


@pytest.mark.parametrize('size, most', [(1, 2), (1, 0), (4, 0)])
def test_small_batches_and_images_without_objects(size, most):
    task = make_task()
    for step in range(2):
        losses = values(task.train_step(make_batch(size, 5, most), step))
        assert all(np.isfinite(value) for value in losses.values()) and losses['objectness_loss'] > 0
        assert (losses['box_loss'] > 0) == (losses['class_loss'] > 0) == (most > 0)
    assert all(np.isfinite(value).all() for value in parameters(task).values())


def test_labels_may_be_as_many_as_you_like():
    """Rows of -1 change nothing."""
    images, labels = make_batch(4).arrays
    padded = mx.nd.concat(labels, -mx.nd.ones((4, 7, 6)), dim=1)
    losses = [make_task().train_step(Batch((images, rows), None), 0)['loss'].asscalar() for rows in (labels, padded)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


def test_loss_is_of_an_image():
    """A sum over an image, and a mean over the batch, so that the size of a batch does not change it."""
    batch = make_batch(4)
    twice = Batch(tuple(mx.nd.concat(array, array, dim=0) for array in batch.arrays), None)
    one, two = (values(make_task().train_step(each, 0)) for each in (batch, twice))
    assert one == pytest.approx(two, rel=1e-4)


def test_two_devices_are_as_two_rounds():
    rounds, devices = make_task(accumulate=2, mixup=1.5), make_task(ctx=[mx.cpu(0), mx.cpu(1)], mixup=1.5)
    check_equal_training(rounds, devices, [make_batch(8, seed) for seed in range(3)])


@pytest.mark.parametrize('options', [{}, dict(accumulate=2, clip_norm=1.), dict(ctx=[mx.cpu(0), mx.cpu(1)]),
                                     dict(mixup=1.5, sizes=[64, 96], resize_every=1),
                                     dict(giou_gradient='darknet')])
def test_a_step_does_not_wait(options):
    check_a_step_does_not_wait(make_task(**options), make_batch(4))


def test_who_reads_the_running_statistics_gets_those_of_the_step():
    check_statistics_are_of_the_step(make_task(), [make_batch(16, seed) for seed in range(5)])


def resident_bytes():
    with open('/proc/self/status') as file:
        return next(1024 * int(line.split()[1]) for line in file if line.startswith('VmRSS'))


# -- sizes -----------------------------------------------------------------------------------------------------------

def seen_sizes(task, steps, monkeypatch, batch):
    """The sizes of images that the network gets."""
    seen, net = [], task.networks['net']
    forward = type(net).__call__
    monkeypatch.setattr(type(net), '__call__', lambda self, x: seen.append(x.shape[2]) or forward(self, x))
    for step in steps:
        task.train_step(batch, step)
    return seen


def test_sizes_change_every_ten_steps_and_end_with_the_largest(monkeypatch):
    sizes = [32, 64, 96, 128]
    seen = seen_sizes(make_task(sizes=sizes, largest_from=200), range(210), monkeypatch, make_batch(1))
    assert set(seen[:200]) == set(sizes) and seen[200:] == [128] * 10
    assert all(len(set(seen[i:i + 10])) == 1 for i in range(0, 200, 10))
    again = seen_sizes(make_task(sizes=sizes, largest_from=200), range(57, 80), monkeypatch, make_batch(1))
    assert again == seen[57:80]   # a training that is resumed goes on with them


def test_without_sizes_images_stay_as_they_are(monkeypatch):
    assert seen_sizes(make_task(), range(3), monkeypatch, make_batch(2)) == [64] * 3


def test_objects_stay_where_they_are_when_images_are_resized():
    """The loss of an image of twice the size, and of the same image resized to it: the same targets, nearly the same
    pixels.
    """
    images, labels = make_batch(4).arrays
    large = mx.nd.array([np.stack([cv2.resize(plane, (128, 128)) for plane in image]) for image in images.asnumpy()])
    losses = [values(make_task(sizes=[128]).train_step(Batch((each, labels), None), 0)) for each in (images, large)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_changing_sizes_does_not_fill_the_memory():
    task, batch = make_task(sizes=[32, 64, 96, 128, 160], resize_every=1), make_batch(4)
    used = []
    for step in range(200):
        values(task.train_step(batch, step))
        used.append(resident_bytes())
    assert max(used[60:]) - max(used[:60]) < 2 ** 24


# -- mixup -----------------------------------------------------------------------------------------------------------

def test_mixed():
    images = mx.nd.array(np.random.default_rng(0).normal(size=(5, 3, 4, 4)))
    labels = mx.nd.array(np.random.default_rng(1).normal(size=(5, 2, 6)))
    np.random.seed(3)
    mixture, rows, weights = (array.asnumpy() for array in mixed(images, labels, 1.5))
    np.random.seed(3)
    order, own = np.random.permutation(5), np.random.beta(1.5, 1.5, 5)
    images, labels = images.asnumpy(), labels.asnumpy()
    for i in range(5):
        partner = order[list(order).index(i) - 1]
        assert partner != i
        np.testing.assert_allclose(mixture[i], own[i] * images[i] + (1 - own[i]) * images[partner], rtol=1e-5)
        np.testing.assert_array_equal(rows[i], [*labels[i], *labels[partner]])
        np.testing.assert_allclose(weights[i], [own[i]] * 2 + [1 - own[i]] * 2, rtol=1e-6)


def test_an_image_alone_is_not_mixed():
    images, labels = mx.nd.ones((1, 3, 4, 4)), mx.nd.ones((1, 2, 6))
    same, rows, weights = mixed(images, labels, 1.5)
    assert same is images and rows is labels and weights.asnumpy().tolist() == [[1, 1]]


def test_mixup_ends():
    batch = make_batch(4)
    losses = {}
    for mixup in (0, 1.5):
        for step in (0, 7):
            np.random.seed(0)
            losses[mixup, step] = values(make_task(mixup=mixup, mixup_until=7).train_step(batch, step))['loss']
    assert losses[1.5, 7] == losses[0, 7] == losses[0, 0] != losses[1.5, 0]


# -- settings and errors ---------------------------------------------------------------------------------------------

def test_from_settings():
    settings = json.loads(json.dumps(dict(name='yolo_detection', class_names=CLASS_NAMES, size=64, box_loss='iou',
                                          giou_gradient='darknet', sizes=[32, 64], optimizer=ADAM)))
    task = TASKS.create(**settings, net=TinyYOLO())
    assert isinstance(task, YOLODetection) and task.trainers == {}
    with pytest.raises(ValueError, match="unknown argument 'box_los'; did you mean box_loss"):
        TASKS.create(**settings, net=TinyYOLO(), box_los='iou')


def test_default_optimizer_decays_weights_alone():
    task = start_training(YOLODetection, net=TinyYOLO(), class_names=CLASS_NAMES, size=64)
    assert task.trainers['net'].learning_rate == 1e-3
    for name, parameter in task.networks['net']._collect_params_with_prefix().items():
        if parameter.grad_req != 'null':
            assert parameter.wd_mult == name.endswith('weight'), name


@pytest.mark.parametrize('options, message', [
    ({'size': 100}, r'^size: height, width: must be multiples of 32: 100 x 100'),
    ({'sizes': [64, 100]}, r'^sizes: height, width: must be multiples of 32: 100 x 100'),
    ({'sizes': [32768]}, r'^sizes: must be a whole number from 1 to 32767: 32768'),
    ({'sizes': []}, r'sizes: must be a list of sizes in pixels: \[\]'),
    ({'sizes': 64}, r'sizes: must be'),
    ({'sizes': [64, -32]}, r'sizes: must be a whole number'),
    ({'ignore': 1.5}, r'ignore: must be from 0 to 1: 1.5'),
    ({'mixup': -1}, r'mixup: must be 0, or from 1e-06 to 1e\+06: -1'),
    ({'box_loss': 'gio'}, r"box_loss: must be .*'gio'"),
    ({'giou_gradient': 'c'}, r"giou_gradient: must be .*'c'"),
    ({'smoothing': 1}, r'smoothing: must be .*1'),
])
def test_errors_of_settings(options, message):
    with pytest.raises(ValueError, match=message):
        YOLODetection(TinyYOLO(), CLASS_NAMES, **{'size': 64, **options})
    with pytest.raises(ValueError, match=message):
        TASKS.create('yolo_detection', net=TinyYOLO(), class_names=CLASS_NAMES, **{'size': 64, **options})


def test_a_network_of_other_heads():
    net = TinyYOLO()
    net.classes = 1
    with pytest.raises(ValueError, match=r'net: must return \[\(1, 18, 2, 2\), .* by its strides; it returns'):
        YOLODetection(net, ['one'], size=64).start_prediction()


DATA = {'letterbox': {'name': 'letterbox', 'size': 64}, 'resize': {'name': 'resize', 'size': 64},
        'larger': {'name': 'letterbox', 'size': 96}, 'darknet_train': {'name': 'darknet_train', 'size': 96},
        'odd': {'name': 'ssd_train', 'size': 80}}


@pytest.mark.parametrize('part, data, options, message', [
    ('train_data', 'darknet_train', {}, None),
    ('train_data', 'darknet_train', {'sizes': [32, 96]}, None),
    ('train_data', 'darknet_train', {'sizes': [32, 128]},
     r'train_data: must make images \[3, S, S\] of 128 pixels at least, the largest of .*: \[3, 96, 96\]'),
    ('train_data', 'odd', {}, 'train_data: height, width: must be multiples of 32: 80 x 80'),
    ('val_data', 'letterbox', {}, None),
    ('val_data', 'resize', {'letterbox': False}, None),
    ('val_data', 'resize', {}, "val_data.transform: must letterbox pictures, as task.letterbox says: 'letterbox'"),
    ('val_data', 'letterbox', {'letterbox': False}, "val_data.transform: must not letterbox pictures, .*: 'resize'"),
    ('val_data', 'larger', {}, r'val_data: must make images \[3, 64, 64\], .*: \[3, 96, 96\]'),
])
def test_data_that_do_not_fit(part, data, options, message):
    task = YOLODetection(TinyYOLO(), CLASS_NAMES, **{'size': 64, **options})
    transform = make_transform({**DATA[data], 'mean': MEAN, 'std': STD})
    dataset = SimpleNamespace(transform=transform, arrays=transform.arrays)
    if message is None:
        task.check_data(part, dataset)
        transform.mean = transform.mean + 1
        message = f'{part}.transform.mean: must be that of the network'
    with pytest.raises(ValueError, match=message):
        task.check_data(part, dataset)
    assert task.check_data(part, SimpleNamespace()) is None   # a user's own, which says nothing


@pytest.mark.parametrize('shape, message', [((2, 3, 32, 64), r'must be \[B, 3, S, S\]: \[2, 3, 32, 64\]'),
                                            ((2, 1, 64, 64), r'must be \[B, 3, S, S\]'),
                                            ((2, 3, 48, 48), 'images: .* must be multiples of 32: 48 x 48')])
def test_images_of_another_shape(shape, message):
    task = make_task()
    batch = Batch((mx.nd.zeros(shape), mx.nd.array(make_batch(2).arrays[1])), None)
    with pytest.raises(ValueError, match=message):
        task.train_step(batch, 0)
    with pytest.raises(ValueError, match=r'images: must be \[B, 3, 64, 64\]'):
        task.evaluate([batch])


@pytest.mark.parametrize('objects, message', [
    (253, r'labels: must be at most 252 objects in an image of this size: 253'), (252, None)])
def test_images_full_of_objects(objects, message):
    task = make_task()
    batch = Batch((mx.nd.zeros((1, 3, 64, 64)), mx.nd.tile(mx.nd.array([0, .1, .2, .4, .5, 0]), (1, objects, 1))), None)
    if message is None:
        assert all(np.isfinite(value) for value in values(task.train_step(batch, 0)).values())
        return
    with pytest.raises(ValueError, match=message):
        task.train_step(batch, 0)


def test_targets_beyond_the_memory(monkeypatch):
    task, batch = make_task(), make_batch(4)
    task.train_step(batch, 0)
    monkeypatch.setattr(module, '_LARGE', 0)
    monkeypatch.setattr(memory, 'limit', lambda: 40000)
    with pytest.raises(ValueError, match='labels: 3 objects in an image: must fit in the memory: needs 48384 bytes'):
        task.train_step(batch, 1)


@pytest.mark.parametrize('image, what', [*NO_IMAGES, (np.zeros((9, 9, 4), 'uint8'), r'\(9, 9, 4\)')])
def test_what_is_no_image(image, what):
    check_it_is_no_image(make_task(), image, what)
