"""gluonzoo/commands/resolve.py: tasks, data and engines from settings; tasks of runs and of weights."""
import json
import shutil

import mxnet as mx
import numpy as np
import pytest
import safetensors.numpy
from run_checks import draw, save_noise, tiny

from gluonzoo import recipes
from gluonzoo.commands import resolve
from gluonzoo.commands.main import main
from gluonzoo.convert import WeightsError
from gluonzoo.recipes import dsod, pix2pix
from gluonzoo.registry import MODELS, TASKS, get_model
from gluonzoo.train import CheckpointError, Run
from gluonzoo.train.engine import Engine
from gluonzoo.train.parameters import named_parameters

DETECTION = {'name': 'single_shot_detection', 'class_names': ['cat', 'dog', 'cow'],
             'net': {'name': 'dsod_pikachu', 'stem_filter': 4, 'num_init_layer': 1, 'growth_rate': 4,
                     'input_size': 129}}
TRANSLATION = {'name': 'pix2pix', 'image_size': 128,
               'generator': {'name': 'unet128', 'width': 2}, 'discriminator': {'name': 'patchgan', 'width': 2}}


@pytest.fixture(scope='module')
def translator(tmp_path_factory):
    """The directory of a run of two epochs, two steps each."""
    pairs = draw('pairs', tmp_path_factory.mktemp('data') / 'pairs', '--train', '5', '--val', '3', '--size', '64')
    directory = tmp_path_factory.mktemp('runs') / 'pix2pix'
    with tiny(pix2pix):
        assert main(['train', 'pix2pix', '--small', '--data', str(pairs), '--run', str(directory)]) == 0
    return directory


@pytest.fixture
def made(monkeypatch):
    """What is made and placed from now on: lists of models and networks."""
    models, placed = [], []
    create, place = resolve.get_model, Engine.place
    monkeypatch.setattr(resolve, 'get_model', lambda name, **keywords: models.append(name) or create(name, **keywords))
    monkeypatch.setattr(Engine, 'place', lambda self, net, *shapes, **how: placed.append(net) or place(self, net,
                                                                                                     *shapes, **how))
    return models, placed


def arrays_of(net):
    return {name: parameter.data().asnumpy() for name, parameter in named_parameters(net).items()}


def check_it_has(net, file):
    """The arrays of a file, bit for bit."""
    wanted, there = safetensors.numpy.load_file(file), arrays_of(net)
    assert wanted.keys() == there.keys()
    for name, array in wanted.items():
        np.testing.assert_array_equal(there[name], array, name)


# -- tasks -----------------------------------------------------------------------------------------------------------

def test_a_network_that_follows_from_the_others_is_the_tasks_own():
    """Settings do not have it, and prediction does not make it."""
    settings = {'name': 'wsdan', 'class_names': ['cat', 'dog'], 'size': 48,
                'net': {'name': 'wsdan_cifar_resnet20', 'maps': 2}}
    for to_predict in (False, True):
        assert list(resolve.make_task({'task': settings}, to_predict).networks) == ['net']
    task = resolve.make_task({'task': settings})
    task.start_training(Engine())
    assert list(task.networks) == ['net', 'center'] == list(task.trainers)
    assert resolve.load_named_weights(task, {'task': settings}) == []
    with pytest.raises(ValueError, match='center'):
        resolve.make_task({'task': {**settings, 'center': {'name': 'wsdan_cifar_resnet20'}}})


def test_classes_are_as_many_as_their_names():
    """Unless a network says how many; a network that knows none is not asked."""
    assert resolve.make_task({'task': DETECTION}).networks['net'].classes == 3
    settings = {'task': {**DETECTION, 'net': {**DETECTION['net'], 'classes': 2}}}
    with pytest.raises(ValueError, match='class_names'):
        resolve.make_task(settings)
    assert list(resolve.make_task({'task': TRANSLATION}).networks) == ['generator', 'discriminator']


def test_settings_are_left_as_they_are():
    settings = json.loads(json.dumps({'task': DETECTION}))
    resolve.make_task(settings)
    assert settings == {'task': DETECTION}


def test_weights_are_no_keyword_of_a_network():
    net = {**DETECTION['net'], 'weights': '/none.safetensors', 'partial': True}
    task = resolve.make_task({'task': {**DETECTION, 'net': net}})
    assert task.networks['net'].input_size == 129


