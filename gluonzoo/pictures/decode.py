"""Reads image files of the kinds that people have into RGB arrays.

OpenCV decodes: it is fast, lets other threads run, and refuses files that are cut off. Pillow reads the header first,
so that the size is known before anything is decoded. Pillow also puts transparent images on white.
"""
import io
import os

import cv2
import numpy as np
from PIL import Image, ImageFile, ImageOps

__all__ = ['ImageError', 'MAX_PIXELS', 'SUFFIXES', 'decode_image', 'image_size', 'read_image']

FORMATS = ('JPEG', 'PNG', 'BMP', 'TIFF', 'WEBP')
SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp')   # of files of these formats, in lower case
MAX_PIXELS = 1 << 27   # 400 MB decoded; a photo of a 108 megapixel telephone fits
MAX_BYTES = 1 << 30

_ORIENTATION = 0x0112   # the EXIF tag; 5 to 8 exchange width and height


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
    with open(source, 'rb') as file:
        data = file.read(MAX_BYTES + 1)
    try:
        if len(data) > MAX_BYTES:
            raise ImageError(f'more than {MAX_BYTES} bytes')
        return decode_image(data)
    except ImageError as error:
        raise ImageError(f'{os.fspath(source)}: {error}') from error


def image_size(data):
    """(width, height) of an encoded image as a viewer shows it, from its header. Raises ImageError."""
    with _header(data) as header:
        return _upright_size(header)


def decode_image(data):
    """As :func:`read_image`, from the content of a file (bytes-like) alone."""
    with _header(data) as header:
        if header.mode in ('RGBA', 'LA', 'PA') or 'transparency' in header.info:
            return _on_white(header)
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    except cv2.error as error:
        raise ImageError(f'not an image that can be decoded: {error.err}') from error
    if image is None:
        raise ImageError('the image is damaged or cut off')
    return image


def _header(data):
    """The image with its pixels not yet read."""
    try:
        header = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(f'too many pixels: {error}') from error
    except Exception as error:   # a damaged header makes Pillow raise errors of many kinds
        raise ImageError(f'not a {", ".join(FORMATS[:-1])} or {FORMATS[-1]} image ({len(data)} bytes)') from error
    width, height = header.size
    if width * height > MAX_PIXELS:
        raise ImageError(f'{width} x {height} pixels: more than {MAX_PIXELS}')
    return header


def _upright_size(header):
    try:
        turned = header.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8)
    except Exception:   # damaged EXIF; OpenCV takes it as none
        turned = False
    return header.size[::-1] if turned else header.size


def _on_white(header):
    ImageFile.LOAD_TRUNCATED_IMAGES = False   # gluoncv sets it in the whole process: what is missing would be grey
    try:
        image = ImageOps.exif_transpose(header).convert('RGBA')
    except Exception as error:   # the decoders raise OSError, ValueError, SyntaxError, struct.error, zlib.error ...
        raise ImageError(f'the image is damaged or cut off: {error}') from error
    white = Image.new('RGBA', image.size, 'white')
    return np.array(Image.alpha_composite(white, image).convert('RGB'))
