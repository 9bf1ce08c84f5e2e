"""gluonzoo/data/fine_grained/dogs.py: lists that are not as they must be."""
import numpy as np
import pytest
from fine_grained_cases import cells, dogs
from scipy.io import loadmat, savemat

from gluonzoo.data import Dogs


@pytest.fixture
def folder(tmp_path):
    dogs(tmp_path)
    return tmp_path


FILES = ['n1-ant/n1_1.jpg', 'n2-big bee/n2_2.jpg', 'n3-cat/n3_3.jpg', 'n1-ant/n1_7.jpg', 'n3-cat/n3_8.jpg']
LABELS = [1, 2, 3, 1, 3]


def replaced(place, file=None, label=None):
    files, labels = list(FILES), list(LABELS)
    files[place], labels[place] = file or files[place], labels[place] if label is None else label
    return files, labels


@pytest.mark.parametrize('files, labels, message', [
    (FILES, LABELS[:4], 'train_list.mat: file_list has 5 pictures, and labels has 4'),
    (FILES[:4], LABELS, 'train_list.mat: file_list has 4 pictures, and labels has 5'),
    (*replaced(1, label=0), 'entry 2: a class must be a whole number from 1 to 1000000: 0'),
    (*replaced(1, label=1), 'class 1 must have one folder: .*n1-ant.*n2-big bee'),
    (*replaced(1, label=4), 'has a class 4, and no pictures of class 2'),
    (*replaced(1, label=10 ** 6), 'has a class 1000000, and no pictures of class 2'),
    (*replaced(1, label=1.5), 'entry 2: a class must be a whole number from 1 to 1000000: 1.5'),
    (*replaced(1, '../n2/1.jpg'), "must lead into the folder of pictures: '../n2/1.jpg'"),
    (*replaced(1, '/n2/1.jpg'), 'must lead into the folder of pictures'),
    (*replaced(1, 'n2.jpg'), 'each class must have a folder of its own'),
    (*replaced(1, 'n1-ant/x.jpg'), 'each class must have a folder of its own'),
    (*replaced(3, 'n1-ant/n1_1.jpg'), "names a picture twice: 'Images/n1-ant/n1_1.jpg'"),
    (*replaced(3, 'n1-ant/./n1_1.jpg'), "names a picture twice: 'Images/n1-ant/n1_1.jpg'"),
    (*replaced(3, 'n1-ant/n1_4.jpg'), "train_list.mat: 'Images/n1-ant/n1_4.jpg' is a picture to train with, and one"),
    (*replaced(1, ' n2/x.jpg'), "train_list.mat: the name of class 2 must be printable, without blanks .*: ' n2'"),
    (*replaced(3, 'n1-ant/gone.jpg'), 'names 1 of 5 pictures that are not in'),
    (*replaced(3, 5), 'entry 4 must be a text')])
def test_lists_that_are_wrong(folder, files, labels, message):
    savemat(folder / 'train_list.mat', {'file_list': cells(files, (-1, 1)), 'labels': np.array(labels)[:, None]})
    with pytest.raises(ValueError, match=message) as raised:
        Dogs(folder)
    assert '\n' not in str(raised.value)


@pytest.mark.parametrize('name', ['file_list', 'labels'])
def test_variables_that_are_missing(folder, name):
    content = {key: value for key, value in loadmat(folder / 'train_list.mat').items() if key[:2] != '__'}
    del content[name]
    savemat(folder / 'train_list.mat', content)
    with pytest.raises(ValueError, match=f"train_list.mat: must have the variable '{name}'"):
        Dogs(folder)


@pytest.mark.parametrize('file, label', [('n1-ant/n1_4.jpg', 2), ('n2-big bee/n2_5.jpg', 4)])
def test_a_class_of_the_test_that_is_another_in_the_training(folder, file, label):
    savemat(folder / 'test_list.mat', {'file_list': cells([file], (-1, 1)), 'labels': np.array([[label]])})
    with pytest.raises(ValueError, match=f'test_list.mat: .* is of class {label}, which has other pictures in'):
        Dogs(folder, 'test')
