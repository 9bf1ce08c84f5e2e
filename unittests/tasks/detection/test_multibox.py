"""Matching, targets and decoding: by hand, against slow twins, and against MXNet's own operators."""
import mxnet as mx
import numpy as np
import pytest

from gluonzoo import boxes
from gluonzoo.tasks.detection.multibox import MultiBoxDecoder, match_anchors, multibox_targets


def random_boxes(rng, count, smallest=.05, largest=.5):
    size = rng.uniform(smallest, largest, (count, 2))
    corner = rng.uniform(0, 1 - size)
    return np.concatenate([corner, corner + size], 1)


def random_labels(rng, counts, rows, classes=20):
    labels = np.full((len(counts), rows, 6), -1.)
    for image, count in enumerate(counts):
        labels[image, :count] = np.concatenate([rng.integers(0, classes, (count, 1)), random_boxes(rng, count),
                                                rng.integers(0, 2, (count, 1))], 1)
    return labels


# -- matching --------------------------------------------------------------------------------------------------------

def slow_matching(overlaps, threshold):
    """Of one image: [M, A] -> object of every anchor, or -1."""
    chosen = np.full(overlaps.shape[1], -1)
    left = overlaps.copy()
    for _ in range(len(overlaps)):
        m, a = np.unravel_index(left.argmax(), left.shape)
        if left[m, a] <= 1e-6:
            break
        chosen[a] = m
        left[m], left[:, a] = -1, -1
    for a in range(overlaps.shape[1]):
        if chosen[a] < 0 and overlaps[:, a].max() > threshold:
            chosen[a] = overlaps[:, a].argmax()
    return chosen


def matching(overlaps, threshold=.5):
    objects, positive = match_anchors(mx.nd.array(overlaps), threshold)
    return np.where(positive.asnumpy(), objects.asnumpy(), -1).tolist()


@pytest.mark.parametrize('overlaps, expected', [
    ([[.6, .7, .2, .1]], [0, 0, -1, -1]),
    ([[.1, .2, .3, .0]], [-1, -1, 0, -1]),   # the best one, however little it overlaps
    ([[.0, .0, .0, .0]], [-1, -1, -1, -1]),   # no object, or one that nothing touches
    ([[.5, .9, .5, .0]], [-1, 0, -1, -1]),   # above .5, not at it
    ([[.9, .8, .2, .0], [.95, .1, .3, .0]], [1, 0, -1, -1]),   # object 1 has the better claim to anchor 0
    ([[.9, .1, .2, .0], [.95, .1, .3, .0]], [1, -1, 0, -1]),   # so object 0 is left with .2
    ([[.6, .1, .8, .0], [.7, .1, .1, .9]], [1, -1, 0, 1]),   # both have one: anchor 0 goes to the greater overlap
    ([[.9, .0, .0, .0], [.8, .0, .0, .0]], [0, -1, -1, -1]),   # nothing is left for object 1
])
def test_matching_by_hand(overlaps, expected):
    assert matching([overlaps]) == [expected]


def test_the_threshold_itself_is_as_in_mxnets_operator():
    """The second anchor's IoU is exactly 0.5. (In Caffe it stands for the object.)"""
    anchors, labels = mx.nd.array([[[0, 0, .5, .5], [0, 0, .5, .25]]]), mx.nd.array([[[0, 0, 0, .5, .5]]])
    *_, theirs = mx.nd.contrib.MultiBoxTarget(anchors, labels, mx.nd.zeros((1, 2, 2)), overlap_threshold=.5)
    ours, _ = multibox_targets(anchors, labels, .5)
    assert theirs.asnumpy().tolist() == ours.asnumpy().tolist() == [[1, 0]]


def test_equals():
    assert sorted(matching([[[.4, .4], [.4, .4]]])[0]) == [0, 1]
    assert sorted(matching([[[.4, .4, .4]]])[0]) == [-1, -1, 0]


@pytest.mark.parametrize('objects, anchors', [(1, 1), (1, 50), (7, 50), (50, 50), (9, 4)])
def test_matching_against_slow_twin(objects, anchors):
    rng = np.random.default_rng(objects)
    overlaps = rng.permutation(8 * objects * anchors).reshape(8, objects, anchors) / (8 * objects * anchors)
    overlaps *= rng.random(overlaps.shape) < .7   # no two are equal, but for the zeros
    for threshold in (.3, .5, .9):
        assert matching(overlaps, threshold) == [slow_matching(o, threshold).tolist() for o in overlaps]


# -- targets ---------------------------------------------------------------------------------------------------------

