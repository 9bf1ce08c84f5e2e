"""Corner pools: tables worked by hand, a slow twin, symmetries, gradient requests, errors; on every route.

Run as ``pytest unittests/test_pool.py`` or ``python unittests/test_pool.py [pytest arguments]``. A process
has one route, so the tests run on the route of this process, and one test starts this file again for every
other route that is available. With ``GLUONZOO_OPS`` set, only that route runs. A closing line says which ran.
"""
import hashlib
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

os.environ.setdefault('OMP_NUM_THREADS', '2')   # more threads than free processors are many times slower

import gluonzoo  # first: it makes MXNet importable
from gluonzoo import ops

# isort: split
import mxnet as mx
import numpy as np
import pytest
from mxnet import MXNetError, autograd, gluon
from mxnet.test_utils import check_numeric_gradient

sys.path.insert(0, str(Path(__file__).parent))   # whatever pytest's import mode
from pool_cases import (DTYPES, HEAD, INF, LINES, NAN, POOLS, SCANS, SHAPES, TABLES, X,  # noqa: I001
                        from_scan_order, scan_order, tied, twin)

ROUTES = ('built-in', 'library', 'composition')
NATIVE = ops.route() != 'composition'
DEVICES = [mx.cpu()] + [mx.gpu(0)] * (mx.context.num_gpus() > 0)
BLOCKS = {'top_pool': ops.TopPool, 'bottom_pool': ops.BottomPool,
          'left_pool': ops.LeftPool, 'right_pool': ops.RightPool}
MODES = {'imperative': None, 'hybridize': {}, 'static_alloc': {'static_alloc': True},
         'static_shape': {'static_alloc': True, 'static_shape': True}}

every_pool = pytest.mark.parametrize('pool', POOLS)
every_dtype = pytest.mark.parametrize('dtype', DTYPES)
every_mode = pytest.mark.parametrize('mode', MODES)
native_only = pytest.mark.skipif(not NATIVE, reason='a promise of the native routes')
equal = np.testing.assert_array_equal   # a NaN equals a NaN, +0 equals -0


# -- tools ---------------------------------------------------------------------------------------------------

class Routes:
    """pytest plugin: what happened on each route, in one closing line."""

    def __init__(self):
        here = ops.available_routes()
        self.said = {name: 'not run' if name in here else 'not available' for name in ROUTES}
        self.said[ops.route()] = 'ok'

    def pytest_runtest_logreport(self, report):
        if report.failed and Path(__file__).name in report.nodeid and 'test_other_route' not in report.nodeid:
            self.said[ops.route()] = 'failed'

    def pytest_terminal_summary(self, terminalreporter):
        said = ', '.join(f'{name} {what}' for name, what in self.said.items())
        terminalreporter.write_line(f'routes: {said}')


@pytest.fixture(scope='module', autouse=True)
def routes(request):
    plugin = Routes()
    request.config.pluginmanager.register(plugin)
    return plugin


@pytest.fixture(params=DEVICES, ids=str, autouse=True)
def device(request):
    """Every test runs on every device: arrays made without a context go there."""
    with request.param:
        yield request.param
    mx.nd.waitall()   # an error that nobody waited for belongs to the test that made it


@pytest.fixture
def rng():
    return np.random.RandomState(7)


def nd(array):
    return mx.nd.array(array, dtype=array.dtype)


def symbol_of(pool, **name):
    return getattr(mx.sym.contrib, pool)(mx.sym.Variable('data'), **name)


def net_of(function, mode='imperative'):
    """`function(F, x)`, or the pool of that name, as a block."""
    pool = function
    net = gluon.nn.HybridLambda((lambda F, x: getattr(F.contrib, pool)(x)) if pool in SCANS else function)
    if MODES[mode] is not None:
        net.hybridize(**MODES[mode])
    return net


def run(net, x, head):
    """(values, gradient of x), copied out of MXNet. A name stands for the pool."""
    data = nd(x)
    data.attach_grad()
    with autograd.record():
        y = (net_of(net) if net in SCANS else net)(data)
    y.backward(nd(head))
    return y.asnumpy(), data.grad.asnumpy()


def check(pool, x, head, net=None):
    """Values with the sign of zero, gradients (which must be exact in the dtype), and dtypes."""
    y, grad = run(net or pool, x, head)
    expected_y, expected_grad = twin(pool, x, head)
    assert y.dtype == grad.dtype == x.dtype
    equal(y, expected_y)
    equal(np.signbit(y[y == 0]), np.signbit(expected_y[y == 0]))
    equal(grad, expected_grad)


