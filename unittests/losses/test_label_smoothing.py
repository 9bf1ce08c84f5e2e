"""Label smoothing by hand."""
import mxnet as mx
import numpy as np
import pytest

from gluonzoo.losses.label_smoothing import smoothed


def test_by_hand():
    """0.1 is shared by four classes."""
    targets = smoothed(mx.nd.array([[2], [0]]), 4, .1).asnumpy()
    np.testing.assert_allclose(targets, [[.025, .025, .925, .025], [.925, .025, .025, .025]], rtol=1e-6)


@pytest.mark.parametrize('shape', [(3,), (3, 1)])
def test_without_smoothing_it_is_one_hot(shape):
    targets = smoothed(mx.nd.array([1, 0, 2]).reshape(shape), 3)
    assert targets.dtype == np.float32 and np.array_equal(targets.asnumpy(), np.eye(3)[[1, 0, 2]])


def test_the_sum_is_1():
    np.testing.assert_allclose(smoothed(mx.nd.arange(7), 7, .3).sum(axis=1).asnumpy(), 1, rtol=1e-6)
