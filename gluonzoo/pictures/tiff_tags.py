"""The tags of a TIFF's first image, and of EXIF, which is such a list of tags."""
import struct

__all__ = ['BITS', 'COMPRESSION', 'ORIENTATION', 'SAMPLE_FORMAT', 'orientation_of', 'read_tags', 'without_orientation']

BITS, COMPRESSION, ORIENTATION, SAMPLE_FORMAT = 258, 259, 274, 339

_SHORT = 3   # the type of 16-bit numbers

# By the version of TIFF: where the place of the tags stands; the types of their number, of what a tag begins with
# (tag, type, count), and of places.
_LAYOUTS = {42: (4, 'H', 'HHI', 'I'), 43: (8, 'Q', 'HHQ', 'Q')}


def read_tags(data):
    """The tags of the first image: dict of tag -> (its first value, or 0 if that is no 16-bit number; its place).

    Empty for what is no TIFF. Of a damaged one, the tags before the damage.
    """
    order = {b'II': '<', b'MM': '>'}.get(bytes(data[:2]))
    tags = {}
    if order is None:
        return tags
    try:
        version, = struct.unpack_from(f'{order}H', data, 2)
        if version not in _LAYOUTS:
            return tags
        place, counter, entry, width = _LAYOUTS[version]
        start, = struct.unpack_from(order + width, data, place)
        number, = struct.unpack_from(order + counter, data, start)
        start += struct.calcsize(order + counter)
        size = struct.calcsize(order + entry + width)
        for place in range(start, min(start + number * size, len(data)), size):
            tag, kind, count = struct.unpack_from(order + entry, data, place)
            at = place + struct.calcsize(order + entry)   # of the value, or of its place if it is too long
            if count * 2 > struct.calcsize(order + width):
                at, = struct.unpack_from(order + width, data, at)
            value = struct.unpack_from(f'{order}H', data, at)[0] if kind == _SHORT and count else 0
            tags.setdefault(tag, (value, place))
    except struct.error:
        pass
    return tags


def orientation_of(tags):
    """How the camera was held, 1 to 8; 1, upright, if that is not said as EXIF wants it: by a 16-bit number."""
    value, _ = tags.get(ORIENTATION, (1, 0))
    return value if 1 <= value <= 8 else 1


def without_orientation(data):
    """The content of a TIFF, its orientation set to upright. `data` itself, if it is upright or no TIFF."""
    value, place = read_tags(data).get(ORIENTATION, (1, 0))
    if value == 1:
        return data
    upright = bytearray(data)
    order = '<' if upright[:2] == b'II' else '>'
    _, _, entry, _ = _LAYOUTS[struct.unpack_from(f'{order}H', upright, 2)[0]]
    struct.pack_into(f'{order}{entry}H', upright, place, ORIENTATION, _SHORT, 1, 1)
    return bytes(upright)
