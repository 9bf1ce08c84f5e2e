"""Runs and their checkpoints: what is kept, what is refused, and that a refusal changes nothing."""
import hashlib
import json
import os
import shutil
import signal

import mxnet as mx
import numpy as np
import pytest
import toys
from full_disk import full_disk
from mxnet import gluon

from gluonzoo.files import PARTIAL
from gluonzoo.train import EMA, CheckpointError, Run, storage
from gluonzoo.train.parameters import names_of_parameters, used_networks
from gluonzoo.train.trainer_state import collect

SETTINGS = {'revision': 3,
            'task': {'name': 'toy', 'net': {'name': 'net', 'width': 4}, 'optimizer': {'learning_rate': 0.1}},
            'train_data': {'path': 'a', 'workers': 2}, 'engine': {'devices': ['cpu(0)'], 'accumulate': 1},
            'fit': {'epochs': 3, 'seed': 1}}


def change(settings, key, value):
    """A copy in which 'task.net.width' is another; None leaves it out."""
    settings = json.loads(json.dumps(settings))
    *path, last = key.split('.')
    inner = settings
    for name in path:
        inner = inner[name]
    inner[last] = value
    if value is None:
        del inner[last]
    return settings


@pytest.fixture
def directory(tmp_path):
    return tmp_path / 'runs' / 'toy'


@pytest.fixture(scope='module')
def trained():
    """A task and an average after three steps."""
    task, ema = toys.Forge(), EMA(0.9)
    for step, batch in zip((1, 2, 3), toys.loader(12).epoch(0)):
        task.train_step(batch, step)
        ema.update(used_networks(task), step)
    return task, ema


@pytest.fixture
def saved(directory, trained):
    run = Run.create(directory, SETTINGS)
    run.save(*trained, step=3, epoch=0, batch=3)
    return run


def contents(task, ema=None):
    """All that a checkpoint holds, as bytes."""
    names = names_of_parameters(task.networks)
    found = {f'{name}.{key}': parameter.data().asnumpy().tobytes() if parameter._data is not None else None
             for name, net in task.networks.items() for key, parameter in net._collect_params_with_prefix().items()}
    for name, trainer in task.trainers.items():
        arrays, found[name] = collect(trainer, names)
        found[f'{name} arrays'] = {key: array.tobytes() for key, array in arrays.items()}
    found['state'] = {name: array.tobytes() for name, array in task.state().items()}
    found['ema'] = str(ema and {n: {k: a.asnumpy().tobytes() for k, a in s.items()} for n, s in ema.shadows.items()})
    return found


# -- settings --------------------------------------------------------------------------------------------------------

def test_create_and_open(directory):
    run = Run.create(directory, {**SETTINGS, 'tuple': (1, 2)})
    assert run.directory == directory and run.settings == {**SETTINGS, 'tuple': [1, 2]}
    assert Run.open(str(directory)).settings == run.settings
    assert run.checkpoints() == []
    with pytest.raises(CheckpointError, match=f'{directory}: has no checkpoint yet'):
        run.checkpoint('last')


def test_settings_have_a_revision(directory):
    """Who gives settings need not say of which, and may: of a former one they are not today's."""
    settings = {key: value for key, value in SETTINGS.items() if key != 'revision'}
    assert Run.create(directory, settings).settings == SETTINGS == Run.open(directory).settings
    for same in (settings, SETTINGS):
        Run.create(directory, same, resume=True)
    with pytest.raises(CheckpointError, match='was begun with other settings: revision 3 then, 1 now'):
        Run.create(directory, {**settings, 'revision': 1}, resume=True)


def test_run_of_the_first_revision(directory):
    """It is resumed with today's settings, which are written down then."""
    first = change(SETTINGS, 'task.optimizer', {'name': 'sgd'})
    first['task'].update(network=first['task'].pop('net'), accumulate=1, clip_norm=None, amp=None)
    first['fit'].update(devices=['cpu(0)'], kvstore=None)
    del first['revision'], first['engine']
    directory.mkdir(parents=True)
    (directory / 'settings.json').write_text(json.dumps(first))
    now = change(SETTINGS, 'task.optimizer', {'name': 'sgd'})
    now['engine'] = {'devices': ['gpu(0)'], 'kvstore': None, 'accumulate': 1, 'clip_norm': None, 'amp': None}
    assert Run.open(directory).settings == change(now, 'engine.devices', ['cpu(0)'])
    with pytest.raises(CheckpointError, match='other settings: engine.accumulate 1 then, 2 now$'):
        Run.create(directory, change(now, 'engine.accumulate', 2), resume=True)
    assert json.loads((directory / 'settings.json').read_text()) == first
    Run.create(directory, now, resume=True)
    assert json.loads((directory / 'settings.json').read_text()) == now


