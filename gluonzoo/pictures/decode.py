"""Reads image files of the kinds that people have into RGB arrays.

OpenCV decodes: it is fast, lets other threads run, and refuses files that are cut off. Pillow reads the header first,
so that the size is known before anything is decoded. Pillow also decodes what OpenCV cannot, and puts transparent
images on white.

The orientation is read and applied here, and the decoders are told to leave pixels as they are stored: they differ in
which files' orientations they heed. Only TIFF files are turned by the decoders, which all do.
"""
import io
import os
from typing import NamedTuple, Optional

import cv2
import numpy as np
from PIL import Image, ImageFile

from ..reading import FileError, read_bytes
from .errors import ImageError
from .kinds import FORMATS, SUFFIXES, why_not_read, why_not_tiff
from .orientation import SIDEWAYS, UPRIGHT, exif_orientation, turn_upright
from .webp import is_webp, webp_header

__all__ = ['ImageError', 'MAX_PIXELS', 'SUFFIXES', 'decode_image', 'image_size', 'read_image']

MAX_PIXELS = 1 << 27   # 400 MB decoded; a photo of a 108 megapixel telephone fits
MAX_BYTES = 1 << 30
# To decode as many pixels takes 0.8 GB for a while, 1 GB if they are transparent, 1.6 GB of AVIF or an animated WebP.

_WIDTH, _HEIGHT, _ORIENTATION = 256, 257, 274   # tags of TIFF
_BY_PILLOW = ('GIF', 'AVIF', 'HEIF')            # formats that OpenCV does not read,
_BY_PILLOW_TIFF = ('lzma', 'zstd', 'webp')      # and compressions of TIFF
_STRIP = 1 << 20   # pixels that are put on white at a time


class _Header(NamedTuple):
    """What is known of an image before its pixels are decoded."""
    size: tuple                   # (width, height) as a viewer shows it
    orientation: int              # to be applied to what the decoder gives
    transparent: bool             # whether pixels may be
    image: Optional[Image.Image]  # Pillow's, its pixels not yet read; None for WebP


def read_image(source):
    """An image as RGB, whatever it is stored as.

    Grey images and palettes become RGB. 16 bits become their upper 8. Transparent parts become white. The orientation
    that a camera noted (EXIF) is applied, so the picture is as a viewer shows it. Of a file with several images, the
    first is read.

    Parameters
    ----------
    source : str, Path, or bytes-like
        a file's path, or a file's content; JPEG, PNG, BMP, TIFF, WebP or GIF, AVIF with Pillow 11.3 or newer, and
        HEIC if pillow-heif is installed

    Returns
    -------
    NumPy uint8 array [H, W, 3], RGB

    Raises
    ------
    ImageError
        if it is not such an image, is damaged or cut off, or has more than ``MAX_PIXELS`` pixels; if the path is of a
        folder, pipe, socket or device. (Wrong bytes within the data of a JPEG often decode to wrong pixels. This cannot
        be detected.)
    OSError
        if the file cannot be read: FileNotFoundError, PermissionError, ...
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return decode_image(source)
    try:
        data = read_bytes(source, MAX_BYTES)
    except FileError as error:
        raise ImageError(str(error)) from error
    try:
        return decode_image(data)
    except ImageError as error:
        raise ImageError(f'{os.fspath(source)}: {error}') from error


def image_size(data):
    """(width, height) of an encoded image as a viewer shows it, from its header. Raises ImageError."""
    return _header(data).size


def decode_image(data):
    """As :func:`read_image`, from the content of a file (bytes-like) alone."""
    header = _header(data)
    if header.image is None:
        image = _webp(data, header)
    elif header.transparent or header.image.format in _BY_PILLOW \
            or header.image.info.get('compression') in _BY_PILLOW_TIFF:
        image = _by_pillow(header)
    else:
        image = _by_opencv(data, cv2.IMREAD_COLOR_RGB)
        if image is None and header.image.format == 'TIFF':   # there are many kinds; each decoder knows some more
            image = _by_pillow(header)
    if image is None:
        raise ImageError('the image is damaged or cut off')
    image = turn_upright(image, header.orientation)
    if image.shape[1::-1] != header.size:
        raise ImageError(f'the image is damaged: its header says {header.size[0]} x {header.size[1]} pixels, its data '
                         f'{image.shape[1]} x {image.shape[0]}')
    return image


# -- headers ---------------------------------------------------------------------------------------------------------

def _header(data):
    if is_webp(data):
        found = webp_header(data)
        size, orientation, transparent, image = found[:2], exif_orientation(found.exif), found.transparent, None
    else:
        image = _opened(data)
        size, transparent = image.size, image.mode in ('RGBA', 'LA', 'PA', 'RGBa', 'La') or 'transparency' in image.info
        if image.format == 'TIFF':
            reason = why_not_tiff(image.tag_v2)
            if reason:
                raise ImageError(reason)
            size, orientation = _size_of_tiff(image), UPRIGHT
        else:   # not getexif(), which decodes a whole PNG to look behind its pixels
            orientation = exif_orientation(image.info.get('exif') or b'')
    if size[0] * size[1] > MAX_PIXELS:
        raise ImageError(f'{size[0]} x {size[1]} pixels: more than {MAX_PIXELS}')
    return _Header(size[::-1] if orientation in SIDEWAYS else size, orientation, transparent, image)


def _opened(data):
    """Pillow's image, its pixels not yet read."""
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(f'too many pixels: {error}') from error
    except Exception as error:   # a damaged header makes Pillow raise errors of many kinds
        raise ImageError(why_not_read(data)) from error


