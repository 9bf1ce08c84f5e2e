"""Files of records in MXNet's RecordIO format: read anywhere by any thread, checked, and written whole or not at all.

A record is framed as ``magic, flag and length, data, padding to 4 bytes``. If the data have the magic word at a
multiple of 4, the writer leaves this word out and splits the record into parts there (flags: 0 whole, 1 first, 2
middle, 3 last). So at a multiple of 4 the magic word stands only where a part begins, and a reader that has lost its
place finds the next record.

The data are a header (count of label numbers, a number, two identifiers), the label as float32, and an encoded image.
The label of a detection record is ``A, B, W, H, then B numbers for each object``. A is how many numbers come before the
objects. An object is ``class, xmin, ymin, xmax, ymax`` and, where B is 6, ``difficult``. Coordinates are fractions of
the image.

Sources: dmlc-core's recordio.h, MXNet's recordio.py, and the ImageDetIter of MXNet's image package.
"""
import errno
import os
import struct
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ..files import naming, require_replaceable
from ..pictures.decode import ImageError, image_size
from ..pictures.jpeg import encode_jpeg
from ..reading import FileError, open_ordinary, read_bytes

__all__ = ['RecordError', 'RecordFile', 'index_path', 'unpack', 'write_records']

MAGIC = struct.pack('<I', 0xced7230a)
_FRAME = struct.Struct('<4sI')       # magic, 3 bits of flag and 29 of length
_HEADER = struct.Struct('<IfQQ')     # count of label numbers, label where the count is 0, two identifiers
_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)
_LONGEST = (1 << 29) - 1             # bytes of data
_FRAMED = 1 << 30                    # bytes that a record takes at most, however many parts it has
_INDEX = 1 << 30                     # bytes that an index may have
_SCAN = 1 << 20                      # bytes read at a time while looking for the next record


class RecordError(ValueError):
    """A record file, or one of its records, is damaged or of another kind. The message names file and record.

    Attributes
    ----------
    record : int or None
        what counts as unreadable, where that is not the record that was asked for: a picture that many records show
    """

    def __init__(self, message, record=None):
        super().__init__(message)
        self.record = record


