"""The way of a user through CycleGAN: draw two domains, train, break off, resume, evaluate, predict both ways, export,
and predict with official weights."""
import json

import cv2
import numpy as np
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
from gluonzoo.commands.resolve import open_model, open_run, validation_loader
from gluonzoo.commands.train import parse
from gluonzoo.recipes import cyclegan

NETWORKS = 'generator_ab', 'generator_ba', 'discriminator_a', 'discriminator_b'


@pytest.fixture(scope='module', autouse=True)
def small():
    """Still narrower networks."""
    with tiny(cyclegan):
        yield


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    return draw('unpaired', tmp_path_factory.mktemp('data') / 'seasons', '--synthetic', '--train', '5', '--val', '3',
                '--size', '32')


def train(data, run, *more):
    assert main(['train', 'cyclegan', '--data', str(data), '--run', str(run), '--small', *more]) == 0


@pytest.fixture(scope='module')
def run(data, tmp_path_factory):
    """The directory of a run of two epochs, two steps each."""
    directory = tmp_path_factory.mktemp('runs') / 'small'
    train(data, directory)
    return directory


def test_what_a_run_leaves(run):
    check_records(run, ('G_A', 'G_B', 'cycle_A', 'cycle_B', 'identity_A', 'identity_B', 'D_A', 'D_B'),
                  ['SWD', 'SWD A', 'SWD B', 'cycle A', 'cycle B', 'identity A', 'identity B'])
    for trainer in ('generator', 'discriminator'):   # an epoch at the rate, one on the way down
        rates = [value for _, name, value in scalars(run) if name == f'lr_{trainer}']
        assert rates == pytest.approx([4e-4, 4e-4, 2e-4, 2e-4])
    assert cv2.imread(str(run / 'samples' / 'epoch-002.jpg')).shape == (3 * 36 - 4, 6 * 36 - 4, 3)


def test_resume_is_exact(data, run, tmp_path):
    """From the checkpoint after the first epoch: pools, both trainers and partners go on as if there was no break."""
    broken = tmp_path / 'broken'
    files = resumed(run, broken, lambda directory: train(data, directory, '--resume'))
    assert scalars(broken) == scalars(run)
    for name in (*NETWORKS, 'task', 'trainer-generator', 'trainer-discriminator'):
        assert (files[0] / f'{name}.safetensors').read_bytes() == (files[1] / f'{name}.safetensors').read_bytes()


def test_evaluate(run, tmp_path, capsys):
    found, shape = evaluated(run, tmp_path)
    trained = {name: value for step, name, value in scalars(run) if step == 4}
    for name in ('SWD', 'SWD A', 'cycle B', 'identity A'):
        assert found[name] == pytest.approx(trained[name], rel=1e-4)
    assert 'SWD B' in capsys.readouterr().out and shape == (3 * 36 - 4, 6 * 36 - 4, 3)


def test_predict_both_ways(run, tmp_path):
    """Photos keep their size; each direction has a generator of its own."""
    photos, pictures = tmp_path / 'photos', []
    save_noise(photos, {'wide.png': (50, 75, 3), 'grey.jpg': (33, 42)})
    for direction in ('AtoB', 'BtoA'):
        out = tmp_path / direction
        assert main(['predict', '--run', str(run), '--images', str(photos), '--out', str(out), '--views',
                     '--set', f'task.direction={direction}']) == 0
        assert cv2.imread(str(out / 'wide.jpg')).shape == (50, 150, 3)
        assert cv2.imread(str(out / 'wide-back.jpg')).shape == (50, 75, 3)
        report = json.loads((out / 'predictions.json').read_text())
        assert [(image['width'], image['height'], image['direction']) for image in report['images']] == [
            (42, 33, direction), (75, 50, direction)]
        pictures.append(cv2.imread(str(out / 'wide.jpg'))[:, 75:])
    assert np.abs(pictures[0].astype(int) - pictures[1]).max() > 3


