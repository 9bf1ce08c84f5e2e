"""Values, tangents and gradients by input of whole networks; the rules one by one: test_tangent_rules.py."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd
from mxnet.gluon import nn

from gluonzoo.models.patchgan import patchgan
from gluonzoo.nn.instance_norm import InstanceNorm
from gluonzoo.nn.tangent import GradientAndTangent, ValueAndTangent


@pytest.fixture
def net():
    """Of values under BlockGrad and of a normalisation, whose tangent needs values with gradients."""
    net = nn.HybridSequential()
    net.add(nn.Conv2D(4, 3, 1, 1, in_channels=2), InstanceNorm(), nn.Activation('relu'), nn.Conv2D(3, 3, in_channels=4),
            nn.Activation('tanh'), nn.Dense(2, in_units=3 * 4 * 4))
    net.initialize(mx.init.Normal(.3))
    return net


def normal(*shape):
    return mx.nd.array(np.random.normal(size=shape))


def test_by_hand():
    """y = tanh(3 x1 - 2 x2) at (1, 1): its tangent along (1, -1) is 5 (1 - y^2), by the weights (1, -1) (1 - y^2)
    - 2 y (1 - y^2) 5 (1, 1).
    """
    net = nn.Dense(1, activation='tanh', use_bias=False, in_units=2)
    net.initialize()
    net.weight.set_data(mx.nd.array([[3, -2]]))
    with autograd.record():
        y, t = ValueAndTangent(net)(mx.nd.ones((1, 2)), mx.nd.array([[1, -1]]))
    t.backward()
    value = np.tanh(1)
    slope = 1 - value ** 2
    assert y.asscalar() == pytest.approx(value, rel=1e-6) and t.asscalar() == pytest.approx(5 * slope, rel=1e-6)
    np.testing.assert_allclose(net.weight.grad().asnumpy(), [[slope - 10 * value * slope, -slope - 10 * value * slope]],
                               rtol=1e-5)


@pytest.mark.parametrize('hybrid', [False, True])
def test_the_value_is_the_networks(net, hybrid):
    if hybrid:
        net.hybridize(static_alloc=True)
    x = normal(3, 2, 6, 6)
    net(x)
    y, t = ValueAndTangent(net)(x, normal(3, 2, 6, 6))
    np.testing.assert_allclose(y.asnumpy(), net(x).asnumpy(), rtol=1e-5, atol=1e-6)
    assert t.shape == y.shape


def test_tangents_are_linear_and_differences(net):
    net.cast('float64')
    both, x, v, w = ValueAndTangent(net), *(normal(3, 2, 6, 6).astype('float64') for _ in range(3))
    along_v, along_w, along_both = (both(x, d)[1].asnumpy() for d in (v, w, 2 * v - w))
    np.testing.assert_allclose(along_both, 2 * along_v - along_w, rtol=1e-9, atol=1e-12)
    step = 1e-6   # a unit that crosses 0 within a step would show as an error of 1e-1, and there is none at these seeds
    difference = (net(x + step * v) - net(x - step * v)).asnumpy() / (2 * step)
    np.testing.assert_allclose(along_v, difference, rtol=1e-6, atol=1e-7)


def test_the_tangent_is_the_gradient_times_the_direction(net):
    """And both classes say the same, with the same gradients of the parameters."""
    x, v = normal(3, 2, 6, 6), normal(3, 2, 6, 6)
    passes = GradientAndTangent(net)
    u, constants = passes.gradient(x)
    scaled, _ = passes.gradient(x, 4.)
    np.testing.assert_allclose(scaled.asnumpy(), 4 * u.asnumpy(), rtol=1e-6)
    own = x.copy()
    own.attach_grad()
    with autograd.record():
        y = net(own)
    y.backward()
    np.testing.assert_allclose(u.asnumpy(), own.grad.asnumpy(), rtol=1e-4, atol=1e-6)

    found = []
    for tangent in (lambda: ValueAndTangent(net)(x, v)[1], lambda: passes.tangent(x, v, constants)):
        for parameter in net.collect_params().values():
            parameter.zero_grad()
        with autograd.record():
            t = tangent()
        t.backward()
        found.append([t.asnumpy(), *(parameter.grad().asnumpy() for parameter in net.collect_params().values())])
    np.testing.assert_allclose(found[0][0].sum(), (u * v).sum().asscalar(), rtol=1e-4)
    for one, other in zip(*found):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    assert all(abs(array).max() > .01 for array in found[0][:2])   # the tangent, and the first weight


def test_two_points_at_a_time(net):
    """The constants of a point stay as they are while others are computed."""
    passes, points = GradientAndTangent(net), [normal(3, 2, 6, 6) for _ in range(3)]
    v = normal(3, 2, 6, 6)

    def learn(x, constants):
        for parameter in net.collect_params().values():
            parameter.zero_grad()
        with autograd.record():
            t = passes.tangent(x, v, constants)
        t.backward()
        return [t.asnumpy(), *(parameter.grad().asnumpy() for parameter in net.collect_params().values())]

    alone = [learn(x, passes.gradient(x)[1]) for x in points]
    constants = [passes.gradient(x)[1] for x in points]
    for x, of_x, wanted in zip(points, constants, alone):
        for found, array in zip(learn(x, of_x), wanted):
            np.testing.assert_allclose(found, array, rtol=1e-5, atol=1e-6)
    with autograd.record():
        tangents = [passes.tangent(x, v, of_x) for x, of_x in zip(points, constants)]
    autograd.backward(tangents[:1])   # while the others are kept
    first = [parameter.grad().asnumpy() for parameter in net.collect_params().values()]
    for found, array in zip(first, alone[0][1:]):
        np.testing.assert_allclose(found, array, rtol=1e-5, atol=1e-6)


def test_the_gradient_leaves_no_trace(net):
    """Neither in the parameters' gradients nor in that of x, nor in what is being recorded."""
    x = normal(3, 2, 6, 6)
    x.attach_grad()
    x.grad[:] = 5
    for parameter in net.collect_params().values():
        parameter.grad()[:] = 7
    with autograd.record():
        passes = GradientAndTangent(net)
        u, constants = passes.gradient(x)
        assert (x.grad == 5).asnumpy().all()
        loss = (x * u).sum()
    loss.backward()
    np.testing.assert_array_equal(x.grad.asnumpy(), u.asnumpy())
    assert all((parameter.grad() == 7).asnumpy().all() for parameter in net.collect_params().values())


