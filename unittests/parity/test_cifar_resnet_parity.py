"""The residual networks for CIFAR-10 beside their twins in PyTorch, with the names of well-known weights."""
import numpy as np
import pytest

torch = pytest.importorskip('torch')

from torch_twins.cifar_resnet import ResNet  # noqa: E402
from twins import (  # noqa: E402
    check_same_state,
    compare_gradients,
    compare_outputs,
    copy_weights,
    give_weights,
    shake,
)

from gluonzoo.convert import NAME_MAPS, load_weights, read_weights, without_wrappers  # noqa: E402
from gluonzoo.convert.cifar_resnet import resnet as name_map_of  # noqa: E402
from gluonzoo.registry import get_model  # noqa: E402

# Name of a model, its keywords, and those of the twin.
KINDS = [('cifar_resnet20', {}, {'depth': 20}),
         ('cifar_resnet32', {'shortcut': 'B'}, {'depth': 32, 'shortcut': 'B'}),
         ('cifar_resnet20d', {}, {'depth': 20, 'shortcut': 'D'}),
         ('cifar_resnet32_sk', {}, {'depth': 32, 'shortcut': 'B', 'selective': True})]


def pair(kind, dtype, hybridize=True):
    name, keywords, theirs = kind
    torch.manual_seed(0)
    twin, net = ResNet(classes=7, **theirs), get_model(name, classes=7, **keywords)
    shake(twin)
    twin.to(getattr(torch, dtype))
    net.initialize()
    net.cast(dtype)
    weights = copy_weights(twin, net, name_map_of(net))
    if hybridize:
        net.hybridize(static_alloc=True)
    return twin, net, weights


@pytest.mark.parametrize('kind', [*KINDS, ('cifar_resnet56d', {}, {'depth': 56, 'shortcut': 'D'}),
                                  ('cifar_resnet110', {}, {'depth': 110})], ids=lambda kind: kind[0])
@pytest.mark.parametrize('batch', [1, 3])
def test_outputs(kind, batch):
    twin, net, _ = pair(kind, 'float32')
    compare_outputs(twin, net, np.random.default_rng(0).normal(size=(batch, 3, 32, 32)).astype('float32'))


@pytest.mark.parametrize('hybridize', [False, True])
@pytest.mark.parametrize('kind', KINDS, ids=lambda kind: kind[0])
def test_gradients(kind, hybridize):
    twin, net, weights = pair(kind, 'float64', hybridize)
    x = np.random.default_rng(0).normal(size=(3, 3, 24, 32))
    compare_outputs(twin, net, x, tolerance=1e-9)
    compare_gradients(twin, net, weights, x, tolerance=1e-6)


@pytest.mark.parametrize('kind', KINDS, ids=lambda kind: kind[0])
def test_weights_go_both_ways(kind, tmp_path):
    twin, net, _ = pair(kind, 'float32', hybridize=False)
    name_map = name_map_of(net)
    check_same_state(twin, net, name_map)
    give_weights(net, twin, name_map, tmp_path)
    compare_outputs(twin, net, np.random.default_rng(0).normal(size=(2, 3, 32, 32)).astype('float32'))
    check_same_state(twin, net, name_map)


def test_checkpoint_of_its_training(tmp_path):
    """The public files have the weights under 'state_dict', as DataParallel names them."""
    twin, _, _ = pair(KINDS[0], 'float32')
    torch.save({'state_dict': {f'module.{name}': values for name, values in twin.state_dict().items()},
                'best_prec1': 91.7}, tmp_path / 'model.th')
    net = get_model('cifar_resnet20', classes=7)
    net.initialize()
    weights, prefix = without_wrappers(read_weights(tmp_path / 'model.th', 'state_dict'))
    assert prefix == 'module.' and load_weights(net, weights, NAME_MAPS['cifar_resnet20'](net)) == []
    compare_outputs(twin, net, np.random.default_rng(0).normal(size=(2, 3, 32, 32)).astype('float32'))
