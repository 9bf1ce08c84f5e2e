"""gluonzoo/data/fetch/coco.py: both datasets, from a server on this machine and without one."""
import hashlib
import io
import json
import zipfile
from collections import namedtuple

import numpy as np
import pytest
from get_checks import (
    check_a_card_of_something_else,
    check_a_folder_that_is_not_empty,
    check_a_full_disk,
    names,
    runner,
    serving,
    tree,
)

from gluonzoo.data import CocoDetection
from gluonzoo.data.drawn.coco import picture
from gluonzoo.data.fetch import coco, room

SMALL = ('--train', '4', '--val', '2')
FILES = {'annotations': {'annotations/instances_train2017.json': b'{"train": 1}',
                         'annotations/instances_val2017.json': b'{"val": 1}', 'annotations/captions.json': b'{}'},
         'val2017': {f'val2017/{number}.jpg': bytes([number]) * 999 for number in range(2)},
         'train2017': {f'train2017/{number}.jpg': bytes([number]) * 999 for number in range(3)}}


def archive(files):
    """A .zip of name -> bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, 'w') as file:
        for name, data in files.items():
            file.writestr(name, data)
    return stream.getvalue()


@pytest.fixture
def server(monkeypatch):
    with serving(monkeypatch) as running:
        monkeypatch.setattr(coco, 'ADDRESS', running.url + '/')

        def offer(name, files):
            content, part = archive(files), coco.ORIGINAL[name]
            running.files[f'/{part.path}'] = content
            counts = part.files if name == 'annotations' else {'*.jpg': len(FILES[name])}
            monkeypatch.setitem(coco.ORIGINAL, name, part._replace(
                bytes=len(content), md5=hashlib.md5(content).hexdigest(), unpacked=1 << 16, files=counts))

        running.offer = offer
        for name, files in FILES.items():
            offer(name, files)
        yield running


@pytest.fixture
def get(tmp_path, capsys):
    return runner(('data', 'coco'), tmp_path / 'data' / 'coco', capsys)


def asked(server):
    return [(path, headers.get('Range')) for path, headers in server.requests]


# -- the synthetic one -----------------------------------------------------------------------------------------------

def test_the_synthetic_dataset(get, monkeypatch):
    monkeypatch.setattr(coco, 'download', None)   # nothing may be downloaded
    code, said, _ = get('--synthetic', *SMALL, '--seed', '2')
    assert (code, said) == (0, f'{get.out}: the SYNTHETIC dataset, made now\n')
    assert names(get.out) == ['annotations', 'dataset.json', 'train2017', 'val2017']
    assert names(get.out.parent) == ['coco']
    first = 0
    for split, count in (('train', 4), ('val', 2)):
        dataset = CocoDetection(get.out / 'annotations' / f'instances_{split}2017.json')
        assert len(dataset) == count
        for record in range(count):   # no picture is in both
            image, things = picture(2, first + record)
            sample = dataset.sample(record)
            assert np.abs(sample.image.astype(int) - image).mean() < 9 and len(sample.boxes) == len(things)
        first += count


def test_it_is_made_once(get):
    get('--synthetic', *SMALL)
    before = tree(get.out)
    assert get('--synthetic', *SMALL)[:2] == (0, f'{get.out}: the SYNTHETIC dataset, made earlier\n')
    assert tree(get.out) == before
    for changed in (('--seed', '1'), ('--train', '6')):
        code, _, complained = get('--synthetic', *SMALL, *changed)
        assert code == 1 and f'was made with {changed[0]} ' in complained and f'not {changed[1]}' in complained
    code, _, complained = get('--synthetic')
    assert code == 1 and 'was made with --train 4, not 1000, --val 2, not 100.' in complained
    assert tree(get.out) == before


@pytest.mark.parametrize('damage', ['changed', 'missing', 'more'])
def test_it_has_been_damaged(get, damage):
    get('--synthetic', *SMALL)
    file = next((get.out / 'val2017').iterdir())
    if damage == 'changed':
        file.write_bytes(file.read_bytes()[:-1] + b'?')
    elif damage == 'missing':
        file.unlink()
    else:
        (get.out / 'val2017' / 'mine.jpg').write_bytes(b'')
    code, _, complained = get('--synthetic', *SMALL)
    assert code == 1 and f'{get.out}: is not as it was made. Remove it' in complained


def test_an_interruption_leaves_nothing(get, monkeypatch):
    def interrupted(root, name, seed, indices):
        if name == 'val2017':
            raise KeyboardInterrupt
        (root / name).mkdir()

    monkeypatch.setattr(coco, 'write', interrupted)
    assert get('--synthetic', *SMALL)[0] == 130   # as a shell says of Ctrl-C
    assert names(get.out.parent) == []


def test_a_folder_that_is_not_empty(get):
    check_a_folder_that_is_not_empty(get, *SMALL)


# -- the original ----------------------------------------------------------------------------------------------------

def test_the_original(get, server):
    code, said, _ = get()
    assert code == 0 and said.endswith(f'{get.out}: the original dataset: annotations, val2017, train2017\n')
    assert json.loads((get.out / 'dataset.json').read_text()) == {'kind': 'original'}
    assert {name: content for name, content in tree(get.out).items() if name != 'dataset.json'} == {
        name: content for files in FILES.values() for name, content in files.items()}   # no archive is left
    before = tree(get.out), asked(server)
    assert get()[0] == 0 and (tree(get.out), asked(server)) == before


def test_the_known_checksums():
    """As cocodataset.org's mirrors tell them."""
    known = {name: (part.path, part.md5) for name, part in coco.ORIGINAL.items()}
    assert known == {'annotations': ('annotations/annotations_trainval2017.zip', 'f4bbac642086de4f52a3fdda2de5fa2c'),
                     'val2017': ('zips/val2017.zip', '442b8da7639aecaf257c1dceb8ba8c80'),
                     'train2017': ('zips/train2017.zip', 'cced6f7f71b7629ddf16f17bbcfab6b2')}


