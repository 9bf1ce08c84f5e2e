"""The way of a user through CenterNet: draw data, train, break off, resume, evaluate, predict."""
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from run_checks import (
    check_error_is_one_line,
    check_records,
    check_video,
    draw,
    error_of,
    evaluated,
    resumed,
    save_noise,
    scalars,
    tiny,
)

from gluonzoo.commands.from_arguments import make_settings
from gluonzoo.commands.main import main
from gluonzoo.commands.resolve import validation_loader
from gluonzoo.commands.train import parse, recipe
from gluonzoo.recipes import centernet
from gluonzoo.registry import TASKS
from gluonzoo.train import Run

NUMBERS = ('AP', 'AP50', 'AP75', 'AP_small', 'AP_medium', 'AP_large', 'AR1', 'AR10', 'AR100', 'AR_small', 'AR_medium',
           'AR_large')


@pytest.fixture(scope='module', autouse=True)
def small():
    """A still smaller network, of smaller inputs."""
    with tiny(centernet):
        yield


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    return draw('coco', tmp_path_factory.mktemp('data') / 'coco', '--synthetic', '--train', '5', '--val', '3')


def words_of(data, run, *more):
    return ['train', 'centernet', '--data', str(data), '--run', str(run), '--small', *more]


def train(data, run, *more):
    assert main(words_of(data, run, *more)) == 0


@pytest.fixture(scope='module')
def run(data, tmp_path_factory):
    """The directory of a run of two epochs, two steps each."""
    directory = tmp_path_factory.mktemp('runs') / 'small'
    train(data, directory)
    return directory


def test_what_a_run_leaves(run):
    check_records(run, ('loss', 'heat_loss', 'pull_loss', 'push_loss', 'offset_loss'), NUMBERS)
    assert cv2.imread(str(run / 'samples' / 'epoch-002.jpg')).shape == (384, 3 * 388 - 4, 3)   # three of 384 in a row
    assert Run.open(run).settings['fit']['ema'] == centernet.SMALL['ema']


def test_resume_is_exact(data, run, tmp_path):
    """From the checkpoint after the first epoch: Adam, the averaged weights and the schedule go on as without a break.
    """
    broken = tmp_path / 'broken'
    files = resumed(run, broken, lambda directory: train(data, directory, '--resume'))
    np.testing.assert_equal(scalars(broken), scalars(run))   # NaN where there are no such objects
    names = [path.name for path in files[0].glob('*.safetensors')]
    assert len(names) > 1
    for name in names:
        assert (files[0] / name).read_bytes() == (files[1] / name).read_bytes(), name


def test_two_devices(data, tmp_path):
    """And in two rounds: the same losses, but for batch normalisation, whose statistics do not count in a step."""
    two = {'rounds': ['--accumulate', '2'], 'devices': ['--set', 'engine.devices=["cpu(0)","cpu(1)"]']}
    for name, more in two.items():   # with --devices there is one CPU
        train(data, tmp_path / name, '--epochs', '1', *more)
    one, two = ([value for _, n, value in scalars(tmp_path / name) if n == 'loss'] for name in two)
    assert len(one) == 2 and one == two


def test_a_loss_that_is_not_finite_stops_it(data, tmp_path, capsys):
    """With the step, the records and nothing saved after it."""
    error = error_of(words_of(data, tmp_path / 'run', '--lr', '1e38', '--epochs', '9'), capsys)
    line = error.splitlines()[-1]   # after the progress bar
    assert re.search(r'gluonzoo train: step \d.*loss', line), error
    assert (tmp_path / 'run' / 'settings.json').exists()
    assert len(list((tmp_path / 'run').glob('checkpoints/step-*'))) < 3


def test_evaluate(run, tmp_path, capsys):
    found, shape = evaluated(run, tmp_path)
    trained = {name: value for step, name, value in scalars(run) if step == 4}
    for name in NUMBERS:
        if np.isnan(trained[name]):   # there are no such objects
            assert found[name] is None
        else:
            assert found[name] == pytest.approx(trained[name], rel=1e-5)
    assert 'AR_large' in capsys.readouterr().out and shape == (384, 1160, 3)


def test_how_photos_are_looked_at(run, monkeypatch, capsys):
    """task.flip and task.scales are keywords of the task, and nothing else changes."""
    made = []
    create = TASKS.create
    monkeypatch.setattr(TASKS, 'create', lambda name, **keywords: made.append(keywords) or create(name, **keywords))
    words = ['evaluate', '--run', str(run)]
    assert main(words) == main([*words, '--set', 'task.flip=true', '--set', 'task.scales=[0.75, 1]']) == 0
    assert {name: made[1][name] for name in set(made[1]) - set(made[0])} == {'flip': True, 'scales': [.75, 1]}
    assert 'scales: must be numbers above 0, each once, and one of them 1' in error_of(
        [*words, '--set', 'task.scales=[0.5]'], capsys)