def python(*arguments, **environment):
    """Runs a fresh Python, on the route of this one unless told; it finds the same gluonzoo, and us."""
    path = [Path(gluonzoo.__file__).parents[1], Path(__file__).parent, os.environ.get('PYTHONPATH')]
    env = {**os.environ, 'PYTHONPATH': os.pathsep.join(str(entry) for entry in path if entry),
           'GLUONZOO_OPS': ops.route(), **environment}
    return subprocess.run([sys.executable, *map(str, arguments)], env=env, text=True, timeout=580,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


# -- routes --------------------------------------------------------------------------------------------------

@pytest.mark.skipif(bool(os.environ.get('GLUONZOO_OPS')), reason='GLUONZOO_OPS asks for one route')
@pytest.mark.parametrize('name', [name for name in ROUTES if name != ops.route()])
def test_other_route(name, device, routes):
    if name not in ops.available_routes():
        pytest.skip(f'route {name} is not available here')
    if device != DEVICES[0]:
        pytest.skip('the other process crosses the devices itself')
    result = python(__file__, '-q', '-p', 'no:cacheprovider', GLUONZOO_OPS=name)
    routes.said[name] = 'ok' if result.returncode == 0 else 'failed'
    assert result.returncode == 0, result.stdout


def test_route_is_the_one_asked_for():
    here = ops.available_routes()
    assert here == [name for name in ROUTES if name in here] and here[-1] == 'composition'
    assert ops.route() == (os.environ.get('GLUONZOO_OPS') or here[0])


def test_unknown_or_unavailable_route_is_a_clear_error():
    assert issubclass(ops.RouteError, RuntimeError)
    wrong = {'nonsense': ROUTES, 'built-in': ['build.sh'], 'library': ['pip install', 'built in']}
    for name in [name for name in wrong if name not in ops.available_routes()]:
        result = python('-c', 'import gluonzoo, mxnet', GLUONZOO_OPS=name)
        assert result.returncode == 1
        last_line = result.stdout.strip().splitlines()[-1]
        assert 'RouteError' in last_line and name in last_line
        assert (all if name == 'nonsense' else any)(word in last_line for word in wrong[name]), last_line


# -- values and gradients ------------------------------------------------------------------------------------

@every_mode
@every_dtype
@every_pool
def test_table(pool, dtype, mode):
    y, grad = run(net_of(pool, mode), np.array([[X]], dtype), np.array([[HEAD]], dtype))
    equal(y[0, 0], TABLES[pool][0])
    equal(grad[0, 0], TABLES[pool][1])


@every_dtype
@every_pool
@pytest.mark.parametrize('mode, copies', [('imperative', 1), ('imperative', 37), ('static_alloc', 37)])
@pytest.mark.parametrize('before', [0, 1, 15, 32])
def test_ties_zeros_nan_and_infinity(pool, dtype, mode, copies, before):
    """Each line alone, and as 37 neighbours, which fill vectors and leave a remainder."""
    x, y, head, grad = np.zeros((4, 1, len(LINES), copies, before + max(len(line) for line, _ in LINES)))
    x[:] = -INF   # before and after a line; whatever is met beats it, but for another -inf
    head[:] = 2.0 ** (np.arange(x.shape[3]) % 8)
    for plane, (line, firsts) in enumerate(LINES):
        firsts = [0] * before + [0 if line[i] == -INF else before + i for i in firsts]
        firsts += [firsts[-1]] * (x.shape[3] - len(firsts))
        x[0, plane, :, before:before + len(line)] = line
        y[0, plane] = x[0, plane][:, firsts]
        grad[0, plane] = np.bincount(firsts, head[0, plane, 0], x.shape[3])
    arrays = (from_scan_order(pool, array).astype(dtype) for array in (x, head))
    found_y, found_grad = run(net_of(pool, mode), *arrays)
    equal(scan_order(pool, found_y), y)
    equal(np.signbit(scan_order(pool, found_y)[y == 0]), np.signbit(y[y == 0]))
    equal(scan_order(pool, found_grad), grad)


@every_dtype
@every_pool
@pytest.mark.parametrize('shape', SHAPES, ids=str)
def test_twin_on_ties(pool, dtype, shape, rng):
    if not NATIVE and np.prod(shape) > 20000:
        pytest.skip('large enough for several threads of a native route')
    check(pool, *tied(rng, shape, dtype))


@every_pool
def test_twin_around_vector_widths(pool, rng):
    """Every height and width from 1 to 40; the composition has no vectors, and takes a few of them."""
    for h, w in np.ndindex(41, 41):
        if h * w and (NATIVE or (h + 9 * w) % 40 == 0):
            check(pool, *tied(rng, (1, 1, h, w), DTYPES[(h + w) % 3]))


@every_dtype
@every_pool
@pytest.mark.parametrize('odds', [0.01, 0.1])
def test_twin_on_nan_infinity_and_zeros(pool, dtype, odds, rng):
    for shape in (2, 3, 33, 35), (1, 1, 9, 140), (1, 1, 140, 9):
        x, head = tied(rng, shape, dtype)
        for value in NAN, -INF, INF, -0.0:
            x[rng.rand(*shape) < odds] = value
        check(pool, x, head)


@every_dtype
@every_pool
def test_twin_on_random_numbers(pool, dtype, rng):
    """Gradients that round: the order of summation is free, the error is not."""
    x, head = (rng.randn(2, 3, 29, 23).astype(dtype) for _ in range(2))
    y, grad = run(pool, x, head)
    expected_y, expected_grad = twin(pool, x.astype('float64'), head.astype('float64'))
    equal(y, expected_y)
    ulp = {'float16': 2.0 ** -11, 'float32': 2.0 ** -24, 'float64': 2.0 ** -53}[dtype]
    if NATIVE and dtype == 'float16':   # summed in float32, rounded once
        np.testing.assert_allclose(grad, expected_grad, rtol=1.01 * ulp, atol=1e-5)
    else:
        sums = twin(pool, x.astype('float64'), np.abs(head).astype('float64'))[1]
        assert (np.abs(grad - expected_grad) <= 29 * ulp * sums).all()


@every_pool
def test_big(pool, rng):
    x, head = rng.randint(-99, 100, (2, 2, 64, 64, 64)).astype('float32')
    lines = np.maximum.accumulate(scan_order(pool, x), axis=3)
    changes = np.flatnonzero(np.diff(lines, axis=3, prepend=-INF) > 0)   # between two, one element wins
    sums = np.zeros(x.size)
    sums[changes] = np.add.reduceat(scan_order(pool, head).ravel(), changes)
    y, grad = run(pool, x, head)
    equal(y, from_scan_order(pool, lines))
    equal(grad, from_scan_order(pool, sums.reshape(lines.shape)))


@every_pool
def test_numeric_gradient(pool, rng):
    x = rng.permutation(42).reshape(1, 2, 3, 7).astype('float64') / 4   # no two within a step of each other
    check_numeric_gradient(symbol_of(pool), [x], numeric_eps=1e-2, rtol=1e-6, atol=1e-8, dtype=np.float64)


@every_dtype
@every_pool
def test_constant_gives_all_gradient_to_the_start(pool, dtype, rng):
    head = rng.randint(1, 4, (2, 3, 19, 21)).astype(dtype)
    grad = scan_order(pool, run(pool, np.full_like(head, -2), head)[1])
    equal(grad[..., 0], scan_order(pool, head).sum(3))
    assert not grad[..., 1:].any()


@native_only
@every_pool
def test_float16_gradients_are_summed_in_float32_and_rounded_once(pool, rng):
    lines = np.zeros((1, 1, 2, 4096), 'float16')
    lines[..., 0] = 1
    grad = run(pool, from_scan_order(pool, lines), from_scan_order(pool, np.ones_like(lines)))[1]
    equal(scan_order(pool, grad), 4096 * lines)   # float16 would stop at 2048
    halves = np.arange(65536).astype('uint16').view('float16').reshape(1, 1, 256, 256)
    climb = from_scan_order(pool, np.broadcast_to(np.arange(256.0), halves.shape).astype('float16'))
    equal(run(pool, climb, halves)[1], halves)    # every element wins once
    check(pool, halves, climb * 0)
    pairs = rng.randint(0, 65536, (1, 1, 9999, 2)).astype('uint16').view('float16')
    grad = run(pool, from_scan_order(pool, np.ones_like(pairs)), from_scan_order(pool, pairs))[1]
    with np.errstate(over='ignore', invalid='ignore'):   # to nearest, ties to even
        equal(scan_order(pool, grad)[..., 0], pairs.astype('float32').sum(3).astype('float16'))


@every_pool
def test_an_infinite_gradient_goes_where_it_belongs_only(pool, rng):
    x, head = tied(rng, (2, 2, 9, 11))
    head[0, 1, 4, 5], head[1, 0, 3, 7] = INF, NAN
    check(pool, x, head)


# -- symmetries ----------------------------------------------------------------------------------------------

@every_dtype
@pytest.mark.parametrize('pool, move, other', [
    ('bottom_pool', lambda a: a[:, :, ::-1], 'top_pool'),
    ('right_pool', lambda a: a[..., ::-1], 'left_pool'),
    ('top_pool', lambda a: a.swapaxes(2, 3), 'left_pool'),
    ('right_pool', lambda a: a.swapaxes(2, 3), 'bottom_pool'),
    ('left_pool', lambda a: a[::-1, ::-1], 'left_pool')],
    ids=['rows', 'columns', 'axes', 'other axes', 'planes'])
def test_symmetries(pool, move, other, dtype, rng):
    x, head = tied(rng, (2, 3, 13, 18), dtype)
    for here, there in zip(run(pool, move(x), move(head)), run(other, x, head)):
        equal(move(here), there)


@every_dtype
@every_pool
def test_identities(pool, dtype, rng):
    x, head = tied(rng, (2, 3, 13, 18), dtype)
    y, grad = run(pool, x, head)
    assert (y >= x).all()
    equal(run(pool, y, head)[0], y)                                               # idempotent
    assert (run(pool, x + rng.randint(0, 3, x.shape).astype(dtype), head)[0] >= y).all()   # monotone
    five = np.array(5, dtype)
    for moved, still in zip(run(pool, x + five, head), (y + five, grad)):         # translation
        equal(moved, still)
    lines = scan_order(pool, y)
    assert (lines[..., 1:] >= lines[..., :-1]).all()
    equal(lines[..., -1], scan_order(pool, x).max(3))
    equal(scan_order(pool, grad).sum(3), scan_order(pool, head).sum(3))           # no gradient is lost


# -- gradient requests, consumers, memory --------------------------------------------------------------------

def consumers(kind, count):
    """`count` pools that read one tensor: (function(F, x) -> list of arrays, the twin of it)."""
    names = ['left_pool' if kind == 'same' else POOLS[i % 4] for i in range(count)]
    weights = [1 if kind in ('same', 'heads') else i + 1 for i in range(count)]
    sign = -1 if kind == 'inner tensor' else 1

    def function(F, x):
        x = -x if kind == 'inner tensor' else x
        outputs = [getattr(F.contrib, name)(x) for name in names]
        if kind == 'heads':
            return outputs
        if kind != 'same':   # which hands one and the same gradient array to all pools
            outputs = [y * weight for y, weight in zip(outputs, weights)]
        return [F.add_n(*outputs, *[x * x] * (kind == 'with another operator'))]

    def expected(x, head):
        ys, grads = zip(*[twin(name, sign * x, head) for name in names])
        total, grad = (sum(w * a for w, a in zip(weights, arrays)) for arrays in (ys, grads))
        if kind == 'with another operator':
            return [total + x * x], grad + 2 * x * head
        return list(ys) if kind == 'heads' else [total], sign * grad

    return function, expected


@pytest.mark.parametrize('kind', ['same', 'mixed', 'inner tensor', 'with another operator', 'heads'])
@pytest.mark.parametrize('grad_req', ['write', 'add'])
@every_mode
@pytest.mark.parametrize('count', [1, 2, 7, 8, 9, 12, 16] if NATIVE else [1, 2, 9])  # MXNet changes at 8
def test_consumers_of_one_tensor(kind, grad_req, mode, count, rng):
    """Three passes on new data; what all passes, or the last one, give to a leaf that pools read directly."""
    function, expected = consumers(kind, count)
    net = net_of(function, mode)
    data = mx.nd.zeros((1, 2, 5, 7))
    data.attach_grad(grad_req)
    data.grad[:] = total = 50
    for _ in range(3):
        x, head = tied(rng, data.shape)
        data[:] = x
        with autograd.record():
            outputs = net(data)
        autograd.backward(outputs, [nd(head)] * len(outputs))
        ys, grad = expected(x, head)
        total = grad if grad_req == 'write' else total + grad
        assert len(outputs) == len(ys)
        for output, y in zip(outputs, ys):
            equal(output.asnumpy(), y)
        equal(data.grad.asnumpy(), total)


@every_dtype
@pytest.mark.parametrize('grad_req', ['write', 'add', 'null'])
@every_pool
def test_executor(pool, grad_req, dtype, rng):
    shape = (1, 3, 19, 70)
    executor = (symbol_of(pool) * mx.sym.Variable('scale')).simple_bind(
        mx.current_context(), data=shape, scale=shape, grad_req={'data': grad_req, 'scale': 'write'},
        type_dict={'data': dtype, 'scale': dtype})
    total = 9
    if grad_req != 'null':
        executor.grad_dict['data'][:] = total
    for _ in range(3):
        x, head = tied(rng, shape, dtype)
        y = executor.forward(is_train=True, data=nd(x), scale=mx.nd.full(shape, 2, dtype=dtype))[0].asnumpy()
        executor.backward(nd(head))
        expected_y, grad = twin(pool, x, 2 * head)
        equal(y, 2 * expected_y)
        equal(executor.grad_dict['scale'].asnumpy(), expected_y * head)
        total = grad if grad_req == 'write' else total + grad
        if grad_req == 'null':
            assert executor.grad_dict['data'] is None
        else:
            equal(executor.grad_dict['data'].asnumpy(), total)


@every_mode
@every_pool
def test_null_request(pool, mode, rng):
    x, head = tied(rng, (1, 2, 5, 7))
    data, scale = nd(x), mx.nd.ones(x.shape)
    data.attach_grad('null')
    scale.attach_grad()
    untouched = data.grad   # after backward there is no data.grad any more
    untouched[:] = 9
    net = gluon.nn.HybridLambda(lambda F, a, b: getattr(F.contrib, pool)(a) * b)
    if MODES[mode] is not None:
        net.hybridize(**MODES[mode])
    with autograd.record():
        y = net(data, scale)
    y.backward(nd(head))
    equal(scale.grad.asnumpy(), twin(pool, x, head)[0] * head)
    equal(untouched.asnumpy(), 9)


@native_only
@every_pool
def test_gradient_keeps_no_output(pool):
    """What the graph hands to the gradient stays in memory until then: the output gradient and the input."""
    net = mx.sym.sin(symbol_of(pool, name='pool'), name='sine')
    plan = net.simple_bind(mx.current_context(), data=(1, 2, 3, 4)).debug_str()
    gradient = plan.split('Name=pool_backward\n')[1].split('Control deps')[0]
    assert re.findall(r'arg\[\d+\]=(\w+)', gradient) == ['sine_backward', 'data']


@every_mode
@every_pool
def test_inputs_are_left_alone_and_memory_is_not_shared(pool, mode, rng):
    """x, the output gradient and an inner tensor are read again after the pool has run."""
    x, head = tied(rng, (2, 3, 9, 17))

    def function(F, x):
        h = F.abs(x) - 1   # an inner tensor, which memory planning may overwrite
        return getattr(F.contrib, pool)(h) + 10 * h   # both terms get the same gradient array

    h = np.abs(x) - 1
    y, grad = twin(pool, h, head)
    data, heads = nd(x), nd(head)
    data.attach_grad()
    net = net_of(function, mode)
    for _ in range(2):
        with autograd.record():
            result = net(data)
            direct = getattr(ops, pool)(data)
        autograd.backward([result, direct], [heads, heads])
        equal(result.asnumpy(), y + 10 * h)
        equal(data.grad.asnumpy(), np.sign(x) * (grad + 10 * head) + twin(pool, x, head)[1])
        direct[:] = -7     # the output is an array of its own
        equal(data.asnumpy(), x)
        equal(heads.asnumpy(), head)
        for size in 1, 9:  # also where there is nothing to compute
            short = mx.nd.ones((1, 1, size, 1))
            getattr(ops, pool)(short)[:] = -7
            equal(short.asnumpy(), 1)


@every_mode
def test_chain(mode, rng):
    """A cascade: each pool reads the one before, and gradients pass through all four."""
    x, head = tied(rng, (2, 3, 9, 17))
    y, grad = run(net_of(lambda F, x: F.contrib.right_pool(F.contrib.left_pool(
        F.contrib.bottom_pool(F.contrib.top_pool(F.abs(x))))), mode), x, head)
    stages = [np.abs(x)]
    for pool in POOLS:
        stages.append(twin(pool, stages[-1], head)[0])
    equal(y, stages.pop())
    for pool in reversed(POOLS):
        head = twin(pool, stages.pop(), head)[1]
    equal(grad, np.sign(x) * head)


VIEWS = {
    'planes': lambda a: a[1:],   # shares memory, and starts off any vector boundary
    'one plane': lambda a: a[2:3],
    'rows': lambda a: a[:, :, 2:8],
    'columns': lambda a: a[:, :, :, 1:6],
    'steps': lambda a: a[:, :, ::2, ::3],
    'swapped': lambda a: a.swapaxes(2, 3),
    'transposed': lambda a: a.transpose((3, 1, 0, 2)),
    'reshaped': lambda a: a.reshape((1, 3, 9, 35)),
}


@every_dtype
@pytest.mark.parametrize('view', VIEWS)
@every_pool
def test_views(pool, view, dtype, rng):
    x, _ = tied(rng, (5, 3, 9, 7), dtype)
    part = np.ascontiguousarray(VIEWS[view](x))
    head = tied(rng, part.shape, dtype)[1]
    y, grad = twin(pool, part, head)
    outside, inside = VIEWS[view](nd(x)), nd(x)   # the view is taken before recording, and while recording
    outside.attach_grad()
    inside.attach_grad()
    with autograd.record():
        results = [getattr(ops, pool)(outside), getattr(ops, pool)(VIEWS[view](inside))]
    autograd.backward(results, [nd(head)] * 2)
    for result in results:
        equal(result.asnumpy(), y)
    equal(outside.grad.asnumpy(), grad)
    equal(VIEWS[view](inside.grad.asnumpy()), grad)
    assert np.abs(inside.grad.asnumpy()).sum() == np.abs(grad).sum()
    equal(inside.asnumpy(), x)


@pytest.mark.parametrize('mode', ['imperative', 'hybridize', 'static_alloc', 'executor'])
@pytest.mark.parametrize('shape', [(0, 3, 4, 5), (2, 0, 4, 5), (2, 3, 0, 5), (2, 3, 4, 0)], ids=str)
@every_pool
def test_empty(pool, shape, mode):
    """As relu: under NumPy shape semantics an empty array passes; otherwise a 0 means unknown, an error."""
    if not NATIVE and mode != 'imperative':
        pytest.skip('stock F.pad cannot pad an empty line, and a composed graph does not know its shape')
    zeros = np.zeros(shape, 'float32')
    with mx.util.np_shape(True):
        for function in (lambda F, x: F.relu(x)), (lambda F, x: getattr(F.contrib, pool)(x)):
            if mode == 'executor':
                symbol = function(mx.sym, mx.sym.Variable('data'))
                executor = symbol.simple_bind(mx.current_context(), data=shape)
                y = executor.forward(is_train=True)[0].asnumpy()
                executor.backward(nd(zeros))
                grad = executor.grad_dict['data'].asnumpy()
            else:
                y, grad = run(net_of(function, mode), zeros, zeros)
            assert y.shape == grad.shape == shape
    for function in mx.nd.relu, getattr(mx.nd.contrib, pool):
        with pytest.raises(MXNetError):
            function(nd(zeros)).wait_to_read()


# -- the same bits every time --------------------------------------------------------------------------------

def fingerprint():
    """Digest of all bits; the gradients round, so that another order of summation would show."""
    digest, rng = hashlib.sha256(), np.random.RandomState(3)
    for dtype in DTYPES:
        for shape in [(7, 13, 23, 29), (1, 1, 190, 310), (1, 2, 5, 300)] if NATIVE else [(1, 2, 33, 40)]:
            x, head = (rng.randn(2, *shape) * 4).round(1).astype(dtype)
            for pool in POOLS:
                for array in run(pool, x, head):
                    digest.update(array.tobytes())
    return digest.hexdigest()


@pytest.mark.parametrize('name, value', [('OMP_NUM_THREADS', '1'), ('OMP_NUM_THREADS', '2'),
                                         ('OMP_NUM_THREADS', '3'), ('MXNET_ENGINE_TYPE', 'NaiveEngine')])
def test_same_bits_every_time_and_under(name, value, device):
    code = f'import test_pool as t\nwith t.mx.{device}: print(t.fingerprint())'
    result = python('-c', code, **{name: value})
    assert result.returncode == 0, result.stdout
    assert result.stdout.split()[-1] == fingerprint() == fingerprint()


def test_python_threads(rng, device):
    cases = [(pool, *tied(rng, (2, 3, 20, 24))) for pool in POOLS]

    def work(case):
        with device:   # the current context is a thread's own
            for mode in ['imperative', 'static_alloc'] * (10 if NATIVE else 2):
                check(*case, net_of(case[0], mode))

    with ThreadPoolExecutor(len(cases)) as threads:
        list(threads.map(work, cases))   # raises what a thread raised


# -- errors --------------------------------------------------------------------------------------------------

def touch(how, pool, shape, dtype, net):
    """Has the pool process zeros of a shape and dtype, until an error must have surfaced."""
    if how == 'infer':
        symbol_of(pool).infer_type(data=dtype)
        symbol_of(pool).infer_shape(data=shape)
    elif how == 'bind':
        executor = symbol_of(pool).simple_bind(mx.current_context(), data=shape, type_dict={'data': dtype})
        executor.forward()[0].wait_to_read()
    else:
        net(mx.nd.zeros(shape, dtype=dtype)).wait_to_read()


def check_refusal(how, pool, shape, dtype, words, given):
    net = net_of(pool, how if how in MODES else 'imperative')
    for _ in range(2):
        with pytest.raises((RuntimeError, TypeError, ValueError)) as error:   # MXNetError is a RuntimeError
            touch(how, pool, shape, dtype, net)
        assert words in str(error.value)
        assert re.search(given, str(error.value).split(words)[-1])
        touch(how, pool, (2, 3, 4, 5), 'float32', net)   # the same net, afterwards
    check(pool, np.array([[X]], 'float32'), np.array([[HEAD]], 'float32'))


@pytest.mark.parametrize('how', ['infer', 'bind', *MODES])
@pytest.mark.parametrize('shape', [(11,), (11, 13), (11, 13, 3), (11, 13, 3, 5, 7)], ids=str)
@every_pool
def test_wrong_rank(pool, shape, how):
    given = r'\D{1,3}'.join(map(str, shape))
    check_refusal(how, pool, shape, 'float32', f'{pool}: data must be 4-D (N, C, H, W)', given)


@pytest.mark.parametrize('how', ['infer', 'bind', *MODES])
@pytest.mark.parametrize('dtype', ['int32', 'int64', 'uint8', 'int8'])
@every_pool
def test_wrong_dtype(pool, dtype, how):
    words = f'{pool}: data must be float16, float32 or float64'
    if not NATIVE and how != 'imperative':
        if how == 'infer':
            pytest.skip('the stock operators of a composed graph refuse a dtype only when they run')
        words = 'floating point'   # and in their own words
    check_refusal(how, pool, (2, 3, 4, 5), dtype, words, rf'\b{dtype}\b')


@every_pool
def test_wrong_type_of_argument(pool):
    for wrong, name in (np.zeros((1, 1, 2, 2)), 'ndarray'), ([[[[1.0]]]], 'list'), (None, 'NoneType'):
        with pytest.raises(TypeError, match=rf'{pool}.*{name}'):
            getattr(ops, pool)(wrong)


@pytest.mark.skipif(ops.route() == 'built-in', reason="MXNet's own operators without parameters ignore all arguments")
@pytest.mark.parametrize('space', [mx.nd, mx.sym], ids=['nd', 'sym'])
@every_pool
def test_unknown_argument(pool, space):
    """Is refused: who writes axis=3 would get the pool over another axis."""
    x = mx.nd.ones((1, 1, 2, 2)) if space is mx.nd else mx.sym.var('x')
    with pytest.raises((RuntimeError, TypeError), match='axis'):
        getattr(space.contrib, pool)(x, axis=3)
    with mx.AttrScope(ctx_group='some', __lr_mult__='2'):   # attributes of any node are none
        getattr(space.contrib, pool)(x)


# -- symbols, blocks, files ----------------------------------------------------------------------------------

@every_pool
def test_functions(pool, rng):
    x, head = tied(rng, (1, 2, 5, 7))
    y = twin(pool, x, head)[0]
    function, on_ndarray, on_symbol = (getattr(home, pool) for home in (ops, mx.nd.contrib, mx.sym.contrib))
    for result in function(nd(x)), function(x=nd(x)), on_ndarray(nd(x)), on_ndarray(data=nd(x)):
        equal(result.asnumpy(), y)
    data = mx.sym.Variable('data')
    for symbol in function(data), on_symbol(data), on_symbol(data=data), on_symbol(data, name='corner'):
        assert symbol.list_arguments() == ['data']
        equal(symbol.eval(mx.current_context(), data=nd(x))[0].asnumpy(), y)
    assert symbol.name == 'corner' and symbol.list_outputs() == ['corner_output']
    for documented in function, on_ndarray, on_symbol:
        assert 'maximum' in documented.__doc__.lower()
    if NATIVE:
        data, out = nd(x), mx.nd.zeros(x.shape)
        on_ndarray(data, out=out)
        equal(data.asnumpy(), x)
        on_ndarray(data, out=data)   # in place
        for result in out, data:
            equal(result.asnumpy(), y)


@every_mode
@every_pool
def test_blocks(pool, mode, rng):
    net = BLOCKS[pool]()
    assert type(net).__name__ in repr(net) and not net.collect_params().keys()
    if MODES[mode] is not None:
        net.hybridize(**MODES[mode])
    for dtype in 'float32', 'float16', 'float64', 'float32':   # one net meets other shapes and dtypes
        for shape in (1, 2, 5, 7), (2, 1, 9, 4), (1, 1, 40, 3):
            check(pool, *tied(rng, shape, dtype), net)


@every_pool
def test_inference_of_shape_and_type(pool):
    symbol, shape = symbol_of(pool), (2, 3, 4, 5)
    assert symbol.infer_shape(data=shape) == ([shape], [shape], [])
    for dtype in DTYPES:
        assert symbol.infer_type(data=dtype)[1] == [np.dtype(dtype).type]
    assert symbol.infer_type()[1] is None


@native_only   # stock F.pad raises for an unknown rank
@pytest.mark.parametrize('unknown, semantics', [(0, False), (-1, True)])
@every_pool
def test_unknown_shapes(pool, unknown, semantics):
    symbol, shape, known = symbol_of(pool), (2, 3, 4, 5), (unknown, 3, 4, unknown)
    total = symbol + mx.sym.Variable('other')
    with mx.util.np_shape(semantics):
        assert symbol.infer_shape_partial(data=known)[1][0] in (None, (), known)
        assert total.infer_shape(data=known, other=shape)[1] == [shape]
        assert symbol.infer_shape_partial()[1][0] in (None, (), (unknown,) * 4)
        assert symbol.infer_shape()[1] is None


def small_net():
    """Convolutions around two pools; input channels are left to shape inference."""
    net = gluon.nn.HybridSequential(prefix='small_')
    with net.name_scope():
        net.add(gluon.nn.Conv2D(4, 3, padding=1), ops.TopPool(), gluon.nn.Conv2D(3, 1), ops.LeftPool(),
                gluon.nn.Dense(2))
    return net


def outputs_and_gradients(net, x):
    data = nd(x)
    data.attach_grad()
    with autograd.record():
        y = net(data)
    y.backward(mx.nd.array([[1, -2]] * len(x)))
    return {'y': y.asnumpy(), 'data': data.grad.asnumpy(),
            **{name: parameter.grad().asnumpy() for name, parameter in net.collect_params().items()}}


def test_save_load_export_import(tmp_path, rng):
    x, path = rng.randn(2, 3, 10, 12).astype('float32'), str(tmp_path / 'net')
    net, loaded = small_net(), small_net()
    net.initialize(mx.init.Normal(1))
    net.hybridize()
    expected = outputs_and_gradients(net, x)
    assert all(value.any() for value in expected.values())
    net.save_parameters(path + '.params')
    loaded.load_parameters(path + '.params', ctx=mx.current_context())
    net.export(path, epoch=3)
    imported, static = (gluon.SymbolBlock.imports(path + '-symbol.json', ['data'], path + '-0003.params',
                                                  ctx=mx.current_context()) for _ in range(2))
    static.hybridize(static_alloc=True, static_shape=True)
    for other in loaded, imported, static:
        found = outputs_and_gradients(other, x)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-5, atol=1e-5, err_msg=name)


