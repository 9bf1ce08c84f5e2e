"""What a translation is made of: the ONNX nodes that compute what one MXNet node computes.

A translation is a function of :class:`Nodes`, registered for the operators that it translates::

    @translates('sign')
    def _sign(nodes):
        nodes.end('Sign', *nodes.inputs)

All are of opset 13.
"""
import ast

import numpy as np
from onnx import helper, numpy_helper

__all__ = ['Nodes', 'TRANSLATIONS', 'translates']

TRANSLATIONS = {}   # operator -> function for MXNetGraph.registry_, which also takes `shapes`, see :class:`Nodes`


class Nodes(list):
    """The ONNX nodes that compute what an MXNet node computes.

    Attributes
    ----------
    name : str
        of the MXNet node, and of what its last ONNX node computes
    inputs : list of str
    attrs : dict of str -> str
    shapes : list of tuple
        of the inputs: lengths that vary between the examples of an export are None
    dtype : numpy.dtype
        of the first input
    results : list of tuple
        the shapes of the outputs, likewise
    dtypes : list of numpy.dtype
        of the outputs
    """

    def __init__(self, node, *, outputs_lookup, initializer, shapes, results, dtypes, **_):
        super().__init__()
        sources = [outputs_lookup[edge[0]][edge[1]] for edge in node['inputs']]
        self.shapes = [shapes[edge[0]][edge[1]] for edge in node['inputs']]
        self.name, self.attrs = node['name'], node.get('attrs', {})
        self.inputs = [source.name for source in sources]
        self.dtype = sources[0].dtype if sources else None
        self.results, self.dtypes = results, dtypes
        self._initializer = initializer

    def number(self, attribute, default):
        """An attribute as a whole number."""
        return int(self.attrs.get(attribute, default))

    def flag(self, attribute, default=False):
        """Whether an attribute is set; by default not."""
        return self.attrs.get(attribute, str(default)) in ('True', '1', 'true')

    def numbers(self, attribute, default=None):
        """An attribute as a tuple of whole numbers, or None; a number becomes a tuple of one."""
        value = ast.literal_eval(self.attrs.get(attribute, str(default)))
        return (value,) if isinstance(value, int) else value

    def real(self, attribute, default=0.):
        """An attribute as a number."""
        return float(self.attrs.get(attribute, default))

    def scalar(self, value):
        """The name of a new constant of the type of the first input."""
        return self.constant(value, self.dtype)

    @property
    def onnx_type(self):
        return helper.np_dtype_to_tensor_dtype(self.dtype)

    def constant(self, value, dtype='int64'):
        """The name of a new constant."""
        name = f'{self.name}_constant{len(self._initializer)}'
        self._initializer.append(numpy_helper.from_array(np.array(value, dtype), name))
        return name

    def add(self, op, *inputs, **attributes):
        """Adds a node with one output, and returns the name of that."""
        name = f'{self.name}_step{len(self)}'
        self.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def add_all(self, count, op, *inputs, **attributes):
        """Adds a node with `count` outputs, and returns the names of them."""
        name = f'{self.name}_step{len(self)}'
        names = [f'{name}_output{number}' for number in range(count)]
        self.append(helper.make_node(op, inputs, names, name=name, **attributes))
        return names

    def length(self, number, axis):
        """The name of one whole number in a list, the length of an axis of the input `number`."""
        length = self.shapes[number][axis]
        if length is not None:
            return self.constant([length])
        axes = self.constant([axis % len(self.shapes[number])])
        return self.add('Gather', self.add('Shape', self.inputs[number]), axes)

    def end(self, op, *inputs, **attributes):
        """Adds the node that computes what the MXNet node does."""
        self.append(helper.make_node(op, inputs, [self.name], name=self.name, **attributes))

    def end_all(self, *names):
        """Says which of the values made here are the outputs of an MXNet node with several outputs."""
        for number, name in enumerate(names):
            self.append(helper.make_node('Identity', [name], [f'{self.name}{number}'], name=f'{self.name}{number}'))


def translates(*operators):
    """Registers the decorated function of :class:`Nodes` as the translation of MXNet operators."""
    def register(function):
        def translate(node, **context):
            nodes = Nodes(node, **context)
            function(nodes)
            return list(nodes)
        TRANSLATIONS.update(dict.fromkeys(operators, translate))
        return function
    return register


