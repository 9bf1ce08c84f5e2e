"""What gluonzoo predict leaves when something fails of one photo, on the disk, or when it is interrupted."""
import json
import os
from pathlib import Path

import cv2
import mxnet as mx
import numpy as np
import pytest
from full_disk import full_disk

from gluonzoo.commands import user_code
from gluonzoo.commands.main import main
from gluonzoo.commands.predict import predict
from gluonzoo.commands.predictions import Predictions
from gluonzoo.tasks.detection.single_shot import SingleShotDetection


class Marks:
    """A task whose result is the photo's width, which it draws as a photo of its own."""

    def predict(self, images):
        return [image.shape[1] for image in images]

    def draw(self, image, result):
        return image

    def describe(self, result):
        return {'marks': result * [1]}

    def views(self, image):
        return {'one/two': image, 'one_two': 255 - image, 'wide': np.zeros((2, 65501, 3), 'uint8')}


def save(folder, **shapes):
    """Photos of noise as (file, name); shapes: name -> height and width."""
    folder.mkdir(exist_ok=True)
    for name, shape in shapes.items():
        cv2.imwrite(str(folder / f'{name}.png'), np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype='uint8'))
    return [(folder / f'{name}.png', Path(f'{name}.png')) for name in shapes]


def run(out, found, task=None, batch_size=8, views=False):
    """(what predictions.json says, the failures)"""
    out.mkdir(exist_ok=True)
    with Predictions(out, 'weights', found) as predictions:
        predict(task or Marks(), found, predictions, batch_size, views)
    assert not list(out.glob('*.partial'))
    return json.loads((out / 'predictions.json').read_text()), predictions.failures()


def test_a_picture_that_cannot_be_written(tmp_path):
    """One with too many numbers, and one that is too large."""
    found = save(tmp_path / 'in', first=(20, 30), wide=(1, 65501), large=(200, 200), last=(20, 30))
    out = tmp_path / 'out'
    with full_disk(20000):
        report, failures = run(out, found)
    assert failures == [f'not written: {tmp_path}/in/wide.png: {out}/predictions.json: File too large',
                        f'not written: {out}/large.jpg: File too large']
    assert {image['file'][len(f'{tmp_path}/in/'):]: image['picture'] for image in report['images']} == {
        'first.png': 'first.jpg', 'large.png': None, 'last.png': 'last.jpg'}
    assert sorted(file.name for file in out.iterdir()) == ['first.jpg', 'last.jpg', 'predictions.json']
    assert report['unwritten'] == [line[len('not written: '):] for line in failures]
    assert report['unreadable'] == report['unpredicted'] == [] and report['not_reached'] == 0


def test_a_picture_of_more_than_jpeg_has(detector, tmp_path, capsys):
    save(tmp_path / 'in', first=(20, 30), wide=(2, 65501), last=(30, 20))
    assert main(['predict', '--run', str(detector), '--images', str(tmp_path / 'in'),
                 '--out', str(tmp_path / 'out')]) == 1
    said = capsys.readouterr()
    assert said.err == (f'not written: {tmp_path}/out/wide.jpg: a JPEG has at most 65500 pixels a side: 65501 x 2\n')
    report = json.loads((tmp_path / 'out' / 'predictions.json').read_text())
    assert [image['picture'] for image in report['images']] == ['first.jpg', 'last.jpg', None]
    assert report['images'][2]['detections'] and said.out.startswith('3 pictures: ')


def test_the_numbers_come_before_the_pictures(tmp_path):
    """What would not fit into predictions.json is a failure on the way, and the file is whole."""
    found = save(tmp_path / 'in', **{f'p{i}': (10, 100) for i in range(9)})
    with full_disk(12000):
        report, failures = run(tmp_path / 'out', found, batch_size=2)
    done = len(report['images'])
    assert 3 < done < 9 and all(len(image['marks']) == 100 for image in report['images'])
    assert failures == [f'not written: {file}: {tmp_path}/out/predictions.json: File too large'
                        for file, _ in found[done:]]
    assert len(list((tmp_path / 'out').glob('*.jpg'))) == done


def test_no_space_for_the_numbers_at_all(tmp_path):
    found = save(tmp_path / 'in', first=(20, 30))
    (tmp_path / 'out').mkdir()
    with full_disk(100), pytest.raises(OSError, match='File too large') as raised:
        run(tmp_path / 'out', found)
    assert raised.value.filename == f'{tmp_path}/out/predictions.json' and not list((tmp_path / 'out').iterdir())


