"""The CUDA sources compile where there is an nvcc. scripts/bench/bench_ops_cuda.py checks what they compute."""
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / 'src' / 'library').glob('*.cu')) + sorted((ROOT / 'src' / 'cabi').glob('*.cu'))


@pytest.mark.skipif(shutil.which('nvcc') is None, reason='nvcc is not on the PATH')
@pytest.mark.parametrize('source', SOURCES, ids=lambda source: source.name)
def test_compiles(source, tmp_path):
    result = subprocess.run(['nvcc', '-O3', '-Werror', 'all-warnings', '-I', str(ROOT / 'src' / 'operator' / 'contrib'),
                             '-c', str(source), '-o', str(tmp_path / 'out.o')],
                            capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stdout + result.stderr


def test_there_are_sources():
    assert {source.name for source in SOURCES} == {'corner_pool_library.cu', 'corner_pool_cuda.cu'}
