"""COCO's measure: hand-worked curves, areas, crowds, nothing at all; and the ordinary way, from files."""
import contextlib
import io
import json
import math

import numpy as np
import pytest

from gluonzoo.metrics.coco import NAMES, COCOMeanAP

FAR = [500, 500, 520, 520]
A, B = [0, 0, 100, 100], [200, 200, 300, 300]   # large


def truth(boxes, labels=None, areas=None, crowd=None):
    sides = np.array(boxes, float).reshape(-1, 4)
    return dict(true_boxes=boxes, true_labels=[0] * len(boxes) if labels is None else labels,
                areas=(sides[:, 2:] - sides[:, :2]).prod(1) if areas is None else areas,
                crowd=[False] * len(boxes) if crowd is None else crowd)


def found(boxes, scores=None, labels=None):
    return dict(boxes=boxes, scores=[.9 - .1 * i for i in range(len(boxes))] if scores is None else scores,
                labels=[0] * len(boxes) if labels is None else labels)


def measure(*images):
    metric = COCOMeanAP()
    for number, image in enumerate(images):
        metric.update(number, **image)
    return {name: round(value, 9) for name, value in metric.get().items()}   # a precision of 1 is a little less there


# -- by hand ---------------------------------------------------------------------------------------------------------

def test_all_found():
    result = measure({**found([A, B]), **truth([A, B])})
    assert list(result) == list(NAMES)
    assert [result.pop(name) for name in ('AP_small', 'AP_medium', 'AR_small', 'AR_medium')] == pytest.approx(
        4 * [math.nan], nan_ok=True)
    assert result.pop('AR1') == .5   # one detection an image
    assert set(result.values()) == {1.0}


def test_half_found():
    """Of 101 points of recall, 0 to .5 are reached."""
    result = measure({**found([A]), **truth([A, B])})
    assert result['AP'] == result['AP50'] == pytest.approx(51 / 101) and result['AR100'] == .5


def test_a_false_one_between():
    """Right, wrong, right: precision 1 up to recall 1/2, then 2/3."""
    assert measure({**found([A, FAR, B]), **truth([A, B])})['AP'] == pytest.approx((51 + 50 * 2 / 3) / 101)


@pytest.mark.parametrize('width, thresholds', [(100, 10), (96, 10), (91, 9), (76, 6), (51, 1), (50, 1), (49, 0)])
def test_ten_overlaps(width, thresholds):
    """The IoU is width / 100; it counts from .5, .55 ... .95 on."""
    result = measure({**found([[0, 0, width, 10]]), **truth([[0, 0, 100, 10]])})
    assert result['AP'] == pytest.approx(thresholds / 10) and result['AR100'] == pytest.approx(thresholds / 10)
    assert (result['AP50'], result['AP75']) == (thresholds > 0, thresholds > 5)


def test_an_object_counts_once():
    assert measure({**found([A, A, B]), **truth([A, B])})['AP'] == pytest.approx((51 + 50 * 2 / 3) / 101)


@pytest.mark.parametrize('area, size', [(32 ** 2 - 1, 'small'), (32 ** 2 + 1, 'medium'), (96 ** 2 - 1, 'medium'),
                                        (96 ** 2 + 1, 'large')])
def test_sizes_are_by_the_area_of_the_object(area, size):
    result = measure({**found([A]), **truth([A], areas=[area])})
    assert {name for name in NAMES if 'AP_' in name and not math.isnan(result[name])} == {f'AP_{size}'}
    assert result[f'AP_{size}'] == result[f'AR_{size}'] == 1


def test_crowds():
    """Found, missed, found many times: a crowd changes nothing, and without it what is there would be wrong."""
    crowd = truth([A, B], crowd=[False, True])
    assert measure({**found([A]), **crowd})['AP'] == 1
    assert measure({**found([[210, 210, 230, 230], [240, 210, 260, 230], A]), **crowd})['AP'] == 1
    assert measure({**found([B, A]), **truth([A])})['AP'] == pytest.approx(.5)


def test_classes():
    result = measure({**found([A, B], labels=[0, 1]), **truth([A, B, FAR], labels=[0, 0, 1])})
    assert result['AP'] == pytest.approx((51 / 101 + 0) / 2)
    assert measure({**found([A, B], labels=[0, 7]), **truth([A])})['AP'] == 1   # a class without objects


def test_order_is_by_score_over_all_images():
    surest_is_wrong = measure({**found([FAR], [.9]), **truth([A])}, {**found([B], [.8]), **truth([B])})
    assert surest_is_wrong['AP'] == pytest.approx(51 / 101 / 2)