def test_predictions_that_cannot_get_their_name(tmp_path, monkeypatch):
    def replace(self, target):
        raise OSError(30, 'Read-only file system', str(self), None, str(target))

    found = save(tmp_path / 'in', first=(20, 30))
    (tmp_path / 'out').mkdir()
    with Predictions(tmp_path / 'out', 'weights', found) as predictions:
        predict(Marks(), found, predictions, 1, False)
        monkeypatch.setattr(Path, 'replace', replace)
    assert predictions.failures() == [f'not written: {tmp_path}/out/predictions.json: Read-only file system']
    assert [file.name for file in (tmp_path / 'out').iterdir()] == ['first.jpg']


@pytest.mark.parametrize('error', [ValueError('too flat'), mx.MXNetError('[1] x.cc:5\nMXNetError: too flat'),
                                   MemoryError()], ids=lambda error: type(error).__name__)
@pytest.mark.parametrize('batch_size', [1, 8])
def test_a_photo_that_cannot_be_predicted(tmp_path, error, batch_size):
    class Fails(Marks):
        def predict(self, images):
            if any(len(image) == 1 for image in images):
                raise error
            return super().predict(images)

    found = save(tmp_path / 'in', first=(20, 30), flat=(1, 30), last=(20, 40))
    report, failures = run(tmp_path / 'out', found, Fails(), batch_size)
    said = 'there is not enough memory' if isinstance(error, MemoryError) else 'too flat'
    assert len(failures) == 1 and failures[0].startswith(f'not predicted: {tmp_path}/in/flat.png: ')
    assert failures[0].endswith(said) and '\n' not in failures[0]
    assert [image['marks'] for image in report['images']] == [30 * [1], 40 * [1]]


def test_an_error_of_ours_leaves_what_is_done(tmp_path):
    class Broken(Marks):
        def predict(self, images):
            return [{}['bug'] for image in images if len(image) == 1] or super().predict(images)

    found = save(tmp_path / 'in', first=(20, 30), flat=(1, 30), last=(20, 40))
    (tmp_path / 'out').mkdir()
    with pytest.raises(KeyError, match='bug'), Predictions(tmp_path / 'out', 'weights', found) as predictions:
        predict(Broken(), found, predictions, 1, False)
    report = json.loads((tmp_path / 'out' / 'predictions.json').read_text())
    assert [image['picture'] for image in report['images']] == ['first.jpg'] and report['not_reached'] == 2


def test_ctrl_c_leaves_what_is_done(detector, tmp_path, capsys, monkeypatch):
    calls, whole = [], SingleShotDetection.predict

    def interrupted(self, images):
        calls.append(images)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return whole(self, images)

    monkeypatch.setattr(SingleShotDetection, 'predict', interrupted)
    save(tmp_path / 'in', a=(20, 30), b=(20, 30), c=(20, 30), d=(20, 30), e=(20, 30))
    assert main(['predict', '--run', str(detector), '--images', str(tmp_path / 'in'), '--batch-size', '2',
                 '--out', str(tmp_path / 'out')]) == 130
    said = capsys.readouterr()
    report = json.loads((tmp_path / 'out' / 'predictions.json').read_text())
    assert [image['picture'] for image in report['images']] == ['a.jpg', 'b.jpg'] and report['not_reached'] == 3
    assert said.out.endswith('predictions.json; 3 of 5 were not reached\n')
    assert said.err == 'gluonzoo predict: interrupted\n'
    assert sorted(file.name for file in (tmp_path / 'out').iterdir()) == ['a.jpg', 'b.jpg', 'predictions.json']


def test_views_have_names_of_their_own_and_fail_alone(tmp_path):
    found = save(tmp_path / 'in', photo=(20, 30))
    report, failures = run(tmp_path / 'out', found, views=True)
    image, = report['images']
    assert [image[name] for name in ('picture', 'one/two', 'one_two', 'wide')] == [
        'photo.jpg', 'photo-one_two.jpg', 'photo-one_two-2.jpg', None]
    assert failures == [f'not written: {tmp_path}/out/photo-wide.jpg: a JPEG has at most 65500 pixels a side: '
                        '65501 x 2']
    first, second = (cv2.imread(str(tmp_path / 'out' / image[name])).astype(int) for name in ('one/two', 'one_two'))
    assert abs(first + second - 255).mean() < 20 < abs(first - second).mean()


