"""What pip has made of pyproject.toml and setup.py, in the environment that runs the tests."""
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
WINDOWS = (b'libGL.so', b'libQt5', b'libX11.so', b'libgtk')   # what a machine without a screen does not have


def run(*command, **options):
    return subprocess.run(command, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)


# -- the packages ----------------------------------------------------------------------------------------------------

def test_pip_check():
    result = run(sys.executable, '-m', 'pip', 'check')
    assert result.returncode == 0, result.stdout


def test_numpy_is_one_that_mxnet_runs_on():
    major, minor = importlib.metadata.version('numpy').split('.')[:2]
    assert (1, 23) <= (int(major), int(minor)) <= (1, 26)


def test_cv2_needs_no_window_system():
    """Both OpenCV packages write the directory cv2; the one without windows has to be the one that remains."""
    import cv2
    binaries = list(Path(cv2.__file__).parent.glob('cv2*.so'))
    assert binaries
    for binary in binaries:
        content = binary.read_bytes()
        assert not [name for name in WINDOWS if b'\0' + name in content]
    gui = [line.split(':')[1].strip() for line in cv2.getBuildInformation().splitlines() if line.startswith('  GUI:')]
    assert gui == ['NONE']


# -- the library -----------------------------------------------------------------------------------------------------

COMPILES = """#!/bin/sh
[ "$1" = --list-gpu-arch ] && { printf 'compute_%s\\n' 75 80 86 120 121; exit; }
echo "$@" > "$0.arguments"
while [ "$1" != -o ]; do shift; done
echo "${0##*/}" > "$2"
"""
REFUSES = """#!/bin/sh
echo 'In file included from here:' >&2
echo 'source.cc:1:2: error: no such type' >&2
exit 1
"""


class Tree:
    """A source tree with compilers of its own, which record what they are asked for. No other is on the PATH."""

    def __init__(self, root):
        self.root, self.tools, sources = root, root / 'bin', root / 'src' / 'library'
        package = root / 'gluonzoo' / 'ops'
        self.library, self.report = package / 'libcorner_pool.so', package / 'library_build.txt'
        for directory in package, self.tools, sources:
            directory.mkdir(parents=True)
        shutil.copy(REPOSITORY / 'setup.py', root)
        for source in 'binding.cc', 'kernels.cu':
            (sources / source).touch()

    def tool(self, name, script):
        path = self.tools / name
        path.write_text(script)
        path.chmod(0o755)
        return path

    def arguments(self, name):
        return (self.tools / f'{name}.arguments').read_text().split()

    def build(self, **changes):
        """(what the library holds, what the report says), None where there is none."""
        self._run('setup.py', 'build_ext', '--inplace', **changes)
        return tuple(file.read_text() if file.exists() else None for file in (self.library, self.report))

    def wheel(self):
        """The wheel of the whole package, as it lies in the repository: (name, files)"""
        for name in 'pyproject.toml', 'README.md', 'LICENSE', 'NOTICE':
            shutil.copy(REPOSITORY / name, self.root)
        shutil.copytree(REPOSITORY / 'gluonzoo', self.root / 'gluonzoo', dirs_exist_ok=True)
        self._run('-m', 'pip', 'wheel', '--no-deps', '--no-build-isolation', '--wheel-dir', 'wheels', '.')
        path, = (self.root / 'wheels').iterdir()
        with zipfile.ZipFile(path) as wheel:
            return path.name, {name: wheel.read(name) for name in wheel.namelist()}

    def _run(self, *arguments, **changes):
        environment = {**os.environ, 'PATH': str(self.tools), 'CXX': '', 'GLUONZOO_CUDA_ARCHS': '', **changes}
        result = run(sys.executable, *arguments, cwd=self.root, env=environment)
        assert result.returncode == 0, result.stdout


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)


def test_installed_library_or_the_reason():
    import gluonzoo.ops
    package = Path(gluonzoo.ops.__file__).parent
    if any(map(shutil.which, ('c++', 'g++', 'clang++'))):
        assert b'\0libmxnet.so\0' in (package / 'libcorner_pool.so').read_bytes()
    else:
        assert len((package / 'library_build.txt').read_text().splitlines()) == 1


def test_library_is_portable(tree):
    tree.tool('c++', COMPILES)
    assert tree.build() == ('c++\n', None)
    arguments = tree.arguments('c++')
    assert {'src/library/binding.cc', '-fopenmp', '-D_GLIBCXX_USE_CXX11_ABI=0', '-l:libmxnet.so'} <= set(arguments)
    assert any(name.endswith('/mxnet/src/lib_api.cc') for name in arguments)
    assert not [a for a in arguments if a.startswith(('-march', '-mtune', '-Wl,-rpath')) or a.endswith('.cu')]


