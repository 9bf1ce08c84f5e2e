"""How each operator carries a tangent: the rules of :mod:`gluonzoo.nn.tangent`.

A tangent t of an array h says how h changes: h becomes h + e t when the network's input x becomes x + e v. A rule makes
the tangent of an operator's output from the tangents and the values of its inputs. A rule is built of operators that
have a first derivative in MXNet, so that gradients pass through it.

A rule for an operator of one's own stands beside the layer that uses the operator::

    @tangent_rule('cube')
    def _cube(op):
        return 3 * F.square(op.values[0]) * op.tangents[0]

Where an operator has a slope that jumps, the slope is a constant, under BlockGrad. The passes of
:mod:`gluonzoo.nn.tangent` look for BlockGrad: what stands under it is computed once, without gradients.

At a jump the slope is the one that MXNet's own gradient takes.
"""
import ast
import json

from mxnet import symbol as F

__all__ = ['NoRuleError', 'Operation', 'RULES', 'is_random', 'tangent_rule']

_VERSION = json.loads(F.var('x').tojson())['attrs']   # without it MXNet takes the graph for one of an older version

RULES = {}   # name of an operator -> function of an Operation


def tangent_rule(*operators):
    """Decorates the rule of one or more operators, by their names in MXNet.

    The rule is a function of an :class:`Operation`, of which at least one input has a tangent. It returns the tangent
    of the output, a Symbol, or None for one that is 0; of an operator of several outputs, a list of these. It raises
    :class:`NoRuleError`, with the reason, where it has no answer.

    Raises ValueError if an operator has a rule already.
    """
    def register(rule):
        taken = [operator for operator in operators if operator in RULES]
        if taken:
            raise ValueError(f'tangent_rule: {taken[0]} has a rule already, of {RULES[taken[0]].__module__}')
        RULES.update(dict.fromkeys(operators, rule))
        return rule
    return register


def is_random(operator):
    """Whether an operator makes other numbers in every pass, so that no rule can be right for it."""
    return operator in ('Dropout', '_shuffle') or operator.startswith(('_random_', '_sample_'))


class NoRuleError(ValueError):
    """The operator carries no tangent; says why, or nothing if there simply is no rule."""


class Operation:
    """An operator in a network, with the values around it.

    Attributes
    ----------
    operator, name : str
        'Convolution', and the name of the node: 'patchgan0_conv0_fwd'
    attributes : dict of str -> str
        as MXNet writes them; :meth:`attribute` reads them
    values : list of Symbol
        what the inputs are
    tangents : list of Symbol or None
        of the inputs; None is a tangent of 0
    output : Symbol
        what the operator computes: the first of its outputs
    """

    def __init__(self, node, values, tangents, output):
        self.operator, self.name, self.attributes = node['op'], node['name'], node.get('attrs', {})
        self.values, self.tangents, self.output = values, tangents, output

    def attribute(self, name, default):
        """An attribute as a number, bool, tuple or str; `default` must be MXNet's own."""
        try:
            return ast.literal_eval(self.attributes[name])
        except KeyError:
            return default
        except (ValueError, SyntaxError):
            return self.attributes[name]   # a word

    def again(self, *inputs, **changes):
        """The operator on other inputs, all attributes but `changes` being the same. It has all of its outputs."""
        nodes = [{'op': 'null', 'name': f'input{number}', 'inputs': []} for number in range(len(inputs))]
        attributes = {**self.attributes, **{name: str(value) for name, value in changes.items()}}
        nodes.append({'op': self.operator, 'name': f'{self.name}_tangent', 'attrs': attributes,
                      'inputs': [[number, 0, 0] for number in range(len(inputs))]})
        last = len(inputs)
        graph = {'nodes': nodes, 'arg_nodes': list(range(last)), 'heads': [[last, 0, 0]], 'attrs': _VERSION}
        outputs = len(F.load_json(json.dumps(graph)).get_internals().list_outputs()) - last
        graph['heads'] = [[last, output, 0] for output in range(outputs)]
        return F.load_json(json.dumps(graph))(**{f'input{number}': symbol for number, symbol in enumerate(inputs)})

    def filled(self):
        """The tangents, with zeros where there are none."""
        return [F.zeros_like(value) if tangent is None else tangent
                for value, tangent in zip(self.values, self.tangents)]

    def alone(self):
        """The tangent of the first input, when no other one has any."""
        if any(tangent is not None for tangent in self.tangents[1:]):
            raise NoRuleError('only its first input may depend on the network\'s input')
        return self.tangents[0]


