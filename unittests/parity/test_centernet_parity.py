"""CenterNet, narrow, beside its twin in PyTorch, with the names of the official weights."""
import numpy as np
import pytest

torch = pytest.importorskip('torch')

from torch_twins import centernet as centernet_twin  # noqa: E402
from twins import (  # noqa: E402
    check_same_state,
    compare_gradients,
    compare_outputs,
    copy_weights,
    give_weights,
    shake,
)

from gluonzoo.convert import NAME_MAPS, NameMap, centernet, ghostnet  # noqa: E402
from gluonzoo.models.centernet import CenterNet, GhostNeck  # noqa: E402
from gluonzoo.registry import get_model  # noqa: E402


def prepare(twin, net, dtype):
    shake(twin)
    twin.to(getattr(torch, dtype))
    net.initialize()
    net.cast(dtype)


def hourglass(stacks, dtype):
    torch.manual_seed(0)
    name, sizes = f'centernet_hourglass{52 * stacks}', dict(levels=(8, 6, 10), depths=(2, 1, 2))
    twin = centernet_twin.CenterNet(stacks, 3, **sizes, stem=4, channels=6, pooled=4)
    net = get_model(name, classes=3, **sizes, stem_channels=4, channels=6, pool_channels=4)
    prepare(twin, net, dtype)
    weights = copy_weights(twin, net, NAME_MAPS[name](net))
    net.hybridize(static_alloc=True)
    return twin, net, weights


@pytest.mark.parametrize('stacks', [1, 2])
def test_hourglass(stacks):
    rng = np.random.default_rng(0)
    twin, net, _ = hourglass(stacks, 'float32')
    compare_outputs(twin, net, rng.normal(size=(2, 3, 63, 79)).astype('float32'), flip=True)
    twin, net, weights = hourglass(stacks, 'float64')
    compare_gradients(twin, net, weights, rng.normal(size=(2, 3, 63, 48)), flip=True)


@pytest.mark.parametrize('stacks', [1, 2])
def test_weights_go_both_ways(stacks, tmp_path):
    twin, net, _ = hourglass(stacks, 'float32')
    name_map = NAME_MAPS[f'centernet_hourglass{52 * stacks}'](net)
    check_same_state(twin, net, name_map)
    give_weights(net, twin, name_map, tmp_path)
    x = np.random.default_rng(0).normal(size=(2, 3, 63, 79)).astype('float32')
    compare_outputs(twin, net, x, flip=True)
    check_same_state(twin, net, name_map)


def test_names_of_all_levels():
    """The published depth, as narrow as can be: every official name has a place."""
    levels, depths = (2, 2, 2, 2, 2, 2), (2, 2, 2, 2, 2, 4)
    twin = centernet_twin.CenterNet(2, 1, levels, depths, stem=2, channels=2, pooled=2)
    net = get_model('centernet_hourglass104', classes=1, levels=levels, depths=depths, stem_channels=2, channels=2,
                    pool_channels=2)
    net.initialize()
    name_map = NAME_MAPS['centernet_hourglass104'](net)
    weights = copy_weights(twin, net, name_map)
    check_same_state(twin, net, name_map)
    assert 'kps.1.low2.low2.low2.low2.low2.3.conv2.weight' in weights


def test_ghost():
    """Parts of the twin have official names, the others ours."""
    rng = np.random.default_rng(0)
    for dtype in ('float32', 'float64'):
        torch.manual_seed(0)
        twin, net = centernet_twin.GhostCenterNet(.25, 2, 8), CenterNet(GhostNeck(.25, 8), 2, 4, 8)
        prepare(twin, net, dtype)
        ghost, heads = [('^', 'features.'), *ghostnet.NAMES], [('^', 'heads.'), *centernet.NAMES]
        parts = [('backbone.', twin.backbone, net.features.backbone, ghost),
                 ('laterals.', twin.laterals, net.features.laterals, []),
                 ('refine.', twin.refine, net.features.refine, ghostnet.NAMES),
                 ('points.', twin.points, net.heads, heads)]
        weights = {}
        for prefix, module, block, names in parts:
            weights.update({prefix + name: weight
                            for name, weight in copy_weights(module, block, NameMap(names)).items()})
        net.hybridize(static_alloc=True)
        x = rng.normal(size=(2, 3, 64, 95)).astype(dtype)
        compare_outputs(twin, net, x)
    compare_gradients(twin, net, weights, x)
