"""gluonzoo train: what is refused before anything is written, and where weights come from.

(Whole trainings: unittests/recipes.)
"""
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest
import safetensors.numpy
from run_checks import check_error_is_one_line, draw, error_of, save_noise, scalars, tiny

import gluonzoo
from gluonzoo.commands.from_arguments import make_settings
from gluonzoo.commands.main import main
from gluonzoo.commands.resolve import make_task
from gluonzoo.commands.train import parse, recipe
from gluonzoo.commands.training import run_training
from gluonzoo.data import Loader, write_records
from gluonzoo.recipes import NAMES, dsod, pix2pix
from gluonzoo.registry import DATASETS
from gluonzoo.train import Run, checkpoint_files, storage
from gluonzoo.train.engine import Engine
from gluonzoo.train.parameters import named_parameters


@pytest.fixture(autouse=True)
def small():
    with tiny(dsod), tiny(pix2pix):
        yield


@pytest.fixture(scope='module')
def pairs(tmp_path_factory):
    return draw('pairs', tmp_path_factory.mktemp('data') / 'pairs', '--train', '5', '--val', '3', '--size', '64')


def words_of(recipe, data, run, *more):
    return ['train', recipe, '--data', str(data), '--run', str(run), '--small', *more]


# -- what is refused before anything is written ----------------------------------------------------------------------

@pytest.mark.parametrize('options, said', [
    (['--batch-size', '8', '--accumulate', '3'], '--batch-size: must be a multiple of rounds x devices x machines, 3: '
                                                 '8'),
    (['--set', 'engine.devices=["cpu(0)","cpu(1)","cpu(2)"]'], 'must be a multiple of rounds x devices x machines, 3'),
    (['--ema', '1.5'], 'fit.ema: must be a number from 0 to 1, or an object with'),
    (['--amp', 'float16'], '--amp: MXNet has no float16 matrix product on a CPU; bfloat16 it has'),
    (['--kvstore', 'dist_sync'], 'python -m gluonzoo.train.launch'),
    (['--set', 'engine.accumulate=0'], 'engine.accumulate: must be a whole number, at least 1: 0'),
    (['--clip-norm', '0'], 'clip_norm: must be above 0, or None: 0.0'),
    (['--devices', 'gpu:99'], '--devices: gpu(99) is not there: MXNet finds '),
    (['--set', 'engine.devices=["tpu"]'], "--devices: must be like 'cpu(0)' or 'gpu(1)': 'tpu'"),
    (['--set', 'engine.devices=["cpu(0)","cpu(0)"]'], 'ctx: must be one or more devices, each once'),
    (['--set', 'engine.amp=half'], "amp: must be None, 'float16' or 'bfloat16': 'half'"),
    (['--set', 'engine.kvstore=dist'], "kvstore: must be None, 'local', 'device', 'dist_sync' or "),
    (['--set', 'fit.seed=-1'], 'fit.seed: must be a whole number from 0 to 2147483647: -1'),
    (['--set', 'fit.workers=0'], 'fit.workers: must be a whole number from 1 to 1000: 0'),
    (['--batch-size', '10'], 'batch_size: 10 elements in each of 1 part(s) are more than the 9 of the dataset'),
    (['--set', 'task.loss=papers'], "loss: must be one of 'paper', 'pikachu': 'papers'"),
    (['--set', 'task.optimizer.name=sdg'], "unknown optimizer 'sdg'; did you mean sgd"),
    (['--set', 'task.optimizer.no_decay=["betas"]'], "optimizer: no_decay: 'betas' matches no parameter"),
    (['--set', 'task.net.classes=2'], 'class_names'),
    (['--set', 'task.class_names=["a"]'], "train.rec: has the classes ['mascot'], not ['a']"),
    (['--set', 'val_data.path=/none.rec'], '/none.'), (['--set', 'train_data.path=/none.rec'], '/none.'),
    (['--resume'], ': no run here: it has no settings.json'),
    (['--weights', '/none.safetensors'], '/none.safetensors: No such file'),
    (['--weights', '{data}/train.rec'], 'train.rec: not a weight file of ours'),
    (['--weights', 'nets=x'], 'nets=x: No such file'),
    (['--weights', 'a', '--weights', 'net=b'], '--weights: net has two: '),
])
def test_what_leaves_nothing(pikachu, tmp_path, capsys, options, said):
    run = tmp_path / 'run'
    error = error_of(words_of('dsod', pikachu, run, *(option.format(data=pikachu) for option in options)), capsys)
    assert error.startswith('gluonzoo train: ') and said in error and 'Traceback' not in error
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('what, said', [
    ('dsot', "recipe: unknown 'dsot'; there are dsod, or a file of your own (my_net.py)"),
    ('resnet', "recipe: unknown 'resnet'; there are ")])
