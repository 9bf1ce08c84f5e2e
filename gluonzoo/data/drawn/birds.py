"""Pictures of a bird in front of scenery: a fine-grained dataset of twelve classes that needs no download.

The classes differ in the colour of the crown alone, a patch on the head that takes about half a hundredth of the
picture. All else is random and says nothing of the class: pose and size of the bird, the colours of its body, the marks
on its wing, breast and tail, the perch and the background. Marks on the bird, berries and other things around it have
the colours of crowns, too, so that it says little that a colour is somewhere in the picture.

In a picture of 128 x 128 pixels the crown is 8 to 16 pixels wide, and the longer side of the bird has 54 to 77. A
network learns the classes sooner where its pictures are cut out around the bird and enlarged.

A picture is a function of (seed, index), as long as NumPy and OpenCV are the same.
"""
from typing import NamedTuple

import numpy as np

from ...reading import quoted
from ...values import Rule, check, list_of, whole
from .photographed import photographed
from .scenery import Shape, background, blend, colour, ellipse, leaf, render, rotation, strip, thing

__all__ = ['CLASS_NAMES', 'Bird', 'picture']

LEAST_SIDE = 48                 # pixels
_SMALLEST, _LARGEST = .42, .6   # the longer side of the bird, of the picture's shorter one
_CLUTTER = .08, .22             # the longer side of a thing around it, of the picture's shorter one
_BERRY = .02, .045              # the radius of a berry, of the picture's shorter side

# Hue, saturation and value of the crowns of each class.
_PAINTS = {
    'black-crowned': ((0, 1), (0, .3), (.02, .08)),
    'blue-crowned': ((.60, .63), (.75, 1), (.75, 1)),
    'brown-crowned': ((.05, .07), (.65, .85), (.32, .4)),
    'green-crowned': ((.36, .40), (.7, 1), (.45, .65)),
    'lime-crowned': ((.22, .25), (.75, 1), (.8, 1)),
    'magenta-crowned': ((.86, .89), (.65, 1), (.8, 1)),
    'orange-crowned': ((.07, .085), (.85, 1), (.9, 1)),
    'red-crowned': ((-.01, .01), (.8, 1), (.75, 1)),
    'turquoise-crowned': ((.48, .51), (.7, 1), (.75, 1)),
    'violet-crowned': ((.74, .77), (.6, .9), (.6, .9)),
    'white-crowned': ((0, 1), (0, .06), (.95, 1)),
    'yellow-crowned': ((.145, .165), (.75, 1), (.9, 1)),
}
CLASS_NAMES = tuple(_PAINTS)

_NUMBER, _SIDE = whole(0), Rule(f'at least {LEAST_SIDE}, in whole pixels', whole(LEAST_SIDE).holds)
_NAME = Rule('the name of a class', lambda name: isinstance(name, str) and name in _PAINTS)
_NAMES = list_of(_NAME, f'names, each of {", ".join(CLASS_NAMES)}', 1)


class Bird(NamedTuple):
    """A picture of a bird, and what is known of it.

    image : NumPy uint8 [H, W, 3], RGB
    label : int, the class
    box : (xmin, ymin, xmax, ymax) of the bird in pixels, edges
    crown : the same of its crown
    """

    image: np.ndarray
    label: int
    box: tuple
    crown: tuple


