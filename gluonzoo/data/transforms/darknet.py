"""Pictures with boxes for a network: in a letterbox, or augmented as darknet does it.

Paper: "YOLOv3: An Incremental Improvement" (Redmon and Farhadi, 2018, arxiv.org/abs/1804.02767), which names the code.
Official code: github.com/pjreddie/darknet. ``load_data_detection`` in src/data.c has the order of the steps,
src/image.c the colours, cfg/yolov3.cfg the numbers.

:class:`DarknetTrain` draws what the official code draws, from the same distributions:

1. Jitter: the picture's width and height each become (1 - jitter) to (1 + jitter) times as large. The picture is
   resized linearly to this new aspect ratio, as large as it can be in the square of S x S pixels.
2. The picture lies at a random place of the square, with grey around.
3. Colours, of the grey, too: the hue turns by up to `hue` of its circle either way; saturation and exposure (the value
   of HSV) are multiplied by a factor of 1 to `saturation` and to `exposure`, or, with probability 1/2, divided by it.
   What is beyond black and white then is cut.
4. Flip, with probability 1/2.
5. Boxes move with the picture and are cut at the square's edges. Those are left out that are less than 0.001 of the
   square wide or high. The order of the boxes is random: of several objects that share a cell and an anchor, YOLO's
   targets take the last one.

Deviations ("there" is the official code):

1. Boxes move by the whole pixels by which the picture moves; there, they can be up to a pixel beside their objects.
   Resizing keeps the picture's edges in place; there, the centre of the first pixel, which is up to half a pixel off.
2. A picture has at least one pixel each way, however narrow; there, nothing of a strip may be seen.
3. The hue turns in steps of 2 degrees, of colours that are rounded to 8 bits; colours are rounded again at the end.
4. All objects are trained on; there, the first 90 of the random order.
"""
import cv2
import numpy as np

from ...pictures.letterbox import GREY, Placement, letterbox
from ...pictures.resize import resize
from ...registry import TRANSFORMS
from ...values import check, number
from .arrays import filled_up
from .checks import true_or_false
from .with_boxes import WithBoxes, label_rows

__all__ = ['DarknetTrain', 'Letterbox']

LEAST = 0.001            # width and height of a box, as parts of the square
MOST_JITTER = 0.99       # of 1, nothing would be left of a picture
MOST_FACTOR = 100        # of saturation and exposure
HUES = 180               # of OpenCV's 8-bit HSV


class _OnGrey(WithBoxes):
    """What these have in common: pictures that do not fill their square."""

    def _paint(self, image, place, out, grey=GREY):
        """Writes an image, uint8 [h, w, 3] of this placement, to out, float32 [3, S, S], with grey around."""
        if (place.width, place.height) != (self.size, self.size):
            out[:] = ((np.float32(grey) - self.mean) / self.std)[:, None, None]
        self.normalise(image, out[(slice(None), *place.window)])


@TRANSFORMS.register('letterbox')
class Letterbox(_OnGrey):
    """Resizes pictures to fit into a square, at their aspect ratio, and normalises them: what darknet does to test.

    See :mod:`gluonzoo.pictures.letterbox`. Called with a :class:`~gluonzoo.data.Sample` or a
    :class:`~gluonzoo.data.CocoSample`, whose crowds are difficult; nothing is random. The arrays:

    - the image [3, S, S], with the picture in the middle and grey above and below it, or on its sides;
    - the labels, rows [n, 6]: class, xmin, ymin, xmax, ymax as fractions of the image with its grey, difficult;
    - the window [4]: xmin, ymin, xmax, ymax of the picture, as such fractions.

    Parameters
    ----------
    size : int
        height and width afterwards in pixels
    mean, std : three numbers each
        red, green, blue on the scale 0 .. 255; the image becomes (rgb - mean) / std
    """

    crowd = True   # an evaluation must know them

    def __init__(self, size, mean, std):
        super().__init__(size, mean, std)
        self.arrays = (*self.arrays, (4,))

    def __call__(self, sample, rng, out):
        out, _, window = filled_up(out, self.arrays)
        place = letterbox(*sample.image.shape[1::-1], self.size)
        self._paint(resize(sample.image, place.width, place.height, 'linear'), place, out)
        window[:] = np.array([place.left, place.top, place.left + place.width, place.top + place.height]) / self.size
        return out, label_rows(sample, place.into(sample.boxes) / self.size), window


