"""gluonzoo/data/annotations: what holds for every format, on hand-made data in each."""
import shutil

import numpy as np
import pytest
from annotation_cases import CAT, DOG, check_broken, make, make_splits, plain, write

from gluonzoo.data.annotations import FORMATS, AnnotationError, read_annotations


@pytest.mark.parametrize('form', FORMATS)
def test_every_format_says_the_same(tmp_path, form):
    root = make(form, tmp_path / 'data')
    annotations = read_annotations(form, root)
    assert annotations.class_names == (['dog', 'cat'] if form == 'coco' else ['cat', 'dog'])
    dog, cat = map(annotations.class_names.index, ('dog', 'cat'))
    assert list(annotations.splits) == ['all'] and annotations.skipped == []
    first, second = annotations.splits['all']
    assert (first.image.name, second.image.name) == ('a.jpg', 'b.jpg') and first.image.is_file()
    np.testing.assert_allclose(first.boxes, [DOG, CAT], atol=1e-4)
    assert first.labels.tolist() == [dog, cat] and first.difficult.tolist() == [form == 'voc', False]
    assert second.boxes.shape == (0, 4) and second.labels.shape == second.difficult.shape == (0,)
    for one in (first, second):
        assert (one.boxes.dtype, one.labels.dtype, one.difficult.dtype) == (np.float32, np.int32, bool)
    assert annotations.counts == ({'crowds left out': 1} if form == 'coco' else {})


@pytest.mark.parametrize('form', FORMATS)
def test_splits_of_the_data(tmp_path, form):
    make_splits(form, tmp_path)
    annotations = read_annotations(form, tmp_path)
    assert list(annotations.splits) == ['train', 'val']
    assert [[one.image.stem for one in split] for split in annotations.splits.values()] == [['t'], ['v']]
    assert annotations.counts['pictures in neither train.txt nor val.txt'] == (form == 'voc')


@pytest.mark.parametrize('form, gone', [('voc', 'ImageSets/Main/val.txt'), ('csv', 'train.csv'), ('yolo', 'val')])
def test_one_split_alone(tmp_path, form, gone):
    make_splits(form, tmp_path)
    shutil.rmtree(tmp_path / gone) if (tmp_path / gone).is_dir() else (tmp_path / gone).unlink()
    with pytest.raises(AnnotationError, match=f'is there, .*{gone} is not'):
        read_annotations(form, tmp_path)


@pytest.mark.parametrize('form', ['voc', 'csv'])
def test_a_file_of_class_names_gives_their_order(tmp_path, form):
    root = make(form, tmp_path / 'data')
    write(root / 'classes.txt', 'dog\nbird\ncat\n')
    annotations = read_annotations(form, root)
    assert annotations.class_names == ['dog', 'bird', 'cat'] and plain(annotations)[0][2] == [0, 2]


@pytest.mark.parametrize('form', FORMATS)
def test_a_broken_picture(tmp_path, form):
    check_broken(form, tmp_path / 'data', lambda root: next(root.rglob('a.jpg')).write_bytes(b'no picture'),
                 'cannot read the picture .*a.jpg', True)


def test_an_unknown_format(tmp_path):
    with pytest.raises(ValueError, match="form: must be one of voc, coco, csv, yolo: 'folder'"):
        read_annotations('folder', tmp_path)
