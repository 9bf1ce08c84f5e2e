"""How many cores there are, how many are free, and what waiting for them costs. The kernel's files are made up here."""
import hashlib
import os
import threading
import time

import pytest

from gluonzoo import cores

PAIRS = {processor: f'{processor % 4},{processor % 4 + 4}' for processor in range(8)}   # 4 cores, 2 threads each
VERSION_2 = '0::/a/b\n'
VERSION_1 = '5:cpu,cpuacct:/a\n2:memory:/a\n'


@pytest.mark.parametrize('processors, siblings, files, number', [
    (range(8), {}, {}, 8),   # nothing is known of the cores
    (range(8), PAIRS, {}, 4),
    ((0, 4), PAIRS, {}, 1),   # affinity: the two threads of one core
    ((0, 5), PAIRS, {}, 2),
    (range(8), PAIRS, {'proc/self/cgroup': VERSION_2, 'sys/fs/cgroup/a/b/cpu.max': 'max 100000'}, 4),
    (range(8), PAIRS, {'proc/self/cgroup': VERSION_2, 'sys/fs/cgroup/a/b/cpu.max': '250000 100000'}, 2),
    (range(8), PAIRS, {'proc/self/cgroup': VERSION_2, 'sys/fs/cgroup/a/b/cpu.max': '50000 100000'}, 1),
    (range(8), PAIRS, {'proc/self/cgroup': VERSION_2, 'sys/fs/cgroup/a/cpu.max': '300000 100000',
                       'sys/fs/cgroup/a/b/cpu.max': 'max 100000'}, 3),   # the limit of a group above
    (range(8), PAIRS, {'proc/self/cgroup': VERSION_2, 'sys/fs/cgroup/cpu.max': '200000 100000'}, 2),   # a container
    (range(8), PAIRS, {'proc/self/cgroup': VERSION_1, 'sys/fs/cgroup/cpu/a/cpu.cfs_quota_us': '-1',
                       'sys/fs/cgroup/cpu/a/cpu.cfs_period_us': '100000'}, 4),
    (range(8), PAIRS, {'proc/self/cgroup': VERSION_1, 'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '200000',
                       'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000'}, 2),
])
def test_physical_cores(tmp_path, monkeypatch, processors, siblings, files, number):
    for processor, names in siblings.items():
        files = {**files, f'sys/devices/system/cpu/cpu{processor}/topology/thread_siblings_list': names + '\n'}
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    monkeypatch.setattr(cores, 'logical_processors', lambda: set(processors))
    assert cores.physical_cores(tmp_path) == number


def test_physical_cores_of_this_machine():
    assert 1 <= cores.physical_cores() <= os.cpu_count()


# -- neighbours ------------------------------------------------------------------------------------------------------

@pytest.fixture
def stat(tmp_path, monkeypatch):
    """Writes /proc/stat: `busy` are the ticks of each processor. Time passes, and is used, only as it is told."""
    clock = {'now': 0.0, 'own': 0.0}
    monkeypatch.setattr(cores, 'logical_processors', lambda: {0, 1, 2, 3})
    monkeypatch.setattr(cores.time, 'perf_counter', lambda: clock['now'])
    monkeypatch.setattr(cores.time, 'process_time', lambda: clock['own'])
    monkeypatch.setattr(cores.time, 'sleep', lambda seconds: clock.update(now=clock['now'] + seconds))
    monkeypatch.setattr(cores.os, 'sysconf', lambda name: 100)
    (tmp_path / 'proc').mkdir()

    def write(*busy, seconds=0, own=0):
        clock.update(now=clock['now'] + seconds, own=clock['own'] + own)
        #            user nice system idle iowait irq softirq steal guest
        lines = [f'cpu{i} {ticks} 0 0 999 555 0 0 0 0 0' for i, ticks in enumerate(busy)]
        (tmp_path / 'proc/stat').write_text('\n'.join(['cpu  1 2 3 4 5 6 7 8', *lines, 'intr 1 2', '', 'ctxt 7', '']))
        return tmp_path
    return write


@pytest.mark.parametrize('before, after, own, busy', [
    ((0, 0, 0, 0), (0, 0, 0, 0), 0, 0),
    ((7, 8, 9, 1), (107, 8, 9, 1), 0, 1),          # one whole processor in one second
    ((0, 0, 0, 0), (50, 50, 0, 0), 0, 1),          # which moves about
    ((0, 0, 0, 0), (100, 100, 0, 0), 1, 1),        # one of them is this process
    ((0, 0, 0, 0), (100, 100, 100, 100), 0, 4),
    ((0, 0, 0, 0), (90, 0, 0, 0), 1, 0),           # the counters are coarse: never below 0
    ((0, 0, 0, 0, 0), (0, 0, 0, 0, 100), 0, 0),    # a processor that this process may not use
])
def test_processors_that_others_keep_busy(stat, before, after, own, busy):
    neighbours = cores.Neighbours(stat(*before))
    stat(*after, seconds=1, own=own)
    assert neighbours.busy() == pytest.approx(busy)


