"""JPEG files: what is in them, that they are whole or absent, and what is too large for one."""
import os

import cv2
import numpy as np
import pytest
from PIL import Image

from gluonzoo.pictures.decode import decode_image
from gluonzoo.pictures.jpeg import encode_jpeg, write_jpeg

PICTURE = np.full((16, 24, 3), (200, 100, 50), 'uint8')


def test_red_stays_red():
    image = decode_image(encode_jpeg(PICTURE))
    assert image.shape == PICTURE.shape and np.abs(image.astype(int) - PICTURE).max() <= 2


def test_quality():
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype='uint8')
    sizes = [len(encode_jpeg(noise, quality)) for quality in (10, 50, 95, 100)]
    assert sizes == sorted(sizes) and len(set(sizes)) == 4
    assert encode_jpeg(noise) == encode_jpeg(noise, 95)


def test_parts_and_mirrored_pictures_are_encoded_as_their_copies():
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype='uint8')
    part = noise[::2, ::-1]
    assert encode_jpeg(part) == encode_jpeg(part.copy())


def test_a_file_and_its_folders(tmp_path):
    path = tmp_path / 'new' / 'folder' / 'a.jpg'
    write_jpeg(path, PICTURE, 90)
    assert path.read_bytes() == encode_jpeg(PICTURE, 90)
    with Image.open(path) as image:
        assert (image.format, image.size) == ('JPEG', (24, 16))
    write_jpeg(str(path), PICTURE[:8])
    assert path.read_bytes() == encode_jpeg(PICTURE[:8])
    assert os.listdir(path.parent) == ['a.jpg']


def test_what_fails_leaves_the_former_file(tmp_path, monkeypatch):
    path = tmp_path / 'a.jpg'
    write_jpeg(path, PICTURE)

    def full(self, content):
        with open(self, 'wb') as file:
            file.write(content[:10])
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('pathlib.Path.write_bytes', full)
    with pytest.raises(OSError, match='No space'):
        write_jpeg(path, PICTURE[:8])
    assert os.listdir(tmp_path) == ['a.jpg'] and path.read_bytes() == encode_jpeg(PICTURE)


@pytest.mark.parametrize('shape', [(1, 65501, 3), (65501, 1, 3)])
def test_too_large(shape, tmp_path):
    picture = np.zeros(shape, 'uint8')
    said = f'a JPEG has at most 65500 pixels a side: {shape[1]} x {shape[0]}'
    with pytest.raises(ValueError, match=f'^picture: {said}$'):
        encode_jpeg(picture)
    with pytest.raises(ValueError, match=f'^{tmp_path}/a.jpg: {said}$'):
        write_jpeg(tmp_path / 'a.jpg', picture)
    assert not os.listdir(tmp_path)
    height, width = (min(side, 65500) for side in shape[:2])
    assert cv2.imdecode(np.frombuffer(encode_jpeg(picture[:height, :width]), 'uint8'), 1).shape == (height, width, 3)


@pytest.mark.parametrize('picture', [np.zeros((3, 4, 3)), np.zeros((3, 4), 'uint8'), np.zeros((3, 4, 4), 'uint8'),
                                     np.zeros((0, 4, 3), 'uint8'), [[[0, 0, 0]]], 3])
def test_what_is_no_picture(picture, tmp_path):
    for write in (encode_jpeg, lambda picture: write_jpeg(tmp_path / 'a.jpg', picture)):
        with pytest.raises(ValueError, match='must be uint8 arrays'):
            write(picture)
    assert not os.listdir(tmp_path)
