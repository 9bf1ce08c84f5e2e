"""MS-SSIM: how alike pictures are, from fine to coarse. Of generated pictures: how little they vary.

Source: "Multi-scale structural similarity for image quality assessment" (Wang, Simoncelli, Bovik, 2003,
https://ece.uwaterloo.ca/~z70wang/publications/msssim.pdf). As a measure of how varied generated pictures are:
"Conditional Image Synthesis with Auxiliary Classifier GANs" (https://arxiv.org/abs/1610.09585). The rules for small
pictures are those of https://github.com/tkarras/progressive_growing_of_gans, metrics/ms_ssim.py: on a level whose
shorter side has fewer than 11 pixels the window has as many pixels as that side, and its sigma shrinks with it.

Deviations from that code:
1. The pairs are drawn, not each picture and the next one of a batch.
2. Windows are applied along columns and then along rows, not by Fourier transforms. Sums are of float64.
"""
import numpy as np
from scipy.ndimage import correlate1d

from .picture_sets import check_set, halvings

__all__ = ['LEAST', 'ms_ssim', 'similarities']

LEAST = 2   # pictures
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)   # of the levels, the finest first
WINDOW, SIGMA = 11, 1.5
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_AT_ONCE = 2 ** 20   # numbers of an array that is worked on, so that much of it stays in the cache


def ms_ssim(pictures, pairs=None, seed=0):
    """The mean similarity of pairs of pictures: the lower, the more varied the pictures are.

    A generator that makes the same picture again and again has 1. Compare the number with that of real pictures.

    Parameters
    ----------
    pictures : uint8 array [N, H, W, 3]
        RGB; both sides are multiples of 16 pixels. A grey picture is repeated to three channels.
    pairs : int, at least 1, optional
        default: half as many as there are pictures, and each picture is in one pair at most. With more pairs the
        pictures are shuffled again. No picture is ever paired with itself.
    seed : int
        of the pairs

    Returns
    -------
    float, from 0 to 1

    Raises
    ------
    ValueError
        for an array that is not such, fewer than 2 pictures, or less than 1 pair.
    """
    check_set('pictures', pictures, LEAST)
    halvings('pictures', pictures, len(WEIGHTS) - 1)
    pairs = len(pictures) // 2 if pairs is None else pairs
    if pairs < 1:
        raise ValueError(f'pairs: must be at least 1: {pairs!r}')
    rng, drawn = np.random.default_rng(seed), []
    while sum(map(len, drawn)) < pairs:
        drawn.append(rng.permutation(len(pictures))[:len(pictures) // 2 * 2].reshape(-1, 2))
    first, second = np.concatenate(drawn)[:pairs].T
    return float(similarities(pictures[first], pictures[second]).mean())


def similarities(a, b):
    """The MS-SSIM of each picture of `a` with that of `b` at the same place: float64 array [N], from 0 to 1.

    Parameters
    ----------
    a, b : uint8 arrays [N, H, W, 3]
        both sides are multiples of 16 pixels

    Raises ValueError for arrays that are not such, or are of unequal shapes.
    """
    for name, pictures in (('a', a), ('b', b)):
        check_set(name, pictures, 1)
        halvings(name, pictures, len(WEIGHTS) - 1)
    if a.shape != b.shape:
        raise ValueError(f'b: must be of the shape of a, {list(a.shape)}: {list(b.shape)}')
    size = max(1, _AT_ONCE // a[0].size)
    return np.concatenate([_similarities(a[i:i + size].astype('float64'), b[i:i + size].astype('float64'))
                           for i in range(0, len(a), size)])


def _similarities(a, b):
    """As :func:`similarities`, of float64 arrays."""
    result = np.ones(len(a))
    for level, weight in enumerate(WEIGHTS):
        whole, contrast = _ssim(a, b)
        # What is below 0 has no real power. The luminance counts on the coarsest level alone.
        result *= np.maximum(whole if level == len(WEIGHTS) - 1 else contrast, 0) ** weight
        a, b = (_halved(pictures) for pictures in (a, b)) if level < len(WEIGHTS) - 1 else (None, None)
    return result


def _ssim(a, b):
    """The mean SSIM of each pair of pictures, and the mean of its factor of contrast and structure: arrays [N]."""
    size = min(WINDOW, *a.shape[1:3])
    places = np.arange(size) - (size - 1) / 2
    window = np.exp(-.5 * (places / (SIGMA * size / WINDOW)) ** 2)
    window /= window.sum()
    mean_a, mean_b, square_a, square_b, product = (_filtered(x, window) for x in (a, b, a * a, b * b, a * b))
    covariance, variances = product - mean_a * mean_b, square_a - mean_a ** 2 + square_b - mean_b ** 2
    contrast = (2 * covariance + C2) / (variances + C2)
    luminance = (2 * mean_a * mean_b + C1) / (mean_a ** 2 + mean_b ** 2 + C1)
    return (luminance * contrast).mean(axis=(1, 2, 3)), contrast.mean(axis=(1, 2, 3))


def _filtered(pictures, window):
    """Weighted means where the window lies within the picture: [N, H, W, 3] -> [N, H - n + 1, W - n + 1, 3]"""
    size = len(window)
    height, width = (side - size + 1 for side in pictures.shape[1:3])
    start = size // 2   # the place in the window that a result of correlate1d stands at
    rows = correlate1d(pictures, window, axis=1, mode='nearest')[:, start:start + height]
    return correlate1d(rows, window, axis=2, mode='nearest')[:, :, start:start + width]


def _halved(pictures):
    """Means of 2 x 2 pixels: [N, H, W, 3] -> [N, H / 2, W / 2, 3]"""
    n, height, width, channels = pictures.shape
    return pictures.reshape(n, height // 2, 2, width // 2, 2, channels).mean(axis=(2, 4))
