"""Pictures of one object each: a dataset of ten classes to classify that needs no download.

The classes differ in form alone: every part of an object may have any colour, and the object spots or stripes. Several
classes resemble each other, such as a cat and a bear, a fish and a bird, a cup and a teapot. An object is mirrored,
turned, slanted, larger or smaller, and a little of it may be behind another thing. A smaller thing of another kind may
lie near it. The background is darker than most objects. Then comes what a camera adds: light, blur and grain.

A residual network of 20 layers has learned half of the classes' differences after some 500 updates. With backgrounds as
rich as those of :mod:`gluonzoo.data.drawn.mascot` it learns nothing in that time.

A picture is a function of (seed, index), as long as NumPy and OpenCV are the same.
"""
import numpy as np

from .photographed import photographed
from .scenery import Shape, background, blend, colour, ellipse, leaf, noise, render, rotation, strip, thing

__all__ = ['CLASS_NAMES', 'picture']

_SMALLEST, _LARGEST = .75, 1.   # the longer side of an object, of the picture's shorter one
_BEYOND = .05                   # how much of an object's sides may be beyond the edge, where these are often empty
_CLUTTER = .15, .4              # the longer side of a thing around it, of the picture's shorter one
_COVERS = .15                   # how often a thing is in front of an object
_MOST_COVERED = .25             # of the object's area


def picture(seed, index, size=32, class_names=None):
    """One picture.

    Parameters
    ----------
    seed, index : int, at least 0
        Which picture: any two differ. Pictures whose indices follow one another show the classes in turn.
    size : int or (width, height), at least 16
        Its sides in pixels.
    class_names : sequence of str, optional
        The classes that there are, some of :data:`CLASS_NAMES` (default: all of them).

    Returns
    -------
    image : uint8 array [height, width, 3], RGB
    label : int
        what it shows: ``class_names[label]``
    """
    width, height = (size, size) if np.ndim(size) == 0 else size
    if min(width, height) < 16:
        raise ValueError(f'size: must be at least 16: {size}')
    names = CLASS_NAMES if class_names is None else class_names
    label = index % len(names)
    rng = np.random.Generator(np.random.PCG64([seed, index]))
    side, longer = min(width, height), max(width, height)
    image = _calmed(rng, background(rng, longer))
    light = rng.uniform(-.25, .25, 2)
    for _ in range(rng.integers(0, 2)):
        layer, extent = _layer(rng, thing(rng), light, side * rng.uniform(*_CLUTTER))
        blend(image, layer, rng.uniform(0, (width, height)))
    layer, extent = _layer(rng, _SHAPES[names[label]](rng), light, side * rng.uniform(_SMALLEST, _LARGEST))
    layer = _patterned(rng, layer)
    low, high = (.5 - _BEYOND) * extent, (width, height) - (.5 - _BEYOND) * extent
    middle = rng.uniform(np.minimum(low, high), np.maximum(low, high))
    corner = middle - extent / 2
    blend(image, layer, corner + layer.origin)
    if rng.random() < _COVERS:
        _cover(rng, image, layer, corner, light)
    return np.ascontiguousarray(photographed(rng, image, blur=(.01, .028), grain=(3, 14))[:height, :width]), label


def _calmed(rng, image):
    """A background with less contrast, and darker than most objects: small pictures have too few pixels for more."""
    calm = rng.uniform(.2, .7) * (image - image.mean((0, 1))) + image.mean((0, 1))
    return (rng.uniform(.4, .8) * calm).clip(0, 255).astype(np.uint8)


def _layer(rng, shapes, light, longer):
    """A drawing turned and slanted at random, and its width and height, of which the longer has so many pixels."""
    squeeze = np.array([[rng.choice([-1, 1]) * rng.uniform(.8, 1.2), rng.normal(0, .12)], [0, rng.uniform(.85, 1.15)]])
    matrix = rotation(rng.normal(0, .25)) @ squeeze
    points = np.concatenate([shape.points for shape in shapes]) @ matrix.T
    scale = longer / np.ptp(points, 0).max()
    outline = rng.uniform(.01, .025) * longer if rng.random() < .3 else 0
    layer = render(shapes, matrix * scale, (*light, rng.uniform(.7, 1.1)), outline, tuple(colour(rng, value=(0, .5))))
    return layer, np.array(layer.alpha.shape[1::-1])


