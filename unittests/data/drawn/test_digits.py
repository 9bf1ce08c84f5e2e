"""Drawn digits: repeatable, all different, and to be told apart."""
import numpy as np
import pytest

from gluonzoo.data.drawn.digits import CLASS_NAMES, digit

COUNT = 1500


@pytest.fixture(scope='module')
def digits():
    """(images [N, 32, 32, 3], labels)"""
    images, labels = zip(*(digit(3, index) for index in range(COUNT)))
    return np.stack(images), np.array(labels)


def test_repeatable_and_different(digits):
    image, label = digit(3, 5)
    np.testing.assert_array_equal(image, digits[0][5])
    assert label == digits[1][5]
    assert len({image.tobytes() for image in digits[0]} | {digit(4, 5)[0].tobytes()}) == COUNT + 1


def test_grey_bright_on_black_and_whole(digits):
    images, _ = digits
    assert images.dtype == np.uint8 and (images == images[..., :1]).all()
    assert (images.reshape(COUNT, -1).max(1) > 150).all()
    share = (images[..., 0] > 100).mean((1, 2))
    assert (share > .02).all() and (share < .35).all()
    edges = np.concatenate((images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]), 1)
    assert (edges.max((1, 2)) == 0).mean() > .99   # nothing is cut off


def test_all_ten_are_as_frequent(digits):
    counts = np.bincount(digits[1], minlength=10)
    assert len(CLASS_NAMES) == len(counts) == 10
    assert np.abs(counts - COUNT / 10).max() < 4 * np.sqrt(COUNT / 10)


def test_which_digit_it_is_can_be_seen(digits):
    """The nearest of 1,200 others, slightly blurred, has the same label for nearly all."""
    images, labels = digits
    small = images[..., 0].reshape(COUNT, 16, 2, 16, 2).mean((2, 4)).reshape(COUNT, -1)
    small /= np.linalg.norm(small, axis=1, keepdims=True)
    known, seen = small[:1200], small[1200:]
    found = labels[:1200][(seen @ known.T).argmax(1)]
    assert (found == labels[1200:]).mean() > .95


@pytest.mark.parametrize('size', [16, 28, 64])
def test_sizes(size):
    image, _ = digit(0, 0, size)
    assert image.shape == (size, size, 3)
    for wrong in (15, 2049, 64.5, '64', None):
        with pytest.raises(ValueError, match=f'size: must be a whole number from 16 to 2048: {wrong!r}'):
            digit(0, 0, wrong)
    for seed, index in ((-1, 0), (0, -1)):
        with pytest.raises(ValueError):
            digit(seed, index)
