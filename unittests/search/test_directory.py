"""gluonzoo/search/directory.py"""
import fcntl
import os
import subprocess
import sys

import pytest

from gluonzoo.search.directory import Directory


@pytest.fixture
def directory(tmp_path):
    return Directory(tmp_path / 'a' / 'search')


def test_places(directory):
    assert directory.run(7).name == 'trial-0007' and directory.log(12345).name == 'trial-12345.log'
    with directory.used():
        assert not directory.has_trials() and not directory.has_run(7)
        directory.run(7).mkdir()
        assert directory.has_trials() and not directory.has_run(7)
        (directory.run(7) / 'settings.json').touch()
        assert directory.has_run(7)


def test_one_search_at_a_time(directory):
    with directory.used():
        program = (f'from pathlib import Path; from gluonzoo.search.directory import Directory\n'
                   f'with Directory(Path({str(directory.path)!r})).used(): pass')
        done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True)
        assert done.stderr.endswith(f'ValueError: {directory.path}: another search is at work here\n')
    assert subprocess.run([sys.executable, '-c', program]).returncode == 0


def test_an_error_leaves_what_was_there(directory, tmp_path):
    with pytest.raises(KeyError), directory.used():
        raise KeyError
    assert not list(tmp_path.iterdir())
    with pytest.raises(KeyError), directory.used():
        (directory.path / 'file').touch()
        raise KeyError
    assert (directory.path / 'file').exists()
    (directory.path / 'file').unlink()
    with pytest.raises(KeyError), directory.used():
        raise KeyError
    assert directory.path.exists()   # it was there before


def test_a_run_in_which_somebody_trains(directory):
    assert not directory.is_trained(0)
    directory.run(0).mkdir(parents=True)
    lock = os.open(directory.run(0) / 'lock', os.O_CREAT | os.O_RDWR)
    assert not directory.is_trained(0)
    fcntl.flock(lock, fcntl.LOCK_EX)
    assert directory.is_trained(0)
    os.close(lock)
    assert not directory.is_trained(0)


def test_checkpoints_go_and_records_stay(directory, tmp_path):
    run = directory.run(3)
    (run / 'checkpoints' / 'step-00000001').mkdir(parents=True)
    for name in 'scalars.csv', 'settings.json', 'checkpoints/step-00000001/net.safetensors':
        (run / name).write_text('x')
    assert directory.remove_checkpoints(3) == '' == directory.remove_checkpoints(4)
    assert sorted(path.name for path in run.iterdir()) == ['scalars.csv', 'settings.json']


def test_checkpoints_elsewhere_are_not_followed(directory, tmp_path):
    (tmp_path / 'mine').mkdir()
    (tmp_path / 'mine' / 'file').touch()
    directory.run(3).mkdir(parents=True)
    (directory.run(3) / 'checkpoints').symlink_to(tmp_path / 'mine')
    assert 'checkpoints' in directory.remove_checkpoints(3)
    assert (tmp_path / 'mine' / 'file').exists()
