"""The hint at fewer or more threads: given once, where others use the cores or have left them, and nowhere else."""
import pytest

from gluonzoo.train import shared_cores
from gluonzoo.train.shared_cores import SharedCores


@pytest.fixture
def machine(monkeypatch):
    """Two cores and two threads. Returns what may be changed: the time, others' use of the cores, and the waiting."""
    state = {'now': 0.0, 'busy': 0.0, 'waited': 5.0}

    class Neighbours:
        def busy(self):
            return state['busy']

    monkeypatch.setattr(shared_cores, 'Neighbours', Neighbours)
    monkeypatch.setattr(shared_cores, 'logical_processors', lambda: {0, 1})
    monkeypatch.setattr(shared_cores, 'wait_of_threads', lambda: state['waited'])
    monkeypatch.setattr(shared_cores.time, 'monotonic', lambda: state['now'])
    monkeypatch.setattr(shared_cores, 'physical_cores', lambda: 2)
    monkeypatch.setattr(shared_cores.runtime, 'threads', lambda: state.get('threads', 2))
    monkeypatch.setattr(shared_cores.runtime, 'cores_left_to_others', lambda: state.get('left', 0))
    return state


def train(machine, busy, waited, steps=100):
    """Steps of a second each, beside so many busy processors, and waiting for so many seconds of each."""
    callback = SharedCores(every=20)
    callback.on_start(None)
    machine['busy'] = busy
    for step in range(steps):
        machine['now'] += 1
        if machine['waited'] is not None:
            machine['waited'] += waited
        callback.on_step(None, step + 1, {})


HINT = ('the cores are shared: others use {} of 2, and steps wait for them. Stopped, and resumed with --threads 1, the '
        'training would be faster\n')


@pytest.mark.parametrize('busy', [.6, 1.0, 2.0])
def test_said_once(machine, capsys, busy):
    train(machine, busy, waited=.7)
    assert capsys.readouterr() == ('', HINT.format(busy))


@pytest.mark.parametrize('busy, waited, more', [
    (0, 0, {}), (0, 3, {}),              # threads of this process wait for each other
    (1, .1, {}),                         # neighbours of low priority
    (1, .7, {'threads': 1}),             # as few as can be
    (1, .7, {'waited': None}),           # a kernel that does not count
])
def test_not_said(machine, capsys, busy, waited, more):
    machine.update(more)
    train(machine, busy, waited)
    assert capsys.readouterr() == ('', '')


@pytest.mark.parametrize('busy, said', [(0, True), (.1, True), (.5, False), (1, False)])
def test_others_have_gone(machine, capsys, busy, said):
    """A training that was begun beside others; with one thread it never waits."""
    machine.update(threads=1, left=1)
    train(machine, busy, waited=0)
    line = 'others have left the cores: stopped, and resumed with --threads 2, the training would be faster\n'
    assert capsys.readouterr() == ('', line if said else '')


def test_nobody_reads(machine, capsys, monkeypatch):
    """The line waits, and not the training."""
    monkeypatch.setattr(shared_cores, 'takes', lambda stream: False)
    train(machine, busy=1, waited=.7)
    assert capsys.readouterr() == ('', '')


def test_not_said_of_a_moment(machine, capsys):
    train(machine, busy=1, waited=.7, steps=19)
    assert capsys.readouterr() == ('', '')