def test_export_both_generators(run, tmp_path):
    """Each file computes what gluonzoo predict shows, of photos of any size that 4 divides."""
    onnxruntime = pytest.importorskip('onnxruntime')
    photo = np.random.default_rng(0).integers(0, 256, (40, 56, 3), dtype='uint8')
    for direction in ('AtoB', 'BtoA'):
        path, which = tmp_path / f'{direction}.onnx', f'task.direction={direction}'
        assert main(['export', '--run', str(run), '--onnx', '--size', 'dynamic', '--out', str(path),
                     '--set', which]) == 0
        session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
        made, = session.run(None, {'image': (photo.transpose(2, 0, 1)[None] / 127.5 - 1).astype('float32')})
        np.testing.assert_allclose(open_run(run, overrides=[which]).task.predict([photo])[0],
                                   (made[0].transpose(1, 2, 0) + 1) * 127.5, atol=.6)
        said = json.loads({entry.key: entry.value for entry in _metadata(path)}['gluonzoo'])
        assert f'a picture of {direction[0]}:' in said['inputs']['image']
    assert main(['export', '--run', str(run), '--out', str(tmp_path / 'symbol')]) == 0
    assert (tmp_path / 'symbol-0000.params').stat().st_size > 1000


def _metadata(path):
    import onnx
    return onnx.load(str(path)).metadata_props


def test_start_from_weights_by_name(data, run, tmp_path):
    weights = next(iter(sorted((run / 'checkpoints').iterdir()))) / 'generator_ba.safetensors'
    args = parse('cyclegan', ['--data', str(data), '--small', '--weights', f'generator_ba={weights}'])
    assert make_settings(args)['task']['generator_ba']['weights'] == str(weights)
    with pytest.raises(ValueError, match='--weights: must name one of generator_ab, generator_ba, discriminator_a'):
        make_settings(parse('cyclegan', ['--data', str(data), '--small', '--weights', str(weights)]))


def test_official_weights(tmp_path):
    """latest_net_G_A.pth and latest_net_D_A.pth as the official code saves them; the generator predicts by itself, and
    the files go back."""
    torch = pytest.importorskip('torch')
    from torch_twins import pix2pix as twin

    torch.manual_seed(0)
    theirs = {'resnet_6blocks': twin.ResNetGenerator(6), 'patchgan': twin.PatchGAN(3, norm='instance')}
    for model, letter, settings in (('resnet_6blocks', 'G', {}),
                                    ('patchgan', 'D', {'in_channels': 3, 'norm': 'instance'})):
        official, ours, back = (tmp_path / f'{name}_{letter}{end}' for name, end in (
            ('latest_net', '_A.pth'), ('ours', '.safetensors'), ('back', '.safetensors')))
        torch.save(theirs[model].state_dict(), official)
        words = ['convert', '--model', model, '--settings', json.dumps(settings)]
        assert main([*words, '--weights', str(official), '--out', str(ours)]) == 0
        assert main([*words, '--weights', str(ours), '--out', str(back), '--to-torch']) == 0
        from safetensors.torch import load_file
        for name, values in load_file(back).items():
            assert torch.equal(values, theirs[model].state_dict()[name]), name
    photo = np.random.default_rng(0).integers(0, 256, (37, 50, 3), dtype='uint8')
    padded = np.pad(photo, [(0, 3), (0, 2), (0, 0)], 'reflect')
    with torch.no_grad():
        wanted = theirs['resnet_6blocks'](torch.from_numpy(padded.transpose(2, 0, 1)[None] / 127.5 - 1).float())
    opened = open_model('resnet_6blocks', tmp_path / 'ours_G.safetensors')
    np.testing.assert_allclose(opened.task.predict([photo])[0], (wanted[0].numpy().transpose(1, 2, 0)[:37, :50] + 1) *
                               127.5, atol=.6)
    cv2.imwrite(str(tmp_path / 'photo.png'), photo)
    assert main(['predict', '--model', 'resnet_6blocks', '--weights', str(tmp_path / 'ours_G.safetensors'),
                 '--images', str(tmp_path / 'photo.png'), '--out', str(tmp_path / 'out')]) == 0
    assert cv2.imread(str(tmp_path / 'out' / 'photo.jpg')).shape == (37, 100, 3)