def test_compiler_of_the_user(tree):
    tree.tool('c++', REFUSES)
    tree.tool('mine', COMPILES)
    assert tree.build(CXX='mine -O1') == ('mine\n', None)
    assert tree.arguments('mine')[0] == '-O1'


def test_failure_is_one_line_and_no_library(tree):
    """The installation goes on, and the library of an earlier one goes."""
    tree.tool('c++', COMPILES)
    tree.build()
    tree.tool('c++', REFUSES)
    assert tree.build() == (None, 'c++ failed (1): source.cc:1:2: error: no such type\n')
    tree.tool('c++', COMPILES)
    assert tree.build() == ('c++\n', None)


def test_no_compiler(tree):
    assert tree.build() == (None, 'no C++ compiler (c++, g++, clang++) on the PATH\n')
    assert tree.build(CXX='absent -O2') == (None, 'absent: No such file or directory\n')


def test_cuda(tree):
    tree.tool('c++', COMPILES)
    tree.tool('nvcc', COMPILES)
    assert tree.build(GLUONZOO_CUDA_ARCHS='7.0 90a') == ('nvcc\n', None)
    assert {'-DGLUONZOO_CUDA=1', 'src/library/binding.cc'} <= set(tree.arguments('c++'))
    arguments = tree.arguments('nvcc')
    assert 'src/library/kernels.cu' in arguments and 'src/library/binding.cc' not in arguments
    assert [a for a in arguments if a.startswith('-gencode')] == [
        '-gencode=arch=compute_70,code=sm_70', '-gencode=arch=compute_90a,code=sm_90a',
        '-gencode=arch=compute_90a,code=compute_90a']


def test_cuda_that_fails_leaves_the_cpu(tree):
    tree.tool('c++', COMPILES)
    nvcc = tree.tool('nvcc', REFUSES)
    library, report = tree.build(GLUONZOO_CUDA_ARCHS='80')
    assert library == 'c++\n'
    assert report == f'without CUDA: {nvcc} failed (1): source.cc:1:2: error: no such type\n'
    assert '-DGLUONZOO_CUDA=1' not in tree.arguments('c++')
    assert {path.name for path in tree.library.parent.iterdir()} == {tree.library.name, tree.report.name}


def test_cuda_architectures_and_mxnet(tree, monkeypatch):
    """Without a wish: one architecture of each major version, for a CUDA build of MXNet."""
    specification = importlib.util.spec_from_file_location('gluonzoo_setup', REPOSITORY / 'setup.py')
    setup = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(setup)
    monkeypatch.delenv('GLUONZOO_CUDA_ARCHS', raising=False)
    nvcc = str(tree.tool('nvcc', COMPILES))
    assert [option.split(',code=')[1] for option in setup.architectures(nvcc)] == [
        'sm_75', 'sm_80', 'sm_120', 'compute_120']
    for names, expected in (b'\0libcuda.so.1\0libcudart.so.11.0\0', True), (b'\0libgomp.so.1\0', False):
        (tree.root / 'libmxnet.so').write_bytes(b'\x7fELF' + names)
        assert setup.is_cuda_build(tree.root) == expected


# -- the wheel -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('compiler', [COMPILES, REFUSES], ids=['with the library', 'without'])
def test_one_wheel_for_every_python(tree, compiler):
    """Of the compiled files it has the library alone, made anew: what lies in the source tree does not travel."""
    tree.tool('c++', compiler)
    tree.library.write_text('of an editable installation')
    name, files = tree.wheel()
    platform = sysconfig.get_platform().replace('-', '_').replace('.', '_')
    assert name == f'gluonzoo-{importlib.metadata.version("gluonzoo")}-py3-none-{platform}.whl'
    templates = {f'{path.relative_to(REPOSITORY)}' for path in (REPOSITORY / 'gluonzoo/reports/templates').iterdir()}
    assert templates <= set(files)
    others = {name: content for name, content in files.items()
              if not name.endswith('.py') and '.dist-info/' not in name and name not in templates}
    assert others == ({'gluonzoo/ops/libcorner_pool.so': b'c++\n'} if compiler == COMPILES else
                      {'gluonzoo/ops/library_build.txt': b'c++ failed (1): source.cc:1:2: error: no such type\n'})
    assert {f'{path.relative_to(REPOSITORY)}' for path in (REPOSITORY / 'gluonzoo').rglob('*.py')} <= set(files)
    entry_points, = (content.decode() for name, content in files.items() if name.endswith('/entry_points.txt'))
    assert 'gluonzoo = gluonzoo.commands.main:main' in entry_points.splitlines()
