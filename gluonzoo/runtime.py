"""Makes MXNet 1.9.1 and gluoncv 0.10.5 work beside the packages of today.

``import gluonzoo`` calls :func:`prepare`; nothing else has to be done. ``import gluonzoo`` does not import MXNet, which
takes more than a second. MXNet is imported when it is needed, by gluonzoo or by the user.

A process of MXNet's parameter server only imports MXNet, and serves inside this import until the job ends. Start a
server with ``DMLC_ROLE=server python -c "import gluonzoo"`` or ``python -m gluonzoo.runtime``, the scheduler likewise.
"""
import contextlib
import ctypes
import functools
import importlib.util
import os
import sys
import warnings
from pathlib import Path

__all__ = ['prepare', 'import_mxnet', 'leave_cores_to_engine', 'physical_cores', 'keeps_memory']

# The names of Python's own types that MXNet 1.9.1 (bool, int) and gluoncv 0.10.5 (int, float) still ask NumPy for.
_REMOVED = {'bool': bool, 'float': float, 'int': int}

# Either is the user's choice of MXNet's threads.
_THREADS = ('OMP_NUM_THREADS', 'MXNET_OMP_MAX_THREADS')

# What a user sets to tune glibc's malloc; then it is left as it is.
_MALLOC = ('GLIBC_TUNABLES', 'MALLOC_TRIM_THRESHOLD_', 'MALLOC_TOP_PAD_', 'MALLOC_MMAP_MAX_', 'MALLOC_MMAP_THRESHOLD_',
           'MALLOC_ARENA_MAX')

# The rooms that do without MXNet or import it when they are used, beside what `import gluonzoo` imports.
_WITHOUT_MXNET = ('commands', 'files', 'pictures', 'recipes')

_prepared = False
_keeps_memory = False


def prepare(complete=lambda: None):
    """Makes MXNet importable on NumPy 1.24 to 1.26, and gives MXNet all physical cores of this process.

    gluoncv refuses to be imported beside PyTorch 2. This function makes gluoncv importable there; gluoncv then works
    with MXNet alone.

    Call this function before MXNet and gluoncv are imported. A second call does nothing.

    NumPy's names are restored just before MXNet is imported, whoever imports MXNet. Just after, the importing thread
    calls :func:`leave_cores_to_engine` and `complete`. If MXNet is there already, all this happens at once.

    The number of cores is :func:`physical_cores`. It goes into the environment variable ``OMP_NUM_THREADS``, so that
    child processes inherit it. If ``OMP_NUM_THREADS`` or ``MXNET_OMP_MAX_THREADS`` is set already, nothing is changed.
    (MXNet's own choice is half of the logical processors: half of the cores where there is no hyper-threading.)

    On glibc, malloc keeps freed memory for the next allocation, in the whole process. MXNet has no memory pool on the
    CPU; without this, every large array consists of new pages from the system, which are cleared and mapped one by one.
    The process then gives no memory back before it ends. ``GLUONZOO_KEEP_MEMORY=0``, or a setting of malloc's own
    (``GLIBC_TUNABLES``, ``MALLOC_ARENA_MAX`` ...), leaves malloc as it is.

    Parameters
    ----------
    complete : function without arguments, optional
        called when MXNet has been imported; called again if the call failed and MXNet is imported once more

    Warns (RuntimeWarning)
        if MXNet has been imported already, with another number of threads than gluonzoo would choose.

    Raises
    ------
    ImportError
        on NumPy 2 and later, where MXNet 1.9.1 cannot run: when MXNet is imported.
    """
    global _prepared, _keeps_memory
    if _prepared:
        return
    _choose_threads()
    _keeps_memory = _keep_memory()
    _reconcile_gluoncv_with_pytorch()
    if sys.modules.get('mxnet'):
        _restore_numpy_names()
        leave_cores_to_engine()
        complete()
    else:
        sys.meta_path.insert(0, _AroundMXNet(complete))
    _prepared = True


