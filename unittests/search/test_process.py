"""gluonzoo/search/process.py: processes that end well, badly, late, and with the search."""
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from gluonzoo.search import process
from gluonzoo.search.process import Training


def wait(training, seconds=20):
    end = time.monotonic() + seconds
    while not training.ended():
        assert time.monotonic() < end
        time.sleep(.01)
    return training


@pytest.fixture
def start(tmp_path):
    def start(program):
        return Training(['-S', '-c', program], tmp_path / 'log')
    return start


def test_ends_well(start, tmp_path):
    training = wait(start('import os, gluonzoo.reading; print(os.getcwd())'))
    assert training.well and training.signum == 0
    assert (tmp_path / 'log').read_text().strip() == os.getcwd()


@pytest.mark.parametrize('program, signum, reason', [
    ('import sys; sys.exit("gluonzoo train: a: is wrong")', 0, 'a: is wrong'), ('1 / 0', 0, 'ZeroDivisionError: '
                                                                                 'division by zero'),
    ('import os; os._exit(3)', 0, 'ended with the exit code 3, without a word'),
    ('import os, sys; sys.stderr.write("step 1\\n"); os.kill(os.getpid(), 9)', 9, 'ended by SIGKILL after: step 1'),
    ('import os; os.abort()', 6, 'ended by SIGABRT'), ('import sys; sys.exit(143)', 15, 'ended by SIGTERM'),
    ('import os; os.write(2, b"\\xff\\xfe no text"); os._exit(1)', 0, '\ufffd\ufffd no text'),
    ('import os; os.write(2, b"x" * 10 ** 6 + b"\\nend"); os._exit(1)', 0, 'end'),
    ('import os; os.write(2, b"\\x1b[31m" + b"y" * 10 ** 4); os._exit(1)', 0, '?[31m' + 'y' * 495)])
def test_ends_badly(start, program, signum, reason):
    training = wait(start(program))
    assert not training.well and training.signum == signum and training.reason() == reason


def test_the_log_is_continued(start, tmp_path):
    for word in 'one', 'two':
        wait(start(f'print({word!r})'))
    assert (tmp_path / 'log').read_text() == 'one\ntwo\n'
    (tmp_path / 'log').unlink()
    assert wait(start('1/0')).reason() and not (tmp_path / 'none').exists()


def test_stop(start):
    training = start('import signal, sys, time; signal.signal(15, lambda *_: sys.exit(143)); time.sleep(60)')
    time.sleep(.3)
    training.stop()
    training.stop()
    assert training.told and wait(training).signum == signal.SIGTERM


def test_who_does_not_heed_is_killed(start, monkeypatch, tmp_path):
    training = start('import signal, time; signal.signal(15, signal.SIG_IGN); print("deaf", flush=True); '
                     'time.sleep(60)')
    while 'deaf' not in (tmp_path / 'log').read_text():
        time.sleep(.01)
    training.stop()
    assert not training.ended()
    monkeypatch.setattr(process, 'GRACE', .2)
    assert wait(training).reason() == 'ended by SIGKILL after: deaf'


def test_what_cannot_be_started(tmp_path):
    with pytest.raises(OSError):
        Training(['-c', ''], tmp_path / 'none' / 'log')


def test_when_the_search_dies_its_trainings_save_and_end(tmp_path):
    """kill -9 of the search."""
    training = "import signal, sys, time; signal.signal(15, lambda *_: (print('saved'), sys.exit(143))); time.sleep(60)"
    search = subprocess.Popen([sys.executable, '-c', f'''
import pathlib, time
from gluonzoo.search.process import Training
training = Training(['-S', '-c', {training!r}], pathlib.Path({str(tmp_path / 'log')!r}))
print(training.pid, flush=True)
time.sleep(60)
'''], stdout=subprocess.PIPE, text=True)
    pid = int(search.stdout.readline())
    time.sleep(.5)
    os.kill(pid, 0)
    search.kill()
    search.wait()
    end = time.monotonic() + 10
    with suppress(ProcessLookupError):
        while time.monotonic() < end and 'Z' not in open(f'/proc/{pid}/stat').read().split()[2]:
            time.sleep(.02)
    assert (tmp_path / 'log').read_text() == 'saved\n'
