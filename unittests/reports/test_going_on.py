"""gluonzoo/reports/going_on.py: the commands are such as a shell takes, whatever the run is called."""
import argparse
import importlib
import json
import os
import shlex
import subprocess
import sys

import pytest

from gluonzoo.reports.going_on import commands

SETTINGS = {'fit': {'epochs': 3}}
NAMES = ['plain', "it's $HOME; `rm` \"x\" *", '--run', 'two\nlines']


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.parametrize('epochs, said, longest', [(2, 'train on', 3), (3, 'train to epoch 6', 6)])
def test_training_goes_on(tmp_path, name, epochs, said, longest):
    """By a shell, with a gluonzoo that says what it is told."""
    run = tmp_path / name
    run.mkdir()
    (run / 'settings.json').write_text(json.dumps(SETTINGS))
    (tmp_path / 'gluonzoo.py').write_text('def run_training(*args, **how): import json; print(json.dumps([args, how]))')
    what, command = commands(run, SETTINGS, epochs)[0]
    assert what == said
    told = subprocess.run(['sh', '-c', command.replace('python', sys.executable, 1)], capture_output=True, text=True,
                          env={**os.environ, 'PYTHONPATH': str(tmp_path)}, cwd='/')
    assert told.stderr == ''
    assert json.loads(told.stdout) == [[{'fit': {'epochs': longest}}, str(run)], {'resume': True}]


def test_with_code_of_the_users_own(tmp_path):
    found = commands(tmp_path, {**SETTINGS, 'code': {'file': "my'net.py", 'sha256': ''}}, 1)
    copy = str(tmp_path / 'code' / "my'net.py")
    assert shlex.split(found[0][1])[3:] == [str(tmp_path), copy] and 'code=sys.argv[2]' in found[0][1]
    for _, command in found[1:]:
        assert shlex.split(command)[-5:-3] == ['--code', copy] or '--code' in command


def test_of_a_task_that_is_not_exported(tmp_path):
    assert [what for what, _ in commands(tmp_path, SETTINGS, 1, exports=False)] == ['train on', 'evaluate', 'predict']


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.parametrize('makes, wanted', [(False, ['evaluate', 'predict', 'export']),
                                           (True, ['evaluate', 'sample', 'export'])])
def test_the_other_commands_take_these_words(tmp_path, name, makes, wanted):
    seen = []
    for _, command in commands(tmp_path / name, SETTINGS, 1, makes)[1:]:
        program, which, *words = shlex.split(command)
        parser = argparse.ArgumentParser()
        importlib.import_module(f'gluonzoo.commands.{which}').add_arguments(parser)
        assert program == 'gluonzoo' and parser.parse_args(words).run == tmp_path / name
        seen.append(which)
    assert seen == wanted
