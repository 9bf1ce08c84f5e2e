"""Every rule against PyTorch: value, tangent, and the gradients of the tangent, which are second derivatives."""
import json

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon

from gluonzoo.nn.tangent import ValueAndTangent, tangent_rule
from gluonzoo.nn.tangent_rules import RULES, NoRuleError

torch = pytest.importorskip('torch')
nnf = torch.nn.functional

# name -> (in MXNet, in PyTorch, shape of x, shape of a weight or None). Both are functions of x and the weight.
CASES = {
    # linear
    'copy': (lambda F, x: F.identity(x) * 2, lambda x: x * 2, (2, 3), None),
    'negative': (lambda F, x: F.square(-x), lambda x: x ** 2, (2, 3), None),
    'neg_operator': (lambda F, x: F.square(F.negative(x)), lambda x: x ** 2, (2, 3), None),
    'cast': (lambda F, x: F.square(F.cast(x, dtype='float64')), lambda x: x ** 2, (2, 3), None),
    'amp_cast': (lambda F, x: F.square(F.amp_cast(x, dtype='float32')), lambda x: x ** 2, (2, 3), None),
    'amp_multicast': (lambda F, x, w: F.square(F.amp_multicast(w, F.square(x), num_outputs=2)[1]),
                      lambda x, w: x ** 4 + 0 * w, (2, 3), (2, 3)),
    'reshape': (lambda F, x: F.reshape(F.square(x), (0, -3)), lambda x: (x ** 2).reshape(2, 12), (2, 3, 4), None),
    'flatten': (lambda F, x, w: F.dot(F.flatten(F.square(x)), w), lambda x, w: (x ** 2).flatten(1) @ w, (2, 3, 4),
                (12, 5)),
    'transpose': (lambda F, x, w: F.dot(w, F.transpose(F.square(x))), lambda x, w: w @ (x ** 2).T, (2, 3), (4, 3)),
    'swapaxes': (lambda F, x, w: F.dot(w, F.swapaxes(F.square(x), 0, 1)), lambda x, w: w @ (x ** 2).T, (2, 3), (4, 3)),
    'expand_squeeze': (lambda F, x: F.squeeze(F.square(F.expand_dims(x, 1)), 1), lambda x: x ** 2, (2, 3), None),
    'slice': (lambda F, x: F.slice(F.square(x), (0, 1), (2, 3)), lambda x: x[:, 1:3] ** 2, (2, 4), None),
    'slice_axis': (lambda F, x: F.slice_axis(F.square(x), axis=1, begin=1, end=None), lambda x: x[:, 1:] ** 2, (2, 4),
                   None),
    'flip': (lambda F, x: F.square(x) * F.flip(x, axis=1), lambda x: x ** 2 * x.flip(1), (2, 4), None),
    'tile_repeat': (lambda F, x, w: F.square(F.tile(x, (1, 2)) * w) * F.repeat(x, 2, axis=1),
                    lambda x, w: (x.repeat(1, 2) * w) ** 2 * x.repeat_interleave(2, 1), (2, 3), (2, 6)),
    'broadcast': (lambda F, x, w: F.square(F.broadcast_to(x, (4, 3)) * w) * F.broadcast_axis(x, axis=0, size=4)
                  * F.broadcast_like(x, w), lambda x, w: (x * w) ** 2 * x ** 2, (1, 3), (4, 3)),
    'shuffle': (lambda F, x, w: F.depth_to_space(F.square(x), 2) * w,
                lambda x, w: (x ** 2).reshape(2, 2, 2, 3, 2, 2).permute(0, 3, 4, 1, 5, 2).reshape(2, 3, 4, 4) * w,
                (2, 12, 2, 2), (2, 3, 4, 4)),
    'unshuffle': (lambda F, x, w: F.space_to_depth(F.square(x), 2) * w,
                  lambda x, w: (x ** 2).reshape(2, 3, 2, 2, 2, 2).permute(0, 3, 5, 1, 2, 4).reshape(2, 12, 2, 2) * w,
                  (2, 3, 4, 4), (2, 12, 2, 2)),
    'diag': (lambda F, x: F.diag(F.square(x)), lambda x: (x ** 2).diagonal(), (3, 3), None),
    'sums': (lambda F, x: F.square(F.sum(F.square(x), axis=1)) + F.mean(x ** 3, axis=1),
             lambda x: ((x ** 2).sum(1)) ** 2 + (x ** 3).mean(1), (2, 3), None),
    'scalars': (lambda F, x: F.square(2 - (x * 3 / 7 + .5)) - 3, lambda x: (2 - (x * 3 / 7 + .5)) ** 2 - 3, (2, 3),
                None),
    'like': (lambda F, x, w: F.reshape_like(F.square(x), w) * w * F.reshape(F.slice_like(
        x, F.ones_like(x) * F.zeros_like(x)), (3, 2)), lambda x, w: (x ** 2).reshape(3, 2) * w * x.reshape(3, 2),
        (2, 3), (3, 2)),
    'concat': (lambda F, x, w: F.square(F.concat(x, w, F.square(x), dim=1)),
               lambda x, w: torch.cat([x, w, x ** 2], 1) ** 2, (2, 3), (2, 4)),
    'stack': (lambda F, x, w: F.square(F.stack(x, w, x ** 3, axis=1)), lambda x, w: torch.stack([x, w, x ** 3], 1) ** 2,
              (2, 3), (2, 3)),
    'add': (lambda F, x, w: F.square(F.add_n(x, w, F.square(x)) + w - x), lambda x, w: (w + x ** 2 + w) ** 2, (2, 3),
            (2, 3)),
    'broadcast_add': (lambda F, x, w: F.broadcast_add(F.square(x), w) * F.broadcast_sub(w, x),
                      lambda x, w: (x ** 2 + w) * (w - x), (2, 1), (1, 3)),
    'split': (lambda F, x: F.split(F.square(x), 2, axis=1)[1] * F.split(x, 2, axis=1)[0],
              lambda x: x[:, 2:] ** 2 * x[:, :2], (2, 4), None),
    'split_v2': (lambda F, x: F.split_v2(F.square(x), 2, axis=1)[1] * F.split_v2(x, 2, axis=1)[0],
                 lambda x: x[:, 2:] ** 2 * x[:, :2], (2, 4), None),
    'pad': (lambda F, x, w: F.square(F.pad(x, mode='constant', constant_value=3, pad_width=(0, 0, 0, 0, 1, 2, 2, 1)) * w
                                     + F.pad(x, mode='reflect', pad_width=(0, 0, 0, 0, 1, 2, 2, 1))),
            lambda x, w: (nnf.pad(x, (2, 1, 1, 2), value=3) * w + nnf.pad(x, (2, 1, 1, 2), mode='reflect')) ** 2,
            (1, 2, 4, 4), (1, 2, 7, 7)),
    'where': (lambda F, x, w: F.where(w > 0, F.square(x), x * w), lambda x, w: torch.where(w > 0, x ** 2, x * w),
              (2, 3), (2, 3)),
    'take': (lambda F, x, w: F.take(F.square(x), F.round(F.abs(w * 0))), lambda x, w: x[[0, 0]] ** 2 + 0 * w, (3, 2),
             (2,)),
    'up': (lambda F, x: F.UpSampling(F.square(x), scale=2, sample_type='nearest'),
           lambda x: nnf.interpolate(x ** 2, scale_factor=2), (1, 2, 3, 3), None),
    'pooling': (lambda F, x: F.Pooling(F.square(x), kernel=(2, 2), stride=(2, 2), pool_type='avg')
                + F.Pooling(x ** 3, kernel=(2, 2), stride=(2, 2), pool_type='sum'),
                lambda x: nnf.avg_pool2d(x ** 2, 2) + 4 * nnf.avg_pool2d(x ** 3, 2), (1, 2, 4, 4), None),
    'global_pooling': (lambda F, x: F.Pooling(F.square(x), global_pool=True, kernel=(1, 1), pool_type='avg')
                       + F.contrib.AdaptiveAvgPooling2D(x ** 3),
                       lambda x: (x ** 2 + x ** 3).mean((2, 3), keepdim=True), (1, 2, 4, 4), None),
    # products
    'products': (lambda F, x, w: x * w * F.square(x) + F.broadcast_mul(w, F.slice_axis(x, axis=1, begin=0, end=1)),
                 lambda x, w: x * w * x ** 2 + w * x[:, :1], (2, 3), (2, 3)),
    'dot': (lambda F, x, w: F.broadcast_add(F.dot(F.square(x), w, transpose_b=True),
                                         F.sum(F.dot(x, x, transpose_a=True), axis=(0, 1), keepdims=True)),
            lambda x, w: (x ** 2) @ w.T + (x.T @ x).sum(), (2, 3), (4, 3)),
    'batch_dot': (lambda F, x, w: F.batch_dot(F.batch_dot(x, w), x, transpose_b=True),
                  lambda x, w: x @ w @ x.mT, (2, 3, 4), (2, 4, 4)),
    'convolution': (lambda F, x, w: F.Convolution(F.square(x), w, kernel=(3, 3), pad=(1, 1), stride=(2, 2),
                                                  num_filter=4, no_bias=True),
                    lambda x, w: nnf.conv2d(x ** 2, w, stride=2, padding=1), (2, 3, 5, 5), (4, 3, 3, 3)),
    'convolution_with_bias': (
        lambda F, x, w: F.square(F.Convolution(x, w, F.reshape(F.slice(w, (0, 0, 0, 0), (4, 1, 1, 1)), (-1,)),
                                               kernel=(3, 3), num_filter=4, dilate=(2, 2))),
        lambda x, w: nnf.conv2d(x, w, w[:, 0, 0, 0], dilation=2) ** 2, (1, 3, 7, 7), (4, 3, 3, 3)),
    'convolution_by_itself': (lambda F, x, w: F.Convolution(x, F.broadcast_mul(F.mean(x), w), kernel=(2, 2),
                                                            num_filter=2, no_bias=True),
                              lambda x, w: nnf.conv2d(x, x.mean() * w), (1, 2, 3, 3), (2, 2, 2, 2)),
    'deconvolution': (lambda F, x, w: F.square(F.Deconvolution(x, w, kernel=(4, 4), pad=(1, 1), stride=(2, 2),
                                                               num_filter=2, no_bias=True)),
                      lambda x, w: nnf.conv_transpose2d(x, w, stride=2, padding=1) ** 2, (1, 3, 3, 3), (3, 2, 4, 4)),
    'dense': (lambda F, x, w: F.square(F.FullyConnected(x, w, F.mean(w, axis=1), num_hidden=4)),
              lambda x, w: nnf.linear(x.flatten(1), w, w.mean(1)) ** 2, (2, 3, 2), (4, 6)),
    'dense_not_flat': (lambda F, x, w: F.square(F.FullyConnected(x, w, num_hidden=4, no_bias=True, flatten=False)),
                       lambda x, w: nnf.linear(x, w) ** 2, (2, 3, 5), (4, 5)),
    'quotient': (lambda F, x, w: w / (x * x + 1) + F.broadcast_div(F.square(x), F.slice_axis(
        F.exp(x), axis=1, begin=0, end=1)), lambda x, w: w / (x * x + 1) + x ** 2 / x[:, :1].exp(), (2, 3), (2, 3)),
    # one number at a time
    'square': (lambda F, x: F.square(x) ** 1.5, lambda x: (x ** 2) ** 1.5, (2, 3), None),
    'roots': (lambda F, x: F.sqrt(x * x + 1) + F.rsqrt(x * x + 2) + F.reciprocal(x * x + 3) + 2 / (x * x + 1),
              lambda x: (x * x + 1).sqrt() + (x * x + 2).rsqrt() + 1 / (x * x + 3) + 2 / (x * x + 1), (2, 3), None),
    'exponentials': (lambda F, x: F.exp(x) + F.expm1(x * x) + F.log(x * x + 1) + F.log1p(x * x),
                     lambda x: x.exp() + torch.expm1(x * x) + torch.log(x * x + 1) + torch.log1p(x * x), (2, 3), None),
    'waves': (lambda F, x: F.sin(x) + F.cos(2 * x), lambda x: x.sin() + (2 * x).cos(), (2, 3), None),
    'squashes': (lambda F, x: F.tanh(x) + F.sigmoid(2 * x) + F.softsign(3 * x),
                 lambda x: x.tanh() + (2 * x).sigmoid() + nnf.softsign(3 * x), (2, 3), None),
    'erf': (lambda F, x: F.erf(x), lambda x: torch.erf(x), (2, 3), None),
    'abs': (lambda F, x: F.abs(x) * F.square(x), lambda x: x.abs() * x ** 2, (2, 3), None),
    'relu': (lambda F, x: F.relu(x) * x, lambda x: x.relu() * x, (2, 3), None),
    'clip': (lambda F, x: F.clip(x, -.5, .5) * x, lambda x: x.clamp(-.5, .5) * x, (2, 9), None),
    'bounds': (lambda F, x: F.maximum(x, -.5) * F.minimum(x, .5) * x,
               lambda x: torch.clamp(x, min=-.5) * torch.clamp(x, max=.5) * x, (2, 9), None),
    'comparisons': (lambda F, x: x * (x > .1) + x * x * (x >= 0) + (x < 0) * x ** 3 + (x <= .2) * x + (x == 1) + x
                    * (x != 3) + F.sign(x) * F.BlockGrad(x) + F.floor(x) + F.ceil(x) + F.round(x) + F.trunc(x)
                    + F.rint(x) + F.fix(x) + F.logical_not(x),
                    lambda x: x * (x > .1) + x * x * (x >= 0) + (x < 0) * x ** 3 + (x <= .2) * x + x
                    + (x.sign() * x + x.floor() + x.ceil() + x.round() + 2 * x.trunc() + x.round()).detach(), (2, 9),
                    None),
    'comparisons_of_two': (
        lambda F, x, w: x * x * ((x > w) + 2 * (x >= w) + 3 * (x < w) + 4 * (x <= w) + 5 * (x == w) + 6 * (x != w))
        + x * F.broadcast_greater(x, w) + x * F.broadcast_greater_equal(x, w) + x * F.broadcast_lesser(x, w)
        + x * F.broadcast_lesser_equal(x, w) + x * F.broadcast_equal(x, w) + x * F.broadcast_not_equal(x, w)
        + x * F.elemwise_sub(w, w),
        lambda x, w: x * x * torch.where(x > w, 9., 13.) + 3 * x + 0 * w, (2, 9), (2, 9)),
    'places': (lambda F, x: F.broadcast_mul(x, F.argmax(x, axis=1, keepdims=True) + F.argmin(
        x, axis=1, keepdims=True)) + x * F.one_hot(F.argmax(x, axis=1), 9),
        lambda x: x * (x.argmax(1, keepdim=True) + x.argmin(1, keepdim=True)) + x * nnf.one_hot(x.argmax(1), 9),
        (2, 9), None),
    'activations': (lambda F, x: F.Activation(x, 'relu') * x + F.Activation(x, 'sigmoid') + F.Activation(x, 'softsign')
                    + F.Activation(x, 'tanh') + F.Activation(x, 'softrelu'),
                    lambda x: x.relu() * x + x.sigmoid() + nnf.softsign(x) + x.tanh() + nnf.softplus(x), (2, 9), None),
    'leaky': (lambda F, x: F.LeakyReLU(x, slope=.125) * x + F.LeakyReLU(x, slope=2) * x,
              lambda x: nnf.leaky_relu(x, .125) * x + nnf.leaky_relu(x, 2) * x, (2, 9), None),
    'elu': (lambda F, x: F.LeakyReLU(x, act_type='elu', slope=.75), lambda x: nnf.elu(x, .75), (2, 9), None),
    'gelu': (lambda F, x: F.LeakyReLU(x, act_type='gelu'), lambda x: nnf.gelu(x), (2, 9), None),
    # over an axis
    'softmax': (lambda F, x: F.softmax(x, axis=1) * x, lambda x: x.softmax(1) * x, (2, 3, 4), None),
    'log_softmax': (lambda F, x: F.log_softmax(x), lambda x: x.log_softmax(-1), (2, 3), None),
    'instance_norm': (lambda F, x, w: F.InstanceNorm(x, w, w, eps=.125),
                      lambda x, w: nnf.instance_norm(x, weight=w, bias=w, eps=.125), (2, 3, 4, 4), (3,)),
    'layer_norm': (lambda F, x, w: F.LayerNorm(x, w, w, eps=.125), lambda x, w: nnf.layer_norm(x, (5,), w, w, .125),
                   (2, 3, 5), (5,)),
    'group_norm': (lambda F, x, w: F.GroupNorm(x, w, w, num_groups=2, eps=.125),
                   lambda x, w: nnf.group_norm(x, 2, *2 * [w.repeat_interleave(2)], .125), (2, 4, 3, 3), (2,)),
    'one_group': (lambda F, x, w: F.GroupNorm(x, w, w, num_groups=1, eps=.125),
                  lambda x, w: nnf.group_norm(x, 1, *2 * [w.repeat(4)], .125), (2, 4, 3, 3), (1,)),
}
ONLY_FLOAT32 = {'instance_norm', 'amp_cast', 'amp_multicast', 'places'}   # MXNet's operators have no float64
WITH_FLOAT32 = {'leaky', 'gelu'}   # MXNet's operators compute with float32 inside


