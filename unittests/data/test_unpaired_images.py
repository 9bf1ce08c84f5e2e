"""gluonzoo/data/unpaired_images.py: which pictures a record shows, and what is refused before training."""
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gluonzoo.data import Loader, RecordError, UnpairedImages
from gluonzoo.data.unpaired_images import find_domains
from gluonzoo.registry import DATASETS

RESIZE = {'name': 'unpaired_test', 'size': 8}


def picture(number, height=8, width=8):
    return np.full((height, width, 3), number, np.uint8)


def save(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)
    return path


def domains(root, of_a=3, of_b=5):
    """Picture i of A is grey i, that of B is grey 100 + i. -> the two folders"""
    for name, first, count in (('A', 0, of_a), ('B', 100, of_b)):
        for number in range(count):
            save(root / name / f'{number}.png', picture(first + number))
    return [str(root / 'A'), str(root / 'B')]


@pytest.fixture
def two(tmp_path):
    return domains(tmp_path / 'train')


def shown(dataset, seed=0, epoch=0, workers=1, start=0):
    """(record, number of A, number of B) of each record of an epoch, as the loader makes them."""
    loader = Loader(dataset, 2, shuffle=True, seed=seed, workers=workers, last='keep')
    return [(record, *(round((array[row, 0, 0, 0] + 1) * 127.5) for array in arrays))
            for batch in loader.epoch(epoch, start) for arrays in [[array.asnumpy() for array in batch.arrays]]
            for row, record in enumerate(batch.records.tolist())]


# -- what a record shows ---------------------------------------------------------------------------------------------

def test_samples(two):
    dataset = DATASETS.create('unpaired_images', path=two)
    assert len(dataset) == 5 and (len(dataset.files_a), len(dataset.files_b)) == (3, 5)
    for record in range(5):
        sample = dataset.sample(record)
        assert (sample.a[0, 0, 0], sample.b[0, 0, 0], sample.record) == (record % 3, 100 + record, record)
    for record in (5, -1):
        with pytest.raises(IndexError, match=f'record {record} of 5'):
            dataset.sample(record)


def test_each_picture_of_the_larger_domain_comes_once_an_epoch(tmp_path):
    """By its own right if that is A; B is drawn, as the official code does it."""
    dataset = UnpairedImages(domains(tmp_path, 5, 3), transform=RESIZE)
    assert sorted(a for _, a, _ in shown(dataset)) == [0, 1, 2, 3, 4]
    dataset = UnpairedImages(domains(tmp_path / 'other', 3, 5), transform=RESIZE)
    assert sorted(a for _, a, _ in shown(dataset)) == [0, 0, 1, 1, 2]


def test_any_picture_of_b_is_as_likely(two):
    dataset, counts = UnpairedImages(two, transform=RESIZE), np.zeros((5, 5), int)
    for epoch in range(300):
        for record, a, b in shown(dataset, epoch=epoch):
            assert a == record % 3
            counts[record, b - 100] += 1
    assert (counts.sum(1) == 300).all()
    assert np.abs(counts - 60).max() < 4 * np.sqrt(60)


def test_what_is_drawn_follows_from_seed_and_epoch_alone(two):
    dataset = UnpairedImages(two, transform=RESIZE)
    whole = shown(dataset, seed=1, epoch=4)
    np.random.seed(3)
    assert shown(dataset, seed=1, epoch=4, workers=3) == whole
    assert shown(dataset, seed=1, epoch=4, start=1) == whole[2:]   # a training that goes on
    assert shown(dataset, seed=1, epoch=5) != whole and shown(dataset, seed=2, epoch=4) != whole


def test_serial(two):
    dataset = UnpairedImages(two, serial=True, transform=RESIZE)
    for epoch in range(3):
        assert all((a, b) == (record % 3, 100 + record) for record, a, b in shown(dataset, epoch=epoch))


def test_the_transform_gets_what_random_numbers_are_left(two):
    """A serial dataset draws none itself."""
    train = {'name': 'unpaired_train', 'load_size': 8, 'crop_size': 4}
    for serial in (False, True):
        dataset = UnpairedImages(two, serial=serial, transform=train)
        a, b = dataset.item(2, np.random.default_rng(1))
        rng = np.random.default_rng(1)
        index = 2 if serial else (2 + rng.integers(5)) % 5
        assert round((b[0, 0, 0] + 1) * 127.5) == 100 + index
        assert a.shape == b.shape == (3, 4, 4)


# -- where they are --------------------------------------------------------------------------------------------------

