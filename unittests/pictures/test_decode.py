"""Every kind of picture that people have, and what is none."""
import io
import os
import socket
import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFile
from record_cases import picture

from gluonzoo.pictures import decode
from gluonzoo.pictures.decode import MAX_PIXELS, SUFFIXES, ImageError, decode_image, image_size, read_image

RGB = picture(0)[0]     # [32, 48, 3]

pytestmark = pytest.mark.filterwarnings('ignore:.*:UserWarning:PIL', 'ignore:.*:PIL.Image.DecompressionBombWarning')


def encoded(array_or_image, kind, **options):
    image = Image.fromarray(array_or_image) if isinstance(array_or_image, np.ndarray) else array_or_image
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png(width, height, rows=b''):
    """A PNG whose header says so; `rows` are its data."""
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))

    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0))
            + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))


@pytest.mark.parametrize('kind', ['PNG', 'BMP', 'TIFF', 'WEBP'])
def test_lossless(kind):
    image = read_image(encoded(RGB, kind, **({'lossless': True} if kind == 'WEBP' else {})))
    assert image.dtype == np.uint8 and image.flags.c_contiguous
    np.testing.assert_array_equal(image, RGB)


@pytest.mark.parametrize('options', [{}, {'progressive': True}, {'subsampling': 0}])
def test_jpeg_is_close_and_rgb(options):
    image = read_image(encoded(RGB, 'JPEG', quality=98, **options))
    assert np.abs(image.astype(int) - RGB).mean() < 4
    assert np.abs(image[..., ::-1].astype(int) - RGB).mean() > 20


@pytest.mark.parametrize('kind', ['PNG', 'JPEG', 'BMP'])
def test_grey(kind):
    image = read_image(encoded(RGB[..., 0].copy(), kind))
    assert image.shape == (32, 48, 3)
    assert (image == image[..., :1]).all()
    assert np.abs(image[..., 0].astype(int) - RGB[..., 0]).mean() < 2


def test_other_modes():
    black_and_white = Image.fromarray(RGB).convert('1')
    np.testing.assert_array_equal(read_image(encoded(black_and_white, 'PNG')),
                                  np.array(black_and_white.convert('RGB')))
    palette = Image.fromarray(RGB).quantize(16)
    np.testing.assert_array_equal(read_image(encoded(palette, 'PNG')), np.array(palette.convert('RGB')))
    cmyk = encoded(Image.fromarray(RGB).convert('CMYK'), 'JPEG', quality=98)
    assert np.abs(read_image(cmyk).astype(int) - RGB).mean() < 6


@pytest.mark.parametrize('channels', [1, 3])
@pytest.mark.parametrize('kind', ['.png', '.tiff'])
def test_16_bits_keep_the_upper_8(channels, kind):
    deep = np.arange(48 * 32 * channels, dtype=np.uint16).reshape(32, 48, channels) * 14
    image = read_image(cv2.imencode(kind, deep)[1].tobytes())
    assert image.shape == (32, 48, 3)
    wanted = np.broadcast_to(deep[..., ::-1] >> 8, image.shape).astype(int)
    assert np.abs(image - wanted).max() <= (kind == '.tiff')


def test_transparent_parts_are_white():
    alpha = np.zeros((32, 48, 1), np.uint8)
    alpha[:, 16:32], alpha[:, 32:] = 128, 255
    image = read_image(encoded(np.concatenate([RGB, alpha], 2), 'PNG'))
    assert image.shape == (32, 48, 3)
    assert (image[:, :16] == 255).all()
    np.testing.assert_array_equal(image[:, 32:], RGB[:, 32:])
    half = (RGB[:, 16:32].astype(float) * 128 + 255 * 127) / 255
    assert np.abs(image[:, 16:32] - half).max() <= 1

    grey = read_image(encoded(Image.fromarray(np.concatenate([RGB[..., :1], alpha], 2)), 'PNG'))
    assert (grey[:, :16] == 255).all() and (grey[:, 32:] == RGB[:, 32:, :1]).all()

    palette = Image.fromarray(np.array([[0, 1]], np.uint8), 'P')
    palette.putpalette([255, 0, 0, 0, 0, 255])
    assert read_image(encoded(palette, 'PNG', transparency=0)).tolist() == [[[255] * 3, [0, 0, 255]]]


# What each orientation does to a picture, after its definition in EXIF.
TURNS = {1: lambda a: a, 2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud, 5: lambda a: np.rot90(a[::-1], -1),
         6: np.rot90, 7: lambda a: np.rot90(a[::-1]), 8: lambda a: np.rot90(a, -1)}


