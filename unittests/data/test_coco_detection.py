"""gluonzoo/data/coco_detection.py: the pictures and boxes of a file of COCO's form, and what is wrong with them."""
import json
import threading
import warnings

import cv2
import numpy as np
import pytest

from gluonzoo.data import CocoSample, Loader, RecordError
from gluonzoo.data.annotations import AnnotationError
from gluonzoo.data.drawn.coco import write
from gluonzoo.registry import DATASETS

TRAIN = {'name': 'keypoint_train', 'size': 32, 'mean': [100, 110, 120], 'std': [50, 60, 70], 'classes': 4}
PHOTO = {'name': 'photo', 'size': 48}
LOOK = {'size': 16, 'mean': [0, 0, 0], 'std': [1, 1, 1]}
SIZES = {30: (40, 30), 10: (24, 36), 20: (20, 20)}      # image id -> width, height


def annotated(image, category, bbox, **more):
    return {'id': 1, 'image_id': image, 'category_id': category, 'bbox': bbox, 'area': 12.5, 'iscrowd': 0,
            'segmentation': [[0, 0, 1, 0, 1, 1]], **more}


def content():
    """Three pictures: with three objects, one of them a crowd; with none; with one."""
    return {'info': {}, 'licenses': [],
            'categories': [{'id': 9, 'name': 'zebra'}, {'id': 2, 'name': 'yak'}, {'id': 5, 'name': 'ant'}],
            'images': [{'id': number, 'file_name': f'{number}.png', 'width': width, 'height': height}
                       for number, (width, height) in SIZES.items()],
            'annotations': [annotated(20, 5, [1, 2, 3, 4.5]),
                            annotated(30, 9, [10, 5, 20, 10], area=150),
                            annotated(30, 2, [0, 0, 40, 30], iscrowd=1, segmentation={'counts': [1200]}),
                            annotated(30, 2, [30, 20, 10, 10])]}


def picture(number):
    width, height = SIZES[number]
    return np.random.default_rng(number).integers(0, 256, (height, width, 3), np.uint8)


def save(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode('.png', image[..., ::-1])[1].tobytes())


@pytest.fixture
def root(tmp_path):
    for number in SIZES:
        save(tmp_path / 'some' / f'{number}.png', picture(number))
    return tmp_path


def open_(root, data=None, transform=None, images=None, name='instances_some.json'):
    path = root / 'annotations' / name
    path.parent.mkdir(exist_ok=True)
    if data is not None:
        path.write_text(data if isinstance(data, str) else json.dumps(data))
    return DATASETS.create('coco_detection', path=str(path), images=images and str(images), transform=transform)


# -- what is read ----------------------------------------------------------------------------------------------------

def test_samples_are_what_is_annotated(root, capfd):
    dataset = open_(root, content())
    assert len(dataset) == 3
    assert dataset.class_names == ['yak', 'ant', 'zebra'] and dataset.category_ids == [2, 5, 9]
    assert dataset.image_ids == [30, 10, 20]
    assert [path.name for path in dataset.files] == ['30.png', '10.png', '20.png']
    wanted = [([[10, 5, 30, 15], [0, 0, 40, 30], [30, 20, 40, 30]], [2, 0, 0], [False, True, False], [150, 12.5, 12.5]),
              (np.zeros((0, 4)), [], [], []),
              ([[1, 2, 4, 6.5]], [1], [False], [12.5])]
    for record, (boxes, labels, crowd, areas) in enumerate(wanted):
        sample = dataset.sample(record)
        assert isinstance(sample, CocoSample) and sample.record == record
        np.testing.assert_array_equal(sample.image, picture(dataset.image_ids[record]))
        for got, want, kind in ((sample.boxes, boxes, np.float32), (sample.labels, labels, np.int32),
                                (sample.crowd, crowd, bool), (sample.areas, areas, np.float32)):
            assert got.dtype == kind and got.shape == np.shape(want)
            np.testing.assert_array_equal(got, want)
        assert sample.difficult is sample.crowd
    assert dataset.dropped == {} and dataset.skipped == {} and dataset.arrays is None
    assert capfd.readouterr() == ('', '')      # pycocotools has much to say


