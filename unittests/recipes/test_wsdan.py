"""The way of a user through WS-DAN: draw birds, train, resume, evaluate, predict with views; the recipe's numbers."""
import json
import warnings

import cv2
import numpy as np
import pytest
from run_checks import check_error_is_one_line, check_records, check_video, draw, evaluated, resumed, scalars, tiny

from gluonzoo.commands.from_arguments import make_settings
from gluonzoo.commands.main import main
from gluonzoo.commands.train import parse
from gluonzoo.data.fine_grained import dataset_kind
from gluonzoo.recipes import wsdan


@pytest.fixture(scope='module', autouse=True)
def small():
    with tiny(wsdan):
        yield


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """A picture of each class in each part."""
    folder = draw('cub', tmp_path_factory.mktemp('data') / 'birds', '--synthetic', '--train', '12', '--val', '12',
                  '--size', '64')
    assert dataset_kind(folder) == 'cub'
    return folder


def words_of(data, run, *more):
    return ['train', 'wsdan', '--data', str(data), '--run', str(run), '--small', '--size', '48', *more]


@pytest.fixture(scope='module')
def run(data, tmp_path_factory):
    """Two epochs, two steps each."""
    directory = tmp_path_factory.mktemp('runs') / 'small'
    assert main(words_of(data, directory)) == 0
    return directory


def test_what_a_run_leaves(run):
    losses = ['loss', 'cross_entropy', 'center', 'train_raw_top1', 'train_crop_top1', 'train_drop_top1', 'lr_net',
              'lr_center']
    check_records(run, losses, ['top1', 'top5', 'raw_top1', 'refined_top1', 'refined_top5'])
    rates = [(name, value) for step, name, value in scalars(run) if name.startswith('lr_') and step == 4]
    assert dict(rates)['lr_center'] == .05 and 0 < dict(rates)['lr_net'] < .05
    last = run / 'checkpoints' / 'step-00000004'
    assert {'net.safetensors', 'center.safetensors', 'trainer-net.safetensors',
            'trainer-center.safetensors'} <= {path.name for path in last.iterdir()}


@pytest.mark.parametrize('words', [[], ['--pooling', 'compact', '--accumulate', '2', '--ema', '0.5'],
                                   ['--set', 'engine.devices=["cpu(0)","cpu(1)"]']],
                         ids=['plain', 'compact', 'devices'])
def test_resume_is_exact(data, tmp_path, words):
    """From the checkpoint after the first epoch: also the centers are where they would be."""
    whole, broken = tmp_path / 'whole', tmp_path / 'broken'
    assert main(words_of(data, whole, *words)) == 0
    files = resumed(whole, broken, lambda directory: main(words_of(data, directory, *words, '--resume')))
    assert scalars(broken) == scalars(whole)
    for name in ('net.safetensors', 'center.safetensors', 'trainer-net.safetensors', 'trainer-center.safetensors'):
        assert (files[0] / name).read_bytes() == (files[1] / name).read_bytes()


def test_evaluate(run, tmp_path):
    found, shape = evaluated(run, tmp_path)
    trained = {name: value for step, name, value in scalars(run) if step == 4}
    for name in ('top1', 'raw_top1', 'refined_top1', 'raw_top5'):
        assert found[name] == pytest.approx(trained[name])
    assert shape == (2 * 196 - 4, 6 * 196 - 4, 3)   # of four pictures three tiles each


def test_predict_with_views(run, tmp_path):
    photo = np.random.default_rng(0).integers(0, 256, (50, 90, 3), dtype='uint8')
    bird, out = tmp_path / 'bird.png', tmp_path / 'out'
    cv2.imwrite(str(bird), photo)
    assert main(['predict', '--run', str(run), '--images', str(bird), '--views', '--out', str(out)]) == 0
    entry, = json.loads((out / 'predictions.json').read_text())['images']
    assert len(entry['classes']) == 5
    for view, height in (('attention', 192), ('crop', 384), ('drop', 384)):
        assert cv2.imread(str(out / entry[view])).shape[0] == height


def test_the_backbone_alone(data, tmp_path):
    run = tmp_path / 'run'
    assert main(words_of(data, run, '--alone', '--epochs', '1')) == 0
    task = json.loads((run / 'settings.json').read_text())['task']
    assert task['optimizer'] == wsdan.SMALL_ALONE['optimizer']
    assert task['name'] == 'classification' and task['net'] == {'name': 'cifar_resnet20', 'classes': 12,
                                                                     'stem_stride': 2}
    assert main(['evaluate', '--run', str(run)]) == 0


@pytest.mark.parametrize('words', [['--maps', '1'], ['--batch-size', '1'],
                                   ['--set', 'task.center_weight=0']], ids=' '.join)