def test_settings_of_the_paper(data):
    """Those of the official code; every registry takes them."""
    settings = make_settings(parse('cyclegan', ['--data', str(data)]))
    task = settings['task']
    for name in NETWORKS[:2]:
        assert task[name] == {'name': 'resnet_9blocks', 'norm': 'instance', 'width': 64}
    for name in NETWORKS[2:]:
        assert task[name] == {'name': 'patchgan', 'norm': 'instance', 'in_channels': 3, 'width': 64}
    assert task['optimizer'] == {'name': 'adam', 'learning_rate': 2e-4, 'beta1': .5}
    assert [task[key] for key in ('image_size', 'objective', 'lambda_a', 'lambda_b', 'lambda_identity', 'pool_size')] \
        == [256, 'lsgan', 10, 10, .5, 50]
    assert settings['train_data']['transform'] == {'name': 'unpaired_train', 'load_size': 286, 'crop_size': 256}
    assert settings['val_data']['transform'] == {'name': 'unpaired_test', 'size': 256}
    assert settings['val_data']['serial'] is True
    assert settings['fit']['batch_size'] == 1 and settings['fit']['epochs'] == 200
    assert settings['fit']['schedule'] == {'name': 'linear', 'begin': 99 * 5, 'steps': 200 * 5, 'every': 5}
    assert len(validation_loader(settings).dataset) == 3
    other = make_settings(parse('cyclegan', ['--data', str(data), '--generator', 'resnet_6blocks', '--lr', '0.001']))
    assert other['task']['image_size'] == 128 and other['train_data']['transform']['load_size'] == 143
    assert other['task']['optimizer']['learning_rate'] == .001
    sized = make_settings(parse('cyclegan', ['--data', str(data), '--size', '64', '--pool-size', '0']))
    assert sized['train_data']['transform'] == {'name': 'unpaired_train', 'load_size': 72, 'crop_size': 64}
    assert sized['task']['image_size'] == 64 and sized['task']['pool_size'] == 0
    assert cyclegan.run_name(parse('cyclegan', ['--data', str(data), '--small'])) == 'cyclegan_seasons_small'


@pytest.mark.parametrize('pictures, words', [
    ({}, '{tmp}: has no two domains to train'),
    ({'trainA': 2, 'trainB': 0}, '{tmp}/trainB: no pictures in it'),
    ({'trainA': 1, 'trainB': 2}, '{tmp}/trainA: a domain must have two or more pictures to train on; has 1'),
], ids=['no folder', 'an empty domain', 'a domain of one picture'])
def test_errors_are_one_line_and_exit_code_1(tmp_path, monkeypatch, capsys, pictures, words):
    for folder, count in {**pictures, **(pictures and {'testA': 2, 'testB': 2})}.items():
        (tmp_path / folder).mkdir()
        for i in range(count):
            cv2.imwrite(str(tmp_path / folder / f'{i}.png'), np.zeros((32, 32, 3), np.uint8))
    monkeypatch.chdir(tmp_path)
    check_error_is_one_line(['train', 'cyclegan', '--data', str(tmp_path), '--small'],
                            'gluonzoo train: ' + words.format(tmp=tmp_path), capsys)
    assert not (tmp_path / 'runs').exists()


def test_a_size_that_cannot_be_halved(data, tmp_path, capsys):
    check_error_is_one_line(['train', 'cyclegan', '--data', str(data), '--size', '140', '--run', str(tmp_path / 'run')],
                            'gluonzoo train: image_size: must be a multiple of 8, to be halved for the SWD: 140',
                            capsys)
    assert not (tmp_path / 'run').exists()


def test_predict_a_video(run, tmp_path):
    check_video(run, tmp_path, (50, 180, 3))
