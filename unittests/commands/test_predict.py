"""gluonzoo predict: photos of every kind, with a run and without."""
import errno
import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from run_checks import check_error_is_one_line

from gluonzoo.commands import predict as predict_command
from gluonzoo.commands.main import main
from gluonzoo.commands.predictions import Predictions


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
    code = main(['predict', '--run', str(detector), '--images', str(photos), '--out', str(out), *more])
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


def test_folders_within_folders(detector, tmp_path, monkeypatch):
    """Links to folders are followed, once. A folder that cannot be listed is said, not left out."""
    save_photos(tmp_path / 'photos')
    (tmp_path / 'elsewhere').mkdir()
    Image.new('RGB', (60, 40)).save(tmp_path / 'elsewhere' / 'far.png')
    (tmp_path / 'photos' / 'link').symlink_to(tmp_path / 'elsewhere')
    (tmp_path / 'photos' / 'round').symlink_to(tmp_path / 'photos')
    (tmp_path / 'photos' / '._photo.jpg').write_bytes(b'what macOS puts beside a file')
    code, report = predict(detector, tmp_path / 'photos', tmp_path / 'out')
    assert code == 0 and len(report['images']) == 7
    assert 'link/far.jpg' in [image['picture'] for image in report['images']]

    def scandir(path):
        raise PermissionError(13, 'Permission denied', str(path))

    monkeypatch.setattr('os.scandir', scandir)
    assert main(['predict', '--run', str(detector), '--images', str(tmp_path / 'photos'),
                 '--out', str(tmp_path / 'new')]) == 1
    assert not (tmp_path / 'new').exists()


def test_it_lists_what_it_cannot_read(detector, tmp_path, capsys):
    save_photos(tmp_path / 'photos')
    for name in ('broken.jpg', 'empty.png'):
        (tmp_path / 'photos' / name).write_bytes(b'\xff\xd8\xff'[:len(name) - 6])
    code, report = predict(detector, tmp_path / 'photos', tmp_path / 'out')
    assert code == 1 and len(report['images']) == 6 and len(report['unreadable']) == 2
    err = capsys.readouterr().err
    assert 'broken.jpg' in err and 'empty.png' in err


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


def test_a_result_that_cannot_be_written_leaves_the_others(detector, tmp_path, capsys):
    photos, out = tmp_path / 'photos', tmp_path / 'out'
    photos.mkdir()
    for name, shape in (('a.png', (20, 20, 3)), ('long.png', (2, 65501, 3)), ('z.png', (20, 20, 3))):
        cv2.imwrite(str(photos / name), np.zeros(shape, 'uint8'))
    (out / 'z.jpg').mkdir(parents=True)
    code, report = predict(detector, photos, out)
    assert code == 1 and [image['picture'] for image in report['images']] == ['a.jpg', None, None]
    assert report['images'][1]['width'] == 65501 and 'detections' in report['images'][1]
    assert report['unwritten'] == [f'{out}/long.jpg: a JPEG has at most 65500 pixels a side: 65501 x 2',
                                   f'{out}/z.jpg: is a folder; must be a file, or not there']
    assert [f'not written: {line}' for line in report['unwritten']] == capsys.readouterr().err.splitlines()[-2:]
    assert sorted(path.name for path in out.iterdir()) == ['a.jpg', 'predictions.json', 'z.jpg']


def fill_disk(patch, names):
    """Files of these names (or None: all) cannot be written to the end: there is no space left."""
    for method in ('write_bytes', 'write_text'):
        real = getattr(Path, method)

        def write(path, content, *more, real=real, method=method):
            if names is None or path.name.removesuffix('.partial') in names:
                real(path, content[:1])
                raise OSError(errno.ENOSPC, 'No space left on device')
            return real(path, content, *more)
        patch.setattr(Path, method, write)


def test_a_full_disk_leaves_nothing_half_written(detector, tmp_path, monkeypatch):
    save_photos(tmp_path / 'photos')
    out = tmp_path / 'out'
    with monkeypatch.context() as patch:
        fill_disk(patch, ['grey.jpg'])
        code, report = predict(detector, tmp_path / 'photos', out)
    assert code == 1 and report['unwritten'] == [f'{out}/grey.jpg: No space left on device']
    assert len(list(out.rglob('*.jpg'))) == 5 and not list(out.rglob('*.partial'))


def test_kinds_that_are_not_read_are_named_and_no_pipe_is_waited_for(detector, tmp_path):
    photos = tmp_path / 'photos'
    save_photos(photos)
    (photos / 'layers.psd').write_bytes(b'8BPS' + bytes(40))
    os.mkfifo(photos / 'pipe.jpg')
    code, report = predict(detector, photos, tmp_path / 'out')
    assert code == 1 and len(report['images']) == 6
    layers, pipe = report['unreadable']
    assert layers == f'{photos}/layers.psd: is a Photoshop image, which is not read: convert it to JPEG or PNG'
    assert pipe == f'{photos}/pipe.jpg: is a pipe; must be an ordinary file'


def test_a_batch_is_bounded_by_its_pixels(tmp_path, monkeypatch):
    for name, side in (('a', 10), ('b', 10), ('c', 10), ('d', 30), ('e', 10)):
        cv2.imwrite(str(tmp_path / f'{name}.png'), np.zeros((side, side, 3), 'uint8'))
    monkeypatch.setattr(predict_command, 'BATCH_PIXELS', 250)
    files = [(path, path) for path in sorted(tmp_path.iterdir())]
    predictions = Predictions(tmp_path, 'weights', files)
    found = [''.join(path.stem for path, *_ in batch) for batch in predict_command.batches(files, 8, predictions)]
    assert found == ['ab', 'c', 'd', 'e'] and predictions.failures() == []
    assert [len(batch) for batch in predict_command.batches(files[:3], 2, predictions)] == [2, 1]


def test_results_of_like_names_stay_distinct(detector, tmp_path):
    photos = tmp_path / 'photos'
    photos.mkdir()
    for name in ('a.png', 'a.jpg', 'a-2.png', 'a b.png', 'a_b.png', 'a.b.png', 'A.png'):
        cv2.imwrite(str(photos / name), np.zeros((9, 9, 3), 'uint8'))
    code, report = predict(detector, photos, tmp_path / 'out')
    names = {image['picture'].lower() for image in report['images']}   # also where A and a are the same
    assert code == 0 and len(names) == 7 == len(list((tmp_path / 'out').glob('*.jpg')))
