"""YOLO's targets: by hand, against a slow twin, against GluonCV's, and with labels that are none."""
import mxnet as mx
import numpy as np
import pytest
from gluoncv.model_zoo.yolo.yolo_target import YOLOV3PrefetchTargetGenerator, YOLOV3TargetMerger
from yolo_nets import ANCHORS, Shape

from gluonzoo.tasks.detection.yolo_priors import make_priors
from gluonzoo.tasks.detection.yolo_targets import YOLOTargets

CLASSES = 5
NONE = [-1] * 6
MIRRORED = (((90, 120), (120, 90), (100, 100)), ((30, 60), (60, 30), (40, 40)), ((10, 20), (20, 10), (10, 20)))


def targets(block, boxes, labels, weights=None, size=(64, 64), anchors=ANCHORS):
    """Four NumPy arrays."""
    weights = np.ones(np.shape(labels)[:2]) if weights is None else weights
    arrays = boxes, labels, weights, *make_priors(Shape(anchors), *size)
    return [x.asnumpy() for x in block(*(mx.nd.array(x, dtype='float32') for x in arrays))]


def no_boxes(batch, size=(64, 64)):
    """Predictions that overlap nothing."""
    return np.zeros((batch, make_priors(Shape(), *size)[0].shape[1], 4))


# -- by hand ---------------------------------------------------------------------------------------------------------

def test_one_object():
    """16 x 32 pixels around (40, 24): most like the anchor 16 x 30, so in row 3, column 5 of the 8 x 8 cells."""
    label = [2, 32 / 64, 8 / 64, 48 / 64, 40 / 64, 0]
    objectness, boxes, classes, weights = targets(YOLOTargets(CLASSES, .5), no_boxes(1), [[label]], [[.3]])
    row = 3 * 4 + 3 * 16 + 3 * (3 * 8 + 5) + 1
    assert objectness.shape == weights.shape == (1, 252) and classes.shape == (1, 252, CLASSES)
    assert np.flatnonzero(objectness).tolist() == [row] and objectness[0, row] == 1
    assert boxes[0, row].tolist() == [40 / 64, 24 / 64, 16 / 64, 32 / 64] and np.count_nonzero(boxes) == 4
    assert classes[0, row].tolist() == [0, 0, 1, 0, 0] and classes.sum() == 1
    assert weights[0, row] == np.float32(.3) and (np.delete(weights, row) == 1).all()


def test_one_row_for_several_objects():
    """Box and weight of the last, classes of all; and nothing of another image."""
    labels = [[[2, .5, .5, .75, 1, 0], NONE, [0, .51, .5, .77, 1, 0], [2, .51, .51, .75, 1, 0], [1, 0, 0, .2, .2, 0]],
              [[4, .5, .5, .75, 1, 0], NONE, NONE, NONE, NONE]]
    weights = [[.1, .2, .3, .4, .5], [.6, 0, 0, 0, 0]]
    objectness, boxes, classes, row_weights = targets(YOLOTargets(CLASSES, .5), no_boxes(2), labels, weights)
    (row, other) = np.flatnonzero(objectness[0])[::-1]
    np.testing.assert_allclose(boxes[0, row], [.63, .755, .24, .49], rtol=1e-6)
    assert classes[0, row].tolist() == [1, 0, 1, 0, 0] and row_weights[0, row] == np.float32(.4)
    assert classes[0, other].tolist() == [0, 1, 0, 0, 0] and row_weights[0, other] == np.float32(.5)
    assert np.flatnonzero(objectness[1]).tolist() == [row]
    assert classes[1, row].tolist() == [0, 0, 0, 0, 1] and row_weights[1, row] == np.float32(.6)


@pytest.mark.parametrize('anchors, expected', [
    (MIRRORED, 0),   # 15 x 15 is as like 10 x 20 as 20 x 10: the first
    ((MIRRORED[0], MIRRORED[1], ((20, 10), (40, 40), (10, 20))), 0),
    ((((15, 15), (90, 90), (90, 90)), MIRRORED[1], ((90, 90), (15, 15), (90, 90))), 1),   # the finest scale
])
def test_first_of_equal_anchors(anchors, expected):
    label = [[[0, 0, 0, 15 / 64, 15 / 64, 0]]]
    objectness, *_ = targets(YOLOTargets(CLASSES, .5), no_boxes(1), label, anchors=anchors)
    assert np.flatnonzero(objectness).tolist() == [12 + 48 + expected]


