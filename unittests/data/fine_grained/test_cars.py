"""gluonzoo/data/fine_grained/cars.py: lists that are not as they must be."""
import numpy as np
import pytest
from fine_grained_cases import annotations, cars, cells
from scipy.io import savemat

from gluonzoo.data import Cars

TRAIN = 'devkit/cars_train_annos.mat'
ROWS = [('00001.jpg', 1), ('00002.jpg', 2), ('00003.jpg', 3), ('00004.jpg', 1), ('00005.jpg', 3)]


@pytest.fixture
def folder(tmp_path):
    cars(tmp_path)
    return tmp_path


def replaced(place, row):
    return {'annotations': annotations([row if number == place else each for number, each in enumerate(ROWS)])}


@pytest.mark.parametrize('content, message', [
    ({'other': 3}, "must have the variable 'annotations'"),
    ({'annotations': 3}, r"annotations must have the field 'fname'; has \[\]"),
    ({'annotations': annotations(ROWS, fname='file')}, "must have the field 'fname'; has .*'file'"),
    ({'annotations': annotations(ROWS, **{'class': 'label'})}, "must have the field 'class'"),
    (replaced(1, ('00002.jpg', 9)), 'entry 2: a class must be a whole number from 1 to 3: 9'),
    (replaced(1, ('00002.jpg', 0)), 'entry 2: a class must be a whole number from 1 to 3: 0'),
    (replaced(1, (7, 2)), 'entry 2 must be a text'),
    (replaced(1, ('', 2)), "must lead into the folder of pictures: ''"),
    (replaced(1, ('../cars_test/00001.jpg', 2)), "must lead into the folder of pictures: '../cars_test/00001.jpg'"),
    (replaced(1, ('/etc/passwd', 2)), 'must lead into the folder of pictures'),
    (replaced(1, ('00001.jpg', 2)), "names a picture twice: 'cars_train/00001.jpg'"),
    (replaced(1, ('./00001.jpg', 2)), "names a picture twice: 'cars_train/00001.jpg'"),
    (replaced(1, ('00009.jpg', 2)), 'names 1 of 5 pictures that are not in'),
    (replaced(1, ('00002.jpg', 1)), 'classes have no pictures: big bee'),
    ({'annotations': annotations([])}, 'has no pictures of this part')])
@pytest.mark.parametrize('compress', [False, True])
def test_lists_that_are_wrong(folder, content, message, compress):
    savemat(folder / TRAIN, content, do_compression=compress)
    with pytest.raises(ValueError, match=message) as raised:
        Cars(folder)
    assert '\n' not in str(raised.value) and str(folder) in str(raised.value)


@pytest.mark.parametrize('label', [np.float64(1.5), np.array([1, 2]), 'one', np.nan, np.complex64(1)])
def test_classes_that_are_no_whole_numbers(folder, label):
    rows = annotations(ROWS)
    rows[0, 2]['class'] = label
    savemat(folder / TRAIN, {'annotations': rows})
    with pytest.raises(ValueError, match='entry 3: a class must be a whole number from 1 to 3: '):
        Cars(folder)


@pytest.mark.parametrize('names, message', [
    (cells(['ant', 3, 'cat'], (1, -1)), 'cars_meta.mat: entry 2 must be a text'),
    (np.array([[1., 2, 3]]), 'cars_meta.mat: entry 1 must be a text'),
    (cells(['ant', 'bee\nbee', 'cat'], (1, -1)), r"cars_meta.mat: the name of class 2 must be .*: 'bee\\nbee'"),
    (cells(['ant', 'bee', ''], (1, -1)), "cars_meta.mat: the name of class 3 must be printable, without blanks .*: ''"),
    (cells(['ant ', 'bee', 'cat'], (1, -1)), "cars_meta.mat: the name of class 1 must be .*: 'ant '"),
    (cells(['ant', 'x' * 1001, 'cat'], (1, -1)), "cars_meta.mat: the name of class 2 must be"),
    (cells(['ant', 'bee', 'ant'], (1, -1)), "cars_meta.mat: the name of class 3 is there twice: 'ant'"),
    (cells(['ant'], (1, -1)), 'a class must be a whole number from 1 to 1')])
def test_class_names_that_are_wrong(folder, names, message):
    savemat(folder / 'devkit/cars_meta.mat', {'class_names': names})
    with pytest.raises(ValueError, match=message) as raised:
        Cars(folder)
    assert '\n' not in str(raised.value)


def test_where_the_classes_of_the_test_may_lie(folder):
    """In the devkit, where some put the file; the devkit's own list of the test has no classes."""
    labelled = folder / 'cars_test_annos_withlabels.mat'
    labelled.rename(folder / 'devkit' / labelled.name)
    assert len(Cars(folder, 'test')) == 3
    (folder / 'devkit' / labelled.name).unlink()
    savemat(folder / 'devkit/cars_test_annos.mat', {'annotations': annotations(ROWS[:3])})
    with pytest.raises(FileNotFoundError, match='cars_test_annos_withlabels.mat'):
        Cars(folder, 'test')
