"""Whatever stands in settings.json, a command does what it says, or fails with one line that names what is wrong.

The settings of the former runs, those in today's form, and those of a run of the CIFAR recipe are changed in every
place: deleted, renamed, put into a list or a dict, replaced by a value of every type, given a key. Of the 3,000 changes
of each, every so many-th is tried.
"""
import copy
import json
import re

import pytest
from run_checks import draw, tiny
from test_former_runs import DRAW, lay_out

from gluonzoo.commands import training
from gluonzoo.commands.main import main
from gluonzoo.commands.resolve import open_run, validation_loader
from gluonzoo.recipes import cifar, wgan_gp, wsdan, yolo3
from gluonzoo.train import CheckpointError
from gluonzoo.train.settings import read_settings

EVERY = 223   # a prime, so that every kind of change meets every kind of place
VALUES = (None, True, 3, -1, 0, 10 ** 9, -10 ** 9, 2.5, 1e300, 10 ** 400, float('nan'), 'x', '', 'a\0b', 'x' * 5000, [],
          ['x'], [1, 2, 3], {}, {'a': 1})
KEYS = ('self', 'name', 'x', '', 'weights', 'partial', 'no_decay', 'transform', 'classes', 'lr_scheduler', 'kwargs')
# Python's and MXNet's own words for what nobody has checked.
RAW = re.compile("NoneType|unexpected keyword|object (is|has|of)|Error:|not supported between|unhashable|Check failed|"
                 'could not convert|must be real number|unpack|Invalid Param|positional|[Ss]egmentation')


def places(settings, path=()):
    """The path of every setting."""
    for key, value in settings.items():
        yield (*path, key)
        if isinstance(value, dict):
            yield from places(value, (*path, key))


def changes(settings):
    """(what is changed, the settings after it)"""
    def changed(path, change):
        copied = copy.deepcopy(settings)
        place = copied
        for key in path[:-1]:
            place = place[key]
        change(place, path[-1])
        return copied

    for path in places(settings):
        yield f'{path} deleted', changed(path, lambda place, key: place.pop(key))
        yield f'{path} in a list', changed(path, lambda place, key: place.update({key: [place[key]]}))
        yield f'{path} in a dict', changed(path, lambda place, key: place.update({key: {'name': place[key]}}))
        yield f'{path} renamed', changed(path, lambda place, key: place.update({f'{key}s': place.pop(key)}))
        for value in VALUES:
            yield f'{path} = {value!r:.30}', changed(path, lambda place, key: place.update({key: value}))   # noqa: B023
        for new in KEYS:
            for value in (1, 'x', [1]):
                yield f'{path} gets {new!r} = {value!r}', changed(
                    path, lambda place, key: isinstance(place[key], dict) and place[key].update({new: value}))  # noqa: B023
    for new in ('self', 'name', 'code'):
        for value in (1, 'x', {}, {'file': 1}, {'file': '../x.py', 'sha256': 'x'}, None):
            yield f'gets {new!r} = {value!r}', {**settings, new: value}
    for value in VALUES:
        yield f'= {value!r:.30}', value


def fault_of(use):
    """What is wrong with the error of a function, if it has one."""
    try:
        use()
    except (ValueError, OSError, CheckpointError) as error:
        said = str(error)
        if '\n' in said or len(said) > 3000 or RAW.search(said):
            return f'{type(error).__name__}: {said}'
    except Exception as error:
        return repr(error)
    return None


class Trains(ValueError):
    """All is made and ready."""


def train_cifar(directory):
    """A run of a recipe that has no former ones, with what it may have besides. So are the next."""
    data, run = draw('cifar10', directory / 'data', '--synthetic', '--train', '10', '--val', '10'), directory / 'run'
    with tiny(cifar):
        assert main(['train', 'cifar', '--small', '--data', str(data), '--run', str(run), '--epochs', '1', '--loss',
                     'ghm_c', '--optimizer', 'sgdw', '--set', 'task.ghm.bins=5', '--set',
                     'task.optimizer.normalized_over=100']) == 0
    return run


def train_yolo3(directory):
    data = draw('pikachu', directory / 'data', '--synthetic', '--train', '4', '--val', '2', '--size', '64')
    run = directory / 'run'
    with tiny(yolo3):
        assert main(['train', 'yolo3', '--small', '--data', str(data), '--run', str(run), '--epochs', '1', '--set',
                     'task.sizes=[32,64]', '--set', 'task.largest_from=1', '--set', 'task.mixup=1.5', '--set',
                     'task.mixup_until=1', '--set', 'task.box_weight=2']) == 0
    return run


def train_wsdan(directory):
    data = draw('cub', directory / 'data', '--synthetic', '--train', '12', '--val', '12', '--size', '64')
    run = directory / 'run'
    with tiny(wsdan):
        assert main(['train', 'wsdan', '--small', '--data', str(data), '--run', str(run), '--epochs', '1', '--size',
                     '32', '--set', 'task.center_weight=0.5', '--set', 'task.normalize_centers=false', '--pooling',
                     'compact']) == 0
    return run


def train_wgan_gp(directory):
    data = draw('faces', directory / 'data', '--synthetic', '--train', '4', '--val', '4', '--size', '32')
    run = directory / 'run'
    with tiny(wgan_gp):
        assert main(['train', 'wgan_gp', '--small', '--data', str(data), '--run', str(run), '--epochs', '1', '--ema',
                     '0.9', '--ema-start', '1', '--set', 'task.clip=0.5']) == 0
    return run


LATER = {'classification': train_cifar, 'generation': train_wgan_gp, 'wsdan': train_wsdan, 'yolo3': train_yolo3}


@pytest.mark.filterwarnings('ignore')
@pytest.mark.parametrize('name', [*sorted(DRAW), *LATER])
def test_damaged_settings(name, tmp_path, monkeypatch):
    run = LATER[name](tmp_path) if name in LATER else lay_out(name, tmp_path)
    file = run / 'settings.json'
    first, today = json.loads(file.read_text()), read_settings(file)

    def use():
        opened = open_run(run, 'last')
        validation_loader(opened.settings)

    def fit(task, loader, run, *, schedule, **keywords):
        raise Trains('ready')

    monkeypatch.setattr('gluonzoo.train.fit', fit)
    with pytest.raises(Trains):   # so that the changes alone can be at fault
        training.run_training(today, tmp_path / 'new')
    assert fault_of(use) is None
    faults = []
    for what, settings in [*list(changes(today))[::EVERY], *list(changes(first))[::EVERY]]:
        file.write_text(json.dumps(settings))
        for use_it in (use, lambda: training.run_training(settings, tmp_path / 'new')):   # noqa: B023
            fault = fault_of(use_it)
            if fault is not None:
                faults.append(f'{what}: {fault}')
    assert not faults, '\n'.join(faults)
