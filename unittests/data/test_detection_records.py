"""gluonzoo/data/detection_records.py: samples from records, as other readers give them, and what is wrong with one."""
import re
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import mxnet as mx
import numpy as np
import pytest
from record_cases import COUNT, DAMAGE, overwrite, packed, picture, write_file, write_raw

from gluonzoo.data import Loader, RecordError, Sample, write_records
from gluonzoo.data.dataset import left_out
from gluonzoo.registry import DATASETS

RESIZE = {'name': 'resize', 'size': 24, 'mean': [100, 110, 120], 'std': [50, 60, 70]}
ENCODED = cv2.imencode('.png', picture(0)[0][..., ::-1])[1].tobytes()     # 48 x 32


def records_of(path, transform=None):
    return DATASETS.create('detection_records', path=str(path), transform=transform)


def labelled(directory, *labels, classes=3):
    """The dataset of one picture with these labels, whatever they are."""
    if classes:
        (directory / 'classes.txt').write_text('\n'.join(f'kind {number}' for number in range(classes)))
    return records_of(write_raw(directory / 'some.rec', *(packed(label, ENCODED) for label in labels)))


def header(*objects, width=5):
    return [4, width, 48, 32, *np.ravel(objects)]


# -- what is read ------------------------------------------------------------------------------------------------

def test_samples_are_what_was_written(tmp_path):
    dataset = records_of(write_file(tmp_path)[0])
    assert len(dataset) == COUNT
    assert dataset.class_names == ['kind 0', 'kind 1', 'kind 2']
    for number in range(COUNT):
        image, boxes, labels = picture(number)
        sample = dataset.sample(number)
        assert isinstance(sample, Sample) and sample.record == number
        assert sample.image.shape == image.shape and sample.image.dtype == np.uint8
        assert np.abs(sample.image.astype(int) - image).mean() < 6
        np.testing.assert_allclose(sample.boxes, boxes.reshape(-1, 4), atol=1e-4)
        np.testing.assert_array_equal(sample.labels, labels)
        assert (sample.boxes.dtype, sample.labels.dtype) == (np.float32, np.int32)
        assert sample.difficult.tolist() == [False] * len(labels)
    assert dataset.skipped == {} and dataset.dropped == {}


def test_difficult_objects(tmp_path):
    write_records(tmp_path / 'some.rec', [(*picture(2), [False, True])])
    assert records_of(tmp_path / 'some.rec').sample(0).difficult.tolist() == [False, True]


def test_longer_headers_and_objects(tmp_path):
    """The first two numbers say how long the header and each object are; the size in the header is not asked."""
    box = [0.25, 0.5, 0.5, 1]
    dataset = labelled(tmp_path, [2, 5, 1, *box], [6, 5, 9, 9, 9, 9, 1, *box], [4, 8, 0, 0, 1, *box, 1, 5, 5],
                       [4, 5, 300, 200, 1, *box])
    for number in range(4):
        sample = dataset.sample(number)
        assert sample.boxes.tolist() == [[12, 16, 24, 32]] and sample.labels.tolist() == [1]
        assert sample.difficult.tolist() == [number == 2]


def test_a_picture_without_objects(tmp_path):
    with pytest.warns(RuntimeWarning, match='some.rec: there is no object in it'):
        sample = labelled(tmp_path, header(), header([-1] * 5)).sample(0)
    assert (sample.boxes.shape, sample.labels.shape, sample.difficult.shape) == ((0, 4), (0,), (0,))


