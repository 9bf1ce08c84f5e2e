"""Proves with numbers that the gradient penalty is exact, and that what MXNet offers instead is not.

    python scripts/gradient_penalty.py

prints the tables of notes/gradient_penalty.md. The input is made here, so the numbers are always the same. The critics
are small enough for a formula, in NumPy.
"""
import sys

import gluonzoo  # noqa: F401  first: it makes MXNet importable

# isort: split
import mxnet as mx
import numpy as np
from mxnet import autograd
from mxnet.gluon import HybridBlock

from gluonzoo.tasks.adversarial.penalty import GradientPenalty

SAMPLES, LENGTH, HIDDEN = 64, 6, 64
STEPS = 1e-1, 1e-2, 1e-3


class Critic(HybridBlock):
    """a . f(W x): a score of a vector."""

    def __init__(self, kind, w, a, dtype):
        super().__init__()
        self._kind = kind
        self.w, self.a = (self.params.get(name, shape=array.shape, dtype=dtype) for name, array in (('w', w), ('a', a)))
        self.initialize()
        self.w.set_data(mx.nd.array(w, dtype=dtype))
        self.a.set_data(mx.nd.array(a, dtype=dtype))

    def hybrid_forward(self, F, x, w, a):
        z = F.FullyConnected(x, w, num_hidden=HIDDEN, no_bias=True)
        h = F.tanh(z) if self._kind == 'tanh' else F.relu(z)
        return F.FullyConnected(h, a, num_hidden=1, no_bias=True)


def example(kind):
    """(W, a, x), multiples of 1/64, so that float32 holds them exactly."""
    rng = np.random.default_rng(len(kind))
    return [np.round(64 * rng.normal(0, 1, shape)) / 64 for shape in ((HIDDEN, LENGTH), (1, HIDDEN), (SAMPLES, LENGTH))]


def penalty_of(lengths):
    return ((lengths - 1) ** 2).mean()


def by_formula(kind, w, a, x):
    """(penalty, its gradient by W, by a). s is the slope of f, and r the slope of s."""
    z = x @ w.T   # [samples, hidden]
    if kind == 'tanh':
        s = 1 - np.tanh(z) ** 2
        r = -2 * np.tanh(z) * s
    else:
        s, r = (z > 0).astype(float), np.zeros_like(z)
    u = (a * s) @ w   # of each sample: W^T (a s)
    lengths = np.linalg.norm(u, axis=1, keepdims=True)
    v = 2 / len(x) * (lengths - 1) * u / lengths
    along = v @ w.T   # W v
    return penalty_of(lengths), (a * s).T @ v + (a * r * along).T @ x, (s * along).sum(0, keepdims=True)


def by_gluonzoo(kind, w, a, x, dtype):
    critic, x = Critic(kind, w, a, dtype), mx.nd.array(x, dtype=dtype)
    with autograd.record():
        loss = GradientPenalty(critic, weight=1)(x, x)
    loss.backward()
    return loss.asscalar(), critic.w.grad().asnumpy(), critic.a.grad().asnumpy()


def by_create_graph(kind, w, a, x):
    """As MXNet differentiates a gradient. Raises MXNetError where it does not."""
    critic, x = Critic(kind, w, a, 'float64'), mx.nd.array(x, dtype='float64')
    x.attach_grad()
    with autograd.record():
        u, = autograd.grad(critic(x), [x], create_graph=True, retain_graph=True)
        loss = mx.nd.square(mx.nd.sqrt(mx.nd.sum(mx.nd.square(u), axis=1)) - 1).mean()
    loss.backward()
    return loss.asscalar(), critic.w.grad().asnumpy(), critic.a.grad().asnumpy()


def by_differences(kind, w, a, x, step):
    """By the gradients of the parameters at two pictures, a step along v apart: what needs no second derivative."""
    critic, pictures = Critic(kind, w, a, 'float64'), mx.nd.array(x, dtype='float64')
    pictures.attach_grad()
    with autograd.record():
        scores = critic(pictures)
    scores.backward()
    u = pictures.grad.asnumpy()
    lengths = np.linalg.norm(u, axis=1, keepdims=True)
    v = 2 / len(x) * (lengths - 1) * u / lengths
    step = step / abs(v).max()
    found = []
    for sign in (1, -1):
        with autograd.record():
            scores = critic(mx.nd.array(x + sign * step * v, dtype='float64'))
        scores.backward()
        found.append([critic.w.grad().asnumpy(), critic.a.grad().asnumpy()])
    return penalty_of(lengths), *((ahead - behind) / (2 * step) for ahead, behind in zip(*found))


