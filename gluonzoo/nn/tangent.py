"""The value and the tangent of a network in one forward pass, from which MXNet takes exact second derivatives.

MXNet 1.9.1 cannot differentiate a gradient: its convolutions have no second derivative, and that of its dense layer is
wrong. But a tangent is a forward pass. The tangent along v is the derivative of net(x + e v) by e: <v, u>, if u is
the gradient of the network's outputs by x. So the gradient of the tangent by the parameters theta is

    d/dtheta <v, u(theta)>

for a constant v: the second derivative, times v. The tangent is made of operators that MXNet differentiates right. Each
operator has a rule, in :mod:`gluonzoo.nn.tangent_rules`; :func:`tangent_rule` registers another.

Source: "Fast Exact Multiplication by the Hessian" (Pearlmutter, 1994, https://doi.org/10.1162/neco.1994.6.1.147), where
the tangent pass is the operator R.
"""
import json

import mxnet as mx
from mxnet import autograd

from ..graph.edit import make_symbol
from .tangent_rules import RULES, NoRuleError, Operation, is_random, tangent_rule

__all__ = ['GradientAndTangent', 'ValueAndTangent', 'tangent_rule']

_INPUT, _TANGENT = 'data', 'tangent of data'


class ValueAndTangent:
    """Computes what a network computes, and its tangent. Gradients of both reach x, v and the network's parameters.

    A call uses the network's parameters of that time, on the device of x.

    Parameters
    ----------
    net : HybridBlock
        of one input and one output, initialised, its shapes known; of operators that have a rule

    Raises
    ------
    ValueError
        if an operator has no rule: names the layer and the operator. If the output does not depend on the input.

    Examples
    --------
    >>> net = mx.gluon.nn.Dense(1, in_units=2, use_bias=False)
    >>> net.initialize(mx.init.One())
    >>> y, t = ValueAndTangent(net)(mx.nd.array([[3, 4]]), mx.nd.array([[1, 5]]))
    >>> y.asscalar(), t.asscalar()
    (7.0, 6.0)
    """

    def __init__(self, net):
        self._compute = _Computation(_with_tangent(net), net)

    def __call__(self, x, v):
        """(net(x), the derivative of net(x + e v) by e at 0), both of the shape of the network's output.

        `v` has the shape of `x`.
        """
        return self._compute(x.ctx, {_INPUT: x, _TANGENT: v})


class GradientAndTangent:
    """The gradient of a network's outputs by its input, and then the tangent along a direction made from it.

    This is :class:`ValueAndTangent` in two passes, for a direction that depends on the gradient. What both passes need
    without a gradient, such as on which side of 0 a rectifier is, is computed in the first one alone. A network of
    convolutions and rectifiers has nothing else to compute again.

    Parameters and errors are those of :class:`ValueAndTangent`.
    """

    def __init__(self, net):
        first, second, self._constants = _in_two_passes(_with_tangent(net))
        self._first, self._second = _Computation(first, net, detached=True), _Computation(second, net)

    def gradient(self, x, scale=1.0):
        """The gradient of the sum of the outputs, times `scale`, and what :meth:`tangent` needs.

        Nothing is recorded: neither result has a graph.

        Returns
        -------
        gradient : NDArray, of the shape of x
        constants : dict of str -> NDArray
        """
        x = x.detach()
        x.attach_grad()
        with autograd.record():
            value, *constants = self._first(x.ctx, {_INPUT: x})
            total = value.astype(x.dtype, copy=False).sum() * scale
        total.backward()
        return x.grad, {name: constant.detach() for name, constant in zip(self._constants, constants)}

    def tangent(self, x, v, constants):
        """The derivative of net(x + e v) by e at 0, at the x and with the parameters of that call of :meth:`gradient`.

        Gradients reach the network's parameters.
        """
        tangent, = self._second(x.ctx, {_INPUT: x, _TANGENT: v, **constants})
        return tangent