def test_recipes_that_are_not_there(what, said, capsys):
    check_error_is_one_line(['train', what, '--data', 'x'], f'gluonzoo train: {said}', capsys)


@pytest.mark.parametrize('words, said', [
    (['dsod'], 'the following arguments are required: --data'),
    (['dsod', '--data', 'x', '--epochs', 'x'], 'argument --epochs: '),
    (['dsod', '--data', 'x', '--epochs', '0'], 'argument --epochs: must be at least 1: 0'),
    (['dsod', '--data', 'x', '--devices', 'tpu'], 'must be like cpu, gpu:0 or gpu:0,gpu:1'),
    (['dsod', '--data', 'x', '--partial'], '--partial: only with --weights'),
    (['dsod', '--data', 'x', '--direction', 'AtoB'], 'unrecognized arguments: --direction AtoB'),
    (['dsod', '--data', 'x', '--kvstore', 'dist_async'], "invalid choice: 'dist_async'"),
    (['dsod', '--data', 'x', '--smal'], 'unrecognized arguments: --smal'),
    (['pix2pix', '--data', 'x', '--lambda-l1', '-1'], 'must be at least 0: -1'), ([], 'required: RECIPE|FILE.py')])
def test_arguments(words, said, capsys):
    with pytest.raises(SystemExit) as ended:
        main(['train', *words])
    error = capsys.readouterr().err
    assert ended.value.code == 2 and said in error
    assert f'usage: gluonzoo train {words[0] if words else "RECIPE"}' in error


def test_help(capsys):
    """Of the command, and of a recipe: its docstring, its data and its own arguments."""
    for words, said in ((['train', '--help'], ['usage: gluonzoo train RECIPE|FILE.py ...', ', '.join(NAMES)]),
                        (['train', 'pix2pix', '--help'], ['usage: gluonzoo train pix2pix [-h]', pix2pix.__doc__,
                                                          'folder with pairs', 'of pix2pix:', '--direction', '--resume',
                                                          '--weights'])):
        with pytest.raises(SystemExit) as ended:
            main(words)
        out = ' '.join(capsys.readouterr().out.split())   # lines are as long as the terminal is wide
        assert ended.value.code == 0 and all(' '.join(each.split()) in out for each in said)


def test_wrong_arguments_are_answered_at_once():
    """Before MXNet, or anything else that is heavy, is imported."""
    package = Path(gluonzoo.__file__).parent
    program = f'''
import sys, types
sys.modules['gluonzoo'] = types.ModuleType('gluonzoo')
sys.modules['gluonzoo'].__path__ = [{str(package)!r}]
from gluonzoo.commands.main import main
for words in (['dsod', '--data', 'x', '--epochs', 'x'], ['dsod', '--help'], ['centernet'], ['--help']):
    try:
        main(['train', *words])
    except SystemExit as ended:
        assert ended.code == (0 if '--help' in words else 2), words
    else:
        assert False, words
assert main(['train', 'dsot']) == 1
heavy = 'mxnet', 'gluoncv', 'numpy', 'cv2', 'PIL', 'tqdm', 'requests'
found = [name for name in sys.modules if name.startswith(heavy)]
assert not found, found
'''
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# -- weights to start from -------------------------------------------------------------------------------------------

