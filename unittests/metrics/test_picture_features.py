"""Features of pictures: what the last layer of a network is given, whatever the network."""
import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn

from gluonzoo import get_model
from gluonzoo.metrics.frechet import frechet_distance
from gluonzoo.metrics.kernel_distance import kernel_distance
from gluonzoo.metrics.picture_features import PictureFeatures

MEAN, STD = (120, 110, 100), (60, 50, 70)


def draw(seed, count=5, side=32):
    return np.random.default_rng(seed).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


def make(name, **keywords):
    mx.random.seed(0)
    net = get_model(name, **keywords)
    net.initialize()
    return net


def features_of(net, pictures, size):
    """What the last layer is given in a pass of the network as a whole, layer by layer."""
    seen = []
    handle = net.output.register_forward_pre_hook(lambda layer, inputs: seen.append(inputs[0].asnumpy()))
    with mx.autograd.predict_mode():
        net(mx.nd.array(((pictures - np.array(MEAN)) / STD).transpose(0, 3, 1, 2)))
    handle.detach()
    return seen[0].reshape(len(pictures), -1)


@pytest.mark.parametrize('name, keywords, size, length', [
    ('cifar_resnet20', {}, 32, 64), ('cifar_resnet20', {}, 40, 64),
    ('ghostnet_0_5', {'classes': 4, 'dropout': .2}, 32, 1280),
    ('wsdan_cifar_resnet20', {'classes': 4, 'maps': 2}, 32, 128)])   # which has three outputs
def test_they_are_what_the_last_layer_takes(name, keywords, size, length):
    net, pictures = make(name, **keywords), draw(0, side=size)
    features = PictureFeatures(net, name, size, MEAN, STD)
    found = features(pictures)
    assert features.length == length and found.shape == (5, length) and found.dtype == np.float32
    expected = features_of(net, pictures, size)
    assert np.abs(expected).max() > 0
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())
    net.hybridize()
    assert np.array_equal(PictureFeatures(net, name, size, MEAN, STD)(pictures), found)


def flattening():
    """A network that only takes pictures of 8 x 8."""
    net = nn.HybridSequential()
    net.add(nn.Dense(6, in_units=192, activation='relu'), nn.Dense(2, in_units=6))
    net.initialize(mx.init.Uniform(.1))
    return net


@pytest.mark.parametrize('devices', [1, 2, 3])
def test_many_pictures_are_taken_in_parts_on_the_devices_in_turn(monkeypatch, devices):
    monkeypatch.setattr('gluonzoo.metrics.picture_features._AT_ONCE', 3)
    ctx, net, pictures = [mx.cpu(i) for i in range(devices)], flattening(), draw(0, 11, 8)
    net.collect_params().reset_ctx(ctx)
    x = ((pictures - np.array(MEAN)) / STD).transpose(0, 3, 1, 2).reshape(11, -1)
    weight, bias = (net[0].params.get(name).data(ctx[0]).asnumpy() for name in ('weight', 'bias'))
    found = PictureFeatures(net, 'mine', 8, MEAN, STD, ctx)(pictures)
    np.testing.assert_allclose(found, np.maximum(x @ weight.T + bias, 0), atol=1e-5)


def test_other_sizes_are_resized_by_area_where_that_shrinks_them():
    features = PictureFeatures(flattening(), 'mine', 8, MEAN, STD)
    small = draw(0, side=8)
    assert np.array_equal(features(small.repeat(4, 1).repeat(2, 2)), features(small))
    assert features(draw(0, side=4)).shape == (5, 6)
    assert np.allclose(features(np.full((1, 3, 5, 3), 77, np.uint8)), features(np.full((1, 8, 8, 3), 77, np.uint8)))


def test_the_network_is_not_changed():
    net, pictures = make('cifar_resnet20'), draw(0)
    before = {name: parameter.data().asnumpy() for name, parameter in net.collect_params().items()}
    PictureFeatures(net, 'cifar_resnet20', 32, MEAN, STD)(pictures)
    after = {name: parameter.data().asnumpy() for name, parameter in net.collect_params().items()}
    assert list(before) == list(after) and all(np.array_equal(before[name], after[name]) for name in before)


def test_distances_and_what_they_are_called():
    features = PictureFeatures(flattening(), 'mine', 8, MEAN, STD)
    real, made = draw(0, 9, 8), draw(1, 7, 8)
    found = features.distances(real, made)
    assert list(found) == ['FID (mine features)', 'KID x 1000 (mine features)']
    assert found['FID (mine features)'] == frechet_distance(features(real), features(made)) > 0
    assert found['KID x 1000 (mine features)'] == 1000 * kernel_distance(features(real), features(made))
    assert features.distances(real, real)['FID (mine features)'] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize('real, made, fewest', [(9, 6, 6), (5, 9, 5)])
def test_fid_of_too_few_pictures_is_left_out_and_the_least_number_is_said(real, made, fewest):
    features = PictureFeatures(flattening(), 'mine', 8, MEAN, STD)
    said = rf'FID \(mine features\): needs at least 7 pictures of each kind; there are {fewest}$'
    with pytest.warns(RuntimeWarning, match=said):
        found = features.distances(draw(0, real, 8), draw(1, made, 8))
    assert list(found) == ['KID x 1000 (mine features)']


def test_bad_input():
    net = nn.HybridSequential()
    net.add(nn.Conv2D(2, 1, in_channels=3))
    with pytest.raises(ValueError, match='mine: must be a classifier, whose last layer is fully connected'):
        PictureFeatures(net, 'mine', 8, MEAN, STD)
    with pytest.raises(ValueError, match='^mine: takes no pictures of 9 x 9 pixels: .*') as error:
        PictureFeatures(flattening(), 'mine', 9, MEAN, STD)
    assert '\n' not in str(error.value)
    features = PictureFeatures(flattening(), 'mine', 8, MEAN, STD)
    with pytest.raises(ValueError, match='pictures: must be at least 1 pictures: 0'):
        features(draw(0)[:0])
    with pytest.raises(ValueError, match=r'pictures: must be a uint8 array \[N, H, W, 3\]: float64'):
        features(draw(0) / 255)
    with pytest.raises(ValueError, match='must be of at least 2 pictures'), pytest.warns(RuntimeWarning):
        features.distances(draw(0, 9, 8), draw(1, 1, 8))
