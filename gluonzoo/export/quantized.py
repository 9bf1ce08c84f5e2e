"""Networks with weights and arithmetic of 8 bits in MXNet's own form, which oneDNN computes on a CPU."""
import os
from contextlib import contextmanager

import mxnet as mx
from mxnet.contrib import quantization

from ..reading import last_line
from .errors import ExportError
from .tracing import difference

__all__ = ['quantized']

_EXACT = ['elemwise_mul']   # MXNet's product in 8 bits refuses the unsigned numbers that a ReLU makes


def quantized(symbol, parameters, inputs):
    """A graph in 8 bits that stands for a float32 one.

    Ranges are those that the network's values have for `inputs`. Weights of convolutions have a scale for each output
    channel. Operators that oneDNN does not have in 8 bits stay in float32.

    Parameters
    ----------
    symbol : Symbol
    parameters : dict of name -> NDArray
        on the CPU
    inputs : list of dict of name -> float32 array
        what the network gets in use; some dozens are enough

    Returns
    -------
    symbol : Symbol
        of the same inputs and outputs
    parameters : dict of name -> NDArray

    Raises ExportError if MXNet cannot quantise it.
    """
    auxiliary = set(symbol.list_auxiliary_states())
    arguments, states = ({name: value for name, value in parameters.items() if (name in auxiliary) == which}
                         for which in (False, True))
    try:
        with _quietly():
            fused = symbol.get_backend_symbol('MKLDNN_QUANTIZE')
            low, _, _, collector = quantization.quantize_graph(
                fused, arguments, states, ctx=mx.cpu(), excluded_op_names=_EXACT, calib_mode='naive',
                quantized_dtype='auto', quantize_mode='smart', quantize_granularity='channel-wise', logger=None)
            _require_same(symbol, fused, parameters, inputs[0])
            for computing, arrays in _each(fused, parameters, inputs):
                computing.set_monitor_callback(collector.collect, monitor_all=True)
                computing.forward(is_train=False, **arrays)
                mx.nd.waitall()
            low, arguments, states = quantization.calib_graph(
                low, arguments, states, collector, calib_mode='naive', quantized_dtype='auto', logger=None)
            low = low.get_backend_symbol('MKLDNN_QUANTIZE')
    except (mx.MXNetError, ValueError) as error:
        raise ExportError(f'MXNet cannot quantise it: {last_line(error)}') from error
    there = set(low.list_inputs())
    return low, {name: value for name, value in {**arguments, **states}.items() if name in there}


def _require_same(symbol, fused, parameters, arrays):
    """ExportError unless a graph computes the same as that of which oneDNN has joined layers. Of some sums it takes the
    weights of one convolution for those of another.
    """
    outputs = []
    for graph in (symbol, fused):
        (computing, given), = _each(graph, parameters, [arrays])
        outputs.append([output.asnumpy() for output in computing.forward(is_train=False, **given)])
    if not all(difference(a, b) <= 1e-3 for a, b in zip(*outputs)):
        raise ExportError('MXNet joins the layers of this network wrongly, before it quantises them')


def _each(symbol, parameters, inputs):
    """Yields an executor and the arrays that it takes, for each of the inputs. One executor is for all of one shape."""
    executors = {}
    for arrays in inputs:
        arrays = {name: mx.nd.array(array) for name, array in arrays.items()}
        shapes = tuple(array.shape for array in arrays.values())
        if shapes not in executors:
            values = {**parameters, **arrays}
            executors[shapes] = symbol.bind(
                mx.cpu(), {name: values[name] for name in symbol.list_arguments()}, grad_req='null',
                aux_states={name: values[name] for name in symbol.list_auxiliary_states()})
        yield executors[shapes], arrays


@contextmanager
def _quietly():
    """Within, MXNet does not tell of every graph that oneDNN has changed."""
    name = 'MXNET_SUBGRAPH_VERBOSE'
    before = os.environ.get(name)
    os.environ[name] = '0'
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
