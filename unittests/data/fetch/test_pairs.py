"""gluonzoo/data/fetch/pairs.py: the archives, from a server on this machine, and the drawn pairs without one."""
import hashlib
import io
import json
import tarfile

import cv2
import numpy as np
import pytest
from get_checks import check_a_full_disk, runner, serving, tree

from gluonzoo.data.drawn.pairs import pair
from gluonzoo.data.fetch import pairs
from gluonzoo.data.paired_images import PairedImages

SMALL = ('--train', '3', '--val', '2', '--size', '32')


def archive(files):
    """A .tar.gz of name -> bytes."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode='w:gz') as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def encoded(number, width=16):
    return cv2.imencode('.png', np.full((8, width, 3), number, np.uint8))[1].tobytes()


FILES = {**{f'facades/train/{k}.png': encoded(k) for k in range(3)},
         **{f'facades/{split}/{k}.png': encoded(9 + k) for split in ('val', 'test') for k in range(2)}}


@pytest.fixture
def server(monkeypatch):
    with serving(monkeypatch) as running:
        monkeypatch.setattr(pairs, 'ADDRESS', running.url + '/')

        def offer(content):
            running.files['/facades.tar.gz'] = content
            monkeypatch.setitem(pairs.ORIGINALS, 'facades', pairs.Original(
                hashlib.md5(content).hexdigest(), {'train': 3, 'val': 2, 'test': 2}, 1 << 20))

        running.offer = offer
        offer(archive(FILES))
        yield running


@pytest.fixture
def get(tmp_path, capsys):
    return runner(['data'], tmp_path / 'data' / 'pairs', capsys)


# -- the originals ---------------------------------------------------------------------------------------------------

def test_an_original(get, server):
    code, said, _ = get('facades')
    assert (code, said) == (0, f'{get.out}: 3 pairs to train, 2 pairs to val, 2 pairs to test\n')
    card = json.loads((get.out / 'dataset.json').read_text())
    assert card['name'] == 'facades' and card['pairs'] == {'train': 3, 'val': 2, 'test': 2}
    assert {name: content for name, content in tree(get.out).items() if name != 'dataset.json'} == {
        name.partition('/')[2]: content for name, content in FILES.items()}
    assert [path.name for path in get.out.parent.iterdir()] == ['pairs']   # the archive is gone
    assert len(PairedImages(get.out / 'train')) == 3


def test_what_is_there_is_not_fetched_again(get, server):
    get('facades')
    before = len(server.requests), tree(get.out)
    assert get('facades')[:2] == (0, f'{get.out}: is there already\n')
    assert (len(server.requests), tree(get.out)) == before
    code, _, error = get('pairs', *SMALL)
    assert code == 1 and 'holds something else' in error
    assert tree(get.out) == before[1]


def test_a_checksum_that_differs(get, server):
    right = pairs.ORIGINALS['facades'].md5
    server.files['/facades.tar.gz'] = archive({**FILES, 'facades/train/9.png': b''})
    found = hashlib.md5(server.files['/facades.tar.gz']).hexdigest()
    code, _, error = get('facades')
    assert code == 1 and f'its MD5 must be {right}: {found}. It is not kept' in error
    assert not list(get.out.parent.iterdir())
    server.files['/facades.tar.gz'] = archive(dict(reversed(FILES.items())))
    assert get('facades', '--md5', hashlib.md5(server.files['/facades.tar.gz']).hexdigest())[0] == 0


@pytest.mark.parametrize('files, message', [
    ({**FILES, '../evil.png': b'x'}, "'../evil.png': a name must lead into the folder"),
    ({**FILES, '/evil.png': b'x'}, "'/evil.png': a name must lead into the folder"),
    ({**FILES, 'facades/train/big.png': bytes(1 << 20)}, 'take more than 1048576 bytes'),
    ({name: content for name, content in FILES.items() if not name.endswith('train/2.png')},
     'train: has 2 pictures, and must have 3'),
    ({**FILES, 'facades/train/2.png': encoded(1, 15)}, '2.png: 15 pixels wide, which cannot be halved'),
    ({'other/train/0.png': encoded(0)}, 'no such folder'),
])
def test_archives_that_are_not_right(get, server, files, message):
    server.offer(archive(files))
    code, _, error = get('facades')
    assert code == 1 and message in error
    assert not get.out.exists()
    assert {path.name for path in get.out.parent.iterdir()} <= {'pairs.tar.gz'}
    assert not (get.out.parent.parent / 'evil.png').exists()


def test_without_a_network(get, server):
    server.files.clear()
    code, _, error = get('facades')
    assert code == 1 and 'HTTP status 404' in error and 'gluonzoo data pairs draws a dataset' in error
    assert not get.out.exists()


# -- the synthetic one -----------------------------------------------------------------------------------------------

def test_the_synthetic_dataset(get, monkeypatch):
    monkeypatch.setattr(pairs, 'download', None)
    assert get('pairs', *SMALL, '--seed', '2')[:2] == (0, f'{get.out}: 3 pairs to train, 2 pairs to val\n')
    for split, first, count in (('train', 0, 3), ('val', 3, 2)):
        dataset = PairedImages(get.out / split)
        assert len(dataset) == count
        for record in range(count):
            for shown, drawn in zip(dataset.sample(record), pair(2, first + record, 32)):
                np.testing.assert_array_equal(shown, drawn)
    assert get('pairs', *SMALL, '--seed', '2')[1] == f'{get.out}: is there already\n'
    code, _, error = get('pairs', *SMALL, '--seed', '3')
    assert code == 1 and '"seed": 2' in error


def test_a_folder_of_something_else_is_left_alone(get):
    get.out.mkdir(parents=True)
    (get.out / 'mine.txt').write_text('mine')
    code, _, error = get('pairs', *SMALL)
    assert code == 1 and 'is there, and not by this program' in error
    assert tree(get.out) == {'mine.txt': b'mine'}


def test_a_disk_that_is_full(get, full_disk):
    check_a_full_disk(get, full_disk, 'pairs', '--train', '3', '--val', '2', '--size', '128')


def test_nothing_is_left_of_an_interrupted_run(get, monkeypatch):
    def interrupted(seed, index, size):
        if index == 4:
            raise KeyboardInterrupt
        return pair(seed, index, size)

    monkeypatch.setattr(pairs, 'pair', interrupted)
    assert get('pairs', *SMALL)[0] == 130   # as a shell says of Ctrl-C
    assert not list(get.out.parent.iterdir())
