"""CenterNet: the published sizes, the order and shapes of its heads, and how they start."""
import mxnet as mx
import numpy as np
import pytest
from network_size import output_shapes, parameters

from gluonzoo.models.centernet import HEADS, CenterNet, GhostNeck
from gluonzoo.models.hourglass import HourglassFeatures
from gluonzoo.registry import get_model

NARROW = dict(levels=(4, 4, 6), depths=(1, 1, 2), stem_channels=4, channels=6, pool_channels=4)


@pytest.mark.parametrize('name, count', [
    ('centernet_hourglass52', 104_844_152), ('centernet_hourglass104', 210_062_960),
    ('ghost_centernet_0_5', 843_980), ('ghost_centernet', 3_265_148), ('ghost_centernet_1_3', 5_880_276)])
def test_size(name, count):
    assert parameters(get_model(name)) == count


def head_shapes(batch, classes, height, width):
    channels = dict(heat=classes, tag=1, offset=2)
    return [(batch, channels[head.split('_')[1]], height, width) for head in HEADS]


@pytest.mark.parametrize('name, stacks', [
    ('centernet_hourglass52', 1), ('centernet_hourglass104', 2),
    ('ghost_centernet_0_5', 1), ('ghost_centernet', 1), ('ghost_centernet_1_3', 1)])
def test_heads(name, stacks):
    net = get_model(name)
    assert (net.classes, net.stacks, net.stride, net.input_size) == (80, stacks, 4, 511)
    assert output_shapes(net, (2, 3, 511, 383)) == stacks * head_shapes(2, 80, 128, 96)


def test_order_of_heads():
    net = get_model('ghost_centernet_0_5', classes=3)
    net.initialize()
    parameters = net._collect_params_with_prefix()
    for i, head in enumerate(HEADS):   # a bias of its own for each tells them apart
        kind, what = head.split('_')
        parameters[f'heads.0.{kind}.{what}.2.weight'].data()[:] = 0
        parameters[f'heads.0.{kind}.{what}.2.bias'].data()[:] = i
    assert [out.asnumpy().mean() for out in net(mx.nd.ones((1, 3, 32, 32)))] == list(range(len(HEADS)))


def test_normalisation():
    """The official code's, turned from BGR and 0..1; and GhostNet's own for its weights."""
    hourglass, ghost = get_model('centernet_hourglass52', **NARROW), get_model('ghost_centernet')
    assert hourglass.mean == pytest.approx((119.9165932, 114.0342201, 104.0136177))
    assert hourglass.std == pytest.approx((70.9150793, 69.8908010, 73.6027614))
    assert (ghost.mean, ghost.std) == ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))


@pytest.mark.parametrize('name, settings', [('centernet_hourglass104', NARROW), ('ghost_centernet_0_5', {})])
def test_initial_weights(name, settings):
    """A tenth of all places is a keypoint, to begin with; the rest is as in PyTorch."""
    net = get_model(name, classes=2, **settings)
    net.initialize()
    parameters = net._collect_params_with_prefix()
    heats = [p for name, p in parameters.items() if name.endswith('heat.2.bias')]
    assert len(heats) == 3 * net.stacks
    assert all(np.allclose(heat.data().asnumpy(), -2.19) for heat in heats)
    assert 0 < abs(parameters['heads.0.tl.tag.2.bias'].data().asscalar()) < .5
    heat = net(mx.nd.random.normal(shape=(1, 3, 32, 32)))[0].sigmoid().asnumpy()
    assert .05 < heat.mean() < .2


def cells(array):
    """Where an array [1, C, h, w] is not what it is everywhere else."""
    array = array.asnumpy()[0]
    return np.argwhere((array != np.median(array, axis=(1, 2), keepdims=True)).any(0))


def pooled(pooling, x):
    """What a pooling gives to its residual block."""
    first, second = (branch(x) for branch in pooling.branches)
    return first + second


@pytest.fixture
def spot():
    """A map with one bright cell at row 8 and column 11."""
    x = mx.nd.zeros((1, 32, 20, 20))
    x[0, :, 8, 11] = 5
    return x


@pytest.mark.parametrize('kind, rows, columns', [
    ('tl', range(0, 12), range(0, 15)), ('br', range(5, 20), range(8, 20))])
def test_corner_pooling_looks_from_the_corner_into_the_box(spot, kind, rows, columns):
    """A spot reaches the corners from which it is inside, and beyond them as far as a convolution does."""
    net = get_model('ghost_centernet_0_5')
    net.initialize()
    changed = cells(pooled(getattr(net.heads[0], kind).pooling, spot))
    assert set(changed[:, 0]) <= set(rows) and set(changed[:, 1]) <= set(columns)
    corner = (0, 0) if kind == 'tl' else (19, 19)
    reached = {tuple(cell) for cell in changed}
    assert any(abs(r - corner[0]) < 2 and 8 <= c <= 14 for r, c in reached)   # through rows, and ...
    assert any(abs(c - corner[1]) < 2 and 5 <= r <= 11 for r, c in reached)   # ... columns


def test_center_pooling_spans_row_and_column(spot):
    net = get_model('ghost_centernet_0_5')
    net.initialize()
    out = pooled(net.heads[0].ct.pooling, spot).asnumpy()
    assert (abs(out[0, :, :, 11] - out[0, :, :, 0]) > 1e-6).any(0).all()   # the whole column of the spot differs
    assert (abs(out[0, :, 8] - out[0, :, 0]) > 1e-6).any(0).all()          # and the whole row
    assert np.allclose(out[0, :, 0, :9], out[0, :, 0, :1], atol=1e-6)      # far from both nothing does


def test_unused_stacks_are_not_computed():
    """A block that takes the last stack's heads only has no parameter of the others' in its graph."""
    net = get_model('centernet_hourglass104', **NARROW)
    outputs = net(mx.sym.var('data'))
    used = set(mx.sym.Group(outputs[-len(HEADS):]).list_arguments())
    assert used < set(mx.sym.Group(outputs).list_arguments())
    named = {p.name: name for name, p in net._collect_params_with_prefix().items()}
    assert not any(named.get(argument, '').startswith('heads.0.') for argument in used)


def test_features_say_what_they_are():
    assert CenterNet(GhostNeck(.5, 8), 2, 4, 8).heads[0].tl.heat[0]._in_channels == 8
    neck = GhostNeck(.5, 8)
    assert output_shapes(neck, (1, 3, 127, 95)) == [(1, 8, 32, 24)]
    assert output_shapes(HourglassFeatures(2, (4, 6), (1, 1), 4, 8), (1, 3, 31, 23)) == 2 * [(1, 8, 8, 6)]


def test_levels_and_depths_go_together():
    with pytest.raises(ValueError, match=r'levels and depths.*levels=\(4, 4, 6\), depths=\(1, 1\)'):
        get_model('centernet_hourglass52', **{**NARROW, 'depths': (1, 1)})
    with pytest.raises(ValueError, match='levels and depths'):
        get_model('centernet_hourglass52', **{**NARROW, 'levels': (4,), 'depths': (1,)})
    with pytest.raises(ValueError, match="unknown argument 'stacks'"):
        get_model('centernet_hourglass52', stacks=3)
