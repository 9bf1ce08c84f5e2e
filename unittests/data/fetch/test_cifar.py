"""gluonzoo/data/fetch/cifar.py: the originals, from a server on this machine, and the drawn pictures without one."""
import hashlib
import io
import json
import os
import tarfile

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
    tree,
)

from gluonzoo.data.drawn.objects import CLASS_NAMES, picture
from gluonzoo.data.fetch import cifar
from gluonzoo.data.fetch.cifar_files import FILES, TRAIN, VAL

SMALL = ('--train', '12', '--val', '10')
FOLDER = 'cifar-10-batches-bin'
CONTENT = {**{name: bytes([number]) * 3073 * 2 for number, name in enumerate((*TRAIN, VAL))},
           'batches.meta.txt': b'\n'.join(b'class %d' % number for number in range(10)) + b'\n\n'}
CONTENT_100 = {'train.bin': bytes(3074 * 2), 'test.bin': bytes(3074),
               **{f'{kind}_label_names.txt': b'\n'.join(b'%d' % number for number in range(count))
                  for kind, count in (('fine', 100), ('coarse', 20))}}


def archive(files):
    """A .tar.gz of name -> bytes."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode='w:gz') as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def within(folder, files):
    return {**{f'{folder}/{name}': content for name, content in files.items()}, f'{folder}/readme.html': b'<html>'}


@pytest.fixture
def server(monkeypatch):
    with serving(monkeypatch) as running:
        monkeypatch.setattr(cifar, 'ADDRESSES', (running.url + '/gone/', running.url + '/'))
        monkeypatch.setattr(cifar, 'MAX_BYTES', 1 << 17)

        def offer(name, files, right):
            content, original = archive(files), cifar.ORIGINALS[name]
            running.files[f'/{original.archive}'] = content
            monkeypatch.setitem(cifar.ORIGINALS, name, original._replace(
                md5=hashlib.md5(content).hexdigest(),
                files={file: hashlib.sha1(right[file]).hexdigest() for file in original.files}))

        running.offer = offer
        offer('cifar10', within(FOLDER, CONTENT), CONTENT)
        offer('cifar100', within('cifar-100-binary', CONTENT_100), CONTENT_100)
        yield running


@pytest.fixture
def get(tmp_path, capsys):
    return runner(('data', 'cifar10'), tmp_path / 'data' / 'cifar', capsys)


@pytest.fixture
def get100(tmp_path, capsys):
    return runner(('data', 'cifar100'), tmp_path / 'data' / 'cifar', capsys)


def asked(server):
    return [(path, headers.get('Range')) for path, headers in server.requests]


def offline(server):
    server.files.clear()


def without_card(folder):
    return {name: content for name, content in tree(folder).items() if name != 'dataset.json'}


def read(path):
    """A file as its description has it: labels [n], images [n, 32, 32, 3]."""
    records = np.frombuffer(path.read_bytes(), np.uint8).reshape(-1, 1 + 3 * 1024)
    planes = [records[:, first:first + 1024] for first in (1, 1025, 2049)]
    return records[:, 0].tolist(), np.stack(planes, -1).reshape(-1, 32, 32, 3)


# -- the synthetic one -----------------------------------------------------------------------------------------------

def test_the_synthetic_dataset(get, monkeypatch):
    monkeypatch.setattr(cifar, 'download_first', None)   # nothing may be downloaded
    code, said, _ = get('--synthetic', *SMALL, '--seed', '2')
    assert (code, said) == (0, f'{get.out}: the SYNTHETIC dataset, made now\n')
    assert names(get.out) == sorted((*FILES, 'dataset.json')) and names(get.out.parent) == ['cifar']
    found = [read(get.out / name) for name in (*TRAIN, VAL)]
    assert [len(labels) for labels, _ in found] == [3, 3, 2, 2, 2, 10]
    images = np.concatenate([images for _, images in found])
    for number, label in enumerate(label for labels, _ in found for label in labels):
        image, drawn = picture(2, number)   # the numbers go on, so no picture is in both
        np.testing.assert_array_equal(images[number], image)
        assert label == drawn == number % 10
    assert (get.out / 'batches.meta.txt').read_text().split() == list(CLASS_NAMES)
    card = json.loads((get.out / 'dataset.json').read_text())
    assert card['kind'] == 'synthetic' and card['settings'] == {'train': 12, 'val': 10, 'seed': 2}


def test_it_is_made_once(get):
    get('--synthetic', *SMALL)
    before = tree(get.out)
    assert get('--synthetic', *SMALL)[:2] == (0, f'{get.out}: the SYNTHETIC dataset, made earlier\n')
    for changed in (('--seed', '1'), ('--train', '13')):
        code, _, complained = get('--synthetic', *SMALL, *changed)
        assert code == 1 and f'was made with {changed[0]} ' in complained and f'not {changed[1]}' in complained
    assert tree(get.out) == before


@pytest.mark.parametrize('name', ['test_batch.bin', 'batches.meta.txt'])
def test_it_has_been_damaged(get, name):
    get('--synthetic', *SMALL)
    (get.out / name).write_bytes(b'?')
    code, _, complained = get('--synthetic', *SMALL)
    assert code == 1 and f'{name}: is not as it was made. Remove' in complained


def test_a_disk_that_is_full(get, full_disk):
    check_a_full_disk(get, full_disk, '--synthetic', *SMALL)


def test_an_interruption_leaves_nothing(get, monkeypatch):
    check_an_interruption_leaves_nothing(get, monkeypatch, cifar, 11, *SMALL)


def test_a_folder_that_is_not_empty(get):
    check_a_folder_that_is_not_empty(get, *SMALL)


# -- the originals ---------------------------------------------------------------------------------------------------

def test_the_known_checksums():
    """As the page of CIFAR tells those of the archives."""
    assert {name: (original.archive, original.md5) for name, original in cifar.ORIGINALS.items()} == {
        'cifar10': ('cifar-10-binary.tar.gz', 'c32a1d4ab5d03f1284b67883e8d87530'),
        'cifar100': ('cifar-100-binary.tar.gz', '03b5dce01913d631647c71ecec9e9cb8')}


def test_checksums_that_mxnet_knows(tmp_path, monkeypatch):
    """MXNet's own datasets of the same files, as they would ask for the files."""
    from mxnet.gluon.data.vision import CIFAR10, CIFAR100
    monkeypatch.setattr(CIFAR10, '_get_data', lambda self: None)
    monkeypatch.setattr(CIFAR100, '_get_data', lambda self: None)
    for known, name in ((CIFAR10(str(tmp_path)), 'cifar10'), (CIFAR100(str(tmp_path)), 'cifar100')):
        assert cifar.ORIGINALS[name].files == dict([*known._train_data, *known._test_data])


