"""GhostNet beside its twin in PyTorch, with the names of the official weights."""
import numpy as np
import pytest

torch = pytest.importorskip('torch')

from torch_twins import ghostnet as ghostnet_twin  # noqa: E402
from twins import (  # noqa: E402
    check_same_state,
    compare_gradients,
    compare_outputs,
    copy_weights,
    give_weights,
    shake,
)

from gluonzoo.convert import NAME_MAPS  # noqa: E402
from gluonzoo.models.ghostnet import GhostNet  # noqa: E402


def pair(width, classes, dtype, hybridize=True):
    torch.manual_seed(0)
    twin, net = ghostnet_twin.GhostNet(width, classes), GhostNet(width, classes, dropout=0)
    shake(twin)
    twin.to(getattr(torch, dtype))
    net.initialize()
    net.cast(dtype)
    weights = copy_weights(twin, net, NAME_MAPS['ghostnet_1_0'](net))
    if hybridize:
        net.hybridize(static_alloc=True)
    return twin, net, weights


@pytest.mark.parametrize('width', [.5, 1.0, 1.3])
def test_full_size(width):
    twin, net, _ = pair(width, 1000, 'float32')
    compare_outputs(twin, net, np.random.default_rng(0).normal(size=(1, 3, 224, 224)).astype('float32'))


@pytest.mark.parametrize('hybridize', [False, True])
def test_gradients(hybridize):
    twin, net, weights = pair(.25, 5, 'float64', hybridize)
    x = np.random.default_rng(0).normal(size=(3, 3, 80, 64))
    compare_outputs(twin, net, x, tolerance=1e-7)   # hard_sigmoid keeps its 1 / 6 in float32
    compare_gradients(twin, net, weights, x)


@pytest.mark.parametrize('width', [.5, 1.3])
def test_weights_go_both_ways(width, tmp_path):
    twin, net, _ = pair(width, 5, 'float32', hybridize=False)
    name_map = NAME_MAPS['ghostnet_1_0'](net)
    check_same_state(twin, net, name_map)
    give_weights(net, twin, name_map, tmp_path)
    compare_outputs(twin, net, np.random.default_rng(0).normal(size=(2, 3, 96, 64)).astype('float32'))
    check_same_state(twin, net, name_map)


def test_maps():
    twin, net, _ = pair(.5, 5, 'float32')
    twin.forward = twin.features
    compare_outputs(twin, net.features, np.random.default_rng(0).normal(size=(2, 3, 96, 63)).astype('float32'))
