"""Maps over pictures: the colours say how much, and nothing spoils them."""
import numpy as np
import pytest

from gluonzoo.pictures.heat import draw_heat

GREY = np.full((40, 60, 3), 100, 'uint8')


def test_colours():
    """Blue where it is 0, red where it is greatest; half of the picture shines through."""
    heat = np.zeros((4, 6), 'float32')
    heat[:, 3:] = 5
    before = GREY.copy()
    drawn = draw_heat(GREY, heat)
    assert drawn.shape == GREY.shape and drawn.dtype == np.uint8 and np.array_equal(GREY, before)
    red, green, blue = drawn[20, 2].astype(int)
    assert blue > 100 and red == green == 50
    red, green, blue = drawn[20, 57].astype(int)
    assert red > 100 and green == blue == 50
    brighter = draw_heat(GREY + 100, heat).astype(int)
    assert (abs(brighter - drawn - 50) <= 1).all()


def test_what_is_red_can_be_said():
    heat = np.full((2, 2), 3.)
    assert np.array_equal(draw_heat(GREY, heat, 6), draw_heat(GREY, np.full((2, 2), .5), 1))
    assert (draw_heat(GREY, heat, 6) != draw_heat(GREY, heat)).any()
    assert np.array_equal(draw_heat(GREY, heat, 2), draw_heat(GREY, heat))   # more than red is red


@pytest.mark.parametrize('heat', [np.zeros((3, 3)), np.full((3, 3), np.nan), np.full((3, 3), -1.),
                                  np.full((3, 3), -np.inf)], ids=str)
def test_a_map_without_heat_is_blue(heat):
    assert np.array_equal(draw_heat(GREY, heat), draw_heat(GREY, np.zeros((1, 1))))


def test_a_number_that_is_none_counts_as_0():
    heat = np.array([[0, 1.], [np.nan, np.inf]])
    assert np.array_equal(draw_heat(GREY, heat), draw_heat(GREY, np.array([[0, 1.], [0, 0]])))
