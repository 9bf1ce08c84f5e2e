"""settings.json: those of the first revision in today's form, and what must not differ.

The settings of revision 1 are as the scripts of that time wrote them, in JSON.
"""
import json

import pytest

import gluonzoo.data
import gluonzoo.models
import gluonzoo.tasks  # noqa: F401  (all three register what they have)
from gluonzoo.registry import DATASETS, MODELS, TASKS, TRANSFORMS
from gluonzoo.train import CheckpointError
from gluonzoo.train.settings import (
    MAY_CHANGE,
    REVISION,
    differences,
    moved_without_fingerprint,
    read_settings,
    setting_of,
)

FIT = {'seed': 0, 'batch_size': 32, 'epochs': 200, 'schedule': {'name': 'constant'}, 'ema': None, 'devices': ['cpu(0)'],
       'kvstore': None, 'workers': 2}
LOOK = {'size': 300, 'mean': [123.0, 117.0, 104.0], 'std': [1.0, 1.0, 1.0]}
DSOD = {
    'task': {'name': 'single_shot_detection', 'network': {'name': 'dsod300', 'classes': 2},
             'class_names': ['cat', 'dog'], 'loss': 'paper',
             'optimizer': {'name': 'sgd', 'learning_rate': 0.1, 'momentum': 0.9, 'wd': 0.0005},
             'accumulate': 16, 'clip_norm': None, 'amp': None},
    'train_data': {'name': 'detection_records', 'path': '/data/train.rec',
                   'transform': {'name': 'ssd_train', **LOOK, 'expand': 1.5, 'crop': False}},
    'val_data': {'name': 'detection_records', 'path': '/data/val.rec', 'transform': {'name': 'resize', **LOOK}},
    'fit': FIT,
}
PIX2PIX = {
    'task': {'name': 'image_translation', 'generator': {'name': 'unet128', 'norm': 'batch', 'width': 16},
             'discriminator': {'name': 'patchgan', 'norm': 'batch', 'width': 16}, 'image_size': 128,
             'objective': 'vanilla', 'lambda_l1': 100.0, 'pool_size': 50, 'test_mode': 'running',
             'optimizer': {'name': 'adam', 'learning_rate': 0.0006, 'beta1': 0.5},
             'accumulate': 1, 'clip_norm': 1.0, 'amp': 'bfloat16'},
    'train_data': {'name': 'paired_images', 'path': '/data/train', 'direction': 'AtoB',
                   'transform': {'name': 'pair_train', 'crop_size': 128, 'load_size': 128}},
    'val_data': {'name': 'paired_images', 'path': '/data/val', 'direction': 'AtoB',
                 'transform': {'name': 'pair_resize', 'size': 128}},
    'fit': {**FIT, 'schedule': {'name': 'linear', 'begin': 300, 'steps': 600}},
}
CENTERNET = {
    'task': {'name': 'keypoint_detection', 'network': {'name': 'ghost_centernet_0_5', 'classes': 3},
             'class_names': ['sun', 'tree', 'house'], 'size': 256, 'test_size': 256, 'max_size': 320,
             'optimizer': {'name': 'adam', 'learning_rate': 0.001}, 'accumulate': 2, 'clip_norm': None, 'amp': None},
    'train_data': {'name': 'coco_detection', 'path': '/data/train.json',
                   'transform': {'name': 'keypoint_train', 'size': 256, 'mean': [104.0, 114.0, 120.0],
                                 'std': [73.0, 69.0, 70.0], 'scales': [0.8, 1.0], 'colour': False}},
    'val_data': {'name': 'coco_detection', 'path': '/data/val.json', 'transform': {'name': 'photo', 'size': 320}},
    'fit': {**FIT, 'ema': 0.998, 'devices': ['gpu(0)', 'gpu(1)'], 'kvstore': 'dist_sync'},
}


@pytest.fixture
def read(tmp_path):
    """A function that writes settings, given as a dict or as text, and reads them."""
    def write_and_read(content):
        path = tmp_path / 'settings.json'
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return read_settings(path)
    return write_and_read