def test_a_category_that_only_gathers_others_is_no_class(root):
    """Though it may have the name of one."""
    data = content()
    for category in data['categories']:
        category['supercategory'] = 'ant'
    data['categories'].append({'id': 0, 'name': 'ant', 'supercategory': 'none'})
    dataset = open_(root, data)
    assert dataset.class_names == ['yak', 'ant', 'zebra'] and dataset.category_ids == [2, 5, 9]
    assert dataset.sample(2).labels.tolist() == [1]
    data['annotations'].append(annotated(20, 0, [1, 2, 3, 4]))   # an object is of it: two classes of one name
    with pytest.raises(AnnotationError, match="name: 'ant' is there twice"):
        open_(root, data)


def test_classes_with_spaces_and_signs_stay_distinct(root):
    names = ['a b', 'a_b', 'a  b', 'A b', 'a/b', 'a-b', 'a.b', 'a:b', 'ab', 'ä b']
    data = content()
    data['categories'] = [{'id': number, 'name': f' {name} '} for number, name in enumerate(names)]
    data['annotations'] = [annotated(30, number, [0, 0, 9, 9]) for number in range(10)]
    dataset = open_(root, data)
    assert dataset.class_names == names and dataset.sample(0).labels.tolist() == list(range(10))


def test_a_sample_may_be_changed(root):
    dataset = open_(root, content())
    sample = dataset.sample(0)
    for array in (sample.image, sample.boxes, sample.labels, sample.crowd, sample.areas):
        array[:] = 1
    sample = dataset.sample(0)
    np.testing.assert_array_equal(sample.image, picture(30))
    assert sample.boxes[0].tolist() == [10, 5, 30, 15] and sample.labels.tolist() == [2, 0, 0]
    assert sample.crowd.tolist() == [False, True, False] and sample.areas.tolist() == [150, 12.5, 12.5]


def test_what_it_says_is_what_pycocotools_says(tmp_path, capsys):
    from pycocotools.coco import COCO
    write(tmp_path, 'drawn', 3, range(12))
    dataset = open_(tmp_path, name='instances_drawn.json')
    coco = COCO(str(dataset.path))
    assert dataset.image_ids == coco.getImgIds()
    for record, number in enumerate(dataset.image_ids):
        sample, annotations = dataset.sample(record), coco.loadAnns(coco.getAnnIds(imgIds=number))
        assert len(sample.boxes) == len(annotations)
        for box, label, crowd, area, said in zip(sample.boxes, sample.labels, sample.crowd, sample.areas, annotations):
            x, y, width, height = said['bbox']
            assert box.tolist() == [x, y, x + width, y + height]
            assert dataset.class_names[label] == coco.cats[said['category_id']]['name']
            assert (crowd, area) == (said['iscrowd'], said['area'])


def test_boxes_are_cut_at_the_picture(root):
    data = content()
    data['annotations'] = [annotated(30, 5, box) for box in ([-5, -5, 10, 10], [35, 25, 20, 20], [-40, -30, 120, 90])]
    with pytest.warns(RuntimeWarning, match='3 of its 3 boxes reach out of their pictures by more than a pixel and are '
                                            'cut off there. A bbox must be x, y, width and height in pixels'):
        dataset = open_(root, data)
    assert dataset.sample(0).boxes.tolist() == [[0, 0, 5, 5], [35, 25, 40, 30], [0, 0, 40, 30]]
    assert dataset.dropped == {}
    data['annotations'][1:] = [annotated(30, 5, box) for box in ([30, 20, 10.9, 10.9], [-0.9, -0.9, 9, 9])]
    with pytest.warns(RuntimeWarning, match='1 of its 3 boxes reach out .* cut off there$'):
        open_(root, data)


def test_where_the_pictures_are(root, tmp_path_factory):
    dataset = open_(root, content())
    assert dataset.files[0] == root / 'some' / '30.png'
    (root / 'images').mkdir()
    (root / 'some').rename(root / 'images' / 'some')
    assert open_(root, content()).files[0] == root / 'images' / 'some' / '30.png'
    (root / 'images' / 'some').rename(root / 'others')
    with pytest.raises(FileNotFoundError, match='instances_some.json: its pictures, such as 30.png, are in none of the '
                                                'folders .*/some, .*/images/some, .*/images, .*images: must be given'):
        open_(root, content())
    assert open_(root, content(), images=root / 'others').files[0] == root / 'others' / '30.png'
    assert open_(root, content(), images=root / 'others', name='any.json').sample(2).record == 2
    with pytest.raises(FileNotFoundError, match='nowhere: no such folder$'):
        open_(root, content(), images=root / 'nowhere')
    with pytest.raises(FileNotFoundError, match='instances_other.json: no such file'):
        open_(root, name='instances_other.json')


