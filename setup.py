"""Compiles the operator library while gluonzoo is installed. Everything else is in pyproject.toml.

src/library/*.cc and MXNet's own lib_api.cc become gluonzoo/ops/libcorner_pool.so. The library is an extra: where it
cannot be compiled, the installation goes on without it and the reason stands in gluonzoo/ops/library_build.txt.

With nvcc on the PATH and a CUDA build of MXNet in the environment, src/library/*.cu is compiled too. When that fails,
the library is for the CPU alone, and library_build.txt says why.

Environment
    CXX                  the C++ compiler; otherwise c++, g++ or clang++
    GLUONZOO_CUDA_ARCHS  compute capabilities, "70 80 90"; compiles for CUDA even before a CUDA MXNet is installed.
                         Otherwise one of each major version that nvcc knows
"""
import mmap
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from glob import glob
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

NAME = 'gluonzoo.ops.libcorner_pool'
REPORT = 'library_build.txt'
HOST_FLAGS = ['-fPIC', '-fopenmp']
# The wheel was compiled with the strings of before C++11's ABI. No -march: the binary must run anywhere.
FLAGS = ['-O3', '-std=c++11', '-D_GLIBCXX_USE_CXX11_ABI=0', '-Isrc/operator/contrib']


class Unable(Exception):
    """Why there will be no library, or none for CUDA: one line."""


class BuildLibrary(build_ext):
    def get_ext_filename(self, fullname):
        return os.path.join(*fullname.split('.')) + '.so'   # it is no module of Python's: no ABI in its name

    def run(self):
        library = Path('' if self.inplace else self.build_lib, self.get_ext_filename(NAME))
        report = library.with_name(REPORT)
        library.parent.mkdir(parents=True, exist_ok=True)
        try:
            warning = build(library)
        except Unable as reason:
            warning = str(reason)
            library.unlink(missing_ok=True)   # of an earlier installation
        report.unlink(missing_ok=True)
        if warning:
            print(f'{library.name}: {warning}')
            report.write_text(warning + '\n')


class TagWheel(bdist_wheel):
    def get_tag(self):
        # Python does not load the library, MXNet does: one wheel serves every Python on this kind of machine. A wheel
        # without the library is tagged so too: as one for any machine, it would keep others from compiling theirs.
        return 'py3', 'none', super().get_tag()[2]


def build(library):
    """Compiles the library; returns None, or why it is without CUDA."""
    if not sys.platform.startswith('linux'):
        raise Unable(f'the library is for Linux, not {sys.platform}')
    mxnet = find_mxnet()
    cxx = find_compiler()
    compile_host = [*cxx, *HOST_FLAGS, *FLAGS, f'-I{mxnet / "include"}',
                    *sorted(glob('src/library/*.cc')), str(mxnet / 'src' / 'lib_api.cc')]
    complete = library.with_suffix('.new')   # a process may have loaded the one that is there
    # libmxnet.so is in the process before the library is loaded, so its name is enough: no rpath.
    link = ['-shared', f'-L{mxnet}', '-o', str(complete)]
    warning = None
    kernels = sorted(glob('src/library/*.cu'))
    nvcc = shutil.which('nvcc')
    if kernels and nvcc and (os.environ.get('GLUONZOO_CUDA_ARCHS') or is_cuda_build(mxnet)):
        # nvcc sees the kernels alone: to lib_api.h it would be another compiler, which needs more of CUDA's headers.
        host = library.with_suffix('.o')
        try:
            execute([*compile_host, '-DGLUONZOO_CUDA=1', '-r', '-nostdlib', '-o', str(host)])
            execute([nvcc, '-ccbin', cxx[-1], '-Xcompiler', ','.join(HOST_FLAGS), *FLAGS, *architectures(nvcc),
                     *kernels, str(host), *link, '-Xlinker', '-l:libmxnet.so'])
            complete.replace(library)
            return None
        except Unable as reason:
            warning = f'without CUDA: {reason}'
        finally:
            host.unlink(missing_ok=True)
    execute([*compile_host, *link, '-l:libmxnet.so'])
    complete.replace(library)
    return warning


def find_mxnet():
    """The directory of an installed MXNet with its headers.

    First that of the environment which gluonzoo is installed into: pip builds in one of its own, which holds a CPU
    MXNet. It is not imported, since without gluonzoo.runtime that fails on most versions of NumPy.
    """
    for place in sysconfig.get_path('platlib'), sysconfig.get_path('purelib'), *sys.path:
        mxnet = Path(place, 'mxnet').resolve()
        if (mxnet / 'src' / 'lib_api.cc').is_file() and (mxnet / 'libmxnet.so').is_file():
            return mxnet
    raise Unable('no MXNet with headers (mxnet/src/lib_api.cc) is installed')


def is_cuda_build(mxnet):
    """Whether libmxnet.so is linked against the CUDA runtime: its name stands in the table of dynamic strings."""
    with open(mxnet / 'libmxnet.so', 'rb') as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(b'\0libcudart.so') >= 0


def find_compiler():
    """The command of the C++ compiler, in words."""
    asked = shlex.split(os.environ.get('CXX', ''))
    if asked:
        return asked
    for name in 'c++', 'g++', 'clang++':
        if shutil.which(name):
            return [name]
    raise Unable('no C++ compiler (c++, g++, clang++) on the PATH')


def architectures(nvcc):
    """nvcc's options: machine code for each architecture, and the newest one's PTX for what comes after it."""
    asked = re.findall(r'\d+[af]?', os.environ.get('GLUONZOO_CUDA_ARCHS', '').replace('.', ''))
    if not asked:
        majors = {}
        for arch in re.findall(r'compute_(\d+)\b', execute([nvcc, '--list-gpu-arch'])):
            majors.setdefault(int(arch) // 10, arch)
        asked = list(majors.values())
    return [f'-gencode=arch=compute_{arch},code=sm_{arch}' for arch in asked] + [
        f'-gencode=arch=compute_{arch},code=compute_{arch}' for arch in asked[-1:]]


def execute(command):
    print(shlex.join(command))
    try:
        return subprocess.run(command, check=True, text=True, stdin=subprocess.DEVNULL, capture_output=True).stdout
    except OSError as error:
        raise Unable(f'{command[0]}: {error.strerror}') from error
    except subprocess.CalledProcessError as error:
        print(error.stdout, error.stderr)
        lines = (error.stderr + error.stdout).splitlines() or ['']
        first = next((line for line in lines if 'error' in line.lower()), lines[0])
        raise Unable(f'{command[0]} failed ({error.returncode}): {first.strip()}') from error


if __name__ == '__main__':
    setup(ext_modules=[Extension(NAME, sorted(glob('src/library/*.cc') + glob('src/library/*.cu')))],
          cmdclass={'build_ext': BuildLibrary, 'bdist_wheel': TagWheel})
