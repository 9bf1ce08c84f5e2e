"""Means and variances of rows, and their gradients, beside NumPy."""
import mxnet as mx
import numpy as np
from mxnet import autograd

from gluonzoo.nn.row_moments import row_moments


def test_moments():
    rows = np.random.default_rng(0).normal(3, 2, (4, 50)).astype('float32')
    centred, variance, ones = row_moments(mx.nd, mx.nd.array(rows))
    np.testing.assert_allclose(centred.asnumpy(), rows - rows.mean(1, keepdims=True), atol=1e-5)
    np.testing.assert_allclose(variance.asnumpy(), rows.var(1, keepdims=True), rtol=1e-5)
    np.testing.assert_array_equal(ones.asnumpy(), np.ones((1, 50)))


def test_the_gradient_of_a_variance():
    """2 (x - mean) / M"""
    rows = np.random.default_rng(0).normal(size=(3, 8)).astype('float32')
    x = mx.nd.array(rows)
    x.attach_grad()
    with autograd.record():
        variance = row_moments(mx.nd, x)[1]
    variance.backward()
    np.testing.assert_allclose(x.grad.asnumpy(), (rows - rows.mean(1, keepdims=True)) / 4, atol=1e-6)
