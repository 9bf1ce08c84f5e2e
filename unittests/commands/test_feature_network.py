"""gluonzoo evaluate --features: FID and KID on the features of a classifier that the user names."""
import argparse
import json

import pytest
from run_checks import check_error_is_one_line, draw, tiny

from gluonzoo.commands import feature_network
from gluonzoo.commands.main import main
from gluonzoo.commands.resolve import open_run
from gluonzoo.recipes import cifar, dcgan


@pytest.fixture(scope='module')
def generator(tmp_path_factory):
    """The directory of a run that has 70 pictures to evaluate, more than the classifier's features have numbers."""
    folder = tmp_path_factory.mktemp('generator')
    faces = draw('faces', folder / 'faces', '--synthetic', '--train', '8', '--val', '70')
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {'network': {'width': 2}, 'batch_size': 4, 'epochs': 1}.items():
            patch.setitem(dcgan.SMALL, name, value)
        assert main(['train', 'dcgan', '--small', '--data', str(faces), '--run', str(folder / 'run')]) == 0
    return folder / 'run'


@pytest.fixture(scope='module')
def classifier(tmp_path_factory):
    folder = tmp_path_factory.mktemp('classifier')
    pictures = draw('cifar10', folder / 'cifar10', '--synthetic', '--train', '10', '--val', '10')
    with tiny(cifar):
        assert main(['train', 'cifar', '--small', '--data', str(pictures), '--run', str(folder / 'run')]) == 0
    return folder / 'run'


def evaluated(generator, folder, *more):
    assert main(['evaluate', '--run', str(generator), '--json', str(folder / 'found.json'), *map(str, more)]) == 0
    return json.loads((folder / 'found.json').read_text())


def test_of_a_run_and_of_a_model_with_weights(generator, classifier, tmp_path, monkeypatch, capsys):
    plain = evaluated(generator, tmp_path)
    assert 'features' not in plain and not any('FID' in name for name in plain)
    capsys.readouterr()
    found = evaluated(generator, tmp_path, '--features', classifier)
    said = capsys.readouterr().out
    assert found['FID (cifar_resnet20 features)'] > 0 and 'KID x 1000 (cifar_resnet20 features)' in found
    assert {name: value for name, value in found.items() if name in plain} == plain
    assert f'  FID (cifar_resnet20 features)        {found["FID (cifar_resnet20 features)"]:.4f}\n' in said
    assert f'\n{found["features"]}\n' in said
    assert found['features'].startswith(f'features: 64 of cifar_resnet20, {classifier}')
    assert found['features'].endswith('; it sees pictures of 32 x 32 pixels')
    # The weights by themselves, of a model that is used as the run was.
    run, of_recipe = open_run(classifier), cifar.prediction
    weights, = run.source.glob('net.*')
    monkeypatch.setattr(cifar, 'prediction', lambda model: {**of_recipe(model), **run.task.look})
    again = evaluated(generator, tmp_path, '--features', 'cifar_resnet20', '--feature-weights', weights)
    assert again.pop('features') == f'features: 64 of cifar_resnet20, {weights}; it sees pictures of 32 x 32 pixels'
    assert again == {name: value for name, value in found.items() if name != 'features'}


def test_of_few_pictures_kid_alone_is_measured(generator, classifier, tmp_path):
    faces = draw('faces', tmp_path / 'faces', '--synthetic', '--train', '2', '--val', '64')
    with pytest.warns(RuntimeWarning, match='needs at least 65 pictures of each kind; there are 64'):
        found = evaluated(generator, tmp_path, '--features', classifier, '--data', faces)
    assert 'KID x 1000 (cifar_resnet20 features)' in found and 'FID (cifar_resnet20 features)' not in found


@pytest.mark.parametrize('words, said', [
    (['--features', '{tmp}'], '{tmp}: no run here'),
    (['--features', 'cifar_resnet20'], '--features: the model cifar_resnet20 needs weights: --feature-weights FILE'),
    (['--features', 'cifar_resnet21', '--feature-weights', '{tmp}/w'], "unknown model 'cifar_resnet21'; did you mean"),
    (['--features', 'cifar_resnet20', '--feature-weights', '{tmp}/w'], '{tmp}/w: '),
    (['--features', '{generator}'], "--features: must be a classifier: {generator} is of the task 'generation'"),
    (['--feature-weights', '{tmp}/w'], '--feature-weights: are of --features, which says what network they are of')])
def test_errors(generator, tmp_path, capsys, words, said):
    words = [word.format(tmp=tmp_path, generator=generator) for word in words]
    check_error_is_one_line(['evaluate', '--run', str(generator), *words],
                            'gluonzoo evaluate: ' + said.format(tmp=tmp_path, generator=generator), capsys)


def test_of_a_task_without_features(classifier, capsys):
    check_error_is_one_line(['evaluate', '--run', str(classifier), '--features', str(classifier)],
                            'gluonzoo evaluate: --features: the task classification measures nothing by features; '
                            'generation and cyclegan do', capsys)


def test_nothing_said_is_nothing_put():
    class Task:
        features = None

    args = argparse.Namespace(features=None, feature_weights=None)
    feature_network.check(Task, 'generation', args)
    assert feature_network.put(Task, args) is None and Task.features is None
