"""Pairs of pictures for a network: the same resizing, crop and flip for both, and values in -1..1.

Source: the data loading of the official pix2pix (github.com/junyanz/pytorch-CycleGAN-and-pix2pix, data/), which resizes
both to 286x286 regardless of their aspect ratio, crops 256x256 at a random place and flips one time in two.

Departure: enlarging is OpenCV's cubic and shrinking is by area, where the official code has Pillow's cubic for both.
"""
import numpy as np

from ...pictures.resize import resize
from ...registry import TRANSFORMS

__all__ = ['PairTransform', 'pair_resize', 'pair_train']


@TRANSFORMS.register
def pair_resize(size):
    """Resizes both pictures to `size` x `size`: what pix2pix does to test. Returns a :class:`PairTransform`."""
    return PairTransform(size, size, False)


@TRANSFORMS.register
def pair_train(load_size=286, crop_size=256, flip=True):
    """Resizes both to `load_size` squared, crops `crop_size` squared, and flips: what pix2pix does to train.

    Parameters
    ----------
    load_size, crop_size : int
        pixels; `crop_size` is the size afterwards, and at most `load_size`
    flip : bool
        whether one pair in two is mirrored

    Returns
    -------
    PairTransform
    """
    return PairTransform(load_size, crop_size, flip)


class PairTransform:
    """The transform of :func:`pair_resize` and :func:`pair_train`.

    Called with (pair, rng, out=(None, None)); see :class:`~gluonzoo.data.paired_images.Pair`. Returns the two pictures,
    float32 [3, S, S] in -1..1 (in `out`, where that has arrays). What is random is drawn from `rng`, and is the same
    for both.
    """

    def __init__(self, load_size, crop_size, flip):
        for name, size in (('load_size', load_size), ('crop_size', crop_size)):
            if size != int(size) or size < 1:
                raise ValueError(f'{name}: must be a whole number of pixels: {size!r}')
        if crop_size > load_size:
            raise ValueError(f'crop_size: must be at most load_size, {load_size}: {crop_size}')
        self.load_size, self.crop_size, self.flip = int(load_size), int(crop_size), flip
        self.shape = (3, self.crop_size, self.crop_size)

    def __call__(self, pair, rng, out=(None, None)):
        top, left = rng.integers(self.load_size - self.crop_size + 1, size=2)
        flip = self.flip and rng.random() < .5
        return tuple(self._transformed(image, top, left, flip, array)
                     for image, array in zip((pair.input, pair.target), out))

    def _transformed(self, image, top, left, flip, out):
        image = resize(image, self.load_size, self.load_size)
        image = image[top:top + self.crop_size, left:left + self.crop_size]
        if flip:
            image = image[:, ::-1]
        out = np.empty(self.shape, np.float32) if out is None else out
        np.multiply(image.transpose(2, 0, 1), np.float32(1 / 127.5), out=out)   # [H, W, 3] -> [3, H, W]
        out -= 1
        return out
