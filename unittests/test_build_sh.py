"""build.sh with a fake MXNet tree, fake tools and a fake pip: what it refuses, changes, and asks CMake for.

Nothing is compiled, fetched or installed here. Every path has a space in it.
"""
import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[1]
CONTRIB = Path('src/operator/contrib')
OPERATORS = sorted(path.name for path in (ROOT / CONTRIB).iterdir())
SUBMODULES = [f'3rdparty/{name}' for name in (
    'dmlc-core', 'ps-lite', 'dlpack', 'openmp', 'googletest', 'mkldnn', 'tvm', 'nvidia_cub', 'intgemm')]

# The machine's own commands that build.sh may use. Everything else it uses is a fake.
REAL = ('awk', 'bash', 'cat', 'cmp', 'cp', 'cut', 'dirname', 'du', 'env', 'grep', 'ls', 'mkdir', 'mktemp', 'mv',
        'paste', 'rm', 'sed', 'sort', 'touch', 'tr')

LOG = 'printf "%s\\037" "${0##*/}" "$@" >>"$FAKE_LOG"; echo >>"$FAKE_LOG"\n'
FAKES = {
    'cmake': '''
if [[ $1 == --version ]]; then echo "cmake version ${FAKE_CMAKE:-3.25.1}"; exit; fi
if [[ $1 == -S ]] && grep -qs 'project(probe' "$2/CMakeLists.txt"; then
  if [[ -n ${FAKE_PROBE_ERROR:-} ]]; then printf 'CMake Error:\\n  the compiler\\n  is broken\\n'; exit 1; fi
  for found in ${FAKE_FOUND-blas lapack opencv kvstore}; do echo "-- gluonzoo found: $found"; done
  exit
fi
''' + LOG + '''
if [[ $1 == --build ]]; then
  if [[ -n ${FAKE_BUILD_ERROR:-} ]]; then exit 9; fi
  touch "$2/libmxnet.so"
else
  if [[ -n ${FAKE_CONFIGURE_ERROR:-} ]]; then exit 9; fi
  mkdir -p "$4"
  printf 'CMAKE_GENERATOR:INTERNAL=%s\\nCMAKE_HOME_DIRECTORY:INTERNAL=%s\\n' "$6" "$2" >"$4/CMakeCache.txt"
fi
''',
    'git': LOG + '''
if [[ $1 == clone ]]; then cp -r "$FAKE_ORIGIN" "${@: -1}"; fi
if [[ $3 == submodule && -n ${FAKE_SUBMODULE_ERROR:-} ]]; then exit 9; fi
''',
    'df': 'printf "File system, blocks and so on\\n/dev/x 1 1 %s\\n" "$((${FAKE_FREE_MB:-100000} * 1024))"\n',
    'nproc': 'echo "${FAKE_CORES:-3}"\n',
    'nvcc': 'echo "Cuda compilation tools, release ${FAKE_NVCC:-11.2}, V1"\n',
    'nvidia-smi': '[[ -n ${FAKE_GPUS:-} ]] && printf "%s\\n" $FAKE_GPUS\n',
    **dict.fromkeys(['c++', 'perl', 'ninja', 'make', 'ccache'], ''),
}

# It stands for pip: it writes down what it was asked, and leaves behind what Python would see of it.
FAKE_PIP = '''
import os, pathlib, shutil, sys
with open(os.environ['FAKE_LOG'], 'a') as log:
    log.write('\\037'.join(['pip', *sys.argv[1:]]) + '\\037\\n')
site = pathlib.Path(__file__).parents[1]
def distribution(name):
    (site / (name + '-1.dist-info')).mkdir(exist_ok=True)
    (site / (name + '-1.dist-info') / 'METADATA').write_text('Name: ' + name + '\\nVersion: 1\\n')
if sys.argv[1] == 'uninstall':
    shutil.rmtree(site / (sys.argv[-1].replace('-', '_') + '-1.dist-info'))
elif '--editable' in sys.argv:
    (site / 'mxnet.pth').write_text(sys.argv[-1])
    distribution('mxnet')
else:
    distribution('gluonzoo')
'''

FAKE_TEST = '''
import os
with open(os.environ['FAKE_LOG'], 'a') as log:
    log.write('\\037'.join(['test', os.environ['GLUONZOO_OPS']]) + '\\037\\n')
'''


