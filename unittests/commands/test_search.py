"""gluonzoo search: one real search from end to end, and what is refused before anything is trained."""
import csv
import json
import os
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from run_checks import check_error_is_one_line
from test_user_code import MY_NET, start_anew

import gluonzoo
from gluonzoo.commands import search
from gluonzoo.commands.from_arguments import make_settings
from gluonzoo.commands.main import main
from gluonzoo.commands.train import parse, recipe
from gluonzoo.search import database, directory
from gluonzoo.train.callbacks import read_scalars

RATE, SIZE = 'task.optimizer.learning_rate', 'fit.batch_size'
SPACE = ['--space', f'{RATE}=loguniform(1e-3,1)', '--space', f'{SIZE}=choice(2, 4)']
WORDS = ['my_net.py', '--width', '3', *SPACE, '--epochs', '2']
PROGRAM = [sys.executable, '-m', 'gluonzoo.commands.main']


@pytest.fixture(autouse=True)
def fresh(monkeypatch, tmp_path):
    """Each test is in a folder of its own, with my_net.py in it."""
    start_anew(monkeypatch)
    (tmp_path / 'my_net.py').write_text(MY_NET)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope='module')
def done(tmp_path_factory):
    """The folder of a search of four trials, and what has been said: (folder, stdout, stderr)."""
    folder = tmp_path_factory.mktemp('searched')
    (folder / 'my_net.py').write_text(MY_NET)
    process = subprocess.run([*PROGRAM, 'search', *WORDS, '--trials', '4', '--jobs', '2', '--keep-runs', '1'],
                             cwd=folder, capture_output=True, text=True, env=environment())
    assert process.returncode == 0, process.stderr
    return folder, process.stdout, process.stderr


def environment():
    return {**os.environ, 'PYTHONPATH': str(Path(gluonzoo.__file__).parents[1])}


def rows(folder):
    with open(folder / 'searches' / 'my_net' / 'trials.csv', newline='') as file:
        return list(csv.DictReader(file))


def settings_of(run):
    return comparable(json.loads((run / 'settings.json').read_text()))


def comparable(settings):
    """Settings without what a run adds, and without which file has registered things."""
    engine = {**settings['engine'], 'threads': None}
    return {**{key: value for key, value in settings.items() if key not in ('fingerprints', 'code')}, 'engine': engine}


# -- a whole search --------------------------------------------------------------------------------------------------

def test_the_trials(done):
    folder, said, told = done
    found = rows(folder)
    assert [row['trial'] for row in found] == ['0', '1', '2', '3'] and {row['state'] for row in found} == {'complete'}
    for row in found:
        run = folder / 'searches' / 'my_net' / f'trial-000{row["trial"]}'
        settings = settings_of(run)
        assert settings['task']['optimizer']['learning_rate'] == float(row[RATE])
        assert settings['fit']['batch_size'] == int(row[SIZE]) and settings['task']['net']['width'] == 3
        assert settings['fit']['epochs'] == 2
        values = [value for _, name, value in read_scalars(run / 'scalars.csv') if name == 'top1']
        assert float(row['value']) == max(values) and len(values) == 2
        assert f'trial {row["trial"]} begins: {RATE}={row[RATE]}, {SIZE}={row[SIZE]}\n' in told


def test_what_is_left(done):
    folder, said, _ = done
    path = folder / 'searches' / 'my_net'
    best = max(rows(folder), key=lambda row: (float(row['value']), -int(row['trial'])))['trial']
    assert [run.parent.name for run in sorted(path.glob('*/checkpoints'))] == [f'trial-000{best}']
    for name in 'history.png', 'importance.png':
        assert (path / name).read_bytes().startswith(b'\x89PNG') or f'{name}: not drawn: ' in said
    assert (path / 'trial-0000.log').stat().st_size > 0
    assert not list(path.glob('*.partial')) and not (folder / 'runs').exists()


def test_what_is_said(done):
    folder, said, _ = done
    lines = said.splitlines()
    assert lines[0] == 'searches/my_net: 4 trial(s): 4 complete'
    assert lines[1].split() == ['trial', 'top1', 'epoch', 'learning_rate', 'batch_size'] and len(lines) == 12
    found = {row['trial']: row for row in rows(folder)}
    values = [float(found[line.split()[0]]['value']) for line in lines[2:6]]
    assert values == sorted(values, reverse=True)