class Block(gluon.HybridBlock):
    def __init__(self, function, weight=None):
        super().__init__()
        self._function = function
        if weight is not None:
            self.weight = self.params.get('weight', shape=weight)

    def hybrid_forward(self, F, x, weight=None):
        return self._function(F, x) if weight is None else self._function(F, x, weight)


def made(case, dtype):
    function, _, shape, weight = CASES[case]
    block = Block(function, weight)
    block.initialize(mx.init.Normal(1))
    block.cast(dtype)
    return block, shape


@pytest.mark.parametrize('dtype', ['float64', 'float32'])
@pytest.mark.parametrize('case', CASES)
def test_rule(case, dtype):
    if dtype == 'float64' and case in ONLY_FLOAT32:
        pytest.skip('no such operator in MXNet')
    block, shape = made(case, dtype)
    x, v = (mx.nd.array(np.random.normal(size=shape), dtype=dtype) for _ in range(2))
    x.attach_grad()
    with autograd.record():
        y, t = ValueAndTangent(block)(x, v)
        ahead = mx.nd.array(np.random.normal(size=t.shape), dtype=t.dtype)
        loss = (ahead * t).sum()
    loss.backward()
    found = [y, loss, x.grad] + [parameter.grad() for parameter in block.collect_params().values()]

    inputs = [torch.tensor(array.asnumpy()).double().requires_grad_()
              for array in (x, *(parameter.data() for parameter in block.collect_params().values()))]
    twin = CASES[case][1](*inputs)
    assert t.shape == y.shape == tuple(twin.shape)
    u, = torch.autograd.grad((twin * torch.tensor(ahead.asnumpy())).sum(), inputs[0], create_graph=True)
    loss = (u * torch.tensor(v.asnumpy())).sum()
    gradients = torch.autograd.grad(loss, inputs, allow_unused=True) if loss.requires_grad else [None] * len(inputs)
    gradients = [torch.zeros_like(a) if g is None else g for a, g in zip(inputs, gradients)]
    for ours, theirs in zip(found, (twin, loss, *gradients)):
        theirs = theirs.detach().numpy().reshape(ours.shape)
        bound = (1e-12 if dtype == 'float64' and case not in WITH_FLOAT32 else 5e-6) * max(1, abs(theirs).max())
        np.testing.assert_allclose(ours.asnumpy(), theirs, rtol=0, atol=bound)


