"""scripts/bench/export_gluoncv.py: that it runs, and says what cannot be exported."""
import json

import pytest

pytest.importorskip('onnxruntime')

import export_gluoncv


def test_small_ones(tmp_path, capsys):
    path = tmp_path / 'rows.json'
    assert export_gluoncv.main(['--only', 'cifar_resnet20_v1', '--opset', '17', '--json', str(path)]) == 0
    found = json.loads(path.read_text())
    row, = found['rows']
    assert found['opset'] == 17 and row['network'] == 'cifar_resnet20_v1' and row['input'] == '1 x 3 x 32 x 32'
    assert 0 <= row['difference'] < 1e-5 and row['MB'] > 1 and not row['why not']
    assert '1 of 1 networks can be exported; the worst difference is' in capsys.readouterr().out


def test_openvino(tmp_path, capsys):
    pytest.importorskip('openvino')
    path = tmp_path / 'rows.json'
    assert export_gluoncv.main(['--only', 'cifar_resnet20_v1', '--openvino', '--json', str(path)]) == 0
    assert 0 <= json.loads(path.read_text())['rows'][0]['OpenVINO'] < 1e-5


def test_what_cannot_be_exported(capsys):
    assert export_gluoncv.main(['--only', 'cifar_resnet20_v1', 'cifar_resnet20_v0']) == 1
    out = capsys.readouterr().out
    assert '1 of 2 networks can be exported' in out
    assert "cifar_resnet20_v0: --gluoncv: GluonCV has no network 'cifar_resnet20_v0'; did you mean" in out
    assert export_gluoncv.main(['--only', 'cifar_resnet20_v1', '--opset', '12']) == 1
    assert '0 of 1 networks can be exported\n' in capsys.readouterr().out


@pytest.mark.parametrize('table', ['NETWORKS', 'QUICK'])
def test_tables(table):
    """All of them are GluonCV's."""
    from gluoncv import model_zoo

    assert set(getattr(export_gluoncv, table)) <= set(model_zoo.get_model_list())
