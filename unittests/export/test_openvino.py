"""ONNX files in OpenVINO."""
import sys

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon.nn import HybridLambda
from numpy.testing import assert_allclose

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

from translated import assert_same

import gluonzoo
from gluonzoo.export import ExportError, to_onnx
from gluonzoo.export.gluoncv import gluoncv_network
from gluonzoo.export.onnx import Session
from gluonzoo.export.openvino import OpenVINO, check_openvino
from gluonzoo.export.tracing import examples, rows_difference

rng = np.random.default_rng(0)


def test_without_the_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'openvino', None)
    with pytest.raises(ExportError, match=r"needs the package openvino: pip install 'gluonzoo\[openvino\]'"):
        OpenVINO(tmp_path / 'f.onnx')


def test_a_network(tmp_path):
    """Both runtimes, an example of another batch size, and the names of the outputs."""
    pytest.importorskip('openvino')
    net = gluonzoo.get_model('ghostnet_0_5', classes=10)
    net.initialize()
    path = tmp_path / 'f.onnx'
    to_onnx(net, path, {'image': (1, 3, 64, 64)}, ['logits'], dynamic=['batch'])
    x = rng.normal(size=(3, 3, 64, 64)).astype('float32')
    differences = check_openvino(path, {'image': x})
    assert list(differences) == ['logits'] and differences['logits'] < 1e-5
    assert_allclose(OpenVINO(path)({'image': x})[0], Session(path)({'image': x})[0], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize('name', ['yolo3_mobilenet1.0_voc', 'center_net_resnet18_v1b_dcnv2_voc'])
def test_a_detector(name, tmp_path):
    """With its decoding and suppression."""
    pytest.importorskip('openvino')
    mx.random.seed(0)
    found = gluoncv_network(name, size=(64, 64))
    path = tmp_path / 'f.onnx'
    to_onnx(found.net, path, found.inputs, found.outputs, objects=True)
    differences = check_openvino(path, examples(found.inputs), compare=rows_difference)
    assert max(differences.values()) < 1e-5


@pytest.mark.parametrize('opset', [13, 18])
@pytest.mark.parametrize('function', [
    lambda F, x: F.Pooling(x, pool_type='avg', kernel=(3, 3), stride=(2, 2), pooling_convention='full'),
    lambda F, x: F.norm(x, axis=1, ord=1, keepdims=True), lambda F, x: F.squeeze(F.max(x, axis=2, keepdims=True)),
    lambda F, x: F.contrib.BilinearResize2D(x, height=7, width=3, align_corners=False),
    lambda F, x: F.contrib.AdaptiveAvgPooling2D(x, output_size=(2, 3)), lambda F, x: F.im2col(x, kernel=(3, 3)),
    lambda F, x: F.GroupNorm(x, F.arange(2), F.ones((2,)), num_groups=2), lambda F, x: F.LeakyReLU(x, act_type='gelu'),
    lambda F, x: F.slice_like(F.reshape(F.arange(1000), (2, 5, 10, 10)), x) + x],
    ids=['pooling', 'norm', 'squeeze', 'resize', 'adaptive', 'im2col', 'group norm', 'gelu', 'slice_like'])
def test_operators_that_runtimes_read_otherwise(function, opset, tmp_path):
    pytest.importorskip('openvino')
    x = rng.normal(size=(2, 4, 8, 6)).astype('float32')
    assert_same(function, tmp_path / 'f.onnx', (x,), opset=opset, tolerance=1e-5)
    check_openvino(tmp_path / 'f.onnx', {'input0': x})


def boxes():
    begin = rng.uniform(0, .7, (2, 120, 2))
    return np.concatenate([begin, begin + rng.uniform(.1, .4, (2, 120, 2))], 2)


@pytest.mark.parametrize('options', [{}, dict(id_index=0, topk=50, valid_thresh=.1)], ids=['all', 'by class'])
def test_suppression(options, tmp_path):
    """Row for row, though OpenVINO does not sort in a stable way."""
    pytest.importorskip('openvino')
    x = np.concatenate([rng.integers(0, 3, (2, 120, 1)), rng.uniform(size=(2, 120, 1)), boxes()], 2).astype('float32')
    assert_same(lambda F, x: F.contrib.box_nms(x, **options), tmp_path / 'f.onnx', (x,))
    check_openvino(tmp_path / 'f.onnx', {'input0': x})


@pytest.mark.parametrize('options', [{}, dict(force_suppress=True, nms_topk=50)], ids=['by class', 'best of all'])
def test_multibox_detection(options, tmp_path):
    pytest.importorskip('openvino')
    arrays = [array.astype('float32') for array in (
        rng.dirichlet(np.ones(4), (2, 120)).transpose(0, 2, 1), rng.normal(size=(2, 480)), boxes()[:1])]
    assert_same(lambda F, *x: F.contrib.MultiBoxDetection(*x, **options), tmp_path / 'f.onnx', arrays)
    check_openvino(tmp_path / 'f.onnx', {f'input{i}': array for i, array in enumerate(arrays)})


def test_what_is_refused(tmp_path):
    """A file that is none, and one that computes something else."""
    pytest.importorskip('openvino')
    path = tmp_path / 'f.onnx'
    path.write_bytes(b'no model')
    with pytest.raises(ExportError, match='OpenVINO does not take this file: .'):
        OpenVINO(path)
    to_onnx(HybridLambda(lambda F, x: F.relu(x)), path, {'x': (2, 3)})
    with pytest.raises(ExportError, match='OpenVINO computes something else than onnxruntime: output by 0.5 of its'):
        check_openvino(path, {'x': np.ones((2, 3), 'float32')}, compare=lambda names, expected, got: {names[0]: .5})
