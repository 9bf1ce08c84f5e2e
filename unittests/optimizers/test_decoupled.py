"""SGDW and AdamW: equal to the paper's algorithms in NumPy, to PyTorch's where these agree, and resumed exactly."""
import math

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn

from gluonzoo.optimizers import SGDW, Adam, AdamW, create
from gluonzoo.train.engine import Engine
from gluonzoo.train.trainer_state import collect, plan

STEPS = 100


def cosine(step):
    return (1 + math.cos(math.pi * step / STEPS)) / 2


def sgdw(weight, gradients, eta, alpha, decay, momentum=.9):
    """Algorithm 1 of the paper in float64, line by line."""
    weight = np.array(weight, 'float64')
    m, made = np.zeros_like(weight), []
    for t, gradient in enumerate(gradients):
        m = momentum * m + eta(t) * alpha * np.asarray(gradient, 'float64')
        weight = weight - m - eta(t) * decay * weight
        made.append(weight)
    return made


def adamw(weight, gradients, eta, alpha, decay, beta1=.9, beta2=.999, epsilon=1e-8):
    """Algorithm 2."""
    weight = np.array(weight, 'float64')
    m, v, made = np.zeros_like(weight), np.zeros_like(weight), []
    for t, gradient in enumerate(gradients):
        g = np.asarray(gradient, 'float64')
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g ** 2
        m_hat, v_hat = m / (1 - beta1 ** (t + 1)), v / (1 - beta2 ** (t + 1))
        weight = weight - eta(t) * (alpha * m_hat / (np.sqrt(v_hat) + epsilon) + decay * weight)
        made.append(weight)
    return made


TWINS = {SGDW: (sgdw, {'momentum': .9}, .05), AdamW: (adamw, {}, .002)}   # twin, keywords, alpha
both = pytest.mark.parametrize('cls', TWINS)


def steps(optimizer, weight, gradients, eta=lambda step: 1.0):
    """The weight after each gradient, while a schedule sets the rate."""
    alpha = optimizer.learning_rate
    weight = mx.nd.array(weight, dtype=np.asarray(weight).dtype)
    updater, made = mx.optimizer.get_updater(optimizer), []
    for step, gradient in enumerate(gradients):
        optimizer.set_learning_rate(alpha * eta(step))
        updater(0, mx.nd.array(gradient, dtype=weight.dtype), weight)
        made.append(weight.asnumpy())
    return made


def gradients_of(count, size=60, seed=0):
    return list(np.random.default_rng(seed).normal(size=(count, size)).astype('float32'))


@both
@pytest.mark.parametrize('eta', [lambda step: 1.0, cosine], ids=['constant', 'cosine'])
def test_the_paper_in_numpy(cls, eta):
    twin, keywords, alpha = TWINS[cls]
    weight, gradients = np.linspace(-3, 3, 60, dtype='float32'), gradients_of(STEPS)
    found = steps(cls(alpha, wd=.02, **keywords), weight, gradients, eta)
    wanted = twin(weight, gradients, eta, alpha, .02)
    for mine, theirs in zip(found, wanted):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=5e-6)
    assert abs(wanted[-1] - twin(weight, gradients, eta, alpha, 0)[-1]).max() > .1   # the decay matters


@both
def test_the_first_step_by_hand(cls):
    """The rate is halved by the schedule, and so is the decay: 1 - .5 x .1 x 1, less half of the step."""
    alpha, size = .01, (1 if cls is AdamW else 3)   # Adam's first step is alpha, SGD's alpha x gradient
    weight, = steps(cls(alpha, wd=.1), [1.], [[3.]], lambda step: .5)
    assert weight[0] == pytest.approx(1 - .05 - .5 * alpha * size, rel=1e-6)


@both
def test_without_decay_it_is_the_ordinary_one(cls):
    """Bit for bit."""
    ordinary = mx.optimizer.SGD(momentum=.9, learning_rate=.05) if cls is SGDW else Adam(.002)
    _, keywords, alpha = TWINS[cls]
    weight, gradients = np.linspace(-1, 1, 60, dtype='float32'), gradients_of(5)
    for mine, theirs in zip(steps(cls(alpha, **keywords), weight, gradients), steps(ordinary, weight, gradients)):
        np.testing.assert_array_equal(mine, theirs)


@both
def test_normalized_decay(cls):
    """As the paper has it: lambda = wd sqrt(b / (B T)), here with batches of 10 from 50 samples for 20 epochs."""
    _, keywords, alpha = TWINS[cls]
    weight, gradients = np.ones(60, 'float32'), gradients_of(10)
    found = steps(cls(alpha, wd=.5, normalized_over=20 * 50 / 10, **keywords), weight, gradients)
    wanted = steps(cls(alpha, wd=.5 * math.sqrt(10 / (50 * 20)), **keywords), weight, gradients)
    np.testing.assert_allclose(found[-1], wanted[-1], rtol=1e-6)


def test_as_pytorch():
    """Where the rate is constant: its weight_decay is lambda / alpha."""
    torch = pytest.importorskip('torch')
    weight, gradients = np.linspace(-3, 3, 60, dtype='float32'), gradients_of(STEPS, seed=1)
    theirs = torch.nn.Parameter(torch.tensor(weight))
    optimizer = torch.optim.AdamW([theirs], .002, weight_decay=10)
    for mine, gradient in zip(steps(AdamW(.002, wd=.02), weight, gradients), gradients):
        theirs.grad = torch.tensor(gradient)
        optimizer.step()
        np.testing.assert_allclose(mine, theirs.detach().numpy(), rtol=0, atol=2e-6)