def operators_of(symbol):
    return {node['op'] for node in json.loads(symbol.tojson(remove_amp_cast=False))['nodes']}


def test_every_rule_is_tested():
    used = set().union(*(operators_of(made(case, 'float32')[0](mx.sym.var('data'))) for case in CASES))
    assert set(RULES) - used == {'BatchNorm', 'shape_array', 'size_array'}   # the last two are of integers


@pytest.mark.parametrize('case, at', [('relu', 0), ('leaky', 0), ('activations', 0), ('clip', .5), ('clip', -.5),
                                      ('bounds', .5), ('bounds', -.5), ('abs', 0)])
def test_at_a_jump_the_slope_is_that_of_the_gradient(case, at):
    block, _ = made(case, 'float32')
    x = mx.nd.full((1, 1), at)
    x.attach_grad()
    with autograd.record():
        y = block(x)
    y.backward()
    _, t = ValueAndTangent(block)(x, mx.nd.ones((1, 1)))
    assert t.asscalar() == x.grad.asscalar()


@pytest.mark.parametrize('function, message', [
    (lambda F, x: F.max(x, axis=1), 'operator max, has no tangent rule$'),
    (lambda F, x: F.Pooling(x, kernel=(2, 2), pool_type='max'), 'operator Pooling, has no tangent rule: of its kinds'),
    (lambda F, x: F.LeakyReLU(x, act_type='selu'), 'its kind selu has no rule'),
    (lambda F, x: F.Dropout(x, p=.5), 'operator Dropout, has no tangent rule: it is different in every pass'),
    (lambda F, x: F.cast(x, dtype='int32'), 'of its types only floats have a rule, not int32'),
    (lambda F, x: F.softmax(x, temperature=2), 'with a length or a temperature'),
    (lambda F, x: F.Convolution(x, F.ones_like(x), F.mean(x, axis=(0, 2, 3)), kernel=(1, 1), num_filter=2),
     'its bias must not depend'),
    (lambda F, x: F.take(F.ones((3, 2)), x), 'only its first input may depend'),
    (lambda F, x: F.UpSampling(x, F.ones((3, 1, 4, 4)), scale=2, sample_type='bilinear', num_filter=3),
     'of its kinds only nearest'),
])
def test_errors(function, message):
    with pytest.raises(ValueError, match=message):
        ValueAndTangent(Block(function))


