"""gluonzoo export --precision and --quantize; predict and evaluate --precision: files, words and refusals."""
import json
from contextlib import nullcontext
from types import SimpleNamespace

import cv2
import mxnet as mx
import numpy as np
import pytest
from colour_run import COLOURS, draw_pictures, make_run
from run_checks import error_of

from gluonzoo.commands import smaller
from gluonzoo.commands.main import main
from gluonzoo.commands.resolve import make_task
from gluonzoo.train import Run
from gluonzoo.train.engine import Engine
from gluonzoo.train.settings import REVISION

onnx = pytest.importorskip('onnx')
onnxruntime = pytest.importorskip('onnxruntime')


@pytest.fixture(scope='module')
def pictures(tmp_path_factory):
    return draw_pictures(tmp_path_factory.mktemp('pictures'))


@pytest.fixture(scope='module')
def run(pictures, tmp_path_factory):
    return make_run(tmp_path_factory.mktemp('runs') / 'colours', pictures)


def export(run, *words):
    return main(['export', '--run', str(run), *map(str, words)])


def test_float16(run, tmp_path, capsys):
    assert export(run, '--onnx', '--precision', 'float16', '--max-drop', 0, '--out', tmp_path / 'a.onnx') == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith('top1 of 12 items of ') and first.endswith(': 1 in float32, 1 in float16')
    assert second.startswith(f'{tmp_path / "a.onnx"}: float16; differs from float32 by ')
    session = onnxruntime.InferenceSession(str(tmp_path / 'a.onnx'), providers=['CPUExecutionProvider'])
    about = json.loads(session.get_modelmeta().custom_metadata_map['gluonzoo'])
    assert about['precision'] == 'float16' and about['class_names'] == sorted(COLOURS)
    assert about['accuracy'] == {'metric': 'top1', 'better': 'max', 'float32': 1, 'float16': 1, 'items': 12}
    colour = (np.full((16, 16, 3), COLOURS['green'], 'float32') - 128) / 64
    logits, = session.run(None, {'image': colour.transpose(2, 0, 1)[None]})
    assert logits.argmax() == 1


@pytest.mark.parametrize('batch', ['1', '5', 'dynamic'])   # 12 pictures: the last batch of 5 is not full
def test_int8(run, pictures, tmp_path, capsys, batch):
    assert export(run, '--onnx', '--precision', 'int8', '--calibrate', pictures, '--batch', batch, '--max-drop', 0,
                  '--out', tmp_path / 'a.onnx') == 0
    assert ': 1 in float32, 1 in int8\n' in capsys.readouterr().out
    exact = tmp_path / 'exact.onnx'
    export(run, '--onnx', '--out', exact)
    assert (tmp_path / 'a.onnx').stat().st_size < exact.stat().st_size / 2.5
    session = onnxruntime.InferenceSession(str(tmp_path / 'a.onnx'), providers=['CPUExecutionProvider'])
    about = json.loads(session.get_modelmeta().custom_metadata_map['gluonzoo'])
    assert about['calibrated_with'] == '12 pictures' and about['accuracy']['int8'] == 1


def test_quantize(run, pictures, tmp_path, capfd):
    assert export(run, '--quantize', 'int8', '--calibrate', pictures, '--out', tmp_path / 'a') == 0
    said = capfd.readouterr()
    # MXNet asks once in a process whether it shall tell of this: where tests before have bound a graph, it does.
    told = [line for line in said.err.splitlines() if 'Subgraph backend MKLDNN is activated' not in line]
    assert ': 1 in float32, 1 in int8\n' in said.out and not told
    assert sorted(path.name for path in tmp_path.iterdir()) == ['a-0000.params', 'a-metadata.json', 'a-symbol.json']
    net = mx.gluon.SymbolBlock.imports(str(tmp_path / 'a-symbol.json'), ['image'], str(tmp_path / 'a-0000.params'))
    colours = (np.stack([np.full((16, 16, 3), COLOURS[name], 'float32') for name in sorted(COLOURS)]) - 128) / 64
    assert net(mx.nd.array(colours.transpose(0, 3, 1, 2))).asnumpy().argmax(1).tolist() == [0, 1, 2]
    assert json.loads((tmp_path / 'a-metadata.json').read_text())['accuracy']['metric'] == 'top1'