def _total(terms):
    """The sum of the terms that are not None."""
    terms = [term for term in terms if term is not None]
    total = terms[0] if terms else None
    for term in terms[1:]:
        total = total + term
    return total


# -- constants -------------------------------------------------------------------------------------------------------

@tangent_rule('BlockGrad', 'zeros_like', 'ones_like', 'shape_array', 'size_array', 'sign', 'round', 'rint', 'ceil',
              'floor', 'trunc', 'fix', 'argmax', 'argmin', 'one_hot', 'logical_not',
              '_equal', '_not_equal', '_greater', '_greater_equal', '_lesser', '_lesser_equal',
              'broadcast_equal', 'broadcast_not_equal', 'broadcast_greater', 'broadcast_greater_equal',
              'broadcast_lesser', 'broadcast_lesser_equal',
              '_equal_scalar', '_not_equal_scalar', '_greater_scalar', '_greater_equal_scalar', '_lesser_scalar',
              '_lesser_equal_scalar')
def _constant(op):
    """Operators whose gradient is 0."""
    return None


# -- linear operators ------------------------------------------------------------------------------------------------

@tangent_rule('_copy', 'negative', 'amp_cast', 'Reshape', 'Flatten', 'transpose', 'expand_dims', 'squeeze',
              'SwapAxis', 'slice', 'slice_axis', 'reverse', 'tile', 'repeat', 'broadcast_to', 'broadcast_axis',
              'space_to_depth', 'depth_to_space', 'sum', 'mean', 'diag',
              '_contrib_AdaptiveAvgPooling2D', '_mul_scalar', '_div_scalar')
def _linear(op):
    return op.again(op.alone())


@tangent_rule('Cast')
def _cast(op):
    if 'float' not in op.attributes['dtype']:
        raise NoRuleError(f'of its types only floats have a rule, not {op.attributes["dtype"]}')
    return op.again(op.alone())


@tangent_rule('reshape_like', 'slice_like', 'broadcast_like')
def _like(op):
    """Only the shape of the second input is used."""
    return None if op.tangents[0] is None else op.again(op.tangents[0], op.values[1])


@tangent_rule('_plus_scalar', '_minus_scalar')
def _moved(op):
    return op.alone()


@tangent_rule('_rminus_scalar')
def _rminus_scalar(op):
    return -op.alone()


@tangent_rule('Concat', 'stack', 'add_n', 'elemwise_add', 'elemwise_sub', 'broadcast_add', 'broadcast_sub')
def _linear_in_all(op):
    return op.again(*op.filled())


@tangent_rule('amp_multicast')
def _amp_multicast(op):
    together = op.again(*op.filled())
    return [together[number] for number in range(len(op.tangents))]


@tangent_rule('SliceChannel', '_split_v2')
def _parts(op):
    together = op.again(op.alone())
    return [together[number] for number in range(len(together.list_outputs()))]


@tangent_rule('Pad')
def _pad(op):
    return op.again(op.alone(), constant_value=0)


@tangent_rule('where')
def _where(op):
    _, first, second = op.filled()
    return op.again(op.values[0], first, second)


@tangent_rule('take')
def _take(op):
    return op.again(op.alone(), op.values[1])


@tangent_rule('UpSampling')
def _up_sampling(op):
    if op.attribute('sample_type', None) != 'nearest':
        raise NoRuleError('of its kinds only nearest has a rule')
    return op.again(*op.filled())


@tangent_rule('Pooling')
def _pooling(op):
    kind = op.attribute('pool_type', 'max')
    if kind not in ('avg', 'sum'):
        raise NoRuleError(f'of its kinds only avg and sum have a rule, not {kind}')
    return op.again(op.alone())


# -- products --------------------------------------------------------------------------------------------------------

@tangent_rule('elemwise_mul', 'broadcast_mul', 'dot', 'batch_dot')
def _product(op):
    (a, b), (ta, tb) = op.values, op.tangents
    return _total([None if ta is None else op.again(ta, b), None if tb is None else op.again(a, tb)])


