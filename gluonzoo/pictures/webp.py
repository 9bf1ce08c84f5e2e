"""The header of a WebP file.

Pillow would allocate two pictures only to read it.
"""
import struct
from typing import NamedTuple

from .errors import ImageError

__all__ = ['WebpHeader', 'is_webp', 'webp_header']

_TRANSPARENT, _EXIF = 0x10, 0x08   # flags of the extended header


class WebpHeader(NamedTuple):
    """Size as stored, whether pixels may be transparent, and the EXIF data, empty if there are none."""
    width: int
    height: int
    transparent: bool
    exif: bytes


def is_webp(data):
    return bytes(data[:4]) == b'RIFF' and bytes(data[8:12]) == b'WEBP'


def webp_header(data):
    """The header of a WebP file's content: WebpHeader. ImageError if it is damaged or cut off."""
    try:
        return _parsed(data)
    except struct.error as error:
        raise ImageError('the image is damaged or cut off: in the header of WebP') from error


def _parsed(data):
    kind, begin = bytes(data[12:16]), 20   # of the first chunk, and where its content begins
    if kind == b'VP8X':
        flags, *sides = struct.unpack_from('<B3x6B', data, begin)
        width, height = (1 + (a | b << 8 | c << 16) for a, b, c in (sides[:3], sides[3:]))
        return WebpHeader(width, height, bool(flags & _TRANSPARENT), _exif(data) if flags & _EXIF else b'')
    if kind == b'VP8L':   # lossless: 14 bits a side less one, and a bit for transparency
        signature, bits = struct.unpack_from('<BI', data, begin)
        if signature == 0x2f:
            return WebpHeader((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1, bool(bits >> 28 & 1), b'')
    if kind == b'VP8 ':
        signature, width, height = struct.unpack_from('<3x3sHH', data, begin)
        if signature == b'\x9d\x01\x2a':
            return WebpHeader(width & 0x3fff, height & 0x3fff, False, b'')   # the upper bits only scale
    raise ImageError('the image is damaged: in the header of WebP')


def _exif(data):
    """The content of the first chunk of EXIF data. struct.error if the file ends before it."""
    place = 12
    while True:
        kind, size = struct.unpack_from('<4sI', data, place)
        if kind == b'EXIF':
            return struct.unpack_from(f'{size}s', data, place + 8)[0]
        place += 8 + size + size % 2
