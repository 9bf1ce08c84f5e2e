"""Reads image files of the kinds that people have into RGB arrays.

OpenCV decodes: it is fast, lets other threads run, and refuses files that are cut off. Pillow reads the header first,
so that the size is known before anything is decoded. Pillow also puts transparent images on white.

Neither turns a picture: which formats they turn differs between their versions. The orientation is read here, once for
the size and the pixels.
"""
import io
import os

import cv2
import numpy as np
from PIL import Image, ImageFile

from ..reading import FileError, read_bytes
from .kinds import unread_kind, unread_tiff
from .tiff_tags import BITS, SAMPLE_FORMAT, orientation_of, read_tags, without_orientation

__all__ = ['ImageError', 'MAX_PIXELS', 'SUFFIXES', 'decode_image', 'image_size', 'read_image']

FORMATS = ('JPEG', 'PNG', 'BMP', 'TIFF', 'WEBP')
SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp')   # of files of these formats, in lower case
MAX_PIXELS = 1 << 27   # 400 MB decoded, 900 MB on the way if transparent; a photo of a 108 megapixel telephone fits
MAX_BYTES = 1 << 30

_STRIP = 1 << 20   # pixels that are put on white at a time

# What shows a picture upright, by its orientation. 5 to 8 exchange width and height.
_TURNS = {2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1], 5: lambda a: a.swapaxes(0, 1),
          6: lambda a: np.rot90(a, -1), 7: lambda a: np.rot90(a, 2).swapaxes(0, 1), 8: np.rot90}


class ImageError(ValueError):
    """What was to be read is not an image, is damaged, or is too large."""


def read_image(source):
    """An image as RGB, whatever it is stored as.

    Grey images and palettes become RGB. 16 bits become their upper 8. Transparent parts become white. The orientation
    that a camera noted (EXIF) is applied, so the picture is as a viewer shows it. Of a file with several images, the
    first is read.

    Parameters
    ----------
    source : str, Path, or bytes-like
        a file's path, or a file's content; JPEG, PNG, BMP, TIFF or WebP

    Returns
    -------
    NumPy uint8 array [H, W, 3], RGB

    Raises
    ------
    ImageError
        if it is not such an image, is damaged or cut off, or has more than ``MAX_PIXELS`` pixels. (Wrong bytes within
        the data of a JPEG often decode to wrong pixels. This cannot be detected.)
    OSError
        if the file cannot be read: FileNotFoundError, PermissionError, ...
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return decode_image(source)
    try:
        return decode_image(read_bytes(source, MAX_BYTES))
    except FileError as error:   # names the file already
        raise ImageError(str(error)) from error
    except ImageError as error:
        raise ImageError(f'{os.fspath(source)}: {error}') from error


def image_size(data):
    """(width, height) of an encoded image as a viewer shows it, from its header. Raises ImageError."""
    header, orientation, _ = _opened(data)
    with header:
        return header.size[::-1] if orientation > 4 else header.size


def decode_image(data):
    """As :func:`read_image`, from the content of a file (bytes-like) alone."""
    header, orientation, data = _opened(data)
    with header:
        transparent = header.mode in ('RGBA', 'LA', 'PA') or 'transparency' in header.info
        image = _on_white(header) if transparent else _decoded(data)
    return np.ascontiguousarray(_TURNS[orientation](image)) if orientation > 1 else image


def _decoded(data):
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise ImageError(f'not an image that can be decoded: {error.err}') from error
    if image is None:
        kind = unread_tiff(data)
        raise ImageError(_refusal(kind) if kind else 'the image is damaged or cut off')
    return image


def _opened(data):
    """The image with its pixels not yet read, its orientation, and the content for a decoder."""
    try:
        header = Image.open(io.BytesIO(without_orientation(data)), formats=FORMATS)
        exif = header.info.get('exif', b'')
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(f'too many pixels: {error}') from error
    except Exception as error:   # a damaged header makes Pillow raise errors of many kinds
        kind = unread_kind(data) or unread_tiff(data)
        raise ImageError(_refusal(kind) if kind else f'not a {", ".join(FORMATS[:-1])} or {FORMATS[-1]} image '
                         f'({len(data)} bytes)') from error
    width, height = header.size
    if width * height > MAX_PIXELS:
        raise ImageError(f'{width} x {height} pixels: more than {MAX_PIXELS}')
    if header.format != 'TIFF':
        return header, orientation_of(read_tags(exif.removeprefix(b'Exif\0\0'))), data
    tags = read_tags(data)
    if tags.get(SAMPLE_FORMAT, (1, 0))[0] in (2, 3) or tags.get(BITS, (1, 0))[0] > 16:   # OpenCV takes some wrongly
        raise ImageError(_refusal(unread_tiff(data)))
    return header, orientation_of(tags), without_orientation(data)


def _refusal(kind):
    return f'is {kind}, which is not read; save it as JPEG or PNG, of 8 or 16 bits'


def _on_white(header):
    ImageFile.LOAD_TRUNCATED_IMAGES = False   # gluoncv sets it in the whole process: what is missing would be grey
    width, height = header.size
    image = np.empty((height, width, 3), 'uint8')
    rows = max(1, _STRIP // width)
    try:
        for top in range(0, height, rows):   # by strips: an RGBA copy of the whole would take as much memory again
            part = header.crop((0, top, width, min(top + rows, height))).convert('RGBA')
            white = Image.new('RGBA', part.size, 'white')
            image[top:top + rows] = np.asarray(Image.alpha_composite(white, part).convert('RGB'))
    except Exception as error:   # the decoders raise OSError, ValueError, SyntaxError, struct.error, zlib.error ...
        raise ImageError(f'the image is damaged or cut off: {error}') from error
    return image