class _Computation:
    """A Symbol with a network's parameters: a function of the other inputs."""

    def __init__(self, symbol, net, detached=False):
        self._parameters = {parameter.name: parameter for parameter in net.collect_params().values()}
        self._names, self._detached = symbol.list_inputs(), detached
        # Without static_alloc, which is no faster here, and would keep the memory of one pass during the other.
        self._compute = mx.nd.CachedOp(symbol)

    def __call__(self, ctx, arrays):
        """The outputs, a list."""
        outputs = self._compute(*(arrays[name] if name in arrays else self._parameter(name, ctx)
                                  for name in self._names))
        return outputs if isinstance(outputs, (list, tuple)) else [outputs]

    def _parameter(self, name, ctx):
        data = self._parameters[name].data(ctx)
        return data.detach() if self._detached else data


def _with_tangent(net):
    """The Symbols of the output and of its tangent, a Group."""
    value = net(mx.sym.var(_INPUT))
    if isinstance(value, (list, tuple)) or len(value.list_outputs()) > 1:
        raise ValueError(f'{net.name}: must have one output, to have a tangent')
    graph = _graph_of(value)
    nodes, output = graph['nodes'], tuple(graph['heads'][0][:2])
    read = {(number, 0) for number in range(len(nodes))}
    read = sorted(read.union(tuple(edge[:2]) for node in nodes for edge in node['inputs']))
    everything = make_symbol({**graph, 'heads': [[*edge, 0] for edge in read]})
    values = {edge: everything[place] for place, edge in enumerate(read)}

    tangents = {}   # edge -> Symbol; those that are missing are 0
    for number, node in enumerate(nodes):
        if node['op'] == 'null':
            if node['name'] == _INPUT:
                tangents[number, 0] = mx.sym.var(_TANGENT)
            continue
        sources = [tuple(edge[:2]) for edge in node['inputs']]
        before = [tangents.get(source) for source in sources]
        if is_random(node['op']) or any(tangent is not None for tangent in before):
            after = _by_rule(Operation(node, [values[source] for source in sources], before, values[number, 0]), net)
            tangents.update({(number, output): tangent for output, tangent in enumerate(after) if tangent is not None})
    if output not in tangents:
        raise ValueError(f'{net.name}: its output does not depend on its input, so there is no tangent')
    return mx.sym.Group([values[output], tangents[output]])


def _by_rule(operation, net):
    """The tangents of the outputs, a list."""
    what = f'{net.name}: the layer {operation.name}, operator {operation.operator}, has no tangent rule'
    if is_random(operation.operator):
        raise ValueError(f'{what}: it is different in every pass')
    if operation.operator not in RULES:
        raise ValueError(what)
    try:
        tangents = RULES[operation.operator](operation)
    except NoRuleError as error:
        raise ValueError(f'{what}: {error}') from None
    return tangents if isinstance(tangents, list) else [tangents]


def _in_two_passes(both):
    """From the Group of the output and its tangent: the Group of the output and what is under BlockGrad in the tangent;
    the tangent, which has inputs in their place; and the names of these inputs.
    """
    graph = _graph_of(both)
    nodes, (value, tangent) = graph['nodes'], graph['heads']
    moving, constants, replaced = set(), {}, []
    for number, node in enumerate(nodes):
        if node['name'] == _TANGENT or any(edge[0] in moving for edge in node['inputs']):
            moving.add(number)   # depends on the direction
        elif node['op'] == 'BlockGrad':
            name = f'constant {number}'
            constants[name], node = node['inputs'][0], {'op': 'null', 'name': name, 'inputs': []}
        replaced.append(node)
    inputs = [number for number, node in enumerate(replaced) if node['op'] == 'null']
    second = make_symbol({**graph, 'nodes': replaced, 'arg_nodes': inputs, 'heads': [tangent]})
    needed = sorted(constants.keys() & set(second.list_inputs()))   # not those of the output alone
    return make_symbol({**graph, 'heads': [value, *(constants[name] for name in needed)]}), second, needed


def _graph_of(symbol):
    """As gluonzoo.graph.edit has it, with the casts of mixed precision."""
    return json.loads(symbol.tojson(remove_amp_cast=False))
