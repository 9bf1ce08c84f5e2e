"""The middle of a photo."""
import tracemalloc

import numpy as np
import pytest

from gluonzoo.pictures.middle_crop import middle_crop
from gluonzoo.pictures.resize import resize


@pytest.mark.parametrize('height, width, crop, resized, corner', [
    (8, 8, 1, (8, 8), (0, 0)), (16, 32, 1, (8, 16), (0, 4)), (32, 16, 1, (16, 8), (4, 0)),
    (32, 32, .5, (16, 16), (4, 4)), (3, 6, .5, (16, 32), (4, 12)), (30, 31, .875, (9, 9), (0, 0)),
    (1, 16, 1, (8, 128), (0, 60))])
def test_by_hand(height, width, crop, resized, corner):
    photo = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype='uint8')
    (rows, columns), (top, left) = resized, corner
    middle = middle_crop(photo, 8, crop)
    assert middle.shape == (8, 8, 3)
    assert np.array_equal(middle, resize(photo, columns, rows)[top:top + 8, left:left + 8])


def test_a_strip_takes_little_memory():
    """All of it, enlarged, would have 20 thousand million pixels."""
    strip = np.zeros((1, 65500, 3), 'uint8')
    strip[:, 32750] = 200
    tracemalloc.start()
    middle = middle_crop(strip, 224, .875)
    assert tracemalloc.get_traced_memory()[1] < 1e8
    tracemalloc.stop()
    assert middle.shape == (224, 224, 3) and middle.max() > 150
    assert np.array_equal(middle_crop(strip.transpose(1, 0, 2), 224).shape, (224, 224, 3))
