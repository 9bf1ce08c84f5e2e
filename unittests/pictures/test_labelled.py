"""Tiles with words."""
import numpy as np
import pytest

from gluonzoo.pictures import labelled
from gluonzoo.pictures.labelled import labelled_sheet


@pytest.mark.parametrize('height, width, inner', [(10, 10, (0, 0, 40, 40)), (80, 40, (0, 10, 40, 20)),
                                                  (20, 40, (10, 0, 20, 40)), (1, 400, (19, 0, 1, 40))])
def test_a_picture_fits_its_tile(height, width, inner):
    """As large as it may be, in the middle, on grey."""
    sheet = labelled_sheet([np.full((height, width, 3), 200, 'uint8')], [[]], tile=40)
    top, left, rows, columns = inner
    wanted = np.full((40, 40, 3), 48)
    wanted[top:top + rows, left:left + columns] = 200
    assert sheet.dtype == np.uint8 and np.array_equal(sheet, wanted)


def test_words_are_in_the_corner(monkeypatch):
    said = []
    real = labelled.draw_lines
    monkeypatch.setattr(labelled, 'draw_lines', lambda image, lines: said.append(lines) or real(image, lines))
    images = [np.full((50, 60, 3), 200, 'uint8')] * 3
    sheet = labelled_sheet(images, [['cat 93%', '(dog)'], [], ['x']], columns=2)
    assert said == [['cat 93%', '(dog)'], [], ['x']] and sheet.shape == (2 * 192 + 4, 2 * 192 + 4, 3)
    assert (sheet[:10, :10] == 0).any() and not (sheet[:192, 196:] == 0).any()


def test_nothing():
    assert labelled_sheet([], []).shape == (192, 192, 3)
