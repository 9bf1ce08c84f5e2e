"""scripts/bench/bench_models.py: what it finds wrong, and that it runs."""
import json
import os
from pathlib import Path

import pytest

torch = pytest.importorskip('torch')

import bench_models  # noqa: E402
from bench_sides import part_of_operators  # noqa: E402

TABLE = """
Profile Statistics:

MXNET_C_API
=================
Name                          Total Count        Time (ms)    Min Time (ms)    Max Time (ms)    Avg Time (ms)
----                          -----------        ---------    -------------    -------------    -------------
MXNDArrayWaitAll                       10         882.5440          84.1710          93.8100          88.2544

operator
=================
Name                          Total Count        Time (ms)    Min Time (ms)    Max Time (ms)    Avg Time (ms)
----                          -----------        ---------    -------------    -------------    -------------
Convolution                          1390          90.0000           0.0160          11.1310           0.6066
_backward_top_pool                     30           7.5000           0.2740           8.5160           0.6247
left_pool                              30           2.5000           0.2740           8.5160           0.6247


"""


def test_share_of_operators():
    assert part_of_operators(TABLE, ('top_pool', 'left_pool')) == (.1, ['_backward_top_pool', 'left_pool'])
    assert part_of_operators(TABLE, ('right_pool',)) == (0, [])


def test_quick_run(tmp_path, capsys):
    report = tmp_path / 'report.json'
    assert bench_models.main(['--quick', '--model', 'ghost_centernet', '--what', 'train', 'inference', 'pools',
                              '--json', str(report)]) == 0
    report = json.loads(report.read_text())
    assert [(r['what'], r['batch'], r.get('way')) for r in report['rows']] == [
        ('train', 1, 'hybridized'), ('train', 4, 'hybridized'),
        ('inference', 1, 'hybridized'), ('inference', 1, 'for_inference'), ('pools', 1, None), ('pools', 4, None)]
    assert all(0 < r['part'] < .5 and len(r['operators']) == 8 for r in report['rows'][4:])
    assert 'jit.freeze, channels last' in capsys.readouterr().out
    assert not Path(os.devnull).is_file()   # the profiler puts its file in the place of what is there


def test_pix2pix_trains_as_its_twin(monkeypatch, capsys):
    """The benchmark compares the losses and the gradients of a whole step before it times anything."""
    case = bench_models.CASES['unet256']
    monkeypatch.setitem(bench_models.CASES, 'unet256', case._replace(
        arguments={**case.arguments, 'width': 4}, twin=(*case.twin[:2], {**case.twin[2], 'width': 4}), batches=(1,)))
    assert bench_models.main(['--quick', '--rounds', '1', '--model', 'unet256', '--what', 'train']) == 0
    assert 'unet256' in capsys.readouterr().out


def test_cyclegan_trains_as_its_twin(monkeypatch, capsys):
    """All eight losses together, and the gradients of a generator."""
    case = bench_models.CASES['resnet_9blocks']
    monkeypatch.setitem(bench_models.CASES, 'resnet_9blocks', case._replace(
        arguments={'width': 4}, twin=(*case.twin[:2], {**case.twin[2], 'width': 4})))
    assert bench_models.main(['--quick', '--rounds', '1', '--model', 'resnet_9blocks', '--what', 'train']) == 0
    assert 'resnet_9blocks' in capsys.readouterr().out


def test_dcgan_trains_as_its_twin(monkeypatch, capsys):
    case = bench_models.CASES['dcgan_generator']
    monkeypatch.setitem(bench_models.CASES, 'dcgan_generator', case._replace(
        arguments={'width': 4}, twin=(*case.twin[:2], {'width': 4}), batches=(8,)))
    assert bench_models.main(['--quick', '--rounds', '1', '--model', 'dcgan_generator', '--what', 'train']) == 0
    assert 'dcgan_generator' in capsys.readouterr().out


@pytest.mark.parametrize('name', ['cifar_resnet32', 'sknet50', 'ghostnet_1_0', 'wsdan_resnet50'])
def test_networks_do_what_their_twins_do(name, monkeypatch, capsys):
    monkeypatch.setitem(bench_models.CASES, name, bench_models.CASES[name]._replace(batches=(4,)))
    assert bench_models.main(['--quick', '--rounds', '1', '--model', name, '--what', 'train', 'inference']) == 0
    assert name in capsys.readouterr().out


def test_yolo3_beside_onnxruntime(tmp_path, monkeypatch, capsys):
    """A small one: trained as its twin, and its export computes the same before anything is timed."""
    pytest.importorskip('onnxruntime')
    small = {'width': .125, 'depths': (1, 1, 1, 1, 1)}
    case = bench_models.CASES['yolo3_darknet53']
    monkeypatch.setitem(bench_models.CASES, 'yolo3_darknet53', case._replace(
        arguments=small, twin=(*case.twin[:2], small), batches=(2,)))
    report = tmp_path / 'report.json'
    assert bench_models.main(['--quick', '--rounds', '1', '--model', 'yolo3_darknet53', '--what', 'train', 'inference',
                              '--onnx', '--json', str(report)]) == 0
    rows = json.loads(report.read_text())['rows']
    assert [(row['what'], row['way'], row['torch_way'] == 'onnxruntime') for row in rows] == [
        ('train', 'hybridized', False), ('inference', 'hybridized', False), ('inference', 'for_inference', False),
        ('inference', 'hybridized', True), ('inference', 'for_inference', True)]
    assert all(row['faster']['median'] > 0 and row['torch_way'] in row['torch_ms'] for row in rows)
    assert list(rows[-1]['torch_ms']) == ['onnxruntime'] and 'onnxruntime' not in rows[1]['torch_ms']
    assert 'onnxruntime' in capsys.readouterr().out


def test_without_onnxruntime(monkeypatch, capsys):
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None if name == 'onnxruntime' else name)
    with pytest.raises(SystemExit):
        bench_models.main(['--onnx'])
    assert "--onnx: needs the packages onnx and onnxruntime: pip install 'gluonzoo[onnx]'" in capsys.readouterr().err


WRONG_TWIN = """
from torch_twins.dsod import DSOD


class Wrong(DSOD):
    def forward(self, x):
        logits, offsets = super().forward(x)
        return logits, -offsets


def dsod300(classes):
    return Wrong(classes, bottleneck=192, growth_rate=48)
"""


def test_another_network_is_noticed(tmp_path, monkeypatch, capsys):
    """A twin with the same weights that computes something else."""
    (tmp_path / 'wrong_twin.py').write_text(WRONG_TWIN)
    monkeypatch.syspath_prepend(tmp_path)
    case = bench_models.CASES['dsod300']
    monkeypatch.setitem(bench_models.CASES, 'dsod300', case._replace(twin=('wrong_twin', 'dsod300', {'classes': 20})))
    assert bench_models.main(['--quick', '--model', 'dsod300', '--what', 'inference']) == 1
    assert 'WRONG: dsod300, eager, output 1: differs by 2 of the value' in capsys.readouterr().err
