"""Reads lists in files of MATLAB, version 5 to 7: structs, cells, texts and numbers. Anyone may have written them.

``scipy.io.loadmat`` reads more of these files, but trusts them: one that is damaged can end the process, and one of 200
bytes can ask for all memory. This reader believes no size that a file tells of itself. What a file is unpacked to, and
how many values are made of it, is bounded, so that no file takes more than 300 MB. Source of the format: "MAT-File
Format" (The MathWorks).
"""
import zlib
from math import prod
from numbers import Real
from struct import Struct

import numpy as np

from ...reading import FileError, quoted, read_bytes

__all__ = ['read_mat', 'texts', 'whole_numbers']

MAX_BYTES = 1 << 23        # of a file; the largest of the original lists has 330,000
MAX_UNPACKED = 1 << 25     # of its parts
MOST_VALUES = 1 << 17      # arrays within a variable, which take a few hundred bytes each; the largest list has 48,864
MOST_FIELDS = 256          # of a struct
MOST_DEEP = 8              # arrays within arrays
_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15   # kinds of elements
_CELLS, _STRUCT, _TEXT, _NUMBERS = 1, 2, 4, range(6, 16)   # kinds of arrays
_TYPES = {1: 'i1', 2: 'u1', 3: 'i2', 4: 'u2', 5: 'i4', 6: 'u4', 7: 'f4', 9: 'f8', 12: 'i8', 13: 'u8'}   # of numbers
_LETTERS = {1: 'latin-1', 2: 'latin-1', 4: 'utf-16', 16: 'utf-8', 17: 'utf-16', 18: 'utf-32'}           # of texts


def read_mat(path, variable):
    """The value of a variable.

    Returns
    -------
    list of values
        of cells, column after column
    dict of str -> list of values
        of a struct: field -> one value of each of its elements
    str
        of a text of one row
    array
        of real numbers
    None
        of anything else

    Raises FileError if the file is no such file, is damaged, is larger than any need, or has no such variable.
    """
    content = read_bytes(path, MAX_BYTES)
    try:
        for name, value in _variables(content):
            if name == variable:
                return value()
    except (zlib.error, ValueError) as error:   # the latter also of NumPy, for shapes that it does not take
        raise FileError(f'{path}: {error if isinstance(error, _Damaged) else "is damaged"}') from None
    raise FileError(f'{path}: must have the variable {variable!r}')


def texts(where, values):
    """Values that are texts, as of cells or of a field of a struct: list of str. FileError if one is anything else."""
    values = values if isinstance(values, list) else [None]
    wrong = next((number for number, value in enumerate(values, 1) if not isinstance(value, str)), None)
    if wrong is not None:
        raise FileError(f'{where}: entry {wrong} must be a text')
    return values


def whole_numbers(where, values, most):
    """An array of numbers, or values that are one number each, as ints. FileError unless they are from 1 to `most`."""
    values = values.ravel().tolist() if isinstance(values, np.ndarray) else [
        value.item() if isinstance(value, np.ndarray) and value.size == 1 else value
        for value in (values if isinstance(values, list) else [None])]
    for number, value in enumerate(values, 1):
        if not isinstance(value, Real) or not 1 <= value <= most or value % 1:
            raise FileError(f'{where}: entry {number}: a class must be a whole number from 1 to {most}: '
                            f'{quoted(value)}')
    return [int(value) for value in values]


class _Damaged(ValueError):
    """The file is not as it must be; the message goes on after the path."""


class _Order:
    """How the numbers of a file are read: `sign` is '<' or '>'. It counts the values that are made."""

    def __init__(self, sign):
        self.sign = sign
        self.tag = Struct(f'{sign}2I').unpack_from
        self.values = 0

    def count_value(self):
        self.values += 1
        if self.values > MOST_VALUES:
            raise _Damaged(f'has a variable of more than {MOST_VALUES} values')


