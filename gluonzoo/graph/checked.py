"""Symbol files, read without trust.

MXNet believes what a symbol file says. A number of an output that does not exist kills the process, some operators read
files or take addresses of memory, and a shape that does not fit writes beyond an array. Here the graph is checked
first, and written anew for MXNet from what was checked.
"""
import ctypes
import functools
import json
from collections import Counter
from math import prod

import mxnet as mx
from mxnet.base import _LIB, c_str, c_str_array, check_call, py_str

from ..reading import FileError, last_line, quoted, read_json
from .edit import read_graph
from .inferred import output_shapes, unequal_reshapes

__all__ = ['SymbolError', 'read_symbol', 'require_sound_shapes']

_MOST_BYTES = 1 << 26
_MOST_NODES = 20_000
_LONGEST_NAME = 1000
_LONGEST_ATTRIBUTE = 1 << 20
_MOST_NUMBERS = 1 << 30    # of one array: 4 GB
_DEEPEST = 3               # graphs within graphs, of fused operators
_MOST_PARTS = 100_000      # inputs and outputs that operators of any number of them say they have, in all of a graph

_VERSION = functools.reduce(lambda number, part: 100 * number + int(part), mx.__version__.split('.')[:3], 0)
_HERE = {'mxnet_version': ['int', _VERSION]}

# They call what is not in the file (Python code, addresses of memory), or read other files.
_UNSAFE = ('Custom', '_Native', '_NDArray', '_CustomFunction', '_CachedOp', '_NoGradient', '_TensorRT', '_cvimread',
           '_cvimdecode', '_cvimresize', '_cvcopyMakeBorder', '_imdecode')
# What such operators call it: Concat, split, amp_multicast ... MXNet makes a name for each before it looks at inputs.
_PARTS = ('num_args', 'num_outputs', 'num_arrays', 'num_weights', 'num_out_data', 'sections')


class SymbolError(FileError):
    """A symbol file is damaged, or has what cannot be loaded. The message begins with the path."""


@functools.lru_cache(None)
def _operators():
    """The names of all operators that MXNet has here."""
    count, names = ctypes.c_uint(), ctypes.POINTER(ctypes.c_char_p)()
    check_call(_LIB.MXListAllOpNames(ctypes.byref(count), ctypes.byref(names)))
    return {py_str(names[i]) for i in range(count.value)}


def read_symbol(path):
    """The Symbol of a file that ``HybridBlock.export`` or ``Symbol.save`` wrote, in any MXNet from 0.8 to 1.9.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Symbol
        Each operator has a name of its own.

    Raises
    ------
    SymbolError
        if it is no symbol file, is damaged, has an operator that MXNet does not know (it is named with its layer), or
        one that reaches outside the file
    OSError
        if it cannot be read
    """
    graph = read_json(path, _MOST_BYTES)
    try:
        checked = _checked(graph)
        counts = _outputs(checked)
        _check_edges(checked, counts)
        symbol = mx.sym.load_json(json.dumps(_own_names(checked)))   # MXNet adapts old ones
        _check_inputs(read_graph(symbol))
        return symbol
    except SymbolError as error:
        raise SymbolError(f'{path}: {error}') from None
    except (mx.MXNetError, AssertionError, UnicodeDecodeError) as error:
        raise SymbolError(f'{path}: MXNet cannot use it: {last_line(error)}') from error


def _checked(graph, depth=0):
    """The graph with nothing in it but what was checked."""
    if not isinstance(graph, dict) or not all(isinstance(graph.get(key), list) for key in ('nodes', 'heads')):
        raise SymbolError('not a symbol file: it must have lists of nodes and heads')
    if not 0 < len(graph['nodes']) <= _MOST_NODES:
        raise SymbolError(f'has {len(graph["nodes"])} nodes; there must be 1 to {_MOST_NODES}')
    nodes = [_node(node, number, depth) for number, node in enumerate(graph['nodes'])]
    _check_parts(nodes)
    heads = [_edge(head, 'heads', len(nodes)) for head in graph['heads']]
    if not heads:
        raise SymbolError('has no outputs: heads is empty')
    twice = [name for name, count in Counter(node['name'] for node in nodes if node['op'] == 'null').items()
             if count > 1]
    if twice:
        raise SymbolError(f'has two inputs or parameters of the name {quoted(twice[0])}')
    found = {'nodes': nodes, 'heads': heads,
             'arg_nodes': [number for number, node in enumerate(nodes) if node['op'] == 'null']}
    version = graph.get('attrs', {}).get('mxnet_version') if isinstance(graph.get('attrs', {}), dict) else None
    if isinstance(version, list) and len(version) == 2 and version[0] == 'int' and type(version[1]) is int:
        found['attrs'] = {'mxnet_version': ['int', min(max(version[1], 0), _VERSION)]}   # MXNet adapts older ones
    return found