def _patterned(rng, layer):
    """A layer, one in three with brighter and darker spots or stripes on it."""
    kind = rng.integers(6)
    if kind > 1:
        return layer
    height, width = layer.alpha.shape[:2]
    side = max(height, width)
    if kind == 0:   # spots
        field = 2 * noise(rng, side, int(rng.integers(2, 6)), 2)[:height, :width] - 1
    else:
        angle, count = rng.uniform(0, np.pi), rng.uniform(3, 7)
        along = np.cos(angle) * np.arange(width) + np.sin(angle) * np.arange(height)[:, None]
        field = np.sin(2 * np.pi * count / side * along + rng.uniform(0, 6.3))
    changed = layer.colour * (1 + rng.uniform(.15, .5) * field[..., None])
    return layer._replace(colour=np.clip(changed, 0, 255 * layer.alpha).astype(np.float32))


def _cover(rng, image, layer, corner, light):
    """Draws a thing that hides a part of the object, if one of some tries does not hide too much."""
    height, width = layer.alpha.shape[:2]
    there = layer.alpha[..., 0] > .5
    for _ in range(4):
        front, (w, h) = _layer(rng, thing(rng), light, max(height, width) * rng.uniform(.25, .5))
        x, y = rng.uniform((0, 0), (width, height)) - (w / 2, h / 2)   # of the front's corner, from the object's
        hidden = there[max(int(y), 0):max(int(y + h), 0), max(int(x), 0):max(int(x + w), 0)].sum()
        if hidden < _MOST_COVERED * there.sum():
            blend(image, front, corner + (x, y) + front.origin)
            return


# -- the classes -----------------------------------------------------------------------------------------------------

def _paints(rng, count):
    """Colours of parts, each any: they say nothing of what is painted."""
    return [colour(rng, saturation=(0, .9), value=(.5, 1)) for _ in range(count)]


def _polygon(*corners):
    return np.array(corners, float)


def _box(left, top, right, bottom):
    return _polygon([left, top], [right, top], [right, bottom], [left, bottom])


def _line(points, width):
    return strip(np.array(points, float), np.full(len(points), width))


def _arc(x, y, rx, ry, begin, end, width, count=14):
    """A part of a ring about (x, y), from one angle to another in radians: 0 is right, pi / 2 is down."""
    angles = np.linspace(begin, end, count)
    return _line(np.stack((x + rx * np.cos(angles), y + ry * np.sin(angles)), 1), width)


def _face(rng, paints, y=0.):
    """Eyes, and in most faces a nose or a muzzle: of cats and bears alike."""
    apart, size = rng.uniform(.32, .48), rng.uniform(.1, .17)
    shapes = [Shape(ellipse(x, y - rng.uniform(.12, .2), size, size * rng.uniform(1, 1.4)), paints[2])
              for x in (-apart, apart)]
    if rng.random() < .6:
        shapes.insert(0, Shape(ellipse(0, y + .36, rng.uniform(.36, .5), rng.uniform(.28, .36)), paints[1]))
    if rng.random() < .8:
        shapes.append(Shape(ellipse(0, y + .25, rng.uniform(.1, .18), .1), paints[2]))
    return shapes


def _bear(rng):
    paints = _paints(rng, 3)
    x, radius = rng.uniform(.58, .75), rng.uniform(.3, .42)
    ears = [Shape(ellipse(side * x, -.7, r), paint) for side in (-1, 1)
            for r, paint in ((radius, paints[0]), (.55 * radius, paints[1]))]
    return [*ears, Shape(ellipse(0, 0, 1, rng.uniform(.82, 1)), paints[0]), *_face(rng, paints)]


