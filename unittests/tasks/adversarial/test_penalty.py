"""The gradient penalty: its value and its gradients against double backward in PyTorch, float64."""
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd
from mxnet.gluon import nn

from gluonzoo.models.dcgan import dcgan_discriminator
from gluonzoo.models.mlp_gan import mlp_critic
from gluonzoo.models.mmagic_wgan_gp import mmagic_wgan_gp_critic
from gluonzoo.models.patchgan import patchgan, pixelgan
from gluonzoo.models.residual_gan import residual32_critic, residual64_critic
from gluonzoo.models.wgan_gp import wgan_gp_critic
from gluonzoo.nn.instance_norm import InstanceNorm
from gluonzoo.nn.map_norm import MapNorm
from gluonzoo.registry import list_models
from gluonzoo.tasks.adversarial.penalty import GradientPenalty, check_penalty


def normal(*shape, dtype='float32', ctx=None):
    return mx.nd.array(np.random.normal(size=shape), dtype=dtype, ctx=ctx)


def sequential(*layers):
    net = nn.HybridSequential()
    net.add(*layers)
    return net


def learn(penalty, net, *pictures, head=1.0):
    """(value, gradients of the parameters by name)"""
    for parameter in net.collect_params().values():
        parameter.zero_grad()
    with autograd.record():
        loss = penalty(*pictures)
        scaled = loss * head
    scaled.backward()
    return loss.asscalar(), {name: parameter.grad().asnumpy()
                             for name, parameter in net._collect_params_with_prefix().items()}


def linear(*weights):
    """A critic whose gradient is its weights, whatever the picture: [B, 1, 1, n] -> [B, 1]."""
    net = sequential(nn.Dense(1, in_units=len(weights)))
    net.initialize()
    net[0].weight.set_data(mx.nd.array([weights]))
    return net


PICTURES = mx.nd.zeros((2, 1, 1, 2)), mx.nd.ones((2, 1, 1, 2))


@pytest.mark.parametrize('weights, options, value, gradient', [
    ((3, 4), {}, 160, (48, 64)),   # 10 (5 - 1)^2; 2 * 10 (5 - 1) (3, 4) / 5
    ((.3, .4), {}, 2.5, (-6, -8)),   # 10 (.5 - 1)^2; 2 * 10 (.5 - 1) (.6, .8)
    ((.3, .4), {'sided': 'one'}, 0, (0, 0)),
    ((3, 4), {'sided': 'one', 'weight': 1}, 16, (4.8, 6.4)),
    ((3, 4), {'weight': 2, 'target': 7}, 8, (-4.8, -6.4)),
    ((3, 4), {'weight': 0}, 0, (0, 0)),
    ((3, 4), {'target': 0, 'weight': .5}, 12.5, (3, 4)),
    ((0, 0), {}, 10, (0, 0)),   # a gradient of 0 has no direction
    ((0, 0), {'target': 0}, 0, (0, 0))])
def test_by_hand(weights, options, value, gradient):
    net = linear(*weights)
    found, gradients = learn(GradientPenalty(net, **options), net, *PICTURES)
    assert found == pytest.approx(value, rel=1e-6)
    np.testing.assert_allclose(gradients['0.weight'], [gradient], rtol=1e-6)
    assert not gradients['0.bias'].any()


def test_each_picture_has_its_own_length():
    """A critic x^2 / 2, whose gradient is x: pictures of lengths 5 and 0.5, and the mean of their penalties."""
    class Square(nn.HybridBlock):
        def __init__(self):
            super().__init__()
            self.weight = self.params.get('weight', shape=(1, 1, 1, 1), init='ones')

        def hybrid_forward(self, F, x, weight):
            return F.sum(F.broadcast_mul(F.square(x), weight), axis=(1, 2, 3)) / 2

    net = Square()
    net.initialize()
    real = mx.nd.array([[3, 4], [.3, .4]]).reshape((2, 1, 1, 2))
    value, gradients = learn(GradientPenalty(net), net, real, real)
    assert value == pytest.approx((160 + 2.5) / 2)
    # By the weight, |u| changes by |x|: 20 ((5 - 1) 5 + (.5 - 1) .5) / 2
    assert gradients['weight'].ravel() == pytest.approx([197.5])


