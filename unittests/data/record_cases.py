"""Small pictures with boxes, and files of them that are whole, damaged, or cut off."""
import struct

import numpy as np
from mxnet.recordio import MXIndexedRecordIO

from gluonzoo.data import write_records

COUNT = 12   # records of a file
MAGIC = bytes.fromhex('0a23d7ce')


def picture(seed, width=48, height=32, objects=None):
    """(image, boxes, labels): smooth, so that a JPEG of it is close; `objects` of them, by default 0, 1 or 2."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    image = np.stack([128 + 100 * np.sin(x / 9 + rng.random() * 6), 128 + 100 * np.cos(y / 7 + rng.random() * 6),
                      60 + 2 * (x + y) % 120], 2).astype(np.uint8)
    objects = seed % 3 if objects is None else objects
    begin = rng.integers(0, [width // 2, height // 2], (objects, 2))
    return image, np.hstack([begin, begin + rng.integers(4, 16, (objects, 2))]), rng.integers(0, 3, objects)


def write_file(directory, count=COUNT, classes=3, name='some.rec'):
    """A file of :func:`picture` 0, 1, ...; returns its path and where the records begin."""
    path = directory / name
    write_records(path, map(picture, range(count)))
    if classes:
        (directory / 'classes.txt').write_text('\n'.join(f'kind {number}' for number in range(classes)))
    return path, [int(line.split()[1]) for line in path.with_suffix('.idx').read_text().splitlines()]


def packed(label, image):
    """The data of a record, whatever its label is."""
    label = np.asarray(label, np.float32)
    return struct.pack('<IfQQ', len(label), 0, 0, 0) + label.tobytes() + image


def write_raw(path, *data):
    """A file of these records; returns its path."""
    file = MXIndexedRecordIO(str(path.with_suffix('.idx')), str(path), 'w')
    for number, record in enumerate(data):
        file.write_idx(number, record)
    file.close()
    return path


def overwrite(path, at, data):
    with open(path, 'r+b') as file:
        file.seek(at)
        file.write(data)


def cut(path, size):
    with open(path, 'r+b') as file:
        file.truncate(size)


# name -> function of (path, begin) that damages the record which begins there, with all others left whole
DAMAGE = {
    'magic': lambda path, begin: overwrite(path, begin, b'\0\0\0\0'),
    'length too long': lambda path, begin: overwrite(path, begin + 4, struct.pack('<I', 0x1fffffff)),
    'length too short': lambda path, begin: overwrite(path, begin + 4, struct.pack('<I', 8)),
    'flag': lambda path, begin: overwrite(path, begin + 4, struct.pack('<I', 3 << 29 | 100)),
    'count of label numbers': lambda path, begin: overwrite(path, begin + 8, struct.pack('<I', 2 ** 32 - 1)),
    'no label': lambda path, begin: overwrite(path, begin + 8, struct.pack('<I', 0)),
    'label header width': lambda path, begin: overwrite(path, begin + 32, struct.pack('<f', 1e9)),
    'label header width not a number': lambda path, begin: overwrite(path, begin + 32, struct.pack('<f', np.nan)),
    'label object width': lambda path, begin: overwrite(path, begin + 36, struct.pack('<f', 7.5)),
    'class': lambda path, begin: overwrite(path, begin + 48, struct.pack('<f', -2)),
    'coordinate': lambda path, begin: overwrite(path, begin + 56, struct.pack('<f', np.nan)),
    'image': lambda path, begin: overwrite(path, begin + 88, bytes(40)),
}