def test_one_folder_that_has_both(tmp_path, two):
    dataset = UnpairedImages(tmp_path / 'train')
    assert [len(dataset.files_a), len(dataset.files_b)] == [3, 5]
    assert dataset.fingerprint() == UnpairedImages(two).fingerprint()


@pytest.mark.parametrize('layout', ['{}A {}B', 'A/{} B/{}', '{}/A {}/B'])
@pytest.mark.parametrize('name', ['train', 'val', 'test'])
def test_find_domains(tmp_path, layout, name):
    split = 'train' if name == 'train' else 'val'
    folders = [tmp_path / folder.format(name) for folder in layout.split()]
    with pytest.raises(FileNotFoundError, match=f'has no two domains to {split}: neither {split}A and {split}B, nor '
                                                f'A/{split} and B/{split}, nor {split}/A and {split}/B'):
        find_domains(tmp_path, split)
    folders[0].mkdir(parents=True)
    with pytest.raises(FileNotFoundError):
        find_domains(tmp_path, split)
    folders[1].mkdir(parents=True)
    assert find_domains(tmp_path, split) == [str(folder) for folder in folders]
    assert UnpairedImages.in_folder(tmp_path, split) == {'path': [str(folder) for folder in folders]}


def test_val_is_preferred_to_test(tmp_path):
    for name in ('testA', 'testB', 'valA', 'valB'):
        (tmp_path / name).mkdir()
    assert [Path(path).name for path in find_domains(tmp_path, 'val')] == ['valA', 'valB']


def test_pictures_beside_the_domains_are_told(tmp_path, two):
    save(tmp_path / 'train' / 'C' / 'x.png', picture(0))
    with pytest.warns(RuntimeWarning, match='train: two domains are read from .*; 1 pictures beside these are'):
        find_domains(tmp_path, 'train')


def test_folders_within_and_other_files(two):
    save(Path(two[0]) / 'more' / '9.png', picture(9))
    (Path(two[1]) / 'notes.txt').write_text('x')
    (Path(two[1]) / '.hidden.png').write_text('x')
    with pytest.warns(RuntimeWarning, match=r'B: 1 files are left out, being none of .*: \.txt 1'):
        dataset = UnpairedImages(two)
    assert len(dataset.files_a) == 4 and dataset.sample(3).a[0, 0, 0] == 9 and len(dataset.files_b) == 5


def test_fingerprint(tmp_path, two):
    first = UnpairedImages(two).fingerprint()
    assert first['count'] == 5
    assert UnpairedImages(domains(tmp_path / 'copy')).fingerprint() == first
    assert UnpairedImages(two[::-1]).fingerprint()['sha256'] != first['sha256']
    save(tmp_path / 'copy' / 'B' / '0.png', picture(0, 9, 9))
    assert UnpairedImages(domains(tmp_path / 'copy', 3, 4)).fingerprint() == first   # as it was before
    # One file goes from the begin of B to the end of A: the list of all files is the same.
    for name, number in zip('AABBB', range(5)):
        save(tmp_path / 'parts' / name / f'{number}.png', picture(number))
    parts = [str(tmp_path / 'parts' / name) for name in 'AB']
    before = UnpairedImages(parts).fingerprint()
    (tmp_path / 'parts' / 'B' / '2.png').rename(tmp_path / 'parts' / 'A' / '2.png')
    after = UnpairedImages(parts).fingerprint()
    assert before['count'] == after['count'] == 3 and before['sha256'] != after['sha256']


# -- what is refused -------------------------------------------------------------------------------------------------

def test_domains_that_cannot_be_trained_on(tmp_path, two):
    a, b = map(Path, two)
    with pytest.raises(ValueError, match='path: the domains A and B must be two folders: .*A twice'):
        UnpairedImages([two[0], str(b / '..' / 'A')])
    for pair in ([str(a.parent), two[1]], [two[1], str(a.parent)]):
        with pytest.raises(ValueError, match='path: the domains A and B must not lie in each other: '):
            UnpairedImages(pair)
    for path in b.iterdir():
        path.unlink()
    with pytest.raises(ValueError, match='B: no pictures in it'):
        UnpairedImages(two)
    save(b / '0.png', picture(100))
    with pytest.raises(ValueError, match='B: a domain must have two or more pictures to train on; has 1$'):
        UnpairedImages(two)
    assert len(UnpairedImages(two, serial=True)) == 3   # to test with one is enough
    with pytest.raises(FileNotFoundError, match='nowhere: no such folder'):
        UnpairedImages([two[0], str(tmp_path / 'nowhere')])
    with pytest.raises(FileNotFoundError, match='nowhere/A: no such folder'):
        UnpairedImages(tmp_path / 'nowhere')
    with pytest.raises(ValueError, match='path: must be two folders, of A and of B, or one that has them'):
        UnpairedImages([*two, two[0]])
    with pytest.raises(ValueError, match='path: must be a path, or a list of two'):
        DATASETS.create('unpaired_images', path=[*two, two[0]])
    with pytest.raises(ValueError, match='serial: must be true or false'):
        DATASETS.create('unpaired_images', path=two, serial='no')


