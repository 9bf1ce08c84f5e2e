"""What weights want of pictures: their file says it. Network, task and data follow, or an error says why not."""
import json
import shutil
from types import SimpleNamespace

import darknet_twin
import numpy as np
import pytest
import safetensors.numpy
from run_checks import check_error_is_one_line, draw, scalars

from gluonzoo.commands import resolve
from gluonzoo.commands.from_arguments import make_settings
from gluonzoo.commands.main import main
from gluonzoo.commands.train import parse_for
from gluonzoo.commands.training import run_training
from gluonzoo.convert import WeightsError, load_own_weights
from gluonzoo.recipes import imagenet
from gluonzoo.registry import get_model
from gluonzoo.train import Run
from gluonzoo.train.engine import Engine
from gluonzoo.train.settings import REVISION

WANTED = {'mean': [123.675, 116.28, 103.53], 'std': [58.395, 57.12, 57.375]}   # not darknet's, which are the default
DEFAULT = {'mean': [0, 0, 0], 'std': [255, 255, 255]}
SMALL = {'width': .125, 'depths': [1, 1, 2, 1, 1]}
NAMES = ['cat', 'cow', 'dog', 'elk', 'fox']


@pytest.fixture(scope='module')
def file(tmp_path_factory):
    """A small darknet53 of five classes: what gluonzoo convert has written, told that its weights want WANTED."""
    folder = tmp_path_factory.mktemp('weights')
    (folder / 'net.weights').write_bytes(darknet_twin.content([*darknet_twin.backbone(), (5, 128, 1, False)]))
    assert main(['convert', '--model', 'darknet53', '--weights', str(folder / 'net.weights'), '--settings',
                 json.dumps({'classes': 5, **SMALL, **WANTED}), '--out', str(folder / 'net.safetensors')]) == 0
    return folder / 'net.safetensors'


@pytest.fixture
def silent(file, tmp_path):
    """The same weights, in a file that does not say what they want."""
    safetensors.numpy.save_file(safetensors.numpy.load_file(file), tmp_path / 'silent.safetensors')
    return tmp_path / 'silent.safetensors'


def rewritten(file, path, metadata):
    safetensors.numpy.save_file(safetensors.numpy.load_file(file), path, metadata)
    return path


def test_anchors_and_activation_travel_with_the_weights(tmp_path):
    """Other weights of the same shapes would be other boxes, without a word."""
    anchors = [[[90, 80], [100, 60], [120, 99]], [[30, 61], [62, 45], [59, 70]], [[10, 13], [16, 30], [33, 23]]]
    layers = [*darknet_twin.backbone(), *darknet_twin.heads(3)]
    (tmp_path / 'net.weights').write_bytes(darknet_twin.content(layers))
    out, own = tmp_path / 'net.safetensors', {'anchors': anchors, 'activation': 'mish'}
    assert main(['convert', '--model', 'yolo3_darknet53', '--weights', str(tmp_path / 'net.weights'), '--out', str(out),
                 '--settings', json.dumps({'classes': 3, **SMALL, **own})]) == 0
    words = ['task.net.classes=3', 'task.class_names=["a","b","c"]', 'task.net.width=0.125',
             'task.net.depths=[1,1,2,1,1]']
    task = resolve.open_model('yolo3_darknet53', out, overrides=words).task
    net = task.networks['net']
    assert [list(map(list, scale)) for scale in net.anchors] == anchors and net.activation == 'mish'
    assert net.backbone.stem.activation.__class__.__name__ == 'Mish'
    for word, said in (('task.net.activation=leaky', 'its weights want activation mish; .* is .leaky.'),
                       (f'task.net.anchors={json.dumps(anchors[::-1])}', 'its weights want anchors')):
        with pytest.raises(ValueError, match=said):
            resolve.open_model('yolo3_darknet53', out, overrides=[*words, word])
    with pytest.raises(WeightsError, match=r'activation mish in the file, leaky here'):
        load_own_weights(get_small(), out)


def test_a_checkpoint_is_as_the_settings_of_its_run(tmp_path, capsys):
    """Its file itself does not say what its weights want."""
    task = {'name': 'yolo_detection', 'class_names': ['a', 'b', 'c'], 'size': 32,
            'net': {'name': 'yolo3_darknet53', **SMALL, **WANTED}}
    made = resolve.make_task({'task': task})
    made.start_training(Engine())
    run = Run.create(tmp_path / 'run', {'revision': REVISION, 'task': task}, resume=False)
    run.save(made, step=1, epoch=1, batch=0)
    file, = (tmp_path / 'run' / 'checkpoints').glob('*/net.safetensors')
    words = ['task.net.classes=3', 'task.class_names=["a","b","c"]', 'task.net.width=0.125',
             'task.net.depths=[1,1,2,1,1]']
    opened = resolve.open_model('yolo3_darknet53', file, overrides=words).task
    assert list(opened.networks['net'].mean) == WANTED['mean']
    convert = ['convert', '--model', 'yolo3_darknet53', '--weights', str(file), '--settings',
               json.dumps({'classes': 3, **SMALL}), '--to-darknet', '--out', str(tmp_path / 'net.weights')]
    check_error_is_one_line(convert, 'gluonzoo convert: --to-darknet: darknet puts pictures in with mean [0, 0, 0]; ',
                            capsys)
    assert not (tmp_path / 'net.weights').exists()


