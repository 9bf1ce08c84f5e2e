"""The orientation that a camera noted, as EXIF has it: how a stored picture becomes the one that a viewer shows."""
import struct

import cv2

__all__ = ['SIDEWAYS', 'UPRIGHT', 'exif_orientation', 'turn_upright']

UPRIGHT = 1
SIDEWAYS = (5, 6, 7, 8)   # these exchange width and height

_TAG = 0x0112
_SHORT = 3   # the type that EXIF demands of the tag: 16 bits without sign
_PREFIX = b'Exif\0\0'   # before EXIF in a JPEG, and sometimes elsewhere


def exif_orientation(exif):
    """The orientation that EXIF data note: 1 to 8, and 1 if they note none.

    As in web browsers, a tag of another type or with several values is none, and so is a number beyond 8. Damaged data
    note none.

    Parameters
    ----------
    exif : bytes
        as a file of TIFF, with or without the prefix that they have in a JPEG
    """
    if exif.startswith(_PREFIX):
        exif = exif[len(_PREFIX):]
    order = {b'II*\0': '<', b'MM\0*': '>'}.get(exif[:4])
    if order is None:
        return UPRIGHT
    try:
        place, = struct.unpack_from(order + 'I', exif, 4)
        entries, = struct.unpack_from(order + 'H', exif, place)
        for entry in range(entries):
            tag, kind, count, value = struct.unpack_from(order + 'HHIH', exif, place + 2 + 12 * entry)
            if tag == _TAG:
                return value if kind == _SHORT and count == 1 and 1 <= value <= 8 else UPRIGHT
    except struct.error:   # cut off
        pass
    return UPRIGHT


def turn_upright(image, orientation):
    """The picture as a viewer shows it. Array [H, W, 3] -> [H, W, 3] or, of orientations 5 to 8, [W, H, 3]

    It may be written over.
    """
    if orientation in SIDEWAYS:
        image = cv2.transpose(image)
    flip = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(orientation)   # 1: left and right, 0: top and bottom, -1: both
    return image if flip is None else cv2.flip(image, flip, dst=image)