@pytest.fixture(scope='module')
def weights(detector):
    """Those of the detector after its training."""
    return detector / 'checkpoints' / 'step-00000004' / 'net.safetensors'


def first_loss(run):
    step, name, value = next(row for row in scalars(run) if row[1] == 'loss')
    assert step == 1
    return value


def loss_with(settings, weights):
    """The loss of the first batch of a network with these weights."""
    task = make_task(settings)
    task.start_training(Engine())
    arrays = safetensors.numpy.load_file(weights)
    for name, parameter in named_parameters(task.networks['net']).items():
        parameter.set_data(mx.nd.array(arrays[name]))
    loader = Loader(DATASETS.create(**settings['train_data']), settings['fit']['batch_size'], shuffle=True, seed=0,
                    workers=1)
    return task.train_step(next(loader.epoch(0)), 0)['loss'].asscalar()


def test_training_starts_from_weights(pikachu, detector, weights, tmp_path):
    run = tmp_path / 'run'
    assert main(words_of('dsod', pikachu, run, '--epochs', '1', '--weights', str(weights))) == 0
    settings = Run.open(run).settings
    assert settings['task']['net']['weights'] == str(weights) and 'partial' not in settings['task']['net']
    assert first_loss(run) == pytest.approx(loss_with(settings, weights), rel=1e-6)
    assert first_loss(run) != first_loss(detector)


def test_weights_are_found_from_anywhere(pikachu, weights, monkeypatch):
    monkeypatch.chdir(weights.parent)
    args = parse('dsod', ['--data', str(pikachu), '--small', '--weights', 'net=net.safetensors'])
    assert make_settings(args)['task']['net']['weights'] == str(weights)
    args = parse('dsod', ['--data', str(pikachu), '--small', '--set', f'task.net.weights={weights}'])
    assert make_settings(args)['task']['net']['weights'] == str(weights)


def test_resuming_does_not_load_them_again(pikachu, weights, tmp_path):
    """They need not be there any more, and the training goes on as without a break."""
    copy = shutil.copy(weights, tmp_path / 'net.safetensors')
    runs = [tmp_path / name for name in ('whole', 'broken')]
    words = ['--weights', str(copy)]
    assert main(words_of('dsod', pikachu, runs[0], *words)) == 0
    shutil.copytree(runs[0], runs[1])
    shutil.rmtree(runs[1] / 'checkpoints' / 'step-00000004')
    copy.unlink()
    assert main(words_of('dsod', pikachu, runs[1], *words, '--resume')) == 0
    assert scalars(runs[0]) == scalars(runs[1])


def test_a_run_whose_adam_is_mxnets(pikachu, tmp_path, capsys):
    """As settings of revision 2 say it. The command wants the name; then all goes on as without a break."""
    runs = [tmp_path / name for name in ('whole', 'broken')]
    mxnets = ['--set', 'task.optimizer.name=mxnet_adam']
    assert main(words_of('dsod', pikachu, runs[0], *mxnets)) == 0
    assert main(words_of('dsod', pikachu, tmp_path / 'published')) == 0
    assert scalars(runs[0]) != scalars(tmp_path / 'published')
    shutil.copytree(runs[0], runs[1])
    shutil.rmtree(runs[1] / 'checkpoints' / 'step-00000004')
    settings = json.loads((runs[1] / 'settings.json').read_text())
    settings['revision'], settings['task']['optimizer']['name'] = 2, 'adam'
    (runs[1] / 'settings.json').write_text(json.dumps(settings))
    check_error_is_one_line(
        words_of('dsod', pikachu, runs[1], '--resume'), f'gluonzoo train: {runs[1]}: was begun with other settings: '
        "task.optimizer.name 'mxnet_adam' then, 'adam' now (--set task.optimizer.name=mxnet_adam goes on", capsys)
    shutil.copytree(runs[1], tmp_path / 'again')
    assert main(words_of('dsod', pikachu, runs[1], *mxnets, '--resume')) == 0
    assert scalars(runs[0]) == scalars(runs[1])
    run_training(settings, tmp_path / 'again', resume=True)   # as read from the file
    assert scalars(runs[0]) == scalars(tmp_path / 'again')


