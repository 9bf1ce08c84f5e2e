"""gluonzoo sample: sheets, folders, ways between seeds, and what is said of words that do not go together."""
import shutil

import numpy as np
import pytest
from full_disk import full_disk
from PIL import Image
from run_checks import check_error_is_one_line, draw, error_of, tiny

from gluonzoo.commands.main import main
from gluonzoo.commands.resolve import open_run
from gluonzoo.pictures.decode import read_image
from gluonzoo.recipes import dcgan


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    """Of one epoch of DCGAN, 32 pixels."""
    folder = tmp_path_factory.mktemp('sample')
    data = draw('faces', folder / 'data', '--synthetic', '--train', '4', '--val', '4', '--size', '32')
    with tiny(dcgan):
        assert main(['train', 'dcgan', '--small', '--data', str(data), '--run', str(folder / 'run'), '--epochs',
                     '1']) == 0
    return folder / 'run'


def sample(run, out, *words):
    assert main(['sample', '--run', str(run), '--out', str(out), *words]) == 0
    return out


def tiles(sheet, rows, columns, side=32, gap=2):
    assert sheet.shape == (rows * (side + gap) - gap, columns * (side + gap) - gap, 3)
    return [sheet[y * (side + gap):y * (side + gap) + side, x * (side + gap):x * (side + gap) + side]
            for y in range(rows) for x in range(columns)]


def test_a_sheet(run, tmp_path, capsys):
    task, *_ = open_run(run)
    capsys.readouterr()
    sheet = read_image(sample(run, tmp_path / 'new' / 'sheet.png', '--count', '5', '--seed', '3', '--columns', '3'))
    assert capsys.readouterr().out == f'{tmp_path}/new/sheet.png: 5 pictures of 32 x 32 pixels\n'
    for tile, picture in zip(tiles(sheet, 2, 3), task.sample(5, 3)):
        np.testing.assert_array_equal(tile, picture)
    assert read_image(sample(run, tmp_path / 'sheet.jpg')).shape == (270, 270, 3)   # 64 of the seed 0
    narrow = read_image(sample(run, tmp_path / 'narrow.png', '--count', '1', '--truncation', '0.5'))
    np.testing.assert_array_equal(narrow, task.sample(1, 0, .5)[0])


def test_a_folder(run, tmp_path):
    task, *_ = open_run(run)
    folder = sample(run, tmp_path / 'made', '--count', '11')
    assert [path.name for path in sorted(folder.iterdir())] == [f'{number:02}.png' for number in range(11)]
    for path, picture in zip(sorted(folder.iterdir()), task.sample(11)):
        np.testing.assert_array_equal(read_image(path), picture)


def test_a_walk(run, tmp_path):
    task, *_ = open_run(run)
    row = read_image(sample(run, tmp_path / 'walk.png', '--interpolate', '3', '8', '--steps', '4'))
    for tile, picture in zip(tiles(row, 1, 4), task.walk(3, 8, 4)):
        np.testing.assert_array_equal(tile, picture)
    with Image.open(sample(run, tmp_path / 'walk.gif', '--interpolate', '3', '8')) as image:
        assert (image.format, image.n_frames, image.size) == ('GIF', 48, (32, 32))
    assert len(list(sample(run, tmp_path / 'way', '--interpolate', '3', '8').iterdir())) == 16
    words = '--interpolate', '3', '8', '--steps', '2', '--truncation', '.1'
    row = read_image(sample(run, tmp_path / 'narrow.png', *words))
    for tile, picture in zip(tiles(row, 1, 2), task.walk(3, 8, 2, .1)):
        np.testing.assert_array_equal(tile, picture)
    assert (task.walk(3, 8, 2, .1)[0] != task.walk(3, 8, 2)[0]).any()


def test_a_model_without_a_run(run, tmp_path):
    weights, = run.glob('checkpoints/*/generator.safetensors')
    words = ['sample', '--model', 'dcgan_generator', '--weights', str(weights), '--set', 'task.generator.size=32',
             '--set', 'task.generator.width=2', '--out', str(tmp_path / 'model.png')]
    assert main(words) == 0
    assert (tmp_path / 'model.png').read_bytes() == sample(run, tmp_path / 'run.png').read_bytes()


def test_what_makes_nothing_from_noise(detector, run, tmp_path, capsys):
    check_error_is_one_line(['sample', '--run', str(detector), '--out', str(tmp_path / 'a.png')],
                            'gluonzoo sample: single_shot_detection: makes nothing from noise', capsys)
    Image.new('RGB', (40, 40)).save(tmp_path / 'photo.png')
    check_error_is_one_line(['predict', '--run', str(run), '--images', str(tmp_path / 'photo.png'), '--out',
                             str(tmp_path / 'out')],
                            'gluonzoo predict: generation: takes no pictures; gluonzoo sample makes some', capsys)
    assert [path.name for path in tmp_path.iterdir()] == ['photo.png']


@pytest.mark.parametrize('words, said', [
    (['--out', 'a.gif'], '--out: only --interpolate makes an animation: a.gif'),
    (['--out', 'a.bmp'], '--out: must end with .png, .jpg, .jpeg or .gif, or have no suffix'),
    (['--interpolate', '1', '2', '--count', '3'], '--count: not with --interpolate'),
    (['--interpolate', '1', '2', '--seed', '3'], '--seed: not with --interpolate'),
    (['--steps', '3'], '--steps: only with --interpolate'), (['--interpolate', '1', '2', '--steps', '1'], '2 to 10000'),
    (['--out', 'folder', '--columns', '3'], '--columns: only of a sheet, not of folder'),
    (['--count', '0'], 'must be 1 to 1000000: 0'), (['--seed', '-1'], 'must be at least 0: -1'),
    (['--truncation', '0'], 'must be at least 0.01: 0')], ids=str)
def test_words_that_do_not_go_together(run, tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(['sample', '--run', str(run), *words])
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_places_that_cannot_be_written(run, tmp_path, capsys):
    (tmp_path / 'file').write_text('mine')
    (tmp_path / 'a.png').mkdir()
    for out, said in ((tmp_path / 'file', f'--out: must be a folder, or end with .png, .jpg, .jpeg: {tmp_path}/file'),
                      (tmp_path / 'a.png', f'{tmp_path}/a.png: is a folder; must be a file, or not there'),
                      (tmp_path / 'file' / 'b.png', f'{tmp_path}/file')):
        check_error_is_one_line(['sample', '--run', str(run), '--out', str(out)], f'gluonzoo sample: {said}', capsys)
    assert (tmp_path / 'file').read_text() == 'mine'
    check_error_is_one_line(['sample', '--run', str(run), '--count', '900000', '--out', str(tmp_path / 'c.png')],
                            'gluonzoo sample: --count: 900000 pictures are too many for one file', capsys)


def test_a_full_disk(run, tmp_path, capsys):
    with full_disk(2000):
        said = error_of(['sample', '--run', str(run), '--out', str(tmp_path / 'new' / 'a.png')], capsys)
    assert said.startswith('gluonzoo sample: ') and 'File too large' in said and said.count('\n') == 1
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_not_there(tmp_path, capsys):
    shutil.rmtree(tmp_path / 'run', ignore_errors=True)
    check_error_is_one_line(['sample', '--run', str(tmp_path / 'run'), '--out', str(tmp_path / 'a.png')],
                            f'gluonzoo sample: {tmp_path}/run', capsys)
