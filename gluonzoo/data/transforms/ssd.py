"""Pictures with boxes for a network: only resized, or augmented as SSD does it.

Paper: "SSD: Single Shot MultiBox Detector" (Liu et al., 2016), section 2.2 (data augmentation). The official code is
the ``ssd`` branch of Caffe: ``annotated_data_layer.cpp`` has the order of the steps, ``im_transforms.cpp`` the colours
and the expansion, ``sampler.cpp`` the crops, ``data_transformer.cpp`` the boxes, and ``ssd_pascal.py`` the numbers.
DSOD trains with the same.

:class:`SSDTrain` draws what the official code draws, from the same distributions:

1. Colours, each step with probability 1/2: brightness (up to 32 added or taken away), contrast (times 0.5 to 1.5),
   saturation (times 0.5 to 1.5), hue (up to 18 of OpenCV's 180 either way). Contrast comes second or last, with
   probability 1/2 each.
2. Expansion, with probability 1/2: the picture lies at a random place on a canvas of the mean, 1 to 4 times as wide and
   high.
3. A crop: the whole; or, for a least IoU with some object of 0.1, 0.3, 0.5, 0.7, 0.9 and of anything, the first of 50
   random rectangles that has it (scale 0.3 to 1; aspect ratio 0.5 to 2, cut to what has room). One of the crops found
   is drawn at random. A picture without objects is not cropped.
4. A box stays if its centre is in the crop, and is cut at the crop's edges. (None may stay.)
5. Resizing to S x S regardless of the aspect ratio, linearly, by area, to the nearest, cubically or by Lanczos' method.
6. Flip, with probability 1/2.

Deviations, none of which changes the distributions:

1. The canvas is never painted: the part of the picture that is in the crop is resized to the pixels that it covers.
   These are whole pixels, and boxes are where their objects then are. (In the official code a box of a crop can be off
   by the rounding of the crop.)
2. Colours are changed before or after resizing, whichever is fewer pixels; they do not change places.
3. Saturation and hue share one conversion to 8-bit HSV and back, so colours are rounded once less.
4. The canvas is the exact mean, 0 for the network; there it is the mean rounded to 8 bits.
5. The official code stores the picture as JPEG after each of steps 1 to 3, and so compresses it again; this does not.
"""
import cv2
import numpy as np

from ...boxes import iou
from ...registry import TRANSFORMS
from .arrays import filled_up
from .checks import true_or_false
from .with_boxes import WithBoxes, label_rows

__all__ = ['Resize', 'SSDTrain']

PROBABILITY = 0.5                    # of each colour step, and of the expansion
BRIGHTNESS = 32
CONTRAST = SATURATION = (0.5, 1.5)
HUE = 18
LEAST_IOUS = (0.1, 0.3, 0.5, 0.7, 0.9, 0)
TRIALS = 50
SCALE = (0.3, 1)
ASPECT_RATIO = (0.5, 2)
INTERPOLATIONS = (cv2.INTER_LINEAR, cv2.INTER_AREA, cv2.INTER_NEAREST, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)


@TRANSFORMS.register('resize')
class Resize(WithBoxes):
    """Resizes pictures linearly, whatever their aspect ratio, and normalises them: what SSD does to test.

    Called with a :class:`~gluonzoo.data.Sample` or a :class:`~gluonzoo.data.CocoSample`, whose crowds are difficult;
    nothing is random. The arrays:

    - the image [3, S, S];
    - the labels, rows [n, 6]: class, xmin, ymin, xmax, ymax as fractions of the image, difficult.

    Parameters
    ----------
    size : int
        height and width afterwards in pixels
    mean, std : three numbers each
        red, green, blue on the scale 0 .. 255; the image becomes (rgb - mean) / std
    """

    crowd = True   # an evaluation must know them

    def __call__(self, sample, rng, out):
        height, width = sample.image.shape[:2]
        out, _ = filled_up(out, self.arrays)
        self.normalise(_resized(sample.image, (self.size, self.size), cv2.INTER_LINEAR), out)
        return out, label_rows(sample, sample.boxes / np.array([width, height] * 2, np.float32))


@TRANSFORMS.register('ssd_train')
class SSDTrain(WithBoxes):
    """Augments pictures and boxes as SSD does: see :mod:`gluonzoo.data.transforms.ssd`.

    Called with a :class:`~gluonzoo.data.Sample` or a :class:`~gluonzoo.data.CocoSample`. The arrays are those of
    :class:`Resize`.

    Parameters
    ----------
    size, mean, std
        as those of :class:`Resize`
    colour : bool
        whether colours are changed
    expand : float, 1 or greater
        the canvas of the expansion is at most this many times as wide and high as the picture; 1: no expansion
    crop : bool
        whether pictures are cropped
    flip : bool
        whether pictures are flipped
    """

    crowd = False   # it is not given any

    def __init__(self, size, mean, std, colour=True, expand=4.0, crop=True, flip=True):
        super().__init__(size, mean, std)
        if not expand >= 1:
            raise ValueError(f'expand: must be at least 1: {expand}')
        self.colour, self.crop, self.flip = (
            true_or_false(name, value) for name, value in (('colour', colour), ('crop', crop), ('flip', flip)))
        self.expand = expand

    def __call__(self, sample, rng, out):
        height, width = sample.image.shape[:2]
        recolour = draw_colours(rng) if self.colour else lambda image: image
        canvas = draw_canvas(rng, width, height, self.expand)
        crop = draw_crop(rng, canvas, sample.boxes) if self.crop else canvas
        interpolation = INTERPOLATIONS[rng.integers(len(INTERPOLATIONS))]
        flip = self.flip and rng.random() < 0.5
        out, _ = filled_up(out, self.arrays)

        # The part of the picture that is in the crop, and the pixels that it covers in the result.
        source = np.clip(crop, 0, [width, height] * 2)
        if (source[2:] <= source[:2]).any():   # a crop of the canvas alone
            out[:] = 0
            return out, np.empty((0, 6), np.float32)
        side = self.size
        scale = side / (crop[2:] - crop[:2])
        target = np.rint((source.reshape(2, 2) - crop[:2]) * scale).astype(int).ravel()
        target[:2] = np.minimum(target[:2], side - 1)
        target[2:] = np.maximum(target[2:], target[:2] + 1)

        image = sample.image[source[1]:source[3], source[0]:source[2]]
        shape = (target[3] - target[1], target[2] - target[0])
        if image.size > 3 * shape[0] * shape[1]:
            image = recolour(_resized(image, shape, interpolation))
        else:
            image = _resized(recolour(image), shape, interpolation)

        inside = _centres_inside(sample.boxes, crop)
        boxes = (sample.boxes - np.tile(source[:2], 2)) * np.tile(shape[::-1] / (source[2:] - source[:2]), 2)
        boxes = ((boxes + np.tile(target[:2], 2)) / side).clip(0, 1)
        if flip:
            image = cv2.flip(image, 1)
            boxes[:, [0, 2]] = 1 - boxes[:, [2, 0]]
            target[[0, 2]] = side - target[[2, 0]]
        if shape != (side, side):
            out[:] = 0
        self.normalise(image, out[:, target[1]:target[3], target[0]:target[2]])
        return out, label_rows(sample, boxes)[inside]


