"""The way of a user through YOLOv3: draw data, train, resume, evaluate; and the numbers of the recipes."""
import shutil

import pytest
from run_checks import (
    check_error_is_one_line,
    check_records,
    check_video,
    draw,
    error_of,
    evaluated,
    resumed,
    scalars,
    tiny,
)

from gluonzoo.commands.from_arguments import make_settings
from gluonzoo.commands.main import main
from gluonzoo.commands.resolve import make_dataset, make_task, validation_loader
from gluonzoo.commands.train import parse
from gluonzoo.recipes import yolo3
from gluonzoo.train import Run


@pytest.fixture(scope='module', autouse=True)
def small():
    """A still narrower network, of smaller inputs."""
    with tiny(yolo3):
        yield


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    return draw('pikachu', tmp_path_factory.mktemp('data') / 'pikachu', '--synthetic', '--train', '9', '--val', '3',
                '--size', '192')


def words_of(data, run, *more):
    return ['train', 'yolo3', '--data', str(data), '--run', str(run), '--small', *more]


@pytest.fixture(scope='module')
def run(data, tmp_path_factory):
    """The directory of a run of two epochs, two steps each."""
    directory = tmp_path_factory.mktemp('runs') / 'small'
    assert main(words_of(data, directory)) == 0
    return directory


def test_what_a_run_leaves(run):
    check_records(run, ['loss', 'objectness_loss', 'box_loss', 'class_loss'], ['mAP', 'COCO/AP', 'COCO/AP75'])
    assert {path.name for path in (run / 'samples').iterdir()} == {'epoch-001.jpg', 'epoch-002.jpg'}


def test_evaluate(run, tmp_path, capsys):
    found, shape = evaluated(run, tmp_path)
    trained = [value for _, name, value in scalars(run) if name == 'mAP'][-1]
    assert found['mAP'] == pytest.approx(trained, abs=1e-6) and 'COCO/AP75' in capsys.readouterr().out
    assert shape == (384, 3 * 388 - 4, 3)   # three of 384 in a row


@pytest.mark.parametrize('words', [[], ['--set', 'task.sizes=[32,64,96]', '--set', 'task.resize_every=1',
                                        '--set', 'task.mixup=1.5', '--set', 'task.largest_from=3',
                                        '--set', 'train_data.transform.size=96']], ids=['fixed', 'sizes and mixup'])
def test_resume_is_exact(data, tmp_path, words):
    """From the checkpoint after the first epoch."""
    whole, broken = tmp_path / 'whole', tmp_path / 'broken'
    assert main(words_of(data, whole, *words)) == 0
    files = resumed(whole, broken, lambda directory: main(words_of(data, directory, *words, '--resume')))
    assert scalars(broken) == scalars(whole)
    for name in ('net.safetensors', 'trainer-net.safetensors'):
        assert (files[0] / name).read_bytes() == (files[1] / name).read_bytes()


@pytest.mark.parametrize('words', [['--box-loss', 'mse', '--activation', 'mish'],
                                   ['--box-loss', 'iou', '--set', 'task.giou_gradient=darknet']])
def test_options_are_trained_with(data, tmp_path, words):
    run = tmp_path / 'run'
    assert main(words_of(data, run, *words, '--epochs', '1')) == 0
    task = Run.open(run).settings['task']
    assert task.get('giou_gradient', 'autograd') == ('darknet' if 'iou' in words else 'autograd')
    assert task['box_loss'] == words[1] and ('mish' in words) == (task['net']['activation'] == 'mish')


def test_coco(tmp_path):
    """Pictures in the form of COCO are trained on, too."""
    data, run = draw('coco', tmp_path / 'coco', '--synthetic', '--train', '5', '--val', '3'), tmp_path / 'run'
    assert main(words_of(data, run, '--epochs', '1')) == 0
    assert Run.open(run).settings['train_data']['name'] == 'coco_detection'
    assert main(['evaluate', '--run', str(run)]) == 0


# -- the recipes -----------------------------------------------------------------------------------------------------

def made(data, *words):
    settings = make_settings(parse('yolo3', ['--data', str(data), *words]))
    make_task(settings)   # its registry takes all of them
    for part in ('train_data', 'val_data'):
        make_dataset(settings, part)
    return settings


def test_darknets_way(data):
    """yolov3.cfg: 64 images an update, decay of the convolutions' weights, burn-in to the fourth power."""
    settings = made(data, '--batch-size', '8')
    task = settings['task']
    assert task['net'] == {'name': 'yolo3_darknet53', 'activation': 'leaky', 'classes': 1}
    assert task['optimizer'] == {'name': 'sgd', 'learning_rate': 1e-3, 'momentum': .9, 'wd': 5e-4,
                                 'no_decay': ['gamma', 'beta', 'bias']}
    assert (task['box_loss'], task['size'], task['letterbox']) == ('giou', 416, True)
    assert task['sizes'] == [320, 352, 384, 416, 448, 480, 512, 544, 576, 608] and 'mixup' not in task
    train, val = settings['train_data']['transform'], settings['val_data']['transform']
    assert (train['name'], train['size'], train['std']) == ('darknet_train', 608, [255, 255, 255])
    assert (val['name'], val['size']) == ('letterbox', 416)
    assert settings['engine']['accumulate'] == 2   # rounds of 4, as darknet's subdivisions
    steps = 273 * 1
    assert task['largest_from'] == steps - 27   # of so short a training
    assert settings['fit']['schedule'] == {'name': 'step', 'milestones': [218, 246], 'warmup': 27, 'warmup_power': 4}
    assert len(validation_loader(settings).dataset) == 3
    assert yolo3.WAYS['darknet']['batch_size'] == 64
    # 500,200 updates of the 117,264 pictures of COCO's trainval less 5k
    assert 117264 // 64 * yolo3.WAYS['darknet']['epochs'] == pytest.approx(500200, rel=.005)


