"""Faces in few colours: pictures for networks that make pictures from noise.

They are simple enough to be learned in minutes. They have so much variety that a network which makes few of them over
and over again gives itself away: who is seen (skin, hair, glasses), how (turned, tilted, smiling or not) and before
what. Nothing of a face says what else it has, so all combinations occur.

A face is a function of (seed, index), as long as NumPy and OpenCV are the same.
"""
import numpy as np

from ...values import check, whole
from .flat import canvas, fill, line, shrunk
from .scenery import ellipse, rotation

__all__ = ['BACKGROUNDS', 'HAIRS', 'SKINS', 'face']

BACKGROUNDS = ((90, 145, 200), (190, 205, 130), (225, 170, 120), (165, 150, 195))   # RGB
SKINS = ((250, 220, 190), (225, 175, 130), (160, 105, 70), (95, 65, 50))
HAIRS = ((40, 30, 30), (110, 65, 35), (235, 200, 100), (185, 75, 35), (200, 200, 205))
SHIRTS = ((60, 60, 110), (170, 50, 60), (235, 235, 225), (50, 110, 85))
SIZE = whole(32, 2048)
_EYE, _WHITE, _LIPS, _GLASSES = (30, 30, 40), (250, 250, 250), (170, 55, 65), (35, 35, 35)


def face(seed, index, size=64):
    """One face.

    Parameters
    ----------
    seed, index : int, at least 0
        Which face: any two differ.
    size : int, 32 to 2048
        The sides of the picture in pixels.

    Returns
    -------
    uint8 array [size, size, 3], RGB

    Raises ValueError if a number is none of these.
    """
    check('size', size, SIZE)
    rng = np.random.Generator(np.random.PCG64([seed, index]))
    background, skin, hair, shirt = (np.array(colours[rng.integers(len(colours))])
                                     for colours in (BACKGROUNDS, SKINS, HAIRS, SHIRTS))
    style = ('bald', 'short', 'long', 'curly')[rng.choice(4, p=(.1, .35, .35, .2))]
    glasses, smile, gap = rng.random() < .3, rng.uniform(-.5, 1), rng.uniform(.01, .06) * (rng.random() < .4)
    turn = rng.uniform(-.05, .05)   # how far the features are to one side
    width, height = rng.uniform(.21, .26), rng.uniform(.27, .32)
    middle = np.array([.5, .5]) + rng.uniform(-.04, .04, 2)
    tilt = rotation(rng.uniform(-.18, .18))

    picture = canvas(size, background)

    def put(points, colour):   # about the middle of the face, upright
        fill(picture, np.asarray(points) @ tilt.T + middle, colour)

    def stroke(points, thickness, colour):
        line(picture, np.asarray(points) @ tilt.T + middle, thickness, colour)

    if style == 'long':
        put(ellipse(0, .08, width + .09, height + .1), hair)
    elif style == 'curly':
        for angle in np.linspace(-np.pi - .3, .3, 9):
            put(ellipse((width + .02) * np.cos(angle), -.04 + (height - .02) * np.sin(angle), .1), hair)
    put([(-.09, .1), (.09, .1), (.1, .5), (-.1, .5)], skin * .88)   # the neck
    shoulders = ellipse(0, .62, .42, .28) @ tilt.T + middle
    fill(picture, shoulders, shirt)
    for side in (-1, 1):
        put(ellipse(side * width, .02, .045, .07), skin * .92)
    put(ellipse(0, 0, width, height), skin)
    if style != 'bald':
        put(_fringe(width, height, rng.uniform(-.19, -.13), rng.uniform(-.05, .05)), hair)

    apart = .47 * width
    for side in (-1, 1):
        x = turn + side * apart
        put(ellipse(x, -.03, .05, .035), _WHITE)
        put(ellipse(x + .4 * turn, -.03, .025, .03), _EYE)
        stroke([(x - .05, -.1), (x + .05, -.1)], .018, hair * .7 if style != 'bald' else _EYE)
        if glasses:
            ring = ellipse(x, -.03, .075, .065)
            stroke(np.concatenate((ring, ring[:1])), .018, _GLASSES)
    if glasses:
        stroke([(turn - apart + .075, -.03), (turn + apart - .075, -.03)], .018, _GLASSES)
    stroke([(1.5 * turn, .0), (1.8 * turn + .02, .075), (1.5 * turn - .01, .08)], .016, skin * .78)
    across = np.linspace(-.09, .09, 9)
    bend = 4 * smile * across ** 2
    upper = np.stack((turn + across, .165 - bend), 1)
    put(np.concatenate((upper, (upper + (0, gap))[::-1])), _WHITE)
    stroke(upper, .022, _LIPS)
    stroke(upper + (0, gap), .022, _LIPS)
    return shrunk(picture)


def _fringe(width, height, low, parting):
    """The hair above the forehead: the upper part of the head, cut off along a line that is lower at one side."""
    angles = np.linspace(np.pi * 1.1, np.pi * 1.9, 25)
    crown = np.stack(((width + .03) * np.cos(angles), (height + .03) * np.sin(angles)), 1)
    return np.concatenate((crown, [(width, low + parting), (0, low - .02), (-width, low - parting)]))
