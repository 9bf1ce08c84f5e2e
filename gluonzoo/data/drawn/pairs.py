"""Fronts of houses, each as a map of its parts and as a picture: pairs that need no download.

The map gives every part its colour of :data:`COLOURS`. The picture shows the same house in daylight: plaster with
courses, a tiled roof, glass that mirrors the sky within frames, doors with panels, striped awnings, railings, shutters
with slats, and the shadows of what stands out. It follows from the map but for the time of the day, which changes the
light a little; so a network can learn it, and has to draw what the map does not show.

A pair is a function of (seed, index), as long as NumPy and OpenCV are the same.
"""
import numpy as np

__all__ = ['COLOURS', 'pair']

# RGB, of the map.
COLOURS = {
    'sky': (0, 0, 170), 'wall': (0, 0, 255), 'roof': (170, 0, 0), 'cornice': (0, 255, 255), 'window': (0, 85, 255),
    'shutter': (255, 255, 0), 'balcony': (170, 255, 85), 'door': (255, 85, 0), 'shop': (255, 0, 0),
    'street': (85, 85, 85)}

_SUN = (1.06, 1.0, .94)   # what the light does to red, green and blue late in the day; early, the other way round


def pair(seed, index, size=256):
    """One house.

    Parameters
    ----------
    seed, index : int, at least 0
        Which house: any two differ.
    size : int, at least 32
        The sides of both pictures in pixels.

    Returns
    -------
    map, picture : uint8 arrays [size, size, 3], RGB
    """
    if size < 32:
        raise ValueError(f'size: must be at least 32: {size}')
    rng = np.random.Generator(np.random.PCG64([seed, index]))
    parts = _house(rng)
    areas = [(kind, *(int(round(size * edge)) for edge in edges)) for kind, *edges in parts]
    labels = np.empty((size, size, 3), np.uint8)
    picture = np.empty((size, size, 3), np.float32)
    for kind, left, top, right, bottom in areas:   # what is in front comes last
        if right > left and bottom > top:
            labels[top:bottom, left:right] = COLOURS[kind]
            _PAINT[kind](picture, left, top, right, bottom)
    light = np.power(_SUN, rng.uniform(-1, 1)) * rng.uniform(.94, 1.06)
    return labels, np.clip(picture * light, 0, 255).astype(np.uint8)


# -- a plan ----------------------------------------------------------------------------------------------------------

def _house(rng):
    """The parts, those behind first: (kind, left, top, right, bottom) as fractions of the picture."""
    floors, columns = rng.integers(2, 6), rng.integers(2, 7)
    left, right = (0, 1) if rng.random() < .5 else rng.uniform((.02, .86), (.12, .98))
    eaves, ground = rng.uniform(.12, .24), .94
    storey, bay = (ground - eaves) / floors, (right - left) / columns
    window = np.array([rng.uniform(.36, .56) * bay, rng.uniform(.45, .62) * storey])
    shutters = rng.random() < .4
    balconies = rng.integers(floors - 1) if rng.random() < .6 else None
    courses = rng.random() < .5
    shops = rng.random() < .5
    entrance = rng.integers(columns)

    parts = [('sky', 0, 0, 1, 1), ('street', 0, ground, 1, 1), ('wall', left, eaves, right, ground),
             ('roof', left, eaves - rng.uniform(.05, .1), right, eaves), ('cornice', left, eaves, right, eaves + .02)]
    for floor in range(floors):
        top = eaves + floor * storey
        last = floor == floors - 1
        if courses and 0 < floor:
            parts.append(('cornice', left, top - .008, right, top + .008))
        for column in range(columns):
            middle = left + (column + .5) * bay
            x0, x1 = middle + window[0] / 2 * np.array([-1, 1])
            y0 = top + .26 * storey
            if last and column == entrance:
                parts.append(('door', x0, y0, x1, ground))
            elif last and shops:
                parts.append(('shop', middle - .42 * bay, y0, middle + .42 * bay, ground - .03))
            else:
                parts.append(('window', x0, y0, x1, y0 + window[1]))
                if shutters and not last:
                    parts += [('shutter', x, y0, x + .42 * window[0], y0 + window[1])
                              for x in (x0 - .42 * window[0], x1)]
        if floor == balconies:
            height = .3 * window[1]
            parts.append(('balcony', left + .1 * bay, y0 + window[1] - height, right - .1 * bay, y0 + window[1] + .012))
    return parts


# -- the parts -------------------------------------------------------------------------------------------------------

