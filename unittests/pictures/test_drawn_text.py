"""gluonzoo/pictures/drawn_text.py: lines are in the corner, inside the picture, and the given picture stays."""
import numpy as np
import pytest

from gluonzoo.pictures.drawn_text import draw_lines


@pytest.mark.parametrize('shape', [(90, 120, 3), (40, 20, 3), (1, 1, 3)])
def test_lines(shape):
    image = np.full(shape, 90, 'uint8')
    drawn = draw_lines(image, ['ÄÖ 97 %', 'a second line that is far too long for the picture'])
    assert drawn.shape == shape and drawn.dtype == np.uint8 and (image == 90).all()
    assert (drawn[0, 0] == 0).all()   # a black box, its letters white
    if shape[0] > 50:
        assert (drawn == 255).any() and (drawn[-1] == 90).all()


def test_letters_grow_with_the_picture():
    heights = [(draw_lines(np.full((side, side, 3), 90, 'uint8'), ['x'])[:, 0] == 0).all(-1).sum()
               for side in (200, 800)]
    assert heights[1] > 2 * heights[0]


def test_nothing_to_say():
    image = np.full((30, 30, 3), 90, 'uint8')
    assert (draw_lines(image, []) == image).all()
