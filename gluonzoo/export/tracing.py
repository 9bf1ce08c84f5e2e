"""From a block to the graph that is exported, and to examples of what it computes."""
import errno
import re
from contextlib import contextmanager
from pathlib import Path

import mxnet as mx
import numpy as np
from mxnet import autograd
from mxnet.gluon import HybridBlock

from ..graph.edit import flat, own_names, read_graph
from ..graph.inferred import output_shapes, unequal_reshapes
from ..reading import last_line
from .errors import ExportError

__all__ = ['Chain', 'trace', 'pools_as', 'examples', 'run', 'difference', 'detection_difference', 'each_difference',
           'require_folder', 'require_whole', 'rows_difference']


class Chain(HybridBlock):
    """A network and the decoder of what it says. Of the inputs, the network takes the first `count`."""

    def __init__(self, net, decoder, count):
        super().__init__()
        self.net, self.decoder, self._count = net, decoder, count

    def hybrid_forward(self, F, *inputs):
        return self.decoder(*flat(self.net(*inputs[:self._count])), *inputs[self._count:])


def trace(block, inputs, outputs=None, count=None):
    """The graph of a block.

    Parameters
    ----------
    block : HybridBlock
        initialized
    inputs : sequence of str
        what its inputs shall be called
    outputs : sequence of str, optional
        what its outputs shall be called, those in lists one by one; default: output, or output0, output1 ...
    count : int, optional
        how many outputs the block has when it is called with arrays

    Returns
    -------
    symbol : Symbol
        of nodes with these names, in this order
    parameters : dict of name -> NDArray
        those that the graph has
    """
    found = _outputs(block, inputs)
    if count not in (None, len(found)):   # an operator has several outputs, all of which arrays would show
        found = [part for output in found for part in output]
        if len(found) != count:
            raise ExportError(f'the block has {count} outputs, and its graph {len(found)}; give back each by itself')
    if outputs is None:
        outputs = [f'output{i}' for i in range(len(found))] if len(found) > 1 else ['output']
    if len(outputs) != len(found):
        raise ValueError(f'outputs: must be {len(found)} names, one for each output: {list(outputs)}')
    parameters = dict(block.collect_params().items())
    names = [*inputs, *outputs]
    taken = [name for i, name in enumerate(names) if name in names[:i] or name in parameters]
    if taken:
        raise ValueError(f'inputs and outputs: must all have different names, and not those of parameters: {taken}')
    inside = own_names(mx.sym.Group(found), names)
    symbol = mx.sym.Group([mx.sym.identity(output, name=name) for output, name in zip(inside, outputs)])
    missing = [name for name in inputs if name not in symbol.list_inputs()]
    if missing:
        raise ValueError(f'inputs: no output depends on {", ".join(missing)}')
    return symbol, {name: parameters[name].data(parameters[name].list_ctx()[0])
                    for name in symbol.list_inputs() if name not in inputs}


def _outputs(block, inputs):
    return flat(block(*(mx.sym.var(name, dtype='float32') for name in inputs)))


def require_whole(block, *examples):
    """ExportError if a reshape of the block's does not take all of an example, as where the numbers of its shape do
    not divide the inputs: MXNet writes beyond its arrays then.
    """
    symbol = own_names(mx.sym.Group(_outputs(block, examples[0])))
    nodes = read_graph(symbol)['nodes']
    for arrays in examples:
        try:
            shapes = output_shapes(symbol, {name: array.shape for name, array in arrays.items()})
        except mx.MXNetError:   # the block says why, when it runs
            continue
        for node, before, after in unequal_reshapes(nodes, shapes):
            raise ExportError(f'the network does not take {_said(arrays)}: layer {node["name"]}: {list(before)} cannot '
                              f'become {node.get("attrs", {}).get("shape", after)}')


def _said(arrays):
    return ', '.join(f'{name} {list(array.shape)}' for name, array in arrays.items())


@contextmanager
def pools_as(functions):
    """Within, ``F.contrib.top_pool`` and the other pools are replaced on Symbols, by a dict of name -> function."""
    before = {name: getattr(mx.sym.contrib, name) for name in functions}
    try:
        for name, function in functions.items():
            setattr(mx.sym.contrib, name, function)
        yield
    finally:
        for name, function in before.items():
            setattr(mx.sym.contrib, name, function)


