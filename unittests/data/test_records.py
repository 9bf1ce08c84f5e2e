"""gluonzoo/data/records.py: framing, the index, damage of every kind, and files that are whole or absent."""
import os
import struct
import threading

import cv2
import numpy as np
import pytest
from mxnet.recordio import MXIndexedRecordIO, unpack_img
from record_cases import COUNT, DAMAGE, MAGIC, cut, overwrite, packed, picture, write_file, write_raw

from gluonzoo.data.records import RecordError, RecordFile, index_path, unpack, write_records


@pytest.fixture
def file(tmp_path):
    return write_file(tmp_path)


def contents(path):
    records = RecordFile(path)
    return [bytes(records.read(number)) for number in range(len(records))]


def contents_or_none(path):
    """The same, with None for records that are damaged."""
    records, found = RecordFile(path), []
    for number in range(len(records)):
        try:
            found.append(bytes(records.read(number)))
        except RecordError:
            found.append(None)
    return found


# -- reading -----------------------------------------------------------------------------------------------------

def test_records_are_what_mxnet_reads(file):
    path, begins = file
    theirs = MXIndexedRecordIO(str(index_path(path)), str(path), 'r')
    assert contents(path) == [theirs.read_idx(number) for number in range(COUNT)]
    theirs.close()


@pytest.mark.parametrize('length', range(0, 9))
def test_any_length_is_padded(tmp_path, length):
    data = [bytes(range(1, length + 1)), b'next']
    write_raw(tmp_path / 'a.rec', *data)
    assert contents(tmp_path / 'a.rec') == data


@pytest.mark.parametrize('data', [
    MAGIC, MAGIC * 3, b'1234' + MAGIC, MAGIC + b'1234', b'12' + MAGIC + b'34', b'1234' + MAGIC + b'567' + MAGIC + b'8',
    b'1234' + MAGIC + MAGIC + b'9' * 50,
], ids=range(7))
@pytest.mark.parametrize('indexed', [True, False])
def test_the_magic_word_within_the_data(tmp_path, data, indexed):
    write_raw(tmp_path / 'a.rec', b'before', data, b'after')
    if not indexed:
        index_path(tmp_path / 'a.rec').unlink()
    assert contents(tmp_path / 'a.rec') == [b'before', data, b'after']


def test_records_have_the_order_of_the_index(file):
    path, _ = file
    in_order = contents(path)
    index = index_path(path)
    lines = index.read_text().splitlines(keepends=True)
    index.write_text(''.join(lines[::-1]))
    assert contents(path) == in_order[::-1]


def test_labels_without_images(tmp_path):
    long = np.arange(5000, dtype=np.float32)
    write_raw(tmp_path / 'a.rec', packed(long, b'image'), struct.pack('<IfQQ', 0, 7, 0, 0) + b'image',
              packed(long[:3], b''))
    records = RecordFile(tmp_path / 'a.rec')
    for number, label in enumerate((long, [7], [0, 1, 2])):
        got = records.read_label(number)
        assert got.dtype == np.float32
        np.testing.assert_array_equal(got, label)


def test_unpack_by_hand():
    label, image = unpack(struct.pack('<IfQQff', 2, 0, 5, 0, 1.5, -2) + b'image')
    assert label.tolist() == [1.5, -2] and bytes(image) == b'image'
    label, image = unpack(struct.pack('<IfQQ', 0, 3, 5, 0))
    assert label.tolist() == [3] and len(image) == 0
    with pytest.raises(RecordError, match='23 bytes are too few'):
        unpack(bytes(23))
    with pytest.raises(RecordError, match='3 label numbers'):
        unpack(struct.pack('<IfQQff', 3, 0, 5, 0, 1.5, -2))


def test_a_hole_between_records_is_not_read(tmp_path):
    path, begins = write_file(tmp_path, 2)
    data = path.read_bytes()
    with open(path, 'r+b') as file:   # takes no space
        file.seek(1 << 36)
        file.write(data[begins[1]:])
    index_path(path).write_text(f'0\t0\n1\t{1 << 36}\n')
    records = RecordFile(path)
    with pytest.raises(RecordError, match=f'record 0, at byte 0: {1 << 36} bytes up to the next record; none'):
        records.read(0)
    assert bytes(records.read(1))


