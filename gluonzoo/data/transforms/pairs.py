"""Pairs of pictures for a network: the same resizing, crop and flip for both, and values in -1..1.

Source: the data loading of the official pix2pix (github.com/junyanz/pytorch-CycleGAN-and-pix2pix, data/), which resizes
both to 286x286 regardless of their aspect ratio, crops 256x256 at a random place and flips one time in two.

Deviation: enlarging is OpenCV's cubic and shrinking is by area, where the official code has Pillow's cubic for both.
"""
from ...memory import require as require_memory
from ...pictures.resize import resize
from ...registry import TRANSFORMS
from .arrays import filled_up, in_unit_range
from .checks import pixels, true_or_false

__all__ = ['PairResize', 'PairTrain']


@TRANSFORMS.register('pair_resize')
class PairResize:
    """Resizes both pictures: what pix2pix does to test.

    Called with a :class:`~gluonzoo.data.Pair`; nothing is random. The arrays: input and target, [3, S, S] in -1..1.

    Parameters
    ----------
    size : int
        height and width afterwards in pixels
    """

    def __init__(self, size):
        self.size = pixels('size', size)
        self.arrays = 2 * ((3, self.size, self.size),)

    def __call__(self, pair, rng, out):
        out = filled_up(out, self.arrays)
        for image, array in zip((pair.input, pair.target), out):
            in_unit_range(resize(image, self.size, self.size), array)
        return out


@TRANSFORMS.register('pair_train')
class PairTrain:
    """Resizes both pictures, cuts the same square out of both, and flips both or none: what pix2pix does to train.

    Called with a :class:`~gluonzoo.data.Pair`. The arrays: input and target, [3, S, S] in -1..1.

    Parameters
    ----------
    load_size : int
        height and width after resizing in pixels
    crop_size : int
        height and width of the square in pixels, at most `load_size`
    flip : bool
        whether one pair in two is mirrored
    """

    def __init__(self, load_size=286, crop_size=256, flip=True):
        self.load_size, self.crop_size = pixels('load_size', load_size), pixels('crop_size', crop_size)
        if crop_size > load_size:
            raise ValueError(f'crop_size: must be at most load_size, {load_size}: {crop_size}')
        require_memory(f'load_size: a picture of {load_size} pixels', 3 * self.load_size ** 2)
        self.flip = true_or_false('flip', flip)
        self.arrays = 2 * ((3, self.crop_size, self.crop_size),)

    def __call__(self, pair, rng, out):
        top, left = rng.integers(self.load_size - self.crop_size + 1, size=2)
        flip = self.flip and rng.random() < .5
        out = filled_up(out, self.arrays)
        for image, array in zip((pair.input, pair.target), out):
            image = resize(image, self.load_size, self.load_size)
            image = image[top:top + self.crop_size, left:left + self.crop_size]
            in_unit_range(image[:, ::-1] if flip else image, array)
        return out
