"""Convolutions in joined groups, beside MXNet's own."""
import mxnet as mx
import numpy as np
import pytest
from float32_checks import values_and_gradients

from gluonzoo.nn.conv import conv
from gluonzoo.nn.depthwise_conv import DepthwiseConv
from gluonzoo.nn.grouped_conv import GroupedConv, joined_groups


@pytest.mark.parametrize('in_channels, channels, groups, join', [
    (128, 128, 32, 4), (256, 256, 32, 2), (512, 512, 32, 1), (1024, 1024, 32, 1),   # SKNet's
    (16, 16, 16, 16), (16, 32, 16, 16), (32, 32, 16, 8), (32, 64, 16, 8), (64, 64, 16, 4),   # those of CIFAR-10
    (32, 64, 4, 2), (48, 48, 4, 4), (24, 24, 3, 1), (20, 20, 5, 1), (6, 6, 3, 1), (64, 64, 1, 1)])
def test_how_many_are_joined(in_channels, channels, groups, join):
    assert joined_groups(in_channels, channels, groups) == join


CASES = [(32, 32, 16, {}), (16, 32, 16, {'strides': 2, 'padding': 2, 'dilation': 2}), (32, 64, 4, {'padding': 1}),
         (48, 48, 4, {'use_bias': True}), (24, 12, 3, {'padding': 1}), (12, 24, 12, {})]


@pytest.mark.parametrize('hybrid', [False, True], ids=['imperative', 'hybrid'])
@pytest.mark.parametrize('in_channels, channels, groups, options', CASES)
def test_values_and_gradients(in_channels, channels, groups, options, hybrid):
    """MXNet's own takes other ways for float64."""
    options = {'use_bias': False, 'groups': groups, 'in_channels': in_channels, **options}
    net = GroupedConv(channels, 3, bias_initializer=mx.init.Normal(1), **options)
    own = mx.gluon.nn.Conv2D(channels, 3, **options)
    net.initialize(mx.init.Normal(1))
    own.initialize()
    own.cast('float64')
    for ours, theirs in zip(net.collect_params().values(), own.collect_params().values()):
        assert ours.shape == theirs.shape
        theirs.set_data(ours.data())
    if hybrid:
        net.hybridize(static_alloc=True)
    x = np.random.default_rng(0).normal(size=(2, in_channels, 7, 6))
    found = [values_and_gradients(block, x, dtype) for block, dtype in ((own, 'float64'), (net, 'float32'))]
    for a, b in zip(*found):
        np.testing.assert_allclose(b, a, rtol=0, atol=1e-5 * abs(a).max())


@pytest.mark.parametrize('groups, dilation, kind', [
    (1, 1, mx.gluon.nn.Conv2D), (1, 2, mx.gluon.nn.Conv2D), (4, 1, GroupedConv), (16, 1, DepthwiseConv),
    (16, 2, GroupedConv)])
def test_which_convolutions_are_made_so(groups, dilation, kind):
    net = conv(16, 16, 3, groups=groups, dilation=dilation)
    assert type(net) is kind
    net.initialize()
    assert net(mx.nd.ones((1, 16, 6, 5))).shape == (1, 16, 6, 5)
