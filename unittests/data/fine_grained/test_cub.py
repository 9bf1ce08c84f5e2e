"""gluonzoo/data/fine_grained/cub.py: lists that are not as they must be."""
import pytest
from fine_grained_cases import cub, save

from gluonzoo.data import CUB


@pytest.fixture
def folder(tmp_path):
    cub(tmp_path)
    return tmp_path


def change(folder, name, change):
    """Lines of a list changed: old -> new."""
    text = (folder / name).read_text()
    for old, new in change.items():
        assert old in text
        text = text.replace(old, new)
    (folder / name).write_text(text)


SPLIT, LABELS, IMAGES, CLASSES = 'train_test_split.txt', 'image_class_labels.txt', 'images.txt', 'classes.txt'


@pytest.mark.parametrize('name, changed, message', [
    (IMAGES, {'7 001.ant/7.png': '7'}, "images.txt:7: must be a number or name, a blank and a value: '7'"),
    (IMAGES, {'7 001': '8 001'}, "images.txt:8: '8' is there twice"),
    (IMAGES, {'7 001.ant/7.png\n': ''}, "image_class_labels.txt: has 8 pictures and images.txt 7, which lacks '7'"),
    (LABELS, {'7 1\n': ''}, "images.txt: has 8 pictures and image_class_labels.txt 7, which lacks '7'"),
    (SPLIT, {'7 1\n': ''}, "images.txt: has 8 pictures and train_test_split.txt 7, which lacks '7'"),
    (SPLIT, {'7 1\n': '7 1\n70 1\n'}, "train_test_split.txt: has 9 pictures and images.txt 8, which lacks '70'"),
    (SPLIT, {'7 1': '7 2'}, "train_test_split.txt: picture 7: must be 1 to train or 0 to test: '2'"),
    (LABELS, {'7 1': '7 4'}, "labels.txt: picture 7: a class must be a whole number from 1 to 3: '4'"),
    (LABELS, {'7 1': '7 0'}, "labels.txt: picture 7: a class must be a whole number from 1 to 3: '0'"),
    (LABELS, {'7 1': '7 -1'}, 'a class must be a whole number from 1 to 3'),
    (LABELS, {'7 1': '7 1.0'}, 'a class must be a whole number from 1 to 3'),
    (LABELS, {'7 1': '7 ant'}, 'a class must be a whole number from 1 to 3'),
    (LABELS, {'2 2\n': '2 1\n'}, r'1 of 3 classes have no pictures: 002.big bee; put some in'),
    (CLASSES, {'2 002': '4 002'}, 'classes.txt: must number its classes from 1 to 3, in this order'),
    (CLASSES, {'002.big bee': '001.ant'}, 'classes.txt: the name of class 2 is there twice: .001.ant'),
    (CLASSES, {'002.big bee': '002.big\0bee'}, 'classes.txt: the name of class 2 must be printable, without blanks'),
    (IMAGES, {'001.ant/7.png': '../7.png'}, "images.txt: the name of a picture must lead into the folder of"),
    (IMAGES, {'001.ant/7.png': '/etc/passwd'}, 'must lead into the folder of pictures: \'/etc/passwd\''),
    (IMAGES, {'001.ant/7.png': r'..\\7.png'}, 'must lead into the folder'),
    (IMAGES, {'001.ant/7.png': 'a\0b.png'}, 'must lead into the folder'),
    (IMAGES, {'001.ant/7.png': '001.ant/1.png'}, "images.txt: names a picture twice: 'images/001.ant/1.png'"),
    (IMAGES, {'001.ant/7.png': './001.ant//1.png'}, "names a picture twice: 'images/001.ant/1.png'"),
    (IMAGES, {'001.ant/7.png': '001.ant/4.png'}, "images.txt: 'images/001.ant/4.png' is a picture to train with, and "),
    (IMAGES, {'001.ant/4.png': '002.big bee/./2.png'}, "'images/002.big bee/2.png' is a picture to train with"),
    (IMAGES, {'001.ant/7.png': '001.ant'}, 'names 1 of 5 pictures that are not in')])
def test_lists_that_are_wrong(folder, name, changed, message):
    change(folder, name, changed)
    with pytest.raises(ValueError, match=message) as raised:
        CUB(folder)
    assert '\n' not in str(raised.value)


@pytest.mark.parametrize('name', [SPLIT, LABELS, IMAGES, CLASSES])
def test_lists_that_are_empty_missing_or_no_text(folder, name):
    content = (folder / name).read_bytes()
    (folder / name).write_text('\n \n')
    with pytest.raises(ValueError, match=f'{name}: has no lines'):
        CUB(folder)
    (folder / name).write_bytes(content + b'\xff\xfe')
    with pytest.raises(ValueError, match=f'{name}: not a text in UTF-8'):
        CUB(folder)
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=name):
        CUB(folder)
    (folder / name).mkdir()
    with pytest.raises(ValueError, match=f'{name}: is a folder; must be an ordinary file'):
        CUB(folder)


def test_ends_of_lines_and_blanks_mean_nothing(folder):
    wanted = CUB(folder).fingerprint()
    for name in (SPLIT, LABELS, IMAGES, CLASSES):
        text = (folder / name).read_text()
        (folder / name).write_bytes(b'\xef\xbb\xbf' + text.replace('\n', ' \r\n').encode())
    assert CUB(folder).fingerprint() == wanted


def test_a_class_with_one_picture(tmp_path):
    """It is enough to train with."""
    for number, kind in ((1, 'a'), (2, 'b')):
        save(tmp_path / f'images/{kind}/{number}.png', number)
    for name, text in ((IMAGES, '1 a/1.png\n2 b/2.png'), (LABELS, '1 1\n2 2'), (SPLIT, '1 1\n2 1'),
                       (CLASSES, '1 a\n2 b')):
        (tmp_path / name).write_text(text)
    assert len(CUB(tmp_path)) == 2
    with pytest.raises(ValueError, match='images.txt: has no pictures of this part'):
        CUB(tmp_path, 'test')
    (tmp_path / SPLIT).write_text('1 1\n2 0')
    with pytest.raises(ValueError, match='1 of 2 classes have no pictures: b'):
        CUB(tmp_path)
    with pytest.warns(RuntimeWarning, match='1 of 2 classes have no pictures: a'):
        assert len(CUB(tmp_path, 'test')) == 1


def test_one_class_is_too_few(tmp_path):
    save(tmp_path / 'images/a/1.png', 1)
    for name, text in ((IMAGES, '1 a/1.png'), (LABELS, '1 1'), (SPLIT, '1 1'), (CLASSES, '1 a')):
        (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match='must have two classes or more: a'):
        CUB(tmp_path)
