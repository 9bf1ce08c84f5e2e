"""Corner pools: each becomes one Scan, exact for lines of any length."""
from onnx import helper

from .base import translates

__all__ = ['POOL']

# The attribute of an identity that stands for a corner pool: which one.
POOL = '__corner_pool__'

_POOLS = {'top_pool': (2, True), 'bottom_pool': (2, False), 'left_pool': (3, True), 'right_pool': (3, False)}


def _scan(nodes, pool):
    """A running maximum: its state is a line across the scan, [N, C, W] or [N, C, H].

    Not by Max, which forgets NaN in onnxruntime 1.17 and before.
    """
    axis, reverse = _POOLS[pool]
    first = nodes.add('Gather', *nodes.inputs, nodes.constant(-1 if reverse else 0), axis=axis)
    before, line, after, out = (helper.make_tensor_value_info(name, nodes.onnx_type, [None] * 3)
                                for name in ('before', 'line', 'after', 'out'))
    body = helper.make_graph([helper.make_node('LessOrEqual', ['line', 'before'], ['less']),
                              helper.make_node('IsNaN', ['before'], ['is_nan']),
                              helper.make_node('Or', ['less', 'is_nan'], ['keep']),
                              helper.make_node('Where', ['keep', 'before', 'line'], ['after']),
                              helper.make_node('Identity', ['after'], ['out'])], pool, [before, line], [after, out])
    last = f'{nodes.name}_last'
    nodes.append(helper.make_node('Scan', [first, *nodes.inputs], [last, nodes.name], name=nodes.name, body=body,
                                  num_scan_inputs=1, scan_input_axes=[axis], scan_output_axes=[axis],
                                  scan_input_directions=[int(reverse)], scan_output_directions=[int(reverse)]))


for _pool in _POOLS:   # as the library and MXNet built with the operators have them
    translates(f'_contrib_{_pool}')(lambda nodes, pool=_pool: _scan(nodes, pool))


@translates('_copy')
def _identity_or_pool(nodes):
    if POOL in nodes.attrs:
        _scan(nodes, nodes.attrs[POOL])
    else:
        nodes.end('Identity', *nodes.inputs)
