"""scripts/bench/bench_models.py: what it finds wrong, how it judges, and that it runs."""
import json

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


def row(what, **values):
    return {'model': 'ghost_centernet', 'what': what, 'batch': 1, **values}


def test_share_of_operators():
    assert part_of_operators(TABLE, ('top_pool', 'left_pool')) == (.1, ['_backward_top_pool', 'left_pool'])
    assert part_of_operators(TABLE, ('right_pool',)) == (0, [])


@pytest.mark.parametrize('what, values, met', [
    ('train', {'faster': {'median': 1.2}}, True),
    ('train', {'faster': {'median': 1.19}}, False),
    ('inference', {'faster': {'median': 1.31}}, True),
    ('pools', {'part': .05}, True),
    ('pools', {'part': .051}, False),
])
def test_judgement(what, values, met):
    (target,) = bench_models.judge([row(what, **values)])
    assert target['met'] is met


def test_judgement_takes_the_best_way_and_every_batch():
    rows = [row('inference', faster={'median': 1.1}), row('inference', faster={'median': 1.4})]
    assert [target['met'] for target in bench_models.judge(rows)] == [True]
    rows = [row('train', faster={'median': 1.4}), {**row('train', faster={'median': 1.1}), 'batch': 4}]
    assert [target['met'] for target in bench_models.judge(rows)] == [True, False]


def test_memory_is_judged_by_its_upper_limit():
    for ratio, met in ((1.1, True), (1.11, False)):
        (target,) = bench_models.judge([{**row('memory', times_torch=ratio), 'model': 'dsod300'}])
        assert target['met'] is met


def test_quick_run(tmp_path, capsys):
    report = tmp_path / 'report.json'
    assert bench_models.main(['--quick', '--model', 'ghost_centernet', '--what', 'train', 'inference', 'pools',
                              '--json', str(report)]) == 0
    report = json.loads(report.read_text())
    assert [(r['what'], r['batch'], r.get('way')) for r in report['rows']] == [
        ('train', 1, 'hybridized'), ('train', 4, 'hybridized'),
        ('inference', 1, 'hybridized'), ('inference', 1, 'for_inference'), ('pools', 1, None), ('pools', 4, None)]
    assert report['targets'] == []
    assert all(0 < r['part'] < .5 and len(r['operators']) == 8 for r in report['rows'][4:])
    assert 'jit.freeze, channels last' in capsys.readouterr().out


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
