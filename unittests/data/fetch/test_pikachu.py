"""gluonzoo/data/fetch/pikachu.py: both datasets, from a server on this machine and without one."""
import json

import numpy as np
import pytest
from get_checks import (
    check_a_card_of_something_else,
    check_a_folder_that_is_not_empty,
    check_a_full_disk,
    check_an_interruption_leaves_nothing,
    names,
    runner,
    serving,
)

from gluonzoo.data import DetectionRecords, write_records
from gluonzoo.data.drawn.mascot import picture
from gluonzoo.data.fetch import pikachu
from gluonzoo.data.fetch.download import sha1_of

FILES = ['classes.txt', 'dataset.json', 'train.idx', 'train.rec', 'val.idx', 'val.rec']
SMALL = ('--train', '5', '--val', '3', '--size', '64')


@pytest.fixture(scope='module')
def original(tmp_path_factory):
    """What the server has: a dataset of 4 and 2 pictures."""
    folder = tmp_path_factory.mktemp('original')
    for split, numbers in (('train', range(4)), ('val', range(4, 6))):
        write_records(folder / f'{split}.rec', ((image, boxes, [0] * len(boxes))
                                                for image, boxes in (picture(7, number, 64) for number in numbers)))
    return folder


@pytest.fixture
def server(monkeypatch, original):
    monkeypatch.setattr(pikachu, 'ORIGINAL', {name: sha1_of(original / name) for name in pikachu.ORIGINAL})
    files = {f'/pikachu/{name}': (original / name).read_bytes() for name in pikachu.ORIGINAL}
    with serving(monkeypatch, files) as running:
        monkeypatch.setattr(pikachu, 'ADDRESSES', (running.url + '/gone/', running.url + '/pikachu/'))
        yield running


@pytest.fixture
def get(tmp_path, capsys):
    return runner(('data', 'pikachu'), tmp_path / 'data' / 'pikachu', capsys)


def state(folder):
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}


def offline(server):
    server.files.clear()


# -- the synthetic one -----------------------------------------------------------------------------------------------

def test_the_synthetic_dataset(get, monkeypatch):
    monkeypatch.setattr(pikachu, 'download_first', None)   # nothing may be downloaded
    code, said, _ = get('--synthetic', *SMALL, '--seed', '2')
    assert code == 0 and 'SYNTHETIC' in said and str(get.out) in said
    assert names(get.out) == FILES and names(get.out.parent) == ['pikachu']
    first = 0
    for split, count in (('train', 5), ('val', 3)):
        dataset = DetectionRecords(get.out / f'{split}.rec')
        assert len(dataset) == count and dataset.class_names == ['mascot']
        for number in range(count):
            image, boxes = picture(2, first + number, 64)
            sample = dataset.sample(number)
            assert abs(sample.image.astype(float) - image).mean() < 16   # a JPEG of it; it has grain
            np.testing.assert_allclose(sample.boxes, boxes, atol=1e-3)
            assert sample.labels.tolist() == [0] * len(boxes)
        first += count
    card = json.loads((get.out / 'dataset.json').read_text())
    assert card['kind'] == 'synthetic' and card['settings'] == {'train': 5, 'val': 3, 'size': 64, 'seed': 2}


def test_the_synthetic_dataset_is_always_the_same(get, tmp_path):
    get('--synthetic', *SMALL)
    first = {name: (get.out / name).read_bytes() for name in FILES}
    get.out = tmp_path / 'other'
    get('--synthetic', *SMALL)
    assert {name: (get.out / name).read_bytes() for name in FILES} == first


def test_mxnet_reads_it(get):
    import mxnet as mx
    get('--synthetic', *SMALL)
    records = mx.recordio.MXIndexedRecordIO(str(get.out / 'train.idx'), str(get.out / 'train.rec'), 'r')
    header, image = mx.recordio.unpack_img(records.read_idx(3))
    records.close()
    assert image.shape == (64, 64, 3) and header.label[:4].tolist() == [4, 5, 64, 64]
    assert len(header.label) == 4 + 5 * len(picture(0, 3, 64)[1])


def test_it_is_made_once(get):
    get('--synthetic', *SMALL)
    before = state(get.out)
    assert get('--synthetic', *SMALL)[0] == 0 and state(get.out) == before


@pytest.mark.parametrize('changed', [('--seed', '1'), ('--train', '6')])
def test_it_is_not_replaced_by_another(get, changed):
    get('--synthetic', *SMALL)
    before = state(get.out)
    code, _, complained = get('--synthetic', *SMALL, *changed)
    assert code == 1 and f'was made with {changed[0]} ' in complained and f'not {changed[1]}' in complained
    assert state(get.out) == before


def test_it_has_been_damaged(get):
    get('--synthetic', *SMALL)
    (get.out / 'val.rec').write_bytes(b'?')
    code, _, complained = get('--synthetic', *SMALL)
    assert code == 1 and 'val.rec: is not as it was made. Remove' in complained


def test_a_disk_that_is_full(get, full_disk):
    check_a_full_disk(get, full_disk, '--synthetic', *SMALL)


