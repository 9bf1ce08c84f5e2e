"""What a stranger can do to a job: real processes, which talk over the loopback interface."""
import os
import pickle
import signal
import sys
from pathlib import Path

import pytest

from gluonzoo.train import launch as launcher

# A worker that has joined, and does what the test says.
WORKER = '''
import os, sys, time
sys.path.insert(0, sys.argv[1])
import zmtp
from gluonzoo.train import join
workers = join('dist_sync')
print('joined', flush=True)
{}
time.sleep(60)   # the job is ended before
'''


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(launcher, 'PATIENCE', 1)


def launch(capfd, doing, *words):
    """(exit code, what was printed) of a job with one worker."""
    command = [sys.executable, '-c', WORKER.format(doing), str(Path(__file__).parent), *map(str, words)]
    return launcher.launch(command, 1, threads=1), ''.join(capfd.readouterr())


class Payload:
    """Makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_pickle_in_a_command_is_not_run(tmp_path, capfd):
    content = pickle.dumps(Payload(tmp_path / 'run'), 0)   # a text without zeros, as MXNet sends optimizers
    (tmp_path / 'payload').write_bytes(content)
    code, out = launch(capfd, 'workers._store._send_command_to_servers(0, open(sys.argv[2]).read())',
                       tmp_path / 'payload')
    assert not (tmp_path / 'run').exists()
    assert code == 1 and '[server 0] parameter server: ends, since it takes no command 0.' in out, out
    pickle.loads(content)   # it would have been run
    assert (tmp_path / 'run').exists()


def test_optimizer_for_the_server_is_refused(capfd):
    """In silence the weights would be sums of gradients."""
    code, out = launch(capfd, 'import mxnet; workers._store.set_optimizer(mxnet.optimizer.SGD())')
    assert code == 1 and 'give gluon.Trainer update_on_kvstore=False' in out, out


@pytest.mark.parametrize('role', ['scheduler', 'server', 'worker'])
def test_junk_ends_the_job_with_a_message(capfd, role):
    port = {'scheduler': "int(os.environ['DMLC_PS_ROOT_PORT'])", 'worker': 'zmtp.listening(os.getpid())',
            'server': "zmtp.listening(zmtp.sibling(b'DMLC_ROLE=server'))"}[role]
    code, out = launch(capfd, f"line = zmtp.send({port}, b'junk')")
    assert code == 128 + signal.SIGABRT and 'failed to parse string into protobuf' in out, out
    member = role if role == 'scheduler' else f'{role} 0'
    assert f'launch: {member} ended with exit code 134 (SIGABRT): the job ends' in out
