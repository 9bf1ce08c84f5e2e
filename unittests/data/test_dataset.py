"""gluonzoo/data/dataset.py: what all datasets do with a transform."""
import inspect
import shutil

import numpy as np
import pytest
from PIL import Image
from record_cases import overwrite, write_file

from gluonzoo.data import CocoDetection, DetectionRecords, PairedImages, Pictures, UnpairedImages
from gluonzoo.data.dataset import Dataset
from gluonzoo.data.drawn.coco import write
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
                                        ('paired_images', PairedImages), ('pictures', Pictures),
                                       ('unpaired_images', UnpairedImages)])
def test_every_argument_is_documented(name, kind):
    assert DATASETS.signature(name) == inspect.signature(kind)
    for argument in DATASETS.signature(name).parameters:
        assert argument in kind.__doc__, argument


@pytest.mark.parametrize('make', [CocoDetection, DetectionRecords])
def test_a_path_is_one_file(make):
    with pytest.raises(ValueError, match=r"path: must be one file: \['a', 'b'\]"):
        make(['a', 'b'])


# -- fingerprints: the same data elsewhere, or others ----------------------------------------------------------------

def records(root):
    write_file(root, 4)
    return lambda place: DetectionRecords(place / 'some.rec')


def coco(root):
    write(root, 'drawn', 3, range(4))
    return lambda place: CocoDetection(place / 'annotations' / 'instances_drawn.json')


def pairs(root):
    for side in 'AB':
        (root / side).mkdir()
        for k in range(4):
            Image.new('RGB', (8, 8), (k, k, k)).save(root / side / f'{k}.bmp')
    return lambda place: PairedImages([place / 'A', place / 'B'])


def single_pairs(root):
    for k in range(4):
        Image.new('RGB', (8, 4), (k, k, k)).save(root / f'{k}.bmp')
    return PairedImages


KINDS = {make.__name__: make for make in (records, coco, pairs, single_pairs)}


@pytest.mark.parametrize('kind', KINDS)
def test_moved_data_have_the_same_fingerprint(tmp_path, kind):
    (tmp_path / 'here').mkdir()
    open_ = KINDS[kind](tmp_path / 'here')
    found = open_(tmp_path / 'here').fingerprint()
    assert found['count'] == 4 and len(found['sha256']) == 64 and found == open_(tmp_path / 'here').fingerprint()
    shutil.copytree(tmp_path / 'here', tmp_path / 'there')
    shutil.rmtree(tmp_path / 'here')
    assert open_(tmp_path / 'there').fingerprint() == found


CHANGES = {
    'a label': (records, lambda root: overwrite(root / 'some.rec', 8 + 24 + 8, b'\0\0\x80?')),
    'a class': (records, lambda root: (root / 'classes.txt').write_text('kind 0\nkind 1\nkind 3')),
    'an order': (records, lambda root: (root / 'some.idx').write_text(
        ''.join(sorted((root / 'some.idx').read_text().splitlines(True), reverse=True)))),
    'fewer records': (records, lambda root: write_file(root, 3)),
    'an annotation': (coco, lambda root: substitute(root / 'annotations' / 'instances_drawn.json', '"area": ',
                                                    '"area": 1')),
    'a name': (pairs, lambda root: [(root / side / '3.bmp').rename(root / side / '4.bmp') for side in 'AB']),
    'a size': (single_pairs, lambda root: Image.new('RGB', (8, 8)).save(root / '3.bmp')),
}


def substitute(path, old, new):
    path.write_text(path.read_text().replace(old, new, 1))


@pytest.mark.parametrize('change', CHANGES)
def test_other_data_have_another_fingerprint(tmp_path, change):
    kind, make = CHANGES[change]
    open_ = kind(tmp_path)
    found = open_(tmp_path).fingerprint()
    make(tmp_path)
    assert open_(tmp_path).fingerprint() != found


def test_an_index_made_anew_changes_no_fingerprint(tmp_path):
    path, _ = write_file(tmp_path, 4)
    found = DetectionRecords(path).fingerprint()
    path.with_suffix('.idx').unlink()
    assert DetectionRecords(path).fingerprint() == found


def test_damaged_records_have_a_fingerprint(tmp_path):
    path, begins = write_file(tmp_path, 4)
    found = DetectionRecords(path).fingerprint()
    overwrite(path, begins[1], bytes(40))
    assert DetectionRecords(path).fingerprint() != found


def test_a_dataset_of_ones_own_is_known_by_what_it_yields():
    class Counted(Numbers):
        parts = ()

        def __len__(self):
            return 5

        def identity(self):
            return iter(self.parts)

    plain, named, parted = Counted('there'), Counted('there'), Counted('there')
    named.parts, parted.parts = (b'ab', b'c'), (b'a', b'bc')
    assert plain.fingerprint() is None   # known by its place alone
    prints = [data.fingerprint() for data in (named, parted)]
    assert {found['count'] for found in prints} == {5} and len({found['sha256'] for found in prints}) == 2


# -- folders with several splits -------------------------------------------------------------------------------------

def test_the_splits_of_a_folder(tmp_path):
    for split, count in (('train', 3), ('val', 2)):
        (tmp_path / 'records').mkdir(exist_ok=True)
        write_file(tmp_path / 'records', count, name=f'{split}.rec')
        write(tmp_path / 'coco', f'{split}2017', 3, range(count))
        (tmp_path / 'pairs' / split).mkdir(parents=True)
        for k in range(count):
            Image.new('RGB', (8, 4)).save(tmp_path / 'pairs' / split / f'{k}.bmp')
    for name, kind in (('records', DetectionRecords), ('coco', CocoDetection), ('pairs', PairedImages)):
        for split, count in (('train', 3), ('val', 2)):
            assert len(kind(**kind.in_folder(tmp_path / name, split))) == count
        with pytest.raises(OSError, match=str(tmp_path / 'nowhere')):
            kind.in_folder(tmp_path / 'nowhere', 'val')
    with pytest.raises(NotImplementedError):
        Numbers.in_folder(tmp_path / 'nowhere', 'val')
