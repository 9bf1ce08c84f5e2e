"""A folder for each class: what is a class, what is a picture, and what is told of the rest."""
import warnings

import cv2
import numpy as np
import pytest

from gluonzoo.data import LabelledPictures, Loader, RecordError

CROP = {'name': 'middle_crop', 'size': 8, 'mean': [0, 0, 0], 'std': [1, 1, 1]}


def save(path, value=0, size=(12, 10)):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((*size, 3), value, 'uint8'))


@pytest.fixture
def folder(tmp_path):
    for number, name in enumerate(('zebra/1.png', 'zebra/old/2.PNG', 'cat/a.png', 'dog/b.bmp', 'dog/c.png')):
        save(tmp_path / 'train' / name, 10 * number)
    return tmp_path / 'train'


@pytest.fixture(autouse=True)
def quiet():
    """Nothing is told unless a test says so."""
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        yield


def test_classes_are_folders(folder):
    data = LabelledPictures(folder)
    assert data.class_names == ['cat', 'dog', 'zebra'] and len(data) == 5
    found = [data.sample(record) for record in range(5)]
    assert [(sample.label, int(sample.image[0, 0, 0]), sample.record) for sample in found] == [
        (0, 20, 0), (1, 30, 1), (1, 40, 2), (2, 0, 3), (2, 10, 4)]
    assert found[0].image.shape == (12, 10, 3)
    with pytest.raises(IndexError, match='record 5 of 5'):
        data.sample(5)


def test_the_trainings_classes_have_their_numbers(folder):
    """Also if validation lacks a class, which is told."""
    data = LabelledPictures(folder, class_names=['zebra', 'dog', 'cat'])
    assert [data.sample(record).label for record in range(5)] == [0, 0, 1, 1, 2]
    with pytest.warns(RuntimeWarning, match='train: 1 of 4 classes have no pictures: bee'):
        data = LabelledPictures(folder, class_names=['bee', 'cat', 'dog', 'zebra'])
    assert [data.sample(record).label for record in range(5)] == [1, 2, 2, 3, 3]


def test_a_class_that_only_validation_has(folder):
    with pytest.raises(ValueError, match='train: has folders of 1 classes that are not among the 2 of the training: d'):
        LabelledPictures(folder, class_names=['cat', 'zebra'])


@pytest.mark.parametrize('name', ['val', 'valid', 'validation', 'test'])
def test_in_folder(folder, name):
    assert LabelledPictures.in_folder(folder.parent, 'train') == {'path': str(folder)}
    with pytest.raises(FileNotFoundError, match='val: no such folder, nor valid, validation, test'):
        LabelledPictures.in_folder(folder.parent, 'val')
    (folder.parent / name).mkdir()
    assert LabelledPictures.in_folder(folder.parent, 'val') == {'path': str(folder.parent / name)}
    with pytest.raises(FileNotFoundError, match='train: no such folder$'):
        LabelledPictures.in_folder(folder, 'train')


def test_what_is_left_out(folder):
    (folder / 'cat' / 'notes.txt').touch()
    (folder / 'dog' / 'Thumbs').touch()
    with pytest.warns(RuntimeWarning, match=r'train: 2 files are left out, being no pictures: \.txt 1, Thumbs 1'):
        assert len(LabelledPictures(folder)) == 5
    (folder / 'cat' / 'notes.txt').unlink()
    (folder / 'dog' / 'Thumbs').unlink()
    save(folder / 'loose.png')
    with pytest.warns(RuntimeWarning, match=r'1 files beside the folders of classes are left out: loose\.png'):
        assert len(LabelledPictures(folder)) == 5
    (folder / 'loose.png').unlink()
    for hidden in ('.cache/x.png', 'cat/.y.png', '__MACOSX/z.png'):   # without a word
        save(folder / hidden)
    assert len(LabelledPictures(folder)) == 5