class RecordFile:
    """The records of a file, by number. Any thread, and any process forked from this one, may read.

    The index beside the file, ``name.idx``, gives the order of the records. Without an index, the file is searched for
    records, and the index is written if the directory can be written to.

    Parameters
    ----------
    path : str or Path
        ``name.rec``

    Raises
    ------
    FileNotFoundError
        if there is no such file.
    RecordError
        if it holds no records, is cut off, or the index is not its own.
    """

    _file = None

    def __init__(self, path):
        self.path = Path(path)
        try:
            with open_ordinary(self.path) as file:
                self._file = os.dup(file.fileno())
        except FileError as error:
            raise RecordError(str(error)) from None
        try:
            self._size = os.fstat(self._file).st_size
            index = index_path(self.path)
            if index.exists():
                self._offsets = self._indexed(index)
            else:
                self._offsets = self._found()
                try:
                    _write_index(index, self._offsets)
                except OSError:   # a read-only place: the index is made again the next time
                    pass
        except BaseException:
            self.close()
            raise
        # A record takes the bytes up to the next one.
        begins = sorted(self._offsets)
        self._ends = dict(zip(begins, [*begins[1:], self._size]))

    def __len__(self):
        return len(self._offsets)

    def close(self):
        """Closes the file. A record cannot be read afterwards."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __del__(self):
        self.close()

    def read(self, number):
        """The data of a record: bytes-like.

        Raises
        ------
        IndexError
            if `number` is not in 0 .. len - 1.
        RecordError
            if the record is damaged.
        """
        begin = self._begin(number)
        size = self._ends[begin] - begin
        try:
            if size > _FRAMED:   # it may be a hole as large as a disk
                raise RecordError(f'{size} bytes up to the next record; none is longer than {_FRAMED}')
            return _join(os.pread(self._file, size, begin))
        except RecordError as error:
            raise RecordError(f'{self.path}: record {number}, at byte {begin}: {error}') from None

    def read_label(self, number):
        """The label of a record, as :func:`unpack` gives it, without reading the image."""
        begin = self._begin(number)
        start = os.pread(self._file, min(4096, self._ends[begin] - begin), begin)
        if len(start) >= _FRAME.size and start[:4] == MAGIC:
            length = _flag_and_length(start, 0)[1]
            try:
                return unpack(start[_FRAME.size:_FRAME.size + length])[0]
            except RecordError:   # the label is longer than what was read
                pass
        return unpack(self.read(number))[0]

    def place(self, number):
        """Where a record begins and ends in the file, as text: b'begin:end'."""
        begin = self._begin(number)
        return b'%d:%d' % (begin, self._ends[begin])

    def _begin(self, number):
        if not 0 <= number < len(self):
            raise IndexError(f'{self.path}: record {number} of {len(self)}')
        return self._offsets[number]

    # -- where the records are -----------------------------------------------------------------------------------

    def _frame(self, at):
        """(flag, end) of the part that begins at byte `at`, or None if none begins there. The end may lie beyond the
        end of the file.
        """
        head = os.pread(self._file, _FRAME.size, at)
        if len(head) < _FRAME.size or head[:4] != MAGIC:
            return None
        flag, length = _flag_and_length(head, 0)
        return flag, at + _FRAME.size + length + -length % 4

    def _end(self, begin):
        """Where the record that begins at `begin` ends, maybe beyond the end of the file; None if none begins there."""
        flag, end, wanted = None, begin, (_WHOLE, _FIRST)
        while flag not in (_WHOLE, _LAST):
            if self._size - end < _FRAME.size:
                return self._size + 1   # it goes on after the end of the file
            flag, end = self._frame(end) or (None, None)
            if flag not in wanted:
                return None
            wanted = (_MIDDLE, _LAST)
        return end

    def _next_begin(self, at):
        """The first byte from `at` on, a multiple of 4, where a record begins; None if none does."""
        while at < self._size:
            block = os.pread(self._file, _SCAN, at)
            place = block.find(MAGIC)
            while place >= 0:
                if place % 4 == 0 and (self._frame(at + place) or (None,))[0] in (_WHOLE, _FIRST):
                    return at + place
                place = block.find(MAGIC, place + 1)
            at += _SCAN
        return None

    def _found(self):
        """The offsets of all records, from the frames. Damaged records are included where they can be found."""
        offsets, at = [], 0
        while at < self._size:
            end = self._end(at)
            if end is None or end > self._size or end < self._size and self._frame(end) is None:   # damage
                following = self._next_begin(at + 4)
                if following is None and end is not None and end > self._size:
                    self._raise_cut(len(offsets), at)
                if end is None or following is not None and following < end:
                    end = following or self._size
                # Else the record is as long as it says, and what is damaged comes after it.
            offsets.append(at)
            at = end
        if not any(self._frame(offset) for offset in offsets):
            raise RecordError(f'{self.path}: holds no records; a RecordIO file begins with the bytes {MAGIC.hex(" ")}, '
                              f'this one with {os.pread(self._file, 4, 0).hex(" ") or "none, it is empty"}')
        return offsets

    def _indexed(self, index):
        """The offsets that the index holds, in its order."""
        offsets = []
        try:
            lines = read_bytes(index, min(_INDEX, 1000 + 4 * self._size)).splitlines()
        except FileError as error:
            raise RecordError(str(error)) from None
        for number, line in enumerate(lines, 1):
            try:
                _, offset = line.split(b'\t')
                offsets.append(int(offset))
            except ValueError:
                raise RecordError(f'{index}: line {number} is not "key TAB offset": {line[:40]!r}. Delete the index, '
                                  'and it is made anew') from None

        def foreign(why):
            return RecordError(f'{index}: not the index of {self.path.name}: {why}. Delete it, and it is made anew')

        in_file = sorted(offsets)
        if not offsets:
            raise foreign('it is empty')
        if in_file[0] != 0 or any(offset % 4 for offset in offsets):
            raise foreign('records begin at byte 0 and at multiples of 4')
        if len(set(offsets)) < len(offsets):
            raise foreign('two records begin at one byte')
        there = [offset for offset in in_file if offset < self._size]
        end = self._end(there[-1]) if there else None
        if len(there) < len(in_file) or end is not None and end > self._size:
            first = there[-1] if end is not None and end > self._size else in_file[len(there)]
            self._raise_cut(offsets.index(first), first, sum(offset > first for offset in in_file))
        if end is not None and end < self._size:
            raise foreign(f'the file goes on after the last record that it lists, from byte {end}')
        return offsets

    def _raise_cut(self, number, begin, missing=0):
        """`missing`: how many records the index lists after this one."""
        also = f', and the {missing} that the index lists after it are missing' if missing else ''
        on = 'Fetch the file again'
        if begin > 0:
            on += (f'; or go on with the records before it: truncate -s {begin} {self.path} && '
                   f'rm -f {index_path(self.path)}')
        raise RecordError(f'{self.path}: the file is cut off: it ends at byte {self._size}, and record {number}, which '
                          f'begins at byte {begin}, is not whole{also}. {on}')


def index_path(path):
    """Where the index of the record file `path` is: beside it, ``.idx`` for ``.rec``."""
    return Path(path).with_suffix('.idx')


def unpack(data):
    """Takes the data of a record apart.

    Parameters
    ----------
    data : bytes-like

    Returns
    -------
    label : NumPy float32 array, one-dimensional
    image : memoryview
        the encoded image

    Raises
    ------
    RecordError
        if there are fewer bytes than the header says.
    """
    data = memoryview(data)
    if len(data) < _HEADER.size:
        raise RecordError(f'{len(data)} bytes are too few for a header')
    count, label = _HEADER.unpack_from(data)[:2]
    end = _HEADER.size + 4 * count
    if end > len(data):
        raise RecordError(f'the header tells of {count} label numbers, for which its {len(data)} bytes are too few')
    if count == 0:
        return np.array([label], np.float32), data[end:]
    return np.frombuffer(data[_HEADER.size:end], '<f4').astype(np.float32), data[end:]


def _flag_and_length(frames, at):
    word = _FRAME.unpack_from(frames, at)[1]
    return word >> 29, word & (1 << 29) - 1


def _join(frames):
    """The data of the one record that `frames` holds."""
    view, parts, at = memoryview(frames), [], 0
    while True:
        if view[at:at + 4] != MAGIC or len(view) - at < _FRAME.size:
            raise RecordError('no record is here. (If that is so of most, the index is of another file: delete it)')
        flag, length = _flag_and_length(frames, at)
        begin = at + _FRAME.size
        if begin + length > len(view):
            raise RecordError(f'its length, {length} bytes, reaches into the next record')
        if flag not in ((_MIDDLE, _LAST) if parts else (_WHOLE, _FIRST)):
            raise RecordError(f'part {len(parts)} of it has flag {flag}')
        parts.append(view[begin:begin + length])
        at = begin + length + -length % 4
        if flag in (_WHOLE, _LAST):
            break
    if at != len(view):
        raise RecordError(f'it ends {len(view) - at} bytes before the next record begins')
    return parts[0] if len(parts) == 1 else MAGIC.join(parts)


def _framed(data):
    """`data` as a record: what :func:`_join` takes apart."""
    if len(data) > _LONGEST:
        raise ValueError(f'{len(data)} bytes: more than a record can hold, {_LONGEST}')
    ends, at = [], data.find(MAGIC)
    while at >= 0:
        if at % 4 == 0:
            ends.append(at)
        at = data.find(MAGIC, at + (1 if at % 4 else 4))
    parts, begin = [], 0
    for number, end in enumerate((*ends, len(data))):
        first, last = number == 0, number == len(ends)
        flag = (_WHOLE if last else _FIRST) if first else (_LAST if last else _MIDDLE)
        parts.append(_FRAME.pack(MAGIC, flag << 29 | end - begin) + data[begin:end])
        begin = end + len(MAGIC)
    return b''.join(parts) + bytes(-len(data) % 4)


# -- writing -----------------------------------------------------------------------------------------------------

def write_records(path, samples, quality=95):
    """Writes a file of detection records and its index.

    Both files appear when all is written. Until then, and after an error or a kill, former files stay as they were.

    Parameters
    ----------
    path : str or Path
        ``name.rec``; the index becomes ``name.idx``
    samples : iterable of (image, boxes, labels) or (image, boxes, labels, difficult)
        image: the bytes of an encoded image (stored as they are), or uint8 [H, W, 3] RGB (stored as JPEG);
        boxes: [n, 4], xmin ymin xmax ymax in pixels of the upright image, at most a pixel outside it (and cut there);
        labels: n class numbers from 0; difficult: n truth values. n may be 0.
    quality : int
        of the JPEGs, 1 .. 100

    Returns
    -------
    int : how many records were written

    Raises
    ------
    ValueError
        naming the sample, for an image, box or label that is not as above, or a box without area.
    OSError
        if the files cannot be written, as on a full disk.
    """
    path, index = Path(path), index_path(path)
    if index == path:
        raise ValueError(f'path: a file of records ends in .rec, and .idx is for its index: {path}')
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, 'no such directory', str(path.parent))
    if not 1 <= quality <= 100:
        raise ValueError(f'quality: must be in 1 .. 100: {quality}')
    count = 0
    with naming(path), _replacing(path, index) as (part, index_part), open(part, 'wb') as file, \
            open(index_part, 'w') as offsets:
        for sample in samples:
            try:
                label, encoded = _encode(*sample, quality=quality)
                record = _framed(_HEADER.pack(len(label), 0, count, 0) + label.tobytes() + encoded)
            except (ValueError, TypeError) as error:
                raise ValueError(f'{path}: sample {count}: {error}') from error
            offsets.write(f'{count}\t{file.tell()}\n')
            file.write(record)
            count += 1
        if count == 0:
            raise ValueError(f'{path}: no samples to write')
    return count


def _encode(image, boxes, labels, difficult=None, *, quality):
    """(label, encoded image) of one sample, as they are stored."""
    if isinstance(image, (bytes, bytearray, memoryview)):
        encoded = bytes(image)
        try:
            width, height = image_size(encoded)
        except ImageError as error:
            raise ValueError(f'image: {error}') from error
    else:
        image = np.asarray(image)
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise ValueError(f'image: must be bytes or a uint8 array [H, W, 3]: {image.dtype} {list(image.shape)}')
        height, width = image.shape[:2]
        encoded = encode_jpeg(image, quality)
    labels = np.asarray(labels)
    boxes = np.asarray(boxes, np.float64)
    if labels.ndim != 1 or boxes.shape != (len(labels), 4) and (boxes.size or len(labels)):
        raise ValueError(f'boxes: must be [n, 4], and labels [n]: {list(boxes.shape)}, {list(labels.shape)}')
    if not ((labels >= 0) & (labels == np.floor(labels)) & (labels < 1 << 24)).all():   # float32 holds these exactly
        raise ValueError(f'labels: must be class numbers from 0: {labels.tolist()}')
    size = np.array([width, height, width, height])
    boxes = boxes.reshape(-1, 4)
    if not ((boxes >= -1) & (boxes <= size + 1)).all():   # NaN neither
        raise ValueError(f'boxes: must lie in the image of {width} x {height}: {boxes.tolist()}')
    boxes = boxes.clip(0, size)
    if not (boxes[:, 2:] > boxes[:, :2]).all():
        raise ValueError(f'boxes: xmin < xmax and ymin < ymax must hold: {boxes.tolist()}')
    columns = [labels[:, None], boxes / size]
    if difficult is not None:
        difficult = np.asarray(difficult, bool)
        if difficult.shape != labels.shape:
            raise ValueError(f'difficult: must be [{len(labels)}], as labels: {list(difficult.shape)}')
        columns.append(difficult[:, None])
    objects = np.concatenate(columns, 1)   # -> [n, 5 or 6]
    return np.concatenate([[4, objects.shape[1], width, height], objects.ravel()]).astype(np.float32), encoded


def _write_index(index, offsets):
    with _replacing(index) as (part,):
        part.write_text(''.join(f'{key}\t{offset}\n' for key, offset in enumerate(offsets)))


@contextmanager
def _replacing(*paths):
    """Temporary paths to write to. At the end, these files replace `paths`; after an error they are removed.

    The files after the first belong to the first. They are removed before the first is replaced, so a kill never leaves
    two files that do not fit each other.
    """
    for path in paths:
        require_replaceable(path)
    parts = [path.with_name(f'.{path.name}.{os.getpid()}.part') for path in paths]
    try:
        yield parts
        for part in parts:
            descriptor = os.open(part, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        for path in paths[1:]:
            path.unlink(missing_ok=True)
        for part, path in zip(parts, paths):
            os.replace(part, path)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