def test_a_run_that_broke_off_before_its_first_checkpoint(pikachu, weights, tmp_path):
    """It begins again, from the weights."""
    runs = [tmp_path / name for name in ('whole', 'broken')]
    words = ['--weights', str(weights), '--epochs', '1']
    assert main(words_of('dsod', pikachu, runs[0], *words)) == 0
    (runs[1] / 'checkpoints').mkdir(parents=True)
    shutil.copy(runs[0] / 'settings.json', runs[1])
    assert main(words_of('dsod', pikachu, runs[1], *words, '--resume')) == 0
    assert scalars(runs[0]) == scalars(runs[1])


def test_weights_that_are_not_finite(pikachu, weights, tmp_path, capsys):
    """In files whose hashes are right: named and refused, when a training starts, goes on or is used; or asked for."""
    arrays = safetensors.numpy.load_file(weights)
    name = sorted(arrays)[0]
    arrays[name].flat[0] = np.nan
    safetensors.numpy.save_file(arrays, tmp_path / 'nan.safetensors')
    words = words_of('dsod', pikachu, tmp_path / 'new', '--weights', str(tmp_path / 'nan.safetensors'))
    assert f'{name!r}: has values that are not finite (--allow-not-finite takes them)' in error_of(words, capsys)
    assert not (tmp_path / 'new').exists()
    run = shutil.copytree(weights.parents[2], tmp_path / 'run')
    damage(run / 'checkpoints' / 'step-00000004', 'net.safetensors')
    damage(run / 'checkpoints' / Run.open(run).checkpoint('best').name, 'net.safetensors')
    save_noise(tmp_path / 'photos', {'a.png': (40, 60, 3)})
    used = [['evaluate', '--run', str(run), '--which', 'last'],
            ['predict', '--run', str(run), '--images', str(tmp_path / 'photos'), '--out', str(tmp_path / 'out')],
            ['export', '--run', str(run), '--out', str(tmp_path / 'net')]]
    for words in (words_of('dsod', pikachu, run, '--resume'), *used):
        error = error_of(words, capsys)
        assert error.startswith(f'gluonzoo {words[0]}: {run}/checkpoints/step-') and error.count('\n') == 1
        assert 'net.safetensors: has numbers that are not finite: ' in error
    for words in used:
        assert main([*words, '--allow-not-finite']) == 0


def damage(path, file):
    """Puts a NaN into a file of a checkpoint, and signs it anew."""
    digest = hashlib.sha256((path / file).read_bytes()).hexdigest()
    arrays = storage.read_arrays(path / file, digest)
    name = sorted(arrays)[0]
    arrays[name] = arrays[name].copy()
    arrays[name].flat[0] = np.nan
    storage.write_arrays(path / file, arrays)
    state = checkpoint_files.read_state(path)
    checkpoint_files.write_state(path, {**state, 'files': {**state['files'], file: storage.sha256(path / file)}})


def test_a_network_of_other_classes(pikachu, weights, tmp_path, capsys):
    """--partial says what is started anew; without it nothing is written."""
    arrays = safetensors.numpy.load_file(weights)
    heads = [name for name in arrays if name.startswith('heads.')]
    assert heads
    for name in heads:   # as many classes more as it takes
        arrays[name] = np.concatenate([arrays[name]] * 2)
    other = tmp_path / 'other.safetensors'
    safetensors.numpy.save_file(arrays, other)
    error = error_of(words_of('dsod', pikachu, tmp_path / 'run', '--weights', str(other)), capsys)
    assert '--partial starts anew what is not in the file, or has another shape there' in error
    assert all(repr(name) in error for name in heads) and not (tmp_path / 'run').exists()

    assert main(words_of('dsod', pikachu, tmp_path / 'run', '--epochs', '1', '--weights', str(other), '--partial',
                         '--lr', '0')) == 0
    anew = [line for line in capsys.readouterr().out.splitlines() if 'is started anew' in line]
    assert sorted(anew) == sorted(f'net.{name}: is started anew; the weights do not have it in this shape'
                                  for name in heads)
    assert Run.open(tmp_path / 'run').settings['task']['net']['partial'] is True
    trained = safetensors.numpy.load_file(Run.open(tmp_path / 'run').checkpoint('last') / 'net.safetensors')
    for name, array in trained.items():   # at a learning rate of 0
        assert name in heads or 'running' in name or (array == arrays[name]).all(), name