@both
def test_gradients_are_rescaled_and_clipped_and_the_decay_is_not(cls):
    twin, keywords, alpha = TWINS[cls]
    found = steps(cls(alpha, wd=.1, clip_gradient=1, rescale_grad=.5, **keywords), [1., 1.], [[.5, -8]])
    np.testing.assert_allclose(found[0], twin([1, 1], [[.25, -1]], lambda step: 1, alpha, .1)[0], atol=1e-6)


@both
def test_float16_with_a_float32_copy(cls):
    twin, keywords, alpha = TWINS[cls]
    gradients = [gradient.astype('float16') for gradient in gradients_of(20)]
    weight = np.linspace(-1, 1, 60).astype('float16')
    found = steps(cls(alpha, wd=.02, multi_precision=True, **keywords), weight, gradients)[-1]
    assert found.dtype == np.float16
    np.testing.assert_allclose(found, twin(weight, gradients, lambda step: 1, alpha, .02)[-1], atol=1e-3)


@both
@pytest.mark.parametrize('accumulate, devices', [(1, 1), (1, 2), (2, 1)])
def test_spared_parameters_and_own_factors(cls, accumulate, devices):
    """In an engine, without a gradient: weights decay by eta lambda and their own factors, what is spared does not."""
    net = nn.Dense(2, in_units=3, weight_initializer='one', bias_initializer='one')
    engine = Engine([mx.cpu(i) for i in range(devices)], accumulate=accumulate)
    engine.place(net, (1, 3))
    trainer = engine.trainer('net', {'name': cls.__name__.lower(), 'learning_rate': .1, 'wd': .25,
                                     'no_decay': ['bias']}, net)

    class Batch:
        arrays = (mx.nd.zeros((2, 3)),)

    def step():
        engine.minimize('net', Batch, lambda x: {'loss': (net(x) * 0).sum()})
        return [[p.data(ctx).asnumpy().ravel()[0] for p in (net.weight, net.bias)] for ctx in engine.ctx]
    assert step() == devices * [[.75, 1]]
    trainer.set_learning_rate(.05)
    assert step() == devices * [[.75 * .875, 1]]
    net.weight.wd_mult, net.weight.lr_mult = .5, 2.0
    assert step() == devices * [[.75 * .875 ** 2, 1]]
    net.weight.lr_mult = 0
    assert step() == devices * [[.75 * .875 ** 2, 1]]


@both
def test_the_state_goes_on_exactly(cls):
    """Another trainer with the saved weights and state makes the same steps, at the schedule's rate, bit for bit."""
    _, keywords, alpha = TWINS[cls]
    specification = {'name': cls.__name__.lower(), 'learning_rate': alpha, 'wd': .02, **keywords}
    made = []
    for _ in range(2):
        net = nn.Dense(2, in_units=3, weight_initializer='one')
        engine = Engine()
        engine.place(net, (1, 3))
        made.append((net, engine, engine.trainer('net', specification, net)))
    names = [{net.weight: 'weight', net.bias: 'bias'} for net, *_ in made]
    batches = [mx.nd.array(x) for x in np.random.default_rng(0).normal(size=(8, 4, 3))]

    def step(net, engine, trainer, number):
        class Batch:
            arrays = (batches[number],)
        trainer.set_learning_rate(alpha * cosine(10 * number))
        engine.minimize('net', Batch, lambda x: {'loss': (net(x) ** 2).mean()})
    for number in range(4):
        step(*made[0], number)
    arrays, description = collect(made[0][2], names[0])
    assert description['optimizer'] == f'gluonzoo.{cls.__name__}'
    weights = {name: parameter.data().asnumpy() for parameter, name in names[0].items()}
    for parameter, name in names[1].items():
        parameter.set_data(mx.nd.array(weights[name]))
    plan(made[1][2], names[1], weights, arrays, description, 'here')()
    for number in range(4, 8):
        for each in made:
            step(*each, number)
    for (net, *_), (other, *_) in [made]:
        assert np.array_equal(net.weight.data().asnumpy(), other.weight.data().asnumpy())


@both
def test_a_rate_of_0_changes_nothing(cls):
    weight = np.linspace(-1, 1, 60, dtype='float32')
    for mine in steps(cls(0, wd=.5), weight, gradients_of(3)):
        np.testing.assert_array_equal(mine, weight)


@both
@pytest.mark.parametrize('bad, message', [
    ({'wd': -.1}, 'wd: must be a number, at least 0: -0.1'), ({'wd': float('nan')}, 'wd: must be a number'),
    ({'wd': True}, 'wd: must be'), ({'learning_rate': -1}, 'learning_rate: must be a number, at least 0: -1'),
    ({'learning_rate': None}, 'learning_rate: must be'), ({'learning_rate': math.inf}, 'learning_rate: must be'),
    ({'normalized_over': 0}, 'normalized_over: must be a number of updates, at least 1: 0'),
    ({'normalized_over': 'all'}, 'normalized_over: must be'),
    ({'lr_scheduler': mx.lr_scheduler.FactorScheduler(3)}, 'lr_scheduler: must be None')])
def test_numbers_that_cannot_be(cls, bad, message):
    with pytest.raises(ValueError, match=f'^{message}'):
        cls(**bad)
    with pytest.raises(ValueError, match=next(iter(bad))):
        create(cls.__name__.lower(), **bad)


def test_unknown_keywords():
    with pytest.raises(TypeError, match='betas'):
        AdamW(betas=(.9, .999))
    with pytest.raises(ValueError, match="sgdw takes no 'momentun'; there are momentum"):
        create('sgdw', momentun=.9)