def test_places_between_the_pictures():
    """alpha is the share of the real picture; one that is not given is drawn for each picture, from MXNet's seed."""
    seen = []

    class Seen(nn.HybridBlock):
        def __init__(self):
            super().__init__()
            self.weight = self.params.get('weight', shape=(1, 1, 1, 1), init='ones')

        def hybrid_forward(self, F, x, weight):
            return F.sum(F.broadcast_mul(F.square(x), weight), axis=(1, 2, 3)) / 2   # the gradient is the picture

    net = Seen()
    net.initialize()
    penalty = GradientPenalty(net, weight=1, target=0)
    real, fake = mx.nd.full((2, 1, 1, 1), 2.), mx.nd.full((2, 1, 1, 1), 6.)
    value, _ = learn(penalty, net, real, fake, mx.nd.array([.25, 1]).reshape((2, 1, 1, 1)))
    assert value == pytest.approx((5 ** 2 + 2 ** 2) / 2)

    for seed in (3, 3, 4):
        mx.random.seed(seed)
        seen.append(learn(penalty, net, real, fake)[0])
    assert seen[0] == seen[1] != seen[2]
    many = mx.nd.full((4000, 1, 1, 1), 0.), mx.nd.full((4000, 1, 1, 1), 1.)
    assert learn(penalty, net, *many)[0] == pytest.approx(1 / 3, abs=.02)   # mean of uniform squares
    two = mx.nd.zeros((1, 1, 50, 50)), mx.nd.ones((1, 1, 50, 50))   # one number for all of a picture: not 1 / 3
    mx.random.seed(0)
    share = mx.nd.random.uniform(shape=(1, 1, 1, 1)).asscalar()
    mx.random.seed(0)
    assert learn(penalty, net, *two)[0] == pytest.approx(2500 * (1 - share) ** 2, rel=1e-5)


# -- against PyTorch -------------------------------------------------------------------------------------------------

def small(layer, norm=()):
    """A critic of 16 pixels with two layers of a kind."""
    return sequential(nn.Conv2D(8, 4, 2, 1, in_channels=3), layer(), nn.Conv2D(16, 3, 1, 1, in_channels=8), *norm,
                      layer(), nn.Dense(1, in_units=16 * 64))


def relu():
    return nn.Activation('relu')


# name -> (a critic, the side of its pictures). Rectifiers of slope 0 below 0 are exact in float64, others are not.
CRITICS = {
    'relu': (lambda: small(relu), 16), 'tanh': (lambda: small(lambda: nn.Activation('tanh')), 16),
    'softplus': (lambda: small(lambda: nn.Activation('softrelu')), 16),
    'leaky': (lambda: small(lambda: nn.LeakyReLU(.2)), 16),
    'average': (lambda: small(relu, [nn.AvgPool2D(3, 1, 1)]), 16),
    'instance': (lambda: small(relu, [InstanceNorm()]), 16), 'map': (lambda: small(relu, [MapNorm(16)]), 16),
    'pixels': (lambda: small(relu, [MapNorm(16, 8, 8)]), 16),
    # With 32 channels, patchgan's last convolution is of gluonzoo.nn.one_channel.
    **{f'patchgan {norm}': (lambda norm=norm: patchgan(3, layers=1, width=16, norm=norm), 16)
       for norm in ('none', 'instance')},
    'pixelgan instance': (lambda: pixelgan(3, width=8, norm='instance'), 8),
    'dcgan': (lambda: dcgan_discriminator(32, width=8, norm='none', extra_layers=1), 32),
    'dcgan of mmagic': (lambda: dcgan_discriminator(32, width=8, norm='none', variant='mmagic'), 32),
    'mlp': (lambda: mlp_critic(8, width=16), 8),
    **{f'wgan_gp {norm}': (lambda norm=norm: wgan_gp_critic(16, width=8, norm=norm), 16)
       for norm in ('none', 'layer', 'group')},
    **{f'residual32 {norm}': (lambda norm=norm: residual32_critic(width=4, norm=norm), 32)
       for norm in ('none', 'layer', 'group')},
    **{f'residual64 {norm}': (lambda norm=norm: residual64_critic(width=2, norm=norm), 64)
       for norm in ('none', 'layer', 'group')},
    **{f'mmagic_wgan_gp {norm}': (lambda norm=norm: mmagic_wgan_gp_critic(16, width=16, norm=norm), 16)
       for norm in ('none', 'layer', 'group')},
}
# Its gradient is what instance normalisation leaves of a constant, nearly nothing, so rounding is a larger part of it.
ILL_CONDITIONED = 'pixelgan instance'
LEAKY = 'leaky', 'patchgan', 'pixelgan', 'dcgan', 'wgan_gp', 'mmagic_wgan_gp'   # MXNet's slope is float32 throughout


