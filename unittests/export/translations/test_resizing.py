"""Images made larger or smaller, beside MXNet's."""
import numpy as np
import pytest

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

from translated import assert_same

rng = np.random.default_rng(0)
X = rng.normal(size=(2, 3, 6, 5))
LARGER = rng.normal(size=(3, 3, 12, 11))


@pytest.mark.parametrize('align_corners', [True, False])
@pytest.mark.parametrize('options', [
    {'height': 7, 'width': 9}, {'height': 2, 'width': 3}, {'height': 1, 'width': 1}, {'height': 6, 'width': 5},
    {'scale_height': 2, 'scale_width': 1.5}, {'scale_height': .5, 'scale_width': .4},
    {'scale_height': 2, 'scale_width': 2, 'mode': 'odd_scale'}, {'mode': 'to_even_down'}, {'mode': 'to_even_up'},
    {'mode': 'to_odd_down'}, {'mode': 'to_odd_up'}], ids=str)
def test_bilinear(options, align_corners, tmp_path):
    """Of images of one size, and of any."""
    options = dict(options, align_corners=align_corners)
    for dynamic in ((), ('batch', 'size')):
        assert_same(lambda F, x: F.contrib.BilinearResize2D(x, **options), tmp_path / 'f.onnx', (X,),
                    *[(LARGER,)] * bool(dynamic), dynamic=dynamic, tolerance=1e-5)


@pytest.mark.parametrize('align_corners', [True, False])
def test_bilinear_like(align_corners, tmp_path):
    assert_same(lambda F, x, like: F.contrib.BilinearResize2D(x, like, mode='like', align_corners=align_corners),
                tmp_path / 'f.onnx', (X, rng.normal(size=(2, 1, 9, 4))), (LARGER, rng.normal(size=(3, 1, 8, 5))),
                dynamic=['batch', 'size'], tolerance=1e-5)


@pytest.mark.parametrize('scale', [1, 2, 3])
def test_nearest(scale, tmp_path):
    assert_same(lambda F, x: F.UpSampling(x, scale=scale, sample_type='nearest'), tmp_path / 'f.onnx', (X,), (LARGER,),
                dynamic=['batch', 'size'])


@pytest.mark.parametrize('mode', ['concat', 'sum'])
def test_nearest_of_several(mode, tmp_path):
    """Maps of different sizes become as large as the first."""
    assert_same(lambda F, x, y: F.UpSampling(x, y, scale=4, sample_type='nearest', num_args=2, multi_input_mode=mode),
                tmp_path / 'f.onnx', (X, rng.normal(size=(2, 3, 12, 10))))


@pytest.mark.parametrize('scale', [2, 3, 4])
def test_bilinear_by_convolution(scale, tmp_path):
    kernel = 2 * scale - scale % 2
    assert_same(lambda F, x, weight: F.UpSampling(x, weight, scale=scale, sample_type='bilinear', num_filter=3,
                                                  num_args=2),
                tmp_path / 'f.onnx', (X, rng.normal(size=(3, 1, kernel, kernel))), tolerance=1e-5)