def test_area_and_crowd_may_be_missing(root):
    data = content()
    for annotation in data['annotations']:
        del annotation['area'], annotation['iscrowd'], annotation['segmentation'], annotation['id']
    sample = open_(root, data).sample(0)
    assert sample.areas.tolist() == [200, 1200, 100] and not sample.crowd.any()


# -- items -----------------------------------------------------------------------------------------------------------

def test_crowds_are_evaluated_and_not_trained_on(root):
    train, evaluation = (open_(root, content(), transform) for transform in (TRAIN, PHOTO))
    assert train.dropped == {'crowd': 1} and evaluation.dropped == {}
    assert len(train.sample(0).boxes) == 2
    canvas, extent, truth = evaluation.item(0, None)
    np.testing.assert_array_equal(canvas[:30, :40], picture(30))
    assert extent.tolist() == [30, 40, 1, 1]
    assert truth.tolist() == [[2, 10, 5, 30, 15, 150, 0], [0, 0, 0, 40, 30, 12.5, 1], [0, 30, 20, 40, 30, 12.5, 0]]


def test_items_are_transformed_samples(root):
    dataset = open_(root, content(), TRAIN)
    assert dataset.arrays[:2] == ((3, 32, 32), (4, 8, 8)) and len(dataset.arrays) == 11
    wanted = dataset.transform(dataset.sample(0), np.random.default_rng(3), (None,) * 11)
    for array, want in zip(dataset.item(0, np.random.default_rng(3)), wanted):
        np.testing.assert_array_equal(array, want)
    assert wanted[-1].any()


@pytest.mark.parametrize('name', ['resize', 'letterbox'])
def test_crowds_reach_an_evaluation_as_difficult_objects(root, name):
    """40 x 30 pixels in 16 x 16; in a letterbox, they are the 12 rows from 2 on."""
    dataset = open_(root, content(), {**LOOK, 'name': name})
    assert dataset.arrays[:2] == ((3, 16, 16), None) and dataset.dropped == {}
    labels = dataset.item(0, None)[1]
    top, bottom = (0, 1) if name == 'resize' else (2 / 16, 14 / 16)
    np.testing.assert_allclose(labels[:, [0, 2, 4, 5]], [
        [2, top + (bottom - top) / 6, top + (bottom - top) / 2, 0], [0, top, bottom, 1],
        [0, top + (bottom - top) * 2 / 3, bottom, 0]], rtol=1e-6)
    np.testing.assert_allclose(labels[:, [1, 3]], [[.25, .75], [0, 1], [.75, 1]], rtol=1e-6)


@pytest.mark.parametrize('name', ['ssd_train', 'darknet_train'])
def test_detectors_are_not_trained_on_crowds(root, name):
    dataset = open_(root, content(), {**LOOK, 'name': name})
    assert dataset.arrays == ((3, 16, 16), None) and dataset.dropped == {'crowd': 1}
    seen = [dataset.item(0, np.random.default_rng(seed))[1] for seed in range(30)]
    assert {(row[0], row[5]) for rows in seen for row in rows} == {(2, 0), (0, 0)}
    assert max(map(len, seen)) == 2


def batches(dataset, workers):
    loader = Loader(dataset, 2, shuffle=True, seed=5, workers=workers, last='keep')
    return [(batch.records.tolist(), *(array.asnumpy() for array in batch.arrays)) for batch in loader.epoch(1)]


@pytest.mark.parametrize('transform', [TRAIN, PHOTO, *({**LOOK, 'name': name} for name in (
    'ssd_train', 'resize', 'darknet_train', 'letterbox'))], ids=lambda transform: transform['name'])