def _node(node, number, depth):
    if not isinstance(node, dict):
        raise SymbolError(f'node {number} must be an object: {quoted(node)}')
    name, op = node.get('name'), node.get('op')
    if not isinstance(name, str) or len(name) > _LONGEST_NAME or not name.isprintable():
        raise SymbolError(f'node {number}: its name must be printable, of at most {_LONGEST_NAME} characters: '
                          f'{quoted(name)}')
    where = f'layer {quoted(name)}'
    if not isinstance(op, str) or op != 'null' and op not in _operators():
        raise SymbolError(f'{where}: MXNet {mx.__version__} has no operator {quoted(op)}; those of a library must be '
                          'loaded first (mx.library.load)')
    if op in _UNSAFE:
        raise SymbolError(f'{where}: the operator {op} is not loaded, since it reaches outside the file')
    inputs = node.get('inputs', [])
    if not isinstance(inputs, list):
        raise SymbolError(f'{where}: inputs must be a list: {quoted(inputs)}')
    found = {'op': op, 'name': name, 'inputs': [_edge(edge, where, number) for edge in inputs]}
    if op == 'null' and inputs:
        raise SymbolError(f'{where}: is an input or a parameter, and cannot have inputs')
    if node.get('control_deps'):
        raise SymbolError(f'{where}: control_deps are not loaded')
    attributes = {}
    for key in ('param', 'attr', 'attrs'):   # as MXNet before 0.9, before 1.0 and since has it
        some = node.get(key, {})
        if not isinstance(some, dict) or not all(isinstance(value, str) and len(value) <= _LONGEST_ATTRIBUTE
                                                 for value in some.values()):
            raise SymbolError(f'{where}: {key} must be an object of texts: {quoted(some)}')
        attributes.update(some)
    if attributes:
        found['attrs'] = attributes
    graphs = node.get('subgraphs', [])
    if graphs:
        if not isinstance(graphs, list) or depth == _DEEPEST:
            raise SymbolError(f'{where}: subgraphs must be a list, {_DEEPEST} deep at most')
        try:
            found['subgraphs'] = [_checked(graph, depth + 1) for graph in graphs]
        except SymbolError as error:
            raise SymbolError(f'{where}: {error}') from None
        for graph in found['subgraphs']:
            _check_edges(graph, _outputs(graph))
            _check_inputs(graph)
    return found


def _check_parts(nodes):
    """SymbolError if operators say that they have so many inputs or outputs that their names take all memory."""
    total = 0
    for node in nodes:
        for key in _PARTS:
            try:
                count = max(int(node.get('attrs', {}).get(key, 0)), 0)
            except ValueError:   # MXNet says what is wrong
                continue
            total += count
            if total > _MOST_PARTS:
                raise SymbolError(f'layer {quoted(node["name"])}: {key} is {count}; all operators together may have '
                                  f'{_MOST_PARTS} inputs and outputs')


def _edge(edge, where, count):
    """[node, output, version], of a node before `count`."""
    if not isinstance(edge, list) or not 2 <= len(edge) <= 3 or not all(type(n) is int for n in edge):
        raise SymbolError(f'{where}: must be lists of two or three whole numbers: {quoted(edge)}')
    if not 0 <= edge[0] < count:
        raise SymbolError(f'{where}: reads node {quoted(edge[0])}; it must be one of the {count} before it')
    version = edge[2] if len(edge) == 3 else 0   # how often the array has been changed: of running statistics
    return [edge[0], edge[1], version if 0 <= version <= _MOST_NODES else 0]


