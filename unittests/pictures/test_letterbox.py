"""gluonzoo/pictures/letterbox.py: where a picture lies in a square, worked by hand, and boxes there and back."""
import numpy as np
import pytest

from gluonzoo.pictures.letterbox import Placement, letterbox, letterboxed


@pytest.mark.parametrize('width, height, size, place', [
    (640, 480, 416, (0, 52, 416, 312)),
    (480, 640, 416, (52, 0, 312, 416)),
    (416, 416, 416, (0, 0, 416, 416)),
    (768, 576, 608, (0, 76, 608, 456)),
    (500, 334, 416, (0, 69, 416, 277)),      # 277.9 rows, rounded down; 139 grey ones, the odd one below
    (334, 500, 416, (69, 0, 277, 416)),
    (8, 6, 4, (0, 0, 4, 3)),
    (2, 1, 8, (0, 2, 8, 4)),                 # enlarged
    (1, 65500, 416, (207, 0, 1, 416)),       # 0.006 of a column
    (65500, 1, 32, (0, 15, 32, 1)),
    (1, 1, 5, (0, 0, 5, 5)),
    (3, 7, 1, (0, 0, 1, 1)),
])
def test_placements_by_hand(width, height, size, place):
    got = letterbox(width, height, size)
    assert got[:4] == place
    assert got.scales == (place[2] / width, place[3] / height)


def test_boxes_there_and_back():
    place = letterbox(500, 334, 416)
    boxes = np.array([[0, 0, 500, 334], [50, 33.3, 250, 166.5], [-10, 5, 510, 400]], np.float32)
    before = boxes.copy()
    moved = place.into(boxes)
    scale = np.array([416 / 500, 277 / 334] * 2)
    np.testing.assert_allclose(moved, before * scale + [0, 69, 0, 69], rtol=1e-6)
    np.testing.assert_allclose(place.back(moved), before, rtol=1e-5, atol=1e-4)
    np.testing.assert_array_equal(boxes, before)
    assert moved.dtype == place.back(moved).dtype == np.float32
    assert place.into(boxes.astype(float)).dtype == np.float64
    assert place.into(np.zeros((0, 4), np.float32)).shape == (0, 4)
    np.testing.assert_array_equal(place.into(boxes[None])[0], moved)


def test_a_placement_of_its_own():
    place = Placement.of(3, 5, 20, 10, (40, 5))
    assert place.scales == (0.5, 2) and place.window == (slice(5, 15), slice(3, 23))
    assert place.into(np.array([[2., 1, 4, 5]])).tolist() == [[4, 7, 5, 15]]
    assert place.back(np.array([[4., 7, 5, 15]])).tolist() == [[2, 1, 4, 5]]


def test_the_picture_lies_in_grey():
    image = np.array([[[0, 10, 20]] * 4, [[40, 50, 60]] * 4], np.uint8)
    square = letterboxed(image, 4)
    assert square.dtype == np.float32
    assert square[:, 2].tolist() == [[127.5] * 3, [0, 10, 20], [40, 50, 60], [127.5] * 3]
    assert letterboxed(image.transpose(1, 0, 2), 4)[2].tolist() == square[:, 2].tolist()
    assert letterboxed(image[:, :2], 2).tolist() == image[:, :2].tolist()


def test_objects_are_where_their_boxes_are():
    """A white rectangle in a black picture, found again in the square, however the sides round."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        width, height = rng.integers(40, 120, 2)
        left, top = rng.integers(0, 15, 2)
        right, bottom = rng.integers(25, [width + 1, height + 1])
        image = np.zeros((height, width, 3), np.uint8)
        image[top:bottom, left:right] = 255
        seen = letterboxed(image, 90)[..., 0] > 127.6
        found = [edge for axis in (0, 1) for edge in np.flatnonzero(seen.any(axis))[[0, -1]] + [0, 1]]
        box = letterbox(width, height, 90).into(np.array([left, top, right, bottom], float))
        np.testing.assert_allclose(np.array(found)[[0, 2, 1, 3]], box, atol=0.51)
