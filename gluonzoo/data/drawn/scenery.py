"""Drawing for synthetic pictures: shapes with soft edges, backgrounds, and random things.

Everything is a function of the random generator it is given, and sizes are fractions of the picture, so that a small
picture shows the same as a large one. Colours are RGB, 0 to 255; x goes right and y down.
"""
import colorsys
from typing import NamedTuple

import cv2
import numpy as np

__all__ = ['Shape', 'Layer', 'ellipse', 'leaf', 'render', 'blend', 'window', 'background', 'thing', 'colour', 'noise']

_FRACTION = 4   # cv2 takes points as integers, in units of 2 ** -4 pixel
_FINER = 2   # shapes are drawn so many times larger, then averaged


class Shape(NamedTuple):
    """A polygon filled with one colour."""
    points: np.ndarray   # [n, 2]
    colour: tuple


class Layer(NamedTuple):
    """A drawing on nothing: how much it covers of every pixel, 0 to 1, and its colour, times that."""
    colour: np.ndarray   # [h, w, 3] float32
    alpha: np.ndarray    # [h, w, 1] float32
    origin: tuple        # x, y of the drawing's own (0, 0) in it


def colour(rng, hue=(0, 1), saturation=(.2, .9), value=(.25, 1)):
    """A random colour; `hue`, `saturation` and `value` are ranges, 0 to 1. A hue of 0 is red, 1/6 yellow, 1/3 green."""
    return tuple(255 * part for part in colorsys.hsv_to_rgb(rng.uniform(*hue) % 1, rng.uniform(*saturation),
                                                            rng.uniform(*value)))


def yellow(rng):
    return colour(rng, (.115, .165), (.65, 1), (.8, 1))


def other_than_yellow(rng):
    return colour(rng, (.22, 1.06), (.3, .9), (.35, 1))


# -- polygons --------------------------------------------------------------------------------------------------------

def ellipse(x, y, rx, ry=None, turn=0., count=40):
    """Points [count, 2] of an ellipse about (x, y), turned by `turn` radians; a circle without `ry`."""
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    points = np.stack((rx * np.cos(angles), (rx if ry is None else ry) * np.sin(angles)), 1)
    return points @ rotation(turn).T + (x, y)


def star(points, inner, turn=0.):
    """Points of a star of radius 1 with so many points, whose inner corners have the radius `inner`."""
    angles = turn + np.arange(2 * points) * np.pi / points
    return np.stack((np.cos(angles), np.sin(angles)), 1) * np.where(np.arange(2 * points) % 2, inner, 1)[:, None]


def leaf(base, angle, length, width, bend=0., begin=0., end=1., count=24):
    """A leaf from `base` towards `angle` (radians), widest in its lower half; `bend` curves it to the side.

    `begin` and `end` cut a part out of it: 0.6 and 1 give the tip.
    """
    t = np.linspace(begin, end, count)
    half = width / 2 * np.sin(np.pi * np.clip(t, 0, 1) ** .75) ** .8
    side = bend * length * t ** 2
    outline = np.concatenate((np.stack((t * length, side - half), 1), np.stack((t * length, side + half), 1)[::-1]))
    return outline @ rotation(angle).T + base


def strip(line, widths):
    """The polygon about a line [n, 2] that is widths [n] wide."""
    along = np.gradient(np.asarray(line, float), axis=0)
    across = np.stack((-along[:, 1], along[:, 0]), 1) / np.maximum(np.hypot(*along.T), 1e-6)[:, None]
    across *= np.reshape(widths, (-1, 1)) / 2
    return np.concatenate((line + across, (line - across)[::-1]))


def rotation(angle):
    """The matrix that turns (x, y) by `angle` radians, clockwise in a picture."""
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _fill(image, points, colour, scale=1, origin=(0, 0)):
    fixed = np.round((points * scale + origin) * 2 ** _FRACTION).astype(np.int32)
    cv2.fillPoly(image, [fixed], colour, cv2.LINE_AA, _FRACTION)
    return fixed


