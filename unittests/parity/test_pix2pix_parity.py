"""pix2pix and CycleGAN beside PyTorch: with the same weights the same outputs and gradients, through the converter."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluonzoo.convert import NAME_MAPS, load_weights, read_weights
from gluonzoo.convert import pix2pix as name_maps
from gluonzoo.models.patchgan import PatchGAN, PixelGAN
from gluonzoo.models.resnet_generator import ResNetGenerator
from gluonzoo.models.unet import UNet
from gluonzoo.registry import get_model

torch = pytest.importorskip('torch')
from torch_twins import pix2pix as twin  # noqa: E402
from twins import check_same_state, give_weights  # noqa: E402

OUTPUTS, GRADIENTS = 1e-4, 1e-3

# Network, twin, name map, settings, shape of the input.
SMALL = {
    'unet': (UNet, twin.UNet, name_maps.unet, dict(levels=6, out_channels=2, width=6), (2, 3, 64, 128)),
    'unet to grey': (UNet, twin.UNet, name_maps.unet, dict(levels=5, out_channels=1, width=16), (2, 3, 32, 32)),
    'resnet': (ResNetGenerator, twin.ResNetGenerator, name_maps.resnet_generator,
               dict(blocks=2, out_channels=2, width=6), (2, 3, 32, 24)),
    'patchgan': (PatchGAN, twin.PatchGAN, name_maps.patchgan, dict(in_channels=4, width=6), (2, 4, 64, 48)),
    'patchgan of 5': (PatchGAN, twin.PatchGAN, name_maps.patchgan, dict(layers=5, width=2), (2, 6, 128, 128)),
    'pixelgan': (PixelGAN, twin.PixelGAN, name_maps.pixelgan, dict(in_channels=4, width=6), (2, 4, 8, 12)),
}


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def pair(make, make_twin, name_map, settings):
    """(our network, its name map, the twin), with the same weights."""
    net, theirs = make(**settings), twin.randomise(make_twin(**settings))
    net.initialize()
    names = name_map(net)
    load_weights(net, {name: tensor.numpy() for name, tensor in theirs.state_dict().items()}, names)
    return net, names, theirs


@pytest.mark.parametrize('hybrid', [False, True], ids=['imperative', 'hybrid'])
@pytest.mark.parametrize('norm', ['batch', 'instance', 'none'])
@pytest.mark.parametrize('which', SMALL)
@pytest.mark.parametrize('train', [True, False], ids=['training', 'inference'])
def test_outputs_and_gradients(which, norm, train, hybrid):
    make, make_twin, name_map, settings, shape = SMALL[which]
    # Dropout is random where it is used; where it is not, it moves the layers behind it.
    dropout = {} if 'gan' in which else dict(dropout=0 if train else .5)
    net, names, theirs = pair(make, make_twin, name_map, dict(settings, norm=norm, **dropout))
    if hybrid:
        net.hybridize(static_alloc=True, static_shape=True)
    x = torch.randn(shape, requires_grad=True)
    y = theirs.train(train)(x)
    head = torch.randn_like(y)
    y.backward(head)
    our_x = mx.nd.array(x.detach().numpy())
    our_x.attach_grad()
    with autograd.record(train_mode=train):
        our_y = net(our_x)
    our_y.backward(mx.nd.array(head.numpy()), train_mode=train)

    np.testing.assert_allclose(our_y.asnumpy(), y.detach().numpy(), rtol=0, atol=OUTPUTS)
    parameters = net._collect_params_with_prefix()
    ours = names.inverse(parameters)
    gradients = {ours[name]: p.grad.numpy() for name, p in theirs.named_parameters()}
    assert len(gradients) == sum(p.grad_req != 'null' for p in parameters.values())
    # That of a bias before a normalisation is 0 but for rounding, so there is a share of the largest one.
    largest = max(abs(gradient).max() for gradient in gradients.values())
    for name, gradient in gradients.items():
        difference = abs(parameters[name].grad().asnumpy() - gradient).max()
        assert difference <= GRADIENTS * (abs(gradient).max() + 1e-3 * largest), name
    difference = abs(our_x.grad.asnumpy() - x.grad.numpy()).max()
    assert difference <= GRADIENTS * x.grad.abs().max().item()


@pytest.mark.parametrize('norm', ['batch', 'instance', 'none'])
@pytest.mark.parametrize('which', SMALL)
def test_weights_go_both_ways(which, norm, tmp_path):
    make, make_twin, name_map, settings, shape = SMALL[which]
    settings = dict(settings, norm=norm, **({} if 'gan' in which else dict(dropout=.5)))
    net, names, theirs = pair(make, make_twin, name_map, settings)
    check_same_state(theirs, net, names)
    give_weights(net, theirs, names, tmp_path)
    x = torch.randn(shape)
    with torch.no_grad():
        y = theirs.eval()(x).numpy()
    assert abs(y).max() > 100 * OUTPUTS
    np.testing.assert_allclose(net(mx.nd.array(x.numpy())).asnumpy(), y, rtol=0, atol=OUTPUTS)
    check_same_state(theirs, net, names)


def test_batch_statistics_at_test_time():
    """Which the official pix2pix tests with: the twin stays in training, ours is told by ``train_mode`` alone."""
    net, _, theirs = pair(*SMALL['unet'][:3], dict(SMALL['unet'][3], dropout=0))
    net.hybridize()
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        trained, tested = theirs.train()(x).numpy(), theirs.eval()(x).numpy()
    with autograd.train_mode():
        y = net(mx.nd.array(x.numpy())).asnumpy()
    np.testing.assert_allclose(y, trained, rtol=0, atol=OUTPUTS)
    assert abs(y - tested).max() > 100 * OUTPUTS


@pytest.mark.parametrize('name, make_twin, settings, shape', [
    ('unet256', twin.UNet, dict(levels=8), (1, 3, 256, 256)),
    ('resnet_9blocks', twin.ResNetGenerator, dict(blocks=9), (1, 3, 128, 128)),
    ('patchgan', twin.PatchGAN, {}, (1, 6, 256, 256)),
])
def test_whole_networks_through_a_file(name, make_twin, settings, shape, tmp_path):
    theirs = twin.randomise(make_twin(**settings)).eval()
    torch.save(theirs.state_dict(), tmp_path / 'latest_net.pth')
    net = get_model(name)
    net.initialize()
    load_weights(net, read_weights(tmp_path / 'latest_net.pth'), NAME_MAPS[name](net))
    x = torch.randn(shape)
    with torch.no_grad():
        y = theirs(x).numpy()
    np.testing.assert_allclose(net(mx.nd.array(x.numpy())).asnumpy(), y, rtol=0, atol=OUTPUTS)