def test_pictures_smaller_than_the_crop_are_named_before_training(two):
    crop = {'name': 'unpaired_train', 'load_size': None, 'crop_size': 8}
    UnpairedImages(two, transform=crop)
    save(Path(two[1]) / '3.png', picture(1, 7, 20))
    save(Path(two[1]) / '4.png', picture(1, 20, 6))
    with pytest.raises(ValueError, match=r'B: pictures must have 8 x 8 pixels or more, as crop_size asks for where '
                                         r'nothing is resized: 3.png 20x7, 4.png 6x20$'):
        UnpairedImages(two, transform=crop)
    for number in range(7):
        save(Path(two[0]) / f'small{number}.png', picture(1, 3, 3))
    with pytest.raises(ValueError, match='small4.png 3x3 and 2 more$'):
        UnpairedImages(two, transform=crop)
    UnpairedImages(two, transform={**crop, 'load_size': 8})   # where they are resized, each will do


def test_a_pipe_is_not_waited_for(two):
    os.mkfifo(Path(two[0]) / 'pipe.png')
    dataset = UnpairedImages(two)
    with pytest.raises(RecordError, match='record 3: .*pipe.png: is a pipe'):
        dataset.sample(3)
    with pytest.raises(ValueError, match='pipe.png: is a pipe; must be an ordinary file'):
        UnpairedImages(two, transform={'name': 'unpaired_train', 'load_size': None, 'crop_size': 8})


# -- pictures that cannot be read ------------------------------------------------------------------------------------

def test_one_bad_picture_of_b_counts_once_however_often_it_is_drawn(two):
    """It costs no more than itself: another record takes the place, and shows another picture of B."""
    (Path(two[1]) / '2.png').write_bytes(b'x')
    dataset = UnpairedImages(two, transform=RESIZE)
    seen = []
    with pytest.warns(RuntimeWarning, match='skipped: record .*2.png') as warned:
        for epoch in range(50):
            seen.append(shown(dataset, epoch=epoch))
            assert shown(dataset, epoch=epoch, workers=3) == seen[-1]
    assert len(warned) == 1
    assert list(dataset.skipped) == [3 + 2] and '2.png' in dataset.skipped[5]   # after the three of A
    found = {b for epoch in seen for _, _, b in epoch}
    assert found == {100, 101, 103, 104} and all(len(epoch) == 5 for epoch in seen)


def test_one_bad_picture_of_a(two):
    (Path(two[0]) / '1.png').unlink()
    (Path(two[0]) / '1.png').symlink_to('nothing')
    dataset = UnpairedImages(two, transform=RESIZE)
    assert dataset.fingerprint()
    with pytest.warns(RuntimeWarning, match='1.png'):
        assert {a for epoch in range(5) for _, a, _ in shown(dataset, epoch=epoch)} == {0, 2}
    assert list(dataset.skipped) == [1]


def test_too_many_bad_pictures(two):
    for name in ('0.png', '1.png'):
        (Path(two[1]) / name).write_bytes(b'x')
    dataset = UnpairedImages(two, transform=RESIZE)
    with pytest.warns(RuntimeWarning), pytest.raises(RecordError, match='2 of 5 records cannot be read'):
        for epoch in range(50):
            shown(dataset, epoch=epoch)


def test_nothing_that_can_be_read(tmp_path):
    """One picture, to test with, that is damaged: nothing can take its place."""
    two = domains(tmp_path, 3, 1)
    (tmp_path / 'B' / '0.png').write_bytes(b'x')
    dataset = UnpairedImages(two, serial=True, transform=RESIZE)
    with pytest.warns(RuntimeWarning), pytest.raises(RecordError, match='cannot be read.*0.png'):
        shown(dataset)


def test_without_a_transform(two):
    with pytest.raises(ValueError, match='made without a transform'):
        UnpairedImages(two).item(0, np.random.default_rng(0))
