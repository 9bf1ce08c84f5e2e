"""gluonzoo/data/fetch/unpaired.py: the archives, from a server on this machine, and drawn landscapes without one."""
import hashlib
import io
import json
import zipfile

import cv2
import numpy as np
import pytest
from get_checks import check_a_full_disk, names, runner, serving, tree

from gluonzoo.data import UnpairedImages
from gluonzoo.data.drawn.seasons import landscape, turned_by_kind
from gluonzoo.data.fetch import unpaired

SMALL = ('--synthetic', '--train', '3', '--val', '2', '--size', '32')


def archive(files):
    """A .zip of name -> bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, 'w') as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return stream.getvalue()


def encoded(number):
    return cv2.imencode('.jpg', np.full((8, 8, 3), number, np.uint8))[1].tobytes()


FILES = {f'horse2zebra/{part}/n{number}.jpg': encoded(9 * number) for part, count in (
    ('trainA', 3), ('trainB', 4), ('testA', 1), ('testB', 2)) for number in range(count)}


@pytest.fixture
def server(monkeypatch):
    with serving(monkeypatch) as running:
        monkeypatch.setattr(unpaired, 'ADDRESSES', (f'{running.url}/new/', f'{running.url}/old/'))

        def offer(content, place='new', checksum=None):
            running.files[f'/{place}/horse2zebra.zip'] = content
            monkeypatch.setitem(unpaired.ORIGINALS, 'horse2zebra', unpaired.Original(
                len(content), checksum or hashlib.sha256(content).hexdigest(), ''))

        running.offer = offer
        offer(archive(FILES))
        yield running


@pytest.fixture
def get(tmp_path, capsys):
    return runner(['data', 'unpaired'], tmp_path / 'data' / 'two', capsys)


# -- the originals ---------------------------------------------------------------------------------------------------

SAID = '3 and 4 pictures to train, 1 and 2 pictures to val'


def test_an_original(get, server):
    assert get('horse2zebra')[:2] == (0, f'{get.out}: {SAID}\n')
    assert json.loads((get.out / 'dataset.json').read_text()) == {
        'name': 'unpaired horse2zebra', 'sha256': unpaired.ORIGINALS['horse2zebra'].sha256}
    assert {name: content for name, content in tree(get.out).items() if name != 'dataset.json'} == {
        name.partition('/')[2]: content for name, content in FILES.items()}
    assert names(get.out.parent) == ['two']   # the archive is gone
    data = UnpairedImages(**UnpairedImages.in_folder(get.out, 'val'), serial=True)
    assert [len(data.files_a), len(data.files_b)] == [1, 2]


def test_what_is_there_is_not_fetched_again(get, server):
    get('horse2zebra')
    before = len(server.requests), tree(get.out)
    assert get('horse2zebra')[:2] == (0, f'{get.out}: is there already\n')
    assert (len(server.requests), tree(get.out)) == before
    for words in (SMALL, ('apple2orange',)):
        code, _, error = get(*words)
        assert code == 1 and 'holds something else' in error
    assert tree(get.out) == before[1]


def test_the_former_address_is_tried_too(get, server):
    content = server.files.pop('/new/horse2zebra.zip')
    server.files['/old/horse2zebra.zip'] = content
    assert get('horse2zebra')[0] == 0
    assert [path for path, _ in server.requests] == ['/new/horse2zebra.zip', '/old/horse2zebra.zip']


def test_a_checksum_that_differs(get, server):
    right = unpaired.ORIGINALS['horse2zebra'].sha256
    other = archive({**FILES, 'horse2zebra/trainA/more.jpg': encoded(1)})
    server.offer(other, checksum=right)
    found = hashlib.sha256(other).hexdigest()
    code, _, error = get('horse2zebra')
    assert code == 1 and f'its SHA-256 must be {right}: {found}. It is not kept' in error
    assert names(get.out.parent) == []
    assert get('horse2zebra', '--sha256', found)[:2] == (0, f'{get.out}: {SAID.replace("3", "4", 1)}\n')


@pytest.mark.parametrize('files, message', [
    ({**FILES, '../evil.png': b'x'}, "'../evil.png': a name must lead into the folder"),
    ({**FILES, '/evil.png': b'x'}, "'/evil.png': a name must lead into the folder"),
    ({name: content for name, content in FILES.items() if 'testB' not in name}, 'has no two domains to val'),
    ({name: content for name, content in FILES.items() if 'trainB' not in name or 'n0' in name},
     'trainB: a domain must have two or more pictures to train on; has 1'),
    ({**{name: content for name, content in FILES.items() if 'trainA' not in name}, 'horse2zebra/trainA/x.txt': b''},
     'trainA: no pictures in it'),
    ({'other/trainA/0.jpg': encoded(0)}, 'has no two domains to train')])
def test_archives_that_are_not_right(get, server, files, message):
    server.offer(archive(files))
    code, _, error = get('horse2zebra')
    assert code == 1 and message in error, error
    assert not get.out.exists() and names(get.out.parent) == ['two.zip.download']   # which has the right checksum
    assert not (get.out.parent.parent / 'evil.png').exists()


def test_an_archive_that_grows(get, server):
    """A megabyte of zeros is a kilobyte in an archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, 'w', zipfile.ZIP_DEFLATED) as packed:
        packed.writestr('horse2zebra/trainA/0.jpg', bytes(80 << 20))
    server.offer(stream.getvalue())
    code, _, error = get('horse2zebra')
    assert code == 1 and 'with it the files take more than' in error
    assert names(get.out.parent) == ['two.zip.download']


