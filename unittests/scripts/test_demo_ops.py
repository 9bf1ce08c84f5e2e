"""scripts/demo_ops.py: the numbers behind the picture, and that it is drawn."""
import os
import struct
import subprocess
import sys
from pathlib import Path

import demo_ops
import numpy as np
import pytest

SCRIPT = Path(__file__).resolve().parents[2] / 'scripts' / 'demo_ops.py'


@pytest.fixture(scope='module')
def maps():
    import gluonzoo  # noqa: F401  (makes mxnet importable)
    return demo_ops.compute()


def test_pools_are_running_maxima(maps):
    x = maps['x']
    np.testing.assert_array_equal(maps['bottom'], np.maximum.accumulate(x, 0))
    np.testing.assert_array_equal(maps['top'], np.maximum.accumulate(x[::-1], 0)[::-1])
    np.testing.assert_array_equal(maps['right'], np.maximum.accumulate(x, 1))
    np.testing.assert_array_equal(maps['left'], np.maximum.accumulate(x[:, ::-1], 1)[:, ::-1])


@pytest.mark.parametrize('pool, axis', [('top', 0), ('bottom', 0), ('left', 1), ('right', 1)])
def test_every_line_shares_out_one_gradient_per_output(maps, pool, axis):
    gradient = maps[pool + ' gradient']
    np.testing.assert_array_equal(gradient.sum(axis), np.full(demo_ops.SIZE, demo_ops.SIZE))
    # an element receives as many as there are outputs equal to it: the texture has no ties
    lines, pooled = (np.moveaxis(maps[name], axis, 0) for name in ('x', pool))
    counts = np.array([(pooled == line).sum(0) for line in lines])
    np.testing.assert_array_equal(np.moveaxis(gradient, axis, 0), counts)


def test_sums_peak_at_the_corners_of_the_boxes(maps):
    assert demo_ops.boxes() == [(4, 5, 16, 13), (17, 16, 27, 28)]
    assert demo_ops.peaks(maps['top-left']) == [(4, 5), (17, 16)]
    assert demo_ops.peaks(maps['bottom-right']) == [(16, 13), (27, 28)]


def test_nothing_is_to_be_seen_at_the_corners(maps):
    for xmin, ymin, xmax, ymax in demo_ops.boxes():
        for pool in demo_ops.POOLS:
            assert maps[pool + ' evidence'][ymin, xmin] < 0.01
            assert maps[pool + ' evidence'][ymax, xmax] < 0.01


def test_the_picture_is_drawn_and_always_the_same(tmp_path):
    files = [tmp_path / 'new folder' / 'pools.png', tmp_path / 'again.png']
    for file in files:
        done = subprocess.run([sys.executable, str(SCRIPT), '--out', str(file)], text=True,
                              env={**os.environ, 'OMP_NUM_THREADS': '1'}, capture_output=True)
        assert done.returncode == 0, done.stderr
        assert f'route {os.environ.get("GLUONZOO_OPS", "")}' in done.stdout and str(file) in done.stdout
    data = files[0].read_bytes()
    assert data[:8] == b'\x89PNG\r\n\x1a\n' and len(data) > 20000
    assert struct.unpack('>II', data[16:24]) == (1540, 1089)
    assert data == files[1].read_bytes()
