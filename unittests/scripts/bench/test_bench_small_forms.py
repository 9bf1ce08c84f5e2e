"""scripts/bench/bench_small_forms.py: that it runs, and finds a form that computes something else."""
import json

import pytest

pytest.importorskip('onnxruntime')

import bench_small_forms
from colour_run import draw_pictures, make_run


@pytest.fixture(scope='module')
def pictures(tmp_path_factory):
    return draw_pictures(tmp_path_factory.mktemp('pictures'))


@pytest.fixture(scope='module')
def run(pictures, tmp_path_factory):
    return make_run(tmp_path_factory.mktemp('runs') / 'colours', pictures)


def test_quick_run(run, pictures, tmp_path, capsys):
    path = tmp_path / 'report.json'
    words = ['--run', str(run), '--calibrate', str(pictures), '--quick', '--json', str(path)]
    assert bench_small_forms.main(words) == 0
    report = json.loads(path.read_text())
    metrics = {row['form']: row['metric'] for row in report['rows']}
    assert list(metrics)[:6] == ['MXNet float32', 'MXNet float32, for_inference', 'MXNet bfloat16', 'MXNet int8',
                                 'onnxruntime float32', 'onnxruntime int8']
    assert set(metrics.values()) == {1.0} and report['metric'] == 'top1'
    assert all(row['ms']['median'] > 0 for row in report['rows'])
    assert report['onnx megabytes']['small'] < report['onnx megabytes']['exact'] / 2.5
    assert 'onnxruntime int8' in capsys.readouterr().out


def test_wrong_result(run, pictures, monkeypatch, capsys):
    forms = bench_small_forms.Forms._onnxruntime

    def wrong(self, folder):
        found = forms(self, folder)
        compute = found['onnxruntime float32']
        return {**found, 'onnxruntime float32': lambda array: [1.01 * y for y in compute(array)]}

    monkeypatch.setattr(bench_small_forms.Forms, '_onnxruntime', wrong)
    assert bench_small_forms.main(['--run', str(run), '--calibrate', str(pictures), '--quick']) == 1
    assert 'WRONG: onnxruntime float32: differs from MXNet by 0.01' in capsys.readouterr().err
