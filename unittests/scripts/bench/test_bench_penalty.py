"""scripts/bench/bench_penalty.py: what it calls wrong, and a short run."""
import json

import bench_penalty
import numpy as np
import pytest

pytest.importorskip('torch')


def test_quick_run(tmp_path, capsys):
    file = tmp_path / 'report.json'
    assert bench_penalty.main(['--quick', '--batch', '2', '--json', str(file)]) == 0
    row, = json.loads(file.read_text())['rows']
    assert row['case'] == 'quick' and row['parameters'] == 3 * 4 * 25 + 4 + 4 * 8 * 25 + 8 + 2 * 8 + 8 * 16 + 1
    assert all(row[name]['median'] > 0 for name in ('gluonzoo_ms', 'PyTorch_ms', 'gluonzoo_without_ms',
                                                    'PyTorch_without_ms', 'ratio'))
    assert 'Times of a step' in capsys.readouterr().out


def test_a_wrong_penalty_is_told(monkeypatch, capsys):
    monkeypatch.setattr(bench_penalty, 'WEIGHT', 11)   # read by both sides
    assert bench_penalty.main(['--quick', '--batch', '2']) == 0

    class Wrong(bench_penalty.GradientPenalty):
        def __init__(self, critic, weight):
            super().__init__(critic, weight * 1.01)

    monkeypatch.setattr(bench_penalty, 'GradientPenalty', Wrong)
    capsys.readouterr()
    assert bench_penalty.main(['--quick', '--batch', '2']) == 1
    assert capsys.readouterr().err.startswith('WRONG: quick: the loss is ')


def test_wrong_gradients_are_told():
    right = 1., {'weight': np.ones(3), 'bias': np.ones(1)}
    bench_penalty.demand_equal('x', right, right)
    wrong = 1., {'weight': np.ones(3), 'bias': np.zeros(1)}
    with pytest.raises(bench_penalty.WrongResultError, match='x: the gradients differ by 0.5 of their length'):
        bench_penalty.demand_equal('x', wrong, right)


def test_arguments(capsys):
    for words, said in ((['--batch', '0'], '--batch: must be at least 1: 0'),
                        (['--quick', '--critic', 'dcgan'], '--critic: not with --quick'),
                        (['--critic', 'x'], "invalid choice: 'x'")):
        with pytest.raises(SystemExit):
            bench_penalty.parse(words)
        assert said in capsys.readouterr().err
    assert list(bench_penalty.parse(['--critic', 'dcgan']).cases) == ['dcgan']
