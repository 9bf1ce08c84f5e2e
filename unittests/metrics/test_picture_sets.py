"""What is no set of pictures is said in one line."""
import numpy as np
import pytest

from gluonzoo.metrics.picture_sets import check_set, halvings

SET = np.zeros((2, 32, 48, 3), np.uint8)


def test_a_set():
    check_set('real', SET, 2)
    halvings('real', SET, 4)


@pytest.mark.parametrize('pictures, said', [
    (SET.astype('float32'), r'real: must be a uint8 array \[N, H, W, 3\]: float32 \(2, 32, 48, 3\)'),
    (SET[0], r'real: must be a uint8 array \[N, H, W, 3\]: uint8 \(32, 48, 3\)'),
    (SET[..., :1], r'uint8 \(2, 32, 48, 1\)'),
    (SET[:, :0], r'uint8 \(2, 0, 48, 3\)'),
    (list(SET), r'must be a uint8 array \[N, H, W, 3\]: list'),
    (SET[:1], 'real: must be at least 2 pictures: 1'),
    (SET[:0], 'real: must be at least 2 pictures: 0')])
def test_no_set(pictures, said):
    with pytest.raises(ValueError, match=said):
        check_set('real', pictures, 2)


@pytest.mark.parametrize('height, width', [(32, 40), (40, 32)])
def test_a_side_that_cannot_be_halved(height, width):
    with pytest.raises(ValueError, match=f'b: both sides must be multiples of 16 pixels, to be halved 4 times: '
                                         f'{height} x {width}'):
        halvings('b', np.zeros((1, height, width, 3), np.uint8), 4)
