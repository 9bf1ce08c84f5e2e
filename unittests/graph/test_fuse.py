"""The copy of a network for inference: the same outputs, in fewer steps."""
import json
import warnings

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon
from numpy.testing import assert_allclose

from gluonzoo.graph.fuse import for_inference
from gluonzoo.nn.concat import concat
from gluonzoo.nn.conv import conv_bn, sequential


class Small(gluon.HybridBlock):
    """Has all that is joined, folded or left out: a normalisation first, a scaled weight, a concatenation."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.norm = sequential(gluon.nn.BatchNorm(in_channels=16), gluon.nn.Activation('relu'))
            self.half = conv_bn(16, 4, 3)
            self.other = conv_bn(16, 12, relu=False)
            self.scale = self.params.get('scale', shape=(1, 16, 1, 1), init=mx.init.Uniform(2))

    def hybrid_forward(self, F, x, scale):
        x = self.norm(x)
        return F.broadcast_mul(concat(F, self.half(x), self.other(x)), 2 * scale)


class Mixed(gluon.HybridBlock):
    """A sum in which HybridBlock.optimize_for takes the weights of the one convolution for those of another."""

    def __init__(self, kernel):
        super().__init__()
        with self.name_scope():
            self.half = conv_bn(16, 8, relu=False)
            self.other = conv_bn(8, 8, relu=False)
            self.shortcut = sequential(conv_bn(16, 16, kernel, relu=False), conv_bn(16, 16, relu=False))

    def hybrid_forward(self, F, x):
        half = self.half(x)
        return concat(F, half, self.other(half)) + self.shortcut(x)


def made(kind):
    net = kind()
    net.initialize()
    rng = np.random.default_rng(0)
    for parameter in net.collect_params('.*(gamma|beta|running_mean|running_var)').values():
        parameter.set_data(mx.nd.array(rng.uniform(.5, 2, parameter.shape)))
    return net, mx.nd.array(rng.normal(size=(2, 16, 9, 7)))


def operators(block):
    return [node['op'] for node in json.loads(block._cached_graph[1].tojson())['nodes'] if node['op'] != 'null']


@pytest.mark.parametrize('hybridize', [False, True])
def test_same_outputs_in_fewer_steps(hybridize):
    net, x = made(Small)
    if hybridize:
        net.hybridize()
    wanted = net(x).asnumpy()
    copy = for_inference(net, x)
    assert_allclose(copy(x).asnumpy(), wanted, rtol=1e-5, atol=1e-5)
    # The doubled scale is a weight now, the slice is gone, and the normalisations behind convolutions are part of them.
    assert operators(copy) == ['_contrib_BatchNormWithReLU', '_sg_mkldnn_conv', '_sg_mkldnn_conv', 'Concat',
                               'broadcast_mul']


class Twice(gluon.HybridBlock):
    """Calls a block without weights twice, whose nodes have one name then; and halves a weight."""

    def __init__(self, first, second):
        super().__init__()
        with self.name_scope():
            self.first, self.second = conv_bn(16, first, relu=False), conv_bn(16, second, relu=False)
            self.relu = gluon.nn.LeakyReLU(.1)
            self.weight = self.params.get('weight', shape=(2 * 5, first + second, 1, 1), init=mx.init.Uniform(2))

    def hybrid_forward(self, F, x, weight):
        both = F.concat(self.relu(self.first(x)), self.relu(self.second(x)), dim=1)
        return F.Convolution(both, F.split(weight, num_outputs=2, axis=0)[1], kernel=(1, 1), num_filter=5, no_bias=True)


@pytest.mark.parametrize('channels', [(20, 12), (12, 20)])
def test_a_block_that_is_called_twice(channels):
    net, x = made(lambda: Twice(*channels))
    with warnings.catch_warnings():
        warnings.simplefilter('error', UserWarning)
        copy = for_inference(net, x)
    assert_allclose(copy(x).asnumpy(), net(x).asnumpy(), rtol=1e-4, atol=1e-4)


def test_other_sizes():
    net, x = made(Small)
    copy = for_inference(net, x)
    other = mx.nd.random.normal(shape=(3, 16, 5, 20))
    assert_allclose(copy(other).asnumpy(), net(other).asnumpy(), rtol=1e-5, atol=1e-5)


def test_the_network_and_its_copy_are_apart():
    net, x = made(Small)
    before = net(x).asnumpy()
    copy = for_inference(net, x)
    found = copy(x).asnumpy()
    for parameter in net.collect_params().values():
        parameter.set_data(mx.nd.zeros(parameter.shape))
    assert (net(x).asnumpy() != before).any()
    assert_allclose(copy(x).asnumpy(), found, rtol=0, atol=0)
    assert all(parameter.grad_req == 'null' for parameter in copy.collect_params().values())
    with autograd.record():   # nothing to train: running statistics stay, too
        copy(x).wait_to_read()
    assert_allclose(copy(x).asnumpy(), found, rtol=0, atol=0)


def test_without_onednn(monkeypatch):
    net, x = made(Small)
    monkeypatch.setattr('gluonzoo.graph.fuse._uses_onednn', lambda x: False)
    copy = for_inference(net, x)
    assert_allclose(copy(x).asnumpy(), net(x).asnumpy(), rtol=1e-5, atol=1e-5)
    assert 'transpose' not in operators(copy) and 'BatchNorm' in operators(copy)


class EveryOther(gluon.HybridBlock):
    def hybrid_forward(self, F, x):
        return F.slice(x, begin=(0,), end=(None,), step=(2,))


@pytest.mark.parametrize('uses_onednn', [True, False])
def test_slices_that_are_not_whole_stay(monkeypatch, uses_onednn):
    monkeypatch.setattr('gluonzoo.graph.fuse._uses_onednn', lambda x: uses_onednn)
    x = mx.nd.random.normal(shape=(4, 3, 5, 5))
    np.testing.assert_array_equal(for_inference(EveryOther(), x)(x).asnumpy(), x.asnumpy()[::2])


def test_float64():
    net, x = made(Small)
    net.cast('float64')
    x = x.astype('float64')
    assert_allclose(for_inference(net, x)(x).asnumpy(), net(x).asnumpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize('kernel', [1, 3])
def test_weights_are_not_mixed_up(kernel):
    net, x = made(lambda: Mixed(kernel))
    copy = for_inference(net, x)
    assert_allclose(copy(x).asnumpy(), net(x).asnumpy(), rtol=1e-4, atol=1e-5)
    assert operators(copy) == 3 * ['_sg_mkldnn_conv'] + ['Concat', '_sg_mkldnn_conv']   # with the sum


class AfterActivation(gluon.HybridBlock):
    """Sums after an activation, in either order: with the network's input, with a map that is read again, with the
    convolution's own input, and of two convolutions, of which one can add the other.
    """

    def __init__(self, relu):
        super().__init__()
        with self.name_scope():
            self.convs = sequential(*(sequential(*conv_bn(16, 16, kernel, relu=False), relu())
                                      for kernel in (3, 1, 3, 1, 3)))

    def hybrid_forward(self, F, x):
        a, b, c, d, e = self.convs
        x = x + a(x)
        y = x + b(x)
        z = c(y) + y
        return d(z) + e(z), x, F.concat(y, z, dim=1)


@pytest.mark.parametrize('relu', [lambda: gluon.nn.LeakyReLU(.1), lambda: gluon.nn.Activation('relu')])
def test_sums_after_activations(relu):
    net, x = made(lambda: AfterActivation(relu))
    copy = for_inference(net, x)
    assert operators(copy) == 5 * ['_sg_mkldnn_conv'] + ['Concat']
    for shape in ((2, 16, 9, 7), (1, 16, 5, 8), (2, 16, 9, 7)):
        x = mx.nd.random.normal(shape=shape)
        for _ in range(2):   # what is kept between calls stays right
            for found, wanted in zip(copy(x), net(x)):
                assert_allclose(found.asnumpy(), wanted.asnumpy(), rtol=1e-4, atol=1e-5)


def test_a_sum_of_what_is_read_elsewhere_stays():
    """The convolution's output is needed without the sum."""
    class Both(AfterActivation):
        def hybrid_forward(self, F, x):
            y = self.convs[0](x)
            return y + x, y

    net, x = made(lambda: Both(lambda: gluon.nn.LeakyReLU(.1)))
    copy = for_inference(net, x)
    assert operators(copy) == ['_sg_mkldnn_conv', 'elemwise_add']
    for found, wanted in zip(copy(x), net(x)):
        assert_allclose(found.asnumpy(), wanted.asnumpy(), rtol=1e-4, atol=1e-5)


def test_a_wrong_fusion_is_noticed(monkeypatch):
    net, x = made(lambda: AfterActivation(lambda: gluon.nn.LeakyReLU(.1)))
    monkeypatch.setattr('gluonzoo.graph.fuse._join_sum', lambda symbol: mx.sym.Group([symbol[0] + .01, *symbol[1:]]))
    with pytest.warns(UserWarning, match='fuses the convolutions of this network wrongly'):
        copy = for_inference(net, x)
    for found, wanted in zip(copy(x), net(x)):
        assert_allclose(found.asnumpy(), wanted.asnumpy(), rtol=1e-4, atol=1e-5)


def test_no_warning_otherwise():
    net, x = made(Small)
    with warnings.catch_warnings():
        warnings.simplefilter('error', UserWarning)
        for_inference(net, x)
