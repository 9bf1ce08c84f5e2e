"""From a graph of MXNet to one of ONNX, by MXNet's own converter and our translations."""
import functools
import re
from collections import Counter, defaultdict
from contextlib import contextmanager
from types import SimpleNamespace

from .. import __version__
from ..graph.edit import make_symbol, read_graph
from ..graph.inferred import output_dtypes, output_shapes
from .errors import ExportError
from .opsets import OPSET, ir_version, raised

__all__ = ['VARY', 'make_model']

VARY = {'batch': (0,), 'channels': (1,), 'size': (2, 3)}   # axes


def make_model(symbol, parameters, examples, dynamic, opset=OPSET):
    """The ONNX model of a graph.

    Parameters
    ----------
    symbol : Symbol
    parameters : dict of name -> NDArray
    examples : list of dict of name -> shape
        of the inputs, which are float32. The first are those of the file.
    dynamic : sequence of str
        as for :func:`to_onnx`
    opset : int

    Raises
    ------
    ExportError
        that names everything that cannot be exported
    """
    from mxnet.onnx.mx2onnx._export_onnx import MXNetGraph
    from onnx import TensorProto, helper

    symbol, shapes = _named_apart(symbol), examples[0]
    ordered = [shapes[name] for name in symbol.list_inputs() if name in shapes]   # as the converter wants them
    with _converter(symbol, examples) as faults:
        graph = MXNetGraph().create_onnx_graph_proto(
            symbol, parameters, ordered, [TensorProto.FLOAT] * len(ordered), opset_version=OPSET,
            dynamic=bool(dynamic),
            dynamic_input_shapes=[_dims(shape, dynamic) for shape in ordered] if dynamic else None)
    if faults:
        raise ExportError(_in_words(faults))
    used = {name for node in graph.node for name in node.input}
    for weight in [weight for weight in graph.initializer if weight.name not in used]:
        graph.initializer.remove(weight)
    # The converter makes every weight an input too, which keeps runtimes from computing ahead with it.
    values = {value.name: value for value in graph.input}
    del graph.input[:]
    graph.input.extend(values[name] for name in shapes)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', OPSET)], ir_version=ir_version(OPSET),
                              producer_name='gluonzoo', producer_version=__version__)
    return raised(model, opset)


def _named_apart(symbol):
    """The Symbol, none of whose nodes has the name of what is computed within another.

    The outputs of a node with several are called as the node and a number, by MXNet's converter, and what comes before
    as :class:`.translations.base.Nodes` does.
    """
    graph, counts = read_graph(symbol), Counter(output.name for output in symbol.get_internals())
    names = [node['name'] for node in graph['nodes']]
    numbered = {name[:end] for name in names for end in range(len(name.rstrip('0123456789')), len(name))}
    within = {name[:found.start()] for name in names for found in re.finditer(r'_(step|constant)\d', name)}
    for number, node in enumerate(graph['nodes']):
        name = node['name']
        if node['op'] != 'null' and (name in within or (name in numbered and counts[name] > 1)):
            node['name'] += f'_{number}'
    return make_symbol(graph)


def _dims(shape, dynamic):
    """A shape with names for what varies."""
    dims = list(shape)
    names = 'batch', 'channels', 'height', 'width'
    for axis in (axis for what in dynamic for axis in VARY[what]):
        if axis == 0 or len(dims) == 4:
            dims[axis] = names[axis]
    return tuple(dims)


def _in_words(faults):
    """What cannot be exported, of a dict (operator, why) -> names of layers."""
    lines = []
    for (operator, reason), layers in faults.items():
        more = f' and {len(layers) - 3} more' if len(layers) > 3 else ''
        lines.append(f'{operator} of {"layer" if len(layers) == 1 else "layers"} {", ".join(layers[:3])}{more}: '
                     f'{reason}')
    if len(lines) == 1:
        return f'cannot be exported: {lines[0]}'
    return '\n  '.join(['cannot be exported:', *lines])