@pytest.mark.filterwarnings('ignore::DeprecationWarning')
def test_other_readers_see_the_same(tmp_path):
    """MXNet's and gluoncv's readers on a file of ours. (They refuse pictures without objects.)"""
    from gluoncv.data import RecordFileDetection

    write_records(tmp_path / 'some.rec', [picture(number, 40, 40, 1 + number % 3) for number in range(6)])
    dataset = records_of(tmp_path / 'some.rec')
    theirs = RecordFileDetection(str(tmp_path / 'some.rec'))
    in_order = mx.image.ImageDetIter(3, (3, 40, 40), path_imgrec=str(tmp_path / 'some.rec'), aug_list=[])
    batches = [batch.label[0].asnumpy() for batch in in_order]
    from_c = mx.io.ImageDetRecordIter(path_imgrec=str(tmp_path / 'some.rec'), data_shape=(3, 40, 40), batch_size=6,
                                      label_pad_width=30, preprocess_threads=1, verbose=False)
    flat = from_c.next().label[0].asnumpy()
    for number in range(6):
        sample = dataset.sample(number)
        image, objects = theirs[number]
        np.testing.assert_allclose(objects[:, :4], sample.boxes, atol=1e-4)
        np.testing.assert_array_equal(objects[:, 4], sample.labels)
        assert np.abs(image.asnumpy().astype(int) - sample.image).max() <= 3     # another build of the decoder
        rows = np.column_stack([sample.labels, sample.boxes / 40])
        objects = batches[number // 3][number % 3]
        np.testing.assert_allclose(objects[objects[:, 0] >= 0], rows, atol=1e-5)
        np.testing.assert_allclose(flat[number, 8:8 + rows.size], rows.ravel(), atol=1e-5)


def test_boxes_are_cut_at_the_image_and_dropped_when_nothing_is_left(tmp_path):
    dataset = labelled(
        tmp_path,
        header([0, -0.25, 0.5, 0.5, 1.5], [1, 1, 0, 1.5, 1], [2, 0.5, 0.5, 0.5, 1], [0, 0.5, 0.5, 0.25, 1],
               [1, 0, 0, 0.4 / 48, 1], [2, 0, 0, 0.6 / 48, 1]),
        header([0, 0, 0, 1, 1]), header([0, 0, 0.75, 1, 0.25]))
    with pytest.warns(RuntimeWarning) as warned:
        sample = dataset.sample(0)
    np.testing.assert_allclose(sample.boxes, [[0, 16, 24, 32], [0, 0, 0.6, 32]], rtol=1e-6)
    assert sample.labels.tolist() == [0, 2]
    said, = (str(warning.message) for warning in warned)
    assert said.startswith(f'{dataset.path}: record 0: objects left out: less than half a pixel 2, outside the picture')
    counts = {'less than half a pixel': 2, 'outside the picture': 1, 'xmin > xmax or ymin > ymax': 1}
    assert dataset.dropped == counts
    dataset.sample(0), dataset.sample(1)
    assert dataset.dropped == counts      # and not twice as many when it is read again
    dataset.sample(2)
    counts['xmin > xmax or ymin > ymax'] += 1
    assert dataset.dropped == counts
    assert left_out(dataset) == [f'{dataset.path}: objects left out: less than half a pixel 2, outside the picture 1, '
                                 'xmin > xmax or ymin > ymax 2']


def test_several_threads_count_an_object_once(tmp_path):
    thin = header([0, 0, 0, 1, 1], [0, 0.5, 0, 0.5, 1])
    dataset = labelled(tmp_path, *[thin] * 8)
    with pytest.warns(RuntimeWarning) as warned, ThreadPoolExecutor(4) as executor:
        list(executor.map(dataset.sample, [*range(8)] * 5))
    assert dataset.dropped == {'less than half a pixel': 8} and len(warned) == 1


PIXEL = [0, 0.1 / 48, 0.2 / 32, 0.9 / 48, 0.8 / 32]     # fractions that have been divided by the size once more


@pytest.mark.parametrize('objects, said', [
    ([PIXEL], '2 objects can be used: a pixel or less 2. In records, xmin ymin xmax ymax are fractions of the picture'),
    ([[0, 0, 0, 1 / 48, 1 / 32]], '2 objects can be used: a pixel or less 2'),
    ([PIXEL, [1, 0, 0, 0.3 / 48, 0.3 / 32]], '4 objects can be used: a pixel or less 2, less than half a pixel 2'),
    ([[0, 0.9, 0.1, 0.2, 0.5]], '2 objects can be used: xmin > xmax or ymin > ymax 2'),
    ([[0, 0.1, 0.5, 0.2, 0.1], [-1, 0, 0, 1, 1]], '2 objects can be used: xmin > xmax or ymin > ymax 2'),
    ([[0, 1, 0, 2, 1]], '2 objects can be used: outside the picture 2')])
def test_if_no_object_can_be_used_that_is_an_error(tmp_path, objects, said):
    with pytest.raises(RecordError, match=f'some.rec: none of its {re.escape(said)}'):
        labelled(tmp_path, header(*objects), header(), header(*objects))
    wide = [0, 0, 0.5, 1, 0.52]     # one that can be used, and not even in each record
    assert len(labelled(tmp_path, header(*objects), header(wide)).sample(1).boxes) == 1


# What MXNet's ImageDetIter and ImageDetRecordIter fill up with, and what makers of .lst files write for im2rec to say
# that there is nothing in a picture.
NOTHING = {'no rows': [], 'a row of -1': [[-1] * 5], 'zeros': [[-1, 0, 0, 0, 0]],
           'the whole picture': [[-1, 0, 0, 1, 1]],
           'rows of -1': [[-1] * 5] * 7, 'pixels': [[-1, 0, 0, 48, 32]], 'not a number': [[-1] + [np.nan] * 4]}


@pytest.mark.parametrize('nothing', NOTHING.values(), ids=NOTHING)
def test_rows_of_the_class_minus_1_are_no_objects(tmp_path, nothing):
    box = [1, 0.25, 0.5, 0.5, 1]
    dataset = labelled(tmp_path, header(*nothing), header(box, *nothing), header(*nothing, box),
                       header(*nothing, [0, *box[1:]]))
    assert [dataset.sample(number).labels.tolist() for number in range(4)] == [[], [1], [1], [0]]
    assert dataset.sample(1).boxes.tolist() == [[12, 16, 24, 32]]
    assert dataset.dropped == {}
    (tmp_path / 'classes.txt').unlink()
    assert records_of(dataset.path).class_names == ['class 0', 'class 1']


def test_records_of_im2rec(tmp_path):
    """With --pack-label, of a list with a picture that has no object."""
    box = [0, 0.25, 0.5, 0.5, 1]
    (tmp_path / 'pictures').mkdir()
    for number in range(3):
        (tmp_path / 'pictures' / f'{number}.png').write_bytes(ENCODED)
    rows = [[4, 5, 48, 32, *box], [4, 5, 48, 32, -1, -1, -1, -1, -1], [2, 5, *box, -1, 0, 0, 0, 0]]
    (tmp_path / 'some.lst').write_text(''.join(
        '\t'.join(map(str, [number, *row, f'pictures/{number}.png'])) + '\n' for number, row in enumerate(rows)))
    script = Path(mx.__file__).with_name('tools') / 'im2rec.py'
    subprocess.run([sys.executable, '-c', 'import runpy, sys, gluonzoo; sys.argv = sys.argv[1:]; '
                    'runpy.run_path(sys.argv[0], run_name="__main__")', script, tmp_path / 'some', tmp_path,
                    '--pack-label', '--pass-through'], check=True, capture_output=True)
    dataset = records_of(tmp_path / 'some.rec')
    boxes = [dataset.sample(number).boxes.tolist() for number in range(3)]
    assert boxes == [[[12, 16, 24, 32]], [], [[12, 16, 24, 32]]]


def test_class_names(tmp_path):
    path = write_file(tmp_path, classes=0)[0]
    greatest = max(max(picture(number)[2], default=0) for number in range(COUNT))
    assert records_of(path).class_names == [f'class {number}' for number in range(greatest + 1)]
    for text in ('größte\n other thing \nthird', '\ufeffgrößte\r\nother thing\r\nthird\r\n\r\n'):
        (tmp_path / 'classes.txt').write_bytes(text.encode())
        assert records_of(path).class_names == ['größte', 'other thing', 'third']
    for wrong in ('', 'a\nb\na', 'a\n\nb\nc', 'a\nb\x1b[2J\nc', 'a\nb\0\nc', b'\xff\xfe\xff'):
        (tmp_path / 'classes.txt').write_bytes(wrong if isinstance(wrong, bytes) else wrong.encode())
        with pytest.raises(RecordError, match='classes.txt:'):
            records_of(path)


def test_classes_with_spaces_and_signs_stay_distinct(tmp_path):
    names = ['a b', 'a_b', 'a  b', 'A b', 'a/b', 'a-b', 'a.b', 'a:b', 'ab', 'ä b']
    path = write_file(tmp_path, classes=0)[0]
    (tmp_path / 'classes.txt').write_text('\n'.join(names), 'utf-8')
    assert records_of(path).class_names == names


def test_without_names_a_damaged_label_makes_no_classes(tmp_path):
    dataset = labelled(tmp_path, header([1, 0, 0, 1, 1]), header([1e9, 0, 0, 1, 1]), header([np.nan, 0, 0, 1, 1]),
                       [1e9, 5], classes=0)
    assert dataset.class_names == ['class 0', 'class 1']


# -- what is wrong -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize('label, words', [
    ([1], 'not a detection record: its label has 1 number'), ([], 'not a detection record'),
    ([1e9, 5, 0, 0, 0, 0, 0, 1, 1], 'the header has 1e.09 numbers'), ([-1, 5, 0], 'the header has -1 '),
    ([1, 5, 0, 0, 0, 0, 0], 'the header has 1 '), ([np.nan, 5, 0], 'the header has nan '),
    ([np.inf, 5, 0], 'the header has inf '), ([2.5, 5, 0], 'the header has 2.5 '), ([4, 5, 0], 'the header has 4 '),
    ([4, 4, 0, 0, 0, 0, 0, 1], 'each object has 4 numbers'), ([4, 0, 0, 0], 'each object has 0 numbers'),
    ([4, np.nan, 0, 0], 'each object has nan '), ([4, 1e30, 0, 0], 'each object has 1e.30 '),
    ([4, -5, 0, 0, 0, 0, 0, 1, 1], 'each object has -5 '), ([4, 5.5, 0, 0], 'each object has 5.5 '),
    ([4, 5, 48, 32, 0, 0, 0, 1], '4 numbers are not objects of 5'),
    (header([-2, 0, 0, 1, 1]), 'class -2; must be a number from 0 to 2, or -1 for no'),
    (header([3, 0, 0, 1, 1]), 'class 3; '),
    (header([0.5, 0, 0, 1, 1]), 'class 0.5; '), (header([np.nan, 0, 0, 1, 1]), 'class nan; '),
    (header([1e30, 0, 0, 1, 1]), 'class 1e.30; '),
    (header([0, 0, 0, 1, 1], [0, 0, np.nan, 1, 1]), r'box \[0.0, nan, 1.0, 1.0\]; .* fractions'),
    (header([0, 0, 0, np.inf, 1]), 'box '), (header([0, 12, 4, 30, 20]), 'box '), (header([0, -1.1, 0, 1, 1]), 'box '),
])
def test_labels_that_are_none(tmp_path, label, words):
    dataset = labelled(tmp_path, header(), label)
    assert len(dataset.sample(0).boxes) == 0
    with pytest.raises(RecordError, match=f'some.rec: record 1: .*{words}'):
        dataset.sample(1)