def test_a_server_that_sends_too_much(get, server):
    server.offer(bytes(3 << 20))
    original = unpaired.ORIGINALS['horse2zebra']
    unpaired.ORIGINALS['horse2zebra'] = original._replace(bytes=1 << 20)
    code, _, error = get('horse2zebra')
    assert code == 1 and f'more than {2 << 20} bytes' in error and names(get.out.parent) == []


def test_files_of_the_user_beside_the_folder_stay(get, server):
    get.out.parent.mkdir()
    (get.out.parent / 'two.zip').write_text('mine')
    assert get('horse2zebra')[0] == 0
    assert names(get.out.parent) == ['two', 'two.zip'] and (get.out.parent / 'two.zip').read_text() == 'mine'


def test_an_archive_that_a_killed_run_has_left_goes(get, server):
    get('horse2zebra')
    (get.out.parent / 'two.zip.download').write_bytes(server.files['/new/horse2zebra.zip'])
    assert get('horse2zebra')[1] == f'{get.out}: is there already\n' and names(get.out.parent) == ['two']


def test_an_archive_that_is_there_is_not_fetched_again(get, server):
    """Where unpacking failed, as for want of room."""
    get.out.parent.mkdir()
    (get.out.parent / 'two.zip.download').write_bytes(server.files['/new/horse2zebra.zip'])
    assert get('horse2zebra')[0] == 0 and server.requests == [] and names(get.out.parent) == ['two']


def test_without_a_network(get, server):
    server.files.clear()
    code, _, error = get('horse2zebra')
    assert code == 1 and 'HTTP status 404' in error
    assert 'gluonzoo data unpaired --synthetic draws two domains that need no network' in error
    assert names(get.out.parent) == []


def test_what_is_known_of_the_originals():
    """As TensorFlow Datasets list them: bytes, and how the SHA-256 begins."""
    known = {name: (original.bytes, original.sha256[:8]) for name, original in unpaired.ORIGINALS.items()}
    assert known == {
        'apple2orange': (78456409, '845a191e'), 'summer2winter_yosemite': (132640856, '167fe172'),
        'horse2zebra': (116867962, 'a74d9d39'), 'monet2photo': (305231073, '88f91b00'),
        'cezanne2photo': (279885071, '3a6c10ca'), 'ukiyoe2photo': (292946532, '02a2a2fb'),
        'vangogh2photo': (306590349, '362c3473'), 'iphone2dslr_flower': (339964458, '8fcb5e37'),
        'maps': (1476754427, '639534f6'), 'facades': (35135868, '9a31ebf3')}
    for name, original in unpaired.ORIGINALS.items():
        assert len(bytes.fromhex(original.sha256)) == 32 and original.bytes > 1 << 24 and original.what, name
    assert len({original.sha256 for original in unpaired.ORIGINALS.values()}) == len(unpaired.ORIGINALS)


# -- the synthetic one -----------------------------------------------------------------------------------------------

def test_the_synthetic_dataset(get, monkeypatch):
    monkeypatch.setattr(unpaired, 'download_first', None)
    said = '3 and 3 pictures to train, 2 and 2 pictures to val'
    assert get(*SMALL, '--seed', '2')[:2] == (0, f'{get.out}: {said}\n')
    for split, places in (('train', ((0, 1, 2), (3, 4, 5))), ('val', ((6, 7), (6, 7)))):
        data = UnpairedImages(**UnpairedImages.in_folder(get.out, split))
        assert [path.name for path in data.files_a] == [path.name for path in data.files_b]
        for record in range(len(data)):
            sample = data.sample(record)
            for season, shown in enumerate((sample.a, sample.b)):
                np.testing.assert_array_equal(shown, landscape(2, places[season][record], 32)[season])
    assert get(*SMALL, '--seed', '2')[1] == f'{get.out}: is there already\n'
    code, _, error = get(*SMALL, '--seed', '3')
    assert code == 1 and '"seed": 2' in error


def test_what_validates_has_partners(get):
    """So that it can be measured how well one season is turned into the other."""
    get(*SMALL)
    data = UnpairedImages(**UnpairedImages.in_folder(get.out, 'val'), serial=True)
    a, b = (np.stack([getattr(data.sample(record), side) for record in range(2)]) for side in 'ab')
    for given, wanted in ((a, b), (b, a)):
        assert set(turned_by_kind(given, wanted, wanted).values()) == {1}


def test_a_folder_of_something_else_is_left_alone(get):
    get.out.mkdir(parents=True)
    (get.out / 'mine.txt').write_text('mine')
    code, _, error = get(*SMALL)
    assert code == 1 and 'is there, and not by this program' in error
    assert tree(get.out) == {'mine.txt': b'mine'}


def test_a_disk_that_is_full(get, full_disk):
    check_a_full_disk(get, full_disk, '--synthetic', '--train', '3', '--val', '2', '--size', '1024')


def test_nothing_is_left_of_an_interrupted_run(get, monkeypatch):
    def interrupted(seed, index, size):
        if index == 4:
            raise KeyboardInterrupt
        return landscape(seed, index, size)

    monkeypatch.setattr(unpaired, 'landscape', interrupted)
    assert get(*SMALL)[0] == 130   # as a shell says of Ctrl-C
    assert names(get.out.parent) == []
