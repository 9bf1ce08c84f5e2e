"""The picture of a confusion matrix: what is dark, and that nothing breaks it."""
import numpy as np
import pytest

from gluonzoo.pictures import confusion
from gluonzoo.pictures.confusion import DARK, draw_confusion


def matrix_of(picture, classes, cell):
    """The colours of the cells' corners, [classes, classes, 3]."""
    dark = (picture == DARK).all(axis=2)   # the first cell is right
    top, left = np.argwhere(dark)[0]
    return picture[top:top + classes * cell:cell, left:left + classes * cell:cell]


@pytest.mark.parametrize('classes, cell', [(2, 44), (20, 44), (21, 22), (40, 22), (41, 21), (100, 9), (1000, 1)])
def test_cells(classes, cell):
    """Right is dark, nothing is white, a quarter of the row is half as dark."""
    counts = np.eye(classes, dtype=int) * 8
    counts[1] = 0
    counts[1, 0], counts[1, 1] = 2, 6
    picture = draw_confusion(counts, [f'class {i}' for i in range(classes)])
    assert picture.dtype == np.uint8 and max(picture.shape) < 1400
    cells = matrix_of(picture, classes, cell)
    assert (cells[np.arange(classes) != 1, np.arange(classes) != 1] == DARK).all()
    assert (cells[0, 1:] == 255).all()
    np.testing.assert_allclose(cells[1, 0], (255 + DARK) / 2, atol=1)


def test_words(monkeypatch):
    """The most frequent confusions, the names of up to 40 classes, counts of up to 20."""
    said = []
    real = confusion.lettering
    monkeypatch.setattr(confusion, 'lettering', lambda text, size: said.append(text) or real(text, size))
    draw_confusion(np.array([[5, 2, 0], [0, 0, 0], [3, 0, 12345]]), ['cat', 'dog', 'cow'])
    assert said == ['5', '2', '3', '12k', 'cat', 'dog', 'cow', 'cow taken for cat: 3 of 12348',
                    'cat taken for dog: 2 of 7', 'taken for', 'true class']
    said.clear()
    draw_confusion(np.ones((41, 41), int), [f'a{i}' for i in range(41)])
    assert len(said) == 12 and said[0] == 'a0 taken for a1: 1 of 41'


@pytest.mark.parametrize('names', [['', 'x' * 5000], ['ünï', '\u732b'], ['a\nb', '\t']])
@pytest.mark.filterwarnings('ignore:no font')
def test_any_names(names):
    assert draw_confusion(np.array([[1, 2], [3, 4]]), names).shape[1] < 900


def test_without_a_picture():
    assert (draw_confusion(np.zeros((3, 3), int), list('abc')) == 255).mean() > .9
