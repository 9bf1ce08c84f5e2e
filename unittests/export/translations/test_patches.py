"""Patches as columns, and back, beside MXNet's."""
import numpy as np
import pytest

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

from translated import assert_same

rng = np.random.default_rng(0)
OPTIONS = [{'kernel': (3, 2)}, {'kernel': (3, 2), 'stride': (2, 1), 'dilate': (1, 2), 'pad': (1, 2)},
           {'kernel': (2, 3), 'stride': (3, 2), 'pad': (0, 1)}]


@pytest.mark.parametrize('options', OPTIONS, ids=str)
def test_im2col(options, tmp_path):
    assert_same(lambda F, x: F.im2col(x, **options), tmp_path / 'f.onnx', (rng.normal(size=(2, 3, 7, 6)),),
                (rng.normal(size=(3, 3, 14, 12)),), dynamic=['batch', 'size'])


@pytest.mark.parametrize('options', OPTIONS, ids=str)
def test_col2im(options, tmp_path):
    """Pixels come as often as patches have them."""
    assert_same(lambda F, x: F.col2im(F.im2col(x, **options), output_size=(7, 6), **options), tmp_path / 'f.onnx',
                (rng.normal(size=(2, 3, 7, 6)),), tolerance=1e-5)