def test_batches_do_not_depend_on_the_workers(tmp_path, transform):
    write(tmp_path, 'drawn', 3, range(13))
    dataset = open_(tmp_path, transform=transform, name='instances_drawn.json')
    one, four = batches(dataset, 1), batches(dataset, 4)
    assert len(one) == len(four) == 7
    for x, y in zip(one, four):
        assert x[0] == y[0]
        for array, other in zip(x[1:], y[1:]):
            np.testing.assert_array_equal(array, other)
    if transform is TRAIN:
        assert sum(arrays[-1].sum() for arrays in one) > 10   # the objects
    else:
        place = 3 if transform is PHOTO else 2   # of the labels
        rows = np.concatenate([arrays[place].reshape(-1, arrays[place].shape[2]) for arrays in one])
        assert (rows[rows[:, 0] < 0] == -1).all() and (rows[:, 0] >= 0).sum() > 10
    assert not [thread for thread in threading.enumerate() if thread.name.startswith('gluonzoo-loader')]


def test_without_a_transform_there_are_no_items(root):
    with pytest.raises(ValueError, match='instances_some.json: this dataset was made without a transform'):
        open_(root, content()).item(0, np.random.default_rng(0))


@pytest.mark.parametrize('transform, words', [
    ({**TRAIN, 'name': 'keypoint_trian'}, "unknown transform 'keypoint_trian'; did you mean keypoint_train"),
    ({**PHOTO, 'sizes': 1}, "unknown argument 'sizes'; did you mean size"), ({'name': 'photo', 'size': 0}, 'size: '),
    ('photo', "a dict with a 'name'")])
def test_transforms_are_checked(root, transform, words):
    with pytest.raises(ValueError, match=words):
        open_(root, content(), transform)


# -- annotations that cannot be used ---------------------------------------------------------------------------------

NAN, INF = float('nan'), float('inf')

FAULTS = {
    'incomplete': [{}, [], None, 7, 'text', {'image_id': 30, 'category_id': 5}, {'image_id': 30, 'bbox': [0, 0, 1, 1]},
                   {'category_id': 5, 'bbox': [0, 0, 1, 1]}],
    'unknown image': [annotated(number, 5, [0, 0, 9, 9]) for number in (31, -1, None, 'x', 30.5, [30], {}, 10 ** 400)],
    'unknown category': [annotated(30, number, [0, 0, 9, 9]) for number in (3, None, 'ant', [5], 5.5, True, 10 ** 400)],
    'not a box': [annotated(30, 5, box) for box in (
        None, [], [0, 0, 1], [0, 0, 1, 1, 1], 'abcd', {'x': 0, 'y': 0, 'w': 1, 'h': 1}, [0, 0, '1', 1], [0, 0, None, 1],
        [NAN, 0, 1, 1], [0, 0, 1, NAN], [0, 0, INF, 1], [-INF, 0, 1, 1], [0, 0, 10 ** 400, 1], [0, 1e300, 1, 1],
        [[0], 0, 1, 1], [0, 0, True, 1])] + [
        annotated(30, 5, [0, 0, 9, 9], **more) for more in (
            {'iscrowd': 2}, {'iscrowd': 'maybe'}, {'iscrowd': [1]}, {'iscrowd': .5}, {'area': -1}, {'area': NAN},
            {'area': '9'}, {'area': None}, {'area': [9]}, {'area': 10 ** 400})],
    'degenerate': [annotated(30, 5, box) for box in (
        [5, 5, 0, 5], [5, 5, 5, 0], [5, 5, -3, 5], [5, 5, 5, -1e9], [5, 5, 0.009, 5])],
    'outside': [annotated(30, 5, box) for box in (
        [40, 0, 5, 5], [0, 30, 5, 5], [-5, 0, 5, 5], [0, -5, 5, 5], [50, 50, 5, 5], [0, 0, 1e9, 5], [0, 0, 5, 61],
        [-41, 0, 50, 5], [0, -1e30, 5, 1e30])]}


@pytest.mark.parametrize('reason', FAULTS)
def test_each_fault_costs_one_annotation(root, reason):
    """And nothing else: what is left is what there is without it."""
    wanted = [open_(root, content()).sample(record) for record in range(3)]
    for fault in FAULTS[reason]:
        data = content()
        data['annotations'].insert(2, fault)
        with pytest.warns(RuntimeWarning) as warned:
            dataset = open_(root, data)
        said, = (str(warning.message) for warning in warned)
        assert said.endswith(f'instances_some.json: 1 of its 5 annotations are left out: {reason} 1')
        assert dataset.dropped == {reason: 1}, fault
        for record in range(3):
            for got, want in zip(dataset.sample(record), wanted[record]):
                np.testing.assert_array_equal(got, want)