def test_gluoncvs_way(data):
    settings = made(data, '--batch-size', '4', '--way', 'gluoncv', '--box-loss', 'mse', '--size', '320', '--lr', '.01',
                    '--label-smoothing', '.02')
    task = settings['task']
    assert task['smoothing'] == .02 and (task['box_loss'], task['size'], task['letterbox']) == ('mse', 320, False)
    assert (task['mixup'], task['mixup_until']) == (1.5, 360) and 'largest_from' not in task   # two updates an epoch
    assert task['optimizer']['learning_rate'] == .01
    assert settings['train_data']['transform']['name'] == 'ssd_train'
    assert settings['val_data']['transform'] == {'name': 'resize', 'size': 320, 'mean': [0, 0, 0],
                                                 'std': [255, 255, 255]}
    assert settings['fit']['epochs'] == 200
    assert settings['fit']['schedule'] == {'name': 'step', 'milestones': [320, 360], 'warmup': 40}
    assert yolo3.WAYS['gluoncv']['schedule']['warmup'] == yolo3.WAYS['darknet']['schedule']['warmup'] == 1000


def test_names_of_runs(data, capsys):
    for words, name in (([], 'yolo3_darknet53_giou'), (['--small', '--box-loss', 'mse'], 'yolo3_darknet53_mse_small'),
                        (['--activation', 'mish', '--way', 'gluoncv'], 'yolo3_darknet53_mish_giou_gluoncv'),
                        (['--model', 'yolo3_mobilenet1_0'], 'yolo3_mobilenet1_0_giou')):
        assert yolo3.run_name(parse('yolo3', ['--data', str(data), *words])) == name


@pytest.mark.parametrize('words, message', [
    (['--small', '--model', 'yolo3_mobilenet1_0'], '--small: is yolo3_darknet53'),
    (['--small', '--way', 'gluoncv'], '--small: is trained in its own way, not in that of gluoncv'),
    (['--model', 'yolo3_mobilenet1_0', '--activation', 'mish'], '--activation: yolo3_mobilenet1_0 has its own'),
    (['--size', '100'], '--size: must be a multiple of 32: 100'),
    (['--size', '0'], '--size: must be a multiple of 32: 0'),
    (['--size', '-32'], '--size: must be a multiple of 32: -32'),
    (['--val-annotations', 'x.json'], '--train-annotations, --val-annotations: give both'),
    (['--label-smoothing', '.5'], '--label-smoothing: must be from 0 to below 0.5: 0.5'),
    (['--box-loss', 'l1'], "invalid choice: 'l1'")])
def test_arguments_that_do_not_go_together(data, words, message, capsys):
    with pytest.raises(SystemExit):
        parse('yolo3', ['--data', str(data), *words])
    assert message in capsys.readouterr().err


def test_no_data_is_one_line_and_exit_code_1(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    check_error_is_one_line(['train', 'yolo3', '--data', str(tmp_path)], f'gluonzoo train: {tmp_path}', capsys)
    assert not list(tmp_path.iterdir())


def test_a_folder_of_other_annotations(tmp_path, capsys):
    error = error_of(words_of(tmp_path, tmp_path / 'run'), capsys)
    assert 'gluonzoo records makes train.rec and val.rec' in error and error.count('\n') == 1, error


def test_settings_that_the_data_do_not_fit(data, tmp_path, capsys):
    """Before the training, and before there is a run."""
    for words, message in ((['--set', 'task.size=96'], 'val_data: must make images [3, 96, 96]'),
                           (['--set', 'task.letterbox=false'], 'val_data.transform: must not letterbox pictures'),
                           (['--set', 'task.net.std=[1,1,1]'], 'train_data.transform.std: must be that of the network'),
                           (['--set', 'task.sizes=[64,96]'], 'train_data: must make images [3, S, S] of 96 pixels')):
        error = error_of(words_of(data, tmp_path / 'run', *words), capsys)
        assert message in error and error.count('\n') == 1, error
    assert not list(tmp_path.iterdir())


def test_a_folder_of_half_the_data(data, tmp_path, capsys):
    half = tmp_path / 'half'
    shutil.copytree(data, half)
    (half / 'val.rec').unlink()
    error = error_of(words_of(half, tmp_path / 'run'), capsys)
    assert 'val.rec' in error and error.count('\n') == 1, error


def test_predict_a_video(run, tmp_path):
    check_video(run, tmp_path, (50, 90, 3))