def test_an_interruption_leaves_nothing(get, monkeypatch):
    check_an_interruption_leaves_nothing(get, monkeypatch, pikachu, 6, *SMALL)


def test_a_folder_that_is_not_empty(get):
    check_a_folder_that_is_not_empty(get, *SMALL)


# -- the original ----------------------------------------------------------------------------------------------------

def test_the_original(get, server, original):
    code, said, _ = get()
    assert code == 0 and 'the original dataset' in said and 'SYNTHETIC' not in said
    assert names(get.out) == FILES
    for name in ('train.rec', 'train.idx', 'val.rec', 'val.idx'):   # the server has no val.idx
        assert (get.out / name).read_bytes() == (original / name).read_bytes()
    assert [len(DetectionRecords(get.out / f'{split}.rec')) for split in ('train', 'val')] == [4, 2]
    assert DetectionRecords(get.out / 'val.rec').class_names == ['pikachu']
    assert json.loads((get.out / 'dataset.json').read_text())['kind'] == 'original'


def test_what_is_right_is_kept(get, server):
    get()
    before, asked = state(get.out), len(server.requests)
    assert get()[0] == 0 and len(server.requests) == asked
    after = state(get.out)
    assert all(after[name] == before[name] for name in pikachu.ORIGINAL)


def test_what_is_wrong_is_mended(get, server, original):
    get()
    (get.out / 'train.rec').write_bytes(b'damaged')
    (get.out / 'val.rec').unlink()
    (get.out / 'val.idx').write_text('0\t0\n')
    del server.requests[:]
    assert get()[0] == 0
    assert {path for path, _ in server.requests} == {f'/{folder}/{name}' for folder in ('gone', 'pikachu')
                                                    for name in ('train.rec', 'val.rec')}
    for name in ('train.rec', 'val.rec', 'val.idx'):
        assert (get.out / name).read_bytes() == (original / name).read_bytes()


def test_a_broken_download_goes_on(get, server):
    server.break_after = [1000, 0, 0]
    code, _, complained = get()
    assert code == 1 and 'holds a part of the original' in complained and 'Run this again' in complained
    assert names(get.out) == ['train.rec.part']
    del server.requests[:]
    assert get()[0] == 0 and names(get.out) == FILES
    assert [headers['Range'] for path, headers in server.requests if path.endswith('train.rec')] == ['bytes=1000-'] * 2


def test_a_wrong_checksum_is_an_error(get, server):
    server.files['/pikachu/val.rec'] += b'?'
    code, _, complained = get(*SMALL)
    assert code == 1 and 'val.rec: its SHA-1 must be' in complained
    assert names(get.out) == ['train.idx', 'train.rec']


# -- the one or the other --------------------------------------------------------------------------------------------

def test_without_a_network_it_is_made(get, server):
    offline(server)
    code, said, complained = get(*SMALL)
    assert code == 0 and 'SYNTHETIC' in said
    assert 'THE ORIGINAL DATASET CANNOT BE DOWNLOADED' in complained and complained.count('HTTP status 404') == 2
    assert names(get.out) == FILES
    before = state(get.out)
    code, said, _ = get()   # again: whatever the settings, there is a dataset
    assert code == 0 and 'SYNTHETIC' in said and f'remove {get.out}' in said and state(get.out) == before


def test_the_original_is_not_mixed_with_a_synthetic_one(get, server):
    get()
    before = state(get.out)
    code, _, complained = get('--synthetic')
    assert code == 1 and 'holds the original dataset' in complained and state(get.out) == before
    (get.out / 'train.rec').unlink()
    offline(server)
    code, _, complained = get()
    assert code == 1 and 'holds a part of the original' in complained and not (get.out / 'train.rec').exists()


def test_a_synthetic_one_is_not_mixed_with_a_part_of_the_original(get, server):
    server.break_after = [1000, 0, 0]
    get()
    code, _, complained = get('--synthetic', *SMALL)
    assert code == 1 and 'holds the original dataset, or a part of it' in complained
    assert names(get.out) == ['train.rec.part']


@pytest.mark.parametrize('name', ['train.rec', 'classes.txt'])
def test_records_of_other_data_are_left_alone(get, server, name):
    get.out.mkdir(parents=True)
    (get.out / name).write_bytes(b'mine')
    code, _, complained = get()
    assert code == 1 and f'{name}: is there already' in complained
    assert names(get.out) == [name] and (get.out / name).read_bytes() == b'mine' and server.requests == []


@pytest.mark.parametrize('card', ['', '[]', '{"kind": "other", "settings": {}, "files": {}}', '{"kind": "synthetic"}',
                                  '{"kind": "synthetic", "settings": {}, "files": []}'])
def test_a_card_of_something_else(get, server, card):
    check_a_card_of_something_else(get, server, card)


def test_a_file_where_the_folder_shall_be(get):
    get.out.parent.mkdir(parents=True, exist_ok=True)
    get.out.write_text('mine')
    code, _, complained = get('--synthetic')
    assert code == 1 and 'is not an empty folder' in complained, complained
    assert get.out.read_text() == 'mine'
