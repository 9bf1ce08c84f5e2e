"""Counts of classified pictures: by hand, and beside scikit-learn."""
import numpy as np
import pytest

from gluonzoo.metrics.classification import Classified, ranks


@pytest.mark.parametrize('logits, label, rank', [
    ([9, 1, 2], 0, 0), ([5, 9, 2], 0, 1), ([5, 9, 8], 0, 2), ([2, 2, 0], 0, 0), ([2, 2, 0], 1, 1), ([1, 1, 1], 2, 2),
    ([np.nan] * 3, 0, 5), ([np.nan, 1, 1], 0, 5), ([9, 1, np.nan], 0, 5)])
def test_ranks_by_hand(logits, label, rank):
    assert ranks(np.array([logits], 'float32'), np.array([label])).tolist() == [rank]


def test_by_hand():
    """Of class 0 three of four, of class 1 none of one, of class 2 none at all."""
    counts = Classified(3)
    eye = np.eye(3, dtype='float32')
    counts.add(np.array([0, 0]), eye[[0, 0]])
    counts.add(np.array([0, 0, 1]), eye[[0, 2, 0]])
    assert counts.confusion.tolist() == [[3, 0, 1], [1, 0, 0], [0, 0, 0]]
    assert counts.metrics() == {'top1': .6, 'top5': 1, 'mean_class_top1': .375}


def test_nan_is_taken_for_no_class():
    counts = Classified(2)
    counts.add(np.array([0, 1, 1]), np.array([[1, 0], [np.nan, 0], [0, 1]], 'float32'))
    assert counts.confusion.tolist() == [[1, 0], [0, 1]]
    assert counts.metrics()['top1'] == counts.metrics()['top5'] == pytest.approx(2 / 3)
    assert counts.metrics()['mean_class_top1'] == .75


def test_more_classes_than_a_matrix_may_have():
    counts = Classified(2001)
    counts.add(np.array([1999, 2]), np.eye(2001, dtype='float32')[[1999, 3]])
    assert counts.confusion is None and counts.metrics()['top1'] == .5
    assert Classified(2000).confusion.shape == (2000, 2000)


def test_nothing():
    with pytest.raises(ValueError, match='batches: there must be at least one image'):
        Classified(2).metrics()


def test_beside_scikit_learn():
    measures = pytest.importorskip('sklearn.metrics')
    rng = np.random.default_rng(0)
    truth, logits = rng.integers(0, 9, 400), rng.normal(size=(400, 9)).astype('float32')
    logits[np.arange(400), truth] += 1
    counts = Classified(9)
    for part in np.array_split(np.arange(400), 7):
        counts.add(truth[part], logits[part])
    found, taken = counts.metrics(), logits.argmax(1)
    assert np.array_equal(counts.confusion, measures.confusion_matrix(truth, taken))
    assert found['top1'] == pytest.approx(measures.accuracy_score(truth, taken))
    assert found['mean_class_top1'] == pytest.approx(measures.balanced_accuracy_score(truth, taken))
    assert found['top5'] == pytest.approx(measures.top_k_accuracy_score(truth, logits, k=5))
