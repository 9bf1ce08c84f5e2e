"""The kinds of image files: which are read, and what the others are called."""
import io

from PIL import TiffImagePlugin, features

try:
    from pillow_heif import register_heif_opener  # photos of telephones; read if this package is installed
except ImportError:
    HEIF = False
else:
    register_heif_opener()
    HEIF = True

__all__ = ['FORMATS', 'OTHER_SUFFIXES', 'SUFFIXES', 'said_formats', 'why_not_read', 'why_not_tiff']

AVIF = 'avif' in features.modules and features.check('avif')   # Pillow from 11.3

FORMATS = ('JPEG', 'PNG', 'BMP', 'TIFF', 'WEBP', 'GIF') + ('AVIF',) * AVIF + ('HEIF',) * HEIF
_HEIF_SUFFIXES = ('.heic', '.heif', '.hif')
# Of files that are read, in lower case.
SUFFIXES = (('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp', '.gif', '.jfif', '.jpe')
            + ('.avif',) * AVIF + _HEIF_SUFFIXES * HEIF)
# Of pictures that are not read: a user who has them wants to know it.
OTHER_SUFFIXES = (() if AVIF else ('.avif',)) + (() if HEIF else _HEIF_SUFFIXES) + (
    '.jp2', '.j2k', '.jxl', '.psd', '.svg', '.exr', '.hdr', '.ppm', '.pgm', '.pnm', '.ico', '.dng', '.cr2',
    '.cr3', '.nef', '.arw', '.raf', '.rw2', '.orf')

_SIGNS = {2: 'signed', 3: 'float', 5: 'complex', 6: 'complex'}   # sample formats of TIFF
_LOGARITHMIC = 34676, 34677   # compressions
_BITS, _COMPRESSION, _SAMPLE_FORMAT = 258, 259, 339   # tags of TIFF

_CONVERT = 'convert it to JPEG or PNG'
_BEGINNINGS = (   # of what people take for pictures
    (b'\0\0\0\x0cjP  ', 'JPEG 2000'), (b'\xff\x4f\xff\x51', 'JPEG 2000'), (b'\0\0\0\x0cJXL ', 'JPEG XL'),
    (b'\xff\x0a', 'JPEG XL'), (b'8BPS', 'Photoshop'), (b'v/1\x01', 'OpenEXR'), (b'#?RADIANCE', 'Radiance'),
    (b'\0\0\1\0', 'icon'), (b'P4\n', 'PBM'), (b'P5\n', 'PGM'), (b'P6\n', 'PPM'), (b'FUJIFILMCCD-RAW', 'camera raw'))
_OTHER_BEGINNINGS = ((b'%PDF-', 'a PDF'), (b'version https://git-lfs', "Git LFS's placeholder of a file, not the file"),
                     (b'<!doctype html', 'a web page'), (b'<html', 'a web page'))


def said_formats():
    return f'{", ".join(FORMATS[:-1])} or {FORMATS[-1]}'


def why_not_read(data):
    """One clause that says what some data are, which Pillow does not open as an image of ``FORMATS``."""
    begin = bytes(data[:1000])
    for beginning, name in _BEGINNINGS:
        if begin.startswith(beginning):
            return f'is a {name} image, which is not read: {_CONVERT}'
    text = begin.lstrip(b'\xef\xbb\xbf \r\n\t').lower()
    if b'<svg' in text and text.startswith(b'<'):
        return f'is an SVG drawing, which is not read: {_CONVERT}'
    for beginning, name in _OTHER_BEGINNINGS:
        if text.startswith(beginning.lower()):
            return f'is {name}'
    if begin[4:8] == b'ftyp':
        brands = begin[8:int.from_bytes(begin[:4], 'big')]
        if b'avif' in brands or b'avis' in brands:
            return ('is an AVIF image that is damaged' if AVIF else
                    f'is an AVIF image, which this Pillow does not read: {_CONVERT}, or install Pillow 11.3 or newer')
        if any(brand in brands for brand in (b'heic', b'heix', b'hevc', b'mif1', b'msf1')):
            return ('is a HEIC image that is damaged' if HEIF else
                    f'is a HEIC image, which is not read: {_CONVERT}, or install pillow-heif')
        return 'is a video, or an image of a kind that is not read'
    if begin.startswith((b'II*\0', b'MM\0*', b'II+\0', b'MM\0+')):
        return why_not_tiff(_tiff_tags(data)) or 'is a TIFF image that is damaged, or of a kind that is not read'
    for beginning, name in ((b'\xff\xd8\xff', 'JPEG'), (b'\x89PNG\r\n', 'PNG'), (b'BM', 'BMP'), (b'GIF8', 'GIF')):
        if begin.startswith(beginning):
            return f'is a {name} image that is damaged, or of a kind that is not read'
    return f'not a {said_formats()} image ({len(data)} bytes)'


def why_not_tiff(tags):
    """One clause, if a TIFF image with these tags has values whose black and white nobody knows; else None."""
    sign = _SIGNS.get(_first(tags.get(_SAMPLE_FORMAT, 1)))
    bits = _first(tags.get(_BITS, 1))
    if tags.get(_COMPRESSION) in _LOGARITHMIC:
        values = 'logarithmic'
    elif sign or isinstance(bits, int) and bits > 16:
        values = f'{bits}-bit {sign or "unsigned"}'
    else:
        return None
    return (f'is a TIFF image of {values} values, of which nobody knows which is white: scale the values, and save '
            'them as 8 or 16 bits without sign')


def _first(value):
    return value[0] if isinstance(value, tuple) and value else value


def _tiff_tags(data):
    """The tags of a TIFF file's first image, {} if it is damaged."""
    try:
        file = io.BytesIO(data)
        header = file.read(8)
        if header[2:4] in (b'+\0', b'\0+'):   # BigTIFF
            header += file.read(8)
        tags = TiffImagePlugin.ImageFileDirectory_v2(header)
        file.seek(tags.next)
        tags.load(file)
        return dict(tags)
    except Exception:   # Pillow raises errors of many kinds
        return {}