def test_all_faults_are_counted_in_one_line(root):
    data = content()
    for faults in FAULTS.values():
        data['annotations'][1:1] = faults
    said = ', '.join(f'{reason} {len(FAULTS.get(reason, " "))}' for reason in sorted([*FAULTS, 'crowd']))
    count = sum(map(len, FAULTS.values()))
    with pytest.warns(RuntimeWarning, match=f': {count + 1} of its {count + 4} annotations are left out: {said}$'):
        dataset = open_(root, data, TRAIN)
    assert dataset.dropped == {'crowd': 1, **{reason: len(faults) for reason, faults in FAULTS.items()}}
    assert [len(dataset.sample(record).boxes) for record in range(3)] == [2, 0, 1]


def test_a_crowd_alone_is_no_reason_to_warn(root):
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert open_(root, content(), TRAIN).dropped == {'crowd': 1}


def test_if_none_can_be_used_that_is_an_error(root):
    data = content()
    for annotation in data['annotations']:
        annotation['category_id'] += 100
    with pytest.raises(AnnotationError, match='none of its 4 annotations can be used: unknown category 4$'):
        open_(root, data)
    data['annotations'] = []      # but there may be none
    with pytest.warns(RuntimeWarning, match='instances_some.json: there is no object in it'):
        assert len(open_(root, data).sample(0).boxes) == 0


UNIT = '. A bbox must be x, y, width and height in pixels'


@pytest.mark.parametrize('boxes, said', [
    ([[.1, .2, .5, .6], [.3, .3, .2, .2]], 'none of its 2 objects is larger than a pixel'),
    ([[0, 0, 1, 1], [.001, .2, .004, .6]], 'none of its 1 objects is larger than a pixel'),
    ([[30, 20, -10, -5]], 'none of its 1 annotations can be used: degenerate 1'),
    ([[41, 31, 20, 10]], 'none of its 1 annotations can be used: outside 1')],
    ids=['fractions', 'a fraction of a fraction', 'exchanged', 'outside'])
def test_boxes_in_another_unit_are_an_error_that_says_which_is_meant(root, boxes, said):
    data = content()
    data['annotations'] = [annotated(30, 5, box) for box in boxes]
    with pytest.raises(AnnotationError, match=f'instances_some.json: {said}{UNIT}$'):
        open_(root, data)
    data['annotations'].append(annotated(30, 5, [1, 1, 1, 1.5]))
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        assert open_(root, data).sample(0).boxes[-1].tolist() == [1, 1, 2, 2.5]


def test_only_crowds(root):
    data = content()
    data['annotations'] = data['annotations'][2:3]
    dataset = open_(root, data, TRAIN)
    assert dataset.dropped == {'crowd': 1} and len(dataset) == 3


# -- files that are none ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize('text, words', [
    ('', 'not JSON'), ('{', 'not JSON'), ('{"images": [}', 'not JSON'), ('[' * 100000, 'not JSON'),
    ('{"a":' * 100000, 'not JSON'), ('nonsense', 'not JSON'), ('[]', "must be an object with a list 'images'"),
    ('7', 'not in the form of COCO'), ('null', 'not in the form of COCO'), ('{}', "with a list 'images'"),
    ('{"images": {}, "categories": [], "annotations": []}', "with a list 'images'"),
    ('{"images": [1]}', "with a list 'categories'"),
    ('{"images": [1], "categories": [1]}', "with a list 'annotations'"),
    ('{"images": [1], "categories": [1], "annotations": 3}', "with a list 'annotations'"),
    ('{"images": [], "categories": [1], "annotations": []}', 'no images in it'),
    ('{"images": [1], "categories": [], "annotations": []}', 'no categories in it')])
def test_files_that_are_not_of_this_form(root, text, words):
    with pytest.raises(AnnotationError, match=f'instances_some.json: .*{words}'):
        open_(root, text)


def test_files_that_are_no_text(root):
    (root / 'annotations').mkdir()
    (root / 'annotations' / 'instances_some.json').write_bytes(b'\xff\xfe\x00"')
    with pytest.raises(AnnotationError, match='not JSON, '):
        open_(root)
    (root / 'annotations' / 'instances_some.json').unlink()
    (root / 'annotations' / 'instances_some.json').mkdir()
    with pytest.raises(AnnotationError, match='instances_some.json: is a folder'):
        open_(root)


