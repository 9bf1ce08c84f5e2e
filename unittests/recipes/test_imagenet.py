"""The way of a user through the ImageNet recipe: a folder for each class, or records; official weights."""
import json
import warnings

import cv2
import mxnet as mx
import numpy as np
import pytest
import safetensors.numpy
from run_checks import check_error_is_one_line, check_records, draw, evaluated, resumed, scalars, tiny

from gluonzoo.commands.from_arguments import make_settings
from gluonzoo.commands.main import main
from gluonzoo.commands.resolve import make_task
from gluonzoo.commands.train import parse
from gluonzoo.recipes import imagenet
from gluonzoo.registry import get_model
from gluonzoo.train.parameters import named_parameters

CLASSES = ['bee', 'cat', 'dog', 'yak', 'zebra', 'ünï']
KINDS = ['.jpg', '.png', '.bmp', '.webp']


@pytest.fixture(scope='module', autouse=True)
def small():
    with tiny(imagenet):
        yield


def photo(number, size=(40, 56)):
    return np.random.default_rng(number).integers(0, 256, (*size, 3), dtype='uint8')


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """12 pictures to train on and 6 to validate with, of several kinds and sizes."""
    folder = tmp_path_factory.mktemp('data') / 'mine'
    for split, count in (('train', 2), ('val', 1)):
        for label, name in enumerate(CLASSES):
            for number in range(count):
                path = folder / split / name / f'{number}{KINDS[(label + number) % 4]}'
                path.parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(path), photo(label, (30 + 9 * number, 50 - label)))
    return folder


@pytest.fixture(scope='module')
def records(tmp_path_factory):
    """The same count as records, by MXNet's own writer."""
    folder = tmp_path_factory.mktemp('records')
    for split, count in (('train', 12), ('val', 6)):
        writer = mx.recordio.MXIndexedRecordIO(str(folder / f'{split}.idx'), str(folder / f'{split}.rec'), 'w')
        for number in range(count):
            image = cv2.imencode('.jpg', photo(number))[1].tobytes()
            writer.write_idx(number, mx.recordio.pack(mx.recordio.IRHeader(0, number % 6, number, 0), image))
        writer.close()
    (folder / 'classes.txt').write_text('\n'.join(CLASSES) + '\n')
    return folder


def words_of(data, run, *more):
    return ['train', 'imagenet', '--data', str(data), '--run', str(run), '--small', '--batch-size', '6', *more]


@pytest.fixture(scope='module')
def run(data, tmp_path_factory):
    directory = tmp_path_factory.mktemp('runs') / 'small'
    assert main(words_of(data, directory)) == 0
    return directory


def test_what_a_run_leaves(run):
    check_records(run, ['loss'], ['top1', 'top5', 'mean_class_top1'])
    settings = json.loads((run / 'settings.json').read_text())
    assert settings['task']['class_names'] == CLASSES == settings['val_data']['class_names']


def test_resume_is_exact(data, run, tmp_path):
    files = resumed(run, tmp_path / 'run', lambda directory: main(words_of(data, directory, '--resume')))
    assert scalars(tmp_path / 'run') == scalars(run)
    assert (files[0] / 'net.safetensors').read_bytes() == (files[1] / 'net.safetensors').read_bytes()


def test_evaluate_and_predict(data, run, tmp_path):
    found, _ = evaluated(run, tmp_path)
    assert found['top1'] == next(value for step, name, value in scalars(run) if (step, name) == (4, 'top1'))
    assert main(['evaluate', '--run', str(run), '--data', str(data)]) == 0
    assert main(['predict', '--run', str(run), '--images', str(data / 'val'), '--out', str(tmp_path / 'out')]) == 0
    images = json.loads((tmp_path / 'out' / 'predictions.json').read_text())['images']
    assert len(images) == 6 and all(len(image['classes']) == 5 for image in images)
    assert {found['class'] for image in images for found in image['classes']} <= set(CLASSES)


def test_records_train_as_well(records, tmp_path):
    assert main(words_of(records, tmp_path / 'run', '--epochs', '1')) == 0
    settings = json.loads((tmp_path / 'run' / 'settings.json').read_text())
    assert settings['train_data']['name'] == 'labelled_records' and settings['task']['class_names'] == CLASSES


def test_lists_of_fine_grained_datasets_train_as_well(tmp_path):
    data = draw('cub', tmp_path / 'birds', '--synthetic', '--train', '12', '--val', '12', '--size', '64')
    assert main(words_of(data, tmp_path / 'run', '--epochs', '1')) == 0
    settings = json.loads((tmp_path / 'run' / 'settings.json').read_text())
    assert settings['train_data']['name'] == 'cub' and len(settings['task']['class_names']) == 12


def test_it_starts_from_official_weights(data, tmp_path, capsys):
    """But for the last layer, whose classes are others."""
    net = get_model('ghostnet_0_5', classes=9)
    net.initialize()
    net(mx.nd.zeros((1, 3, 32, 32)))
    weights = tmp_path / 'ghostnet.safetensors'
    safetensors.numpy.save_file({name: parameter.data().asnumpy() for name, parameter in named_parameters(net).items()},
                                weights)
    assert main(words_of(data, tmp_path / 'run', '--epochs', '1', '--weights', str(weights), '--partial')) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if 'started anew' in line]
    assert len(said) == 2 and all(line.startswith('net.output.') for line in said)


def settings_of(data, *words):
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        warnings.filterwarnings('ignore', 'distutils Version classes', DeprecationWarning)   # GluonCV's own
        return make_settings(parse('imagenet', ['--data', str(data), *words]))


