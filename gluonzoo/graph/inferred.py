"""The shapes and the types of what is computed within a graph."""
import warnings
from contextlib import redirect_stdout
from math import prod

import numpy as np

__all__ = ['output_dtypes', 'output_shapes', 'unequal_reshapes']

_RESHAPES = ('Reshape', 'reshape', '_np_reshape', '_npx_reshape')


def output_shapes(symbol, shapes):
    """The shapes of the outputs of all nodes, those of inputs and parameters among them.

    Parameters
    ----------
    symbol : Symbol
        Each operator has a name of its own.
    shapes : dict of name -> tuple
        of the inputs

    Returns
    -------
    dict of name of a node -> list of tuples, or None if the inputs leave others unknown

    Raises
    ------
    MXNetError
        if the inputs do not fit the graph
    """
    internals = symbol.get_internals()
    with redirect_stdout(None), warnings.catch_warnings():   # MXNet prints the arguments where they do not fit
        warnings.simplefilter('ignore')
        _, outputs, _ = internals.infer_shape(**shapes)
    return None if outputs is None else _by_node(internals, map(tuple, outputs))


def output_dtypes(symbol, inputs):
    """The types of the outputs of all nodes, where the inputs are float32.

    Parameters
    ----------
    symbol : Symbol
        Each operator has a name of its own.
    inputs : iterable of str
        names

    Returns
    -------
    dict of name of a node -> list of numpy.dtype, or None if the inputs leave others unknown

    Raises
    ------
    MXNetError
        if an operator does not take what comes to it
    """
    internals = symbol.get_internals()
    _, outputs, _ = internals.infer_type(**dict.fromkeys(inputs, 'float32'))
    return None if outputs is None else _by_node(internals, map(np.dtype, outputs))


def _by_node(internals, values):
    """What there is for each output of all nodes, as lists by the name of the node."""
    found = {}
    for output, value in zip(internals, values):
        found.setdefault(output.name, []).append(value)
    return found


def unequal_reshapes(nodes, shapes):
    """Yields (node, shape before, shape after) of reshapes to another number of elements.

    MXNet does not check them, and writes beyond its arrays.

    Parameters
    ----------
    nodes : list of dict
        of a graph, as :mod:`.edit` has them
    shapes : dict
        of :func:`output_shapes`
    """
    for node in nodes:
        if node['op'] in _RESHAPES:
            (source, number, *_), = node['inputs']
            before, after = shapes[nodes[source]['name']][number], shapes[node['name']][0]
            if prod(before) != prod(after):
                yield node, before, after
