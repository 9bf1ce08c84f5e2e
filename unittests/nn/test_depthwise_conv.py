"""Depthwise convolutions with spare channels, beside MXNet's own; and the copy for inference, which has none."""
import json
import warnings

import mxnet as mx
import numpy as np
import pytest
from float32_checks import values_and_gradients

from gluonzoo.graph.edit import symbol_of
from gluonzoo.graph.fuse import for_inference
from gluonzoo.nn.conv import conv, conv_bn, sequential
from gluonzoo.nn.depthwise_conv import DepthwiseConv


def convolutions(symbol):
    """Of each convolution, how many channels it makes."""
    return [int(node['attrs']['num_filter']) for node in json.loads(symbol.tojson())['nodes']
            if node['op'] in ('Convolution', '_sg_mkldnn_conv')]


@pytest.mark.parametrize('hybrid', [False, True], ids=['imperative', 'hybrid'])
@pytest.mark.parametrize('channels, computed, options', [
    (12, 16, {'padding': 1}), (20, 24, {'strides': 2, 'padding': 1}), (36, 40, {'padding': 2, 'dilation': 2}),
    (4, 8, {}), (16, 16, {}), (3, 3, {}), (12, 12, {'use_bias': True})])
def test_values_and_gradients(channels, computed, options, hybrid):
    """MXNet's own takes other ways for float64."""
    options = {'use_bias': False, **options}
    net = DepthwiseConv(channels, 3, bias_initializer=mx.init.Normal(1), **options)
    own = mx.gluon.nn.Conv2D(channels, 3, groups=channels, in_channels=channels, **options)
    net.initialize(mx.init.Normal(1))
    own.initialize()
    own.cast('float64')
    assert convolutions(symbol_of(net)) == [computed]
    for ours, theirs in zip(net.collect_params().values(), own.collect_params().values()):
        assert ours.shape == theirs.shape
        theirs.set_data(ours.data())
    if hybrid:
        net.hybridize(static_alloc=True)
    x = np.random.default_rng(0).normal(size=(2, channels, 7, 6))
    found = [values_and_gradients(block, x, dtype) for block, dtype in ((own, 'float64'), (net, 'float32'))]
    for a, b in zip(*found):
        np.testing.assert_allclose(b, a, rtol=0, atol=1e-5 * abs(a).max())


def test_no_spare_channels_in_inference(monkeypatch):
    net = sequential(conv_bn(3, 12), conv_bn(12, 12, 3, groups=12), conv(12, 12, 5, 2, 12), conv_bn(12, 5))
    net.initialize()
    x = mx.nd.random.normal(shape=(2, 3, 9, 7))
    assert convolutions(symbol_of(net)) == [12, 16, 16, 5]
    for onednn in (True, False):
        if not onednn:
            monkeypatch.setattr('gluonzoo.graph.fuse._uses_onednn', lambda x: False)
        with warnings.catch_warnings():
            warnings.simplefilter('error', UserWarning)
            copy = for_inference(net, x)
        np.testing.assert_allclose(copy(x).asnumpy(), net(x).asnumpy(), rtol=1e-4, atol=1e-5)
        operators = [node['op'] for node in json.loads(copy._cached_graph[1].tojson())['nodes']]
        assert not {'slice_axis', 'Concat', 'zeros_like'} & set(operators)
        if not onednn:
            assert convolutions(copy._cached_graph[1]) == [12, 12, 12, 5]
