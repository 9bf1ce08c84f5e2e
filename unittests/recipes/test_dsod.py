"""The way of a user through DSOD: draw data, train, resume, evaluate; and the numbers of the recipe."""
import pytest
from run_checks import check_error_is_one_line, check_records, draw, error_of, evaluated, resumed, scalars, tiny

from gluonzoo.commands.from_arguments import make_settings
from gluonzoo.commands.main import main
from gluonzoo.commands.resolve import validation_loader
from gluonzoo.commands.train import parse
from gluonzoo.recipes import dsod


@pytest.fixture(scope='module', autouse=True)
def small():
    """A still narrower network, of smaller inputs."""
    with tiny(dsod):
        yield


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    return draw('pikachu', tmp_path_factory.mktemp('data') / 'pikachu', '--synthetic', '--train', '9', '--val', '3',
                '--size', '192')


def words_of(data, run, *more):
    return ['train', 'dsod', '--data', str(data), '--run', str(run), '--small', *more]


@pytest.fixture(scope='module')
def run(data, tmp_path_factory):
    """The directory of a run of two epochs, two steps each."""
    directory = tmp_path_factory.mktemp('runs') / 'small'
    assert main(words_of(data, directory)) == 0
    return directory


def test_what_a_run_leaves(run):
    check_records(run, ['loss', 'class_loss', 'box_loss'], ['mAP'])
    assert {path.name for path in (run / 'samples').iterdir()} == {'epoch-001.jpg', 'epoch-002.jpg'}
    assert list((run / 'tensorboard').iterdir())


def test_resume_is_exact(data, run, tmp_path):
    """From the checkpoint after the first epoch."""
    broken = tmp_path / 'broken'
    files = resumed(run, broken, lambda directory: main(words_of(data, directory, '--resume')))
    assert scalars(broken) == scalars(run)
    for name in ('net.safetensors', 'trainer-net.safetensors'):
        assert (files[0] / name).read_bytes() == (files[1] / name).read_bytes()


def test_resume(data, run, capsys):
    assert 'has a run already; resume it' in error_of(words_of(data, run), capsys)
    assert 'task.optimizer.learning_rate 0.002 then, 0.1 now' in error_of(
        words_of(data, run, '--lr', '.1', '--resume'), capsys)
    before = (run / 'scalars.csv').read_bytes()
    assert main(words_of(data, run, '--resume')) == 0   # there is nothing left to do
    assert (run / 'scalars.csv').read_bytes() == before


def test_evaluate(run, tmp_path, capsys):
    found, shape = evaluated(run, tmp_path)
    trained = [value for _, name, value in scalars(run) if name == 'mAP'][-1]
    assert found['mAP'] == pytest.approx(trained, abs=1e-6) and 'mAP07' in capsys.readouterr().out
    assert shape == (384, 3 * 388 - 4, 3)   # three of 384 in a row


def test_settings_of_the_papers(data):
    """Those of the official code, and of DSOD-gluon-mxnet; every registry takes them."""
    settings = make_settings(parse('dsod', ['--data', str(data), '--model', 'dsod300', '--batch-size', '3']))
    assert settings['task'] == {
        'name': 'single_shot_detection', 'net': {'name': 'dsod300', 'classes': 1}, 'class_names': ['mascot'],
        'loss': 'paper', 'optimizer': {'name': 'sgd', 'learning_rate': .1, 'momentum': .9, 'wd': 5e-4,
                                       'no_decay': ['heads.*.norm.gamma', 'heads.*.norm.beta']}}
    assert settings['train_data']['transform']['size'] == 300
    steps = 3 * 773
    assert settings['fit']['epochs'] == 773 and settings['fit']['schedule'] == {
        'name': 'step', 'milestones': [round(part * steps) for part in (.2, .4, .6, .8)]}
    assert len(validation_loader(settings).dataset) == 3
    # 100,000 updates of VOC 2007 and 2012
    assert 16551 // 128 * dsod.PAPER['epochs'] == pytest.approx(100000, rel=.005)

    settings = make_settings(parse('dsod', ['--data', str(data)]))
    assert settings['task']['net'] == {'name': 'dsod_pikachu', 'classes': 1} and settings['task']['loss'] == 'pikachu'
    assert settings['task']['optimizer'] == {'name': 'sgd', 'learning_rate': .1, 'wd': 5e-4}
    assert settings['fit']['schedule'] == {'name': 'constant'}
    assert (settings['fit']['batch_size'], settings['fit']['epochs']) == (32, 200)


def test_models(data, capsys):
    for words, name in (([], 'dsod_pikachu'), (['--small'], 'dsod_pikachu_small'),
                        (['--model', 'dsod300_smallest'], 'dsod300_smallest')):
        assert dsod.run_name(parse('dsod', ['--data', str(data), *words])) == name
    for wrong, words in ((['--small', '--model', 'dsod300'], '--small: is dsod_pikachu, not dsod300'),
                         (['--model', 'unet256'], "invalid choice: 'unet256'")):
        with pytest.raises(SystemExit):
            parse('dsod', ['--data', str(data), *wrong])
        assert words in capsys.readouterr().err


def test_no_data_is_one_line_and_exit_code_1(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    check_error_is_one_line(['train', 'dsod', '--data', str(tmp_path)], f'gluonzoo train: {tmp_path}/train.rec', capsys)
    assert not list(tmp_path.iterdir())
