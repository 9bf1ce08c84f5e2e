"""Adam as published: equal to the paper's algorithm in NumPy, and to PyTorch's; and its state goes on exactly."""
import math

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon

from gluonzoo.optimizers import Adam


def twin(weight, gradients, lr=1e-3, beta1=.9, beta2=.999, epsilon=1e-8, wd=0.):
    """Algorithm 1 of the paper in float64, line by line: the weight after each gradient."""
    weight = np.array(weight, 'float64')
    m, v, made = np.zeros_like(weight), np.zeros_like(weight), []
    for t, gradient in enumerate(gradients, 1):
        g = np.asarray(gradient, 'float64') + wd * weight
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        m_hat = m / (1 - beta1 ** t)
        v_hat = v / (1 - beta2 ** t)
        weight = weight - lr * m_hat / (np.sqrt(v_hat) + epsilon)
        made.append(weight)
    return made


def steps(optimizer, weight, gradients):
    """The weight after each gradient, as `optimizer` makes it."""
    weight = mx.nd.array(weight, dtype=np.asarray(weight).dtype)
    updater, made = mx.optimizer.get_updater(optimizer), []
    for gradient in gradients:
        updater(0, mx.nd.array(gradient, dtype=weight.dtype), weight)
        made.append(weight.asnumpy())
    return made


def gradients_of(count, size=200, seed=0):
    """Of every magnitude from 1e-11 to 10, about epsilon and far from it."""
    random = np.random.default_rng(seed)
    scale = 10 ** random.uniform(-11, 1, size)
    return [(random.normal(size=size) * scale).astype('float32') for _ in range(count)]


CASES = [{}, {'lr': 2e-4, 'beta1': .5}, {'beta1': 0., 'beta2': .9}, {'epsilon': 1e-3}, {'wd': .1}]


@pytest.mark.parametrize('case', CASES)
def test_the_paper_in_numpy(case):
    weight, gradients = np.linspace(-1, 1, 200, dtype='float32'), gradients_of(100)
    names = {'lr': 'learning_rate'}
    found = steps(Adam(**{names.get(name, name): value for name, value in case.items()}), weight, gradients)
    for mine, theirs in zip(found, twin(weight, gradients, **case)):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-6)


@pytest.mark.parametrize('lr', [1e-3, .1])
def test_gradients_that_keep_their_sign(lr):
    """Errors add up then: with beta2 rounded to float32 in one place alone, they are 1e-5 of the way."""
    gradients = [np.full(3, [1e-9, 1e-3, 7.]).astype('float32') for _ in range(100)]
    found = steps(Adam(lr), np.zeros(3, 'float32'), gradients)
    np.testing.assert_allclose(found[-1], twin(np.zeros(3), gradients, lr)[-1], rtol=3e-6)


def test_a_first_step_with_a_small_gradient():
    """By hand: m_hat = 1e-7, sqrt(v_hat) = 1e-7, so 2e-4 x 1e-7 / (1e-7 + 1e-8)."""
    weight, = steps(Adam(2e-4), np.zeros(1, 'float32'), [np.full(1, 1e-7, 'float32')])
    assert weight[0] == pytest.approx(-2e-4 / 1.1, rel=1e-5)
    weight, = steps(mx.optimizer.Adam(2e-4), np.zeros(1, 'float32'), [np.full(1, 1e-7, 'float32')])
    assert weight[0] == pytest.approx(-2e-4 / (1 + .1 / math.sqrt(.001)), rel=1e-3)   # MXNet's, as the docstring says


def test_gradients_are_rescaled_and_clipped():
    gradients = [np.array([.5, -8], 'float32')]
    clipped, = steps(Adam(.1, clip_gradient=1, rescale_grad=.5), [1., 1.], gradients)
    np.testing.assert_allclose(clipped, twin([1, 1], [[.25, -1]], .1)[0], atol=1e-6)


def test_float16_with_a_float32_copy():
    gradients = [gradient.astype('float16').clip(-1, 1) for gradient in gradients_of(20, 50)]
    weight = np.linspace(-1, 1, 50).astype('float16')
    found = steps(Adam(multi_precision=True), weight, gradients)[-1]
    assert found.dtype == np.float16
    np.testing.assert_array_equal(found, twin(weight, gradients)[-1].astype('float32').astype('float16'))


