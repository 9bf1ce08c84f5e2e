"""gluonzoo export of networks that gluonzoo does not have: GluonCV's, and those of MXNet's own files."""
import argparse
import json

import mxnet as mx
import numpy as np
import pytest
from numpy.testing import assert_allclose
from run_checks import check_error_is_one_line, error_of

from gluonzoo.commands.foreign import named_shape
from gluonzoo.commands.main import main

pytest.importorskip('onnx')
onnxruntime = pytest.importorskip('onnxruntime')


@pytest.fixture(scope='module')
def module(tmp_path_factory):
    """The folder of what a Module of a small network has saved, and its input and output."""
    folder = tmp_path_factory.mktemp('module')
    out = mx.sym.Convolution(mx.sym.var('data'), kernel=(3, 3), num_filter=4, pad=(1, 1), name='conv')
    out = mx.sym.Pooling(mx.sym.Activation(out, act_type='relu'), global_pool=True, pool_type='avg')
    out = mx.sym.FullyConnected(mx.sym.Flatten(out), num_hidden=5, name='fc')
    net = mx.mod.Module(mx.sym.SoftmaxOutput(out, name='softmax'))
    net.bind([('data', (2, 3, 8, 8))], [('softmax_label', (2,))])
    net.init_params(mx.init.Uniform(1))
    net.save_checkpoint(str(folder / 'net'), 7)
    x = mx.nd.random.normal(shape=(2, 3, 8, 8))
    net.forward(mx.io.DataBatch([x]), is_train=False)
    return folder, x.asnumpy(), net.get_outputs()[0].asnumpy()


def test_a_module(module, tmp_path, capsys):
    folder, x, wanted = module
    files = ['--symbol', str(folder / 'net-symbol.json'), '--params', str(folder / 'net-0007.params')]
    path = tmp_path / 'net.onnx'
    assert main(['export', *files, '--inputs', 'data=2,3,8,8', '--onnx', '--batch', 'dynamic', '--size', 'dynamic',
                 '--out', str(path)]) == 0
    assert 'softmax_output' in capsys.readouterr().out
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    assert session.get_inputs()[0].shape == ['batch', 3, 'height', 'width']
    assert_allclose(session.run(None, {'data': x})[0], wanted, 1e-5)
    assert session.run(None, {'data': np.zeros((3, 3, 9, 11), 'float32')})[0].shape == (3, 5)
    assert main(['export', *files, '--inputs', 'data=2,3,8,8', '--out', str(tmp_path / 'again')]) == 0
    again = mx.gluon.SymbolBlock.imports(str(tmp_path / 'again-symbol.json'), ['data'],
                                         str(tmp_path / 'again-0000.params'))
    assert_allclose(again(mx.nd.array(x)).asnumpy(), wanted, 1e-5)


def test_a_network_of_gluoncv(tmp_path, capsys):
    path = tmp_path / 'net.onnx'
    assert main(['export', '--gluoncv', 'cifar_resnet20_v1', '--onnx', '--batch', '2', '--out', str(path)]) == 0
    said = capsys.readouterr().out
    assert 'the weights are random' in said
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    assert session.get_inputs()[0].shape == [2, 3, 32, 32]
    assert json.loads(session.get_modelmeta().custom_metadata_map['gluonzoo'])['network'] == 'GluonCV cifar_resnet20_v1'


