"""LeakyReLU in all its kinds."""
from ..errors import ExportError
from .base import translates

# Of SELU, as MXNet has them.
_ALPHA, _LAMBDA = 1.6732632423543772, 1.0507009873554805


@translates('LeakyReLU')
def _leaky_relu(nodes):
    x, *gamma = nodes.inputs
    kind, slope = nodes.attrs.get('act_type', 'leaky'), nodes.real('slope', .25)
    if kind == 'leaky':
        nodes.end('LeakyRelu', x, alpha=slope)
    elif kind == 'rrelu':   # the middle of its slopes, when it predicts
        nodes.end('LeakyRelu', x, alpha=(nodes.real('lower_bound', .125) + nodes.real('upper_bound', .334)) / 2)
    elif kind == 'elu':
        nodes.end('Elu', x, alpha=slope)
    elif kind == 'selu':
        nodes.end('Selu', x, alpha=_ALPHA, gamma=_LAMBDA)
    elif kind == 'prelu':
        axes = len(nodes.shapes[0]) - 2   # behind the channels
        shape = [-1, *[1] * axes] if nodes.shapes[1] != (1,) else [1]
        nodes.end('PRelu', x, nodes.add('Reshape', *gamma, nodes.constant(shape)))
    elif kind == 'gelu':
        half = nodes.add('Mul', x, nodes.scalar(.5))
        share = nodes.add('Erf', nodes.add('Mul', x, nodes.scalar(.5 ** .5)))
        nodes.end('Mul', half, nodes.add('Add', share, nodes.scalar(1)))
    else:
        raise ExportError(f'LeakyReLU: cannot be exported with act_type {kind!r}')