def test_nothing_fits(pikachu, tmp_path, capsys):
    safetensors.numpy.save_file({'x': np.zeros(3, 'float32')}, tmp_path / 'x.safetensors')
    for more in ([], ['--partial']):
        error = error_of(words_of('dsod', pikachu, tmp_path / 'run', '--weights', str(tmp_path / 'x.safetensors'),
                                  *more), capsys)
        assert "unknown here: 'x'" in error and 'nothing in the file fits' in error
    assert not (tmp_path / 'run').exists()


def test_weights_of_several_networks(pairs, tmp_path, capsys):
    """Each by its name; without one they are the generator's, which is what is used."""
    first, second = tmp_path / 'first', tmp_path / 'second'
    assert main(words_of('pix2pix', pairs, first, '--epochs', '1')) == 0
    checkpoint = Run.open(first).checkpoint('last')
    files = {name: checkpoint / f'{name}.safetensors' for name in ('generator', 'discriminator')}
    words = words_of('pix2pix', pairs, second, '--epochs', '1', '--lr', '0', '--seed', '7')
    assert main([*words, '--weights', f'discriminator={files["discriminator"]}', '--weights',
                 str(files['generator'])]) == 0
    for name, file in files.items():
        assert Run.open(second).settings['task'][name]['weights'] == str(file)
        before, after = (safetensors.numpy.load_file(Run.open(run).checkpoint('last') / f'{name}.safetensors')
                         for run in (first, second))
        for key in before:   # at a learning rate of 0
            assert 'running' in key or (before[key] == after[key]).all(), key
    error = error_of(words_of('pix2pix', pairs, tmp_path / 'run', '--weights', f'generator={files["discriminator"]}'),
                     capsys)
    assert 'does not fit UNet' in error and not (tmp_path / 'run').exists()


# -- the end ---------------------------------------------------------------------------------------------------------

def test_what_it_says_at_the_end(pikachu, tmp_path, capsys):
    run = tmp_path / 'run'
    metrics = run_training(make_settings(parse('dsod', ['--data', str(pikachu), '--small', '--epochs',
                                                                   '1'])), run, checkpoint_every=1)
    said = capsys.readouterr().out
    assert f'{run}: best checkpoint step-00000002; mAP ' in said and f'mAP {metrics["mAP"]:.4g}' in said
    for name in ('progress.png', 'samples', 'scalars.csv'):
        assert f'  {run / name}: ' in said and (run / name).exists()
    assert [path.name for path in Run.open(run).checkpoints()] == ['step-00000001', 'step-00000002']


def test_what_it_says_is_missing_at_the_end(pikachu, tmp_path, capsys):
    """Nothing is promised that is not there."""
    run = tmp_path / 'run'
    run.mkdir()
    for name in ('tensorboard', 'samples'):
        (run / name).write_text('in the way')
    with pytest.warns(RuntimeWarning, match='TensorBoard: on_start failed, and the training goes on'):
        assert main(words_of('dsod', pikachu, run, '--epochs', '1')) == 0
    said = capsys.readouterr().out
    assert f'  {run}/tensorboard: lacks the numbers from step 1 on\n' in said
    assert f'  {run}/samples: lack epoch 1\n' in said and f'  {run}/scalars.csv: every number\n' in said


