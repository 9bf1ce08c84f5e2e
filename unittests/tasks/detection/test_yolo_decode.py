"""From heads to objects, against slow twins."""
import math
from collections import Counter

import mxnet as mx
import numpy as np
import pytest
from tiny_yolo import TinyYOLO

from gluonzoo.tasks.detection.yolo_decode import YOLODecoder, YOLORows
from gluonzoo.tasks.detection.yolo_priors import make_priors


def random_heads(rng, classes, size, batch=2, scale=1.0, bias=-2.0):
    heads = []
    for stride in (32, 16, 8):
        head = rng.normal(0, scale, (batch, 3, 5 + classes, size // stride, size // stride))
        head[:, :, 4:] += bias
        heads.append(head.reshape(batch, -1, size // stride, size // stride).astype('float32'))
    return heads


def slow_rows(net, heads, size):
    """Yields (raw numbers, box as xmin ymin xmax ymax) of each row of an image."""
    for stride, anchors, head in zip(net.strides, net.anchors, heads):
        cells = size // stride
        head = head.reshape(3, -1, cells, cells)
        for row in range(cells):
            for column in range(cells):
                for (width, height), numbers in zip(anchors, head[:, :, row, column]):
                    tx, ty, tw, th = map(float, numbers[:4])
                    cx, cy = ((place + 1 / (1 + math.exp(-t))) / cells for place, t in ((column, tx), (row, ty)))
                    w, h = width / size * math.exp(tw), height / size * math.exp(th)
                    yield numbers, [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2]


def slow_iou(a, b):
    width, height = (max(0, min(a[i + 2], b[i + 2]) - max(a[i], b[i])) for i in (0, 1))
    areas = [(x[2] - x[0]) * (x[3] - x[1]) for x in (a, b)]
    return width * height / (sum(areas) - width * height)


def slow_decoding(net, heads, size, score, overlap, candidates, keep, of_class=400):
    pairs = []
    for numbers, box in slow_rows(net, heads, size):
        objectness, *probabilities = (1 / (1 + np.exp(-numbers[4:].astype('float64'))))
        pairs += [(objectness * p, label, box) for label, p in enumerate(probabilities)]
    pairs = sorted(pairs, key=lambda pair: -pair[0])[:candidates]
    kept, looked_at = [], Counter()
    for pair in pairs:
        looked_at[pair[1]] += 1
        same = [other for other in kept if other[1] == pair[1]]
        if looked_at[pair[1]] <= of_class and pair[0] > score and all(slow_iou(pair[2], other[2]) <= overlap
                                                                      for other in same):
            kept.append(pair)
    rows = [[label, probability, *box] for probability, label, box in kept[:keep]]
    return np.array(rows + [[-1] * 6] * (keep - len(rows)))


@pytest.mark.parametrize('size', [64, 96])
def test_rows(size):
    net, heads = TinyYOLO(), random_heads(np.random.default_rng(size), 2, size)
    block = YOLORows(2)
    for _ in range(2):   # imperative, hybridized
        rows, boxes = block(mx.nd.array(make_priors(net, size, size)[0]), *map(mx.nd.array, heads))
        assert rows.shape == (2, 63 * (size // 32) ** 2, 7) and boxes.shape == (*rows.shape[:2], 4)
        for image in range(2):
            expected = list(slow_rows(net, [head[image] for head in heads], size))
            np.testing.assert_array_equal(rows[image].asnumpy(), [numbers for numbers, _ in expected])
            np.testing.assert_allclose(boxes[image].asnumpy(), [box for _, box in expected], rtol=1e-4, atol=1e-5)
        block.hybridize(static_alloc=True)


def test_no_gradient_passes_the_boxes():
    heads = [mx.nd.array(head) for head in random_heads(np.random.default_rng(0), 2, 64)]
    for head in heads:
        head.attach_grad()
    with mx.autograd.record():
        boxes = YOLORows(2)(mx.nd.array(make_priors(TinyYOLO(), 64, 64)[0]), *heads)[1]
    boxes.backward()
    assert not any(head.grad.asnumpy().any() for head in heads)


@pytest.mark.parametrize('settings', [{}, {'candidates': 30}, {'candidates': 10, 'keep': 5}, {'score': .2},
                                      {'overlap': .1}, {'candidates': 1000, 'keep': 126}])
@pytest.mark.parametrize('seed', range(3))
def test_decoding_against_slow_twin(settings, seed):
    net, heads = TinyYOLO(), random_heads(np.random.default_rng(seed), 2, 64)
    settings = {'score': .005, 'overlap': .45, 'candidates': 400, 'keep': 100, **settings}
    settings['keep'] = min(settings['keep'], settings['candidates'])
    decoder = YOLODecoder(make_priors(net, 64, 64)[0], 2, **settings)
    decoder.initialize()
    for _ in range(2):
        found = decoder(*map(mx.nd.array, heads)).asnumpy()
        for image in range(2):
            expected = slow_decoding(net, [head[image] for head in heads], 64, **settings)
            np.testing.assert_allclose(found[image], expected, rtol=1e-4, atol=1e-5)
        decoder.hybridize(static_alloc=True)


def test_a_class_of_many_has_only_some_candidates():
    net, heads = TinyYOLO(), random_heads(np.random.default_rng(9), 200, 64, batch=1)
    for head in heads:
        head.reshape(3, 205, -1)[:, 6:] -= 20   # the first class has nearly all of the best
    settings = {'score': .0001, 'overlap': .1, 'candidates': 400, 'keep': 60}
    decoder = YOLODecoder(make_priors(net, 64, 64)[0], 200, **settings)
    decoder.initialize()
    found = decoder(*map(mx.nd.array, heads)).asnumpy()[0]
    slow = slow_decoding(net, [head[0] for head in heads], 64, **settings, of_class=60)
    np.testing.assert_allclose(found, slow, rtol=1e-4, atol=1e-5)


def test_a_box_may_be_of_two_classes():
    heads = [np.full((1, 21, 64 // stride, 64 // stride), -20, 'float32') for stride in (32, 16, 8)]
    heads[0][0, 4:7, 1, 0] = 20   # first anchor
    decoder = YOLODecoder(make_priors(TinyYOLO(), 64, 64)[0], 2)
    decoder.initialize()
    found = decoder(*map(mx.nd.array, heads)).asnumpy()[0]
    assert sorted(found[:2, 0]) == [0, 1] and (found[2:] == -1).all()


@pytest.mark.parametrize('number', [np.nan, np.inf, -np.inf, 1e30])
def test_a_diverged_network_does_not_stop_it(number):
    heads = [mx.nd.full((1, 21, 64 // stride, 64 // stride), number) for stride in (32, 16, 8)]
    decoder = YOLODecoder(make_priors(TinyYOLO(), 64, 64)[0], 2)
    decoder.initialize()
    assert decoder(*heads).asnumpy().shape == (1, 100, 6)
