"""Pictures of one class for a network: their middle, or augmented as CIFAR's and ImageNet's trainings do it.

:class:`CIFARTrain`: each side is padded with zeros, a window of the former size is cut out at a random place, and one
in two is mirrored. Source: "Deep Residual Learning for Image Recognition" (He et al., 2015), section 4.2. The zeros
are black pixels, as torchvision's RandomCrop has them before the normalisation.

:class:`ImageNetTrain`: what GluonCV's train_imagenet.py does, with MXNet's own definitions (image_random-inl.h):

1. A window of a random part of the area and a random aspect ratio, uniform in its logarithm; the first of ten draws
   that lies within the picture. If none does, the middle, cut to the nearest of the extreme ratios (torchvision).
2. Resizing to S x S.
3. One in two is mirrored.
4. Brightness, contrast and saturation in random order, each by a factor from 1 - jitter to 1 + jitter: of all values;
   of their distance to the picture's mean grey; of their distance to the pixel's own grey.
5. Light: along the three main axes of the colours of ImageNet, by normal numbers times `lighting`.

Deviations from the latter: resizing is by area or cubic (:func:`gluonzoo.pictures.resize.resize`), there linear; and
colours are rounded to whole values at no step, there after each.
"""
import math

import numpy as np

from ...pictures.middle_crop import middle_crop
from ...pictures.resize import resize
from ...registry import TRANSFORMS
from ...values import check, number
from .arrays import filled_up
from .checks import pixels, true_or_false
from .normalising import GREY, MEAN, STD, Normalising

__all__ = ['CIFARTrain', 'ImageNetTrain', 'MiddleCrop']

RATIOS = math.log(3 / 4), math.log(4 / 3)
TRIALS = 10
# Standard deviations of ImageNet's colours along their main axes, and these axes, as red, green, blue.
AXES = np.array([[-.5675, .7192, .4009], [-.5808, -.0045, -.8140], [-.5836, -.6948, .4203]]) * [55.46, 4.794, 1.148]


@TRANSFORMS.register('middle_crop')
class MiddleCrop(Normalising):
    """The middle of a picture: what classifiers are tested with.

    Called with a :class:`~gluonzoo.data.Labelled`; nothing is random. The arrays: the image [3, S, S], the label [1].

    Parameters
    ----------
    size : int
        height and width afterwards in pixels
    crop : float, above 0 and at most 1
        the picture is resized until its shorter side has size / crop pixels
    mean, std : three numbers each
        red, green, blue on the scale 0 .. 255; the image becomes (rgb - mean) / std
    """

    def __init__(self, size=224, crop=0.875, mean=MEAN, std=STD):
        super().__init__(size, mean, std)
        if not 0 < crop <= 1:
            raise ValueError(f'crop: must be above 0 and at most 1: {crop!r}')
        self.crop = crop

    def __call__(self, sample, rng, out):
        image, label = filled_up(out, self.arrays)
        self._normalise(middle_crop(sample.image, self.size, self.crop).transpose(2, 0, 1), image)
        label[0] = sample.label
        return image, label


