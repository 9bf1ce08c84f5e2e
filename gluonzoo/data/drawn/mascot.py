"""Pictures of the mascot: a detection dataset of one class that needs no download.

The mascot is yellow and as round as a ball, with a cream belly, coral cheeks, a tuft, long ears with dark blue
tips, and a thin blue zigzag tail with a ball at its end. It is drawn turned any way, from the front or from behind,
in any light, up to three times in a picture, cut off by the edge or partly hidden by other things. Around it lie things
that resemble it: yellow ones without ears, round ones with a face, long-eared ones that are grey or blue.

A picture is a function of (seed, index), as long as NumPy and OpenCV are the same.
"""
import cv2
import numpy as np

from .photographed import photographed
from .scenery import Layer, Shape, background, blend, colour, ellipse, leaf, render, rotation, strip, thing, window

__all__ = ['CLASS_NAMES', 'draw_mascot', 'picture']

CLASS_NAMES = ['mascot']

_COUNTS = [.08, .5, .27, .15]   # how often there are 0, 1, 2, 3 in a picture
_SMALLEST, _LARGEST = .1, .58   # the longer side of a box, of the picture's
_LEAST_VISIBLE = .7   # of a mascot's area


def picture(seed, index, size=512):
    """One picture and where the mascots are in it.

    Parameters
    ----------
    seed, index : int, at least 0
        Which picture: any two differ.
    size : int, at least 64
        Its sides in pixels.

    Returns
    -------
    image : uint8 array [size, size, 3], RGB
    boxes : float32 array [n, 4], n from 0 to 3
        xmin ymin xmax ymax in pixels, edges: around the visible part of each mascot.
    """
    if size < 64:
        raise ValueError(f'size: must be at least 64: {size}')
    rng = np.random.Generator(np.random.PCG64([seed, index]))
    scene = _Scene(background(rng, size))
    light = rng.uniform(-.28, .28, 2)
    mascots = rng.choice(len(_COUNTS), p=_COUNTS)
    order = ['mascot'] * mascots + ['thing'] * rng.integers(0, 5)
    rng.shuffle(order)
    for kind in order:
        for _ in range(8):   # until one is found that does not hide too much of another
            if kind == 'mascot':
                layer, centre = _place(rng, size, draw_mascot(rng), light, _extent(rng, mascots))
            else:
                layer, centre = _place(rng, size, thing(rng), light, rng.uniform(.06, .35))
            if scene.paste(layer, centre, kind == 'mascot', rng.choice([0, rng.uniform(.15, .45)])):
                break
    for xmin, ymin, xmax, ymax in scene.boxes():
        if rng.random() < .25:   # something in front of a part of it
            extent = rng.uniform(.3, .65) * max(xmax - xmin, ymax - ymin) / size
            layer, _ = _place(rng, size, thing(rng), light, extent)
            scene.paste(layer, rng.uniform((xmin, ymin), (xmax, ymax)))
    return photographed(rng, scene.image), scene.boxes()


def _extent(rng, mascots):
    """The longer side of a mascot, of the picture's: small ones are as frequent as large ones on a scale of ratios."""
    return np.exp(rng.uniform(np.log(1.15 * _SMALLEST), np.log(_LARGEST * (1, 1, .8, .65)[mascots])))


def draw_mascot(rng):
    """The shapes of one mascot, upright, whose body has a radius of 1."""
    coat = colour(rng, (.128, .158), (.72, .95), (.88, 1))
    dim = tuple(np.multiply(coat, .86))
    dark = colour(rng, (.6, .68), (.5, .8), (.25, .45))   # blue, of the tips of the ears and the tail
    side = rng.choice([-1, 1])
    from_behind = rng.random() < .12
    turn = rng.uniform(-.75, .75)   # about its own axis: what it has on its front moves sideways

    count = int(rng.integers(3, 5))
    corners = np.stack((np.linspace(.75, 1.7, count + 1),
                        .5 - np.linspace(0, .7, count + 1) + .34 * (np.arange(count + 1) % 2)), 1) * (side, 1)
    steps = np.arange(0, count + .01, .25)
    zigzag = np.stack([np.interp(steps, np.arange(count + 1), column) for column in corners.T], 1)
    tail = [Shape(strip(zigzag, np.full(len(zigzag), .15)), dark), Shape(ellipse(*corners[-1], .22), coat)]

    length, width = rng.uniform(1.15, 1.55), rng.uniform(.42, .54)
    ears = []
    for ear in (-1, 1):
        pose = dict(base=(.42 * ear + .12 * np.sin(turn), -.74), angle=-np.pi / 2 + ear * rng.uniform(.12, .75),
                    length=length, width=width, bend=ear * rng.uniform(-.1, .3))
        ears += [Shape(leaf(**pose), coat), Shape(leaf(**pose, begin=.58), dark)]

    tuft = [Shape(leaf((0, -.9), -np.pi / 2 + lean, .38, .13), dim) for lean in (-.5, 0, .5)]
    feet = [Shape(ellipse(.45 * foot + .15 * np.sin(turn), .93, .3, .17), dim) for foot in (-1, 1)]
    arms = [Shape(ellipse(.86 * arm, .22, .17, .36, -arm * rng.uniform(.2, 1.3)), dim) for arm in (-1, 1)]
    body = Shape(ellipse(0, 0, 1, .97), coat)
    if from_behind:
        spots = [Shape(ellipse(x, y, .13, .1), dark) for x, y in ((-.3, -.1), (0, -.25), (.3, -.1))]
        return [*feet, *ears, *arms, *tuft, body, *spots, *tail]

    def on_ball(longitude, y):
        """Where a mark of the front is seen from here, and how narrow it looks."""
        return np.sin(longitude + turn) * np.sqrt(1 - y * y), np.cos(longitude + turn)

    x, narrow = on_ball(0, .42)
    front = [Shape(ellipse(x, .42, .58 * narrow, .48), (252, 240, 200))]
    for way in (-1, 1):
        x, narrow = on_ball(way * .42, -.2)
        if narrow > .25:
            front += [Shape(ellipse(x, -.2, .13 * narrow, .2), (35, 30, 45)),
                      Shape(ellipse(x - .03, -.28, .05 * narrow, .06), (255, 255, 255))]
        x, narrow = on_ball(way * .8, .12)
        if narrow > .2:
            front.append(Shape(ellipse(x, .12, .22 * narrow, .13), colour(rng, (-.02, .03), (.5, .7), (.88, .98))))
    x, narrow = on_ball(0, .1)
    mouth = np.linspace(-.16, .16, 9)
    front.append(Shape(strip(np.stack((x + mouth * narrow, .14 - 3 * mouth ** 2), 1), np.full(9, .05)), (35, 30, 45)))
    return [*tail, *feet, *ears, *tuft, body, *front, *arms]


