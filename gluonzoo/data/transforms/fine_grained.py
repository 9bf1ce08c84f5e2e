"""Pictures of one class for WS-DAN: their middle, or augmented as WS-DAN's training does it.

What GuYuc's utils.py (get_transform) asks torchvision for, to train:

1. Resizing to R x R, R = int(S / 0.875), whatever the aspect ratio.
2. A window of S x S at a random place.
3. One in two is mirrored.
4. Brightness and saturation in random order, each by a factor of its own: of all values, 0.874 to 1.126; of their
   distance to the pixel's own grey, 0.5 to 1.5. Values are cut off at 0 and 255 after each.

and to test: the same resizing, and the middle S x S. Source: https://github.com/GuYuc/WS-DAN.PyTorch.

Deviations:

1. Resizing is by area or cubic (:func:`gluonzoo.pictures.resize.resize`), there linear with a filter as wide as a pixel
   is afterwards.
2. Colours are rounded to whole values at no step, there after each.

The official TensorFlow code (https://github.com/tau-yihouxiang/WS_DAN, inception_preprocessing.py) differs, and is not
followed: it adds up to 32 of 255 to brightness, or takes as much away, and does so before it changes saturation, which
is that of HSV there; and to test, it cuts out the middle 87.5 % before it resizes. To train, both resize alike.
"""
import cv2
import numpy as np

from ...pictures.squeezed_middle import check_crop, squeezed, squeezed_middle
from ...registry import TRANSFORMS
from ...values import check, number
from .arrays import filled_up
from .checks import true_or_false
from .normalising import GREY, MEAN, STD, Normalising

__all__ = ['FineGrainedMiddle', 'FineGrainedTrain']


@TRANSFORMS.register('fine_grained_middle')
class FineGrainedMiddle(Normalising):
    """The middle of a picture whose sides are made equal: what fine-grained classifiers are tested with.

    Called with a :class:`~gluonzoo.data.Labelled`; nothing is random. The arrays: the image [3, S, S], the label [1].

    Parameters
    ----------
    size : int
        height and width afterwards in pixels
    crop : float, from 0.5 to 1
        both sides of the picture are resized to int(size / crop) pixels
    mean, std : three numbers each
        red, green, blue on the scale 0 .. 255; the image becomes (rgb - mean) / std
    """

    def __init__(self, size=448, crop=0.875, mean=MEAN, std=STD):
        super().__init__(size, mean, std)
        check_crop(crop)
        self.crop = crop

    def __call__(self, sample, rng, out):
        image, label = filled_up(out, self.arrays)
        self._normalise(squeezed_middle(sample.image, self.size, self.crop).transpose(2, 0, 1), image)
        label[0] = sample.label
        return image, label


@TRANSFORMS.register('fine_grained_train')
class FineGrainedTrain(Normalising):
    """A random window of a picture whose sides are made equal, mirrored or not, in other colours.

    Called with a :class:`~gluonzoo.data.Labelled`. The arrays: the image [3, S, S], the label [1].

    Parameters
    ----------
    size, crop, mean, std
        as of :class:`FineGrainedMiddle`
    flip : bool
        whether one picture in two is mirrored
    brightness, saturation : float, from 0 to 1
        the most by which each is changed; 0: none
    """

    def __init__(self, size=448, crop=0.875, mean=MEAN, std=STD, flip=True, brightness=0.126, saturation=0.5):
        super().__init__(size, mean, std)
        check_crop(crop)
        check('brightness', brightness, number(0, 1))
        check('saturation', saturation, number(0, 1))
        self.crop, self.flip = crop, true_or_false('flip', flip)
        self.brightness, self.saturation = brightness, saturation

    def __call__(self, sample, rng, out):
        image, label = filled_up(out, self.arrays)
        photo = squeezed(sample.image, self.size, self.crop)
        top, left = rng.integers(len(photo) - self.size + 1, size=2).tolist()
        seen = photo[top:top + self.size, left:left + self.size]
        if self.flip and rng.random() < .5:
            seen = seen[:, ::-1]
        if self.brightness or self.saturation:
            seen = self._jittered(seen.astype(np.float32), rng)
        self._normalise(seen.transpose(2, 0, 1), image)
        label[0] = sample.label
        return image, label

    def _jittered(self, image, rng):
        """float32 [H, W, 3] in 0..255 -> the same in other colours"""
        for change in rng.permutation(2):
            most = (self.brightness, self.saturation)[change]
            factor = np.float32(rng.uniform(1 - most, 1 + most))
            if change:   # the matrix that moves each colour away from grey, or towards it
                image = cv2.transform(image, factor * np.eye(3, dtype=np.float32) + (1 - factor) * GREY)
            else:
                image *= factor
            np.clip(image, 0, 255, out=image)
        return image
