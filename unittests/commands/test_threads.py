"""A run keeps its number of threads; the user may choose it; and what the user may not expect is said."""
import json
import shutil
import subprocess
import sys

import pytest
from run_checks import draw, tiny

import gluonzoo
from gluonzoo.commands import threads
from gluonzoo.commands.main import main
from gluonzoo.recipes import dsod


@pytest.fixture
def run_of(tmp_path):
    """Writes the settings.json of a run that was begun with so many threads."""
    def write(number):
        (tmp_path / 'settings.json').write_text(json.dumps({'engine': {'threads': number}}))
        return tmp_path
    return write


@pytest.mark.parametrize('number, found', [(3, 3), (None, None), (0, None), (True, None), ('2', None), (2.0, None)])
def test_threads_of_a_run(run_of, number, found):
    assert threads.begun_with(run_of(number)) == found


@pytest.mark.parametrize('text', ['', 'null', '[]', '{}', '{"engine": null}', '{"engine": {}}', 10 ** 5 * '['])
def test_runs_without_a_number(tmp_path, text):
    assert threads.begun_with(tmp_path / 'absent') is None
    (tmp_path / 'settings.json').write_text(text)
    assert threads.begun_with(tmp_path) is None


@pytest.fixture
def open_choice(monkeypatch):
    """A process on 4 cores in which nobody has chosen. Returns what is chosen."""
    used = []
    monkeypatch.setattr(threads, 'physical_cores', lambda: 4)
    monkeypatch.setattr(threads.runtime, 'may_choose_threads', lambda: True)
    monkeypatch.setattr(threads.runtime, 'use_threads', used.append)
    return used


@pytest.mark.parametrize('number, used', [(3, [3]), (4, [4]), (5, []), (None, [])])
def test_a_run_goes_on_with_its_threads(run_of, open_choice, number, used):
    threads.use_of_run(run_of(number))
    assert open_choice == used


def test_the_users_choice_comes_before_the_runs(run_of, open_choice, monkeypatch):
    monkeypatch.setattr(threads.runtime, 'may_choose_threads', lambda: False)
    threads.use_of_run(run_of(3))
    assert open_choice == []


@pytest.mark.parametrize('words, used', [
    (['--data', 'x', '--threads', '2'], [2]), (['--threads=3', '--small'], [3]), (['--data', 'x'], []),
    (['--threads'], []), (['--threads', 'many'], []), (['--threads', '-1'], []), (['--', '--threads', '2'], [2]),
])
def test_words_of_a_training(open_choice, words, used):
    threads.use_as_said(words)
    assert open_choice == used


@pytest.mark.parametrize('before, left, said', [
    (None, 0, ''), (1, 0, ''),
    (1, 1, '1 of 4 cores are in use by others: MXNet computes with 1 thread(s); --threads says otherwise\n'),
    (3, 1, 'the run was begun with 3 thread(s) and goes on with 1: numbers may differ in their last digits\n'),
])
def test_what_is_said(monkeypatch, capsys, before, left, said):
    monkeypatch.setattr(threads, 'physical_cores', lambda: 4)
    monkeypatch.setattr(threads.runtime, 'threads', lambda: 1)
    monkeypatch.setattr(threads.runtime, 'cores_left_to_others', lambda: left)
    threads.tell(before)
    assert capsys.readouterr() == ('', said)


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """(data, run) of a tiny training."""
    directory = tmp_path_factory.mktemp('threads')
    data = draw('pikachu', directory / 'data', '--synthetic', '--train', '8', '--val', '2', '--size', '64')
    with tiny(dsod):
        assert main(['train', 'dsod', '--small', '--data', str(data), '--run', str(directory / 'run')]) == 0
    return data, directory / 'run'


def test_a_run_has_its_number_of_threads(trained, tmp_path, capsys):
    """Another number does not forbid to resume; this process cannot change its own."""
    data, run = trained
    settings = json.loads((run / 'settings.json').read_text())
    assert settings['engine']['threads'] == gluonzoo.runtime.threads()
    shutil.copytree(run, tmp_path / 'run')
    settings['engine']['threads'] = 77
    (tmp_path / 'run/settings.json').write_text(json.dumps(settings))
    words = ['train', 'dsod', '--small', '--data', str(data), '--run', str(tmp_path / 'run'), '--resume']
    with tiny(dsod):
        assert main(words) == 0
    assert 'the run was begun with 77 thread(s)' in capsys.readouterr().err
    assert json.loads((tmp_path / 'run/settings.json').read_text())['engine']['threads'] == gluonzoo.runtime.threads()
    with tiny(dsod):
        assert main([*words, '--threads', '10000']) == 1
    assert 'threads: must be a whole number from 1 to' in capsys.readouterr().err


def test_evaluation_takes_the_number(trained):
    data, run = trained
    program = f'''
import sys
import gluonzoo.commands.main as main
assert main.main(['evaluate', '--run', {str(run)!r}, '--threads', '1']) == 0
print(main.runtime.threads(), sys.modules['mxnet'].__name__)
'''
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, '1 mxnet'), done.stderr


def test_threads_by_their_path(open_choice):
    threads.use_as_said(['--set', 'task.loss=paper', '--set', 'engine.threads=2'])
    assert open_choice == [2]


def test_a_resumed_run_of_ones_own_file_keeps_its_threads(run_of, open_choice):
    """Before the file is executed, which imports MXNet."""
    threads.use_as_said(['--resume'], run_of(3))
    threads.use_as_said(['--resume', '--run', str(run_of(3))])
    threads.use_as_said(['--run', str(run_of(3))])
    threads.use_as_said(['--resume', '--run', str(run_of(3)), '--threads', '1'])
    assert open_choice == [3, 3, 1]


def test_settings_of_a_run_ask_for_no_threads(trained, tmp_path, capsys):
    """A run is resumed in Python by its own settings, whatever threads MXNet has here."""
    data, run = trained
    shutil.copytree(run, tmp_path / 'run')
    settings = json.loads((run / 'settings.json').read_text())
    settings['engine']['threads'] = 77
    (tmp_path / 'run/settings.json').write_text(json.dumps(settings))
    gluonzoo.run_training(settings, tmp_path / 'run', resume=True)
    assert 'the run was begun with 77 thread(s)' in capsys.readouterr().err