@pytest.mark.parametrize('words, said', [
    (['--gluoncv', 'resnet18_v7'], "--gluoncv: GluonCV has no network 'resnet18_v7'; did you mean resnet18_v"),
    (['--gluoncv', 'cifar_resnet20_v1', '--params', 'net-symbol.json'], 'net-symbol.json: not a parameter file'),
    (['--gluoncv', 'inceptionv3', '--size', '20', '20'], 'does not take data [1, 3, 20, 20]'),
    (['--symbol', 'no.json', '--inputs', 'data=1'], 'no.json: No such file'),
    (['--symbol', 'net-0007.params', '--inputs', 'data=1'], 'net-0007.params: not a text'),
    (['--symbol', 'net-symbol.json', '--inputs', 'data=2,3,8,8'], "nothing is said of 'conv_weight'"),
    (['--symbol', 'net-symbol.json', '--params', 'net-0007.params', '--inputs', 'image=2,3,8,8'], "it has 'data'"),
    (['--symbol', 'net-symbol.json', '--params', 'cut.params', '--inputs', 'data=2,3,8,8'], 'cut.params: '),
    (['--symbol', 'net-symbol.json', '--params', '/dev/null', '--inputs', 'data=2,3,8,8'], 'must be an ordinary file'),
    (['--symbol', 'unknown.json', '--params', 'net-0007.params', '--inputs', 'data=2,3,8,8'],
     "unknown.json: layer 'fc': MXNet 1.9.1 has no operator 'MyDense'"),
])
def test_bad_files(words, said, module, tmp_path, capsys, monkeypatch):
    folder = module[0]
    (folder / 'cut.params').write_bytes((folder / 'net-0007.params').read_bytes()[:500])
    symbol = (folder / 'net-symbol.json').read_text()
    (folder / 'unknown.json').write_text(symbol.replace('"FullyConnected"', '"MyDense"'))
    monkeypatch.chdir(folder)
    monkeypatch.setattr('gluonzoo.export.loaded.require_it_runs', lambda *_: None)   # seconds; of its own test
    out = tmp_path / 'net.onnx'
    assert said in error_of(['export', *words, '--onnx', '--out', str(out)], capsys) and not list(tmp_path.iterdir())


def test_where_nothing_can_be_written(module, capsys):
    folder = module[0]
    check_error_is_one_line(['export', '--gluoncv', 'cifar_resnet20_v1', '--onnx', '--out',
                             str(folder / 'net-symbol.json' / 'net.onnx')], 'gluonzoo export: ', capsys)


@pytest.mark.parametrize('words, said', [
    (['--gluoncv', 'x', '--run', 'y'], '--run: not with --gluoncv'),
    (['--gluoncv', 'x', '--symbol', 'y'], '--gluoncv: not with --symbol'),
    (['--gluoncv', 'x', '--inputs', 'data=1'], '--inputs: not with --gluoncv'),
    (['--gluoncv', 'x', '--decode'], '--decode: not with --gluoncv'),
    (['--gluoncv', 'x', '--precision', 'float16'], '--precision: not with --gluoncv'),
    (['--gluoncv', 'x', '--devices', 'gpu'], '--devices: not with --gluoncv'),
    (['--symbol', 'x', '--inputs', 'data=1', '--devices', 'gpu:1'], '--devices: not with --symbol'),
    (['--pools', '--devices', 'gpu'], '--devices: not with --pools'),
    (['--symbol', 'x'], '--symbol: needs --inputs'),
    (['--symbol', 'x', '--inputs', 'data=1', '--size', '3', '3'], '--size: with --symbol it is that of --inputs'),
    (['--symbol', 'x', '--inputs', 'data=1', '--batch', '3'], '--batch: with --symbol it is the first number'),
    (['--symbol', 'x', '--inputs', 'data=1', 'data=2'], '--inputs: each input can be given once'),
    (['--symbol', 'x', '--inputs', 'data'], "--inputs: must be NAME=N,N,... with whole numbers above 0: 'data'"),
    (['--run', 'x', '--params', 'y'], '--params: only with --gluoncv or --symbol'),
    (['--run', 'x', '--inputs', 'data=1'], '--inputs: only with --symbol'),
    (['--pools', '--params', 'y'], '--params: not with --pools'),
])
def test_arguments(words, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(['export', *words, '--onnx', '--out', 'out.onnx'])
    assert ended.value.code == 2 and said in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_files_that_would_replace_what_they_come_from(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(['export', '--symbol', 'net-symbol.json', '--inputs', 'data=1', '--out', str(tmp_path / 'net')])
    assert ended.value.code == 2 and 'net-symbol.json is what --symbol names' in capsys.readouterr().err


@pytest.mark.parametrize('text', ['data', 'data=', '=1', 'data=1,', 'data=1,-3', 'data=0', 'data=1.5',
                                  'data=9' + '9' * 30, 'data=' + '1,' * 8 + '1'])
def test_shapes_that_are_none(text):
    with pytest.raises(argparse.ArgumentTypeError):
        named_shape(text)
    assert named_shape('im_info=1,3') == ('im_info', (1, 3))
