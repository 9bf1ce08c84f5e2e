"""Networks as MXNet's own files, for an MXNet without gluonzoo."""
import errno
import json
from pathlib import Path

import mxnet as mx

from ..files import naming, replacing
from ..graph.training_only import drop_training_only
from ..ops.composition import COMPOSITIONS
from .errors import ExportError
from .tracing import Chain, difference, examples, pools_as, require_folder, require_whole, run, trace

__all__ = ['to_symbol', 'trace_stock', 'write_symbol']


def to_symbol(block, path, inputs, outputs=None, *, decoder=None, decoder_inputs=None, metadata=None):
    """Writes a block as `path`-symbol.json and `path`-0000.params, as :meth:`HybridBlock.export` does.

    The stock MXNet loads these files, since corner pools are composed of stock operators there. The files appear only
    if they compute the same as the block.

    Parameters
    ----------
    block : HybridBlock
        initialized
    path : str or Path
        without the endings
    inputs, outputs, decoder, decoder_inputs
        as for :func:`to_onnx`
    metadata : dict, optional
        that JSON can hold; it goes into `path`-metadata.json

    Returns
    -------
    list of Path : what was written

    Raises
    ------
    ExportError
        if the files compute something other than the block. They are not written then; former files stay.
    OSError
        if they cannot be written; likewise
    """
    require_folder(path)
    arrays = examples(inputs)
    if decoder is not None:
        others = {name: value for name, value in (decoder_inputs or {}).items() if name not in (outputs or ())}
        block, outputs = Chain(block, decoder, len(arrays)), ['detections']
        arrays.update(examples(others))
    require_whole(block, arrays)
    expected = run(block, arrays)   # first: it completes shapes
    return write_symbol(path, *trace_stock(block, list(arrays), outputs, len(expected)), arrays, expected, metadata)


def trace_stock(block, inputs, outputs, count=None):
    """As :func:`trace`, of stock operators alone, and without what only training needs."""
    with pools_as({name: on_symbol for name, (_, on_symbol) in COMPOSITIONS.items()}):
        symbol, parameters = trace(block, inputs, outputs, count)
    return drop_training_only(symbol), parameters


def write_symbol(path, symbol, parameters, arrays, expected, metadata):
    """Writes a graph as :func:`to_symbol` does, if the files compute what is expected of an example.

    Parameters
    ----------
    path, metadata
        as for :func:`to_symbol`
    symbol : Symbol
    parameters : dict of name -> NDArray
    arrays : dict of name -> array
        the example
    expected : list of arrays, the outputs for it
    """
    auxiliary = set(symbol.list_auxiliary_states())
    paths = [Path(f'{path}{ending}') for ending in ('-symbol.json', '-0000.params', '-metadata.json')]
    paths = paths[:3 if metadata is not None else 2]
    with replacing(*paths) as partial:
        with naming(paths[0]):   # not by MXNet, which does not say why it cannot
            partial[0].write_text(symbol.tojson())
        if metadata is not None:
            with naming(paths[2]):
                partial[2].write_text(json.dumps(metadata, indent=1) + '\n')
        copy = mx.gluon.SymbolBlock(mx.sym.load(str(partial[0])), [mx.sym.var(n, dtype='float32') for n in arrays])
        partial[1].touch()   # an error that says why
        try:
            mx.nd.save(str(partial[1]), {f'{"aux" if name in auxiliary else "arg"}:{name}': value
                                         for name, value in parameters.items()})
            # MXNet does not notice if the last bytes are not written
            copy.collect_params().load(str(partial[1]), cast_dtype=True, dtype_source='saved')
        except mx.MXNetError as error:
            raise OSError(errno.EIO, 'cannot be written whole; is the disk full?', str(paths[1])) from error
        gap = max(difference(a, b) for a, b in zip(expected, run(copy, arrays)))
        if not gap <= 1e-5:
            raise ExportError(f'what was written computes something else, by {gap:.2g} of its greatest number')
    if metadata is None:   # a former one would be about something else
        Path(f'{path}-metadata.json').unlink(missing_ok=True)
    return paths
