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

from .cores import Neighbours, logical_processors, physical_cores, spread_threads

__all__ = ['prepare', 'import_mxnet', 'leave_cores_to_engine', 'cores_left_to_others', 'may_choose_threads', 'threads',
           'use_threads', 'keeps_memory']

# The names of Python's own types that MXNet 1.9.1 (bool, int) and gluoncv 0.10.5 (int, float) still ask NumPy for.
_REMOVED = {'bool': bool, 'float': float, 'int': int}

# Either is the user's choice of MXNet's threads.
_THREADS = ('OMP_NUM_THREADS', 'MXNET_OMP_MAX_THREADS')

# Either is the user's choice of how OpenMP's threads wait for each other.
_WAITING = ('GOMP_SPINCOUNT', 'OMP_WAIT_POLICY')

# How often a thread of GNU's OpenMP looks for the others before it sleeps: for a quarter of a millisecond. By default
# it looks for 14 ms. This is longer than the time after which the system gives a core to another program, so where
# cores are shared, the thread that is waited for waits itself. Measured in notes/results/busy_machine.md.
SPINS = 5000

# What a user sets to tune glibc's malloc; then it is left as it is.
_MALLOC = ('GLIBC_TUNABLES', 'MALLOC_TRIM_THRESHOLD_', 'MALLOC_TOP_PAD_', 'MALLOC_MMAP_MAX_', 'MALLOC_MMAP_THRESHOLD_',
           'MALLOC_ARENA_MAX')

# The rooms that do without MXNet or import it when they are used, beside what `import gluonzoo` imports.
_WITHOUT_MXNET = ('commands', 'cores', 'files', 'pictures', 'reading', 'recipes')

_prepared = False
_keeps_memory = False
_neighbours = None   # measured while the user has not chosen a number of threads
_left_to_others = 0


