"""What gluonzoo does before and after MXNet is imported. Each test that imports it starts a process of its own."""
import os
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import mxnet  # noqa: F401  some tests call prepare() in this process as if MXNet had been imported first
import numpy as np
import pytest

from gluonzoo import ops, runtime
from gluonzoo.cores import physical_cores

TIMEOUT = 240   # seconds, for one process on a busy machine
CHOICES = ('OMP_NUM_THREADS', 'MXNET_OMP_MAX_THREADS')
WAITS = ('GOMP_SPINCOUNT', 'OMP_WAIT_POLICY')


def environment(**changes):
    """This process's environment, without its choice of threads and of how they wait."""
    return {name: value for name, value in os.environ.items() if name not in (*CHOICES, *WAITS)} | changes


def start(*arguments, directory, **changes):
    """A fresh interpreter, away from the repository: what is installed is what is imported."""
    return subprocess.Popen([sys.executable, *arguments], cwd=directory, env=environment(**changes),
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    """(exit code, stdout, stderr); a process that does not end is killed, and fails the test."""
    try:
        out, err = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        pytest.fail(f'{process.args} still ran after {TIMEOUT} s: {process.communicate()}')
    return process.returncode, out, err


def python(code, directory, **changes):
    return finish(start('-c', textwrap.dedent(code), directory=directory, **changes))


# -- the import ------------------------------------------------------------------------------------------------------

def test_import_says_nothing(tmp_path):
    code, out, err = python('''
        import gluonzoo, mxnet as mx, numpy as np
        assert gluonzoo.__version__ and np.bool is bool and np.int is int and np.float is float
        print(mx.nd.ones((2, 3)).sum().asscalar())
        ''', tmp_path)
    assert (code, out, err) == (0, '6.0\n', '')


@pytest.mark.parametrize('torch', ["__version__ = '2.13.0'", "__version__ = '1.13.1'", 'raise ImportError'])
def test_import_of_gluoncv(tmp_path, torch):
    """Beside any PyTorch. gluoncv swallows the errors of its own imports, so a name of each part is used."""
    (tmp_path / 'torch.py').write_text(torch)
    code, out, err = python('''
        import gluonzoo, gluoncv, mxnet as mx
        net = gluoncv.model_zoo.get_model('cifar_resnet20_v1', classes=10, pretrained=False)
        net.initialize()
        print(net(mx.nd.zeros((1, 3, 32, 32))).shape)
        import gluoncv.data, gluoncv.loss, gluoncv.utils
        from gluoncv.model_zoo.rcnn.rpn.anchor import RPNAnchorGenerator   # np.float
        RPNAnchorGenerator(16, 16, ratios=(1,), scales=(8,), alloc_size=(4, 4))
        ''', tmp_path)
    assert (code, out) == (0, '(1, 10)\n'), err


HEAVY = "{'mxnet', 'cv2', 'numpy', 'gluoncv', 'PIL'} & set(sys.modules)"


def test_import_is_light(tmp_path):
    """As is the help of the command, which imports what it needs when it runs."""
    code, out, err = python(f'''
        import contextlib, io, pathlib, sys
        import gluonzoo
        dir(gluonzoo), dir(gluonzoo.ops), hasattr(gluonzoo, 'nonsense')
        if pathlib.Path(gluonzoo.__file__).with_name('commands').exists():
            from gluonzoo.commands.main import main
            with contextlib.redirect_stdout(io.StringIO()):
                main([])
        print({HEAVY})
        ''', tmp_path)
    assert (code, out) == (0, 'set()\n'), err


OPERATORS = '[home.contrib.top_pool.__name__ for home in (mx.nd, mx.sym)], mx.base._LIB.omp_get_max_threads()'


@pytest.mark.parametrize('imports', [
    'import gluonzoo; import mxnet as mx',
    'import gluonzoo.registry; from mxnet import nd; import mxnet as mx',
    'import gluonzoo, importlib; mx = importlib.import_module("mxnet")',
    'import gluonzoo, importlib.util; assert importlib.util.find_spec("mxnet").loader; import mxnet as mx',
    'import gluonzoo.ops.corner_pool; import mxnet as mx',
    'from gluonzoo.ops import TopPool; import mxnet as mx',
    'from gluonzoo.train import fit; import mxnet as mx',
    'import gluonzoo, importlib, mxnet as mx; importlib.reload(mx); importlib.reload(gluonzoo)',
    'import gluonzoo, importlib; [importlib.reload(m) for m in (gluonzoo.runtime, gluonzoo)]; import mxnet as mx',
    'import gluonzoo; gluonzoo.get_model("pixelgan"); mx = __import__("mxnet")',
    'import numpy as np; np.bool, np.int = bool, int; import mxnet as mx, gluonzoo',
])
def test_operators_and_threads_after_the_import_of_mxnet(tmp_path, imports):
    """Whoever imports MXNet, and however."""
    code, out, err = python(f'{imports}\nimport numpy as np\nprint({OPERATORS}, np.float)', tmp_path,
                            OMP_NUM_THREADS='2')
    assert (code, out) == (0, "['top_pool', 'top_pool'] 1 <class 'float'>\n"), err


def test_rooms_are_attributes(tmp_path):
    code, out, err = python('''
        import gluonzoo
        rooms = {'boxes', 'data', 'models', 'ops', 'runtime', 'tasks', 'train', 'get_model', 'list_models'}
        assert rooms <= set(dir(gluonzoo)), dir(gluonzoo)
        assert gluonzoo.data.Loader and gluonzoo.tasks.Task and gluonzoo.train.fit and gluonzoo.ops.TopPool
        assert gluonzoo.models.dsod.dsod300 and gluonzoo.ops.corner_pool.top_pool is gluonzoo.ops.top_pool
        try:
            gluonzoo.nonsense
        except AttributeError as error:
            print(error)
        ''', tmp_path)
    assert (code, out) == (0, "module 'gluonzoo' has no attribute 'nonsense'\n"), err


@pytest.mark.parametrize('use, known', [
    ('gluonzoo.list_models()', 'dsod300'), ('registry.MODELS.names()', 'dsod300'),
    ('registry.TASKS.names()', 'single_shot_detection'), ('registry.DATASETS.names()', 'coco_detection'),
    ('registry.TRANSFORMS.names()', 'ssd_train'),
    ('[type(gluonzoo.get_model("patchgan")).__name__]', 'PatchGAN')])
def test_names_are_registered_when_they_are_needed(tmp_path, use, known):
    code, out, err = python(f'import gluonzoo\nfrom gluonzoo import registry\nprint({known!r} in {use})', tmp_path)
    assert (code, out) == (0, 'True\n'), err


THREADS = '''
    import faulthandler, sys, threading
    import gluonzoo
    faulthandler.dump_traceback_later(120, exit=True)   # where each thread waits, if they wait in a circle
    sys.setswitchinterval(1e-5)
    check = '; import mxnet as mx; mx.nd.contrib.top_pool, mx.sym.contrib.top_pool'
    imports = [statement + check for statement in (
        'import mxnet', 'import gluonzoo.ops', 'from gluonzoo.ops import TopPool', 'import gluonzoo.boxes',
        'import gluonzoo.ops.corner_pool', 'import gluonzoo.losses', 'import gluonzoo.train', 'gluonzoo.data',
        'gluonzoo.get_model("pixelgan")', 'assert gluonzoo.ops.route()', 'gluonzoo.registry.TASKS.names()',
        'import importlib.util; importlib.util.find_spec("mxnet")')]
    start, failed = threading.Barrier(len(imports)), []
    def run(statement):
        start.wait()
        try:
            exec(statement, {'gluonzoo': gluonzoo})
        except BaseException as error:
            failed.append((statement, error))
    threads = [threading.Thread(target=run, args=(statement,)) for statement in imports]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(failed)
    '''


@pytest.mark.parametrize('route', ['', 'composition'])
def test_threads_that_import_at_the_same_time(tmp_path, route):
    """None of them meets a module that is half imported, and none waits for ever."""
    code, out, err = python(THREADS, tmp_path, GLUONZOO_OPS=route)
    assert (code, out) == (0, '[]\n'), err


def test_import_in_processes(tmp_path):
    """Spawned ones import the package anew; forked ones have what their parent has."""
    (tmp_path / 'main.py').write_text(textwrap.dedent('''
        import multiprocessing
        import gluonzoo
        def work(name):
            import mxnet as mx
            return mx.nd.contrib.top_pool(mx.nd.ones((1, 1, 2, 2))).sum().asscalar(), gluonzoo.ops.route() == name
        if __name__ == '__main__':
            for method in 'fork', 'spawn':
                with multiprocessing.get_context(method).Pool(1) as pool:
                    print(pool.apply(work, ['composition']))
        '''))
    code, out, err = finish(start('main.py', directory=tmp_path, GLUONZOO_OPS='composition'))
    assert (code, out) == (0, 2 * '(4.0, True)\n'), err


def test_a_route_that_does_not_exist_is_an_error_each_time(tmp_path):
    code, out, err = python('''
        import os, gluonzoo
        for _ in range(2):
            try:
                import mxnet
            except gluonzoo.ops.RouteError as error:
                print(error)
        del os.environ['GLUONZOO_OPS']
        print(gluonzoo.ops.route() in gluonzoo.ops.available_routes())
        ''', tmp_path, GLUONZOO_OPS='nonsense')
    wanted = "GLUONZOO_OPS: 'nonsense' is not a route; known: built-in, library, composition\n"
    assert (code, out) == (0, 2 * wanted + 'True\n'), err


# -- without MXNet ---------------------------------------------------------------------------------------------------

ABSENT = '''
import sys
import gluonzoo
class Hide:   # MXNet, as if it were not installed
    def find_spec(name, path=None, target=None):
        if name.split('.')[0] == 'mxnet':
            raise ModuleNotFoundError("No module named 'mxnet'", name='mxnet')
sys.meta_path.insert(sys.meta_path.index(next(f for f in sys.meta_path if 'gluonzoo' in type(f).__module__)) + 1, Hide)
'''


@pytest.mark.parametrize('use', [
    'gluonzoo.ops.top_pool', 'gluonzoo.data', 'gluonzoo.get_model("dsod300")', 'from gluonzoo.train import fit',
    'import gluonzoo.models.dsod', 'import gluonzoo.boxes', 'gluonzoo.ops.route()', 'gluonzoo.registry.TASKS.names()',
    'import gluonzoo.ops.corner_pool', 'sys.modules["mxnet"] = None; gluonzoo.tasks'])
def test_advice_when_gluonzoo_needs_mxnet(tmp_path, use):
    code, out, err = python(ABSENT + use, tmp_path)
    assert code == 1 and 'gluonzoo[cpu]' in err and 'cu117' in err
    assert err.splitlines()[-1].startswith('ImportError: gluonzoo needs MXNet')


def test_others_get_the_error_of_python(tmp_path):
    """In an environment without any package, where gluonzoo itself can be imported."""
    source = str(Path(runtime.__file__).parents[1])
    code, out, err = finish(start('-S', '-c', textwrap.dedent('''
        import importlib.util
        import gluonzoo
        assert importlib.util.find_spec('mxnet') is None
        try:
            import mxnet
        except ModuleNotFoundError as error:
            print(error, error.name, error.__cause__)
        '''), directory=tmp_path, PYTHONPATH=source))
    assert (code, out) == (0, "No module named 'mxnet' mxnet None\n"), err


def test_a_directory_of_the_name_is_not_mxnet(tmp_path):
    """``bash build.sh`` leaves MXNet's sources in ./mxnet, which Python takes for a package without code."""
    (tmp_path / 'mxnet').mkdir()
    source = str(Path(runtime.__file__).parents[1])
    code, out, err = finish(start('-S', '-c', 'import gluonzoo, mxnet; print(mxnet.__path__)', directory=tmp_path,
                                  PYTHONPATH=source))
    assert code == 0 and str(tmp_path / 'mxnet') in out, err


def test_import_on_numpy_2(tmp_path):
    code, out, err = python("import numpy; numpy.__version__ = '2.0.1'; import gluonzoo; import mxnet", tmp_path)
    assert code == 1 and 'MXNet 1.9.1 needs NumPy 1.23 to 1.26; this is 2.0.1' in err


def test_names_that_numpy_has_are_left(monkeypatch):
    kept = object()
    monkeypatch.setattr(np, 'float', kept, raising=False)
    monkeypatch.setattr(runtime, '_prepared', False)
    runtime.prepare(ops.library.activate)
    assert np.float is kept


# -- memory ---------------------------------------------------------------------------------------------------------

FAULTS = '''
    import resource, gluonzoo, mxnet as mx
    def faults():
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        mx.nd.ones((1 << 24,)).wait_to_read()   # 64 MiB, which malloc by itself always returns: 16384 pages
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    for _ in range(30):   # until small arrays have found places of their own
        faults()
    print(gluonzoo.runtime.keeps_memory(), sum(faults() for _ in range(4)) > 40000)
    '''


@pytest.mark.parametrize('variables, wanted', [
    ({}, 'True False'), ({'GLUONZOO_KEEP_MEMORY': '0'}, 'False True'), ({'MALLOC_MMAP_MAX_': '65536'}, 'False True'),
], ids=['kept', 'not wanted', 'tuned by the user'])
def test_freed_memory_is_used_again(tmp_path, variables, wanted):
    code, out, err = python(FAULTS, tmp_path, **variables)
    assert (code, out) == (0, wanted + '\n'), err


# -- threads ---------------------------------------------------------------------------------------------------------

SHOW = "import os, gluonzoo; print({name: os.environ[name] for name in %r if name in os.environ})" % (CHOICES,)


@pytest.mark.skipif(not Path('/proc/self/task').is_dir(), reason='counts threads where Linux shows them')
@pytest.mark.parametrize('undo, started', [('', 0), ('mx.base._LIB.omp_set_num_threads(2)', 1)])
def test_the_calling_thread_starts_no_others(tmp_path, undo, started):
    """Neither to copy from NumPy, nor to bring what a convolution has made into NumPy's layout."""
    code, out, err = python(f'''
        import os
        import gluonzoo, mxnet as mx, numpy as np
        {undo}
        x = mx.nd.random.normal(shape=(1, 16, 200, 200))
        y = mx.nd.Convolution(x, mx.nd.random.normal(shape=(16, 16, 3, 3)), no_bias=True, kernel=(3, 3), num_filter=16)
        y.wait_to_read()   # with all of the engine's threads
        before = len(os.listdir('/proc/self/task'))
        y.asnumpy(), mx.nd.array(np.ones((2, 500_000), 'float32')).asnumpy()
        print(len(os.listdir('/proc/self/task')) - before)
        ''', tmp_path, OMP_NUM_THREADS='2')
    assert (code, out, err) == (0, f'{started}\n', '')


@pytest.mark.parametrize('engine, threads', [('ThreadedEnginePerDevice', 1), ('NaiveEngine', 2)])
def test_an_engine_without_threads_has_the_cores(tmp_path, engine, threads):
    code, out, err = python('''
        import gluonzoo, mxnet as mx
        print(mx.base._LIB.omp_get_max_threads())
        ''', tmp_path, OMP_NUM_THREADS='2', MXNET_ENGINE_TYPE=engine)
    assert (code, out) == (0, f'{threads}\n'), err


def test_default_is_the_physical_cores(tmp_path):
    code, out, err = python(SHOW, tmp_path)
    assert out == f"{{'OMP_NUM_THREADS': '{physical_cores()}'}}\n", err


@pytest.mark.parametrize('name', CHOICES)
def test_choice_of_the_user_is_kept(tmp_path, name):
    code, out, err = python(SHOW, tmp_path, **{name: '7'})
    assert out == f"{{'{name}': '7'}}\n", err


BESIDE = """
    import gluonzoo
    gluonzoo.cores.Neighbours.busy = lambda self: {busy}
    import mxnet as mx, os
    mx.base._LIB.omp_set_num_threads   # it is there
    x = mx.nd.ones((64, 512))
    mx.nd.dot(x, x.T).wait_to_read()
    print(os.environ['OMP_NUM_THREADS'], gluonzoo.runtime.threads(), gluonzoo.runtime.cores_left_to_others())
    """


@pytest.mark.parametrize('busy', [0, .4, .6, 1.0, 100.0])
def test_cores_that_others_keep_busy_are_left_to_them(tmp_path, busy):
    code, out, err = python(BESIDE.format(busy=busy), tmp_path)
    cores = physical_cores()
    threads = max(1, min(cores, len(os.sched_getaffinity(0)) - round(busy)))
    assert (code, out) == (0, f'{threads} {threads} {cores - threads}\n'), err


def test_a_number_of_threads_that_was_chosen_is_kept_beside_others(tmp_path):
    code, out, err = python(BESIDE.format(busy=100.0), tmp_path, OMP_NUM_THREADS='2')
    assert (code, out) == (0, '2 2 0\n'), err
    use_one = 'gluonzoo.runtime.use_threads(1)\n    import mxnet'
    code, out, err = python(BESIDE.format(busy=0.0).replace('import mxnet', use_one), tmp_path,
                            MXNET_OMP_MAX_THREADS='2')
    assert (code, out) == (0, '1 1 0\n'), err


@pytest.mark.parametrize('number', [0, -1, 1.0, True, '2', 10 ** 6])
def test_numbers_of_threads_that_cannot_be(number):
    rule = f'threads: must be a whole number from 1 to {physical_cores()}, .*: {number!r}'
    with pytest.raises(ValueError, match=rule):
        runtime.use_threads(number)


@pytest.mark.parametrize('given, number', [('4,2', 4), (' 3 ', 3), ('0', None), ('many', None), ('', None)])
def test_the_number_of_threads_as_openmp_reads_it(monkeypatch, given, number):
    monkeypatch.delenv('MXNET_OMP_MAX_THREADS', raising=False)
    monkeypatch.setenv('OMP_NUM_THREADS', given)
    assert runtime.threads() == (number or physical_cores())


def test_threads_are_not_changed_under_way(monkeypatch):
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    monkeypatch.setattr(runtime, 'physical_cores', lambda: 8)
    runtime.use_threads(1)
    with pytest.raises(ValueError, match='threads: MXNet has been imported with 1, and keeps them: 4'):
        runtime.use_threads(4)
    assert os.environ['OMP_NUM_THREADS'] == '1'


WAIT = "import os, gluonzoo; print([os.environ.get(name) for name in %r])" % (WAITS,)


@pytest.mark.parametrize('chosen, waits', [
    ({}, [str(runtime.SPINS), None]),
    ({'GOMP_SPINCOUNT': '7'}, ['7', None]),
    ({'OMP_WAIT_POLICY': 'passive'}, [None, 'passive']),
])
def test_how_threads_wait(tmp_path, chosen, waits):
    code, out, err = python(WAIT, tmp_path, **chosen)
    assert (code, out, err) == (0, f'{waits}\n', '')


@pytest.mark.skipif(physical_cores() != len(os.sched_getaffinity(0)) or physical_cores() < 2,
                    reason='needs two cores or more, without hyper-threads')
@pytest.mark.parametrize('chosen, bound', [({}, True), ({'OMP_NUM_THREADS': '1'}, False),
                                           ({'OMP_PROC_BIND': 'false'}, False)])
def test_each_thread_that_computes_has_a_core(tmp_path, chosen, bound):
    """And no other thread and no child process is bound."""
    code, out, err = python("""
        import os, subprocess, sys, threading
        import gluonzoo
        gluonzoo.cores.Neighbours.busy = lambda self: 0.0
        import mxnet as mx
        x = mx.nd.ones((4, 16, 64, 64))
        mx.nd.Convolution(x, mx.nd.ones((16, 16, 3, 3)), no_bias=True, kernel=(3, 3), num_filter=16).wait_to_read()
        masks = [os.sched_getaffinity(int(thread)) for thread in os.listdir('/proc/self/task')]
        print(sorted(mask.pop() for mask in masks if len(mask) == 1))
        seen = []
        thread = threading.Thread(target=lambda: seen.append(os.sched_getaffinity(0)))
        thread.start()
        thread.join()
        show = 'import os; print(len(os.sched_getaffinity(0)), os.environ.get("OMP_PLACES"))'
        child = subprocess.run([sys.executable, '-c', show], capture_output=True, text=True).stdout
        print(len(os.sched_getaffinity(0)), len(seen[0]), child, end='')
        """, tmp_path, **chosen)
    cores = sorted(os.sched_getaffinity(0))
    assert (code, err) == (0, '')
    assert out.splitlines() == [str(cores if bound else []), f'{len(cores)} {len(cores)} {len(cores)} None']


def test_openmp_loaded_first(tmp_path):
    """As PyTorch loads it. Its number of threads is MXNet's all the same."""
    (tmp_path / 'main.py').write_text(textwrap.dedent('''
        import ctypes
        ctypes.CDLL('libgomp.so.1')
        import gluonzoo
        gluonzoo.cores.Neighbours.busy = lambda self: 100.0
        import mxnet as mx
        print(gluonzoo.runtime.threads())
        '''))
    code, out, err = finish(start('main.py', directory=tmp_path))
    assert (code, out) == (0, '1\n'), err
    assert err.count('RuntimeWarning') == 1
    assert (f'main.py:4: RuntimeWarning: OpenMP, as of PyTorch, was imported before gluonzoo, so MXNet computes many '
            f'times slower beside other busy programs (or set GOMP_SPINCOUNT={runtime.SPINS}): import gluonzoo first'
            in err)
    code, out, err = finish(start('main.py', directory=tmp_path, OMP_WAIT_POLICY='passive'))
    assert (code, out, err) == (0, '1\n', '')


def test_mxnet_imported_first(tmp_path):
    """One warning, on the line that imports gluonzoo."""
    (tmp_path / 'main.py').write_text(textwrap.dedent('''
        import os, numpy as np
        np.bool, np.int = bool, int
        import mxnet
        import gluonzoo
        gluonzoo.runtime.prepare(None)
        print(os.environ.get('OMP_NUM_THREADS'))
        '''))
    code, out, err = finish(start('main.py', directory=tmp_path))
    assert (code, out) == (0, 'None\n'), err
    assert err.count('RuntimeWarning') == 1
    assert 'main.py:5: RuntimeWarning: MXNet was imported before gluonzoo' in err
    cores, taken = physical_cores(), max(1, len(os.sched_getaffinity(0)) // 2)
    assert (f'computes with {taken} thread(s), where {cores}' in err) == (cores != taken)


@pytest.fixture
def mxnet_first(monkeypatch):
    """A function that prepares a process where MXNet came first, on so many processors and cores."""
    def prepare(processors, cores, **variables):
        for name in CHOICES:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv('GOMP_SPINCOUNT', '1000')
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(runtime, 'logical_processors', lambda: set(range(processors)))
        monkeypatch.setattr(runtime, 'physical_cores', lambda: cores)
        monkeypatch.setattr(runtime, '_prepared', False)
        runtime.prepare(ops.library.activate)
    return prepare


def test_warning_when_threads_differ(mxnet_first):
    with pytest.warns(RuntimeWarning, match='with 4 thread.s., where 8 physical') as caught:
        mxnet_first(processors=8, cores=8)
        runtime.prepare(None)   # a second time it is silent
    assert len(caught) == 1


@pytest.mark.parametrize('case', [dict(processors=8, cores=4), dict(processors=1, cores=1),
                                  dict(processors=8, cores=8, OMP_NUM_THREADS='3')])
def test_no_warning_when_threads_agree_or_are_chosen(mxnet_first, recwarn, case):
    mxnet_first(**case)
    assert not recwarn.list


# -- the parameter server --------------------------------------------------------------------------------------------

WORKER = """
import gluonzoo, mxnet as mx
store = mx.kv.create('dist_sync')
store.init('sum', mx.nd.zeros(3))
store.push('sum', mx.nd.full(3, store.rank + 1))
total = mx.nd.zeros(3)
store.pull('sum', out=total)
print(total.asnumpy().tolist())
"""


def test_parameter_server(tmp_path):
    """A scheduler, a server and two workers: the server adds what the workers push; all end when the job ends."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    job = dict(DMLC_PS_ROOT_URI='127.0.0.1', DMLC_PS_ROOT_PORT=str(port), DMLC_INTERFACE='lo',
               DMLC_NUM_SERVER='1', DMLC_NUM_WORKER='2', OMP_NUM_THREADS='1')
    processes = [start(*arguments, directory=tmp_path, DMLC_ROLE=role, **job) for role, arguments in (
        ('scheduler', ('-m', 'gluonzoo.runtime')), ('server', ('-c', 'import gluonzoo')),
        ('worker', ('-c', WORKER)), ('worker', ('-c', WORKER)))]
    try:
        while any(process.poll() is None for process in processes) and not any(p.poll() for p in processes):
            time.sleep(0.1)   # one that fails would leave the others waiting for ever
        failed = [finish(process) for process in processes if process.poll()]
        assert not failed
        assert [finish(process)[:2] for process in processes] == [(0, ''), (0, ''), *2 * [(0, '[3.0, 3.0, 3.0]\n')]]
    finally:
        for process in processes:
            process.kill()


def test_runtime_as_a_program_needs_a_role(tmp_path):
    code, out, err = finish(start('-m', 'gluonzoo.runtime', directory=tmp_path))
    assert code == 1 and 'DMLC_ROLE must be server or scheduler: None' in err
