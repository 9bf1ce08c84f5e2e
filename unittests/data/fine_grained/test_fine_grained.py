"""gluonzoo/data/fine_grained: what all four datasets do alike."""
import shutil
import warnings

import cv2
import numpy as np
import pytest
from fine_grained_cases import CLASS_NAMES, WRITE, save, wanted

from gluonzoo.data import LabelledPictures, Loader, RecordError
from gluonzoo.data.fine_grained import KINDS, dataset_kind
from gluonzoo.registry import DATASETS

WITHIN = {'cub': 'CUB_200_2011', 'aircraft': 'fgvc-aircraft-2013b', 'cars': 'stanford_cars', 'dogs': 'stanford_dogs'}


@pytest.fixture(autouse=True)
def quiet():
    """Nothing is told unless a test says so."""
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        yield


@pytest.fixture(params=WRITE)
def name(request):
    return request.param


@pytest.fixture
def folder(name, tmp_path):
    (tmp_path / 'data').mkdir()
    WRITE[name](tmp_path / 'data')
    return tmp_path / 'data'


def found(data):
    """(label, value) of each picture."""
    samples = [data.sample(record) for record in range(len(data))]
    assert [sample.record for sample in samples] == list(range(len(data)))
    return [(sample.label, round(int(sample.image.mean()), -1)) for sample in samples]


@pytest.mark.parametrize('split', ['train', 'test'])
def test_pictures_and_classes(name, folder, split):
    data = DATASETS.create(name, path=str(folder), split=split)
    assert isinstance(data, KINDS[name]) and data.class_names == CLASS_NAMES[name]
    assert found(data) == wanted(split)
    assert type(data.sample(0).label) is int
    with pytest.raises(IndexError, match=f'record {len(data)} of {len(data)}'):
        data.sample(len(data))


def test_the_folder_of_the_archive_and_the_one_around_it(name, folder, tmp_path):
    shutil.move(folder, tmp_path / 'around' / WITHIN[name])
    for place in (tmp_path / 'around', tmp_path / 'around' / WITHIN[name]):
        assert found(KINDS[name](place)) == wanted('train')
        assert dataset_kind(place) == name


def test_in_folder(name, folder, tmp_path):
    kind = KINDS[name]
    assert kind.in_folder(folder, 'train') == {'path': str(folder), 'split': 'train'}
    assert len(kind(**kind.in_folder(folder, 'val'))) == 3
    with pytest.raises(FileNotFoundError, match=f'{tmp_path}/nowhere: no such folder'):
        kind.in_folder(tmp_path / 'nowhere', 'train')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(FileNotFoundError, match=f'{tmp_path}/empty: has no {kind.title}: .*images|.*cars_|.*Images'):
        kind.in_folder(tmp_path / 'empty', 'train')


LISTS = {'cub': ['images.txt', 'image_class_labels.txt', 'train_test_split.txt', 'classes.txt'],
         'aircraft': ['data/variants.txt', 'data/images_variant_trainval.txt', 'data/images_variant_test.txt'],
         'cars': ['devkit/cars_meta.mat', 'devkit/cars_train_annos.mat', 'cars_test_annos_withlabels.mat'],
         'dogs': ['train_list.mat', 'test_list.mat']}


@pytest.mark.parametrize('name, gone', [(name, gone) for name, lists in LISTS.items() for gone in lists],
                         indirect=['name'])
def test_a_list_that_is_missing_is_named(name, folder, gone):
    """Whichever it is, as the recipe takes them: what kind it is, where its parts are, then the parts."""
    (folder / gone).unlink()
    kind = dataset_kind(folder)
    assert kind == name
    with pytest.raises(FileNotFoundError) as raised:
        for split in ('train', 'val'):
            DATASETS.make({'name': kind, **DATASETS.target(kind).in_folder(str(folder), split)}, f'{split}_data')
    assert str(folder / gone) in str(raised.value)


@pytest.mark.parametrize('gone, split', [('data/images_variant_test.txt', 'train'),
                                         ('data/images_variant_trainval.txt', 'test')])
@pytest.mark.parametrize('name', ['aircraft'], indirect=True)
def test_a_part_without_the_list_of_the_other(name, folder, gone, split):
    (folder / gone).unlink()
    assert found(KINDS[name](folder, split)) == wanted(split)


@pytest.mark.parametrize('file', ['classes.txt', 'images.txt', 'variants.txt', 'data/variants.txt'])
def test_lists_that_other_datasets_have_too(file, tmp_path):
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text('1 a\n')
    assert dataset_kind(tmp_path) == 'labelled_pictures'