def test_a_rule_of_ones_own():
    """Beside the layer that needs it; none may replace another."""
    def maximum(F, x):
        return F.broadcast_mul(F.max(x, axis=1, keepdims=True), x)

    with pytest.raises(ValueError, match='tangent_rule: Convolution has a rule already, of gluonzoo.nn.tangent_rules'):
        tangent_rule('max', 'Convolution')(lambda op: None)
    assert 'max' not in RULES

    @tangent_rule('max')
    def rule(op):
        if op.attribute('keepdims', False) is not True:
            raise NoRuleError('only with keepdims')
        is_largest = mx.sym.BlockGrad(mx.sym.broadcast_equal(op.values[0], op.output))
        return mx.sym.sum(is_largest * op.alone(), axis=op.attribute('axis', None), keepdims=True)

    try:
        y, t = ValueAndTangent(Block(maximum))(mx.nd.array([[1, 3, 2]]), mx.nd.array([[10, 20, 40]]))
        assert y.asnumpy().tolist() == [[3, 9, 6]] and t.asnumpy().tolist() == [[50, 120, 160]]
        with pytest.raises(ValueError, match='operator max, has no tangent rule: only with keepdims'):
            ValueAndTangent(Block(lambda F, x: F.max(x, axis=1)))
    finally:
        del RULES['max']