def render(shapes, matrix, light=(0, 0, 1), outline=0, ink=(40, 25, 20)):
    """Shapes drawn over one another, transformed by `matrix` [2, 2], as a layer.

    Parameters
    ----------
    shapes : list of Shape
        Points about (0, 0), where the body of the drawing has a radius of about 1.
    matrix : array [2, 2]
        From the points' unit to pixels.
    light : (x, y, brightness)
        The drawing gets brighter by x per unit to the right and by y per unit down, darker to the other side; all of it
        is multiplied by `brightness`.
    outline : float
        Width in pixels of a line of colour `ink` about each shape; 0 for none.
    """
    moved = [shape.points @ np.transpose(matrix) for shape in shapes]
    corners = np.concatenate(moved)
    margin = 2 + outline
    low = np.floor(corners.min(0) - margin).astype(int)
    width, height = np.ceil(corners.max(0) + margin).astype(int) - low
    canvas = np.zeros((_FINER * height, _FINER * width, 4), np.uint8)
    for shape, points in zip(shapes, moved):
        fixed = _fill(canvas, points, (*shape.colour, 255), _FINER, -low * _FINER)
        if outline:
            cv2.polylines(canvas, [fixed], True, (*ink, 255), max(1, round(outline * _FINER)), cv2.LINE_AA, _FRACTION)
    drawn = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)

    radius = np.sqrt(abs(np.linalg.det(matrix)))
    x = (np.arange(width, dtype=np.float32) + low[0]) / radius
    y = (np.arange(height, dtype=np.float32)[:, None] + low[1]) / radius
    shade = 1 + light[0] * x + light[1] * y
    # As on a ball: the rim is darker than the middle.
    shade -= .12 * np.minimum(x * x + y * y, 1.5)
    shade = np.clip(shade, .45, 1.35) * light[2]
    alpha = drawn[..., 3:] / 255
    return Layer(np.minimum(drawn[..., :3] * shade[..., None], 255 * alpha), alpha, tuple(-low))


def window(image, layer, centre):
    """Where an image and a layer meet, whose (0, 0) comes to `centre`: slices of the image, slices of the layer.

    None if they do not meet.
    """
    there, part = [], []
    for axis in (1, 0):
        start = int(round(centre[axis])) - layer.origin[axis]
        low, high = max(start, 0), min(start + layer.alpha.shape[1 - axis], image.shape[1 - axis])
        if low >= high:
            return None
        there.append(slice(low, high))
        part.append(slice(low - start, high - start))
    return tuple(there), tuple(part)


def blend(image, layer, centre):
    """Draws a layer over an image; what of the layer is outside the image is left out."""
    met = window(image, layer, centre)
    if met is not None:
        there, part = met
        image[there] = image[there] * (1 - layer.alpha[part]) + layer.colour[part]


# -- backgrounds -----------------------------------------------------------------------------------------------------

def noise(rng, size, cells, octaves=4):
    """Smooth random hills [size, size], float32, 0 to 1: `cells` of them along a side, and finer ones on them."""
    hills = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        grid = rng.random((cells * 2 ** octave + 1,) * 2, dtype=np.float32)
        hills += .5 ** octave * cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC)
    low, high = hills.min(), hills.max()
    return (hills - low) / max(high - low, 1e-6)


def _coloured(heights, colours):
    """Heights [.., ..], 0 to 1, as colours: the first for 0, the last for 1."""
    table = cv2.resize(np.float32(colours)[:, None], (1, 256))   # [k, 1, 3] -> [256, 1, 3]
    return cv2.applyColorMap(np.clip(255 * heights, 0, 255).astype(np.uint8), np.clip(table, 0, 255).astype(np.uint8))


def _gradient(rng, size):
    side = rng.integers(2, 4)
    colours = np.float32([colour(rng) for _ in range(side * side)]).reshape(side, side, 3)
    return np.clip(cv2.resize(colours, (size, size), interpolation=cv2.INTER_CUBIC), 0, 255).astype(np.uint8)


def _texture(rng, size):
    return _coloured(noise(rng, size, int(rng.integers(2, 24))), [colour(rng) for _ in range(rng.integers(2, 5))])


def _ramp(size, angle, bend=0.):
    """A coordinate [size, size] along `angle`, 0 to about 1, waved across it by `bend`."""
    steps = np.linspace(0, 1, size, dtype=np.float32)
    along = np.cos(angle) * steps + np.sin(angle) * steps[:, None]
    if bend:
        along += bend * np.sin(9 * (np.cos(angle) * steps[:, None] - np.sin(angle) * steps))
    return along


def _pattern(rng, size):
    """Stripes, or where two of them cross, checks."""
    angle, count = rng.uniform(0, np.pi), rng.uniform(4, 16)
    bands = np.sin(2 * np.pi * count * _ramp(size, angle, rng.choice([0, rng.uniform(0, .05)])))
    if rng.random() < .5:
        bands = bands * np.sin(2 * np.pi * count * _ramp(size, angle + np.pi / 2))
    return _coloured(np.clip(.5 + bands * rng.choice([.5, 4]), 0, 1), [colour(rng), colour(rng)])


