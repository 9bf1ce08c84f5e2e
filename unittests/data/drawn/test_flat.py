"""gluonzoo/data/drawn/flat.py: what is drawn lies where it should, whatever the size."""
import numpy as np

from gluonzoo.data.drawn.flat import canvas, fill, line, shrunk

LEFT_HALF = [(0, 0), (.5, 0), (.5, 1), (0, 1)]


def test_a_polygon_covers_its_part():
    for size in (8, 33):
        picture = canvas(size, (10, 20, 30))
        fill(picture, LEFT_HALF, (110, 120, 130))
        small = shrunk(picture)
        assert small.shape == (size, size, 3) and small.dtype == np.uint8
        quarter = size // 4
        assert (small[:, :quarter] == (110, 120, 130)).all() and (small[:, -quarter:] == (10, 20, 30)).all()


def test_where_two_colours_meet_a_pixel_has_a_share_of_both():
    picture = canvas(8, 0)
    fill(picture, [(0, 0), (.55, 0), (.55, 1), (0, 1)], 200)
    row = shrunk(picture)[4]
    assert (row[:4] == 200).all() and 0 < row[4] < 200 and (row[5:] == 0).all()


def test_a_line_is_as_wide_as_it_is_told():
    picture = canvas(64, 0)
    line(picture, [(-.5, .5), (1.5, .5)], .25, 255)   # it may reach beyond the picture
    covered = shrunk(picture).astype(float).sum(0) / 255
    np.testing.assert_allclose(covered, 16, atol=1)
    thin = canvas(8, 0)
    line(thin, [(.2, .5), (.8, .5)], 0, 255)
    assert shrunk(thin).any()