# -- the user's own code ---------------------------------------------------------------------------------------------

def with_code(code, file='my_net.py'):
    return {'settings': {**SETTINGS, 'code': {'file': file, 'sha256': hashlib.sha256(code).hexdigest()}}, 'code': code}


def test_code_is_kept(directory):
    """To the byte; and the run can be resumed with it."""
    code = 'width = 4   # \u00e9\r\n'.encode()
    Run.create(directory, **with_code(code))
    assert [path.name for path in (directory / 'code').iterdir()] == ['my_net.py']
    assert (directory / 'code' / 'my_net.py').read_bytes() == code
    assert Run.open(directory).settings['code'] == {'file': 'my_net.py', 'sha256': hashlib.sha256(code).hexdigest()}
    Run.create(directory, **with_code(code), resume=True)
    assert (directory / 'code' / 'my_net.py').read_bytes() == code


def test_other_code(directory):
    """The run keeps what it was begun with."""
    Run.create(directory, **with_code(b'width = 4'))
    with pytest.raises(CheckpointError, match=f'^{directory}: cannot be resumed: my_net.py has changed since the run '
                                              'was begun; the run keeps a copy, code/my_net.py$'):
        Run.create(directory, **with_code(b'width = 5'), resume=True)
    with pytest.raises(CheckpointError, match="was begun with other settings: code.file 'my_net.py' then, 'a.py' now"):
        Run.create(directory, **with_code(b'width = 4', 'a.py'), resume=True)
    with pytest.raises(CheckpointError, match=r": code.file 'my_net.py' then, '\(absent\)' now; code.sha"):
        Run.create(directory, SETTINGS, resume=True)
    assert (directory / 'code' / 'my_net.py').read_bytes() == b'width = 4'
    assert Run.open(directory).settings == with_code(b'width = 4')['settings']


def test_without_code(directory):
    Run.create(directory, SETTINGS)
    assert not (directory / 'code').exists()
    with pytest.raises(CheckpointError, match=r"other settings: code.file '\(absent\)' then, 'my_net.py' now"):
        Run.create(directory, **with_code(b'width = 4'), resume=True)
    assert not (directory / 'code').exists()


def test_open_where_no_run_is(directory):
    for resume in (Run.open, lambda path: Run.create(path, SETTINGS, resume=True)):
        with pytest.raises(CheckpointError, match=f'{directory}: no run here'):
            resume(directory)
    assert not directory.exists()


@pytest.mark.parametrize('content', ['', '{"task": ', '[]'])
def test_open_damaged_settings(directory, content):
    directory.mkdir(parents=True)
    (directory / 'settings.json').write_text(content)
    with pytest.raises(CheckpointError, match=f'{directory}/settings.json: '):
        Run.open(directory)


def test_settings_that_are_not_json(directory):
    with pytest.raises(TypeError, match='not JSON serializable'):
        Run.create(directory, {'ctx': mx.cpu()})
    assert not directory.exists()


def test_a_run_is_not_overwritten(directory, saved):
    before = {path: path.stat().st_mtime_ns for path in directory.rglob('*')}
    with pytest.raises(CheckpointError, match=f'{directory}: has a run already; resume it, or take another'):
        Run.create(directory, SETTINGS)
    assert {path: path.stat().st_mtime_ns for path in directory.rglob('*')} == before


def test_a_run_without_a_checkpoint_is_begun_anew(directory):
    """Something was wrong with it, and has been mended."""
    Run.create(directory, **with_code(b'width = 4'))
    (directory / 'checkpoints' / 'step-00000009.partial').mkdir()
    changed = change(SETTINGS, 'task.net.width', 8)
    Run.create(directory, changed)
    assert Run.open(directory).settings == changed
    assert sorted(path.name for path in directory.iterdir()) == ['checkpoints', 'lock', 'settings.json']
    assert not os.listdir(directory / 'checkpoints')


