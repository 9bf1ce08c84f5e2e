"""The way of a user through pix2pix: draw pairs, train, break off, resume, evaluate, predict."""
import json

import cv2
import pytest
from run_checks import (
    check_error_is_one_line,
    check_records,
    check_video,
    draw,
    evaluated,
    resumed,
    save_noise,
    scalars,
    tiny,
)

from gluonzoo.commands.from_arguments import make_settings
from gluonzoo.commands.main import main
from gluonzoo.commands.resolve import validation_loader
from gluonzoo.commands.train import parse
from gluonzoo.recipes import pix2pix


@pytest.fixture(scope='module', autouse=True)
def small():
    """Still narrower networks."""
    with tiny(pix2pix):
        yield


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    return draw('pairs', tmp_path_factory.mktemp('data') / 'pairs', '--train', '5', '--val', '3', '--size', '64')


def train(data, run, *more):
    assert main(['train', 'pix2pix', '--data', str(data), '--run', str(run), '--small', '--epochs', '2',
                 '--batch-size', '2', '--pool-size', '2', *more]) == 0


@pytest.fixture(scope='module')
def run(data, tmp_path_factory):
    """The directory of a run of two epochs, two steps each."""
    directory = tmp_path_factory.mktemp('runs') / 'small'
    train(data, directory)
    return directory


def test_what_a_run_leaves(run):
    check_records(run, ('D_fake', 'D_real', 'G_GAN', 'G_L1'), ['SSIM'])
    rates = [value for _, name, value in scalars(run) if name == 'lr_generator']
    assert rates == pytest.approx([6e-4, 6e-4, 6e-4, 3e-4])
    assert cv2.imread(str(run / 'samples' / 'epoch-002.jpg')).shape == (3 * 132 - 4, 3 * 132 - 4, 3)


def test_resume_is_exact(data, run, tmp_path):
    """From the checkpoint after the first epoch: pool, both trainers and dropout go on as if there was no break."""
    broken = tmp_path / 'broken'
    files = resumed(run, broken, lambda directory: train(data, directory, '--resume'))
    assert scalars(broken) == scalars(run)
    for name in ('generator.safetensors', 'discriminator.safetensors', 'task.safetensors'):
        assert (files[0] / name).read_bytes() == (files[1] / name).read_bytes()


def test_evaluate(run, tmp_path, capsys):
    found, shape = evaluated(run, tmp_path)
    trained = {name: value for step, name, value in scalars(run) if step == 4}
    for name in ('L1', 'PSNR', 'SSIM'):
        assert found[name] == pytest.approx(trained[name], rel=1e-5)
    assert 'SSIM' in capsys.readouterr().out and shape == (392, 392, 3)


def test_predict(run, tmp_path):
    photos, out = tmp_path / 'photos', tmp_path / 'out'
    save_noise(photos, {'wide.png': (50, 200, 3), 'grey.jpg': (130, 90)})
    assert main(['predict', '--run', str(run), '--images', str(photos), '--out', str(out)]) == 0
    assert cv2.imread(str(out / 'wide.jpg')).shape == (50, 400, 3)
    assert cv2.imread(str(out / 'grey.jpg')).shape == (130, 180, 3)
    report = json.loads((out / 'predictions.json').read_text())
    assert [(image['width'], image['height']) for image in report['images']] == [(90, 130), (200, 50)]


def test_settings_of_the_paper(data):
    """Those of the official code; every registry takes them."""
    settings = make_settings(parse('pix2pix', ['--data', str(data), '--direction', 'BtoA']))
    task = settings['task']
    assert task['generator'] == {'name': 'unet256', 'norm': 'batch', 'dropout': .5}
    assert task['discriminator'] == {'name': 'patchgan', 'norm': 'batch'}
    assert task['optimizer'] == {'name': 'adam', 'learning_rate': 2e-4, 'beta1': .5}
    assert (task['image_size'], task['objective'], task['lambda_l1'], task['pool_size']) == (256, 'vanilla', 100, 0)
    assert settings['train_data']['transform'] == {'name': 'pair_train', 'load_size': 286, 'crop_size': 256}
    assert settings['train_data']['direction'] == settings['val_data']['direction'] == 'BtoA'
    assert settings['fit']['batch_size'] == 1
    assert settings['fit']['schedule'] == {'name': 'linear', 'begin': 500, 'steps': 1000}   # 5 pairs, 200 epochs
    assert len(validation_loader(settings).dataset) == 3
    for generator, size in (('unet128', 128), ('resnet_9blocks', 256), ('resnet_6blocks', 128)):
        args = parse('pix2pix', ['--data', str(data), '--generator', generator])
        assert make_settings(args)['task']['image_size'] == size
    assert pix2pix.run_name(args) == 'pix2pix_pairs'


def test_a_critic_with_a_penalty_has_no_batch_normalisation(data):
    task = make_settings(parse('pix2pix', ['--data', str(data), '--objective', 'wgan-gp']))['task']
    assert task['objective'] == 'wgan-gp' and task['discriminator'] == {'name': 'patchgan', 'norm': 'instance'}
    assert task['generator'] == {'name': 'unet256', 'norm': 'batch', 'dropout': .5}


def test_small_is_for_128(data, capsys):
    with pytest.raises(SystemExit):
        parse('pix2pix', ['--data', str(data), '--small', '--generator', 'unet256'])
    assert '--small: is for unet128 and resnet_6blocks, not unet256' in capsys.readouterr().err


@pytest.mark.parametrize('folders, words', [
    ([], '{tmp}: has no pairs to train'),
    (['train', 'val'], '{tmp}/train: no pictures in it'),
], ids=['no folder', 'no pictures'])
def test_errors_are_one_line_and_exit_code_1(tmp_path, monkeypatch, capsys, folders, words):
    for folder in folders:
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path)
    check_error_is_one_line(['train', 'pix2pix', '--data', str(tmp_path)],
                            'gluonzoo train: ' + words.format(tmp=tmp_path), capsys)
    assert not (tmp_path / 'runs').exists()


def test_predict_a_video(run, tmp_path):
    check_video(run, tmp_path, (50, 180, 3))