@pytest.mark.parametrize('task, said', [
    ({**DETECTION, 'name': 'single_shot'}, "unknown task 'single_shot'; did you mean single_shot_detection"),
    ({**DETECTION, 'flip': True}, "task 'single_shot_detection': unknown argument 'flip'"),
    ({**DETECTION, 'net': {'name': 'dsod'}}, "unknown model 'dsod'; did you mean "),
    ({**DETECTION, 'net': {'classes': 3}}, "task.net: must be a dict with a 'name', one of "),
    ({**DETECTION, 'net': {'name': 'dsod_pikachu', 'clases': 3}}, "model 'dsod_pikachu': unknown argument 'clases'"),
    ({**DETECTION, 'net': 'dsod_pikachu'}, ": 'dsod_pikachu'"),
    ({**DETECTION, 'net': {'name': ['dsod_pikachu']}}, "task.net: must be a dict with a 'name', one of "),
    ({**DETECTION, 'net': {**DETECTION['net'], 'self': 1}}, "model 'dsod_pikachu': unknown argument 'self'"),
    ({**DETECTION, 'net': {**DETECTION['net'], 'weights': 1}}, 'task.net.weights: must be a path, or null: 1'),
    ({**DETECTION, 'net': {**DETECTION['net'], 'partial': 1}}, 'task.net.partial: must be true or false: 1'),
    ({**DETECTION, 'class_names': 3}, 'class_names: must be a list of 1 or more names: 3'),
    ({**DETECTION, 'self': 3}, "task 'single_shot_detection': unknown argument 'self'"),
    ({'name': 'single_shot_detection', 'class_names': []}, "task.net: must be a dict with a 'name', one of "),
    ({**TRANSLATION, 'discriminator': None}, "task.discriminator: must be a dict with a 'name', one of "),
    ({'name': 'single_shot_detection', 'net': DETECTION['net']}, "missing a required argument: 'class_names'"),
    ({}, "task: must be a dict with a 'name', one of "), (None, "task: must be a dict with a 'name', one of "),
    ('x', "task: must be a dict with a 'name', one of ")])
def test_tasks_that_cannot_be_made(task, said):
    with pytest.raises(ValueError) as raised:
        resolve.make_task({'task': task})
    assert said in str(raised.value)


# -- of a run --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('keywords, said', [
    ({'stem_filter': 0}, 'whole number from 1 to 1000000: 0'), ({'stem_filter': -4}, 'whole number from 1 to .*: -4'),
    ({'stem_filter': 4.5}, 'whole number from 1 to 1000000: 4.5'), ({'growth_rate': None}, 'whole number .*: None'),
    ({'num_init_layer': 10 ** 9}, 'whole number from 1 to 1000: 1000000000'), ({'factor': '1'}, "number: '1'")])
def test_numbers_that_make_no_network(keywords, said):
    with pytest.raises(ValueError, match=f"^model 'dsod_pikachu': {list(keywords)[0]}: must be a {said}$"):
        resolve.make_network('dsod_pikachu', **keywords)


def test_predicting_makes_what_it_uses_alone(translator, made, tmp_path):
    """No trainers, and no discriminator, whose file need not be there."""
    run = tmp_path / 'run'
    shutil.copytree(translator, run)
    for file in run.glob('checkpoints/*/*discriminator*'):
        file.unlink()
    opened = resolve.open_run(run)
    models, placed = made
    assert models == ['unet128'] and placed == [opened.task.networks['generator']]
    assert list(opened.task.networks) == ['generator'] and opened.task.trainers == opened.task.engine.trainers == {}
    assert opened.source == Run.open(run).checkpoint('best') and opened.settings == Run.open(run).settings
    check_it_has(opened.task.networks['generator'], opened.source / 'generator.safetensors')


def test_commands_do_without_the_discriminator_too(translator, tmp_path, made):
    run = tmp_path / 'run'
    shutil.copytree(translator, run)
    for file in run.glob('checkpoints/*/*discriminator*'):
        file.unlink()
    save_noise(tmp_path / 'photos', {'a.png': (20, 30, 3)})
    assert main(['evaluate', '--run', str(run)]) == 0
    assert main(['predict', '--run', str(run), '--images', str(tmp_path / 'photos'),
                 '--out', str(tmp_path / 'out')]) == 0
    assert main(['export', '--run', str(run), '--out', str(tmp_path / 'net')]) == 0
    assert made[0] == 3 * ['unet128'] and len(made[1]) == 3


def test_the_checkpoint_that_is_asked_for(detector):
    for which, name in (('best', Run.open(detector).checkpoint('best').name), ('last', 'step-00000004')):
        opened = resolve.open_run(detector, which)
        assert opened.source == detector / 'checkpoints' / name
        check_it_has(opened.task.networks['net'], opened.source / 'net.safetensors')


def test_averaged_weights_are_used(pikachu, tmp_path):
    with tiny(dsod):
        assert main(['train', 'dsod', '--small', '--data', str(pikachu), '--run', str(tmp_path / 'run'), '--epochs',
                     '1', '--ema', '0.9']) == 0
    opened = resolve.open_run(tmp_path / 'run')
    check_it_has(opened.task.networks['net'], opened.source / 'ema-net.safetensors')


