"""SKNet beside its twin in PyTorch, which has the same names."""
import numpy as np
import pytest

torch = pytest.importorskip('torch')

from torch_twins import sknet as sknet_twin  # noqa: E402
from twins import (  # noqa: E402
    check_same_state,
    compare_gradients,
    compare_outputs,
    copy_weights,
    give_weights,
    shake,
)

from gluonzoo.convert import NameMap  # noqa: E402
from gluonzoo.models.sknet import SKNet  # noqa: E402

SAME_NAMES = NameMap([])
SMALL = (1, 2, 1, 1), (32, 16, 32, 64)


def pair(depths, hidden, classes, dtype, hybridize=True):
    torch.manual_seed(0)
    twin, net = sknet_twin.SKNet(depths, hidden, classes), SKNet(depths, hidden, classes)
    shake(twin)
    twin.to(getattr(torch, dtype))
    net.initialize()
    net.cast(dtype)
    weights = copy_weights(twin, net, SAME_NAMES)
    if hybridize:
        net.hybridize(static_alloc=True)
    return twin, net, weights


def test_full_size():
    twin, net, _ = pair((3, 4, 6, 3), (32, 32, 32, 64), 1000, 'float32')
    compare_outputs(twin, net, np.random.default_rng(0).normal(size=(1, 3, 224, 224)).astype('float32'))


@pytest.mark.parametrize('hybridize', [False, True])
def test_gradients(hybridize):
    twin, net, weights = pair(*SMALL, 5, 'float64', hybridize)
    x = np.random.default_rng(0).normal(size=(3, 3, 70, 51))   # odd everywhere: whose pools round up?
    compare_outputs(twin, net, x, tolerance=1e-9)
    compare_gradients(twin, net, weights, x, tolerance=1e-6)


def test_weights_go_both_ways(tmp_path):
    twin, net, _ = pair(*SMALL, 5, 'float32', hybridize=False)
    check_same_state(twin, net, SAME_NAMES)
    give_weights(net, twin, SAME_NAMES, tmp_path)
    compare_outputs(twin, net, np.random.default_rng(0).normal(size=(2, 3, 64, 65)).astype('float32'))
    check_same_state(twin, net, SAME_NAMES)
