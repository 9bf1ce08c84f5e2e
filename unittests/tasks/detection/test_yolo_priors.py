"""Cells and anchors of YOLO's rows: by hand, in the order of the heads, and in darknet's order."""
import numpy as np
import pytest
from yolo_nets import ANCHORS, Shape

from gluonzoo.tasks.detection.yolo_priors import make_priors


def test_by_hand():
    priors, table = make_priors(Shape(), 64, 96)   # 2 x 3, 4 x 6 and 8 x 12 cells
    assert priors.dtype == table.dtype == np.float32
    assert priors.shape == (1, 3 * (6 + 24 + 96), 6) and table.shape == (9, 6)
    np.testing.assert_allclose(priors[0, :4], [[0, 0, 3, 2, 116 / 96, 90 / 64], [0, 0, 3, 2, 156 / 96, 198 / 64],
                                               [0, 0, 3, 2, 373 / 96, 326 / 64], [1, 0, 3, 2, 116 / 96, 90 / 64]])
    np.testing.assert_allclose(priors[0, [9, 17]], [[0, 1, 3, 2, 116 / 96, 90 / 64], [2, 1, 3, 2, 373 / 96, 326 / 64]])
    np.testing.assert_allclose(priors[0, [18, -1]], [[0, 0, 6, 4, 30 / 96, 61 / 64], [11, 7, 12, 8, 33 / 96, 23 / 64]])
    np.testing.assert_allclose(table[[0, 1, 3, 8]], [[10 / 96, 13 / 64, 12, 8, 90, 0], [16 / 96, 30 / 64, 12, 8, 90, 1],
                                                     [30 / 96, 61 / 64, 6, 4, 18, 0], [373 / 96, 326 / 64, 3, 2, 0, 2]])


def test_at_416():
    priors, table = make_priors(Shape(), 416, 416)
    assert priors.shape == (1, 10647, 6)
    sizes = [size for scale in ANCHORS[::-1] for size in scale]
    np.testing.assert_allclose(table[:, :2] * 416, sizes, rtol=1e-6)
    assert (np.diff([w * h for w, h in sizes]) > 0).all()   # darknet's files: from small to large
    assert table[:, 4].tolist() == [2535] * 3 + [507] * 3 + [0] * 3


@pytest.mark.parametrize('height, width', [(32, 32), (96, 64), (320, 608)])
def test_the_table_finds_each_row(height, width):
    priors, table = make_priors(Shape(), height, width)
    rows = []
    for anchor in table:
        first, place, columns = anchor[4], anchor[5], anchor[2]
        for number in range(int(first + place), int(first + 3 * columns * anchor[3]), 3):
            column, row, *_ = priors[0, number]
            assert number == first + 3 * (row * columns + column) + place
            np.testing.assert_array_equal(priors[0, number, 2:], anchor[[2, 3, 0, 1]])
            rows.append(number)
    assert sorted(rows) == list(range(priors.shape[1]))


def test_more_than_the_memory():
    with pytest.raises(ValueError, match='cells of 32000000 x 32000000 pixels: must fit in the memory'):
        make_priors(Shape(), 32 * 10 ** 6, 32 * 10 ** 6)
