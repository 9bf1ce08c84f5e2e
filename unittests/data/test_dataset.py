"""gluonzoo/data/dataset.py: what all datasets do with a transform."""
import inspect

import numpy as np
import pytest

from gluonzoo.data import CocoDetection, DetectionRecords, PairedImages
from gluonzoo.data.dataset import Dataset
from gluonzoo.data.transforms.pairs import PairResize
from gluonzoo.registry import DATASETS


class Doubled:
    """Writes the sample and the double of a number that is drawn."""

    arrays = (2,), None

    def __call__(self, sample, rng, out):
        place = np.empty(2, np.float32) if out[0] is None else out[0]
        place[:] = sample, 2 * rng.integers(100)
        return place, np.zeros((3, 5), np.float32)


class Numbers(Dataset):
    def sample(self, record):
        return 10 * record


def rng():
    return np.random.default_rng(0)


def test_items_are_transformed_samples():
    dataset = Numbers('there', Doubled())
    assert dataset.arrays == ((2,), None) and dataset.skipped == {} and dataset.path == 'there'
    numbers, rows = dataset.item(4, rng())
    assert numbers.tolist() == [40, 2 * rng().integers(100)] and rows.shape == (3, 5)
    out = np.zeros(2, np.float32)
    assert dataset.item(4, rng(), (out, None))[0] is out and out.tolist() == numbers.tolist()


def test_a_transform_may_be_a_dict_or_a_transform():
    ready = PairResize(4)
    assert Numbers('there', ready).transform is ready
    dataset = Numbers('there', {'name': 'pair_resize', 'size': 4})
    assert isinstance(dataset.transform, PairResize) and dataset.arrays == ((3, 4, 4), (3, 4, 4))
    with pytest.raises(ValueError, match="transform: must be a dict with a 'name'"):
        Numbers('there', 'pair_resize')


def test_without_a_transform_there_are_samples_only():
    dataset = Numbers('there')
    assert dataset.sample(3) == 30 and dataset.transform is dataset.arrays is None
    with pytest.raises(ValueError, match='there: this dataset was made without a transform, and gives samples only'):
        dataset.item(0, rng())


@pytest.mark.parametrize('name, kind', [('coco_detection', CocoDetection), ('detection_records', DetectionRecords),
                                        ('paired_images', PairedImages)])
def test_every_argument_is_documented(name, kind):
    assert DATASETS.signature(name) == inspect.signature(kind)
    for argument in DATASETS.signature(name).parameters:
        assert argument in kind.__doc__, argument


@pytest.mark.parametrize('make', [CocoDetection, DetectionRecords])
def test_a_path_is_one_file(make):
    with pytest.raises(ValueError, match=r"path: must be one file: \['a', 'b'\]"):
        make(['a', 'b'])
