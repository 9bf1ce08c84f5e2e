"""Mean average precision: hand-worked curves, pixels, difficult objects, nothing at all."""
import math

import numpy as np
import pytest

from gluonzoo.metrics.voc import VOCMeanAP

FAR = [500, 500, 520, 520]
NONE = dict(boxes=[], scores=[], labels=[])


def truth(boxes, labels=None, difficult=None):
    return dict(true_boxes=boxes, true_labels=[0] * len(boxes) if labels is None else labels,
                difficult=[False] * len(boxes) if difficult is None else difficult)


def found(boxes, scores, labels=None):
    return dict(boxes=boxes, scores=scores, labels=[0] * len(boxes) if labels is None else labels)


def measure(*images, names=('cat',)):
    metric = VOCMeanAP(list(names))
    for image in images:
        metric.update(**image)
    return metric.get()


A, B = [0, 0, 100, 100], [200, 200, 300, 300]


def test_all_found():
    assert measure({**found([A, B], [.9, .8]), **truth([A, B])}) == {'mAP': 1, 'mAP07': 1, 'AP/cat': 1}


def test_half_found():
    """Recall ends at 1/2, precision 1: area 1/2; of the 11 points, 0 to .5 are reached."""
    result = measure({**found([A], [.9]), **truth([A, B])})
    assert result == pytest.approx({'mAP': 1 / 2, 'mAP07': 6 / 11, 'AP/cat': 1 / 2})


def test_a_false_one_between():
    """Right, wrong, right: precision 1 up to recall 1/2, then 2/3."""
    result = measure({**found([A, FAR, B], [.9, .8, .7]), **truth([A, B])})
    assert result == pytest.approx({'mAP': (1 + 2 / 3) / 2, 'mAP07': (6 + 5 * 2 / 3) / 11, 'AP/cat': 5 / 6})


def test_order_is_by_score_over_all_images():
    surest_is_wrong = measure({**found([FAR], [.9]), **truth([A])}, {**found([B], [.8]), **truth([B])})
    assert surest_is_wrong['mAP'] == pytest.approx(1 / 2 * 1 / 2)


def test_an_object_counts_once():
    result = measure({**found([A, A, B], [.9, .8, .7]), **truth([A, B])})
    assert result['mAP'] == pytest.approx((1 + 2 / 3) / 2)


@pytest.mark.parametrize('width, right', [(50, True), (49, False)])
def test_boxes_end_at_their_edges(width, right):
    """IoU of exactly 1/2 is enough; with inclusive pixels, 49 of 100 would be too (50 of 101 would not)."""
    result = measure({**found([[0, 0, width, 10]], [.9]), **truth([[0, 0, 100, 10]])})
    assert result['mAP'] == right


def test_small_boxes():
    """IoU 4/10: one pixel more in every direction would make it 6/12."""
    assert measure({**found([[0, 0, 2, 2]], [.9]), **truth([[0, 0, 2, 5]])})['mAP'] == 0


def test_difficult_objects_do_not_count():
    both = truth([A, B], difficult=[False, True])
    assert measure({**found([A], [.9]), **both})['mAP'] == 1   # missing it costs nothing
    assert measure({**found([B, A], [.9, .8]), **both})['mAP'] == 1   # finding it earns nothing
    assert measure({**found([B, A], [.9, .8]), **truth([A])})['mAP'] == .5   # where it is not labelled, it is wrong


def test_classes():
    image = {**found([A, B], [.9, .8], [0, 1]), **truth([A, B, FAR], [0, 0, 1])}
    result = measure(image, names=('cat', 'dog', 'bird'))
    assert result.pop('AP/bird') != result.get('AP/bird')   # NaN, and no part of the mean
    assert result == pytest.approx({'mAP': .25, 'mAP07': 3 / 11, 'AP/cat': .5, 'AP/dog': 0})


def test_nothing_found():
    assert measure({**NONE, **truth([A])}) == {'mAP': 0, 'mAP07': 0, 'AP/cat': 0}


def test_images_without_objects():
    assert measure({**found([A], [.9]), **truth([A])}, {**NONE, **truth([])})['mAP'] == 1
    assert measure({**found([A], [.8]), **truth([A])}, {**found([A], [.9]), **truth([])})['mAP'] == .5


@pytest.mark.filterwarnings('error')
@pytest.mark.parametrize('detections', [NONE, found([A], [.9])])
def test_no_objects_at_all(detections):
    assert all(math.isnan(value) for value in measure({**detections, **truth([])}).values())


def test_no_images():
    with pytest.raises(ValueError, match='at least one image'):
        measure()


def test_what_is_given_stays_as_it_is():
    boxes = np.array([A, B], 'float32')
    measure({**found(boxes, np.array([.9, .8])), **truth(boxes)})
    np.testing.assert_array_equal(boxes, [A, B])


def test_curves():
    """The surest is right, the next wrong, the third right; of a class without objects there is no curve."""
    metric = VOCMeanAP(['cat', 'dog', 'cow'])
    assert metric.curves() == {}
    metric.update(**found([A, FAR, B, FAR], [.9, .8, .7, .6], [0, 0, 0, 1]), **truth([A, B, A], [0, 0, 2]))
    curves = metric.curves()
    assert list(curves) == ['cat', 'cow']
    np.testing.assert_allclose(curves['cat'], [[0, 1], [.5, 1], [.5, .5], [1, 2 / 3]])
    np.testing.assert_array_equal(curves['cow'], [[0, 0]])


def test_a_curve_begins_where_something_counts():
    """The surest detection is of a difficult object."""
    metric = VOCMeanAP(['cat'])
    metric.update(**found([A, B], [.9, .8], [0, 0]), **truth([A, B], difficult=[True, False]))
    np.testing.assert_array_equal(metric.curves()['cat'], [[0, 1], [1, 1]])
