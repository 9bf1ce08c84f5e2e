"""PNG files: nothing of a picture is lost, and they are whole or absent."""
import numpy as np
import pytest
from full_disk import full_disk
from PIL import Image

from gluonzoo.pictures.png import write_png

NOISE = np.random.default_rng(0).integers(0, 256, (16, 24, 3), dtype='uint8')


def test_a_file_and_its_folders(tmp_path):
    path = tmp_path / 'new' / 'folder' / 'a.png'
    for picture in (NOISE, NOISE[:8], NOISE[::2, ::-1]):
        write_png(str(path), picture)
        with Image.open(path) as image:
            assert image.format == 'PNG'
            np.testing.assert_array_equal(np.asarray(image), picture)
    assert [one.name for one in path.parent.iterdir()] == ['a.png']


def test_what_is_no_picture(tmp_path):
    for wrong in (NOISE[..., 0], NOISE.astype(float), NOISE[:0]):
        with pytest.raises(ValueError):
            write_png(tmp_path / 'a.png', wrong)
    assert not any(tmp_path.iterdir())


def test_a_disk_that_is_full(tmp_path):
    write_png(tmp_path / 'a.png', NOISE)
    before = (tmp_path / 'a.png').read_bytes()
    with full_disk(300), pytest.raises(OSError, match='a.png'):
        write_png(tmp_path / 'a.png', NOISE[::-1])
    assert [one.name for one in tmp_path.iterdir()] == ['a.png'] and (tmp_path / 'a.png').read_bytes() == before