def without(settings, *keys):
    return {key: value for key, value in settings.items() if key not in keys}


# -- the first revision ----------------------------------------------------------------------------------------------

def test_dsod_of_the_first_revision(read):
    """What the engine has is told apart; what does not decay was said by the network."""
    found = read(DSOD)
    assert list(found) == ['task', 'train_data', 'val_data', 'fit', 'revision', 'engine'] and found['revision'] == 3
    assert found['task'] == {
        'name': 'single_shot_detection', 'net': {'name': 'dsod300', 'classes': 2}, 'class_names': ['cat', 'dog'],
        'loss': 'paper', 'optimizer': {'name': 'sgd', 'learning_rate': 0.1, 'momentum': 0.9, 'wd': 0.0005,
                                       'no_decay': ['heads.*.norm.gamma', 'heads.*.norm.beta']}}
    assert found['engine'] == {'devices': ['cpu(0)'], 'kvstore': None, 'accumulate': 16, 'clip_norm': None, 'amp': None}
    assert found['fit'] == without(FIT, 'devices', 'kvstore')
    assert (found['train_data'], found['val_data']) == (DSOD['train_data'], DSOD['val_data'])


@pytest.mark.parametrize('name, spared', [('dsod300', True), ('dsod300_smallest', True), ('dsod_pikachu', False)])
def test_what_does_not_decay(read, name, spared):
    optimizer = read({**DSOD, 'task': {**DSOD['task'], 'network': {'name': name}}})['task']['optimizer']
    assert ('no_decay' in optimizer) == spared and without(optimizer, 'no_decay') == DSOD['task']['optimizer']


def test_pix2pix_of_the_first_revision(read):
    found = read(PIX2PIX)
    assert found['task'] == {**without(PIX2PIX['task'], 'accumulate', 'clip_norm', 'amp'), 'name': 'pix2pix',
                             'optimizer': {'name': 'mxnet_adam', 'learning_rate': 0.0006, 'beta1': 0.5}}
    assert found['engine'] == {'devices': ['cpu(0)'], 'kvstore': None, 'accumulate': 1, 'clip_norm': 1.0,
                               'amp': 'bfloat16'}
    assert found['fit'] == without(PIX2PIX['fit'], 'devices', 'kvstore')
    assert (found['train_data'], found['val_data']) == (PIX2PIX['train_data'], PIX2PIX['val_data'])


def test_centernet_of_the_first_revision(read):
    """The transform makes the targets now, and must know how many classes there are."""
    found = read(CENTERNET)
    assert found['task'] == {**without(CENTERNET['task'], 'network', 'accumulate', 'clip_norm', 'amp'),
                             'net': {'name': 'ghost_centernet_0_5', 'classes': 3},
                             'optimizer': {'name': 'mxnet_adam', 'learning_rate': 0.001}}
    assert found['engine'] == {'devices': ['gpu(0)', 'gpu(1)'], 'kvstore': 'dist_sync', 'accumulate': 2,
                               'clip_norm': None, 'amp': None}
    assert found['train_data'] == {**CENTERNET['train_data'],
                                   'transform': {**CENTERNET['train_data']['transform'], 'classes': 3}}
    assert found['val_data'] == CENTERNET['val_data'] and found['fit']['ema'] == 0.998


@pytest.mark.parametrize('first', [DSOD, PIX2PIX, CENTERNET], ids=['dsod', 'pix2pix', 'centernet'])
def test_the_settings_of_the_first_revision_are_todays(read, first):
    """Each name is registered today, and takes what the settings give it."""
    found = read(first)
    task = TASKS.target(found['task']['name'])
    TASKS.signature(found['task']['name']).bind(**without(found['task'], 'name'))
    for name in task.network_names:
        network = found['task'][name]
        MODELS.signature(network['name']).bind(**without(network, 'name'))
    for data in (found['train_data'], found['val_data']):
        DATASETS.signature(data['name']).bind(**without(data, 'name'))
        transform = data['transform']
        TRANSFORMS.signature(transform['name']).bind(**without(transform, 'name'))
    assert set(found) == {'revision', 'task', 'train_data', 'val_data', 'engine', 'fit'}