def _shapes(rng, size):
    image = _gradient(rng, size)
    for _ in range(rng.integers(8, 30)):
        centre, radius = rng.random(2), rng.uniform(.02, .2)
        outline = [ellipse(0, 0, 1, rng.uniform(.3, 1)), star(rng.integers(3, 8), rng.uniform(.3, .9)),
                   np.array([[-1, -.6], [1, -.6], [1, .6], [-1, .6]]),
                   strip(rng.uniform(-1.5, 1.5, (3, 2)), [.1, .1, .1])][rng.integers(4)]
        _fill(image, (outline * radius) @ rotation(rng.uniform(0, 6.3)).T + centre, colour(rng), size)
    return image


def _ridge(rng, level, roughness):
    """Points of the land under a random line at about `level` (0 is the top)."""
    y = level + roughness * (np.interp(np.linspace(0, 1, 60), np.linspace(0, 1, 6), rng.uniform(-1, 1, 6))
                             + .35 * np.interp(np.linspace(0, 1, 60), np.linspace(0, 1, 20), rng.uniform(-1, 1, 20)))
    return np.concatenate((np.stack((np.linspace(-.01, 1.01, 60), y), 1), [[1.01, 1.01], [-.01, 1.01]]))


def _tree(rng, image, size, x, y, height):
    trunk, crown = colour(rng, (.05, .1), (.3, .6), (.2, .5)), colour(rng, (.2, .42), (.3, .8), (.2, .7))
    _fill(image, strip([[x, y], [x, y - height * .6]], [height * .1, height * .07]), trunk, size)
    if rng.random() < .5:
        for lift in (.25, .45, .65):
            width = .42 * height * (1.15 - lift)
            _fill(image, np.array([[x - width, y - lift * height], [x + width, y - lift * height],
                                   [x, y - (lift + .42) * height]]), crown, size)
    else:
        for _ in range(5):
            dx, dy = rng.uniform(-.2, .2, 2) * height
            _fill(image, ellipse(x + dx, y - .7 * height + dy, .2 * height), tuple(
                np.clip(np.multiply(crown, rng.uniform(.8, 1.2)), 0, 255)), size)


def _house(rng, image, size, x, y, width):
    wall, roof = colour(rng, saturation=(.1, .5), value=(.5, 1)), colour(rng, (-.05, .1), (.3, .8), (.3, .7))
    half, height = width / 2, width * rng.uniform(.6, 1.2)
    front = np.array([[-1, 0], [1, 0], [1, -1], [-1, -1]])
    for points, paint in ((front, wall), (np.array([[-1.2, -1], [1.2, -1], [0, -1.5]]), roof)):
        _fill(image, points * (half, height) + (x, y), paint, size)
    for side in (-.5, .5):
        window = ellipse(x + side * half, y - .6 * height, .2 * half, count=4)
        _fill(image, window, colour(rng, (.1, .2), (.1, .6)), size)


def _landscape(rng, size):
    horizon = rng.uniform(.25, .7)
    sky = [colour(rng, (.5, .68), (.15, .7), (.5, 1)), colour(rng, (.45, 1.1), (.05, .4), (.7, 1))]
    image = _coloured(_ramp(size, np.pi / 2) / horizon, sky)
    if rng.random() < .5:
        _fill(image, ellipse(*rng.uniform((.1, .05), (.9, horizon)), rng.uniform(.03, .08)), yellow(rng), size)
    if rng.random() < .6:
        cloud = np.clip(3 * noise(rng, size, 4) - 1.6, 0, .9)[..., None]
        image = (image + cloud * (np.float32(245) - image)).astype(np.uint8)
    hue = rng.choice([.3, .25, .6, .08], p=[.5, .2, .15, .15])   # grass, meadow, water, sand
    far = colour(rng, (.35, .7), (.1, .4), (.4, .8))
    near = colour(rng, (hue - .03, hue + .03), (.3, .7), (.3, .8))
    levels = np.sort(rng.uniform(horizon - .1, horizon + .05, rng.integers(1, 4)))
    for step, level in enumerate(levels):
        mixed = np.add(far, np.subtract(near, far) * step / (len(levels) + 1))
        _fill(image, _ridge(rng, level, .08 / (step + 1)), tuple(mixed), size)
    ground = np.zeros((size, size), np.uint8)
    _fill(ground, _ridge(rng, horizon + .05, .015), 255, size)
    blades = _coloured(.4 * noise(rng, size, 4, 2) + .6 * noise(rng, size, 64, 2),
                       [np.multiply(near, .75), near, np.minimum(np.multiply(near, 1.2), 255)])
    cv2.copyTo(blades, ground, image)
    for y in np.sort(rng.uniform(horizon + .06, horizon + .25, rng.integers(0, 7))):
        near_by = .1 + .5 * (y - horizon)
        if rng.random() < .75:
            _tree(rng, image, size, rng.random(), y, rng.uniform(1, 2) * near_by)
        else:
            _house(rng, image, size, rng.random(), y, near_by)
    return image


