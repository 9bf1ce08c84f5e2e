"""The results of detectors, and how they are described and drawn."""
from typing import NamedTuple

import numpy as np

from ...pictures.drawn_boxes import draw_boxes
from ...reading import quoted
from ..base import Task

__all__ = ['Detections', 'DetectionTask']


class Detections(NamedTuple):
    """The objects found in an image, the surest first."""
    boxes: np.ndarray
    """float32 [n, 4]: xmin ymin xmax ymax in the image's pixels; xmax and ymax are where the box ends"""
    scores: np.ndarray
    """float32 [n], 0 to 1"""
    labels: np.ndarray
    """int32 [n], class numbers from 0"""

    def above(self, score):
        """The objects with a score of at least `score`."""
        keep = self.scores >= score
        return Detections(self.boxes[keep], self.scores[keep], self.labels[keep])


class DetectionTask(Task):
    """A task whose results are :class:`Detections`.

    Attributes
    ----------
    class_names : list of str
    shown : float
        the least score of an object in a picture
    """

    shown = 0.5

    def __init__(self, net, class_names):
        if net.classes != len(class_names):
            raise ValueError(f'class_names: must name the {net.classes} classes of the network: {quoted(class_names)}')
        super().__init__(net=net)
        self.class_names = list(class_names)

    def draw(self, image, result):
        """The objects with a score of at least `shown`, as :func:`draw_boxes` draws them."""
        return draw_boxes(image, *result.above(self.shown), self.class_names)

    def describe(self, result):
        """All objects: {'detections': [{'class': name, 'score': float, 'box': [xmin, ymin, xmax, ymax]}, ...]}"""
        return {'detections': [{'class': self.class_names[label], 'score': round(float(score), 4),
                                'box': [round(float(edge), 2) for edge in box]} for box, score, label in zip(*result)]}
