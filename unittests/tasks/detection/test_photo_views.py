"""Views of photos: their sizes, and that a cell is where its view says it is."""
import cv2
import numpy as np
import pytest

from gluonzoo.tasks.detection.photo_views import make_view, mirror, spread


@pytest.mark.parametrize('photo, scale, size, shape, view', [
    # As the official code tests: 480 x 640 is in 511 x 767, 16 pixels below the top and 64 from the left.
    ((480, 640), 1, None, (511, 767), (-63, -15, 767 / 192, 511 / 128)),
    ((127, 255), 1, None, (127, 255), (0, 0, 255 / 64, 127 / 32)),
    ((100, 128), 1, None, (127, 255), (-63, -13, 255 / 64, 127 / 32)),
    ((100, 200), 2, None, (255, 511), (-55 / 2, -27 / 2, 511 / 128 / 2, 255 / 64 / 2)),
    ((125, 250), .6, None, (127, 255), (-52 / .6, -26 / .6, 255 / 64 / .6, 127 / 32 / .6)),
    # The longer side becomes 256.
    ((100, 200), 1, 256, (256, 256), (0, -64 / 1.28, 4 / 1.28, 4 / 1.28)),
    ((1024, 512), 1, 256, (256, 256), (-64 / .25, 0, 16, 16)),
    ((256, 256), 1.5, 256, (511, 511), (-63 / 1.5, -63 / 1.5, 511 / 128 / 1.5, 511 / 128 / 1.5)),
    ((256, 256), .5, 256, (255, 255), (-63 / .5, -63 / .5, 255 / 64 / .5, 255 / 64 / .5)),
    ((30, 30), 1, 63, (63, 63), (0, 0, 63 / 16 / 2.1, 63 / 16 / 2.1)),
])
def test_by_hand(photo, scale, size, shape, view):
    image = np.full((*photo, 3), 200, 'uint8')
    pixels, (*found, width, height) = make_view(image, scale, size)
    assert pixels.shape == (*shape, 3) and pixels.dtype == np.uint8
    assert found == pytest.approx(view) and (height, width) == photo
    rows, columns = np.flatnonzero(pixels.any((1, 2))), np.flatnonzero(pixels.any((0, 2)))
    zoom = scale if size is None else scale * size / max(photo)
    assert (len(rows), len(columns)) == tuple(pytest.approx(side * zoom, abs=1) for side in photo)
    assert (pixels[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1] == 200).all()   # the rest is black


def test_a_photo_of_one_pixel():
    pixels, _ = make_view(np.full((1, 1, 3), 9, 'uint8'), .6)
    assert pixels.shape == (127, 127, 3) and (pixels[:, :, 0] == 9).sum() == 1


@pytest.mark.parametrize('size', [None, 96, 300])
@pytest.mark.parametrize('scale', [1, .6, 1.8])
@pytest.mark.parametrize('mirrored', [False, True])
def test_an_object_is_where_the_view_says(size, scale, mirrored):
    """A white square at 40..80 x 100..140 of a grey photo: the edges of what is white, as cells, in the photo."""
    photo = np.full((150, 210, 3), 90, 'uint8')
    photo[40:80, 100:140] = 255
    pixels, view = make_view(photo, scale, size)
    if mirrored:
        pixels, view = mirror(pixels, view)
    x, y, dx, dy, width, height = view
    assert (dx < 0) == mirrored and dy > 0 and (width, height) == (210, 150)
    white = (pixels[..., 0] > 172).astype(int)
    cells = [side / (-(-side // 4)) for side in white.shape]   # pixels of the input
    (top, bottom), (left, right) = ((np.flatnonzero(white.any(1 - axis))[[0, -1]] + [0, 1]) / cells[axis]
                                    for axis in (0, 1))
    tolerance = 1.1 / scale / (1 if size is None else size / 210)   # a pixel of the input
    assert sorted((x + left * dx, x + right * dx)) == pytest.approx([100, 140], abs=tolerance)
    assert (y + top * dy, y + bottom * dy) == pytest.approx((40, 80), abs=tolerance)


def test_mirror_twice():
    photo = np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype='uint8')
    pixels, view = make_view(photo, 1)
    again, view_again = mirror(*mirror(pixels, view))
    assert view_again == pytest.approx(view)
    np.testing.assert_array_equal(again, pixels)


@pytest.mark.parametrize('mirrored', [False, True])
@pytest.mark.parametrize('size', [None, 256])
def test_spread(size, mirrored):
    """A single cell that is lit: the brightest pixel is its middle."""
    view = make_view(np.zeros((100, 200, 3), 'uint8'), 1, size)
    shape = [-(-side // 4) for side in view[0].shape[:2]]
    _, (x, y, dx, dy, *_) = view = mirror(*view) if mirrored else view
    row, column = round((40 - y) / dy), round((150 - x) / dx)
    maps = np.zeros((*shape, 2), 'float32')
    maps[row, column, 1] = 1
    wide = spread(maps, view[1])
    assert wide.shape == (100, 200, 2) and not wide[..., 0].any()
    found = np.array(np.unravel_index(wide[..., 1].argmax(), (100, 200))) + .5
    assert found == pytest.approx([y + (row + .5) * dy, x + (column + .5) * dx], abs=.8)
    assert spread(maps[..., 1], view[1]).shape == (100, 200)
    assert cv2.mean(spread(np.ones(shape, 'float32'), view[1]))[0] == pytest.approx(1)


def test_large_photos_are_shrunk_first():
    """Without a size, at most to `largest`; and then as the others."""
    large = np.full((300, 1200, 3), 200, 'uint8')
    pixels, view = make_view(large, 1, None, 400)
    wanted, small = make_view(np.full((100, 400, 3), 200, 'uint8'), 1)
    np.testing.assert_array_equal(pixels, wanted)
    assert view == pytest.approx([3 * number for number in small])
    assert make_view(large, 1, None, 1200)[1] == make_view(large, 1)[1]   # it is not larger


@pytest.mark.parametrize('arguments', [(1, 64), (1, None, 64), (.5, 128)])
def test_shrinking_is_smooth(arguments):
    """What is too fine to be seen is grey; it does not turn up as noise."""
    photo = np.random.default_rng(0).integers(0, 256, (1024, 1024, 3)).astype('uint8')
    pixels, _ = make_view(photo, *arguments)
    seen = pixels[np.flatnonzero(pixels.any((1, 2)))][:, np.flatnonzero(pixels.any((0, 2)))]
    assert seen.shape == (64, 64, 3) and seen.std() < 8   # 74 / 16 of independent pixels; linearly, over 30


def test_all_photos_have_inputs_of_one_size():
    shapes = {make_view(np.zeros((height, 730, 3), 'uint8'), .7, 365)[0].shape for height in range(700, 800)}
    assert len(shapes) == 1
