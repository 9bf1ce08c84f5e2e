"""What holds for every network of the zoo: shapes, gradients, hybridization, saved and exported copies, arguments."""
import inspect
import warnings

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd
from numpy.testing import assert_allclose
from small_settings import SMALL, Small

import gluonzoo
from gluonzoo.graph.fuse import for_inference
from gluonzoo.registry import MODELS


class Case:
    """One small network, its input, and what it makes of it imperatively, in inference."""

    def __init__(self, name):
        self.name = name
        small = SMALL.get(name, Small())
        self.arguments = small.arguments
        self.net = self.make()
        mx.random.seed(1)
        self.net.initialize()
        self.x = mx.nd.random.uniform(-1, 1, shape=small.shape or (2, 3, self.net.input_size, self.net.input_size))
        self.shapes = small.outputs or documented_shapes(self.net, self.x.shape)
        self.y = values(self.net(self.x))

    def make(self):
        return gluonzoo.get_model(self.name, **self.arguments)


def documented_shapes(net, shape):
    if hasattr(net, 'anchor_shapes'):
        anchors = sum(rows * columns * len(shapes)
                      for (rows, columns), shapes in zip(net.grids(*shape[2:]), net.anchor_shapes))
        return [(shape[0], anchors, net.classes + 1), (shape[0], anchors, 4)]
    return [(shape[0], net.classes)]


def outputs(y):
    return list(y) if isinstance(y, (list, tuple)) else [y]


def values(y):
    """Copies, so that nothing computed later can change them."""
    return [array.asnumpy().copy() for array in outputs(y)]


def assert_same(got, wanted, tolerance):
    assert len(got) == len(wanted)
    for a, b in zip(got, wanted):
        assert_allclose(a, b, rtol=0, atol=tolerance * max(1, np.abs(b).max()))


@pytest.fixture(scope='module', params=gluonzoo.list_models())
def case(request):
    return Case(request.param)


def test_small_settings_are_of_models_that_exist():
    assert set(SMALL) <= set(gluonzoo.list_models())


def test_outputs_are_as_documented_and_finite(case):
    assert [y.shape for y in case.y] == case.shapes
    for y in case.y:
        assert y.dtype == np.float32 and np.isfinite(y).all()
        assert y.std() > 0   # it says something


def test_gradients_reach_every_parameter(case):
    net = case.make()
    mx.random.seed(2)
    net.initialize()
    net(case.x)   # parameters whose shape was unknown have one now
    trained = {name: p for name, p in net._collect_params_with_prefix().items() if p.grad_req != 'null'}
    for parameter in trained.values():
        parameter.grad()[:] = np.nan   # what is not written stays
    with autograd.record():
        y = outputs(net(case.x))
        loss = sum((a * mx.nd.random.normal(shape=a.shape)).sum() for a in y)
    loss.backward()
    gradients = {name: parameter.grad().asnumpy() for name, parameter in trained.items()}
    assert trained
    assert [name for name, gradient in gradients.items() if not np.isfinite(gradient).all()] == []
    assert [name for name, gradient in gradients.items() if not gradient.any()] == []


def test_hybridized_equals_imperative(case):
    case.net.hybridize(static_alloc=True, static_shape=True)
    for _ in range(2):   # the second call runs what the first has built
        assert_same(values(case.net(case.x)), case.y, 1e-5)


def test_copy_for_inference(case):
    with warnings.catch_warnings():
        warnings.simplefilter('error', UserWarning)   # it says so where it could not make it fast
        copy = for_inference(case.net, case.x)
    assert_same(values(copy(case.x)), case.y, 1e-5)


def test_saved_and_loaded(case, tmp_path):
    path = str(tmp_path / 'net.params')
    case.net.save_parameters(path)
    copy = case.make()
    copy.load_parameters(path)
    assert_same(values(copy(case.x)), case.y, 1e-5)


@pytest.mark.filterwarnings('ignore:Cannot decide type')
def test_exported_and_imported(case, tmp_path):
    case.net.hybridize(static_alloc=True, static_shape=True)
    case.net(case.x)
    case.net.export(str(tmp_path / 'net'))
    copy = mx.gluon.SymbolBlock.imports(str(tmp_path / 'net-symbol.json'), ['data'], str(tmp_path / 'net-0000.params'))
    assert_same(values(copy(case.x)), case.y, 1e-5)


def test_arguments(case):
    """An unknown keyword raises, and every one has a default."""
    with pytest.raises(ValueError, match="unknown argument 'clases'"):
        gluonzoo.get_model(case.name, **{**case.arguments, 'clases': 3})
    signature = inspect.signature(MODELS._targets[case.name])
    assert [p.name for p in signature.parameters.values() if p.default is p.empty] == []
