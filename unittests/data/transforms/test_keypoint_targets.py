"""Targets of keypoints: by hand, and against a slow twin that follows the definition cell by cell."""
from math import ceil, exp, sqrt

import numpy as np
import pytest

from gluonzoo.data.transforms.keypoint_targets import (
    KeypointTargets,
    draw_gaussian,
    gaussian_radius,
    keypoint_targets,
    target_shapes,
)


@pytest.mark.parametrize('height, width, overlap, radius', [
    (10, 10, .7, (sqrt(1120) - 28) / 2),   # 2.73, as large as that by the official quirk; 0.82 would be right
    (4, 20, .7, (sqrt(1397.76) - 33.6) / 2),
    (10, 10, .3, (sqrt(480) - 12) / 2),
    (0, 5, .7, 0), (7, 7, 1, 0)])
def test_radius(height, width, overlap, radius):
    assert gaussian_radius(height, width, overlap) == pytest.approx(radius, abs=1e-12)
    assert gaussian_radius(width, height, overlap) == gaussian_radius(height, width, overlap)


def test_gaussian_by_hand():
    """Radius 1 and sharpness 6: a deviation of 1/2, so e^-2 beside the centre and e^-4 at the corners."""
    heat = np.zeros((4, 5), 'float32')
    draw_gaussian(heat, (2, 1), 1, 6)
    near, far = exp(-2), exp(-4)
    assert heat == pytest.approx(np.array([[0, far, near, far, 0], [0, near, 1, near, 0], [0, far, near, far, 0],
                                           [0, 0, 0, 0, 0]]))
    assert heat[1, 2] == 1   # exactly: that is how the loss finds keypoints


@pytest.mark.parametrize('center', [(0, 0), (4, 0), (0, 3), (4, 3), (2, 2)])
@pytest.mark.parametrize('radius', [0, 1, 9])
def test_gaussian_is_cut_off_and_keeps_what_is_higher(center, radius):
    rng = np.random.default_rng(0)
    before = rng.uniform(size=(4, 5)).astype('float32')
    heat = before.copy()
    draw_gaussian(heat, center, radius, 5)
    sigma = (2 * radius + 1) / 5
    for row in range(4):
        for column in range(5):
            x, y = column - center[0], row - center[1]
            bump = exp(-(x * x + y * y) / (2 * sigma ** 2)) if max(abs(x), abs(y)) <= radius else 0
            assert heat[row, column] == pytest.approx(max(before[row, column], bump))


def label_rows(*rows):
    """Pixels of a 511 x 511 image to fractions."""
    return np.array([[number, *np.array(box) / 511] for number, *box in rows])


def targets_of(labels, classes, image_size=(511, 511), objects=128):
    """New ones, where there was something else before."""
    out = KeypointTargets(*(np.full(shape, np.nan, 'float32') for shape in target_shapes(image_size, classes, objects)))
    assert keypoint_targets(labels, image_size, out) is out
    return out


@pytest.mark.parametrize('image_size, cells', [((511, 511), (128, 128)), ((512, 509), (128, 128)), ((1, 5), (1, 2))])
def test_shapes(image_size, cells):
    shapes = target_shapes(image_size, 3, 7)
    assert isinstance(shapes, KeypointTargets) and shapes[:3] == 3 * ((3, *cells),)
    assert shapes[3:] == (*3 * ((7,),), *3 * ((7, 2),), (7,))


def test_targets_by_hand():
    """A box of 100 to 300 by 40 to 140 pixels: a cell is 511 / 128 pixels wide."""
    targets = targets_of(label_rows((1, 100, 40, 300, 140)), 3)
    scale = 128 / 511
    x = np.array([100, 300, 200]) * scale   # 25.05, 75.15, 50.10
    y = np.array([40, 140, 90]) * scale     # 10.02, 35.07, 22.54
    assert [cells[0] for cells in targets[3:6]] == [10 * 128 + 25, 35 * 128 + 75, 22 * 128 + 50]
    assert np.array([o[0] for o in targets[6:9]]) == pytest.approx(np.stack([x - [25, 75, 50], y - [10, 35, 22]], 1),
                                                                   abs=1e-5)
    assert targets.mask.tolist() == [1] + 127 * [0]
    assert not any(part[1:].any() for part in targets[3:])
    for heat, row, column, sharpness in zip(targets[:3], (10, 35, 22), (25, 75, 50), (6, 6, 5)):
        assert heat.shape == (3, 128, 128) and not heat[[0, 2]].any()
        assert np.argwhere(heat == 1).tolist() == [[1, row, column]]
        # 51 x 26 cells, rounded up, have a radius of 9.5
        inside = np.argwhere(heat[1] > 0)
        assert inside.min(0).tolist() == [row - 9, column - 9] and inside.max(0).tolist() == [row + 9, column + 9]
        assert heat[1, row, column + 3] == pytest.approx(exp(-9 / 2 / (19 / sharpness) ** 2))