def _fill(picture, left, top, right, bottom, upper, lower=None):
    """Paints an area, from the colour `upper` to the colour `lower`."""
    rows = np.linspace(0, 1, bottom - top, dtype=np.float32)[:, None]
    upper = np.array(upper, np.float32)
    shades = upper + rows * (np.array(upper if lower is None else lower, np.float32) - upper)
    picture[top:bottom, left:right] = shades[:, None]


def _shade(picture, left, top, right, bottom, factor):
    """Makes an area darker or lighter; what of it is outside the picture is left out."""
    picture[max(top, 0):max(bottom, 0), max(left, 0):max(right, 0)] *= factor


def _inside(left, top, right, bottom, share):
    """The area without a frame of that share of its lesser side, at least a pixel."""
    edge = max(1, round(share * min(right - left, bottom - top)))
    return left + edge, top + edge, max(right - edge, left + edge), max(bottom - edge, top + edge)


def _period(picture, share):
    return max(2, round(share * len(picture)))


def _sky(picture, *area):
    _fill(picture, *area, (120, 165, 220), (215, 228, 240))


def _street(picture, *area):
    _fill(picture, *area, (120, 118, 115), (95, 93, 92))


def _wall(picture, left, top, right, bottom):
    _fill(picture, left, top, right, bottom, (222, 200, 165), (200, 176, 142))
    for row in range(top, bottom, _period(picture, 1 / 32)):
        _shade(picture, left, row, right, row + 1, .93)


def _roof(picture, left, top, right, bottom):
    _fill(picture, left, top, right, bottom, (150, 78, 62), (120, 58, 48))
    for column in range(left, right, _period(picture, 1 / 40)):
        _shade(picture, column, top, column + 1, bottom, .85)


def _cornice(picture, left, top, right, bottom):
    _fill(picture, left, top, right, bottom, (245, 238, 225), (215, 205, 190))
    _shade(picture, left, bottom, right, bottom + _period(picture, 1 / 100), .72)


def _window(picture, left, top, right, bottom):
    _fill(picture, left, top, right, bottom, (244, 242, 236))
    x0, y0, x1, y1 = _inside(left, top, right, bottom, .1)
    _fill(picture, x0, y0, x1, y1, (60, 78, 98), (118, 142, 165))
    bar = max(1, round(.07 * (right - left)))
    middle = (x0 + x1 - bar) // 2
    _fill(picture, middle, y0, middle + bar, y1, (244, 242, 236))
    third = y0 + (y1 - y0) // 3
    _fill(picture, x0, third, x1, third + bar, (244, 242, 236))
    _shade(picture, left, bottom, right, bottom + _period(picture, 1 / 100), .75)


def _shutter(picture, left, top, right, bottom):
    _fill(picture, left, top, right, bottom, (72, 112, 84))
    for row in range(top + 1, bottom, _period(picture, 1 / 64)):
        _shade(picture, left + 1, row, right - 1, row + 1, .72)


def _balcony(picture, left, top, right, bottom):
    slab = max(1, (bottom - top) // 5)
    _shade(picture, left, top, right, bottom - slab, .8)   # what is behind the railing stays to be seen
    for column in range(left, right, _period(picture, 1 / 42)):
        _fill(picture, column, top, min(column + 1, right), bottom, (45, 42, 42))
    _fill(picture, left, top, right, min(top + 2, bottom), (45, 42, 42))
    _fill(picture, left, bottom - slab, right, bottom, (205, 198, 188))
    _shade(picture, left, bottom, right, bottom + _period(picture, 1 / 64), .7)


def _door(picture, left, top, right, bottom):
    _fill(picture, left, top, right, bottom, (238, 232, 220))
    x0, y0, x1, y1 = _inside(left, top, right, bottom, .12)
    _fill(picture, x0, y0, x1, bottom, (120, 76, 46), (96, 58, 34))
    height = max(1, (bottom - y0) // 3)
    for row in range(y0, bottom - height // 2, height):
        _shade(picture, *_inside(x0, row, x1, min(row + height, bottom), .22), .72)


def _shop(picture, left, top, right, bottom):
    _fill(picture, left, top, right, bottom, (70, 84, 92), (128, 144, 150))
    awning = top + max(2, (bottom - top) // 3)
    stripe = _period(picture, 1 / 32)
    for number, column in enumerate(range(left, right, stripe)):
        colour = (196, 60, 52) if number % 2 else (240, 232, 220)
        _fill(picture, column, top, min(column + stripe, right), awning, colour, np.multiply(colour, .85))
    _shade(picture, left, awning, right, awning + _period(picture, 1 / 50), .6)


_PAINT = {'sky': _sky, 'street': _street, 'wall': _wall, 'roof': _roof, 'cornice': _cornice, 'window': _window,
          'shutter': _shutter, 'balcony': _balcony, 'door': _door, 'shop': _shop}
