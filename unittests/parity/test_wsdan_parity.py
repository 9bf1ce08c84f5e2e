"""WS-DAN and its backbones beside twins in PyTorch, which have the names of torchvision and of GuYuc's code."""
import numpy as np
import pytest
from mxnet.gluon import nn

torch = pytest.importorskip('torch')

from torch_twins.inception import Inception3  # noqa: E402
from torch_twins.resnet import ResNet  # noqa: E402
from torch_twins.vgg import VGG19BN  # noqa: E402
from torch_twins.wsdan import WSDAN  # noqa: E402
from twins import (  # noqa: E402
    check_same_state,
    compare_gradients,
    compare_outputs,
    copy_weights,
    give_weights,
    shake,
)

from gluonzoo.convert import NAME_MAPS, wsdan  # noqa: E402
from gluonzoo.registry import get_model  # noqa: E402

BACKBONES = {   # our keywords, the twin, the shape of pictures
    'resnet34': ({}, lambda: ResNet(34, 7), (64, 95)),
    'resnet50': ({}, lambda: ResNet(50, 7), (64, 95)),
    'vgg19_bn': ({'hidden': 12, 'size': 64}, lambda: VGG19BN(7, 12, 2), (64, 64)),
    'inception_v3': ({}, lambda: Inception3(7), (139, 107)),
}
NETWORKS = {
    'wsdan_resnet34': ({}, {}, (64, 95)),
    'wsdan_resnet50': ({}, {}, (64, 95)),
    'wsdan_vgg19_bn': ({}, {}, (64, 97)),
    'wsdan_inception_v3': ({}, {}, (75, 107)),
    'wsdan_inception_v3, dogs': ({'end': 'mixed_7c'}, {'end': 'mixed_7c'}, (107, 75)),
    'wsdan_inception_v3, official': ({'variant': 'official'}, {'bias': True}, (75, 107)),
    'wsdan_cifar_resnet20': ({}, {}, (24, 31)),
}


def name_map(case, net):
    return wsdan.network(net) if 'cifar' in case else NAME_MAPS[case.partition(',')[0]](net)


def pair(case, dtype, hybridize=True):
    torch.manual_seed(0)
    name = case.partition(',')[0]
    if case in BACKBONES:
        keywords, make, shape = BACKBONES[case]
        twin, net = make(), get_model(name, classes=7, **keywords)
    else:
        keywords, others, shape = NETWORKS[case]
        twin = WSDAN(name[len('wsdan_'):], classes=7, maps=6, **others)
        net = get_model(name, classes=7, maps=6, **keywords)
    shake(twin)
    twin.to(getattr(torch, dtype))
    net.initialize()
    net.cast(dtype)
    weights = copy_weights(twin, net, name_map(case, net))
    if hybridize:
        net.hybridize(static_alloc=True)
    return twin, net, weights, np.random.default_rng(0).normal(size=(2, 3, *shape)).astype(dtype)


@pytest.mark.parametrize('case, hybridize', [*((case, True) for case in (*BACKBONES, *NETWORKS)),
                                             ('wsdan_cifar_resnet20', False), ('wsdan_resnet34', False)])
def test_outputs_and_gradients(case, hybridize):
    """In float64, where next to nothing is lost by rounding: the feature divides by lengths and takes roots."""
    twin, net, weights, x = pair(case, 'float64', hybridize)
    for module in twin.modules():   # dropouts draw other numbers
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.
    net.apply(lambda block: setattr(block, '_rate', 0.) if isinstance(block, nn.Dropout) else None)
    compare_outputs(twin, net, x, tolerance=1e-8)
    compare_gradients(twin, net, weights, x, tolerance=1e-5)


@pytest.mark.parametrize('case', [*BACKBONES, *NETWORKS])
def test_weights_go_both_ways(case, tmp_path):
    twin, net, _, x = pair(case, 'float32', hybridize=False)
    names = name_map(case, net)
    check_same_state(twin, net, names)
    give_weights(net, twin, names, tmp_path)
    check_same_state(twin, net, names)
    compare_outputs(twin, net, x, tolerance=1e-3)