def _room(rng, size):
    wall = colour(rng, saturation=(.05, .5), value=(.5, 1))
    floor = colour(rng, (.03, .12), (.15, .6), (.3, .8))
    edge = rng.uniform(.5, .8)
    bands = np.sin(2 * np.pi * rng.uniform(6, 20) * _ramp(size, 0)) * rng.choice([0, .3, 4])
    image = _coloured(np.clip(.5 + .5 * bands, 0, 1), [wall, np.multiply(wall, .88)])
    _fill(image, np.array([[0, edge], [1, edge], [1, 1], [0, 1]]), floor, size)
    vanishing = np.array([rng.uniform(.2, .8), edge - .4])
    for x in np.arange(-1.5, 2.5, rng.uniform(.1, .25)):   # boards that meet far away
        ends = vanishing + (np.array([x, 1]) - vanishing) * [[(edge - vanishing[1]) / (1 - vanishing[1])], [1]]
        _fill(image, strip(ends, [.003, .007]), tuple(np.multiply(floor, .7)), size)
    _fill(image, np.array([[0, edge - .025], [1, edge - .025], [1, edge], [0, edge]]), (235, 230, 225), size)
    for _ in range(rng.integers(0, 3)):   # frames and windows
        x, y, w, h = *rng.uniform((.1, .1), (.9, .35)), *rng.uniform(.06, .15, 2)
        frame = np.array([[-w, -h], [w, -h], [w, h], [-w, h]])
        _fill(image, frame + (x, y), colour(rng, value=(.2, .9)), size)
        _fill(image, frame * .85 + (x, y), colour(rng), size)
        _fill(image, ellipse(x, y, .4 * w, .5 * h), colour(rng), size)
    if rng.random() < .5:
        rug = ellipse(rng.uniform(.2, .8), (edge + 1) / 2 + .03, rng.uniform(.2, .4), (1 - edge) * .3)
        _fill(image, rug, colour(rng), size)
        _fill(image, (rug - rug.mean(0)) * .8 + rug.mean(0), colour(rng), size)
    return image


_BACKGROUNDS = {_gradient: .1, _texture: .17, _pattern: .1, _shapes: .13, _landscape: .3, _room: .2}


def background(rng, size):
    """A random background, RGB uint8 [size, size, 3]: gradient, texture, pattern, shapes, landscape or room."""
    image = list(_BACKGROUNDS)[rng.choice(len(_BACKGROUNDS), p=list(_BACKGROUNDS.values()))](rng, size)
    if rng.random() < .6:   # no surface is as even as paint on a screen
        grain = noise(rng, size, 64, 2) * (255 * rng.uniform(.04, .16))
        image = cv2.subtract(image, cv2.cvtColor(grain.astype(np.uint8), cv2.COLOR_GRAY2RGB))
    return image


# -- things ----------------------------------------------------------------------------------------------------------

def _ball(rng):
    skin = yellow(rng) if rng.random() < .4 else other_than_yellow(rng)
    shapes = [Shape(ellipse(0, 0, 1), skin)]
    if rng.random() < .6:
        x = np.linspace(-.96, .96, 15)
        band = strip(np.stack((x, .25 * np.cos(1.6 * x)), 1), np.full(15, rng.uniform(.1, .5)))
        shapes.append(Shape(band, colour(rng)))
    return shapes


def _banana(rng):
    peel = yellow(rng)
    angles = np.linspace(.15 * np.pi, .85 * np.pi, 16)
    line = np.stack((1.2 * np.cos(angles), 1.2 * np.sin(angles) - .6), 1)
    widths = .5 * np.sin(np.linspace(.08, .92, 16) * np.pi) ** .5
    ends = [Shape(ellipse(*line[end], .1), (90, 65, 30)) for end in (0, -1)]
    return [Shape(strip(line, widths), peel), Shape(strip(line[2:-2] + (0, .02), .06 + 0 * widths[2:-2]),
                                                   tuple(np.multiply(peel, .8))), *ends]


