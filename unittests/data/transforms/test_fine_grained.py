"""gluonzoo/data/transforms/fine_grained.py: where the window lies, and what happens to its colours."""
import numpy as np
import pytest

from gluonzoo.data import Labelled
from gluonzoo.data.transforms import make_transform
from gluonzoo.pictures.resize import resize
from gluonzoo.pictures.squeezed_middle import squeezed_middle

PLAIN = {'mean': [0, 0, 0], 'std': [1, 1, 1]}
STILL = {'brightness': 0, 'saturation': 0}


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def call(name, photo, rng=None, **keywords):
    transform = make_transform({'name': name, **keywords})
    image, label = transform(Labelled(photo, 3, 0), rng or np.random.default_rng(0), (None, None))
    assert label.tolist() == [3] and image.shape == (3, transform.size, transform.size)
    return image


def test_the_middle():
    photo, mean, std = noise(40, 60), [10, 20, 30], [2, 3, 4]
    found = call('fine_grained_middle', photo, size=28, mean=mean, std=std)
    np.testing.assert_allclose(found, ((squeezed_middle(photo, 28) - mean) / std).transpose(2, 0, 1), atol=1e-4)
    assert np.array_equal(call('fine_grained_middle', photo, size=16, crop=1, **PLAIN),
                          resize(photo, 16, 16).transpose(2, 0, 1))


def test_without_colours_it_is_a_window_of_the_picture():
    """All windows come, also those at the edges, mirrored and not."""
    photo = noise(20, 30)
    whole = resize(photo, 10, 10).astype(np.float32)
    windows = {whole[top:top + 8, left:left + 8][:, ::step].transpose(2, 0, 1).tobytes(): (top, left, step)
               for top in range(3) for left in range(3) for step in (1, -1)}
    rng = np.random.default_rng(1)
    found = [windows[np.ascontiguousarray(call('fine_grained_train', photo, rng, size=8, crop=.8, **STILL, **PLAIN))
                     .tobytes()] for _ in range(300)]
    assert len(set(found)) == 18
    assert .4 < np.mean([step == -1 for *_, step in found]) < .6
    never = {call('fine_grained_train', photo, rng, size=8, crop=.8, flip=False, **STILL, **PLAIN).tobytes()
             for _ in range(60)}
    assert len(never) <= 9 and all(windows[each][2] == 1 for each in never)


@pytest.mark.parametrize('shape', [(5, 9), (1, 1), (3, 200), (64, 64)])
def test_pictures_smaller_than_the_crop(shape):
    """They are enlarged."""
    for name in ('fine_grained_train', 'fine_grained_middle'):
        found = call(name, noise(*shape), size=64)
        assert np.isfinite(found).all()
    np.testing.assert_allclose(call('fine_grained_middle', np.full((*shape, 3), 77, 'uint8'), size=64, **PLAIN), 77)


class Draws:
    """A generator that gives what it is told."""

    def __init__(self, *values):
        self.values = list(values)

    def __getattr__(self, name):
        return lambda *args, **keywords: self.values.pop(0)


def slow_colours(pixel, order, factors):
    clip = lambda value: min(max(value, 0), 255)
    for change, factor in zip(order, factors):
        grey = .299 * pixel[0] + .587 * pixel[1] + .114 * pixel[2]
        base = grey if change == 1 else 0
        pixel = [clip(base + factor * (value - base)) for value in pixel]
    return pixel


@pytest.mark.parametrize('order', [(0, 1), (1, 0)])
def test_colours_beside_a_slow_twin(order):
    photo = noise(8, 8, seed=2)
    draws = Draws(np.array([0, 0]), .9, np.array(order), 1.4, .6)   # the window, unmirrored, the order, the factors
    found = call('fine_grained_train', photo, draws, size=8, crop=1, brightness=.5, saturation=.5, **PLAIN)
    assert draws.values == []
    wanted = [slow_colours(list(map(float, pixel)), order, (1.4, .6)) for pixel in photo.reshape(-1, 3)]
    np.testing.assert_allclose(found.reshape(3, -1).T, wanted, atol=1e-3)


def test_the_range_of_the_colours():
    """Brightness from 1 - .126 to 1 + .126; of grey, saturation changes nothing. It changes by half at most."""
    rng = np.random.default_rng(3)
    grey = np.full((4, 4, 3), 100, 'uint8')
    values = [float(call('fine_grained_train', grey, rng, size=8, **PLAIN).mean()) for _ in range(400)]
    assert 87.3 < min(values) < 88.5 and 111.5 < max(values) < 112.7
    red = np.zeros((4, 4, 3), 'uint8')
    red[...] = (130, 100, 100)
    found = [call('fine_grained_train', red, rng, size=8, brightness=0, **PLAIN) for _ in range(400)]
    spread = [float(each[0].mean() - each[1].mean()) for each in found]
    assert 14.9 < min(spread) < 16 and 44 < max(spread) < 45.1


def test_the_looks_of_inception():
    """mean = std = 127.5 makes -1 to 1."""
    photo = np.zeros((4, 4, 3), 'uint8')
    photo[:2] = 255
    found = call('fine_grained_middle', photo, size=4, crop=1, mean=[127.5] * 3, std=[127.5] * 3)
    assert (found[:, :2] == 1).all() and (found[:, 2:] == -1).all()


@pytest.mark.parametrize('name, keywords, message', [
    ('fine_grained_train', {'crop': 0}, 'crop: must be from 0.5 to 1: 0'),
    ('fine_grained_middle', {'crop': .45}, 'crop: must be'), ('fine_grained_middle', {'crop': 1.5}, 'crop: must be'),
    ('fine_grained_train', {'flip': 1}, 'flip: must be true or false: 1'),
    ('fine_grained_train', {'brightness': 2}, 'brightness: must be a number from 0 to 1: 2'),
    ('fine_grained_train', {'saturation': -1}, 'saturation: must be'),
    ('fine_grained_train', {'size': 0}, 'size: must be'), ('fine_grained_middle', {'mean': [1]}, 'mean: must be three'),
    ('fine_grained_train', {'brightnes': 1}, "unknown argument 'brightnes'; did you mean brightness")])
def test_arguments(name, keywords, message):
    with pytest.raises(ValueError, match=message):
        make_transform({'name': name, **keywords})