def get_small():
    net = get_model('yolo3_darknet53', classes=3, **SMALL)
    net.initialize()
    return net


# -- settings of a training ------------------------------------------------------------------------------------------

def settings_of(words, net=None, task=None, train=None, val=None):
    """The settings of a recipe for darknet53, with more of its own, and then of words."""
    def settings(args):
        return {'task': {'name': 'classification', 'class_names': NAMES,
                         'net': {'name': 'darknet53', 'classes': 5, **SMALL, **(net or {})}, **(task or {})},
                'train_data': {'name': 'labelled_pictures', 'path': 'x',
                               'transform': {'name': 'imagenet_train', 'size': 32, **(train or {})}},
                'val_data': {'name': 'labelled_pictures', 'path': 'y',
                             'transform': {'name': 'middle_crop', 'size': 32, **(val or {})}},
                'fit': {'batch_size': 2, 'epochs': 1, 'schedule': {'name': 'constant'}}}

    return make_settings(parse_for(SimpleNamespace(settings=settings, __doc__=None), 'own', words))


def places(settings):
    return [settings['task']['net'], settings['task'], settings['train_data']['transform'],
            settings['val_data']['transform']]


def check_all(settings, wanted):
    for place in places(settings):
        assert {key: list(place[key]) for key in wanted} == wanted, place


@pytest.mark.parametrize('said', [{}, DEFAULT])
def test_all_settings_follow_the_file(file, said):
    """Whether the recipe says nothing, or has what the network is made with by default."""
    check_all(settings_of(['--weights', str(file)], task=said, train=said, val=said), WANTED)
    check_all(settings_of(['--weights', str(file)], net=WANTED, task=WANTED, train=WANTED, val=WANTED), WANTED)


def test_a_file_that_does_not_say_it_changes_nothing(silent):
    for words in ([], ['--weights', str(silent)], ['--weights', str(silent.with_name('none.safetensors'))]):
        for place in places(settings_of(words)):
            assert not {'mean', 'std'} & set(place)


def run_of(settings, tmp_path):
    run_training(settings, tmp_path / 'run')


@pytest.mark.parametrize('words, more, where', [
    (['--set', 'task.net.mean=[0, 0, 0]'], {}, 'task.net.mean is [0, 0, 0]'),
    (['--set', 'task.net.std=[1, 1, 1]'], {}, 'task.net.std is [1, 1, 1]'),
    ([], {'net': DEFAULT}, 'task.net.mean is [0, 0, 0]'),
    (['--set', 'task.mean=[0, 0, 0]'], {}, 'task.mean is [0, 0, 0]'),
    (['--set', 'train_data.transform.mean=[0, 0, 0]'], {}, 'train_data.transform.mean is [0, 0, 0]'),
    ([], {'val': {'std': [1, 2, 3]}}, 'val_data.transform.std is [1, 2, 3]')])
def test_a_contradiction_is_one_line_and_leaves_nothing(file, tmp_path, words, more, where):
    with pytest.raises(ValueError) as raised:
        run_of(settings_of(['--weights', str(file), *words], **more), tmp_path)
    key = where.partition(' ')[0].rpartition('.')[2]
    assert str(raised.value) == f'{file}: its weights want the {key} {WANTED[key]} of pictures; {where}'
    assert not (tmp_path / 'run').exists()


def test_a_file_that_is_named_by_its_path(file, tmp_path):
    """--set comes last: what follows from it must be said, too."""
    words = ['--set', f'task.net.weights={file}']
    with pytest.raises(ValueError, match=r'task.net.mean is \(0, 0, 0\)$'):
        run_of(settings_of(words), tmp_path)


# -- commands --------------------------------------------------------------------------------------------------------

@pytest.fixture(scope='module')
def pictures(tmp_path_factory):
    return draw('pictures', tmp_path_factory.mktemp('data') / 'pictures', '--train', '5', '--val', '5')


@pytest.fixture
def trained(monkeypatch):
    """darknet53 among the models of the recipe imagenet, and tiny."""
    monkeypatch.setattr(imagenet, 'MODELS', (*imagenet.MODELS, 'darknet53'))
    for key, value in {'size': 32, 'batch_size': 4, 'epochs': 2}.items():
        monkeypatch.setitem(imagenet.SMALL, key, value)


