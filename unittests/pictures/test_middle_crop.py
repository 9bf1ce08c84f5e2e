"""The middle of a photo."""
import numpy as np
import pytest

from gluonzoo.pictures.middle_crop import middle_crop
from gluonzoo.pictures.resize import resize


@pytest.mark.parametrize('height, width, crop, resized, corner', [
    (8, 8, 1, (8, 8), (0, 0)), (16, 32, 1, (8, 16), (0, 4)), (32, 16, 1, (16, 8), (4, 0)),
    (32, 32, .5, (16, 16), (4, 4)), (3, 6, .5, (16, 32), (4, 12)), (30, 31, .875, (9, 9), (0, 0)),
    (1, 50, 1, (8, 400), (0, 196))])
def test_by_hand(height, width, crop, resized, corner):
    photo = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype='uint8')
    (rows, columns), (top, left) = resized, corner
    middle = middle_crop(photo, 8, crop)
    assert middle.shape == (8, 8, 3)
    assert np.array_equal(middle, resize(photo, columns, rows)[top:top + 8, left:left + 8])