def double_backward(twin, real, fake, alpha, target, one_sided):
    """(value, gradients by name) of a penalty of weight 10."""
    import torch
    real, fake, alpha = (torch.tensor(x.asnumpy()).double() for x in (real, fake, alpha))
    x = (alpha * real + (1 - alpha) * fake).requires_grad_()
    u, = torch.autograd.grad(twin(x).sum(), x, create_graph=True)
    excess = u.flatten(1).norm(dim=1) - target
    value = 10 * ((excess.relu() if one_sided else excess) ** 2).mean()
    gradients = torch.autograd.grad(value, list(twin.parameters.values()), allow_unused=True)
    return value.item(), {name: (parameter.detach() * 0 if gradient is None else gradient).numpy()
                          for (name, parameter), gradient in zip(twin.parameters.items(), gradients)}


@pytest.mark.parametrize('dtype, one_sided', [('float32', False), ('float64', False), ('float64', True)])
@pytest.mark.parametrize('critic', CRITICS)
def test_against_double_backward(critic, dtype, one_sided):
    """The gradients as one vector: the length of the difference, as a part of its length. The second call, too."""
    pytest.importorskip('torch')
    from torch_twins.any_critic import CriticInTorch
    make, side = CRITICS[critic]
    net = make()
    net.initialize(mx.init.Normal(.1))
    for parameter in net.collect_params().values():
        parameter.set_data(parameter.data() + mx.nd.random.normal(0, .1, parameter.shape))
    net.cast(dtype)
    if one_sided:
        net.hybridize(static_alloc=True)
    pictures = *(normal(3, 3, side, side, dtype=dtype) for _ in range(2)), mx.nd.random.uniform(
        shape=(3, 1, 1, 1), dtype=dtype)
    twin = CriticInTorch(net)
    np.testing.assert_allclose(net(pictures[0]).asnumpy(), twin(torch_array(pictures[0])).detach().numpy(), rtol=1e-4,
                               atol=1e-4)
    lengths = lengths_of_gradients(twin, *pictures)
    # Some lengths on either side of the target, where one-sided differs; else far from it: the rounding of a length is
    # a larger part of a small difference.
    target = (lengths[0] + lengths[-1]) / 2 if one_sided else lengths[0] / 2
    wanted, gradients = double_backward(twin, *pictures, target, one_sided)
    bound = 1e-6 if dtype == 'float32' else 1e-7 if critic.split()[0] in LEAKY else 1e-12
    bound *= 3 if critic == ILL_CONDITIONED else 1
    bound *= lengths[-1] / min(abs(length - target) for length in lengths if length > target) if one_sided else 1
    penalty = GradientPenalty(net, target=target, sided='one' if one_sided else 'two')
    for _ in range(2):
        value, _ = learn(penalty, net, *pictures)
        assert value == pytest.approx(wanted, rel=2 * bound)
        found = {name: parameter.grad().asnumpy() for name, parameter in net.collect_params().items()}
        length = np.sqrt(sum((gradient ** 2).sum() for gradient in gradients.values()))
        difference = np.sqrt(sum(((found[name] - gradients[name]) ** 2).sum() for name in gradients))
        assert length > 0 and difference / length < bound


def torch_array(array):
    import torch
    return torch.tensor(array.asnumpy()).double()


def lengths_of_gradients(twin, real, fake, alpha):
    """Sorted."""
    import torch
    real, fake, alpha = map(torch_array, (real, fake, alpha))
    x = (alpha * real + (1 - alpha) * fake).requires_grad_()
    u, = torch.autograd.grad(twin(x).sum(), x)
    return sorted(u.flatten(1).norm(dim=1).tolist())