def test_settings(data):
    """GhostNet's as its authors tell them, SKNet's as its paper has them."""
    settings = settings_of(data, '--batch-size', '4', '--epochs', '400')   # 3 steps an epoch
    assert settings['task']['net'] == {'name': 'ghostnet_1_0', 'classes': 6}
    assert settings['task']['optimizer'] == {'name': 'sgd', 'learning_rate': .4, 'momentum': .9, 'wd': 4e-5}
    assert (settings['task']['smoothing'], settings['task']['size']) == (.1, 224)
    assert settings['fit']['schedule'] == {'name': 'cosine', 'steps': 1200, 'warmup': 15}
    assert settings['train_data']['transform']['name'] == 'imagenet_train'
    settings = settings_of(data, '--model', 'sknet50', '--batch-size', '4', '--size', '320', '--label-smoothing', '0')
    assert settings['fit']['schedule'] == {'name': 'step', 'milestones': [90, 180, 270]}   # of 300
    assert settings['task']['optimizer'] == {'name': 'sgd', 'learning_rate': .1, 'momentum': .9, 'wd': 1e-4,
                                             'no_decay': ['bias', 'gamma', 'beta']}
    assert (settings['task']['smoothing'], settings['val_data']['transform']['size']) == (0, 320)
    settings = settings_of(data, '--batch-size', '4', '--loss', 'ghm_c')
    assert settings['task']['smoothing'] == 0   # the recipe's own would not go with it
    settings = settings_of(data, '--model', 'darknet53', '--batch-size', '4', '--epochs', '100')
    assert settings['task']['optimizer'] == {'name': 'sgd', 'learning_rate': .1, 'momentum': .9, 'wd': 5e-4,
                                             'no_decay': ['bias', 'gamma', 'beta']}
    assert settings['fit']['schedule'] == {'name': 'cosine', 'steps': 300, 'warmup': 0}
    assert (settings['task']['size'], settings['task']['smoothing']) == (256, 0)
    settings = settings_of(data, '--model', 'vgg19_bn', '--batch-size', '4')   # torchvision's
    assert settings['task']['optimizer'] == {'name': 'sgd', 'learning_rate': .01, 'momentum': .9, 'wd': 1e-4}
    assert settings['fit']['schedule'] == {'name': 'step', 'milestones': [90, 180]}   # of 270
    settings = settings_of(data, '--model', 'inception_v3', '--batch-size', '4')
    assert (settings['task']['size'], settings['task']['mean']) == (299, [127.5] * 3)
    # 800,000 updates of ImageNet, the first 1,000 to warm up
    recipe = imagenet.RECIPES['darknet53']
    assert 1281167 // recipe['batch_size'] * recipe['epochs'] == pytest.approx(800000, rel=.002)
    assert 1281167 // recipe['batch_size'] * recipe['warmup'] == pytest.approx(1000, rel=.002)
    settings = settings_of(data, '--model', 'resnet50', '--batch-size', '4')
    assert settings['task']['optimizer'] == {'name': 'sgd', 'learning_rate': .1, 'momentum': .9, 'wd': 1e-4}
    assert settings['fit']['epochs'] == 90 and settings['fit']['schedule']['name'] == 'step'
    settings = settings_of(data, '--model', 'vgg19_bn', '--batch-size', '4', '--size', '96')
    assert (settings['task']['net']['size'], settings['task']['size']) == (96, 96)
    assert settings['task']['optimizer']['learning_rate'] == .01
    for model in imagenet.MODELS:
        assert settings_of(data, '--model', model, '--batch-size', '4')['task']['net']['name'] == model


def test_names_of_official_weights():
    """darknet's weights count the classes in an order of their own."""
    assert imagenet.prediction('sknet50')['class_names'][1] == 'goldfish'
    assert imagenet.prediction('darknet53')['class_names'] == [f'class {i}' for i in range(1000)]


@pytest.mark.parametrize('model', ['inception_v3', 'resnet34', 'ghostnet_0_5', 'sknet50'])
def test_weights_without_a_run_see_pictures_as_the_network_is_for(model):
    look, net = make_task({'task': imagenet.prediction(model)}).look, get_model(model)
    assert (look['size'], tuple(look['mean']), tuple(look['std'])) == (net.input_size, tuple(net.mean), tuple(net.std))


@pytest.mark.parametrize('words, said', [
    (['--zero-gamma'], '--zero-gamma: is of residual networks as those of gluonzoo train cifar, not of ghostnet_1_0'),
    (['--size', '31'], '--size: must be 32 to 1024: 31'),
    (['--model', 'inception_v3', '--size', '74'], '--size: must be at least 75 for inception_v3: 74'),
    (['--model', 'ghostnet'], "invalid choice: 'ghostnet'")])
def test_arguments_that_do_not_go_together(data, capsys, words, said):
    with pytest.raises(SystemExit):
        parse('imagenet', ['--data', str(data), *words])
    assert said in capsys.readouterr().err


def test_data_that_are_not_as_they_must_be(data, tmp_path, capsys):
    check_error_is_one_line(['train', 'imagenet', '--data', str(tmp_path / 'none')],
                            f'gluonzoo train: {tmp_path}/none/train: no such folder', capsys)
    more = tmp_path / 'mine'
    for path in data.rglob('*.*'):
        place = more / path.relative_to(data)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(path.read_bytes())
    (more / 'val' / 'bird').mkdir()
    check_error_is_one_line(words_of(more, tmp_path / 'run'), f'gluonzoo train: {more}/val: has folders of 1 classes '
                            'that are not among the 6 of the training: bird', capsys)
    assert not (tmp_path / 'run').exists()
