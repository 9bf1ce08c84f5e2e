"""gluonzoo info of every kind of file."""
import json

import mxnet as mx
import numpy as np
import pytest
from run_checks import error_of
from safetensors.numpy import save_file

import gluonzoo
from gluonzoo.commands.main import main


@pytest.fixture(scope='module')
def exported(tmp_path_factory):
    """The folder of the two files of a network."""
    folder = tmp_path_factory.mktemp('exported')
    net = gluonzoo.get_model('cifar_resnet20')
    net.initialize()
    net.hybridize()
    net(mx.nd.zeros((1, 3, 32, 32))).wait_to_read()
    net.export(str(folder / 'net'))
    return folder


def info(*words, capsys):
    assert main(['info', *map(str, words)]) == 0
    return capsys.readouterr().out


def test_a_symbol(exported, capsys):
    said = info(exported / 'net-symbol.json', capsys=capsys)
    assert 'Convolution 19' in said and '--inputs data=1,3,224,224' in said
    said = info(exported / 'net-symbol.json', '--inputs', 'data=2,3,32,32', capsys=capsys)
    first = next(line for line in said.splitlines() if 'conv0' in line)
    assert first.split()[1:] == ['Convolution', '2', 'x', '16', 'x', '32', 'x', '32', 'float32', '432', '884,736']
    found = json.loads(info(exported / 'net-symbol.json', '--inputs', 'data=1,3,32,32', '--json', capsys=capsys))
    net = gluonzoo.get_model('cifar_resnet20')
    assert found['parameters'] == sum(int(np.prod(p.shape)) for p in net.collect_params().values())
    assert found['multiply_adds'] == 40_551_040   # 40.55 M without the shortcuts, which have no weights
    assert found['layers'][0]['shape'] == [1, 16, 32, 32] and found['types'] == 'float32'


def test_files_of_weights(exported, tmp_path, capsys):
    said = info(exported / 'net-0000.params', capsys=capsys)
    assert "kind: MXNet's parameters" in said and '16 x 3 x 3 x 3' in said
    save_file({'a.weight': np.zeros((2, 3), 'float32')}, str(tmp_path / 'a.safetensors'))
    assert json.loads(info(tmp_path / 'a.safetensors', '--json', capsys=capsys))['arrays'] == [
        {'name': 'a.weight', 'shape': [2, 3], 'dtype': 'float32', 'numbers': 6}]
    mx.nd.save(str(tmp_path / 'b.params'), {'whole': mx.nd.ones((2, 2), dtype='int8')})
    assert 'int8' in info(tmp_path / 'b.params', capsys=capsys)
    (tmp_path / 'c.weights').write_bytes(np.array([0, 2, 0, 0, 0], 'int32').tobytes() + bytes(4 * 100))
    assert 'numbers: 100' in info(tmp_path / 'c.weights', capsys=capsys)


def test_an_onnx_file(exported, tmp_path, capsys):
    pytest.importorskip('onnxruntime')
    main(['export', '--pools', '--onnx', '--out', str(tmp_path)])
    capsys.readouterr()
    said = info(tmp_path / 'top_pool.onnx', capsys=capsys)
    for words in ('opset: ai.onnx 13', 'data batch x channels x height x width', 'operator top_pool'):
        assert words in said


def hostile_onnx(path, length):
    onnx = pytest.importorskip('onnx')
    value = onnx.helper.make_tensor_value_info('x\x1b[2J\nkind: good', onnx.TensorProto.FLOAT, [1])
    weight = onnx.TensorProto(name='w', dims=[length, 3], data_type=onnx.TensorProto.FLOAT)
    graph = onnx.helper.make_graph([onnx.helper.make_node('Relu', ['x'], ['y'])], 'g', [value], [], [weight])
    path.write_bytes(onnx.helper.make_model(graph).SerializeToString())


def test_what_a_terminal_would_obey(tmp_path, capsys):
    hostile_onnx(tmp_path / 'a.onnx', 5)
    said = info(tmp_path / 'a.onnx', capsys=capsys)
    assert '\x1b' not in said and r'x\x1b[2J\nkind: good 1' in said and said.count('\nkind: ') == 1
    hostile_onnx(tmp_path / 'a.onnx', -5)
    assert "damaged: 'w' has the shape (-5, 3)" in error_of(['info', str(tmp_path / 'a.onnx')], capsys)


def test_a_name_that_would_fill_the_memory(tmp_path, capsys):
    arrays = {f'{number}': np.zeros(1, 'float32') for number in range(100)}
    save_file({**arrays, 'x' * 100_000: np.zeros(1, 'float32')}, str(tmp_path / 'a.safetensors'))
    said = info(tmp_path / 'a.safetensors', capsys=capsys)
    assert 'xxx...' in said and max(map(len, said.splitlines())) < 250


def test_bad_files(exported, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, content, words in (
            ('none.params', None, 'none.params: No such file'), ('a.params', b'x' * 100, 'not a parameter file'),
            ('a.json', b'{}', 'not a symbol file'), ('a.json', b'[' * 99999, 'nested too deeply'),
            ('a.onnx', b'\xff' * 100, 'a.onnx: not an ONNX file'), ('a.onnx', b'', 'a.onnx: not an ONNX file'),
            ('a.safetensors', b'\xff' * 100, 'a.safetensors'), ('a.pth', b'PK\x03\x04', 'a.pth'),
            ('a.weights', b'abc', 'a.weights: not a weight file of darknet'), ('a.bin', b'', 'a.bin')):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        assert words in error_of(['info', name], capsys)
    (tmp_path / 'empty').mkdir()
    assert 'empty' in error_of(['info', 'empty'], capsys)
    error = error_of(['info', str(exported / 'net-symbol.json'), '--inputs', 'data=1,4,32,32'], capsys)
    assert 'does not take data [1, 4, 32, 32]' in error
    assert 'has no input' in error_of(['info', str(exported / 'net-symbol.json'), '--inputs', 'x=1'], capsys)


@pytest.mark.parametrize('words, said', [
    (['a.params', '--inputs', 'data=1'], '--inputs: only of a symbol file'),
    (['a.params', '--which', 'last'], '--which: only of a run'),
    (['a.json', '--code', 'x.py'], '--code: only of a run'),
])
def test_arguments(words, said, capsys):
    with pytest.raises(SystemExit) as ended:
        main(['info', *words])
    assert ended.value.code == 2 and said in capsys.readouterr().err
