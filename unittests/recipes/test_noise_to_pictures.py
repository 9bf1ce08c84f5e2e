"""The way of a user through DCGAN, WGAN and WGAN-GP: train, break off, resume, evaluate, sample; and their settings."""
import argparse
from pathlib import Path

import cv2
import numpy as np
import pytest
from run_checks import check_error_is_one_line, check_records, draw, evaluated, resumed, scalars, tiny
from safetensors.numpy import load_file

from gluonzoo.commands import data as data_command
from gluonzoo.commands.from_arguments import make_settings
from gluonzoo.commands.main import main
from gluonzoo.commands.train import parse
from gluonzoo.recipes import dcgan, wgan, wgan_gp
from gluonzoo.train.schedule import create

LOSSES = {dcgan: ('D_fake', 'D_real', 'G'), wgan: ('D_fake', 'D_real'), wgan_gp: ('D_fake', 'D_real', 'D_penalty')}
ADAM = {'name': 'adam', 'beta1': .5, 'learning_rate': 2e-4}


def name_of(recipe):
    return recipe.__name__.rpartition('.')[2]


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    return draw('faces', tmp_path_factory.mktemp('data') / 'faces', '--synthetic', '--train', '5', '--val', '4',
                '--size', '32')


def train(recipe, data, run, *more):
    with tiny(recipe):
        assert main(['train', name_of(recipe), '--data', str(data), '--run', str(run), '--small', '--critic-steps',
                     '1' if recipe is dcgan else '2', '--ema', '0.9', *more]) == 0


@pytest.fixture(scope='module', params=LOSSES, ids=name_of)
def trained(request, data, tmp_path_factory):
    """(recipe, the directory of a run of two epochs, two steps each)"""
    directory = tmp_path_factory.mktemp('runs') / 'small'
    train(request.param, data, directory)
    return request.param, directory


def test_what_a_run_leaves(trained):
    recipe, run = trained
    check_records(run, LOSSES[recipe], ['SWD', 'SWD 16', 'MS-SSIM'])
    assert [step for step, name, _ in scalars(run) if name == 'G'] == ([1, 2, 3, 4] if recipe is dcgan else [2, 4])
    assert cv2.imread(str(run / 'samples' / 'epoch-002.jpg')).shape == (8 * 34 - 2, 8 * 34 - 2, 3)


def test_resume_is_exact(trained, data, tmp_path):
    """Also with turns of the generator in some steps alone, and the moving average of its weights."""
    recipe, run = trained
    broken = tmp_path / 'broken'
    files = resumed(run, broken, lambda directory: train(recipe, data, directory, '--resume'))
    assert scalars(broken) == scalars(run)
    for name in ('generator.safetensors', 'ema-generator.safetensors', 'discriminator.safetensors'):
        assert (files[0] / name).read_bytes() == (files[1] / name).read_bytes()


def test_evaluate(trained, tmp_path):
    """The averaged weights."""
    recipe, run = trained
    found, shape = evaluated(run, tmp_path)
    at_the_end = {name: value for step, name, value in scalars(run) if step == 4}
    for name in ('SWD', 'SWD 32', 'MS-SSIM'):
        assert found[name] == pytest.approx(at_the_end[name], rel=1e-5)
    assert shape == (270, 270, 3)


def test_clipping(data, tmp_path):
    """A critic's step may go beyond the bounds by its rate, where the learning rate is that of the code."""
    train(wgan, data, tmp_path / 'run', '--lr', '5e-5')
    critic = load_file(tmp_path / 'run' / 'checkpoints' / 'step-00000004' / 'discriminator.safetensors')
    weights = [np.abs(value).max() for name, value in critic.items() if 'running' not in name]
    assert max(weights) < .01 + 20 * 5e-5   # RMSprop's first steps are ten times the rate: its average begins at 0


