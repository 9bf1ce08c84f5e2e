"""Every kind of picture that people have, and what is none."""
import io
import os
import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFile
from record_cases import picture

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


def turned(orientation, kind):
    """RGB as a camera held so stores it; `kind`: of the file, perhaps with 'transparent' before it."""
    stored = np.ascontiguousarray(TURNS[orientation](RGB))
    if 'transparent' in kind:   # in one pixel that is not looked at; WebP would leave out an alpha channel without any
        stored = np.dstack([stored, np.full_like(stored[..., 0], 255)])
        stored[16, 16, 3] = 128
    kind = kind.split()[-1]
    if kind == 'TIFF':
        return encoded(stored, kind, tiffinfo={0x0112: orientation})
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(stored, kind, exif=exif, **{'JPEG': {'quality': 98, 'subsampling': 0},
                                               'WEBP': {'lossless': True}}.get(kind, {}))


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'WEBP', 'TIFF', 'transparent PNG', 'transparent WEBP',
                                  'transparent TIFF'])
@pytest.mark.parametrize('orientation', range(1, 9))
def test_the_orientation_of_the_camera_is_applied(orientation, kind):
    data = turned(orientation, kind)
    image = read_image(data)
    assert image.shape == RGB.shape and image.flags.c_contiguous
    different = np.abs(image.astype(int) - RGB).max(2) > (25 if kind == 'JPEG' else 0)
    assert different.sum() <= ('transparent' in kind)
    assert image_size(data) == (48, 32)


def exif_of(kind, value):
    """EXIF with nothing but an orientation, as a number of this struct format."""
    number = {'B': 1, 'H': 3, 'I': 4, 'b': 6, 'h': 8, 'i': 9, 'f': 11}[kind]
    field = struct.pack(f'<{kind}', value).ljust(4, b'\0')
    return struct.pack('<2sHIHHHI', b'II', 42, 8, 1, 0x0112, number, 1) + field + bytes(4)


@pytest.mark.parametrize('file', ['JPEG', 'PNG', 'WEBP'])
@pytest.mark.parametrize('kind, value', [('B', 6), ('H', 6), ('I', 6), ('b', 6), ('h', 6), ('i', 6), ('f', 6), ('H', 0),
                                         ('H', 9)])
def test_only_a_16_bit_orientation_turns_the_size_and_the_pixels(kind, value, file):
    data = encoded(RGB, file, exif=b'Exif\0\0' + exif_of(kind, value))
    width, height = image_size(data)
    assert decode_image(data).shape == (height, width, 3)
    assert (width, height) == ((32, 48) if (kind, value) == ('H', 6) else (48, 32))


@pytest.mark.parametrize('kind', 'BI')
def test_an_orientation_of_an_odd_type_in_a_tiff(kind):
    data = bytearray(turned(6, 'TIFF'))
    order = '<' if data[:2] == b'II' else '>'
    entry = data.index(struct.pack(f'{order}HHI', 0x0112, 3, 1))
    struct.pack_into(f'{order}HHI', data, entry, 0x0112, {'B': 1, 'I': 4}[kind], 1)
    struct.pack_into(f'{order}{kind}', data, entry + 8, 6)
    width, height = image_size(data)
    assert (width, height) == (32, 48) and decode_image(data).shape == (height, width, 3)


@pytest.mark.parametrize('order, bigtiff', [('<', False), ('>', False), ('<', True)])   # Pillow refuses the fourth
def test_the_orientation_of_a_tiff_of_each_order_and_size_of_places(order, bigtiff):
    tifffile = pytest.importorskip('tifffile')
    file = io.BytesIO()
    tifffile.imwrite(file, np.ascontiguousarray(TURNS[6](RGB)), photometric='rgb', byteorder=order, bigtiff=bigtiff,
                     extratags=[(0x0112, 3, 1, 6, True)])
    np.testing.assert_array_equal(read_image(file.getvalue()), RGB)
    assert image_size(file.getvalue()) == (48, 32)