# -- the second revision ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize('before, after', [
    ({'name': 'adam', 'beta1': .5}, {'name': 'mxnet_adam', 'beta1': .5}), ({'name': 'Adam'}, {'name': 'mxnet_adam'}),
    ({'name': 'sgd'}, {'name': 'sgd'}), ({'name': 'nadam'}, {'name': 'nadam'}),
    ({'generator': {'name': 'adam'}, 'discriminator': {'name': 'sgd'}},
     {'generator': {'name': 'mxnet_adam'}, 'discriminator': {'name': 'sgd'}})])
def test_adam_of_the_second_revision_is_mxnets(read, before, after):
    """'adam' is the published form today."""
    settings = {'revision': 2, 'task': {'name': 'mine', 'net': {'name': 'adam'}, 'optimizer': before}, 'fit': FIT}
    assert read(settings) == {**settings, 'revision': 3, 'task': {**settings['task'], 'optimizer': after}}
    assert read({**settings, 'revision': 3}) == {**settings, 'revision': 3}


@pytest.mark.parametrize('name, optimizer', [
    ('pix2pix', {'name': 'mxnet_adam', 'learning_rate': 2e-4, 'beta1': .5}),
    ('keypoint_detection', {'name': 'mxnet_adam', 'learning_rate': 2.5e-4}), ('single_shot_detection', None)])
def test_what_a_task_of_the_second_revision_took_by_default(read, name, optimizer):
    assert read({'revision': 2, 'task': {'name': name}})['task'].get('optimizer') == optimizer


@pytest.mark.parametrize('task', [{'optimizer': None}, {'optimizer': []}, {'optimizer': {'name': 7}}])
def test_garbage_of_the_second_revision(read, task):
    """Whatever is in them: who uses them knows."""
    assert read({'revision': 2, 'task': task}) == {'revision': 3, 'task': task}


def test_reading_changes_no_file(tmp_path):
    path = tmp_path / 'settings.json'
    path.write_text(json.dumps(CENTERNET))
    first = read_settings(path)
    assert read_settings(path) == first and json.loads(path.read_text()) == CENTERNET


# -- today's, later ones, and garbage --------------------------------------------------------------------------------

def test_of_today(read):
    """Whatever is in what is named: who makes it knows."""
    for settings in ({'revision': REVISION}, {'revision': REVISION, 'task': {'network': 1}, 'other': [1, None]}):
        assert read(settings) == settings


