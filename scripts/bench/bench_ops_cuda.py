"""Checks and times the CUDA kernels of the corner pools, without MXNet.

    python scripts/bench/bench_ops_cuda.py --json cuda.json
    python scripts/bench/bench_ops_cuda.py --check-only          # right or wrong, no timing
    python scripts/bench/bench_ops_cuda.py --compile-only --arch sm_80

Needs nvcc. Without ``--compile-only`` a GPU and PyTorch with CUDA are needed too: PyTorch's tensors are the
device memory, and PyTorch's ``cummax`` is what the kernels are compared with. The kernels are those of MXNet's
operator, behind the C interface of src/cabi/corner_pool_cuda.cu, compiled into a temporary folder.

First every direction and dtype is checked against NumPy: values and gradients, ties, NaN, write and add, odd
and empty shapes, pointers that are aligned to one element only, and that nothing is written outside the
output. A wrong result ends the run with exit code 1 and no number; something missing, with exit code 2.

Times are those of the GPU (CUDA events). Several calls queue up behind a pause of the device, so the time that
Python needs to launch them is not counted. Sides take turns; a time is a median with its 10th and 90th
percentile. The copy is device to device, of the same tensor. Tensors that fit the GPU's cache stay in the
cache, on every side.
"""
import argparse
import ctypes
import datetime
import itertools
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from bench_ops import POOLS, SHAPES, demand_equal, gpu_name, make_data, reference
from measuring import UnavailableError, WrongResultError, call, print_table, ratio, spread

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / 'src' / 'cabi' / 'corner_pool_cuda.cu'
DTYPES = {'float32': 0, 'float64': 1, 'float16': 2}   # the codes of the C interface, which are MXNet's

# Single elements and lines, around the sizes of warps and tiles, more planes than rows of a grid, empty ones.
CHECKED_SHAPES = ((1, 1, 1, 1), (1, 1, 1, 7), (1, 1, 7, 1), (2, 3, 5, 4), (1, 2, 32, 32), (1, 2, 33, 31),
                  (1, 3, 64, 65), (1, 1, 257, 129), (2, 1, 3, 1030), (2, 1, 1030, 3), (1, 70000, 2, 3),
                  (0, 3, 4, 5), (2, 0, 4, 5), (2, 3, 0, 5), (2, 3, 4, 0))
GUARD = 64        # elements on each side of an output that must stay as they are

CALLS = 10        # timed together
ROUNDS = 15


# -- the kernels ---------------------------------------------------------------------------------------------

def find_nvcc():
    for candidate in (os.environ.get('NVCC'), 'nvcc', '/usr/local/cuda/bin/nvcc'):
        if candidate and shutil.which(candidate):
            return shutil.which(candidate)
    raise UnavailableError('nvcc is not on the PATH; set NVCC to it')