@pytest.mark.parametrize('lazy', [True, False])
def test_rows_of_a_sparse_gradient(lazy):
    """Lazily, a row that the gradient does not have stays, and so do its moments; else its gradient is 0."""
    weight = mx.nd.array(np.ones((4, 2), 'float32')).tostype('row_sparse')
    updater = mx.optimizer.get_updater(Adam(.01, lazy_update=lazy))
    given = [{1: 1e-8, 3: 1.}, {3: -.5}, {1: 3e-8}]
    for rows in given:
        values = np.array([[value, 2 * value] for value in rows.values()], 'float32')
        updater(0, mx.nd.sparse.row_sparse_array((values, list(rows)), shape=(4, 2)), weight)
    dense = [np.array([[rows.get(row, 0), 2 * rows.get(row, 0)] for row in range(4)]) for rows in given]
    expected = twin(np.ones((4, 2)), dense, .01)[-1]
    if lazy:
        for row in range(4):
            expected[row] = _lazy_row([(t, rows[row]) for t, rows in enumerate(given, 1) if row in rows])
    np.testing.assert_allclose(weight.asnumpy(), expected, atol=1e-6)


def _lazy_row(gradients):
    weight, m, v = np.ones(2), np.zeros(2), np.zeros(2)
    for t, gradient in gradients:
        g = np.array([gradient, 2 * gradient])
        m, v = .9 * m + .1 * g, .999 * v + .001 * g * g
        weight -= .01 * m / (1 - .9 ** t) / (np.sqrt(v / (1 - .999 ** t)) + 1e-8)
    return weight


def test_each_parameter_counts_its_own_steps():
    """One that joins later begins at step 1."""
    updater = mx.optimizer.get_updater(Adam(.1))
    early, late = mx.nd.ones(1), mx.nd.ones(1)
    gradients = [np.array([.3 / (i + 1)], 'float32') for i in range(5)]
    for i, gradient in enumerate(gradients):
        updater(0, mx.nd.array(gradient), early)
        if i >= 3:
            updater(1, mx.nd.array(gradient), late)
    assert early.asscalar() == pytest.approx(twin([1], gradients, .1)[-1][0], abs=1e-6)
    assert late.asscalar() == pytest.approx(twin([1], gradients[3:], .1)[-1][0], abs=1e-6)


@pytest.mark.parametrize('bad', [{'beta1': 1}, {'beta2': 1.}, {'beta1': -.1}, {'beta2': float('nan')}, {'beta1': '0'},
                                 {'beta2': True}, {'beta2': 1 - 1e-9},
                                 {'epsilon': -1e-8}, {'epsilon': float('inf')}, {'epsilon': None}])
def test_numbers_that_cannot_be(bad):
    name, = bad
    with pytest.raises(ValueError, match=f'^{name}: must be a number'):
        Adam(**bad)


def test_unknown_keyword():
    with pytest.raises(TypeError, match='betas'):
        Adam(betas=(.9, .999))


@pytest.mark.parametrize('case', CASES)
def test_as_pytorch(case):
    torch = pytest.importorskip('torch')
    lr, wd = case.get('lr', 1e-3), case.get('wd', 0)
    betas, epsilon = (case.get('beta1', .9), case.get('beta2', .999)), case.get('epsilon', 1e-8)
    weight, gradients = np.linspace(-1, 1, 200, dtype='float32'), gradients_of(100, seed=1)
    theirs = torch.nn.Parameter(torch.tensor(weight))
    optimizer = torch.optim.Adam([theirs], lr, betas, epsilon, wd)
    found = steps(Adam(lr, *betas, epsilon, wd=wd), weight, gradients)
    for mine, gradient in zip(found, gradients):
        theirs.grad = torch.tensor(gradient)
        optimizer.step()
        np.testing.assert_allclose(mine, theirs.detach().numpy(), rtol=0, atol=1e-6)


def test_a_trainer_of_gluon_takes_it():
    net = gluon.nn.Dense(1, in_units=2)
    net.initialize(mx.init.One())
    trainer = gluon.Trainer(net.collect_params(), Adam(.1), update_on_kvstore=False)
    with autograd.record():
        loss = net(mx.nd.array([[1, -2]])).sum()
    loss.backward()
    trainer.step(1)
    np.testing.assert_allclose(net.weight.data().asnumpy(), [[.9, 1.1]], atol=1e-6)