def _cat(rng):
    paints = _paints(rng, 3)
    x, tip, wide = rng.uniform(.55, .68), rng.uniform(1.15, 1.4), rng.uniform(.3, .4)
    ears = []
    for side in (-1, 1):
        for share, paint in ((1, paints[0]), (.55, paints[1])):
            low, high = -.45, -.45 - share * (tip - .45)
            ears.append(Shape(_polygon([side * (x - share * wide), low], [side * (x + share * wide), low],
                                       [side * (x + .12), high]), paint))
    return [*ears, Shape(ellipse(0, 0, 1, rng.uniform(.78, .95)), paints[0]), *_face(rng, paints)]


def _bird(rng):
    paints = _paints(rng, 3)
    lean = rng.uniform(.1, .5)
    head = np.array([.75, -.62 - .4 * lean])
    beak = head[0] + rng.uniform(.55, .8)
    shapes = [Shape(_polygon([-.7, -.05], [-1.5, rng.uniform(-.5, .2)], [-1.4, .45], [-.5, .3]), paints[1])]   # a tail
    if rng.random() < .7:
        shapes += [Shape(_line([[x, .3], [x + .05, 1]], .1), paints[2]) for x in (-.05, .25)]
    return [*shapes, Shape(ellipse(0, 0, .95, rng.uniform(.48, .6), -lean), paints[0]),
            Shape(_polygon([head[0], head[1] - .18], [beak, head[1] + .05], [head[0], head[1] + .2]), paints[2]),
            Shape(ellipse(*head, rng.uniform(.32, .4)), paints[0]),
            Shape(leaf((.35, -.2), np.pi - rng.uniform(.1, .5), 1.1, .55, .1), paints[1]),
            Shape(ellipse(*(head + (.1, -.06)), .08), paints[2])]


def _fish(rng):
    paints = _paints(rng, 3)
    high, tail = rng.uniform(.42, .6), rng.uniform(.4, .62)
    shapes = [Shape(_polygon([-.7, 0], [-1.4, -tail], [-1.2, 0], [-1.4, tail]), paints[1]),
              Shape(_polygon([-.4, -.3], [rng.uniform(-.3, .1), -high - .35], [.45, -.3]), paints[1])]
    if rng.random() < .5:
        shapes.append(Shape(_polygon([-.3, .3], [-.2, high + .25], [.15, .3]), paints[1]))
    return [*shapes, Shape(ellipse(0, 0, 1, high), paints[0]),
            Shape(leaf((.2, .08), np.pi - rng.uniform(-.4, .4), .5, .28), paints[1]),
            Shape(ellipse(.6, -.12, .1), paints[2])]


def _wheels(rng, paints, places, y, radius):
    rings = (radius, paints[2]), (.4 * radius, paints[1])
    return [Shape(ellipse(x, y, r), paint) for x in places for r, paint in rings]


def _car(rng):
    paints = _paints(rng, 3)
    roof, nose, hood = rng.uniform(-.72, -.55), rng.uniform(1.15, 1.35), rng.uniform(.35, .6)
    body = _polygon([-1.25, .35], [-1.25, -.08], [-.95, -.18], [-.6, roof], [.3, roof], [hood + .25, -.15],
                    [nose, -.05], [nose, .35])
    panes = [_polygon([-.78, -.16], [-.52, roof + .1], [-.12, roof + .1], [-.12, -.16]),
             _polygon([0, -.16], [0, roof + .1], [.24, roof + .1], [hood + .05, -.16])]
    return [Shape(body, paints[0]), *(Shape(pane, paints[1]) for pane in panes),
            *_wheels(rng, paints, (-.7, .72), .35, rng.uniform(.22, .32))]


def _lorry(rng):
    paints = _paints(rng, 4)
    top, front = rng.uniform(-.95, -.6), rng.uniform(.4, .6)
    roof = top + rng.uniform(.1, .35)
    cab = _polygon([front, .3], [front, roof], [front + .45, roof], [front + .75, -.1], [front + .78, .3])
    pane = _polygon([front + .12, -.1], [front + .12, roof + .1], [front + .4, roof + .1], [front + .6, -.1])
    places = (-1, front + .35) if rng.random() < .5 else (-1.05, -.55, front + .35)
    return [Shape(_box(-1.4, top, front - .08, .3), paints[3]), Shape(cab, paints[0]), Shape(pane, paints[1]),
            *_wheels(rng, paints, places, .36, rng.uniform(.2, .28))]


