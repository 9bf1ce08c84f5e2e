"""Pictures without labels, for networks that make such pictures: the middle square, in colours or grey, in -1..1.

Source: the data loading of WGAN's code (github.com/martinarjovsky/WassersteinGAN, main.py) and of DCGAN's: the shorter
side is resized to S pixels, and the middle is cut out.

Deviations: enlarging is OpenCV's cubic and shrinking is by area, where these have Pillow's bilinear for both. Mirroring
is an option, which neither has.
"""
import cv2
import numpy as np

from ...memory import require as require_memory
from ...pictures.middle_crop import middle_crop
from ...registry import TRANSFORMS
from .arrays import filled_up, in_unit_range
from .checks import pixels, true_or_false

__all__ = ['PictureMiddle', 'PictureTrain']


@TRANSFORMS.register('picture_middle')
class PictureMiddle:
    """The middle square of a picture.

    Called with any sample that has an `image`: a :class:`~gluonzoo.data.Picture`, and a
    :class:`~gluonzoo.data.Labelled`, too. Nothing is random. The array: [C, S, S] in -1..1.

    Parameters
    ----------
    size : int
        height and width afterwards in pixels: of the shorter side, the rest of the longer one is cut off
    channels : int
        3 for red, green and blue, 1 for grey (.299 red + .587 green + .114 blue)
    """

    def __init__(self, size=64, channels=3):
        self.size, self.channels = pixels('size', size), channels
        if isinstance(channels, bool) or channels not in (1, 3):
            raise ValueError(f'channels: must be 1 or 3: {channels!r}')
        require_memory(f'size: a picture of {size} pixels', 3 * self.size ** 2)
        self.arrays = ((self.channels, self.size, self.size),)

    def __call__(self, sample, rng, out):
        return self._made(middle_crop(sample.image, self.size), out)

    def _made(self, image, out):
        out = filled_up(out, self.arrays)
        if self.channels == 1:
            image = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)[..., None]   # [S, S] -> [S, S, 1]
        in_unit_range(image, out[0])
        return out


@TRANSFORMS.register('picture_train')
class PictureTrain(PictureMiddle):
    """The middle square of a picture, mirrored or not.

    Called as :class:`PictureMiddle` is, with the same array.

    Parameters
    ----------
    size, channels
        as of :class:`PictureMiddle`
    flip : bool
        whether one picture in two is mirrored: not for what has a right and a left, as letters and digits
    """

    def __init__(self, size=64, channels=3, flip=True):
        super().__init__(size, channels)
        self.flip = true_or_false('flip', flip)

    def __call__(self, sample, rng, out):
        image = middle_crop(sample.image, self.size)
        return self._made(image[:, ::-1] if self.flip and rng.random() < .5 else image, out)
