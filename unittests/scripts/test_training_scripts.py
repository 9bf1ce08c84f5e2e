"""The way of a user through the scripts: make data, train, resume, evaluate, predict on photos of every kind."""
import json

import cv2
import evaluate
import numpy as np
import predict
import pytest
import train_dsod
from PIL import Image
from programs import check_error_is_one_line
from run_checks import check_records, evaluated, scalars

from gluonzoo.commands.main import main
from gluonzoo.train import CheckpointError

TRAIN = ('--small', '--batch-size', '4')


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    out = tmp_path_factory.mktemp('data') / 'pikachu'
    small = ['--train', '9', '--val', '3', '--size', '192']
    assert main(['data', 'pikachu', '--synthetic', '--out', str(out), *small]) == 0
    return out


@pytest.fixture(scope='module')
def run(data, tmp_path_factory):
    """The directory of a run of two epochs, two steps each."""
    directory = tmp_path_factory.mktemp('runs') / 'small'
    train_dsod.main(['--data', str(data), '--run', str(directory), '--epochs', '2', *TRAIN])
    return directory


def test_what_a_run_leaves(run):
    check_records(run, ['class_loss'], ['mAP'])
    assert {path.name for path in (run / 'samples').iterdir()} == {'epoch-001.jpg', 'epoch-002.jpg'}
    assert list((run / 'tensorboard').iterdir())


def test_resume(data, run):
    arguments = ['--data', str(data), '--run', str(run), *TRAIN]
    with pytest.raises(CheckpointError, match='has a run already; resume it'):
        train_dsod.main([*arguments, '--epochs', '2'])
    with pytest.raises(CheckpointError, match='task.optimizer.learning_rate 0.002 then, 0.1 now'):
        train_dsod.main([*arguments, '--epochs', '2', '--lr', '.1', '--resume'])
    before = (run / 'scalars.csv').read_bytes()
    train_dsod.main([*arguments, '--epochs', '2', '--resume'])   # there is nothing left to do
    assert (run / 'scalars.csv').read_bytes() == before


def test_evaluate(run, tmp_path, capsys):
    found, shape = evaluated(run, tmp_path)
    trained = [value for _, name, value in scalars(run) if name == 'mAP'][-1]
    assert found['mAP'] == pytest.approx(trained, abs=1e-6) and 'mAP07' in capsys.readouterr().out
    assert shape == (384, 3 * 388 - 4, 3)   # three of 384 in a row