@TRANSFORMS.register('cifar_train')
class CIFARTrain(Normalising):
    """A random window of a padded picture, mirrored or not.

    Called with a :class:`~gluonzoo.data.Labelled` of size x size pixels. The arrays: the image [3, S, S], the label
    [1].

    Parameters
    ----------
    pad : int
        black pixels on each side, 0 to `size`
    flip : bool
        whether one picture in two is mirrored
    mean, std
        as of :class:`MiddleCrop`
    size : int
        height and width in pixels

    Raises ValueError, when it is called, for a picture of another size.
    """

    def __init__(self, pad=4, flip=True, mean=MEAN, std=STD, size=32):
        super().__init__(size, mean, std)
        self.pad, self.flip = pixels('pad', pad, least=0), true_or_false('flip', flip)
        if self.pad > self.size:
            raise ValueError(f'pad: must be at most size, {self.size}: {pad}')

    def __call__(self, sample, rng, out):
        planes = sample.image.transpose(2, 0, 1)
        if planes.shape != self.arrays[0]:
            raise ValueError(f'size: {self.size}, but record {sample.record} has {sample.image.shape[1]} x '
                             f'{sample.image.shape[0]} pixels')
        image, label = filled_up(out, self.arrays)
        down, right = rng.integers(-self.pad, self.pad + 1, size=2).tolist()   # where the window is
        flip = self.flip and rng.random() < .5
        if flip:
            planes, right = planes[:, :, ::-1], -right
        if down or right:
            image[:] = self._shift   # black
        rows, columns = (slice(max(0, move), self.size + min(0, move)) for move in (down, right))
        place = tuple(slice(max(0, -move), self.size + min(0, -move)) for move in (down, right))
        self._normalise(planes[:, rows, columns], image[(slice(None), *place)])
        label[0] = sample.label
        return image, label


@TRANSFORMS.register('imagenet_train')
class ImageNetTrain(Normalising):
    """A random window of a picture, resized, mirrored or not, in other colours and light.

    Called with a :class:`~gluonzoo.data.Labelled`. The arrays: the image [3, S, S], the label [1].

    Parameters
    ----------
    size, mean, std
        as of :class:`MiddleCrop`
    least_area : float, above 0 and at most 1
        the least part of the picture's area that is seen; the greatest is 1
    flip : bool
        whether one picture in two is mirrored
    jitter : float, from 0 to 1
        the most by which brightness, contrast and saturation are changed; 0: none
    lighting : float, at least 0
        standard deviation of the light; 0: none
    """

    def __init__(self, size=224, mean=MEAN, std=STD, least_area=0.08, flip=True, jitter=0.4, lighting=0.1):
        super().__init__(size, mean, std)
        if not 0 < least_area <= 1:
            raise ValueError(f'least_area: must be above 0 and at most 1: {least_area!r}')
        check('jitter', jitter, number(0, 1))
        check('lighting', lighting, number(0))
        self.least_area, self.flip = least_area, true_or_false('flip', flip)
        self.jitter, self.lighting = jitter, lighting

    def __call__(self, sample, rng, out):
        image, label = filled_up(out, self.arrays)
        top, left, height, width = window(*sample.image.shape[:2], self.least_area, rng)
        seen = resize(sample.image[top:top + height, left:left + width], self.size, self.size)
        if self.flip and rng.random() < .5:
            seen = seen[:, ::-1]
        if self.jitter:
            seen = _jittered(seen.astype(np.float32), self.jitter, rng)
        if self.lighting:
            seen = (seen + (AXES @ rng.normal(0, self.lighting, 3)).astype(np.float32)).clip(0, 255)
        self._normalise(seen.transpose(2, 0, 1), image)
        label[0] = sample.label
        return image, label


def window(height, width, least_area, rng):
    """(top, left, height, width) of the random window of a picture, in pixels."""
    for _ in range(TRIALS):
        area = height * width * rng.uniform(least_area, 1)
        ratio = math.exp(rng.uniform(*RATIOS))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            return int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1)), h, w
    least, most = map(math.exp, RATIOS)
    w, h = min(width, max(1, round(height * most))), min(height, max(1, round(width / least)))
    return (height - h) // 2, (width - w) // 2, h, w


def _jittered(image, jitter, rng):
    """float32 [H, W, 3] in 0..255 -> the same in other colours"""
    for change in rng.permutation(3):
        factor = np.float32(rng.uniform(1 - jitter, 1 + jitter))
        if change == 0:   # brightness
            image = image * factor
        elif change == 1:   # contrast
            image = image * factor + (1 - factor) * (image @ GREY).mean()
        else:   # saturation
            image = image * factor + (1 - factor) * (image @ GREY)[..., None]
        image = image.clip(0, 255)
    return image
