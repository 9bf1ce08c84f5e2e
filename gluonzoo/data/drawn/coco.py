"""Drawn pictures of four kinds of things, annotated as COCO is: a dataset of several classes that needs no download.

The things are the mascot (yellow and round, with long ears; see :mod:`gluonzoo.data.drawn.mascot`), a red car, a blue
fish and a purple umbrella, mirrored, a little turned, in any light, and sometimes partly behind one another. Now and
then a picture has none, or a crowd of small ones. Pictures have sides of 200 to 320 pixels. The category ids have gaps
and are not sorted in the file, and their order is not that of the names, as all of this may be in a file of COCO's
form.

A picture is a function of (seed, index), as long as NumPy and OpenCV are the same.
"""
import json
from typing import NamedTuple

import cv2
import numpy as np

from ...pictures.jpeg import write_jpeg
from .mascot import draw_mascot
from .scenery import Shape, background, colour, ellipse, render, rotation, strip

__all__ = ['CATEGORIES', 'Thing', 'annotation', 'picture', 'write']

CATEGORIES = {18: 'fish', 3: 'umbrella', 11: 'car', 7: 'mascot'}   # id -> name

_SIDES = 200, 320
_COUNTS = [.05, .3, .3, .18, .1, .07]   # how often there are 0, 1 ... 5 in a picture
_SMALLEST, _LARGEST = .2, .58           # the longer side of a thing's box, of the picture's shorter one
_LEAST_VISIBLE = .75                    # of a thing's area
_CROWDS = .06                           # how often there is one
_QUALITY = 90                           # of the JPEG files


class Thing(NamedTuple):
    """A thing in a picture, or a crowd of them.

    category : int, one of :data:`CATEGORIES`
    mask : NumPy bool [H, W], where it can be seen
    crowd : bool
    """

    category: int
    mask: np.ndarray
    crowd: bool


def picture(seed, index):
    """One picture and what is in it.

    Parameters
    ----------
    seed, index : int, at least 0
        Which picture: any two differ.

    Returns
    -------
    image : uint8 array [H, W, 3], RGB
    things : list of Thing, 0 to 5 and perhaps a crowd
    """
    rng = np.random.Generator(np.random.PCG64([seed, index]))
    width, height = rng.integers(_SIDES[0], _SIDES[1] + 1, 2)
    image = background(rng, max(width, height))[:height, :width].copy()
    side = min(width, height)
    light = rng.uniform(-.2, .2, 2)
    count = rng.choice(len(_COUNTS), p=_COUNTS)
    things = [_crowd(rng, image, light)] if rng.random() < _CROWDS else []
    areas = [thing.mask.sum() for thing in things]   # before anything was in front of them
    largest = _LARGEST / (1, 1, 1, 1.2, 1.4, 1.6)[count]
    for _ in range(count):
        category = int(rng.choice(list(CATEGORIES)))
        for _ in range(30):   # until one is found that does not hide too much of another
            extent = side * np.exp(rng.uniform(np.log(_SMALLEST), np.log(largest)))
            layer, there = _place(rng, image, category, extent, light, (0, 0, width, height))
            mask = _mask(image, layer, there)
            before = [thing._replace(mask=thing.mask & ~mask) for thing in things]
            if all(thing.mask.sum() >= _LEAST_VISIBLE * area for thing, area in zip(before, areas)):
                _paint(image, layer, there)
                things = [*before, Thing(category, mask, False)]
                areas.append(mask.sum())
                break
    return image, things


def _crowd(rng, image, light):
    """Draws so many of a kind so near to each other that nobody would annotate them one by one."""
    height, width = image.shape[:2]
    size = np.array([width, height]) * rng.uniform(.35, .5, 2)
    low = rng.uniform((0, 0), (width, height) - size)
    category = int(rng.choice(list(CATEGORIES)))
    mask = np.zeros((height, width), bool)
    for _ in range(rng.integers(12, 20)):
        layer, there = _place(rng, image, category, .1 * min(width, height), light, (*low, *low + size))
        mask |= _mask(image, layer, there)
        _paint(image, layer, there)
    return Thing(category, mask, True)


# -- drawing ---------------------------------------------------------------------------------------------------------

def _place(rng, image, category, extent, light, region):
    """A drawing whose longer side is `extent` pixels, and the part of the image that it takes: (layer, slices).

    It is within `region`, xmin ymin xmax ymax.
    """
    shapes = _SHAPES[category](rng)
    matrix = rotation(rng.normal(0, .15)) @ np.diag([rng.choice([-1, 1]) * rng.uniform(.9, 1.1), 1])
    points = np.concatenate([shape.points for shape in shapes]) @ matrix.T
    scale = extent / (points.max(0) - points.min(0)).max()
    layer = render(shapes, matrix * scale, (*light, rng.uniform(.8, 1.1)), .01 * extent if rng.random() < .4 else 0)
    height, width = layer.alpha.shape[:2]
    xmin, ymin, xmax, ymax = region
    x, y = int(rng.uniform(xmin, xmax - width)), int(rng.uniform(ymin, ymax - height))
    return layer, (slice(y, y + height), slice(x, x + width))


def _mask(image, layer, there):
    mask = np.zeros(image.shape[:2], bool)
    mask[there] = layer.alpha[..., 0] > .5
    return mask


