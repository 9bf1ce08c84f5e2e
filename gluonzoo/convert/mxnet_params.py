"""Reads the parameter files of MXNet, as ``net.save_parameters`` writes them.

Source of the form: github.com/apache/mxnet, src/ndarray/ndarray.cc, NDArray::Load and NDArray::Save. All of it is
little-endian::

    uint64   0x112, 0, the number of arrays
    of each array:
      uint32   0xf993fac9: the second form, of MXNet 0.12 to 1.9
      int32    0: dense
      uint32   the number of dimensions; int64 each dimension
      int32    kind of device, number of the device, type of the numbers
               the numbers
    uint64   the number of names; of each: uint64 its bytes, and the name

MXNet's own reader believes what a file says: a wrong dimension takes all memory that there is. Here every count is
compared with the bytes that are left before anything is made of it.
"""
import os
import struct
from collections import Counter
from math import prod

import numpy as np

from ..reading import FileError, open_ordinary
from .errors import WeightsError
from .file_kinds import LOOKED_AT, kind_of_file

__all__ = ['read_params']

_LIST = 0x112
_FORMS = {0xf993fac8: 'the form of MXNet before 0.12', 0xf993faca: "the form of MXNet's NumPy arrays"}
_FORM = 0xf993fac9
_DTYPES = {0: '<f4', 1: '<f8', 2: '<f2'}
_WHOLE = {3: '|u1', 4: '<i4', 5: '|i1', 6: '<i8'}
_OTHERS = {3: 'uint8', 4: 'int32', 5: 'int8', 6: 'int64', 7: 'bool', 8: 'int16', 9: 'uint16', 10: 'uint32',
           11: 'uint64', 12: 'bfloat16'}
_BESIDES = 1 << 22      # bytes of a file besides weights: GluonCV's YOLOv3 has 0.4 MB of numbers of rows and columns
_MOST_ARRAYS = 100_000
_MOST_DIMENSIONS = 32   # as many as NumPy has
_LONGEST_NAME = 1000    # bytes
# What an array and a name take at least, so that a count of them cannot be larger than the file.
_LEAST_ARRAY, _LEAST_NAME = 24, 8
_PREFIXES = ('arg:', 'aux:')   # of files that belong to a symbol


def read_params(path, numbers=None, every_type=False):
    """The arrays in a parameter file of MXNet, without MXNet.

    Parameters
    ----------
    path : str or Path
    numbers : int, optional
        how many the network has that the file is for: a file that is much larger is not read
    every_type : bool
        whether arrays may also be of whole numbers, as those of quantized networks are

    Returns
    -------
    dict of name -> array of float16, float32 or float64
        less 'arg:' and 'aux:' before names

    Raises
    ------
    WeightsError
        if the file cannot be read, is damaged or another kind of file, or has anything but named dense arrays of these
        types. No more memory is taken for numbers than the file has bytes.
    """
    try:
        with open_ordinary(path) as file:
            kind = kind_of_file(file.read(LOOKED_AT))
            file.seek(0)
            return _Reader(file, numbers, every_type).arrays(kind)
    except WeightsError as error:
        raise WeightsError(f'{path}: {error}') from None
    except FileError as error:
        raise WeightsError(str(error)) from error
    except OSError as error:
        raise WeightsError(f'{path}: cannot be read: {error.strerror or error}') from error


class _Reader:
    """What is in an open file, of which no more is read than there is."""

    def __init__(self, file, numbers, every_type):
        self._file, self._left, self._numbers_wanted = file, os.fstat(file.fileno()).st_size, numbers
        self._dtypes = {**_DTYPES, **_WHOLE} if every_type else _DTYPES

    def arrays(self, kind):
        """What the file holds; `kind` is what it is if it is another kind of file."""
        if self._left < 8 or self._number('Q') != _LIST:
            raise WeightsError(f'not a parameter file of MXNet{f", but {kind}" if kind else ""}')
        self._number('Q')   # reserved
        if self._numbers_wanted is not None and self._left > 8 * self._numbers_wanted + _BESIDES:
            raise WeightsError(f'has {self._left + 16:,} bytes, many more than the {self._numbers_wanted:,} numbers of '
                               'the network could need')
        arrays = [self._array(place) for place in range(self._count('arrays', _LEAST_ARRAY))]
        count = self._count('names', _LEAST_NAME)
        if count != len(arrays):
            raise WeightsError(f'has {len(arrays)} arrays and {count} names' + (
                ': write the file with net.save_parameters' if not count else ''))
        names = [self._name() for _ in arrays]
        if self._left:
            raise WeightsError(f'has {self._left} bytes after its last name')
        found = dict(zip(names, arrays))
        if len(found) < len(names):
            (twice, _), = Counter(names).most_common(1)
            raise WeightsError(f'has an array twice: {twice!r}')
        return found

    def _array(self, place):
        where = f'array {place}'   # the names come last
        form = self._number('I')
        if form != _FORM:
            raise WeightsError(f'{where} is of {_FORMS.get(form, "an unknown form")}, which is not read: load and save '
                               'it with MXNet 1.x')
        storage = self._number('i')
        if storage:
            raise WeightsError(f'{where} is sparse (storage type {storage}); only dense ones are read')
        dimensions = self._number('I')
        if not 0 < dimensions <= _MOST_DIMENSIONS:
            raise WeightsError(f'{where} has {dimensions} dimensions; there must be 1 to {_MOST_DIMENSIONS}')
        shape = self._numbers(f'{dimensions}q')
        self._numbers('2i')   # the device
        kind = self._number('i')
        if kind not in self._dtypes:
            raise WeightsError(f'{where} is of {_OTHERS.get(kind, f"an unknown type, {kind}")}; it must be of float16, '
                               'float32 or float64' + (' or whole numbers' if len(self._dtypes) > len(_DTYPES) else ''))
        dtype = np.dtype(self._dtypes[kind])
        if min(shape) < 1:
            raise WeightsError(f'{where} has the shape {shape}; dimensions must be at least 1')
        return np.frombuffer(self._bytes(prod(shape) * dtype.itemsize, f'{where} of shape {shape}'),
                             dtype).reshape(shape)

    def _name(self):
        length = self._number('Q')
        if length > _LONGEST_NAME:
            raise WeightsError(f'has a name of {length} bytes; {_LONGEST_NAME} are the most')
        try:
            name = self._bytes(length, 'a name').decode()
        except UnicodeDecodeError:
            raise WeightsError('has a name that is not UTF-8') from None
        if not name.isprintable():
            raise WeightsError(f'has a name that cannot be printed: {name!r:.100}')
        return next((name[len(prefix):] for prefix in _PREFIXES if name.startswith(prefix)), name)

    def _count(self, what, least):
        count = self._number('Q')
        if count * least > self._left:
            raise WeightsError(f'says that it has {count} {what}, for which it is too short')
        if count > _MOST_ARRAYS:
            raise WeightsError(f'has {count} {what}; {_MOST_ARRAYS} are the most')
        return count

    def _number(self, form):
        return self._numbers(form)[0]

    def _numbers(self, form):
        form = f'<{form}'
        return struct.unpack(form, self._bytes(struct.calcsize(form), 'a count'))

    def _bytes(self, count, what):
        if count > self._left:
            raise WeightsError(f'has been cut off within {what}, or is damaged there')
        data = self._file.read(count)
        if len(data) < count:
            raise WeightsError('has become shorter while it was read')
        self._left -= count
        return data