def test_the_least_there_is(data, tmp_path, words):
    """One map, one picture at a time, no center loss."""
    assert main(words_of(data, tmp_path / 'run', '--epochs', '1', *words)) == 0
    assert all(np.isfinite(value) for _, _, value in scalars(tmp_path / 'run'))


def settings_of(data, *words):
    with warnings.catch_warnings():
        warnings.simplefilter('error', RuntimeWarning)   # others are GluonCV's own
        return make_settings(parse('wsdan', ['--data', str(data), *words]))


def test_settings(data):
    """As both codes have them."""
    settings = settings_of(data, '--batch-size', '4', '--epochs', '7', '--backbone', 'resnet34')   # 3 steps an epoch
    task = settings['task']
    assert task['net'] == {'name': 'wsdan_resnet34', 'classes': 12, 'maps': 32, 'variant': 'guyuc', 'pooling': 'exact'}
    assert task['optimizer'] == {'net': {'name': 'sgd', 'learning_rate': 1e-3, 'momentum': .9, 'wd': 1e-5},
                                 'center': {'name': 'sgd', 'learning_rate': .05, 'wd': 0}}
    assert settings['fit']['schedule'] == {'net': {'name': 'step', 'factor': .9, 'milestones': [6, 12, 18]},
                                           'center': {'name': 'constant'}}
    assert task['size'] == settings['train_data']['transform']['size'] == 448
    assert task['mean'] == settings['val_data']['transform']['mean'] == [123.675, 116.28, 103.53]
    whole = settings_of(data, '--epochs', '1')
    assert whole['task']['net']['name'] == 'wsdan_inception_v3' and whole['fit']['batch_size'] == 12
    assert whole['task']['mean'] == [127.5] * 3 and whole['fit']['schedule']['net']['milestones'] == []
    assert settings_of(data, '--variant', 'official')['task']['net']['variant'] == 'official'
    assert settings_of(data, '--lr', '0.5')['task']['optimizer']['net']['learning_rate'] == .5


def test_what_a_backbone_alone_needs(data):
    assert settings_of(data, '--backbone', 'vgg19_bn', '--alone', '--size', '64')['task']['net']['size'] == 64
    for words, sketch in ((['--maps', '3', '--small'], 24), (['--backbone', 'resnet34'], 8192),
                          (['--backbone', 'resnet34', '--sketch', '64'], 64)):
        assert settings_of(data, *words, '--pooling', 'compact')['task']['net']['sketch'] == sketch


@pytest.mark.parametrize('words, name', [
    (['--small'], 'wsdan_cifar_resnet20_small'), (['--variant', 'official'], 'wsdan_inception_v3_official'),
    (['--backbone', 'resnet50', '--pooling', 'compact'], 'wsdan_resnet50_compact'),
    (['--small', '--alone'], 'cifar_resnet20_alone_small'), (['--backbone', 'vgg19_bn', '--alone'], 'vgg19_bn_alone')])
def test_names_of_runs(data, words, name):
    assert wsdan.run_name(parse('wsdan', ['--data', str(data), *words])) == name


@pytest.mark.parametrize('words, said', [
    (['--variant', 'official', '--backbone', 'resnet50'], '--variant: official is of inception_v3 alone, not'),
    (['--small', '--variant', 'official'], '--variant: official is of inception_v3 alone'),
    (['--alone', '--maps', '4'], '--maps: is of attention, and --alone has none'),
    (['--alone', '--pooling', 'compact'], '--pooling: is of attention'),
    (['--maps', '0'], '--maps: must be 1 to 512'), (['--sketch', '64'], '--sketch: is of --pooling compact'),
    (['--size', '31'], '--size: must be 32 to 1024'), (['--backbone', 'resnet51'], '--backbone'),
    (['--size', '74'], '--size: must be at least 75 for inception_v3: 74')])
def test_what_does_not_go_together(data, words, said, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(['train', 'wsdan', '--data', str(data), *words])
    assert stopped.value.code == 2 and said in capsys.readouterr().err


def test_centers_cannot_be_given(data, tmp_path, capsys):
    check_error_is_one_line(words_of(data, tmp_path / 'run', '--weights', 'center=a.safetensors'),
                            'gluonzoo train: --weights: center=a.safetensors: the task makes center itself; net can be',
                            capsys)


def test_data_that_are_not_there(tmp_path, capsys):
    words = ['train', 'wsdan', '--data', str(tmp_path / 'no'), '--run', str(tmp_path / 'run'), '--small']
    check_error_is_one_line(words, 'gluonzoo train: ', capsys)
    assert not (tmp_path / 'run').exists()


def test_predict_a_video(run, tmp_path):
    check_video(run, tmp_path, (200, 360, 3))   # enlarged, so that the words can be read