def test_photos_of_one_stem_stay_apart(tmp_path):
    """Also where a number makes the name of another photo, and where a file system takes two names for one."""
    found = []
    for number, name in enumerate(('x/photo.png', 'y/photo.png', 'y/photo.bmp', 'y/photo-2.png', 'x/PHOTO.png',
                                   'x/pho to+.png', 'x/pho to-.png')):
        file = tmp_path / 'in' / name
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), np.full((8, 8, 3), 30 * number, 'uint8'))
        found.append((file, Path(file.name)))
    report, failures = run(tmp_path / 'out', found)
    pictures = [image['picture'] for image in report['images']]
    assert failures == [] and pictures == ['photo.jpg', 'photo-3.jpg', 'photo-4.jpg', 'photo-2.jpg', 'PHOTO-5.jpg',
                                           'pho to+.jpg', 'pho to-.jpg']
    for number, picture in enumerate(pictures):
        assert abs(cv2.imread(str(tmp_path / 'out' / picture)).mean() - 30 * number) < 2, picture


def test_names_of_any_letters(detector, tmp_path, capsys):
    """As long as they can be, no text, with line breaks: a failure is a line, and a terminal does not obey it."""
    (tmp_path / 'in').mkdir()
    for name in ('x' * 251 + '.jpg', 'n\nl.jpg', 'no \udcff.jpg'):
        with open(tmp_path / 'in' / name, 'wb') as file:
            file.write(cv2.imencode('.jpg', np.zeros((8, 8, 3), 'uint8'))[1].tobytes())
    (tmp_path / 'in' / 'bad\n\x1b[31m.jpg').write_bytes(b'junk')
    assert main(['predict', '--run', str(detector), '--images', str(tmp_path / 'in'),
                 '--out', str(tmp_path / 'out')]) == 1
    report = json.loads((tmp_path / 'out' / 'predictions.json').read_text())
    assert all((tmp_path / 'out' / image['picture']).exists() for image in report['images'])
    assert len(report['images']) == 3 and report['unwritten'] == []
    said = capsys.readouterr().err
    assert said.startswith(rf'not read: {tmp_path}/in/bad\n\x1b[31m.jpg: ') and said.count('\n') == 1


def test_a_folder_in_the_place_of_a_picture(tmp_path):
    found = save(tmp_path / 'in', first=(20, 30), last=(20, 40))
    (tmp_path / 'out' / 'first.jpg').mkdir(parents=True)
    report, failures = run(tmp_path / 'out', found)
    assert failures == [f'not written: {tmp_path}/out/first.jpg: is a folder; must be a file, or not there']
    assert [image['picture'] for image in report['images']] == [None, 'last.jpg']


def test_a_pipe_in_the_place_of_the_numbers(detector, tmp_path, capsys):
    save(tmp_path / 'in', first=(20, 30))
    (tmp_path / 'out').mkdir()
    os.mkfifo(tmp_path / 'out' / 'predictions.json')
    assert main(['predict', '--run', str(detector), '--images', str(tmp_path / 'in'),
                 '--out', str(tmp_path / 'out')]) == 1
    assert 'predictions.json: is a device; must be a file, or not there' in capsys.readouterr().err


def test_an_error_of_the_users_own_code_is_its_traceback(tmp_path):
    (tmp_path / 'code').mkdir()
    (tmp_path / 'code' / 'mine.py').write_text('def draw(image):\n    return image.shape[7]\n')
    code = user_code.load(tmp_path / 'code' / 'mine.py')

    class Mine(Marks):
        def draw(self, image, result):
            return code.module.draw(image) if len(image) == 1 else image

    found = save(tmp_path / 'in', flat=(1, 30), last=(20, 40))
    report, (failure,) = run(tmp_path / 'out', found, Mine())
    assert [image['picture'] for image in report['images']] == [None, 'last.jpg']
    assert failure.startswith(f'not written: {tmp_path}/in/flat.png: Traceback ')
    assert 'mine.py", line 2, in draw' in failure and failure.endswith('\nIndexError: tuple index out of range')