def test_hundred_detections_an_image():
    boxes = [[10 * i, 0, 10 * i + 9, 9] for i in range(101)]
    scores = np.linspace(.9, .1, 101)
    assert measure({**found(boxes, scores), **truth(boxes[-1:])})['AR100'] == 0
    assert measure({**found(boxes, scores), **truth(boxes[-2:-1])})['AR100'] == 1
    assert measure({**found(boxes, scores), **truth(boxes[9:10])})['AR10'] == 1
    assert measure({**found(boxes, scores), **truth(boxes[10:11])})['AR10'] == 0


@pytest.mark.filterwarnings('error')
@pytest.mark.parametrize('detections', [found([]), found([A])])
def test_no_objects_at_all(detections):
    assert all(math.isnan(value) for value in measure({**detections, **truth([])}).values())


def test_nothing_found():
    assert measure({**found([]), **truth([A])})['AP'] == 0
    assert measure({**found([A]), **truth([A])}, {**found([]), **truth([])})['AP'] == 1


def test_errors():
    with pytest.raises(ValueError, match='at least one image'):
        measure()
    metric = COCOMeanAP()
    metric.update(3, **found([]), **truth([]))
    with pytest.raises(ValueError, match='image: number 3 came before'):
        metric.update(3, **found([]), **truth([]))


def test_it_is_silent_and_leaves_what_it_is_given(capsys):
    boxes, scores = np.array([A, B], 'float32'), np.array([.9, .8], 'float32')
    metric = COCOMeanAP()
    metric.update(0, **found(boxes, scores), **truth(boxes))
    assert metric.get() == pytest.approx(metric.get(), nan_ok=True)   # again
    assert capsys.readouterr().out == ''
    np.testing.assert_array_equal(boxes, [A, B])


# -- the ordinary way ------------------------------------------------------------------------------------------------

def test_as_files(tmp_path):
    """COCO's own JSON, with gaps between the ids, against arrays. Objects of all sizes; some found, some a little off,
    some as another class; some are crowds.
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    rng = np.random.default_rng(0)
    ids, metric = [3, 5, 18], COCOMeanAP()
    images, annotations, results = [], [], []
    for image in range(12):
        count = rng.integers(0, 9)
        low = rng.uniform(0, 300, (count, 2))
        boxes = np.concatenate([low, low + rng.uniform(8, 150, (count, 2))], 1)
        labels, crowd = rng.integers(0, 3, count), rng.random(count) < .1
        areas = (boxes[:, 2:] - boxes[:, :2]).prod(1) * rng.uniform(.5, 1, count)
        seen = rng.random(count) < .8
        guesses = np.concatenate([boxes[seen] + rng.normal(0, 3, (seen.sum(), 4)), boxes[:2] + 40])
        guessed = np.concatenate([labels[seen], labels[:2]])
        guessed[rng.random(len(guessed)) < .1] = 0
        scores = rng.random(len(guesses))
        metric.update(image, guesses, scores, guessed, boxes, labels, areas, crowd)

        images.append({'id': 1000 + 7 * image})
        for box, label, area, many in zip(boxes, labels, areas, crowd):
            annotations.append({'id': len(annotations) + 1, 'image_id': 1000 + 7 * image, 'category_id': ids[label],
                                'bbox': [*box[:2], *(box[2:] - box[:2])], 'area': area, 'iscrowd': int(many)})
        for box, label, score in zip(guesses, guessed, scores):
            results.append({'image_id': 1000 + 7 * image, 'category_id': ids[label], 'score': score,
                            'bbox': [*box[:2], *(box[2:] - box[:2])]})
    (tmp_path / 'truth.json').write_text(json.dumps({
        'images': images, 'annotations': annotations, 'categories': [{'id': number} for number in ids]}))
    (tmp_path / 'results.json').write_text(json.dumps(results))
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(tmp_path / 'truth.json'))
        evaluation = COCOeval(coco, coco.loadRes(str(tmp_path / 'results.json')), 'bbox')
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    assert .2 < evaluation.stats[0] < .8 and (evaluation.stats > 0).all()
    assert list(metric.get().values()) == evaluation.stats.tolist()


def test_curves():
    """The surest is right, the next wrong, the third right: to recall 1/2 the precision is 1, then 2/3."""
    metric = COCOMeanAP()
    assert metric.curves() == {}
    metric.update(0, **found([A, FAR, B, FAR], labels=[3, 3, 3, 5]), **truth([A, B], [3, 3]))
    metric.get()
    curves = metric.curves()
    assert list(curves) == [3]
    np.testing.assert_allclose(curves[3][:, 0], np.arange(101) / 100)
    np.testing.assert_allclose(curves[3][:, 1], [1] * 51 + [2 / 3] * 50)
