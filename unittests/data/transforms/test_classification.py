"""What classifiers see in training and in tests: by hand, beside slow twins, and the ends of the ranges."""
import math

import numpy as np
import pytest

from gluonzoo.data.labelled import Labelled
from gluonzoo.data.transforms import make_transform
from gluonzoo.data.transforms.classification import AXES, GREY, window
from gluonzoo.pictures.resize import resize

PLAIN = {'mean': [0, 0, 0], 'std': [1, 1, 1]}
LOOK = {'mean': [10, 20, 30], 'std': [2, 4, 5]}


def call(name, image, rng=None, **keywords):
    """(image, label) of a transform by its name."""
    transform = make_transform({'name': name, **keywords})
    rng = np.random.default_rng(0) if rng is None else rng
    image, label = transform(Labelled(image, 7, 3), rng, (None, None))
    assert image.dtype == label.dtype == np.float32 and label.tolist() == [7]
    assert (image.shape, label.shape) == transform.arrays
    return image


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype='uint8')


class Draws:
    """In place of a generator: what is drawn is told."""

    def __init__(self, *values):
        self._values = list(values)

    def _next(self, *arguments, **keywords):
        return self._values.pop(0)

    integers = random = uniform = permutation = normal = _next


# -- CIFAR -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('down', [-4, -1, 0, 3, 4])
@pytest.mark.parametrize('right', [-4, 0, 2])
@pytest.mark.parametrize('flip', [False, True])
def test_a_window_of_the_padded_picture(down, right, flip):
    """As torchvision has it: pad with black, cut out, mirror; then normalise."""
    photo = noise(32, 32)
    padded = np.zeros((40, 40, 3))
    padded[4:36, 4:36] = photo
    wanted = padded[4 + down:36 + down, 4 + right:36 + right]
    if flip:
        wanted = wanted[:, ::-1]
    wanted = ((wanted - LOOK['mean']) / LOOK['std']).transpose(2, 0, 1)
    found = call('cifar_train', photo, Draws(np.array([down, right]), .49 if flip else .5), **LOOK)
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_every_window_comes():
    """Each of 81 places, mirrored and not."""
    photo = np.zeros((32, 32, 3), 'uint8')
    photo[10, 12] = 255
    rng = np.random.default_rng(0)
    seen = {tuple(np.argwhere(call('cifar_train', photo, rng, **PLAIN)[0])[0].tolist()) for _ in range(3000)}
    unmirrored = {(row, column) for row in range(6, 15) for column in range(8, 17)}
    assert seen == unmirrored | {(row, 31 - column) for row, column in unmirrored}
    seen = {tuple(np.argwhere(call('cifar_train', photo, rng, flip=False, pad=1, **PLAIN)[0])[0].tolist())
            for _ in range(300)}
    assert seen == {(row, column) for row in (9, 10, 11) for column in (11, 12, 13)}
    assert np.array_equal(call('cifar_train', photo, rng, flip=False, pad=0, **PLAIN), photo.transpose(2, 0, 1))


def test_it_writes_to_what_it_is_given():
    transform = make_transform({'name': 'cifar_train', **LOOK})
    out = np.full((3, 32, 32), np.nan, 'float32'), np.full(1, np.nan, 'float32')
    made = transform(Labelled(noise(32, 32), 2, 0), np.random.default_rng(5), out)
    assert all(a is b for a, b in zip(made, out)) and np.isfinite(out[0]).all() and out[1][0] == 2


def test_a_picture_of_another_size():
    with pytest.raises(ValueError, match='size: 32, but record 3 has 30 x 31 pixels'):
        call('cifar_train', noise(31, 30))


# -- the middle ------------------------------------------------------------------------------------------------------

def test_middle():
    photo = noise(40, 60)
    wanted = resize(photo, 24, 16)[4:12, 8:16]
    found = call('middle_crop', photo, size=8, crop=.5, **LOOK)
    np.testing.assert_allclose(found, ((wanted - LOOK['mean']) / LOOK['std']).transpose(2, 0, 1), atol=1e-4)
    whole = photo[:32, :32]
    assert np.array_equal(call('middle_crop', whole, size=32, crop=1, **PLAIN), whole.transpose(2, 0, 1))


# -- ImageNet --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('height, width, least', [(100, 150, .08), (300, 40, .08), (64, 64, .5), (1, 1, .08)])
def test_windows(height, width, least):
    """They lie in the picture; their areas and ratios are in the ranges, and reach their ends."""
    rng, areas, ratios = np.random.default_rng(0), [], []
    for _ in range(2000):
        top, left, h, w = window(height, width, least, rng)
        assert 0 <= top and top + h <= height and 0 <= left and left + w <= width and h > 0 < w
        areas.append(h * w / (height * width))
        ratios.append(w / h)
    if height > 40 < width:
        assert least * .9 < min(areas) < least * 1.2 and max(areas) > .85
        assert .73 < min(ratios) < .78 and 1.28 < max(ratios) < 1.37
        assert abs(np.mean(np.log(ratios))) < .05   # as often upright as wide