def test_predict(run, tmp_path):
    photos, out = tmp_path / 'photos', tmp_path / 'out'
    save_noise(photos, {'wide.png': (50, 200, 3), 'grey.jpg': (130, 90), 'wide-heatmaps.png': (20, 20, 3)})
    assert main(['predict', '--run', str(run), '--images', str(photos), '--out', str(out), '--views',
                 '--set', 'task.flip=true']) == 0
    report = {Path(image['file']).name: image for image in json.loads((out / 'predictions.json').read_text())['images']}
    pictures = {image[kind] for image in report.values() for kind in ('picture', 'heatmaps')}
    assert len(pictures) == 6 and pictures == {path.name for path in out.glob('*.jpg')}
    for name, shape in (('wide.png', (50, 200, 3)), ('grey.jpg', (130, 90, 3))):
        image = report[name]
        assert (image['height'], image['width']) == shape[:2]
        assert cv2.imread(str(out / image['picture'])).shape == cv2.imread(str(out / image['heatmaps'])).shape == shape
        for detection in image['detections']:
            xmin, ymin, xmax, ymax = detection['box']
            assert 0 <= xmin < xmax <= shape[1] and 0 <= ymin < ymax <= shape[0]
            assert detection['class'] in ('umbrella', 'mascot', 'car', 'fish')


def test_settings_of_the_paper(data):
    """Those of the official code; every registry takes them."""
    args = parse('centernet', ['--data', str(data), '--model', 'centernet_hourglass52', '--batch-size', '1'])
    settings = make_settings(args)
    assert settings['task']['net'] == {'name': 'centernet_hourglass52', 'classes': 4}
    assert settings['task']['optimizer'] == {'name': 'adam', 'learning_rate': 2.5e-4}
    assert (settings['task']['size'], settings['task']['test_size']) == (511, None)
    assert settings['train_data']['transform']['name'] == 'keypoint_train'
    assert settings['train_data']['transform']['classes'] == 4
    assert settings['train_data']['transform']['size'] == 511 and 'scales' not in settings['train_data']['transform']
    assert settings['fit']['epochs'] == 195 and settings['fit']['ema'] is None
    steps = 5 * 195
    assert settings['fit']['schedule'] == {'name': 'step', 'milestones': [round(steps * .9375)], 'warmup': 0}
    assert len(validation_loader(settings).dataset) == 3
    assert centernet.PAPER['batch_size'] == 48 and centernet.run_name(args) == 'centernet_hourglass52'
    # 480,000 updates of COCO
    assert 118287 // 48 * centernet.PAPER['epochs'] == pytest.approx(480000, rel=.002)


ROBOFLOW = {'annotations/instances_train2017.json': 'train/_annotations.coco.json', 'train2017': 'train/',
            'annotations/instances_val2017.json': 'valid/_annotations.coco.json', 'val2017': 'valid/'}
BESIDE = {'annotations/instances_train2017.json': 'train.json', 'annotations/instances_val2017.json': 'val.json',
          'train2017': 'images/', 'val2017': 'images/'}
NAMED = {'annotations/instances_train2017.json': 'some/a.json', 'annotations/instances_val2017.json': 'some/b.json',
         'train2017': 'photos/', 'val2017': 'more/'}
NAMES = ['--train-annotations', 'some/a.json', '--val-annotations', 'some/b.json', '--train-images', 'photos',
         '--val-images', 'more']


@pytest.mark.parametrize('layout, words', [(ROBOFLOW, []), (BESIDE, []), (NAMED, NAMES)],
                         ids=['roboflow', 'beside', 'named'])
def test_annotation_files_of_other_names(data, tmp_path, layout, words):
    mine = tmp_path / 'mine'
    for old, new in layout.items():
        for path in sorted((data / old).iterdir()) if (data / old).is_dir() else [data / old]:
            target = mine / new / path.name.replace('0', old[0]) if new.endswith('/') else mine / new
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == '.json':   # the pictures of the two may come into one folder
                names = json.loads(path.read_text())
                for image in names['images']:
                    image['file_name'] = image['file_name'].replace('0', 't' if 'train' in path.name else 'v')
                target.write_text(json.dumps(names))
            else:
                target.write_bytes(path.read_bytes())
    train(mine, tmp_path / 'run', '--epochs', '1', *words)
    assert main(['evaluate', '--run', str(tmp_path / 'run')]) == 0
    assert recipe('centernet', data=mine, **{word[2:].replace('-', '_'): name for word, name in zip(
        words[::2], words[1::2])})['train_data']['path'] == str(mine / layout['annotations/instances_train2017.json'])


def test_both_annotation_files_are_named_or_none(data, capsys):
    with pytest.raises(SystemExit):
        parse('centernet', ['--data', str(data), '--val-annotations', 'val.json'])
    assert '--train-annotations, --val-annotations: give both' in capsys.readouterr().err


def test_models(data, capsys):
    assert parse('centernet', ['--data', str(data)]).model == 'ghost_centernet'
    args = parse('centernet', ['--data', str(data), '--small'])
    assert args.model == 'ghost_centernet_0_5' and centernet.run_name(args) == 'ghost_centernet_0_5_small'
    for wrong, words in ((['--small', '--model', 'ghost_centernet'], '--small: is ghost_centernet_0_5, not'),
                         (['--model', 'dsod300'], "invalid choice: 'dsod300'")):
        with pytest.raises(SystemExit):
            parse('centernet', ['--data', str(data), *wrong])
        assert words in capsys.readouterr().err


def test_no_data_is_one_line_and_exit_code_1(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    check_error_is_one_line(['train', 'centernet', '--data', str(tmp_path)],
                            f'gluonzoo train: {tmp_path}: has no annotation files to train and to validate with, such '
                            'as annotations/instances_train2017.json and ', capsys)
    assert not list(tmp_path.iterdir())


def test_predict_a_video(run, tmp_path):
    check_video(run, tmp_path, (50, 90, 3))