def test_numbers_beyond_the_file(file):
    records = RecordFile(file[0])
    for number in (-1, COUNT):
        with pytest.raises(IndexError, match=f'record {number} of {COUNT}'):
            records.read(number)


def test_many_threads_read_what_one_reads(file):
    path, _ = file
    wanted = contents(path)
    records, wrong = RecordFile(path), []

    def read(seed):
        for number in np.random.default_rng(seed).integers(0, COUNT, 300):
            if records.read(number) != wanted[number]:
                wrong.append(number)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_what_is_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match='none.rec'):
        RecordFile(tmp_path / 'none.rec')
    os.mkfifo(tmp_path / 'pipe.rec')   # nobody writes to it
    (tmp_path / 'device.rec').symlink_to('/dev/zero')
    for path, what in ((tmp_path, 'folder'), (tmp_path / 'pipe.rec', 'pipe'), (tmp_path / 'device.rec', 'device')):
        with pytest.raises(RecordError, match=f'{path}: is a {what}; must be an ordinary file'):
            RecordFile(path)


@pytest.mark.parametrize('data, begins', [(b'', 'none, it is empty'), (b'GIF89a' + bytes(3000), '47 49 46 38')])
def test_what_is_no_file_of_records(tmp_path, data, begins):
    (tmp_path / 'a.rec').write_bytes(data)
    with pytest.raises(RecordError, match=f'a.rec: holds no records; .*{begins}'):
        RecordFile(tmp_path / 'a.rec')
    assert os.listdir(tmp_path) == ['a.rec']


# -- the index ---------------------------------------------------------------------------------------------------

def test_a_missing_index_is_made_again(file):
    path, _ = file
    wanted, text = contents(path), index_path(path).read_text()
    index_path(path).unlink()
    assert contents(path) == wanted
    assert index_path(path).read_text() == text
    assert sorted(os.listdir(path.parent)) == ['classes.txt', 'some.idx', 'some.rec']


def test_no_index_can_be_written(file, monkeypatch):
    path, _ = file
    wanted = contents(path)
    index_path(path).unlink()

    def refuse(self, text):
        raise PermissionError(13, 'Permission denied')

    monkeypatch.setattr('pathlib.Path.write_text', refuse)
    assert contents(path) == wanted
    assert not index_path(path).exists()


@pytest.mark.parametrize('text, words', [
    ('', 'it is empty'), ('0\t0\n1\n', 'line 2 is not "key TAB offset"'), ('0\tzero\n', 'line 1 is not'),
    ('0\t8\n', 'byte 0'), ('0\t0\n1\t6\n', 'multiples of 4'), ('0\t-4\n1\t0\n', 'byte 0'),
    ('0\t0\n1\t0\n', 'two records begin at one byte'), ('0\t0\n', 'goes on after the last record'),
])
def test_an_index_that_is_not_the_files_own(file, text, words):
    path, _ = file
    index_path(path).write_text(text)
    with pytest.raises(RecordError, match=f'some.idx: .*{words}.* [Dd]elete'):
        RecordFile(path)


def test_an_index_that_is_no_file_or_endless(file):
    path, _ = file
    index_path(path).unlink()
    index_path(path).symlink_to('/dev/zero')
    with pytest.raises(RecordError, match='some.idx: is a device; must be an ordinary file'):
        RecordFile(path)
    index_path(path).unlink()
    with open(index_path(path), 'wb') as index:
        index.truncate(1 << 40)   # takes no space
    with pytest.raises(RecordError, match='some.idx: has more than .* bytes'):
        RecordFile(path)


def test_an_index_that_leaves_out_a_record(file):
    path, begins = file
    index_path(path).write_text(''.join(f'{n}\t{begin}\n' for n, begin in enumerate(begins) if n != 4))
    records = RecordFile(path)
    with pytest.raises(RecordError, match='some.rec: record 3, .* before the next record begins'):
        records.read(3)
    assert records.read(4)


# -- damage ------------------------------------------------------------------------------------------------------

FRAMING = ['magic', 'length too long', 'length too short', 'flag']