def test_every_critic_is_here():
    """All that may judge pictures without batch normalisation."""
    kinds = {name for name in list_models() if name.endswith(('critic', 'discriminator', 'gan'))}
    tested = {name.split()[0] for name in CRITICS}
    assert kinds == {'dcgan_discriminator', 'mlp_critic', 'patchgan', 'pixelgan', 'wgan_gp_critic', 'residual32_critic',
                     'residual64_critic', 'mmagic_wgan_gp_critic'}
    assert all(kind.rsplit('_', 1)[0] in tested for kind in kinds)


# -- in a training ---------------------------------------------------------------------------------------------------

@pytest.fixture
def critic():
    net = sequential(nn.Conv2D(8, 4, 2, 1, in_channels=3), InstanceNorm(), nn.LeakyReLU(.2), nn.Dense(1, in_units=512))
    net.initialize(mx.init.Normal(.2))
    return net


def test_beside_the_scores(critic):
    """A loss of scores and penalty together has the sum of both gradients, whoever is first."""
    real, fake, alpha = normal(4, 3, 16, 16), normal(4, 3, 16, 16), mx.nd.random.uniform(shape=(4, 1, 1, 1))
    penalty = GradientPenalty(critic)

    def of(function):
        return learn(function, critic)[1]

    scores = of(lambda: critic(fake).mean() - critic(real).mean())
    alone = of(lambda: penalty(real, fake, alpha))
    for both in (of(lambda: critic(fake).mean() - critic(real).mean() + penalty(real, fake, alpha)),
                 of(lambda: penalty(real, fake, alpha) + critic(fake).mean() - critic(real).mean())):
        for name, gradient in both.items():
            np.testing.assert_allclose(gradient, scores[name] + alone[name], rtol=1e-4, atol=1e-5, err_msg=name)
    scaled = learn(penalty, critic, real, fake, alpha, head=2. ** 12)[1]   # as for float16
    for name, gradient in scaled.items():
        np.testing.assert_array_equal(gradient, alone[name] * 2. ** 12, err_msg=name)


def test_no_gradient_goes_to_the_pictures(critic):
    real, fake = normal(4, 3, 16, 16), normal(4, 3, 16, 16)
    real.attach_grad()
    fake.attach_grad()
    with autograd.record():
        loss = GradientPenalty(critic)(real, fake * 1) + real.sum() + fake.sum()
    loss.backward()
    assert (real.grad == 1).asnumpy().all() and (fake.grad == 1).asnumpy().all()


def test_gradients_add_up(critic):
    """With grad_req 'add', as over the rounds of a batch."""
    real, fake, alpha = normal(4, 3, 16, 16), normal(4, 3, 16, 16), mx.nd.random.uniform(shape=(4, 1, 1, 1))
    penalty = GradientPenalty(critic)
    once = learn(penalty, critic, real, fake, alpha)[1]
    for parameter in critic.collect_params().values():
        parameter.grad_req = 'add'
        parameter.zero_grad()
    for _ in range(2):
        with autograd.record():
            loss = penalty(real, fake, alpha)
        loss.backward()
    for name, parameter in critic._collect_params_with_prefix().items():
        np.testing.assert_allclose(parameter.grad().asnumpy(), 2 * once[name], rtol=1e-5, atol=1e-6)


def test_several_devices(critic):
    """Each half of a batch on a device of its own: the mean of both is the whole."""
    real, fake, alpha = normal(4, 3, 16, 16), normal(4, 3, 16, 16), mx.nd.random.uniform(shape=(4, 1, 1, 1))
    value, whole = learn(GradientPenalty(critic), critic, real, fake, alpha)
    devices = [mx.cpu(0), mx.cpu(1)]
    critic.collect_params().reset_ctx(devices)
    penalty = GradientPenalty(critic)
    with autograd.record():
        losses = [penalty(*(x[2 * i:2 * i + 2].as_in_context(ctx) for x in (real, fake, alpha)))
                  for i, ctx in enumerate(devices)]
    autograd.backward(losses)
    assert [loss.ctx for loss in losses] == devices
    assert np.mean([loss.asscalar() for loss in losses]) == pytest.approx(value, rel=1e-5)
    for name, parameter in critic._collect_params_with_prefix().items():
        halves = np.mean([gradient.asnumpy() for gradient in parameter.list_grad()], axis=0)
        np.testing.assert_allclose(halves, whole[name], rtol=1e-4, atol=1e-5)