def test_files_that_are_too_large(root, monkeypatch):
    monkeypatch.setattr('gluonzoo.data.annotations.coco.MAX_BYTES', 100)
    with pytest.raises(AnnotationError, match='instances_some.json: has more than 100 bytes'):
        open_(root, content())


@pytest.mark.parametrize('part, place, change, words', [
    ('categories', 1, 7, r'categories\[1\]: must be an object with an id, a whole number: 7'),
    ('categories', 1, {'id': None}, r'categories\[1\]: must be an object with an id'),
    ('categories', 1, {'id': 2.5}, 'an id, a whole number'), ('categories', 1, {'id': True}, 'an id, a whole number'),
    ('categories', 1, {'id': [2]}, 'an id, a whole number'), ('categories', 1, {'id': 9}, 'the id 9 is there twice'),
    ('categories', 2, {'name': 'yak'}, r"categories\[2\]: name: 'yak' is there twice"),
    ('categories', 2, {'name': None}, 'name: must be printable and not empty: None'),
    ('categories', 2, {'name': ' '}, 'name: must be printable'), ('categories', 2, {'name': 'a\nb'}, 'name: must be'),
    ('categories', 2, {'name': 7}, 'name: must be'), ('categories', 2, {'name': 'x\n' * 999}, r"name: .*\.\.\.$"),
    ('images', 0, None, r'images\[0\]: must be an object with an id'), ('images', 0, {'id': 'x'}, 'an id, a whole'),
    ('images', 2, {'id': 10}, r'images\[2\]: the id 10 is there twice'),
    ('images', 1, {'file_name': None}, r'images\[1\]: file_name: must be a path within the folder: None'),
    ('images', 1, {'file_name': ''}, 'file_name: '), ('images', 1, {'file_name': '/etc/passwd'}, 'file_name: '),
    ('images', 1, {'file_name': '../10.png'}, 'file_name: '), ('images', 1, {'file_name': 'a/../../b'}, 'file_name: '),
    ('images', 1, {'file_name': 'a\0b'}, 'file_name: '), ('images', 1, {'file_name': ['a']}, 'file_name: '),
    ('images', 1, {'file_name': '\ud800'}, 'file_name: '),
    ('images', 1, {'width': 0}, r'images\[1\]: width and height: must be whole numbers, \d+ pixels at most: \(0, 36\)'),
    ('images', 1, {'width': None}, 'width and height'), ('images', 1, {'height': 2.5}, 'width and height'),
    ('images', 1, {'height': -3}, 'width and height'), ('images', 1, {'height': NAN}, 'width and height'),
    ('images', 1, {'height': 10 ** 400}, 'width and height'), ('images', 1, {'width': 'x'}, 'width and height')])
def test_entries_that_are_wrong(root, part, place, change, words):
    data = content()
    if isinstance(change, dict):
        data[part][place].update(change)
    else:
        data[part][place] = change
    with pytest.raises(AnnotationError, match=f'instances_some.json: .*{words}'):
        open_(root, data)


@pytest.mark.parametrize('part, key', [('categories', 'id'), ('categories', 'name'), ('images', 'id'),
                                       ('images', 'file_name'), ('images', 'width'), ('images', 'height')])
def test_entries_without_what_they_need(root, part, key):
    data = content()
    del data[part][0][key]
    with pytest.raises(AnnotationError, match=rf'instances_some.json: {part}\[0\]: .*{key}'):
        open_(root, data)


def test_numbers_and_flags_as_tools_write_them(root):
    """Ids as text or with a point, and flags of every kind, mean what they say."""
    wanted = [open_(root, content()).sample(record) for record in range(3)]
    data = content()
    data['images'][0]['id'], data['categories'][1]['id'] = '30', str(data['categories'][1]['id'])
    data['images'][1].update(width=float(data['images'][1]['width']), height=str(data['images'][1]['height']))
    for number, annotation in enumerate(data['annotations']):
        annotation['category_id'] = (str, float)[number % 2](annotation['category_id'])
        annotation['image_id'] = (float, str)[number % 2](annotation['image_id'])
        annotation['iscrowd'] = [('0', False, 'no', None, '0.0'), ('1', True, 'yes', 1.0, 'TRUE')][
            annotation['iscrowd']][number % 5]
    dataset = open_(root, data)
    for record in range(3):
        for got, want in zip(dataset.sample(record), wanted[record]):
            np.testing.assert_array_equal(got, want)
    assert dataset.dropped == {}