@pytest.mark.parametrize('recipe', LOSSES, ids=name_of)
def test_the_first_lines_of_a_recipe_go_together(recipe):
    """What the first command makes, the second one takes, and the last one takes the run that the second one makes."""
    parser = argparse.ArgumentParser()
    data_command.add_arguments(parser)
    words = [line.split('#')[0].split() for line in recipe.__doc__.splitlines() if line.startswith('    gluonzoo ')]
    (_, _, *drawn), (_, _, name, _, data, _), *_, (_, _, _, run, *_) = words
    assert drawn == ['faces', '--synthetic'] and str(parser.parse_args(drawn).out) == data == 'data/faces'
    assert run == f'runs/{recipe.run_name(argparse.Namespace(name=name, data=Path(data), small=True))}'


def task_settings(recipe, data, *words):
    return make_settings(parse(recipe, ['--data', str(data), *words]))


def test_settings_of_dcgan(data):
    settings = task_settings('dcgan', data)
    task = settings['task']
    assert task['generator'] == {'name': 'dcgan_generator', 'variant': 'paper', 'size': 64, 'channels': 3}
    assert task['discriminator'] == {'name': 'dcgan_discriminator', 'variant': 'paper', 'size': 64, 'channels': 3}
    assert task['optimizer'] == {'generator': ADAM, 'discriminator': ADAM}
    assert (task['noise'], task['critic_steps'], task['generator_steps']) == ('normal', 1, 1)
    assert (settings['fit']['batch_size'], settings['fit']['epochs']) == (128, 25)
    assert settings['train_data']['transform'] == {'name': 'picture_train', 'size': 64, 'channels': 3, 'flip': False}
    mnist = task_settings('dcgan', data, '--grey', '--variant', 'mmagic', '--lr', '1e-4', '--generator-lr', '4e-4',
                          '--generator-steps', '2', '--critic-steps', '3', '--noise', 'uniform')['task']
    assert mnist['generator'] == {'name': 'dcgan_generator', 'variant': 'mmagic', 'size': 64, 'channels': 1}
    assert [mnist['optimizer'][name]['learning_rate'] for name in ('generator', 'discriminator')] == [4e-4, 1e-4]
    assert (mnist['noise'], mnist['critic_steps'], mnist['generator_steps']) == ('uniform', 3, 2)


def test_settings_of_wgan(data):
    """Those of the official code."""
    settings = task_settings('wgan', data)
    task = settings['task']
    assert task['generator'] == {'name': 'dcgan_generator', 'width': 64, 'norm': 'batch', 'extra_layers': 0, 'size': 64,
                                 'channels': 3}
    assert task['discriminator'] == {**task['generator'], 'name': 'dcgan_discriminator'}
    assert task['optimizer']['generator'] == {'name': 'rmsprop', 'learning_rate': 5e-5, 'gamma1': .99, 'epsilon': 1e-16}
    assert task['critic_steps'] == {'usual': 5, 'more': 100, 'first': 25, 'every': 500}
    assert (task['objective'], task['clip'], settings['fit']['batch_size']) == ('wgan', .01, 64)
    task = task_settings('wgan', data, '--generator', 'mlp', '--critic-norm', 'none', '--extra-layers', '2',
                         '--critic-steps', '7', '--clip', '0.1')['task']
    assert task['generator'] == {'name': 'mlp_generator', 'width': 512, 'size': 64, 'channels': 3}
    assert task['discriminator']['norm'] == 'none' and task['discriminator']['extra_layers'] == 2
    assert (task['critic_steps'], task['clip']) == (7, .1)


@pytest.mark.parametrize('words, names, optimizer, norm', [
    ([], 'wgan_gp', (1e-4, .5), 'none'),
    (['--size', '64', '--critic-norm', 'layer'], 'wgan_gp', (1e-4, .5), 'layer'),
    (['--network', 'residual', '--size', '64'], 'residual64', (1e-4, 0.), None),
    (['--network', 'residual'], 'residual32', (2e-4, 0.), None),
    (['--network', 'mmagic'], 'mmagic_wgan_gp', (1e-4, .5), 'group')], ids=str)
