"""Gathering parts of each image: by hand, beside NumPy, imperatively and hybridized, with gradients."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, nd
from mxnet.gluon.nn import HybridLambda

from gluonzoo.ops.gather import gather_cells, gather_rows


@pytest.fixture(params=['imperative', 'hybrid', 'static'])
def gather(request):
    """What computes a function of this file."""
    def make(function):
        net = HybridLambda(function)
        if request.param != 'imperative':
            net.hybridize(static_alloc=request.param == 'static', static_shape=request.param == 'static')
        return net
    return make


def test_rows_by_hand(gather):
    values = nd.array([[[1, 2], [3, 4]], [[5, 6], [7, 8]]])
    found = gather(gather_rows)(values, nd.array([[1, 1, 0], [0, -1, 0]]))
    assert found.asnumpy().tolist() == [[[3, 4], [3, 4], [1, 2]], [[5, 6], [7, 8], [5, 6]]]


@pytest.mark.parametrize('dtype', ['float32', 'float64', 'int32', 'int64'])
@pytest.mark.parametrize('shape, count', [((1, 1, 1), 1), ((2, 7, 3), 4), ((3, 5, 1), 9), ((2, 4, 3, 5), 6)])
def test_rows(gather, shape, count, dtype):
    """One index, and two."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=shape).astype('float32')
    indices = [rng.integers(0, size, (shape[0], count)) for size in shape[1:-1]]
    found = gather(gather_rows)(nd.array(values), *(nd.array(index, dtype=dtype) for index in indices))
    wanted = values[(np.arange(shape[0])[:, None], *indices)]
    assert found.shape == (shape[0], count, shape[-1]) and found.dtype == np.float32
    np.testing.assert_array_equal(found.asnumpy(), wanted)


def test_rows_of_rows(gather):
    """Fewer indices than axes: the others stay."""
    values = np.random.default_rng(0).normal(size=(2, 4, 3, 5)).astype('float32')
    found = gather(gather_rows)(nd.array(values), nd.array([[3, 0], [1, 1]]))
    np.testing.assert_array_equal(found.asnumpy(), values[[[0], [1]], [[3, 0], [1, 1]]])


def test_gradient_of_rows(gather):
    """A row that is named twice gets both gradients; indices get none."""
    values, rows = nd.zeros((2, 3, 2)), nd.array([[2, 0, 2], [1, 1, 1]])
    for array in (values, rows):
        array.attach_grad()
    with autograd.record():
        found = gather(gather_rows)(values, rows)
    found.backward(nd.array([[[1, 2], [3, 4], [5, 6]]] * 2))
    assert values.grad.asnumpy().tolist() == [[[3, 4], [0, 0], [6, 8]], [[0, 0], [9, 12], [0, 0]]]
    assert not rows.grad.asnumpy().any()


def test_a_row_that_is_not_there():
    with pytest.raises(IndexError):
        gather_rows(nd, nd.zeros((1, 3, 2)), nd.array([[3]])).asnumpy()


def test_cells(gather):
    """Each image from its own map, channels last; a cell named twice gets both gradients."""
    maps = nd.arange(2 * 2 * 3 * 4).reshape((2, 2, 3, 4))
    cells = nd.array([[0, 5, 5], [11, 2, 0]])
    maps.attach_grad()
    with autograd.record():
        values = gather(gather_cells)(maps, cells)
    values.backward()
    x = maps.asnumpy().reshape((2, 2, 12))
    assert values.shape == (2, 3, 2)
    assert all(np.array_equal(values[b, m].asnumpy(), x[b, :, int(cells[b, m].asscalar())])
               for b in range(2) for m in range(3))
    assert maps.grad[0, 0].asnumpy().ravel().tolist() == [1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0]
    assert maps.grad[1, 1].asnumpy().ravel().tolist() == [1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1]


def test_a_cell_is_a_row_and_a_column():
    maps = mx.nd.random.normal(shape=(2, 3, 4, 5))
    rows, columns = nd.array([[0, 3], [1, 2]]), nd.array([[4, 0], [2, 3]])
    both = gather_rows(nd, maps.transpose((0, 2, 3, 1)), rows, columns)
    np.testing.assert_array_equal(gather_cells(nd, maps, rows * 5 + columns).asnumpy(), both.asnumpy())
