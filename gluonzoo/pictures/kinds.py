"""What kind of picture a file is that is not read here, from its content."""
from .tiff_tags import BITS, COMPRESSION, SAMPLE_FORMAT, read_tags

__all__ = ['OTHER_SUFFIXES', 'unread_kind', 'unread_tiff']

# Of pictures that are not read, in lower case. They are named, and not passed over in silence.
OTHER_SUFFIXES = ('.avif', '.exr', '.gif', '.hdr', '.heic', '.heif', '.j2k', '.jp2', '.jxl', '.pgm', '.ppm', '.psd',
                  '.svg')

_BEGINNINGS = ((b'GIF8', 'a GIF'), (b'\xff\x4f\xff\x51', 'a JPEG 2000'), (b'\xff\x0a', 'a JPEG XL'),
               (b'\0\0\0\x0cJXL ', 'a JPEG XL'), (b'\0\0\0\x0cjP  ', 'a JPEG 2000'), (b'8BPS', 'a Photoshop'),
               (b'v/1\x01', 'an OpenEXR'), (b'#?RADIANCE', 'a Radiance HDR'), (b'<svg', 'an SVG'), (b'P5', 'a PGM'),
               (b'P6', 'a PPM'))
_BRANDS = {b'avif': 'an AVIF', b'avis': 'an AVIF', **dict.fromkeys((b'heic', b'heix', b'hevc', b'mif1', b'msf1'),
                                                                   'a HEIC')}
# Compressions of TIFF that OpenCV may lack, by their numbers.
_COMPRESSIONS = {34712: 'JPEG 2000', 34887: 'LERC', 34925: 'LZMA', 50000: 'Zstandard', 50001: 'WebP', 50002: 'JPEG XL'}


def unread_kind(data):
    """Such as 'a GIF'; None if the content is of no known kind."""
    if data[4:8] == b'ftyp':
        return _BRANDS.get(bytes(data[8:12]))
    head = bytes(data[:16])
    return next((kind for beginning, kind in _BEGINNINGS if head.startswith(beginning)), None)


def unread_tiff(data):
    """What is unusual about a TIFF that is not read, such as 'a TIFF of 32-bit floating-point numbers'; else None."""
    tags = read_tags(data)
    bits, sign, compression = (tags.get(tag, (1, 0))[0] for tag in (BITS, SAMPLE_FORMAT, COMPRESSION))
    if sign in (2, 3) or bits > 16:
        numbers = {2: 'whole numbers with a sign', 3: 'floating-point numbers'}.get(sign, 'whole numbers')
        return f'a TIFF of {bits}-bit {numbers}'
    if compression in _COMPRESSIONS:
        return f'a TIFF with {_COMPRESSIONS[compression]} compression'
    return None
