"""Networks as ONNX files: written, loaded in onnxruntime and compared before they get their name."""
import functools
import json
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import mxnet as mx
import numpy as np
from mxnet import gluon

from .. import __version__
from ..files import replacing
from ..graph.edit import read_graph
from ..graph.training_only import drop_training_only
from ..ops.composition import COMPOSITIONS
from .errors import ExportError
from .tracing import (
    Chain,
    detection_difference,
    difference,
    examples,
    pools_as,
    require_folder,
    run,
    trace,
)

__all__ = ['to_onnx', 'IR_VERSION', 'OPSET', 'Parts', 'Session', 'named', 'require_packages', 'write_parts']

# The last that MXNet 1.9.1 has translations for. Later ones have changed what their nodes mean: ROIAlign of 16 is
# moved by half a pixel, without a word.
OPSET = 13
IR_VERSION = 7   # the format's, of the same time

VARY = {'batch': (0,), 'channels': (1,), 'size': (2, 3)}   # axes


def to_onnx(block, path, inputs, outputs=None, *, decoder=None, decoder_inputs=None, dynamic=(), metadata=None,
            tolerance=1e-4):
    """Writes a block as an ONNX file, which any runtime of opset 13 takes.

    The file appears only if onnxruntime loads it and computes the same as MXNet from an example. Where a size is
    dynamic, larger examples are compared too.

    Parameters
    ----------
    block : HybridBlock
        initialized, in float32. It is exported as it predicts: without dropout, and with the running statistics in
        batch normalisation.
    path : str or Path
    inputs : dict of name -> shape, or array
        The names of the inputs, in the block's order, and their shapes. An array gives the shape and is the example.
        For a shape, the example is random, from N(0, 1).
    outputs : sequence of str, optional
        The names of the outputs, those in lists one by one; default: output, or output0, output1 ...
    decoder : HybridBlock, optional
        Applied to these outputs. It makes one output of them all: [B, N, 6], rows of class (-1: none), score and box.
        The file then has only this output, called detections. Block and decoder are compared with MXNet each by itself,
        the decoder with random inputs. The file is compared with both in onnxruntime. This is because scores that
        differ in their last digit come in another order, and of equal scores another one may suppress the rest. Rows
        are compared as sets, and up to 5 % of the rows of an image may be missing.
    decoder_inputs : dict of name -> shape, or array, optional
        Further inputs of the decoder, after the block's outputs. An array with the name of an output is the decoder's
        example of this output.
    dynamic : sequence of 'batch', 'channels' and 'size'
        Axes whose length may vary: the first axis of all inputs; of inputs with four axes the second, or the third and
        fourth. All other lengths are those of `inputs`.
    metadata : dict, optional
        that JSON can hold; it becomes the property 'gluonzoo' of the file
    tolerance : float
        how far each output may be from MXNet's, as a share of its greatest number

    Returns
    -------
    dict of name -> float : the difference of each output of the block, and of the decoder

    Raises
    ------
    ExportError
        if the packages onnx or onnxruntime are missing (the extra `onnx` of gluonzoo), an operator has no translation,
        the sizes do not suit the network, or onnxruntime computes something else. No file is written then; a former
        file stays.
    """
    unknown = [name for name in dynamic if name not in VARY]
    if unknown:
        raise ValueError(f'dynamic: must be of {", ".join(map(repr, VARY))}: {unknown[0]!r}')
    require_packages()
    require_folder(path)
    arrays = examples(inputs)
    if decoder is None:
        return _write(block, path, arrays, outputs, dynamic, metadata, tolerance)
    with named(path), tempfile.TemporaryDirectory(dir=Path(path).parent) as folder:
        parts = write_parts(block, folder, arrays, outputs, decoder, decoder_inputs, dynamic, tolerance)
        _write(Chain(block, decoder, len(arrays)), path, {**arrays, **parts.others}, ['detections'],
               dynamic=dynamic, metadata=metadata, tolerance=tolerance, reference=parts.chained(parts.network),
               measure=detection_difference)
    return parts.differences


class Parts(NamedTuple):
    """A network and its decoder as ONNX files of their own, each compared with MXNet."""
    network: Path
    decoder: Path
    differences: dict
    """of the outputs of both, name -> float"""
    others: dict
    """examples of the decoder's inputs that are no outputs of the network, name -> array"""

    def chained(self, network):
        """A function of a dict of arrays: what the decoder makes of what the ONNX file `network` says."""
        first, second = Session(network), Session(self.decoder)

        def compute(arrays):
            heads = first({name: array for name, array in arrays.items() if name not in self.others})
            return second({**dict(zip(self.differences, heads)), **{name: arrays[name] for name in self.others}})
        return compute