@contextmanager
def _converter(symbol, examples):
    """Within, MXNet's converter has our translations, works with today's onnx, and writes our opset.

    It goes on where it cannot translate: what that is comes into the dict (operator, why) -> names of layers.
    """
    import onnx
    from mxnet.onnx.mx2onnx._export_onnx import MXNetGraph
    from onnx import checker, helper

    from .translations import TRANSLATIONS

    nodes = read_graph(symbol)['nodes']
    shapes, dtypes = _outputs(symbol, examples, nodes)
    numbers = {node['name']: number for number, node in enumerate(nodes)}
    faults = defaultdict(list)

    def translation(operator):
        ours = TRANSLATIONS.get(operator)
        theirs = next((table[operator] for table in (registry.get(13, {}), registry.get(12, {})) if operator in table),
                      None)

        def convert(node, **context):
            name = node['name']
            found = dtypes[numbers[name]]
            try:
                if ours:
                    result = ours(node, shapes=shapes, results=shapes[numbers[name]], dtypes=found, **context)
                elif theirs:
                    result = theirs(node, **context)
                else:
                    raise ExportError('there is no translation to ONNX; ' + (
                        'quantized and joined networks stay in MXNet: export the network in float32'
                        if 'quantize' in operator or operator.startswith('_sg_') else
                        'compute it of other operators, or outside of what is exported'))
            except Exception as error:   # MXNet's raise of every kind for what they do not know
                faults[operator, _reason(error)].append(name)
                count = len(found)
                result = [helper.make_node('Identity', [], [name if count == 1 else f'{name}{i}'], name=name)
                          for i in range(count)]
            nodes = result[0] if isinstance(result, tuple) else result
            own = {name, *(f'{name}{i}' for i in range(len(found)))}
            count = len({output for made in nodes for output in getattr(made, 'output', ())} & own) or 1
            return nodes, tuple(found[:count])
        return convert

    registry, mapping = MXNetGraph.registry_, vars(onnx).get('mapping')
    context = checker.DEFAULT_CONTEXT   # the converter has its graph checked against the newest opset otherwise
    versions = context.opset_imports, context.ir_version
    types = {helper.tensor_dtype_to_np_dtype(number): number for number in (*range(1, 8), *range(9, 14))}
    operators = {node['op'] for node in nodes} - {'null'}
    try:
        MXNetGraph.registry_ = {OPSET: {
            'null': functools.partial(TRANSLATIONS['null'], shapes=shapes),
            **{operator: translation(operator) for operator in operators}}}
        context.opset_imports, context.ir_version = {'': OPSET}, ir_version(OPSET)
        onnx.mapping = SimpleNamespace(   # which onnx 1.19 has dropped
            NP_TYPE_TO_TENSOR_TYPE=types, TENSOR_TYPE_TO_NP_TYPE={number: dtype for dtype, number in types.items()})
        try:
            yield faults
        except Exception as error:
            if faults:   # then what is in place of a translation is at fault
                raise ExportError(_in_words(faults)) from None
            if isinstance(error, checker.ValidationError):
                raise ExportError(f'onnx refuses what was made: {" ".join(str(error).split())}') from error
            raise
    finally:
        MXNetGraph.registry_ = registry
        context.opset_imports, context.ir_version = versions
        if mapping is None:
            del onnx.mapping
        else:
            onnx.mapping = mapping


def _reason(error):
    """Why an operator cannot be translated, in a line."""
    reason = ' '.join(str(error.args[0] if error.args else error).split())
    if isinstance(error, KeyError):
        reason = f'it has no translation with {reason!r}'
    return reason


def _outputs(symbol, examples, nodes):
    """The shapes and the types of all outputs of all nodes, [node][output]. Lengths that vary between the examples are
    None.
    """
    found = [output_shapes(symbol, example) for example in examples]
    shapes = {name: [tuple(lengths[0] if len(set(lengths)) == 1 else None for lengths in zip(*sizes))
                     for sizes in zip(*(one[name] for one in found))] for name in found[0]}
    dtypes = output_dtypes(symbol, examples[0])
    return [[table[node['name']] for node in nodes] for table in (shapes, dtypes)]
