"""How many processor cores a process may use, how many of them others use, and where its OpenMP threads run."""
import contextlib
import os
import time
from pathlib import Path

__all__ = ['Neighbours', 'logical_processors', 'physical_cores', 'spread_threads', 'wait_of_threads']

# Shorter, the kernel's counters, which have steps of 10 ms, would say little.
_SECONDS = .1

# What a user sets to say where OpenMP's threads run; then that is left to the user.
_PLACES = ('OMP_PROC_BIND', 'OMP_PLACES', 'GOMP_CPU_AFFINITY', 'KMP_AFFINITY')


def physical_cores(root='/'):
    """How many threads can compute at the same time in this process: at least 1.

    Counted are the processors of the affinity mask, with the hyper-threads of one core as one. The processor time that
    the control groups (version 1 or 2) allow, rounded down, is an upper limit.

    Parameters
    ----------
    root : str or Path
        where /sys and /proc are
    """
    return max(1, min([_cores_of_mask(Path(root)), *_quotas(Path(root))]))


def logical_processors():
    """The numbers of the processors that this process may use: a set. Hyper-threads count as processors."""
    if hasattr(os, 'sched_getaffinity'):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


class Neighbours:
    """Measures how many of the processors that this process may use are kept busy by others.

    The measurement begins when the object is made, and needs a tenth of a second.

    Parameters
    ----------
    root : str or Path
        where /proc is
    """

    def __init__(self, root='/'):
        self._path = Path(root) / 'proc/stat'
        self._processors = logical_processors()
        self._begin = self._read()

    def busy(self):
        """How many processors others have used on average since the beginning. 0.0 where the kernel does not say.

        Waits until a tenth of a second has passed since the beginning.
        """
        if self._begin is None:
            return 0.0
        time.sleep(max(0, _SECONDS - (time.perf_counter() - self._begin[0])))
        now = self._read()
        if now is None:
            return 0.0
        seconds, all_of_them, own = (after - before for after, before in zip(now, self._begin))
        return min(max(0.0, (all_of_them - own) / seconds), float(len(self._processors)))

    def free_cores(self, root='/'):
        """How many threads compute without waiting for others: at most :func:`physical_cores`, at least 1.

        Others may have the second hyper-thread of a core. Their part is rounded to whole processors.
        """
        return max(1, min(physical_cores(root), len(self._processors) - round(self.busy())))

    def _read(self):
        """The time now, the busy time of the processors, and that of this process, all in seconds."""
        own = time.process_time()
        try:
            lines = self._path.read_text().splitlines()
        except OSError:
            return None
        names = {f'cpu{processor}' for processor in self._processors}
        busy = 0
        for name, *ticks in map(str.split, filter(str.strip, lines)):
            if name in names:
                user, nice, system, _, _, interrupts, soft_interrupts, stolen, *_ = (*map(int, ticks), *[0] * 8)
                busy += user + nice + system + interrupts + soft_interrupts + stolen
        return time.perf_counter(), busy / os.sysconf('SC_CLK_TCK'), own


@contextlib.contextmanager
def spread_threads(threads, root='/'):
    """Has an OpenMP that is loaded in this context keep each of its threads on a core of its own.

    Only where there are as many threads as cores. With fewer, two processes would choose the same cores.

    GNU's OpenMP binds the thread that loads it, too. At the end of the context the calling thread may run on all
    processors again, and so may every thread and process that it starts.

    Parameters
    ----------
    threads : int
        that OpenMP will have
    root : str or Path
        where /sys is
    """
    chosen = any(os.environ.get(name) for name in _PLACES)
    if chosen or threads < 2 or threads != _cores_of_mask(Path(root)) or not hasattr(os, 'sched_setaffinity'):
        yield
        return
    mask = os.sched_getaffinity(0)
    os.environ.update(OMP_PROC_BIND='true', OMP_PLACES='cores')
    try:
        yield
    finally:
        for name in 'OMP_PROC_BIND', 'OMP_PLACES':   # no choice for the child processes, whose threads are fewer
            os.environ.pop(name, None)
        os.sched_setaffinity(0, mask)


def wait_of_threads():
    """Seconds that the threads of this process have been ready to run while others had the processors.

    None where the kernel does not say. Threads that have ended are not counted.
    """
    seconds = 0
    try:
        for thread in Path('/proc/self/task').iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):   # has just ended
                seconds += int((thread / 'schedstat').read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return None
    return seconds


def _cores_of_mask(root):
    return len({_siblings(root, processor) for processor in logical_processors()})


def _siblings(root, processor):
    """Names the core of a processor, by the processors that share it."""
    path = root / f'sys/devices/system/cpu/cpu{processor}/topology/thread_siblings_list'
    return path.read_text().strip() if path.exists() else str(processor)


def _quotas(root):
    """The whole processors that each control group above this process allows, where it sets a limit."""
    for group in control_groups(root, 'cpu'):
        quota, period = _limit(group)
        if quota > 0:
            yield int(quota / period)


def control_groups(root, controller):
    """The directories of the control groups above this process that limit 'cpu' or 'memory', the inmost first."""
    groups = root / 'proc/self/cgroup'
    for line in groups.read_text().splitlines() if groups.exists() else ():
        _, controllers, path = line.split(':', 2)
        if not controllers:   # version 2
            base = root / 'sys/fs/cgroup'
        elif controller in controllers.split(','):
            base = root / 'sys/fs/cgroup' / controller
        else:
            continue
        directory = base / path.lstrip('/')
        # In a container the path may be the host's, and absent here; the files then are in `base`.
        for group in (directory, *directory.parents):
            yield group
            if group == base:
                break


def _limit(group):
    """(microseconds, out of so many) of processor time; (-1, 1) without a limit."""
    if (group / 'cpu.max').exists():
        quota, period = (group / 'cpu.max').read_text().split()
        return (-1, 1) if quota == 'max' else (int(quota), int(period))
    if (group / 'cpu.cfs_quota_us').exists():
        return int((group / 'cpu.cfs_quota_us').read_text()), int((group / 'cpu.cfs_period_us').read_text())
    return -1, 1