@pytest.mark.parametrize('key, value, message', [
    ('task.net.width', 8, r'task.net.width 4 then, 8 now$'),
    ('task.net.depth', 3, r"task.net.depth '\(absent\)' then, 3 now$"),
    ('task.net', {}, r"task.net '\(absent\)' then, {} now; task.net.name 'net' then"),
    ('fit.seed', None, r"fit.seed 1 then, '\(absent\)' now$"),
    ('engine.accumulate', 2, r'engine.accumulate 1 then, 2 now$'),
    ('train_data.path', None, r"train_data.path 'a' then"),
])
def test_other_settings_are_named(directory, saved, key, value, message):
    with pytest.raises(CheckpointError, match=f'{directory}: was begun with other settings: {message}'):
        Run.create(directory, change(SETTINGS, key, value), resume=True)
    assert Run.open(directory).settings == SETTINGS


def test_what_may_change(directory):
    Run.create(directory, SETTINGS)
    settings = SETTINGS
    for key, value in (('fit.epochs', 9), ('engine.devices', ['gpu(0)']), ('engine.kvstore', 'dist_sync'),
                       ('train_data.workers', 8)):
        settings = change(settings, key, value)
    Run.create(directory, settings, resume=True)
    assert Run.open(directory).settings == settings


def test_two_trainings_in_one_directory(directory):
    ready, go = os.pipe()
    child = os.fork()
    if not child:
        Run.create(directory, SETTINGS)
        os.write(go, b'x')
        signal.pause()
    try:
        assert os.read(ready, 1) == b'x'
        for resume in (True, False):
            with pytest.raises(CheckpointError, match=f'{directory}: another process is training here'):
                Run.create(directory, SETTINGS, resume=resume)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    for _ in range(2):   # the second time it is our own
        Run.create(directory, SETTINGS, resume=True)


