"""gluonzoo/commands/from_arguments.py: what arguments, a recipe and ``--set`` make of the settings, and who wins."""
from types import SimpleNamespace

import pytest
from run_checks import draw, tiny

from gluonzoo.commands.from_arguments import make_settings
from gluonzoo.commands.train import parse, parse_for
from gluonzoo.recipes import centernet, dsod
from gluonzoo.train.settings import REVISION


@pytest.fixture(autouse=True)
def small():
    with tiny(dsod):
        yield


@pytest.fixture(scope='module')
def coco(tmp_path_factory):
    return draw('coco', tmp_path_factory.mktemp('data') / 'coco', '--synthetic', '--train', '5', '--val', '3')


@pytest.fixture
def settings_of(pikachu):
    """The settings of dsod --small with more words."""
    return lambda *more: make_settings(parse('dsod', ['--data', str(pikachu), '--small', *more]))


def test_what_holds_where_nothing_is_said(settings_of):
    settings = settings_of()
    assert list(settings) == ['revision', 'task', 'train_data', 'val_data', 'fit', 'engine']
    assert settings['revision'] == REVISION
    assert settings['engine'] == {'devices': ['cpu(0)'], 'kvstore': None, 'accumulate': 1, 'clip_norm': None,
                                  'amp': None, 'threads': None}
    assert settings['fit'] == {'seed': 0, 'ema': None, 'workers': 2, 'batch_size': 4, 'epochs': 2,
                               'schedule': {'name': 'cosine', 'steps': 4, 'warmup': 0}}


def test_what_arguments_say(settings_of):
    settings = settings_of('--seed', '3', '--ema', '0.9', '--workers', '1', '--devices', 'gpu:0,gpu:1', '--accumulate',
                           '2', '--clip-norm', '0.5', '--amp', 'bfloat16', '--kvstore', 'dist_sync', '--epochs', '9',
                           '--batch-size', '3', '--lr', '0.25', '--threads', '1')
    assert settings['engine'] == {'devices': ['gpu(0)', 'gpu(1)'], 'kvstore': 'dist_sync', 'accumulate': 2,
                                  'clip_norm': 0.5, 'amp': 'bfloat16', 'threads': 1}
    assert settings['fit'] == {'seed': 3, 'ema': 0.9, 'workers': 1, 'batch_size': 3, 'epochs': 9,
                               'schedule': {'name': 'cosine', 'steps': 27, 'warmup': 2}}
    assert settings['task']['optimizer'] == {'name': 'adam', 'learning_rate': 0.25}


def test_zero_is_something_said(settings_of):
    settings = settings_of('--lr', '0', '--ema', '0')
    assert settings['task']['optimizer']['learning_rate'] == 0 and settings['fit']['ema'] == 0


def test_what_a_recipe_says_itself(coco):
    """CenterNet's rounds and moving average; arguments come before them."""
    def settings(*more):
        return make_settings(parse('centernet', ['--data', str(coco), *more]))

    assert settings()['engine']['accumulate'] == 8 and settings()['fit']['ema'] is None   # 48 images, 6 at once
    small = settings('--small')
    assert small['engine']['accumulate'] == 1 and small['fit']['ema'] == centernet.SMALL['ema'] == .998
    assert settings('--devices', 'gpu:0,gpu:1')['engine']['accumulate'] == 4
    assert settings('--set', 'engine.devices=["gpu(0)","gpu(1)"]') == settings('--devices', 'gpu:0,gpu:1')
    given = settings('--small', '--accumulate', '4', '--ema', '0.5')
    assert given['engine']['accumulate'] == 4 and given['fit']['ema'] == .5


@pytest.mark.parametrize('by_path, by_argument', [
    (['--set', 'fit.epochs=30'], ['--epochs', '30']), (['--set', 'fit.batch_size=3'], ['--batch-size', '3']),
    (['--set', 'fit.epochs=30', '--set', 'fit.batch_size=3'], ['--batch-size', '3', '--epochs', '30']),
    (['--set', 'engine.devices=["gpu(1)"]'], ['--devices', 'gpu:1']), (['--set', 'fit.seed=4'], ['--seed', '4']),
    (['--set', 'engine.accumulate=2'], ['--accumulate', '2']), (['--set', 'fit.ema=0.5'], ['--ema', '0.5']),
    (['--set', 'task.optimizer.learning_rate=0.5'], ['--lr', '0.5']), (['--set', 'fit.epochs=2'], [])])
def test_a_path_says_what_an_argument_says(settings_of, by_path, by_argument):
    """And what follows from it."""
    assert settings_of(*by_path) == settings_of(*by_argument)


def test_the_schedule_follows(settings_of):
    assert settings_of('--set', 'fit.epochs=30')['fit']['schedule'] == {'name': 'cosine', 'steps': 60, 'warmup': 6}