def _boat(rng):
    paints = _paints(rng, 4)
    mast, deck = rng.uniform(-.2, .2), .35
    hull = _polygon([-1.2, deck], [1.25, deck], [rng.uniform(.7, .95), .85], [-.85, .85])
    top = rng.uniform(-1.2, -.95)
    wide, narrow = rng.uniform((.7, .5), (1, .8))
    sails = [Shape(_polygon([mast + .1, top + .05], [mast + .1, .18], [mast + wide, .18]), paints[1])]
    if rng.random() < .7:
        sails.append(Shape(_polygon([mast - .1, top + .25], [mast - .1, .18], [mast - narrow, .18]), paints[2]))
    return [Shape(_line([[mast, deck], [mast, top]], .1), paints[3]), *sails, Shape(hull, paints[0])]


def _house(rng):
    paints = _paints(rng, 4)
    wide, eaves, ridge = rng.uniform(.8, 1.1), rng.uniform(-.3, -.05), rng.uniform(-1.1, -.8)
    shapes = [Shape(_box(-wide, eaves, wide, 1), paints[0])]
    if rng.random() < .5:   # a chimney
        x = rng.choice([-1, 1]) * .55 * wide
        shapes.insert(0, Shape(_box(x - .13, ridge, x + .13, eaves), paints[2]))
    shapes.append(Shape(_polygon([-wide - .2, eaves], [0, ridge], [wide + .2, eaves]), paints[1]))
    columns = np.array([-.5, 0, .5]) * wide
    door = rng.integers(3)
    for column, x in enumerate(columns):
        if column == door:
            shapes.append(Shape(_box(x - .18, .3, x + .18, 1), paints[3]))
        elif rng.random() < .8:
            shapes.append(Shape(_box(x - .17, .15, x + .17, .55), paints[2]))
    return shapes


def _cup(rng):
    paints = _paints(rng, 2)
    foot, rim, y = rng.uniform(.5, .7), rng.uniform(.7, .85), rng.uniform(-.8, -.55)
    sides = np.linspace(0, 1, 8)
    bulge = rng.uniform(-.05, .15) * np.sin(np.pi * sides)
    right = np.stack((rim + (foot - rim) * sides + bulge, y + (.8 - y) * sides), 1)
    handle = _arc(rim - .08, .5 * (y + .7), rng.uniform(.38, .55), rng.uniform(.34, .48), -1.6, 1.6, .17)
    return [Shape(handle, paints[0]), Shape(ellipse(0, .8, foot, .14), paints[0]),
            Shape(np.concatenate((right, (right * (-1, 1))[::-1])), paints[0]),
            Shape(ellipse(0, y, rim, rng.uniform(.14, .24)), paints[1])]


def _teapot(rng):
    paints = _paints(rng, 3)
    high, lift = rng.uniform(.62, .8), rng.uniform(.5, .75)
    spout = strip(np.array([[-.7, .25], [-1.1, .05], [-1.25, -.25], [-1.5, -lift]]), [.42, .3, .2, .2])
    handle = _arc(.8, 0, rng.uniform(.42, .58), rng.uniform(.38, .5), -1.7, 1.7, .16)
    return [Shape(spout, paints[0]), Shape(handle, paints[0]), Shape(ellipse(0, -high - .2, .15), paints[2]),
            Shape(ellipse(0, -high + .06, .55, .22), paints[1]), Shape(ellipse(0, 0, .95, high), paints[0]),
            Shape(_polygon([-.5, high - .1], [.5, high - .1], [.6, high + .1], [-.6, high + .1]), paints[0])]


_SHAPES = {'bear': _bear, 'bird': _bird, 'boat': _boat, 'car': _car, 'cat': _cat, 'cup': _cup, 'fish': _fish,
           'house': _house, 'lorry': _lorry, 'teapot': _teapot}
CLASS_NAMES = tuple(_SHAPES)
