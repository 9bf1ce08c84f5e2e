"""gluonzoo/data/coco_files.py: which annotation files are meant, and where their pictures are."""
import pytest

from gluonzoo.data.coco_files import find_annotations, folder_of


def make(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text('')


@pytest.mark.parametrize('train, val, others', [
    ('annotations/instances_train2017.json', 'annotations/instances_val2017.json', []),
    ('annotations/instances_train2017.json', 'annotations/instances_val2017.json', [
        'annotations/captions_train2017.json', 'annotations/person_keypoints_val2017.json', 'val.json',
        'annotations/instances_train2014.json', 'annotations/instances_val2014.json',
        'annotations/image_info_test.json']),
    ('annotations/train.json', 'annotations/val.json', ['annotations/trainval.json', 'annotations/test.json']),
    ('annotations/instances_Train.json', 'annotations/instances_Validation.json', []),
    ('annotations/trainval.json', 'annotations/test.json', ['annotations/val.json']),
    ('train_annotations.json', 'test_annotations.json', ['package.json', 'retrain.json']),
    ('train/_annotations.coco.json', 'valid/_annotations.coco.json', [
        'test/_annotations.coco.json', 'train/info.json']),
    ('train/labels.json', 'val/labels.json', []),
    ('annotations/train.json', 'val/some.json', [])])
def test_the_files_that_are_meant(tmp_path, train, val, others):
    make(tmp_path, train, val, *others)
    assert find_annotations(tmp_path) == {'train': tmp_path / train, 'val': tmp_path / val}


def test_files_that_may_be_meant(tmp_path):
    make(tmp_path, 'annotations/train.json', 'annotations/val_a.json', 'annotations/val_b.json')
    with pytest.raises(ValueError, match='several annotation files are called val: annotations/val_a.json, '
                                         'annotations/val_b.json. Say which'):
        find_annotations(tmp_path)


def test_no_files(tmp_path):
    make(tmp_path, 'annotations/train.json', 'other.json')
    with pytest.raises(FileNotFoundError, match='has no annotation files to train and to validate with, such as .*; '
                                                'there are: annotations/train.json, other.json$'):
        find_annotations(tmp_path)
    with pytest.raises(FileNotFoundError, match='there are: none$'):
        find_annotations(tmp_path / 'nowhere')


@pytest.mark.parametrize('file, folder', [
    ('annotations/instances_a.json', 'a'), ('annotations/a.json', 'a'), ('annotations/a.json', 'images/a'),
    ('annotations/a.json', 'images'), ('annotations/a.json', '.'), ('a.json', 'a'), ('a.json', 'images'),
    ('train/_annotations.coco.json', 'train'), ('train/labels.json', 'train/images')])
def test_where_pictures_are(tmp_path, file, folder):
    """And not in a folder of a better name that has others."""
    make(tmp_path, file, f'{folder}/deep/2.png')
    assert folder_of(tmp_path / file, ['1.png', 'deep/2.png']) == tmp_path / folder
    if folder == 'images':
        make(tmp_path, 'a/other.png')
        assert folder_of(tmp_path / file, ['1.png', 'deep/2.png']) == tmp_path / folder


def test_where_pictures_are_that_are_missing(tmp_path):
    make(tmp_path, 'annotations/instances_a.json', 'a/other.png')
    assert folder_of(tmp_path / 'annotations' / 'instances_a.json', ['1.png']) == tmp_path / 'a'
    with pytest.raises(FileNotFoundError, match='instances_b.json: its pictures, such as 1.png, are in none of'):
        folder_of(tmp_path / 'annotations' / 'instances_b.json', ['1.png'])
