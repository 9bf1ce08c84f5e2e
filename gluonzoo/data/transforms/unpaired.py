"""Pictures of two domains for a network: each with a crop and a flip of its own, and values in -1..1.

Source: the data loading of the official CycleGAN (github.com/junyanz/pytorch-CycleGAN-and-pix2pix, data/), which
resizes to 286x286 regardless of the aspect ratio, crops 256x256 at a random place and flips one time in two, each
picture for itself; its option ``--preprocess crop`` leaves the resizing out.

Deviation: enlarging is OpenCV's cubic and shrinking is by area, where the official code has Pillow's cubic for both.
"""
from ...memory import require as require_memory
from ...pictures.resize import resize
from ...registry import TRANSFORMS
from ...values import SIDE, nullable
from .arrays import filled_up, in_unit_range
from .checks import pixels, true_or_false

__all__ = ['UnpairedTest', 'UnpairedTrain']


@TRANSFORMS.register('unpaired_test')
class UnpairedTest:
    """Resizes each picture.

    Called with an :class:`~gluonzoo.data.Unpaired`; nothing is random. The arrays: a and b, [3, S, S] in -1..1.

    Parameters
    ----------
    size : int
        height and width afterwards in pixels
    """

    def __init__(self, size):
        self.size = pixels('size', size)
        self.arrays = 2 * ((3, self.size, self.size),)

    def __call__(self, sample, rng, out):
        out = filled_up(out, self.arrays)
        for image, array in zip((sample.a, sample.b), out):
            in_unit_range(resize(image, self.size, self.size), array)
        return out


@TRANSFORMS.register('unpaired_train')
class UnpairedTrain:
    """Resizes each picture, cuts a square out of it at a random place, and mirrors one in two.

    Called with an :class:`~gluonzoo.data.Unpaired`. The arrays: a and b, [3, S, S] in -1..1. Where a square lies and
    whether it is mirrored is drawn for A first, and then, independently, for B.

    Parameters
    ----------
    load_size : int or None
        height and width after resizing in pixels; None: pictures are not resized, and must not be smaller than the
        square
    crop_size : int
        height and width of the square in pixels, at most `load_size`
    flip : bool
        whether one picture in two is mirrored

    Attributes
    ----------
    least_side : int
        pixels that each side of a picture must have

    Raises ValueError, when it is called, for a picture that is smaller.
    """

    def __init__(self, load_size: nullable(SIDE) = 286, crop_size=256, flip=True):
        self.crop_size = pixels('crop_size', crop_size)
        self.load_size = None if load_size is None else pixels('load_size', load_size)
        if self.load_size is not None:
            if self.crop_size > self.load_size:
                raise ValueError(f'crop_size: must be at most load_size, {load_size}: {crop_size}')
            require_memory(f'load_size: a picture of {load_size} pixels', 3 * self.load_size ** 2)
        self.least_side = self.crop_size if self.load_size is None else 1
        self.flip = true_or_false('flip', flip)
        self.arrays = 2 * ((3, self.crop_size, self.crop_size),)

    def __call__(self, sample, rng, out):
        out = filled_up(out, self.arrays)
        for image, array in zip((sample.a, sample.b), out):
            in_unit_range(self._augmented(image, rng, sample.record), array)
        return out

    def _augmented(self, image, rng, record):
        if self.load_size is not None:
            image = resize(image, self.load_size, self.load_size)
        rooms = [side - self.crop_size for side in image.shape[:2]]
        if min(rooms) < 0:
            raise ValueError(f'crop_size: {self.crop_size}, but record {record} has a picture of {image.shape[1]} x '
                             f'{image.shape[0]} pixels')
        top, left = (int(rng.integers(room + 1)) for room in rooms)
        image = image[top:top + self.crop_size, left:left + self.crop_size]
        return image[:, ::-1] if self.flip and rng.random() < .5 else image
