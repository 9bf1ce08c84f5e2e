"""Every form of suppression beside MXNet's, row for row, with ties and with nothing left."""
import numpy as np
import pytest
from mxnet.gluon.nn import HybridLambda

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

from translated import assert_same

from gluonzoo.export import ExportError, to_onnx


def rows(rng, *shape, width=6, classes=3, ties=False):
    """Rows of class, score, corners and more, on whole numbers, so that overlaps are the same in every order."""
    scores = rng.integers(0, 5, (*shape, 1)) / 4 if ties else rng.uniform(-.2, 1, (*shape, 1))
    begin = rng.integers(0, 24, (*shape, 2))
    found = np.concatenate([rng.integers(-1, classes, (*shape, 1)), scores, begin,
                            begin + rng.integers(-2, 24, (*shape, 2)), rng.normal(size=(*shape, width - 6))], -1)
    return found.astype('float32')


FORMS = {
    'all': {},
    'by class': dict(id_index=0),
    'by class, forced': dict(id_index=0, force_suppress=True),
    'topk': dict(topk=7),
    'topk by class': dict(topk=7, id_index=0, overlap_thresh=.3),
    'topk of more': dict(topk=1000, id_index=0),
    'topk 0': dict(topk=0, id_index=0),
    'background': dict(id_index=0, background_id=1, valid_thresh=.1),
    'from centers': dict(in_format='center', id_index=0),
    'to centers': dict(out_format='center', id_index=0),
    'centers': dict(in_format='center', out_format='center'),
    'only the valid': dict(valid_thresh=.6),
    'none valid': dict(valid_thresh=2.),
    'below 0': dict(valid_thresh=-10.),
    'whatever overlaps': dict(overlap_thresh=0., id_index=0),
    'nothing overlaps': dict(overlap_thresh=1., id_index=0, topk=9),
}


@pytest.mark.parametrize('ties', [False, True], ids=['', 'ties'])
@pytest.mark.parametrize('form', FORMS)
def test_box_nms(form, ties, tmp_path):
    rng = np.random.default_rng(3)
    options = {'coord_start': 2, 'score_index': 1, **FORMS[form]}
    assert_same(lambda F, x: F.contrib.box_nms(x, **options), tmp_path / 'f.onnx',
                *((rows(rng, 2, 40, ties=ties),) for _ in range(4)))


def test_box_nms_of_rows_in_another_order(tmp_path):
    """Box, more, class, score."""
    rng = np.random.default_rng(5)
    order = [2, 3, 4, 5, 6, 0, 1]
    assert_same(lambda F, x: F.contrib.box_nms(x, coord_start=0, score_index=6, id_index=5, topk=20, valid_thresh=.05,
                                               out_format='center', overlap_thresh=.45),
                tmp_path / 'f.onnx', *((rows(rng, 3, 30, width=7)[..., order],) for _ in range(3)))


@pytest.mark.parametrize('shape', [(30,), (2, 3, 20)])
def test_box_nms_of_other_dimensions(shape, tmp_path):
    rng = np.random.default_rng(6)
    assert_same(lambda F, x: F.contrib.box_nms(x, id_index=0, topk=10), tmp_path / 'f.onnx',
                *((rows(rng, *shape, ties=True),) for _ in range(2)))


def test_box_nms_of_any_batch(tmp_path):
    rng = np.random.default_rng(7)
    assert_same(lambda F, x: F.contrib.box_nms(x, id_index=0, topk=10), tmp_path / 'f.onnx',
                *((rows(rng, batch, 20),) for batch in (1, 3, 5)), dynamic=['batch'])


@pytest.mark.parametrize('score', [.5, -1], ids=['', 'not valid'])
@pytest.mark.parametrize('far', [1e6, 1e30, np.inf, np.nan])
def test_box_nms_beside_a_box_without_end(far, score, tmp_path):
    """The others are suppressed as they are without it."""
    rng = np.random.default_rng(11)
    plain = rows(rng, 2, 60)
    plain[..., 2:] /= 50
    other = plain.copy()
    other[0, 7, 1:] = score, 0, 0, far, far
    assert_same(lambda F, x: F.contrib.box_nms(x, id_index=0, overlap_thresh=.3), tmp_path / 'f.onnx', (plain,),
                (other,))


