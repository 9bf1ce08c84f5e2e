"""What a generator makes pictures from: random numbers, and ways from one to another."""
import numpy as np
from mxnet import nd
from scipy.special import ndtr, ndtri

from ...values import check, nullable, number

__all__ = ['NOISE', 'draw', 'draw_for', 'path_between']

NOISE = ('normal', 'uniform')
TRUNCATION = number(.01, 100)


def draw_for(kind, shape, ctx):
    """Noise for a step of a training, on a device. It follows ``mx.random.seed``."""
    return nd.random.normal(0, 1, shape, ctx=ctx) if kind == 'normal' else nd.random.uniform(-1, 1, shape, ctx=ctx)


def draw(kind, count, length, seed, truncation=None):
    """The same noise on every device, whatever was drawn before.

    Parameters
    ----------
    kind : {'normal', 'uniform'}
        N(0, 1), or -1..1
    count, length : int
        so many rows; the first rows do not depend on `count`
    seed : int, 0 or more
    truncation : float, optional
        of normal noise: numbers beyond -truncation .. truncation do not occur. Fewer kinds of pictures, and fewer bad
        ones (Brock et al., 2019, https://arxiv.org/abs/1809.11096).

    Returns
    -------
    float32 [count, length]

    Raises ValueError for a truncation out of range, or of uniform noise.
    """
    check('truncation', truncation, nullable(TRUNCATION))
    if truncation is not None and kind != 'normal':
        raise ValueError(f'truncation: is for normal noise; this generator was trained with {kind} noise')
    rng = np.random.default_rng(seed)
    if kind == 'uniform':
        return rng.uniform(-1, 1, (count, length)).astype('float32')
    if truncation is None:
        return rng.standard_normal((count, length)).astype('float32')
    least = ndtr(-truncation)   # so much of the distribution is below, and as much above
    return ndtri(rng.uniform(least, 1 - least, (count, length))).astype('float32')


def path_between(kind, start, end, steps):
    """Noise on the way from one row to another, both included: [steps, length].

    Normal noise goes along the arc, where it keeps its length: half-way on the straight line, it would be so short as
    no noise of the training was (White, 2016, https://arxiv.org/abs/1609.04468). Uniform noise goes straight.
    """
    parts = np.linspace(0, 1, steps)[:, None]
    weights = 1 - parts, parts
    if kind == 'normal':
        cosine = start @ end / (np.linalg.norm(start) * np.linalg.norm(end))
        angle = np.arccos(np.clip(cosine, -1, 1))
        if np.sin(angle) > 1e-6:   # else they have one direction, or opposite ones, between which there are many arcs
            weights = (np.sin(part * angle) / np.sin(angle) for part in weights)
    return sum(weight * end_point for weight, end_point in zip(weights, (start, end))).astype('float32')