def test_the_original(get, server):
    code, said, _ = get()
    assert code == 0 and said.endswith(f'{get.out}: the original dataset\n') and 'SYNTHETIC' not in said
    assert without_card(get.out) == CONTENT   # neither the archive is left nor the readme
    assert json.loads((get.out / 'dataset.json').read_text()) == {'kind': 'original', 'name': 'cifar10'}
    assert names(get.out.parent) == ['cifar']
    before = tree(get.out), asked(server)
    assert get()[0] == 0 and (tree(get.out), asked(server)) == before


def test_the_original_of_100_classes(get100, server):
    code, said, _ = get100()
    assert code == 0 and said.endswith(f'{get100.out}: the original dataset\n')
    assert without_card(get100.out) == CONTENT_100
    assert json.loads((get100.out / 'dataset.json').read_text()) == {'kind': 'original', 'name': 'cifar100'}
    before = tree(get100.out), asked(server)
    assert get100()[0] == 0 and (tree(get100.out), asked(server)) == before


def test_files_that_are_there_are_kept(get, server):
    """Those of somebody who has the original from elsewhere."""
    get.out.mkdir(parents=True)
    for name, content in CONTENT.items():
        (get.out / name).write_bytes(content)
    code, said, _ = get()
    assert code == 0 and 'the original dataset' in said and server.requests == []
    assert without_card(get.out) == CONTENT


@pytest.mark.parametrize('name', [TRAIN[2], VAL, 'batches.meta.txt'])
def test_files_of_something_else_are_left_alone(get, server, name):
    get.out.mkdir(parents=True)
    (get.out / name).write_bytes(b'mine')
    code, _, complained = get()
    assert code == 1 and f'{name}: is there already, and is not the original; choose another --out' in complained
    assert tree(get.out) == {name: b'mine'} and server.requests == []


@pytest.mark.parametrize('make', [os.mkfifo, os.mkdir])
@pytest.mark.parametrize('name', [VAL, 'batches.meta.txt'])
def test_things_that_are_no_files_are_not_waited_for(get, server, make, name):
    get.out.mkdir(parents=True)
    make(get.out / name)
    code, _, complained = get()
    assert code == 1 and f'{name}: is there already, and is not the original' in complained


def test_what_is_wrong_is_mended(get, server):
    get()
    (get.out / TRAIN[1]).write_bytes(b'damaged')
    (get.out / VAL).unlink()
    (get.out / 'batches.meta.txt').write_bytes(b'only\none\n')
    assert get()[0] == 0 and without_card(get.out) == CONTENT


def test_a_broken_download_goes_on(get, server):
    server.break_after = [100, 0, 0]
    code, _, complained = get()
    assert code == 1 and 'holds a part of the original. Run this again' in complained and 'SYNTHETIC' not in complained
    assert names(get.out) == ['cifar-10-binary.tar.gz.part']
    code, _, complained = get('--synthetic', *SMALL)
    assert code == 1 and 'holds the original dataset, or a part of it' in complained
    del server.requests[:]
    assert get()[0] == 0 and without_card(get.out) == CONTENT
    assert asked(server) == [('/gone/cifar-10-binary.tar.gz', 'bytes=100-'), ('/cifar-10-binary.tar.gz', 'bytes=100-')]


