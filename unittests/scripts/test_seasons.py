"""scripts/seasons.py: it measures what a run makes of the pictures to validate with, both ways."""
from types import SimpleNamespace

import numpy as np
import pytest
import seasons

from gluonzoo.commands.main import main
from gluonzoo.data.drawn.seasons import SUMMER, landscape
from gluonzoo.pictures.decode import read_image

TRAIN, VAL, SIZE = 2, 8, 64


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp('seasons') / 'data'
    assert main(['data', 'unpaired', '--synthetic', '--train', str(TRAIN), '--val', str(VAL), '--size', str(SIZE),
                 '--out', str(out)]) == 0
    return out


@pytest.fixture
def made(monkeypatch):
    """Sets what the run makes of given pictures in a direction: a function of both."""
    def put(make):
        def opened(run, which, overrides):
            (setting,) = overrides
            name, _, direction = setting.partition('=')
            assert (str(run), which, name) == ('run', 'last', 'task.direction')
            return SimpleNamespace(task=SimpleNamespace(predict=lambda images: [make(image, direction)
                                                                                for image in images]))
        monkeypatch.setattr(seasons.resolve, 'open_run', opened)
    return put


def printed(folder, capsys, *more):
    """direction -> name -> (of the run, of the colours)"""
    assert seasons.main(['--run', 'run', '--data', str(folder), *more]) == 0
    found = {}
    for line in capsys.readouterr().out.splitlines():
        name, *numbers = line[:20].strip(), *line[20:].split()
        if numbers == ['run', 'colours']:
            table = found[name] = {}
        else:
            table[name] = tuple(map(float, numbers))
    return found


def test_the_pictures(folder):
    summer, winter = seasons.seasons(folder)
    for index in range(VAL):
        for shown, drawn in zip((summer[index], winter[index]), landscape(0, 2 * TRAIN + index, SIZE)):
            np.testing.assert_array_equal(shown, drawn)


def test_what_is_left_as_it_is_and_what_is_right(folder, made, capsys):
    summer, winter = seasons.seasons(folder)
    partners = {'AtoB': dict(zip(map(bytes, summer), winter)), 'BtoA': dict(zip(map(bytes, winter), summer))}
    for share, make in ((0, lambda image, direction: image),
                        (1, lambda image, direction: partners[direction][bytes(image)])):
        made(make)
        found = printed(folder, capsys)
        assert list(found) == ['summer to winter', 'winter to summer']
        for table in found.values():
            assert set(table) == {'all', 'mean of kinds', *SUMMER}
            assert {ours for ours, _ in table.values()} == {share}


def test_what_colours_alone_reach(folder, made, capsys):
    """Much of all, and little of the small things."""
    made(lambda image, direction: image)
    for direction, least in (('summer to winter', .8), ('winter to summer', .5)):
        table = printed(folder, capsys)[direction]
        assert least < table['all'][1] < .9 and table['mean of kinds'][1] < .4


def test_the_sheet(folder, made, tmp_path):
    made(lambda image, direction: 255 - image)
    assert seasons.main(['--run', 'run', '--data', str(folder), '--sheet', str(tmp_path / 'sheet.jpg')]) == 0
    sheet = read_image(tmp_path / 'sheet.jpg')
    assert sheet.shape == (6 * (SIZE + 4) - 4, 6 * (SIZE + 4) - 4, 3)
    summer, _ = seasons.seasons(folder)
    tiles = [sheet[row * (SIZE + 4):row * (SIZE + 4) + SIZE, :SIZE].astype(int) for row in range(6)]
    assert np.abs(tiles[0] - summer[0]).mean() < 6 and np.abs(tiles[1] - (255 - summer[0])).mean() < 6
    assert np.abs(tiles[2] - tiles[3]).mean() < 6   # what was wanted is given now


def test_another_folder(folder, tmp_path, capsys):
    for name, card in (('maps', '{"name": "unpaired maps"}'), ('list', '["seasons"]'), ('text', '"name"')):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'dataset.json').write_text(card)
    must = 'must hold the drawn seasons'
    for path, said in ((tmp_path / 'maps', must), (tmp_path / 'list', must), (tmp_path / 'text', must),
                       (tmp_path / 'none', 'No such file')):
        assert seasons.main(['--run', 'run', '--data', str(path)]) == 1
        error = capsys.readouterr().err
        assert said in error and error.count('\n') == 1
    assert seasons.main(['--run', str(tmp_path / 'none'), '--data', str(folder)]) == 1
    assert capsys.readouterr().err == f'seasons.py: {tmp_path / "none"}: no run here: it has no settings.json\n'