def test_the_best_as_a_command(done, monkeypatch):
    folder, said, _ = done
    monkeypatch.chdir(folder)
    command, = (line[len('best: '):] for line in said.splitlines() if line.startswith('best: '))
    program, train, what, *words = shlex.split(command)
    assert (program, train, what) == ('gluonzoo', 'train', 'my_net.py')
    run, = (folder / 'searches' / 'my_net').glob('*/checkpoints')
    assert comparable(make_settings(parse(what, words))) == settings_of(run.parent)


def test_the_best_as_a_recipe(done, monkeypatch, tmp_path):
    folder, _, _ = done
    best = folder / 'searches' / 'my_net' / 'best.py'
    run, = (folder / 'searches' / 'my_net').glob('*/checkpoints')
    wanted = settings_of(run.parent)
    assert comparable(recipe(str(best))) == wanted
    longer = comparable(recipe(str(best), epochs=5, seed=7))
    assert longer == {**wanted, 'fit': {**wanted['fit'], 'epochs': 5, 'seed': 7}}
    assert main(['train', str(best)]) == 0   # in another folder, and with a file that is registered already
    assert settings_of(tmp_path / 'runs' / 'my_net_best') == wanted
    again = subprocess.run([*PROGRAM, 'evaluate', '--run', 'runs/my_net_best', '--code', str(best)],
                           capture_output=True, text=True, env=environment())
    assert again.returncode == 0 and 'top1' in again.stdout + again.stderr, again.stderr


def test_the_same_command_goes_on(done, monkeypatch, capsys):
    folder, said, _ = done
    monkeypatch.chdir(folder)
    before = (folder / 'searches' / 'my_net' / 'trials.csv').read_text()
    assert main(['search', *WORDS, '--trials', '3', '--keep-runs', '1']) == 0
    assert capsys.readouterr() == (said, '')
    assert (folder / 'searches' / 'my_net' / 'trials.csv').read_text() == before


@pytest.mark.parametrize('words, said', [
    ([*WORDS, '--lr', '2'], 'arguments: --width 3 --epochs 2 then, --width 3 --epochs 2 --lr 2 now'),
    (['my_net.py', '--width', '3', *SPACE[:2], '--epochs', '2'],
     'space: fit.batch_size=choice(2, 4) then, nothing more now')])
def test_another_search_in_the_same_place(done, monkeypatch, capsys, words, said):
    folder, _, _ = done
    monkeypatch.chdir(folder)
    start = 'gluonzoo search: searches/my_net/study.db: is a study of something else: '
    check_error_is_one_line(['search', *words], start, capsys)
    assert main(['search', *words]) == 1 and said in capsys.readouterr().err


def test_another_file_of_the_same_name(done, monkeypatch, capsys, tmp_path):
    folder, _, _ = done
    (tmp_path / 'my_net.py').write_text(MY_NET + '\n# changed\n')
    check_error_is_one_line(['search', *WORDS, '--out', str(folder / 'searches' / 'my_net')],
                            f'gluonzoo search: {folder}/searches/my_net/study.db: is a study of something else: recipe',
                            capsys)


def test_a_new_study_in_the_place_of_another(done, monkeypatch, capsys):
    folder, _, _ = done
    monkeypatch.chdir(folder)
    check_error_is_one_line(['search', *WORDS, '--study', 'sqlite:///new.db'],
                            'gluonzoo search: searches/my_net: has trials of another study; take another --out', capsys)
    assert not (folder / 'new.db').exists()


def test_one_study_in_two_places(done, monkeypatch, capsys):
    folder, _, _ = done
    monkeypatch.chdir(folder)
    there = folder / 'searches' / 'my_net'
    check_error_is_one_line(['search', *WORDS, '--study', f'sqlite:///{there}/study.db', '--out', 'other'],
                            f'gluonzoo search: {there}/study.db: its trials lie in {there}; --out {there} goes on ',
                            capsys)
    assert not (folder / 'other').exists()


# -- a search that is interrupted ------------------------------------------------------------------------------------

def test_a_search_that_is_killed_or_interrupted(tmp_path):
    """After kill -9, its training saves, and goes on with the next search. So does a search after Ctrl-C."""
    place = directory.Directory(tmp_path / 'searches' / 'my_net')
    scalars = place.run(0) / 'scalars.csv'
    words = [*PROGRAM, 'search', *WORDS[:3], *SPACE[:2], '--epochs', '400', '--trials', '1']

    def ended_by(signum, shown, file):
        """Starts the search, ends it by a signal when a file has what is to be shown, and returns what it has said."""
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())
        wait_until(lambda: process.poll() is not None or file.exists() and shown in file.read_bytes())
        process.send_signal(signum)
        told = process.communicate(timeout=60)[1]
        assert process.returncode == (130 if signum == signal.SIGINT else -signum), told
        wait_until(lambda: not place.is_trained(0))
        return told

    ended_by(signal.SIGKILL, b'top1', scalars)
    before = losses(scalars)
    told = ended_by(signal.SIGINT, b'resumed after step', place.log(0))
    assert told.startswith('trial 0 goes on after ')
    assert told.endswith('gluonzoo search: stopped, and saved in searches/my_net; the same command goes on\n')
    after = losses(scalars)
    assert after[:len(before)] == before and [step for step, _ in after] == list(range(1, len(after) + 1))
    assert len(after) > len(before) > 0