def _place(rng, size, shapes, light, extent):
    """A drawing turned and squeezed at random, its longer side `extent` of the picture's: (layer, centre in pixels)."""
    turn = rng.normal(0, .3) if rng.random() < .55 else rng.uniform(-np.pi, np.pi)
    width, height, slant = rng.choice([-1, 1]) * rng.uniform(.85, 1.12), rng.uniform(.88, 1.08), rng.normal(0, .07)
    squeeze = np.array([[width, slant], [0, height]])
    matrix = rotation(turn) @ squeeze
    points = np.concatenate([shape.points for shape in shapes]) @ matrix.T
    low, high = points.min(0), points.max(0)
    scale = extent * size / (high - low).max()
    brightness = rng.uniform(.75, 1.1)
    outline = rng.uniform(.006, .014) * extent * size if rng.random() < .4 else 0
    layer = render(shapes, matrix * scale, (*light, brightness), outline)
    low, high = low * scale, high * scale
    # Within the picture, or with a part of it beyond the edge.
    beyond = .25 * (high - low) if rng.random() < .2 else 0
    return layer, rng.uniform(-low - beyond, size - high + beyond)


class _Scene:
    """A picture to which layers are added, which knows what of each mascot can still be seen."""

    def __init__(self, image):
        self.image = image
        self._visible = []   # of each mascot, bool [size, size]
        self._areas = []     # of each mascot, were it alone and whole

    def paste(self, layer, centre, mascot=False, shadow=0):
        """Adds a layer; False, and nothing is done, if too little of a mascot could be seen with it.

        `shadow` is how much it darkens what is under it and a little to the right and down, 0 to 1.
        """
        met = window(self.image, layer, centre)
        if met is None:
            return False
        there, part = met
        covered = np.zeros(self.image.shape[:2], bool)
        covered[there] = layer.alpha[part][..., 0] > .5
        visible = [mask & ~covered for mask in self._visible]
        areas = list(self._areas)
        if mascot:
            visible.append(covered)
            areas.append(np.count_nonzero(layer.alpha > .5))
        for mask, area in zip(visible, areas):
            if np.count_nonzero(mask) < _LEAST_VISIBLE * area:
                return False
            xmin, ymin, xmax, ymax = _box(mask)
            if max(xmax - xmin, ymax - ymin) < _SMALLEST * len(self.image):
                return False
        self._visible, self._areas = visible, areas
        if shadow:
            blend(self.image, _shadow(layer, shadow), centre + .05 * np.array(layer.alpha.shape[1::-1]))
        blend(self.image, layer, centre)
        return True

    def boxes(self):
        return np.array([_box(mask) for mask in self._visible], np.float32).reshape(-1, 4)


def _shadow(layer, strength):
    """A black layer, its shape softened."""
    reach = 1 + layer.alpha.shape[1] // 10
    wider = cv2.copyMakeBorder(layer.alpha, reach, reach, reach, reach, cv2.BORDER_CONSTANT)
    alpha = strength * cv2.blur(cv2.blur(wider, (reach, reach)), (reach, reach))[..., None]   # [h, w] -> [h, w, 1]
    return Layer(np.zeros((*alpha.shape[:2], 3), np.float32), alpha, tuple(np.add(layer.origin, reach)))


def _box(mask):
    """xmin ymin xmax ymax, edges, of what is True."""
    columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