WORDS = ['--small', '--model', 'darknet53', '--set', 'task.net.width=0.125', '--set', 'task.net.depths=[1, 1, 2, 1, 1]']


def test_a_training_from_such_weights(file, trained, pictures, tmp_path):
    """It goes on when they are not there any more."""
    copy = shutil.copy(file, tmp_path / 'net.safetensors')
    runs = [tmp_path / name for name in ('whole', 'broken')]
    words = ['train', 'imagenet', '--data', str(pictures), *WORDS, '--weights', str(copy), '--partial', '--run']
    assert main([*words, str(runs[0])]) == 0
    check_all(Run.open(runs[0]).settings, WANTED)
    shutil.copytree(runs[0], runs[1])
    shutil.rmtree(Run.open(runs[1]).checkpoints()[-1])
    copy.unlink()
    assert main([*words, str(runs[1]), '--resume']) == 0
    assert scalars(runs[0]) == scalars(runs[1])


OVERRIDES = ['task.net.width=0.125', 'task.net.depths=[1, 1, 2, 1, 1]', 'task.net.classes=5',
             f'task.class_names={json.dumps(NAMES)}', 'task.size=32']


def scores(file, *more):
    image = np.random.default_rng(0).integers(0, 256, (40, 60, 3), 'uint8')
    found = resolve.open_model('darknet53', file, overrides=[*OVERRIDES, *more]).task.predict([image])[0]
    return found.scores[np.argsort(found.labels)]


def test_a_model_sees_pictures_as_its_weights_want_them(file, trained, silent):
    said = [f'{path}.{key}={json.dumps(values)}' for key, values in WANTED.items() for path in ('task.net', 'task')]
    np.testing.assert_array_equal(scores(file), scores(silent, *said))
    np.testing.assert_array_equal(scores(file), scores(file, *said))
    default = [f'{path}.{key}={json.dumps(values)}' for key, values in DEFAULT.items() for path in ('task.net', 'task')]
    assert abs(scores(file) - scores(silent, *default)).max() > 1e-3


def test_a_model_that_is_told_otherwise(file, trained, capsys, tmp_path):
    with pytest.raises(ValueError, match=r'net.safetensors: its weights want the std .*; task.net.std is \[9, 9, 9\]$'):
        scores(file, 'task.net.std=[9, 9, 9]')
    (tmp_path / 'photo.jpg').write_bytes(b'')
    words = ['predict', '--model', 'darknet53', '--weights', str(file), '--images', str(tmp_path / 'photo.jpg'),
             *(word for text in [*OVERRIDES, 'task.mean=[0, 0, 0]'] for word in ('--set', text))]
    check_error_is_one_line(words, f'gluonzoo predict: {file}: its weights want the mean [123.675, 116.28, 103.53] of '
                            'pictures; task.mean is [0, 0, 0]', capsys)


@pytest.mark.parametrize('metadata', [
    '{"mean": [1, 2, 3]}', '{"mean": [1, 2], "std": [1, 1, 1]}', '{"mean": [1, 2, 3], "std": [1, 0, 1]}',
    '{"mean": [1, 2, NaN], "std": [1, 1, 1]}', '{"mean": "abc", "std": "def"}', '[]', '{', '[' * 100_000,
    '{"mean": [1, 2, 3], "std": [1, 1, 1], "name": "dsod300"}', '{"mean": {"0": 1}, "std": [1, 1, 1]}'])
def test_metadata_that_are_damaged(file, trained, tmp_path, metadata):
    path = rewritten(file, tmp_path / 'x.safetensors', {'network': metadata})
    with pytest.raises(WeightsError) as raised:
        scores(path)
    assert str(raised.value).startswith(f"{path}: metadata 'network': ") and len(str(raised.value)) < 400


def test_a_network_with_a_convention_of_its_own(tmp_path):
    """A file for it may say the same, and nothing else."""
    net = resolve.make_network('cifar_resnet20')
    net.initialize()
    arrays = {name: p.data().asnumpy() for name, p in net._collect_params_with_prefix().items()}
    own = {'mean': list(net.mean), 'std': list(net.std)}
    safetensors.numpy.save_file(arrays, tmp_path / 'x.safetensors', {'network': json.dumps(own)})
    resolve.open_model('cifar_resnet20', tmp_path / 'x.safetensors')
    safetensors.numpy.save_file(arrays, tmp_path / 'x.safetensors', {'network': json.dumps({**own, 'std': [1, 1, 1]})})
    with pytest.raises(WeightsError, match=r'does not fit CIFARResNet:\n  std \[1, 1, 1\] of the input in the file, '):
        resolve.open_model('cifar_resnet20', tmp_path / 'x.safetensors')