def _lemon(rng):
    skin = yellow(rng)
    return [Shape(ellipse(side * .95, 0, .22, .16), skin) for side in (-1, 1)] + [Shape(ellipse(0, 0, 1, .72), skin)]


def _star(rng):
    return [Shape(star(rng.integers(5, 8), rng.uniform(.4, .7)), yellow(rng) if rng.random() < .4 else colour(rng))]


def _bolt(rng):
    corners = np.array([[.2, -1], [-.55, .1], [-.05, .1], [-.3, 1], [.55, -.2], [.05, -.2], [.45, -1]])
    return [Shape(corners, yellow(rng) if rng.random() < .3 else colour(rng))]


def _flower(rng):
    petals = yellow(rng) if rng.random() < .25 else colour(rng)
    count = int(rng.integers(5, 10))
    return [Shape(ellipse(.6 * np.cos(a), .6 * np.sin(a), .42, .22, a), petals)
            for a in np.arange(count) * 2 * np.pi / count] + [Shape(ellipse(0, 0, .3), colour(rng))]


def _face(rng, x=0., y=0., scale=1.):
    eyes = [ellipse(x + side * .35 * scale, y - .15 * scale, .1 * scale, .15 * scale) for side in (-1, 1)]
    smile = np.linspace(-.4, .4, 9) * scale
    mouth = strip(np.stack((x + smile, y + .4 * scale - smile ** 2 / scale), 1), np.full(9, .07 * scale))
    return [Shape(points, (35, 25, 25)) for points in (*eyes, mouth)]


def _smiley(rng):
    """Yellow and with a face, but nothing more than round."""
    return [Shape(ellipse(0, 0, 1), yellow(rng)), *_face(rng)]


def _blob(rng):
    """A round creature of another colour, with horns or none."""
    skin = other_than_yellow(rng)
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    radius = 1 + rng.uniform(0, .12) * np.sin(rng.integers(2, 7) * angles + rng.uniform(0, 6))
    horns = [Shape(leaf((side * .45, -.8), -np.pi / 2 + side * .3, .5, .3), colour(rng)) for side in (-1, 1)]
    body = Shape(np.stack((np.cos(angles), np.sin(angles)), 1) * radius[:, None], skin)
    return [*(horns if rng.random() < .5 else []), body, *_face(rng)]


def _rabbit(rng):
    """Long ears, but grey, brown, blue ..."""
    skin = colour(rng, (.45, 1.05), (.0, .5), (.3, .95))
    ears = [Shape(leaf((side * .35, -.75), -np.pi / 2 + side * rng.uniform(.1, .7), rng.uniform(.9, 1.5), .4), skin)
            for side in (-1, 1)]
    return [*ears, Shape(ellipse(0, 0, 1, .92), skin), *_face(rng)]


def _box(rng):
    """With a tape about it, the long way or the other."""
    face, w, h = colour(rng), rng.uniform(.6, 1), rng.uniform(.6, 1)
    end = [(w, 0), (0, h)][rng.integers(2)]
    return [Shape(np.array([[-w, -h], [w, -h], [w, h], [-w, h]]), face),
            Shape(strip(np.array([np.negative(end), end]), [.25, .25]), tuple(np.multiply(face, .7)))]


def _mushroom(rng):
    cap = colour(rng, (-.06, .1))
    top = np.concatenate((ellipse(0, -.1, 1, .85)[20:], [[1, 0], [-1, 0]]))
    return [Shape(ellipse(0, .4, .35, .6), (238, 228, 205)), Shape(top, cap),
            *(Shape(ellipse(x, y, .14, .11), (245, 240, 230)) for x, y in ((-.5, -.4), (.05, -.65), (.5, -.35)))]


def _leaves(rng):
    green = colour(rng, (.2, .42), (.4, .9), (.25, .75))
    return [Shape(leaf((0, .8), a, rng.uniform(1.2, 1.9), rng.uniform(.25, .45), rng.uniform(-.2, .2)),
                  tuple(np.clip(np.multiply(green, rng.uniform(.75, 1.25)), 0, 255)))
            for a in -np.pi / 2 + np.linspace(-.8, .8, rng.integers(3, 7))]


_THINGS = (_ball, _banana, _lemon, _star, _bolt, _flower, _smiley, _blob, _rabbit, _box, _mushroom, _leaves)


def thing(rng):
    """Shapes of a random thing of radius about 1: ball, banana, lemon, star, bolt, flower, smiley, blob, rabbit, box,
    mushroom or leaves. Many are yellow, some have ears or a face."""
    return _THINGS[rng.integers(len(_THINGS))](rng)
