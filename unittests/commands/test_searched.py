"""gluonzoo/commands/searched.py: the best settings as a recipe."""
import pytest
from run_checks import tiny
from test_user_code import MY_NET, start_anew

from gluonzoo.commands.main import main
from gluonzoo.commands.searched import write_recipe
from gluonzoo.commands.train import parse, recipe
from gluonzoo.recipes import dsod
from gluonzoo.train import Run

BEST = {'task.optimizer.learning_rate': 0.003, 'fit.batch_size': 3, 'task.loss': 'pikachu', 'fit.ema': None}


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    start_anew(monkeypatch)
    with tiny(dsod):
        yield


@pytest.fixture
def best(pikachu, tmp_path):
    """A file for the tiny DSOD, and the settings that the recipe itself gives."""
    words = ['--data', str(pikachu), '--small', '--epochs', '1', '--clip-norm', '35', '--devices', 'cpu:0']
    path = tmp_path / 'search of "dsod"' / 'best.py'
    path.parent.mkdir()
    write_recipe(path, 'dsod', parse('dsod', words), words, BEST, 'The best of 2 trials.')
    wanted = recipe('dsod', data=pikachu, small=True, epochs=1, clip_norm=35,
                    set=[f'{path}={"null" if value is None else value}' for path, value in BEST.items()])
    return path, wanted


def without_code(settings):
    return {key: value for key, value in settings.items() if key != 'code'}


def test_the_same_settings(best, pikachu):
    path, wanted = best
    assert without_code(recipe(str(path), data=pikachu)) == wanted
    assert wanted['fit']['batch_size'] == 3 and wanted['engine']['clip_norm'] == 35


def test_what_is_said_goes_before(best, pikachu):
    path, wanted = best
    found = recipe(str(path), data=pikachu, epochs=4, batch_size=9, seed=3, devices='cpu:1', set=['task.loss=paper'])
    assert found['fit'] == {**wanted['fit'], 'epochs': 4, 'batch_size': 9, 'seed': 3,
                            'schedule': {**wanted['fit']['schedule'], 'steps': 4}}   # which follows from them
    assert found['engine']['devices'] == ['cpu(1)'] and found['task'] == {**wanted['task'], 'loss': 'paper'}


def test_a_rate_that_is_said_goes_before(pikachu, tmp_path):
    words = ['--data', str(pikachu), '--small']
    searched = {'task.optimizer.learning_rate': .25}
    write_recipe(tmp_path / 'best.py', 'dsod', parse('dsod', words), words, searched, 'Best.')
    for said, rate in (({}, .25), ({'lr': .5}, .5)):
        found = recipe(str(tmp_path / 'best.py'), data=pikachu, **said)['task']['optimizer']
        assert found['learning_rate'] == rate


def test_devices_that_are_a_setting(pikachu, tmp_path):
    words = ['--data', str(pikachu), '--small']
    two = ['cpu(0)', 'cpu(1)']
    write_recipe(tmp_path / 'best.py', 'dsod', parse('dsod', words), words, {'engine.devices': two}, 'Best.')
    assert recipe(str(tmp_path / 'best.py'), data=pikachu)['engine']['devices'] == two
    assert recipe(str(tmp_path / 'best.py'), data=pikachu, devices='cpu:1')['engine']['devices'] == ['cpu(1)']


def test_it_trains(best, pikachu, tmp_path):
    path, wanted = best
    assert main(['train', str(path), '--data', str(pikachu), '--run', str(tmp_path / 'run')]) == 0
    found = Run.open(tmp_path / 'run').settings
    assert {part: found[part] for part in ('task', 'train_data', 'val_data', 'fit')} == {
        part: wanted[part] for part in ('task', 'train_data', 'val_data', 'fit')}
    assert (tmp_path / 'run' / 'code' / 'best.py').read_bytes() == path.read_bytes()


def test_data_are_required_as_the_recipe_says(best, capsys):
    with pytest.raises(SystemExit):
        main(['train', str(best[0])])
    assert 'the following arguments are required: --data' in capsys.readouterr().err


def test_words_that_are_hard_to_write(tmp_path):
    (tmp_path / 'my_net.py').write_text(MY_NET.replace("'--width', type=int", "'--width'"))
    words = ['--width', '"""\\ \'\n', '--data', 'a "b"\\']
    training = parse(str(tmp_path / 'my_net.py'), words)
    write_recipe(tmp_path / 'best.py', str(tmp_path / 'my_net.py'), training, words, {'fit.seed': 3}, 'Quotes: """ \\')
    found = recipe(str(tmp_path / 'best.py'))
    assert found['fit']['seed'] == 3 and found['task']['net']['width'] == words[1]