def test_rectifiers_have_nothing_to_compute_again():
    """A network of convolutions and rectifiers needs no x in its second pass; one with a tanh does."""
    for layer, names in ((nn.LeakyReLU(.2), set()), (nn.Activation('tanh'), {'data'})):
        net = nn.HybridSequential()
        net.add(nn.Conv2D(4, 3, in_channels=2), layer, nn.Dense(1, in_units=64))
        net.initialize()
        assert set(GradientAndTangent(net)._second._names) & {'data'} == names


class Many(nn.HybridBlock):
    """The sum of tanh(k w x) for k of 1 to 12, so that w x has many readers."""

    def __init__(self):
        super().__init__()
        self.w = self.params.get('w', shape=(1, 3), dtype='float64', init='ones')

    def hybrid_forward(self, F, x, w):
        z = F.broadcast_mul(x, w)
        return F.add_n(*(F.tanh(k * z) for k in range(1, 13)))


@pytest.mark.parametrize('make', [ValueAndTangent, GradientAndTangent])
def test_arrays_with_many_readers(make):
    net = Many()
    net.initialize()
    x, v = (.1 * normal(4, 3).astype('float64') for _ in range(2))
    passes = make(net)
    constants = passes.gradient(x)[1] if make is GradientAndTangent else None
    with autograd.record():
        t = passes(x, v)[1] if constants is None else passes.tangent(x, v, constants)
    t.backward()
    x, v, k = x.asnumpy()[..., None], v.asnumpy()[..., None], np.arange(1, 13)
    y = np.tanh(k * x)
    slope = k * (1 - y ** 2)
    np.testing.assert_allclose(t.asnumpy(), (slope * v).sum(-1), rtol=1e-12)
    # Of slope(k w x) w v by w: slope' x v + slope v, w being 1.
    wanted = (-2 * y * slope * k * x * v + slope * v).sum(-1).sum(0, keepdims=True)
    np.testing.assert_allclose(net.w.grad().asnumpy(), wanted, rtol=1e-11)