def test_a_center_on_the_edge_is_of_the_last_cell():
    """darknet and GluonCV take the first cell of the next row, or write behind the last."""
    label = [[[0, 59 / 64, 0, 69 / 64, 10 / 64, 0], [1, 59 / 64, 58 / 64, 69 / 64, 70 / 64, 0]]]
    objectness, boxes, *_ = targets(YOLOTargets(CLASSES, .5), no_boxes(1), label)
    assert np.flatnonzero(objectness).tolist() == [60 + 3 * 7, 60 + 3 * 63]
    assert boxes[0, 60 + 3 * 63, :2].tolist() == [1, 1]   # where it is said to be


def test_who_is_not_asked_for_objectness():
    boxes = no_boxes(2)
    label = [1, .25, .25, .75, .75, 0]   # most like 33 x 23, in row 4, column 4 of 8 x 8
    own = 60 + 3 * (4 * 8 + 4) + 2
    boxes[0, [0, 1, 2]] = [[.25, .25, .75, .75], [.25, .25, .75, .51], [.25, .25, .75, .49]]   # IoU 1, .52, .48
    boxes[0, own] = [.25, .25, .75, .75]
    boxes[0, 250] = [.3, .3, .7, .7]   # IoU .64 with it, and .47 with a second, which does not make it less
    objectness, *_ = targets(YOLOTargets(CLASSES, .5), boxes, [[label, [1, .3, .3, .49, .7, 0]], [NONE, NONE]])
    assert objectness[0, [0, 1, 2, 250, own]].tolist() == [-1, -1, 0, -1, 1]
    assert not objectness[1].any()   # another image's objects do not count


def test_boxes_that_end_before_they_begin_overlap_nothing():
    boxes = no_boxes(1)
    boxes[0, :3] = [[.75, .25, .25, .75], [.25, .75, .75, .25], [.75, .75, .25, .25]]
    objectness, *_ = targets(YOLOTargets(CLASSES, .5), boxes, [[[1, .25, .25, .75, .75, 0], NONE]])
    assert not objectness[0, :3].any()


# -- what is no object -----------------------------------------------------------------------------------------------

NAN, INF = float('nan'), float('inf')
NO_OBJECTS = [NONE, [NAN] * 6, [0, NAN, 0, .5, .5, 0], [0, 0, 0, .5, NAN, 0], [NAN, 0, 0, .5, .5, 0],
              [-1, 0, 0, 1, 1, 0], [CLASSES, 0, 0, 1, 1, 0], [INF, 0, 0, 1, 1, 0],
              [0, .5, .5, .5, .9, 0], [0, .5, .5, .9, .5, 0], [0, .9, .1, .5, .5, 0], [0, .1, .9, .5, .5, 0],
              [0, 0, 0, INF, .5, 0], [0, -INF, 0, .5, .5, 0], [0, -INF, 0, INF, .5, 0], [0, 0, 3e38, .5, 3.3e38, 0]]


@pytest.mark.parametrize('hybridize', [False, True])
def test_labels_that_are_no_objects_stand_anywhere(hybridize):
    rng = np.random.default_rng(0)
    block = YOLOTargets(CLASSES, .3)
    if hybridize:
        block.hybridize(static_alloc=True)
    labels, weights = random_labels(rng, 3, 6, none=.2), rng.random((3, 6))
    boxes = random_predictions(rng, labels, no_boxes(3).shape[1])
    alone = targets(block, boxes, labels, weights)
    assert alone[0].max() == 1 and alone[0].min() == -1
    for label in NO_OBJECTS:
        for place in range(7):
            found = targets(block, boxes, np.insert(labels, place, label, axis=1),
                            np.insert(weights, place, NAN, axis=1))
            for a, b in zip(found, alone):
                np.testing.assert_array_equal(a, b, str(label))


