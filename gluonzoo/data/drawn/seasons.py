"""Landscapes in summer and in winter: two domains, for translations that learn without pairs.

A landscape has a sky with the sun, a ridge of hills behind and the ground before it, and on that round trees, firs and
a house. A season gives each kind of thing one colour of its own, so either picture follows from the other. Summer and
winter of one landscape are known, although a training never sees them: they tell how well a network turns one season
into the other, see :func:`turned` and :func:`turned_by_kind`.

A landscape is a function of (seed, index), as long as NumPy and OpenCV are the same.
"""
import numpy as np

from ...values import check, whole
from .flat import canvas, fill, line, shrunk
from .scenery import ellipse

__all__ = ['SEASONS', 'SUMMER', 'WINTER', 'landscape', 'turned', 'turned_by_kind']

# RGB, by kind. Within a season, no two are alike.
SUMMER = {'sky': (120, 185, 240), 'sun': (255, 215, 80), 'hills': (70, 120, 95), 'ground': (135, 190, 75),
          'crown': (40, 105, 45), 'fir': (25, 75, 60), 'trunk': (115, 75, 45), 'wall': (235, 215, 170),
          'roof': (195, 65, 50), 'door': (120, 45, 90)}
WINTER = {'sky': (190, 195, 215), 'sun': (255, 250, 215), 'hills': (150, 165, 190), 'ground': (245, 248, 252),
          'crown': (165, 120, 85), 'fir': (85, 130, 150), 'trunk': (70, 50, 45), 'wall': (215, 175, 140),
          'roof': (225, 230, 245), 'door': (90, 60, 110)}
SEASONS = SUMMER, WINTER
_KINDS = list(SUMMER)
SIZE = whole(32, 2048)


def landscape(seed, index, size=64):
    """One landscape in both seasons.

    Parameters
    ----------
    seed, index : int, at least 0
        Which landscape: any two differ.
    size : int, 32 to 2048
        The sides of both pictures in pixels.

    Returns
    -------
    summer, winter : uint8 arrays [size, size, 3], RGB

    Raises ValueError if a number is none of these.
    """
    check('size', size, SIZE)
    rng = np.random.Generator(np.random.PCG64([seed, index]))
    kinds = _drawn(rng, size)
    light = rng.uniform(.82, 1)   # the same in both, and nothing is clipped: it follows from either
    return tuple(shrunk(_painted(kinds, season, light)) for season in SEASONS)


def turned(given, made, wanted):
    """How far pictures have been turned into those of the other season.

    That is 1 - mean |made - wanted| / mean |given - wanted|. 1: they are the wanted ones. 0: they are as far from these
    as the given ones are. Below 0: farther. Sky and ground, which are large, make most of it: from summer to winter,
    the linear map of colours that fits best reaches 0.85. :func:`turned_by_kind` looks at small things, too.

    Parameters
    ----------
    given, made, wanted : uint8 arrays [N, H, W, 3]
        pictures in one season, what has been made of them, and the same landscapes in the other season

    Raises ValueError if their shapes differ, if there are no pictures, or if the given ones are the wanted ones.
    """
    left, way = _left_and_way(given, made, wanted)
    return float(1 - left.sum() / way.sum())


def turned_by_kind(given, made, wanted):
    """As :func:`turned`, for each kind of thing alone.

    Parameters
    ----------
    given, made, wanted
        as there, the given and the wanted ones as :func:`landscape` draws them

    Returns
    -------
    dict : kind -> float, of the kinds that are seen, each where nothing else shares its pixels
    """
    left, way = _left_and_way(given, made, wanted)
    kinds = np.stack([_kinds(picture) for picture in np.asarray(wanted)])
    masks = {kind: kinds == number for number, kind in enumerate(_KINDS)}
    return {kind: float(1 - left[mask].sum() / way[mask].sum()) for kind, mask in masks.items() if mask.any()}


def _left_and_way(given, made, wanted):
    """|made - wanted| and |given - wanted|, each [N, H, W, 3]"""
    given, made, wanted = (np.asarray(pictures, np.float64) for pictures in (given, made, wanted))
    if not given.shape == made.shape == wanted.shape:
        raise ValueError(f'given, made, wanted: must have the same shape: {given.shape}, {made.shape}, {wanted.shape}')
    way = np.abs(given - wanted)
    if not way.any():
        raise ValueError('given: must differ from wanted: nothing was to be done')
    return np.abs(made - wanted), way


