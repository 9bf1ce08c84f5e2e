"""scripts/bench/bench_ops.py: its reference, and what it does with a pool that is wrong."""
import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import bench_ops
import numpy as np
import pytest

SCRIPT = Path(__file__).resolve().parents[3] / 'scripts' / 'bench' / 'bench_ops.py'

# Runs the script after a change to gluonzoo.ops or to the modules that can be imported.
DRIVER = """
import os, runpy, sys
import gluonzoo.ops as ops
ops.top_pool   # imports MXNet, which does not import where torch is None
{change}
sys.argv = {argv!r}
sys.path.insert(0, os.path.dirname(sys.argv[0]))
runpy.run_path(sys.argv[0], run_name='__main__')
"""

WITHOUT_TORCH = "sys.modules['torch'] = None\n"


def run_script(*arguments, change=''):
    argv = [str(SCRIPT), '--quick', '--rounds', '1', '--threads', '1', '--shapes', '1x2x5x4', *arguments]
    return subprocess.run([sys.executable, '-c', DRIVER.format(change=change, argv=argv)], text=True,
                          env={**os.environ, 'OMP_NUM_THREADS': '1'}, capture_output=True)


def line(values, axis=2):
    return np.array(values, np.float32).reshape((1, 1, -1, 1) if axis == 2 else (1, 1, 1, -1))


@pytest.mark.parametrize('pool, last_wins, y, dx', [
    # x = 1 3 3 2, dy = 1 10 100 1000
    ('bottom', False, [1, 3, 3, 3], [1, 1110, 0, 0]),
    ('bottom', True, [1, 3, 3, 3], [1, 10, 1100, 0]),
    ('top', False, [3, 3, 3, 2], [0, 0, 111, 1000]),
    ('top', True, [3, 3, 3, 2], [0, 11, 100, 1000]),
    ('right', False, [1, 3, 3, 3], [1, 1110, 0, 0]),
    ('left', False, [3, 3, 3, 2], [0, 0, 111, 1000]),
])
def test_reference_by_hand(pool, last_wins, y, dx):
    axis = 2 if pool in ('top', 'bottom') else 3
    got = bench_ops.reference(pool, line([1, 3, 3, 2], axis), line([1, 10, 100, 1000], axis), last_wins)
    np.testing.assert_array_equal(got[0], line(y, axis))
    np.testing.assert_array_equal(got[1], line(dx, axis))


def test_reference_gives_all_after_a_nan_to_the_first():
    y, dx = bench_ops.reference('bottom', line([1, np.nan, 9, np.nan]), line([1, 10, 100, 1000]))
    np.testing.assert_array_equal(y, line([1, np.nan, np.nan, np.nan]))
    np.testing.assert_array_equal(dx, line([1, 1110, 0, 0]))


def test_demand_equal_names_the_first_difference():
    with pytest.raises(bench_ops.WrongResultError, match=r'here: 1 of 3 elements differ, first at \(1,\)'):
        bench_ops.demand_equal('here', np.array([1., 2., np.nan]), np.array([1., 3., np.nan]))
    with pytest.raises(bench_ops.WrongResultError, match='float32'):
        bench_ops.demand_equal('here', np.zeros(3), np.zeros(3, np.float32))


def test_turns_alternate_and_times_are_per_piece_of_work():
    order = []
    pace = bench_ops.Pace(rounds=2, turn=0, pause=0)
    sides = {name: functools.partial(order.append, name) for name in 'ab'}
    times, by_round = bench_ops.take_turns(sides, pace)
    assert ''.join(order) == 'aabb' + 'abba'      # each warmed up and timed once, then in turns
    assert times['a']['samples'] == 2 and len(by_round['b']) == 2
    assert times['a']['p10'] <= times['a']['median'] <= times['a']['p90']


def test_quick_run(tmp_path):
    file = tmp_path / 'bench.json'
    done = run_script('--json', str(file))
    assert done.returncode == 0, done.stderr
    report = json.loads(file.read_text())
    for key in ('date', 'cpu', 'threads', 'route', 'mxnet', 'numpy', 'torch', 'gluonzoo', 'python', 'device'):
        assert key in report['conditions']
    assert report['conditions']['threads'] == 1
    assert report['conditions']['route'] in done.stdout
    cases = [(pool, dtype) for dtype in ('float32', 'float16', 'float64') for pool in bench_ops.POOLS]
    wanted = [(*case, passed) for case in cases for passed in ('forward', 'backward')]
    assert [(row['pool'], row['dtype'], row['pass']) for row in report['copy']] == wanted
    for row in report['copy']:
        assert row['shape'] == [1, 2, 5, 4] and row['ms']['median'] > 0
        medians = {name: times['median'] for name, times in row['copy_ms'].items()}
        assert medians[row['copy']] == min(medians.values())
    if report['conditions']['torch']:
        assert len(report['torch']) == len(wanted)
        assert all(set(row['ms']) == {'imperative', 'static_alloc', 'torch'} for row in report['torch'])


def test_without_torch_the_comparison_with_the_machine_remains(tmp_path):
    file = tmp_path / 'bench.json'
    done = run_script('--json', str(file), change=WITHOUT_TORCH)
    assert done.returncode == 0, done.stderr
    report = json.loads(file.read_text())
    assert report['torch'] == [] and report['conditions']['torch'] is None
    assert 'torch' in report['conditions']['torch_missing']
    assert len(report['copy']) == 24
    assert report['conditions']['malloc'] == 'keeps freed memory'
    assert len(report['memory']) == 4


@pytest.mark.parametrize('change, words', [
    ('ops.left_pool = ops.right_pool', 'left_pool of (1, 2, 5, 4) float32 imperatively, values'),
    # right values, one too much in every gradient
    ('pool = ops.top_pool\nops.top_pool = lambda x: pool(x) + (x - x.detach())',
     'top_pool of (1, 2, 5, 4) float32 imperatively, gradient'),
    ('ops.BottomPool = ops.TopPool', 'bottom_pool of (1, 2, 5, 4) float32 in a static graph, values'),
], ids=['values', 'gradient', 'block'])
def test_a_wrong_result_gives_no_number(change, words, tmp_path):
    file = tmp_path / 'bench.json'
    done = run_script('--json', str(file), change=WITHOUT_TORCH + change)
    assert done.returncode == 1
    assert 'WRONG: ' + words in done.stderr
    assert done.stdout == '' and not file.exists()


def test_arguments_are_checked():
    for arguments in (['--shapes', '1x2x3'], ['--shapes', '1x0x3x3'], ['--threads', '0']):
        with pytest.raises(SystemExit) as stop:
            bench_ops.parse(arguments)
        assert stop.value.code == 2
