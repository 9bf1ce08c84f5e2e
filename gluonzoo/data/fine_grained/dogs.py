"""Stanford Dogs: 120 breeds, 12,000 pictures to train on and 8,580 to test with.

The lists are files of MATLAB: train_list.mat and test_list.mat (the variables file_list, a picture in Images, and
labels, from 1). The folder that pictures of a class lie in, such as 'n02085620-Chihuahua', names the class. Source:
http://vision.stanford.edu/aditya86/ImageNetDogs/.
"""
from pathlib import PurePosixPath

from ...reading import FileError, quoted
from ...registry import DATASETS
from .listed_pictures import ListedPictures, Listing
from .lists import require_inside
from .mat import read_mat, texts, whole_numbers

__all__ = ['Dogs']

LISTS = {'train': 'train_list.mat', 'test': 'test_list.mat'}
MOST_CLASSES = 10 ** 6


@DATASETS.register('dogs')
class Dogs(ListedPictures):
    """The pictures of Stanford Dogs, or others in its form.

    Its samples are :class:`~gluonzoo.data.Labelled`. Arguments, attributes and errors:
    :class:`~.listed_pictures.ListedPictures`.
    """

    title = 'Stanford Dogs'
    signs = f'{LISTS["train"]}, {LISTS["test"]} and the folder Images'

    places = '', 'stanford_dogs'
    own_lists = tuple(LISTS.values())

    @staticmethod
    def listing(path, split):
        train = path / LISTS['train']
        class_names = _class_names(train, *_read(train))
        where = path / LISTS[split]
        files, labels = _read(where)
        for file, label in zip(files, labels):
            if label > len(class_names) or _folder(file) != class_names[label - 1]:
                raise FileError(f'{where}: {quoted(file)} is of class {label}, which has other pictures in '
                                f'{LISTS["train"]}, or none')
        return Listing(where, train, class_names, [f'Images/{file}' for file in files], [label - 1 for label in labels])


def _read(path):
    """(names of the pictures below Images, their classes from 1)"""
    files = [require_inside(path, name) for name in texts(path, read_mat(path, 'file_list'))]
    labels = whole_numbers(path, read_mat(path, 'labels'), MOST_CLASSES)
    if len(files) != len(labels):
        raise FileError(f'{path}: file_list has {len(files)} pictures, and labels has {len(labels)}')
    return files, labels


def _class_names(path, files, labels):
    """The folder of each class, in the order of their numbers."""
    names = {}
    for file, label in zip(files, labels):
        if names.setdefault(label, _folder(file)) != _folder(file):
            raise FileError(f'{path}: class {label} must have one folder: {quoted(names[label])}, '
                            f'{quoted(_folder(file))}')
    most = max(names, default=0)
    if len(names) < most:
        lacking = next(label for label in range(1, most) if label not in names)
        raise FileError(f'{path}: has a class {most}, and no pictures of class {lacking}')
    found = [names[label] for label in range(1, most + 1)]
    if len(set(found)) < len(found) or '' in found:
        raise FileError(f'{path}: each class must have a folder of its own')
    return found


def _folder(file):
    """The folder of a picture; '' if there is none."""
    folder = PurePosixPath(file).parent.as_posix()
    return '' if folder == '.' else folder