KINDS = {   # name -> Pillow's format, whether transparent, options
    'JPEG': ('JPEG', False, {'quality': 98, 'subsampling': 0}), 'PNG': ('PNG', False, {}),
    'transparent PNG': ('PNG', True, {}), 'WebP': ('WEBP', False, {'lossless': True}),
    'transparent WebP': ('WEBP', True, {'lossless': True}), 'TIFF': ('TIFF', False, {}),
    'LZW TIFF': ('TIFF', False, {'compression': 'tiff_lzw'}), 'zstd TIFF': ('TIFF', False, {'compression': 'zstd'}),
    'transparent TIFF': ('TIFF', True, {'compression': 'tiff_lzw'})}


def turned(orientation, kind):
    """A file of RGB as a camera stores it that is held so."""
    format_, transparent, options = KINDS[kind]
    stored = np.ascontiguousarray(TURNS[orientation](RGB))
    if transparent:
        stored = np.concatenate([stored, np.full_like(stored[..., :1], 255)], 2)
        stored[0, 0, 3] = 0   # or a writer might leave the channel out
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {**options, **({'tiffinfo': {274: orientation}} if format_ == 'TIFF' else {'exif': exif})}
    try:
        return encoded(stored, format_, **options)
    except OSError:
        pytest.skip(f'this Pillow does not write {kind}')


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('orientation', range(1, 9))
def test_the_orientation_of_the_camera_is_applied(orientation, kind):
    data = turned(orientation, kind)
    image = read_image(data)
    assert image_size(data) == (48, 32)
    assert image.shape == RGB.shape
    off = np.abs(image.astype(int) - RGB).max(-1)
    if KINDS[kind][1]:
        corner = TURNS[orientation](np.arange(32 * 48).reshape(32, 48))[0, 0]   # which is transparent, thus white
        assert (image.reshape(-1, 3)[corner] == 255).all()
        off.flat[corner] = 0
    assert off.max() <= (25 if kind == 'JPEG' else 0)


@pytest.mark.parametrize('type_, count, applied', [(3, 1, True), (4, 1, False), (1, 1, False), (2, 2, False),
                                                   (5, 1, False), (3, 2, False), (9, 1, False), (99, 1, False)])
@pytest.mark.parametrize('order', '<>')
@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'WebP'])
def test_an_orientation_of_an_odd_type_is_none_for_size_and_pixels(kind, order, type_, count, applied):
    value = struct.pack(order + ('HH' if type_ == 3 else 'I'), *(6, 0)[:1 + (type_ == 3)])
    exif = (b'Exif\0\0' + (b'II*\0' if order == '<' else b'MM\0*')
            + struct.pack(order + 'IHHHI', 8, 1, 0x112, type_, count) + value + bytes(4))
    format_, _, options = KINDS[kind]
    data = encoded(RGB, format_, exif=exif, **options)
    assert image_size(data) == ((32, 48) if applied else (48, 32))
    assert read_image(data).shape == ((48, 32, 3) if applied else (32, 48, 3))


@pytest.mark.parametrize('kind', ['TIFF', 'LZW TIFF', 'zstd TIFF', 'transparent TIFF'])
@pytest.mark.parametrize('type_', [1, 3, 4, 6, 8, 9, 11, 12, 2, 5, 7])
def test_a_tiff_of_an_odd_orientation_has_the_size_of_its_pixels_or_is_refused(kind, type_):
    data = bytearray(turned(6, kind))
    place = data.index(struct.pack('<HHI', 274, 3, 1))
    struct.pack_into('<H', data, place + 2, type_)
    try:
        image = read_image(bytes(data))
    except ImageError:
        assert type_ not in (3, 4)
    else:
        assert image_size(bytes(data)) == image.shape[1::-1]


def test_what_stands_beside_the_orientation_is_not_asked():
    """Pillow reads XMP, too, and the comments that ImageMagick writes; browsers do not."""
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" tiff:Orientation="6"/>'
    data = encoded(RGB, 'JPEG')
    segment = b'http://ns.adobe.com/xap/1.0/\0' + xmp
    data = data[:2] + b'\xff\xe1' + struct.pack('>H', len(segment) + 2) + segment + data[2:]
    assert image_size(data) == (48, 32) and read_image(data).shape == RGB.shape


def test_from_a_file(tmp_path):
    path = tmp_path / 'some.png'
    path.write_bytes(encoded(RGB, 'PNG'))
    for source in (path, str(path), path.read_bytes(), bytearray(path.read_bytes()), memoryview(path.read_bytes())):
        np.testing.assert_array_equal(read_image(source), RGB)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(FileNotFoundError, match='none.jpg'):
        read_image(tmp_path / 'none.jpg')
    with pytest.raises(ImageError, match='is a folder'):
        read_image(tmp_path)
    (tmp_path / 'text.jpg').write_text('no image')
    with pytest.raises(ImageError, match='text.jpg: not a JPEG, PNG, BMP, TIFF, WEBP.* image'):
        read_image(tmp_path / 'text.jpg')


