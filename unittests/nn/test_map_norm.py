"""Normalisation of each picture by itself, beside PyTorch's, and which kinds there are."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd
from mxnet.gluon import nn

from gluonzoo.nn.map_norm import MapNorm, norm_of

torch = pytest.importorskip('torch')


@pytest.mark.parametrize('hybrid', [False, True], ids=['imperative', 'hybrid'])
@pytest.mark.parametrize('kind, twin', [
    ('layer', lambda: torch.nn.LayerNorm((5, 4, 4))), ('group', lambda: torch.nn.GroupNorm(1, 5))])
@pytest.mark.parametrize('dtype, tolerance', [('float32', 1e-5), ('float64', 1e-12)])
def test_values_and_gradients(kind, twin, dtype, tolerance, hybrid):
    rng = np.random.default_rng(0)
    net, = norm_of(kind, 5, 4)
    net.initialize()
    net.cast(dtype)
    if hybrid:
        net.hybridize(static_alloc=True)
    twin = twin().to(getattr(torch, dtype))
    for ours, theirs in ((net.gamma, twin.weight), (net.beta, twin.bias)):
        values = rng.normal(size=ours.shape)
        ours.set_data(mx.nd.array(values, dtype=dtype))
        theirs.data[:] = torch.from_numpy(values)
    values, head = rng.normal(3, 2, (3, 5, 4, 4)).astype(dtype), rng.normal(size=(3, 5, 4, 4)).astype(dtype)
    x, their_x = mx.nd.array(values, dtype=dtype), torch.tensor(values, requires_grad=True)
    x.attach_grad()
    with autograd.record():
        y = net(x)
    y.backward(mx.nd.array(head, dtype=dtype))
    their_y = twin(their_x)
    their_y.backward(torch.from_numpy(head))
    for ours, theirs in ((y, their_y), (x.grad, their_x.grad), (net.gamma.grad(), twin.weight.grad),
                         (net.beta.grad(), twin.bias.grad)):
        np.testing.assert_allclose(ours.asnumpy(), theirs.detach().numpy(), rtol=tolerance, atol=10 * tolerance)


def test_first_values():
    for norm in (MapNorm(3), MapNorm(3, 2, 2)):
        norm.initialize(mx.init.Normal(1))   # whatever a network is initialized with
        assert (norm.gamma.data().asnumpy() == 1).all() and (norm.beta.data().asnumpy() == 0).all()


def test_a_picture_is_normalised_by_itself():
    norm, = norm_of('group', 2)
    norm.initialize()
    x = mx.nd.random.normal(shape=(3, 2, 4, 4))
    np.testing.assert_allclose(norm(x)[1:2].asnumpy(), norm(x[1:2]).asnumpy(), atol=1e-6)


def test_kinds():
    assert norm_of('none', 4, 8) == []
    assert norm_of('layer', 4, 8)[0].gamma.shape == (4, 8, 8)
    assert norm_of('group', 4, 8)[0].gamma.shape == (4,)
    assert type(norm_of('batch', 4, 8)[0]) is nn.BatchNorm
    with pytest.raises(ValueError, match="norm: must be one of 'none', 'layer', 'group', 'batch': 'instance'"):
        norm_of('instance', 4, 8)
