"""Smaller forms of networks as files: ONNX in float16 or in 8 bits, and MXNet's own form of 8 bits.

A smaller form computes something else than the network, so its file appears only after someone has judged it.
"""
import json
import tempfile
from pathlib import Path

import mxnet as mx
import numpy as np

from ..files import replacing
from ..graph.edit import own_names
from .errors import ExportError
from .onnx import Session, named, require_packages, to_onnx, write_parts
from .onnx_forms import to_float16, to_int8
from .opsets import OPSET, require_opset
from .quantized import quantized
from .symbol import trace_stock, write_symbol
from .tracing import detection_difference, difference, examples, require_folder, run

__all__ = ['to_small_onnx', 'to_small_symbol']

PRECISIONS = ('float16', 'int8')
NEAR = .05   # what float16 may change of an output: more comes of numbers that it does not have


def to_small_onnx(block, path, inputs, outputs=None, *, precision, judge, calibration=None, decoder=None,
                  decoder_inputs=None, dynamic=(), metadata=None, opset=OPSET):
    """Writes a block as an ONNX file of less precision. A decoder stays in float32.

    The file of float32 is made first, and compared with MXNet as :func:`~gluonzoo.export.to_onnx` does.

    Parameters
    ----------
    block, path, inputs, outputs, decoder, decoder_inputs, dynamic, metadata, opset
        as for :func:`~gluonzoo.export.to_onnx`
    precision : {'float16', 'int8'}
        see :func:`~gluonzoo.export.onnx_forms.to_float16` and :func:`~gluonzoo.export.onnx_forms.to_int8`
    judge : function of a function
        Called before the file gets its name, with a function from a dict of arrays, the block's inputs, to a list of
        arrays, its outputs. It returns a dict that is added to the metadata, or raises an error: no file then.
    calibration : list of dict of name -> float32 array
        for 'int8': what the block gets in use, in batches that the file takes

    Returns
    -------
    dict of name -> float : the difference of each output of the block from that in float32, as a share of its greatest
    number; for the first of `calibration`, or for the example

    Raises
    ------
    ExportError
        as :func:`~gluonzoo.export.to_onnx`, or if onnxruntime cannot make such a form, or it gives numbers that are not
        finite, or float16 differs by more than 0.05. No file is written then; a former file stays.
    """
    if precision not in PRECISIONS:
        raise ValueError(f'precision: must be one of {", ".join(map(repr, PRECISIONS))}: {precision!r}')
    if (precision == 'int8') != bool(calibration):
        raise ValueError('calibration: must be inputs of the network for int8, and nothing for float16')
    require_packages()
    require_opset(opset)
    require_folder(path)
    arrays = examples(inputs)
    with named(path), tempfile.TemporaryDirectory(dir=Path(path).parent) as folder, replacing(path) as (partial,):
        small, parts = Path(folder, 'small.onnx'), None
        if decoder is None:
            network = Path(folder, 'network.onnx')
            to_onnx(block, network, arrays, outputs, dynamic=dynamic, opset=opset)
        else:
            parts = write_parts(block, folder, arrays, outputs, decoder, decoder_inputs, dynamic, opset=opset)
            network = parts.network
        if precision == 'float16':
            to_float16(network, small)
        else:
            to_int8(network, small, calibration)
        compute = Session(small)
        differences = _differences(Session(network), compute, calibration[0] if calibration else arrays)
        if precision == 'float16':
            _require_near(differences)
        found = judge(compute)
        model = _with_decoder(small, parts) if parts else _load(small)
        _describe(model, _load(network), path, None if metadata is None else {**metadata, **found})
        partial.write_bytes(model.SerializeToString())
        _check(partial, {**arrays, **parts.others} if parts else arrays, parts and parts.chained(small))
    return differences


def _load(path):
    import onnx

    return onnx.load(str(path))


def _with_decoder(small, parts):
    """The model of a network, followed by that of its decoder."""
    from onnx import compose

    network, decoder = _load(small), _load(parts.decoder)
    network.ir_version = decoder.ir_version = max(network.ir_version, decoder.ir_version)
    del network.metadata_props[:], decoder.metadata_props[:]
    decoder = compose.add_prefix(decoder, 'decoder_', rename_inputs=False, rename_outputs=False)
    heads = [output.name for output in network.graph.output]
    # Of inputs and outputs, those of the network would have the decoder's names.
    network = compose.add_prefix(network, 'network_', rename_inputs=False)
    return compose.merge_models(network, decoder, io_map=[(f'network_{name}', name) for name in heads])