def places(value, path=()):
    """The path of each value within a JSON document."""
    yield path
    if isinstance(value, (dict, list)):
        for key in (value if isinstance(value, dict) else range(len(value))):
            yield from places(value[key], (*path, key))


VALUES = [None, True, -1, 0, 3, 10 ** 30, 10 ** 400, 1.5, NAN, INF, -1e308, '', 'x', '../x', [], [[]], {}, {'id': 3}]


@pytest.mark.filterwarnings('ignore::RuntimeWarning')
def test_any_value_anywhere_is_an_error_or_a_dataset(root):
    """Each value of the document is replaced by each of many others, or removed."""
    tried = usable = 0
    whole = json.dumps(content())
    for path in [path for path in places(content()) if path]:
        for value in [*VALUES, 'remove']:
            data = json.loads(whole)
            inner = data
            for key in path[:-1]:
                inner = inner[key]
            if value == 'remove':
                del inner[path[-1]]
            else:
                inner[path[-1]] = value
            tried += 1
            try:
                dataset = open_(root, data, PHOTO)
            except AnnotationError as error:
                assert 'instances_some.json: ' in str(error) and len(str(error)) < 500
                continue
            usable += 1
            for record in range(len(dataset)):
                try:
                    sample = dataset.sample(record)
                except RecordError as error:
                    assert path[0] == 'images', error
                    continue
                height, width = sample.image.shape[:2]
                assert np.isfinite(sample.boxes).all() and np.isfinite(sample.areas).all()
                assert (sample.boxes[:, :2] >= 0).all() and (sample.boxes[:, 2:] <= [width, height]).all()
                assert (sample.boxes[:, 2:] > sample.boxes[:, :2]).all()
                assert ((sample.labels >= 0) & (sample.labels < len(dataset.class_names))).all()
            found = sum(len(dataset.sample(record).boxes) for record in range(len(dataset))) if (
                path[0] == 'annotations' and len(path) > 1) else None
            if found is not None:      # nothing is lost but what is counted
                assert found + sum(dataset.dropped.values()) == len(data['annotations'])
    assert tried > 1000 and usable > 300


# -- pictures that are none ------------------------------------------------------------------------------------------

def test_pictures_that_cannot_be_read(root):
    (root / 'some' / '30.png').unlink()
    (root / 'some' / '10.png').write_bytes(b'no image')
    save(root / 'some' / '20.png', np.zeros((20, 21, 3), np.uint8))
    dataset = open_(root, content())
    for record, words in enumerate(('image 30: .*No such file.*30.png', 'image 10: .*10.png: not a JPEG',
                                    'image 20: .*20.png has 21 x 20 pixels, and must have 20 x 20')):
        with pytest.raises(RecordError, match=f'instances_some.json: {words}'):
            dataset.sample(record)
    for record in (-1, 3):
        with pytest.raises(IndexError, match=f'record {record} of 3'):
            dataset.sample(record)


def test_the_loader_skips_a_few_and_no_more(root):
    dataset = open_(root, content(), TRAIN)
    (root / 'some' / '10.png').unlink()
    loader = Loader(dataset, 3, shuffle=False, seed=0, workers=2)
    with pytest.warns(RuntimeWarning, match='skipped: .*image 10: .*10.png'):
        batch, = loader.epoch(0)
    assert batch.records.tolist() == [0, 2, 2] and list(dataset.skipped) == [1]
    (root / 'some' / '20.png').write_bytes(b'')
    with pytest.raises(RecordError, match='2 of 3 records cannot be read, more than one in a hundred: .*image 20'):
        list(loader.epoch(0))


def test_a_category_without_objects_is_a_class_though_it_gathers_others(root):
    """Which categories have objects differs between the files to train and to validate with; their classes must not."""
    data = content()
    data['categories'][0]['supercategory'] = 'group'
    data['categories'].append({'id': 50, 'name': 'group', 'supercategory': 'none'})
    assert 'group' in open_(root, data).class_names   # it does not gather all others
