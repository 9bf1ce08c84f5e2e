"""Pictures with boxes for networks that find objects as keypoints: augmented as CornerNet and CenterNet do it, or not.

Papers: "CornerNet: Detecting Objects as Paired Keypoints" (Law and Deng, 2018), section 4.1, and "CenterNet: Keypoint
Triplets for Object Detection" (Duan et al., 2019), which trains alike. Official code: github.com/Duankaiwen/CenterNet,
sample/coco.py has the order of the steps, sample/utils.py the crop, utils/image.py the colours, db/coco.py the numbers.

:class:`KeypointTrain` draws what the official code draws, from the same distributions:

1. A crop: a square of S x s pixels a side, s being one of 0.6, 0.7 ... 1.3 (the official settings say 0.6 to 1.4 in
   steps of 0.1, which ``numpy.arange`` understands as without 1.4), about a centre that is at least 128 pixels from the
   picture's edges. In a picture without room for this border, the border is halved until there is room. The part of
   the crop outside the picture is black.
2. Resizing to S x S, linearly.
3. A box is cut at the crop's edges, and stays if anything of it remains. (None may stay.)
4. Flip, with probability 1/2.
5. Colours: brightness, contrast and saturation, each by a factor of 0.6 to 1.4, in random order. Contrast is about the
   mean grey of the crop with its black parts, saturation about each pixel's grey, both as they were before any change.
   Then light, along the principal components of COCO's colours, with standard deviation 0.1. Values are not cut at
   black and white, and black parts change, too.

Deviations ("there" is the official code):

1. Colours are red, green, blue; there, blue, green, red. The numbers are the same.
2. Coordinates are edges of pixels: a box is cut at 0 and S, and x becomes S - x in a flip; there, it is S - 1 for both,
   so a flipped box is a pixel beside its object.
3. A crop of an odd number of pixels has them all; there, its last row and column are black.
4. The crop of scale 1 has S pixels a side; there, S - 1, since that ``arange`` makes it a little less than 1.
5. Colours are changed in one step on numbers that are not rounded; there, in steps on float32. They differ by rounding.
6. Crowds are not trained on, see :mod:`gluonzoo.data.coco_detection`; there, a crowd is an object like others.
"""
import cv2
import numpy as np

from ...pictures.resize import resize
from ...registry import TRANSFORMS
from .arrays import filled_up
from .checks import are_numbers, count, mean_and_std, pixels, true_or_false
from .keypoint_targets import KeypointTargets, keypoint_targets, target_shapes

__all__ = ['KeypointTrain', 'Photo']

SCALES = (0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3)
MOST = 16                                   # times `size`: a crop is in memory
BORDER = 128
JITTER = 0.4                                # of brightness, contrast and saturation
LIGHT = 0.1
GREY = np.array([0.299, 0.587, 0.114])      # of red, green, blue
# Of COCO's colours on the scale 0 .. 1: the variances, and the components in columns, red first.
EIGENVALUES = np.array([0.2141788, 0.01817699, 0.00341571])
EIGENVECTORS = np.array([[-0.56089297, 0.71832671, 0.41158938],
                         [-0.5832747, 0.00994535, -0.81221408],
                         [-0.58752847, -0.69563484, 0.41340352]])


@TRANSFORMS.register('keypoint_train')
class KeypointTrain:
    """Augments pictures and boxes as CenterNet does, and makes its targets of them.

    See :mod:`gluonzoo.data.transforms.keypoints` for what is drawn. Called with a sample that has an image, boxes and
    labels. The arrays: the image [3, S, S], and the ten of
    :class:`~gluonzoo.data.transforms.keypoint_targets.KeypointTargets`, with heat maps of ceil(S / 4) cells a side.

    Raises ValueError for an object whose class is not one of 0 .. classes - 1.

    Parameters
    ----------
    size : int
        height and width afterwards in pixels
    mean, std : three numbers each
        red, green, blue on the scale 0 .. 255; the image becomes (rgb - mean) / std
    classes : int
        how many there are, at least 1
    scales : list of float
        possible sizes of the crop, in units of `size`; all are equally likely
    border : int
        how far the crop's centre must be from the picture's edges, in pixels, if there is room
    colour : bool
        whether colours are changed
    flip : bool
        whether pictures are flipped
    objects : int
        how many objects of an image have tags and offsets, at most; all are on its heat maps
    """

    crowd = False   # it is not given any

    def __init__(self, size, mean, std, classes, scales=SCALES, border=BORDER, colour=True, flip=True, objects=128):
        self.size = pixels('size', size)
        self.mean, self.std = mean_and_std(mean, std, float)
        if not are_numbers(scales) or not len(scales) or min(scales) * size < 1 or max(scales) > MOST:
            raise ValueError(f'scales: must be numbers up to {MOST} that make at least one pixel of {size}: {scales}')
        self.scales, self.border = list(scales), pixels('border', border, 0)
        self.colour, self.flip = true_or_false('colour', colour), true_or_false('flip', flip)
        shapes = target_shapes((self.size, self.size), count('classes', classes), count('objects', objects))
        self.arrays = (3, self.size, self.size), *shapes

    def __call__(self, sample, rng, out):
        image, *targets = filled_up(out, self.arrays)
        labels = self.augment(sample, rng, image)
        keypoint_targets(labels, (self.size, self.size), KeypointTargets(*targets))
        return image, *targets

    def augment(self, sample, rng, out):
        """Writes the image to `out`, float32 [3, S, S].

        Returns the labels, float32 [n, 5]: class, xmin, ymin, xmax, ymax as fractions of the image.
        """
        height, width = sample.image.shape[:2]
        xmin, ymin, side = draw_crop(rng, width, height, self.size, self.scales, self.border)
        flip = self.flip and rng.random() < 0.5

        image = _cut(sample.image, xmin, ymin, side)
        image = resize(image, self.size, self.size, 'linear')
        boxes = ((sample.boxes - np.array([xmin, ymin] * 2)) / side).clip(0, 1)
        if flip:
            image = cv2.flip(image, 1)
            boxes[:, [0, 2]] = 1 - boxes[:, [2, 0]]

        matrix, offset = draw_colours(rng, cv2.mean(image)[:3]) if self.colour else (np.eye(3), np.zeros(3))
        matrix = (matrix / self.std[:, None]).astype(np.float32)
        offset = ((offset - self.mean) / self.std).astype(np.float32)
        coloured = matrix @ image.reshape(-1, 3).astype(np.float32).T   # -> [3, S * S]
        np.add(coloured.reshape(out.shape), offset[:, None, None], out=out)

        rows = np.concatenate([sample.labels[:, None], boxes], 1, dtype=np.float32)
        return rows[(rows[:, 3:5] > rows[:, 1:3]).all(1)]


