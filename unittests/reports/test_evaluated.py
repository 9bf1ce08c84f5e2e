"""gluonzoo/reports/evaluated.py: an evaluation, and pictures of some batches."""
import numpy as np
import pytest

from gluonzoo.reports.evaluated import evaluate
from gluonzoo.tasks import Task
from gluonzoo.tasks.curves import Curves


class Dataset(list):
    path, skipped = 'here', {3: 'record 3 is damaged'}


class Loader:
    """Batches that are their numbers."""

    def __init__(self, batches):
        self.dataset, self._batches = Dataset(range(2 * batches)), batches

    def __len__(self):
        return self._batches

    def epoch(self, e, start=0):
        yield from range(start, self._batches)


class Drawing(Task):
    def __init__(self, same=False):
        self._same = same

    def evaluate(self, batches):
        return {'sum': sum(batches)}

    def picture(self, batch):
        return np.full((4, 4, 3), 0 if self._same else batch, np.uint8)

    def evaluation_pictures(self):
        return {'confusion': np.zeros((2, 2, 3), np.uint8)}

    def evaluation_curves(self):
        return {'of it': Curves('x', 'y', {})}


def test_all_of_it():
    told = []
    found = evaluate(Drawing(), Loader(7), 'step-1', lambda batches, count: told.append(count) or batches)
    assert (found.checkpoint, found.items, found.metrics, told) == ('step-1', 13, {'sum': 21.0}, [7])
    assert [int(picture[0, 0, 0]) for picture in found.examples] == [0, 2, 4]
    assert list(found.pictures) == ['confusion'] and list(found.curves) == ['of it']
    assert found.notes == ['here: 1 of 14 records cannot be read and are left out; the first: record 3 is damaged']


@pytest.mark.parametrize('batches, same, count', [(1, False, 1), (2, False, 2), (9, True, 1)])
def test_each_example_once(batches, same, count):
    assert len(evaluate(Drawing(same), Loader(batches), 'step-1').examples) == count


def test_a_task_that_draws_no_batches():
    class Silent(Task):
        def evaluate(self, batches):
            return {'sum': sum(batches)}
    found = evaluate(object.__new__(Silent), Loader(3), 'step-1')
    assert found.examples == [] and found.metrics == {'sum': 3.0}