def test_every_kind_of_work_counts(stat, tmp_path):
    """What is nice, of the kernel, of interrupts, and what a host takes from a virtual machine."""
    neighbours = cores.Neighbours(stat(0))
    stat(0, seconds=1)
    (tmp_path / 'proc/stat').write_text('cpu0 10 10 10 999 999 10 10 10 5 5\n')
    assert neighbours.busy() == pytest.approx(.6)
    (tmp_path / 'proc/stat').write_text('cpu0 20 20 20 0\n')   # of an old kernel
    assert neighbours.busy() == pytest.approx(.6)


def test_a_measurement_takes_a_tenth_of_a_second(stat):
    neighbours = cores.Neighbours(stat(0, 0, 0, 0))
    stat(10, 0, 0, 0, seconds=.04)
    assert neighbours.busy() == pytest.approx(1)


def test_without_the_kernels_numbers_nobody_is_there(stat, tmp_path):
    assert cores.Neighbours(tmp_path).busy() == 0
    neighbours = cores.Neighbours(stat(0))
    (tmp_path / 'proc/stat').unlink()
    assert neighbours.busy() == 0


@pytest.mark.parametrize('processors, number, busy, free', [
    (4, 4, 0, 4), (4, 4, .4, 4), (4, 4, .6, 3), (4, 4, 2, 2), (4, 4, 4, 1),
    (8, 4, 3.6, 4), (8, 4, 5, 3),    # others have second hyper-threads
    (64, 2, 40, 2), (64, 2, 63, 1),  # a quota
])
def test_free_cores(stat, monkeypatch, processors, number, busy, free):
    monkeypatch.setattr(cores, 'logical_processors', lambda: set(range(processors)))
    monkeypatch.setattr(cores, 'physical_cores', lambda root: number)
    neighbours = cores.Neighbours(stat(*[0] * processors))
    monkeypatch.setattr(neighbours, 'busy', lambda: busy)
    assert neighbours.free_cores() == free


# -- where threads run, and how long they wait -----------------------------------------------------------------------

@pytest.fixture
def places(monkeypatch):
    """Of a process that nobody has told where to run, on two cores."""
    for name in 'OMP_PROC_BIND', 'OMP_PLACES', 'GOMP_CPU_AFFINITY', 'KMP_AFFINITY':
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(cores, '_cores_of_mask', lambda root: 2)
    return lambda: (os.environ.get('OMP_PROC_BIND'), os.environ.get('OMP_PLACES'))


@pytest.mark.parametrize('threads, inside', [(1, (None, None)), (2, ('true', 'cores')), (3, (None, None))])
def test_threads_are_spread_where_they_have_all_cores(places, threads, inside):
    mask = os.sched_getaffinity(0)
    with cores.spread_threads(threads):
        assert places() == inside
        if inside[0]:
            os.sched_setaffinity(0, {min(mask)})   # as GNU's OpenMP does when it is loaded
    assert (places(), os.sched_getaffinity(0)) == ((None, None), mask)


@pytest.mark.parametrize('name', ['OMP_PROC_BIND', 'OMP_PLACES', 'GOMP_CPU_AFFINITY', 'KMP_AFFINITY'])
def test_the_users_places_are_kept(places, monkeypatch, name):
    monkeypatch.setenv(name, 'false')
    with cores.spread_threads(2):
        assert os.environ[name] == 'false' and places().count(None) >= 1


def test_places_are_left_after_an_error(places):
    with pytest.raises(ImportError), cores.spread_threads(2):
        raise ImportError
    assert places() == (None, None)


@pytest.mark.skipif(not os.path.exists('/proc/self/schedstat'), reason='a kernel that does not count')
def test_waiting_for_a_processor_is_counted():
    """Three threads of one process take turns on one processor, with Python's lock out of the way."""
    mask = os.sched_getaffinity(0)
    before = cores.wait_of_threads()

    def work():
        os.sched_setaffinity(0, {min(mask)})
        end = time.perf_counter() + .6
        while time.perf_counter() < end:
            hashlib.sha256(block).digest()   # without the lock

    block = bytes(2 ** 20)
    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(.5)
    waited = cores.wait_of_threads() - before   # while they live
    for thread in threads:
        thread.join()
    assert waited > .3   # each waits for two thirds of the time


def test_a_kernel_that_does_not_count(monkeypatch, tmp_path):
    monkeypatch.setattr(cores, 'Path', lambda path: tmp_path / 'absent')
    assert cores.wait_of_threads() is None