@tangent_rule('Convolution', 'Deconvolution', 'FullyConnected')
def _weighted(op):
    """Of data, weight and perhaps a bias."""
    (x, weight), (tx, tweight) = op.values[:2], op.tangents[:2]
    if any(tangent is not None for tangent in op.tangents[2:]):
        raise NoRuleError('its bias must not depend on the network\'s input')
    return _total([None if tx is None else op.again(tx, weight, no_bias=True),
                   None if tweight is None else op.again(x, tweight, no_bias=True)])


@tangent_rule('elemwise_div', 'broadcast_div')
def _quotient(op):
    (_, b), (ta, tb) = op.values, op.tangents
    return _total([None if ta is None else op.again(ta, b),
                   None if tb is None else -F.broadcast_mul(op.again(op.output, b), tb)])


# -- one number at a time --------------------------------------------------------------------------------------------

def _of_slope(*operators):
    """Registers the slope of an operator of one number, a function of its input and its output."""
    def register(slope):
        tangent_rule(*operators)(lambda op: op.alone() * slope(op, op.values[0], op.output))
        return slope
    return register


def _step(condition, below=0.0):
    """1 where the condition holds, and else `below`: a constant."""
    if 0 <= below <= 1:
        return F.BlockGrad(condition if below == 0 else F._internal._maximum_scalar(condition, scalar=below))
    return F.BlockGrad(condition * (1 - below) + below)


_of_slope('square')(lambda op, x, y: 2 * x)
_of_slope('sqrt')(lambda op, x, y: .5 / y)
_of_slope('rsqrt')(lambda op, x, y: -.5 * y / x)
_of_slope('reciprocal')(lambda op, x, y: -F.square(y))
_of_slope('exp')(lambda op, x, y: y)
_of_slope('expm1')(lambda op, x, y: y + 1)
_of_slope('log')(lambda op, x, y: 1 / x)
_of_slope('log1p')(lambda op, x, y: 1 / (1 + x))
_of_slope('sin')(lambda op, x, y: F.cos(x))
_of_slope('cos')(lambda op, x, y: -F.sin(x))
_of_slope('tanh')(lambda op, x, y: 1 - F.square(y))
_of_slope('sigmoid')(lambda op, x, y: y * (1 - y))
_of_slope('softsign')(lambda op, x, y: F.square(1 - F.abs(y)))
_of_slope('erf')(lambda op, x, y: 1.1283791670955126 * F.exp(-F.square(x)))   # 2 / sqrt(pi)
_of_slope('abs')(lambda op, x, y: F.BlockGrad(F.sign(x)))
_of_slope('relu')(lambda op, x, y: _step(x > 0))
_of_slope('_power_scalar')(lambda op, x, y: op.attribute('scalar', 1) * x ** (op.attribute('scalar', 1) - 1))
_of_slope('_rdiv_scalar')(lambda op, x, y: -y / x)
_of_slope('_maximum_scalar')(lambda op, x, y: _step(x >= op.attribute('scalar', 1)))
_of_slope('_minimum_scalar')(lambda op, x, y: _step(x <= op.attribute('scalar', 1)))


@_of_slope('clip')
def _clip(op, x, y):
    return F.BlockGrad((x >= op.attribute('a_min', 0)) * (x <= op.attribute('a_max', 0)))


@_of_slope('Activation')
def _activation(op, x, y):
    kind = op.attributes['act_type']
    if kind == 'relu':
        return _step(x > 0)
    if kind == 'sigmoid':
        return y * (1 - y)
    if kind == 'tanh':
        return 1 - F.square(y)
    if kind == 'softrelu':
        return F.sigmoid(x)
    if kind == 'softsign':
        return F.square(1 - F.abs(y))
    raise NoRuleError(f'its kind {kind} has no rule')


@tangent_rule('LeakyReLU')
def _leaky_relu(op):
    kind, slope, x = op.attribute('act_type', 'leaky'), op.attribute('slope', .25), op.values[0]
    t = op.alone()
    if kind == 'leaky':
        return t * _step(x > 0, slope)
    if kind == 'elu':   # slope * (exp(x) - 1), so the derivative of the negative side is y + slope
        return F.where(x > 0, t, t * (op.output + slope))
    if kind == 'gelu':
        normal = .5 * (1 + F.erf(x * .7071067811865476))
        density = .3989422804014327 * F.exp(-.5 * F.square(x))
        return t * (normal + x * density)
    raise NoRuleError(f'its kind {kind} has no rule')