def targets(anchors, labels, threshold=.5):
    return [x.asnumpy() for x in multibox_targets(mx.nd.array(anchors[None]), mx.nd.array(labels), threshold)]


def test_targets_by_hand():
    anchors = np.array([[.2, .2, .4, .4], [.6, .6, .8, .8], [.2, .2, .4, .6]])
    labels = [[[3, .22, .21, .42, .41, 1], [-1] * 6]]
    class_labels, box_targets = targets(anchors, labels)
    assert class_labels.tolist() == [[4, 0, 0]]
    np.testing.assert_allclose(box_targets[0], [[.02 / .2 / .1, .01 / .2 / .1, 0, 0], [0] * 4, [0] * 4], atol=1e-5)
    class_labels, box_targets = targets(anchors, labels, threshold=.3)   # IoU .4 with the last
    assert class_labels.tolist() == [[4, 0, 4]]
    np.testing.assert_allclose(box_targets[0, 2], [1, -.09 / .4 / .1, 0, np.log(.5) / .2], atol=1e-5)


@pytest.mark.parametrize('rows', [1, 3, 12])
@pytest.mark.parametrize('threshold', [.3, .5])
def test_targets_against_slow_twin(rows, threshold):
    rng = np.random.default_rng(rows)
    anchors, labels = random_boxes(rng, 300), random_labels(rng, [rows, rows // 2, 0, 1], rows)
    class_labels, box_targets = targets(anchors, labels, threshold)
    variances = .1, .1, .2, .2
    for image in range(4):
        present = labels[image, labels[image, :, 0] >= 0]
        expected_labels, expected_targets = np.zeros(300), np.zeros((300, 4))
        if len(present):
            chosen = slow_matching(boxes.iou(present[:, None, 1:5], anchors[None]), threshold)
            for a in np.flatnonzero(chosen >= 0):
                true, anchor = (boxes.corner_to_center(b) for b in (present[chosen[a], 1:5], anchors[a]))
                expected_labels[a] = present[chosen[a], 0] + 1
                expected_targets[a] = [*(true[:2] - anchor[:2]) / anchor[2:], *np.log(true[2:] / anchor[2:])]
        assert (expected_labels > 0).sum() >= min(1, len(present))
        np.testing.assert_array_equal(class_labels[image], expected_labels)
        np.testing.assert_allclose(box_targets[image], expected_targets / variances, atol=1e-4)


def test_targets_as_multibox_target():
    """But for an image without objects, which MXNet's operator has the loss ignore on a CPU."""
    rng = np.random.default_rng(0)
    anchors, labels = mx.nd.array(random_boxes(rng, 500)[None]), mx.nd.array(random_labels(rng, [1, 4, 9, 0], 9))
    class_labels, box_targets = multibox_targets(anchors, labels, .5)
    theirs = mx.nd.contrib.MultiBoxTarget(anchors, labels, mx.nd.zeros((4, 21, 500)), overlap_threshold=.5)
    box_theirs, _, class_theirs = (x.asnumpy() for x in theirs)
    np.testing.assert_array_equal(class_labels.asnumpy()[:3], class_theirs[:3])
    np.testing.assert_allclose(box_targets.asnumpy(), box_theirs.reshape(4, 500, 4), atol=1e-4)
    assert not class_labels.asnumpy()[3].any() and (class_theirs[3] == -1).all()


def test_rows_of_minus_one_change_nothing():
    rng = np.random.default_rng(0)
    anchors, labels = random_boxes(rng, 100), random_labels(rng, [2], 2)
    padded = np.concatenate([labels, np.full((1, 5, 6), -1)], 1)
    for one, other in zip(targets(anchors, labels), targets(anchors, padded)):
        np.testing.assert_array_equal(one, other)


def test_an_object_without_extent_is_left_out():
    class_labels, box_targets = targets(np.array([[0, 0, 1, 1.]]), [[[0, .5, .5, .5, .5, 0]]])
    assert class_labels.tolist() == [[0]] and not box_targets.any()


# -- decoding --------------------------------------------------------------------------------------------------------

def softmax(x):
    p = np.exp(x - x.max(-1, keepdims=True))
    return p / p.sum(-1, keepdims=True)


def slow_decoding(anchors, logits, offsets, score, overlap, candidates, keep):
    """Of one image: a list of (class, score, box)."""
    center = boxes.corner_to_center(anchors)
    offsets = offsets * [.1, .1, .2, .2]
    decoded = boxes.center_to_corner(np.concatenate([center[:, :2] + offsets[:, :2] * center[:, 2:],
                                                     center[:, 2:] * np.exp(offsets[:, 2:])], 1))
    result = []
    for label, scores in enumerate(softmax(logits)[:, 1:].T):
        kept = []
        for a in sorted(range(len(scores)), key=lambda a: -scores[a])[:candidates]:
            if scores[a] > score and all(boxes.iou(decoded[a], decoded[k]) <= overlap for k in kept):
                kept.append(a)
        result += [(label, scores[a], *decoded[a]) for a in kept]
    return sorted(result, key=lambda row: -row[1])[:keep]


@pytest.mark.parametrize('settings', [{}, dict(score=.3), dict(overlap=.1), dict(candidates=10), dict(keep=7),
                                      dict(candidates=5, keep=500)])
@pytest.mark.parametrize('classes', [1, 3])
def test_decoding_against_slow_twin(classes, settings):
    rng = np.random.default_rng(0)
    anchors = random_boxes(rng, 80)
    logits, offsets = rng.normal(0, 2, (2, 80, classes + 1)), rng.normal(0, 1, (2, 80, 4))
    decoder = MultiBoxDecoder(anchors[None], classes, **settings)
    decoder.initialize()
    rows = decoder(mx.nd.array(logits), mx.nd.array(offsets)).asnumpy()
    settings = dict(score=.01, overlap=.45, candidates=400, keep=200) | settings
    assert rows.shape == (2, min(settings['keep'], classes * min(settings['candidates'], 80)), 6)
    for image in range(2):
        expected = np.array(slow_decoding(anchors, logits[image], offsets[image], **settings))
        assert len(expected) > 3
        np.testing.assert_allclose(rows[image, :len(expected)], expected, atol=1e-4)
        assert (rows[image, len(expected):] == -1).all()
    decoder.hybridize(static_alloc=True)
    np.testing.assert_array_equal(decoder(mx.nd.array(logits), mx.nd.array(offsets)).asnumpy(), rows)


def test_only_boxes_of_one_class_suppress_each_other():
    anchors = np.array([[[.1, .1, .5, .5], [.1, .1, .5, .52], [.1, .1, .52, .5]]])
    logits = mx.nd.array([[[0, 3, -9], [0, 2, -9], [0, -9, 1]]])
    decoder = MultiBoxDecoder(anchors, 2)
    decoder.initialize()
    rows = decoder(logits, mx.nd.zeros((1, 3, 4))).asnumpy()[0]
    assert rows[:, 0].tolist() == [0, 1, -1, -1, -1, -1]
    np.testing.assert_allclose(rows[:2, 2:], anchors[0, [0, 2]], atol=1e-6)


def test_an_anchor_may_be_of_two_classes():
    decoder = MultiBoxDecoder(np.array([[[.1, .1, .5, .5]]]), 2)
    decoder.initialize()
    rows = decoder(mx.nd.array([[[-9, 1, 0]]]), mx.nd.zeros((1, 1, 4))).asnumpy()[0]
    assert rows[:, 0].tolist() == [0, 1]


def test_nothing_found():
    decoder = MultiBoxDecoder(random_boxes(np.random.default_rng(0), 30)[None], 3)
    decoder.initialize()
    logits = np.zeros((2, 30, 4))
    logits[..., 0] = 30
    assert (decoder(mx.nd.array(logits), mx.nd.zeros((2, 30, 4))).asnumpy() == -1).all()


def test_decoding_inverts_the_targets():
    rng = np.random.default_rng(0)
    anchors, labels = random_boxes(rng, 200), random_labels(rng, [1, 3], 3, classes=5)
    class_labels, box_targets = targets(anchors, labels)
    decoder = MultiBoxDecoder(anchors[None], 5)
    decoder.initialize()
    rows = decoder(mx.nd.one_hot(mx.nd.array(class_labels), 6) * 20, mx.nd.array(box_targets)).asnumpy()
    for image, count in enumerate((1, 3)):
        found = rows[image, rows[image, :, 0] >= 0]
        assert len(found) == count
        order, expected = np.lexsort(found[:, (2, 0)].T), labels[image, :count]
        np.testing.assert_allclose(found[order][:, (0, 2, 3, 4, 5)],
                                   expected[np.lexsort(expected[:, (1, 0)].T), :5], atol=1e-4)


def test_a_diverged_network_does_not_stop_it():
    decoder = MultiBoxDecoder(random_boxes(np.random.default_rng(0), 30)[None], 3)
    decoder.initialize()
    logits, offsets = mx.nd.random.normal(shape=(2, 30, 4)), mx.nd.random.normal(shape=(2, 30, 4))
    for broken in (np.nan, np.inf):
        assert decoder(logits * broken, offsets * broken).asnumpy().shape == (2, 90, 6)
