"""gluonzoo/data/transforms/pairs.py: both pictures are treated alike."""
import cv2
import numpy as np
import pytest
from coloured_boxes import apply, rng_of

from gluonzoo.data import Pair
from gluonzoo.data.transforms.pairs import PairResize, PairTrain


def picture(number, height=8, width=8):
    """Its own for each number; a ramp, so that places can be told apart."""
    y, x = np.mgrid[:height, :width]
    return np.stack([y * 10 + number, x * 10 + number, np.full_like(x, 40 * number)], 2).astype(np.uint8)


PAIR = Pair(picture(0), picture(3), 0)


def test_resize():
    for array, number in zip(apply(PairResize(8), PAIR, None), (0, 3)):
        assert array.dtype == np.float32
        np.testing.assert_allclose(array, picture(number).transpose(2, 0, 1) / 127.5 - 1, atol=1e-6)
    for array, number in zip(apply(PairResize(16), PAIR, None), (0, 3)):
        expected = cv2.resize(picture(number), (16, 16), interpolation=cv2.INTER_CUBIC)
        np.testing.assert_allclose(array, expected.transpose(2, 0, 1) / 127.5 - 1, atol=1e-6)
    for array, number in zip(apply(PairResize(4), PAIR, None), (0, 3)):
        expected = picture(number).reshape(4, 2, 4, 2, 3).mean((1, 3)).round()
        np.testing.assert_allclose(array, expected.transpose(2, 0, 1) / 127.5 - 1, atol=1.01 / 127.5)


def test_range():
    black, white = apply(PairResize(4), Pair(np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 255, np.uint8), 0), None)
    assert (black == -1).all() and (white == 1).all()


def test_crop_and_flip_are_the_same_for_both():
    """B is A with 50 added: whatever is cut out and turned, that is the difference."""
    image = picture(0, 12, 12)
    pair, train = Pair(image, image + 50, 0), PairTrain(12, 8)
    seen = set()
    for seed in range(400):
        a, b = apply(train, pair, rng_of(seed))
        np.testing.assert_allclose((b - a) * 127.5, 50, atol=1e-3)
        rows, columns = ((a[:2] + 1) * 127.5 / 10).round().astype(int)
        assert (np.diff(rows, axis=0) == 1).all() and (abs(np.diff(columns, axis=1)) == 1).all()
        seen.add((rows[0, 0], columns.min(), columns[0, 0] > columns[0, 1]))
    assert seen == {(top, left, flip) for top in range(5) for left in range(5) for flip in (False, True)}


def test_no_flip():
    train = PairTrain(8, 8, flip=False)
    first, *others = [apply(train, PAIR, rng_of(seed))[0] for seed in range(20)]
    assert all(np.array_equal(first, other) for other in others)


def test_all_that_is_random_follows_from_the_generator():
    train = PairTrain(12, 8)
    one, two = (apply(train, PAIR, rng_of(3)) for _ in range(2))
    assert all(np.array_equal(x, y) for x, y in zip(one, two))
    assert not np.array_equal(one[0], apply(train, PAIR, rng_of(4))[0])


def test_defaults_are_those_of_pix2pix():
    train = PairTrain()
    assert (train.load_size, train.crop_size, train.flip) == (286, 256, True)
    assert train.arrays == ((3, 256, 256), (3, 256, 256))


@pytest.mark.parametrize('make, words', [
    (lambda: PairResize(0), '^size: must be a whole number of pixels, at least 1: 0'),
    (lambda: PairTrain(load_size=2.5), 'load_size: must be a whole number of pixels, at least 1: 2.5'),
    (lambda: PairTrain(crop_size='8'), "crop_size: must be a whole number of pixels, at least 1: '8'"),
    (lambda: PairTrain(crop_size=300), 'crop_size: must be at most load_size, 286: 300'),
    (lambda: PairTrain(flip=1), 'flip: must be true or false: 1')])
def test_arguments_are_checked(make, words):
    with pytest.raises(ValueError, match=words):
        make()