def test_a_critic_learns_a_slope_of_1():
    """By the penalty alone."""
    net = sequential(nn.Conv2D(8, 3, 2, 1, in_channels=1), nn.LeakyReLU(.2), nn.Dense(1, in_units=128))
    net.initialize(mx.init.Normal(.5))
    trainer = mx.gluon.Trainer(net.collect_params(), 'adam', {'learning_rate': .01})
    penalty, values = GradientPenalty(net), []
    for _ in range(60):
        with autograd.record():
            # Adam divides by the size of gradients, so those of biases, which are 0 here, need a value.
            loss = penalty(normal(8, 1, 8, 8), normal(8, 1, 8, 8)) + 0 * net(mx.nd.zeros((1, 1, 8, 8))).sum()
        loss.backward()
        trainer.step(1)
        values.append(loss.asscalar())
    assert np.mean(values[-5:]) < values[0] / 50


def value_and_gradients(amp=None):
    """Of a critic under mixed precision."""
    if amp:
        from mxnet.contrib import amp as mixed_precision
        mixed_precision.init(amp)
    np.random.seed(0)
    mx.random.seed(0)
    net = sequential(nn.Conv2D(16, 4, 2, 1, in_channels=16), nn.LeakyReLU(.2), nn.Conv2D(16, 4, 2, 1, in_channels=16),
                     nn.LeakyReLU(.2), nn.Dense(1, in_units=256))
    net.initialize(mx.init.Normal(.1))
    pictures = normal(4, 16, 16, 16), normal(4, 16, 16, 16), mx.nd.random.uniform(shape=(4, 1, 1, 1))
    value, gradients = learn(GradientPenalty(net), net, *pictures)
    return [float(value), *(float(number) for g in gradients.values() for number in g.ravel()[:50])]


def test_mixed_precision():
    """The casts of bfloat16 stay in the passes: near float32, and not equal. It changes a process for good."""
    code = '''
        import gluonzoo
        from test_penalty import value_and_gradients
        print(*value_and_gradients('bfloat16'))
        '''
    process = subprocess.run([sys.executable, '-c', textwrap.dedent(code)], text=True, capture_output=True, timeout=240,
                             cwd=Path(__file__).parent, env={**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)})
    assert process.returncode == 0, process.stderr
    found, wanted = np.array([float(word) for word in process.stdout.split()]), np.array(value_and_gradients())
    assert found[0] == pytest.approx(wanted[0], rel=.05)
    assert 1e-4 < np.linalg.norm(found - wanted) / np.linalg.norm(wanted) < .05


@pytest.mark.parametrize('options, message', [
    ({'weight': -1}, '^penalty: weight: must be a number from 0 to 3.4e.38: -1'),
    ({'weight': float('nan')}, 'penalty: weight: must be'),
    ({'weight': '10'}, "penalty: weight: must be a number.*: '10'"),
    ({'weight': True}, 'penalty: weight: must be a number.*: True'),
    ({'target': -1}, 'penalty: target: must be a number from 0 to .*: -1'),
    ({'sided': 'both'}, "penalty: sided: must be 'two' or 'one': 'both'"),
    ({'sided': ['two']}, "penalty: sided: must be 'two' or 'one': .'two'.")])
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        GradientPenalty(linear(1, 1), **options)
    with pytest.raises(ValueError, match=message):
        check_penalty(options)


def test_unknown_keywords():
    with pytest.raises(ValueError, match="penalty: unknown argument 'lambda'; known: weight, sided, target"):
        check_penalty({'lambda': 10})


def test_a_critic_without_a_rule():
    net = patchgan(3, layers=1, width=4)
    net.initialize()
    with pytest.raises(ValueError, match='^critic: there is no gradient penalty of it: patchgan.*: the layer patchgan.*'
                                         'batchnorm0_fwd, operator BatchNorm, has no tangent rule: it makes the '
                                         'pictures of a batch depend on each other'):
        GradientPenalty(net)


def test_pictures_of_two_sizes():
    with pytest.raises(ValueError, match=r'fake: must have the shape of real, \[2, 1, 1, 2\]: \[1, 1, 1, 2\]'):
        GradientPenalty(linear(1, 1))(PICTURES[0], PICTURES[1][:1])
