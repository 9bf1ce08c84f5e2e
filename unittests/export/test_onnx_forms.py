"""onnxruntime's tools alone: forms of a file as files. (What they compute of networks: test_smaller.py.)"""
import logging

import numpy as np
import pytest

from gluonzoo.export import ExportError

onnx = pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')
from gluonzoo.export.onnx_forms import to_float16, to_int8  # noqa: E402


@pytest.fixture
def source(tmp_path):
    """The file of a matrix product."""
    helper, float32 = onnx.helper, onnx.TensorProto.FLOAT
    weight = onnx.numpy_helper.from_array(np.random.default_rng(0).normal(size=(4, 3)).astype('float32'), 'w')
    graph = helper.make_graph([helper.make_node('MatMul', ['x', 'w'], ['y'])], 'g',
                              [helper.make_tensor_value_info('x', float32, [1, 4])],
                              [helper.make_tensor_value_info('y', float32, [1, 3])], [weight])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)], ir_version=7),
              str(tmp_path / 'source.onnx'))
    return tmp_path / 'source.onnx'


def types_of(path):
    graph = onnx.load(str(path)).graph
    ends = [value.type.tensor_type.elem_type for value in [*graph.input, *graph.output]]
    return {value.data_type for value in graph.initializer}, ends


def test_types_of_numbers(source, tmp_path):
    kinds = onnx.TensorProto
    to_float16(source, tmp_path / 'half.onnx')
    assert types_of(tmp_path / 'half.onnx') == ({kinds.FLOAT16}, [kinds.FLOAT] * 2)
    to_int8(source, tmp_path / 'low.onnx', iter([{'x': np.ones((1, 4), 'float32')}]))
    weights, ends = types_of(tmp_path / 'low.onnx')
    assert kinds.INT8 in weights and ends == [kinds.FLOAT] * 2
    assert {path.name for path in tmp_path.iterdir()} == {'source.onnx', 'half.onnx', 'low.onnx'}


@pytest.mark.parametrize('write, form', [(to_float16, 'float16'), (
    lambda source, path: to_int8(source, path, [{'other': np.ones((1, 4), 'float32')}]), 'int8')])
def test_what_onnxruntime_says_is_one_line(source, tmp_path, write, form):
    if form == 'float16':
        source.write_bytes(b'\xff' * 9)
    with pytest.raises(ExportError, match=f'onnxruntime makes no {form} of it: ') as raised:
        write(source, tmp_path / 'a.onnx')
    assert '\n' not in str(raised.value) and logging.root.manager.disable == logging.NOTSET
    assert not (tmp_path / 'a.onnx').exists()
