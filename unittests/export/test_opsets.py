"""Opsets: what is written in a newer one means the same, and what there is not is refused."""
import numpy as np
import pytest
from mxnet.gluon.nn import HybridLambda
from numpy.testing import assert_allclose

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

import onnx
import onnxruntime
from translated import assert_same

from gluonzoo.export import ExportError, to_onnx
from gluonzoo.export.opsets import newest_opset, raised
from gluonzoo.ops import LeftPool

rng = np.random.default_rng(0)
NEWER = sorted({15, 16, 17, 18, 21, newest_opset()})


@pytest.mark.parametrize('opset', NEWER)
@pytest.mark.parametrize('function', [
    lambda F, x: F.max(x, axis=1) + F.min(x, axis=1) + F.mean(x, axis=(1,)) + F.sum(x, axis=1) + F.prod(x, axis=1),
    lambda F, x: F.broadcast_mul(F.max(x, axis=(2, 3), keepdims=True), F.norm(x, axis=1, keepdims=True)),
    lambda F, x: F.sum(x), lambda F, x: F.split(x, num_outputs=2, axis=1), lambda F, x: F.split_v2(x, (1,), axis=1),
    lambda F, x: F.Pooling(F.pad(x, mode='edge', pad_width=(0, 0, 0, 0, 1, 1, 0, 2)), kernel=(3, 3), stride=(2, 2),
                           pool_type='avg', pooling_convention='full'),
    lambda F, x: F.contrib.BilinearResize2D(x, height=7, width=3), lambda F, x: F.UpSampling(
        x, scale=2, sample_type='nearest'),
    lambda F, x: F.softmax(x, axis=1) + F.reshape(F.Flatten(x), (-1, 2, 5, 4)), lambda F, x: F.one_hot(x > 0, depth=3),
    lambda F, x: F.topk(x, k=2, axis=3, ret_typ='both'), lambda F, x: F.LayerNorm(x, F.ones((4,)), F.ones((4,))),
], ids=['reductions', 'kept axes', 'all', 'split', 'parts', 'pooling', 'resize', 'upsampling', 'softmax', 'one_hot',
        'topk', 'norm'])
def test_newer_opset(function, opset, tmp_path):
    assert_same(function, tmp_path / 'f.onnx', (rng.normal(size=(2, 2, 5, 4)),), opset=opset, tolerance=1e-5)
    found, = onnx.load(str(tmp_path / 'f.onnx')).opset_import
    assert (found.domain, found.version) == ('', opset)


def test_boxes_stay_where_they_are(tmp_path):
    """RoiAlign of 16 is half a pixel away, if it is not told otherwise."""
    boxes = np.array([[0, 1, 1, 6, 5], [1, 0, 2, 7, 7]])
    assert_same(lambda F, x, boxes: F.contrib.ROIAlign(x, boxes, pooled_size=(2, 3), spatial_scale=.5, sample_ratio=2),
                tmp_path / 'f.onnx', (rng.normal(size=(2, 3, 8, 8)), boxes), opset=16)


def test_graphs_within_nodes(tmp_path):
    """A Scan has nodes of its own."""
    assert_same(lambda F, x: LeftPool()(x), tmp_path / 'f.onnx', (rng.normal(size=(2, 2, 5, 4)),), opset=21)
    body = onnx.parser.parse_graph(
        'body (float a, float[2] x) => (float b, float y) { y = ReduceMax <axes = [0], keepdims = 0> (x)\nb = Neg(y) }')
    values = [onnx.helper.make_tensor_value_info(name, 1, shape) for name, shape in (('s', []), ('x', [3, 2]))]
    outputs = [onnx.helper.make_tensor_value_info(name, 1, shape) for name, shape in (('t', []), ('y', [3]))]
    scan = onnx.helper.make_node('Scan', ['s', 'x'], ['t', 'y'], body=body, num_scan_inputs=1)
    graph = onnx.helper.make_graph([scan], 'graph', values, outputs)
    model = raised(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid('', 13)], ir_version=7), 18)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=['CPUExecutionProvider'])
    x = np.float32([[1, 2], [4, 3], [5, 6]])
    assert_allclose(session.run(['y'], {'s': np.zeros((), 'float32'), 'x': x})[0], [2, 4, 6])


@pytest.mark.parametrize('opset', [12, 0, -1, 999, 13.5, '13', True, None])
def test_no_such_opset(opset, tmp_path):
    with pytest.raises(ExportError, match=f'opset: must be a whole number from 13 to {newest_opset()}, .*: {opset!r}'):
        to_onnx(HybridLambda(lambda F, x: F.relu(x)), tmp_path / 'f.onnx', {'x': (1, 2)}, opset=opset)
    assert not list(tmp_path.iterdir())
