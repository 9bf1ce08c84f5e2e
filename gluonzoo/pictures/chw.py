"""Converts pictures to the inputs of networks, and outputs of networks to pictures.

Arrays of networks have channels first, and one of two scales. Detectors and classifiers take ``(picture - mean) /
std``. Generators take and make -1..1, which is called signed here.
"""
import numpy as np

__all__ = ['from_chw', 'from_signed', 'to_chw', 'to_signed']

_HALF = (127.5, 127.5, 127.5)   # mean and std that make signed values of 0..255


def to_chw(images, mean, std):
    """Pictures of one size as a network's input: (picture - mean) / std, computed in float32.

    Parameters
    ----------
    images : sequence of uint8 or float32 arrays [H, W, 3], of 0..255
    mean, std : sequence of 3 floats
        of 0..255, RGB

    Returns
    -------
    float32 array [n, 3, H, W]; in memory, the channels are last
    """
    values = (np.stack(images) - np.array(mean, 'float32')) / np.array(std, 'float32')
    return values.transpose(0, 3, 1, 2)   # [n, H, W, 3] -> [n, 3, H, W]


def from_chw(values, mean, std):
    """Pictures from a network's input, by :func:`to_chw`'s inverse, computed in float64, rounded, and cut to 0..255.

    Parameters
    ----------
    values : float32 array [..., 3, H, W]
    mean, std : sequence of 3 floats

    Returns
    -------
    uint8 array [..., H, W, 3]
    """
    pixels = np.moveaxis(values, -3, -1) * np.array(std, 'float64') + np.array(mean, 'float64')
    return pixels.clip(0, 255).round().astype('uint8')


def to_signed(images):
    """Pictures of one size as a generator's input: picture / 127.5 - 1.

    Sequence of uint8 [H, W, 3] -> float32 [n, 3, H, W]; in memory, the channels are last.
    """
    return to_chw(images, _HALF, _HALF)


def from_signed(values):
    """Pictures from what a generator makes: (value + 1) * 127.5, in the type of `values`, rounded, and cut to 0..255.

    float32 [..., 3, H, W] -> uint8 [..., H, W, 3]
    """
    return ((np.moveaxis(values, -3, -1) + 1) * 127.5).round().clip(0, 255).astype('uint8')