def test_a_window_by_hand():
    """A quarter of the area; the first draw has no room."""
    draws = Draws(1.0, math.log(3 / 4), .25, math.log(4 / 3), 7, 20)   # 60 x 80 pixels do not fit
    assert window(60, 80, .08, draws) == (7, 20, 30, 40)
    draws = Draws(1.0, math.log(4 / 3), .25, 0.0, 5, 6)
    assert window(60, 60, .08, draws) == (5, 6, 30, 30)   # 69 x 52 has no room


@pytest.mark.parametrize('shape, wanted', [((10, 100), (0, 43, 10, 13)), ((100, 10), (43, 0, 13, 10))])
def test_the_middle_where_no_window_fits(shape, wanted):
    """Cut to 4 : 3 or 3 : 4."""
    assert window(*shape, .99, np.random.default_rng(0)) == wanted


def test_without_colours_it_is_the_window_resized():
    photo = noise(50, 70)
    rng, same = (np.random.default_rng(4) for _ in range(2))
    for _ in range(6):
        found = call('imagenet_train', photo, rng, size=16, jitter=0, lighting=0, **LOOK)
        top, left, height, width = window(50, 70, .08, same)
        wanted = resize(photo[top:top + height, left:left + width], 16, 16)
        wanted = wanted[:, ::-1] if same.random() < .5 else wanted
        np.testing.assert_allclose(found, ((wanted - LOOK['mean']) / LOOK['std']).transpose(2, 0, 1), atol=1e-4)


def slow_colours(pixels, order, factors, light):
    """[n, 3] by loops over pixels."""
    pixels = [list(map(float, pixel)) for pixel in pixels]
    clip = lambda value: min(max(value, 0), 255)
    grey = lambda pixel: .299 * pixel[0] + .587 * pixel[1] + .114 * pixel[2]
    for change, factor in zip(order, factors):
        mean = sum(map(grey, pixels)) / len(pixels)
        for pixel in pixels:
            base = {0: 0, 1: mean, 2: grey(pixel)}[change]
            pixel[:] = [clip(base + factor * (value - base)) for value in pixel]
    shift = [55.46 * light[0] * a + 4.794 * light[1] * b + 1.148 * light[2] * c for a, b, c in (
        (-.5675, .7192, .4009), (-.5808, -.0045, -.8140), (-.5836, -.6948, .4203))]
    return [[clip(value + more) for value, more in zip(pixel, shift)] for pixel in pixels]


@pytest.mark.parametrize('order', [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_colours_beside_a_slow_twin(order):
    photo = noise(8, 8, seed=2)
    draws = Draws(1.0, 0.0, 0, 0, .9, np.array(order), 1.4, .6, 1.3, np.array([.1, -.2, .3]))   # the whole, unmirrored
    found = call('imagenet_train', photo, draws, size=8, **PLAIN)
    wanted = slow_colours(photo.reshape(-1, 3), order, (1.4, .6, 1.3), (.1, -.2, .3))
    np.testing.assert_allclose(found.reshape(3, -1).T, wanted, atol=1e-3)


def test_constants():
    assert GREY.sum() == pytest.approx(1, abs=1e-6) and AXES.shape == (3, 3)
    np.testing.assert_allclose(np.linalg.norm(AXES, axis=0), [55.46, 4.794, 1.148], rtol=1e-3)   # axes of length 1


@pytest.mark.parametrize('name, keywords, message', [
    ('cifar_train', {'pad': -1}, 'pad: must be'), ('cifar_train', {'pad': 33}, 'pad: must be at most size, 32: 33'),
    ('cifar_train', {'flip': 1}, 'flip: must be true or false: 1'), ('cifar_train', {'size': 0}, 'size: must be'),
    ('cifar_train', {'std': [1, 0, 1]}, 'std: must be three positive numbers'),
    ('middle_crop', {'crop': 0}, 'crop: must be above 0 and at most 1: 0'), ('middle_crop', {'crop': 2}, 'crop: must'),
    ('imagenet_train', {'least_area': 0}, 'least_area: must be above 0 and at most 1: 0'),
    ('imagenet_train', {'least_area': 2}, 'least_area: must'), ('imagenet_train', {'jitter': 2}, 'jitter: must be'),
    ('imagenet_train', {'lighting': -1}, 'lighting: must be a number, at least 0: -1'),
    ('imagenet_train', {'mean': [1, 2]}, 'mean: must be three numbers'),
    ('imagenet_train', {'jiter': 1}, "unknown argument 'jiter'; did you mean jitter")])
def test_arguments(name, keywords, message):
    with pytest.raises(ValueError, match=message):
        make_transform({'name': name, **keywords})