def test_a_number_for_a_label(tmp_path):
    write_raw(tmp_path / 'some.rec', struct.pack('<IfQQ', 0, 2, 0, 0) + ENCODED)
    with pytest.raises(RecordError, match='record 0: not a detection record: its label has 1 number'):
        records_of(tmp_path / 'some.rec').sample(0)


@pytest.mark.filterwarnings('ignore:.*there is no object in it:RuntimeWarning')
@pytest.mark.parametrize('image', [b'', b'no image', ENCODED[:len(ENCODED) // 2]], ids=['none', 'text', 'cut'])
def test_images_that_are_none(tmp_path, image):
    write_raw(tmp_path / 'some.rec', packed(header(), image))
    with pytest.raises(RecordError, match='some.rec: record 0: '):
        records_of(tmp_path / 'some.rec').sample(0)


@pytest.mark.parametrize('damage', DAMAGE)
def test_damage_costs_one_record(tmp_path, damage):
    path, begins = write_file(tmp_path)
    wanted = [records_of(path).sample(number) for number in range(COUNT)]
    DAMAGE[damage](path, begins[5])     # an object, class 2 of 3, at 48
    dataset = records_of(path)
    for number in range(COUNT):
        if number == 5:
            with pytest.raises(RecordError, match='some.rec: record 5'):
                dataset.sample(5)
        else:
            for got, want in zip(dataset.sample(number), wanted[number]):
                np.testing.assert_array_equal(got, want)


@pytest.mark.filterwarnings('ignore::UserWarning', 'ignore::RuntimeWarning')
def test_random_damage_is_an_error_or_a_picture(tmp_path, capfd):
    path, begins = write_file(tmp_path)
    whole = path.read_bytes()
    rng = np.random.default_rng(1)
    refused = 0
    for _ in range(200):
        number = int(rng.integers(COUNT - 1))
        path.write_bytes(whole)
        overwrite(path, begins[number] + int(rng.integers(120)), rng.bytes(int(rng.integers(1, 9))))
        dataset = records_of(path)
        try:
            sample = dataset.sample(number)
            edges = np.array([0, 0, sample.image.shape[1], sample.image.shape[0]])
            assert np.isfinite(sample.boxes).all() and ((sample.labels >= 0) & (sample.labels < 3)).all()
            assert (sample.boxes[:, :2] >= edges[:2]).all() and (sample.boxes[:, 2:] <= edges[2:]).all()
        except RecordError:
            refused += 1
    assert 50 < refused < 200


def test_numbers_that_are_none(tmp_path):
    dataset = records_of(write_file(tmp_path)[0])
    for number in (-1, COUNT):
        with pytest.raises(IndexError):
            dataset.sample(number)


# -- items -------------------------------------------------------------------------------------------------------

def test_items_are_transformed_samples(tmp_path):
    path = write_file(tmp_path)[0]
    dataset = records_of(path, RESIZE)
    assert dataset.arrays == ((3, 24, 24), None)
    sample = dataset.sample(2)
    image, labels = dataset.item(2, np.random.default_rng(0))
    wanted = cv2.resize(sample.image, (24, 24)).astype(float)
    np.testing.assert_allclose(image, ((wanted - [100, 110, 120]) / [50, 60, 70]).transpose(2, 0, 1), atol=1e-5)
    np.testing.assert_allclose(labels, np.column_stack([sample.labels, sample.boxes / [48, 32, 48, 32], [0, 0]]),
                               atol=1e-6)
    out = np.full((3, 24, 24), 7, np.float32)
    again, _ = dataset.item(2, np.random.default_rng(0), (out, None))
    assert again is out
    np.testing.assert_array_equal(out, image)


@pytest.mark.parametrize('name', ['darknet_train', 'letterbox', 'ssd_train', 'resize'])
def test_batches_name_the_record_of_a_class_beyond_the_names(tmp_path, name):
    """And of a box that is not numbers. One of a hundred is left out, more are an error."""
    good = header([2, .1, .1, .9, .9])
    for wrong, words in ((header([3, .1, .1, .9, .9]), 'class 3; must be a number from 0 to 2'),
                         (header([2, .1, np.nan, .9, .9]), r'box \[0.1\d*, nan, ')):
        labelled(tmp_path, good, wrong, good)
        dataset = records_of(tmp_path / 'some.rec', {**RESIZE, 'name': name})
        loader = Loader(dataset, 3, shuffle=False, seed=0, workers=2)
        with pytest.warns(RuntimeWarning, match=f'skipped: .*some.rec: record 1: label: {words}'):
            batch, = loader.epoch(0)
        assert batch.records.tolist() == [0, 2, 2] and batch.arrays[1].shape == (3, 1, 6)
        assert (batch.arrays[1].asnumpy()[..., 0] == 2).all() and list(dataset.skipped) == [1]
        labelled(tmp_path, good, wrong, wrong)
        with pytest.warns(RuntimeWarning), pytest.raises(
                RecordError, match=f'2 of 3 records cannot be read, .*some.rec: record 1: label: {words}'):
            list(Loader(records_of(tmp_path / 'some.rec', {**RESIZE, 'name': name}), 3, shuffle=False, seed=0,
                        workers=2).epoch(0))


def test_without_a_transform_there_are_no_items(tmp_path):
    with pytest.raises(ValueError, match='without a transform'):
        records_of(write_file(tmp_path)[0]).item(0, np.random.default_rng(0))


def test_specifications_are_checked(tmp_path):
    path = write_file(tmp_path)[0]
    for transform, words in (({**RESIZE, 'name': 'resise'}, "unknown transform 'resise'; did you mean resize"),
                             ({**RESIZE, 'meen': 1}, "unknown argument 'meen'; did you mean mean"),
                             ({'name': 'resize'}, 'size'), ('resize', "a dict with a 'name'"),
                             ({}, "a dict with a 'name'")):
        with pytest.raises(ValueError, match=words):
            records_of(path, transform)
    with pytest.raises(ValueError, match="unknown argument 'paths'; did you mean path"):
        DATASETS.create('detection_records', paths=str(path))
    with pytest.raises(FileNotFoundError, match='none.rec'):
        records_of(tmp_path / 'none.rec')


def test_pictures_that_cannot_be_read_are_not_without_objects(tmp_path, recwarn):
    label = np.array([*header(), 0, .1, .1, .9, .9], np.float32)
    write_raw(tmp_path / 'some.rec', struct.pack('<IfQQ', len(label), 0, 0, 0) + label.tobytes() + b'no picture')
    records_of(tmp_path / 'some.rec')
    assert not [one for one in recwarn if 'no object' in str(one.message)]