def save_photos(folder):
    """Photos of all kinds, 60 wide and 40 high as they are seen."""
    y, x = np.mgrid[:40, :60]
    rgb = np.stack([4 * x, 6 * y, 255 - 4 * x], 2).astype(np.uint8)
    (folder / 'deeper').mkdir(parents=True)
    Image.fromarray(rgb).save(folder / 'photo.jpg')
    Image.fromarray(rgb).save(folder / 'photo.bmp')
    Image.fromarray(rgb[..., 0]).save(folder / 'grey.png')
    Image.fromarray(np.dstack([rgb, rgb[..., 0]])).save(folder / 'deeper' / 'transparent.png')
    cv2.imwrite(str(folder / 'deep.png'), rgb.astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[0x0112] = 6   # to be turned by 90 degrees
    Image.fromarray(rgb.transpose(1, 0, 2)[::1]).save(folder / 'turned.jpg', exif=exif)
    (folder / 'notes.txt').write_text('no picture')


def test_predict(run, tmp_path, capsys):
    photos, out = tmp_path / 'photos', tmp_path / 'out'
    save_photos(photos)
    assert predict.main(['--run', str(run), '--images', str(photos), '--out', str(out), '--batch-size', '4']) == 0
    report = json.loads((out / 'predictions.json').read_text())
    assert len(report['images']) == 6 and report['unreadable'] == []
    for image in report['images']:
        assert (image['width'], image['height']) == (60, 40)
        assert cv2.imread(str(out / image['picture'])).shape == (40, 60, 3)
        for detection in image['detections']:
            xmin, ymin, xmax, ymax = detection['box']
            assert 0 <= xmin < xmax <= 60 and 0 <= ymin < ymax <= 40 and detection['class'] == 'mascot'
    names = {image['picture'] for image in report['images']}
    assert names == {'photo.jpg', 'photo-2.jpg', 'grey.jpg', 'deep.jpg', 'turned.jpg', 'deeper/transparent.jpg'}


@pytest.mark.parametrize('script, options, words', [
    (predict, ['--heatmaps'], '--heatmaps: single_shot_detection has none; keypoint_detection has'),
    (predict, ['--flip'], "task 'single_shot_detection': unknown argument 'flip'"),
    (evaluate, ['--scales', '1', '2'], "task 'single_shot_detection': unknown argument 'scales'"),
])
def test_what_is_of_another_task(run, tmp_path, script, options, words):
    photos = ['--images', str(tmp_path / 'photo.jpg'), '--out', str(tmp_path / 'out')] if script is predict else []
    cv2.imwrite(str(tmp_path / 'photo.jpg'), np.zeros((20, 20, 3), 'uint8'))
    with pytest.raises(ValueError, match=words):
        script.main(['--run', str(run), *photos, *options])
    assert not (tmp_path / 'out').exists()


def test_predict_lists_what_it_cannot_read(run, tmp_path, capsys):
    save_photos(tmp_path / 'photos')
    for name in ('broken.jpg', 'empty.png'):
        (tmp_path / 'photos' / name).write_bytes(b'\xff\xd8\xff'[:len(name) - 6])
    out = tmp_path / 'out'
    assert predict.main(['--run', str(run), '--images', str(tmp_path / 'photos'), '--out', str(out)]) == 1
    report = json.loads((out / 'predictions.json').read_text())
    assert len(report['images']) == 6 and len(report['unreadable']) == 2
    err = capsys.readouterr().err
    assert 'broken.jpg' in err and 'empty.png' in err


def test_predict_writes_over_no_photo(run, tmp_path, capsys):
    save_photos(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.glob('*.*')}
    assert predict.main(['--run', str(run), '--images', str(tmp_path), '--out', str(tmp_path)]) == 0
    assert {path: path.read_bytes() for path in before} == before
    assert (tmp_path / 'photo-2.jpg').exists() and (tmp_path / 'photo-3.jpg').exists()


def test_data_of_other_classes(data, run, tmp_path):
    for file in data.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / 'classes.txt').write_text('pikachu\n')
    with pytest.raises(ValueError, match=r"val.rec: has the classes \['pikachu'\], not \['mascot'\]"):
        evaluate.main(['--run', str(run), '--data', str(tmp_path / 'val.rec')])


@pytest.mark.parametrize('options, words', [
    (['--batch-size', '8', '--accumulate', '3'], '--batch-size: must be a multiple of .*, 3: 8'),
    (['--ema', '1.5'], 'decay'),
    (['--amp', 'float16'], '--amp: MXNet has no float16 matrix product on a CPU'),
    (['--kvstore', 'dist_sync'], 'gluonzoo.train.launch'),
])
def test_wrong_options_leave_nothing(data, tmp_path, options, words):
    with pytest.raises(ValueError, match=words):
        train_dsod.main(['--small', '--data', str(data), '--run', str(tmp_path / 'run'), *options])
    assert not (tmp_path / 'run').exists()


@pytest.mark.parametrize('arguments, words', [
    (['predict.py', '--run', '{run}', '--images', '{tmp}/none.jpg'], 'predict: --images: {tmp}/none.jpg does not'),
    (['predict.py', '--run', '{run}', '--images', '{tmp}'], 'predict: --images: no pictures'),
    (['evaluate.py', '--run', '{tmp}'], 'evaluate: {tmp}: no run here'),
    (['evaluate.py', '--run', '{run}', '--data', '{tmp}/val.rec'], 'evaluate: {tmp}/val.rec'),
    (['train_dsod.py', '--data', '{tmp}'], 'train_dsod: {tmp}/train.rec'),
], ids=['no file', 'no pictures', 'no run', 'no data', 'no training data'])
def test_errors_are_one_line_and_exit_code_1(run, tmp_path, arguments, words):
    script, *rest = (argument.format(run=run, tmp=tmp_path) for argument in arguments)
    check_error_is_one_line(script, *rest, cwd=tmp_path, words=words.format(tmp=tmp_path))