def test_overrides_are_of_what_is_opened_alone(detector):
    before = (detector / 'settings.json').read_bytes()
    opened = resolve.open_run(detector, overrides=['task.loss=pikachu', 'val_data.path=other.rec'])
    assert opened.settings['task']['loss'] == 'pikachu' and opened.settings['val_data']['path'] == 'other.rec'
    assert (detector / 'settings.json').read_bytes() == before
    with pytest.raises(ValueError, match='^--set: task.los: unknown; there are task.loss'):
        resolve.open_run(detector, overrides=['task.los=pikachu'])


@pytest.mark.parametrize('text', ['fit.batch_size=3', 'engine.devices=["gpu(0)"]', 'train_data.path=x', 'fit={}'])
def test_overrides_of_the_training_change_nothing_and_are_errors(detector, text):
    with pytest.raises(ValueError, match='^--set: .*: is of the training, and changes nothing here; task and'):
        resolve.open_run(detector, overrides=[text])


def test_several_devices(detector):
    opened = resolve.open_run(detector, ctx=[mx.cpu(0), mx.cpu(1)])
    assert opened.task.ctx == [mx.cpu(0), mx.cpu(1)]
    image = np.random.default_rng(0).integers(0, 256, (90, 120, 3), 'uint8')
    alone, = resolve.open_run(detector).task.predict([image])
    for found in opened.task.predict([image, image]):
        np.testing.assert_allclose(found.boxes, alone.boxes, rtol=1e-4)


def test_runs_that_are_none(tmp_path):
    with pytest.raises(CheckpointError, match='no run here: it has no settings.json$'):
        resolve.open_run(tmp_path)
    Run.create(tmp_path, {'revision': 3, 'task': DETECTION})
    with pytest.raises(CheckpointError, match='has no checkpoint yet$'):
        resolve.open_run(tmp_path)


# -- of a model and weights ------------------------------------------------------------------------------------------

TINY_UNET = ['task.generator.width=2']


def test_a_model_with_a_file_of_a_checkpoint(translator, made):
    file = Run.open(translator).checkpoint('last') / 'generator.safetensors'
    opened = resolve.open_model('unet128', file, overrides=TINY_UNET)
    models, placed = made
    assert models == ['unet128'] and placed == [opened.task.networks['generator']] and opened.task.trainers == {}
    assert opened.source == file and opened.settings == {
        'task': {'name': 'pix2pix', 'generator': {'name': 'unet128', 'width': 2}, 'image_size': 128}}
    check_it_has(opened.task.networks['generator'], file)


def test_a_model_with_what_convert_has_written(translator, tmp_path):
    """There, and back: gluonzoo convert --to-torch makes a file of the official code's, and gluonzoo convert ours."""
    file = Run.open(translator).checkpoint('last') / 'generator.safetensors'
    theirs, ours = tmp_path / 'theirs.safetensors', tmp_path / 'ours.safetensors'
    words = ['convert', '--model', 'unet128', '--settings', '{"width": 2}']
    assert main([*words, '--weights', str(file), '--to-torch', '--out', str(theirs)]) == 0
    assert main([*words, '--weights', str(theirs), '--out', str(ours)]) == 0
    assert safetensors.numpy.load_file(theirs).keys() != safetensors.numpy.load_file(ours).keys()
    image = np.random.default_rng(0).integers(0, 256, (40, 60, 3), 'uint8')
    pictures = [resolve.open_model('unet128', each, overrides=TINY_UNET).task.predict([image])[0]
                for each in (file, ours)]
    np.testing.assert_array_equal(*pictures)
    assert pictures[0].std() > 0


def save_ghostnet(path, classes):
    net = get_model('ghostnet_0_5', classes=classes)
    net.initialize()
    net(mx.nd.zeros((1, 3, 32, 32)))
    safetensors.numpy.save_file(arrays_of(net), path)


def test_classes_of_ones_own(tmp_path):
    save_ghostnet(tmp_path / 'net.safetensors', 2)
    opened = resolve.open_model('ghostnet_0_5', tmp_path / 'net.safetensors',
                                overrides=['task.net.classes=2', 'task.class_names=["cat", "dog"]'])
    assert opened.task.class_names == ['cat', 'dog']
    found, = opened.task.predict([np.zeros((300, 400, 3), 'uint8')])
    assert sorted(found.labels.tolist()) == [0, 1] and found.scores.sum() == pytest.approx(1)
    with pytest.raises(WeightsError, match=r'net.safetensors does not fit GhostNet:\n.*shape'):
        resolve.open_model('ghostnet_0_5', tmp_path / 'net.safetensors')   # 1000 classes
    with pytest.raises(ValueError, match='class_names: must name the 2 outputs of the network; there are 1000'):
        resolve.open_model('ghostnet_0_5', tmp_path / 'net.safetensors', overrides=['task.net.classes=2'])


