"""Which interpolation a resizing takes, by hand."""
import cv2
import numpy as np
import pytest

from gluonzoo.pictures.resize import resize


def columns(*values):
    """float32 [2, n, 3]"""
    return np.tile(np.array(values, 'float32')[None, :, None], (2, 1, 3))


def test_what_shrinks_is_a_mean():
    np.testing.assert_array_equal(resize(columns(0, 4, 10, 20), 2, 2), columns(2, 15))
    np.testing.assert_array_equal(resize(columns(0, 4, 10, 20), 1, 1)[0, 0], [8.5] * 3)


def test_linear_by_hand():
    """A pixel twice as fine lies a quarter from the old one's middle."""
    np.testing.assert_array_equal(resize(columns(0, 8), 4, 2, 'linear'), columns(0, 2, 6, 8))


@pytest.mark.parametrize('width, height, kind', [
    (7, 6, cv2.INTER_AREA), (8, 6, cv2.INTER_AREA), (7, 5, cv2.INTER_AREA),   # no side grows
    (16, 12, cv2.INTER_CUBIC), (9, 6, cv2.INTER_CUBIC), (16, 3, cv2.INTER_CUBIC), (4, 7, cv2.INTER_CUBIC)])
def test_by_area_where_neither_side_grows_else_cubic(width, height, kind):
    image = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype='uint8')
    found = resize(image, width, height)
    assert found.shape == (height, width, 3) and found.dtype == np.uint8
    np.testing.assert_array_equal(found, cv2.resize(image, (width, height), interpolation=kind))


@pytest.mark.parametrize('name, kind', [('area', cv2.INTER_AREA), ('cubic', cv2.INTER_CUBIC),
                                        ('linear', cv2.INTER_LINEAR)])
def test_a_named_interpolation(name, kind):
    image = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype='uint8')
    for width, height in ((5, 4), (16, 18)):
        np.testing.assert_array_equal(resize(image, width, height, name),
                                      cv2.resize(image, (width, height), interpolation=kind))


def test_nothing_to_do():
    image = np.zeros((6, 8, 3), 'uint8')
    assert resize(image, 8, 6) is image and resize(image, 8, 6, 'linear') is image
    with pytest.raises(ValueError, match="interpolation: must be None or one of 'area', 'cubic', 'linear': 'nearest'"):
        resize(image, 8, 6, 'nearest')
