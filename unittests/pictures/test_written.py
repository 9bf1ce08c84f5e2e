"""Pictures as PNG, JPEG and GIF files: what is in them, and that they are whole or absent."""
import errno

import numpy as np
import pytest
from full_disk import full_disk
from PIL import Image, ImageSequence

from gluonzoo.pictures.decode import read_image
from gluonzoo.pictures.jpeg import encode_jpeg
from gluonzoo.pictures.written import write_animation, write_picture

NOISE = np.random.default_rng(0).integers(0, 256, (12, 20, 3), dtype='uint8')
FLAT = [np.full((12, 20, 3), colour, 'uint8') for colour in ((200, 0, 0), (0, 200, 0), (0, 0, 200))]


def test_png_is_lossless(tmp_path):
    path = tmp_path / 'new' / 'A.PNG'
    write_picture(path, NOISE)
    np.testing.assert_array_equal(read_image(path), NOISE)
    write_picture(str(path), NOISE[::2, ::-1])   # a view, in place of the former
    np.testing.assert_array_equal(read_image(path), NOISE[::2, ::-1])


@pytest.mark.parametrize('name', ['a.jpg', 'a.jpeg'])
def test_jpeg(tmp_path, name):
    write_picture(tmp_path / name, NOISE)
    assert (tmp_path / name).read_bytes() == encode_jpeg(NOISE)


def test_an_animation(tmp_path):
    path = tmp_path / 'new' / 'a.gif'
    write_animation(path, FLAT, milliseconds=50)
    with Image.open(path) as image:
        assert (image.format, image.n_frames, image.info['loop'], image.info['duration']) == ('GIF', 3, 0, 50)
        for frame, picture in zip(ImageSequence.Iterator(image), FLAT):
            np.testing.assert_array_equal(np.array(frame.convert('RGB')), picture)
    write_animation(path, FLAT[:1])


def test_errors(tmp_path):
    with pytest.raises(ValueError, match='a.bmp: must end with .png, .jpg, .jpeg'):
        write_picture(tmp_path / 'a.bmp', NOISE)
    for write, name, content in ((write_picture, 'a.png', NOISE[..., 0]), (write_animation, 'a.gif', [NOISE[..., 0]])):
        with pytest.raises(ValueError, match=r'images must be uint8 arrays \[H, W, 3\]'):
            write(tmp_path / name, content)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('write, name, content', [(write_picture, 'a.png', NOISE), (write_animation, 'a.gif', FLAT)])
def test_a_full_disk(tmp_path, write, name, content):
    with pytest.raises(OSError) as caught, full_disk(100):
        write(tmp_path / name, content)
    assert caught.value.errno == errno.EFBIG and caught.value.filename == str(tmp_path / name)
    assert list(tmp_path.iterdir()) == []
