"""scripts/bench/bench_ops_cuda.py without a GPU: it finds planted faults, its calls match the C interface."""
import shutil
import subprocess
from types import SimpleNamespace

import bench_ops
import bench_ops_cuda
import numpy as np
import pytest

# Writes down what it is called with: flag and sizes behind the codes, then the three pointers.
RECORDER = """
#include <stdint.h>
static int64_t seen[9];
int64_t* last_call(void) { return seen; }
static int keep(int op, int dtype, int accumulate, const void* a, const void* b, const void* c,
                int64_t planes, int64_t height, int64_t width, void* stream) {
  int64_t now[9] = {op, dtype, accumulate, planes, height, width, (int64_t)a, (int64_t)b, (int64_t)c};
  for (int i = 0; i < 9; ++i) seen[i] = now[i];
  return stream == (void*)77 ? 0 : 3;
}
int corner_pool_forward(int op, int dtype, const void* x, void* y, int64_t planes, int64_t height,
                        int64_t width, void* stream) {
  return keep(op, dtype, 0, x, y, 0, planes, height, width, stream);
}
int corner_pool_backward(int op, int dtype, int accumulate, const void* dy, const void* x, void* dx,
                         int64_t planes, int64_t height, int64_t width, void* stream) {
  return keep(op, dtype, accumulate, dy, x, dx, planes, height, width, stream);
}
"""


class NumPyKernels:
    """The reference in the place of the kernels, on tensors in main memory."""

    last_wins = False

    def forward(self, pool, x, y):
        y.numpy()[...] = bench_ops.reference(pool, x.numpy(), x.numpy())[0]

    def backward(self, pool, dy, x, dx, accumulate=False):
        gradient = bench_ops.reference(pool, x.numpy(), dy.numpy(), self.last_wins)[1]
        dx.numpy()[...] = gradient + (dx.numpy() if accumulate else 0)


class LastWins(NumPyKernels):
    last_wins = True


class NeverAdds(NumPyKernels):
    def backward(self, pool, dy, x, dx, accumulate=False):
        super().backward(pool, dy, x, dx)


class WritesBeyond(NumPyKernels):
    def forward(self, pool, x, y):
        super().forward(pool, x, y)
        end = y.storage_offset() + y.numel()
        y.as_strided((1,), (1,), end)[...] = 5


class SumsInHalf(NumPyKernels):
    def backward(self, pool, dy, x, dx, accumulate=False):
        super().backward(pool, dy, x, dx, accumulate)
        if str(x.dtype) == 'torch.float16':
            dx.clamp_(-2048, 2048)


@pytest.fixture
def torch(monkeypatch):
    monkeypatch.setattr(bench_ops_cuda, 'CHECKED_SHAPES',
                        ((1, 1, 1, 1), (2, 1, 3, 5), (1, 2, 12, 2), (2, 3, 0, 5)))
    return pytest.importorskip('torch')


def test_right_kernels_pass_every_case(torch):
    cases = bench_ops_cuda.check(NumPyKernels(), torch, 'cpu')
    assert cases == 4 * 3 * 4 * 5 * 2 + 8     # pools, dtypes, shapes, kinds, offsets; then two facts a pool


@pytest.mark.parametrize('kernels, words', [
    (LastWins, 'ties, offset 0, gradient:'), (NeverAdds, 'gradient added'),
    (WritesBeyond, 'outside the output'), (SumsInHalf, 'sum of a float16 gradient'),
])
def test_planted_faults_are_found(torch, kernels, words):
    with pytest.raises(bench_ops.WrongResultError, match=words):
        bench_ops_cuda.check(kernels(), torch, 'cpu')


def test_measured_row(torch, monkeypatch):
    milliseconds = iter(range(1, 100))
    monkeypatch.setattr(bench_ops_cuda, 'gpu_ms', lambda torch, function: (function(), next(milliseconds))[1])
    row = bench_ops_cuda.measure(NumPyKernels(), torch, 'cpu', 'left', (1, 2, 5, 4), 'float32', rounds=1)
    # six to warm up, then in the order forward, backward, both, copy, PyTorch forward, PyTorch both
    assert [row['ms'][name]['median'] for name in row['ms']] == [7, 8, 9, 10, 11, 12]
    assert row['forward_of_copy_bandwidth']['median'] == 10 / 7
    assert row['backward_copies']['median'] == 8 / 10
    assert row['forward_faster']['median'] == 11 / 7
    assert row['forward_backward_faster']['median'] == 12 / 9
    assert row['copy_gb_per_s'] == pytest.approx(2 * 40 * 4 / 10e-3 / 1e9)
    bench_ops_cuda.print_report({'conditions': {'gpu': 'none'}, 'cases_checked': 1, 'rows': [row]})


def test_calls_match_the_c_interface(torch, tmp_path):
    if shutil.which('cc') is None:
        pytest.skip('no C compiler')
    library = tmp_path / 'recorder.so'
    subprocess.run(['cc', '-shared', '-fPIC', '-x', 'c', '-', '-o', str(library)],
                   input=RECORDER.encode(), check=True)
    stream = SimpleNamespace(cuda_stream=77)
    fake = SimpleNamespace(cuda=SimpleNamespace(current_stream=lambda: stream))
    kernels = bench_ops_cuda.Kernels(library, fake)
    seen = bench_ops_cuda.ctypes.CDLL(str(library)).last_call
    seen.restype = bench_ops_cuda.ctypes.POINTER(bench_ops_cuda.ctypes.c_int64)
    x, y, dx = (torch.zeros((2, 3, 5, 4), dtype=torch.float16) for _ in range(3))
    kernels.forward('left', x, y)
    assert seen()[:8] == [2, 2, 0, 6, 5, 4, x.data_ptr(), y.data_ptr()]
    kernels.backward('right', y, x, dx, accumulate=True)
    assert seen()[:9] == [3, 2, 1, 6, 5, 4, y.data_ptr(), x.data_ptr(), dx.data_ptr()]
    stream.cuda_stream = 78
    with pytest.raises(bench_ops.WrongResultError, match=r'corner_pool_forward of \(2, 3, 5.*cudaError 3'):
        kernels.forward('top', x, y)


def test_what_is_missing_is_one_line_and_exit_code_2(monkeypatch, capsys):
    monkeypatch.setenv('NVCC', '')
    monkeypatch.setattr(bench_ops_cuda.shutil, 'which', lambda name: None)
    assert bench_ops_cuda.main(['--check-only']) == 2
    assert capsys.readouterr().err == 'nvcc is not on the PATH; set NVCC to it\n'


def test_float16_data_is_exact():
    for x, dy in bench_ops_cuda.kinds_of_data((1, 2, 30, 40), 'float16').values():
        assert x.dtype == dy.dtype == np.float16
        assert (np.abs(dy).sum(2) <= 2048).all() and (np.abs(dy).sum(3) <= 2048).all()