def wait_until(condition, seconds=90):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(.02)


def losses(scalars):
    return [(step, value) for step, name, value in read_scalars(scalars) if name == 'loss']


# -- what is refused ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('words, said', [
    ([], '--space: says nothing to search; such as '),
    (['--space', 'task.optimizer.learning_rat=uniform(0,1)'],
     '--space: task.optimizer.learning_rat: unknown; there are task.optimizer.learning_rate'),
    (['--space', 'tsk.size=int(8,16)'], '--space: tsk: unknown; there are task'),
    (['--space', 'fit.batch_size=uniform(2,4)'], '--space: fit.batch_size: must be a whole number'),
    (['--space', 'fit.batch_size=int(0,4)'], '--space: fit.batch_size: must be a whole number, at least 1: 0'),
    (['--space', 'fit.ema=uniform(0.9,1.5)'], '--space: fit.ema: must be a number from 0 to 1, or an object with '),
    (['--space', 'fit.ema=choice(null,0.9,much)'], "--space: fit.ema: must be a number"),
    (['--space', 'task.net.width=choice(4,wide)'], '--space: task.net.width: must be '),
    (['--space', 'fit.seed=int(1,2) if fit.workers==1'], '--space: fit.seed: the condition on fit.workers needs'),
    (['--space', 'fit.seed=loguniform(0,2)'], '--space: fit.seed: loguniform: a logarithm needs a low end above 0'),
    (['--space', 'fit.batch_size=choice(2,4)', '--batch-size', '2'],
     '--space: a trial with fit.batch_size=4 cannot be trained: --set: fit.batch_size=4: --batch-size says 2'),
    (['--space', f'{RATE}=uniform(0,1)', '--set', f'{RATE}=1'], f'--set: {RATE}=1: is searched, too'),
    (['--space-file', 'none.txt'], 'none.txt: No such file or directory'),
    (['--space-file', 'my_net.py'], "my_net.py:2: must be like 'fit.batch_size=choice(8, 16)': "),
    (['--space-file', '.'], '.: is a folder; must be an ordinary file'),
    ([*SPACE, '--study', 'search.db'], '--study: must be sqlite:///FILE, such as sqlite:///search.db'),
    ([*SPACE, '--study', 'sqlite:///my_net.py'], 'my_net.py: is no SQLite database'),
    ([*SPACE, '--study', 'sqlite:///.'], '.: is a folder; must be an ordinary file'),
    ([*SPACE, '--set', 'task.optimizer.name=sdg', '--set', 'task.size=0'], '--set: task.size: must be'),
    ([*SPACE, '--weights', 'a', '--weights', 'b'], '--weights: net has two: '),
    ([*SPACE, '--threads', '99999'], '--threads: must be a whole number from 1 to ')])
def test_what_leaves_nothing(words, said, capsys, tmp_path):
    check_error_is_one_line(['search', 'my_net.py', *words], f'gluonzoo search: {said}', capsys)
    assert {path.name for path in tmp_path.iterdir()} <= {'my_net.py', '__pycache__'}


