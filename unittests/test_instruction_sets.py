"""The loops of every instruction set that this CPU has; the routes only ever take the best one.

Compiled from src/operator/contrib and called on NumPy's memory, without MXNet.
"""
import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from pool_cases import CODES, DTYPES, INF, NAN, POOLS, tied, twin

HERE = Path(__file__).resolve().parent
SETS = ('baseline', 'avx2', 'avx512')
# Less, as much and more than the 4 to 16 lanes of a vector, and whole tiles with and without a rest.
SHAPES = [(1, 1, 1, 1), (2, 3, 17, 5), (1, 2, 16, 16), (1, 1, 48, 131), (1, 1, 131, 40)]

every_pool = pytest.mark.parametrize('pool', POOLS)
every_dtype = pytest.mark.parametrize('dtype', DTYPES)
every_shape = pytest.mark.parametrize('shape', SHAPES, ids=str)


def array_at(offset, like):
    """An array that starts `offset` elements behind the start of a cache line, where those of MXNet start."""
    memory = np.empty(like.nbytes + 128, 'uint8')
    start = -memory.ctypes.data % 64 + offset * like.itemsize
    return memory[start:start + like.nbytes].view(like.dtype).reshape(like.shape)


@pytest.fixture(scope='module')
def loops(tmp_path_factory):
    """run(name of the set, pool, x, dy): y or, with dy, dx

    start: what the output is added to; in_place: y overwrites x, or dx overwrites dy; stream: past the caches;
    offset: see `array_at`
    """
    compiler = shutil.which('g++')
    if compiler is None:
        pytest.skip('g++ is not on the PATH')
    path = tmp_path_factory.mktemp('loops') / 'loops.so'
    subprocess.run([compiler, '-std=c++11', '-O3', '-fopenmp', '-shared', '-fPIC',
                    '-I', HERE.parent / 'src' / 'operator' / 'contrib',
                    HERE / 'instruction_sets' / 'run_on_cpu.cc', '-o', path], check=True)
    library = ctypes.CDLL(str(path))

    def run(name, pool, x, dy=None, start=None, in_place=False, stream=False, offset=0):
        out = array_at(offset, x)
        out[:] = 9 if start is None else start
        if in_place:
            out[:] = x if dy is None else dy
            x, dy = (out, None) if dy is None else (x, out)
        sizes = [ctypes.c_int64(size) for size in (x.shape[0] * x.shape[1], x.shape[2], x.shape[3])]
        pointers = [ctypes.c_void_p(None if array is None else array.ctypes.data) for array in (dy, x, out)]
        library.run_on_cpu(SETS.index(name), POOLS.index(pool), CODES[x.dtype.name], *sizes, *pointers,
                           int(start is not None), int(stream))
        return out

    run.sets = [name for i, name in enumerate(SETS) if library.has_instruction_set(i)]
    return run


@pytest.fixture(params=SETS)
def instructions(request, loops):
    if request.param not in loops.sets:
        pytest.skip(f'this CPU has no {request.param}')
    return request.param


@pytest.fixture
def rng():
    return np.random.RandomState(5)


@every_dtype
@every_pool
@every_shape
def test_values_and_gradients(instructions, loops, pool, dtype, shape, rng):
    x, dy = tied(rng, shape, dtype)
    y, dx = twin(pool, x, dy)
    got = loops(instructions, pool, x)
    np.testing.assert_array_equal(got, y)
    np.testing.assert_array_equal(np.signbit(got), np.signbit(y))
    np.testing.assert_array_equal(loops(instructions, pool, x, dy), dx)


@every_dtype
@every_pool
@every_shape
def test_adding_to_what_is_there(instructions, loops, pool, dtype, shape, rng):
    x, dy = tied(rng, shape, dtype)
    start = rng.randint(-5, 6, shape).astype(dtype)
    y, dx = twin(pool, x, dy)
    np.testing.assert_array_equal(loops(instructions, pool, x, start=start), start + y)
    np.testing.assert_array_equal(loops(instructions, pool, x, dy, start), start + dx)


@every_dtype
@every_pool
@pytest.mark.parametrize('odds', [0.001, 0.02, 0.5])
def test_nan_infinity_and_zeros(instructions, loops, pool, dtype, odds, rng):
    """A tile without a NaN takes a shorter way; few ones make tiles of both kinds in one line."""
    x, dy = tied(rng, (1, 1, 64, 80), dtype)
    special = rng.choice([NAN, INF, -INF, 0.0, -0.0], x.shape).astype(dtype)
    x = np.where(rng.rand(*x.shape) < odds, special, x)
    y, dx = twin(pool, x, dy)
    got = loops(instructions, pool, x)
    np.testing.assert_array_equal(got, y)
    np.testing.assert_array_equal(np.signbit(got[y == 0]), np.signbit(y[y == 0]))
    np.testing.assert_array_equal(loops(instructions, pool, x, dy), dx)


@every_dtype
@every_pool
@every_shape
def test_the_same_bits_as_the_baseline(instructions, loops, pool, dtype, shape, rng):
    """Also where sums are rounded, of zeros of either sign, and in x with a NaN that carries a number."""
    x, dy, start = (rng.standard_normal(shape).astype(dtype) for _ in range(3))
    dy[rng.rand(*shape) < 0.2] = -0.0
    integers = f'uint{8 * x.itemsize}'
    x.view(integers)[rng.rand(*shape) < 0.01] = np.array(NAN, dtype).view(integers) + 5
    for arguments in [(x,), (x, dy), (x, None, start), (x, dy, start)]:
        np.testing.assert_array_equal(loops(instructions, pool, *arguments).view(integers),
                                      loops('baseline', pool, *arguments).view(integers))


@every_dtype
@every_pool
@pytest.mark.parametrize('shape', [(1, 3, 37, 64), (1, 2, 37, 80), (1, 2, 16, 17)], ids=str)
def test_past_the_caches(instructions, loops, pool, dtype, shape, rng):
    """As large arrays are written; not where they, or their rows, do not start with a cache line."""
    x, dy = (rng.standard_normal(shape).astype(dtype) for _ in range(2))
    for arguments in [(x,), (x, dy), (x, None, dy), (x, dy, x)]:
        expected = loops('baseline', pool, *arguments)
        for offset in 0, 1:
            np.testing.assert_array_equal(loops(instructions, pool, *arguments, stream=True, offset=offset), expected)


@every_dtype
@every_pool
@pytest.mark.parametrize('stream', [False, True])
@pytest.mark.parametrize('shape', [(1, 3, 37, 64), (2, 3, 17, 21)], ids=str)
def test_in_place(instructions, loops, pool, dtype, shape, stream, rng):
    x, dy = (rng.standard_normal(shape).astype(dtype) for _ in range(2))
    for arguments in [(x,), (x, dy)]:
        np.testing.assert_array_equal(loops(instructions, pool, *arguments, in_place=True, stream=stream),
                                      loops(instructions, pool, *arguments))