def test_parts_of_it(get, server):
    assert get('--parts', 'val2017', 'annotations')[0] == 0
    assert names(get.out) == ['annotations', 'dataset.json', 'val2017']
    del server.requests[:]
    assert get()[0] == 0 and asked(server) == [('/zips/train2017.zip', None)]
    assert names(get.out) == ['annotations', 'dataset.json', 'train2017', 'val2017']


def test_folders_that_are_there_are_kept(get, server):
    """Those of somebody who has the original from elsewhere."""
    get.out.mkdir(parents=True)
    for name in ('val2017', 'annotations'):
        for file, content in FILES[name].items():
            (get.out / file).parent.mkdir(exist_ok=True)
            (get.out / file).write_bytes(content)
    assert get()[0] == 0 and asked(server) == [('/zips/train2017.zip', None)]
    (get.out / 'val2017' / '1.jpg').unlink()
    code, _, complained = get()
    assert code == 1 and 'val2017: has 1 file(s) *.jpg, and must have 2. Remove it' in complained


def test_a_broken_download_goes_on(get, server):
    server.break_after = [None, 100, 0, 0, 0]   # the second archive; then nothing comes
    code, _, complained = get()
    assert code == 1 and 'holds a part of the original. Run this again' in complained and 'SYNTHETIC' not in complained
    assert names(get.out) == ['annotations', 'val2017.zip.part']
    del server.requests[:]
    server.break_after = []
    assert get()[0] == 0
    assert asked(server) == [('/zips/val2017.zip', 'bytes=100-'), ('/zips/train2017.zip', None)]


@pytest.mark.parametrize('place, there', [(0, []), (1, ['annotations'])])
def test_a_wrong_checksum_is_an_error(get, server, place, there):
    path = list(coco.ORIGINAL.values())[place].path
    server.files[f'/{path}'] += b'?'
    code, _, complained = get(*SMALL)
    assert code == 1 and f'{path}: its MD5 must be' in complained and 'SYNTHETIC' not in complained
    assert names(get.out) == there