def test_images_without_objects():
    found = targets(YOLOTargets(CLASSES, .5), no_boxes(2) + [0, 0, 1, 1], [[NONE] * 3, NO_OBJECTS[1:4]])
    assert not any(x.any() for x in found[:3]) and (found[3] == 1).all()


# -- against a slow twin ---------------------------------------------------------------------------------------------

def random_labels(rng, batch, most, none=0):
    """Several in a cell. `none`: the part of them that are no objects."""
    center, size = rng.random((batch, most, 2)), np.exp(rng.uniform(np.log(.02), np.log(1.2), (batch, most, 2)))
    for _ in range(rng.integers(0, most)):
        image, a, b = rng.integers(batch), *rng.integers(0, most, 2)
        center[image, a], size[image, a] = center[image, b], size[image, b] * rng.uniform(.9, 1.1)
    labels = np.concatenate([rng.integers(0, CLASSES, (batch, most, 1)), center - size / 2, center + size / 2,
                             rng.integers(0, 2, (batch, most, 1))], axis=2)
    labels[rng.random((batch, most)) < none] = -1
    return labels.astype('float32')


def random_predictions(rng, labels, rows):
    """Each near some label of its image."""
    chosen = rng.integers(0, labels.shape[1], (len(labels), rows, 1))
    boxes = np.take_along_axis(labels[..., 1:5], chosen, axis=1)
    sizes = np.tile(boxes[..., 2:] - boxes[..., :2], 2)
    return (boxes + sizes * rng.normal(0, .1, boxes.shape)).astype('float32')


def slow_iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    intersection = width * height if width > 0 and height > 0 else 0
    areas = [max(0, x[2] - x[0]) * max(0, x[3] - x[1]) for x in (a, b)]
    return intersection / max(1e-12, sum(areas) - intersection)


