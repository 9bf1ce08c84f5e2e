"""gluonzoo/pictures/files_in_batches.py: few large pictures at a time, and every file once."""
import os

import pytest
from PIL import Image

from gluonzoo.pictures import files_in_batches as module
from gluonzoo.pictures.files_in_batches import files_in_batches, size_of_file
from gluonzoo.reading import FileError


@pytest.fixture
def files(tmp_path):
    """(path, number) of pictures of 10 x 10 pixels, and two of 30 x 30."""
    found = []
    for number, side in enumerate([10, 10, 30, 10, 10, 10, 10, 30, 10]):
        found.append((tmp_path / f'{number}.png', number))
        Image.new('RGB', (side, side)).save(found[-1][0])
    return found


def numbers(batches):
    return [[number for _, number in batch] for batch in batches]


def test_pixels_bound_a_batch(files, monkeypatch):
    assert numbers(files_in_batches(files, 4)) == [[0, 1, 2, 3], [4, 5, 6, 7], [8]]
    monkeypatch.setattr(module, 'BATCH_PIXELS', 1000)
    assert numbers(files_in_batches(files, 4)) == [[0, 1], [2, 3], [4, 5, 6], [7, 8]]
    monkeypatch.setattr(module, 'BATCH_PIXELS', 500)   # larger ones are alone
    assert numbers(files_in_batches(files, 4)) == [[0, 1], [2], [3, 4, 5, 6], [7], [8]]
    assert list(files_in_batches([], 4)) == []


def test_what_cannot_be_read_is_left_to_the_reader(files, tmp_path):
    os.mkfifo(tmp_path / '1')
    (tmp_path / '2').write_bytes(b'no picture')
    others = [(tmp_path / name, name) for name in ('0', '1', '2')]
    assert numbers(files_in_batches(others, 2)) == [['0', '1'], ['2']]


def test_size_of_a_file(files, tmp_path):
    assert size_of_file(files[2][0]) == (30, 30)
    (tmp_path / 'a').write_bytes(b'no picture')
    assert size_of_file(tmp_path / 'a') is None
    with pytest.raises(FileNotFoundError):
        size_of_file(tmp_path / 'b')
    with pytest.raises(FileError, match='is a folder'):
        size_of_file(tmp_path)


@pytest.mark.filterwarnings('ignore:Tag data larger than file')
def test_the_header_may_be_far_behind(tmp_path):
    Image.new('RGB', (30, 20)).save(tmp_path / 'a.tif', tiffinfo={270: 'x' * 100_000})
    Image.new('RGB', (30, 20)).save(tmp_path / 'a.jpg', icc_profile=bytes(200_000))
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.effect_noise((300, 400), 90).convert('RGB').save(tmp_path / 'a.webp', exif=exif, lossless=True)
    assert (tmp_path / 'a.webp').stat().st_size > 1 << 16   # and EXIF is at its end
    assert [size_of_file(tmp_path / f'a.{suffix}') for suffix in ('tif', 'jpg', 'webp')] == [
        (30, 20), (30, 20), (400, 300)]