def _size_of_tiff(image):
    """(width, height) as the decoders give it. `image.size` is this too, but only with Pillow 11 and newer."""
    width, height = (image.tag_v2[tag] for tag in (_WIDTH, _HEIGHT))
    return (height, width) if image.tag_v2.get(_ORIENTATION) in SIDEWAYS else (width, height)


# -- pixels ----------------------------------------------------------------------------------------------------------

def _by_opencv(data, flags):
    """The pixels as they are stored, or None."""
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise ImageError(f'not an image that can be decoded: {error.err}') from error


def _webp(data, header):
    if not header.transparent:
        return _by_opencv(data, cv2.IMREAD_COLOR_RGB)
    image = _by_opencv(data, cv2.IMREAD_UNCHANGED)   # BGRA
    if image is None or image.shape[2] != 4:
        return image if image is None else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    return _in_strips(image.shape[1::-1], lambda top, end: _on_white(
        Image.fromarray(cv2.cvtColor(image[top:end], cv2.COLOR_BGRA2RGBA))))


def _by_pillow(header):
    image = header.image
    ImageFile.LOAD_TRUNCATED_IMAGES = False   # gluoncv sets it in the whole process: what is missing would be grey
    try:
        image.load()
        return _in_strips(image.size, lambda top, end: _rgb(image.crop((0, top, image.size[0], end)),
                                                            header.transparent))
    except Exception as error:   # the decoders raise OSError, ValueError, SyntaxError, struct.error, zlib.error ...
        raise ImageError(f'the image is damaged, cut off, or of a kind that is not read: {error}') from error
    finally:
        image.close()   # its pixels are not needed while the picture is turned


def _in_strips(size, strip):
    """The rows that strip(top, end) makes, as one picture: as a whole they would take memory many times over."""
    width, height = size
    picture = np.empty((height, width, 3), np.uint8)
    rows = max(1, _STRIP // width)
    for top in range(0, height, rows):
        end = min(top + rows, height)
        picture[top:end] = strip(top, end)
    return picture


def _rgb(image, transparent):
    """Pillow's image of any mode as RGB."""
    if not image.mode.startswith('I'):
        return _on_white(image.convert('RGBA')) if transparent else np.asarray(image.convert('RGB'))
    grey = np.asarray(image)   # of 16 bits, which convert() would cut to 255
    rgb = np.repeat((grey >> 8).astype(np.uint8)[..., None], 3, 2)
    if transparent:
        rgb[grey == image.info['transparency']] = 255
    return rgb


def _on_white(image):
    return np.asarray(Image.alpha_composite(Image.new('RGBA', image.size, 'white'), image).convert('RGB'))
