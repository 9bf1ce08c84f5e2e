"""The wheel, installed elsewhere: the command trains and predicts in an empty directory, far from any checkout."""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
LEFT_BY_INSTALLATION = shutil.ignore_patterns('*.so', '__pycache__', 'library_build.txt')
SOURCES = ('gluonzoo', 'src', 'setup.py', 'pyproject.toml', 'README.md', 'LICENSE', 'NOTICE', 'MANIFEST.in')


def run(*command, **options):
    done = subprocess.run(command, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=500, **options)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope='module')
def installed(tmp_path_factory):
    """The folder that the wheel has been installed into."""
    tree, place = tmp_path_factory.mktemp('tree'), tmp_path_factory.mktemp('installed')
    for name in SOURCES:
        path = REPOSITORY / name
        if path.is_dir():
            shutil.copytree(path, tree / name, ignore=LEFT_BY_INSTALLATION)
        else:
            shutil.copy(path, tree)
    run(sys.executable, '-m', 'pip', 'wheel', '-q', '--no-deps', '--no-build-isolation', '-w', 'wheels', '.', cwd=tree)
    wheel, = (tree / 'wheels').iterdir()
    assert '-py3-none-linux_' in wheel.name
    run(sys.executable, '-m', 'pip', 'install', '-q', '--no-deps', '--target', str(place), str(wheel), cwd=place)
    return place


def test_from_data_to_predictions(installed, tmp_path):
    environment = {**os.environ, 'PYTHONPATH': str(installed), 'OMP_NUM_THREADS': '1'}

    def gluonzoo(*words):
        return run(sys.executable, str(installed / 'bin' / 'gluonzoo'), *words, cwd=tmp_path, env=environment)

    where = run(sys.executable, '-c', 'import gluonzoo; print(gluonzoo.__file__, gluonzoo.ops.route())', cwd=tmp_path,
                env=environment).split()
    assert Path(where[0]).parents[1] == installed
    if any(map(shutil.which, ('c++', 'g++', 'clang++'))):
        assert where[1] in ('library', 'built-in')
    gluonzoo('data', 'pikachu', '--synthetic', '--train', '8', '--val', '2', '--size', '192')
    said = gluonzoo('train', 'dsod', '--small', '--data', 'data/pikachu', '--batch-size', '4', '--epochs', '1')
    assert 'runs/dsod_pikachu_small: best checkpoint step-00000002; ' in said
    (tmp_path / 'photos').mkdir()
    run(sys.executable, '-c', 'import cv2, numpy; cv2.imwrite("photos/a.png", numpy.zeros((50, 70, 3), "uint8"))',
        cwd=tmp_path, env=environment)
    gluonzoo('predict', '--run', 'runs/dsod_pikachu_small', '--images', 'photos')
    report, = json.loads((tmp_path / 'out' / 'predictions.json').read_text())['images']
    assert (report['width'], report['height']) == (70, 50) and (tmp_path / 'out' / 'a.jpg').exists()
    gluonzoo('report', 'runs/dsod_pikachu_small', '--no-evaluation', '--out', 'report.html')
    assert (tmp_path / 'report.html').read_text().startswith('<!DOCTYPE html>')
