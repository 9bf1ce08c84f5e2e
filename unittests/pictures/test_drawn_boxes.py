"""Boxes drawn on a picture: where, in what colours, and that their labels stay inside."""
import numpy as np
import pytest

from gluonzoo.pictures.drawn_boxes import draw_boxes

NAMES = ['cat', 'dog with a very long name']


def detections(*boxes, score=.9, label=0):
    """boxes, scores, labels"""
    return (np.array(boxes, 'float32').reshape(-1, 4), np.full(len(boxes), score, 'float32'),
            np.full(len(boxes), label, 'int32'))


def test_nothing_to_draw():
    image = np.full((40, 60, 3), 7, 'uint8')
    drawn = draw_boxes(image, *detections(), NAMES)
    np.testing.assert_array_equal(drawn, image)
    assert drawn is not image and drawn.flags.writeable


def test_box_is_where_it_should_be():
    image = np.zeros((200, 300, 3), 'uint8')
    drawn = draw_boxes(image, *detections([50, 80, 150, 180]), NAMES)
    assert not image.any()   # a copy
    rows, columns = np.nonzero(drawn.any(2))
    assert (columns.min(), columns.max(), rows.max()) == (50, 149, 179) and rows.min() < 80   # the label is above
    assert not drawn[90:170, 60:140].any()   # nothing within
    assert len(np.unique(drawn[150, [50, 149]], axis=0)) == 1 and drawn[150, 50].max() > 200


def test_labels_have_colors_of_their_own():
    image = np.zeros((200, 300, 3), 'uint8')
    colors = {tuple(draw_boxes(image, *detections([50, 80, 150, 180], label=label), ['x'] * 80)[150, 50])
              for label in range(80)}
    assert len(colors) > 70
    assert min(max(color) for color in colors) > 150   # black letters can be read on any


def test_true_boxes_are_thin_and_white():
    drawn = draw_boxes(np.full((200, 300, 3), 100, 'uint8'), *detections(), NAMES, truth=[[50, 80, 150, 180]])
    assert (drawn[130, 50] == 255).all() and (drawn[130, 149] == 255).all()
    assert (drawn[130, 49] == 0).all() and (drawn[130, 51] == 100).all()   # seen on white as well


@pytest.mark.parametrize('height, width', [(1, 1), (3, 300), (64, 64), (480, 640), (3000, 200)])
@pytest.mark.parametrize('label', [0, 1])
def test_any_size(height, width, label):
    """Boxes at every edge, beyond it, and without extent; labels wider than the image."""
    image = np.full((height, width, 3), 90, 'uint8')
    h, w = height, width
    found = detections([0, 0, w, h], [w - 1, h - 1, w, h], [-5, -5, w + 5, h + 5], [w / 2, h / 2, w / 2, h / 2],
                       label=label)
    drawn = draw_boxes(image, *found, NAMES, truth=found[0])
    assert drawn.shape == image.shape and drawn.dtype == np.uint8


def test_label_stays_inside():
    image = np.zeros((100, 400, 3), 'uint8')
    for box in ([0, 0, 20, 20], [380, 0, 400, 20], [380, 80, 400, 100]):
        alone = draw_boxes(image, *detections(box, score=.5, label=1), NAMES)
        elsewhere = draw_boxes(image, *detections([100, 50, 120, 70], score=.5, label=1), NAMES)
        assert alone.any(2).sum() == pytest.approx(elsewhere.any(2).sum(), rel=.25)   # none of it is cut off
