"""gluonzoo evaluate: other data, and what is written. (That the numbers are those of the training, the tests of the
recipes ask.)"""
import errno
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from full_disk import full_disk
from run_checks import check_error_is_one_line, error_of

from gluonzoo.commands.main import main
from gluonzoo.data import write_records


def evaluate(detector, *more):
    assert main(['evaluate', '--run', str(detector), *more]) == 0


def test_it_says_the_numbers_and_of_what_they_are(detector, pikachu, tmp_path, capsys):
    evaluate(detector, '--json', str(tmp_path / 'new' / 'found.json'))
    found = json.loads((tmp_path / 'new' / 'found.json').read_text())
    said = capsys.readouterr().out
    assert said.startswith(f'{found["checkpoint"]}, 3 items of {pikachu / "val.rec"}:\n')
    assert f'  mAP                  {found["mAP"]:.4f}\n' in said
    assert found['data']['name'] == 'detection_records' and found['data']['path'] == str(pikachu / 'val.rec')


def test_other_data(detector, pikachu, tmp_path, capsys):
    evaluate(detector, '--data', str(pikachu / 'train.rec'), '--json', str(tmp_path / 'found.json'), '--workers', '1')
    assert f', 9 items of {pikachu / "train.rec"}:\n' in capsys.readouterr().out
    assert json.loads((tmp_path / 'found.json').read_text())['data']['path'] == str(pikachu / 'train.rec')


def test_a_picture(detector, tmp_path, capsys):
    evaluate(detector, '--picture', str(tmp_path / 'new' / 'found.jpg'), '--which', 'last')
    assert (tmp_path / 'new' / 'found.jpg').stat().st_size > 1000
    said = capsys.readouterr().out
    assert 'step-00000004, 3 items' in said and said.endswith('found.jpg: what it makes of the first batch\n')


@pytest.mark.parametrize('size, missing', [(100, {'found.json', 'found.jpg'}), (1000, {'found.jpg'})])
def test_what_cannot_be_written_does_not_touch_the_rest(detector, tmp_path, capsys, size, missing):
    folder = tmp_path / 'new'
    with full_disk(size):
        assert main(['evaluate', '--run', str(detector), '--json', str(folder / 'found.json'),
                     '--picture', str(folder / 'found.jpg')]) == 1
    said = capsys.readouterr()
    assert '  mAP  ' in said.out and said.err == ''.join(
        f'not written: {folder / name}: File too large\n' for name in ('found.json', 'found.jpg') if name in missing)
    there = {file.name for file in folder.iterdir()} if folder.exists() else set()
    assert there == {'found.json', 'found.jpg'} - missing


@pytest.mark.parametrize('option', ['--json', '--picture'])
def test_a_folder_in_the_place_of_an_output_is_said_before_the_work(detector, tmp_path, capsys, option):
    check_error_is_one_line(['evaluate', '--run', str(detector), option, str(tmp_path)],
                            f'gluonzoo evaluate: {tmp_path}: is a folder; must be a file, or not there', capsys)
    assert capsys.readouterr().out == ''


def test_objects_that_are_left_out_are_counted(detector, pikachu, tmp_path, capsys):
    image, box, thin = np.zeros((64, 64, 3), np.uint8), [10, 10, 60, 60], [5, 5, 5.2, 9]
    write_records(tmp_path / 'val.rec', [(image, [box], [0]), (image, [box, thin], [0, 0])])
    shutil.copy(pikachu / 'classes.txt', tmp_path)
    with pytest.warns(RuntimeWarning, match='val.rec: record 1: objects left out: less than half a pixel 1'):
        evaluate(detector, '--data', str(tmp_path / 'val.rec'))
    assert capsys.readouterr().out.endswith(f'{tmp_path}/val.rec: objects left out: less than half a pixel 1\n')


def test_data_of_other_classes(detector, pikachu, tmp_path, capsys):
    shutil.copytree(pikachu, tmp_path, dirs_exist_ok=True)
    (tmp_path / 'classes.txt').write_text('pikachu\n')
    said = f"gluonzoo evaluate: {tmp_path}/val.rec: has the classes ['pikachu'], not ['mascot']"
    check_error_is_one_line(['evaluate', '--run', str(detector), '--data', str(tmp_path / 'val.rec')], said, capsys)


@pytest.mark.parametrize('words, said', [
    (['--run', '{tmp}'], '{tmp}: no run here'), (['--run', '{run}', '--data', '{tmp}/val.rec'], '{tmp}/val.rec'),
    (['--run', '{run}', '--set', 'task.scales=[1, 2]'], '--set: task.scales: unknown; there are task.class_names, '),
    (['--run', '{run}', '--set', 'task.loss=papers'], "loss: must be one of 'paper', 'pikachu': 'papers'"),
    (['--run', '{run}', '--code', '{tmp}/none.py'], '{tmp}/none.py: No such file'),
], ids=['no run', 'no data', 'of another task', 'another loss', 'no code'])
def test_errors_are_one_line_and_exit_code_1(detector, tmp_path, capsys, words, said):
    check_error_is_one_line(['evaluate', *(word.format(run=detector, tmp=tmp_path) for word in words)],
                            'gluonzoo evaluate: ' + said.format(tmp=tmp_path), capsys)


def words(detector, *more):
    return ['evaluate', '--run', str(detector), *map(str, more)]


def test_a_file_that_cannot_be_written_leaves_the_other(detector, tmp_path, capsys):
    numbers, sheet, file = tmp_path / 'numbers.json', tmp_path / 'sheet.jpg', tmp_path / 'file'
    file.write_text('')
    said = error_of(words(detector, '--json', file / 'numbers.json', '--picture', sheet), capsys)
    assert said.splitlines()[-1] == f'not written: {file}: File exists' and cv2.imread(str(sheet)) is not None
    said = error_of(words(detector, '--json', numbers, '--picture', file / 'sheet.jpg'), capsys)
    assert said.splitlines()[-1] == f'not written: {file}: File exists'
    assert 'mAP' in json.loads(numbers.read_text())

def test_a_full_disk_leaves_the_former_file(detector, tmp_path, monkeypatch, capsys):
    numbers, sheet = tmp_path / 'numbers.json', tmp_path / 'sheet.jpg'
    numbers.write_text('former')
    real = Path.write_text

    def write_text(path, content, *more):
        real(path, content[:5])
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(Path, 'write_text', write_text)
    said = error_of(words(detector, '--json', numbers, '--picture', sheet), capsys)
    assert said.splitlines()[-1] == f'not written: {numbers}: No space left on device'
    assert numbers.read_text() == 'former'
    assert sorted(path.name for path in tmp_path.iterdir()) == ['numbers.json', 'sheet.jpg']

def test_an_error_has_a_line_of_its_own(detector, monkeypatch, capsys):
    def fail(task, batches):
        next(iter(batches))
        raise ValueError('what is wrong')

    monkeypatch.setattr('gluonzoo.tasks.detection.single_shot.SingleShotDetection.evaluate', fail)
    error = error_of(words(detector), capsys)
    assert error == 'gluonzoo evaluate: what is wrong\n'   # there is no bar, since there is no terminal
