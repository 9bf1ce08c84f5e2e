"""SWD: how far the small patches of two sets of pictures are from each other, at several scales.

Source: "Progressive Growing of GANs for Improved Quality, Stability, and Variation" (https://arxiv.org/abs/1710.10196),
and its code https://github.com/tkarras/progressive_growing_of_gans, metrics/sliced_wasserstein.py. Every picture
becomes a Laplacian pyramid. Patches of 7 x 7 pixels are cut at random places of each level. A patch is a point of 147
numbers. Both sets of points are projected on random directions. On a direction, the distance of two sets of as many
numbers is the mean difference of the sorted numbers (the Wasserstein distance). MMagic's metric of this name pads its
pyramid with zeros, makes a level larger in another way, and has four levels at most: its numbers are others.

Deviations:
1. The places of patches are the same in both sets, picture by picture. So a set has the distance 0 from itself.
2. A channel that is the same number everywhere is divided by 1 instead of 0. (The published code gives NaN.)
3. Pictures need not be squares, nor need their sides be powers of 2.
"""
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..memory import require
from .picture_sets import check_set, halvings

__all__ = ['LEAST', 'patches_of', 'pyramid_level', 'sides', 'sliced_wasserstein', 'standardise', 'wasserstein']

LEAST = 2   # pictures of a set
PATCH = 7   # pixels a side
SMALLEST = 16   # pixels: the shorter side of the coarsest level is at least as many
DIRECTIONS = 512   # the published 4 repeats of 128
_AT_ONCE = 32   # directions on which patches are projected: fewer are slower, more need more memory


def sliced_wasserstein(real, made, seed=0, patches=128, directions=DIRECTIONS):
    """The sliced Wasserstein distance of two sets of pictures, times 1000.

    It depends on the number of pictures: two small sets of the same kind are further apart than two large ones. The
    publication has 16,384 pictures in each set. Compare numbers of equally many pictures only. The same `seed` gives
    the same number.

    Two arrays of N * patches * 147 float32 numbers are in the memory at a time, and some of their projections: 3.7 GB
    for 16,384 pictures.

    Parameters
    ----------
    real, made : uint8 arrays [N, H, W, 3]
        RGB, equally many of the same size; a grey picture is repeated to three channels. The shorter side has at least
        16 pixels. Both sides can be halved as often as the shorter one is halved until it has less than 32.
    seed : int
        of the places of patches and of the directions
    patches : int, at least 1
        of each picture and level
    directions : int, at least 1
        random directions for each level

    Returns
    -------
    dict of name -> float
        'SWD 64', 'SWD 32', 'SWD 16' (by the shorter side of a level; all but the last are details, the last is the
        picture in small), and 'SWD', their mean. 0 for equal sets.

    Raises
    ------
    ValueError
        for arrays that are not such, sets of unequal numbers or sizes, fewer than 2 pictures, pictures of less than 16
        pixels or sides that cannot be halved, or patches that do not fit in the memory.

    Examples
    --------
    >>> pictures = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)
    >>> sliced_wasserstein(pictures, pictures)
    {'SWD 32': 0.0, 'SWD 16': 0.0, 'SWD': 0.0}
    """
    for name, pictures in (('real', real), ('made', made)):
        check_set(name, pictures, LEAST)
    if real.shape != made.shape:
        raise ValueError(f'made: must be as many pictures as real, of the same size: {list(made.shape)}, '
                         f'{list(real.shape)}')
    for name, number in (('patches', patches), ('directions', directions)):
        if number < 1:
            raise ValueError(f'{name}: must be at least 1: {number!r}')
    height, width = real.shape[1:3]
    levels = sides(min(height, width))
    halvings('real', real, len(levels) - 1)
    require(f'real, made: {patches} patches of each of {len(real)} pictures',
            2 * 4 * len(real) * patches * (3 * PATCH ** 2 + _AT_ONCE))

    rng, found = np.random.default_rng(seed), {}
    with ThreadPoolExecutor(2) as pool:
        for level, side in enumerate(levels):
            rows, columns = (rng.integers(0, (pixels >> level) - PATCH + 1, (len(real), patches))
                             for pixels in (height, width))
            points = list(pool.map(lambda pictures, level=level, rows=rows, columns=columns:
                                   standardise(patches_of(pictures, level, len(levels), rows, columns)), (real, made)))
            ways = rng.normal(size=(directions, points[0].shape[1]))   # [directions, 147]
            ways /= np.linalg.norm(ways, axis=1, keepdims=True)
            found[f'SWD {side}'] = 1e3 * wasserstein(*points, ways.astype('float32'), pool)
            del points   # before those of the next level are made
    return {**found, 'SWD': float(np.mean(list(found.values())))}


