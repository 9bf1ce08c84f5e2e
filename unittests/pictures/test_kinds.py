"""gluonzoo/pictures/kinds.py: which kinds of pictures are read, and what the others are called."""
import io
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image
from record_cases import picture

from gluonzoo.pictures import kinds
from gluonzoo.pictures.decode import ImageError, image_size, read_image

RGB = picture(0)[0]     # [32, 48, 3]

pytestmark = pytest.mark.filterwarnings('ignore:.*:UserWarning:PIL')


def encoded(image, kind, **options):
    file = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize('compression', ['raw', 'packbits', 'tiff_lzw', 'tiff_adobe_deflate', 'jpeg', 'lzma', 'zstd'])
@pytest.mark.parametrize('mode', ['1', 'L', 'P', 'RGB', 'RGBA', 'CMYK'])
def test_compressions_of_tiff(mode, compression, capfd):
    image = Image.fromarray(RGB).convert(mode)
    try:
        data = encoded(image, 'TIFF', compression=compression)
    except OSError:
        pytest.skip('this Pillow does not write it')
    capfd.readouterr()
    off = np.abs(read_image(data).astype(int) - np.array(image.convert('RGB')))
    assert off.max() <= (40 if compression == 'jpeg' else 0)
    assert not capfd.readouterr().err   # no decoder complains


@pytest.mark.parametrize('compression', ['raw', 'zstd', 'lzma'])
def test_16_bits_of_any_compression(compression):
    deep = (np.arange(32 * 48, dtype=np.uint16) * 42).reshape(32, 48)
    try:
        data = encoded(Image.fromarray(deep), 'TIFF', compression=compression)
    except OSError:
        pytest.skip('this Pillow does not write it')
    np.testing.assert_allclose(read_image(data), np.repeat(deep[..., None] >> 8, 3, 2), atol=1)


def test_transparency_of_16_bits():
    deep = np.array([[0x1234, 0x1200, 0xff00]], np.uint16)
    image = Image.fromarray(deep)
    data = encoded(image, 'PNG')
    np.testing.assert_array_equal(read_image(data)[..., 0], [[0x12, 0x12, 0xff]])
    place = data.index(b'IDAT') - 4
    chunk = b'tRNS\x12\x34'
    with_key = data[:place] + (2).to_bytes(4, 'big') + chunk + _crc(chunk) + data[place:]
    np.testing.assert_array_equal(read_image(with_key), [[[255] * 3, [0x12] * 3, [255] * 3]])


def _crc(chunk):
    return zlib.crc32(chunk).to_bytes(4, 'big')


@pytest.mark.parametrize('dtype, said', [
    ('float32', '32-bit float'), ('float64', '64-bit float'), ('int32', '32-bit signed'), ('int16', '16-bit signed')])
@pytest.mark.parametrize('channels', [1, 3])
def test_values_without_a_white_are_refused_by_name(dtype, said, channels):
    data = cv2.imencode('.tif', np.ones((4, 5, channels), dtype), [cv2.IMWRITE_TIFF_COMPRESSION, 1])[1].tobytes()
    for function in (read_image, image_size):
        with pytest.raises(ImageError, match=f'is a TIFF image of {said} values.*save them as 8 or 16 bits'):
            function(data)


def test_logarithms_in_tiff_are_refused_by_name():
    data = cv2.imencode('.tif', np.ones((4, 5, 3), 'float32'), [cv2.IMWRITE_TIFF_COMPRESSION, 34676])[1].tobytes()
    with pytest.raises(ImageError, match='is a TIFF image of logarithmic values'):
        read_image(data)


def test_gif(tmp_path):
    image = Image.fromarray(RGB).quantize(64)
    data = encoded(image, 'GIF', save_all=True, append_images=[Image.new('L', (48, 32))])
    assert image_size(data) == (48, 32)
    np.testing.assert_array_equal(read_image(data), np.array(image.convert('RGB')))   # the first of two
    palette = Image.fromarray(np.array([[0, 1]], np.uint8), 'P')
    palette.putpalette([255, 0, 0, 0, 0, 255])
    assert read_image(encoded(palette, 'GIF', transparency=0)).tolist() == [[[255] * 3, [0, 0, 255]]]


@pytest.mark.skipif(not kinds.AVIF, reason='this Pillow does not read AVIF')
@pytest.mark.parametrize('orientation, size', [(1, (48, 32)), (3, (48, 32)), (6, (32, 48))])
def test_avif(orientation, size):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(RGB, 'AVIF', quality=100, subsampling='4:4:4', exif=exif)
    wanted = {1: RGB, 3: np.rot90(RGB, 2), 6: np.rot90(RGB, -1)}[orientation]
    assert image_size(data) == size
    assert np.abs(read_image(data).astype(int) - wanted).max() <= 8


@pytest.mark.skipif(not kinds.HEIF, reason='pillow-heif is not installed')
def test_heic():
    data = encoded(RGB, 'HEIF', quality=-1)
    assert image_size(data) == (48, 32)
    assert np.abs(read_image(data).astype(int) - RGB).mean() <= 4
    assert '.heic' in kinds.SUFFIXES


def heif(brand):
    return b'\0\0\0\x18ftyp' + brand + bytes(4) + b'mif1' + brand + bytes(40)


@pytest.mark.parametrize('data, said', [
    (heif(b'heic'), 'is a HEIC image'), (heif(b'avif'), 'is an AVIF image'),
    (b'\0\0\0\x14ftypisom' + bytes(40), 'is a video'),
    (b'\0\0\0\x0cjP  \r\n\x87\n' + bytes(40), 'is a JPEG 2000 image, which is not read: convert it to JPEG or PNG'),
    (b'8BPS' + bytes(40), 'is a Photoshop image'), (encoded(RGB, 'PPM'), 'is a PPM image'),
    (b'<?xml version="1.0"?>\n<svg xmlns="">', 'is an SVG drawing'), (b'\n<!DOCTYPE html><html>', 'is a web page'),
    (b'%PDF-1.4', 'is a PDF'), (b'version https://git-lfs.github.com/spec/v1\n', "is Git LFS's placeholder"),
    (cv2.imencode('.hdr', RGB.astype('float32'))[1].tobytes(), 'is a Radiance image'),
    (b'II*\0\x08\0\0\0', 'is a TIFF image that is damaged'), (b'\xff\xd8\xff\xd9', 'is a JPEG image that is damaged'),
    (b'anything else', 'not a JPEG, PNG, BMP')])
def test_what_is_not_read_is_called_by_its_name(data, said, tmp_path):
    path = tmp_path / 'some.jpg'
    path.write_bytes(data)
    with pytest.raises(ImageError) as error:
        read_image(path)
    assert str(error.value).startswith(f'{path}: {said}') and '\n' not in str(error.value)


def test_a_jpeg_of_12_bits_is_not_called_damaged_alone():
    data = bytearray(encoded(RGB, 'JPEG'))
    data[data.index(b'\xff\xc0') + 4] = 12
    with pytest.raises(ImageError, match='is a JPEG image that is damaged, or of a kind that is not read'):
        read_image(bytes(data))


def test_heic_is_told_how_to_be_read():
    if not kinds.HEIF:
        with pytest.raises(ImageError, match='convert it to JPEG or PNG, or install pillow-heif'):
            read_image(heif(b'heic'))


def test_suffixes_are_told_apart():
    assert not set(kinds.SUFFIXES) & set(kinds.OTHER_SUFFIXES)
    assert {'.heic', '.avif', '.gif', '.jp2'} <= {*kinds.SUFFIXES, *kinds.OTHER_SUFFIXES}