def test_what_the_network_computes_from_its_weights_alone_is_no_tangent():
    """As in a convolution to one channel, gluonzoo.nn.one_channel."""
    net = patchgan(3, layers=1, width=32, norm='instance')
    net.initialize(mx.init.Normal(.2))
    x, v = normal(2, 3, 16, 16), normal(2, 3, 16, 16)
    u, _ = GradientAndTangent(net).gradient(x)
    _, t = ValueAndTangent(net)(x, v)
    np.testing.assert_allclose(t.asnumpy().sum(), (u * v).sum().asscalar(), rtol=1e-4)


def test_parameters_are_those_of_the_time_of_the_call_and_of_the_device(net):
    net.collect_params().reset_ctx([mx.cpu(0), mx.cpu(1)])
    both, x, v = ValueAndTangent(net), normal(3, 2, 6, 6), normal(3, 2, 6, 6)
    before = both(x, v)[1].asnumpy()
    net[-1].weight.set_data(net[-1].weight.data(mx.cpu(0)) * 2)
    for ctx in (mx.cpu(0), mx.cpu(1)):
        t = both(x.as_in_context(ctx), v.as_in_context(ctx))[1]
        assert t.ctx == ctx
        np.testing.assert_allclose(t.asnumpy(), 2 * before, rtol=1e-5, atol=1e-6)


class Two(nn.HybridBlock):
    def hybrid_forward(self, F, x):
        return x, x


class Parts(nn.HybridBlock):
    def hybrid_forward(self, F, x):
        return F.split(x, 2, axis=1)


class Constant(nn.HybridBlock):
    def hybrid_forward(self, F, x):
        return F.ones_like(x)


@pytest.mark.parametrize('make', [ValueAndTangent, GradientAndTangent])
@pytest.mark.parametrize('layer, message', [
    (lambda: nn.BatchNorm(in_channels=2),
     r'^\w+: the layer \w*batchnorm\d+_fwd, operator BatchNorm, has no tangent rule: it makes the pictures of a batch '
     'depend on each other'),
    (lambda: nn.Dropout(.5),
     r'^\w+: the layer \w*dropout\d+_fwd, operator Dropout, has no tangent rule: it is different'),
    (nn.MaxPool2D, r'^\w+: the layer \w*pool\d+_fwd, operator Pooling, has no tangent rule: of its kinds only avg '
                     'and sum have a rule, not max$'),
    (Two, 'must have one output'), (Parts, 'must have one output'),
    (Constant, 'its output does not depend on its input')])
def test_errors(make, layer, message):
    net = nn.HybridSequential()
    net.add(nn.Conv2D(2, 3, in_channels=2), layer())
    net.initialize()
    with pytest.raises(ValueError, match=message):
        make(net)


@pytest.mark.parametrize('make', [ValueAndTangent, GradientAndTangent])
@pytest.mark.parametrize('random', [lambda F, weight: F.random.normal(shape=(2,)),
                                    lambda F, weight: F.Dropout(weight, p=.5),
                                    lambda F, weight: F.random.shuffle(weight)])
def test_random_numbers_that_do_not_depend_on_the_input(make, random):
    """The two passes would be of two networks."""
    class Noisy(nn.HybridBlock):
        def __init__(self):
            super().__init__()
            self.weight = self.params.get('weight', shape=(2,))

        def hybrid_forward(self, F, x, weight):
            return F.tanh(F.broadcast_mul(x, random(F, weight)))

    net = Noisy()
    net.initialize()
    with pytest.raises(ValueError, match=r'^noisy\d+: the layer \w+, .*, has no tangent rule: it is different'):
        make(net)


def test_dropout_that_drops_nothing():
    """Gluon's block of the rate 0 is the identity."""
    net = nn.HybridSequential()
    net.add(nn.Dense(1, in_units=2, use_bias=False), nn.Dropout(0))
    net.initialize(mx.init.One())
    assert ValueAndTangent(net)(mx.nd.zeros((1, 2)), mx.nd.ones((1, 2)))[1].asscalar() == 2