@TRANSFORMS.register('photo')
class Photo:
    """Puts pictures unchanged on a canvas, so that a batch can hold pictures of different sizes.

    Called with a :class:`~gluonzoo.data.CocoSample`; nothing is random. The arrays:

    - the canvas [S, S, 3], RGB on 0 .. 255: the picture in its top left, and black;
    - the extent of the picture on the canvas [4]: height and width in pixels, and the scales of x and y, which are
      pixels of the canvas per pixel of the picture: 1, unless the picture is larger than the canvas;
    - the objects, rows [n, 7]: class, xmin, ymin, xmax, ymax and area in pixels of the picture itself, and whether it
      is a crowd, 0 or 1.

    Parameters
    ----------
    size : int
        height and width of the canvas in pixels; larger pictures are shrunk until they fit
    """

    crowd = True

    def __init__(self, size):
        self.size = pixels('size', size)
        self.arrays = (self.size, self.size, 3), (4,), None

    def __call__(self, sample, rng, out):
        image = sample.image
        scale = min(1, self.size / max(image.shape[:2]))
        if scale < 1:
            height, width = (max(1, round(scale * side)) for side in image.shape[:2])
            image = resize(image, width, height)
        height, width = image.shape[:2]
        canvas, extent, _ = filled_up(out, self.arrays)
        canvas[:height, :width] = image
        canvas[height:] = 0
        canvas[:height, width:] = 0
        extent[:] = height, width, width / sample.image.shape[1], height / sample.image.shape[0]
        truth = np.concatenate([sample.labels[:, None], sample.boxes, sample.areas[:, None], sample.crowd[:, None]], 1,
                               dtype=np.float32)
        return canvas, extent, truth


# -- where the crop is -----------------------------------------------------------------------------------------------

def draw_crop(rng, width, height, size, scales, border):
    """The crop of a picture: xmin, ymin and side in its pixels, ints. It may reach beyond the picture."""
    side = int(size * scales[rng.integers(len(scales))])
    x, y = (rng.integers(margin, extent - margin)
            for extent in (width, height) for margin in [narrowed(border, extent)])
    return int(x) - side // 2, int(y) - side // 2, side


def narrowed(border, extent):
    """The border, halved until there is something between two of it within `extent` pixels."""
    part = 1
    while extent - border // part <= border // part:
        part *= 2
    return border // part


def _cut(image, xmin, ymin, side):
    """The square of the image, black where that is not."""
    height, width = image.shape[:2]
    left, top, right, bottom = (max(0, beyond) for beyond in (-xmin, -ymin, xmin + side - width, ymin + side - height))
    part = image[max(0, ymin):ymin + side, max(0, xmin):xmin + side]
    return cv2.copyMakeBorder(part, top, bottom, left, right, cv2.BORDER_CONSTANT)


# -- colours ---------------------------------------------------------------------------------------------------------

def draw_colours(rng, mean):
    """How colours change, as a matrix [3, 3] and an offset [3]: ``matrix @ rgb + offset``, on the scale 0 .. 255.

    `mean` is the picture's mean colour, red, green, blue.
    """
    matrix, offset = np.eye(3), np.zeros(3)
    for step in rng.permutation(3):
        factor = rng.uniform(1 - JITTER, 1 + JITTER)
        matrix, offset = factor * matrix, factor * offset
        if step == 1:     # contrast
            offset += (1 - factor) * (GREY @ mean)
        elif step == 2:   # saturation
            matrix += (1 - factor) * GREY   # [3], to each row
    return matrix, offset + 255 * EIGENVECTORS @ (EIGENVALUES * rng.normal(0, LIGHT, 3))
