"""scripts/bench/bench_views.py: what it calls wrong, and a short run."""
import json

import bench_views
import numpy as np
import pytest


def test_wrong_results_are_told():
    crops, boxes = np.ones((2, 3, 4, 4)), np.array([[0, 0, 4, 4], [1, 1, 3, 2]])
    bench_views.check((crops + 1e-5, boxes), (crops, boxes.tolist()))
    with pytest.raises(bench_views.WrongResultError, match='^boxes: '):
        bench_views.check((crops, boxes + [0, 0, 0, 1]), (crops, boxes))
    wrong = crops.copy()
    wrong[1, 2, 3, 3] = 1.01
    with pytest.raises(bench_views.WrongResultError, match='^crops: by 0.01$'):
        bench_views.check((wrong, boxes), (crops, boxes))


def test_quick_run(tmp_path, capsys):
    pytest.importorskip('torch')
    file = tmp_path / 'bench.json'
    assert bench_views.main(['--quick', '--batch', '2', '--maps', '3', '--json', str(file)]) == 0
    report = json.loads(file.read_text())
    assert report['conditions']['attention'] == [2, 3, 3, 3]
    assert [row['views'] for row in report['rows']] == ['training', 'refined']
    assert all(row[side]['median'] > 0 for row in report['rows'] for side in ('gluonzoo', 'PyTorch', 'ratio'))
    assert 'refined' in capsys.readouterr().out


def test_arguments(capsys):
    for words, said in ((['--size', '100'], '--size: must be a multiple of 32'), (['--maps', '0'], '--maps: must be'),
                        (['--batch', '0'], '--batch: must be')):
        with pytest.raises(SystemExit):
            bench_views.parse(words)
        assert said in capsys.readouterr().err
