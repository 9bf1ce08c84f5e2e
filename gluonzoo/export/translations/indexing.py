"""What takes elements by their place."""
from ..errors import ExportError
from .base import translates


@translates('pick')
def _pick(nodes):
    """The indices must be in range: MXNet would clip them, or wrap them."""
    data, indices = nodes.inputs
    axis = int(nodes.attrs.get('axis', -1))
    if nodes.attrs.get('keepdims', 'False') == 'True':
        raise ExportError('pick: cannot be exported with keepdims=True')
    axes = nodes.constant([axis])
    indices = nodes.add('Unsqueeze', nodes.add('Cast', indices, to=7), axes)
    nodes.end('Squeeze', nodes.add('GatherElements', data, indices, axis=axis), axes)
