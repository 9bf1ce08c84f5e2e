"""Convolutions whose last block is filled with zeros, beside MXNet's own."""
import json

import mxnet as mx
import numpy as np
import pytest
from float32_checks import values_and_gradients
from mxnet.gluon import nn

from gluonzoo.nn.filled_conv import FilledConv


@pytest.mark.parametrize('hybridize', [False, True])
@pytest.mark.parametrize('channels', [1, 7, 8, 16, 18, 24, 75])
@pytest.mark.parametrize('options', [{'kernel_size': 1}, {'kernel_size': 3, 'padding': 1, 'strides': 2},
                                     {'kernel_size': 1, 'use_bias': False}])
def test_values_and_gradients(options, channels, hybridize):
    filled, own = (make(channels, in_channels=32, bias_initializer=mx.init.Normal(1), **options)
                   for make in (FilledConv, nn.Conv2D))
    for block in (filled, own):
        block.initialize(mx.init.Normal(1))
    for name, parameter in filled._collect_params_with_prefix().items():
        own._collect_params_with_prefix()[name].set_data(parameter.data())
    if hybridize:
        filled.hybridize(static_alloc=True)
    x = np.random.default_rng(0).normal(size=(2, 32, 5, 6))
    for found, wanted in zip(values_and_gradients(filled, x, 'float32'), values_and_gradients(own, x, 'float32')):
        assert found.shape == wanted.shape
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('channels, computed', [(1, 1), (7, 7), (8, 16), (16, 16), (18, 32), (24, 32), (75, 80)])
def test_what_is_computed(channels, computed):
    """Whole blocks of 16, but where that would be more than twice as many channels."""
    graph = json.loads(FilledConv(channels, 1, in_channels=32)(mx.sym.var('data')).tojson())
    assert [node['attrs']['num_filter'] for node in graph['nodes'] if node['op'] == 'Convolution'] == [str(computed)]


def test_parameters():
    """They have the shapes of what is learned."""
    block = FilledConv(24, 3, in_channels=16)
    assert {name: p.shape for name, p in block._collect_params_with_prefix().items()} == {
        'weight': (24, 16, 3, 3), 'bias': (24,)}
