"""The discriminators: their published sizes, and what a score of theirs sees."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd
from mxnet.gluon import nn
from network_layers import biases, layers
from network_size import output_shapes, parameters

from gluonzoo.models.patchgan import PatchGAN, PixelGAN
from gluonzoo.nn.instance_norm import InstanceNorm
from gluonzoo.registry import get_model


@pytest.mark.parametrize('name, settings, count, shape, outputs', [
    ('patchgan', {}, 2_768_705, (2, 6, 256, 256), (2, 1, 30, 30)),
    ('patchgan', dict(in_channels=3, norm='instance'), 2_764_737, (1, 3, 256, 128), (1, 1, 30, 14)),
    ('pixelgan', {}, 9_024, (1, 6, 64, 32), (1, 1, 64, 32)),
])
def test_size(name, settings, count, shape, outputs):
    net = get_model(name, **settings)
    assert parameters(net) == count
    assert output_shapes(net, shape) == [outputs]


@pytest.mark.parametrize('layers_, pixels', [(1, 16), (2, 34), (3, 70), (4, 142)])
def test_pixels_that_a_score_of_patchgan_sees(layers_, pixels):
    net = PatchGAN(1, layers_, width=1, norm='none')
    net.initialize(mx.init.One())
    for parameter in net.collect_params('.*weight').values():
        parameter.set_data(mx.nd.ones(parameter.shape) * .1)   # positive, so nothing cancels
    size = 2 ** layers_ * 2 * (pixels // 2 ** layers_)
    x = mx.nd.ones((1, 1, size, size))
    x.attach_grad()
    with autograd.record():
        scores = net(x)
        middle = scores[0, 0, scores.shape[2] // 2, scores.shape[3] // 2]
    middle.backward()
    rows, columns = np.nonzero(x.grad.asnumpy()[0, 0])
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (pixels, pixels)


def test_a_score_of_pixelgan_sees_one_pixel():
    net = get_model('pixelgan', width=4, norm='none')
    net.initialize()
    x = mx.nd.random.normal(shape=(1, 6, 8, 8))
    x.attach_grad()
    with autograd.record():
        score = net(x)[0, 0, 3, 5]
    score.backward()
    assert np.argwhere(x.grad.asnumpy().any(1)).tolist() == [[0, 3, 5]]


@pytest.mark.parametrize('norm', ['batch', 'instance', 'none'])
@pytest.mark.parametrize('kind, with_bias', [   # whatever the normalisation is
    (PatchGAN, [True] + [False] * 3 + [True]), (PixelGAN, [True, False, False])])
def test_biases(kind, with_bias, norm):
    net = kind(width=2, norm=norm)
    assert biases(net) == ([True] * len(with_bias) if norm == 'instance' else with_bias)
    assert bool(layers(net, nn.BatchNorm)) == (norm == 'batch')
    assert bool(layers(net, InstanceNorm)) == (norm == 'instance')


@pytest.mark.parametrize('name, settings, message', [
    ('patchgan', dict(norm='x'), "norm: must be 'batch', 'instance' or 'none': 'x'"),
    ('patchgan', dict(layers=0), 'layers: must be a whole number from 1 to 1000: 0'),
    ('pixelgan', dict(layers=3), "unknown argument 'layers'")])
def test_errors(name, settings, message):
    with pytest.raises(ValueError, match=message):
        get_model(name, **settings)