def test_box_nms_of_any_classes(tmp_path):
    """Numbers below 0, large ones, and those between whole ones, which are rounded towards 0."""
    rng = np.random.default_rng(12)

    def example():
        found = rows(rng, 2, 60)
        found[..., 0] = rng.choice([-2, -1, -.5, 0, .5, 1, 1.5, 7e4, 1e9], (2, 60))
        return found / [1, 1, 50, 50, 50, 50]
    assert_same(lambda F, x: F.contrib.box_nms(x, id_index=0), tmp_path / 'f.onnx', *((example(),) for _ in range(3)))


def test_box_nms_of_no_overlap_is_refused(tmp_path):
    with pytest.raises(ExportError, match='overlap_thresh -0.5; it must be at least 0'):
        to_onnx(HybridLambda(lambda F, x: F.contrib.box_nms(x, overlap_thresh=-.5)), tmp_path / 'f.onnx',
                {'x': (1, 5, 6)})


@pytest.mark.parametrize('options', [
    {}, dict(sizes=(.2, .3), ratios=(1, 2, .5)), dict(sizes=(.9, 1.1), ratios=(2, .5), clip=True),
    dict(sizes=.4, ratios=3, steps=(.1, .2), offsets=(.25, .75))], ids=['plain', 'ratios', 'clip', 'steps'])
def test_multibox_prior(options, tmp_path):
    rng = np.random.default_rng(8)
    assert_same(lambda F, x: F.broadcast_add(F.contrib.MultiBoxPrior(x, **options), 0 * F.sum(x)), tmp_path / 'f.onnx',
                (rng.normal(size=(2, 3, 4, 6)).astype('float32'),))


def test_multibox_prior_of_any_size_is_refused(tmp_path):
    with pytest.raises(ExportError, match='MultiBoxPrior: .* images of one size'):
        to_onnx(HybridLambda(lambda F, x: F.broadcast_add(F.contrib.MultiBoxPrior(x), 0 * F.sum(x))),
                tmp_path / 'f.onnx', {'x': (1, 3, 4, 6)}, dynamic=['size'])


DETECTIONS = {
    'plain': {},
    'topk': dict(nms_topk=6),
    'forced': dict(force_suppress=True, nms_threshold=.3),
    'not clipped': dict(clip=False, variances=(.2, .2, .1, .1), threshold=.3),
    'not suppressed': dict(nms_threshold=-1.),
    'whatever is the same': dict(nms_threshold=1.),
    'at the threshold': dict(threshold=.5),
    'nothing': dict(threshold=1.5),
}


@pytest.mark.parametrize('form', DETECTIONS)
def test_multibox_detection(form, tmp_path):
    rng = np.random.default_rng(9)

    def example():
        begin = rng.uniform(0, .7, (1, 25, 2))
        anchors = np.concatenate([begin, begin + rng.uniform(.1, .4, (1, 25, 2))], -1)
        probabilities = rng.integers(0, 9, (2, 4, 25)) / 8   # with ties of classes and of rows
        probabilities[:, :, 3] = 0   # nothing but background
        return probabilities, rng.normal(size=(2, 100)), anchors
    assert_same(lambda F, *x: F.contrib.MultiBoxDetection(*x, **DETECTIONS[form]), tmp_path / 'f.onnx',
                *(example() for _ in range(4)))


def test_multibox_detection_of_equal_boxes(tmp_path):
    """Whose overlap is the threshold itself."""
    anchors = np.array([[[0, 0, .5, .5]] * 3 + [[0, 0, .5, 1]]])
    probabilities = np.array([[[.1] * 4, [.9, .8, .7, .6]]])
    assert_same(lambda F, *x: F.contrib.MultiBoxDetection(*x, nms_threshold=.5), tmp_path / 'f.onnx',
                (probabilities, np.zeros((1, 16)), anchors))


@pytest.mark.parametrize('form', ['corner', 'center'])
def test_box_decode(form, tmp_path):
    rng = np.random.default_rng(10)
    assert_same(lambda F, x, a: F.contrib.box_decode(x, a, .1, .1, .2, .2, clip=1., format=form), tmp_path / 'f.onnx',
                (rng.normal(size=(2, 9, 4)), rng.uniform(1, 9, (1, 9, 4))))
