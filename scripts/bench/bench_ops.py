"""Times the corner pools against PyTorch and against a plain copy, on this machine, in one run.

    python scripts/bench/bench_ops.py --json bench.json       # a few minutes
    python scripts/bench/bench_ops.py --quick                 # seconds: a small shape, few rounds

Against PyTorch (left out, with a word about it in the report, when torch cannot be imported)
    Each call is waited for before the next one starts. MXNet: ``gluonzoo.ops.top_pool(x)`` imperatively (the
    main number, since PyTorch runs eagerly too) and as a block hybridized with ``static_alloc``. PyTorch, for
    top: ``x.flip(2).cummax(2)[0].flip(2)``; for bottom without the flips; for left and right over axis 3. Both
    sides have the same number of threads, and both allocate their outputs.
Against the machine
    The operator inside a graph: the block is hybridized with ``static_alloc``, and the block's output is an
    intermediate array. (Only a slice of one element leaves the graph, so no output is allocated.) Backward is
    the graph's backward pass alone, into an allocated gradient. Several calls are queued and waited for
    together, as in training. The work of one call then hides the engine's overhead for another. The copy is a
    copy of the same tensor into an allocated one, by NumPy on one thread, by memcpy on all threads, and by
    MXNet: the fastest of the three counts.

malloc keeps freed memory in the whole process, so for both sides: importing gluonzoo sees to that. Without it
(``GLUONZOO_KEEP_MEMORY=0``) malloc sometimes takes a large array from the system anew, and the page faults of
such an array cost more than the operator.

First every side is checked against NumPy: values, gradients and ties. A wrong result ends the run with exit
code 1 and no number. Then the sides take turns (A B B A ...). A pause between turns lets the threads of one
side stop spinning before the other side starts. A time is the median of all calls. A ratio is the median of
the ratios within one round. Each has its 10th and 90th percentile.
"""
import argparse
import ctypes
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile

import numpy as np
from measuring import Pace, UnavailableError, WrongResultError, call, machine, print_table, ratio, take_turns

POOLS = ('top', 'bottom', 'left', 'right')
SHAPES = ((2, 256, 64, 64), (1, 256, 128, 128), (8, 128, 128, 128))
QUICK_SHAPES = ((1, 2, 16, 16),)
OTHER_DTYPES = ('float16', 'float64')   # at the first shape only

QUEUED = 8   # calls waited for together, against the machine

# -- the reference -------------------------------------------------------------------------------------------

def reference(pool, x, dy, last_wins=False):
    """The pool and its gradient in NumPy, one step of the scan at a time.

    Parameters
    ----------
    pool : 'top', 'bottom', 'left' or 'right'
    x, dy : arrays (N, C, H, W); the gradient is summed in float64 and rounded once to the dtype of x
    last_wins : which of equal maxima keeps the gradient: the first met (False) or the last, as PyTorch has it

    Returns
    -------
    y, dx : arrays like x
    """
    axis = 2 if pool in ('top', 'bottom') else 3

    def along_scan(array):   # [N, C, H, W] -> [L, ...], first met first
        lines = np.moveaxis(array, axis, 0)
        return lines[::-1] if pool in ('top', 'left') else lines

    lines, grads = (np.ascontiguousarray(along_scan(array)) for array in (x, dy))
    y, dx = np.empty_like(x), np.empty_like(x)
    y_lines, dx_lines = along_scan(y), along_scan(dx)
    takes_over = np.ones(lines.shape, bool)
    for step, line in enumerate(lines):
        if step == 0:
            running = line
        else:
            beats = line >= running if last_wins else line > running
            is_nan = np.isnan(line) if last_wins else np.isnan(line) & ~np.isnan(running)
            takes_over[step] = beats | is_nan
            running = np.where(takes_over[step], line, running)
        y_lines[step] = running
    carried = np.zeros(lines.shape[1:])
    for step in reversed(range(len(lines))):
        carried += grads[step]
        dx_lines[step] = np.where(takes_over[step], carried, 0)
        carried[takes_over[step]] = 0
    return y, dx


def make_data(shape, dtype):
    """x and dy. The gradients are small integers: any order of summation is exact, in float16 too."""
    rng = np.random.default_rng(7)
    x = rng.standard_normal(shape, np.float32).astype(dtype)
    return x, rng.integers(-2, 3, shape).astype(dtype)