def _describe(model, exact, path, metadata):
    """Names the graph, and the producer as the exact file does. Metadata replace those of onnxruntime's tools."""
    model.producer_name, model.producer_version = exact.producer_name, exact.producer_version
    model.graph.name = Path(path).stem
    del model.metadata_props[:]
    if metadata is not None:
        model.metadata_props.add(key='gluonzoo', value=json.dumps(metadata))


def _differences(exact, compute, arrays):
    """How far the outputs of two functions are apart for an example: dict of name -> float. ExportError for NaN."""
    found = {name: difference(a, b) for name, a, b in zip(exact.outputs, exact(arrays), compute(arrays))}
    _require_finite(found)
    return found


def _require_finite(differences):
    wrong = [name for name, value in differences.items() if not np.isfinite(value)]
    if wrong:
        raise ExportError(f'{", ".join(wrong)}: has numbers that are not finite in this precision')


def _require_near(differences):
    """ExportError if float16 changes more than digits: numbers beyond 65504 are cut off without a word."""
    wrong = [f'{name} by {value:.2g}' for name, value in differences.items() if not value <= NEAR]
    if wrong:
        raise ExportError(f'float16 is not enough for this network: {", ".join(wrong)} of its greatest number; '
                          f'{NEAR:g} is allowed')


def _check(path, arrays, reference):
    """ExportError unless onnx accepts the file, and it computes what its parts do."""
    from onnx import checker

    checker.check_model(str(path))
    found = Session(path)(arrays)
    if reference and not detection_difference(reference(arrays)[0], found[0]) <= 1e-4:
        raise ExportError('network and decoder together compute something else than one after the other')


def to_small_symbol(block, path, inputs, outputs=None, *, calibration, judge, decoder=None, decoder_inputs=None,
                    metadata=None):
    """Writes a block with weights and arithmetic of 8 bits, as MXNet's own files. A decoder stays in float32.

    Parameters
    ----------
    block, path, inputs, outputs, decoder, decoder_inputs, metadata
        as for :func:`~gluonzoo.export.to_symbol`
    calibration : list of dict of name -> float32 array
        what the block gets in use
    judge
        as for :func:`to_small_onnx`

    Returns
    -------
    paths : list of Path
        what was written
    differences : dict of name -> float
        as of :func:`to_small_onnx`

    Raises
    ------
    ExportError
        if MXNet cannot quantise the block, or the result has numbers that are not finite, or the files compute
        something other than what was judged. They are not written then; former files stay.
    """
    require_folder(path)
    arrays = examples(inputs)
    expected = run(block, calibration[0])   # first: it completes shapes
    symbol, parameters = _traced(block, list(arrays), outputs, len(expected))
    low, values = quantized(symbol, parameters, calibration)
    compute = _Graph(low, values, list(arrays))
    names = [name[:-len('_output')] for name in symbol.list_outputs()]
    differences = {name: difference(a, b) for name, a, b in zip(names, expected, compute(calibration[0]))}
    _require_finite(differences)
    found = judge(compute)
    if decoder is not None:
        others = examples({name: value for name, value in (decoder_inputs or {}).items() if name not in names})
        rows, constants = _traced(decoder, [*names, *others], ['detections'])
        low = own_names(rows(**dict(zip(names, low))))
        values, arrays = {**values, **constants}, {**arrays, **others}
        compute = _Graph(low, values, list(arrays))
    paths = write_symbol(path, low, values, arrays, compute(arrays), None if metadata is None else
                         {**metadata, **found})
    return paths, differences


def _traced(block, inputs, outputs, count=None):
    symbol, parameters = trace_stock(block, inputs, outputs, count)
    there = set(symbol.list_inputs())
    return symbol, {name: value.as_in_context(mx.cpu()) for name, value in parameters.items() if name in there}


class _Graph:
    """A graph on the CPU: a function from a dict of arrays to a list of arrays."""

    def __init__(self, symbol, values, inputs):
        self._block = mx.gluon.SymbolBlock(symbol, [mx.sym.var(name, dtype='float32') for name in inputs])
        parameters = self._block.collect_params()
        for parameter in parameters.values():
            parameter.grad_req = 'null'
        parameters.load_dict({f'arg:{name}': value for name, value in values.items() if name in parameters},
                             mx.cpu(), cast_dtype=True, dtype_source='saved')
        self._block.hybridize(static_alloc=True)

    def __call__(self, arrays):
        return run(self._block, arrays)