def test_a_directory_that_cannot_be_made(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(CheckpointError, match=f'cannot write {tmp_path}/file/run: .*Not a directory'):
        Run.create(tmp_path / 'file' / 'run', SETTINGS)


def test_leftovers_of_a_kill_are_removed(directory, saved):
    half = directory / 'checkpoints' / 'step-00000009.partial'
    shutil.copytree(saved.checkpoint(), half)
    (half / 'state.json.partial').touch()
    (directory / 'settings.json.partial').touch()
    run = Run.open(directory)
    assert half.exists() and [path.name for path in run.checkpoints()] == ['step-00000003']
    run = Run.create(directory, SETTINGS, resume=True)
    assert sorted(path.name for path in directory.iterdir()) == ['checkpoints', 'lock', 'settings.json']
    assert os.listdir(directory / 'checkpoints') == ['step-00000003']


# -- saving ----------------------------------------------------------------------------------------------------------

def test_restore(saved, trained):
    """Into networks that do not know their shapes yet, and trainers that have not stepped."""
    task, ema = toys.Forge(), EMA(0.9)
    state = saved.restore(task, ema, batches_an_epoch=3)
    assert {key: state[key] for key in ('step', 'epoch', 'batch', 'metrics')} == dict(step=3, epoch=0, batch=3,
                                                                                     metrics=None)
    assert state['trainers']['generator']['optimizer'] == 'Adam'
    assert contents(task, ema) == contents(*trained)
    batch = next(toys.loader(12).epoch(1))
    for other in (task, trained[0]):
        np.random.seed(0)
        mx.random.seed(0)
        other.train_step(batch, 3)
    assert contents(task) == contents(trained[0])


def test_restore_over_another_state(saved, trained):
    task, ema = toys.Forge(), EMA(0.9)
    for step, batch in enumerate(toys.loader(12, seed=8).epoch(0), 1):
        task.train_step(batch, step)
        ema.update(used_networks(task), step)
    saved.restore(task, ema, batches_an_epoch=3)
    again = Run(saved.directory.parent / 'again', {})
    (again.directory / 'checkpoints').mkdir(parents=True)
    again.save(task, ema, step=3, epoch=0, batch=3)
    for file in saved.checkpoint().iterdir():
        assert file.read_bytes() == (again.checkpoint() / file.name).read_bytes()


def test_before_the_first_checkpoint(directory):
    task = toys.Forge()
    assert Run.create(directory, SETTINGS).restore(task, batches_an_epoch=3) is None


def test_what_is_kept(directory, trained):
    """The last two and the best, by the task's main metric; a NaN is never best, and of equals the first."""
    task, _ = trained
    run = Run.create(directory, SETTINGS)
    kept = []
    for epoch, value in enumerate([0.1, float('nan'), 0.5, 0.5, 0.3, None, 0.2, 0.7, 0.6, 0.1], 1):
        metrics = None if value is None else {'likeness': value, 'other': 9.0}
        run.save(task, step=3 * epoch, epoch=epoch, batch=0, metrics=metrics)
        kept.append((run.checkpoint('best').name[-2:], [int(path.name[-8:]) // 3 for path in run.checkpoints()]))
    assert kept == [('03', [1]), ('03', [1, 2]), ('09', [2, 3]), ('09', [3, 4]), ('09', [3, 4, 5]), ('09', [3, 5, 6]),
                    ('09', [3, 6, 7]), ('24', [7, 8]), ('24', [8, 9]), ('24', [8, 9, 10])]
    assert run.checkpoint('last') == run.checkpoints()[-1]
    with pytest.raises(ValueError, match="which: must be 'last' or 'best': 'first'"):
        run.checkpoint('first')


@pytest.mark.parametrize('direction, values, best', [
    ('max', [0.1, 0.5, 0.5, 0.3], 2),
    ('min', [0.9, 0.5, 0.5, 0.7], 2),   # of equals the first
    ('min', [0.9, -3.0, 0.1], 2),
    ('min', [float('nan'), 0.5, float('nan')], 2),
    ('max', [float('nan'), 0.5, float('nan')], 2),
    ('max', [float('-inf'), -9.0, float('-inf')], 2),
    ('min', [float('inf'), 9.0, float('inf')], 2),
    ('min', [1.0, float('-inf'), 0.0], 2),   # not finite, and yet the best there is
    ('max', [1.0, float('inf'), 2.0], 2),
    ('min', [None, 0.5, None, 0.6], 2),
    ('min', [float('nan'), float('inf')], None),
    ('max', [float('nan'), float('-inf')], None),   # nothing was best: the last is used
])
def test_best_by_direction(directory, monkeypatch, trained, direction, values, best):
    task, _ = trained
    monkeypatch.setattr(task, 'main_metric', ('distance', direction))
    run = Run.create(directory, SETTINGS)
    for epoch, value in enumerate(values, 1):
        metrics = {'other': 9.0, **({} if value is None else {'distance': value})}
        run.save(task, step=3 * epoch, epoch=epoch, batch=0, metrics=metrics)
    assert run.checkpoint('best').name == f'step-{3 * (best or len(values)):08d}'
    assert Run.open(directory).checkpoint('best') == run.checkpoint('best')


def test_a_direction_that_is_none(directory, monkeypatch, trained):
    task, _ = trained
    monkeypatch.setattr(task, 'main_metric', ('distance', 'less'))
    with pytest.raises(ValueError, match=r"main_metric: must be a name with 'max' or 'min': \('distance', 'less'\)"):
        Run.create(directory, SETTINGS).save(task, step=3, epoch=1, batch=0, metrics={'distance': 1.0})


def test_without_a_metric_the_best_is_the_last(directory, trained):
    run = Run.create(directory, SETTINGS)
    for epoch in (1, 2):
        run.save(trained[0], step=3 * epoch, epoch=epoch, batch=0, metrics={'data_wait': 0.5})
    assert run.checkpoint('best') == run.checkpoint('last')


def test_a_step_that_is_evaluated_later(saved, trained):
    """Only its state is written anew."""
    before = {path.name: path.stat().st_mtime_ns for path in saved.checkpoint().iterdir()}
    saved.save(*trained, step=3, epoch=1, batch=0, metrics={'likeness': 0.5})
    after = {path.name: path.stat().st_mtime_ns for path in saved.checkpoint().iterdir()}
    assert {name for name in after if after[name] != before[name]} == {'state.json'}
    state = saved.restore(toys.Forge(), EMA(0.9), batches_an_epoch=3)
    assert (state['epoch'], state['batch'], state['best']) == (1, 0, {'step': 3, 'value': 0.5})


def test_files_of_others_stay(tmp_path):
    """Where there was no run, what looks like a file half-written is not ours."""
    (tmp_path / 'other').mkdir()
    (tmp_path / 'other' / f'film{PARTIAL}').write_text('half of it')
    Run.create(tmp_path, {})
    assert (tmp_path / 'other' / f'film{PARTIAL}').exists()


@pytest.mark.parametrize('size', [0, 200, 1500])
def test_full_disk(saved, trained, size):
    """The former checkpoint stays whole. (0: of all files; others: of the larger ones.)"""
    with full_disk(size), pytest.raises(CheckpointError, match='checkpoint of step 6 not written; the last one is '
                                        f'{saved.checkpoint()}: cannot write .*File too large'):
        saved.save(*trained, step=6, epoch=2, batch=0, metrics={'likeness': 1.0})
    assert os.listdir(saved.directory / 'checkpoints') == ['step-00000003']
    saved.restore(toys.Forge(), EMA(0.9), batches_an_epoch=3)
    saved.save(*trained, step=6, epoch=2, batch=0)


def test_network_without_an_input(saved):
    with pytest.raises(CheckpointError, match="network 'generator' has not seen an input yet: Parameter .*_weight"):
        saved.save(toys.Forge(), step=6, epoch=2, batch=0)
    assert len(saved.checkpoints()) == 1


def test_weights_that_are_not_finite(saved, trained):
    task = toys.Forge()
    saved.restore(task, batches_an_epoch=3, ema=EMA(0.9))
    task.networks['discriminator'][2].weight.data()[0, 0] = np.inf
    with pytest.raises(CheckpointError, match="network 'discriminator': 2.weight has values that are not finite"):
        saved.save(task, step=6, epoch=2, batch=0)
    assert len(saved.checkpoints()) == 1


# -- use -------------------------------------------------------------------------------------------------------------

def test_load_networks(directory, trained):
    """The best, and the averaged weights; only what is used; the trainers stay as they are."""
    task, ema = trained
    run = Run.create(directory, SETTINGS)
    run.save(task, ema, step=3, epoch=1, batch=0, metrics={'likeness': 2.0})
    averaged = {name: {key: shadow.asnumpy() for key, shadow in of_net.items()} for name, of_net in ema.shadows.items()}
    assert list(averaged) == ['generator']
    for step in (6, 9):
        for net in ema.shadows.values():
            for shadow in net.values():
                shadow += 1
        run.save(task, ema, step=step, epoch=step // 3, batch=0, metrics={'likeness': 1.0})
    for which, step, more in (('best', 3, 0), ('last', 9, 2)):
        other = toys.Forge()
        judge = contents(other)['discriminator.0.weight']
        assert Run.open(directory).load_networks(other, which).name == f'step-{step:08d}'
        for key, parameter in other.networks['generator']._collect_params_with_prefix().items():
            assert np.allclose(parameter.data().asnumpy(), averaged['generator'][key] + more, atol=1e-6)
        assert contents(other)['discriminator.0.weight'] == judge
        assert other.trainers['generator']._updaters[0].states == {}
    for name, net in ema.shadows.items():   # as the other tests have them
        for key, shadow in net.items():
            shadow[:] = mx.nd.array(averaged[name][key])


def test_load_networks_without_an_average(directory, trained):
    task, _ = trained
    run = Run.create(directory, SETTINGS)
    run.save(task, step=3, epoch=1, batch=0)
    other = toys.Forge()
    run.load_networks(other)
    assert np.array_equal(other.networks['generator'][0].weight.data().asnumpy(),
                          task.networks['generator'][0].weight.data().asnumpy())


def test_load_networks_without_those_that_are_not_used(saved, trained):
    """A task that is made to predict has none."""
    other, (_, ema) = toys.Forge(), trained
    del other.networks['discriminator']
    saved.load_networks(other)
    for key, parameter in other.networks['generator']._collect_params_with_prefix().items():
        assert np.array_equal(parameter.data().asnumpy(), ema.shadows['generator'][key].asnumpy())


def test_checkpoint_with_averages_of_all_networks(saved, trained):
    """As they were once: the one that is no longer used is left, and all else is there. None may be missing."""
    task, ema = trained
    path = saved.checkpoint()
    shutil.copy(path / 'discriminator.safetensors', path / 'ema-discriminator.safetensors')
    digest = hashlib.sha256((path / 'discriminator.safetensors').read_bytes()).hexdigest()
    reseal(path, lambda state: state['files'].update({'ema-discriminator.safetensors': digest}))
    other, other_ema = toys.Forge(), EMA(0.9)
    assert saved.restore(other, other_ema, batches_an_epoch=3)['step'] == 3
    assert contents(other, other_ema) == contents(task, ema)
    saved.save(other, other_ema, step=6, epoch=2, batch=0)
    assert not (saved.checkpoint() / 'ema-discriminator.safetensors').exists()
    with pytest.raises(CheckpointError, match='another task: ema-discriminator.safetensors, ema-generator.safetensors'):
        reseal(saved.checkpoint(), lambda state: state['files'].update({'ema-discriminator.safetensors': digest}))
        saved.restore(toys.Forge(), batches_an_epoch=3)


# -- what is refused -------------------------------------------------------------------------------------------------

def spoil(path, file, value):
    """Gives the first number of the first array of a file another value, and signs the file anew. -> array's name"""
    arrays = storage.read_arrays(path / file, hashlib.sha256((path / file).read_bytes()).hexdigest())
    name = sorted(arrays)[0]
    arrays[name] = arrays[name].copy()
    arrays[name].flat[0] = value
    storage.write_arrays(path / file, arrays)
    digest = hashlib.sha256((path / file).read_bytes()).hexdigest()
    reseal(path, lambda state: state['files'].update({file: digest}))
    return name


@pytest.mark.parametrize('file', ['generator.safetensors', 'discriminator.safetensors', 'ema-generator.safetensors',
                                  'trainer-generator.safetensors', 'trainer-discriminator.safetensors'])
@pytest.mark.parametrize('value', [np.nan, -np.inf])
def test_numbers_that_are_not_finite(saved, file, value):
    """In files whose hashes are right: refused by name, and nothing is changed; or loaded, if that is asked for."""
    name = spoil(saved.checkpoint(), file, value)
    task, ema = toys.Forge(), EMA(0.9)
    before = contents(task, ema)
    path = saved.checkpoint() / file
    said = f'^{path}: has numbers that are not finite: {name} .--allow-not-finite takes them.$'
    with pytest.raises(CheckpointError, match=said):
        saved.restore(task, ema, batches_an_epoch=3)
    assert contents(task, ema) == before
    if file == 'ema-generator.safetensors':
        with pytest.raises(CheckpointError, match=said):
            saved.load_networks(task)
        assert contents(task, ema) == before
    saved.finite = False
    saved.restore(task, ema, batches_an_epoch=3)
    assert contents(task, ema) != before


def test_only_what_is_used_must_be_finite(saved):
    """The state of a trainer does not matter to a prediction."""
    spoil(saved.checkpoint(), 'trainer-generator.safetensors', np.nan)
    saved.load_networks(toys.Forge())


def test_bfloat16_that_is_not_finite(tmp_path):
    """1 and the greatest number are finite; infinity and NaN are not."""
    kind = np.dtype([('bfloat16', np.uint16)])
    for bits, finite in ((0x3f80, True), (0x7f7f, True), (0x7f80, False), (0xff80, False), (0x7fc0, False)):
        arrays = {'ok': np.zeros(2, 'f4'), 'counts': np.ones(2, int), 'x': np.array([0, bits], 'u2').view(kind)}
        if finite:
            storage.require_finite(arrays, tmp_path)
        else:
            with pytest.raises(CheckpointError, match='not finite: x '):
                storage.require_finite(arrays, tmp_path)
    with pytest.raises(CheckpointError, match='not finite: 0, 1, 2, 3, 4 and 2 more'):
        storage.require_finite({str(i): np.full(1, np.nan) for i in range(7)}, tmp_path)


def reseal(path, change_state):
    """Changes state.json such that its own SHA-256 is right."""
    state = json.loads((path / 'state.json').read_text())['state']
    change_state(state)
    content = json.dumps(state, indent=2)
    digest = hashlib.sha256(content.encode()).hexdigest()
    (path / 'state.json').write_text(json.dumps({'sha256': digest, 'state': state}))


def cut(name, size=-1):
    return lambda path: (path / name).write_bytes((path / name).read_bytes()[:size])


def flip(name):
    def damage(path):
        content = bytearray((path / name).read_bytes())
        content[-20] ^= 1
        (path / name).write_bytes(content)
    return damage


DAMAGES = [
    (cut('generator.safetensors'), 'generator.safetensors: damaged or exchanged'),
    (cut('generator.safetensors', 0), 'generator.safetensors: damaged or exchanged .0 bytes.'),
    (flip('ema-generator.safetensors'), 'ema-generator.safetensors: damaged or exchanged'),
    (lambda path: reseal(path, lambda state: state['files'].pop('ema-generator.safetensors')),
     'made from another task: ema-generator.safetensors in'),
    (flip('trainer-generator.safetensors'), 'trainer-generator.safetensors: damaged or exchanged'),
    (flip('task.safetensors'), 'task.safetensors: damaged or exchanged'),
    (lambda path: shutil.copy(path / 'generator.safetensors', path / 'discriminator.safetensors'), 'damaged or'),
    (lambda path: (path / 'generator.safetensors').unlink(), 'cannot read .*generator.safetensors: No such file'),
    (cut('state.json', 500), 'state.json: not JSON, or cut short'),
    (lambda path: (path / 'state.json').unlink(), 'cannot read .*state.json: No such file'),
    (lambda path: (path / 'state.json').write_text('{}'), "state.json: not the state of a .*: KeyError: 'state'"),
    (lambda path: (path / 'state.json').write_text('[]'), 'state.json: not the state of a checkpoint: TypeError'),
    (lambda path: (path / 'state.json').write_text((path / 'state.json').read_text().replace('"step": 3', '"step": 4')),
     'state.json: damaged: its SHA-256'),
    (lambda path: reseal(path, lambda state: state.pop('trainers')), "not the state of a .*: KeyError: 'trainers'"),
    (lambda path: reseal(path, lambda state: state.update(epoch='0')), "not the state .*whole numbers: .3, '0', 3"),
    (lambda path: reseal(path, lambda state: state.update(best={'step': None})), 'not the state .*whole numbers'),
    (lambda path: reseal(path, lambda state: state.update(files=3)), 'not the state of a checkpoint: TypeError'),
    (lambda path: reseal(path, lambda state: state['trainers'].pop('generator')), 'trainer-generator.*not the state'),
    (lambda path: reseal(path, lambda state: state['files'].update({'../x': ''})), 'made from another task: ../x'),
    (lambda path: reseal(path, lambda state: state['files'].pop('task.safetensors')), 'another task: task.safetensors'),
]


@pytest.mark.parametrize('damage, message', DAMAGES)
def test_damaged_checkpoint(saved, damage, message):
    damage(saved.checkpoint())
    task, ema = toys.Forge(), EMA(0.9)
    before = contents(task, ema)
    with pytest.raises(CheckpointError, match=message) as caught:
        saved.restore(task, ema, batches_an_epoch=3)
    assert contents(task, ema) == before and '\n' not in str(caught.value)


def dense(*units):
    net = gluon.nn.HybridSequential()
    for size in units:
        net.add(gluon.nn.Dense(size))
    net.initialize()
    return net


def test_checkpoint_of_something_else(saved):
    """Whatever differs: one line that names it, and nothing changed."""
    def refuse(change, message, ema=None):
        task, ema = toys.Forge(), EMA(0.9) if ema is None else ema
        change(task)
        before = contents(task)
        with pytest.raises(CheckpointError, match=message) as caught:
            saved.restore(task, ema, batches_an_epoch=3)
        assert contents(task) == before and '\n' not in str(caught.value)

    def net(name, replacement):
        return lambda task: task.networks.update({name: replacement})

    def gone(task):
        del task.networks['discriminator']

    def known(task):
        task.networks['discriminator'](mx.nd.zeros((1, 9)))

    def pool(task):
        task.pool = np.zeros((5, 36), 'float32')

    def cast(task):
        task.networks['discriminator'].cast('float16')

    refuse(net('third', dense(1)), 'another task: third.safetensors in one of the two only')
    refuse(gone, 'another task: discriminator.safetensors in one')
    refuse(lambda task: setattr(task, 'used', ('generator', 'discriminator')),
           'another task: ema-discriminator.safetensors in one')
    refuse(net('generator', dense(8, 36)), "generator.safetensors: '1.beta' is in the file alone")
    refuse(net('discriminator', dense(8, 8, 1)), "discriminator.safetensors: '1.bias' is in the network alone")
    refuse(net('discriminator', gluon.nn.Dense(1)), "discriminator.safetensors: '0.bias' is in the file alone")
    refuse(known, r"'0.weight': shape \(8, 36\) in the file, \(8, 9\) in the network")
    refuse(cast, "'0.weight': dtype float32 in the file, float16 in the network")
    refuse(pool, r'task.safetensors: pool of shape \(5, 36\) expected')
    refuse(lambda task: None, 'another task: ema-generator.safetensors in', ema=False)
    task = toys.Forge()
    with pytest.raises(CheckpointError, match='batch 3 of epoch 0, which is not after step 3 with the 2 batches'):
        saved.restore(task, EMA(0.9), batches_an_epoch=2)


def test_load_networks_of_something_else(saved):
    for name, net, message in (('third', dense(1), "has no network 'third'"),
                               ('generator', dense(8, 36), "'1.beta' is in the file alone"),
                               ('generator', gluon.nn.Dense(8), 'is in the file alone')):
        task = toys.Forge()
        task.networks[name] = net
        task.used = tuple(task.networks)
        before = contents(task)
        with pytest.raises(CheckpointError, match=message):
            saved.load_networks(task)
        assert contents(task) == before


def test_network_that_is_not_initialized(saved):
    task = toys.Forge()
    task.used = ('discriminator',)
    task.networks['discriminator'] = gluon.nn.HybridSequential()
    task.networks['discriminator'].add(gluon.nn.Dense(8), gluon.nn.LeakyReLU(0.2), gluon.nn.Dense(1))
    with pytest.raises(CheckpointError, match='the network is not initialized'):
        saved.load_networks(task)


# -- files and names -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('umask', [0o022, 0o077, 0o002])
def test_files_have_the_modes_that_the_umask_leaves(directory, trained, umask):
    """All the same, so that who may read a run may read all of it."""
    before = os.umask(umask)
    try:
        Run.create(directory, SETTINGS).save(*trained, step=3, epoch=0, batch=3)
    finally:
        os.umask(before)
    files = [path for path in directory.rglob('*') if path.is_file()]
    assert len(files) > 5
    assert {path.name: path.stat().st_mode & 0o777 for path in files} == {path.name: 0o666 & ~umask for path in files}


@pytest.mark.parametrize('name', ['step-00000099', 'step-00000001', 'step-000000003'])
def test_a_copied_checkpoint_is_no_other(saved, trained, name):
    """It would be the last one, or the best one, whatever is trained."""
    task, ema = trained
    path = saved.checkpoint()
    shutil.copytree(path, path.with_name(name))
    said = f'{name}: is a copy of step-00000003 under another name: a checkpoint must be called by its step'
    if saved.checkpoint().name == name:   # the last one
        with pytest.raises(CheckpointError, match=said):
            saved.restore(task, ema, batches_an_epoch=3)
        with pytest.raises(CheckpointError, match=said):
            saved.load_networks(task, 'last')
        with pytest.raises(CheckpointError, match=said):
            saved.save(task, ema, step=6, epoch=1, batch=3)
        shutil.rmtree(path.with_name(name))
    assert saved.restore(task, ema, batches_an_epoch=3)['step'] == 3


@pytest.mark.parametrize('name', ['state.json', 'net.safetensors'])
@pytest.mark.parametrize('kind', ['pipe', 'device', 'folder'])
def test_what_is_no_ordinary_file_is_not_waited_for(saved, trained, name, kind):
    path = next(saved.checkpoint().glob(name if name == 'state.json' else '*.safetensors'))
    path.unlink()
    {'pipe': os.mkfifo, 'folder': os.mkdir, 'device': lambda path: os.symlink('/dev/zero', path)}[kind](path)
    with pytest.raises(CheckpointError, match=f'{path.name}: is a {kind}; must be an ordinary file'):
        saved.restore(*trained, batches_an_epoch=3)


def test_settings_that_are_no_ordinary_file(saved):
    path = saved.directory / 'settings.json'
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(CheckpointError, match=r'settings.json: is a pipe; must be an ordinary file'):
        Run.open(saved.directory)


@pytest.mark.parametrize('depth', [400, 10 ** 5])
def test_json_that_is_nested_deeply(saved, trained, depth):
    for path in (saved.checkpoint() / 'state.json', saved.directory / 'settings.json'):
        path.write_text('{"state": ' + depth * '[' + depth * ']' + ', "sha256": ""}')
    with pytest.raises(CheckpointError, match=r'state.json: '):
        saved.restore(*trained, batches_an_epoch=3)
    if depth > 1000:
        with pytest.raises(CheckpointError, match=r'settings.json: not JSON that can be used: nested too deeply'):
            Run.open(saved.directory)


def test_a_file_beyond_all_memory(saved, trained):
    """Sparse, so it takes no room."""
    path = next(saved.checkpoint().glob('*.safetensors'))
    os.truncate(path, 1 << 42)
    with pytest.raises(CheckpointError, match=rf'cannot read {path}: it has {1 << 42} bytes, more than there is mem'):
        saved.restore(*trained, batches_an_epoch=3)