@pytest.fixture
def dark(tmp_path):
    """Pictures whose ranges do not suit the network."""
    folder = tmp_path / 'dark'
    folder.mkdir()
    cv2.imwrite(str(folder / 'grey.png'), np.full((16, 16, 3), 128, 'uint8'))
    return folder


@pytest.mark.parametrize('words', [['--onnx', '--precision', 'int8', '--out', 'a.onnx'],
                                   ['--quantize', 'int8', '--out', 'a']])
def test_what_drops_too_far_is_not_written(run, dark, tmp_path, monkeypatch, capfd, words):
    monkeypatch.chdir(tmp_path)
    assert 'top1 becomes worse by ' in error_of(
        ['export', '--run', str(run), *words, '--calibrate', str(dark), '--max-drop', '.01'], capfd)
    assert [path.name for path in tmp_path.iterdir()] == ['dark']
    assert export(run, *words, '--calibrate', dark) == 0   # it is the user's choice


@pytest.mark.parametrize('better, exact, low, written', [
    ('max', .9, .8, False), ('max', .8, .9, True), ('min', 3, 4, False), ('min', 4, 3, True),
    ('min', 3, np.nan, False)])
def test_which_way_is_worse(better, exact, low, written, monkeypatch):
    task = SimpleNamespace(main_metric=('metric', better))
    monkeypatch.setattr(smaller, 'validation', lambda *_: SimpleNamespace(dataset=[1]))
    monkeypatch.setattr(smaller, 'evaluated', lambda task, loader, form: {
        'metric': {'float32': exact, 'int8': low}[form]})
    monkeypatch.setattr('gluonzoo.tasks.stand_in.stand_in', lambda *_: nullcontext())
    arguments = (task, {'val_data': {}}, SimpleNamespace(block=None, inputs={}), None, 'int8', [],
                 SimpleNamespace(max_drop=.05, onnx=True))
    if written:
        assert smaller.judged(*arguments)['accuracy'] == {'metric': 'metric', 'better': better, 'float32': exact,
                                                          'int8': low, 'items': 1}
    else:
        with pytest.raises(ValueError, match='--max-drop: metric becomes worse by'):
            smaller.judged(*arguments)


def test_fewer_pictures_where_they_are_large(run, pictures, tmp_path, monkeypatch):
    """As many as fit, but not fewer than the least."""
    monkeypatch.setattr(smaller, 'LEAST', 2)
    for kept, count in ((1, 2), (5 * 4 * 3 * 16 * 16, 5), (1 << 28, 12)):
        monkeypatch.setattr(smaller, 'KEPT', kept)
        assert export(run, '--quantize', 'int8', '--calibrate', pictures, '--out', tmp_path / 'a') == 0
        assert json.loads((tmp_path / 'a-metadata.json').read_text())['calibrated_with'] == f'{count} pictures'


def test_folder_of_another_kind(run, tmp_path, capsys):
    words = ['export', '--run', str(run), '--onnx', '--precision', 'int8', '--out', str(tmp_path / 'a.onnx')]
    assert 'needs --calibrate FOLDER' in error_of(words, capsys)
    assert 'must be a folder of pictures' in error_of([*words, '--calibrate', str(tmp_path / 'none')], capsys)
    empty = tmp_path / 'empty'
    empty.mkdir()
    assert '--calibrate: no pictures (' in error_of([*words, '--calibrate', str(empty)], capsys)
    (empty / 'a.png').write_bytes(b'no picture')
    main([*words, '--calibrate', str(empty)])
    left_out, said = capsys.readouterr().err.splitlines()
    assert left_out.startswith('left out: ') and 'a.png' in left_out
    assert said.endswith(f'--calibrate: no picture of {empty} can be read')
    assert not (tmp_path / 'a.onnx').exists()


def test_pictures_are_chosen_evenly(pictures):
    every = sorted(pictures.rglob('*.png'))
    assert smaller.chosen(pictures, 100) == every
    assert smaller.chosen(pictures, 3) == [every[0], every[4], every[8]]   # one of each colour