def test_links_are_followed(folder, tmp_path):
    save(tmp_path / 'elsewhere' / 'x.png')
    (folder / 'bee').symlink_to(tmp_path / 'elsewhere')
    assert LabelledPictures(folder).class_names == ['bee', 'cat', 'dog', 'zebra']


def test_classes_that_are_too_few_or_empty(folder, tmp_path):
    (folder / 'empty').mkdir()
    with pytest.raises(ValueError, match='train: 1 of 4 classes have no pictures: empty; put some in, or remove the'):
        LabelledPictures(folder)
    save(tmp_path / 'one' / 'cat' / 'a.png')
    with pytest.raises(ValueError, match='one: must have a folder for each class, two or more; has cat'):
        LabelledPictures(tmp_path / 'one')
    (tmp_path / 'none').mkdir()
    with pytest.raises(ValueError, match='none: must have a folder for each class, two or more; has none'):
        LabelledPictures(tmp_path / 'none')
    for name in 'ab':
        (tmp_path / 'two' / name).mkdir(parents=True)
    with pytest.raises(ValueError, match=r'two: has no pictures \(\.'):
        LabelledPictures(tmp_path / 'two')
    with pytest.raises(FileNotFoundError, match='nowhere: no such folder'):
        LabelledPictures(tmp_path / 'nowhere')
    with pytest.raises(ValueError, match="class_names: 'cat' is there twice"):
        LabelledPictures(folder, class_names=['cat', 'cat', 'dog'])
    with pytest.raises(ValueError, match='class_names: must be'):
        LabelledPictures(folder, class_names='cat')


def test_unreadable_pictures(folder):
    """One is skipped and told; more than one in a hundred are an error that names them."""
    (folder / 'cat' / 'a.png').write_bytes(b'no picture')
    data = LabelledPictures(folder, transform=CROP)
    with pytest.raises(RecordError, match=r'record 0: .*a\.png'):
        data.sample(0)
    loader = Loader(data, 5, shuffle=False, seed=0, workers=1, last='keep')
    with pytest.warns(RuntimeWarning, match=r'skipped: record 0: .*a\.png'):
        batch = next(loader.epoch(0))
    assert batch.records.tolist() == [1, 1, 2, 3, 4] and list(data.skipped) == [0]
    (folder / 'dog' / 'b.bmp').unlink()
    data = LabelledPictures(folder, transform=CROP)
    (folder / 'dog' / 'c.png').write_bytes(b'')
    with pytest.raises(RecordError, match=r'2 of 4 records cannot be read, more than one in .*a\.png.*c\.png'), \
            pytest.warns(RuntimeWarning):
        next(Loader(data, 4, shuffle=False, seed=0, workers=1).epoch(0))


@pytest.mark.parametrize('name', ['a\nb', ' cat', '\udcff', '\t'])
def test_names_that_cannot_be_shown(folder, name):
    save(folder / 'x' / 'x.png')
    (folder / 'x').rename(folder / name)
    with pytest.raises(ValueError, match='a folder is the name of a class, and must be printable, without') as raised:
        LabelledPictures(folder)
    assert str(raised.value).encode() and '\n' not in str(raised.value)


def test_a_link_to_nothing_is_skipped(folder):
    wanted = LabelledPictures(folder).fingerprint()
    (folder / 'cat' / 'z.png').symlink_to('nowhere')
    data = LabelledPictures(folder)
    assert data.fingerprint()['count'] == 6 and data.fingerprint() != wanted
    with pytest.raises(RecordError, match=r'record 1: .*z\.png'):
        data.sample(1)


def test_fingerprint(folder, tmp_path):
    wanted = LabelledPictures(folder).fingerprint()
    folder.rename(tmp_path / 'moved')
    assert LabelledPictures(tmp_path / 'moved').fingerprint() == wanted
    save(tmp_path / 'moved' / 'cat' / 'a.png', size=(50, 50))
    assert LabelledPictures(tmp_path / 'moved').fingerprint() != wanted
