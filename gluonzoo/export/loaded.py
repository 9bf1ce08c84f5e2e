"""Networks that were exported from Gluon or saved by a Module, loaded from their two files without trust."""
import difflib
import json
import os
import resource
import subprocess
import sys
from contextlib import redirect_stdout
from typing import NamedTuple

import mxnet as mx
import numpy as np

from .. import memory
from ..convert import WeightsError
from ..convert.errors import at_most
from ..convert.mxnet_params import read_params
from ..convert.parameters import faults
from ..graph.checked import SymbolError, read_symbol, require_sound_shapes
from ..graph.edit import make_block, read_graph
from ..graph.losses import predictions_for_losses, require_known_axis
from ..reading import last_line, quoted

__all__ = ['Loaded', 'example_inputs', 'load_exported', 'require_it_runs']

_ROIS = ('ROIPooling', '_contrib_ROIAlign', '_contrib_RROIAlign', '_contrib_PSROIPooling')


class Loaded(NamedTuple):
    """What two files hold."""
    block: object
    """SymbolBlock, without gradients"""
    symbol: object
    unused: list
    """names of arrays of the file that the graph does not use"""


def load_exported(symbol_file, params_file, inputs, ctx=None, finite=True):
    """The network of a symbol file and a parameter file.

    Losses at the end, as Modules have them, become what they predict: SoftmaxOutput becomes softmax, and needs no
    label. Arrays of float16 and float64 become float32.

    Parameters
    ----------
    symbol_file : str or Path
        NAME-symbol.json
    params_file : str or Path, or None
        NAME-0000.params; None if the graph has no parameters
    inputs : dict of name -> shape
        in the order in which the block takes them
    ctx : Context, optional
        default: the CPU
    finite : bool
        whether weights must be finite

    Returns
    -------
    Loaded

    Raises
    ------
    SymbolError, WeightsError
        if a file is damaged or hostile, the inputs are not those of the graph, or the files do not fit each other. The
        message begins with the path.
    OSError
        if a file cannot be read
    """
    trained = read_symbol(symbol_file)
    symbol = predictions_for_losses(trained)
    arrays = read_params(params_file, every_type=True) if params_file is not None else {}
    wanted = symbol.list_inputs()
    for name in inputs:
        if name not in wanted or name in arrays:
            free = [other for other in wanted if other not in arrays]
            near = difflib.get_close_matches(name, free) or free[:5]
            raise SymbolError(f'{symbol_file}: has no input {quoted(name)}'
                              + (f'; it has {", ".join(map(quoted, near))}' if near else ''))
    missing = [name for name in wanted if name not in arrays and name not in inputs]
    if missing:
        raise SymbolError(f'{symbol_file}: nothing is said of {", ".join(map(quoted, missing[:5]))}'
                          + (f' and {len(missing) - 5} more' if len(missing) > 5 else '')
                          + ': they must be in the parameter file, or inputs with a shape')
    shapes, auxiliary = require_sound_shapes(symbol, inputs, symbol_file)
    shapes.update(auxiliary)
    try:
        require_known_axis(trained, symbol, inputs)
    except ValueError as error:
        raise SymbolError(f'{symbol_file}: {error}') from None
    arrays, unused = ({name: array for name, array in arrays.items() if (name in wanted) is used}
                      for used in (True, False))
    arrays = {name: array.astype('float32') if array.dtype.kind == 'f' else array for name, array in arrays.items()}
    wrong = [f'{quoted(name)}: {fault}' for name, array in arrays.items()
             for fault in _faults(array, shapes[name], finite)]
    if wrong:
        raise WeightsError('\n  '.join([f'{params_file} does not fit {symbol_file}:', *at_most(wrong)]))
    ctx = ctx or mx.cpu()
    values = {name: mx.nd.array(array, ctx=ctx, dtype=array.dtype) for name, array in arrays.items()}
    try:
        with redirect_stdout(None):   # MXNet prints the arguments of what it cannot infer
            block = make_block(symbol, values, mx.nd.zeros((1,), ctx=ctx), list(inputs))
    except (mx.MXNetError, AssertionError, ValueError) as error:
        raise SymbolError(f'{symbol_file}: MXNet cannot use it: {last_line(error)}') from error
    return Loaded(block, symbol, list(unused))


def _faults(array, shape, finite):
    if array.dtype.kind == 'f':
        return faults(array, shape, 'float32', finite)
    return faults(np.broadcast_to(np.float32(0), array.shape), shape, 'float32')   # of whole numbers, only the shape


def example_inputs(symbol, inputs):
    """Examples of inputs of which numbers have a meaning: rows of image, box for regions of interest. Others: shapes.

    Random numbers of images would have MXNet read what is no memory of its own.
    """
    graph = read_graph(symbol)
    found = dict(inputs)
    for node in graph['nodes']:
        if node['op'] in _ROIS:
            name = graph['nodes'][node['inputs'][1][0]]['name']
            if name in inputs:
                rows = np.tile(np.array([0, 0, 0, 31, 31], 'float32'), (*inputs[name][:-1], 1))
                rows[..., 1:3] += np.arange(len(rows)).reshape(-1, *[1] * (rows.ndim - 1)) % 16
                found[name] = rows
    return found


def require_it_runs(symbol_file, params_file, inputs):
    """SymbolError if MXNet dies of a network, or runs for more than five minutes: it is tried in another process.

    Some operators, such as those that take places from numbers, read and write wherever the numbers say.
    """
    most = memory.limit() or resource.RLIM_INFINITY
    arguments = json.dumps([os.path.abspath(symbol_file), params_file and os.path.abspath(params_file), inputs])
    packages = os.pathsep.join(map(os.path.abspath, sys.path))   # as they are here, whatever the folder holds
    try:
        done = subprocess.run(
            [sys.executable, '-m', f'{__package__}.trial', arguments], capture_output=True, text=True, timeout=300,
            errors='replace', env={**os.environ, 'PYTHONPATH': packages}, cwd=os.sep,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (most, most)))
    except subprocess.TimeoutExpired:
        raise SymbolError(f'{symbol_file}: MXNet takes more than five minutes to compute it once') from None
    if done.returncode:
        said = next((line for line in done.stderr.splitlines()[::-1] if line.strip()), '')
        raise SymbolError(f'{symbol_file}: MXNet dies when it computes this network: {said.strip()[:200]}')