@pytest.mark.parametrize('number', [0, 5, COUNT - 1])
@pytest.mark.parametrize('damage', FRAMING)
def test_with_an_index_a_damaged_frame_costs_one_record(file, damage, number):
    path, begins = file
    wanted = contents(path)
    DAMAGE[damage](path, begins[number])
    if number == COUNT - 1 and damage.startswith('length'):   # cannot be told from a file that is cut, or an old index
        with pytest.raises(RecordError, match='goes on after the last record' if 'short' in damage else 'cut off'):
            RecordFile(path)
        return
    records = RecordFile(path)
    for other in range(COUNT):
        if other == number:
            with pytest.raises(RecordError, match=f'some.rec: record {number}, at byte {begins[number]}: '):
                records.read(other)
        else:
            assert records.read(other) == wanted[other]


@pytest.mark.parametrize('number', [0, 5, COUNT - 1])
@pytest.mark.parametrize('damage', FRAMING)
def test_without_an_index_a_damaged_frame_costs_one_record(file, damage, number):
    path, begins = file
    wanted = contents(path)
    index_path(path).unlink()
    DAMAGE[damage](path, begins[number])
    if damage == 'length too long' and number == COUNT - 1:
        with pytest.raises(RecordError, match=f'cut off: .* record {number}, '):
            RecordFile(path)
        return
    records = RecordFile(path)
    got = {}
    for other in range(len(records)):
        try:
            got[other] = bytes(records.read(other))
        except RecordError as error:
            assert f'record {other}, at byte ' in str(error)
    whole = [data for other, data in enumerate(wanted) if other != number]
    assert [data for data in got.values() if data in wanted] == whole
    # A length that is too short, but possible, leaves a short record and a piece that is none.
    assert len(records) == COUNT + (damage == 'length too short')


def test_what_looks_like_a_record_within_a_damaged_one(tmp_path):
    """The magic word at another place than a multiple of 4, and a part that is not the first."""
    data = b'12345' + MAGIC + bytes(30), b'1234' + MAGIC + bytes(30), b'next'
    for path in (tmp_path / 'some.rec', tmp_path / 'other.rec'):
        write_raw(path, b'first', *data)
        begins = [int(line.split()[1]) for line in index_path(path).read_text().splitlines()]
        index_path(path).unlink()
        overwrite(path, begins[1 if path.stem == 'some' else 2], b'lost')
    assert contents_or_none(tmp_path / 'some.rec') == [b'first', None, *data[1:]]
    assert contents_or_none(tmp_path / 'other.rec') == [b'first', data[0], None, data[2]]


@pytest.mark.parametrize('number, into', [(5, 1), (5, 6), (5, 500), (COUNT - 1, 5), (COUNT - 1, 500), (0, 300)])
@pytest.mark.parametrize('indexed', [True, False])
def test_a_file_that_is_cut_off_says_where_and_how_to_go_on(file, number, into, indexed):
    path, begins = file
    wanted = contents(path)
    cut(path, begins[number] + into)
    if not indexed:
        index_path(path).unlink()
    with pytest.raises(RecordError) as error:
        RecordFile(path)
    text = str(error.value)
    assert f'{path}: the file is cut off: it ends at byte {begins[number] + into}, and record {number}, ' in text
    assert (f'the {COUNT - 1 - number} that the index' in text) == (indexed and number < COUNT - 1)
    if number == 0:
        assert text.endswith('Fetch the file again')
        return
    command = text[text.index('truncate'):]
    assert os.system(command) == 0
    assert contents(path) == wanted[:number]


def test_a_file_that_is_cut_between_records(file):
    path, begins = file
    wanted = contents(path)
    cut(path, begins[7])
    with pytest.raises(RecordError, match='record 7, .* is not whole, and the 4 that'):
        RecordFile(path)
    index_path(path).unlink()
    assert contents(path) == wanted[:7]      # nobody can tell


