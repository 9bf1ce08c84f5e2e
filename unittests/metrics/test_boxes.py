"""VOC's and COCO's measures of the same detections."""
import math

import pytest

from gluonzoo.metrics.boxes import BoxMeanAP

A, B = [10, 10, 50, 50], [60, 60, 90, 90]


def measure(*images, names=('cat', 'dog')):
    metric = BoxMeanAP(names)
    for image in images:
        metric.update(*image)
    return metric.get()


def test_equal_where_they_agree():
    result = measure(([A, B], [.9, .8], [0, 1], [A, B], [0, 1], [False, False]))
    assert result == pytest.approx({'mAP': 1, 'mAP07': 1, 'AP/cat': 1, 'AP/dog': 1, 'COCO/AP': 1, 'COCO/AP50': 1,
                                    'COCO/AP75': 1})


def test_a_loose_box_counts_less_for_coco():
    """An IoU of 0.6 is enough for 0.5, 0.55 and 0.6 of the ten."""
    result = measure(([A], [.9], [0], [[10, 10, 50, 10 + 40 / .62]], [0], [False]), names=('cat',))
    assert [result[name] for name in ('mAP', 'COCO/AP50', 'COCO/AP75')] == pytest.approx([1, 1, 0])
    assert result['COCO/AP'] == pytest.approx(.3)


def test_difficult_objects_count_for_neither():
    found = ([A], [.9], [0], [A, B], [0, 0], [False, True])
    assert measure(found, names=('cat',))['COCO/AP'] == pytest.approx(1)
    assert all(map(math.isnan, measure(([A], [.9], [0], [A], [0], [True]), names=('cat',)).values()))


def test_images_without_objects_or_detections():
    result = measure(([A], [.9], [0], [A], [0], [False]), ([], [], [], [], [], []), names=('cat',))
    assert result['mAP'] == pytest.approx(1) and result['COCO/AP'] == pytest.approx(1)


def test_no_images():
    with pytest.raises(ValueError, match='at least one image'):
        measure()
