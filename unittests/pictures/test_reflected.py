"""Pictures made larger by reflection: rows and columns worked by hand."""
import numpy as np
import pytest

from gluonzoo.pictures.reflected import reflected


def picture(height, width):
    return np.arange(3 * height * width, dtype='uint8').reshape(height, width, 3)


@pytest.mark.parametrize('size, multiple, least, rows, columns', [
    ((4, 8), 4, 8, [0, 1, 2, 3, 2, 1, 0, 1], range(8)),
    ((3, 5), 4, 1, [0, 1, 2, 1], [0, 1, 2, 3, 4, 3, 2, 1]),
    ((1, 2), 4, 1, [0, 0, 0, 0], [0, 1, 0, 1]),
    ((6, 4), 1, 5, range(6), [0, 1, 2, 3, 2]),
])
def test_rows_and_columns(size, multiple, least, rows, columns):
    image = picture(*size)
    wanted = image[np.array(rows)][:, np.array(columns)]
    np.testing.assert_array_equal(reflected(image, multiple, least), wanted)


def test_what_fits_is_no_copy():
    image = picture(8, 4)
    assert reflected(image, 4) is image
