"""Training with two workers, a server and a scheduler: real processes, which talk over the loopback interface."""
import re
import signal
import sys
import time
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest
import toys

from gluonzoo.train import EMA, Run, fit, join
from gluonzoo.train import launch as launcher
from gluonzoo.train.callbacks import read_scalars

SCRIPT = Path(__file__).parent / 'toy_job.py'


def launch(capfd, *command):
    """(exit code, what was printed)"""
    code = launcher.launch([sys.executable, *map(str, command)], 2, threads=1)
    return code, ''.join(capfd.readouterr())


def arguments(directory, *others):
    """Of toy_job, for a run in a directory."""
    directory.mkdir(exist_ok=True)
    return directory / 'run', '--kvstore', 'dist_sync', '--dump', directory, *others


def weights(directory):
    """Those that each worker ended with, by rank; they must be equal to the last bit."""
    first, second = (dict(np.load(directory / f'{rank}.npz')) for rank in range(2))
    assert first.keys() == second.keys()
    for name, array in first.items():
        assert np.array_equal(array, second[name]), name
    return first


def losses(directory):
    return [row for row in read_scalars(directory / 'run' / 'scalars.csv') if row[1] != 'data_wait']


def test_two_workers_are_as_one_with_the_whole_batch(tmp_path, capfd):
    code, out = launch(capfd, SCRIPT, *arguments(tmp_path, '--task', 'plain', '--no-ema'))
    assert code == 0, out
    found, rows = weights(tmp_path), losses(tmp_path)
    task = toys.Classify(dropout=0, batch_norm=False, deferred=False)

    class Losses:
        seen = []

        def on_step(self, loop, step, scalars):
            self.seen.append((step, 'loss', scalars['loss']))

    fit(task, toys.loader(), Run.create(tmp_path / 'one', {}), epochs=3, callbacks=[Losses()], seed=5,
        schedule={'name': 'cosine', 'steps': 18, 'warmup': 3})
    for key, parameter in task.networks['net']._collect_params_with_prefix().items():
        assert np.abs(found[f'net.{key}'] - parameter.data().asnumpy()).max() < 1e-6
    for row, (step, _, loss) in zip([row for row in rows if row[1] == 'loss'], Losses.seen):
        assert row == (step, 'loss', pytest.approx(loss, abs=1e-6))   # the mean over the workers


STORE = '''
import sys
from gluonzoo.train import join
import mxnet as mx
workers = join('dist_sync')
store = workers.store('some')
weights = [mx.nd.full((200,), 5 + workers.rank) for _ in range(200)]
for key, weight in enumerate(weights):
    store.broadcast(key, weight, weight)
for key in range(200):
    store.pushpull(key, mx.nd.full((200,), 0.25), priority=-key)
reads = [workers.exchange({'a': mx.nd.array([t + workers.rank]), 'b': mx.nd.array([t])}) for t in range(200)]
assert [read() for read in reads] == [({'a': t + 0.5, 'b': t}, 0) for t in range(200)]
assert all((weight == 5).min().asscalar() for weight in weights)
statistics = [mx.nd.array([[workers.rank], [4]]), mx.nd.array([2 * workers.rank])]
workers.average(statistics)
assert [array.asnumpy().tolist() for array in statistics] == [[[0.5], [4]], [1]]
workers.check_equal(epochs=0, steps=10 ** 8 + 1)
workers.barrier()
try:
    workers.check_equal(steps=10 ** 8 + workers.rank)
except ValueError as error:
    print(error)
sys.path.insert(0, %r)
import toy_job
toy_job.main()
''' % str(SCRIPT.parent)