def _outputs(graph):
    """How many outputs each node has.

    A copy of the graph tells, in which every edge is of a first output, and every node has its number for a name.
    """
    nodes = [{**node, 'name': f'n{number}', 'inputs': [[edge[0], 0, 0] for edge in node['inputs']]}
             for number, node in enumerate(graph['nodes'])]
    heads = [[number, 0, 0] for number in range(len(nodes))]
    symbol = mx.sym.load_json(json.dumps({**graph, 'nodes': nodes, 'heads': heads, 'attrs': _HERE}))
    counts = [0] * len(nodes)
    for name in symbol.get_internals().list_outputs():
        number = name[1:].partition('_')[0]
        if number.isdigit() and int(number) < len(counts):
            counts[int(number)] += 1
    return counts


def _check_edges(graph, counts):
    for node in graph['nodes']:
        for edge in node['inputs']:
            _check_edge(edge, f'layer {quoted(node["name"])}', graph, counts)
    for edge in graph['heads']:
        _check_edge(edge, 'heads', graph, counts)


def _check_edge(edge, where, graph, counts):
    if not 0 <= edge[1] < counts[edge[0]]:
        name = quoted(graph['nodes'][edge[0]]['name'])
        raise SymbolError(f'{where}: reads output {quoted(edge[1])} of {name}, which has {counts[edge[0]]}')


def _check_inputs(graph):
    """SymbolError if an operator has fewer or more inputs than it takes: MXNet reads beyond their list."""
    for node in graph['nodes']:
        if node['op'] != 'null' and not node.get('subgraphs'):
            count = _count_inputs(node['op'], tuple(sorted(node.get('attrs', {}).items())))
            if len(node['inputs']) != count:
                raise SymbolError(f'layer {quoted(node["name"])}: {node["op"]} takes {count} inputs with these '
                                  f'attributes; it has {len(node["inputs"])}')


@functools.lru_cache(1000)
def _count_inputs(operator, attributes):
    """How many inputs an operator takes: as many as variables are made for it where none are given."""
    handle, made = ctypes.c_void_p(), ctypes.c_void_p()
    check_call(_LIB.NNGetOpHandle(c_str(operator), ctypes.byref(handle)))
    keys, values = zip(*attributes) if attributes else ((), ())
    check_call(_LIB.MXSymbolCreateAtomicSymbol(handle, ctypes.c_uint(len(keys)), c_str_array(keys), c_str_array(values),
                                               ctypes.byref(made)))
    symbol = mx.sym.Symbol(made)
    symbol._compose(name='operator')
    return len(symbol.list_inputs())


def _own_names(graph):
    """The graph with a name of its own for every operator; those of inputs and parameters stay."""
    taken = {node['name'] for node in graph['nodes'] if node['op'] == 'null'}
    for number, node in enumerate(graph['nodes']):
        if node['op'] == 'null':
            continue
        while node['name'] in taken:
            node['name'] += f'_{number}'
        taken.add(node['name'])
    return graph


def require_sound_shapes(symbol, shapes, path):
    """What MXNet does not check of shapes: SymbolError where it would write beyond an array, or take all memory.

    Parameters
    ----------
    symbol : Symbol
    shapes : dict of name -> tuple
        of the inputs
    path : str or Path
        of the file, for the message

    Returns
    -------
    tuple of dicts of name -> shape : of the arguments, and of the auxiliary states

    Raises
    ------
    SymbolError
        also if the shapes of the inputs do not fit the graph, or leave others unknown
    """
    try:
        found = output_shapes(symbol, shapes)
    except (mx.MXNetError, ValueError, TypeError) as error:
        raise SymbolError(f'{path}: does not take {_said(shapes)}: {last_line(error)}') from error
    if found is None:
        raise SymbolError(f'{path}: the shapes {_said(shapes)} leave others unknown')
    for name, outputs in found.items():
        for shape in outputs:
            if any(length < 1 for length in shape) or prod(shape) > _MOST_NUMBERS:
                raise SymbolError(f'{path}: layer {quoted(name)} makes an array of the shape {shape}; it must have 1 '
                                  f'to {_MOST_NUMBERS} numbers')
    for node, before, after in unequal_reshapes(read_graph(symbol)['nodes'], found):
        raise SymbolError(f'{path}: layer {quoted(node["name"])} makes the shape {after} of {before}, which has '
                          'another number of elements')
    return tuple({name: found[name][0] for name in names}
                 for names in (symbol.list_arguments(), symbol.list_auxiliary_states()))


def _said(shapes):
    return ', '.join(f'{name} {list(shape)}' for name, shape in shapes.items())
