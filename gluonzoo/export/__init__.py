"""Networks for use elsewhere: in any ONNX runtime, or in an MXNet without gluonzoo.

::

    net = gluonzoo.get_model('ghostnet_1_0')
    net.load_parameters('ghostnet.params')
    to_onnx(net, 'ghostnet.onnx', {'image': (1, 3, 224, 224)}, ['logits'], dynamic=['batch'])
    to_symbol(net, 'ghostnet', {'image': (1, 3, 224, 224)}, ['logits'])
"""
from .errors import ExportError
from .loaded import load_exported
from .onnx import to_onnx
from .smaller import to_small_onnx, to_small_symbol
from .symbol import to_symbol

__all__ = ['ExportError', 'load_exported', 'to_onnx', 'to_small_onnx', 'to_small_symbol', 'to_symbol']
