"""gluonzoo/commands/overrides.py: settings by their paths."""
import copy

import pytest

from gluonzoo.commands.overrides import override, parse
from gluonzoo.tasks.adversarial import pix2pix

SETTINGS = {
    'task': {'name': 'single_shot_detection', 'net': {'name': 'dsod_pikachu', 'classes': 1}, 'class_names': ['mascot'],
             'loss': 'paper', 'optimizer': {'name': 'adam', 'learning_rate': 0.002}},
    'train_data': {'name': 'detection_records', 'path': 'train.rec',
                   'transform': {'name': 'ssd_train', 'size': 300, 'mean': [1, 2, 3], 'std': [1, 1, 1], 'crop': False}},
    'val_data': {'name': 'detection_records', 'path': 'val.rec', 'transform': {'name': 'resize', 'size': 300}},
    'engine': {'devices': ['cpu(0)'], 'kvstore': None, 'accumulate': 1, 'clip_norm': None, 'amp': None},
    'fit': {'seed': 0, 'ema': 0.99, 'workers': 2, 'batch_size': 4, 'epochs': 2,
            'schedule': {'name': 'cosine', 'steps': 4}},
}
KEYPOINTS = {'task': {'name': 'keypoint_detection', 'net': {'name': 'ghost_centernet_0_5'}, 'class_names': ['cat'],
                      'size': 255}}
PAIRS = {'task': {'name': 'pix2pix', 'generator': {'name': 'unet128'}, 'discriminator': {'name': 'patchgan'},
                  'lambda_l1': 100},
         'val_data': {'name': 'paired_images', 'path': ['a', 'b']}}
NOISE = {'task': {'name': 'generation', 'generator': {'name': 'dcgan_generator'}, 'critic_steps': 1}}


def at(settings, path):
    """What is at a path; KeyError where there is nothing."""
    for key in path.split('.'):
        settings = settings[key]
    return settings


@pytest.mark.parametrize('text, path, value', [
    ('fit.epochs=3', ['fit', 'epochs'], 3), ('a=1e-3', ['a'], 1e-3), ('a=true', ['a'], True), ('a=null', ['a'], None),
    ('a=[1, "x"]', ['a'], [1, 'x']), ('a={"name": "sgd"}', ['a'], {'name': 'sgd'}), ('a="3"', ['a'], '3'),
    ('a=pikachu', ['a'], 'pikachu'), ('a=x=y', ['a'], 'x=y'), ('a=', ['a'], ''), ('a=True', ['a'], 'True'),
    ('a=data/b.rec', ['a'], 'data/b.rec'),
    ('a=' + '[' * 100_000, ['a'], '[' * 100_000)])
def test_a_value_is_json_or_a_text(text, path, value):
    assert parse(text) == (path, value)


@pytest.mark.parametrize('text', ['', 'fit.epochs', '=3', 'fit..epochs=3', '.fit=3', 'fit.=3'])
def test_what_is_no_override(text):
    with pytest.raises(ValueError, match='^--set: must be PATH=VALUE, such as fit.epochs=3: '):
        override(SETTINGS, [text])


@pytest.mark.parametrize('settings, text', [
    (SETTINGS, 'task.loss="pikachu"'), (SETTINGS, 'fit.epochs=7'), (SETTINGS, 'train_data.transform.crop=true'),
    (SETTINGS, 'fit.ema=null'), (SETTINGS, 'fit.ema=0'), (SETTINGS, 'engine.clip_norm=1'),
    # of another type, which the rule allows
    (SETTINGS, 'fit.ema={"decay": 0.9, "start": 3}'),
    (NOISE, 'task.critic_steps={"usual": 5, "more": 20, "first": 25}'), (NOISE, 'task.clip=0.01'),
    (SETTINGS, 'engine.amp="bfloat16"'), (SETTINGS, 'engine.devices=["gpu(0)"]'), (SETTINGS, 'engine.kvstore=null'),
    (SETTINGS, 'task.optimizer={"name": "sgd"}'), (SETTINGS, 'task.optimizer.learning_rate=1'),
    (SETTINGS, 'task.class_names=["a", "b"]'), (SETTINGS, 'val_data.path="other.rec"'), (PAIRS, 'val_data.path="both"'),
    # what is not there, and a named thing takes
    (SETTINGS, 'task.optimizer.wd=0.0001'), (SETTINGS, 'task.optimizer.no_decay=["bias"]'),
    (SETTINGS, 'task.optimizer.beta1=0.5'), (SETTINGS, 'fit.schedule.warmup=3'), (SETTINGS, 'fit.schedule.final=0.1'),
    (SETTINGS, 'task.net.weights="a.safetensors"'), (SETTINGS, 'task.net.partial=true'),
    (SETTINGS, 'task.net.growth_rate=4'), (SETTINGS, 'train_data.transform.flip=false'),
    (SETTINGS, 'train_data.transform.expand=1.5'), (KEYPOINTS, 'task.flip=true'), (KEYPOINTS, 'task.scales=[0.5, 1]'),
    (KEYPOINTS, 'task.test_size=255'), (KEYPOINTS, 'task.test_size=null'), (PAIRS, 'task.discriminator.width=8'),
    (PAIRS, 'task.lambda_l1=12.5'), (PAIRS, 'task.test_mode="running"')])
