"""The sliced Wasserstein distance: by hand, beside SciPy, and beside a slow twin of the published steps."""
import doctest
import importlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.ndimage import convolve
from scipy.stats import wasserstein_distance

from gluonzoo.metrics.sliced_wasserstein import (
    patches_of,
    pyramid_level,
    sides,
    sliced_wasserstein,
    standardise,
    wasserstein,
)

BINOMIAL = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1])[:, :, None] / 256


def draw(seed, count=6, height=32, width=32, below=256):
    return np.random.default_rng(seed).integers(0, below, (count, height, width, 3), dtype=np.uint8)


def slow_pyramid(picture, levels):
    """As the publication has it, in float64: a filter mirrored at the last pixels; up by zeros between, times four."""
    found = [picture.astype('float64')]
    for _ in range(levels - 1):
        small = convolve(found[-1], BINOMIAL, mode='mirror')[::2, ::2]
        between = np.zeros_like(found[-1])
        between[::2, ::2] = small
        found[-1] = found[-1] - convolve(between, 4 * BINOMIAL, mode='mirror')
        found.append(small)
    return found


def slow(real, made, seed, patches, directions):
    """All steps one by one, in float64, with the same draws."""
    rng, result = np.random.default_rng(seed), []
    levels = 1 + sum(min(real.shape[1:3]) // 2 ** level >= 16 for level in range(1, 9))
    for level in range(levels):
        height, width = (side // 2 ** level for side in real.shape[1:3])
        rows = rng.integers(0, height - 6, (len(real), patches))
        columns = rng.integers(0, width - 6, (len(real), patches))
        sets = []
        for pictures in real, made:
            planes = [slow_pyramid(picture, levels)[level] for picture in pictures]
            cut = np.array([planes[i][rows[i, j]:rows[i, j] + 7, columns[i, j]:columns[i, j] + 7]
                            for i in range(len(real)) for j in range(patches)])   # [n, 7, 7, 3]
            cut = (cut - cut.mean((0, 1, 2))) / cut.std((0, 1, 2))
            sets.append(cut.transpose(0, 3, 1, 2).reshape(len(cut), -1))
        ways = rng.normal(size=(directions, 147))
        ways /= np.sqrt((ways ** 2).sum(1))[:, None]
        result.append(1e3 * np.mean([wasserstein_distance(*(points @ way for points in sets)) for way in ways]))
    return [*result, np.mean(result)]


@pytest.mark.parametrize('height, width, names', [
    (32, 32, ['SWD 32', 'SWD 16', 'SWD']), (64, 64, ['SWD 64', 'SWD 32', 'SWD 16', 'SWD']),
    (64, 48, ['SWD 48', 'SWD 24', 'SWD']), (28, 28, ['SWD 28', 'SWD'])])
def test_beside_the_slow_twin(height, width, names):
    real, made = draw(0, height=height, width=width), draw(1, height=height, width=width, below=99) // 3 * 2
    found = sliced_wasserstein(real, made, seed=5, patches=9, directions=21)
    assert list(found) == names
    np.testing.assert_allclose(list(found.values()), slow(real, made, 5, 9, 21), rtol=1e-5)


def test_a_set_has_no_distance_from_itself_and_the_distance_is_symmetric():
    a, b = draw(0), draw(1)
    assert set(sliced_wasserstein(a, a).values()) == {0}
    assert sliced_wasserstein(a, b, seed=3) == sliced_wasserstein(b, a, seed=3)
    assert sliced_wasserstein(a, b, seed=3) == sliced_wasserstein(a, b, seed=3)
    assert sliced_wasserstein(a, b, seed=3) != sliced_wasserstein(a, b, seed=4)


def test_brightness_and_contrast_of_a_whole_set_do_not_count():
    """They are divided out: c x + d of every picture has the same standardised patches."""
    a = draw(0, below=100)
    for value in sliced_wasserstein(a, 2 * a + 7).values():
        assert value < 1e-2   # float32; another set of the same kind has some hundreds


def test_pictures_of_another_kind_are_further_apart_than_others_of_the_same_kind():
    """Grey ones, and ones whose details are gone."""
    a, b = draw(0, count=48), draw(1, count=48)
    same = sliced_wasserstein(a, b, patches=32)
    grey = sliced_wasserstein(a, b.mean(3, keepdims=True).repeat(3, 3).astype('uint8'), patches=32)
    coarse = sliced_wasserstein(a, b[:, ::8, ::8].repeat(8, 1).repeat(8, 2), patches=32)
    for found in grey, coarse:
        assert all(found[name] > 1.5 * value for name, value in same.items()), (found, same)


def test_pictures_of_one_colour_give_a_number():
    """An untrained generator may make such: the published code divides by 0."""
    grey = np.full((4, 32, 32, 3), 93, np.uint8)
    assert set(sliced_wasserstein(grey, grey // 2).values()) == {0}
    found = sliced_wasserstein(draw(0, count=4), grey)
    assert all(100 < value < 1000 for value in found.values()), found


def test_the_pyramid_beside_a_slow_one_and_put_together_again():
    picture = draw(2, 1, 64, 48)[0]
    found, slow_one = [pyramid_level(picture, level, 3) for level in range(3)], slow_pyramid(picture, 3)
    for level, expected in zip(found, slow_one):
        assert level.dtype == np.float32
        np.testing.assert_allclose(level, expected, atol=1e-4)
    up = found[2]
    for level in found[1::-1]:
        between = np.zeros_like(level)
        between[::2, ::2] = up
        up = level + convolve(between, 4 * BINOMIAL.astype('float32'), mode='mirror')
    np.testing.assert_allclose(up, picture, atol=1e-3)


def test_sides():
    assert sides(16) == [16] and sides(31) == [31] and sides(32) == [32, 16] and sides(128) == [128, 64, 32, 16]


def test_patches_by_hand():
    """Of a pyramid of one level: the pixels themselves, channel by channel, row by row."""
    pictures = np.arange(2 * 16 * 17 * 3).reshape(2, 16, 17, 3).astype('uint8')
    found = patches_of(pictures, 0, 1, np.array([[0, 9], [4, 4]]), np.array([[10, 0], [5, 5]]))
    assert found.shape == (4, 3, 49) and found.dtype == np.float32
    assert found[0, 1].tolist() == [pictures[0, row, column, 1] for row in range(7) for column in range(10, 17)]
    assert found[1, 0].tolist() == [pictures[0, row, column, 0] for row in range(9, 16) for column in range(7)]
    assert np.array_equal(found[2], found[3]) and not np.array_equal(found[1], found[2])


def test_standardised_by_hand():
    """The first channel has 1 and 3 equally often, the second one number, the third no variance but that of places."""
    patches = np.zeros((2, 3, 49), 'float32')
    patches[0, 0], patches[1, 0], patches[:, 1], patches[:, 2, 0] = 1, 3, .1, 49
    found = standardise(patches).reshape(2, 3, 49)
    assert (found[0, 0] == -1).all() and (found[1, 0] == 1).all() and (found[:, 1] == 0).all()
    np.testing.assert_allclose(found[:, 2], np.tile([48 / 48 ** .5, *[-1 / 48 ** .5] * 48], (2, 1)), rtol=1e-6)


def test_wasserstein_by_hand_and_beside_scipy():
    """On the first axis 0, 1 and 5, 2: sorted 2, 5, so 2 and 4 apart. On the second 3, 3 and 3, 4: 0 and 1 apart."""
    a, b = np.array([[0, 3], [1, 3]], 'float32'), np.array([[5, 3], [2, 4]], 'float32')
    with ThreadPoolExecutor(2) as pool:
        assert wasserstein(a, b, np.eye(2, dtype='float32'), pool) == (3 + .5) / 2
        rng = np.random.default_rng(0)
        a, b, ways = (rng.normal(size=shape).astype('float32') for shape in ((50, 6), (50, 6), (19, 6)))
        expected = np.mean([wasserstein_distance(a @ way, b @ way) for way in ways])
        assert wasserstein(a, b, ways, pool) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize('real, made, more, said', [
    (draw(0), draw(0)[:5], {}, r'made: must be as many pictures as real, of the same size: \[5, 32, 32, 3\], \[6, 32'),
    (draw(0), draw(0, width=64), {}, 'made: must be as many pictures as real, of the same size'),
    (draw(0)[:1], draw(1)[:1], {}, 'real: must be at least 2 pictures: 1'),
    (draw(0), draw(1).astype(float), {}, 'made: must be a uint8 array'),
    (draw(0, height=15), draw(1, height=15), {}, 'the shorter side must be at least 16 pixels: 15'),
    (draw(0, height=33), draw(1, height=33), {}, 'real: both sides must be multiples of 2 pixels'),
    (draw(0), draw(1), {'patches': 0}, 'patches: must be at least 1: 0'),
    (draw(0), draw(1), {'directions': 0}, 'directions: must be at least 1: 0'),
    (draw(0), draw(1), {'patches': 10 ** 12}, 'made: 1000000000000 patches of each of 6 pictures: must fit')])
def test_bad_input(real, made, more, said):
    with pytest.raises(ValueError, match=said):
        sliced_wasserstein(real, made, **more)


def test_the_example_of_the_docstring():
    module = importlib.import_module('gluonzoo.metrics.sliced_wasserstein')
    assert doctest.testmod(module) == (0, 2)
