"""gluonzoo/search/pictures.py: they are drawn, of every kind of trial and of none."""
import cv2
import numpy as np
import pytest

from gluonzoo.search.pictures import draw_history, draw_importances


def ink(path, colour):
    """How many pixels of a picture have a colour of matplotlib's, (R, G, B)."""
    return int((np.abs(cv2.imread(str(path))[..., ::-1].astype(int) - colour).max(axis=2) < 12).sum())


BLUE, ORANGE, RED = (31, 119, 180), (255, 127, 14), (214, 39, 40)


@pytest.mark.parametrize('direction', ['max', 'min'])
def test_history(bench, tmp_path, direction):
    bench.direction = direction
    study, path = bench.study(), tmp_path / 'history.png'
    draw_history(path, study, 'acc')
    assert not any(ink(path, colour) for colour in (BLUE, ORANGE, RED))
    asked = [study.ask() for _ in range(4)]
    study.fail(asked[0], 'no')
    draw_history(path, study, 'acc')
    assert ink(path, RED) and not ink(path, BLUE)
    study.prune(asked[1])   # before it had a value
    draw_history(path, study, 'acc')
    assert not ink(path, BLUE)
    study.complete(asked[2], .5)
    study.complete(asked[3], .25)
    draw_history(path, study, 'acc')
    assert ink(path, BLUE) > 50 and ink(path, ORANGE) > 200


def test_importances(tmp_path):
    path = tmp_path / 'importance.png'
    draw_importances(path, {'task.optimizer.learning_rate': .75, 'b': .25, 'c': 0.0}, 'acc')
    rows = np.flatnonzero((np.abs(cv2.imread(str(path))[..., ::-1].astype(int) - BLUE).max(axis=2) < 12).any(axis=1))
    upper, lower = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)   # two bars; one of no length

    def length(rows):
        picture = cv2.imread(str(path))[rows[len(rows) // 2], :, ::-1].astype(int)
        return (np.abs(picture - BLUE).max(axis=1) < 12).sum()

    assert length(upper) == pytest.approx(3 * length(lower), rel=.05)   # the greatest on top
    draw_importances(path, {'a': 0.0}, 'acc')