def test_a_locked_study(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(database, 'WAIT', .1)
    database.open_storage(tmp_path / 'search.db')
    with closing(sqlite3.connect(tmp_path / 'search.db', isolation_level=None)) as other:
        other.execute('BEGIN EXCLUSIVE')
        check_error_is_one_line(['search', *WORDS, '--study', 'sqlite:///search.db'],
                                'gluonzoo search: search.db: the database is locked by another program\n', capsys)
    assert not (tmp_path / 'searches' / 'my_net').exists()


@pytest.mark.parametrize('what, said', [('dsot', "recipe: unknown 'dsot'; there are dsod, or a file of your own"),
                                        ('none.py', '')])
def test_recipes_that_are_not_there(what, said, capsys):
    check_error_is_one_line(['search', what, *SPACE], f'gluonzoo search: {said}', capsys)


@pytest.mark.parametrize('words, said', [
    (['--run', 'a'], '--run: is of a single training; of a search it is --out'),
    (['--resume'], '--resume: is of a single training; of a search it is the same command, which goes on by itself'),
    (['--trials', '0'], 'argument --trials: must be at least 1: 0'), (['--jobs', 'x'], 'argument --jobs: '),
    (['--pruner', 'hyperband'], "invalid choice: 'hyperband'"), (['--wide', '3'], 'unrecognized arguments: --wide 3'),
    (['--keep-runs', '-1'], 'argument --keep-runs: must be at least 0: -1')])
def test_arguments(words, said, capsys):
    with pytest.raises(SystemExit) as ended:
        main(['search', 'my_net.py', *SPACE, *words])
    error = capsys.readouterr().err
    assert ended.value.code == 2 and said in error and 'gluonzoo search my_net.py' in error


def test_an_argument_of_the_users_own_that_the_search_has_too(tmp_path, capsys):
    (tmp_path / 'my_net.py').write_text(MY_NET.replace('--width', '--jobs'))
    with pytest.raises(SystemExit):
        main(['search', 'my_net.py', *SPACE])
    assert '--jobs: is of the search and of my_net.py: it needs another name there' in capsys.readouterr().err


def test_help(capsys):
    for words, said in ((['search', '--help'], ['usage: gluonzoo search RECIPE|FILE.py --space', '--keep-runs',
                                                'notes/search.md']),
                        (['search', 'my_net.py', '--help'], ['Tells dark squares from light ones.', '--width'])):
        with pytest.raises(SystemExit) as ended:
            main(words)
        out = capsys.readouterr().out
        assert ended.value.code == 0 and all(each in out for each in said)


def test_options_before_the_recipe(monkeypatch):
    class Search:
        def __init__(self, *found):
            searches.append(found)

        def run(self):
            pass

    searches = []
    monkeypatch.setattr(search, '_Search', Search)
    words = ['--trials', '7', *SPACE[:2], 'my_net.py', '--', *SPACE[2:], '--width', '2', '--seed', '5']
    assert main(['search', *words]) == 0
    (args, job), = searches
    assert (args.trials, args.seed, job.space.paths, job.words) == (7, 5, [RATE, SIZE], ['--width', '2'])


def test_a_full_disk_costs_tables_and_no_trial(monkeypatch, capsys):
    def full(study):
        raise OSError(28, 'No space left on device', 'trials.csv')

    one = search._Search.__new__(search._Search)
    monkeypatch.setattr(one, '_write_tables', full, raising=False)
    one._write_meanwhile(None)
    assert capsys.readouterr().err == 'trials.csv: No space left on device; written again after the next trial\n'


def test_without_optuna(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, 'optuna', None)
    said = "gluonzoo search: a search needs Optuna: pip install 'gluonzoo[search]'"
    check_error_is_one_line(['search', *WORDS], said, capsys)


@pytest.mark.parametrize('jobs, threads, free, given', [
    (1, None, 6, 6), (2, None, 6, 3), (4, None, 6, 1), (9, None, 6, 1), (2, 5, 6, 5), (1, None, 4, 4), (2, None, 4, 3)])
def test_the_cores_are_shared_out(monkeypatch, capsys, jobs, threads, free, given):
    monkeypatch.setattr(search.cores, 'physical_cores', lambda: 6)
    monkeypatch.setattr(search.runtime, 'threads', lambda: free)
    args = search.argparse.Namespace(jobs=jobs, threads=threads)
    assert search._Search._threads(search.argparse.Namespace(_args=args)) == given
    assert ('9 trainings at a time on 6 core(s)' in capsys.readouterr().err) == (jobs == 9)


def test_the_words_of_a_trial(monkeypatch, tmp_path):
    monkeypatch.setattr(search.cores, 'physical_cores', lambda: 6)
    words = search._Job('my_net.py', ['--width', '2'], [f'{RATE}=uniform(0, 1)']).process(3)
    start = ['-m', 'gluonzoo.commands.main', 'train', 'my_net.py', '--width', '2', '--run', str(tmp_path), '--threads']
    assert words(tmp_path, ['a=1', 'b="c d"'], False) == [*start, '3', '--set', 'a=1', '--set', 'b="c d"']
    for begun, used in (5, '5'), (7, '3'), (None, '3'):   # a run keeps its number, if there are so many cores
        (tmp_path / 'settings.json').write_text(json.dumps({'engine': {'threads': begun}}))
        assert words(tmp_path, ['a=1'], True) == [*start, used, '--resume', '--set', 'a=1']