def test_images_of_another_size(run, pictures, tmp_path, capsys):
    said = error_of(['export', '--run', str(run), '--onnx', '--precision', 'int8', '--calibrate', str(pictures),
                     '--size', '32', '32', '--out', str(tmp_path / 'a.onnx')], capsys)
    assert 'image: the task makes [3, 16, 16] of these pictures, and the file takes [3, 32, 32]' in said


def test_data_that_are_not_there(run, tmp_path, capsys):
    words = ['--onnx', '--precision', 'float16', '--data', tmp_path / 'gone', '--out', tmp_path / 'a.onnx']
    assert export(run, *words) == 0
    assert 'the accuracy is not measured: ' in capsys.readouterr().out
    (tmp_path / 'a.onnx').unlink()
    assert 'gone' in error_of(['export', '--run', str(run), *map(str, words), '--max-drop', '1'], capsys)
    assert not (tmp_path / 'a.onnx').exists()


@pytest.mark.parametrize('words, said', [
    (['--precision', 'int8'], '--precision: is of ONNX files'),
    (['--onnx', '--quantize', 'int8'], "--quantize: is MXNet's own form"),
    (['--onnx', '--precision', 'float16', '--calibrate', 'x'], '--calibrate: only with'),
    (['--onnx', '--max-drop', '1'], '--max-drop: only for'), (['--onnx', '--data', 'x'], '--data: only for'),
    (['--onnx', '--precision', 'float16', '--max-drop', '-1'], 'argument --max-drop: must be at least 0: -1'),
    (['--onnx', '--precision', 'float16', '--max-drop', 'nan'], 'argument --max-drop: must be at least 0: nan'),
    (['--onnx', '--precision', 'bfloat16'], 'invalid choice'),
    (['--quantize', 'int8', '--devices', 'gpu'], "MXNet's form of 8 bits is for the CPU")])
def test_arguments_that_do_not_go_together(words, said, capsys):
    with pytest.raises(SystemExit):
        main(['export', '--run', 'run', '--out', 'a.onnx', *words])
    assert said in capsys.readouterr().err


# -- bfloat16 --------------------------------------------------------------------------------------------------------

def test_evaluate_and_predict_in_bfloat16(run, pictures, tmp_path, capsys):
    found = {}
    for precision in ('float32', 'bfloat16'):
        words = ['--run', str(run), '--precision', precision]
        assert main(['evaluate', *words]) == 0
        assert 'top1                 1.0000' in capsys.readouterr().out
        out = tmp_path / precision
        assert main(['predict', *words, '--images', str(pictures / 'red'), '--out', str(out)]) == 0
        entries = json.loads((out / 'predictions.json').read_text())['images']
        found[precision] = [entry['classes'] for entry in entries]
    scores = {name: np.array([[one['score'] for one in each] for each in classes])
              for name, classes in found.items()}
    assert all(each[0]['class'] == 'red' for each in found['bfloat16'])
    gap = np.abs(scores['float32'] - scores['bfloat16']).max()
    assert 0 < gap < .05   # 8 bits of it


def test_statistics_of_each_picture(tmp_path, capsys):
    """A generator in training mode would be another one in bfloat16."""
    settings = {'name': 'pix2pix', 'image_size': 128, 'test_mode': 'batch',
                'generator': {'name': 'unet128', 'width': 2}, 'discriminator': {'name': 'patchgan', 'width': 2}}
    task = make_task({'task': settings})
    task.start_training(Engine())
    Run.create(tmp_path / 'run', {'revision': REVISION, 'task': settings}, resume=False).save(
        task, step=1, epoch=1, batch=0)
    cv2.imwrite(str(tmp_path / 'a.png'), np.zeros((8, 8, 3), 'uint8'))
    words = ['predict', '--run', str(tmp_path / 'run'), '--images', str(tmp_path / 'a.png'), '--out',
             str(tmp_path / 'out')]
    assert main([*words, '--precision', 'bfloat16']) == 1
    assert 'bfloat16 normalises by the statistics of the training alone' in capsys.readouterr().err
