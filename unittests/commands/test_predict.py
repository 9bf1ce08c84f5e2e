"""gluonzoo predict: photos of every kind, with a run and without."""
import json
import os

import cv2
import numpy as np
import pytest
from PIL import Image
from run_checks import check_error_is_one_line

from gluonzoo.commands.main import main
from gluonzoo.tasks.detection.single_shot import SingleShotDetection


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


def predict(detector, photos, out, *more):
    """The exit code, and what predictions.json says."""
    code = main(['predict', '--run', str(detector), '--images', str(photos), *more, '--out', str(out)])
    return code, json.loads((out / 'predictions.json').read_text())


def test_photos_of_all_kinds(detector, tmp_path):
    photos, out = tmp_path / 'photos', tmp_path / 'out'
    save_photos(photos)
    code, report = predict(detector, photos, out, '--batch-size', '4')
    assert code == 0 and len(report['images']) == 6 and report['unreadable'] == []
    assert report['checkpoint'].startswith(str(detector / 'checkpoints' / 'step-'))
    for image in report['images']:
        assert (image['width'], image['height']) == (60, 40)
        assert cv2.imread(str(out / image['picture'])).shape == (40, 60, 3)
        for detection in image['detections']:
            xmin, ymin, xmax, ymax = detection['box']
            assert 0 <= xmin < xmax <= 60 and 0 <= ymin < ymax <= 40 and detection['class'] == 'mascot'
    names = {image['picture'] for image in report['images']}
    assert names == {'photo.jpg', 'photo-2.jpg', 'grey.jpg', 'deep.jpg', 'turned.jpg', 'deeper/transparent.jpg'}


def test_it_lists_what_it_cannot_read(detector, tmp_path, capsys):
    save_photos(tmp_path / 'photos')
    for name in ('broken.jpg', 'empty.png'):
        (tmp_path / 'photos' / name).write_bytes(b'\xff\xd8\xff'[:len(name) - 6])
    code, report = predict(detector, tmp_path / 'photos', tmp_path / 'out')
    assert code == 1 and len(report['images']) == 6 and len(report['unreadable']) == 2
    err = capsys.readouterr().err
    assert 'broken.jpg' in err and 'empty.png' in err


def test_it_names_pictures_of_other_kinds_and_what_is_no_file(detector, tmp_path, capsys):
    photos = tmp_path / 'photos'
    save_photos(photos)
    (photos / 'phone.HEIC').write_bytes(b'\0\0\0\x18ftypheic' + bytes(40))
    os.mkfifo(tmp_path / 'pipe.jpg')
    code, report = predict(detector, photos, tmp_path / 'out', str(tmp_path / 'pipe.jpg'))
    assert code == 1 and len(report['images']) == 6
    err = capsys.readouterr().err
    assert 'phone.HEIC: is a HEIC image' in err and f'{tmp_path / "pipe.jpg"}: is a pipe' in err


def test_large_photos_are_read_one_at_a_time(detector, tmp_path, monkeypatch):
    sizes, original = [], SingleShotDetection.predict
    monkeypatch.setattr('gluonzoo.pictures.files_in_batches.BATCH_PIXELS', 60 * 40)
    monkeypatch.setattr(SingleShotDetection, 'predict', lambda task, images: (
        sizes.append(len(images)), original(task, images))[1])
    save_photos(tmp_path / 'photos')
    assert len(predict(detector, tmp_path / 'photos', tmp_path / 'out')[1]['images']) == 6 and sizes == [1] * 6


def test_it_writes_over_no_photo(detector, tmp_path):
    save_photos(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.glob('*.*')}
    assert predict(detector, tmp_path, tmp_path)[0] == 0
    assert {path: path.read_bytes() for path in before} == before
    assert (tmp_path / 'photo-2.jpg').exists() and (tmp_path / 'photo-3.jpg').exists()


def test_a_model_with_weights_finds_what_the_run_finds(detector, tmp_path):
    save_photos(tmp_path / 'photos')
    _, by_run = predict(detector, tmp_path / 'photos', tmp_path / 'run', '--which', 'last')
    weights = detector / 'checkpoints' / 'step-00000004' / 'net.safetensors'
    out = tmp_path / 'model'
    assert main(['predict', '--model', 'dsod_pikachu', '--weights', str(weights), '--out', str(out),
                 '--images', str(tmp_path / 'photos'), '--set', 'task.class_names=["mascot"]',
                 *(f'--set=task.net.{name}={value}' for name, value in
                   (('stem_filter', 4), ('num_init_layer', 1), ('growth_rate', 4), ('input_size', 129)))]) == 0
    by_model = json.loads((out / 'predictions.json').read_text())
    assert by_model['images'] == by_run['images'] and by_model['checkpoint'] == str(weights)


@pytest.mark.parametrize('options, words', [
    (['--views'], '--views: the task single_shot_detection has none'),
    (['--set', 'task.flip=true'], '--set: task.flip: unknown; there are task.class_names, task.loss, '),
    (['--code', '{tmp}/none.py'], '{tmp}/none.py: No such file'),
    (['--devices', 'gpu:99'], '--devices: gpu(99) is not there: MXNet finds '),
])
def test_what_it_cannot_do_leaves_nothing(detector, tmp_path, capsys, options, words):
    cv2.imwrite(str(tmp_path / 'photo.jpg'), np.zeros((20, 20, 3), 'uint8'))
    check_error_is_one_line(['predict', '--run', str(detector), '--images', str(tmp_path / 'photo.jpg'),
                             '--out', str(tmp_path / 'out'), *(word.format(tmp=tmp_path) for word in options)],
                            'gluonzoo predict: ' + words.format(tmp=tmp_path), capsys)
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('images, words', [
    ('{tmp}/none.jpg', '--images: {tmp}/none.jpg does not exist'), ('{tmp}', '--images: no pictures (.')])
def test_no_photos(detector, tmp_path, capsys, images, words):
    check_error_is_one_line(['predict', '--run', str(detector), '--images', images.format(tmp=tmp_path),
                             '--out', str(tmp_path / 'out')], 'gluonzoo predict: ' + words.format(tmp=tmp_path), capsys)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('words, said', [
    ([], '--run or --model is needed, and not both'), (['--model', 'unet256'], '--model and --weights go together'),
    (['--run', 'x', '--weights', 'y'], '--model and --weights go together'),
    (['--run', 'x', '--devices', 'tpu'], 'must be like cpu, gpu:0 or gpu:0,gpu:1'),
    (['--run', 'x', '--batch-size', '0'], 'must be at least 1'),
    (['--run', 'x', '--which', 'first'], 'invalid choice')])
def test_arguments(words, said, capsys):
    with pytest.raises(SystemExit) as ended:
        main(['predict', '--images', 'x', *words])
    assert ended.value.code == 2 and said in capsys.readouterr().err
