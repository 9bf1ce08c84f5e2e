"""What detectors return, and what they tell and show of it."""
import colorsys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..base import Task

__all__ = ['Detections', 'DetectionTask', 'draw_boxes']


class Detections(NamedTuple):
    """The objects found in an image, the surest first."""
    boxes: np.ndarray
    """float32 [n, 4]: xmin ymin xmax ymax in the image's pixels; xmax and ymax are where the box ends"""
    scores: np.ndarray
    """float32 [n], 0 to 1"""
    labels: np.ndarray
    """int32 [n], class numbers from 0"""

    def above(self, score):
        """Those with a score of at least `score`."""
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

    def __init__(self, net, class_names, **options):
        if net.classes != len(class_names):
            raise ValueError(f'class_names must name the {net.classes} classes of the network: {class_names}')
        super().__init__(**options)
        self.class_names = list(class_names)

    def draw(self, image, result):
        """The objects with a score of at least `shown`, as :func:`draw_boxes` draws them."""
        return draw_boxes(image, result.above(self.shown), self.class_names)

    def describe(self, result):
        """All objects: {'detections': [{'class': name, 'score': float, 'box': [xmin, ymin, xmax, ymax]}, ...]}"""
        return {'detections': [{'class': self.class_names[label], 'score': round(float(score), 4),
                                'box': [round(float(edge), 2) for edge in box]} for box, score, label in zip(*result)]}


def draw_boxes(image, detections, class_names, truth=()):
    """A copy of `image` with the detected boxes, each labelled with its class and score, and thin true boxes.

    Lines and letters grow with the image. Labels stay inside it.

    Parameters
    ----------
    image : uint8 array [H, W, 3], RGB
    detections : Detections
        in pixels of the image
    class_names : list of str
    truth : array [m, 4]
        true boxes, as those of `detections`; white

    Returns
    -------
    uint8 array [H, W, 3], RGB
    """
    from PIL import Image, ImageDraw  # not cv2: its letters are ASCII, and thin

    height, width = image.shape[:2]
    size = min(height, width)
    thick, thin = max(2, round(size / 130)), max(1, round(size / 400))
    font = _font(max(10, round(size / 26)))
    picture = Image.fromarray(image)
    draw = ImageDraw.Draw(picture)
    for box in truth:
        draw.rectangle(_inner(box, -thin), outline='black', width=thin)
        draw.rectangle(_inner(box), outline='white', width=thin)
    for box, score, label in zip(*(a[::-1] for a in detections)):   # the surest on top
        color = _color(label)
        draw.rectangle(_inner(box), outline=color, width=thick)
        text = f'{class_names[label]} {score:.0%}'
        left, top, right, bottom = font.getbbox(text)
        margin = thick + 1
        w, h = right - left + 2 * margin, bottom - top + 2 * margin
        x = min(max(box[0], 0), max(width - w, 0))
        y = box[1] - h if box[1] >= h else min(max(box[1], 0), max(height - h, 0))   # above the box, or in it
        x, y = round(float(x)), round(float(y))
        draw.rectangle((x, y, x + w - 1, y + h - 1), fill=color)
        draw.text((x + margin - left, y + margin - top), text, fill='black', font=font)
    return np.array(picture)


def _inner(box, by=0):
    """The corner pixels of a box's outline, which PIL draws inwards."""
    xmin, ymin, xmax, ymax = (round(float(v)) for v in box)
    return xmin + by, ymin + by, max(xmax - 1, xmin) - by, max(ymax - 1, ymin) - by


def _color(label):
    """Light enough for black letters; neighbours in number differ in hue."""
    hue = (0.13 + label * 0.618034) % 1   # the golden ratio never comes close to where it was
    return tuple(round(255 * c) for c in colorsys.hls_to_rgb(hue, 0.7, 1))


def _font(size):
    import matplotlib  # it brings a font of many alphabets
    from PIL import ImageFont

    return ImageFont.truetype(str(Path(matplotlib.get_data_path(), 'fonts/ttf/DejaVuSans.ttf')), size)
