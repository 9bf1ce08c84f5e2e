"""gluonzoo/data/annotations/coco.py: a directory with files of COCO, and everything that can be wrong with it.

What a file must be to train on, unittests/data/test_coco_detection.py tests.
"""
import json
import shutil

import pytest
from annotation_cases import change, check_broken, check_not_of_the_format, make, make_splits, plain, write

from gluonzoo.data.annotations import AnnotationError, read_annotations
from gluonzoo.data.annotations.coco import read_coco


def test_ids_may_be_text(tmp_path):
    """As some tools write them; an evaluation of COCO's needs numbers, so training demands them."""
    root = make('coco', tmp_path / 'data')
    wanted = read_annotations('coco', root)

    def edit(data):
        for image in data['images']:
            image['id'] = f'image {image["id"]}'
        for annotation in data['annotations']:
            annotation['image_id'] = f'image {annotation["image_id"]}'
            annotation['category_id'] = {7: 'x', 3: 'd'}[annotation['category_id']]
        data['categories'] = [dict(id='x', name='cat'), dict(id='d', name='dog')]

    change_coco(root, edit)
    found = read_annotations('coco', root)
    assert found.class_names == wanted.class_names and plain(found) == plain(wanted)
    with pytest.raises(AnnotationError, match=r'categories\[0\]: must be an object with an id, a whole number: '):
        read_coco(root / 'annotations' / 'instances_all.json')


@pytest.mark.parametrize('side', ['width', 'height'])
def test_the_size_of_a_picture_may_be_missing(tmp_path, side):
    root = make('coco', tmp_path / 'data')
    wanted = plain(read_annotations('coco', root))
    change_coco(root, lambda data: data['images'][0].pop(side))
    assert plain(read_annotations('coco', root)) == wanted


def test_outlines_are_not_kept(tmp_path):
    """They are nine tenths of what a file of COCO's takes in memory."""
    root = make('coco', tmp_path / 'data')
    change_coco(root, lambda data: data['annotations'][0].update(segmentation=[[0, 0, 1, 0, 1, 1]]))
    coco = read_coco(root / 'annotations' / 'instances_all.json')
    assert [sorted(annotation) for annotation in coco.annotations] == 3 * [
        ['bbox', 'category_id', 'id', 'image_id', 'iscrowd']]


def change_coco(root, edit):
    path = root / 'annotations' / 'instances_all.json'
    data = json.loads(path.read_text())
    edit(data)
    path.write_text(json.dumps(data))


def coco_change(edit):
    return lambda root: change_coco(root, edit)


BROKEN = {
    'no picture': (lambda root: (root / 'images' / 'a.jpg').unlink(), 'image 10: no picture .*images/a.jpg', True),
    'size': (coco_change(lambda data: data['images'][0].update(height=31)), 'image 10: says 40 x 31', True),
    'absolute': (coco_change(lambda data: data['images'][0].update(file_name='/a.jpg')), 'image 10: .* is no path',
                 True),
    'long': (coco_change(lambda data: data['images'][0].update(file_name='m/' * 1500 + 'a.jpg')),
             'image 10: .* is no path', True),
    'parent': (coco_change(lambda data: data['images'][0].update(file_name='../a.jpg')), 'image 10: .* is no path',
               True),
    'outside': (coco_change(lambda data: data['annotations'][0].update(bbox=[30, 5, 20, 15])),
                'annotation 1: .* is outside', False),
    'empty': (coco_change(lambda data: data['annotations'][0].update(bbox=[4, 5, 0, 15])),
              'annotation 1: .* is empty', False),
    'negative': (coco_change(lambda data: data['annotations'][0].update(bbox=[24, 5, -20, 15])),
                 'annotation 1: .* is empty', False),
    'bbox': (coco_change(lambda data: data['annotations'][0].update(bbox=[4, 5, 20])),
             'annotation 1: a box must be four numbers', False),
    'nan': (coco_change(lambda data: data['annotations'][0].update(bbox=[4, float('nan'), 20, 15])),
            'annotation 1: a box must be four numbers', False),
    'huge': (coco_change(lambda data: data['annotations'][0].update(bbox=[4, 5, 20, 10 ** 400])),
             'annotation 1: a box must be four numbers', False),
    'no bbox': (coco_change(lambda data: data['annotations'][0].pop('bbox')),
                'annotation 1: a box must be four numbers: None', False),
    'class': (coco_change(lambda data: data['annotations'][0].update(category_id=99)),
              'annotation 1: unknown category 99', False),
    'orphan': (coco_change(lambda data: data['annotations'][0].update(image_id=99)),
               'annotation 1: no image 99', False),
}

DIRECTORIES = {
    'no json': (lambda root: shutil.rmtree(root / 'annotations'), 'must have one JSON file.*: none'),
    'two json': (lambda root: write(root / 'annotations' / 'instances_more.json', '{}'), 'must have one JSON file'),
    'no JSON': (lambda root: write(root / 'annotations' / 'instances_all.json', '{'),
                'instances_all.json: not JSON, or cut short: Expecting'),
    'deep': (lambda root: write(root / 'annotations' / 'instances_all.json', '[' * 100_000), 'instances_all.json: '),
    'a list': (lambda root: write(root / 'annotations' / 'instances_all.json', '[]'), 'not in the form of COCO'),
    'no images': (coco_change(lambda data: data.pop('images')),
                  "not in the form of COCO: must be an object with a list 'images'"),
    'no annotations': (coco_change(lambda data: data.pop('annotations')), 'not in the form of COCO'),
    'no file_name': (coco_change(lambda data: data['images'][0].pop('file_name')),
                     r'images\[0\]: file_name: must be a path'),
    'same id': (coco_change(lambda data: data['images'][1].update(id=10)), r'images\[1\]: the id 10 is there twice'),
    'same name': (coco_change(lambda data: data['categories'][0].update(name='dog')),
                  r"categories\[1\]: name: 'dog' is there twice"),
    'odd id': (coco_change(lambda data: data['annotations'][0].update(id=[1])),
               r'annotations\[0\]: must be an object with an id'),
    'no object': (coco_change(lambda data: data['annotations'].insert(0, 7)),
                  r'annotations\[0\]: must be an object with an id'),
    'same annotation': (coco_change(lambda data: data['annotations'][2].update(id=1)),
                        r'annotations\[2\]: the id 1 is there twice'),
    'a fraction': (coco_change(lambda data: data['categories'][0].update(id=.5)),
                   r'categories\[0\]: must be an object with an id'),
}


@pytest.mark.parametrize('name', BROKEN)
def test_what_is_broken_is_an_error_or_is_skipped_and_listed(tmp_path, name):
    check_broken('coco', tmp_path / 'data', *BROKEN[name])


@pytest.mark.parametrize('name', DIRECTORIES)
def test_a_directory_that_is_not_of_the_format(tmp_path, name):
    check_not_of_the_format('coco', tmp_path / 'data', *DIRECTORIES[name])


def test_splits_with_other_categories(tmp_path):
    make_splits('coco', tmp_path)
    change(tmp_path / 'annotations' / 'instances_val2017.json', '"dog"', '"wolf"')
    with pytest.raises(AnnotationError, match='instances_val2017.json: its categories must be those of .*train2017'):
        read_annotations('coco', tmp_path)
