"""gluonzoo/data/fine_grained/aircraft.py: lists that are not as they must be."""
import pytest
from fine_grained_cases import aircraft

from gluonzoo.data import Aircraft

TRAIN, TEST = 'images_variant_trainval.txt', 'images_variant_test.txt'


@pytest.fixture
def folder(tmp_path):
    aircraft(tmp_path)
    return tmp_path / 'data'


@pytest.mark.parametrize('name, old, new, message', [
    (TRAIN, '0000002 big bee', '0000002 bee', "picture '0000002': is of a variant that is not in variants.txt: 'bee'"),
    (TRAIN, '0000002 big bee', '0000002', 'trainval.txt:2: must be a number or name, a blank and a value'),
    (TRAIN, '0000007', '0000001', "trainval.txt:4: '0000001' is there twice"),
    (TRAIN, '0000007', '../0000007', "trainval.txt: the name of a picture must lead into the folder of pictures: '../"),
    (TRAIN, '0000007', '/0000007', 'must lead into the folder of pictures'),
    (TRAIN, '0000007', './0000001', "trainval.txt: names a picture twice: 'images/0000001.jpg'"),
    (TRAIN, '0000007', '0000004', "trainval.txt: 'images/0000004.jpg' is a picture to train with, and one to"),
    (TRAIN, '0000007', './/0000004', "'images/0000004.jpg' is a picture to train with, and one to test with"),
    (TRAIN, '0000007', '0000099', 'names 1 of 5 pictures that are not in'),
    (TRAIN, '0000002 big bee', '0000002 ant', 'classes have no pictures: big bee'),
    ('variants.txt', 'cat', 'ant', "variants.txt:3: the name 'ant' is there twice"),
    ('variants.txt', 'big bee', '', 'variants.txt:2: is blank; must have a name')])
def test_lists_that_are_wrong(folder, name, old, new, message):
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new))
    with pytest.raises(ValueError, match=message) as raised:
        Aircraft(folder)
    assert '\n' not in str(raised.value)


@pytest.mark.parametrize('split', ['train', 'test'])
def test_a_picture_of_both_parts(folder, split):
    """In either part, with the same class and with another."""
    for line in ('0000001 ant', '0000001 cat'):
        with open(folder / TEST, 'a') as file:
            file.write(f'{line}\n')
        with pytest.raises(ValueError, match="'images/0000001.jpg' is a picture to train with, and one to test with"):
            Aircraft(folder, split)
        text = (folder / TEST).read_text()
        (folder / TEST).write_text(text.replace(f'{line}\n', ''))


def test_a_class_that_is_not_tested(folder):
    text = (folder / TEST).read_text()
    (folder / TEST).write_text(text.replace('0000005 big bee\n', ''))
    with pytest.warns(RuntimeWarning, match='1 of 3 classes have no pictures: big bee'):
        assert len(Aircraft(folder, 'test')) == 2


@pytest.mark.parametrize('name, said', [
    (TRAIN, 'data/images_variant_trainval.txt'), ('variants.txt', 'data/variants.txt')])
def test_a_list_that_is_missing(folder, name, said):
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=said):
        Aircraft(folder)
