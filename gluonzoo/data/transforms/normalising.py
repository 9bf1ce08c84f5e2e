"""What transforms of pictures of one class have in common."""
import numpy as np

from .checks import mean_and_std, pixels

__all__ = ['GREY', 'MEAN', 'STD', 'Normalising']

MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)   # of ImageNet
GREY = np.array([.299, .587, .114], np.float32)   # how bright red, green and blue are


class Normalising:
    """Makes an image [3, S, S] and a label [1]. (rgb - mean) / std is computed as rgb x scale + shift.

    Parameters
    ----------
    size : int
        height and width of the image in pixels
    mean, std : three numbers each
        red, green, blue on the scale 0 .. 255
    """

    def __init__(self, size, mean, std):
        self.size = pixels('size', size)
        mean, std = mean_and_std(mean, std, np.float64)
        self._scale = (1 / std).astype(np.float32)[:, None, None]
        self._shift = (-mean / std).astype(np.float32)[:, None, None]
        self.arrays = (3, self.size, self.size), (1,)

    def _normalise(self, planes, out):
        """[3, H, W] uint8 or float32 -> out, float32 [3, H, W]"""
        np.multiply(planes, self._scale, out=out)
        out += self._shift
