"""What is a picture, and what is none."""
import numpy as np
import pytest

from gluonzoo.pictures.check import check_images


@pytest.mark.parametrize('image, found', [
    (np.zeros((3, 4, 3), 'float32'), r'float32 \(3, 4, 3\)'), (np.zeros((3, 4), 'uint8'), r'uint8 \(3, 4\)'),
    (np.zeros((3, 4, 4), 'uint8'), r'uint8 \(3, 4, 4\)'), (np.zeros((0, 4, 3), 'uint8'), r'uint8 \(0, 4, 3\)'),
    ([[1, 2, 3]], 'list')])
def test_images_that_are_none(image, found):
    good = np.zeros((3, 4, 3), 'uint8')
    check_images([good, good[::2]])
    with pytest.raises(ValueError, match=r'images must be uint8 arrays \[H, W, 3\]; number 1 is ' + found):
        check_images([good, image])
