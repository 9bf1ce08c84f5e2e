"""Deformable convolutions beside MXNet's, with offsets that point outside, to edges and to the middle of pixels."""
import numpy as np
import pytest
from mxnet.gluon.nn import HybridLambda

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

from translated import assert_same

from gluonzoo.export import ExportError, to_onnx

FORMS = {
    'plain': dict(kernel=(3, 3), pad=(1, 1)),
    'stride, dilation': dict(kernel=(3, 2), stride=(2, 1), dilate=(2, 3), pad=(2, 1)),
    'groups': dict(kernel=(3, 3), pad=(1, 1), num_group=2),
    'groups of offsets': dict(kernel=(3, 3), pad=(1, 1), num_deformable_group=3),
    'both': dict(kernel=(2, 3), pad=(0, 2), num_group=3, num_deformable_group=2, no_bias=True),
}


def arrays(rng, form, batch=2, masks=False):
    options = FORMS[form]
    kernel, pad = options['kernel'], options['pad']
    stride, dilate = options.get('stride', (1, 1)), options.get('dilate', (1, 1))
    out = [(length + 2 * p - d * (k - 1) - 1) // s + 1
           for length, p, d, k, s in zip((7, 9), pad, dilate, kernel, stride)]
    points = kernel[0] * kernel[1] * options.get('num_deformable_group', 1)
    offsets = rng.normal(0, 3, (batch, 2 * points, *out)).round(1)
    offsets[rng.uniform(size=offsets.shape) < .3] = 0
    offsets[rng.uniform(size=offsets.shape) < .05] = 100
    return [rng.normal(size=(batch, 6, 7, 9)), offsets, *([rng.uniform(size=(batch, points, *out))] if masks else []),
            rng.normal(size=(12, 6 // options.get('num_group', 1), *kernel)),
            *([] if options.get('no_bias') else [rng.normal(size=12)])]


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('operator', ['DeformableConvolution', 'ModulatedDeformableConvolution'])
def test_deformable_convolution(operator, form, tmp_path):
    rng = np.random.default_rng(1)
    assert_same(lambda F, *x: getattr(F.contrib, operator)(*x, num_filter=12, **FORMS[form]), tmp_path / 'f.onnx',
                *(arrays(rng, form, masks=operator[0] == 'M') for _ in range(2)), tolerance=1e-5)


def test_of_any_batch(tmp_path):
    rng = np.random.default_rng(2)

    def function(F, image, offsets):
        weight = F.reshape(F.arange(12 * 2 * 6), (12, 2, 2, 3)) / 100
        return F.contrib.DeformableConvolution(image, offsets, weight, num_filter=12, **FORMS['both'])
    assert_same(function, tmp_path / 'f.onnx', *(arrays(rng, 'both', batch)[:2] for batch in (1, 3)), dynamic=['batch'],
                tolerance=1e-5)


def test_any_size_is_refused(tmp_path):
    def function(F, image):
        kernel = F.reshape(F.arange(2 * 3), (2, 3, 1, 1))
        return F.contrib.DeformableConvolution(image, F.slice_axis(image, axis=1, begin=0, end=2), kernel, num_filter=2,
                                               kernel=(1, 1), no_bias=True)
    with pytest.raises(ExportError, match='deformable convolution: .* one size'):
        to_onnx(HybridLambda(function), tmp_path / 'f.onnx', {'x': (1, 3, 4, 6)}, dynamic=['size'])