def _resized(image, shape, interpolation):
    """[h, w, 3] -> [*shape, 3]"""
    if image.shape[:2] == tuple(shape):
        return image
    return cv2.resize(image, (int(shape[1]), int(shape[0])), interpolation=interpolation)


# -- colours -----------------------------------------------------------------------------------------------------

def draw_colours(rng):
    """A function that changes the colours of a uint8 RGB image (and gives another image)."""
    contrast_first = rng.random() < 0.5
    steps = []
    for low, high in ((-BRIGHTNESS, BRIGHTNESS), CONTRAST, SATURATION, (-HUE, HUE)):
        drawn, value = rng.random() < PROBABILITY, rng.uniform(low, high)
        steps.append(value if drawn else None)
    brightness, contrast, saturation, hue = steps

    table = np.arange(256)
    before = table if brightness is None else _to_8_bits(table + brightness)
    after = table if contrast is None else _to_8_bits(table * contrast)
    if contrast_first:
        before, after = after[before], table
    if saturation is None and hue is None:
        before, after = after[before], table

    def recolour(image):
        image = _looked_up(image, before)
        if saturation is not None or hue is not None:
            hues = table if hue is None else _to_8_bits(table + hue) % 180
            saturations = table if saturation is None else _to_8_bits(table * saturation)
            tables = np.stack([hues, saturations, table], 1)[None].astype(np.uint8)   # -> [1, 256, 3]
            image = cv2.LUT(cv2.cvtColor(image, cv2.COLOR_RGB2HSV), tables)
            image = cv2.cvtColor(image, cv2.COLOR_HSV2RGB)
        return _looked_up(image, after)

    return recolour


def _to_8_bits(values):
    return np.rint(values).clip(0, 255).astype(int)


def _looked_up(image, table):
    return image if (table == np.arange(256)).all() else cv2.LUT(image, table.astype(np.uint8))


# -- where the crop is -------------------------------------------------------------------------------------------

def draw_canvas(rng, width, height, largest):
    """The canvas of the expansion in pixels of the picture, which is at 0 0 width height: xmin ymin xmax ymax, ints."""
    expands, ratio, place = rng.random() < PROBABILITY, rng.uniform(1, largest), rng.random(2)
    if not expands:
        return np.array([0, 0, width, height])
    size = (np.array([width, height]) * ratio).astype(int)
    begin = -np.floor(place * (size - [width, height])).astype(int)
    return np.concatenate([begin, begin + size])


def draw_rectangles(rng, shape):
    """Random rectangles: xmin ymin xmax ymax as fractions of the canvas, [*shape, 4]."""
    scale = rng.uniform(*SCALE, shape)
    aspect = rng.uniform(*ASPECT_RATIO, shape).clip(scale ** 2, scale ** -2)
    size = np.stack([scale * np.sqrt(aspect), scale / np.sqrt(aspect)], -1).clip(0, 1)   # but for rounding, in 0 .. 1
    begin = rng.random((*shape, 2)) * (1 - size)
    return np.concatenate([begin, begin + size], -1)


def draw_crop(rng, canvas, boxes):
    """The crop: xmin ymin xmax ymax, ints, within the canvas and like it in pixels of the picture.

    `boxes` are the objects, [n, 4].
    """
    tried, choice = draw_rectangles(rng, (len(LEAST_IOUS), TRIALS)), rng.random()
    if not len(boxes):
        return canvas
    extent = canvas[2:] - canvas[:2]
    tried = tried * np.tile(extent, 2) + np.tile(canvas[:2], 2)
    enough = (iou(tried[:, :, None], boxes) >= np.array(LEAST_IOUS)[:, None, None]).any(-1)   # [6, 50, n] -> [6, 50]
    crops = [canvas] + [tried[i, enough[i].argmax()] for i in range(len(tried)) if enough[i].any()]
    crop = crops[int(choice * len(crops))]
    begin = np.floor(crop[:2])
    return np.concatenate([begin, begin + np.maximum(1, np.floor(crop[2:] - crop[:2]))]).astype(int)


def _centres_inside(boxes, region):
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    return ((centres >= region[:2]) & (centres <= region[2:])).all(1)