def test_what_travels_and_two_trainers(tmp_path, capfd):
    """Sums and weights, also when all are under way at once, and MXNet's own store would mix them up. Then a GAN, whose
    trainers number their parameters alike.
    """
    code, out = launch(capfd, '-c', STORE, *arguments(tmp_path, '--task', 'forge', '--epochs', '1'))
    assert code == 0, out
    assert out.count('steps: must be the same on all workers, which must see the same run: [100000000, 100000001]') == 2
    found, fresh = weights(tmp_path), toys.Forge()
    assert (found['generator.1.running_var'] != 1).all()
    run = Run.open(tmp_path / 'run')
    run.restore(fresh, EMA(0.9), batches_an_epoch=6)   # what is saved is what they ended with, averaged
    for name, net in fresh.networks.items():
        for key, parameter in net._collect_params_with_prefix().items():
            assert np.array_equal(parameter.data().asnumpy(), found[f'{name}.{key}'])


def test_stopped_and_resumed(tmp_path, capfd):
    """A signal to one stops both at the same step, and they go on as if it had not: dropout, statistics, average."""
    code, out = launch(capfd, SCRIPT, *arguments(tmp_path / 'whole'))
    assert code == 0, out
    code, out = launch(capfd, SCRIPT, *arguments(tmp_path / 'broken', '--stop', '8'))
    assert code == 130 and out.count('stopped by a signal') == 1, out
    saved = int(re.search(r'after step (\d+)', out)[1])
    assert 9 <= saved <= 12 and Run.open(tmp_path / 'broken' / 'run').checkpoint().name == f'step-{saved:08d}'
    assert not list((tmp_path / 'broken').glob('*.npz'))   # neither came to the end
    code, out = launch(capfd, SCRIPT, *arguments(tmp_path / 'broken', '--resume'))
    assert code == 0 and f'resumed after step {saved}' in out, out
    assert losses(tmp_path / 'broken') == losses(tmp_path / 'whole')
    whole = weights(tmp_path / 'whole')
    for name, array in weights(tmp_path / 'broken').items():
        assert np.array_equal(array, whole[name]), name


def test_one_worker_dies(tmp_path, capfd):
    """The other waits for it, for ever if it were let."""
    begun = time.monotonic()
    code, out = launch(capfd, SCRIPT, *arguments(tmp_path, '--fail', 'raise', '1', '8'))
    assert code == 1 and 'RuntimeError: as it was told to' in out and 'ended with exit code 1: the job ends' in out, out
    assert time.monotonic() - begun < 60   # also on a busy machine
    assert [path.name for path in Run.open(tmp_path / 'run').checkpoints()] == ['step-00000006']


def test_nan_in_one_worker(tmp_path, capfd):
    """Stops both, at the same step; each names its own batch."""
    code, out = launch(capfd, SCRIPT, *arguments(tmp_path, '--fail', 'nan', '1', '8', '--every', '8'))
    errors = re.findall(r'TrainingError: step 8: loss is nan \(on rank (.): (\S+)\); records of its batch: \[(.*)\]; '
                        r'last good checkpoint: .*step-00000006', out)
    assert code == 1 and sorted(rank for rank, _, _ in errors) == ['0', '1'], out
    assert [value for rank, value, _ in sorted(errors)][1] == 'nan' != sorted(errors)[0][1]
    records = {record for _, _, batch in errors for record in batch.split(', ')}
    batch = [batch.records for batch in toys.loader().epoch(1)][1]
    assert records == set(map(str, batch))


# -- without processes -----------------------------------------------------------------------------------------------

def test_one_process_alone():
    for name in (None, 'local', 'device'):
        workers = join(name)
        assert (workers.rank, workers.count, workers.store('net')) == (0, 1, name)
    read = workers.exchange({'loss': mx.nd.array([0.5])}, signal.SIGTERM)
    assert read() == ({'loss': 0.5}, signal.SIGTERM)
    array = mx.nd.array([3])
    workers.average([array])
    workers.check_equal(steps=3)
    workers.barrier()
    assert array.asscalar() == 3


@pytest.mark.parametrize('name', ['dist_async', 'dist', 'nccl', ''])
def test_other_kvstores(name):
    with pytest.raises(ValueError, match=f'kvstore: must be None, .*{name!r}'):
        join(name)