def demand_equal(what, got, wanted):
    """Raises WrongResultError unless the arrays are equal, bit for bit but for signs of zeros and NaN."""
    if got.shape != wanted.shape or got.dtype != wanted.dtype:
        raise WrongResultError(f'{what}: got {got.dtype} {got.shape}, wanted {wanted.dtype} {wanted.shape}')
    differ = (got != wanted) & ~(np.isnan(got) & np.isnan(wanted))
    if differ.any():
        at = tuple(int(i) for i in np.argwhere(differ)[0])
        raise WrongResultError(f'{what}: {differ.sum()} of {got.size} elements differ, first at {at}: '
                          f'got {got[at]}, wanted {wanted[at]}')


# -- the sides -----------------------------------------------------------------------------------------------

class MXNetSide:
    """One pool on MXNet. Every measured method waits for the device."""

    def __init__(self, pool, x, dy, gpu):
        import mxnet as mx

        from gluonzoo import ops

        class Inside(mx.gluon.HybridBlock):
            """The pool as an inner node: what leaves the graph is one element."""

            def __init__(self):
                super().__init__()
                self.pool = getattr(ops, pool.capitalize() + 'Pool')()

            def hybrid_forward(self, F, x):
                return F.slice(self.pool(x), begin=(0, 0, 0, 0), end=(1, 1, 1, 1))

        self.mx, self.pool = mx, pool
        self.function = getattr(ops, pool + '_pool')
        self.block = getattr(ops, pool.capitalize() + 'Pool')()
        self.inside = Inside()
        for block in (self.block, self.inside):
            block.hybridize(static_alloc=True)
        ctx = mx.gpu(0) if gpu else mx.cpu()
        self.x = mx.nd.array(x, ctx, dtype=x.dtype)
        self.dy = mx.nd.array(dy, ctx, dtype=dy.dtype)
        self.copied = mx.nd.zeros(x.shape, ctx, dtype=x.dtype)
        self.x.attach_grad()
        with mx.autograd.record():
            self.recorded = self.block(self.x)
        mx.nd.waitall()

    def forward(self, static=False):
        y = (self.block if static else self.function)(self.x)
        self.mx.nd.waitall()
        return y

    def forward_backward(self, static=False):
        with self.mx.autograd.record():
            y = (self.block if static else self.function)(self.x)
        y.backward(self.dy)
        self.mx.nd.waitall()
        return y

    def forward_inside(self):
        for _ in range(QUEUED):
            self.inside(self.x)
        self.mx.nd.waitall()

    def backward_inside(self):
        for _ in range(QUEUED):
            self.recorded.backward(self.dy, retain_graph=True)
        self.mx.nd.waitall()

    def copy(self):
        for _ in range(QUEUED):
            self.x.copyto(self.copied)
        self.mx.nd.waitall()

    def memory_of(self, array):
        """The bytes of an NDArray in main memory, as NumPy sees them (no copy)."""
        pointer = ctypes.c_void_p()
        self.mx.base.check_call(self.mx.base._LIB.MXNDArrayGetData(array.handle, ctypes.byref(pointer)))
        size = array.size * np.dtype(array.dtype).itemsize
        return np.ctypeslib.as_array((ctypes.c_ubyte * size).from_address(pointer.value))

    def check(self, x, dy):
        y, dx = reference(self.pool, x, dy)
        label = f'{self.pool}_pool of {x.shape} {x.dtype}'
        for static in (False, True):
            mode = 'in a static graph' if static else 'imperatively'
            demand_equal(f'{label} {mode}, values', self.forward(static).asnumpy(), y)
            recorded = self.forward_backward(static)
            demand_equal(f'{label} {mode}, values while recording', recorded.asnumpy(), y)
            demand_equal(f'{label} {mode}, gradient', self.x.grad.asnumpy(), dx)
            self.x.grad[:] = 0
        self.backward_inside()
        demand_equal(f'{label}, backward alone, gradient', self.x.grad.asnumpy(), dx)