def _paint(image, layer, there):
    image[there] = image[there] * (1 - layer.alpha) + layer.colour


def _fish(rng):
    scales = colour(rng, (.54, .62), (.75, 1), (.65, 1))
    fins = tuple(np.multiply(scales, .7))
    return [Shape(np.array([[.7, 0], [1.5, -.6], [1.3, 0], [1.5, .6]]), fins),
            Shape(np.array([[-.3, -.3], [.1, -.85], [.5, -.3]]), fins),
            Shape(ellipse(0, 0, 1, .55), scales),
            Shape(ellipse(.1, .12, .25, .14, .4), fins),
            Shape(ellipse(-.6, -.12, .14), (255, 255, 255)), Shape(ellipse(-.63, -.12, .07), (15, 15, 25))]


def _umbrella(rng):
    cloth = colour(rng, (.76, .84), (.6, .95), (.6, .95))
    light = tuple(np.add(np.multiply(cloth, .5), 127))
    angles = np.linspace(np.pi, 2 * np.pi, 25)
    dome = np.stack((np.cos(angles), np.sin(angles)), 1)
    panel = dome[6:19] * (.42, 1)
    hook = np.linspace(0, np.pi, 9)
    handle = np.concatenate(([[0, -1.15], [0, .8]], np.stack((.15 - .15 * np.cos(hook), .8 + .15 * np.sin(hook)), 1)))
    hem = [Shape(ellipse(x, 0, 1 / 6, .1), light if abs(x) < .3 else cloth) for x in np.arange(-5, 6, 2) / 6]
    stick = Shape(strip(handle, np.full(len(handle), .09)), (70, 45, 35))
    return [stick, Shape(dome, cloth), Shape(panel, light), *hem]


def _car(rng):
    paint = colour(rng, (-.02, .015), (.8, 1), (.65, .95))
    glass = colour(rng, (.5, .6), (.1, .3), (.85, 1))
    body = np.array([[-1.2, .35], [-1.2, -.1], [-.85, -.2], [-.5, -.62], [.4, -.62], [.85, -.15], [1.2, -.05],
                     [1.2, .35]])
    windows = [Shape(np.array(corners), glass) for corners in ([[-.7, -.18], [-.43, -.52], [-.08, -.52], [-.08, -.18]],
                                                               [[.02, -.18], [.02, -.52], [.35, -.52], [.66, -.18]])]
    wheels = [Shape(ellipse(x, .35, radius), metal) for x in (-.68, .68)
              for radius, metal in ((.27, (25, 25, 30)), (.12, (205, 205, 210)))]
    return [Shape(body, paint), *windows, *wheels, Shape(ellipse(1.12, .06, .09), (255, 245, 190))]


_SHAPES = {18: _fish, 3: _umbrella, 11: _car, 7: draw_mascot}


# -- the annotations -------------------------------------------------------------------------------------------------

def _bbox(mask):
    """x y width height of what is True."""
    columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
    return [int(columns[0]), int(rows[0]), int(columns[-1] - columns[0] + 1), int(rows[-1] - rows[0] + 1)]


def annotation(thing):
    """A :class:`Thing` as COCO writes it, but for its id and that of its image: dict.

    The outline of a crowd is run lengths, column by column; others have polygons. The area is that of the mask.
    """
    if thing.crowd:
        pixels = thing.mask.ravel('F')
        ends = np.flatnonzero(np.diff(pixels)) + 1
        runs = np.diff([0, *ends, len(pixels)]).tolist()
        outline = {'size': list(thing.mask.shape), 'counts': [0] * bool(pixels[0]) + runs}   # the first is of False
    else:
        contours, _ = cv2.findContours(thing.mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        outline = [contour.ravel().tolist() for contour in contours if len(contour) > 2]
    return {'category_id': thing.category, 'bbox': _bbox(thing.mask), 'area': int(thing.mask.sum()),
            'iscrowd': int(thing.crowd), 'segmentation': outline}


def write(root, name, seed, indices):
    """Writes pictures to ``root/name/*.jpg`` and what is in them to ``root/annotations/instances_name.json``.

    Parameters
    ----------
    root : Path
    name : str
        such as 'train2017'
    seed : int
    indices : iterable of int
        of the pictures, see :func:`picture`

    Raises OSError if it cannot.
    """
    (root / name).mkdir(parents=True)
    (root / 'annotations').mkdir(exist_ok=True)
    images, annotations = [], []
    for index in indices:
        image, things = picture(seed, index)
        number = index + 1
        file = root / name / f'{number:012}.jpg'
        write_jpeg(file, image, _QUALITY)
        images.append({'id': number, 'file_name': file.name, 'width': image.shape[1], 'height': image.shape[0]})
        for thing in things:
            annotations.append({'id': len(annotations) + 1, 'image_id': number, **annotation(thing)})
    categories = [{'id': number, 'name': kind, 'supercategory': 'thing'} for number, kind in CATEGORIES.items()]
    content = {'info': {'description': f'drawn by gluonzoo, seed {seed}'}, 'licenses': [], 'images': images,
               'categories': categories, 'annotations': annotations}
    (root / 'annotations' / f'instances_{name}.json').write_text(json.dumps(content))