def prepare(complete=lambda: None):
    """Makes MXNet importable on NumPy 1.24 to 1.26, and gives MXNet the physical cores of this process that are free.

    gluoncv refuses to be imported beside PyTorch 2. This function makes gluoncv importable there; gluoncv then works
    with MXNet alone.

    Call this function before MXNet and gluoncv are imported. A second call does nothing.

    NumPy's names are restored just before MXNet is imported, whoever imports MXNet. Just after, the importing thread
    calls :func:`leave_cores_to_engine` and `complete`. If MXNet is there already, all this happens at once.

    MXNet's number of threads goes into the environment variable ``OMP_NUM_THREADS``, so that child processes inherit
    the number: first :func:`gluonzoo.cores.physical_cores`, and when MXNet is imported, that less the cores that other
    programs keep busy. If ``OMP_NUM_THREADS`` or ``MXNET_OMP_MAX_THREADS`` is set already, nothing is changed. (MXNet's
    own choice is half of the logical processors: half of the cores where there is no hyper-threading.)

    Where MXNet has all cores, each of its threads stays on a core of its own, and threads that wait for others soon
    sleep. Otherwise one busy program beside a training would make the training up to a hundred times slower: the system
    puts two threads of the training on one core, where they wait for each other. A setting of OpenMP's own
    (``OMP_PROC_BIND``, ``OMP_PLACES``, ``GOMP_CPU_AFFINITY``; ``GOMP_SPINCOUNT``, ``OMP_WAIT_POLICY``) is left as it
    is.

    On glibc, malloc keeps freed memory for the next allocation, in the whole process. MXNet has no memory pool on the
    CPU; without this, every large array consists of new pages from the system, which are cleared and mapped one by one.
    The process then gives no memory back before it ends. ``GLUONZOO_KEEP_MEMORY=0``, or a setting of malloc's own
    (``GLIBC_TUNABLES``, ``MALLOC_ARENA_MAX`` ...), leaves malloc as it is.

    Parameters
    ----------
    complete : function without arguments, optional
        called when MXNet has been imported; called again if the call failed and MXNet is imported once more

    Warns (RuntimeWarning)
        if MXNet has been imported already, with another number of threads than gluonzoo would choose; if OpenMP has
        been loaded already, by MXNet or by PyTorch, and waits as it does by default.

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


def threads():
    """How many threads MXNet computes with on the CPU, or would if it was imported now without a look at neighbours."""
    for name in reversed(_THREADS):
        number = os.environ.get(name, '').split(',')[0].strip()   # OpenMP takes a list, for loops within loops
        if number.isdecimal() and int(number):
            return int(number)
    return physical_cores()


def use_threads(number):
    """Has MXNet compute with so many threads on the CPU, whatever others do with the cores.

    Call this function before MXNet is imported.

    Parameters
    ----------
    number : int
        1 to :func:`gluonzoo.cores.physical_cores`. More than the cores would be many times slower.

    Raises
    ------
    ValueError
        if the number is out of range, or MXNet has been imported with another number.
    """
    global _neighbours
    whole = isinstance(number, int) and not isinstance(number, bool)
    if whole and 'mxnet' in sys.modules and number == threads():
        return
    if not whole or not 1 <= number <= physical_cores():
        raise ValueError(f'threads: must be a whole number from 1 to {physical_cores()}, the cores that this process '
                         f'may use: {number!r}')
    if 'mxnet' in sys.modules:
        raise ValueError(f'threads: MXNet has been imported with {threads()}, and keeps them: {number}')
    for name in _THREADS:
        os.environ.pop(name, None)
    os.environ['OMP_NUM_THREADS'] = str(number)
    _neighbours = None


def may_choose_threads():
    """Whether :func:`use_threads` would go against nobody: the user has chosen no number, and MXNet is not imported."""
    return _neighbours is not None and 'mxnet' not in sys.modules


def cores_left_to_others():
    """How many cores MXNet does without, since others kept them busy when MXNet was imported."""
    return _left_to_others


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
        _leave_cores_to_neighbours()
        with spread_threads(threads()):
            exec_module(module)
        leave_cores_to_engine()
        self.complete()
        self.done = True

    def _execute_after_mxnet(self, loader, exec_module, module):
        vars(loader).pop('exec_module', None)
        import_mxnet()
        exec_module(module)


def _choose_threads():
    """Chooses how many threads MXNet has, and how they wait for each other."""
    global _neighbours
    patient = not any(os.environ.get(name) for name in _WAITING)
    if patient:
        os.environ['GOMP_SPINCOUNT'] = str(SPINS)
    chosen = any(os.environ.get(name) for name in _THREADS)
    if 'mxnet' not in sys.modules and not chosen:
        os.environ['OMP_NUM_THREADS'] = str(physical_cores())
        _neighbours = Neighbours()
    faults = []
    if patient and _openmp_is_loaded():
        faults.append(f'computes many times slower beside other busy programs (or set GOMP_SPINCOUNT={SPINS})')
    cores, taken = physical_cores(), max(1, len(logical_processors()) // 2)
    if 'mxnet' in sys.modules and not chosen and taken != cores:
        faults.append(f'computes with {taken} thread(s), where {cores} physical core(s) are available (or set '
                      f'OMP_NUM_THREADS={cores})')
    if faults:
        first = 'MXNet was' if 'mxnet' in sys.modules else 'OpenMP, as of PyTorch, was'
        warnings.warn(f'{first} imported before gluonzoo, so MXNet {" and ".join(faults)}: import gluonzoo first',
                      RuntimeWarning, stacklevel=4)   # the line that imports gluonzoo


def _openmp_is_loaded():
    """Whether GNU's OpenMP is in this process. It reads its environment variables when it is loaded."""
    try:
        return 'libgomp.so' in Path('/proc/self/maps').read_text()
    except OSError:
        return False


def _leave_cores_to_neighbours():
    """Lowers the number of threads that MXNet will have by the cores that others keep busy."""
    global _left_to_others
    if _neighbours is None:
        return
    free = _neighbours.free_cores()
    _left_to_others = physical_cores() - free
    os.environ['OMP_NUM_THREADS'] = str(free)
    if _openmp_is_loaded():   # and has read another number
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL('libgomp.so.1').omp_set_num_threads(free)


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