# -- normalisations and others over an axis --------------------------------------------------------------------------

@tangent_rule('softmax')
def _softmax(op):
    if op.attribute('use_length', False) or op.attribute('temperature', None) not in (None, 1):
        raise NoRuleError('with a length or a temperature it has no rule')
    t, y, axis = op.alone(), op.output, op.attribute('axis', -1)
    return y * F.broadcast_sub(t, F.sum(y * t, axis=axis, keepdims=True))


@tangent_rule('log_softmax')
def _log_softmax(op):
    if op.attribute('use_length', False) or op.attribute('temperature', None) not in (None, 1):
        raise NoRuleError('with a length or a temperature it has no rule')
    t, y, axis = op.alone(), op.output, op.attribute('axis', -1)
    return F.broadcast_sub(t, F.sum(F.exp(y) * t, axis=axis, keepdims=True))


class _Rows:
    """Rows [R, L] for sums and products by BLAS, since MXNet's reductions and broadcasts are slow on a CPU."""

    def __init__(self, x):
        self.ones = F.ones_like(F.slice_axis(x, axis=0, begin=0, end=1))   # [1, L]
        self.each = F.ones_like(F.slice_axis(x, axis=1, begin=0, end=1))   # [R, 1]
        self.share = F.BlockGrad(F.softmax(self.ones))                     # 1 / L

    def mean(self, x):
        """[R, L] -> [R, 1]"""
        return F.dot(x, self.share, transpose_b=True)

    def along(self, column):
        """[R, 1] -> [R, L]"""
        return F.dot(column, self.ones)

    def below(self, row):
        """[1, L] -> [R, L]"""
        return F.dot(self.each, row)


def _normalised(op, rows, epsilon):
    """The tangent of n, the first input as rows with a mean of 0 and a variance of 1. `rows` makes rows of an array.

    With r = 1 / sqrt(variance + epsilon): n = r (x - mean), and its tangent is r (c - n mean(n c)), c = t - mean(t).
    """
    x, t = rows(op.values[0]), rows(op.alone())
    of = _Rows(x)
    centred, c = x - of.along(of.mean(x)), t - of.along(of.mean(t))
    r = of.along((of.mean(F.square(centred)) + epsilon) ** -.5)
    n = centred * r
    return of, r * (c - n * of.along(of.mean(n * c)))


def _by_gamma_of_rows(op, rows, epsilon):
    """For a gamma with a number for each row of a picture."""
    of, n = _normalised(op, rows, epsilon)
    pictures = _Rows(F.reshape(op.values[0], (0, -1)))
    gamma = F.reshape(pictures.below(F.expand_dims(op.values[1], axis=0)), (-1, 1))   # [G] -> [N, G] -> [N * G, 1]
    return F.reshape_like(n * of.along(gamma), op.values[0])


@tangent_rule('InstanceNorm')
def _instance_norm(op):
    """Of (N, C, ...), over all but the first two axes."""
    return _by_gamma_of_rows(op, lambda x: F.reshape(F.reshape(x, (0, 0, -1)), (-3, 0)), op.attribute('eps', 1e-3))


@tangent_rule('GroupNorm')
def _group_norm(op):
    """Of (N, C, ...), over groups of channels. MXNet has a gamma for each group."""
    groups = op.attribute('num_groups', 1)
    return _by_gamma_of_rows(op, lambda x: F.reshape(F.reshape(x, (0, groups, -1)), (-3, 0)),
                             op.attribute('eps', 1e-5))


@tangent_rule('LayerNorm')
def _layer_norm(op):
    axis = op.attribute('axis', -1)
    if axis != -1:
        raise NoRuleError(f'of its axes only the last one, -1, has a rule, not {axis}')
    of, n = _normalised(op, lambda x: F.reshape(x, (-1, 0), reverse=True), op.attribute('eps', 1e-5))
    return F.reshape_like(n * of.below(F.expand_dims(op.values[1], axis=0)), op.values[0])


@tangent_rule('BatchNorm')
def _batch_norm(op):
    raise NoRuleError('it makes the pictures of a batch depend on each other, so that no gradient is of one picture '
                      'alone; layer, group and instance normalisation do not')
