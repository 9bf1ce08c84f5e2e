"""gluonzoo/data/pictures.py: every picture of a folder, in parts that do not depend on the machine."""
import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gluonzoo.data import Loader, Pictures, RecordError
from gluonzoo.registry import DATASETS

MIDDLE = {'name': 'picture_middle', 'size': 8}


def save(path, number, height=8, width=8):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((height, width, 3), number, np.uint8)).save(path)
    return path


@pytest.fixture
def flat(tmp_path):
    """25 pictures, five of them in a folder within."""
    for number in range(25):
        save(tmp_path / 'flat' / ('more' if number >= 20 else '') / f'{number:02}.png', number, 8 + number)
    return tmp_path / 'flat'


def test_samples(flat):
    dataset = DATASETS.create('pictures', path=str(flat))
    assert len(dataset) == 25
    for record in range(25):
        sample = dataset.sample(record)
        assert sample.image.shape == (8 + record, 8, 3) and sample.record == record
        assert (sample.image == record).all()
    for record in (25, -1):
        with pytest.raises(IndexError, match=f'record {record} of 25'):
            dataset.sample(record)


def test_parts(flat):
    """Each picture is in one; which one follows from the SHA-1 of its path below the folder."""
    train, val = (Pictures(flat, part) for part in ('train', 'val'))
    names = [[str(path.relative_to(flat)) for path in part.files] for part in (train, val)]
    wanted = sorted((hashlib.sha1(name.encode()).hexdigest(), name) for name in sum(names, []))[:2]
    assert names[1] == sorted(name for _, name in wanted)   # a tenth of 25, rounded down
    assert len(names[0]) == 23 and sorted(sum(names, [])) == [
        str(path.relative_to(flat)) for path in Pictures(flat).files]
    (flat / 'other.png').write_bytes((flat / '00.png').read_bytes())
    more = {str(path.relative_to(flat)) for path in Pictures(flat, 'val').files}
    assert len(more & set(names[1])) >= 1   # hardly changed


def test_at_least_one_is_in_each_part(tmp_path):
    for count in (2, 3, 9):
        for number in range(count):
            save(tmp_path / str(count) / f'{number}.png', number)
        parts = [len(Pictures(tmp_path / str(count), part)) for part in ('train', 'val')]
        assert parts == [count - 1, 1]
    save(tmp_path / '1' / '0.png', 0)
    assert len(Pictures(tmp_path / '1')) == 1
    for part in ('train', 'val'):
        with pytest.raises(ValueError, match='1: must have two or more pictures, one of them to validate with; has 1'):
            Pictures(tmp_path / '1', part)


def test_in_folder(tmp_path, flat):
    for split in ('train', 'val'):
        assert Pictures.in_folder(flat, split) == {'path': str(flat), 'part': split}
    save(tmp_path / 'own' / 'train' / '0.png', 0)
    save(tmp_path / 'own' / 'train' / '1.png', 0)
    assert Pictures.in_folder(tmp_path / 'own', 'val') == {'path': str(tmp_path / 'own' / 'train'), 'part': 'val'}
    save(tmp_path / 'own' / '2.png', 0)
    with pytest.warns(RuntimeWarning, match='own: pictures are read from .*train; 1 pictures beside these are'):
        assert Pictures.in_folder(tmp_path / 'own', 'train')['part'] == 'train'
    for name in ('test', 'valid'):   # the latter comes first
        (tmp_path / 'own' / name).mkdir()
        for split, folder in (('train', 'train'), ('val', name)):
            found = Pictures.in_folder(tmp_path / 'own', split)
            assert found == {'path': str(tmp_path / 'own' / folder), 'part': 'all'}
    with pytest.raises(FileNotFoundError, match='nowhere: no such folder'):
        Pictures.in_folder(tmp_path / 'nowhere', 'train')


def test_fingerprint(tmp_path, flat):
    first = Pictures(flat).fingerprint()
    assert first['count'] == 25 and Pictures(flat, 'train').fingerprint()['count'] == 23
    flat.rename(tmp_path / 'moved')
    moved = tmp_path / 'moved'
    assert Pictures(moved).fingerprint() == first
    (moved / '00.png').rename(moved / '000.png')
    assert Pictures(moved).fingerprint() != first


def test_what_is_refused(tmp_path, flat):
    with pytest.raises(ValueError, match="part: must be one of 'all', 'train', 'val': 'test'"):
        Pictures(flat, 'test')
    with pytest.raises(FileNotFoundError, match='nowhere: no such folder'):
        Pictures(tmp_path / 'nowhere')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(ValueError, match='empty: no pictures in it'):
        Pictures(tmp_path / 'empty')


def test_a_picture_that_cannot_be_read(flat):
    (flat / '03.png').write_bytes(b'x')
    (flat / '04.png').unlink()
    (flat / '04.png').symlink_to('nothing')
    dataset = Pictures(flat, transform=MIDDLE)
    for record in (3, 4):
        with pytest.raises(RecordError, match=f'record {record}: .*0{record}.png'):
            dataset.sample(record)
    assert dataset.fingerprint()['count'] == 25
    (flat / '04.png').unlink()
    dataset = Pictures(flat, transform=MIDDLE)
    loader = Loader(dataset, 6, shuffle=False, seed=0, workers=2)
    with pytest.warns(RuntimeWarning, match='03.png'):
        batch = next(loader.epoch(0))
    assert batch.records.tolist() == [0, 1, 2, 4, 4, 5] and list(dataset.skipped) == [3]
    assert batch.arrays[0].shape == (6, 3, 8, 8)
    with pytest.raises(ValueError, match='made without a transform'):
        Pictures(flat).item(0, np.random.default_rng(0))


def test_names_are_those_of_the_file_system(flat):
    """Also where they are no UTF-8."""
    (flat / '05.png').rename(Path(str(flat), '\udcff.png'))
    assert len(Pictures(flat, 'train')) + len(Pictures(flat, 'val')) == 25
    assert Pictures(flat).fingerprint()
