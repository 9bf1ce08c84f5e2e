"""Files of records with one class each, as MXNet's own writer makes them."""
import cv2
import mxnet as mx
import numpy as np
import pytest

from gluonzoo.data import LabelledRecords, RecordError


def write(path, labels, broken=()):
    """A picture of the value 10 x place for each label, by MXNet; a label may be a list."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = mx.recordio.MXIndexedRecordIO(str(path.with_suffix('.idx')), str(path), 'w')
    for place, label in enumerate(labels):
        image = b'x' if place in broken else cv2.imencode('.png', np.full((9, 7, 3), 10 * place, 'uint8'))[1].tobytes()
        writer.write_idx(place, mx.recordio.pack(mx.recordio.IRHeader(0, label, place, 0), image))
    writer.close()
    return path


def test_samples(tmp_path):
    path = write(tmp_path / 'train.rec', [1, 0, 2, 1])
    data = LabelledRecords(path)
    assert data.class_names == ['0', '1', '2'] and len(data) == 4
    for record, label in enumerate((1, 0, 2, 1)):
        sample = data.sample(record)
        assert (sample.label, sample.record) == (label, record)
        assert sample.image.shape == (9, 7, 3) and (sample.image == 10 * record).all()
    assert LabelledRecords.in_folder(tmp_path, 'train') == {'path': str(path)}
    with pytest.raises(FileNotFoundError, match='val.rec: no such file'):
        LabelledRecords.in_folder(tmp_path, 'val')


def test_names(tmp_path):
    """Those given, of which validation may lack some; or of classes.txt."""
    path = write(tmp_path / 'val.rec', [1, 0])
    (tmp_path / 'classes.txt').write_text('cat\ndog\ncow\n')
    with pytest.raises(ValueError, match=r'val\.rec: 1 of 3 classes have no pictures: cow; put some in, or remove'):
        LabelledRecords(path)
    with pytest.warns(RuntimeWarning, match=r'val\.rec: 1 of 3 classes have no pictures: cow$'):
        assert LabelledRecords(path, class_names=['cat', 'dog', 'cow']).class_names == ['cat', 'dog', 'cow']
    assert LabelledRecords(path, class_names=['a', 'b']).class_names == ['a', 'b']
    (tmp_path / 'classes.txt').write_text('cat\ndog\n')
    assert LabelledRecords(path).class_names == ['cat', 'dog']
    (tmp_path / 'classes.txt').write_text('cat\n\ndog\n')
    with pytest.raises(RecordError, match=r'classes\.txt:2: is blank'):
        LabelledRecords(path)


@pytest.mark.parametrize('labels, names, message', [
    ([0, 1, 2], 'cat\ndog\n', 'record 2: class 2 is beyond the 2 classes, 0 to 1'),
    ([0, 1.5], None, 'record 1: must have a class number from 0 as its label: 1.5'),
    ([0, -1], None, 'record 1: must have a class number from 0 as its label: -1'),
    ([0, float('nan')], None, 'record 1: must have a class number'),
    ([0, 1e30], None, 'record 1: must have a class number'),
    ([0, [4, 5, 9, 7, 0, 0, 0, 1, 1]], None, 'record 1: must have one number as its label; has 9, as records of '),
    ([0, 0], None, 'must have two classes or more; has 0'),
    ([0, 2, 3], None, '1 of 4 classes have no pictures: 1')])
def test_labels_that_cannot_be(tmp_path, labels, names, message):
    path = write(tmp_path / 'train.rec', labels)
    if names:
        (tmp_path / 'classes.txt').write_text(names)
    with pytest.raises(ValueError, match=rf'train\.rec: {message}'):
        LabelledRecords(path)


def test_a_damaged_picture(tmp_path):
    data = LabelledRecords(write(tmp_path / 'train.rec', [0, 1, 2], broken=[1]))
    with pytest.raises(RecordError, match=r'train\.rec: record 1: '):
        data.sample(1)
    assert data.sample(2).label == 2


def test_fingerprint(tmp_path):
    one, same, other = (LabelledRecords(write(tmp_path / name / 'x.rec', labels)).fingerprint()
                        for name, labels in (('a', [0, 1]), ('b', [0, 1]), ('c', [1, 0])))
    assert one == same != other
