"""Pooling beside MXNet's."""
import numpy as np
import pytest

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

from translated import assert_same


@pytest.mark.parametrize('size', [1, 2, 3, (2, 5), (7, 3), 11, ()], ids=str)
@pytest.mark.parametrize('dynamic', [(), ('batch', 'size')], ids=['', 'dynamic'])
def test_adaptive_average(size, dynamic, tmp_path):
    """Of parts that divide the image or do not, and of more parts than pixels."""
    rng = np.random.default_rng(0)
    sizes = [(2, 3, 6, 10)] + [(1, 3, 7, 5), (3, 3, 12, 21)] * bool(dynamic)
    assert_same(lambda F, x: F.contrib.AdaptiveAvgPooling2D(x, output_size=size), tmp_path / 'f.onnx',
                *((rng.normal(size=shape),) for shape in sizes), dynamic=dynamic)