def write_parts(block, folder, arrays, outputs, decoder, decoder_inputs, dynamic, tolerance=1e-4):
    """Writes a network and its decoder into a folder, as :func:`to_onnx` takes them: :class:`Parts`."""
    paths = Path(folder, 'network.onnx'), Path(folder, 'decoder.onnx')
    differences = _write(block, paths[0], arrays, outputs, dynamic, None, tolerance)
    if 'size' in dynamic:
        _require_maps(block, arrays, list(differences))
        _require_no_constants(decoder)
    others = examples(decoder_inputs or {})
    heads = examples({name: others.pop(name, output.shape) for name, output in zip(differences, run(block, arrays))})
    found = _write(decoder, paths[1], {**heads, **others}, ['detections'], dynamic, None, tolerance,
                   measure=detection_difference)
    return Parts(*paths, {**differences, **found}, others)


@contextmanager
def named(path):
    """Within, an OSError about a file on the way to `path` names `path`."""
    try:
        yield
    except OSError as error:
        if error.errno is not None:
            error.filename = str(path)
        raise


def _write(block, path, arrays, outputs, dynamic, metadata, tolerance, reference=None, measure=difference):
    """As :func:`to_onnx`, without a decoder.

    `reference` is what the file must compute, a function of a dict of arrays; by default the block. `measure` says how
    far two arrays are from each other.
    """
    from onnx import checker

    tests = [arrays, *({name: _larger(array, axis) for name, array in arrays.items()}
                       for what in dynamic for axis in VARY[what])]
    expected = [reference(test) if reference else run(block, test) for test in tests]   # first: it completes shapes
    if 'size' in dynamic and not reference:
        # A pixel more, where the network takes it: what rounds sizes may round otherwise there.
        with suppress(ExportError):
            odd = {name: _larger(_larger(array, 2, 1), 3, 1) for name, array in arrays.items()}
            expected.append(run(block, odd))
            tests.append(odd)
    with pools_as({name: _marked(name) for name in COMPOSITIONS}):
        symbol, parameters = trace(block, list(arrays), outputs)
    symbol = drop_training_only(symbol)
    outputs = [name[:-len('_output')] for name in symbol.list_outputs()]
    model = _model(symbol, parameters, [{name: array.shape for name, array in test.items()} for test in tests], dynamic)
    _name_shapes(model, outputs, expected, dynamic)
    model.graph.name = Path(path).stem
    if metadata is not None:
        model.metadata_props.add(key='gluonzoo', value=json.dumps(metadata))
    with replacing(path) as (partial,):
        partial.write_bytes(model.SerializeToString())
        checker.check_model(str(partial))
        session = Session(partial)
        differences = dict.fromkeys(outputs, 0.)
        for wanted, test in zip(expected, tests):
            for name, a, b in zip(outputs, wanted, session(test)):
                differences[name] = max(differences[name], measure(a, b))
        wrong = [f'{name} by {value:.2g}' for name, value in differences.items() if not value <= tolerance]
        if wrong:
            raise ExportError(f'onnxruntime computes something else than MXNet: {", ".join(wrong)} of its greatest '
                              f'number; {tolerance:g} is allowed')
    return differences


class Session:
    """An ONNX file in onnxruntime: a function from a dict of arrays to a list of arrays."""

    def __init__(self, path):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4   # what it would say of an error, the exception says too
        self._session = self._plainly(onnxruntime.InferenceSession, str(path), options,
                                      providers=['CPUExecutionProvider'])
        self.outputs = [output.name for output in self._session.get_outputs()]

    def __call__(self, arrays):
        return self._plainly(self._session.run, None, arrays)

    @staticmethod
    def _plainly(function, *args, **kwargs):
        try:
            return function(*args, **kwargs)
        except Exception as error:   # onnxruntime's have no other class in common
            reason = ' '.join(str(error).split())
            raise ExportError(f'onnxruntime refuses what was written: {reason}') from error


def _require_maps(block, arrays, outputs):
    """ExportError if an output that is no map becomes longer with the images: a decoder takes one length of it."""
    larger = {name: _larger(_larger(array, 2), 3) for name, array in arrays.items()}
    for name, first, second in zip(outputs, run(block, arrays), run(block, larger)):
        if first.ndim != 4 and first.shape != second.shape:
            raise ExportError(f'the decoder is made for images of one size, since {name} is {list(first.shape)} for '
                              f'these and {list(second.shape)} for larger ones; export without the decoder, or a file '
                              'for each size')


def _require_no_constants(decoder):
    """ExportError if a decoder has constants, such as the cells and anchors of one size."""
    if any(isinstance(parameter, gluon.Constant) for parameter in decoder.collect_params().values()):
        raise ExportError('the decoder is made for images of one size; export without the decoder, or a file for each '
                          'size')


def require_packages():
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise ExportError(f"ONNX files need the package {error.name}: pip install 'gluonzoo[onnx]'") from error


def _larger(array, axis, more=None):
    """The example with an image more, or twice (or by `more`) as large along another axis, if it is of images."""
    if axis == 0:
        return np.concatenate([array, array[:1]])
    if array.ndim < 4:
        return array
    return np.concatenate([array, array.take(range(more or array.shape[axis]), axis)], axis)


