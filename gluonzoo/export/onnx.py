"""Networks as ONNX files: written, loaded in onnxruntime and compared before they get their name."""
import json
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import mxnet as mx
import numpy as np
from mxnet import gluon

from ..files import replacing
from ..graph.training_only import drop_training_only
from ..ops.composition import COMPOSITIONS
from .converter import VARY, make_model
from .errors import ExportError
from .opsets import OPSET, require_opset
from .tracing import (
    Chain,
    each_difference,
    examples,
    pools_as,
    require_folder,
    require_whole,
    rows_difference,
    run,
    trace,
)

__all__ = ['to_onnx', 'Parts', 'Session', 'named', 'require_packages', 'write_parts']


def to_onnx(block, path, inputs, outputs=None, *, decoder=None, decoder_inputs=None, dynamic=(), metadata=None,
            objects=False, opset=OPSET, tolerance=1e-4):
    """Writes a block as an ONNX file, which any runtime of the opset takes.

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
    objects : bool
        whether the outputs together say what objects there are: their classes (-1: none), their scores, their boxes and
        perhaps more. Then they are compared as sets of rows, as a decoder's are: equal scores may come in any order.
    opset : int
        which version of the operators the file is of, from 13 to the newest that the installed onnx and onnxruntime
        have in common. What a runtime of 2021 takes is 13; some runtimes want 17 or more.
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
    require_opset(opset)
    require_folder(path)
    arrays = examples(inputs)
    if decoder is None:
        return _write(block, path, arrays, outputs, dynamic, metadata, tolerance, opset,
                      compare=rows_difference if objects else each_difference)
    with named(path), tempfile.TemporaryDirectory(dir=Path(path).parent) as folder:
        parts = write_parts(block, folder, arrays, outputs, decoder, decoder_inputs, dynamic, tolerance, opset)
        _write(Chain(block, decoder, len(arrays)), path, {**arrays, **parts.others}, ['detections'], dynamic, metadata,
               tolerance, opset, reference=parts.chained(parts.network), compare=rows_difference)
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


def write_parts(block, folder, arrays, outputs, decoder, decoder_inputs, dynamic, tolerance=1e-4, opset=OPSET):
    """Writes a network and its decoder into a folder, as :func:`to_onnx` takes them: :class:`Parts`."""
    paths = Path(folder, 'network.onnx'), Path(folder, 'decoder.onnx')
    if 'size' in dynamic:   # first: the network takes its time
        _require_maps(block, arrays, outputs)
        _require_no_constants(decoder)
    differences = _write(block, paths[0], arrays, outputs, dynamic, None, tolerance, opset)
    others = examples(decoder_inputs or {})
    heads = examples({name: others.pop(name, output.shape) for name, output in zip(differences, run(block, arrays))})
    found = _write(decoder, paths[1], {**heads, **others}, ['detections'], dynamic, None, tolerance, opset,
                   compare=rows_difference)
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


def _write(block, path, arrays, outputs, dynamic, metadata, tolerance, opset, reference=None,
           compare=each_difference):
    """As :func:`to_onnx`, without a decoder.

    `reference` is what the file must compute, a function of a dict of arrays; by default the block. `compare` says how
    far the outputs are from those expected: a function of the names and both lists, which returns a dict.
    """
    tests = [arrays, *({name: _larger(array, axis) for name, array in arrays.items()}
                       for what in dynamic for axis in VARY[what])]
    require_whole(block, *tests)
    expected = [reference(test) if reference else run(block, test) for test in tests]   # first: it completes shapes
    if 'size' in dynamic and not reference:
        # A pixel more, where the network takes it: what rounds sizes may round otherwise there.
        with suppress(ExportError):
            odd = {name: _larger(_larger(array, 2, 1), 3, 1) for name, array in arrays.items()}
            require_whole(block, odd)
            expected.append(run(block, odd))
            tests.append(odd)
    with pools_as({name: _marked(name) for name in COMPOSITIONS}):
        symbol, parameters = trace(block, list(arrays), outputs, len(expected[0]))
    symbol = drop_training_only(symbol)
    outputs = [name[:-len('_output')] for name in symbol.list_outputs()]
    model = make_model(symbol, parameters, [{name: array.shape for name, array in test.items()} for test in tests],
                       dynamic, opset)
    _name_shapes(model, outputs, expected, dynamic)
    model.graph.name = Path(path).stem
    if metadata is not None:
        model.metadata_props.add(key='gluonzoo', value=json.dumps(metadata))
    with replacing(path) as (partial,):
        partial.write_bytes(model.SerializeToString())
        _require_valid(partial)
        session = Session(partial)
        found = [compare(outputs, wanted, session(test)) for wanted, test in zip(expected, tests)]
        differences = {name: max(one[name] for one in found) for name in found[0]}
        wrong = [f'{name} by {value:.2g}' for name, value in differences.items() if not value <= tolerance]
        if wrong:
            raise ExportError(f'onnxruntime computes something else than MXNet: {", ".join(wrong)} of its greatest '
                              f'number; {tolerance:g} is allowed')
    return differences


def _require_valid(path):
    """ExportError unless a file is valid, with the shapes of all that is in it."""
    from onnx import checker, shape_inference

    try:
        checker.check_model(str(path), full_check=True)
    except (checker.ValidationError, shape_inference.InferenceError) as error:
        raise ExportError(f'onnx refuses what was written: {" ".join(str(error).split())}') from error


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
    results = run(block, arrays), run(block, larger)
    for name, first, second in zip(outputs or [f'output{i}' for i in range(len(results[0]))], *results):
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
    if axis and array.ndim < 4:
        return array
    behind = array.take(range(more or (array.shape[axis] if axis else 1)), axis)
    if (behind % 1).any():   # else they may be places or classes
        behind = behind * np.float32(.9 - axis / 10)   # equal numbers would be sorted in any order
    return np.concatenate([array, behind], axis)


def _marked(pool):
    """A function of a Symbol that stands for a pool, whoever computes that; see translations.POOL."""
    from .translations import POOL

    def function(data, name=None):
        with mx.AttrScope(**{POOL: pool}):
            return mx.sym.identity(data, name=name)
    return function


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
