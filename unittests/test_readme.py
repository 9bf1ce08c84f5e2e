"""README.md: what its Python does, that its commands exist, and that its files are there."""
import argparse
import importlib
import re
import shlex
from pathlib import Path

import cv2
import numpy as np
import pytest
from run_checks import draw, tiny

from gluonzoo.commands import train
from gluonzoo.commands.main import COMMANDS, main
from gluonzoo.recipes import dsod

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / 'README.md').read_text()
PYTHON = re.findall(r'^```python\n(.*?)^```$', README, re.M | re.S)


@pytest.fixture(scope='module')
def demo(tmp_path_factory):
    """A folder as make demo leaves one: demo/data, and demo/run of a tiny network."""
    folder = tmp_path_factory.mktemp('demo')
    draw('pikachu', folder / 'demo' / 'data', '--synthetic', '--train', '4', '--val', '2', '--size', '64')
    with tiny(dsod):
        assert main(['train', 'dsod', '--small', '--data', str(folder / 'demo' / 'data'), '--run',
                     str(folder / 'demo' / 'run'), '--epochs', '1', '--batch-size', '2']) == 0
    return folder


def test_python(demo, monkeypatch, capsys):
    monkeypatch.chdir(demo)
    cv2.imwrite('photo.jpg', np.zeros((40, 60, 3), 'uint8'))
    assert len(PYTHON) == 3   # predict, train, operators
    with tiny(dsod):
        for code in PYTHON:
            exec(code, {})
    assert cv2.imread('found.jpg').shape == (40, 60, 3) and (demo / 'runs' / 'mine' / 'settings.json').exists()


def test_commands():
    """Each has the arguments that the README gives it."""
    lines = [line for block in re.findall(r'^```\n(.*?)^```$', README, re.M | re.S) for line in block.splitlines()
             if line.startswith('gluonzoo ')]
    seen = set()
    for line in lines:
        _, command, *words = shlex.split(line, comments=True)
        seen.add(command)
        if command == 'train':
            assert train.parse(words[0], words[1:]).name == words[0]
        elif command != 'data':   # whose parsers are made of its own datasets: test_data.py
            module = importlib.import_module(f'gluonzoo.commands.{command}')
            parser = argparse.ArgumentParser()
            module.add_arguments(parser)
            parser.parse_args(words)
    assert seen == set(COMMANDS)


def test_files():
    linked = re.findall(r'\]\(([^)#:]+)\)', README)
    named = re.findall(r'`((?:gluonzoo|src|unittests|notes|scripts)/[\w./]+)`', README)
    for path in {*linked, *named} - {'gluonzoo/ops/library_build.txt'}:   # which an installation makes
        assert (ROOT / path).exists(), path