def _marked(pool):
    """A function of a Symbol that stands for a pool, whoever computes that; see translations.POOL."""
    from .translations import POOL

    def function(data, name=None):
        with mx.AttrScope(**{POOL: pool}):
            return mx.sym.identity(data, name=name)
    return function


# -- the file --------------------------------------------------------------------------------------------------------

def _model(symbol, parameters, examples, dynamic):
    """The ONNX model of a graph, by MXNet's own converter and our translations.

    `examples` are dicts of shapes, of which the first are those of the file.
    """
    from mxnet.onnx.mx2onnx._export_onnx import MXNetGraph
    from onnx import TensorProto, helper

    shapes = examples[0]
    ordered = [shapes[name] for name in symbol.list_inputs() if name in shapes]   # as the converter wants them
    with _converter(_lengths(symbol, examples)), _plain_errors():
        graph = MXNetGraph().create_onnx_graph_proto(
            symbol, parameters, ordered, [TensorProto.FLOAT] * len(ordered), opset_version=OPSET,
            dynamic=bool(dynamic),
            dynamic_input_shapes=[_dims(shape, dynamic) for shape in ordered] if dynamic else None)
    used = {name for node in graph.node for name in node.input}
    for weight in [weight for weight in graph.initializer if weight.name not in used]:
        graph.initializer.remove(weight)
    # The converter makes every weight an input too, which keeps runtimes from computing ahead with it.
    values = {value.name: value for value in graph.input}
    del graph.input[:]
    graph.input.extend(values[name] for name in shapes)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid('', OPSET)], ir_version=IR_VERSION,
                             producer_name='gluonzoo', producer_version=__version__)


def _dims(shape, dynamic):
    """A shape with names for what varies."""
    dims = list(shape)
    names = 'batch', 'channels', 'height', 'width'
    for axis in (axis for what in dynamic for axis in VARY[what]):
        if axis == 0 or len(dims) == 4:
            dims[axis] = names[axis]
    return tuple(dims)


@contextmanager
def _plain_errors():
    try:
        yield
    except (AttributeError, KeyError, NotImplementedError) as error:   # as the converter says that it cannot
        raise ExportError(f'cannot be exported: {error}') from error


def _lengths(symbol, examples):
    """The shapes of all outputs of all nodes, [node][output]: lengths that vary between the examples are None."""
    internals = symbol.get_internals()
    shapes = [internals.infer_shape(**example)[1] for example in examples]
    found = {}
    for output, *sizes in zip(internals, *shapes):
        found.setdefault(output.name, []).append(
            tuple(lengths[0] if len(set(lengths)) == 1 else None for lengths in zip(*sizes)))
    return [found[node['name']] for node in read_graph(symbol)['nodes']]


@contextmanager
def _converter(shapes):
    """Within, MXNet's converter has our translations, works with today's onnx, and writes our opset."""
    import onnx
    from mxnet.onnx.mx2onnx._export_onnx import MXNetGraph
    from onnx import checker, helper

    from .translations import TRANSLATIONS

    registry, mapping = MXNetGraph.registry_, vars(onnx).get('mapping')
    context = checker.DEFAULT_CONTEXT   # the converter has its graph checked against the newest opset otherwise
    versions = context.opset_imports, context.ir_version
    types = {helper.tensor_dtype_to_np_dtype(number): number for number in (*range(1, 8), *range(9, 14))}
    try:
        MXNetGraph.registry_ = {**registry, OPSET: {**registry[OPSET], **{
            operator: functools.partial(translate, shapes=shapes) for operator, translate in TRANSLATIONS.items()}}}
        context.opset_imports, context.ir_version = {'': OPSET}, IR_VERSION
        onnx.mapping = SimpleNamespace(   # which onnx 1.19 has dropped
            NP_TYPE_TO_TENSOR_TYPE=types, TENSOR_TYPE_TO_NP_TYPE={number: dtype for dtype, number in types.items()})
        yield
    finally:
        MXNetGraph.registry_ = registry
        context.opset_imports, context.ir_version = versions
        if mapping is None:
            del onnx.mapping
        else:
            onnx.mapping = mapping


def _name_shapes(model, outputs, expected, dynamic):
    """Says of every output what is fixed of its shape, which is what all examples have in common."""
    from onnx import helper

    values = {value.name: value for value in model.graph.output}
    del model.graph.output[:]
    for name, *results in zip(outputs, *expected):
        dims = [sizes[0] if len(set(sizes)) == 1 else f'{name}_{axis}'
                for axis, sizes in enumerate(zip(*(result.shape for result in results)))]
        if 'batch' in dynamic and dims[0] == f'{name}_0':
            dims[0] = 'batch'
        model.graph.output.append(
            helper.make_tensor_value_info(name, values[name].type.tensor_type.elem_type, dims))
