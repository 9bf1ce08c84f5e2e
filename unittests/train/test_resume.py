"""Killed at any moment, a training goes on as if nothing had happened."""
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gluonzoo.train import Run
from gluonzoo.train.callbacks import read_scalars

HERE = Path(__file__).parent


@pytest.mark.parametrize('task', ['classify', 'forge'])
def test_killed_at_random_moments(tmp_path, task):
    """With shuffled data, dropout, batch normalisation, momentum or Adam, a schedule, an average of the weights, two
    trainers, and a checkpoint after every step: each loss, rate, metric and weight is the same to the last bit.
    """
    process = subprocess.run([sys.executable, HERE / 'toy_kills.py', tmp_path, '--task', task, '--every', '1'],
                             env={**os.environ, 'OMP_NUM_THREADS': '1'}, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    kills, writing = map(int, process.stdout.split())
    assert kills >= 3 and writing >= 1, 'try other moments'
    whole, broken = ([row for row in read_scalars(tmp_path / name / 'scalars.csv') if row[1] != 'data_wait']
                     for name in ('whole', 'broken'))
    assert [step for step, name, _ in whole if name.startswith('loss')][::{'classify': 1, 'forge': 2}[task]] == [
        *range(1, 19)]
    assert broken == whole
    last, other = (tmp_path / name / 'checkpoints' / 'step-00000018' for name in ('whole', 'broken'))
    for file in last.glob('*.safetensors'):
        assert file.read_bytes() == (other / file.name).read_bytes(), file.name
    assert not list(tmp_path.rglob('*.partial'))


def test_ctrl_c_in_a_script(tmp_path):
    """It need not catch anything to end with the right code."""
    command = [sys.executable, HERE / 'toy_job.py', tmp_path / 'run', '--epochs', '5000']
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, 'OMP_NUM_THREADS': '1'})
    while not process.stderr.readline().startswith('epoch 2/'):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    rest = process.communicate()[1].splitlines()
    assert process.returncode == 130
    step, = re.fullmatch(rf'stopped by a signal after step (\d+); saved in {tmp_path}/run, ready to be resumed',
                         rest[-1]).groups()
    assert Run.open(tmp_path / 'run').checkpoint().name == f'step-{int(step):08d}'