def test_a_large_transparent_picture_takes_no_multiple_of_its_memory():
    data = encoded(Image.new('RGBA', (6000, 6000), (10, 20, 30, 128)), 'PNG')
    code = ('import resource, sys; from gluonzoo.pictures.decode import read_image; '
            'peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; '
            'data = sys.stdin.buffer.read(); before = peak(); '
            'assert read_image(data)[-1, -1].tolist() == [132, 137, 142]; print((peak() - before) / 1024)')
    ran = subprocess.run([sys.executable, '-c', code], input=data, capture_output=True, check=True)
    assert float(ran.stdout) < 1.15 * 36 * (4 + 3) * 1e6 / 2 ** 20 + 30   # RGBA, and RGB


UNREAD = {'a GIF': encoded(RGB, 'GIF'), 'an AVIF': b'\0\0\0\x20ftypavif' + bytes(20),
          'a HEIC': b'\0\0\0\x18ftypheic' + bytes(20), 'a JPEG 2000': b'\0\0\0\x0cjP  \r\n\x87\n',
          'a TIFF of 32-bit floating-point numbers': encoded(Image.new('F', (4, 4)), 'TIFF'),
          'a TIFF of 32-bit whole numbers with a sign': encoded(Image.new('I', (4, 4)), 'TIFF')}


@pytest.mark.parametrize('kind', UNREAD)
def test_kinds_that_are_not_read_are_named(kind):
    with pytest.raises(ImageError, match=f'is {kind}, which is not read; save it as JPEG or PNG'):
        read_image(UNREAD[kind])


def test_a_tiff_with_a_compression_that_is_not_read():
    data = bytearray(encoded(RGB, 'TIFF'))
    order = '<' if data[:2] == b'II' else '>'
    struct.pack_into(f'{order}HHIH', data, data.index(struct.pack(f'{order}HHI', 259, 3, 1)), 259, 3, 1, 34887)
    with pytest.raises(ImageError, match='is a TIFF with LERC compression, which is not read'):
        read_image(bytes(data))


def test_what_is_no_regular_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / 'pipe.jpg')
    for path, kind in ((tmp_path / 'pipe.jpg', 'pipe'), ('/dev/zero', 'device'), (tmp_path, 'folder')):
        with pytest.raises(ImageError, match=f'{path}: is a {kind}; must be an ordinary file'):
            read_image(path)


def test_a_file_beyond_the_largest(tmp_path, monkeypatch):
    monkeypatch.setattr('gluonzoo.pictures.decode.MAX_BYTES', 20)
    (tmp_path / 'a.png').write_bytes(encoded(RGB, 'PNG'))
    with pytest.raises(ImageError, match='a.png: has more than 20 bytes'):
        read_image(tmp_path / 'a.png')


def test_from_a_file(tmp_path):
    path = tmp_path / 'some.png'
    path.write_bytes(encoded(RGB, 'PNG'))
    for source in (path, str(path), path.read_bytes(), bytearray(path.read_bytes()), memoryview(path.read_bytes())):
        np.testing.assert_array_equal(read_image(source), RGB)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(FileNotFoundError, match='none.jpg'):
        read_image(tmp_path / 'none.jpg')
    (tmp_path / 'text.jpg').write_text('no image')
    with pytest.raises(ImageError, match='text.jpg: not a JPEG, PNG, BMP, TIFF or WEBP image'):
        read_image(tmp_path / 'text.jpg')


@pytest.mark.parametrize('data', [b'', b'x', b'no image' * 50, b'\x89PNG\r\n\x1a\n', b'\xff\xd8\xff', b'BM' + bytes(60),
                                  b'%!PS-Adobe EPSF', encoded(RGB, 'GIF'), png(0, 5)], ids=range(9))
def test_what_is_no_image(data):
    for function in (decode_image, read_image):
        with pytest.raises(ImageError):
            function(data)


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'BMP', 'WEBP', 'TIFF', 'transparent PNG'])
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
                 encoded(np.dstack([RGB, RGB[..., 0]]), 'PNG'), encoded(RGB, 'TIFF'), encoded(RGB, 'WEBP')):
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


@pytest.mark.parametrize('suffix', SUFFIXES)
def test_suffixes_are_of_what_can_be_read(suffix, tmp_path):
    Image.fromarray(RGB).save(tmp_path / f'a{suffix}')   # Pillow goes by the suffix
    assert read_image(tmp_path / f'a{suffix}').shape == RGB.shape