def import_mxnet():
    """The module mxnet. MXNet is imported if this has not happened yet.

    Raises ImportError if MXNet is not installed. The message says how to install MXNet.
    """
    try:
        import mxnet
    except ModuleNotFoundError as error:
        if error.name != 'mxnet':
            raise
        raise ImportError("gluonzoo needs MXNet, and leaves the choice of one to you: pip install 'gluonzoo[cpu]' (or "
                          'cu112, cu117 for a GPU), or build one with the operators in it: bash build.sh') from error
    return mxnet


def leave_cores_to_engine():
    """Gives the calling thread one OpenMP thread. More would make a training step of many small layers a third slower.

    MXNet computes in the threads of its engine. The thread that calls MXNet only copies large arrays: from and to
    NumPy, and out of the layouts of convolutions. If this thread had several OpenMP threads, these would stay, beside
    those of the engine. With more threads than cores, GNU's OpenMP lets threads sleep between two loops instead of
    spinning.

    Does nothing with ``MXNET_ENGINE_TYPE=NaiveEngine``, where the calling thread computes everything. Other threads are
    not changed. Other libraries that use the same OpenMP have one thread here, too, such as PyTorch.
    ``torch.set_num_threads(n)`` gives PyTorch its threads back, and undoes the effect of this function.
    """
    import mxnet as mx

    if os.environ.get('MXNET_ENGINE_TYPE') == 'NaiveEngine':
        return
    with contextlib.suppress(AttributeError):   # of an MXNet without OpenMP
        mx.base._LIB.omp_set_num_threads(1)


def physical_cores(root='/'):
    """How many threads can compute at the same time in this process: at least 1.

    Counted are the processors of the affinity mask, with the hyper-threads of one core as one. The processor time that
    the control groups (version 1 or 2) allow, rounded down, is an upper limit.

    Parameters
    ----------
    root : str or Path
        where /sys and /proc are
    """
    root = Path(root)
    cores = len({_siblings(root, processor) for processor in _processors()})
    return max(1, min([cores, *_quotas(root)]))


def keeps_memory():
    """Whether :func:`prepare` has had malloc keep freed memory."""
    return _keeps_memory


class _AroundMXNet:
    """Does what must be done just before and just after MXNet is imported, whoever imports MXNet.

    A user writes ``import gluonzoo`` and then ``import mxnet``, and expects the operators in ``mx.nd``. If the first
    line imported MXNet, every program would take a second longer, also a program that only prints its help. So the work
    is done inside ``import mxnet``: Python asks the finders of ``sys.meta_path`` for a module, and a finder may say how
    the module is executed. The lock of this import makes other threads wait until MXNet is complete.

    Threads that import wait for each other's modules. Three rules keep the threads from waiting in a circle:

    1. `complete` must not import a module that needs MXNet and that another thread may be importing.
    2. Before a module of gluonzoo that needs MXNet, the whole of MXNet is imported. A module that begins with
       ``mxnet.gluon`` would otherwise hold the lock of this part, for which the thread that imports MXNet waits.
    3. Nothing is imported while a finder is asked, since this happens under the one lock of all imports.

    The finder stays in ``sys.meta_path`` and finds nothing from then on. If it were removed, another thread that is
    walking along the list would skip the next finder.
    """

    def __init__(self, complete):
        self.complete = complete
        self.done = False

    def find_spec(self, name, path=None, target=None):
        if self.done or name in sys.modules:   # the latter to be executed once more, by importlib.reload
            return None
        if name == 'mxnet':
            execute = self._execute_mxnet
        elif name.startswith('gluonzoo.') and name.split('.')[1] not in _WITHOUT_MXNET:
            execute = self._execute_after_mxnet
        else:
            return None
        behind = sys.meta_path[sys.meta_path.index(self) + 1:]   # those before it have found nothing
        spec = next(filter(None, (finder.find_spec(name, path, target) for finder in behind)), None)
        if spec is not None and spec.origin is not None:   # not a mere directory, such as the source tree of MXNet
            # Of this loader alone: the spec of a file has a loader of its own. It is taken back when it is called.
            spec.loader.exec_module = functools.partial(execute, spec.loader, spec.loader.exec_module)
        return spec

    def _execute_mxnet(self, loader, exec_module, module):
        vars(loader).pop('exec_module', None)
        _restore_numpy_names()
        exec_module(module)
        leave_cores_to_engine()
        self.complete()
        self.done = True

    def _execute_after_mxnet(self, loader, exec_module, module):
        vars(loader).pop('exec_module', None)
        import_mxnet()
        exec_module(module)


