"""gluonzoo/commands/errors.py and progress.py: what is said, and that it has a line of its own."""
import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

import cv2
import mxnet as mx
import numpy as np
import pytest

from gluonzoo.commands.errors import said_of


def test_errors_of_libraries_are_one_line():
    with pytest.raises(mx.MXNetError) as raised:
        mx.nd.dot(mx.nd.zeros((2, 3)), mx.nd.zeros((2, 3))).wait_to_read()
    said = said_of(raised.value)
    assert said in str(raised.value) and said and '\n' not in said
    with pytest.raises(cv2.error) as raised:
        cv2.resize(np.zeros((2, 2), 'uint8'), (0, 0))
    assert 'Assertion failed' in said_of(raised.value) and '\n' not in said_of(raised.value)


def test_memory():
    assert said_of(mx.MXNetError()) == 'MXNetError'
    assert said_of(MemoryError()) == 'there is not enough memory'
    assert said_of(MemoryError('Unable to allocate 1 GiB')) == 'there is not enough memory: Unable to allocate 1 GiB'


def test_control_characters_are_not_obeyed():
    error = FileNotFoundError(2, 'No such file', 'a\x1b[31m\r\udcff.jpg')
    assert said_of(error) == r'a\x1b[31m\r\udcff.jpg: No such file'
    assert said_of(ValueError('two\n  lines of Männer')) == 'two\n  lines of Männer'


def test_errors_of_ours_are_not_said():
    assert said_of(KeyError('x')) is None and said_of(RuntimeError('x')) is None


PROGRAM = '''
import sys, warnings
from tqdm import tqdm
from gluonzoo.commands import main, records

def run(args):
    for number in tqdm(range(9), 'work', leave=False):
        if number == 4:
            warnings.warn('odd')
        if number == 6:
            {end}

records.run = run
sys.exit(main.main(['records', '--from', 'voc', '--data', 'x', '--out', '/tmp/none']))
'''


@pytest.mark.parametrize('end, last', [('raise ValueError("bad")', 'gluonzoo records: bad'),
                                       ('raise KeyboardInterrupt', 'gluonzoo records: interrupted'),
                                       ('raise KeyError("bug")', "KeyError: 'bug'")], ids=['error', 'Ctrl-C', 'ours'])
@pytest.mark.parametrize('terminal', [True, False])
def test_what_is_said_is_beside_no_progress_bar(end, last, terminal, tmp_path):
    program = [sys.executable, '-c', PROGRAM.format(end=end)]
    if terminal:
        reader, writer = pty.openpty()
        fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0))
        subprocess.run(program, stderr=writer)
        os.close(writer)
        text = b''
        try:
            while part := os.read(reader, 4096):
                text += part
        except OSError:   # as Linux says that no writer is left
            pass
        os.close(reader)
    else:
        text = subprocess.run(program, stderr=subprocess.PIPE).stderr
    shown = [_seen(line) for line in text.decode().replace('\r\n', '\n').split('\n')]
    assert shown[-2:] == [last, '']
    warning, = [line for line in shown if 'odd' in line and 'Warning' in line]
    assert warning.endswith('UserWarning: odd') and 'work' not in warning
    for line in shown:
        assert 'work:' not in line or not any(word in line for word in ('gluonzoo', 'Error', 'Warning')), line


def _seen(line):
    """What stands in a line of a terminal at the end: after a carriage return, letters are written over others."""
    seen = ''
    for part in line.split('\r'):
        seen = part + seen[len(part):]
    return seen.rstrip()
