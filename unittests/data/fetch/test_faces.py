"""gluonzoo/data/fetch/faces.py: the archive, from a server on this machine, and the drawn faces without one."""
import hashlib
import io
import json
import tarfile

import cv2
import numpy as np
import pytest
from get_checks import check_a_full_disk, names, runner, serving, tree

from gluonzoo.data import Pictures
from gluonzoo.data.drawn.faces import face
from gluonzoo.data.fetch import faces

SMALL = ('--synthetic', '--train', '3', '--val', '2', '--size', '32')


def archive(files):
    """A .tgz of name -> bytes."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode='w:gz') as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def encoded(number):
    return cv2.imencode('.jpg', np.full((8, 8, 3), number, np.uint8))[1].tobytes()


PEOPLE = {f'lfw_funneled/Person_{person}/Person_{person}_000{number}.jpg': encoded(9 * person + number)
          for person in range(4) for number in (1, 2, 3)}
LISTS = {'lfw_funneled/pairs_01.txt': b'300\n'}


@pytest.fixture
def server(monkeypatch):
    with serving(monkeypatch) as running:
        monkeypatch.setattr(faces, 'ADDRESSES', (f'{running.url}/gone.tgz', f'{running.url}/faces.tgz'))

        def offer(content):
            running.files['/faces.tgz'] = content
            monkeypatch.setattr(faces, 'SHA256', hashlib.sha256(content).hexdigest())

        running.offer = offer
        offer(archive({**PEOPLE, **LISTS}))
        yield running


@pytest.fixture
def get(tmp_path, capsys):
    return runner(['data', 'faces'], tmp_path / 'data' / 'faces', capsys)


def test_the_original(get, server, recwarn):
    assert get()[:2] == (0, f'{get.out}: 12 photos of faces\n')
    assert json.loads((get.out / 'dataset.json').read_text()) == {'name': 'lfw', 'sha256': faces.SHA256}
    assert {name: content for name, content in tree(get.out).items() if name != 'dataset.json'} == {
        name.partition('/')[2]: content for name, content in PEOPLE.items()}
    assert names(get.out.parent) == ['faces']   # the archive is gone
    parts = [Pictures(**Pictures.in_folder(get.out, split)) for split in ('train', 'val')]
    assert [len(part) for part in parts] == [11, 1]
    asked = len(server.requests)
    assert get()[:2] == (0, f'{get.out}: is there already\n') and len(server.requests) == asked
    code, _, error = get(*SMALL)
    assert code == 1 and 'holds something else' in error
    assert [str(one.message) for one in recwarn if 'left out' in str(one.message)] == []


@pytest.mark.parametrize('files, message', [
    ({**PEOPLE, '../evil.png': b'x'}, "'../evil.png': a name must lead into the folder"),
    (LISTS, 'lfw_funneled: no pictures in it'), ({'x.jpg': encoded(0)}, 'lfw_funneled: no such folder')])
def test_archives_that_are_not_right(get, server, files, message):
    server.offer(archive(files))
    code, _, error = get()
    assert code == 1 and message in error, error
    assert not get.out.exists() and names(get.out.parent) == ['faces.tgz.download']
    assert not (get.out.parent.parent / 'evil.png').exists()


def test_another_archive(get, server):
    right = faces.SHA256
    server.files['/faces.tgz'] = archive(PEOPLE)
    code, _, error = get()
    assert code == 1 and f'its SHA-256 must be {right}: ' in error and names(get.out.parent) == []


def test_without_a_network(get, server):
    server.files.clear()
    code, _, error = get()
    assert code == 1 and error.count('HTTP status 404') == 2
    assert 'gluonzoo data faces --synthetic draws faces, which need no network' in error
    assert names(get.out.parent) == []


def test_the_drawn_faces(get, monkeypatch):
    monkeypatch.setattr(faces, 'download_first', None)
    assert get(*SMALL, '--seed', '2')[:2] == (0, f'{get.out}: 3 drawn faces to train, 2 drawn faces to val\n')
    for split, first, count in (('train', 0, 3), ('val', 3, 2)):
        data = Pictures(**Pictures.in_folder(get.out, split))
        assert len(data) == count
        for record in range(count):
            np.testing.assert_array_equal(data.sample(record).image, face(2, first + record, 32))
    assert get(*SMALL, '--seed', '2')[1] == f'{get.out}: is there already\n'
    code, _, error = get(*SMALL, '--seed', '3')
    assert code == 1 and '"seed": 2' in error


def test_a_folder_of_something_else_is_left_alone(get):
    get.out.mkdir(parents=True)
    (get.out / 'mine.txt').write_text('mine')
    code, _, error = get(*SMALL)
    assert code == 1 and 'is there, and not by this program' in error
    assert tree(get.out) == {'mine.txt': b'mine'}


def test_a_disk_that_is_full(get, full_disk):
    check_a_full_disk(get, full_disk, '--synthetic', '--train', '3', '--val', '2', '--size', '256')


def test_nothing_is_left_of_an_interrupted_run(get, monkeypatch):
    def interrupted(seed, index, size):
        if index == 4:
            raise KeyboardInterrupt
        return face(seed, index, size)

    monkeypatch.setattr(faces, 'face', interrupted)
    assert get(*SMALL)[0] == 130   # as a shell says of Ctrl-C
    assert names(get.out.parent) == []