def _processors():
    if hasattr(os, 'sched_getaffinity'):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def _siblings(root, processor):
    """Names the core of a processor, by the processors that share it."""
    path = root / f'sys/devices/system/cpu/cpu{processor}/topology/thread_siblings_list'
    return path.read_text().strip() if path.exists() else str(processor)


def _quotas(root):
    """The whole processors that each control group above this process allows, where it sets a limit."""
    groups = root / 'proc/self/cgroup'
    for line in groups.read_text().splitlines() if groups.exists() else ():
        _, controllers, path = line.split(':', 2)
        if not controllers:   # version 2
            base = root / 'sys/fs/cgroup'
        elif 'cpu' in controllers.split(','):
            base = root / 'sys/fs/cgroup/cpu'
        else:
            continue
        directory = base / path.lstrip('/')
        # In a container the path may be the host's, and absent here; the files then are in `base`.
        for group in (directory, *directory.parents):
            quota, period = _limit(group)
            if quota > 0:
                yield int(quota / period)
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


def _choose_threads():
    if any(os.environ.get(name) for name in _THREADS):
        return
    cores = physical_cores()
    if 'mxnet' not in sys.modules:
        os.environ['OMP_NUM_THREADS'] = str(cores)
        return
    taken = max(1, len(_processors()) // 2)
    if taken != cores:
        warnings.warn(f'MXNet was imported before gluonzoo and computes with {taken} thread(s), where {cores} physical '
                      f'core(s) are available: import gluonzoo first, or set OMP_NUM_THREADS={cores}',
                      RuntimeWarning, stacklevel=4)   # the line that imports gluonzoo


def _keep_memory():
    """Whether malloc now keeps freed memory."""
    if os.environ.get('GLUONZOO_KEEP_MEMORY') == '0' or any(os.environ.get(name) for name in _MALLOC):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):   # not glibc
        return False
    trim_threshold, top_pad, mmap_max, arena_max = -1, -2, -4, -8   # glibc's malloc.h
    # One arena, since the others live in small maps of their own, which come and go.
    options = ((trim_threshold, 2 ** 31 - 1), (top_pad, 2 ** 26), (mmap_max, 0), (arena_max, 1))
    return all([mallopt(option, value) for option, value in options])


def _restore_numpy_names():
    # Here, after the threads are chosen, since NumPy's BLAS reads the variable when it is loaded.
    import numpy as np

    if int(np.__version__.split('.')[0]) >= 2:
        raise ImportError(f"MXNet 1.9.1 needs NumPy 1.23 to 1.26; this is {np.__version__}: pip install 'numpy<1.27'")
    for name, value in _REMOVED.items():
        # Not hasattr: on NumPy 1.23 it would find the old alias, with a warning.
        if name not in vars(np):
            setattr(np, name, value)


def _reconcile_gluoncv_with_pytorch():
    """Loads gluoncv's module of version checks before gluoncv, and changes it: PyTorch 2 then counts as no PyTorch."""
    gluoncv = None if 'gluoncv' in sys.modules else importlib.util.find_spec('gluoncv')
    if gluoncv is None:
        return
    spec = importlib.util.spec_from_file_location('gluoncv.check', Path(gluoncv.origin).with_name('check.py'))
    check = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(check)
    require_pytorch = check._require_pytorch_version

    def require_suitable_pytorch(*versions):
        try:
            require_pytorch(*versions)
        except RuntimeError as error:   # of another version; gluoncv goes on after an ImportError only
            raise ImportError(str(error)) from error

    check._require_pytorch_version = require_suitable_pytorch
    sys.modules[spec.name] = check


if __name__ == '__main__':
    # A server or a scheduler does not get here: it was served, and has ended, in the import of the package.
    sys.exit(f'gluonzoo.runtime: DMLC_ROLE must be server or scheduler: {os.environ.get("DMLC_ROLE")!r}')
