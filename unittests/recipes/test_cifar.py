"""The way of a user through the CIFAR recipe: draw data, train with tricks, break off, resume, evaluate, predict."""
import json

import cv2
import pytest
import safetensors.numpy
from run_checks import (
    check_error_is_one_line,
    check_records,
    check_video,
    draw,
    evaluated,
    resumed,
    save_noise,
    scalars,
    tiny,
)

from gluonzoo.commands.from_arguments import make_settings
from gluonzoo.commands.main import main
from gluonzoo.commands.resolve import open_run
from gluonzoo.commands.train import parse
from gluonzoo.recipes import cifar

TRICKS = ['--model', 'resnet20d', '--zero-gamma', '--cosine', '--mixup', '0.4', '--label-smoothing', '0.1', '--warmup',
          '1', '--no-bias-decay', '--optimizer', 'sgdw']


@pytest.fixture(scope='module', autouse=True)
def small():
    with tiny(cifar):
        yield


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    return draw('cifar10', tmp_path_factory.mktemp('data') / 'cifar10', '--synthetic', '--train', '10', '--val',
                '10')


def words_of(data, run, *more):
    return ['train', 'cifar', '--data', str(data), '--run', str(run), '--small', *more]


@pytest.fixture(scope='module', params=[TRICKS, ['--loss', 'ghm_c']], ids=['tricks', 'ghm'])
def trained(request, data, tmp_path_factory):
    """(the directory of a run of two epochs, two steps each; what it was trained with)"""
    directory = tmp_path_factory.mktemp('runs') / 'small'
    assert main(words_of(data, directory, *request.param)) == 0
    return directory, request.param


def test_what_a_run_leaves(trained):
    run, _ = trained
    check_records(run, ['loss'], ['top1', 'top5', 'mean_class_top1'])
    for name in ('samples/epoch-002.jpg', 'confusion.jpg', 'mistakes.jpg'):
        assert min(cv2.imread(str(run / name)).shape[:2]) >= 192


def test_resume_is_exact(data, trained, tmp_path):
    """Mixup's draws, the schedule and the bins of GHM-C go on as if there was no break."""
    run, words = trained
    files = resumed(run, tmp_path / 'run', lambda directory: main(words_of(data, directory, *words, '--resume')))
    assert scalars(tmp_path / 'run') == scalars(run)
    kept = safetensors.numpy.load_file(files[0] / 'task.safetensors')
    assert ('ghm.counts' in kept) == ('ghm_c' in words)
    for name in ('net.safetensors', 'trainer-net.safetensors', 'task.safetensors'):
        assert (files[0] / name).read_bytes() == (files[1] / name).read_bytes()


def test_evaluate(trained, tmp_path, capsys):
    run, _ = trained
    found, shape = evaluated(run, tmp_path)
    measured = {name: value for step, name, value in scalars(run) if step == 4}
    for name in ('top1', 'top5', 'mean_class_top1'):
        assert found[name] == pytest.approx(measured[name], abs=1e-6)
    assert shape == (2 * 192 + 4, 4 * 196 - 4, 3)
    capsys.readouterr()
    assert main(['evaluate', '--run', str(run), '--pictures', str(tmp_path / 'new')]) == 0
    assert {path.name for path in (tmp_path / 'new').iterdir()} >= {'confusion.jpg', 'mistakes.jpg'}
    assert 'confusion.jpg: of all that was evaluated\n' in capsys.readouterr().out


def test_predict(trained, tmp_path):
    run, _ = trained
    photos, out = tmp_path / 'photos', tmp_path / 'out'
    save_noise(photos, {'small.png': (32, 32, 3), 'wide.jpg': (100, 300, 3)})
    assert main(['predict', '--run', str(run), '--images', str(photos), '--out', str(out)]) == 0
    assert cv2.imread(str(out / 'small.jpg')).shape == (160, 160, 3)   # enlarged, so that it can be read
    for image in json.loads((out / 'predictions.json').read_text())['images']:
        scores = [found['score'] for found in image['classes']]
        assert len(scores) == 5 and scores == sorted(scores, reverse=True)
    task = open_run(run).task
    assert [len(found.labels) for found in task.predict([cv2.imread(str(photos / 'small.png'))])] == [5]


def settings_of(data, *words):
    return make_settings(parse('cifar', ['--data', str(data), *words]))