def test_random_damage_never_gives_a_wrong_record_for_another(file):
    """Bytes of one record overwritten: all others are read as they were, with an index or without."""
    path, begins = file
    whole, wanted, index = path.read_bytes(), contents(path), index_path(path).read_text()
    rng = np.random.default_rng(3)
    ends = [*begins[1:], len(whole)]
    for trial in range(150):
        number = int(rng.integers(COUNT - 1))
        at = begins[number] + int(rng.choice([rng.integers(8), rng.integers(ends[number] - begins[number])]))
        path.write_bytes(whole)
        overwrite(path, at, rng.bytes(min(int(rng.integers(1, 9)), ends[number] - at)))
        if trial % 2:
            index_path(path).write_text(index)
        else:
            index_path(path).unlink(missing_ok=True)
        records, got = RecordFile(path), []
        for other in range(len(records)):
            try:
                got.append(bytes(records.read(other)))
            except RecordError:
                pass
        others = [data for other, data in enumerate(wanted) if other != number]
        assert [data for data in got if data in others] == others, (trial, number, at)


# -- writing -----------------------------------------------------------------------------------------------------

def test_what_is_written(tmp_path):
    image, boxes, labels = picture(2)
    assert write_records(tmp_path / 'a.rec', [(image, boxes, labels), (image, [], []),
                                              (image, boxes, labels, [True, False])]) == 3
    file = MXIndexedRecordIO(str(tmp_path / 'a.idx'), str(tmp_path / 'a.rec'), 'r')
    fractions = boxes / [48, 32, 48, 32]
    for number, (width, wanted) in enumerate([(5, np.hstack([labels[:, None], fractions])), (5, np.zeros((0, 5))),
                                              (6, np.hstack([labels[:, None], fractions, [[1], [0]]]))]):
        header, bgr = unpack_img(file.read_idx(number))
        assert header.id == number and header.id2 == 0
        np.testing.assert_allclose(header.label, [4, width, 48, 32, *wanted.ravel()], rtol=1e-6)
        assert np.abs(bgr[..., ::-1].astype(int) - image).mean() < 6
    file.close()


def test_encoded_images_are_stored_as_they_are(tmp_path):
    encoded = cv2.imencode('.png', picture(0)[0])[1].tobytes()
    write_records(tmp_path / 'a.rec', [(encoded, [[0, 0, 48, 32]], [1])])
    label, image = unpack(RecordFile(tmp_path / 'a.rec').read(0))
    assert bytes(image) == encoded
    assert label.tolist() == [4, 5, 48, 32, 1, 0, 0, 1, 1]


def test_the_quality_is_that_of_the_images(tmp_path):
    for quality in (30, 95):
        write_records(tmp_path / f'{quality}.rec', [picture(1)], quality)
    assert (tmp_path / '30.rec').stat().st_size < (tmp_path / '95.rec').stat().st_size


def test_boxes_up_to_a_pixel_outside_are_cut(tmp_path):
    write_records(tmp_path / 'a.rec', [(picture(0)[0], [[-1, -0.5, 49, 33]], [0])])
    assert unpack(RecordFile(tmp_path / 'a.rec').read(0))[0][4:].tolist() == [0, 0, 0, 1, 1]


IMAGE = picture(0)[0]


@pytest.mark.parametrize('sample, words', [
    ((IMAGE.astype(float), [], []), r'image: must be bytes or a uint8 array \[H, W, 3\]: float64 \[32, 48, 3\]'),
    ((IMAGE[..., 0], [], []), r'image: .*\[32, 48\]'),
    ((IMAGE[:0], [], []), r'image: .*\[0, 48, 3\]'),
    ((b'no image', [], []), 'image: not a JPEG'),
    ((IMAGE, [[0, 0, 1]], [0]), r'boxes: must be \[n, 4\]'),
    ((IMAGE, [[0, 0, 1, 1]], []), r'boxes: must be \[n, 4\]'),
    ((IMAGE, [], [0]), r'boxes: must be \[n, 4\]'),
    ((IMAGE, [[0, 0, 1, np.nan]], [0]), 'boxes: must lie in the image of 48 x 32'),
    ((IMAGE, [[0, 0, 50, 1]], [0]), 'boxes: must lie in'),
    ((IMAGE, [[2, 0, 2, 1]], [0]), 'boxes: xmin < xmax'),
    ((IMAGE, [[0, 5, 2, 1]], [0]), 'boxes: xmin < xmax'),
    ((IMAGE, [[48, 0, 49, 1]], [0]), 'boxes: xmin < xmax'),
    ((IMAGE, [[0, 0, 1, 1]], [-1]), 'labels: '), ((IMAGE, [[0, 0, 1, 1]], [0.5]), 'labels: '),
    ((IMAGE, [[0, 0, 1, 1]], [np.nan]), 'labels: '),
    ((IMAGE, [[0, 0, 1, 1]], [0], [True, False]), 'difficult: '),
    ((IMAGE,), 'boxes'),
])
def test_samples_that_cannot_be_written(tmp_path, sample, words):
    write_file(tmp_path, 2)
    before = {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)}
    with pytest.raises(ValueError, match=f'some.rec: sample 1: .*{words}'):
        write_records(tmp_path / 'some.rec', [picture(0), sample])
    assert {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)} == before