def slow_targets(labels, classes, image_size, heat_size, objects):
    """One object, one keypoint, one cell after the other."""
    height, width = heat_size
    heats, found = np.zeros((3, classes, height, width)), []
    for number, *box in labels[:, :5]:
        if number < 0:
            continue
        x1, y1, x2, y2 = (min(max(value * size, 0), size - 1) for value, size in zip(box, 2 * image_size[::-1]))
        if x2 <= x1 or y2 <= y1:
            continue
        sx, sy = width / image_size[1], height / image_size[0]
        radius = int(gaussian_radius(ceil((y2 - y1) * sy), ceil((x2 - x1) * sx), .7))
        keypoints = []
        for kind, (x, y) in enumerate(((x1, y1), (x2, y2), ((x1 + x2) / 2, (y1 + y2) / 2))):
            x, y = x * sx, y * sy
            keypoints.append((int(y) * width + int(x), x - int(x), y - int(y)))
            sigma = (2 * radius + 1) / (6, 6, 5)[kind]
            for row in range(height):
                for column in range(width):
                    dx, dy = column - int(x), row - int(y)
                    if max(abs(dx), abs(dy)) <= radius:
                        heat = heats[kind, int(number)]
                        heat[row, column] = max(heat[row, column], exp(-(dx * dx + dy * dy) / (2 * sigma * sigma)))
        found.append(keypoints)
    return heats, found[:objects]


@pytest.mark.parametrize('count, tagged', [(8, 6), (0, 0), (5, 5)])
def test_targets_against_slow_twin(count, tagged):
    rng = np.random.default_rng(count)
    labels = np.full((8, 6), -1.)
    low, high = np.sort(rng.uniform(-.1, 1.1, (2, count, 2)), axis=0)   # some stick out
    labels[:count] = np.concatenate([rng.integers(0, 2, (count, 1)), low, high, np.zeros((count, 1))], 1)
    if count == 8:
        labels[3, 3] = labels[3, 1]   # no width
    targets = targets_of(labels, 2, (95, 127), objects=6)
    heats, found = slow_targets(labels, 2, (95, 127), (24, 32), 6)
    assert np.allclose(targets[:3], heats, atol=1e-6)
    assert int(targets.mask.sum()) == len(found) == tagged
    for i, keypoints in enumerate(found):
        for kind, (cell, x, y) in enumerate(keypoints):
            assert targets[3 + kind][i] == cell
            assert targets[6 + kind][i] == pytest.approx((x, y), abs=1e-4)


def test_box_at_the_far_edges_stays_on_the_map():
    targets = targets_of(label_rows((0, 500, 500, 511, 511)), 1)
    assert targets.br_cell[0] == 127 * 128 + 127
    assert targets.br_offset[0] == pytest.approx((.7495, .7495), abs=1e-3)   # pixel 510


def test_more_objects_than_tags_are_all_on_the_heat_maps():
    rows = [(0, 50 * i, 50 * i, 50 * i + 40, 50 * i + 40) for i in range(4)]
    targets = targets_of(label_rows(*rows), 1, objects=3)
    assert targets.mask.tolist() == [1, 1, 1] and (targets.tl_heat == 1).sum() == 4


@pytest.mark.parametrize('labels', [np.zeros((0, 5)), np.full((3, 6), -1.)], ids=['no rows', 'padding'])
def test_image_without_objects(labels):
    targets = targets_of(labels, 2, (63, 63))
    assert not any(part.any() for part in targets) and targets.ct_heat.shape == (2, 16, 16)


def test_unknown_class():
    with pytest.raises(ValueError, match='a class must be below 3: 3'):
        targets_of(label_rows((3, 0, 0, 9, 9)), 3)