@pytest.mark.parametrize('data', [b'', b'x', b'no image' * 50, b'\x89PNG\r\n\x1a\n', b'\xff\xd8\xff', b'BM' + bytes(60),
                                  b'%!PS-Adobe EPSF', b'GIF89a' + bytes(60), png(0, 5)], ids=range(9))
def test_what_is_no_image(data):
    for function in (decode_image, read_image):
        with pytest.raises(ImageError):
            function(data)


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'BMP', 'WEBP', 'TIFF', 'GIF', 'transparent PNG', 'transparent WEBP'])
def test_what_is_cut_off(kind, monkeypatch):
    monkeypatch.setattr(ImageFile, 'LOAD_TRUNCATED_IMAGES', True)   # as gluoncv has it
    array = np.dstack([RGB, RGB[..., 0]]) if 'transparent' in kind else RGB
    data = encoded(array, kind.split()[-1])
    for share in (0.03, 0.2, 0.5, 0.8, 0.9):
        with pytest.raises(ImageError):
            read_image(data[:int(len(data) * share)])


def test_a_bomb_is_not_decoded():
    for width, height in ((MAX_PIXELS // 8 + 1, 8), (30000, 30000), (2 ** 31 - 1, 2 ** 31 - 1)):
        with pytest.raises(ImageError, match='pixels'):
            decode_image(png(width, height))


def test_noise_in_a_file_gives_an_image_or_an_error(capfd):
    rng = np.random.default_rng(5)
    exif = Image.Exif()
    exif[0x0112] = 6
    outcomes = set()
    for data in (encoded(RGB, 'JPEG', exif=exif), encoded(RGB, 'PNG', exif=exif), encoded(RGB, 'BMP'),
                 encoded(np.dstack([RGB, RGB[..., 0]]), 'PNG'), encoded(RGB, 'TIFF'), encoded(RGB, 'WEBP'),
                 encoded(RGB, 'GIF'), encoded(np.dstack([RGB, RGB[..., 0]]), 'WEBP', exif=exif)):
        for _ in range(60):
            noisy = bytearray(data)
            for place in rng.integers(0, min(len(data), 400), 3):
                noisy[place] = rng.integers(256)
            try:
                image = decode_image(bytes(noisy))
                assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3
                outcomes.add('image')
            except ImageError:
                outcomes.add('error')
    assert outcomes == {'image', 'error'}


def test_damaged_exif_is_no_exif():
    data = encoded(RGB, 'JPEG', exif=b'Exif\0\0MM\0*' + os.urandom(40))
    assert read_image(data).shape == RGB.shape
    assert image_size(data) == (48, 32)


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='there are no pipes')
def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / 'pipe.jpg')
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / 'socket.jpg'))
        for path, kind in ((tmp_path / 'pipe.jpg', 'pipe'), (tmp_path / 'socket.jpg', 'socket'),
                           ('/dev/zero', 'device')):
            with pytest.raises(ImageError, match=f'^{path}: is a {kind}; must be an ordinary file$'):
                read_image(path)


def test_a_file_that_does_not_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(decode, 'MAX_BYTES', 1000)
    path = tmp_path / 'a.png'
    path.write_bytes(bytes(1001))
    with pytest.raises(ImageError, match=r'a\.png: has more than 1000 bytes'):
        read_image(path)


PEAK = """
import sys
from gluonzoo.pictures.decode import read_image

def peak():
    return int(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1]) * 1024

read_image(sys.argv[1])
before = peak()
image = read_image(sys.argv[2])
print((peak() - before) / (image.size / 3))
"""


@pytest.mark.skipif(not os.path.exists('/proc/self/status'), reason='the peak is read from /proc')
@pytest.mark.parametrize('kind, options', [('PNG', {}), ('WEBP', {'lossless': True, 'quality': 0, 'method': 0}),
                                           ('TIFF', {'compression': 'tiff_lzw'})])
def test_memory_of_transparent_pictures(tmp_path, kind, options):
    """Bytes a pixel while decoding: 4 decoded, 3 of the result, or twice 4 for a moment."""
    small, large = tmp_path / 'small', tmp_path / 'large'
    small.write_bytes(encoded(Image.new('RGBA', (8, 8)), kind, **options))
    large.write_bytes(encoded(Image.new('RGBA', (4096, 4096), (1, 2, 3, 4)), kind, **options))
    found = subprocess.run([sys.executable, '-W', 'ignore', '-c', PEAK, small, large], check=True, capture_output=True)
    assert 3 < float(found.stdout) < 9.5


@pytest.mark.parametrize('suffix', SUFFIXES)
def test_suffixes_are_of_what_can_be_read(suffix, tmp_path):
    Image.fromarray(RGB).save(tmp_path / f'a{suffix}')   # Pillow goes by the suffix
    assert read_image(tmp_path / f'a{suffix}').shape == RGB.shape
