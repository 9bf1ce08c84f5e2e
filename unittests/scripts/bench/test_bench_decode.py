"""scripts/bench/bench_decode.py: what it calls wrong, and a short run."""
import json

import bench_decode
import numpy as np
import pytest


def test_wrong_results_are_told():
    wanted = np.array([[3, .9, .1, .2, .4, .5], [1, .4, .1, .2, .4, .5]])
    found = np.concatenate([wanted, np.full((98, 6), -1)])
    bench_decode.check(-3, found, wanted)
    for place, value in (((0, 0), 2), ((0, 1), .8), ((1, 5), .6), ((2, 0), 1)):
        wrong = found.copy()
        wrong[place] = value
        with pytest.raises(bench_decode.WrongResultError, match='bias -3: '):
            bench_decode.check(-3, wrong, wanted)


def test_quick_run(tmp_path, capsys):
    file = tmp_path / 'bench.json'
    assert bench_decode.main(['--quick', '--json', str(file)]) == 0
    report = json.loads(file.read_text())
    assert report['conditions']['boxes'] == 252 and [row['bias'] for row in report['rows']] == [-8, -5, -3, 0]
    objects = [row['objects'] for row in report['rows']]
    assert objects[0] < objects[-1] == 100 and all(row['ms']['median'] > 0 for row in report['rows'])
    assert 'objects' in capsys.readouterr().out


def test_arguments(capsys):
    for words, said in ((['--size', '100'], '--size: must be a multiple of 32'),
                        (['--classes', '1'], '--classes: must be')):
        with pytest.raises(SystemExit):
            bench_decode.parse(words)
        assert said in capsys.readouterr().err