@pytest.mark.parametrize('files, message', [
    ({**FILES['val2017'], '../evil.jpg': b'x'}, "'../evil.jpg': a name must lead into the folder"),
    ({**FILES['val2017'], 'val2017/big.jpg': bytes(1 << 16)}, 'take more than 65536 bytes'),
    ({'val2017/0.jpg': b''}, 'has 1 file(s) *.jpg, and must have 2'),
    ({'other/0.jpg': b'', 'other/1.jpg': b''}, 'has 0 file(s) *.jpg, and must have 2')])
def test_archives_that_are_not_right(get, server, files, message):
    server.offer('val2017', files)
    code, _, complained = get()
    assert code == 1 and message in complained
    assert names(get.out) == ['annotations', 'val2017.zip']   # so that it need not be fetched again
    assert not (get.out.parent / 'evil.jpg').exists() and not (get.out / 'evil.jpg').exists()


def test_an_archive_that_is_there_is_unpacked(get, server):
    get.out.mkdir(parents=True)
    (get.out / 'val2017.zip').write_bytes(server.files['/zips/val2017.zip'])
    assert get()[0] == 0
    assert [path for path, _ in asked(server)] == ['/annotations/annotations_trainval2017.zip', '/zips/train2017.zip']


def test_a_disk_that_is_full(get, full_disk):
    check_a_full_disk(get, full_disk, '--synthetic', '--train', '2', '--val', '1')


def test_a_disk_that_is_too_small(get, server, monkeypatch):
    usage = namedtuple('usage', 'total used free')
    monkeypatch.setattr(room.shutil, 'disk_usage', lambda path: usage(9, 9, 65536 + 100))
    code, _, complained = get()
    assert code == 1 and 'annotations_trainval2017.zip takes 0.0 GB on the way, and 0.0 GB are free' in complained
    assert server.requests == []
    get.out.mkdir(exist_ok=True)
    content = server.files['/annotations/annotations_trainval2017.zip']
    (get.out / 'annotations_trainval2017.zip.part').write_bytes(content[:-100])   # only what is missing takes room
    get()
    assert (get.out / 'annotations').is_dir()


# -- the one or the other --------------------------------------------------------------------------------------------

def test_without_a_network_it_is_made(get, server):
    server.files.clear()
    code, said, complained = get(*SMALL)
    assert code == 0 and said == f'{get.out}: the SYNTHETIC dataset, made now\n'
    assert 'THE ORIGINAL DATASET CANNOT BE DOWNLOADED' in complained and 'HTTP status 404' in complained
    assert 'A synthetic one is made instead.' in complained
    before = tree(get.out)
    code, said, _ = get()   # again: whatever the settings, there is a dataset
    assert code == 0 and 'SYNTHETIC' in said and f'remove {get.out}' in said and tree(get.out) == before


def test_the_original_is_not_mixed_with_a_synthetic_one(get, server):
    get('--parts', 'annotations')
    before = tree(get.out)
    code, _, complained = get('--synthetic', *SMALL)
    assert code == 1 and 'holds the original dataset, or a part of it' in complained and tree(get.out) == before
    server.files.clear()
    code, _, complained = get(*SMALL)
    assert code == 1 and 'holds a part of the original' in complained and tree(get.out) == before


@pytest.mark.parametrize('name', ['val2017', 'train2017.zip', 'annotations_trainval2017.zip.part'])
def test_a_synthetic_one_is_not_mixed_with_a_part_of_the_original(get, name):
    get.out.mkdir(parents=True)
    (get.out / name).touch()
    code, _, complained = get('--synthetic', *SMALL)
    assert code == 1 and 'holds the original dataset, or a part of it' in complained and names(get.out) == [name]


@pytest.mark.parametrize('card', ['', '[]', 'null', '{"kind": "other"}', '{"kind": []}', '{"kind": "synthetic"}',
                                  '{"kind": "synthetic", "settings": 3, "sha1": ""}', '{"kind": "original", "x": 1}'])
def test_a_card_of_something_else(get, server, card):
    check_a_card_of_something_else(get, server, card)