class TorchSide:
    """One pool in PyTorch, as a user of it would write it."""

    def __init__(self, torch, pool, x, dy, gpu):
        self.torch, self.pool, self.gpu = torch, pool, gpu
        axis = 2 if pool in ('top', 'bottom') else 3
        if pool in ('top', 'left'):
            self.function = lambda x: x.flip(axis).cummax(axis)[0].flip(axis)
        else:
            self.function = lambda x: x.cummax(axis)[0]
        device = 'cuda' if gpu else 'cpu'
        self.x, self.dy = (torch.from_numpy(array).to(device) for array in (x, dy))
        self.leaf = self.x.clone().requires_grad_()
        self.copied = torch.empty_like(self.x)

    def wait(self):
        if self.gpu:
            self.torch.cuda.synchronize()

    def forward(self):
        y = self.function(self.x)
        self.wait()
        return y

    def forward_backward(self):
        self.leaf.grad = None
        self.function(self.leaf).backward(self.dy)
        self.wait()

    def copy(self):
        for _ in range(QUEUED):
            self.copied.copy_(self.x)
        self.wait()

    def check(self, x, dy):
        y, dx = reference(self.pool, x, dy, last_wins=True)
        label = f'PyTorch {self.pool} of {x.shape} {x.dtype}'
        demand_equal(label + ', values', self.forward().cpu().numpy(), y)
        self.forward_backward()
        demand_equal(label + ', gradient', self.leaf.grad.cpu().numpy(), dx)


PARALLEL_COPY = r"""
#include <string.h>
void parallel_copy(char* to, const char* from, long bytes, int threads) {
  #pragma omp parallel for num_threads(threads) schedule(static)
  for (int part = 0; part < threads; ++part) {
    long begin = bytes / threads * part, end = part + 1 == threads ? bytes : bytes / threads * (part + 1);
    memcpy(to + begin, from + begin, end - begin);
  }
}
"""


def compile_parallel_copy():
    """memcpy on several threads, a function of (to, source, threads); None without a C compiler."""
    compiler = next(filter(None, map(shutil.which, (os.environ.get('CC', ''), 'cc', 'gcc', 'clang'))), None)
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        library = os.path.join(folder, 'copy.so')
        command = [compiler, '-O2', '-fopenmp', '-shared', '-fPIC', '-x', 'c', '-', '-o', library]
        if subprocess.run(command, input=PARALLEL_COPY.encode(), stderr=subprocess.DEVNULL).returncode:
            return None
        function = ctypes.CDLL(library).parallel_copy
    function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_long, ctypes.c_int]
    function.restype = None
    return lambda to, source, threads: function(to.ctypes.data, source.ctypes.data, to.size, threads)


def copies(side, torch_side, parallel_copy, threads, gpu):
    """name -> function that copies the tensor QUEUED times."""
    found = {'MXNet copyto': side.copy}
    if gpu:
        if torch_side:
            found['PyTorch copy_'] = torch_side.copy
        return found
    to, source = side.memory_of(side.copied), side.memory_of(side.x)

    def repeat(function, *arguments):
        for _ in range(QUEUED):
            function(*arguments)

    found['NumPy, 1 thread'] = lambda: repeat(np.copyto, to, source)
    if parallel_copy:
        found[f'memcpy, {threads} threads'] = lambda: repeat(parallel_copy, to, source, threads)
    for name, function in found.items():
        side.copied[:] = 0
        side.mx.nd.waitall()
        function()
        demand_equal(name, to, source)
    return found


# -- timing --------------------------------------------------------------------------------------------------

def against_torch(side, torch_side, pace):
    """Rows of one pool: forward, and forward + backward."""
    rows = []
    for name, ours, theirs in (('forward', side.forward, torch_side.forward),
                               ('forward+backward', side.forward_backward, torch_side.forward_backward)):
        static = functools.partial(ours, static=True)
        times, by_round = take_turns({'imperative': ours, 'torch': theirs, 'static_alloc': static}, pace)
        rows.append({'pass': name, 'ms': times, 'faster': ratio(by_round, 'torch', 'imperative'),
                     'faster_static_alloc': ratio(by_round, 'torch', 'static_alloc')})
    return rows


def against_copy(side, plain_copies, pace):
    """Rows of one pool: forward, and backward alone."""
    times, by_round = take_turns({'forward': side.forward_inside, 'backward': side.backward_inside,
                                  **plain_copies}, pace, per_call=QUEUED)
    fastest = min(plain_copies, key=lambda name: times[name]['median'])
    return [{'pass': name, 'ms': times[name], 'copy': fastest,
             'copy_ms': {name: times[name] for name in plain_copies},
             'copies': ratio(by_round, name, fastest)} for name in ('forward', 'backward')]


