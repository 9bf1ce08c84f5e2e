"""Detections, and what a task tells of them."""
import numpy as np

from gluonzoo.tasks.detection.base import Detections


def test_above():
    found = Detections(np.arange(12.).reshape(3, 4), np.array([.9, .5, .4]), np.array([2, 1, 0])).above(.5)
    assert (found.boxes[:, 0].tolist(), found.scores.tolist(), found.labels.tolist()) == ([0, 4], [.9, .5], [2, 1])