def boxed(folder, *more):
    """Records with a box in each picture, and `more` boxes in each."""
    folder.mkdir()
    box = np.array([[10, 10, 60, 60], *more])
    for split in ('train', 'val'):
        write_records(folder / f'{split}.rec', [(np.zeros((64, 64, 3), np.uint8), box, [0] * len(box))] * 4)
    (folder / 'classes.txt').write_text('mascot\n')
    return folder


def test_objects_that_are_left_out_are_counted_at_the_end(tmp_path, capsys):
    data = boxed(tmp_path / 'data', [5, 5, 5.2, 9])
    with pytest.warns(RuntimeWarning, match='train.rec: record .: objects left out: less than half a pixel 1'):
        assert main(words_of('dsod', data, tmp_path / 'run', '--epochs', '1')) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == [
        f'{data}/{split}.rec: objects left out: less than half a pixel 4' for split in ('train', 'val')]


def test_objects_in_a_wrong_unit_leave_nothing(tmp_path, capsys):
    data = boxed(tmp_path / 'data')
    write_records(data / 'val.rec', [(np.zeros((64, 64, 3), np.uint8), np.array([[.1, .2, .6, .8]]), [0])] * 4)
    check_error_is_one_line(words_of('dsod', data, tmp_path / 'run'),
                            f'gluonzoo train: {data}/val.rec: none of its 4 objects can be used: ', capsys)
    assert not (tmp_path / 'run').exists()


def test_a_loss_that_is_not_finite_is_one_line(pikachu, tmp_path, capsys):
    error = error_of(words_of('dsod', pikachu, tmp_path / 'run', '--lr', '1e38', '--epochs', '9'), capsys)
    assert error.splitlines()[-1].startswith('gluonzoo train: step ') and 'Traceback' not in error


def test_a_run_that_is_there_is_one_line(pikachu, detector, capsys):
    check_error_is_one_line(words_of('dsod', pikachu, detector), f'gluonzoo train: {detector}: has a run already; '
                            'resume it, or take another directory\n', capsys)


# -- from Python -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('arguments, said', [
    ({}, 'the following arguments are required: --data'), ({'smal': True}, 'unrecognized arguments: --smal'),
    ({'batch_size': 0}, 'argument --batch-size: must be at least 1: 0'),
    ({'resume': True}, 'resume: is no setting, but an argument of gluonzoo.run_training'),
    ({'help': True}, 'unrecognized arguments: --help'), ({'run': 'x'}, 'run: is no setting'),
    ({'checkpoint_every': 3}, 'checkpoint_every: is no setting')])
def test_arguments_of_a_recipe(pikachu, arguments, said):
    data = {'data': pikachu} if arguments else {}
    with pytest.raises(ValueError, match=said):
        recipe('dsod', **data, **arguments)


@pytest.mark.parametrize('change, said', [
    (lambda settings: {}, 'settings: task: must have name: None'),
    (lambda settings: None, 'settings: task: must have name'),
    (lambda settings: {**settings, 'task': {}}, 'settings: task: must have name: {}'),
    (lambda settings: {**settings, 'engine': {}}, 'settings: engine: must have devices, kvstore, accumulate'),
    (lambda settings: {**settings, 'fits': {}}, 'settings: fits: unknown'),
    (lambda settings: {**settings, 'fit': {**settings['fit'], 'emma': 1}}, 'settings: fit.emma: unknown'),
    (lambda settings: {**settings, 'val_data': np.zeros(2)}, 'settings: must be such as JSON can hold: ')])
def test_settings_that_are_none(pikachu, tmp_path, change, said):
    settings = recipe('dsod', data=pikachu, small=True)
    with pytest.raises(ValueError, match=said):
        run_training(change(settings), tmp_path / 'run')
    assert not (tmp_path / 'run').exists()


def test_settings_may_have_tuples(pikachu, tmp_path):
    """They become lists, as they are when a run is opened."""
    settings = recipe('dsod', data=pikachu, small=True, epochs=1)
    settings['task']['class_names'] = tuple(settings['task']['class_names'])
    assert 'mAP' in run_training(settings, tmp_path / 'run')