@TRANSFORMS.register('darknet_train')
class DarknetTrain(_OnGrey):
    """Augments pictures and boxes as darknet does: see :mod:`gluonzoo.data.transforms.darknet`.

    Called with a :class:`~gluonzoo.data.Sample` or a :class:`~gluonzoo.data.CocoSample`. The arrays are those of
    :class:`Letterbox`, without the window.

    Parameters
    ----------
    size, mean, std
        as those of :class:`Letterbox`
    jitter : float, from 0 to 0.99
        the most by which a picture's width and height change, as a part of them; 0: its aspect ratio is kept
    hue : float, from 0 to 0.5
        the most by which hues turn, as a part of their circle; 0: not at all
    saturation, exposure : float, from 1 to 100
        the most by which they are multiplied or divided; 1: they stay
    flip : bool
        whether pictures are flipped
    """

    crowd = False   # it is not given any

    def __init__(self, size, mean, std, jitter=0.3, hue=0.1, saturation=1.5, exposure=1.5, flip=True):
        super().__init__(size, mean, std)
        check('jitter', jitter, number(0, MOST_JITTER))
        check('hue', hue, number(0, 0.5))
        check('saturation', saturation, number(1, MOST_FACTOR))
        check('exposure', exposure, number(1, MOST_FACTOR))
        self.jitter, self.hue, self.saturation, self.exposure = jitter, hue, saturation, exposure
        self.flip = true_or_false('flip', flip)

    def __call__(self, sample, rng, out):
        place = draw_placement(rng, *sample.image.shape[1::-1], self.size, self.jitter)
        hue = rng.uniform(-self.hue, self.hue)
        saturation, exposure = draw_factor(rng, self.saturation), draw_factor(rng, self.exposure)
        flip = self.flip and rng.random() < 0.5
        order = rng.permutation(len(sample.boxes))

        image = resize(sample.image, place.width, place.height, 'linear')
        boxes = (place.into(sample.boxes) / self.size).clip(0, 1)
        if flip:
            image = cv2.flip(image, 1)
            place = place._replace(left=self.size - place.left - place.width)
            boxes[:, [0, 2]] = 1 - boxes[:, [2, 0]]
        out, _ = filled_up(out, self.arrays)
        self._paint(recoloured(image, hue, saturation, exposure), place, out, min(GREY * exposure, 255))
        order = order[((boxes[:, 2:] - boxes[:, :2]) >= LEAST).all(1)[order]]
        return out, label_rows(sample, boxes)[order]


def draw_placement(rng, width, height, size, jitter):
    """Where a picture of this width and height lies in the square: a Placement."""
    aspect = width * (1 + rng.uniform(-jitter, jitter)) / (height * (1 + rng.uniform(-jitter, jitter)))
    fitted = size * min(1, aspect), size / max(1, aspect)
    left, top = (int(rng.uniform(0, size - side)) for side in fitted)
    w, h = (max(1, int(side)) for side in fitted)
    return Placement.of(left, top, w, h, (width, height))


def draw_factor(rng, most):
    """A factor of 1 to `most`, or one by it."""
    factor = rng.uniform(1, most)
    return factor if rng.random() < 0.5 else 1 / factor


def recoloured(image, hue, saturation, exposure):
    """An image in other colours.

    Parameters
    ----------
    image : uint8 array [H, W, 3]
        RGB
    hue : float
        how far it turns, as a part of the circle
    saturation, exposure : float
        factors of the saturation and of the value of HSV, neither of which is cut

    Returns
    -------
    uint8 array [H, W, 3], rounded and cut to 0..255
    """
    steps = round(HUES * hue)
    if steps:
        hues, *others = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2HSV))
        hues = cv2.LUT(hues, ((np.arange(256) + steps) % HUES).astype(np.uint8))
        image = cv2.cvtColor(cv2.merge([hues, *others]), cv2.COLOR_HSV2RGB)
    # A channel is value - distance, and the distance is in proportion to the saturation.
    channels = cv2.split(image)
    value = cv2.max(cv2.max(channels[0], channels[1]), channels[2])
    return cv2.merge([cv2.addWeighted(channel, exposure * saturation, value, exposure * (1 - saturation), 0)
                      for channel in channels])