def test_a_path_comes_last(settings_of):
    settings = settings_of('--seed', '4', '--set', 'fit.seed=5', '--set', 'fit.schedule.warmup=1', '--set',
                           'task.loss=pikachu', '--set', 'task.optimizer.wd=0.5')
    assert settings['fit']['seed'] == 5 and settings['fit']['schedule']['warmup'] == 1
    assert settings['task']['loss'] == 'pikachu' and settings['task']['optimizer']['wd'] == .5


@pytest.mark.parametrize('words, said', [
    (['--epochs', '3', '--set', 'fit.epochs=4'], '--set: fit.epochs=4: --epochs says 3'),
    (['--batch-size', '3', '--set', 'fit.batch_size=4'], '--set: fit.batch_size=4: --batch-size says 3'),
    (['--devices', 'cpu', '--set', 'engine.devices=["gpu(0)"]'], "--devices says ['cpu(0)']"),
    (['--set', 'fit.epochs=0'], '--set: fit.epochs=0: must be a whole number, at least 1'),
    (['--set', 'fit.epochs=many'], '--set: fit.epochs=many: must be a whole number, at least 1'),
    (['--set', 'fit.epochs=true'], '--set: fit.epochs=true: must be a whole number, at least 1'),
    (['--set', 'fit.batch_size=2.0'], '--set: fit.batch_size=2.0: must be a whole number, at least 1'),
    (['--set', 'engine.devices=gpu'], '--set: engine.devices=gpu: must be a list such as ["gpu(0)"]'),
    (['--set', 'engine.devices=[]'], '--set: engine.devices=[]: must be a list such as ["gpu(0)"]'),
    (['--set', 'fit.epoch=3'], '--set: fit.epoch: unknown; there are fit.epochs'),
    (['--set', 'revision=1'], '--set: revision: unknown; there are engine, '),
    (['--set', 'code.file=x'], '--set: code: unknown; there are engine, '),
    (['--set', 'fit.epochs'], '--set: must be PATH=VALUE')])
def test_paths_that_are_refused(settings_of, words, said):
    with pytest.raises(ValueError) as raised:
        settings_of(*words)
    assert said in str(raised.value)


def test_the_same_said_twice_is_no_conflict(settings_of):
    assert settings_of('--epochs', '3', '--set', 'fit.epochs=3') == settings_of('--epochs', '3')


@pytest.mark.parametrize('words, said', [
    (['--epochs', '3'], '--epochs: fixed does not heed it: settings(args) has 5'),
    (['--set', 'fit.epochs=3'], '--epochs: fixed does not heed it: settings(args) has 5'),
    (['--batch-size', '3'], '--batch-size: fixed does not heed it: settings(args) has 2'),
    (['--lr', '3'], "--lr: fixed does not heed it: settings(args) has {'name': 'sgd', 'learning_rate': 0.1}")])
def test_a_recipe_that_does_not_heed_an_argument(words, said):
    def settings(args):
        return {'task': {'name': 'classification', 'optimizer': {'name': 'sgd', 'learning_rate': .1}},
                'train_data': {'name': 'x'}, 'val_data': {'name': 'x'},
                'fit': {'batch_size': 2, 'epochs': 5, 'schedule': {'name': 'constant'}}}

    recipe = SimpleNamespace(settings=settings, __doc__=None)
    assert make_settings(parse_for(recipe, 'fixed', []))['fit']['epochs'] == 5
    assert make_settings(parse_for(recipe, 'fixed', ['--epochs', '5', '--lr', '.1']))['fit']['epochs'] == 5
    with pytest.raises(ValueError) as raised:
        make_settings(parse_for(recipe, 'fixed', words))
    assert str(raised.value) == said


def test_a_rate_may_be_of_one_of_several_optimizers():
    def settings(args):
        return {'task': {'name': 'pix2pix', 'optimizer': {'generator': {'name': 'adam', 'learning_rate': args.lr},
                                                          'discriminator': {'name': 'sgd', 'learning_rate': .1}}},
                'train_data': {'name': 'x'}, 'val_data': {'name': 'x'},
                'fit': {'batch_size': 2, 'epochs': 5, 'schedule': {'name': 'constant'}}}

    args = parse_for(SimpleNamespace(settings=settings, __doc__=None), 'both', ['--lr', '3'])
    assert make_settings(args)['task']['optimizer']['generator']['learning_rate'] == 3


def test_data_is_found_from_anywhere(pikachu, monkeypatch):
    monkeypatch.chdir(pikachu.parent)
    args = parse('dsod', ['--data', pikachu.name, '--small'])
    assert make_settings(args)['train_data']['path'] == str(pikachu / 'train.rec')


def test_paths_by_their_names_are_found_from_anywhere(pikachu, settings_of, monkeypatch):
    monkeypatch.chdir(pikachu)
    settings = settings_of('--set', 'val_data.path=train.rec', '--set', 'task.net.weights=net.safetensors')
    assert settings['val_data']['path'] == str(pikachu / 'train.rec')
    assert settings['task']['net']['weights'] == str(pikachu / 'net.safetensors')
