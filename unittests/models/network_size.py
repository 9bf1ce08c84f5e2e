"""Counts what a network holds and does from shapes alone: nothing is allocated, nothing runs."""
import json
from math import prod

import mxnet as mx


def parameters(net):
    """Trained numbers. All shapes must be known."""
    return sum(prod(parameter.shape) for parameter in net.collect_params().values() if parameter.grad_req != 'null')


def output_shapes(net, shape):
    return _group(net).infer_shape(data=shape)[1]


def multiply_adds(net, shape):
    """Of the convolutions and fully connected layers, for one image of a batch of `shape`; biases not counted.

    Where a layer computes its weights from a parameter, the parameter's are counted: the others are zeros.
    """
    symbol = _group(net)
    internals = symbol.get_internals()
    shapes = dict(zip(internals.list_outputs(), internals.infer_shape(data=shape)[1]))
    nodes = json.loads(symbol.tojson())['nodes']
    total = 0
    for node in nodes:
        if node['op'] in ('Convolution', 'FullyConnected'):
            source = nodes[node['inputs'][1][0]]
            while source['op'] != 'null':
                source = nodes[source['inputs'][0][0]]
            weight = shapes[source['name']]   # [out, in / groups, ...]
            total += prod(shapes[node['name'] + '_output'][2:]) * prod(weight)
    return total


def _group(net):
    outputs = net(mx.sym.var('data'))
    return mx.sym.Group(outputs) if isinstance(outputs, (list, tuple)) else outputs