@pytest.mark.parametrize('content, message', [
    ({'revision': 4}, r'is of revision 4; this gluonzoo reads 1 to 3$'),
    ({**DSOD, 'revision': 'two'}, r"is of revision 'two'; this gluonzoo reads 1 to 3$"),
    ({'revision': None}, r'is of revision None'), ({'revision': True}, r'is of revision True'),
    ({'revision': [2]}, r'is of revision \[2\]'),
    ({}, r'not the settings of a run: task: must be an object with accumulate, .*, name: None$'),
    (without(DSOD, 'fit'), r'not the settings of a run: fit: must be an object with devices, kvstore: None$'),
    (without(DSOD, 'train_data'), r'not the .*: train_data: must be an object: None$'),
    ({**DSOD, 'task': without(DSOD['task'], 'amp')}, r'not the .*: task: must be an object with amp: {.*'),
    ({**DSOD, 'task': without(DSOD['task'], 'network')}, r"task.network: must be an object with a 'name': None$"),
    ({**DSOD, 'task': without(DSOD['task'], 'optimizer')}, r'task.optimizer: must be an object: None$'),
    ({**DSOD, 'task': {**DSOD['task'], 'network': 'dsod300'}},
     r"task.network: must be an object with a 'name': 'dsod300'$"),
    ({**DSOD, 'fit': without(FIT, 'devices')}, r'not the .*: fit: must be an object with devices: {.*'),
    ({**DSOD, 'task': 3}, r'not the settings of a run: task: must be an object with .*: 3$'),
    ({**DSOD, 'task': 'name'}, r"not the settings of a run: task: must be an object with .*: 'name'$"),
    ({**CENTERNET, 'train_data': []}, r'not the settings of a run: train_data: must be an object: \[\]$'),
    ('[]', 'must be a JSON object$'), ('3', 'must be a JSON object$'), ('null', 'must be a JSON object$'),
    ('', 'not JSON, or cut short'), (json.dumps(DSOD)[:99], 'not JSON, or cut short'),
])
def test_garbage(read, tmp_path, content, message):
    with pytest.raises(CheckpointError, match=f'^{tmp_path}/settings.json: {message}') as caught:
        read(content)
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize('part, key, value, message', [
    ('fit', 'seed', 2.5, 'fit.seed: must be a whole number from 0 to 2147483647: 2.5'),
    ('fit', 'batch_size', 0, 'fit.batch_size: must be a whole number, at least 1: 0'),
    ('fit', 'epochs', True, 'fit.epochs: must be a whole number, at least 1: True'),
    ('fit', 'schedule', 'step', "fit.schedule: must be an object: 'step'"),
    *(('fit', 'ema', wrong, "fit.ema: must be a number from 0 to 1, or an object with 'decay' and perhaps 'warmup', "
       f"'start' and 'interval', or null: {wrong}")
      for wrong in ({'begin': 3, 'decay': .9}, {'decay': .9, 'start': -1}, {'decay': .9, 'interval': 0},
                    {'decay': .9, 'warmup': 1}, {'decay': 2}, {'start': 3})),
    ('fit', 'ema', '0.9', "fit.ema: must be a number from 0 to 1, or an object with 'decay' and perhaps 'warmup', "
     "'start' and 'interval', or null: '0.9'"),
    ('fit', 'workers', 10 ** 9, 'fit.workers: must be a whole number from 1 to 1000: 1000000000'),
    ('engine', 'devices', 'cpu(0)', "engine.devices: must be a list of 1 or more names: 'cpu(0)'"),
    ('engine', 'kvstore', 3, 'engine.kvstore: must be a text of up to 1000 letters, or null: 3'),
    ('engine', 'clip_norm', [1], 'engine.clip_norm: must be a number, or null: [1]'),
    ('code', 'file', '../x.py', "code.file: must be the name of a Python file: '../x.py'"),
    ('code', 'sha256', None, 'code.sha256: must be a text of up to 1000 letters: None'),
    ('task', None, None, 'task: must be an object: None'), ('val_data', None, [], 'val_data: must be an object: []'),
    ('fit', None, 3, 'fit: must be an object: 3'), ('code', None, {}, "code: must have 'file' and 'sha256' alone: {}")])
def test_a_value_of_another_type_is_named(read, part, key, value, message):
    good = {'revision': REVISION, 'code': {'file': 'my.py', 'sha256': '0'}, 'engine': {}, 'fit': {}}
    assert read(good) == good
    with pytest.raises(CheckpointError) as caught:
        read({**good, part: value if key is None else {**good[part], key: value}})
    assert str(caught.value).endswith(f'settings.json: {message}')


def test_no_file(tmp_path):
    with pytest.raises(CheckpointError, match=f'cannot read {tmp_path}/settings.json: No such file'):
        read_settings(tmp_path / 'settings.json')


# -- what must not differ --------------------------------------------------------------------------------------------

def test_differences():
    before = {'task': {'net': {'name': 'a', 'width': 4}, 'scales': [1, 2]}, 'fit': {'seed': 1, 'ema': None}}
    assert differences(before, json.loads(json.dumps(before))) == []
    now = {'task': {'net': {'name': 'b'}, 'scales': [1, 2]}, 'fit': {'seed': 1, 'ema': None, 'clip': None}}
    assert differences(before, now) == ["fit.clip '(absent)' then, None now", "task.net.name 'a' then, 'b' now",
                                        "task.net.width 4 then, '(absent)' now"]
    assert differences(now, before)[0] == "fit.clip None then, '(absent)' now"