def test_what_can_be_set(settings, text):
    before, expected = copy.deepcopy(settings), copy.deepcopy(settings)
    path, value = parse(text)
    at(expected, '.'.join(path[:-1]))[path[-1]] = value
    assert override(settings, [text]) == expected
    assert settings == before


def test_one_follows_the_other():
    after = override(SETTINGS, ['fit.schedule={"name": "step", "milestones": [2]}', 'fit.schedule.milestones=[3]',
                                'task.optimizer.name=sgd', 'task.optimizer.momentum=0.9', 'fit.epochs=3',
                                'fit.epochs=4'])
    assert after['fit']['schedule'] == {'name': 'step', 'milestones': [3]} and after['fit']['epochs'] == 4
    assert after['task']['optimizer'] == {'name': 'sgd', 'learning_rate': 0.002, 'momentum': 0.9}


def test_a_part_of_a_default():
    """The rest of the default stays, and the default itself as well."""
    before = copy.deepcopy(pix2pix.OPTIMIZER)
    after = override(PAIRS, ['task.optimizer.wd=0.25'])
    assert after['task']['optimizer'] == {**before, 'wd': 0.25}
    assert pix2pix.OPTIMIZER == before and 'optimizer' not in PAIRS['task']


def test_optimizers_and_schedules_by_name():
    task = {**PAIRS['task'], 'optimizer': {'generator': {'name': 'adam'}, 'discriminator': {'name': 'sgd'}}}
    settings = {'task': task, 'fit': {'schedule': {'generator': {'name': 'constant'}}}}
    after = override(settings, ['task.optimizer.discriminator.momentum=0.5', 'fit.schedule.generator.warmup=2'])
    assert after['task']['optimizer']['discriminator'] == {'name': 'sgd', 'momentum': 0.5}
    assert after['fit']['schedule']['generator'] == {'name': 'constant', 'warmup': 2}
    with pytest.raises(ValueError, match='unknown; there are task.optimizer.discriminator, task.optimizer.generator$'):
        override(settings, ['task.optimizer.wd=1'])


@pytest.mark.parametrize('settings, text, said', [
    (SETTINGS, 'fits.epochs=3', 'fits: unknown; there are fit'),
    (SETTINGS, 'fit.epoch=3', 'fit.epoch: unknown; there are fit.epochs'),
    (SETTINGS, 'task.flip=true', 'task.flip: unknown; there are task.class_names, task.loss, task.name, task.net, '
                                 'task.optimizer'),
    (KEYPOINTS, 'task.flipp=true', 'task.flipp: unknown; there are task.flip'),
    (SETTINGS, 'task.net.grow_rate=3', 'task.net.grow_rate: unknown; there are task.net.growth_rate'),
    (SETTINGS, 'task.optimizer.momentum=1', 'task.optimizer.momentum: unknown; there are task.optimizer.'),   # Adam's
    (SETTINGS, 'fit.schedule.milestones=[1]', 'fit.schedule.milestones: unknown; there are fit.schedule.begin, '),
    (SETTINGS, 'val_data.transform.flip=true', 'val_data.transform.flip: unknown; there are val_data.transform.mean, '),
    (SETTINGS, 'task.loss.weight=3', "task.loss.weight: unknown; task.loss is 'paper'"),
    (SETTINGS, 'task.class_names.0=a', "task.class_names.0: unknown; task.class_names is ['mascot']"),
    (SETTINGS, 'fit.epochs.x.y=3', 'fit.epochs.x: unknown; fit.epochs is 2'),
    ({'task': {'name': 'single_shot_detection'}}, 'task.net.classes=3', 'task.net.classes: unknown; task.net is None'),
    ({'task': {'name': 'detection'}}, 'task.net=3', "unknown task 'detection'; did you mean "),
    ({'task': {'name': 'classification', 'net': {'name': 'ghostnet'}}}, 'task.net.classes=3',
     "unknown model 'ghostnet'; did you mean ghostnet_")])
