"""Layers of GluonCV's networks as trunks of ours: with shapes that are known, and initial weights that suit them."""
from itertools import chain

import mxnet as mx
from mxnet import initializer

from ..nn.conv import sequential

__all__ = ['trunk_of']


def trunk_of(layers, side):
    """A HybridSequential of layers that GluonCV has made. Importing GluonCV is the caller's.

    GluonCV leaves the numbers of input channels to the first batch, and the weights of most convolutions to the general
    initializer. Here the shapes are known at once, and such weights start normal, with the variance 2 / fan out.

    Parameters
    ----------
    layers : iterable of HybridBlock
        the first takes (N, 3, H, W)
    side : int
        pixels of a side that all layers take
    """
    trunk = sequential(*layers)
    parameters = {parameter.name: parameter for parameter in trunk.collect_params().values()}
    y = trunk(mx.sym.var('data'))
    arguments, _, statistics = y.infer_shape(data=(1, 3, side, side))
    for name, shape in chain(zip(y.list_arguments(), arguments), zip(y.list_auxiliary_states(), statistics)):
        if name in parameters:
            parameters[name].shape = shape
    for parameter in parameters.values():
        if parameter.init is None and len(parameter.shape) == 4:
            parameter.init = initializer.MSRAPrelu('out', 0)
    return trunk
