"""scripts/bench/busy.py: that neighbours come and go, that each way is what it says, and that it runs."""
import json
import os

import pytest

torch = pytest.importorskip('torch')
pytest.importorskip('onnxruntime')

import busy  # noqa: E402
from measuring import openmp_of_gluonzoo  # noqa: E402

from gluonzoo import cores, runtime  # noqa: E402


def test_neighbours_come_and_go():
    with busy.busy(2) as _, pytest.raises(ZeroDivisionError), busy.busy(1):
        assert running() == 3
        raise ZeroDivisionError
    assert running() == 0


def running():
    """How many child processes of this one are busy in vain."""
    found = 0
    for process in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{process}/cmdline', 'rb') as words, open(f'/proc/{process}/stat') as stat:
                parent = int(stat.read().split(') ')[1].split()[1])
                found += parent == os.getpid() and b'while True: pass' in words.read()
        except FileNotFoundError:   # has ended
            pass
    return found


def test_other_frameworks_have_the_same_threads(monkeypatch):
    for name in ('GOMP_SPINCOUNT', 'OMP_WAIT_POLICY', 'OMP_PROC_BIND', 'OMP_PLACES'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(cores, '_cores_of_mask', lambda root: 2)
    spins = {'GOMP_SPINCOUNT': str(runtime.SPINS)}
    assert openmp_of_gluonzoo(2) == {**spins, 'OMP_PROC_BIND': 'true', 'OMP_PLACES': 'cores'}
    assert openmp_of_gluonzoo(1) == spins
    assert 'OMP_PLACES' not in os.environ


@pytest.mark.parametrize('words, said', [(['--neighbours', '0'], '--neighbours: must be at least 1: 0'),
                                         (['--rounds', '0'], '--rounds: must be at least 1: 0')])
def test_numbers_that_cannot_be(capsys, words, said):
    with pytest.raises(SystemExit):
        busy.main(words)
    assert said in capsys.readouterr().err


def test_ways_by_name():
    assert [way.name for way in busy.ways('train', 2, names=[])] == ['gluonzoo']
    names = ['onnxruntime', 'PyTorch']
    assert [way.name for way in busy.ways('train', 2, names=names)] == ['gluonzoo', 'PyTorch']
    assert [way.name for way in busy.ways('inference', 2, names=names)] == ['gluonzoo', 'PyTorch', 'onnxruntime']


def test_quick_run(tmp_path, capsys):
    report = tmp_path / 'report.json'
    assert busy.main(['--quick', '--model', 'ghost_centernet', '--what', 'inference', '--json', str(report)]) == 0
    rows = json.loads(report.read_text())['rows']
    assert [row['way'] for row in rows] == ['gluonzoo', 'gluonzoo, started beside', "gluonzoo, OpenMP's defaults",
                                            'PyTorch', "PyTorch, gluonzoo's OpenMP", 'onnxruntime']
    assert all(row['ms'][count] > 0 for row in rows for count in ('0', '1'))
    assert 'beside 1' in capsys.readouterr().out