def write(path, text, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def make_tree(tree, version='1.9.1'):
    """The parts of an MXNet tree that build.sh looks at."""
    major, minor, patch = version.split('.')
    write(tree / 'CMakeLists.txt', 'project(mxnet C CXX)\n')
    write(tree / 'include/mxnet/base.h',
          f'#define MXNET_MAJOR {major}\n#define MXNET_MINOR {minor}\n#define MXNET_PATCH {patch}\n')
    write(tree / 'python/mxnet/__init__.py', '')
    write(tree / 'python/mxnet/libinfo.py', f'# version\n__version__ = "{version}"\n')
    write(tree / 'python/mxnet/gluon/block.py', '    def hybrid_forward(self, F, x):\n')
    write(tree / CONTRIB / 'quadratic_op.cc', '// MXNet\'s own\n')
    for name in SUBMODULES:
        write(tree / name / 'README.md', name)


def snapshot(folder):
    """Every path below `folder` with its content and time, so that equality means: not touched."""
    return {str(path.relative_to(folder)): (os.readlink(path) if path.is_symlink() else
                                            path.read_bytes() if path.is_file() else None,
                                            path.lstat().st_mtime_ns)
            for path in sorted(folder.rglob('*'))}


def contents(folder):
    return {path: content for path, (content, _) in snapshot(folder).items()}


@pytest.fixture(scope='module')
def an_env(tmp_path_factory):
    """A virtual environment with the fake pip; to be copied."""
    env = tmp_path_factory.mktemp('module') / 'env'
    venv.create(env, with_pip=False, symlinks=True)
    site = next(env.glob('lib/python*/site-packages'))
    write(site / 'pip/__main__.py', FAKE_PIP)
    write(site / 'pip/__init__.py', '')
    write(site / 'pip-23.0.dist-info/METADATA', 'Name: pip\nVersion: 23.0\n')
    write(site / 'pytest.py', '')
    return env


@pytest.fixture
def at(tmp_path, an_env):
    """A place to build: .repo, .tree, .bin (fakes), .home (current directory), .venv, .log, .build(...)."""
    here = SimpleNamespace(repo=tmp_path / 'the repo', tree=tmp_path / 'mx net', bin=tmp_path / 'fake bin',
                           home=tmp_path / 'some where', venv=tmp_path / 'an env')
    here.home.mkdir()
    shutil.copytree(ROOT / CONTRIB, here.repo / CONTRIB)
    shutil.copy(ROOT / 'build.sh', here.repo)
    write(here.repo / 'gluonzoo/runtime.py', '')
    write(here.repo / 'unittests/test_pool.py', FAKE_TEST)
    make_tree(here.tree)
    here.bin.mkdir()
    for name in REAL:
        (here.bin / name).symlink_to(shutil.which(name))
    for name, body in FAKES.items():
        write(here.bin / name, f'#!{shutil.which("bash")}\n{body}', 0o755)
    shutil.copytree(an_env, here.venv, symlinks=True)
    here.site = next(here.venv.glob('lib/python*/site-packages'))
    log = tmp_path / 'log'

    def build(*arguments, **fake):
        environment = {'PATH': f'{here.bin}:{here.venv}/bin', 'HOME': str(here.home), 'FAKE_LOG': str(log),
                       'PYTHONDONTWRITEBYTECODE': '1', 'TMPDIR': str(tmp_path)}
        environment.update({name: str(value) for name, value in fake.items()})
        return subprocess.run([here.bin / 'bash', here.repo / 'build.sh', *map(str, arguments)], check=False,
                              cwd=here.home, env=environment, text=True, capture_output=True, timeout=60)

    def calls(name):
        lines = log.read_text().splitlines() if log.exists() else []
        return [call[1:] for call in (line.split('\x1f')[:-1] for line in lines) if call[0] == name]

    here.build, here.calls, here.log = build, calls, log
    return here


def patched(at):
    return [(at.tree / CONTRIB / name).read_bytes() for name in OPERATORS] == \
        [(at.repo / CONTRIB / name).read_bytes() for name in OPERATORS]


def succeeds(result):
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stderr == ''
    return result.stdout


def steps(result):
    return [line for line in succeeds(result).splitlines() if line.startswith('+ ')]


def one_line(result, code):
    assert result.returncode == code, result.stdout + result.stderr
    assert result.stderr.startswith('build.sh: '), result.stderr
    assert result.stderr.count('\n') == 1, result.stderr
    return result.stderr


# -- what is refused -----------------------------------------------------------------------------------------

def nothing(at):
    pass


def without(*names):
    return lambda at: [(at.bin / name).unlink() for name in names]


def gone(*paths):
    def remove(at):
        for path in paths:
            (shutil.rmtree if (at.tree / path).is_dir() else Path.unlink)(at.tree / path)
    return remove


def holds(path, text):
    return lambda at: write(at.tree / path, text)


def holds_cache(line):
    return lambda at: write(at.tree / 'build/CMakeCache.txt', f'CMAKE_HOME_DIRECTORY:INTERNAL={at.tree}\n{line}\n')


def ninja_gone(at):
    succeeds(at.build('--source', at.tree, '--no-install'))
    at.log.unlink()
    without('ninja')(at)


def too_new(at):
    make_tree(at.tree, '2.0.0')
    write(at.tree / 'python/mxnet/gluon/block.py', '    def forward(self, x):\n')


def no_files_yet(at):
    """As `git clone` without submodules leaves it, and as an interrupted `git submodule update` does."""
    gone('3rdparty/tvm/README.md', '3rdparty/mkldnn/README.md')(at)
    write(at.tree / '3rdparty/tvm/.git', 'gitdir: ../../.git/modules/3rdparty/tvm\n')


def broken_python(at):
    write(at.home / 'broken', '#!/bin/sh\necho words >&2\nexit 1\n', 0o755)


def no_nvcc(at):
    without('nvcc')(at)
    script = at.repo / 'build.sh'
    write(script, script.read_text().replace('/usr/local/cuda/', '/nowhere/'))   # a machine may have it there


def another_nvcc(path, body):
    return lambda at: write(at.home / path, f'#!{shutil.which("bash")}\n{body}', 0o755)


def cub_in_front(at):
    make_tree(at.tree, '2.0.0')
    write(at.tree / 'CMakeLists.txt', CUB)


def no_pip(at):
    shutil.rmtree(at.site / 'pip')


def old_pip(at):
    write(at.site / 'pip-23.0.dist-info/METADATA', 'Name: pip\nVersion: 20.3.4\n')


def system_python(at):
    """Looks as if it were no virtual environment, and marked as Debian marks its own Python."""
    write(at.site / 'sitecustomize.py', f'''
import sys, sysconfig
sys.prefix = sys.base_prefix
sysconfig.get_path = lambda name: {str(at.home)!r}
''')
    write(at.home / 'EXTERNALLY-MANAGED', '')


def foreign_link(at):
    (at.tree / CONTRIB / 'corner_pool.cc').symlink_to(at.repo / CONTRIB / 'corner_pool.cc')


def broken_repo(at):
    write(at.repo / CONTRIB / 'corner_pool.cu', 'not ours')


CUB = 'include_directories("3rdparty/nvidia_cub")\n'   # as the 2.0 line has it

REFUSED = {
    # name: (what is wrong, arguments, environment, words of the message)
    'cmake missing': (without('cmake'), [], {}, 'cmake not found'),
    'cmake old': (nothing, [], {'FAKE_CMAKE': '3.12.4'}, 'cmake 3.12.4'),
    'cmake new': (nothing, [], {'FAKE_CMAKE': '4.0.1'}, 'cmake 4.0.1'),
    'compiler missing': (without('c++'), [], {}, 'no C++ compiler'),
    'compiler named and missing': (without('c++'), [], {'CXX': 'my-c++ -m64'}, 'my-c++'),
    'compiler broken': (nothing, [], {'FAKE_PROBE_ERROR': 1}, 'the compiler is broken'),
    'perl missing': (without('perl'), [], {}, 'perl not found'),
    'ninja and make missing': (without('ninja', 'make'), [], {}, 'neither ninja nor make'),
    'ninja of the build missing': (ninja_gone, [], {}, 'ninja not found'),
    'nvcc missing': (no_nvcc, ['--cuda'], {}, 'nvcc not found'),
    'nvcc named and missing': (nothing, ['--cuda'], {'CUDACXX': 'no/nvcc'}, 'nvcc not found: no/nvcc'),
    'nvcc broken': (another_nvcc('nvcc', 'echo words; exit 1'), ['--cuda', '7.5'], {'CUDACXX': './nvcc'},
                    'nvcc --version does not say'),
    'nvcc named to CMake alone': (nothing, ['--cuda', '--', '-DCMAKE_CUDA_COMPILER=nvcc'], {}, 'in CUDACXX'),
    'build with another nvcc': (holds_cache('CMAKE_CUDA_COMPILER:STRING=/x y/nvcc'), ['--cuda'], {},
                                'was configured with /x y/nvcc'),
    'cuda 11 and an older CUB in front': (cub_in_front, ['--cuda', '7.5'], {}, 'the CUB of CUDA 11'),
    'blas missing': (nothing, [], {'FAKE_FOUND': 'lapack opencv kvstore'}, 'cblas.h'),
    'python missing': (nothing, ['--python', 'no/python'], {}, 'no/python not found'),
    'python broken': (broken_python, ['--python', './broken'], {}, 'cannot be run'),
    'pip missing': (no_pip, [], {}, 'has no pip'),
    'pip old': (old_pip, [], {}, 'has pip 20.3.4'),
    'python of the system': (system_python, [], {}, 'belongs to the operating system'),
    'disk full': (nothing, [], {'FAKE_FREE_MB': 1234}, '3000 MB are needed, 1234 MB are free'),
    'disk full for cuda': (nothing, ['--cuda'], {'FAKE_FREE_MB': 9000}, '12000 MB are needed, 9000 MB are'),
    'no such tree': (nothing, ['--source', 'no where'], {}, 'no where is not an MXNet source tree'),
    'not a tree': (gone('include/mxnet/base.h'), [], {}, 'has no include/mxnet/base.h (MXNET_HOME names it;'),
    'version 1.8.0': (lambda at: make_tree(at.tree, '1.8.0'), [], {}, 'MXNet 1.8.0'),
    'versions that differ': (holds('python/mxnet/libinfo.py', '__version__ = "1.9.0"\n'), [], {},
                             'MXNet 1.9.1 (in Python 1.9.0)'),
    'version missing': (holds('include/mxnet/base.h', ''), [], {}, 'MXNet ? '),
    'version 2.0 too new': (too_new, [], {}, '2.0 without hybrid_forward'),
    'submodule missing': (gone('3rdparty/mkldnn'), [], {}, 'update --init --depth 1 -- 3rdparty/mkldnn'),
    'submodules empty': (no_files_yet, [], {}, 'missing in'),
    'submodule of TensorRT': (nothing, ['--', '-DUSE_TENSORRT=ON'], {}, '3rdparty/onnx-tensorrt'),
    'foreign file': (holds(CONTRIB / 'corner_pool.cu', 'mine'), [], {}, "corner_pool.cu is not gluonzoo's"),
    'foreign link': (foreign_link, [], {}, "corner_pool.cc is not gluonzoo's"),
    'foreign folder': (holds(CONTRIB / 'corner_pool.cc/x', ''), [], {}, "corner_pool.cc is not gluonzoo's"),
    'foreign file, unpatch': (holds(CONTRIB / 'corner_pool.cu', 'mine'), ['--unpatch'], {}, 'not gluonzoo'),
    'not a tree, unpatch': (gone('CMakeLists.txt'), ['--unpatch'], {}, 'not an MXNet source tree'),
    'build of another tree': (holds('build/CMakeCache.txt', 'CMAKE_HOME_DIRECTORY:INTERNAL=/x y\n'), [], {},
                              'configured for the directory /x y'),
    'older library': (holds('lib/libmxnet.so', ''), [], {}, 'lib/libmxnet.so would be loaded instead'),
    'broken repository': (broken_repo, [], {}, 'no whole copy of gluonzoo'),
    'unknown option': (nothing, ['--cdua'], {}, 'unknown option: --cdua'),
    'unknown word': (nothing, ['mxnet'], {}, 'unknown option: mxnet'),
    'jobs 0': (nothing, ['--jobs', '0'], {}, '--jobs: 0 is not'),
    'jobs many': (nothing, ['--jobs=many'], {}, '--jobs: many is not'),
    'jobs without value': (nothing, ['--jobs'], {}, '--jobs needs a value'),
    'source without value': (nothing, ['--source='], {}, '--source needs a value'),
    'cpu and cuda': (nothing, ['--cpu', '--cuda'], {}, '--cpu and --cuda'),
    'python but no install': (nothing, ['--python', 'python', '--no-install'], {}, '--python means nothing'),
    'unpatch and jobs': (nothing, ['--unpatch', '--jobs', '2'], {}, '--unpatch goes with'),
    'unpatch and no install': (nothing, ['--unpatch', '--no-install'], {}, '--unpatch goes with'),
    'unknown architecture': (nothing, ['--cuda', '7.5,12.0'], {}, 'architecture 12.0'),
    'unknown architecture found': (nothing, ['--cuda'], {'FAKE_GPUS': '8.6 12.0'}, 'architecture 12.0'),
}


@pytest.mark.parametrize('name', REFUSED)
def test_refused_before_anything_is_touched(at, name):
    make_wrong, arguments, environment, words = REFUSED[name]
    make_wrong(at)
    before = [snapshot(folder) for folder in (at.tree, at.repo, at.home, at.venv)]
    message = one_line(at.build(*arguments, MXNET_HOME=at.tree, **environment), 2)
    assert words in message
    assert [snapshot(folder) for folder in (at.tree, at.repo, at.home, at.venv)] == before
    assert not at.log.exists()


@pytest.mark.parametrize('wrong, arguments, environment, words', [
    (without('git'), [], {}, 'git not found'),
    (nothing, [], {'FAKE_FREE_MB': 3200}, '3500 MB are needed, 3200 MB are free'),
    (nothing, ['--unpatch'], {}, 'there is no ./mxnet'),
])
def test_refused_before_cloning(at, wrong, arguments, environment, words):
    wrong(at)
    assert words in one_line(at.build(*arguments, **environment), 2)
    assert not at.log.exists() and not list(at.home.iterdir())


def test_no_python_is_needed_without_installation(at):
    shutil.rmtree(at.venv / 'bin')
    assert 'python3 not found' in one_line(at.build('--source', at.tree), 2)
    succeeds(at.build('--source', at.tree, '--no-install'))


# -- what is changed -----------------------------------------------------------------------------------------

def test_every_source_says_whose_it_is():
    assert {'corner_pool_scan.h', 'corner_pool-inl.h', 'corner_pool.cc', 'corner_pool.cu'} <= set(OPERATORS)
    for name in OPERATORS:
        assert 'The gluonzoo authors' in (ROOT / CONTRIB / name).read_text()


def test_patches_builds_installs_and_tests(at):
    write(at.site / 'distutils.py', '')   # or setuptools would be asked for on Python 3.12
    write(at.site / 'mxnet_cu112-1.dist-info/METADATA', 'Name: mxnet-cu112\nVersion: 1\n')
    write(at.site / 'mxnet_cu112-1.dist-info/RECORD', 'mxnet/libinfo.py,,\n')
    before = contents(at.tree)
    succeeds(at.build('--source', at.tree))
    assert patched(at)
    added = set(contents(at.tree)) - set(before)
    assert added == {str(CONTRIB / name) for name in OPERATORS} | {'build', 'build/CMakeCache.txt',
                                                                   'build/gluonzoo-cuda.cmake',
                                                                   'build/gluonzoo-intgemm.cmake', 'build/libmxnet.so'}
    assert at.calls('pip') == [
        ['install', '--use-pep517', '--config-settings', 'editable_mode=compat', 'numpy>=1.23,<2',
         '--editable', f'{at.tree}/python'],
        ['uninstall', '--yes', 'mxnet-cu112'],
        ['install', str(at.repo)],
    ]
    assert at.calls('test') == [['built-in']]


def test_again_compiles_and_installs_nothing_anew(at):
    succeeds(at.build('--source', at.tree))
    before = snapshot(at.tree / CONTRIB), at.calls('cmake'), at.calls('pip')
    succeeds(at.build('--source', at.tree))
    assert snapshot(at.tree / CONTRIB) == before[0]
    assert at.calls('cmake') == 2 * before[1]
    assert at.calls('pip') == before[2]
    assert at.calls('test') == 2 * [['built-in']]


def test_another_python(at):
    other = at.home / 'other'
    shutil.copytree(at.venv, other, symlinks=True)
    (at.venv / 'bin/python').unlink()
    succeeds(at.build('--source', at.tree, '--python', 'other/bin/python'))
    assert list(other.glob('lib/*/site-packages/mxnet.pth'))
    assert not (at.site / 'mxnet.pth').exists()


def test_an_older_copy_of_ours_is_replaced_and_only_that(at):
    succeeds(at.build('--source', at.tree, '--no-install'))
    before = snapshot(at.tree / CONTRIB)
    old = at.tree / CONTRIB / 'corner_pool.cc'
    write(old, '// Copyright (c) 2026 The gluonzoo authors, some time ago\n')
    os.utime(old, ns=(1, 1))
    succeeds(at.build('--source', at.tree, '--no-install'))
    assert patched(at)
    after = snapshot(at.tree / CONTRIB)
    assert {path for path in after if after[path] != before[path]} == {'corner_pool.cc'}
    assert old.stat().st_mtime_ns > 1   # a time in the past would not be compiled


@pytest.mark.parametrize('arguments', [['--no-install'], ['--unpatch']])
def test_a_file_of_an_earlier_gluonzoo_goes(at, arguments):
    old = at.tree / CONTRIB / 'corner_pool_1.cc'
    write(old, '// Copyright (c) 2026 The gluonzoo authors\n')
    (at.tree / CONTRIB / 'link.cc').symlink_to(old)
    succeeds(at.build('--source', at.tree, *arguments))
    assert not old.exists()
    assert (at.tree / CONTRIB / 'link.cc').is_symlink()
    assert (at.tree / CONTRIB / 'quadratic_op.cc').exists()


def test_unpatch_takes_out_exactly_what_was_put_in(at):
    before = contents(at.tree)
    succeeds(at.build('--source', at.tree, '--no-install'))
    shutil.rmtree(at.tree / 'build')
    assert contents(at.tree) != before
    succeeds(at.build('--unpatch', '--source', at.tree))
    assert contents(at.tree) == before
    untouched = snapshot(at.tree)
    succeeds(at.build('--unpatch', '--source', at.tree))
    assert snapshot(at.tree) == untouched


def test_unpatch_is_all_or_nothing(at):
    succeeds(at.build('--source', at.tree, '--no-install'))
    write(at.tree / CONTRIB / OPERATORS[-1], 'mine')
    before = snapshot(at.tree)
    one_line(at.build('--unpatch', '--source', at.tree), 2)
    assert snapshot(at.tree) == before


@pytest.mark.parametrize('arguments', [[], ['--cuda', '--jobs', '2'], ['--no-install'], ['--unpatch']])
def test_dry_run_shows_every_step_and_changes_nothing(at, arguments):
    if arguments == ['--unpatch']:
        succeeds(at.build('--source', at.tree, '--no-install'))
        at.log.unlink()
    before = [snapshot(folder) for folder in (at.tree, at.repo, at.home, at.venv)]
    planned = steps(at.build('--source', at.tree, '--dry-run', *arguments))
    assert [snapshot(folder) for folder in (at.tree, at.repo, at.home, at.venv)] == before
    assert not at.log.exists()
    done = steps(at.build('--source', at.tree, *arguments))
    assert planned == done
    assert len(done) >= 4


def test_nothing_is_left_in_the_temporary_folder(at):
    before = set(at.tree.parent.iterdir())
    succeeds(at.build('--source', at.tree, '--dry-run'))
    one_line(at.build('--source', at.tree, FAKE_FOUND=''), 2)
    assert set(at.tree.parent.iterdir()) == before


@pytest.mark.parametrize('step', ['FAKE_CONFIGURE_ERROR', 'FAKE_BUILD_ERROR'])
def test_a_failed_build_leaves_the_tree_patched_and_says_how_to_go_on(at, step):
    arguments = ['--source', at.tree, '--jobs', '5', '--no-install', '--', '-DNAME=a b']
    message = one_line(at.build(*arguments, **{step: 1}), 1)
    assert patched(at) and not (at.tree / 'build/libmxnet.so').exists()
    go_on, take_out = re.search(r'run again: (bash .*)\. To take them out: (bash .*)', message).groups()
    before = snapshot(at.tree / CONTRIB)
    environment = {'PATH': str(at.bin), 'FAKE_LOG': str(at.log)}
    subprocess.run(['bash', '-c', go_on], cwd=at.home, env=environment, check=True, capture_output=True)
    assert (at.tree / 'build/libmxnet.so').exists()
    assert snapshot(at.tree / CONTRIB) == before
    subprocess.run(['bash', '-c', take_out], cwd=at.home, env=environment, check=True, capture_output=True)
    assert not any((at.tree / CONTRIB / name).exists() for name in OPERATORS)


def test_a_failed_installation_and_a_failed_test_say_so(at):
    write(at.site / 'pip/__main__.py', 'raise SystemExit(3)')
    assert 'pip could not install' in one_line(at.build('--source', at.tree), 1)
    write(at.site / 'pip/__main__.py', FAKE_PIP)
    write(at.repo / 'unittests/test_pool.py', 'raise SystemExit(3)')
    assert 'its test failed' in one_line(at.build('--source', at.tree), 1)
    assert patched(at)


# -- where MXNet comes from ----------------------------------------------------------------------------------

def test_clones_the_release_with_what_it_needs(at):
    succeeds(at.build('--no-install', FAKE_ORIGIN=at.tree))
    part = f'{at.home}/mxnet.part'
    assert at.calls('git') == [
        ['clone', '--depth', '1', '--branch', '1.9.1', 'https://github.com/apache/mxnet.git', part],
        ['-C', part, 'submodule', 'update', '--init', '--depth', '1', '--', *SUBMODULES],
    ]
    assert [path.name for path in at.home.iterdir()] == ['mxnet']
    assert (at.home / 'mxnet' / CONTRIB / 'corner_pool.cc').exists()
    assert at.calls('cmake')[0][:4] == ['-S', f'{at.home}/mxnet', '-B', f'{at.home}/mxnet/build']
    succeeds(at.build('--no-install'))   # now it is there
    assert len(at.calls('git')) == 2


def test_an_interrupted_clone_is_no_tree_and_goes_on(at):
    assert 'run again' in one_line(at.build('--no-install', FAKE_ORIGIN=at.tree, FAKE_SUBMODULE_ERROR=1), 1)
    assert [path.name for path in at.home.iterdir()] == ['mxnet.part']
    succeeds(at.build('--no-install', FAKE_ORIGIN=at.tree))
    assert [call[0] for call in at.calls('git')] == ['clone', '-C', '-C']


def test_dry_run_clones_nothing(at):
    plan = succeeds(at.build('--dry-run'))
    assert 'git clone' in plan and 'submodule update' in plan and 'test_pool.py' in plan
    assert not at.log.exists() and not list(at.home.iterdir())


def test_source_goes_before_mxnet_home(at):
    assert str(at.tree) in succeeds(at.build('--dry-run', MXNET_HOME=at.tree)).replace('\\ ', ' ')
    plan = succeeds(at.build('--dry-run', '--source', at.tree, MXNET_HOME='/no/where'))
    assert 'mx\\ net' in plan and '/no/where' not in plan


def test_on_the_2_0_line_gluonzoo_is_not_installed(at):
    make_tree(at.tree, '2.0.0')
    gone('3rdparty/intgemm')(at)   # it has no such submodule
    plan = succeeds(at.build('--dry-run', '--source', at.tree))
    assert 'each operator is tried once' in plan and 'runtime.py' in plan
    assert 'test_pool.py' not in plan and plan.count('-m pip install') == 1


def test_the_trial_of_the_2_0_line_is_right():
    """Run here, on whichever route this machine has."""
    trial = (ROOT / 'build.sh').read_text().split("smoke_test() {\n  cat <<'END'\n")[1].split('\nEND\n')[0]
    command = [sys.executable, '-c', 'import gluonzoo\n' + trial, str(ROOT / 'gluonzoo/runtime.py')]
    out = subprocess.run(command, text=True, capture_output=True, timeout=60, check=False, cwd=ROOT,
                         env={**os.environ, 'OMP_NUM_THREADS': '1'})
    assert out.returncode == 0, out.stderr
    assert out.stdout.splitlines() == ['top_pool ok', 'bottom_pool ok', 'left_pool ok', 'right_pool ok']


# -- what CMake is asked for ---------------------------------------------------------------------------------

COMMON = ['-DUSE_OPENCV=ON', '-DUSE_LAPACK=ON', '-DUSE_DIST_KVSTORE=ON', '-DUSE_CCACHE=ON',
          '-DBUILD_CPP_EXAMPLES=OFF']


def cmake_calls(at, *arguments, **environment):
    out = succeeds(at.build('--source', at.tree, '--no-install', *arguments, **environment))
    configure, build = at.calls('cmake')[-2:]
    assert configure[:4] == ['-S', str(at.tree), '-B', f'{at.tree}/build']
    assert build[:4] == ['--build', f'{at.tree}/build', '--target', 'mxnet']
    return configure[4:], build[4:], out


@pytest.mark.parametrize('arguments, environment, expected', [
    ([], {}, ['-DUSE_CUDA=OFF']),
    (['--cpu'], {}, ['-DUSE_CUDA=OFF']),
    (['--cuda', '7.5'], {'FAKE_GPUS': '8.6'}, ['-DUSE_CUDA=ON', '-DMXNET_CUDA_ARCH=7.5']),
    (['--cuda=7.0,8.6+PTX'], {}, ['-DUSE_CUDA=ON', '-DMXNET_CUDA_ARCH=7.0;8.6+PTX']),
    (['--cuda', 'Volta Turing'], {}, ['-DUSE_CUDA=ON', '-DMXNET_CUDA_ARCH=Volta;Turing']),
    (['--cuda'], {'FAKE_GPUS': '8.6 7.0 8.6'}, ['-DUSE_CUDA=ON', '-DMXNET_CUDA_ARCH=7.0;8.6']),
    (['--cuda'], {'FAKE_GPUS': 'No devices were found'},
     ['-DUSE_CUDA=ON', '-DMXNET_CUDA_ARCH=5.0;6.0;7.0;8.0+PTX']),
    (['--cuda'], {'FAKE_NVCC': '10.2'}, ['-DUSE_CUDA=ON', '-DMXNET_CUDA_ARCH=Common']),
    (['--cuda'], {'FAKE_NVCC': '12.9'}, ['-DUSE_CUDA=ON', '-DMXNET_CUDA_ARCH=5.0;6.0;7.0;8.0+PTX']),
    (['--cuda'], {'FAKE_NVCC': '13.0'}, ['-DUSE_CUDA=ON', '-DMXNET_CUDA_ARCH=7.5;8.0+PTX']),
])
def test_devices(at, arguments, environment, expected):
    configure, _, _ = cmake_calls(at, *arguments, **environment)
    options = at.tree / 'build' / 'gluonzoo-intgemm.cmake'
    if '-DUSE_CUDA=ON' in expected:
        language = at.tree / 'build' / 'gluonzoo-cuda.cmake'
        expected = [*expected, f'-DCMAKE_CUDA_COMPILER={at.bin}/nvcc', f'-DCMAKE_PROJECT_mxnet_INCLUDE={language}']
        assert language.read_text() == 'if(USE_CUDA)\n  enable_language(CUDA)\nendif()\n'
    assert configure == ['-G', 'Ninja', '-DCMAKE_BUILD_TYPE=Release', *expected, *COMMON,
                         f'-DCMAKE_PROJECT_intgemm_INCLUDE={options}']
    assert options.read_text() == 'add_compile_options(-Wno-error=uninitialized -Wno-error=maybe-uninitialized)\n'


def test_the_nvcc_that_is_named_compiles_and_decides_the_architectures(at):
    another_nvcc('cuda 13/nvcc', 'echo release 13.0, V13')(at)
    configure, _, _ = cmake_calls(at, '--cuda', CUDACXX='cuda 13/nvcc')
    assert f'-DCMAKE_CUDA_COMPILER={at.home}/cuda 13/nvcc' in configure
    assert '-DMXNET_CUDA_ARCH=7.5;8.0+PTX' in configure


def test_where_cuda_is_when_nvcc_is_a_script(at):
    """MXNet looks for CUDA beside nvcc. Debian's is a script too, but has the headers where any compiler finds them."""
    header = at.home / 'cuda/include/cuda_runtime.h'
    write(header, '')
    another_nvcc('nvcc', f'echo release 11.2, V1; echo "#\\$ _HERE_={at.home}/cuda/bin" >&2')(at)
    assert f'-DCUDAToolkit_BIN_DIR={at.home}/cuda/bin' in cmake_calls(at, '--cuda', CUDACXX='./nvcc')[0]
    header.unlink()
    assert 'CUDAToolkit_BIN_DIR' not in ' '.join(cmake_calls(at, '--cuda', CUDACXX='./nvcc')[0])


def test_a_build_keeps_the_name_of_its_nvcc(at):
    """CMake compares names, and starts over without any setting when they differ."""
    link = at.home / 'cuda'
    link.symlink_to(at.bin)
    holds_cache(f'CMAKE_CUDA_COMPILER:FILEPATH={link}/nvcc')(at)
    assert f'-DCMAKE_CUDA_COMPILER={link}/nvcc' in cmake_calls(at, '--cuda')[0]


def test_without_cuda_after_cuda(at):
    """CMake's cache keeps the name of the file for CUDA, and a file that is not there is an error to it."""
    cmake_calls(at, '--cuda')
    language = at.tree / 'build/gluonzoo-cuda.cmake'
    before = language.read_text()
    language.unlink()
    configure, _, _ = cmake_calls(at, '--cpu')
    assert '-DUSE_CUDA=OFF' in configure and not [word for word in configure if 'CUDA_COMPILER' in word]
    assert language.read_text() == before


@pytest.mark.parametrize('version, line', [('10.2', CUB), ('11.2', '  ' + CUB)])   # indented: it depends on something
def test_an_older_cub_is_no_fault_where_it_does_no_harm(at, version, line):
    cub_in_front(at)
    write(at.tree / 'CMakeLists.txt', line)
    assert '-DUSE_CUDA=ON' in cmake_calls(at, '--cuda', FAKE_NVCC=version)[0]


@pytest.mark.parametrize('arguments, cores, jobs', [
    (['--jobs', '7'], 2, '7'), (['--jobs=1'], 2, '1'), ([], 1, '1'),
])
def test_jobs(at, arguments, cores, jobs):
    assert cmake_calls(at, *arguments, FAKE_CORES=cores)[1] == ['--parallel', jobs]


def test_jobs_are_limited_by_memory(at):
    total_mb = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') // 2**20
    jobs = int(cmake_calls(at, FAKE_CORES=10**6)[1][-1])
    assert 1 <= jobs <= max(1, total_mb // 2000)


def test_what_is_not_found_is_off_and_said(at):
    configure, _, out = cmake_calls(at, FAKE_FOUND='blas')
    for option in ('USE_OPENCV', 'USE_LAPACK', 'USE_DIST_KVSTORE'):
        assert f'-D{option}=OFF' in configure
        assert re.search(f'^build.sh: {option}=OFF: .* not found', out, re.MULTILINE)


def test_what_the_user_chooses_comes_last_and_alone(at):
    chosen = ['-DUSE_OPENCV:BOOL=OFF', '-DUSE_BLAS=mkl', '-DPLACE=a b']
    configure, _, out = cmake_calls(at, '--', *chosen, FAKE_FOUND='')
    assert configure[-3:] == chosen
    assert '-DUSE_OPENCV=OFF' not in configure
    assert 'USE_OPENCV=OFF:' not in out


def test_other_tools(at):
    without('ninja', 'ccache')(at)
    configure, _, _ = cmake_calls(at)
    assert configure[:2] == ['-G', 'Unix Makefiles'] and '-DUSE_CCACHE=OFF' in configure
    write(at.bin / 'ninja', '', 0o755)
    assert cmake_calls(at)[0][:2] == ['-G', 'Unix Makefiles']   # a build directory keeps its generator


def test_a_build_that_is_there_needs_less_disk(at):
    assert '3000 MB' in one_line(at.build('--source', at.tree, '--no-install', FAKE_FREE_MB=2999), 2)
    write(at.tree / 'build/object.o', 'x' * 20 * 2**20)
    succeeds(at.build('--source', at.tree, '--no-install', FAKE_FREE_MB=2985))


def test_help(at):
    out = succeeds(at.build('--help', 'nonsense'))
    for words in ('--source', '--cpu', '--cuda', '--jobs', '--python', '--no-install', '--unpatch', '--dry-run',
                  'MXNET_HOME', '11.2', 'CUDACXX', 'NVCC_APPEND_FLAGS=-std=c++17'):
        assert words in out
