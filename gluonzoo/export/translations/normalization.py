"""Normalisation."""
from .base import translates


@translates('_contrib_BatchNormWithReLU')
def _batch_norm_with_relu(nodes):
    x, gamma, *others = nodes.inputs
    if nodes.attrs.get('fix_gamma', 'True') == 'True':   # it counts as 1, whatever it is
        gamma = nodes.add('Exp', nodes.add('Sub', gamma, gamma))
    y = nodes.add('BatchNormalization', x, gamma, *others, epsilon=float(nodes.attrs.get('eps', 1e-3)))
    nodes.end('Relu', y)
