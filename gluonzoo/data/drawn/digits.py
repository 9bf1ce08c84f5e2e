"""Digits, written by no hand: grey pictures for networks that make pictures from noise, and for classifiers.

Each digit is a few strokes, bright on black. Their corners are moved a little at random, and the whole is turned,
slanted, squeezed and moved, with a pen of a random width. Which digit it is stays to be seen, so one can count whether
a network makes all ten.

A digit is a function of (seed, index), as long as NumPy and OpenCV are the same.
"""
import numpy as np

from ...values import check, whole
from .flat import canvas, line, shrunk
from .scenery import ellipse, rotation

__all__ = ['CLASS_NAMES', 'digit']

CLASS_NAMES = [str(number) for number in range(10)]
SIZE = whole(16, 2048)


def _arc(x, y, rx, ry, begin, end, count=14):
    """Points of a part of an ellipse; angles in degrees, 0 to the right, 90 down."""
    angles = np.radians(np.linspace(begin, end, count))
    return np.stack((x + rx * np.cos(angles), y + ry * np.sin(angles)), 1)


def _joined(*parts):
    return np.concatenate([np.asarray(part, float).reshape(-1, 2) for part in parts])


# The strokes, each a line of points about (0, 0); a digit is some 1 high.
_STROKES = (
    [ellipse(0, 0, .3, .48, count=28)[np.r_[:28, 0]]],
    [_joined((-.18, -.3), (.03, -.48), (.03, .48))],
    [_joined(_arc(0, -.2, .29, .28, 190, 385), (-.29, .47), (.31, .47))],
    [_joined(_arc(-.02, -.24, .27, .24, 200, 450), _arc(-.02, .23, .3, .25, -90, 160))],
    [_joined((.1, -.48), (-.32, .14), (.34, .14)), _joined((.15, -.12), (.15, .48))],
    [_joined((.27, -.47), (-.2, -.47), (-.24, -.07), _arc(-.02, .19, .29, .28, -125, 150))],
    [_joined(_arc(.16, .13, .46, .62, 255, 180, 10), _arc(0, .2, .29, .28, 180, 540, 24))],
    [_joined((-.3, -.47), (.3, -.47), (-.08, .48))],
    [_joined(_arc(0, -.25, .23, .23, 90, 450, 22), _arc(0, .23, .28, .25, -90, 270, 24))],
    [_joined(_arc(0, -.2, .28, .28, 0, 360, 24), _arc(-.2, -.1, .48, .6, 0, 72, 10))])


def digit(seed, index, size=32):
    """One digit.

    Parameters
    ----------
    seed, index : int, at least 0
        Which digit: any two differ.
    size : int, 16 to 2048
        The sides of the picture in pixels.

    Returns
    -------
    image : uint8 array [size, size, 3], three equal colours
    label : int, 0 to 9

    Raises ValueError if a number is none of these.
    """
    check('size', size, SIZE)
    rng = np.random.Generator(np.random.PCG64([seed, index]))
    label = int(rng.integers(10))
    slant = np.array([[1, -rng.uniform(-.1, .35)], [0, 1]])
    squeeze = np.diag(rng.uniform((.75, .9), (1.15, 1.05)))
    matrix = .66 * rotation(rng.uniform(-.15, .15)) @ slant @ squeeze
    middle = .5 + rng.uniform(-.05, .05, 2)
    width, brightness = rng.uniform(.05, .1), rng.uniform(190, 255)
    wave, phase = rng.normal(0, .025, (2, 2)), rng.uniform(0, 2 * np.pi, (2, 2))
    picture = canvas(size, 0)
    for points in _STROKES[label]:
        # A slow wave, so that lines bend without breaking.
        moved = points + np.stack([(wave[axis] * np.sin(5 * points + phase[axis])).sum(1) for axis in (0, 1)], 1)
        line(picture, moved @ matrix.T + middle, width, int(brightness))
    return np.repeat(shrunk(picture)[..., None], 3, 2), label
