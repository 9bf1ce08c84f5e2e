"""What the GPU kernels compute, without a GPU: compiled for the CPU, where every GPU thread is a thread.

Through the C interface of src/cabi, on NumPy's memory. scripts/bench/bench_ops_cuda.py does the same on a GPU.
"""
import ctypes
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from pool_cases import CODES, DTYPES, LINES, NAN, POOLS, from_scan_order, tied, twin

HERE = Path(__file__).resolve().parent
SOURCES = HERE.parent / 'src'
LAUNCH = re.compile(r'(\w+)<<<(.+?), (.+?), 0, stream>>>\(job\)')
# Around the 32 threads of a warp, the 64 rows of a block and the 256 columns of one.
SHAPES = [(1, 1, 1, 1), (2, 3, 5, 4), (1, 1, 1, 70), (1, 1, 70, 1), (1, 2, 31, 33), (1, 1, 32, 64), (3, 1, 33, 100),
          (1, 1, 3, 300)]


@pytest.fixture(scope='module')
def kernels(tmp_path_factory):
    """The shared library that the kernels are compiled into."""
    folder = tmp_path_factory.mktemp('kernels')
    launches = 0
    for source in (SOURCES / 'operator' / 'contrib').glob('corner_pool_scan*'):
        text, count = LAUNCH.subn(r'Launch(\2, \3, [&] { \1(job); })', source.read_text())
        (folder / source.name).write_text(text)
        launches += count
    assert launches == 4   # forward and backward, columns and rows
    compiler = shutil.which('g++')
    if compiler is None:
        pytest.skip('g++ is not on the PATH')
    library = folder / 'kernels.so'
    done = subprocess.run([
        compiler, '-std=c++20', '-O1', '-shared', '-fPIC', '-pthread', '-D__CUDACC__', '-include', 'cuda_runtime.h',
        '-I', HERE / 'cuda_emulation', '-I', folder, '-x', 'c++', SOURCES / 'cabi' / 'corner_pool_cuda.cu',
        '-o', library], capture_output=True, text=True)
    if 'barrier: No such file' in done.stderr or "'-std=c++20'" in done.stderr:
        pytest.skip('g++ is older than C++20')
    assert done.returncode == 0, done.stderr
    return ctypes.CDLL(str(library))


def run(kernels, pool, x, dy, accumulate=False, in_place=False):
    """(y, dx) of the kernels; dx starts as 1, and stays in y's place when the gradient overwrites dy."""
    code = [ctypes.c_int(POOLS.index(pool)), ctypes.c_int(CODES[x.dtype.name])]
    sizes = [ctypes.c_int64(size) for size in (x.shape[0] * x.shape[1], x.shape[2], x.shape[3])]
    y, dx = np.empty_like(x), dy.copy() if in_place else np.ones_like(x)
    source = dx if in_place else dy
    pointer = lambda array: ctypes.c_void_p(array.ctypes.data)
    assert kernels.corner_pool_forward(*code, pointer(x), pointer(y), *sizes, None) == 0
    assert kernels.corner_pool_backward(*code, ctypes.c_int(accumulate), pointer(source), pointer(x), pointer(dx),
                                        *sizes, None) == 0
    return y, dx


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('pool', POOLS)
def test_against_the_slow_twin(kernels, pool, dtype):
    rng = np.random.RandomState(0)
    for shape in SHAPES:
        x, dy = tied(rng, shape, dtype)
        x[rng.rand(*shape) < 0.02] = NAN
        y_wanted, dx_wanted = twin(pool, x, dy)
        for options, start in (({}, 0), ({'accumulate': True}, 1), ({'in_place': True}, 0)):
            y, dx = run(kernels, pool, x, dy, **options)
            np.testing.assert_array_equal(y, y_wanted, err_msg=f'{shape} {options}')
            np.testing.assert_array_equal(dx, dx_wanted + np.asarray(start, dtype), err_msg=f'{shape} {options}')


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('pool', POOLS)
def test_lines_worked_by_hand(kernels, pool, dtype):
    """Every line in its own row of lines, so that the rule is the same as on every other device."""
    for line, winners in LINES:
        x = from_scan_order(pool, np.array(line, dtype).reshape(1, 1, 1, -1))
        dy = from_scan_order(pool, np.arange(1, len(line) + 1, dtype=dtype).reshape(1, 1, 1, -1))
        wanted = np.zeros(len(line), dtype)
        np.add.at(wanted, winners, np.arange(1, len(line) + 1, dtype=dtype))
        y, dx = run(kernels, pool, x, dy)
        np.testing.assert_array_equal(y, from_scan_order(pool, np.array(line, dtype)[winners].reshape(1, 1, 1, -1)))
        np.testing.assert_array_equal(dx, from_scan_order(pool, wanted.reshape(1, 1, 1, -1)))


def test_unknown_operator_and_type(kernels):
    size = ctypes.c_int64(1)
    for op, dtype in ((4, 0), (-1, 0), (0, 3)):
        assert kernels.corner_pool_forward(op, dtype, None, None, size, size, size, None) == 1