@pytest.mark.parametrize('name', ['cifar10', 'cifar100'])
def test_a_wrong_checksum_is_an_error(request, server, name):
    get = request.getfixturevalue('get' if name == 'cifar10' else 'get100')
    server.files[f'/{cifar.ORIGINALS[name].archive}'] += b'?'
    code, _, complained = get()
    assert code == 1 and f'{cifar.ORIGINALS[name].archive}: its MD5 must be' in complained
    assert 'SYNTHETIC' not in complained and 'draws' not in complained
    assert not get.out.parent.exists()


@pytest.mark.parametrize('files, message', [
    ({**within(FOLDER, CONTENT), '../evil.bin': b'x'}, "'../evil.bin': a name must lead into the folder"),
    ({**within(FOLDER, CONTENT), '/evil.bin': b'x'}, "'/evil.bin': a name must lead into the folder"),
    (within(FOLDER, {**CONTENT, 'big.bin': bytes(1 << 17)}), 'take more than 131072 bytes'),
    (within(FOLDER, {**CONTENT, VAL: b'short'}), f'{FOLDER}/test_batch.bin: is not there, or not as it must be'),
    (within(FOLDER, {**CONTENT, 'batches.meta.txt': b'a\nb'}), f'{FOLDER}/batches.meta.txt: is not there, or not as'),
    (within('other', CONTENT), f'{FOLDER}/data_batch_1.bin: is not there, or not as it must be')])
def test_archives_that_are_not_right(get, server, files, message):
    server.offer('cifar10', files, CONTENT)
    code, _, complained = get()
    assert code == 1 and message in complained
    assert names(get.out) == ['cifar-10-binary.tar.gz'] and names(get.out.parent) == ['cifar']
    assert not (get.out.parent.parent / 'evil.bin').exists()


def test_an_archive_that_is_there_is_unpacked(get, server):
    get.out.mkdir(parents=True)
    (get.out / 'cifar-10-binary.tar.gz').write_bytes(server.files['/cifar-10-binary.tar.gz'])
    assert get()[0] == 0 and server.requests == [] and without_card(get.out) == CONTENT


def test_a_folder_has_no_place_for_two(get, get100, server):
    get()
    before = tree(get.out)
    code, _, complained = get100()
    assert code == 1 and 'holds something else' in complained and tree(get.out) == before
    code, _, complained = get('--synthetic')
    assert code == 1 and 'holds the original dataset' in complained and tree(get.out) == before
    get.out = get100.out = get.out.parent / 'other'
    get100()
    before = tree(get.out)
    code, _, complained = get()
    assert code == 1 and 'holds something else' in complained and tree(get.out) == before
    get.out = get100.out = get.out.parent / 'drawn'
    get('--synthetic', *SMALL)
    before = tree(get.out)
    code, _, complained = get100()
    assert code == 1 and 'holds something else' in complained and tree(get.out) == before


# -- the one or the other --------------------------------------------------------------------------------------------

def test_without_a_network_it_is_made(get, server):
    offline(server)
    code, said, complained = get(*SMALL)
    assert code == 0 and said == f'{get.out}: the SYNTHETIC dataset, made now\n'
    assert 'THE ORIGINAL DATASET CANNOT BE DOWNLOADED' in complained and complained.count('HTTP status 404') == 2
    before = tree(get.out)
    code, said, _ = get()   # again: whatever the settings, there is a dataset
    assert code == 0 and 'SYNTHETIC' in said and f'remove {get.out}' in said and tree(get.out) == before


def test_without_a_network_there_are_no_100_classes(get100, server):
    offline(server)
    code, _, complained = get100()
    assert code == 1 and complained.count('HTTP status 404') == 2
    assert complained.endswith('gluonzoo data cifar10 --synthetic draws a dataset of 10 classes, without a network.\n')
    assert not get100.out.exists()


@pytest.mark.parametrize('card', ['', '[]', '{"kind": "other"}', '{"kind": "original"}', '{"name": "digits"}',
                                  '{"kind": "synthetic", "settings": {}, "files": []}'])
def test_a_card_of_something_else(get, server, card):
    check_a_card_of_something_else(get, server, card)


def test_a_file_where_the_folder_shall_be(get, get100, server):
    get.out.parent.mkdir(parents=True)
    get.out.write_text('mine')
    for words, told in ((('--synthetic',), 'is not an empty folder'), ((), '')):
        code, _, complained = get(*words)
        assert code == 1 and str(get.out) in complained and told in complained, complained
    assert get100()[0] == 1 and get.out.read_text() == 'mine'