def extra_memory(pool, shape):
    """Bytes that a static_alloc graph's forward and backward need at their peak, beyond x, dy, y and dx.

    The number comes from the peak of the process's resident memory, so it is right within a MiB or so. None where the
    system does not tell the peak. Call it in a process whose malloc keeps nothing: kept memory would hide the need.
    """
    from gluonzoo import ops  # before mxnet

    import mxnet as mx  # isort: skip

    def resident(key):
        with open('/proc/self/status') as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith(key + ':'))

    def run(size):
        x, dy = mx.nd.ones(size), mx.nd.ones(size)
        x.attach_grad()
        mx.nd.waitall()
        try:
            with open('/proc/self/clear_refs', 'w') as file:
                file.write('5')   # the peak starts from here
            before = resident('VmRSS')
        except OSError:
            return None
        with mx.autograd.record():
            y = block(x)
        y.backward(dy)
        mx.nd.waitall()
        return resident('VmHWM') - before - 4 * y.size

    block = getattr(ops, pool.capitalize() + 'Pool')()
    block.hybridize(static_alloc=True)
    run((1, 1, 64, 64))   # code, threads and small buffers
    return run(shape)


def extra_memories(shape):
    """extra_memory of every pool, from a process of its own."""
    code = f'import json, bench_ops as b; print(json.dumps([b.extra_memory(pool, {shape}) for pool in b.POOLS]))'
    done = subprocess.run([sys.executable, '-c', code], stdout=subprocess.PIPE, text=True, check=True, env={
        **os.environ, 'GLUONZOO_KEEP_MEMORY': '0',
        'PYTHONPATH': os.pathsep.join([os.path.dirname(os.path.abspath(__file__)), *sys.path])})
    return json.loads(done.stdout)


# -- the report ----------------------------------------------------------------------------------------------

def conditions(args, torch, torch_missing, threads, parallel_copy):
    import mxnet as mx

    import gluonzoo
    return {
        **machine(args.pace), 'route': gluonzoo.ops.route(), 'device': args.device,
        'gpu': gpu_name() if args.device == 'gpu' else None, 'threads': threads,
        'malloc': 'keeps freed memory' if gluonzoo.runtime.keeps_memory() else 'as the system has it',
        'gluonzoo': gluonzoo.__version__, 'mxnet': mx.__version__, 'numpy': np.__version__,
        'torch': torch.__version__ if torch else None, 'torch_missing': torch_missing,
        'parallel_memcpy': parallel_copy is not None, 'calls_queued_against_the_machine': QUEUED,
    }