def test_settings_of_wgan_gp(data, words, names, optimizer, norm):
    """200,000 updates of the generator; the residual networks of 32 pixels have half as many, and a falling rate."""
    settings = task_settings('wgan_gp', data, '--batch-size', '2', *words)
    task, residual32 = settings['task'], names == 'residual32'
    assert [task[name]['name'] for name in ('generator', 'discriminator')] == [f'{names}_generator', f'{names}_critic']
    assert task['discriminator'].get('norm') == norm
    assert task['optimizer']['discriminator'] == {'name': 'adam', 'learning_rate': optimizer[0], 'beta1': optimizer[1],
                                                  'beta2': .9}
    assert (task['objective'], task['critic_steps']) == ('wgan-gp', 5)
    assert task['penalty'] == {'weight': 10, 'sided': 'two'} and task['generator_images'] == 1 + residual32
    steps = 2 * settings['fit']['epochs']   # of an epoch of 5 pictures
    assert steps == (500_000 if residual32 else 1_000_000)
    schedule = create(settings['fit']['schedule'])
    assert [schedule(0), schedule(steps // 2)] == [1, .5 if residual32 else 1]
    one_sided = task_settings('wgan_gp', data, '--batch-size', '2', '--one-sided', '--penalty', '3')['task']['penalty']
    assert one_sided == {'weight': 3, 'sided': 'one'}


@pytest.mark.parametrize('recipe, words, said', [
    ('dcgan', ['--size', '48'], "--size: invalid choice: 48"),
    ('wgan', ['--generator', 'mlp', '--norm', 'none'], '--norm: only with --generator dcgan'),
    ('wgan', ['--critic', 'mlp', '--critic-norm', 'none'], '--critic-norm: only with --critic dcgan'),
    ('wgan', ['--generator', 'mlp', '--critic', 'mlp', '--extra-layers', '1'], '--extra-layers: only with'),
    ('wgan', ['--critic-steps', '0'], '--critic-steps: must be 1 to 1000000: 0'),
    ('wgan_gp', ['--network', 'mmagic', '--size', '32'], '--size: with --network mmagic: 64, 128'),
    ('wgan_gp', ['--network', 'residual', '--critic-norm', 'layer'], '--critic-norm: not with --network residual'),
    ('wgan_gp', ['--small', '--network', 'residual'], '--small: is --network convolutional at --size 32')], ids=str)
def test_arguments_that_do_not_go_together(data, capsys, recipe, words, said):
    with pytest.raises(SystemExit):
        parse(recipe, ['--data', str(data), *words])
    assert said in capsys.readouterr().err


@pytest.mark.parametrize('words, said', [
    (['--ema-start', '5'], '--ema-start: there is no moving average; --ema says its decay'),
    (['--ema-interval', '5'], '--ema-interval: there is no moving average; --ema says its decay')])
def test_a_moving_average_that_is_not_there(data, tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.chdir(tmp_path)
    check_error_is_one_line(['train', 'dcgan', '--small', '--data', str(data), *words], f'gluonzoo train: {said}',
                            capsys)


def test_a_moving_average_that_begins_later(data, tmp_path):
    train(dcgan, data, tmp_path / 'run', '--epochs', '1', '--ema-start', '100')   # before, it is the weights
    checkpoint, = (tmp_path / 'run' / 'checkpoints').iterdir()
    average, own = (checkpoint / f'{name}.safetensors' for name in ('ema-generator', 'generator'))
    assert average.read_bytes() == own.read_bytes()
    fit = task_settings('dcgan', data, '--ema', '0.999', '--ema-start', '100', '--ema-interval', '2')['fit']
    assert fit['ema'] == {'decay': .999, 'start': 100, 'interval': 2}
    assert task_settings('dcgan', data, '--ema', '0.999')['fit']['ema'] == .999
