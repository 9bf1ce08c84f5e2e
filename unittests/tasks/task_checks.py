"""What the tests of all tasks ask for, and those of the detectors among them."""
import json
import threading

import mxnet as mx
import numpy as np
import pytest

from gluonzoo.boxes import iou
from gluonzoo.data import Batch
from gluonzoo.tasks.detection.base import Detections
from gluonzoo.train.engine import Engine

NO_IMAGES = [   # and what is said of each
    (np.zeros((9, 9, 3)), r'float64 \(9, 9, 3\)'), (np.zeros((9, 9), 'uint8'), r'uint8 \(9, 9\)'),
    (np.zeros((0, 9, 3), 'uint8'), r'\(0, 9, 3\)'), ([1], 'list')]

ENGINE = 'ctx', 'accumulate', 'clip_norm', 'amp', 'kvstore'

gate = threading.Event()


class WaitForGate(mx.operator.CustomOp):
    def forward(self, is_train, req, in_data, out_data, aux):
        gate.wait(60)
        self.assign(out_data[0], req[0], in_data[0])


@mx.operator.register('unittests_wait_for_gate')
class WaitForGateProp(mx.operator.CustomOpProp):
    def create_operator(self, ctx, shapes, dtypes):
        return WaitForGate()


def start_training(make, **options):
    """The task that `make` makes with the options, started to train by an engine with those that are its."""
    engine = {name: options.pop(name) for name in ENGINE if name in options}
    mx.random.seed(0)
    task = make(**options)
    task.start_training(Engine(**engine))
    return task


def parameters(task, ctx=None):
    """What is trained: (network, name) -> array."""
    return {(network, name): p.data(ctx or task.ctx[0]).asnumpy() for network, net in task.networks.items()
            for name, p in net._collect_params_with_prefix().items() if p.grad_req != 'null'}


def values(losses):
    return {name: value.asscalar() for name, value in losses.items()}


def check_equal_training(one, other, batches):
    """Two tasks have the same losses and then the same parameters on all devices, bit for bit."""
    for seed, batch in enumerate(batches):
        losses = []
        for task in (one, other):
            np.random.seed(seed)
            losses.append(values(task.train_step(batch, seed)))
        assert losses[0] == losses[1], losses
    for name, value in parameters(one).items():
        for ctx in other.ctx:
            np.testing.assert_array_equal(parameters(other, ctx)[name], value)


def check_a_step_does_not_wait(task, batch):
    """It returns while nothing of the batch is there yet."""
    for step in range(2):   # to warm up
        task.train_step(batch, step)
    mx.nd.waitall()
    gate.clear()
    done = []

    def steps():
        for step in range(2, 4):
            held = (mx.nd.Custom(array, op_type='unittests_wait_for_gate') for array in batch.arrays)
            done.append(task.train_step(Batch(tuple(held), None), step))

    thread = threading.Thread(target=steps)
    thread.start()
    thread.join(30)
    returned = len(done)
    gate.set()
    thread.join()
    assert returned == 2
    assert all(np.isfinite(value) for value in values(done[1]).values())
    mx.nd.waitall()


def check_statistics_are_of_the_step(task, batches):
    """Also for who reads them without waiting, as moving averages and checkpoints do."""
    statistics = [p for name, p in task.networks['net'].collect_params().items() if 'running' in name]
    for step, batch in enumerate(batches):
        task.train_step(batch, step)
        at_once = [p.data().copy() for p in statistics]
        mx.nd.waitall()
        for early, p in zip(at_once, statistics):
            np.testing.assert_array_equal(early.asnumpy(), p.data().asnumpy())


def check_it_is_no_image(task, image, what):
    with pytest.raises(ValueError, match=rf'images must be uint8 arrays \[H, W, 3\]; number 1 is .*{what}'):
        task.predict([np.zeros((9, 9, 3), 'uint8'), image])


# -- detectors -------------------------------------------------------------------------------------------------------

def check_detections(found, image, most):
    """They are in order, up to `most`, and in the image."""
    assert isinstance(found, Detections) and [a.dtype for a in found] == ['float32', 'float32', 'int32']
    assert len(found.boxes) == len(found.scores) == len(found.labels) <= most
    assert (np.diff(found.scores) <= 0).all()
    low, high = found.boxes[:, :2], found.boxes[:, 2:]
    assert (low >= 0).all() and (high <= image.shape[1::-1]).all() and (high > low).all()


def share_found(results, truths, score=.3):
    """The part of the objects that was found, of their class and with an IoU above 1/2.

    truths: for each image rows that begin with class, xmin, ymin, xmax, ymax.
    """
    right = objects = 0
    for found, truth in zip(results, truths):
        found = found.above(score)
        for label, *box in truth[:, :5]:
            objects += 1
            right += any(iou(found.boxes[found.labels == label].astype('float64'), np.array(box)) > .5)
    return right / objects


def check_alone_and_among_others(task, images):
    for image, among in zip(images, task.predict(images)):
        alone, = task.predict([image])
        assert among.labels.tolist() == alone.labels.tolist()
        np.testing.assert_allclose(among.boxes, alone.boxes, atol=1e-3)
    assert task.predict([]) == []


def check_draw_and_describe(task):
    """Of the classes red and blue."""
    image = np.zeros((90, 120, 3), np.uint8)
    found = Detections(np.array([[10, 20, 50, 80], [1.234, 2, 3, 4]], 'float32'), np.array([.75, .25], 'float32'),
                       np.array([1, 0], 'int32'))
    drawn = task.draw(image, found)
    assert drawn.shape == image.shape and drawn[20, 30].any()
    assert not image.any() and not drawn[2:4, 1:3].any()   # what is unsure is not drawn
    assert json.loads(json.dumps(task.describe(found))) == {'detections': [
        {'class': 'blue', 'score': .75, 'box': [10, 20, 50, 80]},
        {'class': 'red', 'score': .25, 'box': [1.23, 2, 3, 4]}]}