def test_settings_of_the_paper(data, tmp_path):
    """Without a trick: those of the network's authors."""
    more = draw('cifar10', tmp_path / 'more', '--synthetic', '--train', '256', '--val', '10')
    settings = settings_of(more)
    task = settings['task']
    assert task['net'] == {'name': 'cifar_resnet32', 'classes': 10}
    assert task['optimizer'] == {'name': 'sgd', 'learning_rate': .1, 'momentum': .9, 'wd': 1e-4}
    assert (task['size'], task['crop'], task['smoothing'], task['mixup']) == (32, 1, 0, 0)
    assert task['loss'] == 'cross_entropy'
    assert task['mean'] == pytest.approx([125.205, 122.91, 113.985])
    assert settings['train_data']['transform'] == {'name': 'cifar_train', 'flip': True, 'mean': task['mean'],
                                                   'std': task['std']}
    assert settings['fit'] == {'seed': 0, 'ema': None, 'workers': 2, 'batch_size': 128, 'epochs': 164,
                               'schedule': {'name': 'step', 'milestones': [164, 246]}}   # 2 steps an epoch
    assert cifar.run_name(parse('cifar', ['--data', str(data), '--model', 'resnet56'])) == 'cifar_resnet56'


def test_settings_of_tricks(data):
    settings = settings_of(data, '--batch-size', '3', '--epochs', '30', *TRICKS)   # 3 steps an epoch
    task = settings['task']
    assert task['net'] == {'name': 'cifar_resnet20d', 'classes': 10, 'zero_gamma': True}
    assert (task['smoothing'], task['mixup']) == (.1, .4)
    assert task['optimizer'] == {'name': 'sgdw', 'learning_rate': .1, 'momentum': .9, 'wd': 1e-4,
                                 'no_decay': ['bias', 'gamma', 'beta']}
    assert settings['fit']['schedule'] == {'name': 'cosine', 'steps': 90, 'warmup': 3}
    settings = settings_of(data, '--batch-size', '3', '--warmup-steps', '7', '--optimizer', 'adamw', '--no-flip',
                           '--loss', 'ghm_c_sigmoid', '--shortcut', 'B', '--lr', '0.5')
    assert settings['fit']['schedule']['warmup'] == 7 and settings['task']['loss'] == 'ghm_c_sigmoid'
    assert settings['task']['optimizer'] == {'name': 'adamw', 'learning_rate': .5, 'wd': 1e-4}
    assert settings['task']['net']['shortcut'] == 'B' and not settings['train_data']['transform']['flip']
    rate = settings_of(data, '--batch-size', '3', '--optimizer', 'adamw')['task']['optimizer']['learning_rate']
    assert rate == pytest.approx(.002)
    for name in cifar.MODELS:
        assert settings_of(data, '--model', name, '--batch-size', '3')['task']['net']['name'] == name


@pytest.mark.parametrize('words, said', [
    (['--shortcut', 'B', '--model', 'resnet32d'], '--shortcut: is of plain networks, not of cifar_resnet32d'),
    (['--warmup', '5', '--warmup-steps', '3'], '--warmup and --warmup-steps: only one of them'),
    (['--loss', 'ghm_c', '--mixup', '1'], '--loss: ghm_c goes with neither --mixup nor --label-smoothing'),
    (['--label-smoothing', '1'], '--label-smoothing: must be from 0 to below 1: 1'),
    (['--mixup', '-1'], '--mixup: must be at least 0: -1'), (['--mixup', 'nan'], '--mixup: must be at least 0: nan'),
    (['--model', 'resnet18'], "invalid choice: 'cifar_resnet18'")])
def test_arguments_that_do_not_go_together(data, capsys, words, said):
    with pytest.raises(SystemExit):
        parse('cifar', ['--data', str(data), *words])
    assert said in capsys.readouterr().err


def test_classes_of_the_training_are_those_of_the_task(data, tmp_path, capsys):
    """So that a number means the same everywhere."""
    check_error_is_one_line(words_of(data, tmp_path / 'run', '--set', 'task.class_names=["a","b"]'),
                            f"gluonzoo train: {data}: has the classes ['bear', ", capsys)
    assert not (tmp_path / 'run').exists()


def test_pictures_go_into_a_folder(trained, tmp_path, capsys):
    (tmp_path / 'file').touch()
    check_error_is_one_line(['evaluate', '--run', str(trained[0]), '--pictures', str(tmp_path / 'file')],
                            f'gluonzoo evaluate: --pictures: must be a folder, or not there: {tmp_path}/file', capsys)


def test_a_warm_up_as_long_as_the_training(data, capsys):
    check_error_is_one_line(words_of(data, 'runs/x', '--epochs', '2', '--warmup', '2'),
                            'gluonzoo train: --warmup: must be shorter than the training, 4 updates in 2 epochs: 4 '
                            'updates', capsys)


def test_predict_a_video(trained, tmp_path):
    check_video(trained[0], tmp_path, (200, 360, 3))   # enlarged, so that the words can be read
