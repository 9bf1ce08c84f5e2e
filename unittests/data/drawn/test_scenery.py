"""gluonzoo.data.drawn.scenery: shapes have the form that they are said to have; backgrounds and things can be drawn."""
import colorsys

import numpy as np
import pytest

from gluonzoo.data.drawn import scenery


def generator(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def area(points):
    x, y = points.T
    return abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2


def test_ellipse():
    points = scenery.ellipse(3, 4, 2, 1, turn=np.pi / 2, count=360)
    np.testing.assert_allclose(points.min(0), [2, 2], atol=1e-3)   # turned: the long half axis points down
    np.testing.assert_allclose(points.max(0), [4, 6], atol=1e-3)
    assert area(points) == pytest.approx(2 * np.pi, rel=1e-3)
    np.testing.assert_allclose(np.hypot(*scenery.ellipse(0, 0, 5).T), 5)


def test_rotation_is_clockwise_in_a_picture():
    np.testing.assert_allclose(scenery.rotation(np.pi / 2) @ (1, 0), (0, 1), atol=1e-12)


def test_strip():
    assert area(scenery.strip(np.array([[0, 0], [10, 0]]), [2, 2])) == pytest.approx(20)
    assert area(scenery.strip(np.array([[0, 0], [0, 10]]), [0, 2])) == pytest.approx(10)


def test_leaf_and_its_tip():
    whole = scenery.leaf((1, 2), -np.pi / 2, 3, 1)   # upwards
    np.testing.assert_allclose(whole.min(0), [.5, -1], atol=.01)
    np.testing.assert_allclose(whole.max(0), [1.5, 2], atol=.01)
    tip = scenery.leaf((1, 2), -np.pi / 2, 3, 1, begin=.6)
    np.testing.assert_allclose(tip.max(0)[1], 2 - .6 * 3)
    assert area(tip) < area(whole) / 2


@pytest.mark.parametrize('outline', [0, 3])
def test_render_covers_the_area(outline):
    layer = scenery.render([scenery.Shape(scenery.ellipse(0, 0, 1), (200, 100, 50))], 20 * np.eye(2), outline=outline)
    radius = 20 + outline / 2
    assert layer.alpha.sum() == pytest.approx(np.pi * radius ** 2, rel=.04)
    assert layer.alpha.min() == 0 and layer.alpha.max() == 1
    assert (layer.colour <= 255 * layer.alpha + 1e-3).all()
    x, y = layer.origin
    np.testing.assert_allclose(layer.colour[y, x], (200, 100, 50), rtol=.02)
    covered = np.argwhere(layer.alpha[..., 0] > .5) - (y, x)
    np.testing.assert_allclose(covered.min(0), -radius, atol=1)
    np.testing.assert_allclose(covered.max(0), radius - 1, atol=1)


def test_later_shapes_are_on_top():
    shapes = [scenery.Shape(scenery.ellipse(0, 0, radius), paint)
              for radius, paint in ((1, (255, 0, 0)), (.5, (0, 0, 255)))]
    layer = scenery.render(shapes, 20 * np.eye(2))
    x, y = layer.origin
    assert layer.colour[y, x].argmax() == 2 and layer.colour[y, x + 15].argmax() == 0


def test_light():
    def brightness(light):
        layer = scenery.render([scenery.Shape(scenery.ellipse(0, 0, 1), (100, 100, 100))], 20 * np.eye(2), light)
        x, y = layer.origin
        return [layer.colour[y + dy, x + dx, 0] for dx, dy in ((-10, 0), (10, 0), (0, -10), (0, 10), (0, 0))]

    left, right, up, down, middle = brightness((.3, 0, 1))
    assert left < up < right and down == pytest.approx(up) and middle == pytest.approx(100)
    left, right, up, down, middle = brightness((0, -.3, .5))
    assert down < left < up and right == pytest.approx(left) and middle == pytest.approx(50)


def test_noise():
    hills = scenery.noise(generator(), 64, 4)
    assert hills.shape == (64, 64) and hills.dtype == np.float32 and (hills.min(), hills.max()) == (0, 1)
    rough, smooth = (abs(np.diff(scenery.noise(generator(), 64, cells, 1))).mean() for cells in (16, 2))
    assert rough > 3 * smooth


def test_colour():
    rng = generator()
    for _ in range(100):
        red, green, blue = scenery.yellow(rng)
        assert red >= green > 1.5 * blue and red >= 200
        hue = colorsys.rgb_to_hsv(*np.divide(scenery.other_than_yellow(rng), 255))[0]
        assert hue > .21 or hue < .07


@pytest.mark.parametrize('kind', list(scenery._BACKGROUNDS))
@pytest.mark.parametrize('size', [64, 100])
def test_backgrounds(kind, size):
    images = [kind(generator(seed), size) for seed in range(5)]
    assert all(image.shape == (size, size, 3) and image.dtype == np.uint8 for image in images)
    assert len({image.tobytes() for image in images}) == 5
    np.testing.assert_array_equal(images[3], kind(generator(3), size))


def test_background_is_of_any_kind():
    assert sum(scenery._BACKGROUNDS.values()) == pytest.approx(1)
    assert scenery.background(generator(), 64).shape == (64, 64, 3)


@pytest.mark.parametrize('kind', scenery._THINGS)
def test_things(kind):
    for seed in range(5):
        shapes = kind(generator(seed))
        extent = np.ptp(np.concatenate([shape.points for shape in shapes]), axis=0)
        assert 1 < extent.max() < 4.5
        assert scenery.render(shapes, 10 * np.eye(2)).alpha.sum() > 40
        assert all(0 <= part <= 255 for shape in shapes for part in shape.colour)


def test_thing_is_of_any_kind():
    rng = generator()
    assert len({len(scenery.thing(rng)) for _ in range(50)}) > 3


# -- layers on images ------------------------------------------------------------------------------------------------

def test_where_a_layer_meets_an_image():
    """A layer 3 wide and 2 high, whose own (0, 0) is its pixel x 1, y 0."""
    image = np.zeros((4, 6, 3), np.uint8)
    layer = scenery.Layer(np.zeros((2, 3, 3), np.float32), np.ones((2, 3, 1), np.float32), (1, 0))
    rows, columns = slice(0, 2), slice(0, 3)
    assert scenery.window(image, layer, (2, 1)) == ((slice(1, 3), slice(1, 4)), (rows, columns))
    assert scenery.window(image, layer, (5.4, 3)) == ((slice(3, 4), slice(4, 6)), (slice(0, 1), slice(0, 2)))
    assert scenery.window(image, layer, (-1, -1)) == ((slice(0, 1), slice(0, 1)), (slice(1, 2), slice(2, 3)))
    for nowhere in ((7, 1), (-2, 1), (2, 4), (2, -2)):
        assert scenery.window(image, layer, nowhere) is None


def test_a_layer_is_blended():
    image = np.full((3, 4, 3), 100, np.uint8)
    alpha = np.float32([[1, .5]])[..., None]
    layer = scenery.Layer(alpha * np.float32([200, 40, 0]), alpha, (0, 0))
    scenery.blend(image, layer, (3, 1))   # its second pixel is outside
    scenery.blend(image, layer, (0, 2))
    scenery.blend(image, layer, (0, 3))   # all of it is
    expected = np.full((3, 4, 3), 100)
    expected[1, 3] = expected[2, 0] = 200, 40, 0
    expected[2, 1] = 150, 70, 50
    np.testing.assert_array_equal(image, expected)