def _variables(content):
    """(name, function that makes its value) of each variable of a file."""
    if content[:8] == b'\x89HDF\r\n\x1a\n' or content[:10] == b'MATLAB 7.3':
        raise _Damaged("is of MATLAB's version 7.3 (HDF5), which is not read; save it with -v7")
    sign = {b'IM': '<', b'MI': '>'}.get(content[126:_HEADER])
    if sign is None or Struct(f'{sign}H').unpack(content[124:126])[0] >> 8 != 1:
        raise _Damaged('is no file of MATLAB, version 5 to 7')
    order, left = _Order(sign), MAX_UNPACKED
    for kind, part in _elements(memoryview(content)[_HEADER:], order, padded=False):
        if kind == _COMPRESSED:
            unpacking = zlib.decompressobj()
            part = unpacking.decompress(part, left + 1)   # 0 would mean that there is no limit
            left -= len(part)
            if left < 0:
                raise _Damaged(f'its parts take more than {MAX_UNPACKED} bytes')
            if not unpacking.eof:
                raise _Damaged('is cut off, or damaged')
            kind, part = next(_elements(memoryview(part), order), (None, b''))
        if kind == _MATRIX:
            yield _matrix(part, order, MOST_DEEP)


def _matrix(part, order, deep):
    """(name, function that makes the value) of an array."""
    if not part:
        return '', lambda: None
    if not deep:
        raise _Damaged(f'has more than {MOST_DEEP} arrays within each other')
    elements = _elements(part, order)
    head = [content for _, (_, content) in zip(range(3), elements)]
    if len(head) < 3 or len(head[0]) < 4 or len(head[1]) % 4:
        raise _Damaged('is damaged')
    kind = order.tag(head[0].tobytes().ljust(8))[0] & 0xff
    shape = np.frombuffer(head[1], f'{order.sign}i4').tolist()
    if min(shape, default=0) < 0:
        raise _Damaged(f'an array cannot have the shape {quoted(shape)}')
    return bytes(head[2]).decode('latin-1'), lambda: _value(kind, shape, elements, order, deep)


def _value(kind, shape, elements, order, deep):
    if kind == _CELLS:
        return _within(elements, prod(shape), order, deep)
    if kind == _STRUCT:
        (_, length), (_, letters) = _next(elements), _next(elements)
        length = int.from_bytes(length, 'little' if order.sign == '<' else 'big') if len(length) == 4 else 0
        if length < 1 or len(letters) % length:
            raise _Damaged('is damaged')
        if len(letters) // length > MOST_FIELDS:
            raise _Damaged(f'has a struct of more than {MOST_FIELDS} fields')
        names = [bytes(letters[at:at + length]).split(b'\0')[0].decode('latin-1')
                 for at in range(0, len(letters), length)]
        values = _within(elements, prod(shape) * len(names), order, deep)
        return {name: values[number::len(names)] for number, name in enumerate(names)}
    if kind == _TEXT:
        code, letters = _next(elements) if prod(shape) else (1, b'')
        encoding = _LETTERS.get(code, 'latin-1')
        if encoding in ('utf-16', 'utf-32'):
            encoding += '-le' if order.sign == '<' else '-be'
        return bytes(letters).decode(encoding) if len(shape) == 2 and shape[0] == 1 or not letters else None
    if kind in _NUMBERS:
        code, numbers = _next(elements)
        if code not in _TYPES or len(numbers) != prod(shape) * np.dtype(_TYPES[code]).itemsize:
            raise _Damaged(f'an array of the shape {quoted(shape)} cannot have {len(numbers)} bytes')
        numbers = np.frombuffer(numbers, order.sign + _TYPES[code]).reshape(shape, order='F')
        return None if next(elements, None) else numbers   # not if they are complex
    return None


def _within(elements, count, order, deep):
    """The values of the arrays that are the next elements, `count` of them."""
    values = []
    for kind, part in elements:
        if kind != _MATRIX or len(values) == count:
            raise _Damaged('is damaged')
        order.count_value()
        values.append(_matrix(part, order, deep - 1)[1]())
    if len(values) != count:
        raise _Damaged(f'has {len(values)} values, and says that it has {count}')
    return values


def _next(elements):
    found = next(elements, None)
    if found is None:
        raise _Damaged('is cut off, or damaged')
    return found


def _elements(content, order, padded=True):
    """(kind, bytes) of each element: a number for its kind, its size, and then so many bytes."""
    at, end = 0, len(content)
    while at + 8 <= end:
        kind, size = order.tag(content, at)
        begin = at + 8
        if kind >> 16:   # four bytes or fewer stand beside the kind
            kind, size, begin = kind & 0xffff, kind >> 16, at + 4
            at += 8
            if size > 4:
                raise _Damaged('is damaged')
        else:
            at = begin + size + (-size % 8 if padded else 0)
        if begin + size > end:
            raise _Damaged('is cut off, or damaged')
        yield kind, content[begin:begin + size]