@every_pool
def test_symbol_json(pool, rng):
    symbol = mx.sym.load_json(symbol_of(pool, name='corner').tojson())
    check(pool, *tied(rng, (2, 3, 5, 7)), gluon.SymbolBlock(symbol, [mx.sym.Variable('data')]))
    if NATIVE:   # one node, which says nothing of the route that saved it
        node = json.loads(symbol.tojson())['nodes'][-1]
        assert node == {'op': f'_contrib_{pool}', 'name': 'corner', 'inputs': [[0, 0, 0]]}


LOAD = '''
import os, sys, gluonzoo, mxnet as mx, numpy as np
os.chdir(sys.argv[1])
x = mx.nd.array(np.load('x.npy'))
np.save('y.npy', mx.sym.load('pools.json').eval(data=x, ctx=mx.cpu())[0].asnumpy())
'''


def test_symbol_file_loads_in_another_process(tmp_path, rng):
    """A file of stock operators loads on every route, a native one on every native route."""
    x, head = tied(rng, (2, 3, 5, 7))
    symbol, y = mx.sym.Variable('data'), x
    for pool in POOLS:
        symbol, y = getattr(mx.sym.contrib, pool)(symbol), twin(pool, y, head)[0]
    symbol.save(str(tmp_path / 'pools.json'))
    np.save(tmp_path / 'x.npy', x)
    for name in ops.available_routes():
        if name == 'composition' and NATIVE:
            continue
        result = python('-c', LOAD, tmp_path, GLUONZOO_OPS=name)
        assert result.returncode == 0, result.stdout
        equal(np.load(tmp_path / 'y.npy'), y)
        (tmp_path / 'y.npy').unlink()


if __name__ == '__main__':
    sys.exit(pytest.main(['-o', 'addopts=', __file__, *sys.argv[1:]]))   # pytest is all that it needs