def gpu_name():
    query = ['nvidia-smi', '--query-gpu=name,driver_version', '--format=csv,noheader', '-i', '0']
    try:
        return subprocess.run(query, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return 'unknown'


def print_report(report):
    def label(row):
        return ['x'.join(map(str, row['shape'])), row['pool'], row['pass']]

    def digits(value):
        return f'{value:.3g}' if value < 1000 else f'{value:.0f}'

    def text(value):
        return f'{digits(value["median"])} ({digits(value["p10"])}-{digits(value["p90"])})'

    for key, value in report['conditions'].items():
        print(f'{key:33}{value}')
    print('\nTimes in ms: median (10th-90th percentile).')
    if report['torch']:
        print_table(['against PyTorch', 'pool', 'pass', 'dtype', 'MXNet', 'PyTorch', 'times faster',
                     'static_alloc', 'times faster'],
                    *([*label(row), row['dtype'], text(row['ms']['imperative']), text(row['ms']['torch']),
                       text(row['faster']), text(row['ms']['static_alloc']), text(row['faster_static_alloc'])]
                      for row in report['torch']))
    print_table(['against a plain copy', 'pool', 'pass', 'dtype', 'in a graph', 'copy', 'copies',
                 'copied by'],
                *([*label(row), row['dtype'], text(row['ms']), text(row['copy_ms'][row['copy']]),
                   text(row['copies']), row['copy']] for row in report['copy']))
    if report['memory']:
        print_table(['memory beyond x, dy, y, dx', 'pool', 'pass', 'MiB'],
                    *([*label(row), f'{row["bytes"] / 2 ** 20:.1f}'] for row in report['memory']))


# -- the run -------------------------------------------------------------------------------------------------

def parse_shape(text):
    shape = tuple(int(part) for part in text.split('x'))
    if len(shape) != 4 or min(shape) < 1:
        raise argparse.ArgumentTypeError(f'{text}: not of the form NxCxHxW')
    return shape


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--json', metavar='FILE', help='write every number here')
    parser.add_argument('--threads', type=int,
                        help='of both sides; default: as set in the environment, else all physical cores')
    parser.add_argument('--shapes', type=parse_shape, nargs='+', metavar='NxCxHxW',
                        help='default: ' + ', '.join('x'.join(map(str, shape)) for shape in SHAPES))
    parser.add_argument('--rounds', type=int, help='turns of each side; default: 9, or 2 with --quick')
    parser.add_argument('--quick', action='store_true', help='a small shape, a few calls: does it work?')
    parser.add_argument('--device', choices=('cpu', 'gpu'), default='cpu')
    args = parser.parse_args(argv)
    args.shapes = args.shapes or (QUICK_SHAPES if args.quick else SHAPES)
    pace = Pace(2, 0.002, 0) if args.quick else Pace(9, 0.05, 0.01)
    args.pace = pace._replace(rounds=args.rounds or pace.rounds)
    if args.threads is not None and args.threads < 1:
        parser.error(f'--threads: must be at least 1: {args.threads}')
    return args


def run(args):
    if args.threads:   # read when MXNet is imported
        os.environ['OMP_NUM_THREADS'] = os.environ['MXNET_OMP_MAX_THREADS'] = str(args.threads)
    import gluonzoo  # before mxnet, which it makes importable

    import mxnet as mx  # isort: skip

    threads = gluonzoo.runtime.threads()
    gpu = args.device == 'gpu'
    if gpu and not mx.context.num_gpus():
        raise UnavailableError('--device gpu: MXNet finds no GPU')
    try:
        import torch
        torch_missing = None
        torch.set_num_threads(threads)
        if gpu and not torch.cuda.is_available():
            torch, torch_missing = None, 'PyTorch finds no GPU'
    except ImportError as error:
        torch, torch_missing = None, f'cannot be imported: {error}'
    parallel_copy = None if gpu else compile_parallel_copy()
    report = {'conditions': conditions(args, torch, torch_missing, threads, parallel_copy),
              'torch': [], 'copy': [], 'memory': []}
    cases = [(shape, 'float32', pool) for shape in args.shapes for pool in POOLS]
    cases += [(args.shapes[0], dtype, pool) for dtype in OTHER_DTYPES for pool in POOLS]

    if not gpu:
        largest = max(args.shapes, key=np.prod)
        for pool, extra in zip(POOLS, extra_memories(largest)):
            if extra is not None:
                report['memory'].append({'shape': largest, 'dtype': 'float32', 'pool': pool,
                                         'pass': 'forward+backward', 'bytes': extra})

    def sides_of(shape, dtype, pool):
        x, dy = make_data(shape, dtype)
        return x, dy, MXNetSide(pool, x, dy, gpu), TorchSide(torch, pool, x, dy, gpu) if torch else None

    for shape, dtype, pool in cases:
        x, dy, *sides = sides_of(shape, dtype, pool)
        for side in filter(None, sides):
            side.check(x, dy)
    print(f'{len(cases)} cases are right on route {gluonzoo.ops.route()}', file=sys.stderr)
    for number, (shape, dtype, pool) in enumerate(cases, 1):
        print(f'timing case {number} of {len(cases)}: {pool}_pool of {shape} {dtype}', file=sys.stderr)
        _, _, side, torch_side = sides_of(shape, dtype, pool)
        case = {'shape': shape, 'dtype': dtype, 'pool': pool}
        if torch_side:
            report['torch'] += [{**case, **row} for row in against_torch(side, torch_side, args.pace)]
        plain_copies = copies(side, torch_side, parallel_copy, threads, gpu)
        report['copy'] += [{**case, **row} for row in against_copy(side, plain_copies, args.pace)]
    report['conditions']['load_average_after'] = os.getloadavg()[0]
    return report


def main(argv=None):
    return call(parse(argv), run, print_report)


if __name__ == '__main__':
    sys.exit(main())