def picture(seed, index, size=128, class_names=CLASS_NAMES):
    """One picture.

    Parameters
    ----------
    seed, index : int, at least 0
        Which picture: any two differ. Pictures whose indices follow one another show the classes in turn.
    size : int or (width, height), at least 48
        Its sides in pixels.
    class_names : sequence of str
        The classes that there are, some of :data:`CLASS_NAMES`. Where the same picture is of another class, nothing but
        the crown's colour differs.

    Returns
    -------
    Bird
        whose class is ``class_names[label]``

    Raises
    ------
    ValueError
        if an argument is not as it must be.
    """
    for name, value in (('seed', seed), ('index', index)):
        check(name, value, _NUMBER)
    check('class_names', class_names, _NAMES)
    width, height = _sides(size)
    label = index % len(class_names)
    rng = np.random.Generator(np.random.PCG64([seed, index]))
    side, sides = min(width, height), np.array([width, height])
    image = _calmed(rng, background(rng, max(width, height)))
    light = (*rng.uniform(-.1, .1, 2), rng.uniform(.95, 1.15))
    for _ in range(rng.integers(0, 3)):
        layer, _ = _layer(_repainted(rng, thing(rng)), _turned(rng, .8), light, side * rng.uniform(*_CLUTTER))
        blend(image, layer, rng.uniform(0, sides))

    matrix, length = _turned(rng, .2), side * rng.uniform(_SMALLEST, _LARGEST)
    crown_colour = _paint(np.random.Generator(np.random.PCG64([seed, index, 1])), class_names[label])
    bird, crown = _bird(rng, crown_colour)
    layer, extent = _layer(bird, matrix, light, length)
    corner = rng.uniform(.02 * sides, .98 * sides - extent)
    _surroundings(rng, image, corner, extent, light)
    centre = np.round(corner + layer.origin)
    blend(image, layer, centre)
    scale = length / _extent(bird, matrix).max()
    boxes = [tuple(float(edge) for corner in (points.min(0), points.max(0)) for edge in centre + corner)
             for points in (shapes @ (scale * matrix).T for shapes in (_points(bird), crown))]
    image = photographed(rng, image, blur=(.4 / 128, .8 / 128), grain=(2, 8))[:height, :width]
    return Bird(np.ascontiguousarray(image), label, *boxes)


def _sides(size):
    """(width, height) of a size, which may be one number for both."""
    sides = tuple(size) if isinstance(size, (tuple, list, np.ndarray)) and np.ndim(size) else (size, size)
    if len(sides) != 2:
        raise ValueError(f'size: must be one number or two, width and height: {quoted(size)}')
    for side in sides:
        check('size', side, _SIDE)
    return sides


def _calmed(rng, image):
    """A background that is paler than the crowns, and has less contrast."""
    grey = image.mean(-1, keepdims=True)
    pale = grey + rng.uniform(.2, .6) * (image - grey)
    mean = pale.mean((0, 1))
    return (mean + rng.uniform(.4, .8) * (pale - mean)).clip(0, 255).astype(np.uint8)


# -- colours ---------------------------------------------------------------------------------------------------------

def _paint(rng, name):
    return colour(rng, *_PAINTS[name])


def _any_paint(rng):
    """A colour that the crown of some class has."""
    return _paint(rng, CLASS_NAMES[rng.integers(len(CLASS_NAMES))])


def _plain(rng):
    """A colour of plumage, neither bright nor dark: any crown differs from it."""
    return colour(rng, saturation=(0, .4), value=(.45, .8))


def _repainted(rng, shapes):
    """Shapes of a thing, its largest part in the colour of a crown."""
    largest = max(range(len(shapes)), key=lambda index: np.ptp(shapes[index].points, 0).prod())
    former, paint = shapes[largest].colour, _any_paint(rng)
    return [shape._replace(colour=paint) if shape.colour == former else shape for shape in shapes]


# -- forms -----------------------------------------------------------------------------------------------------------

def _points(shapes):
    return np.concatenate([shape.points for shape in shapes])


def _extent(shapes, matrix):
    return np.ptp(_points(shapes) @ matrix.T, 0)


def _turned(rng, most):
    """A matrix that mirrors one in two, turns by about `most` radians at most, and slants and squeezes a little."""
    squeeze = np.array([[rng.choice([-1, 1]) * rng.uniform(.9, 1.1), rng.normal(0, .06)], [0, rng.uniform(.92, 1.08)]])
    return rotation(rng.uniform(-most, most)) @ squeeze


