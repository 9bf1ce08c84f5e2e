"""scripts/critic_curve.py: what it takes from a run, and what it says of one that has no such thing."""
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from run_checks import draw, tiny

from gluonzoo.commands.main import main
from gluonzoo.metrics.sliced_wasserstein import sliced_wasserstein
from gluonzoo.pictures.decode import read_image
from gluonzoo.recipes import wgan

sys.path.append(str(Path(__file__).resolve().parents[2] / 'scripts'))
import critic_curve


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    """Of three epochs of two steps."""
    folder = tmp_path_factory.mktemp('curve')
    data = draw('faces', folder / 'data', '--synthetic', '--train', '5', '--val', '3', '--size', '32')
    with tiny(wgan):
        assert main(['train', 'wgan', '--small', '--data', str(data), '--run', str(folder / 'run'), '--epochs', '3',
                     '--critic-steps', '1']) == 0
    return folder / 'run'


def test_means_of_epochs(tmp_path):
    """The estimate is -(D_fake + D_real)."""
    rows = ['step,name,value', '1,D_fake,-3', '1,D_real,1', '1,D_penalty,50', '2,D_fake,-5', '2,D_real,1', '2,SWD,70',
            '3,D_fake,-2', '3,D_real,1', '4,D_fake,-2', '4,D_real,0', '4,SWD,40']
    (tmp_path / 'scalars.csv').write_text('\n'.join(rows) + '\n')
    losses, distances = critic_curve.curves(tmp_path / 'scalars.csv')
    np.testing.assert_allclose(losses, [3, 1.5])
    np.testing.assert_allclose(distances, [70, 40])


def test_a_run(run, tmp_path, capsys):
    critic_curve.main(['--run', str(run), '--out', str(tmp_path / 'curve.png')])
    said = capsys.readouterr().out
    sets = [[read_image(path) for path in sorted((run.parent / 'data' / part).iterdir())[:3]]
            for part in ('val', 'train')]
    floor = sliced_wasserstein(*map(np.stack, sets))['SWD']
    assert said.startswith('3 epochs: SWD ') and f'{floor:.1f} of real pictures' in said
    assert 'correlation of the critic\'s estimate with SWD: ' in said
    with Image.open(tmp_path / 'curve.png') as image:
        assert image.size[0] > 500


def test_what_cannot_be_compared(run, tmp_path, capsys):
    for words, said in ((['--run', str(run), '--skip', '1'], '--run: must have three epochs or more to compare: 2'),
                        (['--run', str(tmp_path / 'none')], f'{tmp_path}/none')):
        with pytest.raises(SystemExit) as ended:
            critic_curve.main(words)
        error = capsys.readouterr().err
        assert ended.value.code == 1 and said in error and error.count('\n') == 1


@pytest.mark.parametrize('words, said', [
    (['--out', 'curve.xyz'], '--out: must end with .png: curve.xyz'),
    (['--out', 'data'], '--out: must end with .png: data'),
    (['--skip', '-1'], 'argument --skip: must be at least 0: -1')])
def test_bad_arguments(run, capsys, words, said):
    with pytest.raises(SystemExit) as ended:
        critic_curve.main(['--run', str(run), *words])
    assert ended.value.code == 2 and said in capsys.readouterr().err


def test_a_plot_in_a_folder(run, tmp_path, capsys):
    """The folder is made; where there can be none, a line says so."""
    critic_curve.main(['--run', str(run), '--out', str(tmp_path / 'new' / 'curve.png')])
    assert (tmp_path / 'new' / 'curve.png').is_file()
    with pytest.raises(SystemExit) as ended:
        critic_curve.main(['--run', str(run), '--out', str(tmp_path / 'new' / 'curve.png' / 'curve.png')])
    error = capsys.readouterr().err
    assert ended.value.code == 1 and error.startswith('critic_curve.py: ') and error.count('\n') == 1
