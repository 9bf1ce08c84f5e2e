"""Reads files of MATLAB, version 5 to 7, with SciPy. Anyone may have written them.

SciPy takes as much memory as such a file asks for, and a small file may ask for any amount: its parts are compressed,
and say themselves how many cells or fields they have. So both are looked at first. Source of the format: "MAT-File
Format" (The MathWorks).
"""
import io
import struct
import zlib
from numbers import Real

import numpy as np

from ...reading import FileError, quoted, read_bytes

__all__ = ['read_mat', 'texts', 'whole_numbers']

MAX_BYTES = 1 << 23        # of a file; the largest of the original lists has 330,000
MAX_UNPACKED = 1 << 27     # of its parts
MOST_DEEP = 8              # arrays within arrays
_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15
_CELL, _STRUCT = 1, 2


def read_mat(path, variable):
    """The value of a variable: a NumPy array, as ``scipy.io.loadmat`` makes it.

    Raises FileError if the file is no such file, is damaged, asks for more memory than any need, or has no such
    variable.
    """
    from scipy.io import loadmat  # here, since it takes a third of a second

    content = read_bytes(path, MAX_BYTES)
    try:
        _check(content)
        found = loadmat(io.BytesIO(content), variable_names=[variable])
    except FileError as error:
        raise FileError(f'{path}: {error}') from None
    # SciPy promises nothing of what it raises at a damaged file.
    except Exception as error:
        raise FileError(f'{path}: is damaged, or no file of MATLAB: {quoted(str(error) or type(error).__name__)}') \
            from error
    if not isinstance(found.get(variable), np.ndarray):
        raise FileError(f'{path}: must have the variable {variable!r}')
    return found[variable]


def texts(where, values):
    """The texts in an array of cells, or in a field of a struct: list of str. FileError if there is anything else."""
    found = [value.item() if isinstance(value, np.ndarray) and value.dtype.kind == 'U' and value.size == 1 else None
             for value in (values.ravel() if values.dtype == object else [values])]
    wrong = next((number for number, text in enumerate(found, 1) if text is None), None)
    if wrong is not None:
        raise FileError(f'{where}: entry {wrong} must be a text')
    return found


def whole_numbers(where, values, most):
    """The numbers in an array, an array of cells or a field of a struct: int array [n]. FileError unless each is whole,
    from 1 to `most`.
    """
    found = [value.item() if isinstance(value, np.ndarray) and value.size == 1 else value for value in values.ravel()]
    for number, value in enumerate(found, 1):
        if not isinstance(value, Real) or isinstance(value, bool) or not 1 <= value <= most or value % 1:
            raise FileError(f'{where}: entry {number}: a class must be a whole number from 1 to {most}: '
                            f'{quoted(value)}')
    return np.array(found, np.int64)


def _check(content):
    """FileError unless it is a file of these versions that asks for no more than it has."""
    if content[:8] == b'\x89HDF\r\n\x1a\n' or content[:10] == b'MATLAB 7.3':
        raise FileError("is of MATLAB's version 7.3 (HDF5), which is not read; save it with -v7")
    order = {b'IM': '<', b'MI': '>'}.get(content[126:_HEADER])
    if order is None or struct.unpack(f'{order}H', content[124:126])[0] >> 8 != 1:
        raise FileError('is no file of MATLAB, version 5 to 7')
    left = MAX_UNPACKED
    for kind, part in _elements(content[_HEADER:], order, padded=False):
        if kind == _COMPRESSED:
            unpacking = zlib.decompressobj()
            part = unpacking.decompress(part, left)
            if unpacking.unconsumed_tail:
                raise FileError(f'its parts take more than {MAX_UNPACKED} bytes')
            left -= len(part)
            kind, part = next(_elements(part, order), (None, b''))
        if kind == _MATRIX:
            _check_matrix(part, order, MOST_DEEP)


def _check_matrix(part, order, deep):
    """FileError if an array says that it has more values than there are bytes for."""
    if deep == 0:
        raise FileError(f'has more than {MOST_DEEP} arrays within each other')
    elements = _elements(part, order)
    flags, shape = (next(elements, (None, b''))[1] for _ in range(2))
    if not flags:   # an empty array
        return
    dimensions = struct.unpack(f'{order}{len(shape) // 4}i', shape[:len(shape) // 4 * 4])
    count = 1
    for dimension in dimensions:   # as Python's whole numbers, which do not overflow
        count *= dimension
    if min(dimensions, default=0) < 0 or count > len(part):
        raise FileError(f'says that an array has the shape {quoted(dimensions)}, in {len(part)} bytes')
    if struct.unpack(f'{order}I', flags[:4])[0] & 0xff in (_CELL, _STRUCT):
        for kind, child in elements:
            if kind == _MATRIX:
                _check_matrix(child, order, deep - 1)


def _elements(content, order, padded=True):
    """(kind, bytes) of each element: a number for its kind, its size, and then so many bytes."""
    at = 0
    while at + 8 <= len(content):
        kind, size = struct.unpack(f'{order}2I', content[at:at + 8])
        begin = at + 8
        if kind >> 16:   # four bytes or fewer stand beside the kind
            kind, size, begin = kind & 0xffff, kind >> 16, at + 4
            at += 8
        else:
            at = begin + size + (-size % 8 if padded else 0)
        if begin + size > len(content):
            raise FileError('is cut off, or damaged')
        yield kind, content[begin:begin + size]