def error_of(found, wanted):
    """The length of the difference of all gradients, as a part of their length."""
    found, wanted = (np.concatenate([np.ravel(gradient) for gradient in results[1:]]) for results in (found, wanted))
    return np.linalg.norm(found - wanted) / np.linalg.norm(wanted)


# -- tables ----------------------------------------------------------------------------------------------------------

def critics():
    """Errors of the gradient of the penalty by all parameters."""
    yield '', 'float32', 'float64', 'create_graph', *(f'step {step:g}' for step in STEPS)
    for kind in ('tanh', 'relu'):
        case = kind, *example(kind)
        wanted = by_formula(*case)
        try:
            graph = _error(error_of(by_create_graph(*case), wanted))
        except mx.MXNetError:
            graph = 'refused'
        yield (kind, *(_error(error_of(by_gluonzoo(*case, dtype), wanted)) for dtype in ('float32', 'float64')), graph,
               *(_error(error_of(by_differences(*case, step), wanted)) for step in STEPS))


WEIGHT = np.linspace(-1, 1, 12).reshape(3, 4)
OPERATORS = {
    'tanh': lambda x, w: mx.nd.tanh(x), 'exp': lambda x, w: mx.nd.exp(x), 'relu': lambda x, w: mx.nd.relu(x),
    'FullyConnected': lambda x, w: mx.nd.FullyConnected(x, w, num_hidden=3, no_bias=True),
    'clip': lambda x, w: mx.nd.clip(x, -5, 5),
    'Convolution': lambda x, w: mx.nd.Convolution(x.reshape((2, 1, 4)), w.reshape((3, 1, 4)), kernel=(4,), num_filter=3,
                                                  no_bias=True),
    'LeakyReLU': lambda x, w: mx.nd.LeakyReLU(x, slope=.25), 'product': lambda x, w: x * 2,
    'sum': lambda x, w: mx.nd.sum(x, axis=1), 'Reshape': lambda x, w: x.reshape((4, 2))}


def operators():
    """What MXNet makes of the second derivative of the square of an operator."""
    yield '', 'create_graph'
    x = np.linspace(.3, 1.7, 8).reshape(2, 4)   # positive: no rectifier is at its jump
    for name, operator in OPERATORS.items():
        try:
            found = _slope(operator, x)[1]
        except mx.MXNetError:
            yield name, 'refused'
            continue
        step = 1e-5
        wanted = np.array([(_slope(operator, x + step * one)[0] - _slope(operator, x - step * one)[0]) / (2 * step)
                           for one in np.eye(8).reshape(8, 2, 4)]).reshape(2, 4)
        error = np.linalg.norm(found - wanted) / np.linalg.norm(wanted)
        yield name, 'right' if error < 1e-6 else f'wrong by {error:.0%}'


def _slope(operator, x):
    """(the squared length of the gradient of the sum of squares of the outputs, and the gradient of that)"""
    x, w = mx.nd.array(x, dtype='float64'), mx.nd.array(WEIGHT, dtype='float64')
    x.attach_grad()
    with autograd.record():
        u, = autograd.grad(mx.nd.square(operator(x, w)), [x], create_graph=True, retain_graph=True)
        length = mx.nd.square(u).sum()
    length.backward()
    return length.asscalar(), x.grad.asnumpy()


def by_hand():
    """A linear critic: its gradient is its weights."""
    yield '', 'value', 'gradient'
    for weights, options in (((3, 4), {}), ((.3, .4), {}), ((.3, .4), {'sided': 'one'}), ((0, 0), {})):
        critic = mx.gluon.nn.Dense(1, use_bias=False, in_units=2)
        critic.initialize()
        critic.weight.set_data(mx.nd.array([weights]))
        x = mx.nd.ones((2, 2))
        with autograd.record():
            loss = GradientPenalty(critic, **options)(x, x)
        loss.backward()
        yield (f'{weights}{", one-sided" * bool(options)}', f'{loss.asscalar():.4f}',
               ' '.join(f'{number:.4f}' for number in critic.weight.grad().asnumpy().ravel() + 0.))


def _error(error):
    """Rounding errors depend on the machine; their size does not."""
    bound = next((bound for bound in (1e-12, 1e-6) if error < bound), None)
    return f'{error:.1g}' if bound is None else f'< {bound:g}'


def main():
    for table in (operators, critics, by_hand):
        print(f'{table.__name__.replace("_", " ")}')
        for first, *rest in table():
            print(f'  {first:22}', *(f'{cell:>13}' for cell in rest))
        print()
    return 0


if __name__ == '__main__':
    sys.exit(main())