def _layer(shapes, matrix, light, longer):
    """Shapes as a layer whose longer side has so many pixels; its width and height."""
    scale = longer / _extent(shapes, matrix).max()
    layer = render(shapes, scale * matrix, light)
    return layer, np.array(layer.alpha.shape[1::-1])


def _bird(rng, crown_colour):
    """The shapes of a bird that looks to the right, its body 2 long; the points of its crown."""
    back, belly, horn = _plain(rng), _plain(rng), colour(rng, (.05, .15), (.1, .7), (.2, .8))
    lean, high = rng.uniform(.05, .6), rng.uniform(.45, .6)
    head = np.array([.8, -.5 - .45 * lean])
    nod, radius = rng.uniform(-.35, .35), rng.uniform(.38, .44)
    face = lambda points: np.asarray(points, float) @ rotation(nod).T + head   # from the head's own coordinates
    tail, length = np.pi - lean + rng.uniform(-.3, .4), rng.uniform(.9, 1.3)
    root = np.array([-.7 * np.cos(lean), .7 * np.sin(lean)])
    shapes = [Shape(leaf(root, tail, length, rng.uniform(.3, .5)), back),
              *_mark(rng, leaf(root, tail, length, .4, begin=.7)),
              *(Shape(strip(np.array([[x, .3], [x + .08, .95]]), [.08, .06]), horn)
                for x in rng.uniform((-.2, .15), (-.05, .3))),
              Shape(strip(np.array([[.45, -.1], head]), [.8, .6]), back),   # the neck
              Shape(ellipse(0, 0, 1, high, -lean), back),
              Shape(ellipse(.12, .14, .8, .75 * high, -lean), belly),
              *_mark(rng, ellipse(.62, -.02 - .3 * lean, rng.uniform(.16, .26), rng.uniform(.12, .2), -.8))]
    wing, span = np.pi - rng.uniform(-.1, .7), rng.uniform(1.1, 1.4)
    shoulder = np.array([.42, -.22])
    shapes += [Shape(leaf(shoulder, wing, span, .6, .08), _plain(rng)),
               *_mark(rng, leaf(shoulder, wing, span, .5, .08, .3, .3 + rng.uniform(.14, .25)))]
    beak = rng.uniform(.25, .55)
    shapes += [Shape(face([[.8 * radius, -.14], [radius + beak, rng.uniform(0, .1)], [.8 * radius, .14]]), horn),
               Shape(ellipse(*head, radius), _plain(rng)),
               *_mark(rng, face(ellipse(.02, .6 * radius, .55 * radius, .3 * radius))),   # the throat
               Shape(face(ellipse(.5 * radius, -.05 * radius, .085)), (15, 15, 20))]      # the eye
    crown = face(ellipse(-.18 * radius, -.68 * radius, .27, .18, -.25))
    return [*shapes, Shape(crown, crown_colour)], crown


def _mark(rng, points):
    """A part of the plumage in the colour of a crown; two in five birds have it."""
    paint, there = _any_paint(rng), rng.random() < .4
    return [Shape(points, paint)] * there


def _surroundings(rng, image, corner, extent, light):
    """Draws a perch, and berries near to the bird."""
    side = min(image.shape[:2])
    foot = corner + extent * (.5, rng.uniform(.9, 1))
    if rng.random() < .7:
        ends = foot + side * np.array([[-.9, rng.uniform(-.25, .25)], [0, 0], [.9, rng.uniform(-.25, .25)]])
        twig = Shape(strip(ends, side * rng.uniform(.015, .05, 3)), colour(rng, (.03, .12), (.1, .5), (.2, .6)))
        blend(image, render([twig._replace(points=twig.points - foot)], np.eye(2), (0, 0, light[2])), foot)
    for _ in range(rng.integers(1, 4)):
        berry = Shape(ellipse(0, 0, 1, rng.uniform(.6, 1), rng.uniform(0, 3)), _any_paint(rng))
        layer = render([berry], side * rng.uniform(*_BERRY) * np.eye(2), light)
        blend(image, layer, corner + extent * rng.uniform(-.4, 1.4, 2))
