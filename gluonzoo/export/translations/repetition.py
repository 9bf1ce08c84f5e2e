"""What is repeated."""
from .base import translates


@translates('repeat')
def _repeat(nodes):
    """Each element, or each part along an axis, several times.

    (MXNet's own computes a shape. Two that are equal become one in onnxruntime 1.32, which then cannot make a constant
    of it.)
    """
    data, = nodes.inputs
    times, axis = nodes.number('repeats', 1), nodes.attrs.get('axis', 'None')
    if axis == 'None':
        data, axis = nodes.add('Reshape', data, nodes.constant([-1])), 0
        count = nodes.add('Size', data)
    else:
        axis = int(axis)
        count = nodes.add('Squeeze', nodes.length(0, axis))
    total = nodes.add('Mul', count, nodes.constant(times))
    places = nodes.add('Div', nodes.add('Range', nodes.constant(0), total, nodes.constant(1)), nodes.constant(times))
    nodes.end('Gather', data, places, axis=axis)
