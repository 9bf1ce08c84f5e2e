"""What the transforms of pictures with boxes have in common that train and test single-shot detectors."""
import cv2
import numpy as np

from .checks import mean_and_std, pixels

__all__ = ['WithBoxes', 'label_rows']


class WithBoxes:
    """A transform of a sample with an image, boxes, labels and `difficult`. The arrays:

    - the image [3, S, S];
    - the labels, rows [n, 6]: class, xmin, ymin, xmax, ymax as fractions of the image, difficult.

    Parameters
    ----------
    size : int
        height and width afterwards in pixels
    mean, std : three numbers each
        red, green, blue on the scale 0 .. 255; the image becomes (rgb - mean) / std
    """

    def __init__(self, size, mean, std):
        self.size = pixels('size', size)
        self.mean, self.std = mean_and_std(mean, std, np.float32)
        self.arrays = (3, self.size, self.size), None

    def normalise(self, image, out):
        """[H, W, 3] uint8 -> out [3, H, W] float32."""
        for channel, plane, mean, std in zip(cv2.split(image), out, self.mean, self.std):
            np.subtract(channel, mean, out=plane)
            plane /= std


def label_rows(sample, boxes):
    """The labels of a sample whose objects are in `boxes` [n, 4]: [n, 6]."""
    return np.concatenate([sample.labels[:, None], boxes, sample.difficult[:, None]], 1, dtype=np.float32)