def examples(inputs):
    """The inputs as float32 arrays. For a shape, the array has random numbers from N(0, 1)."""
    rng = np.random.default_rng(0)
    arrays = {}
    for name, value in inputs.items():
        if isinstance(value, np.ndarray):
            arrays[name] = value.astype('float32')
        else:
            if not all(isinstance(n, int) and n > 0 for n in value):
                raise ValueError(f'inputs: {name!r} must have a shape of whole numbers above 0: {value!r}')
            arrays[name] = rng.standard_normal(value, 'float32')
    return arrays


def run(block, arrays):
    """What a block computes of NumPy arrays, as a list of such. ExportError if it does not take them."""
    ctx = next((parameter.list_ctx()[0] for parameter in block.collect_params().values()), mx.cpu())
    try:
        with autograd.predict_mode():
            return [y.asnumpy() for y in flat(block(*(mx.nd.array(array, ctx=ctx) for array in arrays.values())))]
    except mx.MXNetError as error:
        raise ExportError(f'the network does not take {_said(arrays)}: {_plainly(last_line(error))}') from error


def _plainly(line):
    """What MXNet says of a layer that does not take its input, without the places in its sources."""
    found = re.search(r'Error in operator (\S+): (?:\[[\d:]+\] )?\S+:\d+: (.*)', line)
    return f'layer {found[1]}: {found[2]}' if found else line.replace('MXNetError: ', '', 1)


def difference(expected, got):
    """The greatest difference of two arrays, as a share of the greatest number expected.

    What is not finite must be the same in both, or the difference is infinite.
    """
    if expected.shape != got.shape or expected.dtype != got.dtype:
        raise ExportError(f'an output is {got.dtype} {list(got.shape)} in place of {expected.dtype} '
                          f'{list(expected.shape)}')
    finite = np.isfinite(expected)
    if not np.array_equal(finite, np.isfinite(got)) or not np.array_equal(expected[~finite], got[~finite], True):
        return np.inf
    if not finite.any():
        return 0.
    gap = np.abs(expected[finite].astype('float64') - got[finite])
    return float(gap.max() / (np.abs(expected[finite]).max() or 1))


def detection_difference(expected, got):
    """:func:`difference` of rows (class, score, box) [B, N, 6], in whatever order.

    Each row is compared with the nearest row of its class on the other side. 5 % of the rows of an image, rounded up,
    may have no such row, and are left out. Rows of class -1 do not count, nor rows that are not finite: an offset may
    overflow.
    """
    if expected.shape != got.shape:
        return difference(expected, got)
    greatest = 0.
    for a, b in zip(expected, got):
        a, b = (rows[(rows[:, 0] >= 0) & np.isfinite(rows).all(axis=1)] for rows in (a, b))
        scale = np.abs(a).max(0, initial=1e-6)   # of class, score and each edge
        apart = (np.abs(a[:, None] - b[None]) / scale).max(2)   # [len(a), len(b)]
        apart[a[:, None, 0] != b[None, :, 0]] = np.inf
        left_out = -(-max(apart.shape) // 20)
        for nearest in (apart.min(0, initial=np.inf), apart.min(1, initial=np.inf)):
            greatest = max(greatest, np.sort(nearest)[:-left_out].max(initial=0) if left_out else 0)
    return float(greatest)


def each_difference(names, expected, got):
    """The :func:`difference` of each output, a dict."""
    return {name: difference(a, b) for name, a, b in zip(names, expected, got)}


def rows_difference(names, expected, got):
    """The :func:`detection_difference` of outputs that belong together: the classes [B, N, 1] or [B, N], the
    scores, the boxes [B, N, 4] and what else there is of each object [B, N, ...]. A dict of all of them together.
    """
    for a, b in zip(expected, got):
        if a.shape != b.shape:
            difference(a, b)   # says so
    rows = [np.concatenate([part.reshape(*part.shape[:2], -1) for part in parts], 2) for parts in (expected, got)]
    return {', '.join(names): detection_difference(*rows)}


def require_folder(path):
    """Raises FileNotFoundError unless there is a folder for the file `path`."""
    folder = Path(path).parent
    if not folder.is_dir():
        raise FileNotFoundError(errno.ENOENT, 'there is no such folder to write to', str(folder))
