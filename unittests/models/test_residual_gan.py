"""WGAN-GP's residual networks: their sizes, where their layers are, how they start, and what they refuse."""
import mxnet as mx
import pytest
from float32_checks import check_float32_is_float64
from mxnet.gluon import nn
from network_layers import layers
from network_size import output_shapes, parameters

from gluonzoo.nn.map_norm import MapNorm
from gluonzoo.nn.one_channel import OneChannelConv
from gluonzoo.nn.resampled_conv import ConvMeanPool, UpsampleConv
from gluonzoo.registry import get_model


@pytest.mark.parametrize('name, settings, count', [
    ('residual64_generator', {}, 8_540_483),
    ('residual64_critic', {}, 7_491_841),
    ('residual32_generator', {}, 1_204_483),
    ('residual32_critic', {}, 1_053_825),
    # By hand, a gamma and a beta a channel: of the blocks' two normalisations, and of the generator's last.
    ('residual64_generator', dict(norm='none'),
     8_540_483 - 2 * (512 + 512 + 512 + 256 + 256 + 128 + 128 + 64 + 64)),
    ('residual64_critic', dict(norm='none'), 7_491_841 - 2 * (64 + 64 + 128 + 128 + 256 + 256 + 512 + 512)),
    ('residual64_critic', dict(norm='layer', width=1), None),
    ('residual32_critic', dict(norm='group'), 1_053_825 + 2 * 6 * 128),
    ('residual32_critic', dict(norm='layer'), 1_053_825 + 2 * 128 * (2 * 16 ** 2 + 4 * 8 ** 2)),
    ('residual64_generator', dict(channels=1), 8_540_483 - 2 * (64 * 9 + 1)),
    ('residual64_critic', dict(channels=1), 7_491_841 - 2 * 64 * 9),
])
def test_size(name, settings, count):
    net = get_model(name, **settings)
    side, channels = int(name[8:10]), settings.get('channels', 3)
    assert count is None or parameters(net) == count
    assert (net.image_size, net.channels) == (side, channels)
    if name.endswith('generator'):
        assert net.noise == 128 and output_shapes(net, (2, 128)) == [(2, channels, side, side)]
    else:
        assert output_shapes(net, (2, channels, side, side)) == [(2, 1)]


def block_layers(block):
    return [[type(layer).__name__ for layer in part] for part in (block.body, block.shortcut)]


def test_layers_of_64():
    critic, generator = get_model('residual64_critic', width=2), get_model('residual64_generator', width=2)
    down = [['MapNorm', 'Activation', 'Conv2D', 'MapNorm', 'Activation', 'ConvMeanPool'], ['AvgPool2D', 'Conv2D']]
    up = [['BatchNorm', 'Activation', 'UpsampleConv', 'BatchNorm', 'Activation', 'Conv2D'], ['Conv2D', 'Upsample']]
    assert [block_layers(block) for block in critic.body[1:5]] == 4 * [down]
    assert [block_layers(block) for block in generator.body[2:6]] == 4 * [up]
    assert [type(layer).__name__ for layer in generator.body[6:]] == ['BatchNorm', 'Activation', 'Conv2D', 'Activation']
    for net in (critic, generator):
        assert [bool(layer.bias) for block in net.body if hasattr(block, 'shortcut')
                for layer in layers(block, (nn.Conv2D, nn.Conv2DTranspose))] == 4 * [False, True, True]
    assert [layer.weight.shape[:2] for layer in layers(critic, ConvMeanPool)] == [(4, 2), (8, 4), (16, 8), (16, 16)]
    assert [layer.weight.shape[:2] for layer in layers(generator, UpsampleConv)] == [
        (16, 16), (16, 8), (8, 4), (4, 2)]
    of_each_number = get_model('residual64_critic', width=2, norm='layer')
    assert [layer.gamma.shape for layer in layers(of_each_number, MapNorm)] == [
        (2, 64, 64), (2, 64, 64), (4, 32, 32), (4, 32, 32), (8, 16, 16), (8, 16, 16), (16, 8, 8), (16, 8, 8)]


def test_layers_of_32():
    critic, generator = get_model('residual32_critic', width=2), get_model('residual32_generator', width=2)
    keep = ['Activation', 'Conv2D', 'Activation', 'Conv2D']
    assert [block_layers(block) for block in critic.body[:4]] == [
        [['Conv2D', 'Activation', 'ConvMeanPool'], ['AvgPool2D', 'Conv2D']],
        [['Activation', 'Conv2D', 'Activation', 'ConvMeanPool'], ['AvgPool2D', 'Conv2D']], [keep, []], [keep, []]]
    assert [type(layer).__name__ for layer in critic.body[4:]] == ['Activation', 'GlobalAvgPool2D', 'Dense']
    assert all(layer.bias for net in (critic, generator) for layer in layers(net, (nn.Conv2D, nn.Conv2DTranspose)))
    assert type(get_model('residual32_generator', width=16, channels=1).body[-2]) is OneChannelConv


@pytest.mark.parametrize('name, glorots', [   # of 1x1 and of fully connected layers always
    ('residual64_generator', []), ('residual64_critic', ['first']), ('residual32_generator', ['last']),
    ('residual32_critic', [])])
def test_first_weights(name, glorots):
    net = get_model(name, width=2)
    net.initialize(mx.init.One())
    convs = layers(net, (nn.Conv2D, nn.Conv2DTranspose))
    wanted = [2 if conv.weight.shape[-1] == 1 else 4 for conv in convs]
    if 'first' in glorots:
        wanted[0] = 2
    if 'last' in glorots:
        wanted[-1] = 2
    assert [(conv.weight.init.gain, conv.weight.init.stride) for conv in convs] == [(gain, 1) for gain in wanted]
    assert [dense.weight.init.gain for dense in layers(net, nn.Dense)] == [2]
    assert not any(layer.bias.data().asnumpy().any() for layer in (*convs, *layers(net, nn.Dense)) if layer.bias)


@pytest.mark.parametrize('name, settings, shape', [
    ('residual64_generator', dict(width=4), (4, 128)), ('residual64_critic', dict(width=4), (4, 3, 64, 64)),
    ('residual64_critic', dict(width=3, norm='layer'), (4, 3, 64, 64)),
    ('residual32_generator', dict(width=16), (4, 128)), ('residual32_critic', dict(width=16), (4, 3, 32, 32)),
    ('residual32_generator', dict(width=16, channels=1, norm='none'), (4, 128)),
    ('residual32_critic', dict(width=16, norm='group', channels=1), (4, 1, 32, 32))])
def test_float32(name, settings, shape):
    """Channels that fill oneDNN's blocks, and some that do not."""
    mx.random.seed(3)
    net = get_model(name, **settings)
    net.initialize()
    check_float32_is_float64(net, shape, 1e-3)


@pytest.mark.parametrize('name, settings, message', [
    ('residual64_generator', dict(norm='layer'), "norm: must be 'batch' or 'none': 'layer'"),
    ('residual32_critic', dict(norm='x'), "norm: must be one of 'none', 'layer', 'group', 'batch': 'x'"),
    ('residual64_critic', dict(size=32), "unknown argument 'size'")])
def test_errors(name, settings, message):
    with pytest.raises(ValueError, match=message):
        get_model(name, **settings)