def sides(pixels):
    """The shorter sides of the levels of a pyramid of pictures of so many pixels, the finest first: list of int."""
    if pixels < SMALLEST:
        raise ValueError(f'real: the shorter side must be at least {SMALLEST} pixels: {pixels}')
    found = [pixels]
    while found[-1] // 2 >= SMALLEST:
        found.append(found[-1] // 2)
    return found


def pyramid_level(picture, level, levels):
    """A level of the Laplacian pyramid of a picture.

    The filter is the binomial one of 5 x 5. Beyond the border a picture is mirrored at its last pixels.

    Parameters
    ----------
    picture : array [H, W, 3]
    level : int
        0: the finest details
    levels : int
        of the pyramid; the last is the picture itself, in small

    Returns
    -------
    float32 array [H / 2^level, W / 2^level, 3]
    """
    picture = picture.astype('float32')
    for _ in range(level):
        picture = cv2.pyrDown(picture)
    return picture if level == levels - 1 else picture - cv2.pyrUp(cv2.pyrDown(picture))


def patches_of(pictures, level, levels, rows, columns):
    """The patches of one level of pictures.

    Parameters
    ----------
    pictures : uint8 array [N, H, W, 3]
    level, levels : int
        see :func:`pyramid_level`
    rows, columns : int arrays [N, n]
        of the first pixel of each patch

    Returns
    -------
    float32 array [N * n, 3, 49]
    """
    found = np.empty((*rows.shape, 3, PATCH, PATCH), 'float32')
    for own, picture, y, x in zip(found, pictures, rows, columns):
        windows = sliding_window_view(pyramid_level(picture, level, levels), (PATCH, PATCH), (0, 1))
        own[:] = windows[y, x]   # [h, w, 3, 7, 7] -> [n, 3, 7, 7]
    return found.reshape(-1, 3, PATCH ** 2)   # [N, n, 3, 7, 7] -> [N * n, 3, 49]


def standardise(patches):
    """Gives every channel the mean 0 and the standard deviation 1 over all patches, in place.

    [n, 3, 49] -> [n, 147]. A channel that is the same number everywhere becomes 0.
    """
    # The mean is rounded before it is subtracted: a constant channel must become 0, not what rounding leaves.
    patches -= patches.mean(axis=(0, 2), dtype='float64').astype('float32')[:, None]
    parts = np.array_split(patches, -(-len(patches) // 65536))   # views; squares of all at once would double the memory
    squares = sum(np.square(part, dtype='float64').sum(axis=(0, 2)) for part in parts)   # [3]
    deviation = np.sqrt(squares / (patches.size // 3))
    patches /= np.where(deviation > 0, deviation, 1).astype('float32')[:, None]
    return patches.reshape(len(patches), -1)   # [n, 3, 49] -> [n, 147]


def wasserstein(a, b, directions, pool):
    """The mean over directions of the Wasserstein distances of two sets of points: float.

    Parameters
    ----------
    a, b : float32 arrays [n, d]
    directions : float32 array [k, d]
    pool : Executor
        sorts both sets at the same time
    """
    total = 0
    for ways in np.array_split(directions, -(-len(directions) // _AT_ONCE)):
        first, second = pool.map(lambda points, ways=ways: _sorted(ways @ points.T), (a, b))   # [k, n] each
        first -= second
        total += np.abs(first, out=first).sum(dtype='float64')
        del first, second   # before the next are made
    return float(total / (len(directions) * len(a)))


def _sorted(rows):
    rows.sort()
    return rows