def compile_kernels(nvcc, arch, folder):
    """Compiles the C interface for `arch` (such as sm_80); returns the path of the shared library."""
    library = Path(folder) / 'corner_pool_cuda.so'
    command = [nvcc, '-O3', '-std=c++17', f'-arch={arch}', '-shared', '-Xcompiler', '-fPIC',
               '-I', str(ROOT / 'src' / 'operator' / 'contrib'), str(SOURCE), '-o', str(library)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise UnavailableError(f'{" ".join(command)}\n{done.stdout}')
    return library


class Kernels:
    """The C interface on contiguous device tensors (N, C, H, W), in the current stream of PyTorch."""

    def __init__(self, library, torch):
        self.torch = torch
        code, pointer, size = ctypes.c_int, ctypes.c_void_p, ctypes.c_int64
        loaded = ctypes.CDLL(str(library))
        self._forward, self._backward = loaded.corner_pool_forward, loaded.corner_pool_backward
        self._forward.argtypes = [code, code, pointer, pointer, size, size, size, pointer]
        self._backward.argtypes = [code, code, code, pointer, pointer, pointer, size, size, size, pointer]

    def forward(self, pool, x, y):
        self._call(self._forward, POOLS.index(pool), x, [], [x, y])

    def backward(self, pool, dy, x, dx, accumulate=False):
        self._call(self._backward, POOLS.index(pool), x, [int(accumulate)], [dy, x, dx])

    def _call(self, function, op, x, flags, tensors):
        n, c, height, width = x.shape
        dtype = DTYPES[str(x.dtype).split('.')[-1]]
        stream = self.torch.cuda.current_stream().cuda_stream
        error = function(op, dtype, *flags, *(tensor.data_ptr() for tensor in tensors),
                         n * c, height, width, stream)
        if error:
            what = f'{function.__name__} of {tuple(x.shape)} {x.dtype}'
            raise WrongResultError(f'{what}: returned cudaError {error}')


# -- right? --------------------------------------------------------------------------------------------------

def kinds_of_data(shape, dtype):
    """name -> (x, dy): the cases that a scan can get wrong. All sums of dy are exact in every dtype."""
    rng = np.random.default_rng(3)
    x, dy = make_data(shape, dtype)
    ties = rng.integers(0, 3, shape).astype(dtype)
    special = rng.choice(np.array([np.nan, np.inf, -np.inf, 0., -0., 1.], dtype), shape,
                         p=[.05, .05, .2, .3, .3, .1])
    return {'random': (x, dy), 'ties': (ties, dy), 'NaN, infinities and zeros': (special, dy),
            'falling': (-(np.arange(x.size) % 2000).reshape(shape).astype(dtype), dy),
            'lowest': (np.full(shape, -np.inf, dtype), dy)}


class Guarded:
    """A tensor inside a larger one, `offset` elements away from aligned memory."""

    def __init__(self, torch, array, device, offset):
        self.begin, self.size = GUARD + offset, array.size
        flat = np.full(array.size + 2 * GUARD + offset, 77, array.dtype)
        flat[self.begin:self.begin + self.size] = array.ravel()
        self.whole = torch.from_numpy(flat).to(device)
        self.tensor = self.whole[self.begin:self.begin + self.size].view(array.shape)

    def numpy(self, what):
        flat = self.whole.cpu().numpy()
        outside = np.concatenate((flat[:self.begin], flat[self.begin + self.size:]))
        if (outside != 77).any():
            raise WrongResultError(f'{what}: writes outside the output')
        return flat[self.begin:self.begin + self.size].reshape(tuple(self.tensor.shape))


def check_case(kernels, torch, device, pool, x, dy, offset, what):
    wanted_y, wanted_dx = reference(pool, x, dy)
    held = np.resize(np.arange(-3, 4), x.shape).astype(x.dtype)   # what is in dx before
    inputs = [Guarded(torch, array, device, offset) for array in (x, dy)]
    y, written, added = (Guarded(torch, array, device, offset) for array in (np.full_like(x, 55), held, held))
    kernels.forward(pool, inputs[0].tensor, y.tensor)
    kernels.backward(pool, inputs[1].tensor, inputs[0].tensor, written.tensor)
    kernels.backward(pool, inputs[1].tensor, inputs[0].tensor, added.tensor, accumulate=True)
    demand_equal(f'{what}, values', y.numpy(what), wanted_y)
    demand_equal(f'{what}, gradient', written.numpy(what), wanted_dx)
    demand_equal(f'{what}, gradient added', added.numpy(what), held + wanted_dx)
    for name, tensor, array in (('x', inputs[0], x), ('dy', inputs[1], dy)):
        demand_equal(f'{what}, {name} afterwards', tensor.numpy(what), array)


def check_half_precision(kernels, torch, device, pool):
    """4097 ones for one winner: 4096 when summed in float32 and rounded once, 2048 when summed in float16."""
    shape = (1, 1, 4097, 1) if pool in ('top', 'bottom') else (1, 1, 1, 4097)
    ones = np.ones(shape, np.float16)
    x, dy, dx = (torch.from_numpy(ones.copy()).to(device) for _ in range(3))
    kernels.backward(pool, dy, x, dx)
    wanted = reference(pool, ones, ones)[1]
    demand_equal(f'{pool}_pool, sum of a float16 gradient', dx.cpu().numpy(), wanted)


def check_repeats(kernels, torch, device, pool):
    """The same bits every time, with sums that depend on their order."""
    rng = np.random.default_rng(5)
    x = torch.from_numpy(rng.integers(0, 3, (2, 3, 100, 90)).astype('float32')).to(device)
    dy = torch.from_numpy(rng.standard_normal(tuple(x.shape), np.float32)).to(device)
    results = []
    for _ in range(5):
        dx = torch.empty_like(x)
        kernels.backward(pool, dy, x, dx)
        results.append(dx.cpu().numpy())
    for result in results[1:]:
        demand_equal(f'{pool}_pool, gradient once more', result, results[0])


def check(kernels, torch, device):
    """Raises WrongResultError at the first case that is wrong; returns the number of cases."""
    cases = 0
    for pool, dtype, shape in itertools.product(POOLS, DTYPES, CHECKED_SHAPES):
        for (name, (x, dy)), offset in itertools.product(kinds_of_data(shape, dtype).items(), (0, 1)):
            what = f'{pool}_pool of {shape} {dtype}, {name}, offset {offset}'
            check_case(kernels, torch, device, pool, x, dy, offset, what)
            cases += 1
    for pool in POOLS:
        check_half_precision(kernels, torch, device, pool)
        check_repeats(kernels, torch, device, pool)
        cases += 2
    return cases


# -- fast? ---------------------------------------------------------------------------------------------------

def gpu_ms(torch, function):
    """Milliseconds on the GPU of one call, from CALLS of them in a row."""
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda._sleep(10_000_000)   # some milliseconds, in which the calls below queue up
    begin.record()
    for _ in range(CALLS):
        function()
    end.record()
    end.synchronize()
    return begin.elapsed_time(end) / CALLS


def torch_function(pool):
    axis = 2 if pool in ('top', 'bottom') else 3
    if pool in ('top', 'left'):
        return lambda x: x.flip(axis).cummax(axis)[0].flip(axis)
    return lambda x: x.cummax(axis)[0]


def measure(kernels, torch, device, pool, shape, dtype, rounds=ROUNDS):
    """One row: times in ms, and their ratios. The kernels are checked at this shape first."""
    arrays = make_data(shape, dtype)
    check_case(kernels, torch, device, pool, *arrays, 0, f'{pool}_pool of {shape} {dtype}')
    x, dy = (torch.from_numpy(array).to(device) for array in arrays)
    y, dx, copied, leaf = (torch.empty_like(x) for _ in range(4))
    leaf.copy_(x).requires_grad_()
    in_torch = torch_function(pool)
    demand_equal(f'PyTorch {pool} of {shape} {dtype}', in_torch(x).cpu().numpy(), reference(pool, *arrays)[0])

    def torch_both():
        leaf.grad = None
        in_torch(leaf).backward(dy)

    def both():
        kernels.forward(pool, x, y)
        kernels.backward(pool, dy, x, dx)

    sides = {'forward': lambda: kernels.forward(pool, x, y),
             'backward': lambda: kernels.backward(pool, dy, x, dx),
             'forward+backward': both,
             'copy': lambda: copied.copy_(x),
             'torch forward': lambda: in_torch(x),
             'torch forward+backward': torch_both}
    samples = {name: [] for name in sides}
    for function in sides.values():
        gpu_ms(torch, function)
    for turn in range(rounds):
        for name in list(sides)[::1 if turn % 2 == 0 else -1]:
            samples[name].append(gpu_ms(torch, sides[name]))
    times = {name: np.array(values) for name, values in samples.items()}
    bytes_moved = 2 * x.numel() * x.element_size()
    return {'pool': pool, 'shape': shape, 'dtype': dtype,
            'ms': {name: spread(values) for name, values in times.items()},
            'copy_gb_per_s': bytes_moved / float(np.median(times['copy'])) / 1e6,
            'forward_of_copy_bandwidth': ratio(times, 'copy', 'forward'),
            'backward_copies': ratio(times, 'backward', 'copy'),
            'forward_faster': ratio(times, 'torch forward', 'forward'),
            'forward_backward_faster': ratio(times, 'torch forward+backward', 'forward+backward')}


def conditions(torch, nvcc, arch):
    release = subprocess.run([nvcc, '--version'], capture_output=True, text=True).stdout.strip().splitlines()
    return {'date': datetime.datetime.now(datetime.timezone.utc).isoformat(timespec='seconds'),
            'gpu': torch.cuda.get_device_name(0), 'gpu_and_driver': gpu_name(), 'arch': arch,
            'memory_gib': round(torch.cuda.get_device_properties(0).total_memory / 2 ** 30, 1),
            'nvcc': release[-1] if release else None,
            'torch': torch.__version__, 'torch_cuda': torch.version.cuda, 'numpy': np.__version__,
            'python': platform.python_version(), 'system': platform.platform(),
            'calls_timed_together': CALLS, 'rounds': ROUNDS}


def print_report(report):
    for key, value in report['conditions'].items():
        print(f'{key:24}{value}')
    print(f'{report["cases_checked"]} cases are right')
    if not report['rows']:
        return

    def us(row, name):
        times = row['ms'][name]
        return f'{times["median"] * 1e3:.1f} ({times["p10"] * 1e3:.1f}-{times["p90"] * 1e3:.1f})'

    def cells(row):
        return ['x'.join(map(str, row['shape'])), row['dtype'], row['pool'],
                us(row, 'forward'), us(row, 'backward'), us(row, 'copy'), f'{row["copy_gb_per_s"]:.0f}',
                f'{row["forward_of_copy_bandwidth"]["median"]:.0%}', us(row, 'torch forward'),
                f'{row["forward_faster"]["median"]:.1f}', f'{row["forward_backward_faster"]["median"]:.1f}']

    print_table(['microseconds', 'dtype', 'pool', 'forward', 'backward', 'copy', 'copy GB/s',
                 'of copy bandwidth', 'PyTorch forward', 'times faster', 'both, times faster'],
                *map(cells, report['rows']))


# -- the run -------------------------------------------------------------------------------------------------

def import_torch():
    try:
        import torch
    except ImportError as error:
        raise UnavailableError(f'PyTorch cannot be imported: {error}') from error
    if not torch.cuda.is_available():
        raise UnavailableError('PyTorch finds no GPU')
    return torch


def run(args, folder):
    nvcc = find_nvcc()
    if args.compile_only:
        library = compile_kernels(nvcc, args.arch or 'sm_80', folder)
        print(f'{SOURCE.relative_to(ROOT)} compiles ({library.stat().st_size} bytes)')
        return None
    torch = import_torch()
    arch = args.arch or 'sm_{}{}'.format(*torch.cuda.get_device_capability(0))
    kernels = Kernels(compile_kernels(nvcc, arch, folder), torch)
    # A stream of our own: a kernel that is launched into another stream is then not waited for, and the check fails.
    with torch.cuda.stream(torch.cuda.Stream()):
        report = {'conditions': conditions(torch, nvcc, arch), 'cases_checked': check(kernels, torch, 'cuda'),
                  'rows': []}
        if not args.check_only:
            cases = [(pool, shape, 'float32') for shape in SHAPES for pool in POOLS]
            cases += [(pool, SHAPES[-1], dtype) for dtype in ('float16', 'float64') for pool in POOLS]
            report['rows'] = [measure(kernels, torch, 'cuda', *case) for case in cases]
    return report


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--json', metavar='FILE', help='write every number here')
    parser.add_argument('--check-only', action='store_true')
    parser.add_argument('--compile-only', action='store_true')
    parser.add_argument('--arch', help="nvcc's -arch; default: that of the GPU, or sm_80 with --compile-only")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        return call(args, lambda args: run(args, folder), print_report)


if __name__ == '__main__':
    sys.exit(main())
