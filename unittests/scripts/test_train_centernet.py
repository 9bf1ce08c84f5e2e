"""The way of a user through CenterNet: draw data, train, break off, resume, evaluate, predict."""
import json
from pathlib import Path

import common
import cv2
import evaluate
import mxnet as mx
import numpy as np
import predict
import pytest
import train_centernet
from programs import check_error_is_one_line
from run_checks import check_records, evaluated, resumed, save_noise, scalars

from gluonzoo.commands.main import main
from gluonzoo.train import Run, TrainingError

NUMBERS = ('AP', 'AP50', 'AP75', 'AP_small', 'AP_medium', 'AP_large', 'AR1', 'AR10', 'AR100', 'AR_small', 'AR_medium',
           'AR_large')


@pytest.fixture(scope='module', autouse=True)
def small():
    """A still smaller network, of smaller inputs."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (('network', {'channels': 8}), ('size', 64), ('test_size', 64), ('batch_size', 2),
                            ('epochs', 2), ('warmup', 2)):
            patch.setitem(train_centernet.SMALL, name, value)
        yield


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    out = tmp_path_factory.mktemp('data') / 'coco'
    assert main(['data', 'coco', '--synthetic', '--out', str(out), '--train', '5', '--val', '3']) == 0
    return out


def train(data, run, *more):
    train_centernet.main(['--data', str(data), '--run', str(run), '--small', *more])


@pytest.fixture(scope='module')
def run(data, tmp_path_factory):
    """The directory of a run of two epochs, two steps each."""
    directory = tmp_path_factory.mktemp('runs') / 'small'
    train(data, directory)
    return directory


def test_what_a_run_leaves(run):
    check_records(run, ('loss', 'heat_loss', 'pull_loss', 'push_loss', 'offset_loss'), NUMBERS)
    assert cv2.imread(str(run / 'samples' / 'epoch-002.jpg')).shape == (384, 3 * 388 - 4, 3)   # three of 384 in a row
    assert Run.open(run).settings['fit']['ema'] == train_centernet.SMALL['ema']


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
    for name, rounds, ctx in (('rounds', '2', [mx.cpu(0)]), ('devices', '1', [mx.cpu(0), mx.cpu(1)])):
        args = train_centernet.parse(['--data', str(data), '--run', str(tmp_path / name), '--small', '--epochs', '1',
                                      '--accumulate', rounds])
        args.devices = ctx   # on the command line there is one CPU
        common.train(train_centernet.make_settings(args), args)
    one, two = ([value for _, n, value in scalars(tmp_path / name) if n == 'loss'] for name in ('rounds', 'devices'))
    assert len(one) == 2 and one == two


def test_a_loss_that_is_not_finite_stops_it(data, tmp_path):
    """With the step, the records and nothing saved after it."""
    with pytest.raises(TrainingError, match=r'step \d.*loss'):
        train(data, tmp_path / 'run', '--lr', '1e38', '--epochs', '9')
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


def test_how_photos_are_looked_at(run, monkeypatch):
    """--flip and --scales are keywords of the task, and nothing else changes."""
    made = []
    create = common.tasks.create
    monkeypatch.setattr(common.tasks, 'create', lambda **keywords: made.append(keywords) or create(**keywords))
    evaluate.main(['--run', str(run)])
    evaluate.main(['--run', str(run), '--flip', '--scales', '0.75', '1'])
    assert {name: made[1][name] for name in set(made[1]) - set(made[0])} == {'flip': True, 'scales': [.75, 1]}
    with pytest.raises(ValueError, match='scales must be numbers above 0, each once, and one of them 1'):
        evaluate.main(['--run', str(run), '--scales', '0.5'])


def test_predict(run, tmp_path):
    photos, out = tmp_path / 'photos', tmp_path / 'out'
    save_noise(photos, {'wide.png': (50, 200, 3), 'grey.jpg': (130, 90), 'wide-heatmaps.png': (20, 20, 3)})
    assert predict.main(['--run', str(run), '--images', str(photos), '--out', str(out), '--heatmaps', '--flip']) == 0
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
    args = train_centernet.parse(['--data', str(data), '--model', 'centernet_hourglass52', '--batch-size', '1'])
    settings = train_centernet.make_settings(args)
    assert settings['task']['network'] == {'name': 'centernet_hourglass52', 'classes': 4}
    assert settings['task']['optimizer'] == {'name': 'adam', 'learning_rate': 2.5e-4}
    assert (settings['task']['size'], settings['task']['test_size']) == (511, None)
    assert settings['train_data']['transform']['name'] == 'keypoint_train'
    assert settings['train_data']['transform']['classes'] == 4
    assert settings['train_data']['transform']['size'] == 511 and 'scales' not in settings['train_data']['transform']
    assert settings['fit']['epochs'] == 195 and settings['fit']['ema'] is None
    steps = 5 * 195
    assert settings['fit']['schedule'] == {'name': 'step', 'milestones': [round(steps * .9375)], 'warmup': 0}
    assert len(common.validation_loader(settings).dataset) == 3
    assert train_centernet.PAPER['batch_size'] == 48 and args.run == Path('runs/centernet_hourglass52')
    # 480,000 updates of COCO
    assert 118287 // 48 * train_centernet.PAPER['epochs'] == pytest.approx(480000, rel=.002)


def test_models(data, capsys):
    parse = train_centernet.parse
    assert parse(['--data', str(data)]).model == 'ghost_centernet'
    args = parse(['--data', str(data), '--small'])
    assert args.model == 'ghost_centernet_0_5' and args.run == Path('runs/ghost_centernet_0_5_small')
    for wrong, words in ((['--small', '--model', 'ghost_centernet'], '--small: is ghost_centernet_0_5, not'),
                         (['--model', 'dsod300'], "invalid choice: 'dsod300'")):
        with pytest.raises(SystemExit):
            parse(['--data', str(data), *wrong])
        assert words in capsys.readouterr().err


def test_no_data_is_one_line_and_exit_code_1(tmp_path):
    check_error_is_one_line(
        'train_centernet.py', '--data', str(tmp_path), cwd=tmp_path,
        words=f'train_centernet: {tmp_path}/annotations/instances_train2017.json: no such file')
