"""gluonzoo/data/transforms/unpaired.py: each picture is treated for itself."""
import cv2
import numpy as np
import pytest
from coloured_boxes import apply, rng_of

from gluonzoo.data import Unpaired
from gluonzoo.data.transforms.unpaired import UnpairedTest, UnpairedTrain


def picture(number, height=8, width=8):
    """Its own for each number; a ramp, so that places can be told apart."""
    y, x = np.mgrid[:height, :width]
    return np.stack([y * 10 + number, x * 10 + number, np.full_like(x, 40 * number)], 2).astype(np.uint8)


SAMPLE = Unpaired(picture(0, 12, 12), picture(3, 12, 12), 0)


def places(transform, seeds, sample=SAMPLE):
    """For each seed, of a and of b: (top, left, mirrored), read from the ramps."""
    found = []
    for seed in seeds:
        both = []
        for array, number in zip(apply(transform, sample, rng_of(seed)), (0, 3)):
            assert array.dtype == np.float32
            rows, columns, own = (array + 1) * 127.5
            np.testing.assert_allclose(own, 40 * number, atol=1e-3)
            rows, columns = (((part - number) / 10).round().astype(int) for part in (rows, columns))
            assert (np.diff(rows, axis=0) == 1).all() and (abs(np.diff(columns, axis=1)) == 1).all()
            both.append((rows[0, 0], columns.min(), columns[0, 0] > columns[0, 1]))
        found.append(tuple(both))
    return found


def test_test():
    sample = Unpaired(picture(0), picture(3, 10, 16), 0)
    a, b = apply(UnpairedTest(8), sample, None)
    np.testing.assert_allclose(a, picture(0).transpose(2, 0, 1) / 127.5 - 1, atol=1e-6)
    expected = cv2.resize(picture(3, 10, 16), (8, 8), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(b, expected.transpose(2, 0, 1) / 127.5 - 1, atol=1e-6)
    a, _ = apply(UnpairedTest(16), sample, None)
    expected = cv2.resize(picture(0), (16, 16), interpolation=cv2.INTER_CUBIC)
    np.testing.assert_allclose(a, expected.transpose(2, 0, 1) / 127.5 - 1, atol=1e-6)


def test_range():
    white = np.full((4, 4, 3), 255, np.uint8)
    a, b = apply(UnpairedTest(4), Unpaired(255 - white, white, 0), None)
    assert (a == -1).all() and (b == 1).all()


@pytest.mark.parametrize('load_size', [12, None])
def test_crops_and_flips_are_independent(load_size):
    found = places(UnpairedTrain(load_size, 10), range(800))
    every = {(top, left, flip) for top in range(3) for left in range(3) for flip in (False, True)}
    for part in (0, 1):
        counts = {place: [one[part] for one in found].count(place) for place in every}
        assert sum(counts.values()) == 800
        assert max(abs(count - 800 / 18) for count in counts.values()) < 4 * np.sqrt(800 / 18)
    # Independent: what happens to b is as likely whatever happens to a.
    for of in (lambda place: place[2], lambda place: place[0] == 0, lambda place: place[1] == 0):
        a, b = (np.array([of(one[part]) for one in found]) for part in (0, 1))
        assert abs(b[a].mean() - b[~a].mean()) < 4 * np.sqrt(.25 * (1 / a.sum() + 1 / (~a).sum()))


def test_no_flip():
    found = places(UnpairedTrain(12, 8, flip=False), range(100))
    assert not any(place[2] for both in found for place in both)
    assert len(set(found)) > 50


def test_pictures_that_are_not_resized_keep_their_scale():
    """Whatever their size, and the whole of them can come."""
    sample = Unpaired(picture(0, 9, 20), picture(3, 14, 8), 5)
    found = places(UnpairedTrain(None, 8), range(300), sample)
    assert {(place[0], place[1]) for place, _ in found} == {(top, left) for top in range(2) for left in range(13)}
    assert {(place[0], place[1]) for _, place in found} == {(top, 0) for top in range(7)}
    transform = UnpairedTrain(None, 9)
    assert transform.least_side == 9 and UnpairedTrain(12, 9).least_side == 1
    with pytest.raises(ValueError, match='crop_size: 9, but record 5 has a picture of 8 x 14 pixels'):
        apply(transform, sample, rng_of(0))


def test_all_that_is_random_follows_from_the_generator():
    train = UnpairedTrain(12, 8)
    one, two = (apply(train, SAMPLE, rng_of(3)) for _ in range(2))
    assert all(np.array_equal(x, y) for x, y in zip(one, two))
    assert not np.array_equal(one[0], apply(train, SAMPLE, rng_of(4))[0])


def test_defaults_are_those_of_cyclegan():
    train = UnpairedTrain()
    assert (train.load_size, train.crop_size, train.flip) == (286, 256, True)
    assert train.arrays == ((3, 256, 256), (3, 256, 256))


@pytest.mark.parametrize('make, words', [
    (lambda: UnpairedTest(0), '^size: must be a whole number of pixels, at least 1: 0'),
    (lambda: UnpairedTrain(load_size=2.5), 'load_size: must be a whole number of pixels, at least 1: 2.5'),
    (lambda: UnpairedTrain(crop_size='8'), "crop_size: must be a whole number of pixels, at least 1: '8'"),
    (lambda: UnpairedTrain(crop_size=300), 'crop_size: must be at most load_size, 286: 300'),
    (lambda: UnpairedTrain(load_size=None, crop_size=None), 'crop_size: must be a whole number of pixels'),
    (lambda: UnpairedTrain(flip=1), 'flip: must be true or false: 1')])
def test_arguments_are_checked(make, words):
    with pytest.raises(ValueError, match=words):
        make()
