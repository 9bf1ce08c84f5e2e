"""gluonzoo/train/environment.py: what a run says it is trained with."""
import getpass
import json
import platform
import socket
from types import SimpleNamespace

import mxnet as mx
import pytest
from full_disk import full_disk

from gluonzoo.reading import FileError
from gluonzoo.train import CheckpointError
from gluonzoo.train.environment import Environment, _processor, environment, read_environment


def test_what_it_says():
    found = environment()
    assert found['MXNet'] == mx.__version__ and found['Python'] == platform.python_version()
    assert found['GPUs'] == str(mx.context.num_gpus()) and 'core' in found['processor']


def test_how_many_threads_compute(monkeypatch):
    monkeypatch.setattr('gluonzoo.runtime.threads', lambda: 77)
    assert environment()['processor'].endswith(', of which 77 compute')


def test_neither_host_nor_user_is_named():
    said = ' '.join(word for pair in environment().items() for word in pair).split()
    assert socket.gethostname() not in said and getpass.getuser() not in said


def test_the_processor(tmp_path):
    (tmp_path / 'proc').mkdir()
    (tmp_path / 'proc' / 'cpuinfo').write_text('processor\t: 0\nmodel name\t: Abacus 5\nmodel name\t: other\n')
    assert _processor(tmp_path) == 'Abacus 5'
    assert _processor(tmp_path / 'none') == platform.machine()


def test_written_and_read(tmp_path):
    assert read_environment(tmp_path) is None
    callback = Environment()
    callback.on_start(SimpleNamespace(run=SimpleNamespace(directory=tmp_path)))
    assert read_environment(tmp_path) == environment() and callback.missing() == ''


def test_a_full_disk(tmp_path):
    callback = Environment()
    with full_disk(10), pytest.raises(CheckpointError):
        callback.on_start(SimpleNamespace(run=SimpleNamespace(directory=tmp_path)))
    assert callback.missing() == 'environment.json is not written' and not list(tmp_path.iterdir())


@pytest.mark.parametrize('content', ['', '[]', '{"MXNet": 1}', '{"a": "b"', json.dumps({'a': 'b' * 70000})])
def test_another_file(tmp_path, content):
    (tmp_path / 'environment.json').write_text(content)
    with pytest.raises(FileError, match='environment.json: '):
        read_environment(tmp_path)
