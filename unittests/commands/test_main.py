"""gluonzoo/commands/main.py: the help, the exit codes, and what a command may raise."""
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import gluonzoo
from gluonzoo.commands import records
from gluonzoo.commands.main import COMMANDS, door, main
from gluonzoo.data.annotations import AnnotationError
from gluonzoo.data.fetch.archives import ArchiveError
from gluonzoo.data.fetch.dataset_folder import DatasetError
from gluonzoo.data.fetch.download import ChecksumError, DownloadError
from gluonzoo.train import CheckpointError, TrainingError

WORDS = ['records', '--from', 'voc', '--data', 'x', '--out', '/tmp/none']


def test_alone_it_shows_its_commands(capsys):
    assert main([]) == 0
    said = capsys.readouterr().out
    for name in COMMANDS:
        assert f'\n    {name} ' in said


@pytest.mark.parametrize('words', [['nothing'], ['data'], ['records', '--from']])
def test_words_that_are_wrong(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2 and 'usage: gluonzoo ' in capsys.readouterr().err


@pytest.mark.parametrize('error, line', [
    (ValueError('size: 0'), 'size: 0'), (AnnotationError('a.xml: no'), 'a.xml: no'),
    (DatasetError('out: no'), 'out: no'), (ArchiveError('broken'), 'broken'), (DownloadError('away'), 'away'),
    (ChecksumError('another'), 'another'), (CheckpointError('run: damaged'), 'run: damaged'),
    (TrainingError('step 3: loss is nan'), 'step 3: loss is nan'),
    (FileNotFoundError('a/b: no such file'), 'a/b: no such file'),
    (FileNotFoundError(2, 'No such file or directory', 'a/b'), 'a/b: No such file or directory')])
def test_what_is_the_users_to_mend_is_one_line(error, line, monkeypatch, capsys):
    def run(args):
        raise error

    monkeypatch.setattr(records, 'run', run)
    assert main(WORDS) == 1
    assert capsys.readouterr() == ('', f'gluonzoo records: {line}\n')


def test_what_is_ours_to_mend_is_not_hidden(monkeypatch):
    monkeypatch.setattr(records, 'run', lambda args: {}['missing'])
    with pytest.raises(KeyError):
        main(WORDS)


def test_ctrl_c_is_one_line(monkeypatch, capsys):
    def run(args):
        raise KeyboardInterrupt

    monkeypatch.setattr(records, 'run', run)
    assert main(WORDS) == 130
    assert capsys.readouterr() == ('', 'gluonzoo records: interrupted\n')


def test_letters_that_stdout_lacks(tmp_path):
    """Names of files need be no text at all, and terminals have encodings: nothing is lost for a line that is printed.
    """
    program = ('import sys; from gluonzoo.commands import main, records; '
               r"records.run = lambda args: print('L\xf6we \udcff \u732b'); sys.exit(main.main(sys.argv[1:]))")
    done = subprocess.run([sys.executable, '-c', program.replace('\\\\', '\\'), *WORDS], capture_output=True,
                          env={**os.environ, 'PYTHONIOENCODING': 'latin-1:strict'})
    assert done.returncode == 0 and done.stdout == b'L\xf6we \\udcff \\u732b\n', done.stderr


@pytest.mark.parametrize('returned, code', [(None, 0), (0, 0), (3, 3)])
def test_exit_codes(returned, code, monkeypatch):
    monkeypatch.setattr(records, 'run', lambda args: returned)
    assert main(WORDS) == code
    monkeypatch.setattr(sys, 'argv', ['make_rec.py', *WORDS[1:]])
    with pytest.raises(SystemExit) as ended:
        door('records')
    assert ended.value.code == code


def test_help_imports_nothing_heavy():
    """The modules of the commands and recipes alone: the package above them has its own test."""
    package = Path(gluonzoo.__file__).parent
    program = f'''
import sys, types
for name, path in (('gluonzoo', {str(package)!r}), ('gluonzoo.commands', {str(package / 'commands')!r})):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [path]
from gluonzoo.commands.main import main
main([])
heavy = 'mxnet', 'gluoncv', 'numpy', 'cv2', 'PIL', 'tqdm', 'requests'
found = [name for name in sys.modules if name.startswith(heavy)]
light = 'gluonzoo.commands', 'gluonzoo.recipes', 'gluonzoo.runtime', 'gluonzoo.cores', 'gluonzoo.reading'
found += [name for name in sys.modules if name.startswith('gluonzoo.') and not name.startswith(light)]
assert not found, found
'''
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_reader_that_has_seen_enough():
    """As in gluonzoo data --help | head -1, with much to say."""
    code = ("import sys; from gluonzoo.commands import main, records\n"
            "records.run = lambda args: [print('line', flush=True) for _ in range(100000)] and None\n"
            "sys.exit(main.main(['records', '--from', 'voc', '--data', 'x', '--out', '/tmp/none']))")
    done = subprocess.run(f"{sys.executable} -c {shlex.quote(code)} | head -1; echo ${{PIPESTATUS[0]}}", shell=True,
                          executable='/bin/bash', capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ('line\n0\n', '')


def test_a_model_without_a_name(tmp_path, capsys):
    (tmp_path / 'a.jpg').touch()
    assert main(['predict', '--model', '', '--weights', str(tmp_path), '--images', str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("gluonzoo predict: unknown model ''; known: ") and said.count('\n') == 1


def test_what_is_more_than_the_memory_is_one_line(tmp_path, capsys):
    """Of NumPy, before it takes any."""
    words = ['data', 'pairs', '--synthetic', '--train', '1', '--val', '1', '--size', '99999999', '--out',
             str(tmp_path / 'a')]
    assert main(words) == 1
    *_, said = capsys.readouterr().err.splitlines()   # after a progress bar
    assert said.startswith('gluonzoo data: there is not enough memory: Unable to allocate ')
