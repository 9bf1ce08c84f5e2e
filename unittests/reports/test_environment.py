"""gluonzoo/reports/environment.py"""
import getpass
import platform
import socket

import mxnet as mx

from gluonzoo.reports.environment import _processor, environment


def test_what_it_says():
    found = dict(environment())
    assert found['MXNet'] == mx.__version__ and found['Python'] == platform.python_version()
    assert found['GPUs'] == str(mx.context.num_gpus()) and 'core' in found['processor']


def test_neither_host_nor_user_is_named():
    said = ' '.join(word for pair in environment() for word in pair).split()
    assert socket.gethostname() not in said and getpass.getuser() not in said


def test_the_processor(tmp_path):
    (tmp_path / 'proc').mkdir()
    (tmp_path / 'proc' / 'cpuinfo').write_text('processor\t: 0\nmodel name\t: Abacus 5\nmodel name\t: other\n')
    assert _processor(tmp_path) == 'Abacus 5'
    assert _processor(tmp_path / 'none') == platform.machine()
