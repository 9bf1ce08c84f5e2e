"""Normalisation, and the softmax in all its forms."""
import numpy as np

from ..errors import ExportError
from .base import translates


@translates('BatchNorm')
def _batch_norm(nodes):
    """By the running statistics of the channels, which are along any axis."""
    inputs, options = _of_batch_norm(nodes)
    rank = len(nodes.shapes[0])
    axis = nodes.number('axis', 1) % rank
    if axis == 1:
        return nodes.end('BatchNormalization', *inputs, **options)
    order = list(range(rank))
    order[1], order[axis] = axis, 1   # the same way back
    inputs[0] = nodes.add('Transpose', inputs[0], perm=order)
    nodes.end('Transpose', nodes.add('BatchNormalization', *inputs, **options), perm=order)


@translates('_contrib_BatchNormWithReLU')
def _batch_norm_with_relu(nodes):
    inputs, options = _of_batch_norm(nodes)
    nodes.end('Relu', nodes.add('BatchNormalization', *inputs, **options))


def _of_batch_norm(nodes):
    """The inputs and the attributes of ONNX's batch normalisation."""
    if nodes.flag('output_mean_var'):
        raise ExportError('BatchNorm: cannot be exported with output_mean_var')
    x, gamma, *others = nodes.inputs
    if nodes.flag('fix_gamma', True):   # it counts as 1, whatever it is
        gamma = nodes.constant(np.ones(nodes.shapes[1]), nodes.dtype)
    return [x, gamma, *others], {'epsilon': nodes.real('eps', 1e-3)}


@translates('GroupNorm')
def _group_norm(nodes):
    """Each group by itself, as a channel of instance normalisation: MXNet has a gamma and a beta for each group."""
    x, gamma, beta = nodes.inputs
    groups = nodes.add('Reshape', x, nodes.constant([0, nodes.number('num_groups', 1), -1]))
    y = nodes.add('InstanceNormalization', groups, gamma, beta, epsilon=nodes.real('eps', 1e-5))
    nodes.end('Reshape', y, nodes.add('Shape', x))


@translates('L2Normalization')
def _l2_normalization(nodes):
    """Divided by the root of the sum of squares and eps, which MXNet's own leaves out."""
    x, = nodes.inputs
    first, last = {'instance': (1, None), 'channel': (1, 2), 'spatial': (2, None)}[nodes.attrs.get('mode', 'instance')]
    axes = nodes.constant(range(len(nodes.shapes[0]))[first:last])
    total = nodes.add('ReduceSum', nodes.add('Mul', x, x), axes, keepdims=1)
    nodes.end('Div', x, nodes.add('Sqrt', nodes.add('Add', total, nodes.scalar(nodes.real('eps', 1e-10)))))


@translates('LRN')
def _local_response(nodes):
    """(MXNet's own has ONNX's bias of 1, not MXNet's of 2, where there is no word of it.)"""
    nodes.end('LRN', *nodes.inputs, size=nodes.number('nsize', 5), alpha=nodes.real('alpha', 1e-4),
              beta=nodes.real('beta', .75), bias=nodes.real('knorm', 2))


def _tempered(nodes, x):
    temperature = nodes.attrs.get('temperature', 'None')
    return x if temperature in ('None', '1', '1.0') else nodes.add('Div', x, nodes.scalar(float(temperature)))


@translates('log_softmax')
def _log_softmax(nodes):
    nodes.end('LogSoftmax', _tempered(nodes, nodes.inputs[0]), axis=nodes.number('axis', -1))


@translates('softmin')
def _softmin(nodes):
    nodes.end('Softmax', nodes.add('Neg', _tempered(nodes, nodes.inputs[0])), axis=nodes.number('axis', -1))


@translates('SoftmaxActivation')
def _softmax_activation(nodes):
    nodes.end('Softmax', *nodes.inputs, axis=1 if nodes.attrs.get('mode', 'instance') == 'channel' else -1)


@translates('SoftmaxOutput')
def _softmax_output(nodes):
    """Over the channels, or over the last axis. The labels are for training only."""
    nodes.end('Softmax', nodes.inputs[0], axis=1 if nodes.flag('multi_output') else -1)
