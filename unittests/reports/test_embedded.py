"""gluonzoo/reports/embedded.py: pictures within a page."""
import base64

import numpy as np
import pytest
from PIL import Image

from gluonzoo.pictures.decode import decode_image
from gluonzoo.pictures.jpeg import write_jpeg
from gluonzoo.reports import embedded as module
from gluonzoo.reports.embedded import embedded, read_samples

GREY = np.full((6, 8, 3), 100, np.uint8)


def pixels(picture):
    kind, _, content = picture.uri.partition(',')
    assert kind == 'data:image/jpeg;base64'
    return decode_image(base64.b64decode(content))


def test_a_picture_and_its_size():
    found = embedded('a', GREY)
    assert (found.name, found.width, found.height) == ('a', 8, 6)
    assert np.abs(pixels(found).astype(int) - 100).max() <= 2


def test_large_pictures_become_smaller():
    found = embedded('a', np.zeros((10, 4 * module.SIDE, 3), np.uint8))
    assert (found.width, found.height) == (module.SIDE, 2) and pixels(found).shape == (2, module.SIDE, 3)


def test_samples_by_epoch(tmp_path):
    for epoch in (1, 2, 10, 1000):
        write_jpeg(tmp_path / f'epoch-{epoch:03d}.jpg', GREY + epoch % 7)
    for other in ('epoch-1.jpg', 'epoch-003.png', 'mine.jpg', 'epoch-00x.jpg'):
        write_jpeg(tmp_path / other, GREY)
    found, notes = read_samples(tmp_path)
    assert [one.epoch for one in found] == [1, 2, 10, 1000] and notes == []
    assert [round(float(pixels(one).mean())) for one in found] == [101, 102, 103, 106]


def test_no_samples(tmp_path):
    assert read_samples(tmp_path / 'samples') == ([], [])


def test_of_many_epochs_some_with_the_wanted_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(module, 'MOST', 5)
    for epoch in range(1, 102):
        write_jpeg(tmp_path / f'epoch-{epoch:03d}.jpg', GREY)
    found, notes = read_samples(tmp_path, wanted=(33, 500))
    assert [one.epoch for one in found] == [1, 26, 33, 51, 76, 101] and notes == ['6 of 101 epochs']


def test_what_cannot_be_read_is_said(tmp_path):
    write_jpeg(tmp_path / 'epoch-001.jpg', GREY)
    (tmp_path / 'epoch-002.jpg').write_bytes((tmp_path / 'epoch-001.jpg').read_bytes()[:200])
    (tmp_path / 'epoch-003.jpg').mkdir()
    (tmp_path / 'epoch-004.jpg').symlink_to('nothing')
    found, notes = read_samples(tmp_path)
    assert [one.epoch for one in found] == [1]
    assert [note.partition(':')[0] for note in notes] == [f'epoch {i} cannot be shown' for i in (2, 3, 4)]


@pytest.mark.parametrize('suffix', ['<script>alert(1)</script>', 'GPS'])
def test_bytes_of_a_file_are_not_passed_on(tmp_path, suffix):
    path = tmp_path / 'epoch-001.jpg'
    Image.fromarray(GREY).save(path, comment=suffix.encode())
    path.write_bytes(path.read_bytes() + suffix.encode())
    (found,), _ = read_samples(tmp_path)
    assert suffix.encode() in path.read_bytes()
    assert suffix.encode() not in base64.b64decode(found.uri.partition(',')[2])