def test_how_a_run_goes_on_with_mxnets_adam():
    before, now = ({'task': {'optimizer': {'generator': {'name': name}}}} for name in ('mxnet_adam', 'adam'))
    assert differences(before, now) == ["task.optimizer.generator.name 'mxnet_adam' then, 'adam' now "
                                        '(--set task.optimizer.generator.name=mxnet_adam goes on with it)']
    assert 'goes on' not in differences(now, before)[0]


def test_an_empty_dict_is_not_the_same_as_none():
    assert differences({'a': {}}, {'a': {'b': 1}}) == ["a {} then, '(absent)' now", "a.b '(absent)' then, 1 now"]
    assert differences({'a': {}}, {}) == ["a {} then, '(absent)' now"]


def test_what_may_change():
    """How long and on what it is computed."""
    assert set(MAY_CHANGE) == {'fit.epochs', 'fit.workers', 'engine.devices', 'engine.kvstore', 'engine.threads',
                               'train_data.workers', 'val_data.workers'}
    before, now = {}, {}
    for value, settings in enumerate((before, now)):
        for key in MAY_CHANGE:
            part, name = key.split('.')
            settings.setdefault(part, {})[name] = value
    assert differences(before, now) == [] == differences(before, {})


# -- one for all, or one by name -------------------------------------------------------------------------------------

def test_setting_of():
    one = {'name': 'adam', 'learning_rate': 1}
    assert setting_of(one, 'generator') is one and setting_of(len, 'generator') is len
    assert setting_of({'generator': one, 'discriminator': {'name': 'sgd'}}, 'generator') is one
    for wrong in ({}, {'discriminator': one}):
        with pytest.raises(ValueError, match="must be one for all, with a name, or have one for 'generator': {"):
            setting_of(wrong, 'generator')


# -- data that have moved --------------------------------------------------------------------------------------------

MARK, OTHER = {'count': 7, 'sha256': 64 * 'a'}, {'count': 7, 'sha256': 64 * 'b'}


def placed(path, mark=None, images=None):
    settings = {'train_data': {'name': 'd', 'path': path}, 'val_data': {'name': 'd', 'path': 'v'}}
    if images:
        settings['train_data']['images'] = images
    return settings if mark is None else {**settings, 'fingerprints': {'train_data': mark, 'val_data': None}}


@pytest.mark.parametrize('before, now, differ', [
    (placed('a', MARK), placed('b', MARK), []),
    (placed('a', MARK), placed('b', MARK, images='c'), []),
    (placed(['a', 'b'], MARK), placed('c', MARK), []),
    (placed('a', MARK), placed('b', OTHER), ['train_data: other data than the run was begun with: 7 items as then, but '
                                             'others, or with other annotations']),
    (placed('a', MARK), placed('a', {**OTHER, 'count': 6}), ['train_data: other data than the run was begun with: 7 '
                                                             'items then, 6 now']),
    (placed('a'), placed('b', MARK), []),   # of a run from before there were fingerprints
    (placed('a'), placed('b'), ["train_data.path 'a' then, 'b' now"]),   # a dataset that has none
    (placed('a', 'damaged'), placed('b', MARK), ['train_data: other data than the run was begun with: None items then, '
                                                 '7 now']),
])
def test_data_that_have_moved(before, now, differ):
    assert differences(before, now) == differ


@pytest.mark.parametrize('before, now, moved', [
    (placed('a', MARK), placed('b', MARK), []), (placed('a'), placed('a', MARK), []),
    (placed('a'), placed('b', MARK), ['train_data']), (placed('a'), placed('a', MARK, images='c'), ['train_data']),
])
def test_moves_that_cannot_be_checked(before, now, moved):
    assert moved_without_fingerprint(before, now) == moved