def test_what_is_unknown(settings, text, said):
    with pytest.raises(ValueError) as raised:
        override(settings, [text])
    assert said in str(raised.value)


VALUES = ['true', '2', '1.5', '"x"', '["x"]', '{"name": "x"}', 'null']


@pytest.mark.parametrize('settings, path, fits, said', [
    (SETTINGS, 'train_data.transform.crop', ['true'], 'true or false, as False is'),
    (SETTINGS, 'train_data.transform.flip', ['true'], 'true or false, as True is'),
    (SETTINGS, 'task.net.partial', ['true'], 'true or false, as False is'),
    (SETTINGS, 'fit.epochs', ['2'], 'a whole number, as 2 is'),
    (SETTINGS, 'engine.accumulate', ['2'], 'a whole number, as 1 is'),
    (PAIRS, 'task.lambda_l1', ['2', '1.5'], 'a whole number, as 100 is'),   # which may mean 100.0
    (SETTINGS, 'task.optimizer.learning_rate', ['2', '1.5'], 'a number, as 0.002 is'),
    (SETTINGS, 'task.optimizer.wd', ['2', '1.5'], 'a number, as 0.0 is'),
    (SETTINGS, 'fit.ema', ['null'], 'a number(, as 0.99 is| from 0 to 1, or an object .*, or null)'),
    (SETTINGS, 'task.net.classes', ['2'], 'a whole number(, as 1 is| from 1 to 1000000)'),
    (SETTINGS, 'task.net.growth_rate', ['2'], 'a whole number(, as 48 is| from 1 to 1000000)'),
    (SETTINGS, 'train_data.transform.expand', ['2', '1.5'], 'a number, as 4.0 is'),
    (SETTINGS, 'fit.schedule.steps', ['2'], 'a whole number(, as 4 is)?'),
    (KEYPOINTS, 'task.max_size', ['2', 'null'], 'a whole number from 1 to 65500, or null'),
    (PAIRS, 'task.pool_size', ['2'], 'a whole number(, as 0 is)?'),
    (SETTINGS, 'engine.clip_norm', ['2', '1.5', 'null'], 'a number'),
    (SETTINGS, 'engine.amp', ['"x"', 'null'], 'a text'), (SETTINGS, 'engine.kvstore', ['"x"', 'null'], 'a text'),
    (SETTINGS, 'task.loss', ['"x"'], "a text, as 'paper' is"),
    (SETTINGS, 'val_data.path', ['"x"'], "a (text, as 'val.rec' is|path)"),
    (SETTINGS, 'engine.devices', ['["x"]'], r'a list, as \[\'cpu\(0\)\'\] is'),
    (SETTINGS, 'task.class_names', ['["x"]'], r'a list, as \[\'mascot\'\] is'),
    (SETTINGS, 'task', ['{"name": "x"}'], 'an object, as {.*} is'),
    (SETTINGS, 'task.net', ['{"name": "x"}'], 'an object, as {.*} is'),
    (SETTINGS, 'fit.schedule', ['{"name": "x"}'], 'an object, as {.*} is'),
    (SETTINGS, 'task.net.weights', VALUES, '')])   # nothing says what it is
@pytest.mark.parametrize('value', VALUES)
def test_types(settings, path, fits, said, value):
    before = copy.deepcopy(settings)
    if value in fits:
        assert at(override(settings, [f'{path}={value}']), path) == parse(f'x={value}')[1]
    else:
        with pytest.raises(ValueError, match=f'^--set: {path}: must be {said}: '):
            override(settings, [f'{path}={value}'])
    assert settings == before


def test_a_number_is_one_as_json_has_it():
    with pytest.raises(ValueError, match=r"^--set: fit.ema: must be a number, as 0.99 is: '\.9'$"):
        override(SETTINGS, ['fit.ema=.9'])
    for value in ('NaN', 'Infinity', '-Infinity'):   # settings.json could not hold them
        with pytest.raises(ValueError, match=f"^--set: fit.ema: must be a number, as 0.99 is: '{value}'$"):
            override(SETTINGS, [f'fit.ema={value}'])


def test_of_several_the_one_that_is_wrong_is_named():
    before = copy.deepcopy(SETTINGS)
    with pytest.raises(ValueError, match='^--set: fit.epoch: unknown'):
        override(SETTINGS, ['task.loss=pikachu', 'fit.epoch=3', 'fit.nothing=3'])
    assert SETTINGS == before