def test_the_trainings_classes_have_their_numbers(name, folder):
    """Of a training with the classes in another order, and one more."""
    names = CLASS_NAMES[name]
    data = KINDS[name](folder, 'test', class_names=[names[2], names[0], names[1]])
    assert [label for label, _ in found(data)] == [1, 2, 0] and data.class_names[0] == names[2]
    with pytest.warns(RuntimeWarning, match='1 of 4 classes have no pictures: zebu'):
        KINDS[name](folder, 'test', class_names=['zebu', *names])


def test_classes_that_the_training_does_not_have(name, folder):
    with pytest.raises(ValueError, match='has 1 classes that are not among the 2 of the training: '):
        KINDS[name](folder, 'test', class_names=CLASS_NAMES[name][:2])
    with pytest.raises(ValueError, match='class_names: a name is there twice'):
        KINDS[name](folder, class_names=[*CLASS_NAMES[name], CLASS_NAMES[name][0]])
    with pytest.raises(ValueError, match='class_names: must be a list of 1 or more names'):
        KINDS[name](folder, class_names='ant')


def test_a_wrong_split(name, folder):
    with pytest.raises(ValueError, match="split: must be 'train' or 'test': 'val'"):
        KINDS[name](folder, 'val')


@pytest.mark.parametrize('key', ['path', 'split', 'class_names', 'transform'])
@pytest.mark.parametrize('value', [True, 3, 1e300, float('nan'), 'x', '', 'a\0b', 'x' * 5000, ['x'], [1, 2], {},
                                   {'a': 1}])
def test_settings_that_are_damaged(name, folder, key, value):
    """One line in words."""
    specification = {'name': name, 'path': str(folder), 'split': 'train', key: value}
    with pytest.raises((ValueError, OSError)) as raised:
        DATASETS.make(specification, 'train_data')
    said = str(raised.value)
    assert '\n' not in said and len(said) < 6000 and 'NoneType' not in said and 'object' not in said.split(':')[0]


def test_pictures_that_are_not_there(name, folder):
    data = KINDS[name](folder)
    gone = data.path / data._files[1]
    gone.unlink()
    with pytest.raises(ValueError, match=f'names 1 of 5 pictures that are not in {data.path}: {data._files[1]}'):
        KINDS[name](folder)
    assert len(KINDS[name](folder, 'test')) == 3   # the other part is whole
    shutil.rmtree(data.path / data._files[1].split('/')[0])
    with pytest.raises(ValueError, match='names 5 of 5 pictures'):
        KINDS[name](folder)


def test_a_picture_that_is_broken_is_skipped(name, folder):
    data = KINDS[name](folder, transform={'name': 'fine_grained_middle', 'size': 8})
    (data.path / data._files[2]).write_bytes(b'no picture')
    with pytest.raises(RecordError, match='record 2: '):
        data.sample(2)


def test_the_loader_takes_it(name, folder):
    """In two parts, as on two machines, and with a grey picture that is smaller than the crop."""
    data = KINDS[name](folder, transform={'name': 'fine_grained_train', 'size': 8})
    cv2.imwrite(str(data.path / data._files[0]), np.full((4, 4), 50, 'uint8'))
    batches = [batch for rank in range(2) for batch in Loader(
        data, 1, shuffle=True, seed=0, workers=1, last='keep', part=(rank, 2)).epoch(0)]
    assert sorted(int(batch.records[0]) for batch in batches) == [0, 1, 2, 3, 4]
    labels = [label for label, _ in wanted('train')]
    for batch in batches:
        images, label = batch.arrays
        assert images.shape == (1, 3, 8, 8) and label.asnumpy().tolist() == [[labels[batch.records[0]]]]


def test_fingerprints(name, folder, tmp_path):
    """The same elsewhere; another one if the classes of the same files differ."""
    shutil.copytree(folder, tmp_path / 'copy')
    prints = [KINDS[name](place).fingerprint() for place in (folder, tmp_path / 'copy')]
    assert prints[0] == prints[1] and prints[0]['count'] == 5
    data = KINDS[name](folder)
    data._labels = np.roll(data._labels, 1)
    assert data.fingerprint() != prints[0]
    assert KINDS[name](folder, 'test').fingerprint() != prints[0]


def test_which_kind_a_folder_is(name, folder, tmp_path):
    assert dataset_kind(folder) == dataset_kind(str(folder)) == name
    for part in ('train', 'val'):
        for kind in ('ant', 'bee'):
            save(tmp_path / 'mine' / part / kind / '1.png', 3)
    assert dataset_kind(tmp_path / 'mine') == dataset_kind(tmp_path / 'nowhere') == 'labelled_pictures'
    assert len(LabelledPictures(tmp_path / 'mine/train')) == 2