def test_other_arguments_that_are_wrong(tmp_path):
    with pytest.raises(ValueError, match='no samples'):
        write_records(tmp_path / 'a.rec', [])
    with pytest.raises(ValueError, match='path: .*a.idx'):
        write_records(tmp_path / 'a.idx', [picture(0)])
    for quality in (0, 101):
        with pytest.raises(ValueError, match=f'quality: must be in 1 .. 100: {quality}'):
            write_records(tmp_path / 'a.rec', [picture(0)], quality)
    with pytest.raises(FileNotFoundError, match='nowhere'):
        write_records(tmp_path / 'nowhere' / 'a.rec', [picture(0)])
    assert not os.listdir(tmp_path)


def test_an_interrupted_writer_leaves_what_was_there(tmp_path):
    path, _ = write_file(tmp_path)
    before = contents(path)

    def samples():
        yield picture(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_records(path, samples())
    assert contents(path) == before
    assert sorted(os.listdir(tmp_path)) == ['classes.txt', 'some.idx', 'some.rec']


def test_a_kill_between_the_two_files_leaves_no_pair_that_does_not_fit(tmp_path, monkeypatch):
    path, _ = write_file(tmp_path)
    replaced = []

    def replace(part, to):
        if replaced:
            raise SystemExit('killed')
        replaced.append(to)
        os.rename(part, to)

    monkeypatch.setattr(os, 'replace', replace)
    with pytest.raises(SystemExit):
        write_records(path, [picture(7), picture(8)])
    monkeypatch.undo()
    assert replaced == [path] and not index_path(path).exists()
    assert len(contents(path)) == 2


@pytest.mark.parametrize('room', [0, 100, 5000, 70_000])
def test_a_disk_that_is_full(tmp_path, full_disk, room):
    write_file(tmp_path, 2)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with full_disk(room), pytest.raises(OSError, match=f"too large: '{tmp_path / 'some.rec'}'"):
        write_records(tmp_path / 'some.rec', [picture(0)] * 100)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_records_are_what_mxnet_writes(tmp_path):
    """Also where the magic word is in an image: at the begin, the end, twice in a row, and not at a multiple of 4."""
    bmp = cv2.imencode('.bmp', np.zeros((64, 64, 3), np.uint8))[1].tobytes()
    images = [bmp]
    for places in ([0], [1], [8, 12], [0, 4, 8, 400], [2, 6, 7, 11], range(0, 12_000, 4), range(0, 12_000, 5)):
        pixels = bytearray(bmp)
        for place in places:
            begin = 56 + place   # the label has 9 numbers, the header 24 bytes: a multiple of 4
            pixels[begin:begin + 4] = MAGIC
        images.append(bytes(pixels))
    images += [bmp + MAGIC + bytes(tail) for tail in range(5)]   # what comes after the pixels is nobody's
    write_records(tmp_path / 'ours.rec', [(image, [[0, 0, 64, 64]], [1]) for image in images])
    theirs = write_raw(tmp_path / 'theirs.rec', *contents(tmp_path / 'ours.rec'))
    assert [unpack(data)[1] for data in contents(theirs)] == images
    for ending in ('.rec', '.idx'):
        assert (tmp_path / f'ours{ending}').read_bytes() == (tmp_path / f'theirs{ending}').read_bytes()
