"""Data that lie elsewhere than when a run was begun: the run goes on exactly, or says what is another."""
import json
import shutil

import pytest
from run_checks import check_error_is_one_line, draw, evaluated, resumed, scalars, tiny

from gluonzoo.commands.main import main
from gluonzoo.commands.resolve import moved_data
from gluonzoo.data.fine_grained import KINDS
from gluonzoo.recipes import centernet, cifar, dcgan, dsod, imagenet, pix2pix, wsdan, yolo3
from gluonzoo.registry import DATASETS
from gluonzoo.train.storage import sha256

DRAWN = {dsod: ['pikachu', '--synthetic', '--train', '9', '--val', '3', '--size', '192'],
         pix2pix: ['pairs', '--synthetic', '--train', '5', '--val', '2'],
         centernet: ['coco', '--synthetic', '--train', '5', '--val', '2'],
         cifar: ['cifar10', '--synthetic', '--train', '11', '--val', '10'],
         dcgan: ['faces', '--synthetic', '--train', '5', '--val', '3', '--size', '32'],
         imagenet: ['pictures', '--train', '10', '--val', '5'],
         wsdan: ['cub', '--synthetic', '--train', '13', '--val', '12', '--size', '64'],
         yolo3: ['pikachu', '--synthetic', '--train', '9', '--val', '3', '--size', '96']}


def name_of(recipe):
    return recipe.__name__.rpartition('.')[2]


def train(recipe, data, run, *more):
    with tiny(recipe):
        return main(['train', name_of(recipe), '--small', '--data', str(data), '--run', str(run), *more])


@pytest.fixture(scope='module', params=DRAWN, ids=name_of)
def trained(request, tmp_path_factory):
    """(recipe, data, run)"""
    directory = tmp_path_factory.mktemp('moved')
    name, *words = DRAWN[request.param]
    data = draw(name, directory / 'data', *words)
    assert train(request.param, data, directory / 'run') == 0
    return request.param, data, directory / 'run'


def test_a_run_goes_on_where_the_data_are_now(trained, tmp_path):
    """Bit for bit; then the run names the new place, so the old one may go."""
    recipe, data, run = trained
    shutil.copytree(data, tmp_path / 'elsewhere')

    def resume(directory):
        assert train(recipe, tmp_path / 'elsewhere', directory, '--resume') == 0
    before, after = resumed(run, tmp_path / 'run', resume)
    files = sorted(path.name for path in before.glob('*.safetensors'))
    assert files and [sha256(after / name) for name in files] == [sha256(before / name) for name in files]
    assert repr(scalars(tmp_path / 'run')) == repr(scalars(run))   # NaN is not equal to itself
    settings = json.loads((tmp_path / 'run/settings.json').read_text())
    assert str(data) not in json.dumps(settings) and str(tmp_path / 'elsewhere') in json.dumps(settings)


def test_evaluation_takes_the_folder_and_what_is_in_it(trained, tmp_path):
    recipe, data, run = trained
    shutil.copytree(data, tmp_path / 'elsewhere')
    wanted = evaluated(run, tmp_path)[0]
    settings = json.loads((run / 'settings.json').read_text())['val_data']
    part = settings['path'].replace(str(data), str(tmp_path / 'elsewhere'))
    for place in (str(tmp_path / 'elsewhere'), part):
        assert main(['evaluate', '--run', str(run), '--which', 'last', '--data', place, '--json',
                     str(tmp_path / 'now.json')]) == 0
        found = json.loads((tmp_path / 'now.json').read_text())
        assert {**found, 'data': None} == {**wanted, 'data': None}
        assert found['data']['path'] == part


def test_other_data_are_refused(trained, tmp_path, capsys):
    """As many, and fewer. Nothing is changed."""
    recipe, _, run = trained
    name, *words = DRAWN[recipe]
    at = words.index('--train') + 1
    fewer = [*words[:at], str(int(words[at]) - 1), *words[at + 1:]]
    for seed, more, said in ((7, words, ' items as then, but others'), (0, fewer, f' items then, {fewer[at]} now')):
        other = draw(name, tmp_path / f'other{seed}', *more, '--seed', str(seed))
        before = (run / 'settings.json').read_bytes()
        capsys.readouterr()
        assert train(recipe, other, run, '--resume') == 1
        error = capsys.readouterr().err.splitlines()[-1]
        assert error.startswith(f'gluonzoo train: {run}: was begun with other settings: train_data: other data than ')
        assert said in error
        assert (run / 'settings.json').read_bytes() == before


def test_a_run_that_does_not_know_its_data(trained, tmp_path):
    """From before runs had fingerprints: the place may change, with a warning."""
    recipe, data, run = trained
    shutil.copytree(data, tmp_path / 'elsewhere')
    shutil.copytree(run, tmp_path / 'run')
    settings = json.loads((run / 'settings.json').read_text())
    assert settings.pop('fingerprints')
    (tmp_path / 'run/settings.json').write_text(json.dumps(settings))
    with pytest.warns(RuntimeWarning, match='train_data and val_data lie elsewhere than when the run was begun'):
        assert train(recipe, tmp_path / 'elsewhere', tmp_path / 'run', '--resume') == 0
    assert json.loads((tmp_path / 'run/settings.json').read_text())['fingerprints']['train_data']['count'] > 0


@pytest.mark.parametrize('name', KINDS)
def test_lists_are_found_where_the_data_are_now(name, tmp_path):
    """Of fine-grained datasets: the folder alone is told, and the part stays what it is."""
    data = draw(name, tmp_path / 'data', '--synthetic', '--train', '12', '--val', '12', '--size', '64')
    former = {'name': name, **KINDS[name].in_folder(data, 'val')}
    wanted = DATASETS.make(former, 'val_data').fingerprint()
    data.rename(tmp_path / 'elsewhere')
    moved = moved_data(former, tmp_path / 'elsewhere')
    assert moved == {**former, 'path': str(tmp_path / 'elsewhere')}
    assert DATASETS.make(moved, 'val_data').fingerprint() == wanted
    assert DATASETS.make({**moved, 'split': 'train'}, 'val_data').fingerprint() != wanted


def test_no_data_there(trained, tmp_path, capsys):
    recipe, _, run = trained
    (tmp_path / 'empty').mkdir()
    check_error_is_one_line(['evaluate', '--run', str(run), '--data', str(tmp_path / 'empty')],
                            f'gluonzoo evaluate: {tmp_path}/empty', capsys)