def slow_targets(boxes, labels, weights, ignore, size, anchors):
    """darknet's two loops, an object after the other. Also returns the best IoU of each row."""
    height, width = size
    ordered = [(scale, place) for scale in (2, 1, 0) for place in range(3)]   # the finest first
    grids = [(height // stride, width // stride) for stride in (32, 16, 8)]
    starts = np.cumsum([0] + [3 * rows * columns for rows, columns in grids])
    batch, count = boxes.shape[:2]
    objectness, box_targets = np.zeros((batch, count)), np.zeros((batch, count, 4))
    class_targets, row_weights = np.zeros((batch, count, CLASSES)), np.ones((batch, count))
    best = np.zeros((batch, count))
    for b in range(batch):
        objects = [m for m in range(labels.shape[1]) if labels[b, m, 0] >= 0]
        for n in range(count):
            best[b, n] = max((slow_iou(boxes[b, n], labels[b, m, 1:5]) for m in objects), default=0)
            objectness[b, n] = -1 if best[b, n] > ignore else 0
        for m in objects:
            xmin, ymin, xmax, ymax = labels[b, m, 1:5]
            cx, cy, w, h = (xmin + xmax) / 2, (ymin + ymax) / 2, xmax - xmin, ymax - ymin   # float32
            likeness = [slow_iou((0, 0, w, h), (0, 0, anchors[s][i][0] / width, anchors[s][i][1] / height))
                        for s, i in ordered]
            scale, place = ordered[likeness.index(max(likeness))]
            rows, columns = grids[scale]
            column, row = (min(max(int(np.floor(c * n)), 0), n - 1) for c, n in ((cx, columns), (cy, rows)))
            number = starts[scale] + 3 * (row * columns + column) + place
            objectness[b, number] = 1
            box_targets[b, number] = cx, cy, w, h
            class_targets[b, number, int(labels[b, m, 0])] = 1
            row_weights[b, number] = weights[b, m]
    return (objectness, box_targets, class_targets, row_weights), best


@pytest.mark.parametrize('ignore', [.5, .7])
def test_against_slow_twin(ignore):
    """100 batches through one hybridized block, of several sizes, batch sizes and numbers of labels."""
    rng = np.random.default_rng(int(ignore * 10))
    block = YOLOTargets(CLASSES, ignore)
    block.hybridize(static_alloc=True)
    shared = several = 0
    for _ in range(100):
        size, batch, most = tuple(32 * rng.integers(1, 4, 2)), rng.integers(1, 4), rng.integers(1, 13)
        anchors = MIRRORED if rng.random() < .2 else ANCHORS
        labels = random_labels(rng, batch, most, none=rng.choice([0, .2, .9, 1]))
        weights = rng.random((batch, most)).astype('float32')
        boxes = random_predictions(rng, labels, make_priors(Shape(), *size)[0].shape[1])
        found = targets(block, boxes, labels, weights, size, anchors)
        expected, best = slow_targets(boxes, labels, weights, ignore, size, anchors)
        sure = (np.abs(best - ignore) > 1e-5) | (expected[0] == 1)   # rounding
        np.testing.assert_array_equal(np.where(sure, found[0], 0), np.where(sure, expected[0], 0))
        for a, b in zip(found[1:], expected[1:]):
            np.testing.assert_array_equal(a, b)
        shared += (labels[..., 0] >= 0).sum() - (expected[0] == 1).sum()
        several += (expected[2].sum(2) > 1).sum()
    assert shared > 80 and several > 50   # the hard cases were among them


def test_hybridized_as_imperative():
    rng = np.random.default_rng(0)
    plain, hybrid = YOLOTargets(CLASSES, .5), YOLOTargets(CLASSES, .5)
    hybrid.hybridize(static_alloc=True)
    for size, batch in (((64, 64), 2), ((96, 32), 1), ((64, 64), 3), ((160, 160), 2)):
        labels = random_labels(rng, batch, 9)
        boxes = random_predictions(rng, labels, make_priors(Shape(), *size)[0].shape[1])
        for a, b in zip(*(targets(block, boxes, labels, size=size) for block in (plain, hybrid))):
            np.testing.assert_array_equal(a, b)


def test_as_many_labels_as_rows():
    labels = np.full((2, 63, 6), -1.)
    labels[:, -1] = [1, .1, .1, .9, .9, 0]
    found = targets(YOLOTargets(CLASSES, .5), no_boxes(2, (32, 32)), labels, size=(32, 32))
    assert found[0].sum(1).tolist() == [1, 1]


# -- arguments that do not fit -----------------------------------------------------------------------------------------

def test_the_table_of_another_size_harms_nothing():
    priors, _ = make_priors(Shape(), 32, 32)
    _, table = make_priors(Shape(), 608, 608)
    labels = [[[0, .95, .95, 1, 1, 0], [0, .9, .9, 1, 1, 0]]]
    arrays = np.zeros((1, 63, 4)), labels, np.ones((1, 2)), priors, table
    objectness, *_ = YOLOTargets(CLASSES, .5)(*(mx.nd.array(x) for x in arrays))
    assert objectness.asnumpy().sum() == objectness[0, 62].asscalar() == 1


@pytest.mark.parametrize('ignore', [-.1, 1.1, NAN])
def test_ignore_is_an_iou(ignore):
    with pytest.raises(ValueError, match=f'ignore: must be from 0 to 1: {ignore}'):
        YOLOTargets(CLASSES, ignore)


def test_priors_of_another_size_are_an_error():
    with pytest.raises(mx.MXNetError):
        arrays = no_boxes(1), [[NONE]], [[1]], *make_priors(Shape(), 96, 96)
        [x.asnumpy() for x in YOLOTargets(CLASSES, .5)(*(mx.nd.array(x) for x in arrays))]


@pytest.mark.parametrize('hybridize', [False, True])
def test_no_gradient_passes(hybridize):
    block = YOLOTargets(CLASSES, .5)
    if hybridize:
        block.hybridize(static_alloc=True)
    rng = np.random.default_rng(0)
    labels = random_labels(rng, 2, 5)
    labels[0, 0] = [1, .1, .1, .5, .5, 0]
    arrays = (random_predictions(rng, labels, 252), labels, np.ones((2, 5)), *make_priors(Shape(), 64, 64))
    arrays = [mx.nd.array(x) for x in arrays]
    for x in arrays:
        x.attach_grad()
    with mx.autograd.record():
        loss = sum(x.sum() for x in block(*arrays)) + sum(x.sum() for x in arrays)
    loss.backward()
    for x in arrays:
        assert (x.grad.asnumpy() == 1).all()


class Outer(mx.gluon.HybridBlock):
    """Targets and predictions in one graph."""

    def __init__(self):
        super().__init__()
        self.targets = YOLOTargets(CLASSES, .5)

    def hybrid_forward(self, F, boxes, labels, weights, priors, table):
        objectness, box_targets, class_targets, row_weights = self.targets(boxes, labels, weights, priors, table)
        return F.sum(boxes) + F.sum(objectness) + F.sum(box_targets) + F.sum(class_targets) + F.sum(row_weights)


def test_no_gradient_passes_in_a_larger_graph():
    rng = np.random.default_rng(0)
    labels = random_labels(rng, 2, 5)
    boxes = random_predictions(rng, labels, 252)
    arrays = [mx.nd.array(x) for x in (boxes, labels, np.ones((2, 5)), *make_priors(Shape(), 64, 64))]
    for x in arrays[:2]:
        x.attach_grad()
    outer = Outer()
    outer.hybridize(static_alloc=True)
    with mx.autograd.record():
        total = outer(*arrays)
    total.backward()
    assert (arrays[0].grad.asnumpy() == 1).all() and not arrays[1].grad.asnumpy().any()
    expected = boxes.sum() + sum(x.sum() for x in targets(YOLOTargets(CLASSES, .5), boxes, labels))
    assert total.asscalar() == pytest.approx(expected, rel=1e-4)


# -- against GluonCV's -----------------------------------------------------------------------------------------------

def gluoncv_targets(boxes, labels, size, anchors=ANCHORS, weights=None, ignore=.5):
    """Objectness, centers in cells, log sizes, 2 - w * h and classes (-1: none), of boxes and labels in fractions.

    With `weights`, the objectness of a responsible row is the weight.
    """
    height, width = size
    scale = mx.nd.array([width, height, width, height])
    grids = Shape().grids(height, width)
    labels, boxes = mx.nd.array(labels), mx.nd.array(boxes) * scale
    corners = labels[:, :, 1:5]
    corners = mx.nd.where(corners == -1, corners, corners * scale)   # -1 fills up
    maps = [mx.nd.zeros((len(labels), 1, *grid)) for grid in grids]
    offsets = [mx.nd.zeros((1, 1, rows * columns, 2)) for rows, columns in grids]   # which it only counts
    fixed = YOLOV3PrefetchTargetGenerator(CLASSES)(
        mx.nd.zeros((len(labels), 3, height, width)), maps, [mx.nd.array(x).reshape(1, 1, 3, 2) for x in anchors],
        offsets, corners, labels[:, :, :1], None if weights is None else mx.nd.array(weights).expand_dims(2))
    found = YOLOV3TargetMerger(CLASSES, ignore)(boxes.reshape(0, -1, 1, 4), corners, *fixed)
    objectness, centers, sizes, weights, classes, _ = (x.asnumpy() for x in found)
    return objectness[..., 0], centers, sizes, weights, classes


def as_gluoncv(found, size):
    """Ours in its form."""
    objectness, boxes, classes, _ = found
    priors, _ = make_priors(Shape(), *size)
    responsible = (objectness == 1)[..., None]
    centers = boxes[..., :2] * priors[..., 2:4] - priors[..., :2]
    sizes = np.log(np.where(responsible, boxes[..., 2:], 1) / np.where(responsible, priors[..., 4:], 1))
    weights = np.repeat(2 - boxes[..., 2:3] * boxes[..., 3:], 2, axis=-1)
    return (objectness, *(np.where(responsible, x, 0) for x in (centers, sizes, weights)),
            np.where(responsible, classes, -1))


def orderly_labels(rng, batch, count, size):
    """Objects that lie within the image, one a row of the outputs; none comes after a row that is no object."""
    labels = np.full((batch, count, 6), -1, 'float32')
    for image in labels:
        for m in range(rng.integers(0, count + 1)):
            w, h = np.exp(rng.uniform(np.log(.05), np.log(.9), 2))
            x, y = rng.uniform(0, [1 - w, 1 - h])
            image[m] = rng.integers(0, CLASSES), x, y, x + w, y + h, 0
            if targets(YOLOTargets(CLASSES, .5), no_boxes(1, size), image[None], size=size)[0].sum() < m + 1:
                image[m] = -1
                break
    return labels


def test_equal_to_gluoncv():
    rng = np.random.default_rng(0)
    for size in ((64, 64), (96, 160), (128, 64)):
        labels = orderly_labels(rng, 3, 6, size)
        boxes = random_predictions(rng, labels, no_boxes(1, size).shape[1])
        found = as_gluoncv(targets(YOLOTargets(CLASSES, .5), boxes, labels, size=size), size)
        expected = gluoncv_targets(boxes, labels, size)
        assert (expected[0] == 1).sum() > 4 and (expected[0] == -1).sum() > 9
        for a, b in zip(found, expected):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_weights_are_the_objectness_of_gluoncv():
    rng = np.random.default_rng(1)
    labels, weights = orderly_labels(rng, 3, 6, (96, 96)), rng.uniform(.1, .9, (3, 6))
    boxes = random_predictions(rng, labels, no_boxes(1, (96, 96)).shape[1])
    objectness, _, _, row_weights = targets(YOLOTargets(CLASSES, .5), boxes, labels, weights, (96, 96))
    expected, *_ = gluoncv_targets(boxes, labels, (96, 96), weights=weights)
    assert ((expected > 0) & (expected < 1)).sum() > 4
    np.testing.assert_allclose(np.where(objectness == 1, row_weights, objectness), expected, rtol=1e-6)


def test_gluoncv_keeps_one_class():
    labels = [[[2, .5, .5, .75, 1, 0], [0, .5, .5, .75, 1, 0]]]
    ours = targets(YOLOTargets(CLASSES, .5), no_boxes(1), labels)
    theirs = gluoncv_targets(no_boxes(1), labels, (64, 64))
    row = np.flatnonzero(ours[0] == 1)
    assert ours[2][0, row].tolist() == [[1, 0, 1, 0, 0]]
    assert theirs[4][0, row].tolist() == [[1, 0, 0, 0, 0]]


def test_gluoncv_stops_at_the_first_that_is_none():
    labels = [[NONE, [0, .5, .5, .75, 1, 0]]]
    assert targets(YOLOTargets(CLASSES, .5), no_boxes(1), labels)[0].sum() == 1
    assert gluoncv_targets(no_boxes(1), labels, (64, 64))[0].sum() == 0


def test_gluoncv_takes_the_coarsest_of_equal_anchors():
    anchors = ((15, 15), (90, 90), (90, 90)), MIRRORED[1], ((90, 90), (15, 15), (90, 90))
    label = [[[0, 0, 0, 15 / 64, 15 / 64, 0]]]
    ours = targets(YOLOTargets(CLASSES, .5), no_boxes(1), label, anchors=anchors)
    assert np.flatnonzero(ours[0]).tolist() == [12 + 48 + 1]
    assert np.flatnonzero(gluoncv_targets(no_boxes(1), label, (64, 64), anchors)[0]).tolist() == [0]


def test_gluoncv_takes_a_thin_object_to_be_a_pixel():
    labels = [[[0, .5, .5, .5 + .25 / 64, .8, 0]]]
    ours = as_gluoncv(targets(YOLOTargets(CLASSES, .5), no_boxes(1), labels), (64, 64))
    theirs = gluoncv_targets(no_boxes(1), labels, (64, 64))
    row = np.flatnonzero(ours[0] == 1)
    np.testing.assert_allclose(theirs[2][0, row] - ours[2][0, row], [[np.log(4), 0]], atol=1e-5)


def test_gluoncv_writes_a_center_on_the_edge_elsewhere():
    label = [[[0, 59 / 64, 0, 69 / 64, 10 / 64, 0]]]
    ours = targets(YOLOTargets(CLASSES, .5), no_boxes(1), label)
    theirs = gluoncv_targets(no_boxes(1), label, (64, 64))
    assert np.flatnonzero(ours[0]).tolist() == [60 + 3 * 7]
    assert np.flatnonzero(theirs[0]).tolist() == [60 + 3 * 8]   # the first cell of the next row