@pytest.mark.parametrize('model, count, names', [
    ('ghostnet_0_5', 1000, ['tench', 'goldfish']), ('dsod_pikachu', 1, ['pikachu']),
    ('dsod300', 20, ['aeroplane', 'bicycle']), ('ghost_centernet', 80, ['person', 'bicycle'])])
def test_classes_of_the_official_weights(model, count, names):
    settings = recipes.of_model(model).prediction(model)
    assert settings['net'] == {'name': model, 'classes': count}
    assert len(settings['class_names']) == count and settings['class_names'][:2] == names


def test_every_model_predicts_or_says_why_not():
    for model in MODELS.names():
        recipe = recipes.of_model(model)
        try:
            settings = recipe.prediction(model)
        except ValueError as error:
            assert model.endswith(('gan', '_discriminator', '_critic')) and f'{model} judges pictures' in str(error)
        else:
            assert settings.pop('name') == recipe.TASK
            assert set(settings) <= set(TASKS.signature(recipe.TASK).parameters)


@pytest.mark.parametrize('model, error, said', [
    ('unet12', ValueError, "unknown model 'unet12'; did you mean unet128"),
    ('patchgan', ValueError, 'patchgan judges pictures, and makes none; there are unet256, '),
    ('unittests_model', ValueError, "no recipe says what 'unittests_model' predicts; train it, and open the run"),
    ('unet128', WeightsError, 'none.safetensors: No such file')])
def test_models_that_cannot_be_opened(tmp_path, monkeypatch, model, error, said):
    monkeypatch.setattr(MODELS, '_targets', {**MODELS._targets, 'unittests_model': lambda: None})
    with pytest.raises(error) as raised:
        resolve.open_model(model, tmp_path / 'none.safetensors')
    assert said in str(raised.value)


def test_weights_of_another_network(translator):
    with pytest.raises(WeightsError, match='does not fit UNet:\n.*unknown here: '):
        resolve.open_model('unet128', Run.open(translator).checkpoint('last') / 'discriminator.safetensors')


def test_an_override_that_is_unknown(tmp_path):
    with pytest.raises(ValueError, match='^--set: task.generator.widht: unknown; there are task.generator.width'):
        resolve.open_model('unet128', tmp_path / 'none.safetensors', overrides=['task.generator.widht=2'])


# -- engines and data ------------------------------------------------------------------------------------------------

def test_devices():
    assert resolve.contexts(['cpu(0)', 'cpu(3)']) == [mx.cpu(0), mx.cpu(3)]
    for device in ('cpu', 'tpu(0)', 'cpu(-1)', 'cpu(0) ', None):
        with pytest.raises(ValueError, match=r"^--devices: must be like 'cpu\(0\)' or 'gpu\(1\)': "):
            resolve.contexts([device])
    with pytest.raises(ValueError, match=r'^--devices: gpu\(99\) is not there: MXNet finds \d+ GPU'):
        resolve.contexts(['gpu(99)'])


def test_an_engine():
    how = {'devices': ['cpu(0)'], 'kvstore': None, 'accumulate': 3, 'clip_norm': None, 'amp': None}
    assert resolve.make_engine({'engine': how}).ctx == [mx.cpu(0)]
    with pytest.raises(ValueError, match='^--amp: MXNet has no float16 matrix product on a CPU; bfloat16 it has$'):
        resolve.make_engine({'engine': {**how, 'amp': 'float16'}})


def test_without_validation_data():
    for settings in ({}, {'val_data': 'x'}, {'val_data': {}}):
        with pytest.raises(ValueError, match="^val_data: must be a dict with a 'name', one of "):
            resolve.validation_loader({'task': DETECTION, **settings})


def test_validation_data(pikachu):
    settings = {'task': {'class_names': ['mascot']},
                'val_data': {'name': 'detection_records', 'path': str(pikachu / 'val.rec'),
                             'transform': {'name': 'resize', 'size': 129, 'mean': [0, 0, 0], 'std': [1, 1, 1]}}}
    loader = resolve.validation_loader(settings)
    assert [batch.records.tolist() for batch in loader.epoch(0)] == [[0, 1, 2]]   # all of them, in their order
    assert len(resolve.validation_loader({**settings, 'task': {}}).dataset) == 3   # a task without classes
    with pytest.raises(ValueError, match=r"val.rec: has the classes \['mascot'\], not \['pikachu'\]$"):
        resolve.validation_loader({**settings, 'task': {'class_names': ['pikachu']}})
