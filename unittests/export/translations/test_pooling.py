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


@pytest.mark.parametrize('kind', ['max', 'avg', 'sum', 'lp'])
@pytest.mark.parametrize('convention', ['valid', 'full'])
@pytest.mark.parametrize('options', [
    {'kernel': (3, 3), 'stride': (2, 2), 'pad': (1, 1)}, {'kernel': (2, 3), 'stride': (2, 2)}, {'kernel': (2, 2)},
    {'kernel': (4, 3), 'stride': (3, 2), 'pad': (2, 0)}], ids=str)
def test_pooling(kind, convention, options, tmp_path):
    """Also where windows stick out behind, which runtimes count in different ways."""
    powers = {'p_value': 2} if kind == 'lp' else {}
    assert_same(lambda F, x: F.Pooling(x, pool_type=kind, pooling_convention=convention, **options, **powers),
                tmp_path / 'f.onnx', (np.random.default_rng(0).normal(size=(2, 3, 8, 6)),), tolerance=1e-5)


@pytest.mark.parametrize('kind', ['max', 'avg'])
def test_pooling_of_any_size(kind, tmp_path):
    rng = np.random.default_rng(0)
    assert_same(lambda F, x: F.Pooling(x, pool_type=kind, pooling_convention='full', kernel=(3, 3), stride=(2, 2)),
                tmp_path / 'f.onnx', *((rng.normal(size=shape),) for shape in ((1, 3, 8, 6), (2, 3, 7, 11))),
                dynamic=['batch', 'size'], tolerance=1e-5)


@pytest.mark.parametrize('kind', ['max', 'avg', 'sum', 'lp'])
@pytest.mark.parametrize('axes', [1, 2, 3])
def test_pooling_of_lines_and_volumes(kind, axes, tmp_path):
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 6, 4)[:2 + axes])
    powers = {'p_value': 2} if kind == 'lp' else {}
    assert_same(lambda F, x: [F.Pooling(x, pool_type=kind, kernel=(2,) * axes, stride=(1, 2, 1)[:axes], **powers),
                              F.Pooling(x, pool_type=kind, global_pool=True, kernel=(1,) * axes, **powers)],
                tmp_path / 'f.onnx', (x,), tolerance=1e-5)


@pytest.mark.parametrize('convention', ['valid', 'full'])
def test_averages_of_what_is_there(convention, tmp_path):
    assert_same(lambda F, x: F.Pooling(x, pool_type='avg', kernel=(3, 3), stride=(2, 2), pad=(1, 1),
                                       pooling_convention=convention, count_include_pad=False),
                tmp_path / 'f.onnx', (np.random.default_rng(0).normal(size=(2, 3, 8, 6)),), tolerance=1e-5)
