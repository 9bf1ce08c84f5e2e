"""Boxes."""
from mxnet.onnx.mx2onnx._op_translations import _op_translations_opset13 as mxnets

from ..errors import ExportError
from .base import TRANSLATIONS


def _box_nms(node, *, shapes, **context):
    """MXNet's own would have classes suppress each other, and take the `topk` best afterwards, with a warning."""
    attrs = node.get('attrs', {})
    if int(attrs.get('id_index', -1)) >= 0 and attrs.get('force_suppress', 'False') != 'True':
        raise ExportError('box_nms: cannot be exported with id_index, unless force_suppress=True')
    if int(attrs.get('topk', -1)) > 0:
        raise ExportError('box_nms: cannot be exported with topk')
    return mxnets.convert_contrib_box_nms(node, **context)


TRANSLATIONS['_contrib_box_nms'] = _box_nms