def _kinds(picture):
    """[H, W, 3] -> [H, W]: the number of the kind whose colour a pixel has; -1 where kinds share it."""
    corner = picture[0, 0].astype(float)   # the sky: neither the sun nor anything else reaches it
    season = min(SEASONS, key=lambda one: np.ptp(corner / one['sky']))
    light = (corner / season['sky']).mean()
    apart = np.abs(picture[..., None, :] - light * np.array(list(season.values()))).max(-1)   # [H, W, kinds]
    return np.where(apart.min(-1) <= 2, apart.argmin(-1), -1)


# -- what there is, and where ----------------------------------------------------------------------------------------

def _drawn(rng, size):
    """uint8 [F * size, F * size]: the number of what is seen at each place."""
    picture = canvas(size, _KINDS.index('sky'))

    def put(kind, points):
        fill(picture, points, _KINDS.index(kind))

    horizon = rng.uniform(.5, .68)
    put('sun', ellipse(rng.uniform(.1, .9), rng.uniform(.1, .24), rng.uniform(.06, .1)))
    across = np.linspace(0, 1, 33)
    ridge = horizon - rng.uniform(.1, .16) + rng.uniform(.03, .08) * np.sin(
        2 * np.pi * (rng.uniform(.6, 1.6) * across + rng.random()))
    put('hills', np.concatenate((np.stack((across, ridge), 1), [(1, 1), (0, 1)])))
    slope = rng.uniform(-.05, .05)
    put('ground', [(0, horizon - slope), (1, horizon + slope), (1, 1), (0, 1)])

    places = rng.permutation(4)   # quarters of the picture, so that things stand beside each other
    things = ['house'] * (rng.random() < .6) + ['tree'] * rng.integers(0, 3) + ['fir'] * rng.integers(0, 3)
    feet = np.sort(rng.uniform(horizon + .08, .93, 4))   # what stands farther down is nearer, and comes later
    for thing, place, foot in zip(rng.permutation(things or ['tree']), places, feet):
        x = (place + .5) / 4 + rng.uniform(-.06, .06)
        _THINGS[thing](rng, picture, put, x, foot, .55 + .9 * (foot - .55))
    return picture


def _house(rng, picture, put, x, foot, scale):
    half, height = .17 * scale * rng.uniform(.8, 1.15), .2 * scale * rng.uniform(.8, 1.2)
    top = foot - height
    put('wall', [(x - half, top), (x + half, top), (x + half, foot), (x - half, foot)])
    put('roof', [(x - 1.2 * half, top), (x, top - rng.uniform(.12, .2) * scale), (x + 1.2 * half, top)])
    door, width = x + rng.uniform(-.4, .4) * half, .25 * half
    put('door', [(door - width, foot - .6 * height), (door + width, foot - .6 * height), (door + width, foot),
                 (door - width, foot)])


def _tree(rng, picture, put, x, foot, scale):
    height, radius = rng.uniform(.3, .42) * scale, rng.uniform(.1, .15) * scale
    line(picture, [(x, foot), (x, foot - height)], .05 * scale, _KINDS.index('trunk'))
    put('crown', ellipse(x, foot - height, radius, radius * rng.uniform(.9, 1.3)))


def _fir(rng, picture, put, x, foot, scale):
    height, half = rng.uniform(.38, .55) * scale, rng.uniform(.09, .14) * scale
    line(picture, [(x, foot), (x, foot - .2 * height)], .05 * scale, _KINDS.index('trunk'))
    for begin, end, width in ((.15, .6, 1), (.4, .8, .8), (.62, 1, .6)):
        put('fir', [(x - width * half, foot - begin * height), (x, foot - end * height),
                    (x + width * half, foot - begin * height)])


_THINGS = {'house': _house, 'tree': _tree, 'fir': _fir}


def _painted(kinds, season, light):
    """Numbers of kinds [H, W] -> uint8 [H, W, 3]"""
    colours = np.array([season[kind] for kind in _KINDS]) * light
    return np.rint(colours).astype(np.uint8)[kinds]
