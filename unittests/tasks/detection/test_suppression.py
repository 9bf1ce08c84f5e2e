"""Non-maximum suppression in each class, against a slow twin."""
import mxnet as mx
import numpy as np
import pytest

from gluonzoo.boxes import iou
from gluonzoo.tasks.detection.suppression import best_of_each_class


def slow(scores, boxes, overlap, least, keep):
    """[classes, candidates], [classes, candidates, 4] -> [keep, 6]"""
    kept = []
    for label, (row, places) in enumerate(zip(scores, boxes)):
        mine = []
        for i in np.argsort(-row):
            if row[i] > least and all(iou(places[i], places[j]) <= overlap for j in mine):
                mine.append(i)
        kept += [[label, row[i], *places[i]] for i in mine]
    kept = sorted(kept, key=lambda row: -row[1])[:keep]
    return np.array(kept + [[-1] * 6] * (keep - len(kept)))


@pytest.mark.parametrize('overlap, least, keep', [(.45, .1, 20), (.1, .5, 20), (.45, .99, 5), (1, 0, 60)])
def test_against_slow_twin(overlap, least, keep):
    rng = np.random.default_rng(keep)
    corners = rng.uniform(0, .6, (2, 3, 20, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(.1, .4, corners.shape)], -1).astype('float32')
    scores = rng.random((2, 3, 20)).astype('float32')
    found = best_of_each_class(mx.nd, mx.nd.array(scores), mx.nd.array(boxes), 3, 20, overlap, least, keep).asnumpy()
    for image in range(2):
        np.testing.assert_allclose(found[image], slow(scores[image], boxes[image], overlap, least, keep), rtol=1e-6)
