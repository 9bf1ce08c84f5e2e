"""Boxes drawn on a picture, with their classes and scores."""
import colorsys

import numpy as np
from PIL import Image, ImageDraw

from .fonts import lettering

__all__ = ['draw_boxes']


def draw_boxes(image, boxes, scores, labels, class_names, truth=()):
    """A copy of `image` with boxes, each labelled with its class and score, and thin true boxes.

    Lines and letters grow with the image. Labels stay inside it.

    Parameters
    ----------
    image : uint8 array [H, W, 3], RGB
    boxes : array [n, 4]
        xmin ymin xmax ymax in pixels of the image, the surest first; xmax and ymax are where a box ends
    scores : array [n]
        0 to 1
    labels : int array [n]
        class numbers from 0
    class_names : list of str
    truth : array [m, 4]
        true boxes, as `boxes`; white

    Returns
    -------
    uint8 array [H, W, 3], RGB
    """
    height, width = image.shape[:2]
    size = min(height, width)
    thick, thin = max(2, round(size / 130)), max(1, round(size / 400))
    letters = max(10, round(size / 26))
    picture = Image.fromarray(image)
    draw = ImageDraw.Draw(picture)
    for box in truth:
        draw.rectangle(_inner(box, -thin), outline='black', width=thin)
        draw.rectangle(_inner(box), outline='white', width=thin)
    for box, score, label in zip(boxes[::-1], scores[::-1], labels[::-1]):   # the surest on top
        color = _color(label)
        draw.rectangle(_inner(box), outline=color, width=thick)
        font, text = lettering(f'{class_names[label]} {score:.0%}', letters)
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
